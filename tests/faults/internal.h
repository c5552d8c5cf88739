/* What the files of the library share. */
#ifndef TESTS_FAULTS_INTERNAL_H
#define TESTS_FAULTS_INTERNAL_H

/* Is the request for memory that returns to `caller` to be refused? Counts it; kills where that is the plan.
 */
int inject_meets_allocation(const void *caller);

#endif

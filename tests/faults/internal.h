/* What the files of the library share. */
#ifndef TESTS_FAULTS_INTERNAL_H
#define TESTS_FAULTS_INTERNAL_H

/* Is this request for memory to be refused? Counts it; kills where that is the plan. */
int inject_meets_allocation(void);

#endif

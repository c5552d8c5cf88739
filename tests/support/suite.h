/* What the test programs share. */
#ifndef TESTS_SUPPORT_SUITE_H
#define TESTS_SUPPORT_SUITE_H

#include <check.h>

/* Runs one suite, prints Check's counts, frees it; the exit status of a test program, which fails where no
 * test ran: CK_RUN_CASE may name a case that is not there. */
int suite_run(Suite *suite);

#endif

/* What the test programs share. */
#ifndef TESTS_SUPPORT_SUITE_H
#define TESTS_SUPPORT_SUITE_H

#include <check.h>

/* Runs one suite, prints Check's counts, frees it; the exit status of a test program, which fails where no
 * test ran: CK_RUN_CASE may name a case that is not there. */
int suite_run(Suite *suite);

/* Does the address sanitizer look on, which has an allocator of its own and takes memory for itself? */
#if defined(__SANITIZE_ADDRESS__)
enum { SUITE_IS_SANITIZED = 1 };
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
enum { SUITE_IS_SANITIZED = 1 };
#else
enum { SUITE_IS_SANITIZED = 0 };
#endif
#else
enum { SUITE_IS_SANITIZED = 0 };
#endif

#endif

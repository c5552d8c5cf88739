/* What the test programs share. */
#ifndef TESTS_SUPPORT_SUITE_H
#define TESTS_SUPPORT_SUITE_H

#include <check.h>

/* Check writes a message to a file for each assertion that holds, and reads all of them when the test has
 * ended. In tests of millions of assertions that took most of the time, and "Bad message type", which ends
 * the whole program, was seen there only. Here a place that has been passed in a test is not told of again. A
 * failure names its own place, as ever; after a crash Check names the last place that was new. */
void suite_mark(const char *file, int line);
#define _mark_point(file, line) suite_mark(file, line)

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

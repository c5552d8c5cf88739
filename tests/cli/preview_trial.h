/* The tests of rnn-train --try, a part of test_preview. */
#ifndef TESTS_CLI_PREVIEW_TRIAL_H
#define TESTS_CLI_PREVIEW_TRIAL_H

#include <check.h>

TCase *trial_cases(void);

#endif

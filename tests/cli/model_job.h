/* Calls of the programs that share a network, and what they are to say. */
#ifndef TESTS_CLI_MODEL_JOB_H
#define TESTS_CLI_MODEL_JOB_H

#include "support/command.h"

/* Runs the program that a variable of the environment names. The words, at most 14, end with NULL; files are
 * given as job_path makes them. */
void call(struct command_result *result, const char *program, ...) __attribute__((sentinel));

/* It is done, and prints the part. Ends the result. */
void expect(struct command_result *result, const char *part);

/* It fails with this code, and one line that has the part. Ends the result. */
void expect_failure(struct command_result *result, int code, const char *part);

/* A path of the job's folder that lasts. */
const char *lasting(const char *name, char path[static 1024]);

#endif

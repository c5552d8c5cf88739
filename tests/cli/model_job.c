#include "cli/model_job.h"

#include "support/job.h"
#include "support/suite.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void call(struct command_result *result, const char *program, ...)
{
    const char *argv[16] = {getenv(program)};
    int n = 0;
    va_list words;
    ck_assert_msg(argv[0] != NULL, "%s is not set", program);
    va_start(words, program);
    while (argv[n] && n < 15)
        argv[++n] = va_arg(words, const char *);
    va_end(words);
    struct command_process process;
    command_start(&(struct command){.argv = argv, .seconds = JOB_SECONDS}, &process);
    command_wait(&process, result);
}

void expect(struct command_result *result, const char *part)
{
    job_expect(result, 0);
    ck_assert_msg(strstr(result->output, part) != NULL, "wanted '%s' in: %s", part, result->output);
    command_result_finish(result);
}

void expect_failure(struct command_result *result, int code, const char *part)
{
    job_expect(result, code);
    ck_assert_msg(job_count_lines(result->errors, "rnn-") == 1, "%s", result->errors);
    ck_assert_msg(strstr(result->errors, part) != NULL, "wanted '%s' in: %s", part, result->errors);
    command_result_finish(result);
}

const char *lasting(const char *name, char path[static 1024])
{
    snprintf(path, 1024, "%s", job_path(name));
    return path;
}

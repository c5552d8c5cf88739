/* What a program prints is its result: where it cannot be written the program fails, whatever it was asked
 * for. */
#include "support/job.h"
#include "support/suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_WORDS = 16 };

/* The working folder is that of the jobs. */
static const char *const setup[][8] = {
    {"RNN_DATA", "make", "reber", "-o", ".", "--sequences", "20"},
    {"RNN_TRAIN", "-o", "run", "c.ini"},
};

static const char config[] = "[data]\ntrain = reber-train.h5\n[model]\noutput = frame\nbidirectional = no\n"
                             "layers = 1\nhidden = 4\n[train]\nepochs = 1\nbatch = 10\n";

/* Everything that prints. The second training starts anew. */
static const char *const cases[][MOST_WORDS] = {
    {"RNN_TRAIN", "--help"},
    {"RNN_TRAIN", "--version"},
    {"RNN_TRAIN", "--plan", "c.ini"},
    {"RNN_TRAIN", "--plan", "3", "-v", "c.ini"},
    {"RNN_TRAIN", "--check", "c.ini"},
    {"RNN_TRAIN", "--verify", "run"},
    {"RNN_TRAIN", "--verify", "run/best.h5"},
    {"RNN_TRAIN", "-o", "run", "c.ini"},
    {"RNN_TRAIN", "-q", "-o", "another", "c.ini"},
    {"RNN_PREDICT", "-h"},
    {"RNN_PREDICT", "--version"},
    {"RNN_PREDICT", "run", "reber-test.h5"},
    {"RNN_PREDICT", "-qq", "-o", "out.h5", "run", "reber-test.h5"},
    {"RNN_PREDICT", "--generate", "5", "-o", "generated.h5", "run"},
    {"RNN_DATA", "--help"},
    {"RNN_DATA", "--version"},
    {"RNN_DATA", "make", "reber", "-o", "more", "--sequences", "20"},
    {"RNN_DATA", "info", "reber-test.h5"},
    {"RNN_DATA", "check", "reber-test.h5"},
    {"RNN_BENCH", "--help"},
    {"RNN_BENCH", "--version"},
    {"RNN_BENCH", "--hidden", "8", "--layers", "1", "--frames", "9", "--batch", "8", "--rounds", "1"},
};
enum { CASES = sizeof cases / sizeof *cases };

/* Runs a program of the environment from a shell, which does `how` first. */
static void run(struct command_result *result, const char *const *words, const char *how)
{
    char script[256];
    const char *argv[MOST_WORDS + 5] = {"bash", "-c", script, getenv(words[0])};
    snprintf(script, sizeof script, "%s exec \"$0\" \"$@\"", how);
    ck_assert_msg(argv[3] != NULL, "%s is not set", words[0]);
    for (int i = 1; i < MOST_WORDS && words[i]; i++)
        argv[i + 3] = words[i];
    command_run(&(struct command){.argv = argv, .directory = job_path(""), .seconds = JOB_SECONDS}, result);
}

static void prepare(void)
{
    struct command_result result;
    job_write_text("c.ini", config);
    for (size_t i = 0; i < sizeof setup / sizeof *setup; i++) {
        run(&result, setup[i], "");
        job_expect(&result, 0);
        command_result_finish(&result);
    }
}

/* It ends with 74 and one line that says why, beside warnings about its work. */
static void expect_loss(const char *const *words, const char *how, const char *why)
{
    struct command_result result;
    run(&result, words, how);
    ck_assert_msg(result.status == 74, "%s %s, %s: exit code %d: %s", words[0], words[1], how, result.status,
        result.errors);
    const char *line = strstr(result.errors, "standard output: ");
    ck_assert_msg(line && strstr(line, why) && !strstr(line + 1, "standard output: "), "%s", result.errors);
    command_result_finish(&result);
}

START_TEST(a_result_that_is_lost_is_a_failure)
{
    prepare();
    for (int i = 0; i < CASES; i++)
        expect_loss(cases[i], "exec > /dev/full;", "full");
    ck_assert_msg(job_exists("out.h5") && job_exists("generated.h5"), "the files themselves are written");
}
END_TEST

/* The number of standard output is that of the first file that is opened, but for streams_begin. */
START_TEST(what_is_printed_gets_into_no_file)
{
    static const char *const train[MOST_WORDS] = {"RNN_TRAIN", "-o", "closed", "c.ini"};
    static const char *const data[MOST_WORDS] = {"RNN_DATA", "make", "reber", "-o", "closed-data"};
    struct command_result result;
    prepare();
    expect_loss(train, "exec >&-;", "could be written");
    expect_loss(data, "exec >&- <&-;", "could be written");
    job_check_metrics("closed", 1, 2, 0);
    run(&result, train, "exec <&- 2>&-;");
    job_expect(&result, 0);
    ck_assert_int_eq(job_count_lines(result.output, "finished: "), 1);
    command_result_finish(&result);
    job_check_metrics("closed", 1, 2, 0);
}
END_TEST

/* `wait` sees to it that nobody reads any more. */
START_TEST(training_goes_on_when_nobody_reads_what_it_says)
{
    static const char *const train[MOST_WORDS] = {"RNN_TRAIN", "-o", "unread", "c.ini"};
    prepare();
    expect_loss(train, "exec > >(:); wait $!;", "could be written");
    job_check_metrics("unread", 1, 2, 0);
    char state[256];
    job_status("unread", "state", state);
    ck_assert_str_eq(state, "finished");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("streams");
    TCase *tests = tcase_create("streams");
    tcase_set_timeout(tests, 0);
    tcase_add_test(tests, a_result_that_is_lost_is_a_failure);
    tcase_add_test(tests, what_is_printed_gets_into_no_file);
    tcase_add_test(tests, training_goes_on_when_nobody_reads_what_it_says);
    suite_add_tcase(suite, tests);
    job_open();
    int outcome = suite_run(suite);
    job_close();
    return outcome;
}

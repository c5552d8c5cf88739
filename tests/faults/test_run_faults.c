/* Faults of the real rnn-train on one rank: it fails with a line that names the file, or is killed; the same
 * command then ends with the weights of the run that nothing happened to.
 *
 *     test_run_faults          ten of them, and lack of memory before the first step
 *     test_run_faults every    every call of the run's files, killed there, with and without what was not
 * durable */
#include "base/memory.h"
#include "faults/inject.h"
#include "support/job.h"
#include "support/suite.h"

#include <dirent.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { EPOCHS = 2, STEPS = 4 };

static const char base[] = "[data]\ntrain = train.h5\n"
                           "[model]\nhidden = 4\ncell = lru\ntimescale = 50\nloss = gaussian\n"
                           "[train]\nbatch = 4\nmicrobatch = 2\nepochs = 2\nlr = 0.01\n"
                           "[checkpoint]\nevery = 2 steps\nkeep = 1\n";

static char undisturbed[17];

/* Some values are missing, and targets weigh differently. */
static void set_up(void)
{
    struct sample_shape shape = {.sequences = 16,
        .shortest = 1,
        .longest = 9,
        .features = 2,
        .kind = SAMPLE_PER_SEQUENCE,
        .values = 3,
        .version = 2};
    struct sample sample;
    sample_init(&sample, &shape, 1);
    sample.weights = memory_create((size_t)sample.targets, sizeof *sample.weights, NULL);
    for (int64_t s = 0; s < sample.targets; s++) {
        sample.weights[s] = (float)(s % 3);
        sample.values[3 * s + s % 3] = NAN;
    }
    sample_write(&sample, job_path("train.h5"));
    sample_finish(&sample);
    job_write_text("base.ini", base);
    job_finish(undisturbed, 0, "base.ini", "undisturbed", "--fresh", NULL);
}

static void clear(const char *folder)
{
    const char *path = job_path(folder);
    char name[1024];
    DIR *stream = opendir(path);
    for (struct dirent *entry; stream && (entry = readdir(stream));) {
        snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
        unlink(name);
    }
    if (stream)
        closedir(stream);
}

/* `words` of INJECT. Returns how many calls the fault was done to. */
static long run_with(const char *words, const char *config, const char *run, struct command_result *result)
{
    char variable[2048];
    struct inject_report *report;
    snprintf(variable, sizeof variable, "%s below=%s program=rnn-train report=%s", words, job_path(run),
        job_path("report"));
    setenv("INJECT", variable, 1);
    setenv("LD_PRELOAD", getenv("INJECT_LIBRARY"), 1);
    clear(run);
    unlink(job_path("report"));
    job_run(result, 0, config, run, NULL);
    unsetenv("LD_PRELOAD");
    unsetenv("INJECT");
    char *bytes = job_read("report", NULL);
    report = (struct inject_report *)bytes;
    long fired = report->fired;
    free(bytes);
    return fired;
}

static void check_resume(const char *run, const char *words)
{
    struct command_result result;
    char value[256], hash[64];
    job_run(&result, 0, "base.ini", run, NULL);
    ck_assert_msg(result.status == 0, "%s: exit code %d:\n%.1500s", words, result.status, result.errors);
    ck_assert_msg(!strstr(result.errors, "going back"), "%s: a checkpoint was damaged", words);
    job_field(result.output, "finished: ", "weights_hash", hash);
    ck_assert_msg(strcmp(hash, undisturbed) == 0, "%s: other weights", words);
    command_result_finish(&result);
    job_check_metrics(run, EPOCHS, STEPS, 0);
    job_status(run, "state", value);
    ck_assert_str_eq(value, "finished");
}

static const struct {
    const char *words;
    int code; /* of the exit; 137: killed */
} faults[] = {
    {"calls=write at=1 action=full errno=28 after=/.checkpoint-0000000004", 74},
    {"calls=write at=1 action=fail errno=5 after=/.best.h5", 74},
    {"calls=write at=9 action=full errno=28", 74},
    {"calls=write at=1 action=short then=always", 0},
    {"calls=sync at=1 action=fail errno=5 then=always after=/.checkpoint-0000000004", 74},
    {"calls=rename at=1 action=fail errno=13 after=/.checkpoint-0000000006", 74},
    {"calls=open at=1 action=fail errno=24 after=/.checkpoint-0000000004", 74},
    {"calls=sync at=2 action=kill-before lose=data,names after=/.checkpoint-0000000004", 137},
    {"calls=rename at=1 action=kill-after lose=zero,names after=/.checkpoint-0000000006", 137},
    {"calls=unlink at=1 action=kill-before after=/.checkpoint-0000000006", 137},
};

START_TEST(after_a_fault_the_same_command_ends_with_the_undisturbed_bits)
{
    struct command_result result;
    const char *words = faults[_i].words;
    ck_assert_msg(run_with(words, "base.ini", "run", &result) > 0, "%s: was not met", words);
    ck_assert_msg(result.status == faults[_i].code, "%s: exit code %d:\n%.1500s%.1500s", words, result.status,
        result.output, result.errors);
    if (faults[_i].code == 74) { /* a second line where the status cannot be written either */
        char *line = job_line(result.errors, "rnn-train: ", 1);
        ck_assert_msg(line && strstr(line, job_path("run/")), "%s: %.1500s", words, result.errors);
        free(line);
    }
    command_result_finish(&result);
    check_resume("run", words);
}
END_TEST

/* Of a run that makes the order of an epoch before its first step, as pieces of sequences ask for. */
START_TEST(lack_of_memory_before_the_first_step_is_told)
{
    char config[sizeof base + 80], words[128];
    long fired = 1;
    int begun = 0;
    snprintf(config, sizeof config, "%s%s", base, "[model]\nbidirectional = no\n[train]\ntruncate = 3\n");
    job_write_text("pieces.ini", config);
    for (int at = 1; fired && !begun; at++) {
        struct command_result result;
        snprintf(words, sizeof words, "calls=allocate caller=rnn-train at=%d action=fail after=/lock", at);
        fired = run_with(words, "pieces.ini", "run", &result);
        begun = result.status != 0 && access(job_path("run/config.ini"), F_OK) == 0;
        ck_assert_msg(result.status < 128 && (result.status == 0 || strstr(result.errors, "rnn-train: ")),
            "%s: exit code %d:\n%.1500s", words, result.status, result.errors);
        command_result_finish(&result);
    }
    ck_assert(begun);
}
END_TEST

START_TEST(killed_at_any_call_a_run_ends_with_the_undisturbed_bits)
{
    static const char *const losses[] = {"", " lose=data,names", " lose=zero"};
    char words[256];
    long fired = 1;
    for (int at = 1; fired; at++) {
        struct command_result result;
        snprintf(words, sizeof words,
            "calls=open,read,write,sync,rename,close,unlink,link,truncate,folder at=%d action=kill-before%s",
            at, losses[at % 3]);
        fired = run_with(words, "base.ini", "run", &result);
        ck_assert_msg(result.status == (fired ? 137 : 0), "%s: met %ld times, exit code %d:\n%.1500s%.1500s",
            words, fired, result.status, result.output, result.errors);
        command_result_finish(&result);
        check_resume("run", words);
        printf("%s: %s\n", words, fired ? "killed" : "none was met");
    }
}
END_TEST

int main(int argc, char **argv)
{
    int every = argc > 1 && strcmp(argv[1], "every") == 0;
    Suite *suite = suite_create("run faults");
    TCase *tests = tcase_create("faults");
    tcase_set_timeout(tests, every ? 1800 : 120);
    tcase_add_unchecked_fixture(tests, set_up, NULL);
    if (every) {
        tcase_add_test(tests, killed_at_any_call_a_run_ends_with_the_undisturbed_bits);
    } else {
        tcase_add_loop_test(tests, after_a_fault_the_same_command_ends_with_the_undisturbed_bits, 0,
            sizeof faults / sizeof *faults);
        tcase_add_test(tests, lack_of_memory_before_the_first_step_is_told);
    }
    suite_add_tcase(suite, tests);
    job_open();
    int outcome = suite_run(suite);
    job_close();
    return outcome;
}

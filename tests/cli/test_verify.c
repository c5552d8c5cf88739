/* rnn-train --verify: what it says of a run and of files, sound and damaged in every way, and that it changes
 * nothing. */
#include "support/job.h"
#include "support/suite.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char base[] = "[data]\ntrain = train.h5\nvalid = valid.h5\n[model]\nhidden = 4\n"
                           "[train]\nbatch = 4\nmicrobatch = 2\nepochs = 2\nlr = 0.01\n"
                           "[checkpoint]\nevery = 3 steps\nkeep = 2\n";

enum { STEPS = 8 };

static void set_up(void)
{
    job_train_small(base);
}

/* Standard output, the caller's (free). */
static char *verify(const char *name, int code)
{
    struct command_result result;
    job_run(&result, 0, NULL, NULL, "--verify", job_path(name), NULL);
    job_expect(&result, code);
    ck_assert_msg(!*result.errors, "%s", result.errors);
    char *output = strdup(result.output);
    command_result_finish(&result);
    return output;
}

/* One line of the file, with the word and the part; nothing else is wrong. */
static void expect(const char *run, int code, const char *file, const char *word, const char *part)
{
    char beginning[1024];
    char *output = verify(run, code);
    snprintf(beginning, sizeof beginning, "%s%s%s: %s: ", job_path(run), *file ? "/" : "", file, word);
    char *line = job_line(output, beginning, 1);
    ck_assert_msg(line && strstr(line, part), "no '%s ... %s' in:\n%s", beginning, part, output);
    int lines = 0, sound = 0;
    for (const char *at = output; (at = strchr(at, '\n')); at++)
        lines++;
    for (const char *at = output; (at = strstr(at, ": sound: ")); at++)
        sound++;
    ck_assert_msg(lines == sound + (code != 0), "%s", output);
    free(line);
    free(output);
}

/* A fresh copy of the run that can be damaged. */
static void copy(void)
{
    struct command_result result;
    command_call(&result, JOB_SECONDS, "rm", "-rf", job_path("bad"), NULL);
    command_result_finish(&result);
    job_copy("run", "bad");
}

static void edit(const char *name, const char *from, const char *to)
{
    char *text = job_read(name, NULL), *at = strstr(text, from),
         *edited = malloc(strlen(text) + strlen(to) + 1);
    ck_assert(at && edited);
    sprintf(edited, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
    job_write_text(name, edited);
    free(edited);
    free(text);
}

START_TEST(a_whole_run_is_sound_a_line_a_file)
{
    char *output = verify("run", 0);
    ck_assert_int_eq(job_count_lines(output, job_path("run/")), 6);
    ck_assert_ptr_nonnull(strstr(output, "/config.ini: sound: "));
    ck_assert_ptr_nonnull(strstr(output, "/checkpoint-0000000008.h5: sound: step=8 epoch=2 "));
    ck_assert_ptr_nonnull(strstr(output, "/checkpoint-0000000006.h5: sound: step=6 epoch=2 "));
    ck_assert_ptr_nonnull(strstr(output, "/best.h5: sound: "));
    ck_assert_ptr_nonnull(strstr(output, "/metrics.csv: sound: 10 rows up to step 8\n"));
    ck_assert_ptr_nonnull(strstr(output, "/status: sound: state=finished step=8\n"));
    free(output);
    expect("run/best.h5", 0, "", "sound", "weights_hash=");
}
END_TEST

START_TEST(nothing_is_changed)
{
    copy();
    free(verify("bad", 0));
    static const char *const files[] = {"config.ini", "metrics.csv", "status", "best.h5"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char one[64], other[64];
        snprintf(one, sizeof one, "run/%s", files[i]);
        snprintf(other, sizeof other, "bad/%s", files[i]);
        ck_assert(job_same_file(one, other));
    }
    ck_assert_int_eq(job_count("bad", ""), job_count("run", ""));
}
END_TEST

START_TEST(a_damaged_checkpoint_is_named_and_the_rest_looked_at)
{
    copy();
    job_flip("bad/checkpoint-0000000008.h5", 5000);
    expect("bad", 65, "checkpoint-0000000008.h5", "damaged", "use an older checkpoint or a copy");
    expect("bad/checkpoint-0000000008.h5", 65, "", "damaged", "does not have the hash");
    copy();
    job_flip("bad/best.h5", 9);
    expect("bad", 65, "best.h5", "damaged", "is damaged");
    copy();
    job_copy("bad/checkpoint-0000000006.h5", "bad/checkpoint-0000000007.h5");
    expect("bad", 65, "checkpoint-0000000007.h5", "damaged", "holds step 6, not what its name says");
}
END_TEST

START_TEST(a_repacked_file_is_sound_but_a_run_cannot_go_on_from_it)
{
    struct command_result result;
    copy();
    command_call(&result, JOB_SECONDS, "h5repack", "-f", "GZIP=5", job_path("run/best.h5"),
        job_path("bad/packed.h5"), NULL);
    int there = result.status == 0;
    command_result_finish(&result);
    if (!there)
        return;
    expect("bad/packed.h5", 0, "", "sound", "no hash line: rewritten by another program, as h5repack");
    rename(job_path("bad/packed.h5"), job_path("bad/checkpoint-0000000008.h5"));
    expect("bad", 65, "checkpoint-0000000008.h5", "damaged", "has no hash line at its end");
}
END_TEST

START_TEST(metrics_must_have_each_step_once)
{
    static const struct {
        const char *from, *to, *says;
    } edits[] = {
        {"\n2,1,train", "\n3,1,train", "row 2 is not the one that belongs there"},
        {"\n2,1,train", "\n1,1,train", "row 2 is not the one"},
        {"\n2,1,train", "\n2,1,trial", "row 2 is not the one"},
        {"\n4,1,valid", "\n0,1,valid", "row 5 is not the one"},
        {"step,epoch", "step,month", "does not begin with its header"},
    };
    for (size_t i = 0; i < sizeof edits / sizeof *edits; i++) {
        copy();
        edit("bad/metrics.csv", edits[i].from, edits[i].to);
        expect("bad", 65, "metrics.csv", "damaged", edits[i].says);
    }
    copy();
    ck_assert_int_eq(truncate(job_path("bad/metrics.csv"), 400), 0);
    expect("bad", 65, "metrics.csv", "damaged", "the run makes it anew of what is left");
    job_remove("bad/metrics.csv");
    expect("bad", 65, "metrics.csv", "damaged", "is missing");
    copy();
    FILE *file = fopen(job_path("bad/metrics.csv"), "a");
    fputs("9,3,tra", file); /* of a run that was killed: cut off when it goes on */
    fclose(file);
    expect("bad", 0, "metrics.csv", "sound", "10 rows");
}
END_TEST

START_TEST(config_status_and_lock_are_looked_at)
{
    copy();
    edit("bad/config.ini", "[train]", "[trian]");
    expect("bad", 65, "config.ini", "damaged", "written anew");
    copy();
    job_write_text("bad/status", "state=\n");
    expect("bad", 65, "status", "damaged", "has no state, step and reason");
    copy();
    job_write_text("bad/lock", "what is this\n");
    expect("bad", 65, "lock", "damaged", "does not say whose it is");
    job_write_text(
        "bad/lock", "heartbeat=001000000000\nhost=elsewhere\nprocess=77\njob=\nstart=5\nboot=\nspace=\n");
    ck_assert_int_eq(utimensat(AT_FDCWD, job_path("bad/lock"), (struct timespec[]){{1, 0}, {1, 0}}, 0), 0);
    expect("bad", 0, "lock", "sound",
        "of a job that is gone, the next one takes it over: process 77 on elsewhere");
    job_write_text(
        "bad/lock", "heartbeat=001000000000\nhost=elsewhere\nprocess=77\njob=\nstart=5\nboot=\nspace=\n");
    expect("bad", 0, "lock", "sound", "a job runs here");
}
END_TEST

START_TEST(what_cannot_be_read_is_74_and_what_is_none_65)
{
    expect("absent.h5", 74, "", "unreadable", "No such file");
    expect("base.ini", 65, "", "damaged", "is not a checkpoint: no HDF5 file");
    expect("train.h5", 65, "", "damaged", "is not a checkpoint");
    mkdir(job_path("empty"), 0777);
    expect("empty", 65, "", "damaged", "holds no run");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("verify");
    TCase *tests = tcase_create("verify");
    tcase_set_timeout(tests, 120);
    tcase_add_unchecked_fixture(tests, set_up, NULL);
    tcase_add_test(tests, a_whole_run_is_sound_a_line_a_file);
    tcase_add_test(tests, nothing_is_changed);
    tcase_add_test(tests, a_damaged_checkpoint_is_named_and_the_rest_looked_at);
    tcase_add_test(tests, a_repacked_file_is_sound_but_a_run_cannot_go_on_from_it);
    tcase_add_test(tests, metrics_must_have_each_step_once);
    tcase_add_test(tests, config_status_and_lock_are_looked_at);
    tcase_add_test(tests, what_cannot_be_read_is_74_and_what_is_none_65);
    suite_add_tcase(suite, tests);
    job_open();
    int outcome = suite_run(suite);
    job_close();
    return outcome;
}

/* The program rnn-train as a user meets it when all goes well: what it prints, and what a run leaves behind.
 */
#include "support/job.h"
#include "support/suite.h"

#include <regex.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

/* 25 sequences are 7 steps an epoch. */
enum { SEQUENCES = 25, VALID = 6, STEPS = 7, EPOCHS = 3, LAST = STEPS * EPOCHS };

static const char base[] = "[data]\ntrain = train.h5\nvalid = valid.h5\n[model]\nhidden = 6\n"
                           "[train]\nbatch = 4\nmicrobatch = 2\nepochs = 3\nlr = 0.01\n";

static void write_data(void)
{
    struct sample_shape shape = {.sequences = SEQUENCES,
        .shortest = 1,
        .longest = 12,
        .features = 4,
        .kind = SAMPLE_PER_SEQUENCE,
        .classes = 3};
    job_write_sample("train.h5", &shape, 1);
    shape.sequences = VALID;
    job_write_sample("valid.h5", &shape, 2);
    shape.kind = SAMPLE_PER_FRAME;
    shape.classes = 0;
    shape.values = 2;
    job_write_sample("real.h5", &shape, 3);
    job_write_text("base.ini", base);
}

/* Extended regular expression for a whole line. */
static void assert_line(const char *line, const char *pattern)
{
    regex_t compiled;
    char whole[1024];
    snprintf(whole, sizeof whole, "^%s$", pattern);
    ck_assert_int_eq(regcomp(&compiled, whole, REG_EXTENDED | REG_NOSUB), 0);
    int outcome = regexec(&compiled, line, 0, NULL, 0);
    regfree(&compiled);
    ck_assert_msg(outcome == 0, "'%s' is not like '%s'", line, whole);
}

#define FIGURE "-?[0-9]+(\\.[0-9]+)?(e[-+][0-9]+)?"
#define HASH "[0-9a-f]{16}"

/* ---- asked for help, or wrongly ---- */

START_TEST(help_and_version_are_said_once)
{
    static const char *const asked[] = {"--help", "--version"};
    for (int i = 0; i < 2; i++)
        for (int ranks = 0; ranks <= 3; ranks += 3) {
            struct command_result result;
            job_run(&result, ranks, NULL, NULL, asked[i], NULL);
            job_expect(&result, 0);
            ck_assert_str_eq(result.errors, "");
            ck_assert_int_eq(job_count_lines(result.output, i ? "rnn-train " : "usage: rnn-train"), 1);
            command_result_finish(&result);
        }
}
END_TEST

/* The kernel tells who opens a file; openings that nothing parts would come as one. */
START_TEST(the_configuration_is_read_once)
{
    static const char *const asked[] = {NULL, "--check"};
    char events[4096] __attribute__((aligned(8)));
    struct command_result result;
    int watch = inotify_init1(IN_NONBLOCK), opened = 0;
    ck_assert(watch >= 0 && inotify_add_watch(watch, job_path("base.ini"), IN_OPEN | IN_CLOSE_NOWRITE) >= 0);
    job_run(&result, 0, "base.ini", "read-once", asked[_i], NULL);
    job_expect(&result, 0);
    command_result_finish(&result);
    for (ssize_t size; (size = read(watch, events, sizeof events)) > 0;)
        for (char *at = events; at < events + size;) {
            const struct inotify_event *event = (const void *)at;
            opened += (event->mask & IN_OPEN) != 0;
            at += sizeof *event + event->len;
        }
    close(watch);
    ck_assert_int_eq(opened, 1);
}
END_TEST

START_TEST(help_names_every_option_and_version_what_it_is_built_of)
{
    static const char *const options[] = {"-s, --set", "-o, --run", "--fresh", "--init", "--max-time",
        "--plan", "--check", "--try", "--progress", "--stop-exit-code", "-q, --quiet", "-v, --verbose",
        "--help", "--version"};
    struct command_result result;
    job_run(&result, 0, NULL, NULL, "--help", NULL);
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        ck_assert_msg(strstr(result.output, options[i]) != NULL, "no %s", options[i]);
    command_result_finish(&result);
    job_run(&result, 0, NULL, NULL, "--version", NULL);
    char *line = job_line(result.output, "", 1);
    assert_line(line,
        "rnn-train [0-9]+\\.[0-9]+\\.[0-9]+ \\(.*[0-9].*, HDF5 1\\.[0-9.]+, .+, instruction set [a-z0-9]+ of "
        ".+\\)");
    ck_assert_uint_eq(result.output_size, strlen(line) + 1);
    free(line);
    command_result_finish(&result);
}
END_TEST

static const struct {
    const char *words[2], *part;
} misuses[] = {
    {{"--frsh"}, "--frsh: unknown option"},
    {{"-x"}, "-x: unknown option"},
    {{"another.ini"}, "2 arguments where one is needed"},
    {{"--set", "lr"}, "SECTION.KEY=VALUE"},
    {{"--max-time", "soon"}, "--max-time soon: allowed is [DD-]HH:MM:SS"},
    {{"--max-time=0:0:0"}, "--max-time"},
    {{"--progress=loud"}, "--progress loud: allowed is auto, line or log"},
    {{"--stop-exit-code", "256"}, "a whole number from 0 to 255"},
    {{"--fresh=yes"}, "--fresh takes no value"},
    {{"--run="}, "--run"},
};
enum { MISUSES = sizeof misuses / sizeof *misuses };

START_TEST(a_misuse_exits_with_2_and_is_told_once)
{
    for (int ranks = 0; ranks <= (_i % 3 ? 0 : job_most_tellers(3)); ranks += 3) {
        struct command_result result;
        job_run(&result, ranks, "base.ini", NULL, misuses[_i].words[0], misuses[_i].words[1], NULL);
        job_expect(&result, 2);
        ck_assert_str_eq(result.output, "");
        job_complains(&result, 1, misuses[_i].part, NULL);
        command_result_finish(&result);
    }
}
END_TEST

START_TEST(without_a_configuration_the_usage_is_named)
{
    for (int ranks = 0; ranks <= job_most_tellers(3); ranks += 3) {
        struct command_result result;
        job_run(&result, ranks, NULL, NULL, NULL);
        job_expect(&result, 2);
        job_complains(&result, 1, "rnn-train [OPTION]... CONFIG", "--help", NULL);
        command_result_finish(&result);
    }
}
END_TEST

/* ---- what is printed ---- */

START_TEST(a_line_for_each_epoch_and_one_at_the_end_come_from_rank_0_alone)
{
    for (int ranks = 0; ranks <= 2; ranks += 2) {
        struct command_result result;
        char pattern[512], value[64], last[64];
        job_run(&result, ranks, "base.ini", "lines", "--fresh", NULL);
        job_expect(&result, 0);
        ck_assert_str_eq(result.errors, "");
        ck_assert_int_eq(job_count_lines(result.output, ""), EPOCHS + 1);
        for (int epoch = 1; epoch <= EPOCHS; epoch++) {
            char *line = job_line(result.output, "", epoch);
            snprintf(pattern, sizeof pattern,
                "epoch=%d step=%d loss=" FIGURE " error=" FIGURE " valid_loss=" FIGURE " valid_error=" FIGURE
                " gradient_norm=" FIGURE " clipped=" FIGURE " weights_hash=" HASH
                " slowest=[0-%d]@[^ ]+ wait=[01]\\.[0-9][0-9]",
                epoch, epoch * STEPS, ranks ? ranks - 1 : 0);
            assert_line(line, pattern);
            free(line);
        }
        char *line = job_line(result.output, "", EPOCHS + 1);
        snprintf(pattern, sizeof pattern,
            "finished: step=%d epoch=%d loss=" FIGURE " error=" FIGURE " best=" FIGURE
            " best_epoch=[1-3] best_error=" FIGURE " weights_hash=" HASH " seconds=" FIGURE
            " frames_per_second=" FIGURE " best_checkpoint=%s/best\\.h5 checkpoint=%s/checkpoint-%010d\\.h5",
            LAST, EPOCHS, job_path("lines"), job_path("lines"), LAST);
        assert_line(line, pattern);
        job_field(result.output, "epoch=3 ", "valid_loss", last);
        job_field(result.output, "finished: ", "loss", value);
        ck_assert_str_eq(value, last);
        job_field(result.output, "epoch=3 ", "valid_error", last);
        job_field(result.output, "finished: ", "error", value);
        ck_assert_str_eq(value, last);
        job_field(result.output, "finished: ", "best_epoch", value);
        snprintf(pattern, sizeof pattern, "epoch=%s ", value);
        job_field(result.output, pattern, "valid_error", last);
        job_field(result.output, "finished: ", "best_error", value);
        ck_assert_str_eq(value, last);
        job_field(result.output, pattern, "valid_loss", last);
        job_field(result.output, "finished: ", "best", value);
        ck_assert_str_eq(value, last);
        job_field(result.output, "epoch=3 ", "weights_hash", last);
        job_field(result.output, "finished: ", "weights_hash", value);
        ck_assert_str_eq(value, last);
        free(line);
        command_result_finish(&result);
    }
}
END_TEST

START_TEST(without_validation_the_last_line_tells_of_training)
{
    struct command_result result;
    char value[64], last[64];
    job_run(&result, 2, "base.ini", "bare", "-s", "data.valid=", NULL);
    job_expect(&result, 0);
    for (int i = 0; i < 2; i++) {
        ck_assert(!job_has_field(result.output, "epoch=3 ", i ? "valid_loss" : "valid_error"));
        job_field(result.output, "epoch=3 ", i ? "loss" : "error", last);
        job_field(result.output, "finished: ", i ? "loss" : "error", value);
        ck_assert_str_eq(value, last);
    }
    job_check_metrics("bare", EPOCHS, STEPS, 0);
    ck_assert(job_exists("bare/best.h5"));
    command_result_finish(&result);
}
END_TEST

START_TEST(without_classes_there_is_no_error)
{
    struct command_result result;
    job_run(&result, 2, "base.ini", "real", "-s", "data.train=real.h5", "-s", "data.valid=real.h5", "-s",
        "model.output=frame", "-s", "model.loss=mse", NULL);
    job_expect(&result, 0);
    ck_assert(!job_has_field(result.output, "epoch=1 ", "error"));
    ck_assert(!job_has_field(result.output, "epoch=1 ", "valid_error"));
    ck_assert(!job_has_field(result.output, "finished: ", "error"));
    ck_assert(!job_has_field(result.output, "finished: ", "best_error"));
    ck_assert_ptr_null(strstr(result.output, "nan"));
    size_t size;
    char *metrics = job_read("real/metrics.csv", &size);
    ck_assert_ptr_null(strstr(metrics, "nan"));
    free(metrics);
    command_result_finish(&result);
}
END_TEST

#define REPORT " *[0-9]+\\.[0-9]%  epoch [0-9]+  step [0-9]+  loss " FIGURE "  [0-9]+ frames/s  [-0-9:]+ left"

START_TEST(progress_as_a_log_is_a_line_for_each_report)
{
    struct command_result result;
    for (int ranks = 0; ranks <= 2; ranks += 2) {
        job_run(&result, ranks, "base.ini", "log", "--fresh", "--progress", ranks ? "auto" : "log", "-s",
            "report.every=0 seconds", NULL);
        job_expect(&result, 0);
        int lines = job_count_lines(result.output, "");
        ck_assert_int_eq(lines, LAST + EPOCHS + 1);
        for (int i = 1; i <= lines; i++) {
            char *line = job_line(result.output, "", i);
            if (strncmp(line, "epoch=", 6) != 0 && strncmp(line, "finished: ", 10) != 0)
                assert_line(line, REPORT);
            free(line);
        }
        ck_assert_ptr_nonnull(strstr(result.output, "100.0%  epoch 3  step 21  "));
        ck_assert(!strchr(result.output, '\r'));
        command_result_finish(&result);
    }
}
END_TEST

START_TEST(quiet_and_rare_reports_leave_the_lines_of_the_epochs_and_quieter_the_last)
{
    struct command_result result;
    job_run(&result, 2, "base.ini", "quiet", "-q", "-s", "report.every=0 seconds", NULL);
    job_expect(&result, 0);
    ck_assert_int_eq(job_count_lines(result.output, ""), EPOCHS + 1);
    command_result_finish(&result);
    job_run(&result, 2, "base.ini", "quieter", "-qq", "-s", "report.every=0 seconds", NULL);
    job_expect(&result, 0);
    ck_assert_int_eq(job_count_lines(result.output, ""), 1);
    ck_assert_int_eq(job_count_lines(result.output, "finished: "), 1);
    command_result_finish(&result);
    job_run(&result, 0, "base.ini", "rare", "-s", "report.every=5 hours", NULL);
    job_expect(&result, 0);
    ck_assert_int_eq(job_count_lines(result.output, ""), EPOCHS + 1);
    command_result_finish(&result);
}
END_TEST

/* Enough steps that some fall behind the fifth of a second between two updates. */
START_TEST(progress_as_a_line_is_written_over_and_wiped)
{
    struct command_result result;
    job_run(&result, 0, "base.ini", "line", "--progress", "line", "-s", "train.epochs=60", "-s",
        "model.hidden=48", NULL);
    job_expect(&result, 0);
    int lines = 0;
    for (const char *at = result.output; (at = strstr(at, "weights_hash=")); at++, lines++) {
        const char *line = at;
        while (line > result.output && !strchr("\r\n", line[-1]))
            line--;
        ck_assert(strncmp(line, "epoch=", 6) == 0 || strncmp(line, "finished: ", 10) == 0);
    }
    ck_assert_int_eq(lines, 61);
    command_result_finish(&result);
}
END_TEST

/* ---- what is left ---- */

START_TEST(a_finished_run_leaves_these_files_and_no_other)
{
    static const char *const files[] = {"config.ini", "metrics.csv", "status", "best.h5",
        "checkpoint-0000000014.h5", "checkpoint-0000000021.h5"};
    char hash[17], name[64];
    job_finish(hash, 2, "base.ini", "files", NULL);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        snprintf(name, sizeof name, "files/%s", files[i]);
        ck_assert_msg(job_exists(name), "%s is missing", name);
    }
    ck_assert_int_eq(job_count("files", ""), (int)(sizeof files / sizeof *files));
    char *status = job_read("files/status", NULL);
    ck_assert_msg(strncmp(status, "state=finished\nstep=21\nreason=\nrun=", 35) == 0, "%s", status);
    free(status);
    job_check_metrics("files", EPOCHS, STEPS, 1);
    job_finish(hash, 0, "base.ini", "one-kept", "-s", "checkpoint.keep=1", NULL);
    ck_assert_int_eq(job_count("one-kept", "checkpoint-"), 1);
    job_finish(
        hash, 0, "base.ini", "few", "-s", "checkpoint.every=10 steps", "-s", "checkpoint.keep=9", NULL);
    ck_assert_int_eq(
        job_count("few", "checkpoint-"), 4); /* 10, 20, 21 at the end, and 7 with the first best.h5 */
}
END_TEST

START_TEST(a_live_run_says_so)
{
    struct command_process process;
    struct command_result result;
    char value[256];
    job_start(&process, 2, "base.ini", "live", "-s", "train.epochs=1000000", NULL);
    ck_assert(command_await_output(&process, "epoch=1 ", 1, JOB_SECONDS));
    job_status("live", "state", value);
    ck_assert_str_eq(value, "running");
    char *lock = job_read("live/lock", NULL);
    static const char *const keys[] = {"heartbeat=", "host=", "process=", "job="};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        ck_assert_msg(job_count_lines(lock, keys[i]) == 1, "no %s in %s", keys[i], lock);
    free(lock);
    command_signal(&process, SIGUSR1);
    command_wait(&process, &result);
    job_expect(&result, 0);
    command_result_finish(&result);
    ck_assert(!job_exists("live/lock"));
}
END_TEST

START_TEST(the_run_directory_has_the_configurations_name_by_default)
{
    char hash[17];
    job_finish(hash, 0, "base.ini", NULL, NULL);
    job_check_metrics("runs/base", EPOCHS, STEPS, 1);
}
END_TEST

START_TEST(config_ini_is_complete_with_absolute_paths)
{
    char hash[17], again[17], line[600];
    job_finish(hash, 0, "base.ini", "complete", "-s", "train.lr=0.02", "-s", "model.dropout=0.25", NULL);
    char *text = job_read("complete/config.ini", NULL);
    snprintf(line, sizeof line, "train = %s\nvalid = %s\n", job_path("train.h5"), job_path("valid.h5"));
    static const char *const lines[] = {"[data]\n", "standardize = no\n", "cell = lstm\n", "dropout = 0.25\n",
        "lr = 0.02\n", "optimizer = adam\n", "[checkpoint]\n", "every = 1 epoch", "keep = 2\n"};
    ck_assert_msg(strstr(text, line) != NULL, "no '%s' in:\n%s", line, text);
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        ck_assert_msg(strstr(text, lines[i]) != NULL, "no '%s' in:\n%s", lines[i], text);
    free(text);
    job_copy("complete/config.ini", "again.ini");
    job_finish(again, 2, "again.ini", "again", NULL);
    ck_assert_str_eq(again, hash);
    ck_assert(job_same_file("again/config.ini", "complete/config.ini"));
}
END_TEST

/* Columns of a row of metrics.csv. */
enum { COLUMN_SEQUENCES = 3, COLUMN_FRAMES, COLUMN_LOSS, COLUMN_RATE = 7, COLUMNS = 13 };

static double column(const char *row, int number)
{
    while (number--)
        row = strchr(row, ',') + 1;
    return strtod(row, NULL);
}

START_TEST(each_epoch_has_every_sequence_and_frame_once)
{
    struct sample sample;
    char hash[17], beginning[64];
    job_finish(hash, 3, "base.ini", "sums", NULL);
    char *text = job_read("sums/metrics.csv", NULL);
    struct sample_shape shape = {.sequences = SEQUENCES,
        .shortest = 1,
        .longest = 12,
        .features = 4,
        .kind = SAMPLE_PER_SEQUENCE,
        .classes = 3};
    sample_init(&sample, &shape, 1);
    for (int epoch = 1; epoch <= EPOCHS; epoch++) {
        double sequences = 0, frames = 0;
        for (int step = (epoch - 1) * STEPS + 1; step <= epoch * STEPS; step++) {
            snprintf(beginning, sizeof beginning, "%d,%d,train,", step, epoch);
            char *row = job_line(text, beginning, 1);
            sequences += column(row, COLUMN_SEQUENCES);
            frames += column(row, COLUMN_FRAMES);
            ck_assert_double_eq(column(row, COLUMN_RATE), 0.01);
            free(row);
        }
        ck_assert_double_eq(sequences, SEQUENCES);
        ck_assert_double_eq(frames, (double)sample.frames);
        snprintf(beginning, sizeof beginning, "%d,%d,valid,", epoch * STEPS, epoch);
        char *row = job_line(text, beginning, 1);
        ck_assert_double_eq(column(row, COLUMN_SEQUENCES), VALID);
        free(row);
    }
    sample_finish(&sample);
    free(text);
}
END_TEST

START_TEST(best_is_the_checkpoint_of_the_best_epoch)
{
    struct command_result result;
    char best[64], value[64], beginning[64], name[64];
    int step = 0;
    job_run(&result, 2, "base.ini", "best", "-s", "train.epochs=12", "-s", "train.lr=0.1", "-s",
        "checkpoint.keep=100", NULL);
    job_expect(&result, 0);
    job_field(result.output, "finished: ", "best", best);
    for (int epoch = 12; epoch >= 1; epoch--) {
        snprintf(beginning, sizeof beginning, "epoch=%d ", epoch);
        job_field(result.output, beginning, "valid_loss", value);
        ck_assert_double_ge(strtod(value, NULL), strtod(best, NULL));
        if (strcmp(value, best) == 0)
            step = epoch * STEPS;
    }
    command_result_finish(&result);
    ck_assert_int_gt(step, 0);
    snprintf(name, sizeof name, "best/checkpoint-%010d.h5", step);
    command_call(&result, JOB_SECONDS, "h5diff", "--exclude-path", "/provenance", job_path(name),
        job_path("best/best.h5"), NULL);
    ck_assert_msg(result.status == 0 && !*result.output, "%s%s", result.output, result.errors);
    command_result_finish(&result);
}
END_TEST

START_TEST(patience_ends_a_run_that_gets_no_better)
{
    struct command_result result;
    char value[64];
    job_run(&result, 2, "base.ini", "patience", "-s", "train.lr=1e-30", "-s", "train.patience=2", "-s",
        "train.epochs=50", NULL);
    job_expect(&result, 0);
    job_field(result.output, "finished: ", "epoch", value);
    ck_assert_str_eq(value, "3"); /* the first is the best, two more are waited for */
    command_result_finish(&result);
    job_check_metrics("patience", 3, STEPS, 1);
}
END_TEST

START_TEST(checkpoints_are_read_by_the_tools_of_hdf5)
{
    static const char *const names[] = {"/model/rnn.weight_ih_l0 ", "/model/rnn.weight_hh_l1_reverse ",
        "/model/head.bias ", "/optimizer/exp_avg_sq/rnn.bias_hh_l0 ", "/progress ", "/provenance ", "/data ",
        "/config "};
    struct command_result result;
    char hash[17];
    job_finish(hash, 2, "base.ini", "tools", NULL);
    const char *path = job_path("tools/best.h5");
    command_call(&result, JOB_SECONDS, "h5ls", "-r", path, NULL);
    ck_assert_int_eq(result.status, 0);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        ck_assert_msg(
            job_count_lines(result.output, names[i]) == 1, "no %s in:\n%s", names[i], result.output);
    command_result_finish(&result);
    command_call(&result, JOB_SECONDS, "h5dump", "-H", path, NULL);
    ck_assert_msg(result.status == 0 && !*result.errors, "%s", result.errors);
    command_result_finish(&result);
    path = job_path("tools/checkpoint-0000000021.h5");
    command_call(&result, JOB_SECONDS, "h5dump", "-a", "/weights_hash", path, NULL);
    ck_assert_msg(strstr(result.output, hash) != NULL, "no %s in:\n%s", hash, result.output);
    command_result_finish(&result);
    char run[256]; /* which of the checkpoints are the run's own is known by this */
    job_status("tools", "run", run);
    ck_assert_uint_eq(strlen(run), 16);
    command_call(&result, JOB_SECONDS, "h5dump", "-d", "/provenance/run", path, NULL);
    ck_assert_msg(strstr(result.output, run) != NULL, "no %s in:\n%s", run, result.output);
    command_result_finish(&result);
}
END_TEST

/* ---- diverging ---- */

/* A rate at which the first update is finite and what it leads to is not. */
START_TEST(a_diverging_run_ends_with_its_own_code_and_saves_nothing_of_it)
{
    struct command_result result;
    char value[256];
    for (int ranks = 0; ranks <= 2; ranks += 2) {
        const char *run = ranks ? "diverged-2" : "diverged-1";
        job_run(&result, ranks, "base.ini", run, "-s", "train.lr=1e14", "-s", "model.cell=rnn-relu", "-s",
            "train.optimizer=sgd", "-s", "train.clip=0", "-s", "checkpoint.every=1 step", "-s",
            "checkpoint.keep=100", NULL);
        job_expect(&result, 76);
        job_complains(&result, 1, "step ", " of epoch 1", "train.lr", NULL);
        command_result_finish(&result);
        job_status(run, "state", value);
        ck_assert_str_eq(value, "diverged");
        job_status(run, "step", value);
        ck_assert_int_eq(job_metrics_rows(run), atoi(value));
        ck_assert_int_eq(job_count(run, "checkpoint-"), atoi(value));
        ck_assert_int_eq(job_count(run, "lock"), 0);
    }
}
END_TEST

static TCase *add_case(Suite *suite, const char *name)
{
    TCase *tests = tcase_create(name);
    tcase_add_unchecked_fixture(tests, write_data, NULL);
    tcase_set_timeout(tests, 150);
    suite_add_tcase(suite, tests);
    return tests;
}

int main(void)
{
    job_open();
    Suite *suite = suite_create("rnn-train");
    TCase *tests = add_case(suite, "options");
    tcase_add_test(tests, help_and_version_are_said_once);
    tcase_add_loop_test(tests, the_configuration_is_read_once, 0, 2);
    tcase_add_test(tests, help_names_every_option_and_version_what_it_is_built_of);
    tcase_add_loop_test(tests, a_misuse_exits_with_2_and_is_told_once, 0, MISUSES);
    tcase_add_test(tests, without_a_configuration_the_usage_is_named);
    tests = add_case(suite, "output");
    tcase_add_test(tests, a_line_for_each_epoch_and_one_at_the_end_come_from_rank_0_alone);
    tcase_add_test(tests, without_validation_the_last_line_tells_of_training);
    tcase_add_test(tests, without_classes_there_is_no_error);
    tcase_add_test(tests, progress_as_a_log_is_a_line_for_each_report);
    tcase_add_test(tests, quiet_and_rare_reports_leave_the_lines_of_the_epochs_and_quieter_the_last);
    tcase_add_test(tests, progress_as_a_line_is_written_over_and_wiped);
    tests = add_case(suite, "files");
    tcase_add_test(tests, a_finished_run_leaves_these_files_and_no_other);
    tcase_add_test(tests, a_live_run_says_so);
    tcase_add_test(tests, the_run_directory_has_the_configurations_name_by_default);
    tcase_add_test(tests, config_ini_is_complete_with_absolute_paths);
    tcase_add_test(tests, each_epoch_has_every_sequence_and_frame_once);
    tcase_add_test(tests, best_is_the_checkpoint_of_the_best_epoch);
    tcase_add_test(tests, patience_ends_a_run_that_gets_no_better);
    tcase_add_test(tests, checkpoints_are_read_by_the_tools_of_hdf5);
    tcase_add_test(tests, a_diverging_run_ends_with_its_own_code_and_saves_nothing_of_it);
    int outcome = suite_run(suite);
    job_close();
    return outcome;
}

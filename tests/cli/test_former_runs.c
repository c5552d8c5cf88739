/* Runs that a former version of the program began, and runs in folders of very long names. */
#include "support/job.h"
#include "support/suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- runs begun by former versions (tests/unit/checkpoints/README) ---- */

static const char beginning[] = "[data]\ntrain = kept/train.h5\n"
                                "[model]\noutput = frame\nlayers = 2\nhidden = 3,2\ndropout = 0.25\n";
static const char first[] = "cell = gru\nbidirectional = yes,no\nembedding = 3\n"
                            "[train]\nbatch = 4\nepochs = 4\nlr = 0.01\n";
static const char options[] = "bidirectional = no\nembedding = 2\ninput_layers = 3,2\noutput_layers = 4\n"
                              "transition_layers = 1\ninitial_state = learned\npeepholes = yes\n"
                              "recurrent_dropout = 0.125\n"
                              "[train]\nbatch = 4\nepochs = 4\nlr = 0.01\noptimizer = momentum\n"
                              "class_weights = 0.5,1,2.25,1\nlabel_smoothing = 0.0625\n";

static void copy_kept(const char *name, const char *to)
{
    struct command_result result;
    char path[1000];
    snprintf(path, sizeof path, "%s/%s", getenv("CHECKPOINTS"), name);
    command_call(&result, JOB_SECONDS, "cp", path, job_path(to), NULL);
    ck_assert_int_eq(result.status, 0);
    command_result_finish(&result);
}

static void make_folder(const char *path)
{
    struct command_result result;
    command_call(&result, JOB_SECONDS, "mkdir", "-p", path, NULL);
    ck_assert_int_eq(result.status, 0);
    command_result_finish(&result);
}

/* Makes a run directory "begun" of a kept checkpoint, and the configuration of its time: kept.ini. */
static void begin_kept(const char *checkpoint, int64_t step, const char *keys)
{
    char text[1000], name[60];
    make_folder(job_path("kept"));
    make_folder(job_path("begun"));
    copy_kept("train.h5", "kept/train.h5");
    snprintf(name, sizeof name, "begun/checkpoint-%010lld.h5", (long long)step);
    copy_kept(checkpoint, name);
    copy_kept("metrics.csv", "begun/metrics.csv");
    snprintf(text, sizeof text, "%s%s", beginning, keys);
    job_write_text("kept.ini", text);
}

static void remove_run(const char *run)
{
    struct command_result result;
    command_call(&result, JOB_SECONDS, "rm", "-r", job_path(run), NULL);
    ck_assert_int_eq(result.status, 0);
    command_result_finish(&result);
}

START_TEST(a_run_of_this_cut_goes_on_to_the_weights_of_no_interruption)
{
    char text[1000], name[40], hash[64], again[17];
    struct command_result result;
    snprintf(name, sizeof name, "version-%d.h5", _i);
    snprintf(text, sizeof text, "%smicrobatch = 2\n", options);
    begin_kept(name, 3, text);
    job_run(&result, 2, "kept.ini", "begun", NULL);
    job_expect(&result, 0);
    job_field(result.output, "finished:", "weights_hash", hash);
    /* The best.h5 of this run was not kept, which is warned of. */
    ck_assert_int_eq(job_count_lines(result.errors, "rnn-train: [rank 0 on"),
        strstr(result.errors, "best.h5: is missing") != NULL);
    job_check_metrics("begun", 4, 2, 0);
    command_result_finish(&result);
    job_finish(again, 1, "kept.ini", "alone", NULL);
    ck_assert_str_eq(again, hash);
    remove_run("begun");
    remove_run("alone");
}
END_TEST

/* Steps were cut otherwise before version 6, and would be added up to other bits: the run is refused, and all
 * that it left stays. Its weights begin another. */
START_TEST(a_run_of_another_cut_is_refused_and_begins_another)
{
    char text[1000], name[40], hash[17];
    struct command_result result;
    snprintf(name, sizeof name, "version-%d.h5", _i);
    snprintf(text, sizeof text, "%s%s = 2\n", _i == 1 ? first : options, _i < 4 ? "grain" : "microbatch");
    begin_kept(name, 3, text);
    job_copy("begun", "untouched");
    job_run(&result, 2, "kept.ini", "begun", NULL);
    job_expect(&result, 65);
    ck_assert_int_eq(strstr(result.errors, "train.grain is called train.microbatch now") != NULL, _i < 4);
    const char *line =
        strstr(result.errors, "begun/checkpoint-0000000003.h5: steps are cut into microbatches");
    ck_assert_msg(line != NULL, "%s", result.errors);
    ck_assert(strstr(line, "since 0.3.0") && strstr(line, "--fresh"));
    ck_assert(strstr(line, "-o DIR --init ") && strstr(line, "begun/checkpoint-0000000003.h5 to start"));
    ck_assert_int_eq(
        job_count_lines(result.errors, "rnn-train: [rank 0 on") - (_i < 4), 1); /* and nothing else */
    command_result_finish(&result);
    ck_assert(job_same_file("begun/checkpoint-0000000003.h5", "untouched/checkpoint-0000000003.h5"));
    ck_assert(job_same_file("begun/metrics.csv", "untouched/metrics.csv"));
    job_finish(hash, 2, "kept.ini", "other", "--init", job_path("begun/checkpoint-0000000003.h5"), NULL);
    job_check_metrics("other", 4, 2, 0);
    job_finish(hash, 1, "kept.ini", "begun", "--fresh", NULL);
    remove_run("begun");
    remove_run("untouched");
    remove_run("other");
}
END_TEST

START_TEST(a_finished_run_of_another_cut_says_so)
{
    char text[1000], hash[17];
    struct command_result result;
    snprintf(text, sizeof text, "%smicrobatch = 2\n", options);
    begin_kept("finished-5.h5", 4, text);
    job_finish(hash, 2, "kept.ini", "begun", "-s", "train.epochs=2", NULL);
    ck_assert_str_eq(hash, "d7713a922a57e924");
    job_run(&result, 2, "kept.ini", "begun", NULL); /* for four epochs */
    job_expect(&result, 65);
    job_complains(&result, 1, "begun/checkpoint-0000000004.h5: steps are cut into", "--init", NULL);
    command_result_finish(&result);
    remove_run("begun");
}
END_TEST

/* They know shapes, offsets and targets of the training set by one hash. With the epoch at hand beyond the
 * last it is no matter how steps are cut. */
START_TEST(a_run_of_a_former_version_is_refused_other_data)
{
    struct command_result result;
    struct sample_shape shape = {
        .sequences = 9, .shortest = 1, .longest = 9, .symbols = 8, .kind = SAMPLE_PER_FRAME, .classes = 4};
    char text[1000];
    snprintf(text, sizeof text, "%smicrobatch = 2\n", options);
    begin_kept("version-4.h5", 3, text);
    job_write_sample("kept/train.h5", &shape, 1);
    job_run(&result, 0, "kept.ini", "begun", "-s", "train.epochs=1", NULL);
    job_expect(&result, 65);
    job_complains(&result, 1,
        "kept/train.h5 is not the data this run was begun with (training set: shapes, offsets "
        "or targets differ)",
        "--accept-changed-data", NULL);
    command_result_finish(&result);
    remove_run("begun");
}
END_TEST

/* ---- long paths ---- */

START_TEST(a_path_of_1000_bytes_trains_and_resumes)
{
    struct sample_shape shape = {.sequences = 9,
        .shortest = 1,
        .longest = 9,
        .features = 2,
        .kind = SAMPLE_PER_SEQUENCE,
        .classes = 2};
    char folder[1100], path[1200], hash[17], again[17];
    snprintf(folder, sizeof folder, "%s", job_path("long"));
    while (strlen(folder) < 1000 - 8) {
        size_t n = strlen(folder), left = 1000 - 8 - n;
        snprintf(folder + n, sizeof folder - n, "/%.*s", (int)(left > 120 ? 100 : left - 1),
            "dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd"
            "dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd");
    }
    make_folder(folder);
    snprintf(path, sizeof path, "%s/data.h5", folder);
    ck_assert_uint_eq(strlen(path), 1000);
    job_write_sample(path, &shape, 1);
    snprintf(path, sizeof path, "%s/run.ini", folder);
    job_write_text(path,
        "[data]\ntrain = data.h5\n[model]\nhidden = 2\nlayers = 1\n"
        "[train]\nbatch = 3\nmicrobatch = 3\nepochs = 4\n");
    job_finish(hash, 1, path, "whole", NULL);
    snprintf(path, sizeof path, "%s/run", folder);
    const char *run = path;
    char config[1200];
    snprintf(config, sizeof config, "%s/run.ini", folder);
    job_finish(again, 1, config, run, "-s", "train.epochs=2", NULL);
    job_finish(again, 1, config, run, NULL);
    ck_assert_str_eq(again, hash);
    snprintf(config, sizeof config, "%s/run/config.ini", folder);
    job_finish(again, 1, config, NULL, NULL);
    ck_assert_str_eq(again, hash);
}
END_TEST

int main(void)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    job_open();
    Suite *suite = suite_create("former-runs");
    TCase *tests = tcase_create("former-runs");
    tcase_set_timeout(tests, 150);
    tcase_add_loop_test(tests, a_run_of_this_cut_goes_on_to_the_weights_of_no_interruption, 6, 7);
    tcase_add_loop_test(tests, a_run_of_another_cut_is_refused_and_begins_another, 1, 6);
    tcase_add_test(tests, a_finished_run_of_another_cut_says_so);
    tcase_add_test(tests, a_run_of_a_former_version_is_refused_other_data);
    tcase_add_test(tests, a_path_of_1000_bytes_trains_and_resumes);
    suite_add_tcase(suite, tests);
    int outcome = suite_run(suite);
    job_close();
    return outcome;
}

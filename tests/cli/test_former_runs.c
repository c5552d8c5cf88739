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

START_TEST(a_run_of_any_version_goes_on_to_the_weights_of_no_interruption)
{
    static const char *const undisturbed[] = {"eb8479d89a4d61be", "5331f94da375c699"};
    char text[1000], name[40], again[17];
    struct command_result result;
    make_folder(job_path("kept"));
    make_folder(job_path("begun"));
    snprintf(name, sizeof name, "version-%d.h5", _i);
    copy_kept("train.h5", "kept/train.h5");
    copy_kept(name, "begun/checkpoint-0000000003.h5");
    copy_kept("metrics.csv", "begun/metrics.csv");
    snprintf(text, sizeof text, "%s%s%s = 2\n", beginning, _i == 1 ? first : options,
        _i < 4 ? "grain" : "microbatch");
    job_write_text("kept.ini", text);
    job_run(&result, 2, "kept.ini", "begun", NULL);
    job_expect(&result, 0);
    char hash[64];
    job_field(result.output, "finished:", "weights_hash", hash);
    ck_assert_str_eq(hash, undisturbed[_i > 1]);
    ck_assert_int_eq(strstr(result.errors, "train.grain is called train.microbatch now") != NULL, _i < 4);
    /* The best.h5 of these runs was not kept, which is warned of. */
    ck_assert_int_eq(job_count_lines(result.errors, "rnn-train: [rank 0 on") -
            (strstr(result.errors, "train.grain is called") != NULL) -
            (strstr(result.errors, "best.h5: is missing") != NULL),
        _i < 5);
    ck_assert_int_eq(strstr(result.errors, "which knows shapes, offsets and targets") != NULL, _i < 5);
    job_check_metrics("begun", 4, 2, 0);
    command_result_finish(&result);
    job_finish(again, 1, "kept.ini", "alone", NULL);
    ck_assert_str_eq(again, undisturbed[_i > 1]);
    command_call(&result, JOB_SECONDS, "rm", "-r", job_path("begun"), job_path("alone"), NULL);
    command_result_finish(&result);
}
END_TEST

/* They know shapes, offsets and targets of the training set by one hash. */
START_TEST(a_run_of_a_former_version_is_refused_other_data)
{
    struct command_result result;
    struct sample_shape shape = {
        .sequences = 9, .shortest = 1, .longest = 9, .symbols = 8, .kind = SAMPLE_PER_FRAME, .classes = 4};
    char text[1000];
    make_folder(job_path("kept"));
    make_folder(job_path("begun"));
    job_write_sample("kept/train.h5", &shape, 1);
    copy_kept("version-4.h5", "begun/checkpoint-0000000003.h5");
    copy_kept("metrics.csv", "begun/metrics.csv");
    snprintf(text, sizeof text, "%s%smicrobatch = 2\n", beginning, options);
    job_write_text("kept.ini", text);
    job_run(&result, 0, "kept.ini", "begun", NULL);
    job_expect(&result, 65);
    job_complains(&result, 1,
        "kept/train.h5 is not the data this run was begun with (training set: shapes, offsets "
        "or targets differ)",
        "--accept-changed-data", NULL);
    command_result_finish(&result);
    command_call(&result, JOB_SECONDS, "rm", "-r", job_path("begun"), NULL);
    command_result_finish(&result);
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
    tcase_add_loop_test(tests, a_run_of_any_version_goes_on_to_the_weights_of_no_interruption, 1, 6);
    tcase_add_test(tests, a_run_of_a_former_version_is_refused_other_data);
    tcase_add_test(tests, a_path_of_1000_bytes_trains_and_resumes);
    suite_add_tcase(suite, tests);
    int outcome = suite_run(suite);
    job_close();
    return outcome;
}

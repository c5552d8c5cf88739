/* Jobs whose loss runs away: they end, skip the step or go back, as train.on_divergence says, with the same
 * bits on any number of ranks and after stops. */
#include "support/job.h"
#include "support/suite.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

static void write_configuration(const char *name, const char *data, const char *model, const char *train)
{
    char text[500];
    snprintf(text, sizeof text,
        "[data]\ntrain = %s\n[model]\noutput = frame\nloss = mse\nhidden = 6\nlayers = 1\n%s"
        "[train]\nbatch = 4\nmicrobatch = 1\nepochs = 3\n%s[checkpoint]\nevery = 3 steps\nkeep = 1\n",
        data, model, train);
    job_write_text(name, text);
}

/* Values of which one sequence's are so large that its loss is infinite in float, and what trains on them. */
static void write_data(void)
{
    struct sample_shape shape = {
        .sequences = 41, .shortest = 3, .longest = 9, .features = 3, .kind = SAMPLE_PER_FRAME, .values = 2};
    struct sample sample;
    sample_init(&sample, &shape, 4);
    sample_write(&sample, job_path("tame.h5"));
    for (int64_t i = sample.input_offsets[17] * 2; i < sample.input_offsets[18] * 2; i++)
        sample.values[i] = 3e38f;
    sample_write(&sample, job_path("wild.h5"));
    sample_finish(&sample);
    write_configuration("wild.ini", "wild.h5", "", "");
    write_configuration("skip.ini", "wild.h5", "", "on_divergence = skip\n");
    write_configuration("back.ini", "tame.h5", "cell = rnn-relu\n",
        "on_divergence = back\nback_factor = 1e-5\noptimizer = sgd\nlr = 1e4\nclip = 0\n");
}

/* A run of so many jobs as it takes, each of a second, to the hash that it ends with. */
static void finish_in_parts(char hash[static 17], const char *config, const char *run)
{
    struct command_result result;
    char value[64];
    for (int jobs = 0, status = 75; status == 75; jobs++) {
        ck_assert_int_lt(jobs, 60);
        job_run(&result, jobs % 5 == 2 ? 2 : 0, config, run, "--max-time", "00:00:01", "--stop-exit-code",
            "75", NULL);
        status = result.status;
        ck_assert_msg(status == 75 || status == 0, "%s", result.errors);
        if (status == 0)
            job_field(result.output, "finished: ", "weights_hash", value);
        command_result_finish(&result);
    }
    memcpy(hash, value, 17);
    job_check_metrics(run, 3, 11, 0);
}

START_TEST(a_step_that_diverges_is_skipped_with_the_same_bits_on_any_ranks_and_after_stops)
{
    struct command_result result;
    char want[64], hash[17];
    job_run(&result, 0, "wild.ini", "abort", NULL);
    job_expect(&result, 76);
    command_result_finish(&result);
    job_run(&result, 0, "skip.ini", "skip-1", NULL);
    job_expect(&result, 0);
    job_complains(&result, 3, "warning: ", "the step is skipped", NULL);
    job_field(result.output, "finished: ", "weights_hash", want);
    command_result_finish(&result);
    job_check_metrics("skip-1", 3, 11, 0);
    job_finish(hash, 3, "skip.ini", "skip-3", NULL);
    ck_assert_str_eq(hash, want);
    finish_in_parts(hash, "skip.ini", "skip-parts");
    ck_assert_str_eq(hash, want);
    /* A run that was ended may go on with another policy: as if so from the start. */
    job_finish(hash, 2, "skip.ini", "abort", NULL);
    ck_assert_str_eq(hash, want);
}
END_TEST

START_TEST(ten_skipped_steps_in_a_row_are_the_last)
{
    struct command_result result;
    job_run(&result, 2, "wild.ini", "ten", "-s", "train.on_divergence=skip", "-s", "train.batch=41", "-s",
        "train.epochs=20", NULL);
    job_expect(&result, 76);
    job_complains(&result, 11, "step 1 ", "the step is skipped", NULL);
    ck_assert_ptr_nonnull(strstr(result.errors, "after 10 skipped steps in a row: step 11 "));
    command_result_finish(&result);
}
END_TEST

/* A rate at which weights run away; one a hundred thousand times lower is fine. */
START_TEST(a_run_that_diverges_goes_back_with_the_same_bits_on_any_ranks_and_after_stops)
{
    struct command_result result;
    char want[64], hash[17];
    job_run(&result, 0, "back.ini", "back-1", NULL);
    job_expect(&result, 0);
    ck_assert_int_ge(job_count_lines(result.errors, "rnn-train:"), 1);
    ck_assert_ptr_nonnull(strstr(result.errors, ": going back to step 0, with rates times 1e-05"));
    job_field(result.output, "finished: ", "weights_hash", want);
    command_result_finish(&result);
    job_check_metrics("back-1", 3, 11, 0);
    job_finish(hash, 3, "back.ini", "back-3", NULL);
    ck_assert_str_eq(hash, want);
    finish_in_parts(hash, "back.ini", "back-parts");
    ck_assert_str_eq(hash, want);
}
END_TEST

START_TEST(a_run_that_goes_on_diverging_ends_after_going_back_five_times)
{
    struct command_result result;
    char value[256];
    job_run(&result, 2, "wild.ini", "five", "-s", "train.on_divergence=back", NULL);
    job_expect(&result, 76);
    job_complains(&result, 6, "warning: ", "going back to step ", NULL);
    ck_assert_ptr_nonnull(strstr(result.errors, "with rates times 0.03125"));
    ck_assert_ptr_nonnull(strstr(result.errors, "after going back 5 times: step "));
    job_status("five", "state", value);
    ck_assert_str_eq(value, "diverged");
    command_result_finish(&result);
}
END_TEST

/* The checkpoint with which the first job ended is none to go back to: no run of one job would have it. Nor
 * may it be continued from once the run went back behind it, since metrics.csv has fewer rows by then. */
START_TEST(a_run_that_went_back_behind_its_newest_checkpoint_goes_on)
{
    struct command_result result;
#define SET "-s", "data.train=tame.h5", "-s", "train.on_divergence=back", "-s", "checkpoint.every=5 steps"
    job_run(&result, 0, "wild.ini", "behind", SET, "-s", "train.epochs=1", NULL);
    job_expect(&result, 0);
    command_result_finish(&result);
    ck_assert(job_exists("behind/checkpoint-0000000011.h5"));
    job_run(&result, 2, "wild.ini", "behind", SET, "-s", "train.explode=1.001", NULL);
    job_expect(&result, 76);
    ck_assert_msg(strstr(result.errors, ": going back to step 10, ") != NULL, "%s", result.errors);
    command_result_finish(&result);
    ck_assert(!job_exists("behind/checkpoint-0000000011.h5"));
    job_run(&result, 3, "wild.ini", "behind", SET, NULL);
    job_expect(&result, 0);
    command_result_finish(&result);
    job_check_metrics("behind", 3, 11, 0);
#undef SET
}
END_TEST

/* The checkpoint of a run that was stopped before its validation is one to go back to where the policy was
 * another then: it is the validation that is made again. The weights are such that outputs of long sequences
 * run away. */
START_TEST(a_run_goes_back_to_before_a_validation)
{
    struct command_result result;
    struct sample_shape longer = {
        .sequences = 5, .shortest = 99, .longest = 99, .features = 3, .kind = SAMPLE_PER_FRAME, .values = 2};
    job_write_sample("longer.h5", &longer, 5);
#define SET                                                                                                  \
    "-s", "data.train=tame.h5", "-s", "data.valid=longer.h5", "-s", "train.batch=41", "-s",                  \
        "train.optimizer=sgd", "-s", "train.lr=1e4", "-s", "train.clip=0", "-s", "model.cell=rnn-relu"
    job_run(&result, 0, "wild.ini", "before", SET, "--max-time", "00:00:01", NULL);
    job_expect(&result, 0);
    ck_assert_int_eq(job_count_lines(result.output, "stopped: step=1 epoch=1 "), 1);
    command_result_finish(&result);
    job_run(&result, 2, "wild.ini", "before", SET, "-s", "train.on_divergence=back", NULL);
    job_expect(&result, 76);
    job_complains(&result, 2, "the validation loss is ", "going back to step 1, ", NULL);
    ck_assert_ptr_nonnull(strstr(result.errors,
        "after going back to step 1, from where it came to the same with the same weights: step 1 of epoch "
        "1: "
        "the validation"));
    command_result_finish(&result);
    ck_assert_int_eq(job_metrics_rows("before"), 1);
#undef SET
}
END_TEST

/* No rate has had a part in what goes wrong in the first step, and going back only repeats it. */
START_TEST(a_first_step_that_diverges_advises_to_look_at_the_data)
{
    struct command_result result;
#define SET "-s", "train.batch=41", "-s"
    job_run(&result, 2, "wild.ini", "first", SET, "train.on_divergence=abort", NULL);
    job_expect(&result, 76);
    job_complains(&result, 1, "step 1 of epoch 1: the ",
        "the weights are those of the start, so a smaller train.lr "
        "does not help: 'rnn-data info ",
        "/wild.h5' shows", NULL);
    ck_assert_ptr_null(strstr(result.errors, "may help"));
    command_result_finish(&result);
    job_run(&result, 2, "wild.ini", "again", SET, "train.on_divergence=back", NULL);
    job_expect(&result, 76);
    job_complains(&result, 2, "step 1 of epoch 1: the ", "going back to step 0", NULL);
    ck_assert_ptr_nonnull(
        strstr(result.errors, "after going back to step 0, from where it came to the same"));
    ck_assert_ptr_nonnull(strstr(result.errors, "so a smaller train.lr does not help"));
    command_result_finish(&result);
#undef SET
}
END_TEST

START_TEST(a_loss_far_above_the_mean_of_the_epoch_is_divergence)
{
    struct command_result result;
    job_run(&result, 2, "wild.ini", "explode", "-s", "data.train=tame.h5", "-s", "train.optimizer=sgd", "-s",
        "train.lr=300", "-s", "train.clip=0", "-s", "train.explode=8", NULL);
    job_expect(&result, 76);
    job_complains(&result, 1, "more than train.explode = 8 times the mean", NULL);
    command_result_finish(&result);
}
END_TEST

int main(void)
{
    job_open();
    Suite *suite = suite_create("divergence");
    TCase *tests = tcase_create("divergence");
    tcase_add_unchecked_fixture(tests, write_data, NULL);
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, a_step_that_diverges_is_skipped_with_the_same_bits_on_any_ranks_and_after_stops);
    tcase_add_test(tests, ten_skipped_steps_in_a_row_are_the_last);
    tcase_add_test(tests, a_run_that_diverges_goes_back_with_the_same_bits_on_any_ranks_and_after_stops);
    tcase_add_test(tests, a_run_that_goes_on_diverging_ends_after_going_back_five_times);
    tcase_add_test(tests, a_run_that_went_back_behind_its_newest_checkpoint_goes_on);
    tcase_add_test(tests, a_run_goes_back_to_before_a_validation);
    tcase_add_test(tests, a_first_step_that_diverges_advises_to_look_at_the_data);
    tcase_add_test(tests, a_loss_far_above_the_mean_of_the_epoch_is_divergence);
    suite_add_tcase(suite, tests);
    int outcome = suite_run(suite);
    job_close();
    return outcome;
}

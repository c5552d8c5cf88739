/* How a run begins and ends, in this process: what must not be lost, and what must not pass for success. */
#include "base/clock.h"
#include "mpi/trial.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const char *const nothing[] = {NULL};

START_TEST(fresh_that_cannot_start_leaves_the_old_run_alone)
{
    static const char *const missing[] = {"data.train=/nowhere/train.h5", NULL};
    struct trial trial;
    mpi_assert(trial_make("old", nothing) == 0);
    trial_begin(&trial, "old", missing);
    trial.options.fresh = 1;
    mpi_assert(trial_end(&trial) == EXIT_CODE_IO);
    trial_begin(&trial, "old", nothing);
    trial.options.fresh = 1;
    trial.options.init = "/nowhere/best.h5";
    mpi_assert(trial_end(&trial) == EXIT_CODE_IO);
    mpi_assert(trial_exists("old/checkpoint-0000000006.h5") && trial_exists("old/best.h5") &&
        trial_exists("old/config.ini"));
    trial_remove("old");
}
END_TEST

/* net_backward as the runs of this program call it (meson.build has the linker put it in between): the last
 * rank's `poisoned`th gradient from now on is not a number. */
void __real_net_backward(
    struct net *net, const struct net_pass *pass, const struct microbatch *microbatch, float *gradient);
void __wrap_net_backward(
    struct net *net, const struct net_pass *pass, const struct microbatch *microbatch, float *gradient);

static int poisoned;
static struct limits *hurried; /* of a run whose checkpoints by the clock are due in each step */

void __wrap_net_backward(
    struct net *net, const struct net_pass *pass, const struct microbatch *microbatch, float *gradient)
{
    __real_net_backward(net, pass, microbatch, gradient);
    if (mpi_suite_comm()->rank == mpi_suite_comm()->ranks - 1 && poisoned-- == 1)
        gradient[3] = NAN;
    if (hurried)
        hurried->saved = clock_now() - 100;
}

/* Which gradient of the last rank is in one of the steps 2 to 6: alone it makes four in a step. */
static int choose_poisoned(void)
{
    return mpi_suite_comm()->ranks == 1 ? 6 : 4;
}

/* The runs have a checkpoint of every step. */
START_TEST(a_gradient_that_is_no_number_on_one_rank_never_reaches_a_checkpoint)
{
    static const char *const policies[] = {
        "train.on_divergence=abort", "train.on_divergence=skip", "train.on_divergence=back"};
    const char *const set[] = {
        policies[_i], "checkpoint.every=1 step", "checkpoint.keep=100", "train.microbatch=1", NULL};
    mpi_assert(trial_make("clean", set) == 0);
    poisoned = choose_poisoned();
    mpi_assert(trial_make("poisoned", set) == (_i == 0 ? EXIT_CODE_DIVERGED : EXIT_CODE_OK));
    mpi_assert(trial_exists("poisoned/checkpoint-0000000006.h5") == (_i > 0));
    for (int64_t step = 0; mpi_suite_comm()->rank == 0 && step <= 6; step++) {
        struct checkpoint checkpoint;
        struct error error;
        struct own own = {.directory = trial_path("poisoned")};
        checkpoint_init(&checkpoint);
        int found = rundir_load_step(&own, step, &checkpoint, &error), finite = 1;
        for (size_t i = 0; i < checkpoint.count; i++)
            finite &= isfinite(checkpoint.weights[i]);
        ck_assert(found >= 0 && finite);
        if (found && step == 6) {
            ck_assert_int_eq(checkpoint.optim.step, _i == 1 ? 5 : 6);
            ck_assert(checkpoint.optim.reduction == (_i == 2 ? 0.5 : 1));
            ck_assert_int_eq(checkpoint.progress.backs, _i == 2);
        }
        checkpoint_finish(&checkpoint);
    }
    trial_remove("clean");
    trial_remove("poisoned");
}
END_TEST

/* Trains a run whose gradient is no number once, and returns the hash of its last weights. */
static uint64_t go_back_once(const char *name, const char *every)
{
    const char *const set[] = {every, "train.on_divergence=back", "train.microbatch=1", NULL};
    struct trial trial;
    struct checkpoint checkpoint;
    struct error error;
    trial_begin(&trial, name, set);
    poisoned = choose_poisoned();
    hurried = &trial.run.limits;
    mpi_assert(trial_end(&trial) == 0);
    hurried = NULL;
    uint64_t hash = 0;
    if (mpi_suite_comm()->rank == 0) {
        checkpoint_init(&checkpoint);
        ck_assert_int_eq(
            rundir_load_step(&(struct own){.directory = trial_path(name)}, 6, &checkpoint, &error), 1);
        ck_assert_int_eq(checkpoint.progress.backs, 1);
        hash = checkpoint.weights_hash;
        checkpoint_finish(&checkpoint);
    }
    trial_remove(name);
    return hash;
}

/* What the clock has saved is none to go back to, or the weights would depend on it. */
START_TEST(a_run_goes_back_to_the_same_step_whatever_the_clock_says)
{
    mpi_assert(go_back_once("by-epochs", "checkpoint.every=1000 epochs") ==
        go_back_once("by-minutes", "checkpoint.every=1000 epochs, 1 minutes"));
    mpi_assert(go_back_once("by-minutes", "checkpoint.every=1 minutes") ==
        go_back_once("by-epochs", "checkpoint.every=1000 epochs"));
}
END_TEST

START_TEST(fresh_may_begin_with_the_weights_of_the_run_it_removes)
{
    struct trial trial;
    char best[TRIAL_PATH];
    snprintf(best, sizeof best, "%s", trial_path("old/best.h5"));
    mpi_assert(trial_make("old", nothing) == 0);
    static const char *const one[] = {"train.epochs=1", NULL};
    trial_begin(&trial, "old", one);
    trial.options.fresh = 1;
    trial.options.init = best;
    mpi_assert(trial_end(&trial) == 0);
    mpi_assert(trial_exists("old/checkpoint-0000000003.h5") && !trial_exists("old/checkpoint-0000000006.h5"));
    trial_remove("old");
}
END_TEST

START_TEST(a_validation_loss_that_is_no_number_ends_the_run_unsaved)
{
    static const char *const wild[] = {"model.cell=rnn-relu", "train.optimizer=sgd", "train.clip=0",
        "train.lr=1e15", "train.batch=100", "train.epochs=1", NULL};
    mpi_assert(trial_make("wild", wild) == EXIT_CODE_DIVERGED);
    mpi_assert(trial_exists("wild/metrics.csv") && !trial_exists("wild/checkpoint-0000000001.h5"));
    trial_remove("wild");
}
END_TEST

START_TEST(weights_that_are_infinite_end_the_run_unsaved)
{
    static const struct sample_shape shape = {
        .sequences = 4, .shortest = 3, .longest = 9, .features = 3, .kind = SAMPLE_PER_FRAME, .values = 2};
    static const char *const wild[] = {"data.valid=", "train.optimizer=sgd", "train.clip=0", "train.lr=1e15",
        "train.batch=100", "train.epochs=1", NULL};
    char large[TRIAL_PATH + 16];
    const char *set[sizeof wild / sizeof *wild + 1] = {large};
    memcpy(set + 1, wild, sizeof wild);
    trial_write_sample("large.h5", &shape, 3, 1e25f);
    snprintf(large, sizeof large, "data.train=%s", trial_path("large.h5"));
    mpi_assert(trial_make("wild", set) == EXIT_CODE_DIVERGED);
    mpi_assert(trial_exists("wild/metrics.csv") && !trial_exists("wild/checkpoint-0000000001.h5"));
    trial_remove("wild");
}
END_TEST

START_TEST(ranks_with_other_options_or_data_are_refused)
{
    static const struct sample_shape shape = {
        .sequences = 11, .shortest = 2, .longest = 9, .features = 3, .kind = SAMPLE_PER_FRAME, .values = 2};
    char other[TRIAL_PATH + 16];
    const char *const sets[][2] = {{"train.batch=5", NULL}, {"data.valid=", NULL}, {other, NULL}};
    int last = mpi_suite_comm()->rank == mpi_suite_comm()->ranks - 1 && mpi_suite_comm()->ranks > 1;
    trial_write_sample("other.h5", &shape, 4, 1);
    snprintf(other, sizeof other, "data.train=%s", trial_path("other.h5"));
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++)
        mpi_assert(trial_make("mixed", last ? sets[i] : nothing) ==
            (mpi_suite_comm()->ranks > 1 ? EXIT_CODE_DATA : EXIT_CODE_OK));
    mpi_assert(!trial_exists("mixed/config.ini") || mpi_suite_comm()->ranks == 1);
    trial_remove("mixed");
}
END_TEST

START_TEST(both_sets_together_keep_to_the_cache)
{
    static const size_t caches[] = {0, 100, 1001, 1 << 20};
    for (size_t i = 0; i < sizeof caches / sizeof *caches; i++) {
        struct trial trial;
        char cache[64];
        snprintf(cache, sizeof cache, "data.cache=%zu bytes", caches[i]);
        const char *const set[] = {cache, NULL};
        trial_open(&trial, "cache", set);
        const struct dataset *train = trial.run.sets.train, *valid = trial.run.sets.valid;
        size_t of_train = train->kept_inputs ? (size_t)train->frames * 5 * sizeof(float) : train->cache;
        mpi_assert(of_train + valid->cache == caches[i]);
        mpi_assert(!train->kept_inputs == (caches[i] < 1 << 20));
        trial_close(&trial);
        trial_remove("cache");
    }
}
END_TEST

/* The sequence at fault is one rank's alone. */
START_TEST(a_value_found_wrong_while_training_ends_the_run_in_order)
{
    static const struct sample_shape shape = {
        .sequences = 11, .shortest = 3, .longest = 9, .features = 3, .kind = SAMPLE_PER_FRAME, .values = 2};
    char bad[TRIAL_PATH + 16], state[64] = "";
    const char *const set[] = {bad, "data.cache=0", "train.microbatch=1", NULL};
    if (mpi_suite_comm()->rank == 0) {
        struct sample sample;
        sample_init(&sample, &shape, 5);
        sample.inputs[sample.input_offsets[_i] * 3] = NAN;
        sample_write(&sample, trial_path("bad.h5"));
        sample_finish(&sample);
    }
    snprintf(bad, sizeof bad, "data.train=%s", trial_path("bad.h5"));
    mpi_assert(trial_make("bad", set) == EXIT_CODE_DATA);
    mpi_assert(trial_exists("bad/config.ini") && !trial_exists("bad/lock"));
    FILE *status = fopen(trial_path("bad/status"), "r");
    mpi_assert(status && fgets(state, sizeof state, status) && fclose(status) == 0);
    mpi_assert(strcmp(state, "state=failed\n") == 0);
    trial_remove("bad");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("run");
    TCase *cases = tcase_create("run");
    tcase_add_unchecked_fixture(cases, trial_make_folder, trial_remove_folder);
    tcase_add_test(cases, fresh_that_cannot_start_leaves_the_old_run_alone);
    tcase_add_loop_test(cases, a_gradient_that_is_no_number_on_one_rank_never_reaches_a_checkpoint, 0, 3);
    tcase_add_test(cases, a_run_goes_back_to_the_same_step_whatever_the_clock_says);
    tcase_add_test(cases, fresh_may_begin_with_the_weights_of_the_run_it_removes);
    tcase_add_test(cases, a_validation_loss_that_is_no_number_ends_the_run_unsaved);
    tcase_add_test(cases, weights_that_are_infinite_end_the_run_unsaved);
    tcase_add_test(cases, ranks_with_other_options_or_data_are_refused);
    tcase_add_test(cases, both_sets_together_keep_to_the_cache);
    tcase_add_loop_test(cases, a_value_found_wrong_while_training_ends_the_run_in_order, 0, 11);
    suite_add_tcase(suite, cases);
    return mpi_suite_run(suite, "test_run", 110);
}

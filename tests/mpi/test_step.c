/* Steps and validations as a run makes them: what they leave alone, what breaks them off, and what noise
 * does. */
#include "base/clock.h"
#include "base/random.h"
#include "mpi/trial.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const nothing[] = {NULL};

START_TEST(a_flipped_bit_is_found_before_it_spreads_or_is_saved)
{
    struct trial trial;
    struct error error;
    struct outcome outcome;
    int last = mpi_suite_comm()->ranks - 1;
    char name[32];
    snprintf(name, sizeof name, "rank %d on", last);
    trial_open(&trial, "flipped", nothing);
    mpi_assert(run_step(&trial.run, &outcome, &error) == 0);
    /* In the last of the blocks that the last rank of the node looks after. */
    if (mpi_suite_comm()->rank == last)
        ((unsigned char *)(trial.run.learner.weights + trial.run.learner.P))[-17] ^= 4;
    node_meet(&trial.run.learner.node);
    mpi_assert(run_save(&trial.run, 1, 0, 1, &error) != 0);
    mpi_assert(error.code == EXIT_CODE_REPLICAS && (mpi_suite_comm()->rank || strstr(error.text, name)));
    mpi_assert(run_step(&trial.run, &outcome, &error) != 0);
    mpi_assert(error.code == EXIT_CODE_REPLICAS && (mpi_suite_comm()->rank || strstr(error.text, name)));
    mpi_assert(!trial_exists("flipped/checkpoint-0000000001.h5"));
    trial_close(&trial);
    trial_remove("flipped");
}
END_TEST

/* Sequences s of s % 3 < `empty` have no class but -1. */
static void write_untargeted(const char *name, int64_t empty)
{
    static const struct sample_shape shape = {
        .sequences = 9, .shortest = 3, .longest = 9, .features = 3, .kind = SAMPLE_PER_FRAME, .classes = 4};
    if (mpi_suite_comm()->rank == 0) {
        struct sample sample;
        sample_init(&sample, &shape, 6);
        for (int64_t s = 0; s < shape.sequences; s++)
            for (int64_t n = sample.input_offsets[s]; n < sample.input_offsets[s + 1]; n++)
                sample.classes[n] = s % 3 < empty ? -1 : sample.classes[n];
        sample_write(&sample, trial_path(name));
        sample_finish(&sample);
    }
    comm_barrier(mpi_suite_comm());
}

/* Each step has one sequence, so that three of nine steps count nothing. */
START_TEST(a_step_in_which_nothing_counts_leaves_the_weights)
{
    static char train[TRIAL_PATH + 16];
    const char *const set[] = {train, "data.valid=", "model.loss=softmax", "train.batch=1",
        "train.microbatch=1", "train.epochs=1", NULL};
    struct trial trial;
    struct error error;
    int empty = 0;
    write_untargeted("some.h5", 1);
    snprintf(train, sizeof train, "data.train=%s", trial_path("some.h5"));
    trial_open(&trial, "some", set);
    for (int64_t step = 1; step <= 9; step++) {
        struct outcome outcome;
        int64_t updates = trial.run.learner.state.step;
        uint64_t hash = learner_hash_weights(&trial.run.learner);
        mpi_assert(run_step(&trial.run, &outcome, &error) == 0);
        int none = isnan(outcome.loss);
        mpi_assert(none == (trial.run.feed.now.plan.sequence[0] % 3 == 0) && trial.run.progress.step == step);
        mpi_assert(trial.run.learner.state.step == updates + !none &&
            (learner_hash_weights(&trial.run.learner) == hash) == none);
        mpi_assert(!none || (outcome.gradient_norm == 0 && isnan(outcome.error)));
        mpi_assert(outcome.learning_rate == 0.001);
        empty += none;
    }
    mpi_assert(empty == 3 && isfinite(trial.run.progress.epoch_loss));
    mpi_assert(trial.run.progress.epoch_counted == trial.run.progress.epoch_labels);
    trial_close(&trial);
    mpi_assert(trial_make("whole", set) == 0);
    trial_remove("some");
    trial_remove("whole");
}
END_TEST

START_TEST(a_set_in_which_nothing_counts_is_refused_after_an_epoch)
{
    static char train[TRIAL_PATH + 16], valid[TRIAL_PATH + 16];
    const char *const set[] = {train, valid, "model.loss=softmax", "train.epochs=1", NULL};
    write_untargeted("all.h5", 3);
    write_untargeted("none.h5", 0);
    for (int i = 0; i < 2; i++) {
        snprintf(train, sizeof train, "data.train=%s", trial_path(i ? "all.h5" : "none.h5"));
        snprintf(valid, sizeof valid, "data.valid=%s", trial_path(i ? "none.h5" : "all.h5"));
        mpi_assert(trial_make("all", set) == EXIT_CODE_DATA);
        mpi_assert(!trial_exists("all/best.h5"));
        trial_remove("all");
    }
}
END_TEST

/* Steps of a run under these overrides, from the newest checkpoint on; the hash of the weights then. */
static uint64_t run_steps(const char *name, const char *const *set, int steps, struct outcome *valid)
{
    struct trial trial;
    struct error error;
    enum stop_reason stop;
    trial_open(&trial, name, set);
    for (int i = 0; i < steps; i++) {
        struct outcome outcome;
        mpi_assert(run_step(&trial.run, &outcome, &error) == 0);
    }
    mpi_assert(run_validate(&trial.run, valid, &stop, &error) == 0 && stop == STOP_NOT);
    mpi_assert(run_save(&trial.run, 1, 0, 1, &error) == 0);
    uint64_t hash = learner_hash_weights(&trial.run.learner);
    trial_close(&trial);
    return hash;
}

/* One that was put off, and so comes before any step, is not broken off by time: its trial would get nowhere.
 */
START_TEST(a_validation_is_broken_off_where_time_is_short_but_not_before_a_step)
{
    static const char *const small[] = {"train.batch=1", "train.microbatch=1", NULL};
    struct trial trial;
    struct error error;
    struct outcome valid;
    enum stop_reason stop;
    trial_open(&trial, "late", small);
    trial.run.limits.deadline = clock_now() - 1;
    mpi_assert(run_validate(&trial.run, &valid, &stop, &error) == 0 && stop == STOP_NOT);
    mpi_assert(valid.sequences == trial.run.sets.valid->sequences && valid.loss > 0);
    trial.run.limits.longest_step = 1e-6;
    mpi_assert(run_validate(&trial.run, &valid, &stop, &error) == 0 && stop == STOP_TIME);
    mpi_assert(valid.sequences == 0);
    stop = STOP_NOT;
    trial.run.limits.deadline = clock_now() + 1000;
    mpi_assert(run_validate(&trial.run, &valid, &stop, &error) == 0 && stop == STOP_NOT);
    trial_close(&trial);
    trial_remove("late");
}
END_TEST

/* Only one rank was asked to: the others hear it from the ballot. Where each rank is a node, with two layers,
 * they have begun to send the gradient of the second one. */
START_TEST(a_step_that_one_rank_leaves_undone_has_not_been_for_any)
{
    static const char *const layers[] = {"model.layers=2", "model.hidden=40", "train.microbatch=1", NULL};
    const char *const *set = _i ? layers : nothing;
    if (_i)
        setenv("RNN_RANKS_PER_NODE", "1", 1);
    static volatile sig_atomic_t asked = 1;
    const int is_asked = mpi_suite_comm()->rank == 0;
    struct trial trial;
    struct error error;
    struct outcome outcome;
    uint64_t want = run_steps("undisturbed", set, 2, &outcome);
    trial_open(&trial, "left", set);
    struct run *run = &trial.run;
    mpi_assert(run_step(run, &outcome, &error) == 0 && !outcome.left && !run->saved);
    const struct progress before = run->progress;
    uint64_t hash = learner_hash_weights(&run->learner);
    run->learner.stop = is_asked ? &asked : NULL;
    mpi_assert(run_step(run, &outcome, &error) == 0 && outcome.left && run->learner.ballot.left);
    mpi_assert(
        memcmp(&before, &run->progress, sizeof before) == 0 && learner_hash_weights(&run->learner) == hash);
    mpi_assert(run_save(run, 1, 0, 0, &error) == 0 && run->saved);
    trial_close(&trial);
    mpi_assert(run_steps("left", set, 1, &outcome) == want);
    trial_remove("left");
    trial_remove("undisturbed");
    unsetenv("RNN_RANKS_PER_NODE");
}
END_TEST

START_TEST(noise_of_the_weights_is_gone_after_the_step_and_the_same_after_a_stop)
{
    static const char *const noisy[] = {"train.weight_noise=0.3", NULL};
    struct outcome valid, again, clean;
    uint64_t whole = run_steps("whole", noisy, 3, &valid);
    uint64_t part = run_steps("parts", noisy, 1, &again);
    mpi_assert(part != whole && run_steps("parts", noisy, 2, &again) == whole);
    mpi_assert(again.loss == valid.loss);
    /* The checkpoint holds clean weights: validated without noise they have the same loss. */
    mpi_assert(run_steps("plain", nothing, 3, &clean) != whole && clean.loss != valid.loss);
    mpi_assert(run_steps("parts", noisy, 0, &again) == whole && again.loss == valid.loss);
    trial_remove("whole");
    trial_remove("parts");
    trial_remove("plain");
}
END_TEST

/* Of sgd with rate 1 an update is the gradient, here that of the weights with noise, worked out apart. */
START_TEST(the_gradient_is_that_of_the_weights_with_noise)
{
    static const char *const set[] = {"train.weight_noise=0.2", "train.optimizer=sgd", "train.lr=1",
        "train.clip=0", "train.batch=4", "train.microbatch=4", NULL};
    static const char *const plain[] = {
        "train.optimizer=sgd", "train.lr=1", "train.clip=0", "train.batch=4", "train.microbatch=4", NULL};
    struct trial trial, other;
    struct error error;
    struct outcome outcome;
    trial_open(&trial, "gradient", set);
    struct learner *learner = &trial.run.learner;
    size_t P = learner->P;
    float *before = calloc(P, sizeof *before), *noisy = calloc(P, sizeof *noisy);
    memcpy(before, learner->weights, P * sizeof *before);
    for (size_t i = 0; i < P; i++) {
        double n = random_normal(trial.config.train.seed, RANDOM_WEIGHT_NOISE, 1, i);
        noisy[i] = (float)((double)before[i] + 0.2 * n);
    }
    mpi_assert(run_step(&trial.run, &outcome, &error) == 0);
    double first = outcome.loss;
    /* The same step from the weights with noise, and without noise, has the same loss and gradient. */
    trial_open(&other, "other", plain);
    memcpy(other.run.learner.weights, noisy, P * sizeof *noisy);
    learner_take_weights(&other.run.learner);
    mpi_assert(run_step(&other.run, &outcome, &error) == 0);
    mpi_assert(outcome.loss == first);
    for (size_t i = 0; i < P; i++) {
        double moved = (double)learner->weights[i] - (double)before[i];
        double expected = (double)other.run.learner.weights[i] - (double)noisy[i];
        mpi_assert(fabs(moved - expected) < 1e-6);
    }
    free(before);
    free(noisy);
    trial_close(&trial);
    trial_close(&other);
    trial_remove("gradient");
    trial_remove("other");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("step");
    TCase *cases = tcase_create("step");
    tcase_add_unchecked_fixture(cases, trial_make_folder, trial_remove_folder);
    tcase_add_test(cases, a_flipped_bit_is_found_before_it_spreads_or_is_saved);
    tcase_add_test(cases, a_step_in_which_nothing_counts_leaves_the_weights);
    tcase_add_test(cases, a_set_in_which_nothing_counts_is_refused_after_an_epoch);
    tcase_add_test(cases, a_validation_is_broken_off_where_time_is_short_but_not_before_a_step);
    tcase_add_loop_test(cases, a_step_that_one_rank_leaves_undone_has_not_been_for_any, 0, 2);
    tcase_add_test(cases, noise_of_the_weights_is_gone_after_the_step_and_the_same_after_a_stop);
    tcase_add_test(cases, the_gradient_is_that_of_the_weights_with_noise);
    suite_add_tcase(suite, cases);
    return mpi_suite_run(suite, "test_step", 110);
}

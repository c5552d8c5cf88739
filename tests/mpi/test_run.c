/* How a run begins and ends, in this process: what must not be lost, and what must not pass for success. */
#include "base/clock.h"
#include "base/random.h"
#include "run/run.h"
#include "support/mpi_suite.h"
#include "support/sample.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATH_ROOM = 512 };

static char folder[PATH_ROOM]; /* Check hands its tests no context */

static const char *path_of(const char *name)
{
    static char path[2 * PATH_ROOM];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

/* Rank 0 writes, the others wait for it. */
static void write_sample(const char *name, const struct sample_shape *shape, uint64_t seed, float factor)
{
    if (mpi_suite_comm()->rank == 0) {
        struct sample sample;
        sample_init(&sample, shape, seed);
        for (int64_t i = 0; sample.values && i < sample.targets * (int64_t)shape->values; i++)
            sample.values[i] *= factor;
        sample_write(&sample, path_of(name));
        sample_finish(&sample);
    }
    comm_barrier(mpi_suite_comm());
}

static void write_config(void)
{
    static const char text[] = "[data]\ntrain = train.h5\nvalid = valid.h5\n"
                               "[model]\noutput = frame\nloss = mse\nlayers = 1\nhidden = 5\n"
                               "[train]\nbatch = 4\nmicrobatch = 2\nepochs = 2\n";
    if (mpi_suite_comm()->rank == 0) {
        FILE *file = fopen(path_of("run.ini"), "w");
        ck_assert_ptr_nonnull(file);
        fputs(text, file);
        ck_assert_int_eq(fclose(file), 0);
    }
    comm_barrier(mpi_suite_comm());
}

/* A run of run.ini with these overrides (ended by NULL) in the folder `name`. */
struct job {
    struct train_options options;
    struct config config;
    struct run run;
    char directory[2 * PATH_ROOM];
};

static void job_begin(struct job *job, const char *name, const char *const *set)
{
    struct faults faults;
    size_t sets = 0;
    while (set[sets])
        sets++;
    *job = (struct job){.options = {.verbosity = -2}};
    faults_init(&faults, 0, NULL, NULL);
    config_init(&job->config);
    mpi_assert(config_read(&job->config, path_of("run.ini"), sets, set, &faults) == 0);
    snprintf(job->directory, sizeof job->directory, "%s/%s", folder, name);
    job->run = (struct run){.comm = mpi_suite_comm(),
        .config = &job->config,
        .options = &job->options,
        .directory = job->directory,
        .command = ""};
}

static void job_open(struct job *job, const char *name, const char *const *set)
{
    struct error error;
    job_begin(job, name, set);
    mpi_assert(run_open(&job->run, &error) == 0 && !job->run.progress.finished);
}

static void job_close(struct job *job)
{
    run_close(&job->run);
    config_finish(&job->config);
}

static int job_end(struct job *job)
{
    int code = run_train(&job->run);
    job_close(job);
    return code;
}

static int job_make(const char *name, const char *const *set)
{
    struct job job;
    job_begin(&job, name, set);
    return job_end(&job);
}

static int exists(const char *name)
{
    return access(path_of(name), F_OK) == 0;
}

static void remove_run(const char *name)
{
    comm_barrier(mpi_suite_comm());
    if (mpi_suite_comm()->rank == 0)
        sample_remove_folder(path_of(name));
    comm_barrier(mpi_suite_comm());
}

static const char *const nothing[] = {NULL};

START_TEST(fresh_that_cannot_start_leaves_the_old_run_alone)
{
    static const char *const missing[] = {"data.train=/nowhere/train.h5", NULL};
    struct job job;
    mpi_assert(job_make("old", nothing) == 0);
    job_begin(&job, "old", missing);
    job.options.fresh = 1;
    mpi_assert(job_end(&job) == EXIT_CODE_IO);
    job_begin(&job, "old", nothing);
    job.options.fresh = 1;
    job.options.init = "/nowhere/best.h5";
    mpi_assert(job_end(&job) == EXIT_CODE_IO);
    mpi_assert(exists("old/checkpoint-0000000006.h5") && exists("old/best.h5") && exists("old/config.ini"));
    remove_run("old");
}
END_TEST

START_TEST(a_flipped_bit_is_found_before_it_spreads_or_is_saved)
{
    struct job job;
    struct error error;
    struct outcome outcome;
    int last = mpi_suite_comm()->ranks - 1;
    char name[32];
    snprintf(name, sizeof name, "rank %d on", last);
    job_open(&job, "flipped", nothing);
    mpi_assert(run_step(&job.run, &outcome, &error) == 0);
    if (mpi_suite_comm()->rank == last)
        ((unsigned char *)job.run.learner.weights)[17] ^= 4;
    mpi_assert(run_save(&job.run, 1, 0, 1, &error) != 0);
    mpi_assert(error.code == EXIT_CODE_REPLICAS && (mpi_suite_comm()->rank || strstr(error.text, name)));
    mpi_assert(run_step(&job.run, &outcome, &error) != 0);
    mpi_assert(error.code == EXIT_CODE_REPLICAS && (mpi_suite_comm()->rank || strstr(error.text, name)));
    mpi_assert(!exists("flipped/checkpoint-0000000001.h5"));
    job_close(&job);
    remove_run("flipped");
}
END_TEST

/* net_backward as the runs of this program call it (meson.build has the linker put it in between): the last
 * rank's `poisoned`th gradient from now on is not a number. */
void __real_net_backward(
    struct net *net, const struct net_pass *pass, const struct microbatch *microbatch, float *gradient);
void __wrap_net_backward(
    struct net *net, const struct net_pass *pass, const struct microbatch *microbatch, float *gradient);

static int poisoned;

void __wrap_net_backward(
    struct net *net, const struct net_pass *pass, const struct microbatch *microbatch, float *gradient)
{
    __real_net_backward(net, pass, microbatch, gradient);
    if (mpi_suite_comm()->rank == mpi_suite_comm()->ranks - 1 && poisoned-- == 1)
        gradient[3] = NAN;
}

/* Of a run with a checkpoint of every step. */
START_TEST(a_gradient_that_is_no_number_on_one_rank_never_reaches_a_checkpoint)
{
    static const char *const policies[] = {
        "train.on_divergence=abort", "train.on_divergence=skip", "train.on_divergence=back"};
    const char *const set[] = {
        policies[_i], "checkpoint.every=1 step", "checkpoint.keep=100", "train.microbatch=1", NULL};
    mpi_assert(job_make("clean", set) == 0);
    poisoned = 4; /* in one of the steps 2 to 6 */
    mpi_assert(job_make("poisoned", set) == (_i == 0 ? EXIT_CODE_DIVERGED : EXIT_CODE_OK));
    mpi_assert(exists("poisoned/checkpoint-0000000006.h5") == (_i > 0));
    for (int64_t step = 0; mpi_suite_comm()->rank == 0 && step <= 6; step++) {
        struct checkpoint checkpoint;
        struct error error;
        checkpoint_init(&checkpoint);
        int found = rundir_load_step(path_of("poisoned"), step, &checkpoint, &error), finite = 1;
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
    remove_run("clean");
    remove_run("poisoned");
}
END_TEST

START_TEST(fresh_may_begin_with_the_weights_of_the_run_it_removes)
{
    struct job job;
    char best[2 * PATH_ROOM];
    snprintf(best, sizeof best, "%s", path_of("old/best.h5"));
    mpi_assert(job_make("old", nothing) == 0);
    static const char *const one[] = {"train.epochs=1", NULL};
    job_begin(&job, "old", one);
    job.options.fresh = 1;
    job.options.init = best;
    mpi_assert(job_end(&job) == 0);
    mpi_assert(exists("old/checkpoint-0000000003.h5") && !exists("old/checkpoint-0000000006.h5"));
    remove_run("old");
}
END_TEST

START_TEST(a_validation_loss_that_is_no_number_ends_the_run_unsaved)
{
    static const char *const wild[] = {"model.cell=rnn-relu", "train.optimizer=sgd", "train.clip=0",
        "train.lr=1e15", "train.batch=100", "train.epochs=1", NULL};
    mpi_assert(job_make("wild", wild) == EXIT_CODE_DIVERGED);
    mpi_assert(exists("wild/metrics.csv") && !exists("wild/checkpoint-0000000001.h5"));
    remove_run("wild");
}
END_TEST

START_TEST(weights_that_are_infinite_end_the_run_unsaved)
{
    static const struct sample_shape shape = {
        .sequences = 4, .shortest = 3, .longest = 9, .features = 3, .kind = SAMPLE_PER_FRAME, .values = 2};
    static const char *const wild[] = {"data.valid=", "train.optimizer=sgd", "train.clip=0", "train.lr=1e15",
        "train.batch=100", "train.epochs=1", NULL};
    char large[2 * PATH_ROOM + 16];
    const char *set[sizeof wild / sizeof *wild + 1] = {large};
    memcpy(set + 1, wild, sizeof wild);
    write_sample("large.h5", &shape, 3, 1e25f);
    snprintf(large, sizeof large, "data.train=%s", path_of("large.h5"));
    mpi_assert(job_make("wild", set) == EXIT_CODE_DIVERGED);
    mpi_assert(exists("wild/metrics.csv") && !exists("wild/checkpoint-0000000001.h5"));
    remove_run("wild");
}
END_TEST

START_TEST(ranks_with_other_options_or_data_are_refused)
{
    static const struct sample_shape shape = {
        .sequences = 11, .shortest = 2, .longest = 9, .features = 3, .kind = SAMPLE_PER_FRAME, .values = 2};
    char other[2 * PATH_ROOM + 16];
    const char *const sets[][2] = {{"train.batch=5", NULL}, {"data.valid=", NULL}, {other, NULL}};
    int last = mpi_suite_comm()->rank == mpi_suite_comm()->ranks - 1 && mpi_suite_comm()->ranks > 1;
    write_sample("other.h5", &shape, 4, 1);
    snprintf(other, sizeof other, "data.train=%s", path_of("other.h5"));
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++)
        mpi_assert(job_make("mixed", last ? sets[i] : nothing) ==
            (mpi_suite_comm()->ranks > 1 ? EXIT_CODE_DATA : EXIT_CODE_OK));
    mpi_assert(!exists("mixed/config.ini") || mpi_suite_comm()->ranks == 1);
    remove_run("mixed");
}
END_TEST

START_TEST(both_sets_together_keep_to_the_cache)
{
    static const size_t caches[] = {0, 100, 1001, 1 << 20};
    for (size_t i = 0; i < sizeof caches / sizeof *caches; i++) {
        struct job job;
        char cache[64];
        snprintf(cache, sizeof cache, "data.cache=%zu bytes", caches[i]);
        const char *const set[] = {cache, NULL};
        job_open(&job, "cache", set);
        const struct dataset *train = job.run.sets.train, *valid = job.run.sets.valid;
        size_t of_train = train->kept_inputs ? (size_t)train->frames * 5 * sizeof(float) : train->cache;
        mpi_assert(of_train + valid->cache == caches[i]);
        mpi_assert(!train->kept_inputs == (caches[i] < 1 << 20));
        job_close(&job);
        remove_run("cache");
    }
}
END_TEST

/* The sequence at fault is one rank's alone. */
START_TEST(a_value_found_wrong_while_training_ends_the_run_in_order)
{
    static const struct sample_shape shape = {
        .sequences = 11, .shortest = 3, .longest = 9, .features = 3, .kind = SAMPLE_PER_FRAME, .values = 2};
    char bad[2 * PATH_ROOM + 16], state[64] = "";
    const char *const set[] = {bad, "data.cache=0", "train.microbatch=1", NULL};
    if (mpi_suite_comm()->rank == 0) {
        struct sample sample;
        sample_init(&sample, &shape, 5);
        sample.inputs[sample.input_offsets[_i] * 3] = NAN;
        sample_write(&sample, path_of("bad.h5"));
        sample_finish(&sample);
    }
    snprintf(bad, sizeof bad, "data.train=%s", path_of("bad.h5"));
    mpi_assert(job_make("bad", set) == EXIT_CODE_DATA);
    mpi_assert(exists("bad/config.ini") && !exists("bad/lock"));
    FILE *status = fopen(path_of("bad/status"), "r");
    mpi_assert(status && fgets(state, sizeof state, status) && fclose(status) == 0);
    mpi_assert(strcmp(state, "state=failed\n") == 0);
    remove_run("bad");
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
        sample_write(&sample, path_of(name));
        sample_finish(&sample);
    }
    comm_barrier(mpi_suite_comm());
}

/* A sequence a step, so that three of nine steps count nothing. */
START_TEST(a_step_in_which_nothing_counts_leaves_the_weights)
{
    static char train[2 * PATH_ROOM + 16];
    const char *const set[] = {train, "data.valid=", "model.loss=softmax", "train.batch=1",
        "train.microbatch=1", "train.epochs=1", NULL};
    struct job job;
    struct error error;
    int empty = 0;
    write_untargeted("some.h5", 1);
    snprintf(train, sizeof train, "data.train=%s", path_of("some.h5"));
    job_open(&job, "some", set);
    for (int64_t step = 1; step <= 9; step++) {
        struct outcome outcome;
        int64_t updates = job.run.learner.state.step;
        uint64_t hash = job.run.learner.weights_hash;
        mpi_assert(run_step(&job.run, &outcome, &error) == 0);
        int none = isnan(outcome.loss);
        mpi_assert(none == (job.run.feed.now.plan.sequence[0] % 3 == 0) && job.run.progress.step == step);
        mpi_assert(
            job.run.learner.state.step == updates + !none && (job.run.learner.weights_hash == hash) == none);
        mpi_assert(!none || (outcome.gradient_norm == 0 && isnan(outcome.error)));
        mpi_assert(outcome.learning_rate == 0.001);
        empty += none;
    }
    mpi_assert(empty == 3 && isfinite(job.run.progress.epoch_loss));
    mpi_assert(job.run.progress.epoch_counted == job.run.progress.epoch_labels);
    job_close(&job);
    mpi_assert(job_make("whole", set) == 0);
    remove_run("some");
    remove_run("whole");
}
END_TEST

START_TEST(a_set_in_which_nothing_counts_is_refused_after_an_epoch)
{
    static char train[2 * PATH_ROOM + 16], valid[2 * PATH_ROOM + 16];
    const char *const set[] = {train, valid, "model.loss=softmax", "train.epochs=1", NULL};
    write_untargeted("all.h5", 3);
    write_untargeted("none.h5", 0);
    for (int i = 0; i < 2; i++) {
        snprintf(train, sizeof train, "data.train=%s", path_of(i ? "all.h5" : "none.h5"));
        snprintf(valid, sizeof valid, "data.valid=%s", path_of(i ? "none.h5" : "all.h5"));
        mpi_assert(job_make("all", set) == EXIT_CODE_DATA);
        mpi_assert(!exists("all/best.h5"));
        remove_run("all");
    }
}
END_TEST

/* Steps of a run under these overrides, from the newest checkpoint on; the hash of the weights then. */
static uint64_t run_steps(const char *name, const char *const *set, int steps, struct outcome *valid)
{
    struct job job;
    struct error error;
    enum stop_reason stop;
    job_open(&job, name, set);
    for (int i = 0; i < steps; i++) {
        struct outcome outcome;
        mpi_assert(run_step(&job.run, &outcome, &error) == 0);
    }
    mpi_assert(run_validate(&job.run, valid, &stop, &error) == 0 && stop == STOP_NOT);
    mpi_assert(run_save(&job.run, 1, 0, 1, &error) == 0);
    uint64_t hash = job.run.learner.weights_hash;
    job_close(&job);
    return hash;
}

/* One that was put off, and so comes before any step, is not broken off by time: its job would get nowhere.
 */
START_TEST(a_validation_is_broken_off_where_time_is_short_but_not_before_a_step)
{
    static const char *const small[] = {"train.batch=1", "train.microbatch=1", NULL};
    struct job job;
    struct error error;
    struct outcome valid;
    enum stop_reason stop;
    job_open(&job, "late", small);
    job.run.limits.deadline = clock_now() - 1;
    mpi_assert(run_validate(&job.run, &valid, &stop, &error) == 0 && stop == STOP_NOT);
    mpi_assert(valid.sequences == job.run.sets.valid->sequences && valid.loss > 0);
    job.run.limits.longest_step = 1e-6;
    mpi_assert(run_validate(&job.run, &valid, &stop, &error) == 0 && stop == STOP_TIME);
    mpi_assert(valid.sequences == 0);
    stop = STOP_NOT;
    job.run.limits.deadline = clock_now() + 1000;
    mpi_assert(run_validate(&job.run, &valid, &stop, &error) == 0 && stop == STOP_NOT);
    job_close(&job);
    remove_run("late");
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
    remove_run("whole");
    remove_run("parts");
    remove_run("plain");
}
END_TEST

/* Of sgd with rate 1 an update is the gradient, here that of the weights with noise, worked out apart. */
START_TEST(the_gradient_is_that_of_the_weights_with_noise)
{
    static const char *const set[] = {"train.weight_noise=0.2", "train.optimizer=sgd", "train.lr=1",
        "train.clip=0", "train.batch=4", "train.microbatch=4", NULL};
    static const char *const plain[] = {
        "train.optimizer=sgd", "train.lr=1", "train.clip=0", "train.batch=4", "train.microbatch=4", NULL};
    struct job job, other;
    struct error error;
    struct outcome outcome;
    job_open(&job, "gradient", set);
    struct learner *learner = &job.run.learner;
    size_t P = learner->P;
    float *before = calloc(P, sizeof *before), *noisy = calloc(P, sizeof *noisy);
    memcpy(before, learner->weights, P * sizeof *before);
    for (size_t i = 0; i < P; i++) {
        double n = random_normal(job.config.train.seed, RANDOM_WEIGHT_NOISE, 1, i);
        noisy[i] = (float)((double)before[i] + 0.2 * n);
    }
    mpi_assert(run_step(&job.run, &outcome, &error) == 0);
    double first = outcome.loss;
    /* The same step from the weights with noise, and without noise, has the same loss and gradient. */
    job_open(&other, "other", plain);
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
    job_close(&job);
    job_close(&other);
    remove_run("gradient");
    remove_run("other");
}
END_TEST

static void make_folder(void)
{
    static const struct sample_shape train = {
        .sequences = 11, .shortest = 3, .longest = 9, .features = 3, .kind = SAMPLE_PER_FRAME, .values = 2};
    static const struct sample_shape valid = {
        .sequences = 4, .shortest = 20, .longest = 30, .features = 3, .kind = SAMPLE_PER_FRAME, .values = 2};
    if (mpi_suite_comm()->rank == 0)
        sample_make_folder(folder, sizeof folder);
    comm_broadcast(mpi_suite_comm(), folder, sizeof folder, 0);
    write_sample("train.h5", &train, 1, 1);
    write_sample("valid.h5", &valid, 2, 1);
    write_config();
}

static void remove_folder(void)
{
    remove_run("");
}

int main(void)
{
    Suite *suite = suite_create("run");
    TCase *cases = tcase_create("run");
    tcase_add_unchecked_fixture(cases, make_folder, remove_folder);
    tcase_add_test(cases, fresh_that_cannot_start_leaves_the_old_run_alone);
    tcase_add_test(cases, a_flipped_bit_is_found_before_it_spreads_or_is_saved);
    tcase_add_loop_test(cases, a_gradient_that_is_no_number_on_one_rank_never_reaches_a_checkpoint, 0, 3);
    tcase_add_test(cases, fresh_may_begin_with_the_weights_of_the_run_it_removes);
    tcase_add_test(cases, a_validation_loss_that_is_no_number_ends_the_run_unsaved);
    tcase_add_test(cases, weights_that_are_infinite_end_the_run_unsaved);
    tcase_add_test(cases, ranks_with_other_options_or_data_are_refused);
    tcase_add_test(cases, both_sets_together_keep_to_the_cache);
    tcase_add_loop_test(cases, a_value_found_wrong_while_training_ends_the_run_in_order, 0, 11);
    tcase_add_test(cases, a_step_in_which_nothing_counts_leaves_the_weights);
    tcase_add_test(cases, a_set_in_which_nothing_counts_is_refused_after_an_epoch);
    tcase_add_test(cases, a_validation_is_broken_off_where_time_is_short_but_not_before_a_step);
    tcase_add_test(cases, noise_of_the_weights_is_gone_after_the_step_and_the_same_after_a_stop);
    tcase_add_test(cases, the_gradient_is_that_of_the_weights_with_noise);
    suite_add_tcase(suite, cases);
    return mpi_suite_run(suite, "test_run", 110);
}

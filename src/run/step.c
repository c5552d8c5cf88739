/* One training step, as design and README describe it: the microbatches of this rank go through the network
 * one by one, their gradients into the tree; the scores of all sequences are gathered and added in the order
 * of the dataset; every rank completes its slice of the gradient, updates its slice of the weights, and all
 * gather the whole. */
#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "pass/stop.h"
#include "run/run.h"

#include <math.h>
#include <string.h>

/* What rides on the sum of the scores besides them. Hashes travel as two exact halves for each rank;
 * behind them come the seconds that each rank computed. */
enum { RIDE_FAILED, RIDE_SIGNAL, RIDE_TIME, RIDE_SAVE, RIDE_DATA_WAIT, RIDE_WAITED, RIDE_HASHES };

size_t run_count_rides(const struct comm *comm)
{
    return RIDE_HASHES + run_count_hashes(comm) + (size_t)comm->ranks;
}

void run_take_weights(struct run *run)
{
    net_pack(run->net, run->weights);
    run->weights_hash = hash_bytes(run->weights, run->P * sizeof *run->weights);
}

/* The microbatches of this rank: scores into the tally, gradients into the tree. A failure is this rank's
 * alone. */
static int compute_microbatches(struct run *run, double *data_wait, struct error *error)
{
    const struct comm *comm = run->comm;
    const struct feed_step *step = &run->feed.now;
    size_t first = step->ranges[comm->rank], end = step->ranges[comm->rank + 1];
    struct net_pass pass = {.training = 1, .seed = run->config->train.seed, .epoch = (uint64_t)step->epoch};
    tree_sums_start(&run->sums, step->plan.leaves, first, end);
    for (size_t leaf = first; leaf < end; leaf++) {
        const struct microbatch *microbatch = reader_next(run->feed.reader, data_wait, error);
        float *gradient = microbatch ? tree_sums_leaf(&run->sums, error) : NULL;
        struct net_outputs outputs;
        if (!gradient || net_forward(run->net, &pass, microbatch, &outputs, run->scores, error))
            return -1;
        net_backward(run->net, &pass, microbatch, gradient);
        tree_sums_add(&run->sums);
        tally_add(&run->tally, microbatch, run->scores);
        comm_show_life(comm);
        run_keep_lock(run);
    }
    return 0;
}

/* How this rank fared, its wishes, and the hash of its weights as they are now. */
static void add_rides(struct run *run, int failed, double data_wait, double busy)
{
    double *ride = tally_extra(&run->tally);
    const struct comm *comm = run->comm;
    ride[RIDE_FAILED] = failed != 0;
    ride[RIDE_SIGNAL] = stop_signal() != 0;
    ride[RIDE_DATA_WAIT] = data_wait / comm->ranks;
    ride[RIDE_WAITED] = run->waited;
    run->waited = 0;
    ride[RIDE_HASHES + run_count_hashes(comm) + (size_t)comm->rank] = busy;
    if (comm->rank == 0) {
        ride[RIDE_TIME] = run_is_late(run);
        ride[RIDE_SAVE] = run->config->checkpoint.unit == INTERVAL_MINUTES &&
            clock_now() - run->last_save >= 60.0 * (double)run->config->checkpoint.every;
    }
    run_put_hash(run, ride + RIDE_HASHES);
}

int run_check_finite(const struct run *run, int64_t step, const char *what, double value, struct error *error)
{
    if (isfinite(value))
        return 0;
    return error_set(error, EXIT_CODE_DIVERGED,
        "step %lld of epoch %lld: the %s is %s; nothing of this step was saved: a smaller train.lr or "
        "train.clip may help",
        (long long)step, (long long)run->progress.epoch, what, isnan(value) ? "not a number" : "infinite");
}

static int are_finite(const float *values, size_t n)
{
    int bad = 0;
    for (size_t i = 0; i < n; i++)
        bad |= !isfinite(values[i]);
    return !bad;
}

/* A loss that is no finite number, or many times the mean of the epoch so far. */
static int check_loss(
    const struct run *run, struct net_score sum, const struct outcome *outcome, struct error *error)
{
    const struct progress *progress = &run->progress;
    double mean = tally_mean(progress->epoch_loss, progress->epoch_counted);
    double most = run->config->train.explode * mean;
    if (run_check_finite(run, progress->step + 1, "loss", sum.loss, error))
        return -1;
    if (!(most > 0) || !(outcome->loss > most))
        return 0;
    return error_set(error, EXIT_CODE_DIVERGED,
        "step %lld of epoch %lld: the loss is %.6g, more than train.explode = %g times the mean %.6g of the "
        "epoch so far; nothing of this step was saved: a smaller train.lr or train.clip may help",
        (long long)progress->step + 1, (long long)progress->epoch, outcome->loss, run->config->train.explode,
        mean);
}

/* Completes this rank's slice of the gradient, and checks the norm of the whole. */
static int complete_gradient(
    struct run *run, float *slice, double counted, struct outcome *outcome, struct error *error)
{
    const struct feed_step *step = &run->feed.now;
    double before = clock_now();
    float count = (float)counted;
    if (reduce_slices(run->reduce, step->ranges, step->plan.leaves, &run->sums, slice, error))
        return -1;
    for (size_t i = 0; i < run->slice_count; i++)
        slice[i] /= count;
    outcome->gradient_norm = sqrt(reduce_squares(run->reduce, slice));
    outcome->comm_wait += clock_now() - before;
    return run_check_finite(
        run, run->progress.step + 1, "norm of the gradient", outcome->gradient_norm, error);
}

/* Updates this rank's slice of the weights, gathers the whole. */
static int update_weights(struct run *run, const float *slice, struct outcome *outcome, struct error *error)
{
    double before = clock_now();
    outcome->learning_rate = optim_rate(&run->optim, &run->state, run->feed.now.epoch);
    double factor = optim_clip_factor(outcome->gradient_norm, run->optim.clip);
    optim_advance(&run->optim, &run->state);
    optim_update(&run->optim, &run->state, outcome->learning_rate, factor, run->slice_count, slice,
        run->moments, run->weights + run->slice_first);
    outcome->update = clock_now() - before;
    before = clock_now();
    reduce_gather(run->reduce, run->weights);
    outcome->comm_wait += clock_now() - before;
    before = clock_now();
    if (!are_finite(run->weights, run->P))
        return run_check_finite(run, run->progress.step + 1, "largest weight", INFINITY, error);
    run_take_weights(run);
    outcome->update += clock_now() - before;
    return 0;
}

/* A step in which nothing counts (all classes are -1) has no gradient: neither weights, nor moments, nor the
 * number of updates that warmup and schedule go by change, on any rank. It is a step of the run all the same.
 * So is one that is skipped. */
static void leave_weights(struct run *run, struct outcome *outcome)
{
    if (run->noisy)
        net_pack(run->net, run->weights);
    outcome->learning_rate = optim_rate(&run->optim, &run->state, run->feed.now.epoch);
}

/* A step that diverged, on all ranks alike: 0: it is to be skipped. */
static int skip_step(struct run *run, struct error *error)
{
    if (error->code != EXIT_CODE_DIVERGED || run->config->train.on_divergence != DIVERGENCE_SKIP)
        return -1;
    if (run->progress.skipped >= RUN_MOST_SKIPPED)
        return error_prefix(error, "after %d skipped steps in a row: ", RUN_MOST_SKIPPED);
    run->progress.skipped++;
    if (run->comm->rank == 0)
        log_line(LOG_WARNING, "%.*s: the step is skipped", (int)strcspn(error->text, ";"), error->text);
    *error = (struct error){0};
    return 0;
}

/* Updates the weights, or leaves them where there is nothing to learn from the step. */
static int use_step(struct run *run, struct net_score *sum, struct outcome *outcome, struct error *error)
{
    float *slice = run->slice ? run->slice : run->sums.vectors[0];
    int counts = sum->counted > 0;
    if (check_loss(run, *sum, outcome, error) ||
        (counts && complete_gradient(run, slice, sum->counted, outcome, error))) {
        if (skip_step(run, error))
            return -1;
        *sum = (struct net_score){0};
        leave_weights(run, outcome);
        return 0;
    }
    run->progress.skipped = 0;
    if (counts)
        return update_weights(run, slice, outcome, error);
    leave_weights(run, outcome);
    return 0;
}

static void count_step(struct run *run, struct net_score sum)
{
    struct progress *progress = &run->progress;
    progress->step++;
    progress->position++;
    progress->epoch_loss += sum.loss;
    progress->epoch_errors += sum.errors;
    progress->epoch_counted += sum.counted;
    progress->epoch_labels += sum.labels;
}

int run_step(struct run *run, struct outcome *outcome, enum stop_reason *stop, int *save, struct error *error)
{
    double start = clock_now();
    *outcome = (struct outcome){0};
    *error = (struct error){0};
    comm_set_step(run->comm, run->progress.step + 1);
    if (feed_next(&run->feed, error))
        comm_fatal(run->comm, run->progress.step + 1, error->code, "%s", error->text);
    const struct feed_step *step = &run->feed.now;
    tally_start(&run->tally, step->plan.sequences, step->plan.sequence);
    double data_wait = 0, noise_wait = run->noisy ? run_add_noise(run) : 0, before = clock_now();
    int failed = compute_microbatches(run, &data_wait, error);
    add_rides(run, failed, data_wait, clock_now() - before);
    before = clock_now();
    struct net_score sum = tally_sum(&run->tally, run->comm);
    outcome->comm_wait = noise_wait + clock_now() - before;
    const double *ride = tally_extra(&run->tally);
    if (ride[RIDE_FAILED] > 0) {
        comm_agree(run->comm, error);
        return error_prefix(error, "step %lld: ", (long long)run->progress.step + 1);
    }
    *stop = ride[RIDE_SIGNAL] > 0 ? STOP_SIGNAL : ride[RIDE_TIME] > 0 ? STOP_TIME : STOP_NOT;
    *save = ride[RIDE_SAVE] > 0;
    outcome->data_wait = ride[RIDE_DATA_WAIT];
    outcome->loss = tally_mean(sum.loss, sum.counted);
    outcome->error = tally_mean(sum.errors, sum.labels);
    outcome->sequences = (int64_t)step->plan.sequences;
    for (size_t leaf = 0; leaf < step->plan.leaves; leaf++)
        outcome->frames += step->plan.frames[leaf];
    run_note_pace(run, ride + RIDE_HASHES + run_count_hashes(run->comm), ride[RIDE_WAITED]);
    if (run_check_hashes(run, ride + RIDE_HASHES, error) || use_step(run, &sum, outcome, error))
        return -1;
    count_step(run, sum);
    run->waited += outcome->comm_wait;
    outcome->seconds = clock_now() - start;
    run->pace.seconds += outcome->seconds;
    return 0;
}

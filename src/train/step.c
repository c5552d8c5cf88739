/* One training step, as design and README describe it: the grains of this rank go through the network one by
 * one, their gradients into the tree; the scores of all sequences are gathered and added in the order of the
 * dataset; every rank completes its slice of the gradient, updates its slice of the weights, and all gather
 * the whole. */
#include "base/clock.h"
#include "base/hash.h"
#include "train/run.h"
#include "train/stop.h"

#include <math.h>
#include <string.h>

/* What rides on the sum of the scores besides them. Hashes travel as two exact halves for each rank. */
enum { RIDE_FAILED, RIDE_SIGNAL, RIDE_TIME, RIDE_SAVE, RIDE_DATA_WAIT, RIDE_HASHES };

size_t run_count_rides(const struct comm *comm)
{
    return RIDE_HASHES + run_count_hashes(comm);
}

void run_take_weights(struct run *run)
{
    net_pack(run->net, run->weights);
    run->weights_hash = hash_bytes(run->weights, run->P * sizeof *run->weights);
}

/* The grains of this rank: scores into the tally, gradients into the tree. A failure is this rank's alone. */
static int compute_grains(struct run *run, double *data_wait, struct error *error)
{
    const struct comm *comm = run->comm;
    const struct feed_step *step = &run->feed.now;
    size_t first = step->ranges[comm->rank], end = step->ranges[comm->rank + 1];
    struct net_pass pass = {.training = 1, .seed = run->config->train.seed, .epoch = (uint64_t)step->epoch};
    tree_sums_start(&run->sums, step->plan.leaves, first, end);
    for (size_t leaf = first; leaf < end; leaf++) {
        const struct grain *grain = reader_next(run->feed.reader, data_wait, error);
        float *gradient = grain ? tree_sums_leaf(&run->sums, error) : NULL;
        struct net_outputs outputs;
        if (!gradient || net_forward(run->net, &pass, grain, &outputs, run->scores, error))
            return -1;
        net_backward(run->net, &pass, grain, gradient);
        tree_sums_add(&run->sums);
        tally_add(&run->tally, grain, run->scores);
    }
    return 0;
}

/* How this rank fared, its wishes, and the hash of its weights as they are now. */
static void add_rides(struct run *run, int failed, double data_wait)
{
    double *ride = tally_extra(&run->tally);
    const struct comm *comm = run->comm;
    ride[RIDE_FAILED] = failed != 0;
    ride[RIDE_SIGNAL] = stop_signal() != 0;
    ride[RIDE_DATA_WAIT] = data_wait / comm->ranks;
    if (comm->rank == 0) {
        double now = clock_now(), margin = 2 * run->longest_round + 1;
        int64_t limit = run->options->max_time;
        ride[RIDE_TIME] = limit && now - run->start + margin > (double)limit;
        ride[RIDE_SAVE] = run->config->checkpoint.unit == INTERVAL_MINUTES &&
            now - run->last_save >= 60.0 * (double)run->config->checkpoint.every;
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

/* Completes this rank's slice of the gradient, updates its slice of the weights, gathers the whole. */
static int update_weights(struct run *run, double counted, struct outcome *outcome, struct error *error)
{
    const struct feed_step *step = &run->feed.now;
    int64_t step_number = run->progress.step + 1;
    double before = clock_now();
    float *slice = run->slice ? run->slice : run->sums.vectors[0], count = (float)counted;
    if (reduce_slices(run->reduce, step->ranges, step->plan.leaves, &run->sums, slice, error))
        return -1;
    for (size_t i = 0; i < run->slice_count; i++)
        slice[i] /= count;
    outcome->gradient_norm = sqrt(reduce_squares(run->reduce, slice));
    outcome->comm_wait += clock_now() - before;
    if (run_check_finite(run, step_number, "norm of the gradient", outcome->gradient_norm, error))
        return -1;
    before = clock_now();
    outcome->learning_rate = optim_rate(&run->optim, &run->state, step->epoch);
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
        return run_check_finite(run, step_number, "largest weight", INFINITY, error);
    run_take_weights(run);
    outcome->update += clock_now() - before;
    return 0;
}

/* A step in which nothing counts (all classes are -1) has no gradient: neither weights, nor moments, nor the
 * number of updates that warmup and schedule go by change, on any rank. It is a step of the run all the same.
 */
static void leave_weights(struct run *run, struct outcome *outcome)
{
    if (run->noisy)
        net_pack(run->net, run->weights);
    outcome->gradient_norm = 0;
    outcome->learning_rate = optim_rate(&run->optim, &run->state, run->feed.now.epoch);
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
    if (feed_next(&run->feed, error))
        comm_fatal(run->comm, run->progress.step + 1, error->code, "%s", error->text);
    const struct feed_step *step = &run->feed.now;
    tally_start(&run->tally, step->plan.sequences, step->plan.sequence);
    double data_wait = 0, noise_wait = run->noisy ? run_add_noise(run) : 0;
    int failed = compute_grains(run, &data_wait, error);
    add_rides(run, failed, data_wait);
    double before = clock_now();
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
    if (run_check_hashes(run, ride + RIDE_HASHES, error) ||
        run_check_finite(run, run->progress.step + 1, "loss", sum.loss, error) ||
        (sum.counted > 0 && update_weights(run, sum.counted, outcome, error)))
        return -1;
    if (!(sum.counted > 0))
        leave_weights(run, outcome);
    count_step(run, sum);
    outcome->seconds = clock_now() - start;
    return 0;
}

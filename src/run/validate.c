/* The validation set in the order of the file, by the same ranks and the same plan as training, without
 * updates. After each batch ranks agree on whether to go on: a stop does not wait for the rest. But one that
 * a job begins with was broken off before: time that is short breaks it off no more, or a row of short jobs
 * would never get over it. */
#include "base/clock.h"
#include "pass/stop.h"
#include "run/run.h"

#include <math.h>

/* The microbatches of this rank. A failure is this rank's alone. */
static int validate_batch(
    struct run *run, struct feed *feed, struct tally *tally, double *data_wait, struct error *error)
{
    struct net_pass pass = {.training = 0};
    if (feed_next(feed, error))
        return -1;
    run_keep_lock(run);
    size_t end = feed->now.ranges[run->comm->rank + 1];
    for (size_t leaf = feed->now.ranges[run->comm->rank]; leaf < end; leaf++) {
        const struct microbatch *microbatch = reader_next(feed->reader, data_wait, error);
        struct net_outputs outputs;
        if (!microbatch || net_forward(run->net, &pass, microbatch, &outputs, run->scores, error))
            return -1;
        tally_add(tally, microbatch, run->scores);
        comm_show_life(run->comm);
    }
    return 0;
}

static int validate_batches(struct run *run, struct feed *feed, struct tally *tally, struct outcome *outcome,
    enum stop_reason *stop, struct error *error)
{
    enum { FAILED, SIGNAL, LATE, QUESTIONS };
    for (int64_t batch = 0; batch < feed->plan.steps && *stop == STOP_NOT; batch++) {
        double any[QUESTIONS] = {0}, start = clock_now();
        any[FAILED] = validate_batch(run, feed, tally, &outcome->data_wait, error) != 0;
        any[SIGNAL] = stop_signal() != 0;
        any[LATE] = run->comm->rank == 0 && run->deadline.step > 0 && run_is_late(run);
        double before = clock_now();
        comm_max(run->comm, any, QUESTIONS);
        outcome->comm_wait += clock_now() - before;
        if (any[FAILED] > 0)
            return comm_agree(run->comm, error);
        double took = clock_now() - start;
        run->deadline.batch = took > run->deadline.batch ? took : run->deadline.batch;
        if (batch + 1 == feed->plan.steps)
            break; /* it is complete */
        *stop = any[SIGNAL] > 0 ? STOP_SIGNAL : any[LATE] > 0 ? STOP_TIME : STOP_NOT;
    }
    return 0;
}

int run_check_counted(const struct dataset *dataset, double counted, struct error *error)
{
    if (counted > 0)
        return 0;
    return error_set(error, EXIT_CODE_DATA,
        "%s: /targets: no class but -1, which is no target: there is nothing to count: give a set with "
        "targets",
        dataset->path);
}

/* All. */
static int score_all(struct run *run, struct feed *feed, struct tally *tally, struct outcome *outcome,
    enum stop_reason *stop, struct error *error)
{
    const struct config *config = run->config;
    size_t sequences = (size_t)run->valid->sequences;
    const struct feed_config order = {.dataset = run->valid,
        .mean = run->shift,
        .deviation = run->scale,
        .batch = config->train.batch,
        .microbatch = config->train.microbatch};
    if (feed_init(feed, run->comm, &order, error) == 0)
        tally_init(tally, sequences, 0, error);
    if (comm_agree(run->comm, error))
        return -1;
    tally_start(tally, sequences, NULL);
    return validate_batches(run, feed, tally, outcome, stop, error);
}

int run_validate(struct run *run, struct outcome *outcome, enum stop_reason *stop, struct error *error)
{
    double start = clock_now();
    struct feed feed;
    struct tally tally = {0};
    struct net_score sum = {0};
    *outcome = (struct outcome){.gradient_norm = NAN, .learning_rate = NAN};
    *error = (struct error){0};
    int failed = score_all(run, &feed, &tally, outcome, stop, error);
    feed_finish(&feed);
    double before = clock_now();
    if (!failed && *stop == STOP_NOT)
        sum = tally_sum(&tally, run->comm);
    outcome->comm_wait += clock_now() - before;
    tally_finish(&tally);
    if (failed || *stop != STOP_NOT)
        return failed;
    outcome->loss = tally_mean(sum.loss, sum.counted);
    outcome->error = tally_mean(sum.errors, sum.labels);
    outcome->sequences = run->valid->sequences;
    outcome->frames = run->valid->frames;
    outcome->seconds = clock_now() - start;
    return run_check_counted(run->valid, sum.counted, error) ||
            run_check_finite(run, run->progress.step, "validation loss", outcome->loss, error)
        ? -1
        : 0;
}

/* The validation set in the order of the file, by the same ranks and the same plan as training, without
 * updates. */
#include "base/clock.h"
#include "train/run.h"

#include <math.h>

static int validate_steps(
    struct run *run, struct feed *feed, struct tally *tally, double *data_wait, struct error *error)
{
    struct net_pass pass = {.training = 0};
    for (int64_t index = 0; index < feed->plan.steps; index++) {
        if (feed_next(feed, error))
            return -1;
        if (run->lock)
            run_keep_lock(run);
        for (size_t leaf = feed->now.ranges[run->comm->rank]; leaf < feed->now.ranges[run->comm->rank + 1];
             leaf++) {
            const struct grain *grain = reader_next(feed->reader, data_wait, error);
            if (!grain)
                return -1;
            struct net_outputs outputs;
            if (net_forward(run->net, &pass, grain, &outputs, run->scores, error))
                return -1;
            tally_add(tally, grain, run->scores);
            comm_show_life(run->comm);
        }
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

int run_validate(struct run *run, struct outcome *outcome, struct error *error)
{
    double start = clock_now();
    struct feed feed;
    struct tally tally = {0};
    const struct config *config = run->config;
    *outcome = (struct outcome){.gradient_norm = NAN, .learning_rate = NAN};
    *error = (struct error){0};
    size_t sequences = (size_t)run->valid->sequences;
    if (feed_init(&feed, run->comm, run->valid, run->shift, run->scale, config->train.batch,
            config->train.grain, 0, 0, 0, 0, error) == 0 &&
        tally_init(&tally, sequences, 0, error) == 0) {
        tally_start(&tally, sequences, NULL);
        validate_steps(run, &feed, &tally, &outcome->data_wait, error);
    }
    feed_finish(&feed);
    if (comm_agree(run->comm, error)) {
        tally_finish(&tally);
        return -1;
    }
    double before = clock_now();
    struct net_score sum = tally_sum(&tally, run->comm);
    outcome->comm_wait = clock_now() - before;
    tally_finish(&tally);
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

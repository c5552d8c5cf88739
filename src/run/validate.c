/* The validation set is computed in the order of the file, by the same ranks and the same plan as training,
 * without updates. After each batch ranks agree on whether to go on: a stop does not wait for the rest. But a
 * validation that a job begins with was broken off before: time that is short breaks it off no more, or a row
 * of short jobs would never get over it. */
#include "base/clock.h"
#include "run/run.h"

#include <math.h>

/* Scores this rank's microbatches of a batch, and fills in its ballot. */
static void score_batch(
    struct run *run, struct feed *feed, struct tally *tally, double *data_wait, struct error *error)
{
    struct ballot *ballot = &run->learner.ballot;
    ballot_clear(ballot);
    ballot->failed = feed_next(feed, error) || learner_score(&run->learner, feed, tally, data_wait, error);
    records_keep_lock(&run->records, run->progress.step);
    limits_vote(&run->limits, ballot);
    if (run->limits.longest_step == 0)
        ballot->late = 0;
}

static int score_batches(struct run *run, struct feed *feed, struct tally *tally, struct outcome *outcome,
    enum stop_reason *stop, struct error *error)
{
    struct ballot *ballot = &run->learner.ballot;
    for (int64_t batch = 0; batch < feed->plan.steps && *stop == STOP_NOT; batch++) {
        double start = clock_now();
        score_batch(run, feed, tally, &outcome->data_wait, error);
        double before = clock_now();
        ballot_count(ballot);
        outcome->comm_wait += clock_now() - before;
        if (ballot->failed)
            return comm_agree(run->comm, error);
        limits_note_batch(&run->limits, start);
        if (ballot->left || batch + 1 < feed->plan.steps) /* else it is complete, and so is kept */
            *stop = limits_read(ballot);
    }
    return 0;
}

/* Sums all scores, where no stop breaks the pass off. */
static int score_set(struct run *run, struct outcome *outcome, struct net_score *sum, enum stop_reason *stop,
    struct error *error)
{
    struct feed feed;
    struct tally tally = {0};
    size_t sequences = (size_t)run->sets.valid->sequences;
    const struct feed_config order = sets_describe_feed(&run->sets, run->config, run->sets.valid);
    if (feed_init(&feed, run->comm, &order, error) == 0)
        tally_init(&tally, sequences, 0, error);
    int failed = comm_agree(run->comm, error);
    if (!failed) {
        tally_start(&tally, sequences, NULL);
        failed = score_batches(run, &feed, &tally, outcome, stop, error);
    }
    feed_finish(&feed);
    double before = clock_now();
    if (!failed && *stop == STOP_NOT)
        *sum = tally_sum(&tally, run->comm);
    outcome->comm_wait += clock_now() - before;
    tally_finish(&tally);
    return failed;
}

int run_validate(struct run *run, struct outcome *outcome, enum stop_reason *stop, struct error *error)
{
    double start = clock_now();
    struct net_score sum = {0};
    *outcome = (struct outcome){.gradient_norm = NAN, .learning_rate = NAN};
    *error = (struct error){0};
    *stop = STOP_NOT;
    int failed = score_set(run, outcome, &sum, stop, error);
    if (failed || *stop != STOP_NOT)
        return failed;
    outcome->loss = tally_mean(sum.loss, sum.counted);
    outcome->error = tally_mean(sum.errors, sum.labels);
    outcome->sequences = run->sets.valid->sequences;
    outcome->frames = run->sets.valid->frames;
    outcome->seconds = clock_now() - start;
    return progress_check_finite(&run->progress, run->progress.step, "validation loss", outcome->loss,
        "a smaller train.lr or train.clip may help, unless values of the validation set are far beyond those "
        "of training, which 'rnn-data info' shows",
        error);
}

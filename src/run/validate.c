/* The validation set is computed in the order of the file, by the same ranks and the same plan as training,
 * without updates. After each batch ranks agree on whether to go on: a stop does not wait for the rest. But a
 * validation that a job begins with was broken off before: time that is short breaks it off no more, or a row
 * of short jobs would never get over it. */
#include "base/clock.h"
#include "base/log.h"
#include "run/run.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

/* Scores this rank's microbatches of a batch, and fills in its ballot. */
static void score_batch(struct run *run, struct feed *feed, struct tally *tally, struct error *error)
{
    struct ballot *ballot = &run->learner.ballot;
    *ballot = (struct ballot){0};
    if (feed_next(feed, error)) /* the others may wait for it in a team */
        comm_fatal(run->comm, run->progress.step, error->code, "%s", error->text);
    ballot->failed = learner_score(&run->learner, feed, tally, error) != 0;
    ballot->failed = sets_look(&run->sets, ballot->failed, error) != 0;
    records_keep_lock(&run->records, run->progress.step);
    limits_vote(&run->limits, ballot);
    if (run->limits.longest_step == 0)
        ballot->late = 0;
}

/* Each job begins the validation anew: one that is longer than a job would be put off for ever. */
static void tell_broken_off(const struct run *run, int64_t made, int64_t batches, double seconds)
{
    char need[200] = "";
    double all = seconds / (double)made * (double)batches;
    if (run->limits.longest_step == 0)
        snprintf(need, sizeof need,
            ": this job began with it and was too short for it; it takes some %.3g seconds: give jobs more "
            "time, or make data.valid smaller",
            all);
    if (run->comm->rank == 0)
        log_line(LOG_WARNING,
            "the validation of epoch %" PRId64 " was broken off after %" PRId64 " of %" PRId64
            " batches, in %.3g seconds, and begins anew when the run goes on%s",
            run->progress.epoch, made, batches, seconds, need);
}

static int score_batches(struct run *run, struct feed *feed, struct tally *tally, struct outcome *outcome,
    enum stop_reason *stop, struct error *error)
{
    struct ballot *ballot = &run->learner.ballot;
    double begun = clock_now();
    for (int64_t batch = 0; batch < feed->plan.steps && *stop == STOP_NOT; batch++) {
        double start = clock_now();
        score_batch(run, feed, tally, error);
        double before = clock_now();
        ballot_count(ballot, &run->learner.node);
        outcome->comm_wait += clock_now() - before;
        outcome->data_wait += ballot->data_wait;
        if (ballot->failed)
            return comm_agree(run->comm, error);
        limits_note_batch(&run->limits, start);
        if (ballot->left || batch + 1 < feed->plan.steps) /* else it is complete, and so is kept */
            *stop = limits_read(ballot);
        if (*stop != STOP_NOT)
            tell_broken_off(run, batch + 1, feed->plan.steps, clock_now() - begun);
    }
    return 0;
}

/* Sums all scores, where no stop breaks the pass off. */
static int score_set(struct run *run, struct outcome *outcome, struct net_score *sum, enum stop_reason *stop,
    struct error *error)
{
    struct feed feed;
    struct tally tally = {0};
    struct feed_config order = sets_describe_feed(&run->sets, run->config, run->sets.valid);
    order.node = &run->learner.node;
    if (feed_init(&feed, run->comm, &order, error) == 0)
        tally_init(&tally, 0, error);
    int failed = comm_agree(run->comm, error);
    if (!failed)
        failed = score_batches(run, &feed, &tally, outcome, stop, error);
    feed_finish(&feed);
    double before = clock_now();
    if (!failed && *stop == STOP_NOT) {
        size_t n;
        uint64_t *words = tally_words(&tally, &n);
        node_sum(&run->learner.node, words, n);
        *sum = tally_total(&tally);
    }
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
        PROGRESS_ADVICE ", unless values of the validation set are far beyond those "
                        "of training, which 'rnn-data info' shows",
        error);
}

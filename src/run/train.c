/* The training loop: steps make epochs, epochs end with validation, and now and then all is saved.
 *
 * An epoch whose steps are made but whose end is still to come is a state of its own, and a run may begin in
 * it: where a run is to stop little time may be left, so its validation is put off, to when the run goes on
 * from here. */
#include "base/clock.h"
#include "base/log.h"
#include "pass/stop.h"
#include "run/run.h"
#include "run/same_data.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

int run_step(struct run *run, struct outcome *outcome, struct error *error)
{
    struct learner *learner = &run->learner;
    double start = clock_now();
    learner_compute(learner, &run->feed, &run->progress, outcome, error);
    learner->ballot.failed = sets_look(&run->sets, learner->ballot.failed, error) != 0;
    limits_vote(&run->limits, &learner->ballot);
    if (learner_update(learner, &run->feed, &run->progress, outcome, error))
        return -1;
    if (outcome->left)
        return 0;
    run->saved = 0;
    run->steps_made = run->feed.now.index + 1 == run->feed.now.steps;
    if (outcome->skipped.code && run->comm->rank == 0)
        log_line(LOG_WARNING, "%.*s: the step is skipped", (int)strcspn(outcome->skipped.text, ";"),
            outcome->skipped.text);
    records_keep_lock(&run->records, run->progress.step);
    records_add_step(&run->records, &run->progress, outcome, &learner->ballot);
    limits_note_step(&run->limits, start);
    return 0;
}

/* Closes an epoch: the schedule takes its loss, its line is printed, and the next one begins. Returns 1 where
 * it is the best so far. `valid` is of the validation, and NaN where there is none. */
static int close_epoch(struct run *run, const struct outcome *valid)
{
    struct learner *learner = &run->learner;
    struct progress *progress = &run->progress;
    int validated = run->sets.valid != NULL;
    progress_note_training(progress);
    double loss = validated ? valid->loss : progress->train_loss;
    double error_rate = validated ? valid->error : progress->train_error;
    if (validated)
        records_add_validation(&run->records, progress, valid);
    optim_epoch_end(&learner->optim, &learner->state, loss);
    int best = progress_note_epoch(progress, run->config, loss, error_rate);
    run->saved = run->steps_made = 0;
    if (run->config->train.truncate)
        records_note_end(&run->records, progress);
    records_gather_busy(&run->records, learner->busy);
    learner->busy = 0;
    records_print_epoch(&run->records, progress, valid, learner);
    progress_begin_epoch(progress);
    return best;
}

/* Validates where there is a set for that, measures what is due, and closes the epoch; a stop puts all of it
 * off. *best is 1 where best.h5 is to be saved. */
static int end_epoch(struct run *run, enum stop_reason *stop, int *best, struct error *error)
{
    struct outcome valid = {.loss = NAN, .error = NAN};
    int validates = run->sets.valid != NULL, measures = run_is_flow_due(run);
    if ((validates || measures) && *stop != STOP_NOT)
        return 0;
    if (validates && run_validate(run, &valid, stop, error))
        return -1;
    if (measures && *stop == STOP_NOT && run_measure_flow(run, stop, error))
        return -1;
    if ((validates || measures) && *stop != STOP_NOT)
        return 0;
    if (same_data_complete(&run->sets, error))
        return -1;
    *best = close_epoch(run, &valid);
    return 0;
}

/* Does the configuration ask for a checkpoint at this point, by epochs or steps? The first step of an epoch
 * is to come only where the one before it has just ended. Minutes are counted by rank 0 (run/limits.h), and
 * what is saved by them is none to go back to, since a run must not depend on the clock. */
static int is_due(const struct run *run)
{
    const struct progress *progress = &run->progress;
    const int64_t *every = run->config->checkpoint.every;
    int64_t epochs = every[INTERVAL_EPOCHS], steps = every[INTERVAL_STEPS];
    return (epochs && progress->position == 0 && (progress->epoch - 1) % epochs == 0) ||
        (steps && progress->step % steps == 0);
}

/* Saves what is due, also at the end of the run, and where it stops, unless that is saved. An epoch whose end
 * is put off is saved so that the run can go on from there, and a run that was not stopped would not save at
 * that point. */
static int save_what_is_due(
    struct run *run, enum stop_reason stop, int by_clock, int best, struct error *error)
{
    int due = !run->saved && !run->steps_made && is_due(run);
    int asked = run->progress.finished || stop != STOP_NOT || (by_clock && !run->steps_made);
    int newest = due || (asked && !run->saved);
    return newest || best ? run_save(run, newest, best, due, error) : 0;
}

/* Makes one step, and ends the epoch where this was its last. */
static int advance(struct run *run, enum stop_reason *stop, struct error *error)
{
    struct progress *progress = &run->progress;
    int by_clock = 0, best = 0;
    if (!run->steps_made) {
        struct outcome outcome;
        if (run_step(run, &outcome, error))
            return -1;
        *stop = limits_read(&run->learner.ballot);
        by_clock = run->learner.ballot.save;
    }
    if (run->steps_made && end_epoch(run, stop, &best, error))
        return -1;
    progress->finished = progress_is_over(progress, run->config);
    if (progress->finished)
        *stop = STOP_NOT; /* there is nothing left to stop */
    return save_what_is_due(run, *stop, by_clock, best, error);
}

/* Whoever starts a finished run again may want more of it: the line of its end alone would look as if it had
 * been done. */
static void say_nothing_is_left(const struct run *run)
{
    const struct config *config = run->config;
    char advice[160] = "";
    if (run->comm->rank != 0)
        return;
    if (run->progress.epoch <= config->train.epochs)
        snprintf(advice, sizeof advice, "set train.patience higher than %" PRId64 " to go on, or give ",
            config->train.patience);
    else if (config->train.optim.schedule != SCHEDULE_COSINE)
        snprintf(advice, sizeof advice, "set train.epochs higher than %" PRId64 " to go on, or give ",
            config->train.epochs);
    log_line(LOG_WARNING,
        "%s: this run is finished, and nothing was done: %s%s--fresh to start over, or -o DIR --init "
        "CHECKPOINT to start another run from these weights",
        run->directory, advice, *advice ? "" : "give ");
}

/* The line of the end reads best.h5 whole, for which the memory of steps is given back first. */
static int end_finished(struct run *run)
{
    feed_finish(&run->feed);
    learner_give_back(&run->learner);
    records_write_status(&run->records, "finished", run->progress.step, "");
    records_print_finished(&run->records, &run->progress, &run->learner);
    return EXIT_CODE_OK;
}

static int end_stopped(struct run *run, enum stop_reason stop)
{
    char reason[64];
    if (stop == STOP_TIME)
        snprintf(reason, sizeof reason, "the time limit is near");
    else
        snprintf(reason, sizeof reason, "asked to by %s", stop_signal_name(stop_signal()));
    records_write_status(&run->records, "stopped", run->progress.step, reason);
    records_print_stopped(&run->records, &run->progress, &run->learner, reason);
    return (int)run->options->stop_exit_code;
}

static int end_failed(struct run *run, const struct error *error)
{
    const char *state = error->code == EXIT_CODE_DIVERGED ? "diverged" : "failed";
    if (run->comm->rank == 0)
        log_line(LOG_ERROR, "%s", error->text);
    records_write_status(&run->records, state, run->progress.step, error->text);
    return error->code;
}

/* All ranks have the error. Numbers that diverge may be those of a file that was cut off or written to. */
static void explain_failure(struct run *run, struct error *error)
{
    struct error change = {0};
    if (sets_agree_unchanged(&run->sets, &change))
        *error = change;
}

int run_train(struct run *run)
{
    struct error error;
    enum stop_reason stop = STOP_NOT;
    if (run_open(run, &error)) {
        if (run->records.begun)
            return end_failed(run, &error);
        if (run->comm->rank == 0)
            log_line(LOG_ERROR, "%s", error.text);
        return error.code;
    }
    if (run->progress.finished)
        say_nothing_is_left(run);
    while (!run->progress.finished && stop == STOP_NOT) {
        if (advance(run, &stop, &error) == 0)
            continue;
        explain_failure(run, &error);
        if (run_go_back(run, &error))
            return end_failed(run, &error);
        stop = STOP_NOT; /* whoever asked for it asks again with the next step */
    }
    return run->progress.finished ? end_finished(run) : end_stopped(run, stop);
}

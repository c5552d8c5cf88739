/* The training loop: steps make epochs, epochs end with validation, and now and then all is saved. */
#include "base/clock.h"
#include "base/log.h"
#include "pass/stop.h"
#include "run/run.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* Rank 0. */
static void write_status(struct run *run, const char *state, const char *reason)
{
    struct error error = {0};
    if (run->comm->rank == 0 &&
        rundir_write_status(run->directory, state, run->progress.step, reason, &error))
        log_line(LOG_ERROR, "%s", error.text);
}

static void add_metrics(struct run *run, const char *split, int64_t epoch, const struct outcome *outcome)
{
    if (run->comm->rank != 0)
        return;
    struct metrics_row row = {.step = run->progress.step,
        .epoch = epoch,
        .split = split,
        .sequences = outcome->sequences,
        .frames = outcome->frames,
        .loss = outcome->loss,
        .error = outcome->error,
        .learning_rate = outcome->learning_rate,
        .gradient_norm = outcome->gradient_norm,
        .seconds = outcome->seconds,
        .frames_per_second = (double)outcome->frames / outcome->seconds,
        .data_wait = outcome->data_wait,
        .comm_wait = outcome->comm_wait};
    struct error error;
    if (metrics_add(run->metrics, &row, &error)) {
        write_status(run, "failed", error.text);
        lock_release(run->lock);
        comm_fatal(run->comm, run->progress.step, error.code, "%s", error.text);
    }
}

/* Is this the best epoch so far? Counts the epochs since otherwise. */
static int judge_epoch(struct run *run, int64_t epoch, double loss, double error_rate)
{
    struct progress *progress = &run->progress;
    double value = run->config->checkpoint.best == BEST_ERROR ? error_rate : loss;
    if (!(value < progress->best)) {
        progress->waited++;
        return 0;
    }
    progress->best = value;
    progress->best_step = progress->step;
    progress->best_epoch = epoch;
    progress->waited = 0;
    return 1;
}

/* Validation, the schedule's share of it, the line of the epoch; then the next epoch begins, unless *stop has
 * broken the validation off. *best: save best.h5. */
static int end_epoch(struct run *run, enum stop_reason *stop, int *best, struct error *error)
{
    struct progress *progress = &run->progress;
    int64_t epoch = progress->epoch;
    if (!progress->skipped && run_check_counted(run->train, progress->epoch_counted, error))
        return -1;
    progress->train_loss = tally_mean(progress->epoch_loss, progress->epoch_counted);
    progress->train_error = tally_mean(progress->epoch_errors, progress->epoch_labels);
    progress->loss = progress->train_loss;
    progress->error = progress->train_error;
    struct outcome valid = {.loss = NAN, .error = NAN};
    if (run->valid) {
        if (run_validate(run, &valid, stop, error))
            return -1;
        if (*stop != STOP_NOT)
            return 0;
        add_metrics(run, "valid", epoch, &valid);
        progress->loss = valid.loss;
        progress->error = valid.error;
    }
    optim_epoch_end(&run->optim, &run->state, progress->loss);
    *best = judge_epoch(run, epoch, progress->loss, progress->error);
    char pace[HOST_WIDTH + 64];
    if (run->comm->rank == 0)
        run_tell_pace(run, pace, sizeof pace);
    if (run->comm->rank == 0)
        report_line(&run->report,
            "epoch=%" PRId64 " step=%" PRId64 " loss=%.9g error=%.9g valid_loss=%.9g valid_error=%.9g "
            "weights_hash=%016" PRIx64 " %s",
            epoch, progress->step, progress->train_loss, progress->train_error, valid.loss, valid.error,
            run->weights_hash, pace);
    progress->epoch++;
    progress->position = 0;
    progress->epoch_loss = progress->epoch_errors = 0;
    progress->epoch_counted = progress->epoch_labels = 0;
    return 0;
}

int run_is_over(const struct run *run)
{
    const struct progress *progress = &run->progress;
    int64_t patience = run->config->train.patience;
    return progress->epoch > run->config->train.epochs ||
        (patience > 0 && progress->position == 0 && progress->waited >= patience);
}

/* Is a checkpoint due after this step, by the configuration? (Minutes are rank 0's to count: they come with
 * the step.) */
static int is_due(const struct run *run, int epoch_ended)
{
    const struct progress *progress = &run->progress;
    int64_t every = run->config->checkpoint.every;
    switch (run->config->checkpoint.unit) {
    case INTERVAL_EPOCHS:
        return epoch_ended && (progress->epoch - 1) % every == 0;
    case INTERVAL_STEPS:
        return progress->step % every == 0;
    case INTERVAL_MINUTES:
        return 0;
    }
    return 0;
}

void run_keep_lock(struct run *run)
{
    if (run->lock && lock_beat(run->lock))
        comm_fatal(run->comm, run->progress.step, EXIT_CODE_IO,
            "%s/lock: was removed, or taken over by another job: this one ends without saving",
            run->directory);
}

/* What hangs on a step, or on the end of an epoch that a stop has put off: little time may be left when a run
 * is to stop, and a validation is then for the run that goes on from here. */
static int settle(
    struct run *run, enum stop_reason *stop, int epoch_ended, int save, int *over, struct error *error)
{
    int best = 0, validates = epoch_ended && run->valid;
    if (epoch_ended && !(validates && *stop != STOP_NOT) && end_epoch(run, stop, &best, error))
        return -1;
    if (validates && *stop != STOP_NOT)
        return *over = 1, run_save(run, 1, 0, 0, error);
    int finished = run_is_over(run);
    run->progress.finished = finished;
    *over = finished || *stop != STOP_NOT;
    if (finished)
        *stop = STOP_NOT;
    int due = save || is_due(run, epoch_ended);
    return *over || due || best ? run_save(run, *over || due, best, due, error) : 0;
}

/* One step and what hangs on it. *over: the run is finished or was stopped, as `stop` says. */
static int advance(struct run *run, enum stop_reason *stop, int *over, struct error *error)
{
    struct outcome outcome;
    int save;
    double start = clock_now();
    if (run_step(run, &outcome, stop, &save, error))
        return -1;
    run_keep_lock(run);
    add_metrics(run, "train", run->feed.now.epoch, &outcome);
    report_step(&run->report, run->feed.now.epoch, run->progress.step, (double)outcome.frames, outcome.loss);
    double took = clock_now() - start;
    run->deadline.step = took > run->deadline.step ? took : run->deadline.step;
    return settle(run, stop, run->progress.position == run->feed.plan.steps, save, over, error);
}

static void say_finished(struct run *run)
{
    char path[PATH_MAX + 32];
    const struct progress *progress = &run->progress;
    rundir_checkpoint_path(run->directory, progress->step, path, sizeof path);
    report_line(&run->report,
        "finished: step=%" PRId64 " epoch=%" PRId64 " loss=%.9g error=%.9g best=%.9g weights_hash=%016" PRIx64
        " checkpoint=%s",
        progress->step, progress->epoch - 1, progress->loss, progress->error, progress->best,
        run->weights_hash, path);
}

static int end_stopped(struct run *run, enum stop_reason stop)
{
    char reason[64];
    if (stop == STOP_TIME)
        snprintf(reason, sizeof reason, "the time limit is near");
    else
        snprintf(reason, sizeof reason, "asked to by %s", stop_signal_name(stop_signal()));
    write_status(run, "stopped", reason);
    if (run->comm->rank == 0)
        report_line(&run->report,
            "stopped: step=%" PRId64 " epoch=%" PRId64 " reason=%s weights_hash=%016" PRIx64,
            run->progress.step, run->progress.epoch, reason, run->weights_hash);
    return run->options->stop_exit_code;
}

static int end_failed(struct run *run, const struct error *error)
{
    if (run->comm->rank == 0)
        log_line(LOG_ERROR, "%s", error->text);
    write_status(run, error->code == EXIT_CODE_DIVERGED ? "diverged" : "failed", error->text);
    return error->code;
}

int run_train(struct run *run)
{
    struct error error;
    enum stop_reason stop = STOP_NOT;
    int over = 0;
    if (run_open(run, &over, &error)) {
        if (run->comm->rank == 0)
            log_line(LOG_ERROR, "%s", error.text);
        return error.code;
    }
    int put_off = !over && run->progress.position == run->feed.plan.steps;
    while (!over) {
        int failed = put_off ? settle(run, &stop, 1, 0, &over, &error) : advance(run, &stop, &over, &error);
        if (failed && run_go_back(run, &error))
            return end_failed(run, &error);
        put_off = failed && run->progress.position == run->feed.plan.steps; /* of where it went back to */
    }
    if (stop != STOP_NOT)
        return end_stopped(run, stop);
    write_status(run, "finished", "");
    if (run->comm->rank == 0)
        say_finished(run);
    return EXIT_CODE_OK;
}

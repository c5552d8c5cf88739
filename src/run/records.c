#include "run/records.h"

#include "base/array.h"
#include "base/log.h"
#include "base/memory.h"
#include "ckpt/place.h"
#include "ckpt/status.h"
#include "comm/launcher.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void log_warning(void *context, const char *text)
{
    log_line(LOG_WARNING, "%s", text);
}

/* A run that ended before its first checkpoint has nothing to go on from: the same command begins it again,
 * from the same weights. */
int records_check_place(const char *directory, const struct train_options *options, struct error *error)
{
    if (place_check(directory, error) || place_check_config(directory, options->config, error))
        return -1;
    if (!options->init || options->fresh || !directory_has_step(directory))
        return 0;
    return error_set(error, EXIT_CODE_DATA,
        "%s: holds a run, which --init would not change: leave --init out to continue that run, give --fresh "
        "too to start over from these weights, or choose another run directory (-o)",
        directory);
}

static int take_place(struct records *records, struct error *error)
{
    char warning[512] = "";
    if (rundir_create(records->directory, error))
        return -1;
    records->lock = lock_take(records->directory, launcher_get()->job, warning, sizeof warning, error);
    if (!records->lock)
        return -1;
    if (*warning)
        log_line(LOG_WARNING, "%s", warning);
    return 0;
}

int records_open(struct records *records, const struct comm *comm, const char *directory,
    const struct train_options *options, struct error *error)
{
    records->comm = comm;
    records->directory = directory;
    if (comm->rank != 0)
        return 0;
    if (records_check_place(directory, options, error) || (!options->trial && take_place(records, error)))
        return -1;
    records->own = (struct own){.directory = directory, .warn = log_warning};
    status_find_run(&records->own);
    return 0;
}

int records_gather_hosts(struct records *records, struct error *error)
{
    const struct comm *comm = records->comm;
    if (comm->rank == 0) {
        records->busy = memory_create((size_t)comm->ranks, sizeof *records->busy, error);
        records->hosts = memory_create((size_t)comm->ranks, RECORDS_HOST, error);
    }
    if (comm_agree(comm, error))
        return -1;
    comm_gather_texts(comm, comm->host, RECORDS_HOST, records->hosts);
    return 0;
}

void records_gather_busy(struct records *records, double busy)
{
    comm_gather_doubles(records->comm, busy, records->busy);
}

void records_close(struct records *records)
{
    metrics_close(records->metrics);
    flow_file_close(records->flow_file);
    flow_curves_finish(&records->flow.curves);
    lock_release(records->lock);
    memory_destroy(records->busy);
    memory_destroy(records->hosts);
    free(records->ends.step);
    own_finish(&records->own);
    *records = (struct records){0};
}

void records_note_end(struct records *records, const struct progress *progress)
{
    struct epoch_ends *ends = &records->ends;
    if (records->comm->rank != 0)
        return;
    double *step = array_grow(ends->step, &records->ends_room, ends->n, sizeof *step);
    if (!step)
        comm_fatal(records->comm, progress->step, EXIT_CODE_INTERNAL,
            "out of memory for where epochs ended: the last checkpoint is there to go on from");
    ends->step = step;
    ends->step[ends->n++] = (double)progress->step;
}

int records_take_ends(struct records *records, const struct epoch_ends *ends, struct error *error)
{
    double *step = array_reserve(records->ends.step, &records->ends_room, ends->n, sizeof *step);
    if (ends->n && !step)
        return error_set(error, EXIT_CODE_INTERNAL, "out of memory");
    records->ends.step = step;
    records->ends.n = ends->n;
    if (ends->n)
        memcpy(step, ends->step, ends->n * sizeof *step);
    return 0;
}

static int write_status(
    const struct records *records, const char *state, int64_t step, const char *reason, struct error *error)
{
    struct run_status status = {.step = step};
    snprintf(status.state, sizeof status.state, "%s", state);
    snprintf(status.reason, sizeof status.reason, "%s", reason);
    snprintf(status.run, sizeof status.run, "%s", records->own.run);
    return status_write(records->directory, &status, error);
}

static int write_config(const char *directory, const struct config *config, struct error *error)
{
    char *text = config_write(config, 1, error);
    int failed = !text || rundir_write_file(directory, "config.ini", text, strlen(text), error);
    memory_destroy(text);
    return failed;
}

static void warn(const char *warning)
{
    if (*warning)
        log_line(LOG_WARNING, "%s", warning);
}

int records_take_flow(struct records *records, const struct flow_record *flow, struct error *error)
{
    flow_curves_finish(&records->flow.curves);
    records->flow = *flow;
    return flow_curves_copy(&records->flow.curves, &flow->curves, error);
}

static int open_files(struct records *records, const struct progress *progress, struct error *error)
{
    char warning[1024];
    records->metrics =
        metrics_open(records->directory, progress, &records->ends, warning, sizeof warning, error);
    if (!records->metrics)
        return -1;
    warn(warning);
    records->flow_file = flow_file_open(
        records->directory, &records->config->model, &records->flow, warning, sizeof warning, error);
    if (!records->flow_file)
        return -1;
    warn(warning);
    return 0;
}

int records_sync(struct records *records, struct progress *progress, struct error *error)
{
    char warning[1024];
    if (metrics_sync(records->metrics, progress, &records->ends, warning, sizeof warning, error))
        return -1;
    warn(warning);
    if (flow_file_sync(records->flow_file, &records->flow, warning, sizeof warning, error))
        return -1;
    warn(warning);
    return 0;
}

/* The status comes first: it is what shows that the folder is a run's. */
int records_begin(struct records *records, const struct config *config, const struct progress *progress,
    int fresh, struct error *error)
{
    const char *directory = records->directory;
    if (records->comm->rank != 0)
        return 0;
    if ((fresh && rundir_clear(directory, error)) ||
        write_status(records, "running", progress->step, "", error))
        return -1;
    if (fresh)
        records->own.known = 0; /* those rows are gone */
    lock_holder(records->lock, &records->holder);
    records->begun = 1;
    records->config = config;
    if (write_config(directory, config, error))
        return -1;
    return open_files(records, progress, error);
}

/* The checkpoints of later steps go first, as they need the rows of metrics.csv that go then. */
int records_go_back(struct records *records, const struct progress *progress, struct error *error)
{
    if (records->comm->rank != 0)
        return 0;
    metrics_close(records->metrics);
    flow_file_close(records->flow_file);
    records->metrics = NULL;
    records->flow_file = NULL;
    if (rundir_forget_later(&records->own, progress->step, error))
        return -1;
    return open_files(records, progress, error);
}

void records_keep_lock(const struct records *records, int64_t step)
{
    if (records->lock && lock_beat(records->lock))
        comm_fatal(records->comm, step, EXIT_CODE_IO,
            "%s/lock: was removed, or taken over by another job: this one ends without saving",
            records->directory);
}

void records_tell_end(const struct records *records, int64_t step, int code, const char *text)
{
    char reason[1024];
    struct error error;
    if (!records->begun || !lock_held_by(records->directory, &records->holder))
        return;
    snprintf(reason, sizeof reason, "rank %d on %s: %s", records->comm->rank, records->comm->host, text);
    write_status(records, code == EXIT_CODE_DIVERGED ? "diverged" : "failed", step, reason, &error);
}

void records_write_status(const struct records *records, const char *state, int64_t step, const char *reason)
{
    struct error error = {0};
    if (records->comm->rank == 0 && write_status(records, state, step, reason, &error))
        log_line(LOG_ERROR, "%s", error.text);
}

/* What could not be written may not be missing: all ranks end. */
static void end_without_row(
    struct records *records, const struct progress *progress, const struct error *error)
{
    records_write_status(records, "failed", progress->step, error->text);
    lock_release(records->lock);
    comm_fatal(records->comm, progress->step, error->code, "%s", error->text);
}

static void add_row(struct records *records, const char *split, const struct progress *progress,
    const struct outcome *outcome)
{
    const struct metrics_row row = {.step = progress->step,
        .epoch = progress->epoch,
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
    if (metrics_add(records->metrics, &row, &error))
        end_without_row(records, progress, &error);
}

void records_add_step(struct records *records, const struct progress *progress, const struct outcome *outcome,
    const struct ballot *ballot)
{
    if (records->comm->rank != 0)
        return;
    records->waited += ballot->waited;
    records->epoch_seconds += outcome->seconds;
    add_row(records, "train", progress, outcome);
    report_step(&records->report, progress->epoch, progress->step, (double)outcome->frames, outcome->loss);
}

void records_add_validation(
    struct records *records, const struct progress *progress, const struct outcome *outcome)
{
    if (records->comm->rank == 0)
        add_row(records, "valid", progress, outcome);
}

void records_add_flow(struct records *records, const struct progress *progress)
{
    struct error error;
    if (flow_file_add(records->flow_file, &records->flow, &error))
        end_without_row(records, progress, &error);
}

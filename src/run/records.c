#include "run/records.h"

#include "base/log.h"
#include "base/memory.h"
#include "comm/launcher.h"

#include <string.h>

int records_open(struct records *records, const struct comm *comm, const char *directory, struct error *error)
{
    char warning[512] = "";
    records->comm = comm;
    records->directory = directory;
    if (comm->rank != 0)
        return 0;
    records->busy = memory_create((size_t)comm->ranks, sizeof *records->busy, error);
    if (!records->busy || rundir_create(directory, error))
        return -1;
    records->lock = lock_take(directory, launcher_get()->job, warning, sizeof warning, error);
    if (!records->lock)
        return -1;
    if (*warning)
        log_line(LOG_WARNING, "%s", warning);
    return 0;
}

void records_close(struct records *records)
{
    metrics_close(records->metrics);
    lock_release(records->lock);
    memory_destroy(records->busy);
    *records = (struct records){0};
}

static int write_config(const char *directory, const struct config *config, struct error *error)
{
    char *text = config_write(config, 1, error);
    int failed = !text || rundir_write_file(directory, "config.ini", text, strlen(text), error);
    memory_destroy(text);
    return failed;
}

int records_begin(struct records *records, const struct config *config, const struct progress *progress,
    int fresh, struct error *error)
{
    const char *directory = records->directory;
    if (records->comm->rank != 0)
        return 0;
    if ((fresh && rundir_clear(directory, error)) || write_config(directory, config, error))
        return -1;
    records->metrics = metrics_open(directory, progress->metrics_rows, error);
    return records->metrics ? rundir_write_status(directory, "running", progress->step, "", error) : -1;
}

/* The checkpoints of later steps go first, as they need the rows of metrics.csv that go then. */
int records_go_back(struct records *records, const struct progress *progress, struct error *error)
{
    if (records->comm->rank != 0)
        return 0;
    metrics_close(records->metrics);
    records->metrics = NULL;
    if (rundir_forget_later(records->directory, progress->step, error))
        return -1;
    records->metrics = metrics_open(records->directory, progress->metrics_rows, error);
    return records->metrics ? 0 : -1;
}

void records_keep_lock(const struct records *records, int64_t step)
{
    if (records->lock && lock_beat(records->lock))
        comm_fatal(records->comm, step, EXIT_CODE_IO,
            "%s/lock: was removed, or taken over by another job: this one ends without saving",
            records->directory);
}

void records_write_status(const struct records *records, const char *state, int64_t step, const char *reason)
{
    struct error error = {0};
    if (records->comm->rank == 0 && rundir_write_status(records->directory, state, step, reason, &error))
        log_line(LOG_ERROR, "%s", error.text);
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
    if (metrics_add(records->metrics, &row, &error) == 0)
        return;
    records_write_status(records, "failed", progress->step, error.text);
    lock_release(records->lock);
    comm_fatal(records->comm, progress->step, error.code, "%s", error.text);
}

void records_add_step(struct records *records, const struct progress *progress, const struct outcome *outcome,
    const struct ballot *ballot)
{
    if (records->comm->rank != 0)
        return;
    for (int r = 0; r < records->comm->ranks; r++)
        records->busy[r] += ballot->replica[r].busy;
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

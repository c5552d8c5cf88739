/* This file prints the lines of a run on standard output. Scripts read the words before the equals signs. */
#include "run/records.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>

/* Describes which rank computed longest in the epoch, and the share of their time that ranks waited for
 * others. What they waited in a step is told with the next, so that a share of more than all is possible and
 * cut off. */
static void describe_waits(
    const struct records *records, const struct ballot *ballot, char *text, size_t size)
{
    int slowest = 0, ranks = records->comm->ranks;
    for (int r = 1; r < ranks; r++)
        if (records->busy[r] > records->busy[slowest])
            slowest = r;
    double share = records->epoch_seconds > 0 ? records->waited / records->epoch_seconds / ranks : 0;
    snprintf(text, size, "slowest=%d@%s wait=%.2f", slowest, ballot->hosts + BALLOT_HOST * slowest,
        share < 1 ? share : 1);
}

static void forget_waits(struct records *records)
{
    for (int r = 0; r < records->comm->ranks; r++)
        records->busy[r] = 0;
    records->waited = records->epoch_seconds = 0;
}

void records_print_epoch(struct records *records, const struct progress *progress,
    const struct outcome *validation, const struct learner *learner)
{
    char waits[BALLOT_HOST + 64];
    if (records->comm->rank != 0)
        return;
    describe_waits(records, &learner->ballot, waits, sizeof waits);
    report_line(&records->report,
        "epoch=%" PRId64 " step=%" PRId64 " loss=%.9g error=%.9g valid_loss=%.9g valid_error=%.9g "
        "weights_hash=%016" PRIx64 " %s",
        progress->epoch, progress->step, progress->train_loss, progress->train_error, validation->loss,
        validation->error, learner->weights_hash, waits);
    forget_waits(records);
}

void records_print_finished(
    struct records *records, const struct progress *progress, const struct learner *learner)
{
    char path[PATH_MAX + 32];
    if (records->comm->rank != 0)
        return;
    directory_step_path(records->directory, progress->step, path, sizeof path);
    report_line(&records->report,
        "finished: step=%" PRId64 " epoch=%" PRId64 " loss=%.9g error=%.9g best=%.9g weights_hash=%016" PRIx64
        " checkpoint=%s",
        progress->step, progress->epoch - 1, progress->loss, progress->error, progress->best,
        learner->weights_hash, path);
}

void records_print_stopped(struct records *records, const struct progress *progress,
    const struct learner *learner, const char *reason)
{
    if (records->comm->rank == 0)
        report_line(&records->report,
            "stopped: step=%" PRId64 " epoch=%" PRId64 " reason=%s weights_hash=%016" PRIx64, progress->step,
            progress->epoch, reason, learner->weights_hash);
}

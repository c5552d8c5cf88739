/* This file prints the lines of a run on standard output. Scripts read the words before the equals signs. */
#include "run/records.h"

#include "ckpt/norms.h"
#include "ckpt/totals.h"
#include "pass/flow.h"

#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>

enum { FIGURES = 256, LINE_PATH = PATH_MAX + 32 };

/* Describes which rank computed longest in the epoch, and the share of their time that ranks waited for
 * others. What they waited in a step is told with the next, so that a share of more than all is possible and
 * cut off. */
static void describe_waits(const struct records *records, char *text, size_t size)
{
    int slowest = 0, ranks = records->comm->ranks;
    for (int r = 1; r < ranks; r++)
        if (records->busy[r] > records->busy[slowest])
            slowest = r;
    double share = records->epoch_seconds > 0 ? records->waited / records->epoch_seconds / ranks : 0;
    snprintf(text, size, "slowest=%d@%s wait=%.2f", slowest, records->hosts + RECORDS_HOST * slowest,
        share < 1 ? share : 1);
}

static void forget_waits(struct records *records)
{
    records->waited = records->epoch_seconds = 0;
}

/* Appends what the epoch's gradients came to, and how far they reach where that was measured. */
static void describe_gradients(
    const struct records *records, const struct progress *progress, char *figures, size_t size)
{
    double clip = records->config->train.optim.clip;
    struct epoch_norms norms = norms_read(records->directory, progress->epoch, progress->position, clip);
    report_figure(figures, size, "gradient_norm", norms.median);
    report_figure(figures, size, "clipped", norms.clipped);
    if (records->flow.epoch == progress->epoch)
        flow_report_reach(figures, size, flow_find_least_reach(&records->flow.curves));
}

static void print_epoch(struct records *records, const struct progress *progress,
    const struct outcome *validation, const struct learner *learner)
{
    char waits[RECORDS_HOST + 64], figures[FIGURES] = "";
    describe_waits(records, waits, sizeof waits);
    report_figure(figures, sizeof figures, "loss", progress->train_loss);
    report_figure(figures, sizeof figures, "error", progress->train_error);
    report_figure(figures, sizeof figures, "valid_loss", validation->loss);
    report_figure(figures, sizeof figures, "valid_error", validation->error);
    describe_gradients(records, progress, figures, sizeof figures);
    if (net_count_trained(learner->net) < learner->P)
        report_figure(figures, sizeof figures, "trained", (double)net_count_trained(learner->net));
    report_line(&records->report, "epoch=%" PRId64 " step=%" PRId64 "%s weights_hash=%016" PRIx64 " %s",
        progress->epoch, progress->step, figures, learner_hash_weights(learner), waits);
}

void records_print_epoch(struct records *records, const struct progress *progress,
    const struct outcome *validation, const struct learner *learner)
{
    if (records->comm->rank != 0)
        return;
    if (!records->terse)
        print_epoch(records, progress, validation, learner);
    forget_waits(records);
}

/* Appends what is known of the best epoch. Its error stands in best.h5, whose path is written too, where it
 * can be read. */
static void describe_best(const struct records *records, const struct progress *progress, char *figures,
    size_t size, char path[static LINE_PATH])
{
    struct checkpoint best;
    path[0] = '\0';
    if (progress->best_epoch == 0)
        return;
    report_figure(figures, size, "best", progress->best);
    report_figure(figures, size, "best_epoch", (double)progress->best_epoch);
    checkpoint_init(&best);
    snprintf(path, LINE_PATH, "%s/best.h5", records->directory);
    if (checkpoint_read(path, CHECKPOINT_ANY, &best, NULL))
        path[0] = '\0';
    else
        report_figure(figures, size, "best_error", best.progress.error);
    checkpoint_finish(&best);
}

void records_print_finished(
    struct records *records, const struct progress *progress, const struct learner *learner)
{
    char figures[FIGURES] = "", times[FIGURES] = "", path[LINE_PATH], best[LINE_PATH];
    struct totals totals = {NAN, NAN};
    if (records->comm->rank != 0)
        return;
    report_figure(figures, sizeof figures, "loss", progress->loss);
    report_figure(figures, sizeof figures, "error", progress->error);
    describe_best(records, progress, figures, sizeof figures, best);
    totals_read(records->directory, &totals);
    report_figure(times, sizeof times, "seconds", totals.seconds);
    report_figure(times, sizeof times, "frames_per_second", totals.frames_per_second);
    directory_step_path(records->directory, progress->step, path, sizeof path);
    report_line(&records->report,
        "finished: step=%" PRId64 " epoch=%" PRId64 "%s weights_hash=%016" PRIx64 "%s%s%s checkpoint=%s",
        progress->step, progress->epoch - 1, figures, learner_hash_weights(learner), times,
        *best ? " best_checkpoint=" : "", best, path);
}

void records_print_stopped(struct records *records, const struct progress *progress,
    const struct learner *learner, const char *reason)
{
    if (records->comm->rank == 0)
        report_line(&records->report,
            "stopped: step=%" PRId64 " epoch=%" PRId64 " reason=%s weights_hash=%016" PRIx64, progress->step,
            checkpoint_epoch(progress), reason, learner_hash_weights(learner));
}

/* Measuring gradient flow at the end of an epoch, and what is to be said of it. A stop puts the end of the
 * epoch off, as it does a validation, so that a run that goes on measures what it would have. */
#include "pass/flow.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "run/run.h"

#include <inttypes.h>
#include <stdlib.h>

int run_is_flow_due(const struct run *run)
{
    int64_t every = run->config->report.gradient_flow;
    return every > 0 && run->progress.epoch % every == 0 && run->config->model.layers > 0;
}

/* The validation set, or that of training: of one that is not kept a reader is ahead, and no other may read
 * from it, so that it is opened once more, and *own is that. */
static struct dataset *find_set(const struct run *run, struct dataset **own, struct error *error)
{
    struct dataset *train = run->sets.train;
    if (run->sets.valid || dataset_is_kept(train))
        return run->sets.valid ? run->sets.valid : train;
    *own = dataset_look(run->config->data.train, error);
    if (!*own || dataset_read_as_asked(*own, RUN_FLOW_CACHE, error))
        return NULL;
    (*own)->any_targets = train->any_targets;
    return *own;
}

/* All ranks call. The curves become those of the newest measurement, with its epoch; they stay as they were
 * where a stop broke it off. */
static int measure(struct run *run, struct flow *flow, enum stop_reason *stop, struct error *error)
{
    struct ballot *ballot = &run->learner.ballot;
    struct flow_record *record = &run->records.flow;
    struct flow_curves curves = {0};
    double start = clock_now();
    int left = 0;
    *ballot = (struct ballot){0};
    ballot->failed = error->code != 0 || flow_compute(flow, &left, error) != 0 ||
        flow_curves_init(&curves, flow->directions, flow->distances, error) != 0;
    ballot->failed = sets_look(&run->sets, ballot->failed, error) != 0;
    ballot->left = left;
    records_keep_lock(&run->records, run->progress.step);
    limits_vote(&run->limits, ballot);
    ballot_count(ballot, &run->learner.node);
    limits_note_batch(&run->limits, start);
    int failed = ballot->failed ? comm_agree(run->comm, error) : 0;
    if (!failed && ballot->left)
        *stop = limits_read(ballot);
    if (failed || ballot->left) {
        flow_curves_finish(&curves);
        return failed;
    }
    flow_gather(flow, &curves);
    flow_curves_finish(&record->curves);
    record->curves = curves;
    record->epoch = run->progress.epoch;
    return 0;
}

static int is_longer(const void *a, const void *b)
{
    int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
    return (x > y) - (x < y);
}

/* Half of the training sequences are as long or longer; 0 where there is no memory to find it. */
static int32_t find_median(const struct dataset *set)
{
    int32_t *length = memory_create((size_t)set->sequences, sizeof *length, NULL);
    if (!length)
        return 0;
    dataset_write_lengths(set, length);
    qsort(length, (size_t)set->sequences, sizeof *length, is_longer);
    int32_t median = length[set->sequences / 2];
    memory_destroy(length);
    return median;
}

/* Says what curves show that those measured before did not: a warning a measurement would soon be read by
 * nobody. */
static void warn(const struct run *run, const struct flow_curves *before)
{
    const struct net_config *model = net_get_config(run->learner.net);
    const struct flow_curves *now = &run->records.flow.curves;
    int32_t median = find_median(run->sets.train);
    char text[600];
    if (flow_describe_short(model, now, median, text, sizeof text) &&
        !flow_describe_short(model, before, median, (char[600]){0}, 600))
        log_line(LOG_WARNING, "epoch %" PRId64 ": %s", run->progress.epoch, text);
    if (flow_describe_growth(model, now, text, sizeof text) &&
        !flow_describe_growth(model, before, (char[600]){0}, 600))
        log_line(LOG_WARNING, "epoch %" PRId64 ": %s", run->progress.epoch, text);
}

/* Each rank calls this for itself. A failure is this rank's alone. */
static void prepare(struct run *run, struct flow *flow, struct dataset **own, struct error *error)
{
    struct flow_task task = {.comm = run->comm,
        .net = run->learner.net,
        .dataset = find_set(run, own, error),
        .mean = run->sets.mean_float,
        .deviation = run->sets.deviation_float,
        .microbatch = run->config->train.microbatch,
        .stop = run->learner.stop};
    if (task.dataset)
        flow_init(flow, &task, error);
}

int run_measure_flow(struct run *run, enum stop_reason *stop, struct error *error)
{
    struct flow flow = {0};
    struct dataset *own = NULL;
    struct flow_curves before = {0};
    *error = (struct error){0};
    prepare(run, &flow, &own, error);
    if (error->code == 0)
        flow_curves_copy(&before, &run->records.flow.curves, error);
    int failed = measure(run, &flow, stop, error);
    flow_finish(&flow);
    dataset_close(own);
    if (!failed && *stop == STOP_NOT && run->comm->rank == 0) {
        records_add_flow(&run->records, &run->progress);
        warn(run, &before);
    }
    flow_curves_finish(&before);
    return failed ? -1 : 0;
}

/* Sequence by sequence, and of each direction by direction, the work is a row of equal items, of which each
 * rank takes a contiguous part: where ranks are few, whole sequences, as many of them together as memory is
 * taken for anyway. One sequence alone computes slower, as products of single rows do, and gives the same
 * bits. */
#include "pass/flow.h"

#include "base/memory.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* What is computed in one pass: sequences first .. first + sequences - 1 of those chosen. */
struct part {
    size_t first, sequences;
    size_t from, to; /* directions */
};

/* Keeps the longest in order, the first of equals before. */
static void take_sequence(struct flow *flow, int64_t sequence, int32_t length)
{
    size_t place = flow->n;
    while (place > 0 && flow->length[place - 1] < length)
        place--;
    if (place == FLOW_SEQUENCES)
        return;
    flow->n += flow->n < FLOW_SEQUENCES;
    for (size_t i = flow->n - 1; i > place; i--) {
        flow->sequence[i] = flow->sequence[i - 1];
        flow->length[i] = flow->length[i - 1];
    }
    flow->sequence[place] = sequence;
    flow->length[place] = length;
}

static void choose(struct flow *flow, const struct flow_task *task)
{
    *flow = (struct flow){.task = *task};
    for (int64_t s = 0; s < task->dataset->sequences; s++)
        take_sequence(flow, s, dataset_length(task->dataset, s));
    flow->directions = flow_count_directions(net_get_config(task->net));
    flow->distances = flow_count_distances(flow->length[0]);
}

int flow_init(struct flow *flow, const struct flow_task *task, struct error *error)
{
    choose(flow, task);
    flow->norm =
        memory_create(flow->directions * flow->distances * FLOW_SEQUENCES, sizeof *flow->norm, error);
    return flow->norm ? 0 : -1;
}

void flow_finish(struct flow *flow)
{
    memory_destroy(flow->norm);
    *flow = (struct flow){0};
}

/* How many of at most `most` sequences from `first` on are computed together. */
static size_t count_together(const struct flow *flow, size_t first, size_t most)
{
    const struct dataset *set = flow->task.dataset;
    int64_t room = flow->task.microbatch * set->frames / set->sequences, frames = 0;
    size_t n = 0;
    do
        frames += flow->length[first + n++];
    while (n < most && frames + flow->length[first + n] <= room);
    return n;
}

/* The next part of items *item .. end - 1. Returns 0 where there is none. */
static int next_part(const struct flow *flow, size_t *item, size_t end, struct part *part)
{
    size_t D = flow->directions, left = end - *item;
    if (left == 0)
        return 0;
    *part = (struct part){.first = *item / D, .sequences = 1, .from = *item % D, .to = D};
    if (part->from == 0 && left >= D)
        part->sequences = count_together(flow, part->first, left / D);
    else if (D - part->from > left)
        part->to = part->from + left;
    *item += (part->sequences - 1) * D + part->to - part->from;
    return 1;
}

/* The items of a rank: none where nothing has a distance. */
static size_t first_item(const struct flow *flow, int rank, int ranks)
{
    size_t items = flow->distances ? flow->n * flow->directions : 0;
    return items * (size_t)rank / (size_t)ranks;
}

/* norms [directions of the part][B][T] of a microbatch. */
static void take_norms(struct flow *flow, const struct part *part, size_t T, const double *norms)
{
    for (size_t n = part->from; n < part->to; n++)
        for (size_t b = 0; b < part->sequences; b++, norms += T)
            for (size_t k = 0; k < flow_count_distances(flow->length[part->first + b]); k++)
                flow->norm[(n * flow->distances + k) * FLOW_SEQUENCES + part->first + b] =
                    norms[(size_t)1 << k];
}

static int compute_part(
    struct flow *flow, const struct part *part, struct microbatch *microbatch, struct error *error)
{
    const struct flow_task *task = &flow->task;
    const struct net_pass pass = {.unwanted = task->stop};
    if (dataset_read_microbatch(task->dataset, part->sequences, flow->sequence + part->first, task->mean,
            task->deviation, microbatch, error))
        return -1;
    size_t numbers = (part->to - part->from) * part->sequences * microbatch->T;
    double *norms = memory_create(numbers, sizeof *norms, error);
    const struct net_flow wanted = {.first = part->from, .end = part->to, .norms = norms};
    int failed = !norms || net_measure_flow(task->net, &pass, microbatch, &wanted, error);
    if (!failed)
        take_norms(flow, part, microbatch->T, norms);
    memory_destroy(norms);
    comm_show_life(task->comm);
    return failed ? -1 : 0;
}

int flow_compute(struct flow *flow, int *left, struct error *error)
{
    const struct comm *comm = flow->task.comm;
    size_t item = first_item(flow, comm->rank, comm->ranks), failed = 0;
    size_t end = first_item(flow, comm->rank + 1, comm->ranks);
    struct microbatch microbatch;
    struct part part;
    *left = 0;
    microbatch_init(&microbatch);
    while (!failed && !*left && next_part(flow, &item, end, &part)) {
        failed = compute_part(flow, &part, &microbatch, error) != 0;
        *left = flow->task.stop && *flow->task.stop;
    }
    microbatch_finish(&microbatch);
    return failed ? -1 : 0;
}

void flow_gather(struct flow *flow, struct flow_curves *curves)
{
    size_t distances = flow->distances, numbers = flow->directions * distances;
    comm_sum(flow->task.comm, flow->norm, numbers * FLOW_SEQUENCES); /* each is one rank's */
    for (size_t i = 0; i < numbers; i++) {
        size_t n = flow->n;
        while (flow_count_distances(flow->length[n - 1]) <= i % distances)
            n--;
        curves->norm[i] = flow_mean(flow->norm + i * FLOW_SEQUENCES, n);
    }
}

void flow_report_reach(char *line, size_t size, struct flow_reach reach)
{
    char text[32];
    size_t n = strlen(line);
    if (isnan(reach.distance))
        return;
    flow_write_reach(reach, text, sizeof text);
    snprintf(line + n, size - n, " gradient_reach=%s", text);
}

/* Lays out a microbatch as compute_part has it, without values. */
static size_t count_part(const struct flow *flow, const struct part *part, struct microbatch *microbatch)
{
    const struct dataset *set = flow->task.dataset;
    struct microbatch_format format = dataset_format(set), layout = format;
    int32_t labels[FLOW_SEQUENCES];
    layout.inputs = layout.values = 0;
    layout.has_classes = 1;
    for (size_t b = 0; b < part->sequences; b++)
        labels[b] = dataset_targets(set, flow->sequence[part->first + b]);
    if (microbatch_resize(microbatch, &layout, part->sequences, flow->length + part->first,
            flow->sequence + part->first, labels, NULL))
        return 0;
    size_t B = part->sequences, T = microbatch->T;
    return net_flow_bytes(flow->task.net, microbatch) + microbatch_rows_bytes(B, T) +
        microbatch_frames_bytes(&format, B, microbatch->N, microbatch->target_rows) +
        (part->to - part->from) * B * T * sizeof(double);
}

size_t flow_count_bytes(const struct flow_task *task, int ranks)
{
    struct flow flow;
    struct microbatch microbatch;
    struct part part;
    size_t most = 0;
    choose(&flow, task);
    microbatch_init(&microbatch);
    for (int rank = 0; rank < ranks && rank < (int)(flow.n * flow.directions); rank++) {
        size_t item = first_item(&flow, rank, ranks), end = first_item(&flow, rank + 1, ranks);
        while (next_part(&flow, &item, end, &part)) {
            size_t bytes = count_part(&flow, &part, &microbatch);
            most = bytes > most ? bytes : most;
        }
    }
    microbatch_finish(&microbatch);
    return most;
}

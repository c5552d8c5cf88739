/* The labels that ctc and decoder make of sequences. How many there are is known only when they are made, so
 * rank 0 keeps them, four bytes each, and they get their place behind the other sets of the file at its end.
 * Steps take the sequences in the order of the file; within a step they are sorted, on rank 0, by sequence.
 */
#include "predict/labels.h"
#include "base/memory.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static int list_grow(struct list *list, size_t more, struct error *error)
{
    if (more <= list->room - list->n)
        return 0;
    size_t room = 2 * list->room + more;
    int32_t *wider = memory_create(room, sizeof *wider, error);
    if (!wider)
        return -1;
    if (list->n)
        memcpy(wider, list->values, list->n * sizeof *wider);
    memory_destroy(list->values);
    list->values = wider;
    list->room = room;
    return 0;
}

int predict_begin_labels(struct predict *predict, struct error *error)
{
    struct predict_labels *labels = &predict->labels;
    size_t sequences = (size_t)predict->dataset->sequences;
    labels->counts = memory_create((size_t)predict->comm->ranks, sizeof *labels->counts, error);
    if (predict->comm->rank == 0)
        labels->offsets = memory_create(sequences + 1, sizeof *labels->offsets, error);
    return labels->counts && (labels->offsets || predict->comm->rank != 0) ? 0 : -1;
}

int predict_keep_labels(struct predict *predict, const struct microbatch *microbatch,
    const struct net_outputs *outputs, struct error *error)
{
    struct list *step = &predict->labels.step;
    const size_t *start = outputs->label_start;
    assert(start);
    if (list_grow(step, microbatch->B + start[microbatch->B], error))
        return -1;
    for (size_t b = 0; b < microbatch->B; b++) {
        size_t n = start[b + 1] - start[b];
        step->values[step->n++] = (int32_t)n;
        if (n)
            memcpy(step->values + step->n, outputs->labels + start[b], n * sizeof *outputs->labels);
        step->n += n;
    }
    return 0;
}

/* A sequence in what was collected: its count, then its labels. */
struct collected_labels {
    int64_t sequence;
    const int32_t *at;
};

static int compare_items(const void *a, const void *b)
{
    const struct collected_labels *x = a, *y = b;
    return (x->sequence > y->sequence) - (x->sequence < y->sequence);
}

/* Rank 0. */
static int order_labels(struct predict *predict, struct error *error)
{
    struct predict_labels *labels = &predict->labels;
    const struct plan_step *plan = &predict->feed.now.plan;
    struct collected_labels *items = memory_create(plan->sequences, sizeof *items, error);
    if (!items || list_grow(&labels->collected, labels->all.n, error)) {
        memory_destroy(items);
        return -1;
    }
    const int32_t *at = labels->all.values;
    for (size_t i = 0; i < plan->sequences; i++, at += 1 + *at)
        items[i] = (struct collected_labels){plan->sequence[i], at};
    qsort(items, plan->sequences, sizeof *items, compare_items);
    struct list *out = &labels->collected;
    for (size_t i = 0; i < plan->sequences; i++) {
        size_t n = (size_t)*items[i].at;
        memcpy(out->values + out->n, items[i].at + 1, n * sizeof *out->values);
        out->n += n;
        labels->offsets[items[i].sequence + 1] = (int64_t)out->n;
    }
    memory_destroy(items);
    return 0;
}

int predict_collect_labels(struct predict *predict, struct error *error)
{
    struct predict_labels *labels = &predict->labels;
    const struct comm *comm = predict->comm;
    size_t total = 0, *bytes = predict->output.counts;
    memset(labels->counts, 0, (size_t)comm->ranks * sizeof *labels->counts);
    labels->counts[comm->rank] = (double)labels->step.n;
    comm_sum(comm, labels->counts, (size_t)comm->ranks);
    for (int r = 0; r < comm->ranks; r++) {
        bytes[r] = (size_t)labels->counts[r] * sizeof(int32_t);
        total += (size_t)labels->counts[r];
    }
    labels->all.n = 0;
    if (comm->rank == 0)
        list_grow(&labels->all, total, error);
    if (comm_agree(comm, error))
        return -1;
    comm_collect(comm, labels->step.values, bytes[comm->rank], bytes, labels->all.values);
    labels->step.n = 0;
    labels->all.n = total;
    return comm->rank == 0 ? order_labels(predict, error) : 0;
}

int predict_write_labels(struct predict *predict, struct error *error)
{
    struct predict_labels *labels = &predict->labels;
    struct h5_table *table = predict->output.table;
    int64_t n = (int64_t)labels->collected.n, offsets = predict->dataset->sequences + 1;
    size_t column = h5_table_add(table, "labels", H5_INT32, 1, &n);
    size_t places = h5_table_add(table, "label_offsets", H5_INT64, 1, &offsets);
    return h5_table_write(table, column, 0, n, labels->collected.values, error) ||
            h5_table_write(table, places, 0, offsets, labels->offsets, error)
        ? -1
        : 0;
}

void predict_destroy_labels(struct predict *predict)
{
    struct predict_labels *labels = &predict->labels;
    memory_destroy(labels->step.values);
    memory_destroy(labels->counts);
    memory_destroy(labels->all.values);
    memory_destroy(labels->collected.values);
    memory_destroy(labels->offsets);
}

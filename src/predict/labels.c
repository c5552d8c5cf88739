/* The labels that ctc and decoder make of sequences. How many there are is known only when they are made, so
 * for an HDF5 file rank 0 keeps them, four bytes each, and they get their place behind the other sets at its
 * end.
 * Steps take the sequences in the order of the file; within a step they are sorted, on rank 0, by sequence.
 */
#include "predict/labels.h"

#include "base/array.h"
#include "base/memory.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Makes room for `more` numbers behind those that the list has. */
static int reserve(struct label_list *list, size_t more, struct error *error)
{
    int32_t *values = array_reserve(list->values, &list->room, list->count + more, sizeof *values);
    if (!values)
        return error_set(error, EXIT_CODE_INTERNAL, "out of memory: no room for %zu labels of the outputs",
            list->count + more);
    list->values = values;
    return 0;
}

int predict_labels_init(
    struct predict_labels *labels, const struct node *node, int64_t sequences, struct error *error)
{
    const struct comm *comm = node->comm;
    *labels = (struct predict_labels){.node = node, .sequences = sequences};
    labels->counts = memory_create((size_t)comm->ranks, sizeof *labels->counts, error);
    labels->bytes = memory_create((size_t)comm->ranks, sizeof *labels->bytes, error);
    if (comm->rank == 0)
        labels->offsets = memory_create((size_t)sequences + 1, sizeof *labels->offsets, error);
    return labels->counts && labels->bytes && (labels->offsets || comm->rank != 0) ? 0 : -1;
}

void predict_labels_finish(struct predict_labels *labels)
{
    free(labels->step.values);
    free(labels->gathered.values);
    free(labels->ordered.values);
    memory_destroy(labels->counts);
    memory_destroy(labels->bytes);
    memory_destroy(labels->offsets);
}

int predict_labels_keep(struct predict_labels *labels, const struct microbatch *microbatch,
    const struct net_outputs *outputs, struct error *error)
{
    struct label_list *step = &labels->step;
    const size_t *start = outputs->label_start;
    assert(start);
    if (reserve(step, microbatch->B + start[microbatch->B], error))
        return -1;
    for (size_t b = 0; b < microbatch->B; b++) {
        size_t n = start[b + 1] - start[b];
        step->values[step->count++] = (int32_t)n;
        if (n)
            memcpy(step->values + step->count, outputs->labels + start[b], n * sizeof *outputs->labels);
        step->count += n;
    }
    return 0;
}

/* Where a sequence stands in what was gathered: its count, then its labels. */
struct gathered_labels {
    int64_t sequence;
    const int32_t *at;
};

static int compare_sequences(const void *a, const void *b)
{
    const struct gathered_labels *x = a, *y = b;
    return (x->sequence > y->sequence) - (x->sequence < y->sequence);
}

/* Finds where each sequence of the step stands in what was gathered, which has the ranks in their order. */
static void find_items(
    const struct predict_labels *labels, const struct feed_step *step, struct gathered_labels *items)
{
    const struct node *node = labels->node;
    const int32_t *at = labels->gathered.values;
    for (int rank = 0; rank < node->comm->ranks; rank++) {
        const size_t *range = step->ranges + node->place_of[rank];
        for (size_t i = step->plan.start[range[0]]; i < step->plan.start[range[1]]; i++, at += 1 + *at)
            *items++ = (struct gathered_labels){step->plan.sequence[i], at};
    }
}

/* Rank 0 calls. Takes what was gathered of a step over into the order of the set. */
static int order_step(struct predict_labels *labels, const struct feed_step *step, struct error *error)
{
    struct label_list *ordered = &labels->ordered;
    size_t sequences = step->plan.sequences;
    struct gathered_labels *items = memory_create(sequences, sizeof *items, error);
    if (!items || reserve(ordered, labels->gathered.count, error)) {
        memory_destroy(items);
        return -1;
    }
    find_items(labels, step, items);
    qsort(items, sequences, sizeof *items, compare_sequences);
    for (size_t i = 0; i < sequences; i++) {
        size_t n = (size_t)*items[i].at;
        memcpy(ordered->values + ordered->count, items[i].at + 1, n * sizeof *ordered->values);
        ordered->count += n;
        labels->offsets[items[i].sequence + 1] = labels->forgotten + (int64_t)ordered->count;
    }
    labels->end += (int64_t)sequences;
    memory_destroy(items);
    return 0;
}

int predict_labels_gather(struct predict_labels *labels, const struct feed_step *step, struct error *error)
{
    const struct comm *comm = labels->node->comm;
    size_t total = 0;
    memset(labels->counts, 0, (size_t)comm->ranks * sizeof *labels->counts);
    labels->counts[comm->rank] = (double)labels->step.count;
    comm_sum(comm, labels->counts, (size_t)comm->ranks);
    for (int r = 0; r < comm->ranks; r++) {
        labels->bytes[r] = (size_t)labels->counts[r] * sizeof(int32_t);
        total += (size_t)labels->counts[r];
    }
    labels->gathered.count = 0;
    if (comm->rank == 0)
        reserve(&labels->gathered, total, error);
    if (comm_agree(comm, error))
        return -1;
    comm_collect(
        comm, labels->step.values, labels->bytes[comm->rank], labels->bytes, labels->gathered.values);
    labels->step.count = 0;
    labels->gathered.count = total;
    return comm->rank == 0 ? order_step(labels, step, error) : 0;
}

const int32_t *predict_labels_of(const struct predict_labels *labels, int64_t sequence, size_t *n)
{
    const int64_t *offset = labels->offsets + sequence;
    *n = (size_t)(offset[1] - offset[0]);
    return *n ? labels->ordered.values + (offset[0] - labels->forgotten) : NULL;
}

void predict_labels_forget(struct predict_labels *labels)
{
    labels->forgotten += (int64_t)labels->ordered.count;
    labels->ordered.count = 0;
}

int predict_labels_write(const struct predict_labels *labels, struct h5_table *table, struct error *error)
{
    int64_t n = (int64_t)labels->ordered.count, offsets = labels->sequences + 1;
    size_t column = h5_table_add(table, "labels", H5_INT32, 1, &n);
    size_t places = h5_table_add(table, "label_offsets", H5_INT64, 1, &offsets);
    return h5_table_write(table, column, 0, n, labels->ordered.values, error) ||
            h5_table_write(table, places, 0, offsets, labels->offsets, error)
        ? -1
        : 0;
}

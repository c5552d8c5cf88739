/* Sequences are computed in the order of the file, a step of them at a time, but within a step they are
 * sorted by length and dealt to ranks. Each rank puts its rows down sequence by sequence; the shares come to
 * rank 0, a few ranks at a time so that its memory does not grow with their number; there the sequences are
 * put back into order and written, each run of consecutive ones in one piece. So the bytes of the file do not
 * depend on ranks or batch. */
#include "predict/rows.h"

#include "base/memory.h"
#include "net/losses/loss.h"
#include "net/results.h"

#include <stdlib.h>
#include <string.h>

enum { GATHERED_BYTES = 32 << 20 /* of several ranks at once; one rank may have more */ };

/* Where a sequence stands in what was gathered. */
struct gathered_rows {
    int64_t sequence;
    size_t row; /* its first */
};

static int grow(struct scratch *scratch, size_t bytes, struct error *error)
{
    if (bytes <= scratch->bytes)
        return 0;
    memory_destroy(scratch->block);
    scratch->bytes = 0;
    scratch->block = memory_create(bytes, 1, error);
    if (!scratch->block)
        return -1;
    scratch->bytes = bytes;
    return 0;
}

int predict_rows_init(struct predict_rows *rows, const struct node *node, const struct net_config *config,
    const struct dataset *dataset, struct error *error)
{
    const int64_t *start = dataset->input_offsets;
    *rows = (struct predict_rows){.node = node, .config = config, .width = net_count_head(config)};
    rows->counts = memory_create((size_t)node->comm->ranks, sizeof *rows->counts, error);
    rows->offsets = memory_create((size_t)dataset->sequences + 1, sizeof *rows->offsets, error);
    if (!rows->counts || !rows->offsets)
        return -1;
    for (int64_t s = 0; s < dataset->sequences; s++)
        rows->offsets[s + 1] =
            rows->offsets[s] + (int64_t)results_count_rows(config, (size_t)(start[s + 1] - start[s]));
    return 0;
}

void predict_rows_finish(struct predict_rows *rows)
{
    memory_destroy(rows->offsets);
    memory_destroy(rows->counts);
    memory_destroy(rows->share.block);
    memory_destroy(rows->gathered.block);
    memory_destroy(rows->items.block);
    memory_destroy(rows->ordered.block);
    memory_destroy(rows->class_rows.block);
}

void predict_rows_declare(struct predict_rows *rows, struct h5_table *table, int64_t sequences)
{
    int64_t heads = (int64_t)loss_count_heads(rows->config);
    int64_t size[] = {rows->offsets[sequences], (int64_t)rows->width / heads, heads};
    rows->outputs = h5_table_add(table, "outputs", H5_FLOAT32, heads > 1 ? 3 : 2, size);
    if (results_have_classes(rows->config))
        rows->classes = h5_table_add(table, "labels", H5_INT32, 1, size);
}

/* ---- the share of a rank ---- */

static size_t count_rows(const struct predict_rows *rows, int64_t sequence)
{
    return (size_t)(rows->offsets[sequence + 1] - rows->offsets[sequence]);
}

static size_t row_bytes(const struct predict_rows *rows)
{
    return rows->width * sizeof(float);
}

/* The sequences of a rank in the step are plan.sequence[*from] .. plan.sequence[*to - 1]. */
static void find_share(
    const struct predict_rows *rows, const struct feed_step *step, int rank, size_t *from, size_t *to)
{
    const size_t *range = step->ranges + rows->node->place_of[rank];
    *from = step->plan.start[range[0]];
    *to = step->plan.start[range[1]];
}

/* Counts rows and sequences of ranks first .. last - 1 in the step. */
static size_t count_share(
    const struct predict_rows *rows, const struct feed_step *step, int first, int last, size_t *sequences)
{
    size_t n = 0;
    *sequences = 0;
    for (int rank = first; rank < last; rank++) {
        size_t from, to;
        find_share(rows, step, rank, &from, &to);
        for (size_t i = from; i < to; i++)
            n += count_rows(rows, step->plan.sequence[i]);
        *sequences += to - from;
    }
    return n;
}

static size_t count_bytes(const struct predict_rows *rows, const struct feed_step *step, int rank)
{
    size_t sequences;
    return count_share(rows, step, rank, rank + 1, &sequences) * row_bytes(rows);
}

/* The ranks from `first` on that are gathered together end before the one returned. */
static int end_of_group(const struct predict_rows *rows, const struct feed_step *step, int first)
{
    size_t bytes = count_bytes(rows, step, first);
    int last = first + 1;
    for (; last < rows->node->comm->ranks; last++) {
        bytes += count_bytes(rows, step, last);
        if (bytes > GATHERED_BYTES)
            break;
    }
    return last;
}

/* Where rank 0 is a group of its own, its share is where it has to be already. */
static int is_gathered(int first, int last)
{
    return first > 0 || last > 1;
}

int predict_rows_start_step(struct predict_rows *rows, const struct feed_step *step, struct error *error)
{
    int rank = rows->node->comm->rank, failed = 0;
    rows->kept = 0;
    if (grow(&rows->share, count_bytes(rows, step, rank), error))
        return -1;
    for (int first = 0, last; rank == 0 && first < rows->node->comm->ranks && !failed; first = last) {
        size_t sequences, n;
        last = end_of_group(rows, step, first);
        n = count_share(rows, step, first, last, &sequences);
        failed = (is_gathered(first, last) && grow(&rows->gathered, n * row_bytes(rows), error)) ||
            grow(&rows->ordered, n * row_bytes(rows), error) ||
            grow(&rows->class_rows, n * sizeof(int32_t), error) ||
            grow(&rows->items, sequences * sizeof(struct gathered_rows), error);
    }
    return failed ? -1 : 0;
}

void predict_rows_keep(
    struct predict_rows *rows, const struct microbatch *microbatch, const struct net_outputs *outputs)
{
    size_t O = rows->width;
    float *to = (float *)rows->share.block + rows->kept * O;
    for (size_t b = 0; b < microbatch->B; b++)
        for (size_t i = 0; i < count_rows(rows, microbatch->sequence[b]); i++, to += O, rows->kept++)
            results_present(rows->config,
                outputs->values + results_find_row(rows->config, microbatch, b, i) * outputs->stride, to);
}

/* ---- the shares of all ranks, into the file ---- */

static int compare_sequences(const void *a, const void *b)
{
    const struct gathered_rows *x = a, *y = b;
    return (x->sequence > y->sequence) - (x->sequence < y->sequence);
}

/* The n sequences of ranks first .. last - 1 as they were gathered, sorted by their place in the file. */
static struct gathered_rows *sort_items(
    struct predict_rows *rows, const struct feed_step *step, int first, int last, size_t *n)
{
    struct gathered_rows *items = rows->items.block;
    size_t row = 0;
    *n = 0;
    for (int rank = first; rank < last; rank++) {
        size_t from, to;
        find_share(rows, step, rank, &from, &to);
        for (size_t i = from; i < to; i++) {
            items[(*n)++] = (struct gathered_rows){step->plan.sequence[i], row};
            row += count_rows(rows, step->plan.sequence[i]);
        }
    }
    if (*n)
        qsort(items, *n, sizeof *items, compare_sequences);
    return items;
}

/* Writes the n rows that lie in order, which are rows `first` .. of the file. */
static int write_run(
    struct predict_rows *rows, struct h5_table *table, int64_t first, size_t n, struct error *error)
{
    const float *values = rows->ordered.block;
    int32_t *classes = rows->class_rows.block;
    if (h5_table_write(table, rows->outputs, first, (int64_t)n, values, error))
        return -1;
    if (!results_have_classes(rows->config))
        return 0;
    for (size_t r = 0; r < n; r++)
        classes[r] = (int32_t)results_most_probable(values + r * rows->width, rows->width);
    return h5_table_write(table, rows->classes, first, (int64_t)n, classes, error);
}

/* Writes n sequences, which are sorted, from the rows that were gathered. */
static int write_items(struct predict_rows *rows, const struct gathered_rows *items, size_t n,
    const float *gathered, struct h5_table *table, struct error *error)
{
    size_t O = rows->width;
    for (size_t i = 0, end; i < n; i = end) {
        size_t run = 0;
        for (end = i; end < n && items[end].sequence == items[i].sequence + (int64_t)(end - i); end++) {
            size_t more = count_rows(rows, items[end].sequence);
            memcpy((float *)rows->ordered.block + run * O, gathered + items[end].row * O,
                more * row_bytes(rows));
            run += more;
        }
        if (write_run(rows, table, rows->offsets[items[i].sequence], run, error))
            return -1;
    }
    return 0;
}

/* All ranks call. Returns, on rank 0, the rows of ranks first .. last - 1. */
static const float *gather_group(struct predict_rows *rows, const struct feed_step *step, int first, int last)
{
    if (!is_gathered(first, last))
        return rows->share.block;
    for (int r = 0; r < rows->node->comm->ranks; r++)
        rows->counts[r] = r >= first && r < last ? count_bytes(rows, step, r) : 0;
    comm_collect(rows->node->comm, rows->share.block, rows->counts[rows->node->comm->rank], rows->counts,
        rows->gathered.block);
    return rows->gathered.block;
}

int predict_rows_write_step(
    struct predict_rows *rows, const struct feed_step *step, struct h5_table *table, struct error *error)
{
    int failed = 0;
    for (int first = 0, last; first < rows->node->comm->ranks; first = last) {
        last = end_of_group(rows, step, first);
        const float *gathered = gather_group(rows, step, first, last);
        if (table && !failed) {
            size_t n;
            const struct gathered_rows *items = sort_items(rows, step, first, last, &n);
            failed = write_items(rows, items, n, gathered, table, error);
        }
    }
    return failed;
}

/* Sequences are computed in the order of the set, a step of them at a time, but within a step they are
 * sorted by length and dealt to ranks. Each rank puts its rows down sequence by sequence. They come to rank 0
 * by sections, which are sequences that follow each other in the set: each rank packs what it has of one, and
 * rank 0 puts the pieces into order. So its memory does not grow with the number of ranks, what is written
 * depends neither on ranks nor on the batch, and it can go into a pipe, where nothing can be written later
 * than what comes behind it. */
#include "predict/rows.h"

#include "base/memory.h"
#include "net/results.h"

#include <string.h>

enum { SECTION_BYTES = 32 << 20 /* of rows; a single sequence may have more */ };

int scratch_grow(struct scratch *scratch, size_t bytes, struct error *error)
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
    memory_destroy(rows->packed.block);
    memory_destroy(rows->gathered.block);
    memory_destroy(rows->ordered.block);
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

/* Sequences first .. end - 1 of the set. */
struct row_section {
    int64_t first, end;
};

static size_t section_bytes(const struct predict_rows *rows, const struct row_section *section)
{
    return (size_t)(rows->offsets[section->end] - rows->offsets[section->first]) * row_bytes(rows);
}

/* The whole step: its sequences follow each other, whatever order they are computed in. */
static struct row_section span_step(const struct feed_step *step)
{
    struct row_section all = {0, 0};
    for (size_t i = 0; i < step->plan.sequences; i++)
        if (i == 0 || step->plan.sequence[i] < all.first)
            all.first = step->plan.sequence[i];
    all.end = all.first + (int64_t)step->plan.sequences;
    return all;
}

/* Moves on to the next section of `all`, whose first begins where *section ends. Returns 0 behind the last.
 */
static int next_section(
    const struct predict_rows *rows, const struct row_section *all, struct row_section *section)
{
    section->first = section->end;
    if (section->first == all->end)
        return 0;
    do
        section->end++;
    while (section->end < all->end &&
        section_bytes(rows, &(struct row_section){section->first, section->end + 1}) <= SECTION_BYTES);
    return 1;
}

/* The sequences of a rank in the step are plan.sequence[*from] .. plan.sequence[*to - 1]. */
static void find_share(
    const struct predict_rows *rows, const struct feed_step *step, int rank, size_t *from, size_t *to)
{
    const size_t *range = step->ranges + rows->node->place_of[rank];
    *from = step->plan.start[range[0]];
    *to = step->plan.start[range[1]];
}

/* Counts the bytes that a rank has of the section. */
static size_t count_share(const struct predict_rows *rows, const struct feed_step *step, int rank,
    const struct row_section *section)
{
    size_t from, to, n = 0;
    find_share(rows, step, rank, &from, &to);
    for (size_t i = from; i < to; i++)
        if (step->plan.sequence[i] >= section->first && step->plan.sequence[i] < section->end)
            n += count_rows(rows, step->plan.sequence[i]);
    return n * row_bytes(rows);
}

int predict_rows_start_step(struct predict_rows *rows, const struct feed_step *step, struct error *error)
{
    int rank = rows->node->comm->rank;
    struct row_section all = span_step(step), section = {.end = all.first};
    size_t packed = 0, whole = 0;
    rows->kept = 0;
    while (next_section(rows, &all, &section)) {
        size_t own = count_share(rows, step, rank, &section), bytes = section_bytes(rows, &section);
        packed = own > packed ? own : packed;
        whole = bytes > whole ? bytes : whole;
    }
    if (scratch_grow(&rows->share, count_share(rows, step, rank, &all), error) ||
        scratch_grow(&rows->packed, packed, error))
        return -1;
    if (rank != 0)
        return 0;
    return scratch_grow(&rows->gathered, whole, error) || scratch_grow(&rows->ordered, whole, error) ? -1 : 0;
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

/* ---- the shares of all ranks ---- */

/* Packs what this rank has of the section. */
static void pack(struct predict_rows *rows, const struct feed_step *step, const struct row_section *section)
{
    const char *share = rows->share.block;
    char *packed = rows->packed.block;
    size_t from, to;
    find_share(rows, step, rows->node->comm->rank, &from, &to);
    for (size_t i = from; i < to; i++) {
        int64_t s = step->plan.sequence[i];
        size_t n = count_rows(rows, s) * row_bytes(rows);
        if (s >= section->first && s < section->end && n) {
            memcpy(packed, share, n);
            packed += n;
        }
        share += n;
    }
}

/* Rank 0 calls. Puts what all ranks have packed into the order of the set. */
static const float *put_in_order(
    struct predict_rows *rows, const struct feed_step *step, const struct row_section *section)
{
    const char *gathered = rows->gathered.block;
    char *ordered = rows->ordered.block;
    for (int rank = 0; rank < rows->node->comm->ranks; rank++) {
        size_t from, to;
        find_share(rows, step, rank, &from, &to);
        for (size_t i = from; i < to; i++) {
            int64_t s = step->plan.sequence[i];
            size_t n = count_rows(rows, s) * row_bytes(rows);
            if (s < section->first || s >= section->end || !n)
                continue;
            size_t row = (size_t)(rows->offsets[s] - rows->offsets[section->first]);
            memcpy(ordered + row * row_bytes(rows), gathered, n);
            gathered += n;
        }
    }
    return rows->ordered.block;
}

/* All ranks call. */
static void gather(struct predict_rows *rows, const struct feed_step *step, const struct row_section *section)
{
    const struct comm *comm = rows->node->comm;
    for (int r = 0; r < comm->ranks; r++)
        rows->counts[r] = count_share(rows, step, r, section);
    pack(rows, step, section);
    comm_collect(comm, rows->packed.block, rows->counts[comm->rank], rows->counts, rows->gathered.block);
}

int predict_rows_write_step(struct predict_rows *rows, const struct feed_step *step,
    const struct predict_rows_taker *taker, struct error *error)
{
    struct row_section all = span_step(step), section = {.end = all.first};
    int failed = 0;
    while (next_section(rows, &all, &section)) {
        gather(rows, step, &section);
        if (taker && !failed)
            failed = taker->take(
                taker->context, section.first, section.end, put_in_order(rows, step, &section), error);
    }
    return failed;
}

/* Packing: sequences lie in the file one behind the other, in a microbatch side by side (net/microbatch.h).
 * Rows of a sequence come a block at a time and are dealt to the frames of their steps. */
#include "base/memory.h"
#include "data/check.h"
#include "data/dataset.h"
#include "data/fingerprint.h"
#include "data/targets.h"
#include "net/standardize.h"

#include <assert.h>
#include <math.h>
#include <string.h>

/* A microbatch being filled. */
struct packed_sequences {
    struct dataset *dataset;
    struct microbatch *microbatch;
    const float *mean, *deviation; /* [features], or NULL */
    int target_per_frame, target_any;
};

/* Packs rows t .. t + rows - 1 of what the microbatch has of its sequence b. */
typedef void pack_rows(
    const struct packed_sequences *packing, size_t b, size_t t, size_t rows, size_t width, const void *items);

static void pack_symbols(
    const struct packed_sequences *packing, size_t b, size_t t, size_t rows, size_t width, const void *items)
{
    for (size_t r = 0; r < rows; r++)
        packing->microbatch->symbols[microbatch_frame(packing->microbatch, b, t + r)] =
            ((const int32_t *)items)[r];
}

static void pack_inputs(
    const struct packed_sequences *packing, size_t b, size_t t, size_t rows, size_t I, const void *items)
{
    const struct microbatch *microbatch = packing->microbatch;
    for (size_t r = 0; r < rows; r++) {
        const float *x = (const float *)items + r * I;
        float *row = microbatch->inputs + microbatch_frame(microbatch, b, t + r) * microbatch->inputs_stride;
        standardize_frame(x, packing->mean, packing->deviation, I, row);
    }
}

static size_t target_row(const struct packed_sequences *packing, size_t b, size_t t)
{
    if (packing->target_any)
        return packing->microbatch->target_start[b] + t;
    return packing->target_per_frame ? microbatch_frame(packing->microbatch, b, t) : b;
}

static void pack_classes(
    const struct packed_sequences *packing, size_t b, size_t t, size_t rows, size_t width, const void *items)
{
    for (size_t r = 0; r < rows; r++)
        packing->microbatch->classes[target_row(packing, b, t + r)] = ((const int32_t *)items)[r];
}

static void pack_values(
    const struct packed_sequences *packing, size_t b, size_t t, size_t rows, size_t O, const void *items)
{
    const struct microbatch *microbatch = packing->microbatch;
    for (size_t r = 0; r < rows; r++)
        memcpy(microbatch->values + target_row(packing, b, t + r) * microbatch->values_stride,
            (const float *)items + r * O, O * sizeof(float));
}

static void pack_weights(
    const struct packed_sequences *packing, size_t b, size_t t, size_t rows, size_t width, const void *items)
{
    for (size_t r = 0; r < rows; r++)
        packing->microbatch->weights[target_row(packing, b, t + r)] = ((const float *)items)[r];
}

/* How many rows from `row` on are packed at once: what is kept all at once, else what one block of the file
 * has of them, as fingerprints are made of such pieces. */
static int64_t count_at_once(const struct values *values, int64_t row, int64_t end)
{
    int64_t block = values_block_rows(values), rest = block - row % block;
    return values->kept || end - row < rest ? end - row : rest;
}

/* Rows that there are one of for each frame are those of the excerpt; others are taken whole. Of sequences
 * that come in parts nothing is noted: what is hashed are their rows together. */
static int pack_sequence(const struct packed_sequences *packing, const struct values *values, size_t b,
    pack_rows *pack, struct error *error)
{
    const struct microbatch *microbatch = packing->microbatch;
    int64_t s = microbatch->sequence[b], first = values->offsets[s], end = values->offsets[s + 1];
    if (values->part == PART_INPUTS || packing->target_per_frame) {
        first += microbatch->excerpt.first;
        end = first + microbatch->length[b];
    }
    struct value_sums *sums = values->kept || microbatch->excerpt.most ? NULL : packing->dataset->sums;
    for (int64_t row = first, rows; row < end; row += rows) {
        rows = count_at_once(values, row, end);
        if (!values->kept && packing->dataset->unwanted && *packing->dataset->unwanted)
            return -1;
        const void *items = check_get_values(packing->dataset, values, row, rows, error);
        if (!items)
            return -1;
        atomic_fetch_add(&packing->dataset->reads, 1);
        if (sums)
            value_sums_add(sums, values, row, rows, items);
        pack(packing, b, (size_t)(row - first), (size_t)rows, values->width, items);
    }
    return 0;
}

/* The target of a sequence as a whole is that of its last frame: where that is behind the excerpt, there is
 * none here. */
static int ends_behind(const struct packed_sequences *packing, size_t b)
{
    const struct microbatch *microbatch = packing->microbatch;
    return !packing->target_per_frame &&
        excerpt_goes_on(microbatch->excerpt, dataset_length(packing->dataset, microbatch->sequence[b]));
}

static void pack_nothing(const struct packed_sequences *packing, size_t b)
{
    const struct microbatch *microbatch = packing->microbatch;
    if (microbatch->classes)
        microbatch->classes[b] = -1;
    for (size_t o = 0; o < packing->dataset->values; o++)
        microbatch->values[b * microbatch->values_stride + o] = NAN;
    if (microbatch->weights)
        microbatch->weights[b] = 0;
}

static int pack_targets(const struct packed_sequences *packing, size_t b, struct error *error)
{
    const struct dataset *dataset = packing->dataset;
    struct values targets = values_of_targets(dataset);
    if (ends_behind(packing, b)) {
        pack_nothing(packing, b);
        return 0;
    }
    return pack_sequence(packing, &targets, b, dataset->classes ? pack_classes : pack_values, error);
}

static int pack_target_weights(const struct packed_sequences *packing, size_t b, struct error *error)
{
    struct values weights = values_of_weights(packing->dataset);
    return ends_behind(packing, b) ? 0 : pack_sequence(packing, &weights, b, pack_weights, error);
}

/* All targets may have been looked at before: but a file can change while it is read. */
static int require_paths(const struct packed_sequences *packing, struct error *error)
{
    const struct microbatch *microbatch = packing->microbatch;
    for (size_t b = 0; b < microbatch->B; b++)
        if (targets_require_path(packing->dataset, microbatch->sequence[b],
                microbatch->classes + microbatch->target_start[b], error))
            return -1;
    return 0;
}

static int pack_microbatch(const struct packed_sequences *packing, struct error *error)
{
    const struct dataset *dataset = packing->dataset;
    struct values inputs = values_of_inputs(dataset);
    for (size_t b = 0; b < packing->microbatch->B; b++)
        if (pack_sequence(packing, &inputs, b, dataset->symbols ? pack_symbols : pack_inputs, error))
            return -1;
    if (!packing->microbatch->classes && !packing->microbatch->values)
        return 0;
    for (size_t b = 0; b < packing->microbatch->B; b++)
        if (pack_targets(packing, b, error))
            return -1;
    for (size_t b = 0; b < packing->microbatch->B && dataset->has_weights; b++)
        if (pack_target_weights(packing, b, error))
            return -1;
    return dataset->aligns && dataset->classes ? require_paths(packing, error) : 0;
}

int dataset_read_microbatch(struct dataset *dataset, size_t B, const int64_t *sequence, const float *mean,
    const float *deviation, struct microbatch *microbatch, struct error *error)
{
    struct microbatch_format format = dataset_format(dataset);
    int32_t *length = memory_create(2 * B, sizeof *length, error);
    if (!length)
        return -1;
    int32_t *targets = length + B;
    for (size_t b = 0; b < B; b++) {
        assert(sequence[b] >= 0 && sequence[b] < dataset->sequences);
        length[b] = excerpt_length(microbatch->excerpt, dataset_length(dataset, sequence[b]));
        assert(length[b] > 0);
        assert(b == 0 || length[b] <= length[b - 1]);
        targets[b] = dataset_targets(dataset, sequence[b]);
    }
    int outcome = microbatch_resize(microbatch, &format, B, length, sequence, targets, error);
    memory_destroy(length);
    if (outcome)
        return -1;
    struct packed_sequences packing = {
        dataset, microbatch, mean, deviation, format.target_per_frame, format.target_any};
    return pack_microbatch(&packing, error);
}

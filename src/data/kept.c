/* Inputs lie first, targets behind them, then their weights. A part is a contiguous range of rows, which
 * costs no more to read than a share of the file: of compressed files, chunks at its borders are decompressed
 * by both neighbours. */
#include "data/kept.h"

#include "base/memory.h"
#include "data/check.h"

enum { PIECE_BYTES = 64 << 20 }; /* that are read between two signs of life */

/* Bytes from the beginning of values to those behind them. */
static size_t count_room(const struct values *values)
{
    return (values_bytes(values) + MEMORY_ALIGNMENT - 1) / MEMORY_ALIGNMENT * MEMORY_ALIGNMENT;
}

size_t kept_count_bytes(const struct dataset *dataset)
{
    struct values list[VALUES_MOST];
    size_t bytes = 0, n = values_of_all(dataset, list);
    for (size_t i = 0; i < n; i++)
        bytes += i + 1 < n ? count_room(&list[i]) : values_bytes(&list[i]);
    return bytes;
}

/* Reads and checks the rows of a share into `memory`, which has room for all rows. */
static int decode_rows(struct dataset *dataset, const struct values *values, const struct kept_share *share,
    char *memory, struct error *error)
{
    size_t row = values->width * sizeof(float), parts = share->parts;
    int64_t piece = row < PIECE_BYTES ? (int64_t)(PIECE_BYTES / row) : 1, rows;
    int64_t whole = values->rows / (int64_t)parts, rest = values->rows % (int64_t)parts;
    int64_t first = whole * (int64_t)share->part + rest * (int64_t)share->part / (int64_t)parts;
    int64_t end = whole * (int64_t)(share->part + 1) + rest * (int64_t)(share->part + 1) / (int64_t)parts;
    for (; first < end; first += rows) {
        void *items = memory + (size_t)first * row;
        rows = end - first < piece ? end - first : piece;
        if (values_read(dataset, values, first, rows, items, error) ||
            check_first_value(dataset, values, first, rows, items, error)) {
            dataset_require_unchanged(dataset, "nothing is read from it", error);
            return -1;
        }
        if (share->alive)
            share->alive(share->context);
    }
    return 0;
}

int kept_decode_inputs(
    struct dataset *dataset, const struct kept_share *share, void *memory, struct error *error)
{
    const struct values values = values_of_inputs(dataset);
    return decode_rows(dataset, &values, share, memory, error);
}

int kept_decode_targets(
    struct dataset *dataset, const struct kept_share *share, void *memory, struct error *error)
{
    if (!dataset->has_targets)
        return 0;
    struct dataset unbound = *dataset; /* as before a model asked anything of it */
    unbound.any_targets = 0;
    unbound.loss = NULL;
    const struct values values = values_of_targets(&unbound);
    const struct values inputs = values_of_inputs(dataset);
    char *targets = (char *)memory + count_room(&inputs);
    if (decode_rows(dataset, &values, share, targets, error))
        return -1;
    if (!dataset->has_weights)
        return 0;
    const struct values weights = values_of_weights(dataset);
    return decode_rows(dataset, &weights, share, targets + count_room(&values), error);
}

void kept_use(struct dataset *dataset, void *memory)
{
    struct values list[VALUES_MOST];
    size_t n = values_of_all(dataset, list);
    char *targets = (char *)memory + count_room(&list[0]);
    if (n > 2)
        dataset->kept_weights = (float *)(void *)(targets + count_room(&list[1]));
    if (dataset->symbols)
        dataset->kept_symbols = memory;
    else
        dataset->kept_inputs = memory;
    if (dataset->has_targets && dataset->classes)
        dataset->kept_classes = (int32_t *)(void *)targets;
    else if (dataset->has_targets)
        dataset->kept_values = (float *)(void *)targets;
}

/* Inputs lie first, targets behind them. A part is a contiguous range of rows, which costs no more to read
 * than a share of the file: of compressed files, chunks at its borders are decompressed by both neighbours.
 */
#include "data/kept.h"

#include "base/memory.h"
#include "data/check.h"
#include "data/dataset.h"

enum { PIECE_BYTES = 64 << 20 }; /* that are read between two signs of life */

static size_t count_inputs(const struct dataset *dataset)
{
    struct values inputs = values_of_inputs(dataset);
    return (values_bytes(&inputs) + MEMORY_ALIGNMENT - 1) / MEMORY_ALIGNMENT * MEMORY_ALIGNMENT;
}

size_t kept_count_bytes(const struct dataset *dataset)
{
    size_t bytes = count_inputs(dataset);
    if (dataset->has_targets) {
        struct values targets = values_of_targets(dataset);
        bytes += values_bytes(&targets);
    }
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
    struct values values = values_of_targets(dataset);
    values.lowest = dataset->classes && dataset->target_kind != TARGET_ANY ? -1 : 0;
    values.loss = NULL;
    return decode_rows(dataset, &values, share, (char *)memory + count_inputs(dataset), error);
}

void kept_use(struct dataset *dataset, void *memory)
{
    void *targets = (char *)memory + count_inputs(dataset);
    dataset->borrows = 1;
    if (dataset->symbols)
        dataset->kept_symbols = memory;
    else
        dataset->kept_inputs = memory;
    if (dataset->has_targets && dataset->classes)
        dataset->kept_classes = targets;
    else if (dataset->has_targets)
        dataset->kept_values = targets;
}

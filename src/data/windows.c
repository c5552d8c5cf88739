#include "data/windows.h"

#include "base/numbers.h"
#include "data/values.h"

#include <inttypes.h>

/* The bytes of sequences first .. end - 1. */
static size_t count_bytes(const struct window_rule *rule, int64_t first, int64_t end)
{
    size_t inputs = (size_t)(rule->input_offsets[end] - rule->input_offsets[first]);
    size_t targets = (size_t)(rule->target_offsets[end] - rule->target_offsets[first]);
    return inputs * rule->input_row + targets * rule->target_row;
}

int64_t windows_cut(const struct window_rule *rule, int64_t sequences, int64_t *first)
{
    int64_t windows = 0, end = 0;
    while (end < sequences) {
        int64_t begin = end++;
        while (end < sequences && (!rule->bytes || count_bytes(rule, begin, end + 1) <= rule->bytes))
            end++;
        if (first)
            first[windows] = begin;
        windows++;
    }
    if (first)
        first[windows] = sequences;
    return windows;
}

struct window_rule dataset_describe_windows(const struct dataset *dataset, size_t bytes)
{
    struct values inputs = values_of_inputs(dataset);
    struct window_rule rule = {.bytes = bytes,
        .input_row = inputs.width * sizeof(float),
        .input_offsets = dataset->input_offsets,
        .target_offsets = dataset->input_offsets};
    if (dataset->has_targets) {
        struct values targets = values_of_targets(dataset);
        rule.target_row = (targets.width + (dataset->has_weights ? 1 : 0)) * sizeof(float);
        rule.target_offsets = targets.offsets;
    }
    return rule;
}

int dataset_require_window(struct dataset *dataset, size_t bytes, struct error *error)
{
    enum { UNIT = 1024 };
    struct window_rule rule = dataset_describe_windows(dataset, bytes);
    int64_t largest = 0;
    size_t most = 0;
    for (int64_t s = 0; s < dataset->sequences; s++) {
        size_t taken = count_bytes(&rule, s, s + 1);
        if (taken > most) {
            most = taken;
            largest = s;
        }
    }
    if (most <= bytes)
        return 0;
    char name[DATASET_NAME], is[40], least[40];
    struct dataset_place place = dataset_find_place(dataset, largest);
    dataset_write_name(dataset, largest, name, sizeof name);
    number_write_bytes(bytes, is, sizeof is);
    number_write_bytes((most - 1) / UNIT * UNIT + UNIT, least, sizeof least);
    return error_set(error, EXIT_CODE_DATA,
        "%s: data.window = %s is less than its largest sequence takes (sequence %" PRId64
        "%s: %zu bytes): give %s or more",
        place.file->path, is, place.sequence, name, most, least);
}

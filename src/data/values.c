/* A block is a few MiB: large enough that each chunk of a file is touched by few blocks, and small beside any
 * cache. */
#include "data/values.h"

enum { BLOCK_BYTES = 4 << 20 };

struct values values_of_inputs(const struct dataset *dataset)
{
    return (struct values){
        .set = "inputs",
        .rows = dataset->frames,
        .width = dataset->symbols ? 1 : dataset->features,
        .limit = dataset->symbols,
        .offsets = dataset->input_offsets,
        .kept = dataset->symbols ? (const void *)dataset->kept_symbols : dataset->kept_inputs,
    };
}

struct values values_of_targets(const struct dataset *dataset)
{
    int any = dataset_has_any_targets(dataset), may_lack = !dataset->classes && dataset->version > 1;
    return (struct values){
        .set = "targets",
        .part = PART_TARGETS,
        .rows = dataset->targets,
        .width = dataset->classes ? 1 : dataset->values,
        .limit = dataset->classes,
        .lowest = dataset->classes && !any ? -1 : 0,
        .may_lack = may_lack && !any,
        .loss = dataset->classes ? NULL : dataset->loss,
        .check_kept = (dataset->classes || may_lack) && any && dataset->target_kind != TARGET_ANY,
        .offsets = dataset->target_offsets ? dataset->target_offsets : dataset->input_offsets,
        .kept = dataset->classes ? (const void *)dataset->kept_classes : dataset->kept_values,
    };
}

struct values values_of_weights(const struct dataset *dataset)
{
    struct values targets = values_of_targets(dataset);
    return (struct values){.set = "target_weights",
        .part = PART_TARGETS,
        .are_weights = 1,
        .rows = targets.rows,
        .width = 1,
        .offsets = targets.offsets,
        .kept = dataset->kept_weights};
}

size_t values_of_all(const struct dataset *dataset, struct values list[static VALUES_MOST])
{
    size_t n = 0;
    list[n++] = values_of_inputs(dataset);
    if (dataset->has_targets)
        list[n++] = values_of_targets(dataset);
    if (dataset->has_weights)
        list[n++] = values_of_weights(dataset);
    return n;
}

size_t values_bytes(const struct values *values)
{
    return (size_t)values->rows * values->width * sizeof(float);
}

int64_t values_block_rows(const struct values *values)
{
    size_t row = values->width * sizeof(float);
    return row < BLOCK_BYTES ? (int64_t)(BLOCK_BYTES / row) : 1;
}

size_t values_block_bytes(const struct values *values)
{
    int64_t block = values_block_rows(values);
    return (size_t)(block < values->rows ? block : values->rows) * values->width * sizeof(float);
}

int64_t values_find_sequence(const struct dataset *dataset, const struct values *values, int64_t row)
{
    const int64_t *offsets = values->offsets;
    int64_t low = 0, high = dataset->sequences; /* offsets[low] <= row < offsets[high] */
    while (high - low > 1) {
        int64_t middle = low + (high - low) / 2;
        if (offsets[middle] <= row)
            low = middle;
        else
            high = middle;
    }
    return low;
}

int64_t values_count_rows(const struct dataset *dataset, const struct values *values, size_t file)
{
    const struct dataset_file *one = &dataset->file[file];
    int64_t end = file + 1 < dataset->files ? one[1].first[values->part] : values->rows;
    return end - one->first[values->part];
}

struct file_rows values_find_rows(
    const struct dataset *dataset, const struct values *values, int64_t first, int64_t rows)
{
    const struct dataset_file *file = dataset_find_file(dataset, values->part, first);
    int64_t from = first - file->first[values->part];
    int64_t left = values_count_rows(dataset, values, (size_t)(file - dataset->file)) - from;
    return (struct file_rows){file, from, rows < left ? rows : left};
}

int values_read(const struct dataset *dataset, const struct values *values, int64_t first, int64_t rows,
    void *out, struct error *error)
{
    struct file_rows here;
    char *to = out;
    for (int64_t row = first, end = first + rows; row < end; row += here.rows) {
        here = values_find_rows(dataset, values, row, end - row);
        struct h5_file *h5 = here.file->h5;
        if (values->limit ? h5_read_int32(h5, values->set, here.first, here.rows, (void *)to, error)
                          : h5_read_floats(h5, values->set, here.first, here.rows, (void *)to, error))
            return -1;
        to += (size_t)here.rows * values->width * sizeof(float);
    }
    return 0;
}

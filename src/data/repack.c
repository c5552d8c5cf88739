#include "data/repack.h"

#include "base/file.h"
#include "data/dataset.h"
#include "data/values.h"
#include "h5/repack.h"

enum {
    CHUNK_BYTES = 256 << 10, /* decoded: small beside a cache, large beside what a chunk costs by itself */
    DEFLATE = 4              /* above it takes longer and longer, for little */
};
static const int64_t MOST_CHUNK_BYTES = (int64_t)1 << 30; /* HDF5 takes less than 4 GiB */

static int describe(const struct dataset *dataset, const struct values *values,
    const struct repack_options *options, struct h5_layout *layout, struct error *error)
{
    int64_t row = (int64_t)(values->width * sizeof(float)), rows = options->chunk;
    if (!rows && options->compress)
        rows = row < CHUNK_BYTES ? CHUNK_BYTES / row : 1;
    if (rows > values->rows)
        rows = values->rows;
    if (rows > MOST_CHUNK_BYTES / row)
        return error_set(error, EXIT_CODE_USAGE,
            "%s: a chunk of %lld rows of %s is larger than 1 GiB: give --chunk %lld or less", dataset->name,
            (long long)rows, values->set, (long long)(MOST_CHUNK_BYTES / row));
    *layout = (struct h5_layout){values->set, rows, options->compress ? DEFLATE : 0};
    return 0;
}

static int describe_all(const struct dataset *dataset, const struct repack_options *options,
    struct h5_layout layout[static VALUES_MOST], size_t *n, struct error *error)
{
    struct values list[VALUES_MOST];
    *n = values_of_all(dataset, list);
    for (size_t i = 0; i < *n; i++)
        if (describe(dataset, &list[i], options, &layout[i], error))
            return -1;
    return 0;
}

int dataset_repack(
    const char *from, const char *to, const struct repack_options *options, struct error *error)
{
    struct h5_layout layout[VALUES_MOST];
    size_t n;
    struct file_writer writer;
    struct dataset *dataset = dataset_open(from, 0, error);
    if (!dataset)
        return -1;
    int failed = describe_all(dataset, options, layout, &n, error) || file_begin(&writer, to, error);
    if (!failed) {
        failed = h5_repack(dataset->file->h5, &writer, layout, n, error) ||
            dataset_require_unchanged(dataset, "nothing is written", error);
        if (failed)
            file_abandon(&writer);
        else
            failed = file_commit(&writer, error);
    }
    dataset_close(dataset);
    return failed ? -1 : 0;
}

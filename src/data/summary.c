/* The median comes from sorted lengths (eight bytes a sequence are in memory already, as offsets); classes
 * are counted slab by slab. Optional sets that do not fit are left out here: complaining is `check`'s job. */
#include "data/summary.h"

#include "base/memory.h"
#include "data/values.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { SLAB = 1 << 16 }; /* targets read at once */

static int compare_lengths(const void *a, const void *b)
{
    int32_t left = *(const int32_t *)a, right = *(const int32_t *)b;
    return (left > right) - (left < right);
}

static int summarize_lengths(struct summary *summary, struct error *error)
{
    const struct dataset *dataset = summary->dataset;
    size_t n = (size_t)dataset->sequences;
    int32_t *length = memory_create(n, sizeof *length, error);
    if (!length)
        return -1;
    dataset_write_lengths(dataset, length);
    qsort(length, n, sizeof *length, compare_lengths);
    summary->shortest = length[0];
    summary->longest = length[n - 1];
    size_t lower = (n - 1) / 2, upper = n / 2;
    summary->median = ((double)length[lower] + (double)length[upper]) / 2;
    memory_destroy(length);
    return 0;
}

static int count_slab(
    struct summary *summary, int64_t first, int64_t rows, int32_t *slab, struct error *error)
{
    const struct dataset *dataset = summary->dataset;
    int32_t lowest = values_of_targets(dataset).lowest;
    if (h5_read_int32(dataset->file->h5, "targets", first, rows, slab, error))
        return -1;
    for (int64_t r = 0; r < rows; r++) {
        if (slab[r] < lowest || slab[r] >= dataset->classes) {
            char number[H5_INTEGER_TEXT];
            dataset_write_integer(dataset->file, "targets", first + r, slab[r], INT32_MAX, number);
            return error_set(error, EXIT_CODE_DATA,
                "%s: targets: row %" PRId64
                ": class %s, but n_classes is %d: 'rnn-data check' lists all faults",
                dataset->name, first + r, number, dataset->classes);
        }
        *(slab[r] < 0 ? &summary->untargeted : &summary->class_count[slab[r]]) += 1;
    }
    return 0;
}

static int summarize_classes(struct summary *summary, struct error *error)
{
    const struct dataset *dataset = summary->dataset;
    if (!dataset->classes || dataset->classes > SUMMARY_MOST_CLASSES)
        return 0;
    summary->class_count = memory_create((size_t)dataset->classes, sizeof *summary->class_count, error);
    int32_t *slab = summary->class_count ? memory_create(SLAB, sizeof *slab, error) : NULL;
    int status = slab ? 0 : -1;
    for (int64_t first = 0; !status && first < dataset->targets; first += SLAB) {
        int64_t left = dataset->targets - first;
        status = count_slab(summary, first, left < SLAB ? left : SLAB, slab, error);
    }
    memory_destroy(slab);
    return status;
}

/* `count` names from a set, or NULL where the file has no such list. */
static int read_names(
    struct dataset *dataset, const char *set, int64_t count, char ***names, struct error *error)
{
    struct h5_shape shape;
    if (count == 0 || !h5_has(dataset->file->h5, set))
        return 0;
    if (h5_look(dataset->file->h5, set, &shape, error))
        return -1;
    if (shape.kind != H5_TEXT || shape.dimensions != 1 || shape.size[0] != count)
        return 0;
    return h5_read_texts(dataset->file->h5, set, 0, count, names, error);
}

static int summarize_labels(struct summary *summary, struct error *error)
{
    struct dataset *dataset = summary->dataset;
    int64_t inputs = dataset->symbols ? 0 : (int64_t)dataset->features;
    if (h5_attribute_text(dataset->file->h5, "/", "title", &summary->title, error) < 0 ||
        h5_attribute_text(dataset->file->h5, "/", "source", &summary->source, error) < 0)
        return -1;
    if (read_names(dataset, "feature_names", inputs, &summary->feature_names, error) ||
        read_names(dataset, "target_names", (int64_t)dataset->values, &summary->target_names, error) ||
        read_names(dataset, "symbol_names", dataset->symbols, &summary->symbol_names, error))
        return -1;
    return dataset->classes > SUMMARY_MOST_CLASSES
        ? 0
        : read_names(dataset, "class_names", dataset->classes, &summary->class_names, error);
}

static int summarize_values(struct summary *summary, struct error *error)
{
    struct dataset *dataset = summary->dataset;
    if (dataset->features) {
        summary->inputs = memory_create(dataset->features, sizeof *summary->inputs, error);
        if (!summary->inputs || statistics_of_inputs(dataset, summary->inputs, error))
            return -1;
    }
    if (dataset->values) {
        summary->targets = memory_create(dataset->values, sizeof *summary->targets, error);
        if (!summary->targets || statistics_of_targets(dataset, summary->targets, error))
            return -1;
    }
    return dataset->has_weights ? statistics_of_weights(dataset, &summary->weights, error) : 0;
}

static int summarize_size(struct summary *summary, const char *path, struct error *error)
{
    struct stat status;
    if (stat(path, &status))
        return error_set(error, EXIT_CODE_IO, "%s: %s", path, strerror(errno));
    summary->bytes = (int64_t)status.st_size;
    return 0;
}

int summary_init(struct summary *summary, const char *path, struct error *error)
{
    struct summary fresh = {.dataset = dataset_open(path, 0, error)};
    if (!fresh.dataset)
        return -1;
    int failed = summarize_size(&fresh, path, error) || summarize_lengths(&fresh, error) ||
        summarize_labels(&fresh, error) || summarize_classes(&fresh, error) ||
        summarize_values(&fresh, error);
    /* What has become of the file comes before an error that may stem from it. */
    if (dataset_require_unchanged(fresh.dataset, "nothing is told of it", error) || failed) {
        summary_finish(&fresh);
        return -1;
    }
    *summary = fresh;
    return 0;
}

void summary_finish(struct summary *summary)
{
    dataset_close(summary->dataset);
    memory_destroy(summary->title);
    memory_destroy(summary->source);
    memory_destroy(summary->feature_names);
    memory_destroy(summary->target_names);
    memory_destroy(summary->class_names);
    memory_destroy(summary->symbol_names);
    memory_destroy(summary->class_count);
    memory_destroy(summary->inputs);
    memory_destroy(summary->targets);
    *summary = (struct summary){0};
}

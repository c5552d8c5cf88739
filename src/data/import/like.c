#include "data/import/like.h"

#include "base/memory.h"
#include "base/text.h"

#include <string.h>

/* Finds the feature, before `end`, that the column of this name marks; `end` where it marks none. */
static size_t find_marked(const struct name_list *names, const char *name, size_t end)
{
    size_t length = strlen(name), mark = strlen(IMPORT_MARK), feature = 0;
    if (!text_ends_in(name, IMPORT_MARK))
        return end;
    while (feature < end &&
        (strlen(names->text[feature]) != length - mark ||
            strncmp(names->text[feature], name, length - mark) != 0))
        feature++;
    return feature;
}

/* Tells the columns of marks from features: they are the last, and of a feature each. */
static int find_marks(struct import_like *like, struct error *error)
{
    struct name_list *names = &like->names.list[NAMES_OF_FEATURES];
    size_t n = names->text ? names->n : 0, first = n;
    while (first > 0 && find_marked(names, names->text[first - 1], first - 1) < first - 1)
        first--;
    like->features = like->dataset->features - (n - first);
    like->marks = n - first;
    like->marked = memory_create(like->marks, sizeof *like->marked, error);
    if (!like->marked)
        return -1;
    for (size_t m = 0; m < like->marks; m++)
        like->marked[m] = find_marked(names, names->text[first + m], first);
    names->n = first;
    return 0;
}

int import_like_init(struct import_like *like, const char *path, struct error *error)
{
    like->path = path;
    like->dataset = dataset_open(path, 0, error);
    if (!like->dataset || dataset_read_names(like->dataset, &like->names, error))
        return -1;
    return find_marks(like, error);
}

int import_like_init_pattern(
    struct import_like *like, const struct import_pattern *pattern, struct error *error)
{
    like->path = pattern->path;
    like->pattern = pattern;
    like->dataset = memory_create(1, sizeof *like->dataset, error);
    if (!like->dataset || net_names_complete(&like->names, pattern->names, error))
        return -1;
    *like->dataset = (struct dataset){.has_targets = 1,
        .features = pattern->features,
        .symbols = pattern->symbols,
        .classes = pattern->classes,
        .values = pattern->values,
        .target_kind = pattern->per_frame ? TARGET_FRAME
            : pattern->per_sequence       ? TARGET_SEQUENCE
                                          : TARGET_ANY};
    return find_marks(like, error);
}

void import_like_finish(struct import_like *like)
{
    if (like->pattern)
        memory_destroy(like->dataset);
    else
        dataset_close(like->dataset);
    net_names_finish(&like->names);
    memory_destroy(like->marked);
    *like = (struct import_like){0};
}

static int take_pattern_means(const struct import_like *like, double *mean, struct error *error)
{
    if (!like->pattern->mean)
        return error_set(error, EXIT_CODE_DATA,
            "%s: does not standardize its inputs, and so knows no means of them for --missing mean: fill in "
            "what is missing before",
            like->path);
    for (size_t i = 0; i < like->features; i++)
        mean[i] = (double)like->pattern->mean[i];
    return 0;
}

int import_like_means(const struct import_like *like, double *mean, struct error *error)
{
    if (like->pattern)
        return take_pattern_means(like, mean, error);
    size_t all = like->dataset->features;
    double *moments = memory_create(2 * all, sizeof *moments, error);
    int failed = !moments || dataset_moments(like->dataset, moments, moments + all, error) ||
        dataset_require_unchanged(like->dataset, "its means are not taken", error);
    for (size_t i = 0; i < like->features && !failed; i++)
        mean[i] = moments[i];
    memory_destroy(moments);
    return failed ? -1 : 0;
}

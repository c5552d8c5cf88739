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

void import_like_finish(struct import_like *like)
{
    dataset_close(like->dataset);
    net_names_finish(&like->names);
    memory_destroy(like->marked);
    *like = (struct import_like){0};
}

int import_like_means(const struct import_like *like, double *mean, struct error *error)
{
    size_t all = like->dataset->features;
    double *moments = memory_create(2 * all, sizeof *moments, error);
    int failed = !moments || dataset_moments(like->dataset, moments, moments + all, error) ||
        dataset_require_unchanged(like->dataset, "its means are not taken", error);
    for (size_t i = 0; i < like->features && !failed; i++)
        mean[i] = moments[i];
    memory_destroy(moments);
    return failed ? -1 : 0;
}

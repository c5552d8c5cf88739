#include "data/texts.h"

#include "base/memory.h"
#include "data/check.h"

#include <inttypes.h>

enum { TEXTS_AT_ONCE = 4096 };

/* The shape of a set of texts [rows]; -1 where it has another. */
static int look_at_texts(
    struct dataset *dataset, const char *set, struct h5_shape *shape, struct error *error)
{
    if (h5_look(dataset->file->h5, set, shape, error))
        return -1;
    if (shape->kind == H5_TEXT && shape->dimensions == 1)
        return 0;
    if (shape->kind != H5_TEXT)
        return error_set(error, EXIT_CODE_DATA,
            "%s: %s: should hold texts, but holds %s: write them anew, or drop it", dataset->name, set,
            shape->what);
    return error_set(error, EXIT_CODE_DATA,
        "%s: %s: should be a list of texts, but has %d dimensions: write them anew, or drop it",
        dataset->name, set, shape->dimensions);
}

void texts_check(
    struct dataset *dataset, const char *set, int64_t count, const char *what, struct faults *faults)
{
    struct error error;
    struct h5_shape shape;
    if (!h5_has(dataset->file->h5, set) || check_is_over(faults))
        return;
    if (look_at_texts(dataset, set, &shape, &error))
        faults_add(faults, (enum exit_code)error.code, "%s", error.text);
    else if (count > 0 && shape.size[0] != count)
        faults_add(faults, EXIT_CODE_DATA,
            "%s: %s: has %" PRId64 " rows, but there are %" PRId64 " %s: write them anew, or drop the set",
            dataset->name, set, shape.size[0], count, what);
}

void texts_check_values(struct dataset *dataset, const char *set, struct faults *faults)
{
    struct error error;
    struct h5_shape shape;
    if (!h5_has(dataset->file->h5, set) || check_is_over(faults) ||
        look_at_texts(dataset, set, &shape, &error))
        return;
    int64_t rows;
    for (int64_t first = 0; first < shape.size[0]; first += rows) {
        char **texts = NULL;
        rows = shape.size[0] - first < TEXTS_AT_ONCE ? shape.size[0] - first : TEXTS_AT_ONCE;
        if (h5_read_texts(dataset->file->h5, set, first, rows, &texts, &error)) {
            faults_add(faults, (enum exit_code)error.code, "%s", error.text);
            return;
        }
        memory_destroy(texts);
    }
}

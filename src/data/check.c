/* Values: a first pass over a block only counts what is wrong, in a loop without branches; where that is
 * nothing, as nearly always, no row is looked at a second time. */
#include "data/check.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

enum { PLACE = 4400 }; /* bytes of room for the place of a value, of which a path is most */

static void keep_first(void *context, const char *text)
{
    struct error *first = context;
    snprintf(first->text, sizeof first->text, "%s", text);
}

struct faults check_open(struct error *first)
{
    struct faults faults;
    faults_init(&faults, 1, keep_first, first);
    return faults;
}

int check_close(const struct faults *faults, const struct error *first, struct error *error)
{
    return faults->count ? error_set(error, (enum exit_code)faults->code, "%s", first->text) : 0;
}

/* Writes 'b.h5: inputs: row 17 (sequence 3 "name", its row 2)', all of it counted as in that file. */
static void write_place(
    const struct dataset *dataset, const struct values *values, int64_t row, char *text, size_t size)
{
    struct file_rows here = values_find_rows(dataset, values, row, 1);
    int used = snprintf(text, size, "%s: %s: row %" PRId64, here.file->path, values->set, here.first);
    if (!values->offsets || used >= (int)size)
        return;
    int64_t s = values_find_sequence(dataset, values, row);
    char name[DATASET_NAME];
    dataset_write_name(dataset, s, name, sizeof name);
    snprintf(text + used, size - (size_t)used, " (sequence %" PRId64 "%s, its row %" PRId64 ")",
        dataset_find_place(dataset, s).sequence, name, row - values->offsets[s]);
}

static void add_integer(
    struct dataset *dataset, const struct values *values, int64_t row, int32_t item, struct faults *faults)
{
    int inputs = values->part == PART_INPUTS;
    const char *what = inputs ? "symbol" : "class", *attribute = inputs ? "n_symbols" : "n_classes";
    const char *note = values->lowest < 0 ? " (-1 is no target)"
        : !inputs && item == -1           ? " (-1, no target, needs one target per frame or per sequence)"
                                          : "";
    char place[PLACE], number[H5_INTEGER_TEXT];
    struct file_rows here = values_find_rows(dataset, values, row, 1);
    write_place(dataset, values, row, place, sizeof place);
    dataset_write_integer(here.file, values->set, here.first, item, INT32_MAX, number);
    faults_add(faults, EXIT_CODE_DATA,
        "%s: %s %s is out of range: with %s = %" PRId32 " only %" PRId32 " to %" PRId32
        " are allowed%s: correct the value or %s",
        place, what, number, attribute, values->limit, values->lowest, values->limit - 1, note, attribute);
}

/* What would have to be so that a NaN were no target. */
static const char *explain_hole(const struct dataset *dataset, const struct values *values)
{
    if (values->part != PART_TARGETS)
        return "";
    return dataset->version > 1 ? " (NaN, no target, needs one target per frame or per sequence)"
                                : " (with format_version = 2 a NaN here is no target)";
}

static void add_float(struct dataset *dataset, const struct values *values, int64_t row, size_t column,
    float item, struct faults *faults)
{
    char place[PLACE];
    write_place(dataset, values, row, place, sizeof place);
    if (values->are_weights) {
        faults_add(faults, EXIT_CODE_DATA,
            "%s: %.9g is no weight: only finite numbers of 0 and more are allowed: correct it, with 0 "
            "where the target is not to count",
            place, (double)item);
        return;
    }
    if (isfinite(item)) {
        faults_add(faults, EXIT_CODE_DATA,
            "%s: column %zu is %.9g: loss = %s takes targets from %g to %g only: scale "
            "the values, or choose another model.loss",
            place, column, (double)item, values->loss->name, (double)values->loss->least_target,
            (double)values->loss->most_target);
        return;
    }
    faults_add(faults, EXIT_CODE_DATA,
        "%s: column %zu is %s: only finite numbers of 32 bits are allowed%s: replace the value or "
        "leave the sequence out",
        place, column,
        isnan(item)    ? "NaN"
            : item > 0 ? "infinite"
                       : "-infinite",
        isnan(item) ? explain_hole(dataset, values) : "");
}

/* Floats without a loss that must all be there, which most are, get a loop of their own in count_faulty: it
 * is a fast one. */
static int is_faulty_float(const struct values *values, float item)
{
    if (values->are_weights)
        return !(item >= 0 && isfinite(item));
    if (isnan(item))
        return !values->may_lack;
    return isinf(item) || (values->loss && !loss_takes(values->loss, item));
}

static size_t count_faulty(const struct values *values, size_t n, const void *items)
{
    size_t faulty = 0;
    const float *floats = items;
    const int32_t *integers = items;
    if (values->limit)
        for (size_t i = 0; i < n; i++)
            faulty += integers[i] < values->lowest || integers[i] >= values->limit;
    else if (!values->loss && !values->may_lack && !values->are_weights)
        for (size_t i = 0; i < n; i++)
            faulty += !isfinite(floats[i]);
    else
        for (size_t i = 0; i < n; i++)
            faulty += (size_t)is_faulty_float(values, floats[i]);
    return faulty;
}

void check_values(struct dataset *dataset, const struct values *values, int64_t first, int64_t rows,
    const void *items, struct faults *faults)
{
    size_t n = (size_t)rows * values->width;
    size_t left = count_faulty(values, n, items);
    for (size_t i = 0; left && !check_is_over(faults); i++) {
        int64_t row = first + (int64_t)(i / values->width);
        const float *floats = items;
        const int32_t *integers = items;
        if (values->limit && (integers[i] < values->lowest || integers[i] >= values->limit))
            add_integer(dataset, values, row, integers[i], faults), left--;
        else if (!values->limit && is_faulty_float(values, floats[i]))
            add_float(dataset, values, row, i % values->width, floats[i], faults), left--;
    }
}

int check_first_value(struct dataset *dataset, const struct values *values, int64_t first, int64_t rows,
    const void *items, struct error *error)
{
    struct error held = {0};
    struct faults faults = check_open(&held);
    check_values(dataset, values, first, rows, items, &faults);
    return check_close(&faults, &held, error);
}

const void *check_get_values(
    struct dataset *dataset, const struct values *values, int64_t first, int64_t rows, struct error *error)
{
    if (values->kept) {
        const void *items = (const char *)values->kept + (size_t)first * values->width * sizeof(float);
        int faulty = values->check_kept && check_first_value(dataset, values, first, rows, items, error);
        return faulty ? NULL : items;
    }
    if (values_read(dataset, values, first, rows, dataset->block, error) ||
        check_first_value(dataset, values, first, rows, dataset->block, error))
        return NULL;
    return dataset->block;
}

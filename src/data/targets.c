/* One pass over the targets, or over a share of the sequences, a block at a time; a sequence may lie in
 * several blocks, so what is known of it goes along from one to the next. */
#include "data/targets.h"

#include "base/memory.h"
#include "data/check.h"
#include "data/values.h"
#include "net/ctc.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

/* Sequences from .. to - 1. */
struct sequence_range {
    int64_t from, to;
};

/* The whole of it. */
static struct sequence_range all_sequences(const struct dataset *dataset)
{
    return (struct sequence_range){0, dataset->sequences};
}

/* Where a share begins: at a sequence, so that none is looked at in two halves. */
static int64_t find_beginning(struct dataset *dataset, size_t part, size_t parts)
{
    struct values values = values_of_targets(dataset);
    int64_t rows = values.rows, p = (int64_t)part, n = (int64_t)parts;
    if (part == 0)
        return 0;
    if (part == parts || rows == 0)
        return dataset->sequences;
    return values_find_sequence(dataset, &values, rows / n * p + rows % n * p / n);
}

static struct sequence_range find_share(struct dataset *dataset, size_t part, size_t parts)
{
    if (!dataset->has_targets)
        return all_sequences(dataset);
    return (struct sequence_range){
        find_beginning(dataset, part, parts), find_beginning(dataset, part + 1, parts)};
}

/* A pass over the targets, at a row of sequence s. */
struct target_pass {
    struct dataset *dataset;
    const struct values *values;
    struct faults *faults;
    int ctc;         /* else only classes of -1 are looked for */
    int64_t s;       /* the first sequence that does not end before the row */
    int64_t repeats; /* of sequence s so far: labels like the one before */
    int32_t last;    /* label of the row before, where that is of sequence s */
};

/* Writes what is wrong with a sequence whose labels need so many frames for ctc. */
static void write_no_path(const struct dataset *dataset, int64_t s, int64_t needed, char *text, size_t size)
{
    char name[DATASET_NAME];
    struct dataset_place place = dataset_find_place(dataset, s);
    int64_t labels = dataset_targets(dataset, s);
    dataset_write_name(dataset, s, name, sizeof name);
    snprintf(text, size,
        "%s: targets: sequence %" PRId64 "%s: its %" PRId64 " labels, %" PRId64
        " of them like the label before, need %" PRId64 " frames for ctc, but it has %" PRId32
        ": leave the sequence out, or give it more frames",
        place.file->path, place.sequence, name, labels, needed - labels, needed, dataset_length(dataset, s));
}

static void pass_end_sequence(struct target_pass *pass)
{
    struct dataset *dataset = pass->dataset;
    int64_t s = pass->s++, needed = dataset_targets(dataset, s) + pass->repeats;
    char text[1024];
    pass->repeats = 0;
    if (!pass->ctc || needed <= dataset_length(dataset, s))
        return;
    write_no_path(dataset, s, needed, text, sizeof text);
    faults_add(pass->faults, EXIT_CODE_DATA, "%s", text);
}

/* Goes over rows first .. first + rows - 1. */
static void pass_block(struct target_pass *pass, int64_t first, int64_t rows, const int32_t *classes)
{
    const int64_t *offsets = pass->values->offsets;
    for (int64_t row = first; row < first + rows && !check_is_over(pass->faults); row++) {
        while (offsets[pass->s + 1] <= row)
            pass_end_sequence(pass);
        int32_t label = classes[row - first];
        if (label == -1 && pass->dataset->target_kind != TARGET_ANY)
            check_values(pass->dataset, pass->values, row, 1, &label, pass->faults);
        pass->repeats += row > offsets[pass->s] && label == pass->last;
        pass->last = label;
    }
}

/* Makes *room where rows are to be read, which those that are kept need not be: NULL for them. Returns -1
 * where there is no memory. */
static int make_room(const struct target_pass *pass, void **room)
{
    struct error error;
    *room = pass->values->kept ? NULL : memory_create(values_block_bytes(pass->values), 1, &error);
    if (*room || pass->values->kept)
        return 0;
    faults_add(pass->faults, (enum exit_code)error.code, "%s: %s", pass->dataset->name, error.text);
    return -1;
}

/* The classes of rows first .. first + rows - 1: the kept ones, or read into room; NULL where that fails. */
static const int32_t *pass_get(struct target_pass *pass, int64_t first, int64_t rows, void *room)
{
    const struct values *values = pass->values;
    struct error error;
    if (values->kept)
        return (const int32_t *)values->kept + first;
    if (!values_read(pass->dataset, values, first, rows, room, &error))
        return room;
    faults_add(pass->faults, (enum exit_code)error.code, "%s", error.text);
    return NULL;
}

static void pass_range(struct target_pass *pass, const struct sequence_range *range)
{
    const struct values *values = pass->values;
    int64_t block = values_block_rows(values), end = values->offsets[range->to], rows;
    void *room;
    int failed = make_room(pass, &room);
    pass->s = range->from;
    for (int64_t first = values->offsets[range->from]; !failed && first < end && !check_is_over(pass->faults);
         first += rows) {
        rows = end - first < block ? end - first : block;
        const int32_t *classes = pass_get(pass, first, rows, room);
        failed = !classes;
        if (classes)
            pass_block(pass, first, rows, classes);
    }
    while (!failed && pass->s < range->to && !check_is_over(pass->faults))
        pass_end_sequence(pass);
    memory_destroy(room);
}

static void check_classes(
    struct dataset *dataset, const struct sequence_range *range, int ctc, struct faults *faults)
{
    struct values values = values_of_targets(dataset);
    values.lowest = 0;
    struct target_pass pass = {.dataset = dataset, .values = &values, .faults = faults, .ctc = ctc};
    pass_range(&pass, range);
}

/* Is a value of the row missing? */
static int row_lacks(const struct values *values, const float *row)
{
    size_t v = 0;
    while (v < values->width && !isnan(row[v]))
        v++;
    return v < values->width;
}

/* Tells of rows with values that are missing, which an output with any number of targets cannot have. */
static void check_holes(struct dataset *dataset, const struct sequence_range *range, struct faults *faults)
{
    struct values values = values_of_targets(dataset);
    struct error error;
    values.may_lack = 0;
    values.loss = NULL;
    int64_t block = values_block_rows(&values), end = values.offsets[range->to], rows;
    float *room = memory_create(values_block_bytes(&values), 1, &error);
    int failed = !room;
    for (int64_t first = values.offsets[range->from]; !failed && first < end; first += rows) {
        rows = end - first < block ? end - first : block;
        failed = values_read(dataset, &values, first, rows, room, &error);
        for (int64_t r = 0; r < rows && !failed && !check_is_over(faults); r++)
            if (row_lacks(&values, room + (size_t)r * values.width))
                check_values(dataset, &values, first + r, 1, room + (size_t)r * values.width, faults);
    }
    if (failed)
        faults_add(faults, (enum exit_code)error.code, "%s: %s", dataset->name, error.text);
    memory_destroy(room);
}

static void check_any(struct dataset *dataset, const struct sequence_range *range, struct faults *faults)
{
    if (!dataset->has_targets || dataset->target_kind == TARGET_ANY)
        return;
    if (dataset->classes)
        check_classes(dataset, range, 0, faults);
    else if (dataset->version > 1)
        check_holes(dataset, range, faults);
}

static void check_ctc(struct dataset *dataset, const struct sequence_range *range, struct faults *faults)
{
    if (dataset->has_targets && dataset->classes)
        check_classes(dataset, range, 1, faults);
    else
        faults_add(faults, EXIT_CODE_DATA,
            "%s: targets: %s, but ctc needs classes (integers and the attribute n_classes): name another "
            "file",
            dataset->name, dataset->has_targets ? "real values" : "there are none");
}

static void check_kept_values(
    struct dataset *dataset, const struct sequence_range *range, struct faults *faults)
{
    struct values values = values_of_targets(dataset);
    int64_t first = values.offsets[range->from], rows = values.offsets[range->to] - first;
    check_values(dataset, &values, first, rows, dataset->kept_values + (size_t)first * values.width, faults);
}

void dataset_check_any(struct dataset *dataset, struct faults *faults)
{
    const struct sequence_range all = all_sequences(dataset);
    check_any(dataset, &all, faults);
}

void dataset_check_ctc(struct dataset *dataset, struct faults *faults)
{
    const struct sequence_range all = all_sequences(dataset);
    check_ctc(dataset, &all, faults);
}

/* Makes the first fault of a share an error. */
static int require(struct dataset *dataset,
    void (*check)(struct dataset *dataset, const struct sequence_range *range, struct faults *faults),
    size_t part, size_t parts, struct error *error)
{
    const struct sequence_range range = find_share(dataset, part, parts);
    struct error first = {0};
    struct faults faults = check_open(&first);
    check(dataset, &range, &faults);
    return check_close(&faults, &first, error);
}

int dataset_require_any(struct dataset *dataset, size_t part, size_t parts, struct error *error)
{
    return require(dataset, check_any, part, parts, error);
}

int dataset_require_ctc(struct dataset *dataset, size_t part, size_t parts, struct error *error)
{
    return require(dataset, check_ctc, part, parts, error);
}

int dataset_require_loss(struct dataset *dataset, size_t part, size_t parts, struct error *error)
{
    return dataset->kept_values ? require(dataset, check_kept_values, part, parts, error) : 0;
}

int targets_require_path(struct dataset *dataset, int64_t s, const int32_t *labels, struct error *error)
{
    char text[1024];
    size_t needed = ctc_frames_needed(labels, (size_t)dataset_targets(dataset, s));
    if (needed <= (size_t)dataset_length(dataset, s))
        return 0;
    write_no_path(dataset, s, (int64_t)needed, text, sizeof text);
    return error_set(error, EXIT_CODE_DATA, "%s", text);
}

/* Does row r of the items count? */
static int row_counts(const struct values *values, const void *items, int64_t r)
{
    const float *value = (const float *)items + (size_t)r * values->width;
    size_t v = 0;
    if (values->limit)
        return ((const int32_t *)items)[r] >= 0;
    while (v < values->width && isnan(value[v]))
        v++;
    return v < values->width;
}

/* Writes the weights of rows, which are 1 where the file has none. */
static int read_weights(
    struct dataset *dataset, int64_t first, int64_t rows, float *weights, struct error *error)
{
    struct values values = values_of_weights(dataset);
    for (int64_t r = 0; r < rows; r++)
        weights[r] = dataset->kept_weights ? dataset->kept_weights[first + r] : 1;
    if (!dataset->has_weights || dataset->kept_weights)
        return 0;
    return values_read(dataset, &values, first, rows, weights, error) ||
            check_first_value(dataset, &values, first, rows, weights, error)
        ? -1
        : 0;
}

enum { WEIGHED_ROWS = 16 << 10 }; /* whose weights are looked at together */

/* Looks for a target that counts among rows first .. first + rows - 1, which are `items`. A set without
 * weights mostly has one in its first row. */
static int look_for_labels(struct dataset *dataset, const struct values *values, int64_t first, int64_t rows,
    const void *items, float weights[static WEIGHED_ROWS], struct error *error)
{
    int has = 0;
    for (int64_t from = 0, n; from < rows && !has; from += n) {
        n = rows - from < WEIGHED_ROWS ? rows - from : WEIGHED_ROWS;
        if (read_weights(dataset, first + from, n, weights, error))
            return -1;
        for (int64_t r = 0; r < n && !has; r++)
            has = weights[r] > 0 && row_counts(values, items, from + r);
    }
    return has;
}

int dataset_has_labels(struct dataset *dataset, int *has, struct error *error)
{
    *has = dataset->targets > 0;
    if (!dataset->has_targets || (!dataset->classes && dataset->version < 2 && !dataset->has_weights) ||
        dataset_has_any_targets(dataset))
        return 0;
    struct values values = values_of_targets(dataset);
    int64_t block = values_block_rows(&values), rows;
    float *weights = memory_create(WEIGHED_ROWS, sizeof *weights, error);
    int found = weights ? 0 : -1;
    for (int64_t first = 0; first < values.rows && !found; first += rows) {
        rows = values.rows - first < block ? values.rows - first : block;
        const void *items = check_get_values(dataset, &values, first, rows, error);
        found = items ? look_for_labels(dataset, &values, first, rows, items, weights, error) : -1;
    }
    memory_destroy(weights);
    *has = found > 0;
    return found < 0 ? -1 : 0;
}

int32_t dataset_most_targets(const struct dataset *dataset)
{
    int32_t most = 0;
    for (int64_t s = 0; s < dataset->sequences; s++)
        most = dataset_targets(dataset, s) > most ? dataset_targets(dataset, s) : most;
    return most;
}

int dataset_common_targets(const struct dataset *dataset, int32_t *targets, struct error *error)
{
    int32_t first = dataset_targets(dataset, 0);
    int64_t s = 1;
    while (s < dataset->sequences && dataset_targets(dataset, s) == first)
        s++;
    if (s < dataset->sequences) {
        struct dataset_place place = dataset_find_place(dataset, s);
        int is_first = place.file == dataset->file;
        return error_set(error, EXIT_CODE_DATA,
            "%s: targets: sequence %" PRId64 " has %" PRId32 " targets, sequence 0%s%s has %" PRId32
            ": all need the same number: make them equally many",
            place.file->path, place.sequence, dataset_targets(dataset, s), is_first ? "" : " of ",
            is_first ? "" : dataset->file->path, first);
    }
    if (first < 1)
        return error_set(error, EXIT_CODE_DATA,
            "%s: targets: no sequence has any: one at least is needed: name another file", dataset->name);
    *targets = first;
    return 0;
}

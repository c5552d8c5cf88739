/* Shapes, attributes and offsets are checked in order of what rests on what: format, the two sets of values,
 * offsets, names. A set that is faulty does not keep the others from being checked, unless they rest on
 * it. */
#include "data/structure.h"

#include "base/memory.h"
#include "data/check.h"
#include "data/texts.h"

#include <inttypes.h>
#include <string.h>

enum { FORMAT_VERSION = 2 };

static void add_error(struct faults *faults, const struct error *error)
{
    faults_add(faults, (enum exit_code)error->code, "%s", error->text);
}

/* ---- format ---- */

static int check_format(struct dataset *dataset, struct faults *faults)
{
    struct error error;
    char *format = NULL;
    int found = h5_attribute_text(dataset->file->h5, "/", "format", &format, &error);
    int right = found > 0 && strcmp(format, "rnn-train dataset") == 0;
    if (found < 0)
        add_error(faults, &error);
    else if (found == 0)
        faults_add(faults, EXIT_CODE_DATA,
            "%s: has no attribute format: a dataset has format = \"rnn-train dataset\" on its root group: "
            "write it there, or name another file",
            dataset->name);
    else if (!right)
        faults_add(faults, EXIT_CODE_DATA,
            "%s: attribute format is \"%.80s\": a dataset has \"rnn-train dataset\": name another file",
            dataset->name, format);
    memory_destroy(format);
    return right ? 0 : -1;
}

static int check_version(struct dataset *dataset, struct faults *faults)
{
    struct error error;
    int64_t version = 0;
    int found = h5_attribute_integer(dataset->file->h5, "/", "format_version", &version, &error);
    if (found > 0 && version >= 1 && version <= FORMAT_VERSION) {
        dataset->version = (int)version;
        return 0;
    }
    if (found < 0)
        add_error(faults, &error);
    else if (found == 0)
        faults_add(faults, EXIT_CODE_DATA,
            "%s: has no attribute format_version: add it, as integer 1, or %d where "
            "targets are missing",
            dataset->name, FORMAT_VERSION);
    else
        faults_add(faults, EXIT_CODE_DATA,
            "%s: attribute format_version is %" PRId64
            ": this program reads versions 1 to %d: use a newer program, or write the file anew",
            dataset->name, version, FORMAT_VERSION);
    return -1;
}

/* ---- values ---- */

/* The words for the parts of each of the two sets of values. */
struct vocabulary {
    const char *set, *integers, *attribute, *columns, *rows;
};

static const struct vocabulary vocabulary_of_inputs = {
    "inputs", "symbols", "n_symbols", "features", "frames"};
static const struct vocabulary vocabulary_of_targets = {
    "targets", "classes", "n_classes", "outputs", "targets"};

/* The shape of a set that has to be there and to hold integers or floats. */
static int look_at_numbers(
    struct dataset *dataset, const char *set, struct h5_shape *shape, struct faults *faults)
{
    struct error error;
    if (!h5_has(dataset->file->h5, set)) {
        faults_add(faults, EXIT_CODE_DATA,
            "%s: has no set %s: a dataset needs it: add it, or name another file", dataset->name, set);
        return -1;
    }
    if (h5_look(dataset->file->h5, set, shape, &error)) {
        add_error(faults, &error);
        return -1;
    }
    if (shape->kind == H5_INTEGER || shape->kind == H5_FLOAT)
        return 0;
    faults_add(faults, EXIT_CODE_DATA,
        "%s: %s: holds %s: only integers, floats and booleans of h5py are allowed: write numbers",
        dataset->name, set, shape->what);
    return -1;
}

/* Checks a set of integers [rows], which the attribute bounds. */
static int check_integers(struct dataset *dataset, const struct vocabulary *words,
    const struct h5_shape *shape, int found, int64_t limit, struct faults *faults)
{
    if (shape->kind != H5_INTEGER)
        faults_add(faults, EXIT_CODE_DATA,
            "%s: %s: holds floats of shape [%s]: floats need the shape [%s, %s], [%s, 1] where there is one; "
            "%s are integers: reshape it",
            dataset->name, words->set, words->rows, words->rows, words->columns, words->rows,
            words->integers);
    else if (!found)
        faults_add(faults, EXIT_CODE_DATA,
            "%s: %s: holds %s but has no attribute %s: add it, the number of different %s", dataset->name,
            words->set, words->integers, words->attribute, words->integers);
    else if (limit < 1 || limit > INT32_MAX)
        faults_add(faults, EXIT_CODE_DATA,
            "%s: %s: attribute %s is %" PRId64 ": 1 to %" PRId32 " are allowed: correct it", dataset->name,
            words->set, words->attribute, limit, INT32_MAX);
    else
        return 0;
    return -1;
}

/* Checks a set of floats (or integers read as such) [rows, columns]. */
static int check_floats(struct dataset *dataset, const struct vocabulary *words, const struct h5_shape *shape,
    int found, struct faults *faults)
{
    if (found)
        faults_add(faults, EXIT_CODE_DATA,
            "%s: %s: has attribute %s and two dimensions: %s have the shape [%s], real values no such "
            "attribute: drop one of the two",
            dataset->name, words->set, words->attribute, words->integers, words->rows);
    else if (shape->size[1] < 1)
        faults_add(faults, EXIT_CODE_DATA, "%s: %s: has no columns: at least one of %s is needed: add it",
            dataset->name, words->set, words->columns);
    else
        return 0;
    return -1;
}

static int check_set(struct dataset *dataset, const struct vocabulary *words, int64_t *rows, size_t *columns,
    int32_t *limit, struct faults *faults)
{
    struct error error;
    struct h5_shape shape;
    int64_t bound = 0;
    if (look_at_numbers(dataset, words->set, &shape, faults))
        return -1;
    int found = h5_attribute_integer(dataset->file->h5, words->set, words->attribute, &bound, &error);
    if (found < 0) {
        add_error(faults, &error);
        return -1;
    }
    if (shape.dimensions != 1 && shape.dimensions != 2) {
        faults_add(faults, EXIT_CODE_DATA,
            "%s: %s: has %d dimensions: [%s] for %s or [%s, %s] for real values are allowed: reshape it",
            dataset->name, words->set, shape.dimensions, words->rows, words->integers, words->rows,
            words->columns);
        return -1;
    }
    int integers = shape.dimensions == 1;
    if (integers ? check_integers(dataset, words, &shape, found, bound, faults)
                 : check_floats(dataset, words, &shape, found, faults))
        return -1;
    *rows = shape.size[0];
    *columns = integers ? 0 : (size_t)shape.size[1];
    *limit = integers ? (int32_t)bound : 0;
    return 0;
}

/* ---- offsets ---- */

/* Offsets and the set into which they point. */
struct offsets {
    const char *name, *set;
    int64_t rows;     /* of the set; -1: faulty, not known */
    int64_t count;    /* sequences there have to be; -1: any number above zero */
    int64_t shortest; /* rows of a sequence */
};

static int check_offsets_shape(
    struct dataset *dataset, const struct offsets *offsets, struct h5_shape *shape, struct faults *faults)
{
    if (look_at_numbers(dataset, offsets->name, shape, faults))
        return -1;
    int64_t rows = shape->dimensions == 1 ? shape->size[0] : 0;
    if (shape->kind != H5_INTEGER)
        faults_add(faults, EXIT_CODE_DATA, "%s: %s: holds floats: only integers are allowed: write integers",
            dataset->name, offsets->name);
    else if (shape->dimensions != 1)
        faults_add(faults, EXIT_CODE_DATA,
            "%s: %s: has %d dimensions: the shape has to be [sequences + 1]: reshape it", dataset->name,
            offsets->name, shape->dimensions);
    else if (rows < 2 && offsets->count < 0)
        faults_add(faults, EXIT_CODE_DATA,
            "%s: %s: has %" PRId64 " rows, so there are zero sequences: at least one is needed",
            dataset->name, offsets->name, rows);
    else if (offsets->count >= 0 && rows != offsets->count + 1)
        faults_add(faults, EXIT_CODE_DATA,
            "%s: %s: has %" PRId64 " rows: %" PRId64
            " are needed, one more than there are sequences: write it anew",
            dataset->name, offsets->name, rows, offsets->count + 1);
    else if (offsets->shortest && offsets->rows >= 0 && rows - 1 > offsets->rows)
        faults_add(faults, EXIT_CODE_DATA,
            "%s: %s: names %" PRId64 " sequences, but %s has %" PRId64
            " rows: each sequence needs one at least: leave empty ones out",
            dataset->name, offsets->name, rows - 1, offsets->set, offsets->rows);
    else
        return 0;
    return -1;
}

/* Writes an offset for a message, as it is in the file. */
static const char *write_offset(struct dataset *dataset, const struct offsets *offsets, int64_t row,
    int64_t value, char text[H5_INTEGER_TEXT])
{
    dataset_write_integer(dataset->file, offsets->name, row, value, INT64_MAX, text);
    return text;
}

/* Checks where sequence s begins, `from`, and ends, `to`. */
static void check_sequence(struct dataset *dataset, const struct offsets *offsets, int64_t s, int64_t from,
    int64_t to, struct faults *faults)
{
    char begin[H5_INTEGER_TEXT], end[H5_INTEGER_TEXT];
    if (to > from && (uint64_t)to - (uint64_t)from <= INT32_MAX)
        return;
    write_offset(dataset, offsets, s, from, begin);
    write_offset(dataset, offsets, s + 1, to, end);
    if (to < from)
        faults_add(faults, EXIT_CODE_DATA,
            "%s: %s: row %" PRId64 " falls from %s to %s, where sequence %" PRId64
            " ends: offsets have to rise: write them anew",
            dataset->name, offsets->name, s + 1, begin, end, s);
    else if (to == from && offsets->shortest)
        faults_add(faults, EXIT_CODE_DATA,
            "%s: %s: row %" PRId64 " is %s as the row before: sequence %" PRId64
            " has no frames, one at least is needed: leave the sequence out",
            dataset->name, offsets->name, s + 1, end, s);
    else if (to > from)
        faults_add(faults, EXIT_CODE_DATA,
            "%s: %s: row %" PRId64 ": sequence %" PRId64 " reaches from %s to %s: at most %" PRId32
            " rows are allowed: cut the sequence",
            dataset->name, offsets->name, s + 1, s, begin, end, INT32_MAX);
}

static void check_ends(struct dataset *dataset, const struct offsets *offsets, int64_t sequences,
    const int64_t *offset, struct faults *faults)
{
    char text[H5_INTEGER_TEXT];
    int64_t last = offset[sequences], s = 0;
    if (offset[0] != 0)
        faults_add(faults, EXIT_CODE_DATA,
            "%s: %s: row 0 is %s: the first sequence begins at 0: write the offsets anew", dataset->name,
            offsets->name, write_offset(dataset, offsets, 0, offset[0], text));
    if (offsets->rows < 0)
        return;
    while (s < sequences && offset[s + 1] <= offsets->rows)
        s++;
    if (s < sequences)
        faults_add(faults, EXIT_CODE_DATA,
            "%s: %s: row %" PRId64 " is %s, past the end: sequence %" PRId64
            " ends there, but %s has %" PRId64 " rows: write the offsets anew",
            dataset->name, offsets->name, s + 1, write_offset(dataset, offsets, s + 1, offset[s + 1], text),
            s, offsets->set, offsets->rows);
    else if (last != offsets->rows)
        faults_add(faults, EXIT_CODE_DATA,
            "%s: %s: row %" PRId64 ", the last, is %s: it has to be %" PRId64
            ", the number of rows of %s: write the offsets anew",
            dataset->name, offsets->name, sequences, write_offset(dataset, offsets, sequences, last, text),
            offsets->rows, offsets->set);
}

/* The offsets, or NULL where anything about them is faulty; *sequences is set where the shape is right. */
static int64_t *read_offsets(
    struct dataset *dataset, const struct offsets *offsets, int64_t *sequences, struct faults *faults)
{
    struct h5_shape shape;
    struct error error;
    if (check_offsets_shape(dataset, offsets, &shape, faults))
        return NULL;
    int64_t n = shape.size[0] - 1;
    int64_t *offset = memory_create((size_t)n + 1, sizeof *offset, &error);
    if (!offset || h5_read_integers(dataset->file->h5, offsets->name, 0, n + 1, offset, &error)) {
        add_error(faults, &error);
        memory_destroy(offset);
        return NULL;
    }
    size_t before = faults->count;
    check_ends(dataset, offsets, n, offset, faults);
    for (int64_t s = 0; s < n && !check_is_over(faults); s++)
        check_sequence(dataset, offsets, s, offset[s], offset[s + 1], faults);
    *sequences = n;
    if (faults->count == before)
        return offset;
    memory_destroy(offset);
    return NULL;
}

enum target_kind structure_find_target_kind(const struct dataset *dataset)
{
    const int64_t *offset = dataset->target_offsets;
    size_t bytes = ((size_t)dataset->sequences + 1) * sizeof *offset;
    if (!offset || memcmp(offset, dataset->input_offsets, bytes) == 0)
        return TARGET_FRAME;
    for (int64_t s = 0; s <= dataset->sequences; s++)
        if (offset[s] != s)
            return TARGET_ANY;
    return TARGET_SEQUENCE;
}

/* ---- all of it ---- */

static void check_inputs(struct dataset *dataset, struct faults *faults)
{
    int faulty = check_set(
        dataset, &vocabulary_of_inputs, &dataset->frames, &dataset->features, &dataset->symbols, faults);
    if (check_is_over(faults))
        return;
    struct offsets offsets = {"input_offsets", "inputs", faulty ? -1 : dataset->frames, -1, 1};
    dataset->input_offsets = read_offsets(dataset, &offsets, &dataset->sequences, faults);
    for (int64_t s = 0; dataset->input_offsets && s < dataset->sequences; s++)
        if (dataset_length(dataset, s) > dataset->longest)
            dataset->longest = dataset_length(dataset, s);
}

static void check_targets(struct dataset *dataset, struct faults *faults)
{
    int has_offsets = h5_has(dataset->file->h5, "target_offsets");
    if (!h5_has(dataset->file->h5, "targets")) {
        if (has_offsets)
            faults_add(faults, EXIT_CODE_DATA,
                "%s: has target_offsets but no set targets: add it, or drop target_offsets", dataset->name);
        return;
    }
    int faulty = check_set(
        dataset, &vocabulary_of_targets, &dataset->targets, &dataset->values, &dataset->classes, faults);
    dataset->has_targets = !faulty;
    if (has_offsets && !check_is_over(faults)) {
        int64_t sequences, count = dataset->sequences ? dataset->sequences : -1;
        struct offsets offsets = {"target_offsets", "targets", faulty ? -1 : dataset->targets, count, 0};
        dataset->target_offsets = read_offsets(dataset, &offsets, &sequences, faults);
    } else if (!has_offsets && !faulty && dataset->features + (size_t)dataset->symbols &&
        dataset->targets != dataset->frames) {
        faults_add(faults, EXIT_CODE_DATA,
            "%s: targets: has %" PRId64 " rows, inputs %" PRId64
            ": without target_offsets there is one target per frame: add target_offsets",
            dataset->name, dataset->targets, dataset->frames);
    }
}

/* A weight for each target, in files of a version that has them. */
static void check_weights(struct dataset *dataset, struct faults *faults)
{
    struct h5_shape shape;
    const char *path = dataset->name;
    if (!h5_has(dataset->file->h5, "target_weights") || check_is_over(faults))
        return;
    if (dataset->version < 2)
        faults_add(faults, EXIT_CODE_DATA,
            "%s: target_weights: format_version = 1 has no such set: write 2 there, or drop the set", path);
    else if (!h5_has(dataset->file->h5, "targets"))
        faults_add(faults, EXIT_CODE_DATA,
            "%s: has target_weights but no set targets: add it, or drop target_weights", path);
    else if (look_at_numbers(dataset, "target_weights", &shape, faults) || !dataset->has_targets)
        return;
    else if (shape.dimensions != 1 || shape.size[0] != dataset->targets)
        faults_add(faults, EXIT_CODE_DATA,
            "%s: target_weights: %d dimensions, %" PRId64 " rows: the shape has to be [%" PRId64
            "], a weight for each target: write it anew",
            path, shape.dimensions, shape.dimensions ? shape.size[0] : 0, dataset->targets);
    else
        dataset->has_weights = 1;
}

void structure_check(struct dataset *dataset, struct faults *faults)
{
    if (check_is_over(faults) || check_format(dataset, faults) || check_version(dataset, faults))
        return;
    check_inputs(dataset, faults);
    if (!check_is_over(faults))
        check_targets(dataset, faults);
    check_weights(dataset, faults);
    texts_check(dataset, "names", dataset->sequences, "sequences", faults);
    texts_check(dataset, "feature_names", (int64_t)dataset->features, "features", faults);
    texts_check(dataset, "symbol_names", dataset->symbols, "symbols", faults);
    texts_check(dataset, "class_names", dataset->classes, "classes", faults);
    texts_check(dataset, "target_names", (int64_t)dataset->values, "outputs", faults);
    texts_check_values(dataset, "feature_names", faults);
    texts_check_values(dataset, "symbol_names", faults);
    texts_check_values(dataset, "class_names", faults);
    texts_check_values(dataset, "target_names", faults);
    if (dataset->has_targets && dataset->input_offsets)
        dataset->target_kind = structure_find_target_kind(dataset);
}

/* The HDF files of RETURNN (its datasets/hdf.py): inputs end to end, and beside them any number of targets,
 * each under a key. seqLengths has a column for the inputs and one for each key, the keys in order of their
 * bytes. */
#include "data/import/sequence.h"

#include "base/array.h"
#include "base/memory.h"
#include "base/text.h"
#include "h5/h5.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CACHE_BYTES = 16 << 20, BLOCK = 1024, NAME_BYTES = 512, MOST_WIDTH = 1 << 24 };

struct returnn_options {
    struct import_options common;
    const char *target; /* NULL: the only key */
};

/* A source on its way. Of sets that are lists `width` is 0. */
struct returnn_source {
    struct h5_file *file;
    struct h5_shape inputs, targets;
    int64_t count, columns; /* of seqLengths; columns 0: it is a list */
    int64_t *length;        /* [count][columns] */
    int64_t symbols, classes;
    char **key, **tag, **symbol_name, **class_name; /* [keys], [count], [symbols], [classes]; NULL: none */
    size_t keys, key_room, place;                   /* of the key that is read */
    void *row;                                      /* [room] for what is on its way */
    size_t room;
};

static const char *target_set(const struct returnn_source *source, const char *group, char name[NAME_BYTES])
{
    snprintf(name, NAME_BYTES, "targets/%s/%s", group, source->key[source->place]);
    return name;
}

/* ---- what there is ---- */

static int is_width(int64_t width)
{
    return width >= 1 && width <= MOST_WIDTH;
}

static int look_at_inputs(struct returnn_source *source, struct import *import)
{
    struct h5_file *file = source->file;
    if (!h5_has(file, "seqLengths") && h5_has(file, "streams"))
        return import_refuse(import,
            "is of RETURNN's layout of streams, which is not read: dump it by "
            "HDFDatasetWriter (tools/hdf_dump.py)");
    if (!h5_has(file, "inputs"))
        return import_refuse(
            import, "has no set inputs: it is no HDF file of RETURNN, or one of targets alone");
    if (h5_look(file, "inputs", &source->inputs, import_error(import)) != 0)
        return -1;
    int is_list = source->inputs.dimensions == 1 && source->inputs.kind == H5_INTEGER;
    int is_table = source->inputs.dimensions == 2 && source->inputs.kind != H5_TEXT &&
        source->inputs.kind != H5_OTHER && is_width(source->inputs.size[1]);
    if (!is_list && !is_table)
        return import_refuse(import,
            "inputs should be numbers [frames, features] or integers [frames]: more "
            "dimensions are not read");
    if (!is_list)
        return 0;
    int there = h5_attribute_integer(file, "/", "inputPattSize", &source->symbols, import_error(import));
    return there < 0 ? -1 : 0;
}

static int read_lengths(struct returnn_source *source, struct import *import)
{
    struct h5_shape shape;
    struct error *error = import_error(import);
    if (h5_look(source->file, "seqLengths", &shape, error) != 0)
        return -1;
    if (shape.dimensions < 1 || shape.dimensions > 2 || shape.size[0] < 1 ||
        shape.size[0] > source->inputs.size[0])
        return import_refuse(import, "seqLengths should have a row for each sequence of a frame and more");
    source->count = shape.size[0];
    source->columns = shape.dimensions == 2 ? shape.size[1] : 0;
    if (shape.dimensions == 2 && (source->columns < 1 || source->columns > 4096))
        return import_refuse(import, "seqLengths has %" PRId64 " columns", source->columns);
    size_t width = source->columns ? (size_t)source->columns : 1;
    source->length = memory_create((size_t)source->count * width, sizeof *source->length, error);
    return source->length
        ? h5_read_integers(source->file, "seqLengths", 0, source->count, source->length, error)
        : -1;
}

static int take_key(void *context, const char *name)
{
    struct returnn_source *source = context;
    char **wider = array_grow(source->key, &source->key_room, source->keys, sizeof *wider);
    if (wider)
        source->key = wider;
    char *copy = wider ? text_copy(name, NULL) : NULL;
    if (!copy)
        return -1;
    source->key[source->keys++] = copy;
    return 0;
}

static int choose_key(struct returnn_source *source, struct import *import, const char *wanted)
{
    char list[512] = "", shown[TEXT_SHOWN];
    size_t used = 0;
    for (size_t k = 0; k < source->keys; k++) {
        if (wanted ? strcmp(source->key[k], wanted) == 0 : source->keys == 1) {
            source->place = k;
            return 0;
        }
        if (used < sizeof list)
            used += (size_t)snprintf(
                list + used, sizeof list - used, "%s%s", k ? ", " : "", text_show(source->key[k], shown));
    }
    return import_refuse(
        import, "has the targets %s: name %s of them with --target", list, wanted ? "another" : "one");
}

/* Are there targets, and which? Leaves keys = 0 where there are none. */
static int find_targets(struct returnn_source *source, struct import *import, const char *wanted)
{
    if (!h5_has(source->file, "targets/data"))
        return wanted ? import_refuse(import, "has no targets") : 0;
    if (h5_list(source->file, "targets/data", take_key, source, import_error(import)) != 0)
        return error_set(import_error(import), EXIT_CODE_DATA, "%s: the group targets/data cannot be listed",
            import_source(import));
    for (size_t k = 0; k < source->keys; k++)
        if (strcmp(source->key[k], "sizes") == 0)
            return import_refuse(
                import, "has targets/data/sizes: sequences of several dimensions are not read");
    if (source->keys == 0)
        return wanted ? import_refuse(import, "has no targets") : 0;
    if (source->columns && source->columns != (int64_t)source->keys + 1)
        return import_refuse(import,
            "seqLengths has %" PRId64 " columns, but there are inputs and %zu keys of "
            "targets",
            source->columns, source->keys);
    return choose_key(source, import, wanted);
}

/* The number of classes stands in an attribute, alone or before the number of dimensions. */
static int look_at_targets(struct returnn_source *source, struct import *import)
{
    char name[NAME_BYTES], shown[TEXT_SHOWN];
    int64_t size[2] = {0, 0};
    const char *key = source->key[source->place];
    if (h5_look(source->file, target_set(source, "data", name), &source->targets, import_error(import)) != 0)
        return -1;
    const struct h5_shape *shape = &source->targets;
    int is_list = shape->dimensions == 1 && shape->kind == H5_INTEGER;
    int is_table = shape->dimensions == 2 && (shape->kind == H5_FLOAT || shape->kind == H5_INTEGER) &&
        is_width(shape->size[1]);
    if (!is_list && !is_table)
        return import_refuse(import,
            "targets/data/%s should be integers [targets], or numbers [targets, values]",
            text_show(key, shown));
    if (!is_list)
        return 0;
    if (h5_attribute_integers(source->file, "targets/size", key, size, 2, import_error(import)) < 0)
        return -1;
    source->classes = size[0];
    return source->classes >= 0 && source->classes <= IMPORT_MOST_LABELS
        ? 0
        : import_refuse(import, "targets/size: %s has %" PRId64 " classes: up to %d can be read",
              text_show(key, shown), source->classes, IMPORT_MOST_LABELS);
}

/* ---- names ---- */

/* Reads a list of texts where there is one of `wanted` entries: fewer are RETURNN's way of saying that there
 * are no names. */
static int read_names(
    struct returnn_source *source, struct import *import, const char *set, int64_t wanted, char ***names)
{
    struct h5_shape shape;
    if (wanted < 1 || !h5_has(source->file, set))
        return 0;
    if (h5_look(source->file, set, &shape, import_error(import)) != 0)
        return -1;
    if (shape.kind != H5_TEXT || shape.dimensions != 1 || shape.size[0] != wanted)
        return 0;
    return h5_read_texts(source->file, set, 0, wanted, names, import_error(import));
}

static int read_all_names(struct returnn_source *source, struct import *import)
{
    char name[NAME_BYTES];
    struct h5_shape shape;
    if (read_names(source, import, "labels", source->symbols, &source->symbol_name) != 0 ||
        (source->keys &&
            read_names(source, import, target_set(source, "labels", name), source->classes,
                &source->class_name) != 0))
        return -1;
    if (!h5_has(source->file, "seqTags"))
        return 0;
    if (h5_look(source->file, "seqTags", &shape, import_error(import)) != 0)
        return -1;
    if (shape.dimensions != 1 || shape.size[0] != source->count)
        return import_refuse(
            import, "seqTags should have a text for each of %" PRId64 " sequences", source->count);
    return h5_read_texts(source->file, "seqTags", 0, source->count, &source->tag, import_error(import));
}

/* ---- lengths ---- */

static int64_t input_length(const struct returnn_source *source, int64_t s)
{
    return source->length[s * (source->columns ? source->columns : 1)];
}

static int64_t target_length(const struct returnn_source *source, int64_t s)
{
    return source->columns ? source->length[s * source->columns + 1 + (int64_t)source->place]
                           : input_length(source, s);
}

static int check_lengths(const struct returnn_source *source, struct import *import)
{
    int64_t frames = source->inputs.size[0], targets = source->keys ? source->targets.size[0] : 0;
    for (int64_t s = 0; s < source->count; s++) {
        int64_t T = input_length(source, s), U = source->keys ? target_length(source, s) : 0;
        if (T < 1 || T > frames || U < 0 || U > targets)
            return import_refuse(import,
                "seqLengths: sequence %" PRId64 " has %" PRId64 " frames and %" PRId64
                " targets, of which %" PRId64 " and %" PRId64 " are left",
                s, T, U, frames, targets);
        frames -= T;
        targets -= U;
    }
    if (frames == 0 && targets == 0)
        return 0;
    return import_refuse(import,
        "seqLengths leaves %" PRId64 " rows of inputs and %" PRId64 " of targets over", frames, targets);
}

static enum import_targets kind_of_targets(const struct returnn_source *source)
{
    int per_frame = 1, per_sequence = 1;
    for (int64_t s = 0; s < source->count; s++) {
        per_frame = per_frame && target_length(source, s) == input_length(source, s);
        per_sequence = per_sequence && target_length(source, s) == 1;
    }
    return per_frame ? IMPORT_PER_FRAME : per_sequence ? IMPORT_PER_SEQUENCE : IMPORT_ANY_TARGETS;
}

/* ---- what is handed over ---- */

static struct import_labels describe_labels(char **names, int64_t n)
{
    return (struct import_labels){.names = (const char *const *)names, .n = n, .numbered = !names};
}

static int declare(const struct returnn_source *source, struct import *import)
{
    struct import_shape shape = {.targets = IMPORT_NO_TARGETS};
    if (source->inputs.dimensions == 2)
        shape.features = (size_t)source->inputs.size[1];
    else
        shape.symbols = describe_labels(source->symbol_name, source->symbols);
    if (source->keys)
        shape.targets = kind_of_targets(source);
    if (source->keys && source->targets.dimensions == 2)
        shape.values = (size_t)source->targets.size[1];
    else if (source->keys)
        shape.classes = describe_labels(source->class_name, source->classes);
    return import_declare(import, &shape);
}

/* Reads rows in pieces of a few KiB. */
struct returnn_rows {
    const char *set;
    int64_t width, first, rows; /* width 0: integers */
    int (*add_rows)(struct import *import, const float *rows, int64_t n);
    int (*add_number)(struct import *import, int64_t number);
};

static int add_piece(struct returnn_source *source, struct import *import, const struct returnn_rows *rows,
    int64_t first, int64_t n)
{
    if (rows->width)
        return h5_read_floats(source->file, rows->set, first, n, source->row, import_error(import)) != 0
            ? -1
            : rows->add_rows(import, source->row, n);
    int64_t *numbers = source->row;
    if (h5_read_integers(source->file, rows->set, first, n, numbers, import_error(import)) != 0)
        return -1;
    for (int64_t i = 0; i < n; i++)
        if (rows->add_number(import, numbers[i]) != 0)
            return -1;
    return 0;
}

static int add_rows(struct returnn_source *source, struct import *import, const struct returnn_rows *rows)
{
    int64_t most = rows->width && rows->width < BLOCK ? BLOCK / rows->width : rows->width ? 1 : BLOCK;
    size_t bytes = (size_t)most * (rows->width ? (size_t)rows->width * sizeof(float) : sizeof(int64_t));
    void *wider = array_reserve(source->row, &source->room, bytes, 1);
    if (!wider)
        return error_set(
            import_error(import), EXIT_CODE_INTERNAL, "out of memory for a row of %s", rows->set);
    source->row = wider;
    for (int64_t done = 0; done < rows->rows; done += most) {
        int64_t some = rows->rows - done < most ? rows->rows - done : most;
        if (add_piece(source, import, rows, rows->first + done, some) != 0)
            return -1;
    }
    return 0;
}

/* A tag ends at its first zero byte: h5_read_texts has cut it there. */
static int add_sequences(struct returnn_source *source, struct import *import)
{
    char name[NAME_BYTES];
    struct returnn_rows inputs = {.set = "inputs",
        .width = source->inputs.dimensions == 2 ? source->inputs.size[1] : 0,
        .add_rows = import_add_rows,
        .add_number = import_add_symbol_number};
    struct returnn_rows targets = {.add_rows = import_add_values, .add_number = import_add_class_number};
    if (source->keys) {
        targets.set = target_set(source, "data", name);
        targets.width = source->targets.dimensions == 2 ? source->targets.size[1] : 0;
    }
    for (int64_t s = 0; s < source->count; s++) {
        const char *tag = source->tag && *source->tag[s] ? source->tag[s] : NULL;
        inputs.rows = input_length(source, s);
        targets.rows = source->keys ? target_length(source, s) : 0;
        if (import_begin(import, tag, NULL) != 0 || add_rows(source, import, &inputs) != 0 ||
            (source->keys && add_rows(source, import, &targets) != 0) || import_end(import) != 0)
            return -1;
        inputs.first += inputs.rows;
        targets.first += targets.rows;
    }
    return 0;
}

static void close_source(struct returnn_source *source)
{
    for (size_t k = 0; k < source->keys; k++)
        memory_destroy(source->key[k]);
    free(source->key);
    free(source->row);
    memory_destroy(source->tag);
    memory_destroy(source->symbol_name);
    memory_destroy(source->class_name);
    memory_destroy(source->length);
    h5_close(source->file);
}

static int read_source(struct import *import, const void *options)
{
    struct returnn_source source = {
        .file = h5_open(import_source(import), CACHE_BYTES, import_error(import))};
    if (!source.file)
        return -1;
    int failed = look_at_inputs(&source, import) != 0 || read_lengths(&source, import) != 0 ||
        find_targets(&source, import, ((const struct returnn_options *)options)->target) != 0 ||
        (source.keys && look_at_targets(&source, import) != 0) || check_lengths(&source, import) != 0 ||
        read_all_names(&source, import) != 0 || declare(&source, import) != 0 ||
        add_sequences(&source, import) != 0;
    close_source(&source);
    return failed ? -1 : 0;
}

static const struct option_row rows[] = {{"target", 0, OPTION_TEXT, offsetof(struct returnn_options, target),
    .argument = "KEY", .help = "which targets are taken (default: the only ones)"}};

static const struct returnn_options defaults = {.target = NULL};

const struct import_kind import_returnn = {
    .name = "returnn",
    .summary = "HDF files of RETURNN",
    .rows = rows,
    .row_count = sizeof rows / sizeof *rows,
    .defaults = &defaults,
    .size = sizeof defaults,
    .read = read_source,
};

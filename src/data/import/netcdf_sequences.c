#include "data/import/netcdf_sequences.h"

#include "base/array.h"
#include "base/memory.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 512 };

int netcdf_sequences_find(struct netcdf_sequences *sequences, struct import *import, const char *name,
    int64_t rows, struct netcdf_variable *variable)
{
    int found = netcdf_find(&sequences->file, name, variable, import_error(import));
    if (found <= 0 || variable->rows == rows)
        return found;
    return import_refuse(
        import, "%s has %" PRId64 " rows, but there should be %" PRId64, name, variable->rows, rows);
}

/* Each sequence has a frame at least, and together they have all there are. */
static int check_lengths(const struct netcdf_sequences *sequences, struct import *import)
{
    int64_t sum = 0;
    for (int64_t s = 0; s < sequences->count; s++) {
        int64_t length = sequences->length[s];
        if (length <= 0 || length > sequences->frames - sum)
            return import_refuse(import,
                "seqLengths: sequence %" PRId64 " has %" PRId64 " frames, where inputs "
                "has %" PRId64 " left",
                s, length, sequences->frames - sum);
        sum += length;
    }
    return sum == sequences->frames ? 0
                                    : import_refuse(import,
                                          "seqLengths sum to %" PRId64 " frames, but inputs has "
                                          "%" PRId64,
                                          sum, sequences->frames);
}

static int read_lengths(struct netcdf_sequences *sequences, struct import *import)
{
    struct netcdf_variable lengths;
    struct error *error = import_error(import);
    int found = netcdf_find(&sequences->file, "seqLengths", &lengths, error);
    if (found <= 0)
        return found < 0 ? -1
                         : import_refuse(import, "has no variable seqLengths: it is no file of this kind");
    found = netcdf_find(&sequences->file, "inputs", &sequences->inputs, error);
    if (found <= 0)
        return found < 0 ? -1 : import_refuse(import, "has no variable inputs: it is no file of this kind");
    sequences->count = lengths.rows;
    sequences->frames = sequences->inputs.rows;
    if (sequences->count < 1 || sequences->count > sequences->frames)
        return import_refuse(import, "has %" PRId64 " sequences of %" PRId64 " frames in all",
            sequences->count, sequences->frames);
    sequences->length = memory_create((size_t)sequences->count, sizeof *sequences->length, error);
    if (!sequences->length ||
        netcdf_read_integers(&sequences->file, &lengths, 0, sequences->count, sequences->length, error) != 0)
        return -1;
    return check_lengths(sequences, import);
}

static int read_classes(struct netcdf_sequences *sequences, struct import *import)
{
    struct netcdf_variable labels;
    int found =
        netcdf_find_dimension(&sequences->file, "numLabels", &sequences->classes, import_error(import));
    if (found <= 0)
        return found;
    if (sequences->classes < 1 || sequences->classes > IMPORT_MOST_LABELS)
        return import_refuse(import, "numLabels is %" PRId64 ": from 1 to %d classes can be read",
            sequences->classes, IMPORT_MOST_LABELS);
    found = netcdf_sequences_find(sequences, import, "labels", sequences->classes, &labels);
    if (found <= 0)
        return found;
    sequences->class_name = netcdf_sequences_read_texts(sequences, import, &labels);
    return sequences->class_name ? 0 : -1;
}

int netcdf_sequences_open(struct netcdf_sequences *sequences, struct import *import)
{
    int64_t dimensions = 1;
    *sequences = (struct netcdf_sequences){.count = 0};
    if (netcdf_open(&sequences->file, import_source(import), import_error(import)) != 0)
        return -1;
    int outcome = netcdf_find_dimension(&sequences->file, "numDims", &dimensions, import_error(import));
    if (outcome >= 0 && dimensions != 1)
        outcome = import_refuse(
            import, "its sequences have %" PRId64 " dimensions, but here a sequence has one", dimensions);
    if (outcome >= 0 &&
        (read_lengths(sequences, import) != 0 || read_classes(sequences, import) < 0 ||
            netcdf_sequences_find(sequences, import, "seqTags", sequences->count, &sequences->tags) < 0))
        outcome = -1;
    if (outcome < 0)
        netcdf_sequences_close(sequences);
    return outcome < 0 ? -1 : 0;
}

void netcdf_sequences_close(struct netcdf_sequences *sequences)
{
    netcdf_close(&sequences->file);
    memory_destroy(sequences->length);
    netcdf_sequences_free_texts(sequences->class_name, sequences->classes);
    free(sequences->row);
    *sequences = (struct netcdf_sequences){.count = 0};
}

char **netcdf_sequences_read_texts(
    struct netcdf_sequences *sequences, struct import *import, const struct netcdf_variable *variable)
{
    char **texts = memory_create((size_t)variable->rows, sizeof *texts, import_error(import));
    for (int64_t r = 0; texts && r < variable->rows; r++) {
        texts[r] = netcdf_read_text(&sequences->file, variable, r, import_error(import));
        if (!texts[r]) {
            netcdf_sequences_free_texts(texts, r);
            return NULL;
        }
    }
    return texts;
}

void netcdf_sequences_free_texts(char **texts, int64_t rows)
{
    for (int64_t r = 0; texts && r < rows; r++)
        memory_destroy(texts[r]);
    memory_destroy(texts);
}

void netcdf_sequences_describe_classes(const struct netcdf_sequences *sequences, struct import_shape *shape)
{
    shape->classes = (struct import_labels){.names = (const char *const *)sequences->class_name,
        .n = sequences->classes,
        .numbered = !sequences->class_name};
}

/* Reads rows in pieces of a few KiB and hands each to `add`. */
static int add_rows(struct netcdf_sequences *sequences, struct import *import,
    const struct netcdf_variable *variable, int64_t first, int64_t rows,
    int (*add)(struct import *import, const float *rows, int64_t n))
{
    int64_t most = variable->width < BLOCK ? BLOCK / variable->width : 1;
    float *row = array_reserve(
        sequences->row, &sequences->row_room, (size_t)(most * variable->width), sizeof *sequences->row);
    if (!row)
        return error_set(import_error(import), EXIT_CODE_INTERNAL,
            "out of memory for a row of %" PRId64 " values", variable->width);
    sequences->row = row;
    for (int64_t done = 0; done < rows; done += most) {
        int64_t some = rows - done < most ? rows - done : most;
        if (netcdf_read_floats(&sequences->file, variable, first + done, some, row, import_error(import)) !=
                0 ||
            add(import, row, some) != 0)
            return -1;
    }
    return 0;
}

int netcdf_sequences_begin(
    struct netcdf_sequences *sequences, struct import *import, int64_t s, int64_t first)
{
    char *name = NULL;
    if (sequences->tags.name) {
        name = netcdf_read_text(&sequences->file, &sequences->tags, s, import_error(import));
        if (!name)
            return -1;
    }
    int outcome = import_begin(import, name && *name ? name : NULL, NULL);
    memory_destroy(name);
    return outcome != 0
        ? -1
        : add_rows(sequences, import, &sequences->inputs, first, sequences->length[s], import_add_rows);
}

int netcdf_sequences_add_values(struct netcdf_sequences *sequences, struct import *import,
    const struct netcdf_variable *variable, int64_t first, int64_t rows)
{
    return add_rows(sequences, import, variable, first, rows, import_add_values);
}

int netcdf_sequences_add_classes(struct netcdf_sequences *sequences, struct import *import,
    const struct netcdf_variable *variable, int64_t first, int64_t rows)
{
    int64_t classes[BLOCK];
    for (int64_t done = 0; done < rows; done += BLOCK) {
        int64_t some = rows - done < BLOCK ? rows - done : BLOCK;
        if (netcdf_read_integers(
                &sequences->file, variable, first + done, some, classes, import_error(import)) != 0)
            return -1;
        for (int64_t i = 0; i < some; i++)
            if (import_add_class_number(import, classes[i] < 0 ? -1 : classes[i]) != 0)
                return -1;
    }
    return 0;
}

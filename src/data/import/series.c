#include "data/import/series.h"

#include "base/array.h"
#include "base/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_FLOATS = 64 << 10 };

static int refuse_memory(struct import_series *series)
{
    return error_set(import_error(series->lines->import), EXIT_CODE_INTERNAL, "out of memory");
}

int import_series_add_class(struct import_series *series, const char *name, size_t bytes)
{
    char **wider = array_grow(series->classes, &series->class_room, series->class_count, sizeof *wider);
    if (!wider)
        return refuse_memory(series);
    series->classes = wider;
    series->classes[series->class_count] = strndup(name, bytes);
    if (!series->classes[series->class_count])
        return refuse_memory(series);
    series->class_count++;
    return 0;
}

static int add_value(struct import_series *series, const char *text)
{
    float value;
    if (import_read_number(series->lines->import, text, "a value", &value))
        return -1;
    float *wider = array_grow(series->value, &series->room, series->values, sizeof *wider);
    if (!wider)
        return refuse_memory(series);
    series->value = wider;
    series->value[series->values++] = value;
    return 0;
}

int import_series_read_dimension(struct import_series *series, char *text, char separator)
{
    struct import *import = series->lines->import;
    size_t before = series->values;
    for (char *rest = text; rest;) {
        char *field = rest, *end = strchr(field, separator);
        rest = end ? end + 1 : NULL;
        if (end)
            *end = 0;
        field += strspn(field, " \t");
        field[strcspn(field, " \t")] = 0;
        if (add_value(series, field))
            return -1;
    }
    size_t length = series->values - before;
    if (series->read_dimensions++ == 0)
        series->length = length;
    if (length != series->length)
        return import_refuse(import,
            "dimension %zu of the case has %zu values, but the first %zu: all of a case have the "
            "same length",
            series->read_dimensions - 1, length, series->length);
    return 0;
}

/* ---- handing over ---- */

static int declare(struct import_series *series)
{
    int has_targets = series->has_classes || series->has_values;
    size_t most = BLOCK_FLOATS > series->dimensions ? BLOCK_FLOATS : series->dimensions;
    struct import_shape shape = {.features = series->dimensions,
        .targets = has_targets ? IMPORT_PER_SEQUENCE : IMPORT_NO_TARGETS,
        .values = series->has_values ? 1 : 0,
        .classes = {.names = (const char *const *)series->classes, .n = (int64_t)series->class_count}};
    series->rows = memory_create(most, sizeof *series->rows, import_error(series->lines->import));
    series->declared = 1;
    return series->rows ? import_declare(series->lines->import, &shape) : -1;
}

static int is_padding(const struct import_series *series, size_t frame)
{
    for (size_t d = 0; d < series->dimensions; d++)
        if (!isnan(series->value[d * series->length + frame]))
            return 0;
    return 1;
}

/* Frame by frame, as datasets are. */
static int add_frames(struct import_series *series, size_t frames)
{
    size_t D = series->dimensions, most = BLOCK_FLOATS > D ? BLOCK_FLOATS / D : 1;
    for (size_t first = 0, n; first < frames; first += n) {
        n = frames - first < most ? frames - first : most;
        for (size_t t = 0; t < n; t++)
            for (size_t d = 0; d < D; d++)
                series->rows[t * D + d] = series->value[d * series->length + first + t];
        if (import_add_rows(series->lines->import, series->rows, (int64_t)n))
            return -1;
    }
    return 0;
}

static int add_target(struct import_series *series, const char *target)
{
    struct import *import = series->lines->import;
    float value;
    if (series->has_classes)
        return import_add_class(import, *target && strcmp(target, "?") != 0 ? target : NULL);
    if (!series->has_values)
        return 0;
    return import_read_number(import, target, "the target", &value) ? -1
                                                                    : import_add_values(import, &value, 1);
}

int import_series_end(struct import_series *series, const char *target, int trim)
{
    struct import *import = series->lines->import;
    if (!series->dimensions)
        series->dimensions = series->read_dimensions;
    if (series->read_dimensions != series->dimensions)
        return import_refuse(
            import, "the case has %zu dimensions, not %zu", series->read_dimensions, series->dimensions);
    size_t frames = series->length;
    while (trim && frames > 0 && is_padding(series, frames - 1))
        frames--;
    if ((!series->declared && declare(series)) || import_begin(import, NULL, NULL) ||
        add_frames(series, frames) || add_target(series, target))
        return -1;
    series->values = series->read_dimensions = series->length = 0;
    return import_end(import);
}

void import_series_finish(struct import_series *series)
{
    for (size_t c = 0; c < series->class_count; c++)
        free(series->classes[c]);
    free(series->classes);
    free(series->value);
    memory_destroy(series->rows);
}

#include "data/import/arrays.h"

#include "base/memory.h"

#include <string.h>

enum { BLOCK_FLOATS = 64 << 10, BLOCK_NUMBERS = 1024 };

static size_t row_width(const struct import_array *array, int trailing)
{
    size_t width = 1;
    for (int d = trailing; d < array->dimensions; d++)
        width *= (size_t)array->size[d];
    return width;
}

static int check_form(const struct import_array *array, int trailing, size_t width)
{
    if (array->dimensions < trailing)
        return import_array_refuse(array, "has too few dimensions: the manual page says which are read");
    if (width == 0 || width > IMPORT_MOST_WIDTH)
        return import_array_refuse(array, "has rows of no items, or of more than a million");
    if (import_array_is_text(array) && array->dimensions > trailing)
        return import_array_refuse(array, "has rows of texts: one a row is read, as a symbol or class");
    return 0;
}

int npy_form_inputs(
    struct npy_form *form, const struct npy_options *options, const struct import_array *inputs, int trailing)
{
    size_t width = row_width(inputs, trailing);
    if (check_form(inputs, trailing, width))
        return -1;
    form->text_symbols = import_array_is_text(inputs);
    form->symbols = form->text_symbols ||
        (inputs->dimensions == trailing && import_array_is_whole(inputs) && !options->real_inputs);
    form->features = form->symbols ? 0 : width;
    return 0;
}

int npy_form_targets(struct npy_form *form, const struct npy_options *options,
    const struct import_array *targets, int trailing)
{
    size_t width = row_width(targets, trailing);
    if (check_form(targets, trailing, width))
        return -1;
    form->has_targets = 1;
    form->text_classes = import_array_is_text(targets);
    int classes = form->text_classes ||
        (targets->dimensions == trailing && import_array_is_whole(targets) && !options->real_targets);
    form->values = classes ? 0 : width;
    return 0;
}

static struct import_labels label(char **names, int64_t n, int are_texts)
{
    return (struct import_labels){.names = are_texts ? NULL : (const char *const *)names,
        .n = are_texts ? 0 : n,
        .numbered = !are_texts && !names};
}

int npy_form_declare(struct npy_form *form, enum import_targets targets)
{
    size_t widest = form->features > form->values ? form->features : form->values;
    struct import_shape shape = {
        .features = form->features,
        .feature_names = (const char *const *)form->feature_names,
        .targets = targets,
        .values = form->values,
        .target_names = (const char *const *)form->target_names,
        .symbols = label(form->symbol_names, form->symbols_named, form->text_symbols),
        .classes = label(form->class_names, form->classes_named, form->text_classes),
    };
    form->block_floats = widest > BLOCK_FLOATS ? widest : BLOCK_FLOATS;
    form->block = memory_create(form->block_floats, sizeof *form->block, import_error(form->import));
    return form->block ? import_declare(form->import, &shape) : -1;
}

void npy_form_finish(struct npy_form *form)
{
    memory_destroy(form->block);
    memory_destroy(form->class_names);
    memory_destroy(form->symbol_names);
    memory_destroy(form->feature_names);
    memory_destroy(form->target_names);
}

/* ---- handing over ---- */

/* Rows of real values. */
static int add_rows(struct npy_form *form, struct import_array *array, int64_t n, size_t width,
    int (*add)(struct import *import, const float *rows, int64_t n))
{
    int64_t most = (int64_t)(form->block_floats / width);
    for (int64_t first = 0, some; first < n; first += some) {
        some = n - first < most ? n - first : most;
        if (import_array_read_floats(array, some * (int64_t)width, form->block) ||
            add(form->import, form->block, some))
            return -1;
    }
    return 0;
}

static int add_numbers(struct npy_form *form, struct import_array *array, int64_t n,
    int (*add)(struct import *import, int64_t number))
{
    int64_t block[BLOCK_NUMBERS];
    for (int64_t first = 0, some; first < n; first += some) {
        some = n - first < BLOCK_NUMBERS ? n - first : BLOCK_NUMBERS;
        if (import_array_read_integers(array, some, block))
            return -1;
        for (int64_t i = 0; i < some; i++)
            if (add(form->import, block[i]))
                return -1;
    }
    return 0;
}

static int add_texts(struct npy_form *form, struct import_array *array, int64_t n,
    int (*add)(struct import *import, const char *label))
{
    char text[ARRAY_MOST_TEXT + 1];
    for (int64_t i = 0; i < n; i++)
        if (import_array_read_text(array, text) || add(form->import, text))
            return -1;
    return 0;
}

static int add_frames(struct npy_form *form, struct import_array *inputs, int64_t n)
{
    if (form->text_symbols)
        return add_texts(form, inputs, n, import_add_symbol);
    if (form->symbols)
        return add_numbers(form, inputs, n, import_add_symbol_number);
    return add_rows(form, inputs, n, form->features, import_add_rows);
}

static int add_targets(struct npy_form *form, struct import_array *targets, int64_t n)
{
    if (form->values)
        return add_rows(form, targets, n, form->values, import_add_values);
    if (form->text_classes)
        return add_texts(form, targets, n, import_add_class);
    return add_numbers(form, targets, n, import_add_class_number);
}

/* Errors name the array. */
int npy_form_add_frames(struct npy_form *form, struct import_array *inputs, int64_t n)
{
    import_set_file(form->import, inputs->path);
    int failed = add_frames(form, inputs, n);
    import_set_file(form->import, NULL);
    return failed;
}

int npy_form_add_targets(struct npy_form *form, struct import_array *targets, int64_t n)
{
    import_set_file(form->import, targets->path);
    int failed = add_targets(form, targets, n);
    import_set_file(form->import, NULL);
    return failed;
}

/* Arrays named as the sets of a dataset: inputs, input_offsets and what else there is of targets,
 * target_offsets, names and the lists of names. Offsets are read twice: first to see how many targets a
 * sequence has. */
#include "data/import/arrays.h"
#include "data/import/bundle.h"

#include "base/memory.h"

#include <inttypes.h>
#include <string.h>

/* What is read side by side. */
struct npy_own {
    struct npy_form form;
    const struct import_bundle *bundle;
    struct import_array inputs, targets, input_offsets, target_offsets, names;
    int has_target_offsets, has_names;
    int64_t sequences;
};

static int refuse(const struct import_array *array, const char *what, int64_t place)
{
    return import_array_refuse(array, "%s, at place %" PRId64, what, place);
}

/* Reads the next offset, and what it is more than the one before. */
static int read_offset(
    struct import_array *offsets, int64_t place, int64_t rows, int64_t *offset, int64_t *length)
{
    int64_t next;
    if (import_array_read_integers(offsets, 1, &next))
        return -1;
    if (place == 0 ? next != 0 : next < *offset || next > rows)
        return refuse(
            offsets, "offsets begin with 0, do not fall, and end with the rows that there are", place);
    *length = next - *offset;
    *offset = next;
    return 0;
}

static int open_offsets(struct npy_own *own)
{
    const struct import_bundle *bundle = own->bundle;
    if (import_bundle_open_array(bundle, "input_offsets", &own->input_offsets))
        return -1;
    own->sequences = own->input_offsets.items - 1;
    if (own->input_offsets.dimensions != 1 || own->sequences < 1)
        return refuse(&own->input_offsets, "offsets have one dimension and two items at least", 0);
    if (!own->has_target_offsets)
        return 0;
    if (import_bundle_open_array(bundle, "target_offsets", &own->target_offsets))
        return -1;
    if (own->target_offsets.dimensions != 1 || own->target_offsets.items != own->input_offsets.items)
        return refuse(&own->target_offsets, "there are not as many as of inputs", 0);
    return 0;
}

static void close_offsets(struct npy_own *own)
{
    import_array_close(&own->input_offsets);
    import_array_close(&own->target_offsets);
}

/* Reads the next offsets: frames and targets of the sequence that ends there. */
static int read_lengths(struct npy_own *own, int64_t place, int64_t offset[2], int64_t length[2])
{
    if (read_offset(&own->input_offsets, place, own->inputs.size[0], &offset[0], &length[0]))
        return -1;
    if (own->has_target_offsets)
        return read_offset(&own->target_offsets, place, own->targets.size[0], &offset[1], &length[1]);
    length[1] = length[0];
    return 0;
}

/* Finds how many targets a sequence has, by all offsets. */
static int find_targets(struct npy_own *own, enum import_targets *targets)
{
    int64_t offset[2] = {0, 0}, length[2];
    int per_frame = 1, per_sequence = 1, failed = open_offsets(own);
    for (int64_t place = 0; place <= own->sequences && !failed; place++) {
        failed = read_lengths(own, place, offset, length);
        per_frame = per_frame && length[0] == length[1];
        per_sequence = per_sequence && (place == 0 || length[1] == 1);
    }
    if (!failed && offset[0] != own->inputs.size[0])
        failed = refuse(&own->input_offsets, "the last offset is not the number of rows", own->sequences);
    if (!failed && own->form.has_targets &&
        (own->has_target_offsets ? offset[1] : offset[0]) != own->targets.size[0])
        failed = refuse(own->has_target_offsets ? &own->target_offsets : &own->targets,
            "targets and their offsets do not agree", own->sequences);
    close_offsets(own);
    *targets = !own->form.has_targets ? IMPORT_NO_TARGETS
        : per_frame                   ? IMPORT_PER_FRAME
        : per_sequence                ? IMPORT_PER_SEQUENCE
                                      : IMPORT_ANY_TARGETS;
    return failed;
}

/* Reads a list of names in one block, as base/memory.h gives it; *list stays NULL where there is none. */
static int read_list(const struct import_bundle *bundle, const char *name, char ***list, int64_t *n)
{
    struct import_array array;
    if (!import_bundle_has(bundle, name))
        return 0;
    int failed = import_bundle_open_array(bundle, name, &array);
    if (!failed &&
        (!import_array_is_text(&array) || array.dimensions != 1 || array.items > IMPORT_MOST_LABELS))
        failed = refuse(&array, "a list of names is wanted, of one dimension", 0);
    size_t room = failed ? 0 : array.bytes + 1;
    *list = failed ? NULL
                   : memory_create((size_t)array.items, sizeof **list + room, import_error(bundle->import));
    failed = failed || !*list;
    char text[ARRAY_MOST_TEXT + 1], *next = failed ? NULL : (char *)(*list + array.items);
    for (int64_t i = 0; !failed && i < array.items; i++, next += room) {
        failed = import_array_read_text(&array, text);
        if (!failed)
            (*list)[i] = strcpy(next, text);
    }
    *n = failed ? 0 : array.items;
    import_array_close(&array);
    return failed;
}

static int check_list(struct npy_form *form, const char *name, char **list, int64_t n, size_t wanted)
{
    if (!list || n == (int64_t)wanted)
        return 0;
    return import_refuse(
        form->import, "%s has %" PRId64 " names, but there are %zu columns", name, n, wanted);
}

static int read_lists(struct npy_own *own)
{
    struct npy_form *form = &own->form;
    int64_t features, values;
    return read_list(own->bundle, "class_names", &form->class_names, &form->classes_named) ||
        read_list(own->bundle, "symbol_names", &form->symbol_names, &form->symbols_named) ||
        read_list(own->bundle, "feature_names", &form->feature_names, &features) ||
        read_list(own->bundle, "target_names", &form->target_names, &values) ||
        check_list(form, "feature_names", form->feature_names, features, form->features) ||
        check_list(form, "target_names", form->target_names, values, form->values);
}

static int open_arrays(struct npy_own *own, const struct npy_options *options)
{
    const struct import_bundle *bundle = own->bundle;
    own->has_target_offsets = import_bundle_has(bundle, "target_offsets");
    own->has_names = import_bundle_has(bundle, "names");
    if (import_bundle_open_array(bundle, "inputs", &own->inputs) ||
        npy_form_inputs(&own->form, options, &own->inputs, 1))
        return -1;
    if (import_bundle_has(bundle, "targets")) {
        if (import_bundle_open_array(bundle, "targets", &own->targets) ||
            npy_form_targets(&own->form, options, &own->targets, 1))
            return -1;
    } else if (own->has_target_offsets) {
        return import_refuse(own->form.import, "has target_offsets, but no targets");
    }
    if (own->has_names && import_bundle_open_array(bundle, "names", &own->names))
        return -1;
    return read_lists(own);
}

static int hand_over(struct npy_own *own)
{
    int64_t offset[2] = {0, 0}, length[2];
    char name[ARRAY_MOST_TEXT + 1];
    if (own->has_names &&
        (!import_array_is_text(&own->names) || own->names.dimensions != 1 ||
            own->names.items != own->sequences))
        return refuse(&own->names, "a name for each sequence is wanted", 0);
    if (open_offsets(own) || read_lengths(own, 0, offset, length))
        return -1;
    for (int64_t s = 0; s < own->sequences; s++) {
        if (read_lengths(own, s + 1, offset, length) ||
            (own->has_names && import_array_read_text(&own->names, name)) ||
            import_begin(own->form.import, own->has_names ? name : NULL, NULL) ||
            npy_form_add_frames(&own->form, &own->inputs, length[0]))
            return -1;
        if (own->form.has_targets && npy_form_add_targets(&own->form, &own->targets, length[1]))
            return -1;
        if (import_end(own->form.import))
            return -1;
    }
    return 0;
}

int npy_read_own(struct import *import, const struct npy_options *options, const struct import_bundle *bundle)
{
    struct npy_own own = {.form.import = import, .bundle = bundle};
    enum import_targets targets;
    int failed = open_arrays(&own, options) || find_targets(&own, &targets) ||
        npy_form_declare(&own.form, targets) || hand_over(&own);
    close_offsets(&own);
    import_array_close(&own.inputs);
    import_array_close(&own.targets);
    import_array_close(&own.names);
    npy_form_finish(&own.form);
    return failed ? -1 : 0;
}

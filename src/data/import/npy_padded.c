/* Padded arrays: X [N, T, I], or [N, T] of symbols or single values; lengths [N]; y [N], [N, T], [N, T, O] or
 * [N, O]; with y_lengths [N] any number of targets, y [N, U] or [N, U, O]. What lies behind a length is
 * passed over.
 */
#include "data/import/arrays.h"
#include "data/import/bundle.h"

#include <inttypes.h>

struct npy_padded {
    struct npy_form form;
    struct import_array x, y, lengths, y_lengths, names;
    int has_lengths, has_y, has_y_lengths, has_names;
    enum import_targets targets;
    int64_t sequences, padded, y_padded; /* padded: frames and targets that each sequence has room for */
};

static int refuse(const struct import_array *array, const char *what, int64_t sequence)
{
    return import_array_refuse(array, "%s, at sequence %" PRId64, what, sequence);
}

/* Says what y is by its shape. Where O is T, [N, T] of real values is one for each frame. */
static int form_y(struct npy_padded *padded, const struct npy_options *options)
{
    const struct import_array *y = &padded->y;
    int same = y->dimensions > 1 && y->size[1] == padded->padded;
    int columns = y->dimensions == 2 && !same && !padded->has_y_lengths &&
        (!import_array_is_whole(y) || options->real_targets) && !import_array_is_text(y);
    if (y->size[0] != padded->sequences || y->dimensions == 0)
        return refuse(y, "y has not as many rows as X", 0);
    padded->targets = padded->has_y_lengths ? IMPORT_ANY_TARGETS
        : y->dimensions == 1 || columns     ? IMPORT_PER_SEQUENCE
                                            : IMPORT_PER_FRAME;
    if (padded->targets == IMPORT_PER_FRAME && !same)
        return refuse(y, "y has another number of frames than X, and there are no y_lengths", 0);
    padded->y_padded = padded->targets == IMPORT_PER_SEQUENCE ? 1 : y->size[1];
    return npy_form_targets(&padded->form, options, y, padded->targets == IMPORT_PER_SEQUENCE ? 1 : 2);
}

/* Opens an array with an item for each sequence, where there is one. */
static int open_column(struct npy_padded *padded, const struct import_bundle *bundle, const char *name,
    struct import_array *array, int *has)
{
    *has = import_bundle_has(bundle, name);
    if (!*has)
        return 0;
    if (import_bundle_open_array(bundle, name, array))
        return -1;
    if (array->dimensions != 1 || array->items != padded->sequences)
        return refuse(array, "an item for each sequence is wanted", 0);
    return 0;
}

static int open_arrays(
    struct npy_padded *padded, const struct npy_options *options, const struct import_bundle *bundle)
{
    if (import_bundle_open_array(bundle, options->x, &padded->x) ||
        npy_form_inputs(&padded->form, options, &padded->x, 2))
        return -1;
    padded->sequences = padded->x.size[0];
    padded->padded = padded->x.size[1];
    if (open_column(padded, bundle, options->lengths, &padded->lengths, &padded->has_lengths) ||
        open_column(padded, bundle, "y_lengths", &padded->y_lengths, &padded->has_y_lengths) ||
        open_column(padded, bundle, "names", &padded->names, &padded->has_names))
        return -1;
    if (padded->has_names && !import_array_is_text(&padded->names))
        return refuse(&padded->names, "names are texts", 0);
    padded->has_y = import_bundle_has(bundle, options->y);
    padded->targets = IMPORT_NO_TARGETS;
    if (!padded->has_y)
        return 0;
    return import_bundle_open_array(bundle, options->y, &padded->y) ? -1 : form_y(padded, options);
}

/* Reads a length, which may be from `least` to `most`. */
static int read_length(struct import_array *lengths, int has, int64_t least, int64_t most, int64_t *length)
{
    *length = most;
    if (!has)
        return 0;
    if (import_array_read_integers(lengths, 1, length))
        return -1;
    return *length >= least && *length <= most ? 0 : 1;
}

static int add_sequence(struct npy_padded *padded, int64_t s)
{
    int64_t T, U;
    char name[ARRAY_MOST_TEXT + 1];
    struct import *import = padded->form.import;
    int bad = read_length(&padded->lengths, padded->has_lengths, 1, padded->padded, &T);
    if (bad)
        return bad < 0 ? -1 : refuse(&padded->lengths, "a length is below 1, or beyond the frames of X", s);
    if ((padded->has_names && import_array_read_text(&padded->names, name)) ||
        import_begin(import, padded->has_names ? name : NULL, NULL) ||
        npy_form_add_frames(&padded->form, &padded->x, T) ||
        import_array_skip(
            &padded->x, (padded->padded - T) * (padded->x.items / padded->sequences / padded->padded)))
        return -1;
    bad = read_length(&padded->y_lengths, padded->has_y_lengths, 0, padded->y_padded, &U);
    if (bad)
        return bad < 0 ? -1 : refuse(&padded->y_lengths, "a length is below 0, or beyond y", s);
    U = padded->targets == IMPORT_PER_FRAME ? T : U;
    if (padded->has_y &&
        (npy_form_add_targets(&padded->form, &padded->y, U) ||
            import_array_skip(&padded->y,
                (padded->y_padded - U) * (padded->y.items / padded->sequences / padded->y_padded))))
        return -1;
    return import_end(import);
}

int npy_read_padded(
    struct import *import, const struct npy_options *options, const struct import_bundle *bundle)
{
    struct npy_padded padded = {.form.import = import};
    int failed = open_arrays(&padded, options, bundle);
    if (!failed && (padded.x.items == 0 || (padded.has_y && padded.y.items == 0)))
        failed = import_refuse(import, "its arrays hold nothing");
    failed = failed || npy_form_declare(&padded.form, padded.targets);
    for (int64_t s = 0; s < padded.sequences && !failed; s++)
        failed = add_sequence(&padded, s);
    import_array_close(&padded.x);
    import_array_close(&padded.y);
    import_array_close(&padded.lengths);
    import_array_close(&padded.y_lengths);
    import_array_close(&padded.names);
    npy_form_finish(&padded.form);
    return failed ? -1 : 0;
}

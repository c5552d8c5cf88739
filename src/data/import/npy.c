/* Arrays of NumPy, in one of three layouts, which names of arrays tell apart. */
#include "base/text.h"
#include "data/import/arrays.h"
#include "data/import/bundle.h"

static int read_bundle(
    struct import *import, const struct npy_options *options, const struct import_bundle *bundle)
{
    if (import_bundle_has(bundle, "inputs") && import_bundle_has(bundle, "input_offsets"))
        return npy_read_own(import, options, bundle);
    if (import_bundle_has(bundle, options->x))
        return npy_read_padded(import, options, bundle);
    if (!bundle->archive)
        return npy_read_pairs(import, options, bundle->path);
    return import_refuse(
        import, "holds neither inputs and input_offsets nor %s: --x names the array of inputs", options->x);
}

static int read_npy(struct import *import, const void *options)
{
    const char *source = import_source(import);
    struct import_bundle bundle;
    if (text_ends_in(source, ".target.npy"))
        return import_refuse(
            import, "holds the targets of a sequence: name the file of its inputs, or the folder");
    if (text_ends_in(source, ".npy"))
        return npy_read_pairs(import, options, source);
    int failed = import_bundle_open(&bundle, import, source) || read_bundle(import, options, &bundle);
    import_bundle_close(&bundle);
    return failed ? -1 : 0;
}

#define AT(member) offsetof(struct npy_options, member)
static const struct option_row rows[] = {
    {"x", 0, OPTION_TEXT, AT(x), .allowed = "a name", .argument = "NAME",
        .help = "padded: the array of inputs, [sequences, frames, features] (default X)"},
    {"y", 0, OPTION_TEXT, AT(y), .allowed = "a name", .argument = "NAME",
        .help = "padded: the array of targets (default y)"},
    {"lengths", 0, OPTION_TEXT, AT(lengths), .allowed = "a name", .argument = "NAME",
        .help = "padded: the array of lengths (default lengths)"},
    {"real-inputs", 0, OPTION_FLAG, AT(real_inputs),
        .help = "a row of one integer is a feature, not a symbol"},
    {"real-targets", 0, OPTION_FLAG, AT(real_targets),
        .help = "a row of one integer is a value, not a class"},
};

static const struct npy_options defaults = {.x = "X", .y = "y", .lengths = "lengths"};

const struct import_kind import_npy = {
    .name = "npy",
    .summary = "arrays of NumPy: folders of .npy, .npz",
    .rows = rows,
    .row_count = sizeof rows / sizeof *rows,
    .defaults = &defaults,
    .size = sizeof(struct npy_options),
    .read = read_npy,
};

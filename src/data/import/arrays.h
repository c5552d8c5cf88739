/* Arrays of inputs and targets, of which frames and targets are handed over (data/import/sequence.h): what
 * all layouts of npy have in common. */
#ifndef DATA_IMPORT_ARRAYS_H
#define DATA_IMPORT_ARRAYS_H

#include "data/import/array.h"

struct npy_options {
    struct import_options common;
    const char *x, *y, *lengths; /* names of padded arrays; never NULL */
    int real_inputs, real_targets;
};

/* What frames and targets are. */
struct npy_form {
    struct import *import;
    int symbols, text_symbols, text_classes; /* texts, in place of numbers */
    size_t features, values;                 /* as in struct import_shape */
    int has_targets;
    float *block; /* room for some rows */
    size_t block_floats;
    /* Names that the source has: NULL where it has none. */
    char **class_names, **symbol_names, **feature_names, **target_names;
    int64_t classes_named, symbols_named;
};

/* Finds what the items of an array are whose dimensions from `trailing` on are those of a row. */
int npy_form_inputs(struct npy_form *form, const struct npy_options *options,
    const struct import_array *inputs, int trailing);
int npy_form_targets(struct npy_form *form, const struct npy_options *options,
    const struct import_array *targets, int trailing);

/* Declares it, once both are known. */
int npy_form_declare(struct npy_form *form, enum import_targets targets);
void npy_form_finish(struct npy_form *form); /* takes zeroes */

/* Reads n frames, or targets, and hands them over. */
int npy_form_add_frames(struct npy_form *form, struct import_array *inputs, int64_t n);
int npy_form_add_targets(struct npy_form *form, struct import_array *targets, int64_t n);

/* The layouts: sets of our own names in a folder or a .npz file, padded arrays there, and files of a sequence
 * each.
 */
struct import_bundle;
int npy_read_own(
    struct import *import, const struct npy_options *options, const struct import_bundle *bundle);
int npy_read_padded(
    struct import *import, const struct npy_options *options, const struct import_bundle *bundle);
int npy_read_pairs(struct import *import, const struct npy_options *options, const char *path);

#endif

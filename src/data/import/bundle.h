/* Arrays by name: those of a folder, NAME.npy each, or of a .npz file. */
#ifndef DATA_IMPORT_BUNDLE_H
#define DATA_IMPORT_BUNDLE_H

#include "data/import/array.h"

struct import_bundle {
    struct import *import;
    const char *path;
    struct zip *archive; /* NULL: a folder */
};

/* *bundle is ended by import_bundle_close, also after a failure. */
int import_bundle_open(struct import_bundle *bundle, struct import *import, const char *path);
void import_bundle_close(struct import_bundle *bundle); /* takes zeroes */

int import_bundle_has(const struct import_bundle *bundle, const char *name);

/* Opens an array that is there, from its beginning: as often as it is wanted. */
int import_bundle_open_array(
    const struct import_bundle *bundle, const char *name, struct import_array *array);

#endif

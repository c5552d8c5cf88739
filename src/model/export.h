/* Formats that a trained network is exported to, each a file of this folder that ends with its struct
 * export_kind, and a line of model/list.h. */
#ifndef MODEL_EXPORT_H
#define MODEL_EXPORT_H

#include "model/store.h"

struct export_kind {
    const char *summary; /* for --help */
    /* Writes the file, whole or not at all. EXIT_CODE_USAGE: the format cannot hold this network, or the
     * program was built without a library that writes it. */
    int (*write)(const struct stored *stored, const char *path, struct error *error);
};

extern const struct export_kind *const export_kinds[]; /* ends with NULL */
extern const char *const export_names[]; /* of them for --to, in the same order; ends with NULL */

#endif

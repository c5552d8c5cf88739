/* Which columns of a table with a header are what: sequence, inputs, targets. */
#ifndef DATA_IMPORT_COLUMNS_H
#define DATA_IMPORT_COLUMNS_H

#include "data/import/sequence.h"

#define IMPORT_NO_COLUMN SIZE_MAX

/* What the user asks for: names of columns, lists of them with commas between, in which "\," is a comma; NULL
 * where nothing is said. */
struct import_column_names {
    const char *sequence, *order, *by, *inputs, *target;
};

struct import_columns_found {
    size_t sequence, order, by; /* IMPORT_NO_COLUMN: none */
    size_t inputs, targets;
    size_t *input, *target;                 /* [inputs], [targets]: places of the columns */
    const char **input_name, **target_name; /* of them, which are the header's */
};

/* Finds the columns in the header, whose texts are kept by reference. Without inputs these are the features
 * of
 * --like, or else all columns that are nothing else. *found is ended by import_columns_finish, also after a
 * failure. */
int import_columns_find(struct import *import, const struct import_column_names *names, char *const *header,
    size_t columns, struct import_columns_found *found);
void import_columns_finish(struct import_columns_found *found); /* takes zeroes */

#endif

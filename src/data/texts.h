/* The optional sets of texts of a dataset: names of sequences, features, classes and outputs. Faults are told
 * as in data/check.h. */
#ifndef DATA_TEXTS_H
#define DATA_TEXTS_H

#include "data/contents.h"

/* Checks the shape of a set, where there is one, of a text for each of `count` (0: not known) of `what`. */
void texts_check(
    struct dataset *dataset, const char *set, int64_t count, const char *what, struct faults *faults);

/* Reads all of a set, where there is one of texts, and tells the first that is not UTF-8. */
void texts_check_values(struct dataset *dataset, const char *set, struct faults *faults);

#endif

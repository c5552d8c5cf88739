/* The structure of a dataset file: its format, shapes, attributes and offsets. Faults are told as in
 * data/check.h. */
#ifndef DATA_STRUCTURE_H
#define DATA_STRUCTURE_H

#include "data/contents.h"

/* Reads shapes, attributes and offsets of the one file of *dataset into it (name and file are set, the rest
 * is zero) and checks them. What is faulty stays zero or NULL. It ends early when `faults` has all that it
 * can say. */
void structure_check(struct dataset *dataset, struct faults *faults);

/* Returns the narrowest kind that the offsets of a dataset with targets fit. */
enum target_kind structure_find_target_kind(const struct dataset *dataset);

#endif

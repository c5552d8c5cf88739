/* What a dataset file has to be like, checked in one place for opening (the first fault ends it) and for
 * `rnn-data check` (all faults). Each fault is one line: file, set, row, sequence, what is allowed, what to
 * do. Rows and sequences count from 0. */
#ifndef DATA_CHECK_H
#define DATA_CHECK_H

#include "data/dataset.h"
#include "data/values.h"

/* Reads shapes, attributes and offsets of dataset->file into *dataset (path and file are set, the rest is
 * zero) and checks them. What is faulty stays zero or NULL. Ends early when `faults` has all it can say. */
void check_structure(struct dataset *dataset, struct faults *faults);

/* Checks rows first .. first + rows - 1 of values, items [rows][width]. */
void check_values(struct dataset *dataset, const struct values *values, int64_t first, int64_t rows,
    const void *items, struct faults *faults);

/* The same up to the first fault, as an error. */
int check_first_value(struct dataset *dataset, const struct values *values, int64_t first, int64_t rows,
    const void *items, struct error *error);

/* ` "name"` of a sequence, short and without control characters; empty where there is none. */
void check_write_name(struct dataset *dataset, int64_t s, char *text, size_t size);
enum { CHECK_NAME = 80 }; /* room for it */

/* Faults whose first becomes *error; check_close returns -1 when there was one. */
struct faults check_open(struct error *error);
int check_close(const struct faults *faults, struct error *error);

/* All faults that can be said were said: looking further is of no use. */
static inline int check_is_over(const struct faults *faults)
{
    return faults->count >= faults->most;
}

#endif

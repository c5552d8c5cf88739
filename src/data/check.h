/* Whether the values of a dataset are what its attributes allow: one place for opening (the first fault ends
 * it), for reading, and for `rnn-data check` (all faults). Each fault is one line: file, set, row, sequence,
 * what is allowed, what to do. Rows and sequences count from 0. */
#ifndef DATA_CHECK_H
#define DATA_CHECK_H

#include "data/values.h"

/* Checks rows first .. first + rows - 1 of values, items [rows][width]. */
void check_values(struct dataset *dataset, const struct values *values, int64_t first, int64_t rows,
    const void *items, struct faults *faults);

/* The same up to the first fault, as an error. */
int check_first_value(struct dataset *dataset, const struct values *values, int64_t first, int64_t rows,
    const void *items, struct error *error);

/* Rows [rows][width] that are checked: of the kept ones, or read into dataset->block, where they stay until
 * the next call; then `rows` is at most values_block_rows. NULL and an error naming row and sequence. */
const void *check_get_values(
    struct dataset *dataset, const struct values *values, int64_t first, int64_t rows, struct error *error);

/* Faults whose first becomes *error; check_close returns -1 when there was one. */
struct faults check_open(struct error *error);
int check_close(const struct faults *faults, struct error *error);

/* All faults that can be said were said: looking further is of no use. */
static inline int check_is_over(const struct faults *faults)
{
    return faults->count >= faults->most;
}

#endif

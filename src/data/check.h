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

/* Returns checked rows [rows][width]: the kept ones where there are any, else rows that are read into
 * dataset->block and stay there until the next call; `rows` is at most values_block_rows then. NULL and an
 * error naming row and sequence. */
const void *check_get_values(
    struct dataset *dataset, const struct values *values, int64_t first, int64_t rows, struct error *error);

/* Faults of which the first is what matters: check_open makes faults that keep its text in *first, and
 * check_close makes it an error and returns -1 where there was one. */
struct faults check_open(struct error *first);
int check_close(const struct faults *faults, const struct error *first, struct error *error);

/* Were all faults said that can be? Then looking further is of no use. */
static inline int check_is_over(const struct faults *faults)
{
    return faults->count >= faults->most;
}

#endif

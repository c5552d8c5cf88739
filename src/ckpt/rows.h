/* The rows of metrics.csv that belong to a point of a run. Each step has a row "train", and where there is a
 * validation each epoch that has ended a row "valid" behind the row of its last step: which rows there must
 * be, and in which order, follows from the progress, and from where epochs ended. */
#ifndef CKPT_ROWS_H
#define CKPT_ROWS_H

#include "ckpt/checkpoint.h"

#include <stdint.h>
#include <stdio.h>

/* The first line of metrics.csv, with its newline. */
extern const char rows_header[];

enum { ROWS_LONGEST = 512 }; /* bytes of a row, its end included */

/* Columns of the header that are read again. */
enum row_column { ROWS_SPLIT = 2, ROWS_FRAMES = 4, ROWS_GRADIENT_NORM = 8, ROWS_SECONDS = 9 };

/* Returns where a column of the row begins; NULL where it has not so many. The second reads a figure that
 * another column follows; -1 where there is none. */
const char *rows_find_column(const char *row, enum row_column column);
int rows_read_figure(const char *row, enum row_column column, double *figure);

struct row_plan {
    int64_t rows, step;
    int64_t steps_of_epoch; /* where all have as many; INT64_MAX in the first epoch, which does not tell */
    const struct epoch_ends *ends; /* the caller's, where they have not; else NULL */
    int validated;
    int known; /* 0: the counts of the progress do not tell the order, as where a validation set was added */
};
void rows_plan(const struct progress *at, const struct epoch_ends *ends, struct row_plan *plan);

/* What tells a row from all others. */
struct row_key {
    int64_t step, epoch;
    int valid;
    int empty; /* it has no figures: they were lost */
};

/* Reads a row without its line end. Returns 0 where it is none. */
int rows_parse(const char *line, struct row_key *key);

/* The place of the row among all, from 0; -1 where it does not belong to the plan. And the row of a place. */
int64_t rows_find_place(const struct row_plan *plan, const struct row_key *key);
void rows_at_place(const struct row_plan *plan, int64_t place, struct row_key *key);

/* Does the file begin with the header and the rows of the plan? Returns 1 where it does, 0 where it does not,
 * which `why` tells, and -1 where it cannot be read. */
struct row_check {
    int64_t end;   /* where the rows end, in bytes */
    int64_t empty; /* rows without figures */
    char why[200];
};
int rows_check(FILE *file, const struct row_plan *plan, struct row_check *check);

#endif

/* What the columns of real-valued inputs and targets are like: where they lie, how far they spread, and
 * whether they move at all. */
#ifndef DATA_STATISTICS_H
#define DATA_STATISTICS_H

#include "data/dataset.h"

struct column_statistics {
    int64_t missing;        /* values that are NaN, no target; of the others are the numbers below */
    double mean, deviation; /* the deviation is divided by the count; 0 of a constant column */
    double least, most;
    double
        unchanged; /* share of the frames behind another of their sequence that have its value; 0 if none */
};

/* Write the columns [features] or [values] of all rows, read a block at a time. Inputs must be real-valued,
 * targets there and real-valued. -1 where a value is faulty (as dataset_read_microbatch) or reading fails. */
int statistics_of_inputs(struct dataset *dataset, struct column_statistics *columns, struct error *error);
int statistics_of_targets(struct dataset *dataset, struct column_statistics *columns, struct error *error);

/* Does the same for the one column of weights, which the dataset must have. */
int statistics_of_weights(struct dataset *dataset, struct column_statistics *column, struct error *error);

/* Do the same by about a million values from places spread over the file, or all where there are
 * no more, so that it takes a moment however large the file; `unchanged` stays 0. */
int statistics_sample(struct dataset *dataset, struct column_statistics *columns, struct error *error);
int statistics_sample_targets(
    struct dataset *dataset, struct column_statistics *columns, struct error *error);

#endif

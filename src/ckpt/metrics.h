/* metrics.csv of a run directory. */
#ifndef CKPT_METRICS_H
#define CKPT_METRICS_H

#include "base/error.h"
#include "ckpt/checkpoint.h"

#include <stddef.h>
#include <stdint.h>

struct metrics_row {
    int64_t step, epoch;
    const char *split; /* "train" or "valid" */
    int64_t sequences, frames;
    double loss, error, learning_rate, gradient_norm, seconds, frames_per_second, data_wait, comm_wait;
};
struct metrics;

/* Opens the file for adding behind the rows that a run has at this point (at->metrics_rows of them); what
 * lies behind them is cut off. With none it is made anew, with its header line. Where rows are missing or
 * something else stands there, or the name is a link, the file is made anew of the rows that are left, those
 * that are lost stand there without figures, and `warning` (empty otherwise) says so. Owned by the caller,
 * ended by metrics_close. NULL and an error where it cannot be opened. */
struct metrics *metrics_open(const char *directory, const struct progress *at, const struct epoch_ends *ends,
    char *warning, size_t size, struct error *error);

/* Finds the last step that a row of the file is of; 0 where there is no row or no file. */
int64_t metrics_last_step(const char *directory);

/* Adds a row, whole or not at all. */
int metrics_add(struct metrics *metrics, const struct metrics_row *row, struct error *error);

/* Makes the rows durable, and sets at->metrics_rows, how many there are; `at` is the point that they belong
 * to. A checkpoint that counts on them is written afterwards. A file that somebody removed, replaced or cut
 * meanwhile is made anew as by metrics_open. */
int metrics_sync(struct metrics *metrics, struct progress *at, const struct epoch_ends *ends, char *warning,
    size_t size, struct error *error);
void metrics_close(struct metrics *metrics); /* may be NULL */

#endif

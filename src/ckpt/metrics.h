/* metrics.csv of a run directory. */
#ifndef CKPT_METRICS_H
#define CKPT_METRICS_H

#include "base/error.h"

#include <stdint.h>

/* The first line of metrics.csv, with its newline; and what a user can do about a file that is not the run's.
 */
extern const char metrics_header[], metrics_advice[];

struct metrics_row {
    int64_t step, epoch;
    const char *split; /* "train" or "valid" */
    int64_t sequences, frames;
    double loss, error, learning_rate, gradient_norm, seconds, frames_per_second, data_wait, comm_wait;
};
struct metrics;

/* Opens the file for adding behind its first `rows` rows; what lies behind them is cut off. With 0 it is made
 * anew, with its header line. Owned by the caller, ended by metrics_close. NULL and an error where it cannot
 * be opened or has fewer rows. */
struct metrics *metrics_open(const char *directory, int64_t rows, struct error *error);

/* Adds a row, whole or not at all. */
int metrics_add(struct metrics *metrics, const struct metrics_row *row, struct error *error);

/* Makes the rows durable; *rows is how many there are. A checkpoint that counts on them is written
 * afterwards. */
int metrics_sync(struct metrics *metrics, int64_t *rows, struct error *error);
void metrics_close(struct metrics *metrics); /* may be NULL */

#endif

/* metrics.csv of a run directory. */
#ifndef CKPT_METRICS_H
#define CKPT_METRICS_H

#include "base/error.h"

#include <stdint.h>

/* The first line of metrics.csv, with its newline. */
extern const char metrics_header[];

/* metrics.csv: opened for adding behind the first `rows` rows (0: new, with its header line); what lies
 * behind them is cut off. Rows become durable with metrics_sync, which a checkpoint must follow. */
struct metrics_row {
    int64_t step, epoch;
    const char *split; /* "train" or "valid" */
    int64_t sequences, frames;
    double loss, error, learning_rate, gradient_norm, seconds, frames_per_second, data_wait, comm_wait;
};
struct metrics;
struct metrics *metrics_open(const char *directory, int64_t rows, struct error *error);
int metrics_add(struct metrics *metrics, const struct metrics_row *row, struct error *error);
int metrics_sync(struct metrics *metrics, int64_t *rows, struct error *error);
void metrics_close(struct metrics *metrics); /* takes NULL */

#endif

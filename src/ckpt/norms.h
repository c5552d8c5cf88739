/* What the gradients of an epoch came to, by the rows of metrics.csv: so it is the same where the run was
 * stopped within the epoch. */
#ifndef CKPT_NORMS_H
#define CKPT_NORMS_H

#include <stdint.h>

struct epoch_norms {
    double median;  /* of the norms of all steps; NaN: it cannot be known, or there is none */
    double clipped; /* the share of steps whose norm was above the clip; NaN where nothing is clipped */
};

/* Reads what the epoch that the file ends with, of so many steps, came to; clip 0: nothing is clipped. */
struct epoch_norms norms_read(const char *directory, int64_t epoch, int64_t steps, double clip);

#endif

/* What a run came to as a whole, by its metrics.csv: over all of its jobs, and without a part in checkpoints,
 * which are the same however long a run took. */
#ifndef CKPT_TOTALS_H
#define CKPT_TOTALS_H

struct totals {
    double seconds;           /* of training steps and validations */
    double frames_per_second; /* of training */
};

/* Returns -1 where the file cannot be read, or has a row that is none or no step, *totals then untouched. */
int totals_read(const char *directory, struct totals *totals);

#endif

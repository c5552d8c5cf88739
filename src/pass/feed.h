/* Steps of epochs as they come: the plan, this rank's leaves of it, and its microbatches, the next step's
 * being asked for while one is computed. */
#ifndef PASS_FEED_H
#define PASS_FEED_H

#include "comm/comm.h"
#include "data/plan.h"
#include "data/reader.h"

struct feed_step {
    int64_t epoch, index; /* index: step of the epoch, from 0 */
    struct plan_step plan;
    size_t *ranges; /* [ranks + 1] leaves of each rank */
};

struct feed {
    const struct comm *comm;
    struct reader *reader;
    int32_t *length; /* [sequences] */
    struct plan plan;
    int64_t last_epoch;
    struct feed_step now, ahead;
    int started; /* `ahead` is planned and asked for */
};

/* From step `index` of `epoch` to the end of `last_epoch`; epoch 0 alone is the order of the file. mean,
 * deviation as in dataset_read_microbatch. Ended by feed_finish, also after a failure. Not collective. */
int feed_init(struct feed *feed, const struct comm *comm, struct dataset *dataset, const float *mean,
    const float *deviation, int64_t batch, int64_t microbatch, uint64_t seed, int64_t epoch, int64_t index,
    int64_t last_epoch, struct error *error);
void feed_finish(struct feed *feed);

/* The next step, in feed->now: its microbatches are to be taken from feed->reader, one for each leaf of this
 * rank, before the next call. There must be one. */
int feed_next(struct feed *feed, struct error *error);

#endif

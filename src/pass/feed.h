/* A feed gives the steps of epochs as they come: the plan, this rank's leaves of it, and its microbatches.
 * Those of the next step are asked for before this one's are computed, so that they are read meanwhile. */
#ifndef PASS_FEED_H
#define PASS_FEED_H

#include "comm/comm.h"
#include "comm/node.h"
#include "data/plan.h"
#include "data/reader.h"

struct feed_step {
    int64_t epoch, index; /* index: step of the epoch, from 0 */
    struct plan_step plan;
    size_t *ranges;   /* [ranks + 1] leaves of each place (comm/node.h) */
    struct team team; /* of this rank: of one member where there are no teams */
};

struct feed {
    const struct comm *comm;
    const struct node *node; /* of feed_config */
    int *leader;             /* [ranks] scratch of planning */
    struct reader *reader;
    int32_t *length; /* [sequences] */
    struct plan plan;
    int64_t last_epoch;
    struct value_sums *sums; /* of feed_config */
    int64_t noted_epoch;
    struct feed_step now, ahead; /* the step at hand, and the one after it */
    int started;                 /* 1: `ahead` is planned and asked for */
};

/* What a feed gives: the steps of a dataset from step `index` of `epoch` to the end of `last_epoch`. Epoch 0
 * is the order of the file, and the only epoch of a validation or a prediction. */
struct feed_config {
    struct dataset *dataset;
    const float *mean, *deviation; /* [features] of the inputs, which they standardize; NULL: they do not */
    int64_t batch, microbatch;     /* sequences of a step over all ranks, and of a microbatch on average */
    const struct node *node;       /* NULL: ranks form no teams, and the place of each is its number */
    uint64_t seed;                 /* of the order of an epoch */
    struct plan_order order;       /* of epochs from 1 on */
    int64_t epoch, index, last_epoch;
    /* What is read for noted_epoch, and no other, is noted here (reader_note), cleared before; NULL: nothing
     * is. */
    struct value_sums *sums;
    int64_t noted_epoch;
    /* Once it is not 0 the reader gives no microbatches any more (reader_set_wait); NULL: never. */
    const volatile sig_atomic_t *stop;
};

/* Each rank calls this for itself. The arrays and the dataset of `config` are kept by reference. Ended by
 * feed_finish, also after a failure, which is lack of memory. */
int feed_init(
    struct feed *feed, const struct comm *comm, const struct feed_config *config, struct error *error);
void feed_finish(struct feed *feed);

/* Returns the bytes that a feed takes besides its microbatches. */
size_t feed_count_bytes(const struct plan_order *order, int64_t sequences, int64_t batch, size_t ranks);

/* Each rank calls this for itself. Makes the next step feed->now. Its microbatches are to be taken from
 * feed->reader, one for each leaf of this rank's team, before the next call. The caller knows that there is a
 * next step. Returns -1 where there is no memory. */
int feed_next(struct feed *feed, struct error *error);

#endif

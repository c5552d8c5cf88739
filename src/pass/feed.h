/* A feed gives the steps of epochs as they come: the plan, this rank's leaves of it, and its microbatches.
 * The next step is planned and its microbatches are asked for while this one's are computed, and so is the
 * order of the next epoch made: by a thread of the feed's own, where there is enough to plan. */
#ifndef PASS_FEED_H
#define PASS_FEED_H

#include "comm/comm.h"
#include "comm/node.h"
#include "data/plan.h"
#include "data/reader.h"

#include <pthread.h>

struct feed_step {
    int64_t epoch, index; /* index: step of the epoch, from 0 */
    int64_t steps;        /* of that epoch, once it is planned */
    struct plan_step plan;
    size_t *ranges;   /* [ranks + 1] leaves of each place (comm/node.h) */
    struct team team; /* of this rank: of one member where there are no teams */
};

/* The thread that plans. What lies in a feed's `ahead` and `plan` is the thread's while a step is wanted, and
 * `ahead` the rank's otherwise. */
struct feed_thread {
    int runs; /* 1: there is one */
    pthread_t thread;
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t changed;
    int wanted;         /* 1: `ahead` is to be planned */
    int stop;           /* 1: nothing more is wanted */
    struct error error; /* of the last step that was planned; code 0: none */
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
    int started;                 /* 1: `ahead` is planned and asked for, or wanted from the thread */
    struct feed_thread thread;
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
 * feed_finish, also after a failure, which is lack of memory. A feed stays where it is in memory. */
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

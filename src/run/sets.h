/* The data of a run: the training set and the validation set, opened by every rank for itself, found to be
 * the same on all, and standardized alike. */
#ifndef RUN_SETS_H
#define RUN_SETS_H

#include "ckpt/checkpoint.h"
#include "comm/comm.h"
#include "config/config.h"
#include "data/dataset.h"
#include "pass/feed.h"

struct sets {
    struct dataset *train, *valid;       /* valid: NULL where there is none */
    size_t features;                     /* of mean and deviation; 0: inputs are not standardized */
    double *mean, *deviation;            /* [features] one block; NULL: inputs are not standardized */
    float *mean_float, *deviation_float; /* [features] the same for microbatches, one block */
    uint64_t fingerprint;                /* of the training set, on rank 0 */
};

/* All ranks call. Opens the sets within data.cache and completes `model` by the training set (pass/model.h).
 * An error also where ranks have been given different configurations or files, and where a set has nothing to
 * count. Ended by sets_close, also after a failure; starts from zeroes. */
int sets_open(struct sets *sets, const struct config *config, const struct comm *comm,
    struct net_config *model, struct error *error);

/* All ranks call. Takes mean and deviation of the training inputs, where data.standardize asks for them: as
 * rank 0's `checkpoint` has them (NULL: there is none), or else as rank 0 computes them. */
int sets_standardize(struct sets *sets, const struct config *config, const struct comm *comm,
    const struct checkpoint *checkpoint, struct error *error);

void sets_close(struct sets *sets);

/* Describes a feed of one pass over one of the sets, in the order of its file. */
struct feed_config sets_describe_feed(
    const struct sets *sets, const struct config *config, struct dataset *dataset);

#endif

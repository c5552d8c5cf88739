/* A ballot is what ranks tell each other beside the scores of sequences: at the end of each training step, of
 * each batch of a validation, and before each checkpoint. All of it travels in one sum over ranks, whose
 * length does not depend on how many they are. */
#ifndef RUN_BALLOT_H
#define RUN_BALLOT_H

#include "comm/comm.h"
#include "comm/node.h"

#include <stddef.h>
#include <stdint.h>

/* Before the count each member is what this rank has to tell. After it the members are the same on all ranks
 * and tell of all of them. */
struct ballot {
    int failed;       /* it could not do its part; then any rank could not, and comm_agree has the error */
    int left;         /* it left its part undone, as it was asked to stop; then any rank did */
    int signal;       /* it was asked to stop by a signal; then any rank was */
    int late;         /* told by rank 0: there is no time for another step or batch */
    int save;         /* told by rank 0: a checkpoint is due by the clock */
    double data_wait; /* seconds of waiting for data; then their mean over ranks */
    double waited;    /* seconds of waiting for other ranks since it last told of them; then their sum */
    int changed; /* its share of its node's weights is not what the last update made of it; then any is not */
    uint64_t hash; /* of its node's weights after the last update; then that of most ranks, where they are
                      more than half */
    int differ;    /* after the count: not all ranks have the same hash */
};

enum { BALLOT_WORDS = 30 };

/* Packs a ballot into words whose sums over ranks (modulo 2^64) are the ballot of all, and takes it from
 * these sums. `ranks` is less than 2^21. */
void ballot_pack(const struct ballot *ballot, uint64_t words[static BALLOT_WORDS]);
void ballot_unpack(struct ballot *ballot, int ranks, const uint64_t words[static BALLOT_WORDS]);

/* All ranks call. Counts a ballot that goes with no scores. */
void ballot_count(struct ballot *ballot, struct node *node);

/* What a rank of a ballot that was counted says of its own weights. */
struct replica {
    uint64_t hash;
    int changed;
};

/* All ranks call, with what each has told. Checks by a ballot that was counted after step `step` that all
 * nodes have the same weights, and those of their last update. If not, it is EXIT_CODE_REPLICAS, and the
 * error names the first rank at fault: one whose share has changed, or else one of a node whose weights are
 * not those of most ranks. (replicas.c) */
int ballot_check_replicas(const struct ballot *ballot, const struct comm *comm, const struct replica *own,
    int64_t step, struct error *error);

#endif

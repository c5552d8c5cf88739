/* A ballot is what ranks tell each other beside the scores of sequences: at the end of each training step, of
 * each batch of a validation, and before each checkpoint. All of it travels in one sum over ranks. */
#ifndef RUN_BALLOT_H
#define RUN_BALLOT_H

#include "comm/comm.h"

#include <stddef.h>
#include <stdint.h>

enum { BALLOT_HOST = 64 }; /* bytes for the name of a host, its end included */

/* What a rank tells of its copy of the weights and of its work. */
struct replica {
    uint64_t hash; /* of its weights as they are now */
    int changed;   /* 1: that is not what the last update made of them */
    double busy;   /* seconds that it computed */
};

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
    struct replica *replica; /* [ranks] a rank fills in its own */

    const struct comm *comm;
    char *hosts;      /* rank 0: [ranks][BALLOT_HOST] where each rank runs; NULL elsewhere */
    uint64_t *packed; /* [ballot_size] */
};

/* All ranks call. `comm` is kept by reference. Ended by ballot_finish, also after a failure, which is lack of
 * memory and the same on all ranks. */
int ballot_init(struct ballot *ballot, const struct comm *comm, struct error *error);
void ballot_finish(struct ballot *ballot);

/* Begins anew, with nothing told. */
void ballot_clear(struct ballot *ballot);

/* Returns this rank's place in ballot->replica. */
struct replica *ballot_own(struct ballot *ballot);

/* A ballot on its way: integers whose sums over ranks are the ballot of all. */
size_t ballot_size(const struct comm *comm);
void ballot_pack(const struct ballot *ballot, uint64_t *values);   /* [ballot_size] */
void ballot_unpack(struct ballot *ballot, const uint64_t *values); /* [ballot_size], summed over ranks */

/* All ranks call. Counts a ballot that goes with no scores. */
void ballot_count(struct ballot *ballot);

/* Each rank calls this for itself. Checks by a ballot that was counted after step `step` that all ranks have
 * the same weights, and those of their last update. If not, it is EXIT_CODE_REPLICAS, and the error names the
 * first rank at fault: one whose weights have changed, or else one whose weights are not those of most ranks.
 * (replicas.c) */
int ballot_check_replicas(const struct ballot *ballot, int64_t step, struct error *error);

#endif

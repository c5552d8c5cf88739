/* Ranks, and what they do together. This folder is the only one that includes mpi.h. Its vectors are flat: it
 * does not know what is in them.
 *
 * Where a comment says "Every rank calls", all must, in the same order. Everything else any rank may call on
 * its own. Failures of MPI itself abort the job (MPI_ERRORS_ARE_FATAL), so no function returns them. */
#ifndef COMM_COMM_H
#define COMM_COMM_H

#include "base/error.h"
#include "comm/end.h"
#include "comm/purpose.h"
#include "comm/rank.h"
#include "comm/watch.h"

#include <stddef.h>
#include <stdint.h>

/* Every rank calls. It starts MPI (single-threaded calls: MPI_THREAD_FUNNELED) and tells base/log who speaks.
 * A process started without mpirun is a world of one rank. Where ranks were started for different purposes it
 * returns -1, with an error on each, which rank 0 tells. In both cases comm_finish is due. */
int comm_start(struct comm *comm, const struct comm_purpose *purpose, struct error *error);
void comm_finish(struct comm *comm); /* every rank calls */

/* Every rank calls, on the outcome of something that ranks may see differently: error->code 0 on every rank
 * returns 0; else every rank gets the error of the lowest rank that has one, and -1. Rank 0 tells what comes
 * of it, so where the error is another rank's its text begins with "rank 3 on node7: ". */
int comm_agree(const struct comm *comm, struct error *error);

/* The same where each rank has looked at a part of what all have, in order: bad data are the same whoever
 * comes upon them, so that the text names no rank. */
int comm_agree_on_parts(const struct comm *comm, struct error *error);

/* Every rank calls. The sum or the largest of each element over the ranks is the result on every rank.
 * comm_sum is exact (and so of fixed bits) only where at most one rank has a nonzero element: what is summed
 * in an order of ours is gathered this way and added afterwards. The largest of NaN and a number is either of
 * them: agree on a flag instead. */
void comm_sum(const struct comm *comm, double *values, size_t n);
void comm_max(const struct comm *comm, double *values, size_t n);
void comm_sum_uint64(const struct comm *comm, uint64_t *values, size_t n); /* modulo 2^64, always exact */
void comm_max_int64(const struct comm *comm, int64_t *values, size_t n);

/* Every rank calls. The n bytes of rank `root`, any number but equal on all, are those of every rank then. */
void comm_broadcast(const struct comm *comm, void *bytes, size_t n, int root);

/* Every rank calls, and none returns before all have. */
void comm_barrier(const struct comm *comm);

/* Every rank calls. Rank 0 gets n = counts[rank] bytes of every rank, one after the other in order of rank,
 * in `all` (NULL elsewhere). counts [ranks] are the same on all ranks; any size, also 0. */
void comm_collect(const struct comm *comm, const void *bytes, size_t n, const size_t *counts, void *all);

/* Every rank calls. Rank 0 gets a number of every rank in gathered [ranks], which is NULL elsewhere. */
void comm_gather_doubles(const struct comm *comm, double number, double *gathered);

/* Every rank calls. Rank 0 gets a text of up to `width` - 1 bytes of every rank in gathered [ranks][width],
 * which is NULL elsewhere. */
void comm_gather_texts(const struct comm *comm, const char *text, size_t width, char *gathered);

#endif

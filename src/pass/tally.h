/* Losses, errors and counts of sequences, kept one by one and added up in the order of the dataset, in
 * double, so that their sums depend neither on ranks nor on the order of computation. */
#ifndef PASS_TALLY_H
#define PASS_TALLY_H

#include "comm/comm.h"
#include "net/microbatch.h"
#include "net/net.h"

#include <math.h>

enum { TALLY_WIDTH = 4 };

struct tally {
    size_t n;          /* sequences that are told apart */
    int64_t *sequence; /* [n] their indices in the dataset, rising */
    size_t extra;      /* numbers of the caller's that are summed over ranks with the scores */
    size_t room;       /* sequences that there is memory for */
    double *values;    /* [n][TALLY_WIDTH] loss, errors, counted, labels; then [extra] */
};

/* Makes room for up to `room` sequences; the only error is lack of memory. Ended by tally_finish, also then.
 */
int tally_init(struct tally *tally, size_t room, size_t extra, struct error *error);
void tally_finish(struct tally *tally);
size_t tally_count_bytes(size_t room, size_t extra);

/* Begins anew for n <= room sequences, whose indices are copied and may be in any order (NULL: 0 .. n - 1).
 */
void tally_start(struct tally *tally, size_t n, const int64_t *sequence);

/* Takes the scores [B] of a microbatch, whose sequences must be among those of tally_start. */
void tally_add(struct tally *tally, const struct microbatch *microbatch, const struct net_score *scores);

/* Returns the caller's numbers [extra], zero at the start. */
double *tally_extra(struct tally *tally);

/* All ranks call. Completes scores and extra numbers over ranks, and returns the sum of the scores in the
 * order of the dataset. */
struct net_score tally_sum(struct tally *tally, const struct comm *comm);

/* Returns, after tally_sum, how many sequences have errors; NaN where one has no number of errors. */
double tally_count_wrong(const struct tally *tally);

/* Returns a sum divided by what was counted: NaN, without a sign, where nothing was counted or the sum is
 * NaN. */
static inline double tally_mean(double sum, double counted)
{
    return counted > 0 && !isnan(sum) ? sum / counted : NAN;
}

#endif

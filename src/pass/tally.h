/* Losses, errors and counts of sequences, kept one by one and added up in the order of the dataset in double,
 * so that the sums do not depend on ranks or on the order of computation. */
#ifndef PASS_TALLY_H
#define PASS_TALLY_H

#include "comm/comm.h"
#include "net/microbatch.h"
#include "net/net.h"

#include <math.h>

enum { TALLY_WIDTH = 4 };

struct tally {
    size_t n;          /* sequences that can be told apart */
    int64_t *sequence; /* [n] their indices in the dataset, rising; NULL: 0 .. n - 1 */
    size_t extra;      /* further sums over ranks that ride along */
    size_t room;
    double *values; /* [n][TALLY_WIDTH] loss, errors, counted, labels; then [extra] */
};

int tally_init(struct tally *tally, size_t room, size_t extra, struct error *error);
void tally_finish(struct tally *tally);

/* Begins anew for n sequences of these indices in any order (copied and sorted; NULL: 0 .. n - 1), n <= room.
 */
void tally_start(struct tally *tally, size_t n, const int64_t *sequence);

/* Scores [B] of a microbatch's sequences. */
void tally_add(struct tally *tally, const struct microbatch *microbatch, const struct net_score *scores);

double *tally_extra(struct tally *tally); /* [extra], zero at the start */

/* All. Completes values and extras over ranks; the sum in order of the dataset. */
struct net_score tally_sum(struct tally *tally, const struct comm *comm);

/* After tally_sum: sequences with errors. NaN where a sequence has no number of errors. */
double tally_count_wrong(const struct tally *tally);

/* A sum over what was counted; NaN, of no sign, where nothing was, or the sum is. */
static inline double tally_mean(double sum, double counted)
{
    return counted > 0 && !isnan(sum) ? sum / counted : NAN;
}

#endif

/* Losses, errors and counts of sequences, added up without rounding (base/exact.h): their sums depend neither
 * on ranks nor on the order of computation, nor on how the sequences were cut into steps and microbatches,
 * and what ranks exchange does not grow with the sequences. */
#ifndef PASS_TALLY_H
#define PASS_TALLY_H

#include "base/error.h"
#include "net/net.h"

#include <math.h>
#include <stddef.h>
#include <stdint.h>

struct tally {
    uint64_t *words; /* sums and counts, then [extra]: integers that ranks add */
    size_t extra;
};

/* Begins with nothing, and room for `extra` integers of the caller's that are summed over ranks (modulo 2^64)
 * with the scores; the only error is lack of memory. Ended by tally_finish, also then. */
int tally_init(struct tally *tally, size_t extra, struct error *error);
void tally_finish(struct tally *tally);

/* Begins anew. */
void tally_clear(struct tally *tally);

/* Takes the scores [B] of a microbatch of B sequences. */
void tally_add(struct tally *tally, size_t B, const struct net_score *scores);

/* Returns the caller's integers [extra], zero at the start. */
uint64_t *tally_extra(struct tally *tally);

/* Returns the integers that have to be summed over ranks, *n of them, to complete scores and extra integers.
 */
uint64_t *tally_words(struct tally *tally, size_t *n);

/* Returns the sum of all scores: of those of all ranks, once the integers are summed. */
struct net_score tally_total(struct tally *tally);

/* Returns how many of these sequences have errors; NaN where one has no number of errors. */
double tally_count_wrong(const struct tally *tally);

/* Returns a sum divided by what was counted: NaN, without a sign, where nothing was counted or the sum is
 * NaN. */
static inline double tally_mean(double sum, double counted)
{
    return counted > 0 && !isnan(sum) ? sum / counted : NAN;
}

#endif

/* Sums of doubles without rounding: whatever the order in which numbers are added, and however they are dealt
 * to processes whose sums are added afterwards, the bits of the result are the same, those of the true sum
 * rounded once. The method is the small superaccumulator of Neal, "Fast exact summation using small and large
 * superaccumulators" (arXiv:1505.05571, 2015), section 2: a fixed-point number that spans all doubles, in
 * digits of 32 bits that are kept in 64, so that carries can wait.
 *
 * A sum is an array of EXACT_WORDS integers, all zero at the start. The sum of two sums is their sum word by
 * word (modulo 2^64), which MPI_SUM does. */
#ifndef BASE_EXACT_H
#define BASE_EXACT_H

#include <stddef.h>
#include <stdint.h>

/* 2098 bits from 2^-1074 to 2^1023, a digit for carries, and counts of +inf, -inf and NaN. */
enum { EXACT_DIGITS = 67, EXACT_WORDS = EXACT_DIGITS + 3 };

/* Adds a number, which may be infinite or NaN. At most 2^30 numbers may be added before a call of
 * exact_carry. */
void exact_add(uint64_t sum[static EXACT_WORDS], double value);

/* Carries between the digits, which changes no value. Of sums that were carried, 2^30 may be added word by
 * word before the result has to be carried. */
void exact_carry(uint64_t sum[static EXACT_WORDS]);

/* Returns the sum rounded to nearest, ties to even; infinite where it is beyond all doubles or holds infinite
 * numbers of one sign, NaN where it holds a NaN or infinite numbers of both. A sum of nothing is +0. The
 * digits are carried. */
double exact_round(uint64_t sum[static EXACT_WORDS]);

/* Returns how many NaN the sum holds. */
uint64_t exact_count_nan(const uint64_t sum[static EXACT_WORDS]);

#endif

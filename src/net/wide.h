/* Positive numbers whose exponent never runs out: the whole part of the logarithm to base 2 beside a double
 * in [1, 2). Products of thousands of probabilities are sums of exponents as they would be with logarithms,
 * but adding two takes no exponential and no logarithm, and every step is exact or rounded once.
 *
 * Zero is a mantissa of 0 with an exponent below all others; there is no NaN, no infinity and no sign. */
#ifndef NET_WIDE_H
#define NET_WIDE_H

#include "base/mathematics.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

struct wide {
    double mantissa; /* in [1, 2), or 0 */
    int64_t exponent;
};

static const struct wide WIDE_ZERO = {0, -((int64_t)1 << 61)}, WIDE_ONE = {1, 0};

/* 2^exponent, exponent up to 1023; 0 below -1022. */
static inline double wide_power(int64_t exponent)
{
    uint64_t bits = (uint64_t)((exponent < -1023 ? -1023 : exponent) + 1023) << 52;
    double power;
    memcpy(&power, &bits, sizeof power);
    return power;
}

/* mantissa in [1, 4) or 0 */
static inline struct wide wide_carry(double mantissa, int64_t exponent)
{
    int carry = mantissa >= 2;
    return (struct wide){carry ? mantissa * 0.5 : mantissa, exponent + carry};
}

static inline struct wide wide_add(struct wide a, struct wide b)
{
    int less = a.exponent < b.exponent;
    struct wide large = less ? b : a, small = less ? a : b;
    return wide_carry(
        large.mantissa + small.mantissa * wide_power(small.exponent - large.exponent), large.exponent);
}

static inline struct wide wide_multiply(struct wide a, struct wide b)
{
    return wide_carry(a.mantissa * b.mantissa, a.exponent + b.exponent);
}

static inline int wide_less(struct wide a, struct wide b)
{
    return a.exponent < b.exponent || (a.exponent == b.exponent && a.mantissa < b.mantissa);
}

/* exp(x), x finite and at most 0; what is below exp(-1e9) counts as that. Errors as math_exp's. */
static inline struct wide wide_exp(double x)
{
    /* exp(r) = 1 + r + r^2 (1/2! + r (1/3! + ... )), |r| <= ln 2 / 2 */
    static const double over[] = {1.0 / 2, 1.0 / 6, 1.0 / 24, 1.0 / 120, 1.0 / 720, 1.0 / 5040, 1.0 / 40320,
        1.0 / 362880, 1.0 / 3628800, 1.0 / 39916800, 1.0 / 479001600, 1.0 / 6227020800, 1.0 / 87178291200};
    enum { TERMS = sizeof over / sizeof *over };
    x = x < -1e9 ? -1e9 : x;
    double n = rint(x * 1.4426950408889634);
    double r = (x - n * 0x1.62e42fee00000p-1) - n * 0x1.a39ef35793c76p-33, sum = over[TERMS - 1];
    for (int k = TERMS - 1; k-- > 0;)
        sum = sum * r + over[k];
    double e = 1 + (r + r * r * sum);
    int below = e < 1;
    return (struct wide){below ? 2 * e : e, (int64_t)n - below};
}

/* ln a, a above 0 */
static inline double wide_log(struct wide a)
{
    return math_log(a.mantissa) + (double)a.exponent * 0.69314718055994531;
}

#endif

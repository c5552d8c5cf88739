/* exp, tanh and sigmoid of vectors. All rest on expm1(r) = r + r^2 q(r) for |r| <= ln(2)/2, q a polynomial of
 * degree 4 fitted for the smallest relative error (1.3e-8), and on exact scaling by powers of two. */
#ifndef KERNEL_FUNCTION_H
#define KERNEL_FUNCTION_H

#include "kernel/vector.h"

/* 2^(n - less), n given as the float n + 1.5 * 2^23 whose low bits hold it; the exponent from -126 to 127, or
 * -127 for 0 */
INLINE vec vec_power_of_two(vec shifted, uint32_t less)
{
    return (vec)(((uvec)shifted + (127 - less)) << 23); /* unsigned: a NaN may come through */
}

/* x = n ln 2 + r: r, and n + 1.5 * 2^23 in *shifted */
INLINE vec vec_reduce(vec x, vec *shifted)
{
    vec magic = vec_splat(0x1.8p23f);
    *shifted = vec_fma(x, vec_splat(0x1.715476p0f), magic);
    vec n = *shifted - magic;
    vec r = vec_fma(n, vec_splat(-0x1.62e4p-1f), x); /* ln 2 in two parts; the first product is exact */
    return vec_fma(n, vec_splat(-0x1.7f7d1cp-20f), r);
}

INLINE vec vec_expm1_reduced(vec r)
{
    vec q = vec_splat(0x1.6bec06p-10f);
    q = vec_fma(q, r, vec_splat(0x1.122776p-7f));
    q = vec_fma(q, r, vec_splat(0x1.555674p-5f));
    q = vec_fma(q, r, vec_splat(0x1.5554b0p-3f));
    q = vec_fma(q, r, vec_splat(0x1.fffffep-2f));
    return vec_fma(r * r, q, r);
}

/* 0 below -87, infinity above 88 */
INLINE vec vec_exp(vec x)
{
    vec bounded = vec_max(vec_splat(-87.0f), vec_min(vec_splat(88.0f), x));
    vec shifted, r = vec_reduce(bounded, &shifted);
    vec scale = vec_power_of_two(shifted, 0);
    vec e = vec_fma(scale, vec_expm1_reduced(r), scale);
    e = vec_select(x < vec_splat(-87.0f), vec_splat(0.0f), e);
    return vec_select(x > vec_splat(88.0f), vec_splat(INFINITY), e);
}

/* 1 / (1 + exp(-x)) with exp(-x) / 2 in between, which does not overflow before the sum does: then the result
 * is 0. */
INLINE vec vec_sigmoid(vec x)
{
    vec y = vec_max(vec_splat(-87.0f), vec_min(vec_splat(88.9f), -x));
    vec shifted, r = vec_reduce(y, &shifted);
    vec half = vec_power_of_two(shifted, 1);
    half = vec_fma(half, vec_expm1_reduced(r), half);
    return vec_splat(1.0f) / vec_fma(vec_splat(2.0f), half, vec_splat(1.0f));
}

/* Of n vectors: expm1(2 |x|) / (expm1(2 |x|) + 2) with the sign of x; 1 from 10 on, where the nearest float
 * is 1. Step by step for all of them, since one alone has a processor wait. */
INLINE void vec_tanh_all(vec *x, const size_t n)
{
    enum { MOST = 4 };
    vec r[MOST], shifted[MOST], q[MOST];
#define ALL _Pragma("GCC unroll 4") for (size_t i = 0; i < n; i++)
    ALL r[i] = vec_min(vec_splat(10.0f), vec_abs(x[i]));
    ALL r[i] = vec_reduce(r[i] + r[i], &shifted[i]);
    ALL q[i] = vec_fma(vec_splat(0x1.6bec06p-10f), r[i], vec_splat(0x1.122776p-7f));
    ALL q[i] = vec_fma(q[i], r[i], vec_splat(0x1.555674p-5f));
    ALL q[i] = vec_fma(q[i], r[i], vec_splat(0x1.5554b0p-3f));
    ALL q[i] = vec_fma(q[i], r[i], vec_splat(0x1.fffffep-2f));
    ALL q[i] = vec_fma(r[i] * r[i], q[i], r[i]);
    ALL shifted[i] = vec_power_of_two(shifted[i], 0);
    ALL q[i] = vec_fma(shifted[i], q[i], shifted[i] - vec_splat(1.0f));
    ALL q[i] = q[i] / (q[i] + vec_splat(2.0f));
    ALL x[i] = vec_sign_of(q[i], x[i]);
#undef ALL
}

INLINE vec vec_tanh(vec x)
{
    vec_tanh_all(&x, 1);
    return x;
}

#endif

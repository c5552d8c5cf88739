/* exp, tanh and sigmoid of single numbers, in the order of operations that function.h has, for the plain
 * twins. */
#ifndef KERNEL_PLAIN_H
#define KERNEL_PLAIN_H

#include "kernel/build.h"

INLINE float plain_power_of_two(float n)
{
    return ldexpf(1, (int)n);
}

INLINE float plain_reduce(float x, float *n)
{
    *n = fmaf(x, 0x1.715476p0f, 0x1.8p23f) - 0x1.8p23f; /* rounded once, as there: rintf would round again */
    return fmaf(*n, -0x1.7f7d1cp-20f, fmaf(*n, -0x1.62e4p-1f, x));
}

INLINE float plain_expm1_reduced(float r)
{
    float q = 0x1.6bec06p-10f;
    q = fmaf(q, r, 0x1.122776p-7f);
    q = fmaf(q, r, 0x1.555674p-5f);
    q = fmaf(q, r, 0x1.5554b0p-3f);
    q = fmaf(q, r, 0x1.fffffep-2f);
    return fmaf(r * r, q, r);
}

INLINE float plain_exp(float x)
{
    if (isnan(x))
        return x;
    if (x < -87)
        return 0;
    if (x > 88)
        return INFINITY;
    float n, r = plain_reduce(x, &n), scale = plain_power_of_two(n);
    return fmaf(scale, plain_expm1_reduced(r), scale);
}

INLINE float plain_sigmoid(float x)
{
    if (isnan(x))
        return x;
    float y = fmaxf(-87, fminf(88.9f, -x));
    float n, r = plain_reduce(y, &n), half = n > -126 ? plain_power_of_two(n - 1) : 0;
    half = fmaf(half, plain_expm1_reduced(r), half);
    return 1 / fmaf(2, half, 1);
}

INLINE float plain_tanh(float x)
{
    if (isnan(x))
        return x;
    float y = fminf(fabsf(x), 10);
    float n, r = plain_reduce(y + y, &n), scale = plain_power_of_two(n);
    float e = fmaf(scale, plain_expm1_reduced(r), scale - 1);
    return copysignf(e / (e + 2), x);
}

INLINE float plain_flush(float x)
{
    return fabsf(x) < 1e-30f ? 0 : x;
}

/* Place of unit u of gate `gate` in a row of `gates` interleaved gates. */
INLINE size_t place(size_t u, size_t gate, size_t gates)
{
    return (u / KERNEL_BLOCK * gates + gate) * KERNEL_BLOCK + u % KERNEL_BLOCK;
}

#endif

/* Vectors of VEC_LANES floats for the instruction set that this file is compiled for.
 *
 * What differs between instruction sets, or must not be left to a compiler's choice, is in the file of the
 * instruction set (kernel/isa/), which defines
 *
 *     BUILD(name), ISA_NAME            the name of a function in this build; the name of the build
 *     isa_runs()                       whether the processor at hand has it; only integer arithmetic
 *     vec, ivec, uvec                  floats and integers, on which the operators of C work lane by lane
 *     VEC_LANES                        lanes of a vec, a divisor of KERNEL_BLOCK
 *     VEC_REGISTERS                    how many vector registers there are
 *     vec_splat(x), vec_splat_at(p)    x or *p in all lanes; the second is a load that compilers do not
 *                                      gather with its neighbours and take apart again
 *     vec_fma(a, b, c)                 a b + c, rounded once
 *     vec_accumulate(&sum, a, b)       sum = a b + sum, rounded once
 *     vec_min(a, b), vec_max(a, b)     the smaller and the larger; b where either is NaN
 *
 * The rest is here, and does not ask how long a vector is. An instruction set whose length shows at run time
 * (SVE) takes a build for each length, as compilers fix it by a flag. */
#ifndef KERNEL_VECTOR_H
#define KERNEL_VECTOR_H

#include "kernel/build.h"

#include <string.h>

_Static_assert(KERNEL_BLOCK % VEC_LANES == 0, "a block is made of whole vectors");

/* What is to live in registers does only if every loop over rows and vectors is unrolled. */
#define UNROLL _Pragma("GCC unroll 8")

enum { TILE_VECTORS = 3 }; /* most column vectors of a tile of a product */

INLINE vec vec_load(const float *p)
{
    vec v;
    memcpy(&v, p, sizeof v);
    return v;
}

INLINE void vec_store(float *p, vec v)
{
    memcpy(p, &v, sizeof v);
}

/* mask ? a : b, lane by lane; a mask is what a comparison of vectors gives */
INLINE vec vec_select(ivec mask, vec a, vec b)
{
    return (vec)((mask & (ivec)a) | (~mask & (ivec)b));
}

INLINE vec vec_abs(vec x)
{
    return (vec)((ivec)x & 0x7fffffff);
}

/* x with the sign of s, x not negative */
INLINE vec vec_sign_of(vec x, vec s)
{
    return (vec)((ivec)x | ((ivec)s & (int32_t)0x80000000));
}

/* Gradients that have all but vanished become zero, so that none lingers among the denormals, where
 * processors are slow. NaN stays. */
INLINE vec vec_flush(vec x)
{
    ivec tiny = vec_abs(x) < vec_splat(1e-30f);
    return (vec)((ivec)x & ~tiny);
}

#endif

/* Vectors of VEC_LANES floats for the instruction set that this file is compiled for. Only what differs
 * between instruction sets, or must not be left to a compiler's choice, is a function here; the rest are
 * operators of the vector extensions of gcc and clang. */
#ifndef KERNEL_VECTOR_H
#define KERNEL_VECTOR_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline, unused))

#if defined KERNEL_AVX512
#include <immintrin.h>
enum { VEC_LANES = 16, VEC_REGISTERS = 32 };
#elif defined KERNEL_AVX2
#include <immintrin.h>
enum { VEC_LANES = 8, VEC_REGISTERS = 16 };
#elif defined KERNEL_NEON
#include <arm_neon.h>
enum { VEC_LANES = 4, VEC_REGISTERS = 32 };
#else
enum { VEC_LANES = 4, VEC_REGISTERS = 16 };
#endif

enum { TILE_VECTORS = 3 }; /* most column vectors of a tile of a product */

#if defined KERNEL_AVX512
#define VEC_BYTES 64
#elif defined KERNEL_AVX2
#define VEC_BYTES 32
#else
#define VEC_BYTES 16
#endif
typedef float vec __attribute__((vector_size(VEC_BYTES)));
typedef int32_t ivec __attribute__((vector_size(VEC_BYTES)));
typedef uint32_t uvec __attribute__((vector_size(VEC_BYTES)));

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

INLINE vec vec_splat(float x)
{
#if defined KERNEL_AVX512
    return (vec)_mm512_set1_ps(x);
#elif defined KERNEL_AVX2
    return (vec)_mm256_set1_ps(x);
#elif defined KERNEL_NEON
    return (vec)vdupq_n_f32(x);
#else
    return (vec){x, x, x, x};
#endif
}

/* *p in all lanes: a load that compilers do not gather with its neighbours and take apart again */
INLINE vec vec_splat_at(const float *p)
{
#if defined KERNEL_AVX2
    return (vec)_mm256_broadcast_ss(p);
#else
    return vec_splat(*p);
#endif
}

/* a b + c, rounded once */
INLINE vec vec_fma(vec a, vec b, vec c)
{
#if defined KERNEL_AVX512
    return (vec)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c);
#elif defined KERNEL_AVX2
    return (vec)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
#elif defined KERNEL_NEON
    return (vec)vfmaq_f32((float32x4_t)c, (float32x4_t)a, (float32x4_t)b);
#else
    return (vec){
        fmaf(a[0], b[0], c[0]), fmaf(a[1], b[1], c[1]), fmaf(a[2], b[2], c[2]), fmaf(a[3], b[3], c[3])};
#endif
}

/* *sum = a b + *sum, rounded once. In the tile of a product compilers may put the result into the register of
 * a factor and move registers about to mend that; so the form that adds in place is named here. */
INLINE void vec_accumulate(vec *sum, vec a, vec b)
{
#if defined KERNEL_AVX512 || defined KERNEL_AVX2
    __asm__("vfmadd231ps %2, %1, %0" : "+v"(*sum) : "v"(a), "v"(b));
#else
    *sum = vec_fma(a, b, *sum);
#endif
}

/* mask ? a : b, lane by lane; a mask is what a comparison of vectors gives */
INLINE vec vec_select(ivec mask, vec a, vec b)
{
    return (vec)((mask & (ivec)a) | (~mask & (ivec)b));
}

/* The smaller and the larger of a and b; where either is NaN, b. */
INLINE vec vec_min(vec a, vec b)
{
#if defined KERNEL_AVX512
    return (vec)_mm512_min_ps((__m512)a, (__m512)b);
#elif defined KERNEL_AVX2
    return (vec)_mm256_min_ps((__m256)a, (__m256)b);
#else
    return vec_select(a < b, a, b);
#endif
}

INLINE vec vec_max(vec a, vec b)
{
#if defined KERNEL_AVX512
    return (vec)_mm512_max_ps((__m512)a, (__m512)b);
#elif defined KERNEL_AVX2
    return (vec)_mm256_max_ps((__m256)a, (__m256)b);
#else
    return vec_select(a > b, a, b);
#endif
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

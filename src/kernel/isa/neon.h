/* Advanced SIMD of 64-bit ARM, which every such processor has: 32 registers of 4 floats. */
#ifndef KERNEL_ISA_NEON_H
#define KERNEL_ISA_NEON_H

#include <arm_neon.h>

#define BUILD(name) name##_neon
#define ISA_NAME "neon"

enum { VEC_LANES = 4, VEC_REGISTERS = 32 };
typedef float vec __attribute__((vector_size(16)));
typedef int32_t ivec __attribute__((vector_size(16)));
typedef uint32_t uvec __attribute__((vector_size(16)));

INLINE int isa_runs(void)
{
    return 1;
}

INLINE vec vec_splat(float x)
{
    return (vec)vdupq_n_f32(x);
}

INLINE vec vec_splat_at(const float *p)
{
    return vec_splat(*p);
}

INLINE vec vec_fma(vec a, vec b, vec c)
{
    return (vec)vfmaq_f32((float32x4_t)c, (float32x4_t)a, (float32x4_t)b);
}

INLINE void vec_accumulate(vec *sum, vec a, vec b)
{
    *sum = vec_fma(a, b, *sum);
}

INLINE vec vec_min(vec a, vec b)
{
    ivec mask = a < b;
    return (vec)((mask & (ivec)a) | (~mask & (ivec)b));
}

INLINE vec vec_max(vec a, vec b)
{
    ivec mask = a > b;
    return (vec)((mask & (ivec)a) | (~mask & (ivec)b));
}

#endif

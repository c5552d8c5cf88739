/* AVX2 with fused multiply-adds: 16 registers of 8 floats. */
#ifndef KERNEL_ISA_AVX2_H
#define KERNEL_ISA_AVX2_H

#include <immintrin.h>

#define BUILD(name) name##_avx2
#define ISA_NAME "avx2"

enum { VEC_LANES = 8, VEC_REGISTERS = 16 };
typedef float vec __attribute__((vector_size(32)));
typedef int32_t ivec __attribute__((vector_size(32)));
typedef uint32_t uvec __attribute__((vector_size(32)));

INLINE int isa_runs(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

INLINE vec vec_splat(float x)
{
    return (vec)_mm256_set1_ps(x);
}

INLINE vec vec_splat_at(const float *p)
{
    return (vec)_mm256_broadcast_ss(p);
}

INLINE vec vec_fma(vec a, vec b, vec c)
{
    return (vec)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
}

/* In the tile of a product compilers may put the result into the register of a factor and move registers
 * about to mend that; so the form that adds in place is named here. */
INLINE void vec_accumulate(vec *sum, vec a, vec b)
{
    __asm__("vfmadd231ps %2, %1, %0" : "+v"(*sum) : "v"(a), "v"(b));
}

INLINE vec vec_min(vec a, vec b)
{
    return (vec)_mm256_min_ps((__m256)a, (__m256)b);
}

INLINE vec vec_max(vec a, vec b)
{
    return (vec)_mm256_max_ps((__m256)a, (__m256)b);
}

#endif

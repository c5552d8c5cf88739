/* AVX-512 (F, DQ, VL): 32 registers of 16 floats. */
#ifndef KERNEL_ISA_AVX512_H
#define KERNEL_ISA_AVX512_H

#include <immintrin.h>

#define BUILD(name) name##_avx512
#define ISA_NAME "avx512"

enum { VEC_LANES = 16, VEC_REGISTERS = 32 };
typedef float vec __attribute__((vector_size(64)));
typedef int32_t ivec __attribute__((vector_size(64)));
typedef uint32_t uvec __attribute__((vector_size(64)));

INLINE int isa_runs(void)
{
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl");
}

INLINE vec vec_splat(float x)
{
    return (vec)_mm512_set1_ps(x);
}

INLINE vec vec_splat_at(const float *p)
{
    return vec_splat(*p);
}

INLINE vec vec_fma(vec a, vec b, vec c)
{
    return (vec)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c);
}

/* In the tile of a product compilers may put the result into the register of a factor and move registers
 * about to mend that; so the form that adds in place is named here. */
INLINE void vec_accumulate(vec *sum, vec a, vec b)
{
    __asm__("vfmadd231ps %2, %1, %0" : "+v"(*sum) : "v"(a), "v"(b));
}

INLINE vec vec_min(vec a, vec b)
{
    return (vec)_mm512_min_ps((__m512)a, (__m512)b);
}

INLINE vec vec_max(vec a, vec b)
{
    return (vec)_mm512_max_ps((__m512)a, (__m512)b);
}

#endif

/* What every processor can do: vectors of 4 floats as compilers see fit. */
#ifndef KERNEL_ISA_GENERIC_H
#define KERNEL_ISA_GENERIC_H

#define BUILD(name) name##_generic
#define ISA_NAME "generic"

enum { VEC_LANES = 4, VEC_REGISTERS = 16 };
typedef float vec __attribute__((vector_size(16)));
typedef int32_t ivec __attribute__((vector_size(16)));
typedef uint32_t uvec __attribute__((vector_size(16)));

INLINE int isa_runs(void)
{
    return 1;
}

INLINE vec vec_splat(float x)
{
    return (vec){x, x, x, x};
}

INLINE vec vec_splat_at(const float *p)
{
    return vec_splat(*p);
}

INLINE vec vec_fma(vec a, vec b, vec c)
{
    return (vec){
        fmaf(a[0], b[0], c[0]), fmaf(a[1], b[1], c[1]), fmaf(a[2], b[2], c[2]), fmaf(a[3], b[3], c[3])};
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

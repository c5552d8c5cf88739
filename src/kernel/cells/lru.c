/* The scan of the linear recurrent unit (Orvieto et al. 2023): v = lambda v' + g a, all of them complex, unit
 * by unit. Of the state v, h is the real part and c the imaginary one with its sign changed, so that
 * Re(C v) = C_re h + C_im c is sums of products alone; the gates are the two parts of a = B x, which stay as
 * they are until backward puts the gradients by them there. `saved`, which backward alone reads, is the
 * gradient by c from above.
 *
 * Parameters: the parts of lambda, l and k; g; and what l and k lack as floats, l_rest and k_rest. Where
 * |lambda| is 1 - 1e-5, what a float lacks would be a thousandth of what is forgotten at each step. */
#include "kernel/cells/cell.h"

#ifndef ISA_IS_PLAIN

/* The parameters of some units. */
struct lru_units {
    vec l, k, g, l_rest, k_rest;
};

INLINE struct lru_units lru_units_of(const struct cell_step *x, size_t u)
{
    const float *p = x->parameters + u;
    size_t stride = x->parameters_stride;
    return (struct lru_units){vec_load(p), vec_load(p + stride), vec_load(p + 2 * stride),
        vec_load(p + 3 * stride), vec_load(p + 4 * stride)};
}

/* h = l h' + k c' + g a_re; c = l c' - k h' - g a_im. A state that has all but vanished becomes zero, as
 * gradients do. */
void BUILD(lru_forward)(const struct cell_step *x)
{
    FOR_UNITS(2, x->units)
    {
        const struct lru_units p = lru_units_of(x, u);
        for (size_t b = 0; b < x->count; b++) {
            const float *a = row_at(x->gates, b) + g;
            vec h = vec_load(row_at(x->h_previous, b) + u), c = vec_load(row_at(x->c_previous, b) + u);
            vec re = vec_fma(p.k_rest, c, vec_fma(p.l_rest, h, p.g * vec_load(a)));
            vec im = vec_fma(-p.k_rest, h, vec_fma(p.l_rest, c, -p.g * vec_load(a + KERNEL_BLOCK)));
            vec_store(row_at(x->h, b) + u, vec_flush(vec_fma(p.l, h, vec_fma(p.k, c, re))));
            vec_store(row_at(x->c, b) + u, vec_flush(vec_fma(p.l, c, vec_fma(-p.k, h, im))));
        }
    }
}

/* With what comes from the step after added to both gradients: dl += dh . h' + dc . c';
 * dk += dh . c' - dc . h'; dg += dh . a_re - dc . a_im; da_re = g dh; da_im = -g dc; dh' = l dh - k dc;
 * dc' = l dc + k dh */
void BUILD(lru_backward)(const struct cell_gradient *x)
{
    const struct cell_step *step = &x->step;
    FOR_UNITS(2, step->units)
    {
        const struct lru_units p = lru_units_of(step, u);
        float *sums = x->sums + u;
        size_t stride = step->parameters_stride;
        vec dl = vec_load(sums), dk = vec_load(sums + stride), dg = vec_load(sums + 2 * stride);
        for (size_t b = 0; b < step->count; b++) {
            float *a = row_at(step->gates, b) + g;
            float *after_h = row_at(x->dh_previous, b) + u, *after_c = row_at(x->dc, b) + u;
            vec h = vec_load(row_at(step->h_previous, b) + u), c = vec_load(row_at(step->c_previous, b) + u);
            vec dh = vec_load(row_at(x->dh, b) + u) + vec_load(after_h);
            vec dc = vec_load(row_at(step->saved, b) + u) + vec_load(after_c);
            dl = vec_fma(dh, h, vec_fma(dc, c, dl));
            dk = vec_fma(dh, c, vec_fma(-dc, h, dk));
            dg = vec_fma(dh, vec_load(a), vec_fma(-dc, vec_load(a + KERNEL_BLOCK), dg));
            vec_store(a, vec_flush(p.g * dh));
            vec_store(a + KERNEL_BLOCK, vec_flush(-p.g * dc));
            vec re = vec_fma(p.l_rest, dh, -p.k_rest * dc), im = vec_fma(p.l_rest, dc, p.k_rest * dh);
            vec_store(after_h, vec_flush(vec_fma(p.l, dh, vec_fma(-p.k, dc, re))));
            vec_store(after_c, vec_flush(vec_fma(p.l, dc, vec_fma(p.k, dh, im))));
        }
        vec_store(sums, dl);
        vec_store(sums + stride, dk);
        vec_store(sums + 2 * stride, dg);
    }
}

#else

void BUILD(lru_forward)(const struct cell_step *x)
{
    size_t stride = x->parameters_stride;
    for (size_t b = 0; b < x->count; b++)
        for (size_t u = 0; u < x->units; u++) {
            const float *p = x->parameters + u, *a = row_at(x->gates, b);
            float h = row_at(x->h_previous, b)[u], c = row_at(x->c_previous, b)[u];
            float l = p[0], k = p[stride], g = p[2 * stride], l_rest = p[3 * stride], k_rest = p[4 * stride];
            float re = fmaf(k_rest, c, fmaf(l_rest, h, g * a[place(u, 0, 2)]));
            float im = fmaf(-k_rest, h, fmaf(l_rest, c, -g * a[place(u, 1, 2)]));
            row_at(x->h, b)[u] = plain_flush(fmaf(l, h, fmaf(k, c, re)));
            row_at(x->c, b)[u] = plain_flush(fmaf(l, c, fmaf(-k, h, im)));
        }
}

void BUILD(lru_backward)(const struct cell_gradient *x)
{
    size_t stride = x->step.parameters_stride;
    for (size_t b = 0; b < x->step.count; b++)
        for (size_t u = 0; u < x->step.units; u++) {
            const float *p = x->step.parameters + u;
            float l = p[0], k = p[stride], g = p[2 * stride], l_rest = p[3 * stride], k_rest = p[4 * stride];
            float *re = row_at(x->step.gates, b) + place(u, 0, 2), *im = re + KERNEL_BLOCK;
            float *after_h = row_at(x->dh_previous, b) + u, *after_c = row_at(x->dc, b) + u;
            float h = row_at(x->step.h_previous, b)[u], c = row_at(x->step.c_previous, b)[u];
            float dh = row_at(x->dh, b)[u] + *after_h, dc = row_at(x->step.saved, b)[u] + *after_c;
            float *dl = x->sums + u, *dk = dl + stride, *dg = dk + stride;
            *dl = fmaf(dh, h, fmaf(dc, c, *dl));
            *dk = fmaf(dh, c, fmaf(-dc, h, *dk));
            *dg = fmaf(dh, *re, fmaf(-dc, *im, *dg));
            *re = plain_flush(g * dh);
            *im = plain_flush(-g * dc);
            *after_h = plain_flush(fmaf(l, dh, fmaf(-k, dc, fmaf(l_rest, dh, -k_rest * dc))));
            *after_c = plain_flush(fmaf(l, dc, fmaf(k, dh, fmaf(l_rest, dc, k_rest * dh))));
        }
}

#endif

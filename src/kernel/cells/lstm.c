/* The LSTM: Hochreiter and Schmidhuber 1997 with the forget gate of Gers, Schmidhuber and Cummins 2000, and
 * the peepholes p of Gers, Schraudolph and Schmidhuber 2002, which are the parameters of its step. It saves
 * tanh(c). */
#include "kernel/cells/cell.h"

#ifndef ISA_IS_PLAIN

/* i = s(a_i + p_i . c'), f = s(a_f + p_f . c'), g = tanh(a_g); c = f . c' + i . g; o = s(a_o + p_o . c);
 * h = o . tanh(c) */
INLINE void lstm_forward_with(const struct cell_step *x, int peepholes)
{
    const float *p = x->parameters, *p_f = peepholes ? p + x->parameters_stride : NULL,
                *p_o = peepholes ? p + 2 * x->parameters_stride : NULL;
    for (size_t b = 0; b < x->count; b++) {
        float *gates = row_at(x->gates, b);
        const float *c_previous = row_at(x->c_previous, b);
        FOR_UNITS(4, x->units)
        {
            vec a_i = vec_load(gates + g), a_f = vec_load(gates + g + KERNEL_BLOCK);
            if (peepholes) {
                a_i = vec_fma(vec_load(p + u), vec_load(c_previous + u), a_i);
                a_f = vec_fma(vec_load(p_f + u), vec_load(c_previous + u), a_f);
            }
            vec i = vec_sigmoid(a_i);
            vec f = vec_sigmoid(a_f);
            vec z = vec_tanh(vec_load(gates + g + 2 * KERNEL_BLOCK));
            vec o = vec_load(gates + g + 3 * KERNEL_BLOCK);
            o = peepholes ? o : vec_sigmoid(o);
            vec_store(gates + g, i);
            vec_store(gates + g + KERNEL_BLOCK, f);
            vec_store(gates + g + 2 * KERNEL_BLOCK, z);
            vec_store(gates + g + 3 * KERNEL_BLOCK, o);
            vec_store(row_at(x->c, b) + u, vec_fma(f, vec_load(c_previous + u), i * z));
        }
        FOR_UNITS(4, x->units)
        {
            vec c = vec_load(row_at(x->c, b) + u), o = vec_load(gates + g + 3 * KERNEL_BLOCK);
            if (peepholes) {
                o = vec_sigmoid(vec_fma(vec_load(p_o + u), c, o));
                vec_store(gates + g + 3 * KERNEL_BLOCK, o);
            }
            vec t = vec_tanh(c);
            vec_store(row_at(x->saved, b) + u, t);
            vec_store(row_at(x->h, b) + u, o * t);
        }
    }
}

void BUILD(lstm_forward)(const struct cell_step *x)
{
    if (x->parameters)
        lstm_forward_with(x, 1);
    else
        lstm_forward_with(x, 0);
}

/* da_o = dh . tanh(c) . o (1 - o); dc = dc'' + dh . o . (1 - tanh(c)^2) + p_o . da_o;
 * da_i = dc . g . i (1 - i); da_f = dc . c' . f (1 - f); da_g = dc . i . (1 - g^2);
 * dc' = dc . f + p_i . da_i + p_f . da_f */
INLINE void lstm_backward_with(const struct cell_gradient *x, int peepholes)
{
    const vec one = vec_splat(1);
    const float *p = x->step.parameters, *p_f = peepholes ? p + x->step.parameters_stride : NULL,
                *p_o = peepholes ? p + 2 * x->step.parameters_stride : NULL;
    for (size_t b = 0; b < x->step.count; b++) {
        float *gates = row_at(x->step.gates, b), *dc_row = row_at(x->dc, b);
        const float *c_previous = row_at(x->step.c_previous, b);
        FOR_UNITS(4, x->step.units)
        {
            vec i = vec_load(gates + g), f = vec_load(gates + g + KERNEL_BLOCK);
            vec z = vec_load(gates + g + 2 * KERNEL_BLOCK), o = vec_load(gates + g + 3 * KERNEL_BLOCK);
            vec t = vec_load(row_at(x->step.saved, b) + u);
            vec dh = vec_load(row_at(x->dh, b) + u);
            vec da_o = vec_flush(dh * t * (o * (one - o)));
            vec dc = vec_fma(dh * o, vec_fma(-t, t, one), vec_load(dc_row + u));
            if (peepholes)
                dc = vec_fma(vec_load(p_o + u), da_o, dc);
            vec da_i = vec_flush(dc * z * (i * (one - i)));
            vec da_f = vec_flush(dc * vec_load(c_previous + u) * (f * (one - f)));
            vec_store(gates + g, da_i);
            vec_store(gates + g + KERNEL_BLOCK, da_f);
            vec_store(gates + g + 2 * KERNEL_BLOCK, vec_flush(dc * i * vec_fma(-z, z, one)));
            vec_store(gates + g + 3 * KERNEL_BLOCK, da_o);
            vec dc_previous = dc * f;
            if (peepholes)
                dc_previous = vec_fma(vec_load(p_f + u), da_f, vec_fma(vec_load(p + u), da_i, dc_previous));
            vec_store(dc_row + u, vec_flush(dc_previous));
        }
    }
}

void BUILD(lstm_backward)(const struct cell_gradient *x)
{
    if (x->step.parameters)
        lstm_backward_with(x, 1);
    else
        lstm_backward_with(x, 0);
}

#else

void BUILD(lstm_forward)(const struct cell_step *x)
{
    for (size_t b = 0; b < x->count; b++)
        for (size_t u = 0; u < x->units; u++) {
            float *gates = row_at(x->gates, b);
            float *i = gates + place(u, 0, 4), *f = gates + place(u, 1, 4), *g = gates + place(u, 2, 4),
                  *o = gates + place(u, 3, 4);
            float c = row_at(x->c_previous, b)[u];
            const float *p = x->parameters;
            *i = plain_sigmoid(p ? fmaf(p[u], c, *i) : *i);
            *f = plain_sigmoid(p ? fmaf(p[x->parameters_stride + u], c, *f) : *f);
            *g = plain_tanh(*g);
            c = fmaf(*f, c, *i * *g);
            *o = plain_sigmoid(p ? fmaf(p[2 * x->parameters_stride + u], c, *o) : *o);
            row_at(x->c, b)[u] = c;
            row_at(x->saved, b)[u] = plain_tanh(c);
            row_at(x->h, b)[u] = *o * plain_tanh(c);
        }
}

void BUILD(lstm_backward)(const struct cell_gradient *x)
{
    for (size_t b = 0; b < x->step.count; b++)
        for (size_t u = 0; u < x->step.units; u++) {
            float *gates = row_at(x->step.gates, b);
            float *pi = gates + place(u, 0, 4), *pf = gates + place(u, 1, 4), *pg = gates + place(u, 2, 4),
                  *po = gates + place(u, 3, 4);
            float i = *pi, f = *pf, g = *pg, o = *po, t = row_at(x->step.saved, b)[u];
            float dh = row_at(x->dh, b)[u], *dc_place = row_at(x->dc, b) + u;
            float dc = fmaf(dh * o, fmaf(-t, t, 1), *dc_place);
            const float *p = x->step.parameters;
            *po = plain_flush(dh * t * (o * (1 - o)));
            dc = p ? fmaf(p[2 * x->step.parameters_stride + u], *po, dc) : dc;
            *pi = plain_flush(dc * g * (i * (1 - i)));
            *pf = plain_flush(dc * row_at(x->step.c_previous, b)[u] * (f * (1 - f)));
            *pg = plain_flush(dc * i * fmaf(-g, g, 1));
            float dc_previous = p ? fmaf(p[u], *pi, dc * f) : dc * f;
            *dc_place =
                plain_flush(p ? fmaf(p[x->step.parameters_stride + u], *pf, dc_previous) : dc_previous);
        }
}

#endif

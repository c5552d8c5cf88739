/* One step of each cell, forward and backward, row by row in blocks of 16 units. A function of a function
 * goes over the row a second time: in one pass a processor has too few units under way to hide its latency.
 * In the equations . is the product element by element, s the logistic function; a_x is the sum before
 * activation of gate x. */
#include "kernel/build.h"
#include "kernel/function.h"

/* Calls `body` with a running over the vectors of a row: u the unit, g the place of gate 0 in the interleaved
 * row. */
#define FOR_UNITS(gates, units)                                                                              \
    for (size_t block = 0; block < (units); block += KERNEL_BLOCK)                                           \
        for (size_t part = 0; part < KERNEL_BLOCK; part += VEC_LANES)                                        \
            for (size_t u = block + part, g = u + block * ((gates)-1), once = 1; once; once = 0)

/* Hochreiter and Schmidhuber 1997 with the forget gate of Gers, Schmidhuber and Cummins 2000, and the
 * peepholes p of Gers, Schraudolph and Schmidhuber 2002:
 * i = s(a_i + p_i . c'), f = s(a_f + p_f . c'), g = tanh(a_g); c = f . c' + i . g; o = s(a_o + p_o . c);
 * h = o . tanh(c) */
INLINE void lstm_forward_with(const struct cell_step *x, int peepholes)
{
    const float *p = x->parameters, *p_f = peepholes ? p + x->units : NULL,
                *p_o = peepholes ? p + 2 * x->units : NULL;
    for (size_t b = 0; b < x->count; b++) {
        float *gates = x->gates.data + b * x->gates.stride;
        const float *c_previous = x->c_previous.data + b * x->c_previous.stride;
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
            vec_store(x->c.data + b * x->c.stride + u, vec_fma(f, vec_load(c_previous + u), i * z));
        }
        FOR_UNITS(4, x->units)
        {
            vec c = vec_load(x->c.data + b * x->c.stride + u), o = vec_load(gates + g + 3 * KERNEL_BLOCK);
            if (peepholes) {
                o = vec_sigmoid(vec_fma(vec_load(p_o + u), c, o));
                vec_store(gates + g + 3 * KERNEL_BLOCK, o);
            }
            vec t = vec_tanh(c);
            vec_store(x->saved.data + b * x->saved.stride + u, t);
            vec_store(x->h.data + b * x->h.stride + u, o * t);
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
    const float *p = x->step.parameters, *p_f = peepholes ? p + x->step.units : NULL,
                *p_o = peepholes ? p + 2 * x->step.units : NULL;
    for (size_t b = 0; b < x->step.count; b++) {
        float *gates = x->step.gates.data + b * x->step.gates.stride, *dc_row = x->dc.data + b * x->dc.stride;
        const float *c_previous = x->step.c_previous.data + b * x->step.c_previous.stride;
        FOR_UNITS(4, x->step.units)
        {
            vec i = vec_load(gates + g), f = vec_load(gates + g + KERNEL_BLOCK);
            vec z = vec_load(gates + g + 2 * KERNEL_BLOCK), o = vec_load(gates + g + 3 * KERNEL_BLOCK);
            vec t = vec_load(x->step.saved.data + b * x->step.saved.stride + u);
            vec dh = vec_load(x->dh.data + b * x->dh.stride + u);
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

/* Cho et al. 2014 with the reset gate after the recurrent product, as in cuDNN; u = W_hh h' + b_hh:
 * r = s(a_r + u_r), z = s(a_z + u_z), n = tanh(a_n + r . u_n); h = n + z . (h' - n) */
void BUILD(gru_forward)(const struct cell_step *x)
{
    for (size_t b = 0; b < x->count; b++) {
        float *gates = x->gates.data + b * x->gates.stride;
        const float *recurrent = x->recurrent.data + b * x->recurrent.stride;
        const float *h_previous = x->h_previous.data + b * x->h_previous.stride;
        FOR_UNITS(3, x->units)
        {
            vec r = vec_load(gates + g) + vec_load(recurrent + g);
            vec z = vec_load(gates + g + KERNEL_BLOCK) + vec_load(recurrent + g + KERNEL_BLOCK);
            vec_store(gates + g, vec_sigmoid(r));
            vec_store(gates + g + KERNEL_BLOCK, vec_sigmoid(z));
        }
        FOR_UNITS(3, x->units)
        {
            vec r = vec_load(gates + g), z = vec_load(gates + g + KERNEL_BLOCK);
            vec un = vec_load(recurrent + g + 2 * KERNEL_BLOCK);
            vec n = vec_tanh(vec_fma(r, un, vec_load(gates + g + 2 * KERNEL_BLOCK)));
            vec_store(gates + g + 2 * KERNEL_BLOCK, n);
            vec_store(x->saved.data + b * x->saved.stride + u, un);
            vec_store(x->h.data + b * x->h.stride + u, vec_fma(z, vec_load(h_previous + u) - n, n));
        }
    }
}

/* da_n = dh . (1 - z) . (1 - n^2); da_z = dh . (h' - n) . z (1 - z); da_r = da_n . u_n . r (1 - r);
 * du = (da_r, da_z, da_n . r); dh' += dh . z */
void BUILD(gru_backward)(const struct cell_gradient *x)
{
    const vec one = vec_splat(1);
    for (size_t b = 0; b < x->step.count; b++) {
        float *gates = x->step.gates.data + b * x->step.gates.stride,
              *recurrent = x->step.recurrent.data + b * x->step.recurrent.stride;
        const float *h_previous = x->step.h_previous.data + b * x->step.h_previous.stride;
        float *dh_previous = x->dh_previous.data + b * x->dh_previous.stride;
        FOR_UNITS(3, x->step.units)
        {
            vec r = vec_load(gates + g), z = vec_load(gates + g + KERNEL_BLOCK);
            vec n = vec_load(gates + g + 2 * KERNEL_BLOCK);
            vec dh = vec_load(x->dh.data + b * x->dh.stride + u);
            vec dn = vec_flush(dh * (one - z) * vec_fma(-n, n, one));
            vec dz = vec_flush(dh * (vec_load(h_previous + u) - n) * (z * (one - z)));
            vec dr =
                vec_flush(dn * vec_load(x->step.saved.data + b * x->step.saved.stride + u) * (r * (one - r)));
            vec_store(gates + g, dr);
            vec_store(gates + g + KERNEL_BLOCK, dz);
            vec_store(gates + g + 2 * KERNEL_BLOCK, dn);
            vec_store(recurrent + g, dr);
            vec_store(recurrent + g + KERNEL_BLOCK, dz);
            vec_store(recurrent + g + 2 * KERNEL_BLOCK, vec_flush(dn * r));
            vec_store(dh_previous + u, vec_flush(vec_fma(dh, z, vec_load(dh_previous + u))));
        }
    }
}

/* h = tanh(a) */
void BUILD(tanh_forward)(const struct cell_step *x)
{
    for (size_t b = 0; b < x->count; b++)
        for (size_t u = 0; u < x->units; u += VEC_LANES)
            vec_store(
                x->h.data + b * x->h.stride + u, vec_tanh(vec_load(x->gates.data + b * x->gates.stride + u)));
}

/* da = dh . (1 - h^2) */
void BUILD(tanh_backward)(const struct cell_gradient *x)
{
    for (size_t b = 0; b < x->step.count; b++)
        for (size_t u = 0; u < x->step.units; u += VEC_LANES) {
            vec h = vec_load(x->step.h.data + b * x->step.h.stride + u),
                dh = vec_load(x->dh.data + b * x->dh.stride + u);
            vec_store(x->step.gates.data + b * x->step.gates.stride + u,
                vec_flush(dh * vec_fma(-h, h, vec_splat(1))));
        }
}

/* h = max(a, 0); NaN stays */
void BUILD(relu_forward)(const struct cell_step *x)
{
    for (size_t b = 0; b < x->count; b++)
        for (size_t u = 0; u < x->units; u += VEC_LANES) {
            vec a = vec_load(x->gates.data + b * x->gates.stride + u);
            vec_store(x->h.data + b * x->h.stride + u, vec_max(vec_splat(0), a));
        }
}

/* da = dh where h > 0, else 0 */
void BUILD(relu_backward)(const struct cell_gradient *x)
{
    for (size_t b = 0; b < x->step.count; b++)
        for (size_t u = 0; u < x->step.units; u += VEC_LANES) {
            vec h = vec_load(x->step.h.data + b * x->step.h.stride + u),
                dh = vec_load(x->dh.data + b * x->dh.stride + u);
            vec_store(x->step.gates.data + b * x->step.gates.stride + u,
                vec_flush(vec_select(h > vec_splat(0), dh, vec_splat(0))));
        }
}

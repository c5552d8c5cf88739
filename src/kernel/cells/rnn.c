/* The cells of one sum, h = tanh(a) and h = max(a, 0). They save nothing. */
#include "kernel/cells/cell.h"

#ifndef ISA_IS_PLAIN

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

#else

void BUILD(tanh_forward)(const struct cell_step *x)
{
    for (size_t b = 0; b < x->count; b++)
        for (size_t u = 0; u < x->units; u++)
            x->h.data[b * x->h.stride + u] = plain_tanh(x->gates.data[b * x->gates.stride + u]);
}

void BUILD(tanh_backward)(const struct cell_gradient *x)
{
    for (size_t b = 0; b < x->step.count; b++)
        for (size_t u = 0; u < x->step.units; u++) {
            float h = x->step.h.data[b * x->step.h.stride + u];
            x->step.gates.data[b * x->step.gates.stride + u] =
                plain_flush(x->dh.data[b * x->dh.stride + u] * fmaf(-h, h, 1));
        }
}

void BUILD(relu_forward)(const struct cell_step *x)
{
    for (size_t b = 0; b < x->count; b++)
        for (size_t u = 0; u < x->units; u++) {
            float a = x->gates.data[b * x->gates.stride + u];
            x->h.data[b * x->h.stride + u] = a < 0 ? 0 : a;
        }
}

void BUILD(relu_backward)(const struct cell_gradient *x)
{
    for (size_t b = 0; b < x->step.count; b++)
        for (size_t u = 0; u < x->step.units; u++) {
            float dh = x->dh.data[b * x->dh.stride + u];
            x->step.gates.data[b * x->step.gates.stride + u] =
                x->step.h.data[b * x->step.h.stride + u] > 0 ? plain_flush(dh) : 0;
        }
}

#endif

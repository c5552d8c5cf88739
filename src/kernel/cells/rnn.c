/* The cells of one sum, h = tanh(a) and h = max(a, 0). They save nothing. */
#include "kernel/cells/cell.h"

#ifndef ISA_IS_PLAIN

/* h = tanh(a) */
void BUILD(tanh_forward)(const struct cell_step *x)
{
    for (size_t b = 0; b < x->count; b++)
        for (size_t u = 0; u < x->units; u += VEC_LANES)
            vec_store(row_at(x->h, b) + u, vec_tanh(vec_load(row_at(x->gates, b) + u)));
}

/* da = dh . (1 - h^2) */
void BUILD(tanh_backward)(const struct cell_gradient *x)
{
    for (size_t b = 0; b < x->step.count; b++)
        for (size_t u = 0; u < x->step.units; u += VEC_LANES) {
            vec h = vec_load(row_at(x->step.h, b) + u), dh = vec_load(row_at(x->dh, b) + u);
            vec_store(row_at(x->step.gates, b) + u, vec_flush(dh * vec_fma(-h, h, vec_splat(1))));
        }
}

/* h = max(a, 0); NaN stays */
void BUILD(relu_forward)(const struct cell_step *x)
{
    for (size_t b = 0; b < x->count; b++)
        for (size_t u = 0; u < x->units; u += VEC_LANES) {
            vec a = vec_load(row_at(x->gates, b) + u);
            vec_store(row_at(x->h, b) + u, vec_max(vec_splat(0), a));
        }
}

/* da = dh where h > 0, else 0 */
void BUILD(relu_backward)(const struct cell_gradient *x)
{
    for (size_t b = 0; b < x->step.count; b++)
        for (size_t u = 0; u < x->step.units; u += VEC_LANES) {
            vec h = vec_load(row_at(x->step.h, b) + u), dh = vec_load(row_at(x->dh, b) + u);
            vec_store(
                row_at(x->step.gates, b) + u, vec_flush(vec_select(h > vec_splat(0), dh, vec_splat(0))));
        }
}

#else

void BUILD(tanh_forward)(const struct cell_step *x)
{
    for (size_t b = 0; b < x->count; b++)
        for (size_t u = 0; u < x->units; u++)
            row_at(x->h, b)[u] = plain_tanh(row_at(x->gates, b)[u]);
}

void BUILD(tanh_backward)(const struct cell_gradient *x)
{
    for (size_t b = 0; b < x->step.count; b++)
        for (size_t u = 0; u < x->step.units; u++) {
            float h = row_at(x->step.h, b)[u];
            row_at(x->step.gates, b)[u] = plain_flush(row_at(x->dh, b)[u] * fmaf(-h, h, 1));
        }
}

void BUILD(relu_forward)(const struct cell_step *x)
{
    for (size_t b = 0; b < x->count; b++)
        for (size_t u = 0; u < x->units; u++) {
            float a = row_at(x->gates, b)[u];
            row_at(x->h, b)[u] = a < 0 ? 0 : a;
        }
}

void BUILD(relu_backward)(const struct cell_gradient *x)
{
    for (size_t b = 0; b < x->step.count; b++)
        for (size_t u = 0; u < x->step.units; u++) {
            float dh = row_at(x->dh, b)[u];
            row_at(x->step.gates, b)[u] = row_at(x->step.h, b)[u] > 0 ? plain_flush(dh) : 0;
        }
}

#endif

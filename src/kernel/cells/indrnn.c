/* The cell of Li et al. 2018, whose units see their own past alone: h = max(a + u . h', 0). It saves
 * nothing. */
#include "kernel/cells/cell.h"

#ifndef ISA_IS_PLAIN

/* h = max(a + u . h', 0); NaN stays */
void BUILD(indrnn_forward)(const struct cell_step *x)
{
    for (size_t b = 0; b < x->count; b++)
        for (size_t u = 0; u < x->units; u += VEC_LANES) {
            vec before = vec_load(row_at(x->h_previous, b) + u);
            vec a = vec_fma(vec_load(x->parameters + u), before, vec_load(row_at(x->gates, b) + u));
            vec_store(row_at(x->h, b) + u, vec_max(vec_splat(0), a));
        }
}

/* da = dh where h > 0, else 0; dh' += u . da */
void BUILD(indrnn_backward)(const struct cell_gradient *x)
{
    for (size_t b = 0; b < x->step.count; b++)
        for (size_t u = 0; u < x->step.units; u += VEC_LANES) {
            float *before = row_at(x->dh_previous, b) + u;
            vec h = vec_load(row_at(x->step.h, b) + u), dh = vec_load(row_at(x->dh, b) + u);
            vec da = vec_flush(vec_select(h > vec_splat(0), dh, vec_splat(0)));
            vec_store(row_at(x->step.gates, b) + u, da);
            vec_store(before, vec_flush(vec_fma(vec_load(x->step.parameters + u), da, vec_load(before))));
        }
}

#else

void BUILD(indrnn_forward)(const struct cell_step *x)
{
    for (size_t b = 0; b < x->count; b++)
        for (size_t u = 0; u < x->units; u++) {
            float a = fmaf(x->parameters[u], row_at(x->h_previous, b)[u], row_at(x->gates, b)[u]);
            row_at(x->h, b)[u] = a < 0 ? 0 : a;
        }
}

void BUILD(indrnn_backward)(const struct cell_gradient *x)
{
    for (size_t b = 0; b < x->step.count; b++)
        for (size_t u = 0; u < x->step.units; u++) {
            float da = row_at(x->step.h, b)[u] > 0 ? plain_flush(row_at(x->dh, b)[u]) : 0;
            float *before = row_at(x->dh_previous, b) + u;
            row_at(x->step.gates, b)[u] = da;
            *before = plain_flush(fmaf(x->step.parameters[u], da, *before));
        }
}

#endif

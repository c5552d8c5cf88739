/* The cell of Li et al. 2018, whose units see their own past alone: h = max(a + u . h', 0). It saves
 * nothing. */
#include "kernel/cells/cell.h"

#ifndef ISA_IS_PLAIN

/* h = max(a + u . h', 0); NaN stays */
void BUILD(indrnn_forward)(const struct cell_step *x)
{
    const size_t units = x->units;
    const float *parameters = x->parameters;
    for (size_t b = 0; b < x->count; b++) {
        const float *h_previous = row_at(x->h_previous, b), *gates = row_at(x->gates, b);
        float *h = row_at(x->h, b);
        for (size_t u = 0; u < units; u += VEC_LANES) {
            vec a = vec_fma(vec_load(parameters + u), vec_load(h_previous + u), vec_load(gates + u));
            vec_store(h + u, vec_max(vec_splat(0), a));
        }
    }
}

/* da = dh where h > 0, else 0; dh' += u . da */
void BUILD(indrnn_backward)(const struct cell_gradient *x)
{
    const size_t units = x->step.units;
    const float *parameters = x->step.parameters;
    for (size_t b = 0; b < x->step.count; b++) {
        const float *h = row_at(x->step.h, b), *dh = row_at(x->dh, b);
        float *gates = row_at(x->step.gates, b), *before = row_at(x->dh_previous, b);
        for (size_t u = 0; u < units; u += VEC_LANES) {
            vec open = vec_select(vec_load(h + u) > vec_splat(0), vec_load(dh + u), vec_splat(0));
            vec da = vec_flush(open);
            vec_store(gates + u, da);
            vec_store(before + u, vec_flush(vec_fma(vec_load(parameters + u), da, vec_load(before + u))));
        }
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

/* The minimal GRU of Feng et al. 2024, whose gates see the inputs alone. */
#include "kernel/cells/cell.h"

#ifndef ISA_IS_PLAIN

/* z = s(a_z), n = a_n; h = h' + z . (n - h') */
void BUILD(mingru_forward)(const struct cell_step *x)
{
    for (size_t b = 0; b < x->count; b++) {
        float *gates = row_at(x->gates, b);
        const float *h_previous = row_at(x->h_previous, b);
        FOR_UNITS(2, x->units)
        {
            vec z = vec_sigmoid(vec_load(gates + g)), before = vec_load(h_previous + u);
            vec n = vec_load(gates + g + KERNEL_BLOCK);
            vec_store(gates + g, z);
            vec_store(row_at(x->h, b) + u, vec_fma(z, n - before, before));
        }
    }
}

/* da_z = dh . (n - h') . z (1 - z); da_n = dh . z; dh' += dh . (1 - z) */
void BUILD(mingru_backward)(const struct cell_gradient *x)
{
    const vec one = vec_splat(1);
    for (size_t b = 0; b < x->step.count; b++) {
        float *gates = row_at(x->step.gates, b), *dh_previous = row_at(x->dh_previous, b);
        const float *h_previous = row_at(x->step.h_previous, b);
        FOR_UNITS(2, x->step.units)
        {
            vec z = vec_load(gates + g), n = vec_load(gates + g + KERNEL_BLOCK);
            vec dh = vec_load(row_at(x->dh, b) + u), kept = one - z;
            vec_store(gates + g, vec_flush(dh * (n - vec_load(h_previous + u)) * (z * kept)));
            vec_store(gates + g + KERNEL_BLOCK, vec_flush(dh * z));
            vec_store(dh_previous + u, vec_flush(vec_fma(dh, kept, vec_load(dh_previous + u))));
        }
    }
}

#else

void BUILD(mingru_forward)(const struct cell_step *x)
{
    for (size_t b = 0; b < x->count; b++)
        for (size_t u = 0; u < x->units; u++) {
            float *z = row_at(x->gates, b) + place(u, 0, 2), n = row_at(x->gates, b)[place(u, 1, 2)];
            float before = row_at(x->h_previous, b)[u];
            *z = plain_sigmoid(*z);
            row_at(x->h, b)[u] = fmaf(*z, n - before, before);
        }
}

void BUILD(mingru_backward)(const struct cell_gradient *x)
{
    for (size_t b = 0; b < x->step.count; b++)
        for (size_t u = 0; u < x->step.units; u++) {
            float *gates = row_at(x->step.gates, b), *dh_previous = row_at(x->dh_previous, b) + u;
            size_t pz = place(u, 0, 2), pn = place(u, 1, 2);
            float z = gates[pz], n = gates[pn], dh = row_at(x->dh, b)[u], kept = 1 - z;
            gates[pz] = plain_flush(dh * (n - row_at(x->step.h_previous, b)[u]) * (z * kept));
            gates[pn] = plain_flush(dh * z);
            *dh_previous = plain_flush(fmaf(dh, kept, *dh_previous));
        }
}

#endif

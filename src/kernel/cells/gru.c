/* The GRU: Cho et al. 2014 with the reset gate after the recurrent product, as in cuDNN. It saves the n part
 * of that product, u_n. */
#include "kernel/cells/cell.h"

#ifndef ISA_IS_PLAIN

/* u = W_hh h' + b_hh:
 * r = s(a_r + u_r), z = s(a_z + u_z), n = tanh(a_n + r . u_n); h = n + z . (h' - n) */
void BUILD(gru_forward)(const struct cell_step *x)
{
    for (size_t b = 0; b < x->count; b++) {
        float *gates = row_at(x->gates, b);
        const float *recurrent = row_at(x->recurrent, b);
        const float *h_previous = row_at(x->h_previous, b);
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
            vec_store(row_at(x->saved, b) + u, un);
            vec_store(row_at(x->h, b) + u, vec_fma(z, vec_load(h_previous + u) - n, n));
        }
    }
}

/* da_n = dh . (1 - z) . (1 - n^2); da_z = dh . (h' - n) . z (1 - z); da_r = da_n . u_n . r (1 - r);
 * du = (da_r, da_z, da_n . r); dh' += dh . z */
void BUILD(gru_backward)(const struct cell_gradient *x)
{
    const vec one = vec_splat(1);
    for (size_t b = 0; b < x->step.count; b++) {
        float *gates = row_at(x->step.gates, b), *recurrent = row_at(x->step.recurrent, b);
        const float *h_previous = row_at(x->step.h_previous, b);
        float *dh_previous = row_at(x->dh_previous, b);
        FOR_UNITS(3, x->step.units)
        {
            vec r = vec_load(gates + g), z = vec_load(gates + g + KERNEL_BLOCK);
            vec n = vec_load(gates + g + 2 * KERNEL_BLOCK);
            vec dh = vec_load(row_at(x->dh, b) + u);
            vec dn = vec_flush(dh * (one - z) * vec_fma(-n, n, one));
            vec dz = vec_flush(dh * (vec_load(h_previous + u) - n) * (z * (one - z)));
            vec dr = vec_flush(dn * vec_load(row_at(x->step.saved, b) + u) * (r * (one - r)));
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

#else

void BUILD(gru_forward)(const struct cell_step *x)
{
    for (size_t b = 0; b < x->count; b++)
        for (size_t u = 0; u < x->units; u++) {
            float *gates = row_at(x->gates, b);
            const float *recurrent = row_at(x->recurrent, b);
            float *r = gates + place(u, 0, 3), *z = gates + place(u, 1, 3), *n = gates + place(u, 2, 3);
            float un = recurrent[place(u, 2, 3)];
            *r = plain_sigmoid(*r + recurrent[place(u, 0, 3)]);
            *z = plain_sigmoid(*z + recurrent[place(u, 1, 3)]);
            *n = plain_tanh(fmaf(*r, un, *n));
            row_at(x->saved, b)[u] = un;
            row_at(x->h, b)[u] = fmaf(*z, row_at(x->h_previous, b)[u] - *n, *n);
        }
}

void BUILD(gru_backward)(const struct cell_gradient *x)
{
    for (size_t b = 0; b < x->step.count; b++)
        for (size_t u = 0; u < x->step.units; u++) {
            float *gates = row_at(x->step.gates, b), *recurrent = row_at(x->step.recurrent, b);
            size_t pr = place(u, 0, 3), pz = place(u, 1, 3), pn = place(u, 2, 3);
            float r = gates[pr], z = gates[pz], n = gates[pn], dh = row_at(x->dh, b)[u];
            float *dh_previous = row_at(x->dh_previous, b) + u;
            float dn = plain_flush(dh * (1 - z) * fmaf(-n, n, 1));
            float dz = plain_flush(dh * (row_at(x->step.h_previous, b)[u] - n) * (z * (1 - z)));
            float dr = plain_flush(dn * row_at(x->step.saved, b)[u] * (r * (1 - r)));
            gates[pr] = recurrent[pr] = dr;
            gates[pz] = recurrent[pz] = dz;
            gates[pn] = dn;
            recurrent[pn] = plain_flush(dn * r);
            *dh_previous = plain_flush(fmaf(dh, z, *dh_previous));
        }
}

#endif

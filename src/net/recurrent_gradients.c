/* Sums over all frames of a microbatch at once, which do not depend on the order of the steps: products of
 * what the sums before activation have as gradient with what went into them. */
#include "net/recurrent_steps.h"
#include "net/times.h"

#include <string.h>

/* The row of Y that each frame goes on from, for the gradient by W_hh: dW_hh = sum over frames of da h'^T. */
static void find_before(const struct recurrent *r, const struct microbatch *microbatch)
{
    for (size_t t = 0; t < microbatch->T; t++) {
        struct run run[2];
        split_step(r, microbatch, step_at(r, microbatch, t), run);
        for (size_t k = 0; k < 2; k++)
            for (size_t b = 0; b < run[k].rows; b++)
                r->before[run[k].first + b] = run[k].product ? (int64_t)(run[k].before + b) : -1;
    }
}

/* Gradients by W_ih, W_hh and both biases. What the sums before activation have as gradient, r->a, serves
 * all, but in a GRU the recurrent ones have their own, r->u. */
static void weight_gradients(const struct recurrent *r, const struct pass *pass, const float *X,
    size_t X_stride, const float *Y, size_t Y_stride)
{
    const struct microbatch *microbatch = pass->microbatch;
    float *gradient = pass->gradient;
    size_t width = r->G * r->Hp, I = r->one_hot ? 0 : r->input.columns;
    float *dW = r->dW, *dW_hh = dW + width * I;
    int on = r->transition.on;
    if (!on)
        find_before(r, microbatch);
    memset(dW, 0, width * (I + r->Hp) * sizeof *dW);
    memset(r->sums, 0, width * sizeof *r->sums);
    struct outer_product products[] = {{.columns = I, .X = as_rows(X, X_stride), .C = as_rows(dW, I)},
        {.columns = r->Hp,
            .X = as_rows(on ? transition_output(&r->transition) : Y, on ? r->transition.stride : Y_stride),
            .row = on ? NULL : r->before,
            .C = as_rows(dW_hh, r->Hp)}};
    size_t skip = r->one_hot, apart = r->cell == CELL_GRU;
    pass->kernel->outer(microbatch->N, width, as_rows(r->a, r->a_stride), products + skip, 2 - skip - apart,
        r->sums, r->scratch);
    bias_add_gradient(r->gates, r->sums, gradient + r->bias_ih);
    if (apart) {
        memset(r->sums, 0, width * sizeof *r->sums);
        pass->kernel->outer(
            microbatch->N, width, as_rows(r->u, r->a_stride), products + 1, 1, r->sums, r->scratch);
    }
    bias_add_gradient(r->gates, r->sums, gradient + r->bias_hh);
    if (!r->one_hot)
        matrix_add_gradient(&r->input, dW, gradient);
    matrix_add_gradient(&r->hidden, dW_hh, gradient);
    if (r->one_hot)
        matrix_add_symbols(&r->input, microbatch->N, microbatch->symbols, r->a, r->a_stride, r->dW, gradient);
}

/* Gradients by the peepholes: dp_i = sum of da_i . c', dp_f = sum of da_f . c', dp_o = sum of da_o . c, frame
 * by frame. */
static void peephole_gradients(
    const struct recurrent *r, const struct microbatch *microbatch, float *gradient)
{
    size_t Hp = r->Hp;
    float *sums = r->sums;
    memset(sums, 0, 3 * Hp * sizeof *sums);
    for (size_t t = 0; t < microbatch->T; t++) {
        struct run run[2];
        split_step(r, microbatch, step_at(r, microbatch, t), run);
        for (size_t k = 0; k < 2; k++)
            for (size_t b = 0; b < run[k].rows; b++) {
                const float *da = r->a + (run[k].first + b) * r->a_stride;
                const float *c = r->c + (run[k].first + b) * Hp, *c_before = r->c + (run[k].before + b) * Hp;
                for (size_t u = 0; u < Hp; u++) {
                    const float *block = da + u / KERNEL_BLOCK * 4 * KERNEL_BLOCK + u % KERNEL_BLOCK;
                    sums[u] += block[0] * c_before[u];
                    sums[Hp + u] += block[KERNEL_BLOCK] * c_before[u];
                    sums[2 * Hp + u] += block[3 * KERNEL_BLOCK] * c[u];
                }
            }
    }
    for (size_t k = 0; k < 3; k++)
        for (size_t h = 0; h < r->H; h++)
            gradient[r->peephole_offset + k * r->H + h] += sums[k * Hp + h];
}

/* Gradients by the learned state: sums over the rows of the microbatch in their order. */
static void start_gradients(const struct recurrent *r, const struct microbatch *microbatch, const float *dY,
    size_t Y_stride, float *gradient)
{
    for (size_t b = 0; b < microbatch->B; b++) {
        const float *dh = dY + (microbatch->N + b) * Y_stride, *dc = r->dc + b * r->Hp;
        for (size_t h = 0; h < r->H; h++)
            gradient[r->h0 + h] += dh[h];
        for (size_t h = 0; h < r->H && r->cell == CELL_LSTM; h++)
            gradient[r->c0 + h] += dc[h];
    }
}

void recurrent_add_gradients(const struct recurrent *r, const struct pass *pass, const float *X,
    size_t X_stride, const float *Y, size_t Y_stride, const float *dY)
{
    double start = times_start(pass->times);
    weight_gradients(r, pass, X, X_stride, Y, Y_stride);
    if (r->transition.on)
        transition_gradients(&r->transition, pass);
    if (r->peephole)
        peephole_gradients(r, pass->microbatch, pass->gradient);
    if (r->start == START_LEARNED)
        start_gradients(r, pass->microbatch, dY, Y_stride, pass->gradient);
    times_add(pass->times, NET_WEIGHT_GRADIENT, start);
}

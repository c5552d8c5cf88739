/* The layers run step by step, as the recurrent product that they feed does. What each layer saw, and the
 * gradients by its sums, are kept for many frames, so that the gradients by the weights are products of all
 * of these at once. */
#include "net/transition.h"

#include "net/dropout.h"

#include <string.h>

int transition_init(struct transition *t, const struct recurrent_shape *shape, struct parameters *parameters,
    struct error *error)
{
    size_t K = shape->transition_layers, H = shape->H;
    struct extent units = {.parts = 1, .size = H, .interleave = 1};
    *t = (struct transition){.H = H,
        .Hp = extent_padded(units),
        .dropout = shape->dropout,
        .place = (uint64_t)(2 * shape->layer + (shape->reverse ? 1 : 0)),
        .weight = memory_create(K, sizeof *t->weight, error),
        .bias_offset = memory_create(K, sizeof *t->bias_offset, error)};
    t->stride = kernel_stride(t->Hp);
    if (!t->weight || !t->bias_offset) {
        transition_finish(t);
        return -1;
    }
    for (; t->K < K; t->K++) {
        size_t weight = parameters_declare(parameters, H, H, starting_uniform(H),
            "%s.transition_l%zu.%zu.weight%s", shape->prefix, shape->layer, t->K, shape->suffix);
        t->bias_offset[t->K] = parameters_declare(parameters, H, 0, starting_uniform(H),
            "%s.transition_l%zu.%zu.bias%s", shape->prefix, shape->layer, t->K, shape->suffix);
        matrix_init(&t->weight[t->K], weight, units, units, 1);
    }
    return 0;
}

void transition_finish(struct transition *t)
{
    memory_destroy(t->weight);
    memory_destroy(t->bias_offset);
    *t = (struct transition){0};
}

void transition_take_panels(struct transition *t, struct arena *arena)
{
    for (size_t k = 0; k < t->K; k++)
        matrix_take_panels(&t->weight[k], arena);
    t->bias = arena_take(arena, t->K * t->Hp, sizeof *t->bias);
}

void transition_pack(struct transition *t, const struct packing *packing)
{
    for (size_t k = 0; k < t->K; k++) {
        matrix_pack(&t->weight[k], packing);
        if (packing_is_first(packing))
            memcpy(t->bias + k * t->Hp, packing->weights + t->bias_offset[k], t->H * sizeof *t->bias);
    }
}

void transition_take_workspace(struct transition *t, const struct pass *pass, size_t N, struct arena *arena)
{
    size_t B = pass->microbatch->B;
    int training = pass->options.training;
    int drops = pass_is_random(pass) && t->dropout > 0;
    t->N = N;
    t->first = 0;
    t->on = t->K > 0 || drops;
    t->mask = drops ? arena_take(arena, B * t->Hp, sizeof(float)) : NULL;
    if (!t->on)
        return;
    t->m = arena_take(arena, (t->K + 1) * N * t->stride, sizeof(float));
    if (!training)
        return;
    t->dm = arena_take(arena, B * t->stride, sizeof(float));
    t->da = arena_take(arena, t->K * N * t->stride, sizeof(float));
    t->dW = arena_take(arena, t->K * t->Hp * t->Hp, sizeof(float));
    t->sums = arena_take(arena, t->K * t->Hp, sizeof(float));
    t->scratch = arena_take(arena, t->K > 0 ? pass->kernel->outer_floats : 0, sizeof(float));
}

void transition_begin(struct transition *t, const struct pass *pass)
{
    const struct microbatch *microbatch = pass->microbatch;
    if (!t->mask)
        return;
    struct dropout dropout = {.pass = pass, .rate = t->dropout, .stream = RANDOM_RECURRENT_DROPOUT};
    float factor[4] = {0};
    memset(t->mask, 0, microbatch->B * t->Hp * sizeof *t->mask);
    for (size_t b = 0; b < microbatch->B; b++)
        for (size_t h = 0; h < t->H; h++) {
            if (h % 4 == 0)
                dropout_draw(&dropout, b, (t->place << 32) + h / 4, factor);
            t->mask[b * t->Hp + h] = factor[h % 4];
        }
}

/* Row of a buffer [k][N][stride] that frame n has in part k. */
static struct rows rows_of(const struct transition *t, const float *buffer, size_t k, size_t n)
{
    return as_rows(buffer + (k * t->N + n - t->first) * t->stride, t->stride);
}

void transition_forward(
    const struct transition *t, const struct pass *pass, size_t first, size_t R, size_t row, struct rows h)
{
    for (size_t b = 0; b < R; b++) {
        float *m = rows_of(t, t->m, 0, first + b).data;
        const float *mask = t->mask ? t->mask + (row + b) * t->Hp : NULL;
        for (size_t u = 0; u < t->Hp && mask; u++)
            m[u] = mask[u] * row_at(h, b)[u];
        if (!mask)
            memcpy(m, row_at(h, b), t->Hp * sizeof *m);
    }
    for (size_t k = 0; k < t->K; k++) {
        struct rows m = rows_of(t, t->m, k + 1, first);
        pass->kernel->product(
            &t->weight[k].forward, R, rows_of(t, t->m, k, first), as_rows(t->bias + k * t->Hp, 0), m);
        pass->kernel->tanh_forward(&(struct cell_step){.count = R, .units = t->Hp, .gates = m, .h = m});
    }
}

struct rows transition_output(const struct transition *t, size_t n)
{
    return rows_of(t, t->m, t->K, n);
}

void transition_backward(
    const struct transition *t, const struct pass *pass, size_t first, size_t R, size_t row, struct rows dh)
{
    for (size_t k = t->K; k-- > 0;) {
        struct rows da = rows_of(t, t->da, k, first);
        pass->kernel->tanh_backward(&(struct cell_gradient){
            .step = {.count = R, .units = t->Hp, .gates = da, .h = rows_of(t, t->m, k + 1, first)},
            .dh = as_rows(t->dm, t->stride)});
        pass->kernel->product(&t->weight[k].backward, R, da, (struct rows){0}, as_rows(t->dm, t->stride));
    }
    for (size_t b = 0; b < R; b++) {
        const float *dm = t->dm + b * t->stride, *mask = t->mask ? t->mask + (row + b) * t->Hp : NULL;
        for (size_t u = 0; u < t->Hp; u++)
            row_at(dh, b)[u] += mask ? mask[u] * dm[u] : dm[u];
    }
}

void transition_clear_sums(const struct transition *t)
{
    memset(t->dW, 0, t->K * t->Hp * t->Hp * sizeof *t->dW);
    memset(t->sums, 0, t->K * t->Hp * sizeof *t->sums);
}

void transition_sum(const struct transition *t, const struct pass *pass, size_t first, size_t end)
{
    for (size_t k = 0; k < t->K; k++) {
        struct outer_product product = {.columns = t->Hp,
            .X = rows_of(t, t->m, k, first),
            .C = as_rows(t->dW + k * t->Hp * t->Hp, t->Hp)};
        const struct outer_sums sums = {&product, 1, t->sums + k * t->Hp, t->scratch};
        pass_outer(pass, end - first, t->Hp, rows_of(t, t->da, k, first), &sums);
    }
}

void transition_add_gradients(const struct transition *t, const struct pass *pass)
{
    struct extent units = {.parts = 1, .size = t->H, .interleave = 1};
    for (size_t k = 0; k < t->K; k++) {
        const struct matrix *T = &t->weight[k];
        matrix_add_gradient(T, (struct range){0, T->rows}, t->dW + k * t->Hp * t->Hp, pass->gradient);
        bias_add_gradient(units, (struct range){0, extent_padded(units)}, t->sums + k * t->Hp,
            pass->gradient + t->bias_offset[k]);
    }
}

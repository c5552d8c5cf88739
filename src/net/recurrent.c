/* Products that do not depend on the step before run over all frames of the microbatch at once: the input's
 * share of the sums, and in backward the gradients by the inputs and by the weights. Only the recurrent
 * product runs step by step.
 *
 * The rows of a microbatch's step are those alive, longest sequence first, so the rows that step t shares
 * with the step before it in time are always the first ones of both: `carried` of them. In reverse time new
 * rows join at the end. The states that rows start from lie behind the frames, row N + b that of row b, so
 * that what a run of rows goes on from is always a run of rows. */
#include "net/recurrent_steps.h"
#include "net/times.h"

#include <string.h>

size_t net_count_gates(enum cell cell)
{
    return cell == CELL_LSTM ? 4 : cell == CELL_GRU ? 3 : 1;
}

int recurrent_init(struct recurrent *r, enum cell cell, int reverse, size_t H, struct extent inputs,
    int one_hot, int needs_input_gradient, struct recurrent_place place, struct error *error)
{
    size_t G = net_count_gates(cell);
    *r = (struct recurrent){.cell = cell,
        .start = place.start,
        .reverse = reverse,
        .H = H,
        .G = G,
        .one_hot = one_hot,
        .gates = {.parts = 1, .size = H, .interleave = G},
        .bias_ih = place.bias_ih,
        .bias_hh = place.bias_hh,
        .h0 = place.h0,
        .c0 = place.c0,
        .peephole_offset = place.peephole};
    struct extent units = {.parts = 1, .size = H, .interleave = 1};
    r->Hp = extent_padded(units);
    r->a_stride = kernel_stride(G * r->Hp);
    r->bias = memory_create(G * r->Hp, sizeof(float), error);
    r->bias_recurrent = memory_create(G * r->Hp, sizeof(float), error);
    r->learned = memory_create(2 * r->Hp, sizeof(float), error);
    if (place.peepholes)
        r->peephole = memory_create(3 * r->Hp, sizeof(float), error);
    if (!r->bias || !r->bias_recurrent || !r->learned || (place.peepholes && !r->peephole) ||
        matrix_init(&r->input, place.weight_ih, r->gates, inputs, needs_input_gradient, error) ||
        matrix_init(&r->hidden, place.weight_hh, r->gates, units, 1, error) ||
        transition_init(&r->transition, place.transition_layers, H, place.transition, place.dropout,
            place.layer, reverse, error)) {
        recurrent_finish(r);
        return -1;
    }
    return 0;
}

void recurrent_finish(struct recurrent *r)
{
    matrix_finish(&r->input);
    matrix_finish(&r->hidden);
    transition_finish(&r->transition);
    memory_destroy(r->bias);
    memory_destroy(r->bias_recurrent);
    memory_destroy(r->learned);
    memory_destroy(r->peephole);
    *r = (struct recurrent){0};
}

size_t recurrent_bytes(const struct recurrent *r)
{
    return matrix_bytes(&r->input) + matrix_bytes(&r->hidden) + transition_bytes(&r->transition);
}

void recurrent_pack(struct recurrent *r, const struct kernel *kernel, const float *weights)
{
    size_t width = r->G * r->Hp;
    if (r->one_hot)
        matrix_pack_table(&r->input, weights);
    else
        matrix_pack(&r->input, kernel, weights);
    matrix_pack(&r->hidden, kernel, weights);
    transition_pack(&r->transition, kernel, weights);
    memset(r->bias, 0, width * sizeof *r->bias);
    memset(r->bias_recurrent, 0, width * sizeof *r->bias);
    bias_add(r->gates, weights + r->bias_ih, r->bias);
    bias_add(r->gates, weights + r->bias_hh, r->cell == CELL_GRU ? r->bias_recurrent : r->bias);
    if (r->start == START_LEARNED)
        memcpy(r->learned, weights + r->h0, r->H * sizeof *r->learned);
    if (r->start == START_LEARNED && r->cell == CELL_LSTM)
        memcpy(r->learned + r->Hp, weights + r->c0, r->H * sizeof *r->learned);
    for (size_t k = 0; k < 3 && r->peephole; k++)
        memcpy(r->peephole + k * r->Hp, weights + r->peephole_offset + k * r->H, r->H * sizeof *weights);
}

void recurrent_take_workspace(struct recurrent *r, const struct pass *pass, struct arena *arena)
{
    size_t B = pass->microbatch->B, N = pass->microbatch->N;
    int training = pass->options.training;
    size_t width = r->G * r->Hp;
    r->a = arena_take(arena, N * r->a_stride, sizeof(float));
    if (r->cell == CELL_LSTM)
        r->c = arena_take(arena, (N + B) * r->Hp, sizeof(float));
    if (r->cell == CELL_LSTM || r->cell == CELL_GRU)
        r->t = arena_take(arena, N * r->Hp, sizeof(float));
    if (r->cell == CELL_GRU)
        r->u = arena_take(arena, N * r->a_stride, sizeof(float));
    transition_take_workspace(&r->transition, pass, arena);
    if (!training)
        return;
    r->dc = arena_take(arena, r->cell == CELL_LSTM ? B * r->Hp : 0, sizeof(float));
    r->dW = arena_take(arena, width * (r->input.columns + r->Hp), sizeof(float));
    r->sums = arena_take(arena, width, sizeof(float));
    r->before = arena_take(arena, N, sizeof *r->before);
    r->scratch = arena_take(arena, pass->kernel->outer_floats, sizeof(float));
}

static void cell_forward(const struct recurrent *r, const struct pass *pass, const struct cell_step *step)
{
    const struct kernel *kernel = pass->kernel;
    double start = times_start(pass->times);
    switch (r->cell) {
    case CELL_LSTM:
        kernel->lstm_forward(step);
        break;
    case CELL_GRU:
        kernel->gru_forward(step);
        break;
    case CELL_RNN:
        kernel->tanh_forward(step);
        break;
    case CELL_RNN_RELU:
        kernel->relu_forward(step);
        break;
    }
    times_add(pass->times, NET_ACTIVATION, start);
}

static void cell_backward(
    const struct recurrent *r, const struct pass *pass, const struct cell_gradient *gradient)
{
    const struct kernel *kernel = pass->kernel;
    double start = times_start(pass->times);
    switch (r->cell) {
    case CELL_LSTM:
        kernel->lstm_backward(gradient);
        break;
    case CELL_GRU:
        kernel->gru_backward(gradient);
        break;
    case CELL_RNN:
        kernel->tanh_backward(gradient);
        break;
    case CELL_RNN_RELU:
        kernel->relu_backward(gradient);
        break;
    }
    times_add(pass->times, NET_ACTIVATION, start);
}

/* Sums of the rows before activation: a = W_ih x + b (already there) + W_hh m. */
static void run_product(
    const struct recurrent *r, const struct pass *pass, struct run run, const float *Y, size_t Y_stride)
{
    const float *m = Y + run.before * Y_stride;
    size_t stride = Y_stride;
    if (r->transition.on) {
        transition_forward(&r->transition, pass, run.first, run.rows, run.row, m, Y_stride);
        stride = r->transition.stride;
        m = transition_output(&r->transition) + run.first * stride;
    }
    if (r->cell == CELL_GRU) {
        float *u = r->u + run.first * r->a_stride;
        if (run.product)
            pass->kernel->product(&r->hidden.forward, run.rows, as_rows(m, stride),
                as_rows(r->bias_recurrent, 0), as_rows(u, r->a_stride));
        for (size_t b = 0; b < run.rows && !run.product; b++)
            memcpy(u + b * r->a_stride, r->bias_recurrent, r->G * r->Hp * sizeof *u);
    } else if (run.product) {
        float *a = r->a + run.first * r->a_stride;
        pass->kernel->product(&r->hidden.forward, run.rows, as_rows(m, stride), as_rows(a, r->a_stride),
            as_rows(a, r->a_stride));
    }
}

/* What the cell reads and writes of a run of rows. */
static struct cell_step step_of(const struct recurrent *r, struct run run, struct rows Y)
{
    size_t Hp = r->Hp;
    struct cell_step step = {.count = run.rows,
        .units = Hp,
        .gates = as_rows(r->a + run.first * r->a_stride, r->a_stride),
        .h_previous = rows_from(Y, run.before),
        .h = rows_from(Y, run.first),
        .parameters = r->peephole};
    if (r->cell == CELL_LSTM) {
        step.c_previous = as_rows(r->c + run.before * Hp, Hp);
        step.c = as_rows(r->c + run.first * Hp, Hp);
    }
    if (r->cell == CELL_LSTM || r->cell == CELL_GRU)
        step.saved = as_rows(r->t + run.first * Hp, Hp);
    if (r->cell == CELL_GRU)
        step.recurrent = as_rows(r->u + run.first * r->a_stride, r->a_stride);
    return step;
}

static void run_forward(
    const struct recurrent *r, const struct pass *pass, struct run run, float *Y, size_t Y_stride)
{
    run_product(r, pass, run, Y, Y_stride);
    struct cell_step step = step_of(r, run, as_rows(Y, Y_stride));
    cell_forward(r, pass, &step);
}

/* Steps in the direction's own time whose frames the products over many frames take at once: as many as a
 * second cache holds, so that what one product leaves is near for the next. */
static size_t count_span(const struct recurrent *r, const struct microbatch *microbatch)
{
    enum { FLOATS = 32 * 1024, FEWEST = 64 };
    size_t frames = FLOATS / r->a_stride > FEWEST ? FLOATS / r->a_stride : FEWEST;
    return frames > microbatch->B ? frames / microbatch->B : 1;
}

/* Frames [*first, *end) of the span that starts with step i. */
static void find_span(
    const struct recurrent *r, const struct microbatch *microbatch, size_t i, size_t *first, size_t *end)
{
    size_t span = count_span(r, microbatch), after = microbatch->T - i < span ? microbatch->T : i + span;
    *first = microbatch->first[r->reverse ? microbatch->T - after : i];
    *end = microbatch->first[r->reverse ? microbatch->T - i : after];
}

/* a = W_ih x + b for the frames of the span that starts with step i. */
static void span_forward(
    const struct recurrent *r, const struct pass *pass, size_t i, const float *X, size_t X_stride)
{
    size_t n, end;
    find_span(r, pass->microbatch, i, &n, &end);
    float *a = r->a + n * r->a_stride;
    if (r->one_hot)
        matrix_look_up(&r->input, end - n, pass->microbatch->symbols + n, r->bias, a, r->a_stride);
    else
        pass->kernel->product(&r->input.forward, end - n, as_rows(X + n * X_stride, X_stride),
            as_rows(r->bias, 0), as_rows(a, r->a_stride));
}

/* The state that each row starts from, behind the frames of Y and c. */
static void set_start(
    const struct recurrent *r, const struct microbatch *microbatch, float *Y, size_t Y_stride)
{
    if (r->start == START_GIVEN)
        return;
    size_t bytes = r->Hp * sizeof *Y; /* zero unless learned */
    for (size_t b = 0; b < microbatch->B; b++)
        memcpy(Y + (microbatch->N + b) * Y_stride, r->learned, bytes);
    for (size_t b = 0; b < microbatch->B && r->cell == CELL_LSTM; b++)
        memcpy(recurrent_start_c(r, microbatch) + b * r->Hp, r->learned + r->Hp, bytes);
}

void recurrent_forward(
    struct recurrent *r, const struct pass *pass, const float *X, size_t X_stride, float *Y, size_t Y_stride)
{
    const struct microbatch *microbatch = pass->microbatch;
    size_t span = count_span(r, microbatch);
    set_start(r, microbatch, Y, Y_stride);
    transition_begin(&r->transition, pass);
    for (size_t i = 0; i < microbatch->T; i++) {
        if (i % span == 0)
            span_forward(r, pass, i, X, X_stride);
        struct run run[2];
        split_step(r, microbatch, step_at(r, microbatch, step_time(r, microbatch, i)), run);
        for (size_t k = 0; k < 2; k++)
            if (run[k].rows > 0)
                run_forward(r, pass, run[k], Y, Y_stride);
    }
}

/* What the next step back will read comes near while this one computes: a step has as much to read as to
 * compute with, in places where processors foresee little. */
static void fetch_step(const struct recurrent *r, struct step step, const float *dY, size_t Y_stride)
{
    kernel_fetch(as_rows(r->a + step.first * r->a_stride, r->a_stride), step.rows, r->G * r->Hp);
    if (r->c)
        kernel_fetch(as_rows(r->c + step.first * r->Hp, r->Hp), step.rows, r->Hp);
    if (r->t)
        kernel_fetch(as_rows(r->t + step.first * r->Hp, r->Hp), step.rows, r->Hp);
    kernel_fetch(as_rows(dY + step.first * Y_stride, Y_stride), step.rows, r->Hp);
}

/* dX (+)= W_ih^T da for the frames of the span that starts with step i. */
static void span_backward(
    const struct recurrent *r, const struct pass *pass, size_t i, float *dX, size_t X_stride, int add)
{
    size_t n, end;
    find_span(r, pass->microbatch, i, &n, &end);
    dX += n * X_stride;
    pass->kernel->product(&r->input.backward, end - n, as_rows(r->a + n * r->a_stride, r->a_stride),
        as_rows(add ? dX : NULL, X_stride), as_rows(dX, X_stride));
}

/* dm = W_hh^T da, added to dh' or on its way there. */
static void product_backward(
    const struct recurrent *r, const struct pass *pass, struct run run, float *dh_before, size_t Y_stride)
{
    const float *da = (r->cell == CELL_GRU ? r->u : r->a) + run.first * r->a_stride;
    const struct transition *t = &r->transition;
    if (t->on) {
        pass->kernel->product(&r->hidden.backward, run.rows, as_rows(da, r->a_stride), (struct rows){0},
            as_rows(t->dm, t->stride));
        transition_backward(t, pass, run.first, run.rows, run.row, dh_before, Y_stride);
    } else {
        pass->kernel->product(&r->hidden.backward, run.rows, as_rows(da, r->a_stride),
            as_rows(dh_before, Y_stride), as_rows(dh_before, Y_stride));
    }
}

static void run_backward(const struct recurrent *r, const struct pass *pass, struct run run, const float *Y,
    size_t Y_stride, float *dY)
{
    float *dh_before = dY + run.before * Y_stride;
    struct cell_gradient gradient = {.step = step_of(r, run, as_rows(Y, Y_stride)),
        .dh = as_rows(dY + run.first * Y_stride, Y_stride),
        .dh_previous = as_rows(dh_before, Y_stride)};
    if (r->cell == CELL_LSTM)
        gradient.dc = as_rows(r->dc + run.row * r->Hp, r->Hp);
    cell_backward(r, pass, &gradient);
    if (run.product)
        product_backward(r, pass, run, dh_before, Y_stride);
}

void recurrent_backward(struct recurrent *r, const struct pass *pass, const float *X, size_t X_stride,
    const float *Y, size_t Y_stride, float *dY, float *dX, int add)
{
    const struct microbatch *microbatch = pass->microbatch;
    for (size_t b = 0; b < microbatch->B; b++)
        memset(dY + (microbatch->N + b) * Y_stride, 0, r->Hp * sizeof *dY);
    if (r->cell == CELL_LSTM)
        memset(r->dc, 0, microbatch->B * r->Hp * sizeof *r->dc);
    size_t span = count_span(r, microbatch);
    for (size_t i = microbatch->T; i-- > 0;) {
        if (i > 0)
            fetch_step(r, step_at(r, microbatch, step_time(r, microbatch, i - 1)), dY, Y_stride);
        struct run run[2];
        split_step(r, microbatch, step_at(r, microbatch, step_time(r, microbatch, i)), run);
        for (size_t k = 0; k < 2; k++)
            if (run[k].rows > 0)
                run_backward(r, pass, run[k], Y, Y_stride, dY);
        if (dX && i % span == 0)
            span_backward(r, pass, i, dX, X_stride, add);
    }
    recurrent_add_gradients(r, pass, X, X_stride, Y, Y_stride, dY);
}

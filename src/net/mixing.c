/* The sums y are made by three products one upon the other, which keep the order of a sum whatever goes with
 * it. What the gates saw and the gradients on the way are kept for many frames, so that the gradients by the
 * weights are products of all of these at once. */
#include "net/mixing.h"

#include <math.h>
#include <string.h>

static struct extent units_of(const struct mixing *m)
{
    return (struct extent){.parts = 1, .size = m->H, .interleave = 1};
}

/* The weights of states start so that outputs are about as large as these, the others as PyTorch's linear
 * layers do. */
void mixing_init(struct mixing *m, const struct cell_mixing *names, const struct recurrent_shape *shape,
    struct parameters *parameters)
{
    const char *prefix = shape->prefix, *suffix = shape->suffix;
    size_t l = shape->layer, H = shape->H, I = extent_true(shape->inputs);
    struct starting state = {.rule = STARTS_NORMAL, .number = 1 / sqrt((double)H)};
    *m = (struct mixing){.is_there = 1, .H = H, .one_hot = shape->one_hot};
    struct extent units = units_of(m);
    m->Hp = extent_padded(units);
    m->stride = kernel_stride(m->Hp);
    size_t from_h =
        parameters_declare(parameters, H, H, state, "%s.%s_l%zu%s", prefix, names->from_h, l, suffix);
    size_t from_c =
        parameters_declare(parameters, H, H, state, "%s.%s_l%zu%s", prefix, names->from_c, l, suffix);
    size_t input = parameters_declare(
        parameters, H, I, starting_uniform(I), "%s.%s_l%zu%s", prefix, names->from_inputs, l, suffix);
    size_t gate = parameters_declare(
        parameters, H, H, starting_uniform(H), "%s.%s_l%zu.weight%s", prefix, names->gate, l, suffix);
    m->bias_offset = parameters_declare(
        parameters, H, 0, starting_uniform(H), "%s.%s_l%zu.bias%s", prefix, names->gate, l, suffix);
    matrix_init(&m->from_h, from_h, units, units, 1);
    matrix_init(&m->from_c, from_c, units, units, 1);
    matrix_init(&m->input, input, units, shape->inputs, shape->needs_input_gradient);
    matrix_init(&m->gate, gate, units, units, 1);
}

void mixing_take_panels(struct mixing *m, struct arena *arena)
{
    if (!m->is_there)
        return;
    matrix_take_panels(&m->from_h, arena);
    matrix_take_panels(&m->from_c, arena);
    matrix_take_panels(&m->input, arena);
    matrix_take_panels(&m->gate, arena);
    m->bias = arena_take(arena, m->Hp, sizeof *m->bias);
    m->zero = arena_take(arena, m->Hp, sizeof *m->zero);
}

void mixing_pack(struct mixing *m, const struct packing *packing)
{
    if (!m->is_there)
        return;
    matrix_pack(&m->from_h, packing);
    matrix_pack(&m->from_c, packing);
    if (m->one_hot)
        matrix_pack_table(&m->input, packing);
    else
        matrix_pack(&m->input, packing);
    matrix_pack(&m->gate, packing);
    if (packing_is_first(packing))
        memcpy(m->bias, packing->weights + m->bias_offset, m->H * sizeof *m->bias);
}

void mixing_take_workspace(struct mixing *m, const struct pass *pass, size_t N, struct arena *arena)
{
    if (!m->is_there)
        return;
    m->y = frames_take(arena, N, m->stride);
    m->gates = frames_take(arena, N, m->stride);
    m->dy = frames_take(arena, pass->options.training ? N : 0, m->stride);
}

void mixing_move(struct mixing *m, size_t first)
{
    m->y.first = m->gates.first = m->dy.first = first;
}

/* out = start + W in, this member's columns. */
static void multiply(const struct pass *pass, const struct panels *W, const struct mixing_frames *frames,
    struct rows in, struct rows start, struct rows out)
{
    struct panels own = *W;
    own.from = frames->own.from;
    own.to = frames->own.to;
    pass_product(pass, &own, frames->end - frames->first, in, start, out);
}

void mixing_sum(const struct mixing *m, const struct pass *pass, const struct mixing_frames *frames)
{
    size_t n = frames->first;
    struct rows y = frames_at(&m->y, n), none = {0};
    if (m->one_hot)
        matrix_look_up(&m->input, frames->own, frames->end - n, pass->microbatch->symbols + n, m->zero, y);
    else
        multiply(pass, &m->input.forward, frames, frames->X, none, y);
    multiply(pass, &m->from_h.forward, frames, frames->h, y, y);
    multiply(pass, &m->from_c.forward, frames, frames->c, y, y);
}

void mixing_open(const struct mixing *m, const struct pass *pass, const struct mixing_frames *frames)
{
    size_t from = frames->own.from, width = frames->own.to - from;
    struct rows y = frames_at(&m->y, frames->first), gates = frames_at(&m->gates, frames->first);
    multiply(pass, &m->gate.forward, frames, y, as_rows(m->bias, 0), gates);
    for (size_t n = 0; n < frames->end - frames->first; n++)
        pass->kernel->gate(
            width, row_at(gates, n) + from, row_at(y, n) + from, row_at(frames->out, n) + from);
}

void mixing_gate_backward(const struct mixing *m, const struct pass *pass, const struct mixing_frames *frames)
{
    size_t from = frames->own.from, width = frames->own.to - from;
    struct rows y = frames_at(&m->y, frames->first), gates = frames_at(&m->gates, frames->first);
    for (size_t n = 0; n < frames->end - frames->first; n++)
        pass->kernel->gate_backward(
            width, row_at(gates, n) + from, row_at(y, n) + from, row_at(frames->out, n) + from);
}

void mixing_sum_backward(const struct mixing *m, const struct pass *pass, const struct mixing_frames *frames)
{
    multiply(pass, &m->gate.backward, frames, frames_at(&m->gates, frames->first), frames->out,
        frames_at(&m->dy, frames->first));
}

void mixing_state_backward(
    const struct mixing *m, const struct pass *pass, const struct mixing_frames *frames)
{
    struct rows dy = frames_at(&m->dy, frames->first), none = {0};
    multiply(pass, &m->from_h.backward, frames, dy, none, frames->out);
    multiply(pass, &m->from_c.backward, frames, dy, none, frames->dc);
}

void mixing_input_backward(
    const struct mixing *m, const struct pass *pass, size_t first, size_t end, struct rows dX)
{
    dX = rows_from(dX, first);
    pass_product(pass, &m->input.backward, end - first, frames_at(&m->dy, first), dX, dX);
}

/* Where the sums of each matrix lie, [rows][columns], or of symbols [columns][rows]. */
enum place { FROM_H, FROM_C, GATE, INPUT };

static float *sums_of(const struct mixing *m, enum place place, const struct mixing_sums *sums)
{
    return sums->dW + (size_t)place * m->Hp * m->Hp;
}

size_t mixing_count_weights(const struct mixing *m)
{
    return m->is_there ? m->Hp * (INPUT * m->Hp + m->input.columns) : 0;
}

void mixing_clear_sums(const struct mixing *m, struct range own, const struct mixing_sums *sums)
{
    size_t rows = own.to - own.from;
    for (enum place place = FROM_H; place < INPUT; place++)
        memset(sums_of(m, place, sums) + own.from * m->Hp, 0, rows * m->Hp * sizeof(float));
    float *dinput = sums_of(m, INPUT, sums);
    if (m->one_hot)
        matrix_clear_symbols(&m->input, own, dinput);
    else
        memset(dinput + own.from * m->input.columns, 0, rows * m->input.columns * sizeof *dinput);
    memset(sums->sums + own.from, 0, rows * sizeof(float));
    memset(sums->sums + m->Hp + own.from, 0, rows * sizeof(float));
}

/* This member's rows of the sums of a matrix that saw X. */
static struct outer_product product_of(const struct mixing *m, const struct mixing_frames *frames,
    enum place place, struct rows X, const struct mixing_sums *sums)
{
    size_t columns = place == INPUT ? m->input.columns : m->Hp;
    return (struct outer_product){.columns = columns,
        .X = X,
        .C = as_rows(sums_of(m, place, sums) + frames->own.from * columns, columns)};
}

/* Adds the frames to the sums of one or two matrices, from the rows `dsum` of the gradient by what both made
 * together, and to *sums, [Hp] of these. */
static void add_products(const struct pass *pass, const struct mixing_frames *frames, struct rows dsum,
    const struct outer_product *products, size_t n, float *sums, float *scratch)
{
    size_t from = frames->own.from;
    const struct outer_sums all = {products, n, sums + from, scratch};
    pass_outer(pass, frames->end - frames->first, frames->own.to - from,
        as_rows(dsum.data + from, dsum.stride), &all);
}

void mixing_sum_gradients(const struct mixing *m, const struct pass *pass, const struct mixing_frames *frames,
    const struct mixing_sums *sums)
{
    size_t n = frames->first;
    float *unused = sums->sums, *dbias = unused + m->Hp;
    struct rows dy = frames_at(&m->dy, n), dgates = frames_at(&m->gates, n);
    const struct outer_product states[] = {
        product_of(m, frames, FROM_H, frames->h, sums), product_of(m, frames, FROM_C, frames->c, sums)};
    const struct outer_product gate = product_of(m, frames, GATE, frames_at(&m->y, n), sums);
    add_products(pass, frames, dy, states, 2, unused, sums->scratch);
    if (m->one_hot) {
        matrix_sum_symbols(&m->input, frames->own, frames->end - n, pass->microbatch->symbols + n, dy,
            sums_of(m, INPUT, sums));
    } else {
        const struct outer_product input = product_of(m, frames, INPUT, frames->X, sums);
        add_products(pass, frames, dy, &input, 1, unused, sums->scratch);
    }
    add_products(pass, frames, dgates, &gate, 1, dbias, sums->scratch);
}

void mixing_add_gradients(
    const struct mixing *m, const struct pass *pass, struct range own, const struct mixing_sums *sums)
{
    matrix_add_gradient(&m->from_h, own, sums_of(m, FROM_H, sums), pass->gradient);
    matrix_add_gradient(&m->from_c, own, sums_of(m, FROM_C, sums), pass->gradient);
    matrix_add_gradient(&m->gate, own, sums_of(m, GATE, sums), pass->gradient);
    if (m->one_hot)
        matrix_add_symbols(&m->input, own, sums_of(m, INPUT, sums), pass->gradient);
    else
        matrix_add_gradient(&m->input, own, sums_of(m, INPUT, sums), pass->gradient);
    bias_add_gradient(units_of(m), own, sums->sums + m->Hp, pass->gradient + m->bias_offset);
}

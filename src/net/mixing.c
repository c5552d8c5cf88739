/* The sums y are made by three products one upon the other, which keep the order of a sum whatever goes with
 * it. What the gates saw and the gradients on the way are kept for all frames, so that the gradients by the
 * weights are products of all of them at the end. */
#include "net/mixing.h"

#include <math.h>
#include <string.h>

static struct extent units_of(const struct mixing *m)
{
    return (struct extent){.parts = 1, .size = m->H, .interleave = 1};
}

/* C starts with the deviation of the paper (section 3.2 there), the others as PyTorch's linear layers do. */
void mixing_init(struct mixing *m, const struct recurrent_shape *shape, struct parameters *parameters)
{
    const char *prefix = shape->prefix, *suffix = shape->suffix;
    size_t l = shape->layer, H = shape->H, I = extent_true(shape->inputs);
    struct starting state = {.rule = STARTS_NORMAL, .number = 1 / sqrt((double)H)};
    *m = (struct mixing){.is_there = 1, .H = H, .one_hot = shape->one_hot};
    struct extent units = units_of(m);
    m->Hp = extent_padded(units);
    m->stride = kernel_stride(m->Hp);
    size_t real = parameters_declare(parameters, H, H, state, "%s.C_re_l%zu%s", prefix, l, suffix);
    size_t imaginary = parameters_declare(parameters, H, H, state, "%s.C_im_l%zu%s", prefix, l, suffix);
    size_t input =
        parameters_declare(parameters, H, I, starting_uniform(I), "%s.D_l%zu%s", prefix, l, suffix);
    size_t gate =
        parameters_declare(parameters, H, H, starting_uniform(H), "%s.gate_l%zu.weight%s", prefix, l, suffix);
    m->bias_offset =
        parameters_declare(parameters, H, 0, starting_uniform(H), "%s.gate_l%zu.bias%s", prefix, l, suffix);
    matrix_init(&m->real, real, units, units, 1);
    matrix_init(&m->imaginary, imaginary, units, units, 1);
    matrix_init(&m->input, input, units, shape->inputs, shape->needs_input_gradient);
    matrix_init(&m->gate, gate, units, units, 1);
}

void mixing_take_panels(struct mixing *m, struct arena *arena)
{
    if (!m->is_there)
        return;
    matrix_take_panels(&m->real, arena);
    matrix_take_panels(&m->imaginary, arena);
    matrix_take_panels(&m->input, arena);
    matrix_take_panels(&m->gate, arena);
    m->bias = arena_take(arena, m->Hp, sizeof *m->bias);
    m->zero = arena_take(arena, m->Hp, sizeof *m->zero);
}

void mixing_pack(struct mixing *m, const struct packing *packing)
{
    if (!m->is_there)
        return;
    matrix_pack(&m->real, packing);
    matrix_pack(&m->imaginary, packing);
    if (m->one_hot)
        matrix_pack_table(&m->input, packing);
    else
        matrix_pack(&m->input, packing);
    matrix_pack(&m->gate, packing);
    if (packing_is_first(packing))
        memcpy(m->bias, packing->weights + m->bias_offset, m->H * sizeof *m->bias);
}

void mixing_take_workspace(struct mixing *m, const struct pass *pass, struct arena *arena)
{
    size_t N = m->is_there ? pass->microbatch->N : 0;
    m->y = arena_take(arena, N * m->stride, sizeof(float));
    m->gates = arena_take(arena, N * m->stride, sizeof(float));
    m->dy = arena_take(arena, pass->options.training ? N * m->stride : 0, sizeof(float));
}

/* Rows `first` and after of a buffer of this layer. */
static struct rows own_rows(const struct mixing *m, const float *buffer, size_t first)
{
    return as_rows(buffer + first * m->stride, m->stride);
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
    struct rows y = own_rows(m, m->y, n), none = {0};
    if (m->one_hot)
        matrix_look_up(&m->input, frames->own, frames->end - n, pass->microbatch->symbols + n, m->zero, y);
    else
        multiply(pass, &m->input.forward, frames, rows_from(frames->X, n), none, y);
    multiply(pass, &m->real.forward, frames, rows_from(frames->h, n), y, y);
    multiply(pass, &m->imaginary.forward, frames, rows_from(frames->c, n), y, y);
}

void mixing_open(const struct mixing *m, const struct pass *pass, const struct mixing_frames *frames)
{
    size_t from = frames->own.from, width = frames->own.to - from;
    multiply(pass, &m->gate.forward, frames, own_rows(m, m->y, frames->first), as_rows(m->bias, 0),
        own_rows(m, m->gates, frames->first));
    for (size_t n = frames->first; n < frames->end; n++)
        pass->kernel->gate(width, m->gates + n * m->stride + from, m->y + n * m->stride + from,
            row_at(frames->out, n) + from);
}

void mixing_gate_backward(const struct mixing *m, const struct pass *pass, const struct mixing_frames *frames)
{
    size_t from = frames->own.from, width = frames->own.to - from;
    for (size_t n = frames->first; n < frames->end; n++)
        pass->kernel->gate_backward(width, m->gates + n * m->stride + from, m->y + n * m->stride + from,
            row_at(frames->out, n) + from);
}

void mixing_sum_backward(const struct mixing *m, const struct pass *pass, const struct mixing_frames *frames)
{
    multiply(pass, &m->gate.backward, frames, own_rows(m, m->gates, frames->first),
        rows_from(frames->out, frames->first), own_rows(m, m->dy, frames->first));
}

void mixing_state_backward(
    const struct mixing *m, const struct pass *pass, const struct mixing_frames *frames)
{
    size_t n = frames->first;
    struct rows dy = own_rows(m, m->dy, n), none = {0};
    multiply(pass, &m->real.backward, frames, dy, none, rows_from(frames->out, n));
    multiply(pass, &m->imaginary.backward, frames, dy, none, rows_from(frames->dc, n));
}

void mixing_input_backward(
    const struct mixing *m, const struct pass *pass, size_t first, size_t end, struct rows dX)
{
    dX = rows_from(dX, first);
    pass_product(pass, &m->input.backward, end - first, own_rows(m, m->dy, first), dX, dX);
}

/* The most columns of a matrix whose gradient is summed row by row. */
static size_t most_columns(const struct mixing *m)
{
    return !m->one_hot && m->input.columns > m->Hp ? m->input.columns : m->Hp;
}

/* Members' shares of rows lie apart whatever matrix each is at: two of most_columns for each row. The table
 * of symbols, which all share by columns, has a place of its own behind. */
size_t mixing_count_sums(const struct mixing *m)
{
    return m->is_there ? m->Hp * (2 * most_columns(m) + (m->one_hot ? m->input.columns : 0)) : 0;
}

/* dW of one or two matrices W[0], W[1] that saw X[0], X[1], from the rows `dsum` [N] of the gradient by their
 * common sums; and *sums over frames of that. */
static void add_products(const struct mixing *m, const struct pass *pass, const struct mixing_frames *frames,
    struct rows dsum, const struct matrix *const W[2], const struct rows X[2], const struct mixing_sums *sums)
{
    size_t from = frames->own.from, rows = frames->own.to - from, n = W[1] ? 2 : 1;
    struct outer_product products[2];
    float *dW[2];
    for (size_t i = 0; i < n; i++) {
        dW[i] = sums->dW + (2 * from + i * rows) * most_columns(m);
        products[i] =
            (struct outer_product){.columns = W[i]->columns, .X = X[i], .C = as_rows(dW[i], W[i]->columns)};
        memset(dW[i], 0, rows * W[i]->columns * sizeof *dW[i]);
    }
    memset(sums->sums + from, 0, rows * sizeof *sums->sums);
    const struct outer_sums all = {products, n, sums->sums + from, sums->scratch};
    pass_outer(pass, frames->end, rows, (struct rows){dsum.data + from, dsum.stride}, &all);
    for (size_t i = 0; i < n; i++)
        matrix_add_gradient(W[i], frames->own, dW[i] - from * W[i]->columns, pass->gradient);
}

void mixing_gradients(const struct mixing *m, const struct pass *pass, const struct mixing_frames *frames,
    const struct mixing_sums *sums)
{
    struct rows y = own_rows(m, m->y, 0), dy = own_rows(m, m->dy, 0), dgates = own_rows(m, m->gates, 0);
    add_products(m, pass, frames, dy, (const struct matrix *const[]){&m->real, &m->imaginary},
        (const struct rows[]){frames->h, frames->c}, sums);
    if (m->one_hot)
        matrix_add_symbols(&m->input, frames->own, frames->end, pass->microbatch->symbols, dy,
            sums->dW + 2 * m->Hp * most_columns(m), pass->gradient);
    else
        add_products(m, pass, frames, dy, (const struct matrix *const[]){&m->input, NULL},
            (const struct rows[]){frames->X, {0}}, sums);
    add_products(m, pass, frames, dgates, (const struct matrix *const[]){&m->gate, NULL},
        (const struct rows[]){y, {0}}, sums);
    bias_add_gradient(units_of(m), frames->own, sums->sums, pass->gradient + m->bias_offset);
}

/* Each direction visits the steps in its own order. A step sees the state of the step visited before it, the
 * first one the initial state: a weight, or zero. On the way to the recurrent product h of the step before
 * passes the transition layers (Pascanu, Gulcehre, Cho and Bengio 2014):
 *
 *     m(0) = h, or mask . h,  m(k+1) = tanh(T_k m(k) + b_k),  m = m(K) */
#include "layer.h"

#include "dense.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Weights of one direction, or their gradients. */
struct direction {
    struct cell_weights cell;
    struct reference_dense transition[REFERENCE_MOST_TRANSITIONS];
    double *h0, *c0; /* [H]; NULL: zero */
};

/* B_im lies behind B_re. */
static struct cell_weights lru_of(
    const struct reference_names *names, double *flat, size_t l, const char *way)
{
    return (struct cell_weights){.W = reference_tensor(names, flat, "rnn.B_re_l%zu%s", l, way),
        .nu = reference_tensor(names, flat, "rnn.nu_l%zu%s", l, way),
        .theta = reference_tensor(names, flat, "rnn.theta_l%zu%s", l, way),
        .gamma_log = reference_tensor(names, flat, "rnn.gamma_log_l%zu%s", l, way),
        .C_re = reference_tensor(names, flat, "rnn.C_re_l%zu%s", l, way),
        .C_im = reference_tensor(names, flat, "rnn.C_im_l%zu%s", l, way),
        .D = reference_tensor(names, flat, "rnn.D_l%zu%s", l, way),
        .gate = reference_tensor(names, flat, "rnn.gate_l%zu.weight%s", l, way),
        .gate_bias = reference_tensor(names, flat, "rnn.gate_l%zu.bias%s", l, way)};
}

static struct direction direction_of(
    const struct reference_layer *layer, const struct reference_names *names, double *flat, size_t d)
{
    const struct net_config *config = layer->config;
    size_t l = layer->l, H = layer->shape.H;
    const char *way = d ? "_reverse" : "";
    struct direction direction = {0};
    if (config->cell == CELL_LRU) {
        direction.cell = lru_of(names, flat, l, way);
    } else {
        direction.cell.W = reference_tensor(names, flat, "rnn.weight_ih_l%zu%s", l, way);
        direction.cell.b = reference_tensor(names, flat, "rnn.bias_ih_l%zu%s", l, way);
    }
    if (reference_cell_sees_all(config->cell)) {
        direction.cell.U = reference_tensor(names, flat, "rnn.weight_hh_l%zu%s", l, way);
        direction.cell.c = reference_tensor(names, flat, "rnn.bias_hh_l%zu%s", l, way);
    }
    if (config->cell == CELL_INDRNN)
        direction.cell.u = reference_tensor(names, flat, "rnn.u_l%zu%s", l, way);
    if (config->peepholes)
        direction.cell.p = reference_tensor(names, flat, "rnn.peephole_l%zu%s", l, way);
    for (size_t k = 0; k < config->transition_layers; k++)
        direction.transition[k] = (struct reference_dense){.outputs = H,
            .inputs = H,
            .W = reference_tensor(names, flat, "rnn.transition_l%zu.%zu.weight%s", l, k, way),
            .b = reference_tensor(names, flat, "rnn.transition_l%zu.%zu.bias%s", l, k, way)};
    if (config->initial_state)
        direction.h0 = reference_tensor(names, flat, "rnn.h0_l%zu%s", l, way);
    if (config->initial_state && reference_has_memory(config->cell))
        direction.c0 = reference_tensor(names, flat, "rnn.c0_l%zu%s", l, way);
    return direction;
}

void reference_layer_init(
    struct reference_layer *layer, const struct net_config *config, size_t l, size_t inputs, size_t T)
{
    size_t H = config->hidden[l], rows = reference_gates(config->cell) * H;
    *layer = (struct reference_layer){.config = config,
        .shape = {.cell = config->cell, .I = inputs, .H = H},
        .l = l,
        .D = config->bidirectional[l] ? 2 : 1,
        .T = T,
        .x = reference_numbers(T * inputs)};
    for (size_t d = 0; d < layer->D; d++)
        layer->course[d] = (struct course){.gate = reference_numbers(T * rows),
            .recurrent = reference_numbers(T * rows),
            .state = reference_numbers(T * reference_state_parts(config->cell) * H),
            .h = reference_numbers(T * H),
            .m = reference_numbers(T * (config->transition_layers + 1) * H)};
}

void reference_layer_finish(struct reference_layer *layer)
{
    free(layer->x);
    for (size_t d = 0; d < layer->D; d++) {
        free(layer->course[d].gate);
        free(layer->course[d].recurrent);
        free(layer->course[d].state);
        free(layer->course[d].h);
        free(layer->course[d].m);
    }
}

static struct reference_step step_at(const struct reference_layer *layer, size_t d, size_t t)
{
    const struct course *course = &layer->course[d];
    size_t H = layer->shape.H, rows = reference_gates(layer->shape.cell) * H;
    return (struct reference_step){.gate = course->gate + t * rows,
        .recurrent = course->recurrent + t * rows,
        .state = course->state + t * reference_state_parts(layer->shape.cell) * H,
        .h = course->h + t * H};
}

/* m(k) of step t. */
static double *m_at(const struct reference_layer *layer, size_t d, size_t t, size_t k)
{
    return layer->course[d].m + (t * (layer->config->transition_layers + 1) + k) * layer->shape.H;
}

/* The n-th step that direction d of a sequence of T steps visits: from the front, or from the back. */
static size_t visited(size_t d, size_t T, size_t n)
{
    return d == 0 ? n : T - 1 - n;
}

/* What the n-th step that direction d visits comes from; `nothing` is [2 H] zeroes. */
static struct cell_past past_of(const struct reference_layer *layer, const struct direction *direction,
    size_t d, size_t n, const double *nothing)
{
    size_t t = visited(d, layer->T, n);
    struct cell_past past = {.x = layer->x + t * layer->shape.I,
        .m = m_at(layer, d, t, layer->config->transition_layers),
        .h = direction->h0 ? direction->h0 : nothing,
        .state = direction->c0 ? direction->c0 : nothing};
    if (reference_state_parts(layer->shape.cell) == 2) /* c0 lies behind h0 */
        past.state = past.h;
    if (n > 0) {
        struct reference_step before = step_at(layer, d, visited(d, layer->T, n - 1));
        past.h = before.h;
        past.state = before.state;
    }
    return past;
}

static void forward_course(
    struct reference_layer *layer, const struct reference_names *names, double *weights, size_t d)
{
    size_t H = layer->shape.H, K = layer->config->transition_layers;
    struct direction direction = direction_of(layer, names, weights, d);
    double *nothing = reference_numbers(2 * H);
    for (size_t n = 0; n < layer->T; n++) {
        size_t t = visited(d, layer->T, n);
        struct cell_past past = past_of(layer, &direction, d, n, nothing);
        struct reference_step step = step_at(layer, d, t);
        for (size_t h = 0; h < H; h++)
            m_at(layer, d, t, 0)[h] = past.h[h] * (layer->mask[d] ? layer->mask[d][h] : 1);
        for (size_t k = 0; k < K; k++) {
            double *m = m_at(layer, d, t, k + 1);
            reference_dense_forward(&direction.transition[k], 1, m_at(layer, d, t, k), m);
            reference_squash(H, m);
        }
        reference_cell_forward(&layer->shape, &direction.cell, &past, &step);
    }
    free(nothing);
}

void reference_layer_forward(
    struct reference_layer *layer, const struct reference_names *names, double *weights, double *y)
{
    size_t D = layer->D, H = layer->shape.H;
    for (size_t d = 0; d < D; d++) {
        forward_course(layer, names, weights, d);
        for (size_t t = 0; t < layer->T; t++)
            for (size_t h = 0; h < H; h++)
                y[t * D * H + d * H + h] = layer->course[d].h[t * H + h];
    }
}

/* dm [H] by m of step t; adds to dh [H], by the h that m comes from. */
static void backward_transition(const struct reference_layer *layer, size_t d, size_t t,
    const struct direction *direction, const struct direction *gradient, const double *dm, double *dh)
{
    size_t H = layer->shape.H;
    double *dv = reference_numbers(H);
    memcpy(dv, dm, H * sizeof *dv);
    for (size_t k = layer->config->transition_layers; k-- > 0;) {
        double *dx = reference_numbers(H);
        reference_unsquash(H, m_at(layer, d, t, k + 1), dv);
        reference_dense_backward(
            &direction->transition[k], 1, m_at(layer, d, t, k), dv, dx, &gradient->transition[k]);
        free(dv);
        dv = dx;
    }
    for (size_t h = 0; h < H; h++)
        dh[h] += dv[h] * (layer->mask[d] ? layer->mask[d][h] : 1);
    free(dv);
}

/* Is nothing of the gradient to go from the n-th step to the one before it? */
static int is_cut(const struct reference_layer *layer, size_t n)
{
    return layer->cut > 0 && n > 0 && n % layer->cut == 0;
}

static void backward_course(const struct reference_layer *layer, const struct reference_names *names,
    double *weights, size_t d, const double *dy, double *dx, double *gradient)
{
    size_t I = layer->shape.I, H = layer->shape.H, D = layer->D;
    struct direction direction = direction_of(layer, names, weights, d);
    struct direction ddirection = direction_of(layer, names, gradient, d);
    double *nothing = reference_numbers(2 * H), *dh = reference_numbers(H),
           *dstate = reference_numbers(2 * H);
    int both = reference_state_parts(layer->shape.cell) == 2;
    for (size_t n = layer->T; n-- > 0;) {
        size_t t = visited(d, layer->T, n);
        struct cell_past past = past_of(layer, &direction, d, n, nothing);
        struct reference_step step = step_at(layer, d, t);
        double *dm = reference_numbers(H);
        for (size_t h = 0; h < H; h++)
            dh[h] += dy[t * D * H + d * H + h];
        reference_cell_backward(
            &layer->shape, &direction.cell, &past, &step, dh, dstate, dm, dx + t * I, &ddirection.cell);
        backward_transition(layer, d, t, &direction, &ddirection, dm, dh);
        free(dm);
        for (size_t h = 0; h < H && is_cut(layer, n); h++)
            dh[h] = dstate[h] = dstate[H + h] = 0;
    }
    for (size_t h = 0; h < H && ddirection.h0; h++)
        ddirection.h0[h] += both ? dstate[h] : dh[h];
    for (size_t h = 0; h < H && ddirection.c0; h++)
        ddirection.c0[h] += dstate[both ? H + h : h];
    free(nothing);
    free(dh);
    free(dstate);
}

static double norm_of(size_t n, const double *x)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += x[i] * x[i];
    return sqrt(sum);
}

void reference_layer_flow(const struct reference_layer *layer, const struct reference_names *names,
    double *weights, size_t d, double *norm)
{
    size_t H = layer->shape.H, T = layer->T;
    double *unused = reference_numbers(reference_names_count(names)), *dx = reference_numbers(layer->shape.I);
    double *nothing = reference_numbers(2 * H), *dh = reference_numbers(3 * H), *dstate = dh + H;
    struct direction direction = direction_of(layer, names, weights, d);
    struct direction ddirection = direction_of(layer, names, unused, d);
    for (size_t h = 0; h < H; h++)
        dh[h] = 1 / sqrt((double)H);
    for (size_t n = T; n-- > 0;) {
        struct cell_past past = past_of(layer, &direction, d, n, nothing);
        struct reference_step step = step_at(layer, d, visited(d, T, n));
        double *dm = reference_numbers(H);
        reference_cell_open_output(
            &layer->shape, &direction.cell, &past, &step, dh, dstate, &ddirection.cell);
        norm[T - 1 - n] = norm_of(3 * H, dh);
        reference_cell_backward(
            &layer->shape, &direction.cell, &past, &step, dh, dstate, dm, dx, &ddirection.cell);
        backward_transition(layer, d, visited(d, T, n), &direction, &ddirection, dm, dh);
        free(dm);
    }
    for (size_t i = T; i-- > 0;)
        norm[i] /= norm[0];
    free(unused);
    free(dx);
    free(nothing);
    free(dh);
}

void reference_layer_backward(const struct reference_layer *layer, const struct reference_names *names,
    double *weights, const double *dy, double *dx, double *gradient)
{
    for (size_t d = 0; d < layer->D; d++)
        backward_course(layer, names, weights, d, dy, dx, gradient);
}

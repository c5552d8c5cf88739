/* The stack of layers over one sequence, forward and backward.
 *
 * Forward keeps everything: inputs of every layer at every step, gates, states, outputs, in one trace.
 * Backward walks the trace the other way: head, layers from last to first, within a layer each direction
 * against its own course in time, embedding. */
#include "cell.h"
#include "reference.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* One direction of a layer at all steps. */
struct course {
    size_t offset;            /* of weight_ih in the flat vector; weight_hh, bias_ih, bias_hh follow */
    double *gate, *recurrent; /* [T][G*H] */
    double *state, *h;        /* [T][H] */
};

struct layer {
    struct cell_shape shape;
    size_t D;
    double *x; /* [T][I], the layer's inputs */
    struct course course[2];
};

struct trace {
    size_t T, layers, R, O, F; /* F: features of the head */
    struct layer layer[NET_MOST_LAYERS];
    double *y;          /* [T][F], outputs of the last layer */
    double *features;   /* [R][F] */
    size_t head;        /* offset of head.weight; head.bias follows */
    double *activation; /* [R][O], W f + b of the head */
};

size_t reference_rows(const struct net_config *config, size_t T)
{
    return config->output == OUTPUT_FRAME ? T : 1;
}

static void trace_init(struct trace *trace, const struct net_config *config, size_t T)
{
    size_t offset = 0, I = config->inputs;
    memset(trace, 0, sizeof *trace);
    trace->T = T;
    trace->layers = config->layers;
    if (config->symbols && config->embedding) {
        offset = config->inputs * config->embedding;
        I = config->embedding;
    }
    for (size_t l = 0; l < config->layers; l++) {
        struct layer *layer = &trace->layer[l];
        size_t H = config->hidden[l], rows = reference_gates(config->cell) * H;
        layer->shape = (struct cell_shape){.cell = config->cell, .I = I, .H = H};
        layer->D = config->bidirectional[l] ? 2 : 1;
        layer->x = reference_numbers(T * I);
        for (size_t d = 0; d < layer->D; d++) {
            struct course *course = &layer->course[d];
            course->offset = offset;
            course->gate = reference_numbers(T * rows);
            course->recurrent = reference_numbers(T * rows);
            course->state = reference_numbers(T * H);
            course->h = reference_numbers(T * H);
            offset += rows * I + rows * H + rows + rows;
        }
        I = layer->D * H;
    }
    trace->F = I;
    trace->head = offset;
    trace->O = config->outputs;
    trace->R = reference_rows(config, T);
    trace->y = reference_numbers(T * I);
    trace->features = reference_numbers(trace->R * I);
    trace->activation = reference_numbers(trace->R * trace->O);
}

static void trace_finish(struct trace *trace)
{
    for (size_t l = 0; l < trace->layers; l++) {
        free(trace->layer[l].x);
        for (size_t d = 0; d < 2; d++) {
            free(trace->layer[l].course[d].gate);
            free(trace->layer[l].course[d].recurrent);
            free(trace->layer[l].course[d].state);
            free(trace->layer[l].course[d].h);
        }
    }
    free(trace->y);
    free(trace->features);
    free(trace->activation);
}

static struct cell_weights weights_at(const struct cell_shape *shape, double *flat, size_t offset)
{
    size_t rows = reference_gates(shape->cell) * shape->H;
    double *W = flat + offset, *U = W + rows * shape->I, *b = U + rows * shape->H;
    return (struct cell_weights){.W = W, .U = U, .b = b, .c = b + rows};
}

static struct cell_step step_at(const struct layer *layer, size_t d, size_t t)
{
    const struct course *course = &layer->course[d];
    size_t H = layer->shape.H, rows = reference_gates(layer->shape.cell) * H;
    return (struct cell_step){.gate = course->gate + t * rows,
        .recurrent = course->recurrent + t * rows,
        .state = course->state + t * H,
        .h = course->h + t * H};
}

/* The n-th step that direction d of a sequence of T steps visits: from the front, or from the back. */
static size_t visited(size_t d, size_t T, size_t n)
{
    return d == 0 ? n : T - 1 - n;
}

static void forward_course(struct layer *layer, size_t d, size_t T, double *weights)
{
    size_t I = layer->shape.I, H = layer->shape.H;
    struct cell_weights cell = weights_at(&layer->shape, weights, layer->course[d].offset);
    double *nothing = reference_numbers(H);
    for (size_t n = 0; n < T; n++) {
        size_t t = visited(d, T, n);
        struct cell_step step = step_at(layer, d, t), before = {.h = nothing, .state = nothing};
        if (n > 0)
            before = step_at(layer, d, visited(d, T, n - 1));
        reference_cell_forward(&layer->shape, &cell, layer->x + t * I, before.h, before.state, &step);
    }
    free(nothing);
}

static void forward_inputs(const struct net_config *config, const double *weights,
    const struct reference_sequence *sequence, double *x)
{
    size_t I = config->inputs, E = config->embedding;
    for (size_t t = 0; t < sequence->T; t++) {
        if (!config->symbols)
            memcpy(x + t * I, sequence->inputs + t * I, I * sizeof *x);
        else if (E)
            memcpy(x + t * E, weights + (size_t)sequence->symbols[t] * E, E * sizeof *x);
        else
            x[t * I + (size_t)sequence->symbols[t]] = 1;
    }
}

static void forward_head(struct trace *trace, const struct net_config *config, const double *weights)
{
    size_t T = trace->T, F = trace->F, O = trace->O, H = config->hidden[config->layers - 1];
    const double *W = weights + trace->head, *b = W + O * F;
    for (size_t r = 0; r < trace->R; r++) {
        double *f = trace->features + r * F;
        for (size_t k = 0; k < F; k++) {
            size_t t = config->output == OUTPUT_FRAME ? r : k < H ? T - 1 : 0;
            f[k] = trace->y[t * F + k];
        }
        for (size_t o = 0; o < O; o++) {
            double sum = b[o];
            for (size_t k = 0; k < F; k++)
                sum += W[o * F + k] * f[k];
            trace->activation[r * O + o] = sum;
        }
    }
}

static void trace_forward(struct trace *trace, const struct net_config *config, const double *weights,
    const struct reference_sequence *sequence)
{
    size_t T = sequence->T;
    trace_init(trace, config, T);
    forward_inputs(config, weights, sequence, trace->layer[0].x);
    for (size_t l = 0; l < trace->layers; l++) {
        struct layer *layer = &trace->layer[l];
        double *y = l + 1 < trace->layers ? trace->layer[l + 1].x : trace->y;
        size_t D = layer->D, H = layer->shape.H;
        for (size_t d = 0; d < D; d++) {
            forward_course(layer, d, T, (double *)weights);
            for (size_t t = 0; t < T; t++)
                for (size_t h = 0; h < H; h++)
                    y[t * D * H + d * H + h] = layer->course[d].h[t * H + h];
        }
    }
    forward_head(trace, config, weights);
}

/* log of the sum of exp(a), without overflow */
static double log_sum(const double *a, size_t n)
{
    double most = a[0], sum = 0;
    for (size_t i = 1; i < n; i++)
        most = a[i] > most ? a[i] : most;
    for (size_t i = 0; i < n; i++)
        sum += exp(a[i] - most);
    return most + log(sum);
}

static void row_outputs(enum loss loss, const double *a, size_t O, double *outputs)
{
    double normal = log_sum(a, O);
    for (size_t o = 0; o < O; o++)
        outputs[o] = loss == LOSS_SOFTMAX ? exp(a[o] - normal)
            : loss == LOSS_SIGMOID        ? 1 / (1 + exp(-a[o]))
                                          : a[o];
}

static double row_loss(enum loss loss, const double *a, size_t O, const int32_t *label, const double *target)
{
    if (loss == LOSS_SOFTMAX)
        return log_sum(a, O) - a[*label];
    double sum = 0;
    for (size_t o = 0; o < O; o++)
        if (loss == LOSS_SIGMOID) /* -v log s(a) - (1 - v) log(1 - s(a)) */
            sum += target[o] * log1p(exp(-a[o])) + (1 - target[o]) * log1p(exp(a[o]));
        else
            sum += (a[o] - target[o]) * (a[o] - target[o]) / (double)O;
    return sum;
}

static void row_slope(
    enum loss loss, const double *a, size_t O, const int32_t *label, const double *target, double *da)
{
    row_outputs(loss, a, O, da);
    for (size_t o = 0; o < O; o++)
        if (loss == LOSS_SOFTMAX)
            da[o] -= o == (size_t)*label;
        else if (loss == LOSS_SIGMOID)
            da[o] -= target[o];
        else
            da[o] = 2 * (da[o] - target[o]) / (double)O;
}

static int row_is_wrong(const double *a, size_t O, int32_t label)
{
    size_t likeliest = 0;
    for (size_t o = 1; o < O; o++)
        if (a[o] > a[likeliest])
            likeliest = o;
    return likeliest != (size_t)label;
}

static const int32_t *label_at(const struct reference_sequence *sequence, size_t r)
{
    return sequence->classes ? sequence->classes + r : NULL;
}

static const double *target_at(const struct reference_sequence *sequence, size_t r, size_t O)
{
    return sequence->values ? sequence->values + r * O : NULL;
}

void reference_forward(const struct net_config *config, const double *weights,
    const struct reference_sequence *sequence, double *outputs)
{
    struct trace trace;
    trace_forward(&trace, config, weights, sequence);
    for (size_t r = 0; r < trace.R; r++)
        row_outputs(config->loss, trace.activation + r * trace.O, trace.O, outputs + r * trace.O);
    trace_finish(&trace);
}

struct reference_score reference_get_score(
    const struct net_config *config, const double *weights, const struct reference_sequence *sequence)
{
    struct trace trace;
    trace_forward(&trace, config, weights, sequence);
    size_t O = trace.O;
    struct reference_score score = {0};
    for (size_t r = 0; r < trace.R; r++) {
        const double *a = trace.activation + r * O;
        score.loss += row_loss(config->loss, a, O, label_at(sequence, r), target_at(sequence, r, O));
        score.errors += config->loss == LOSS_SOFTMAX ? row_is_wrong(a, O, sequence->classes[r]) : NAN;
        score.counted++;
    }
    trace_finish(&trace);
    return score;
}

/* dy [T][F]: derivative by the outputs of the last layer. */
static void backward_head(const struct trace *trace, const struct net_config *config, const double *weights,
    const struct reference_sequence *sequence, double *dy, double *gradient)
{
    size_t T = trace->T, F = trace->F, O = trace->O, H = config->hidden[config->layers - 1];
    const double *W = weights + trace->head;
    double *dW = gradient + trace->head, *db = dW + O * F, *da = reference_numbers(O);
    for (size_t r = 0; r < trace->R; r++) {
        const double *a = trace->activation + r * O, *f = trace->features + r * F;
        row_slope(config->loss, a, O, label_at(sequence, r), target_at(sequence, r, O), da);
        for (size_t o = 0; o < O; o++) {
            db[o] += da[o];
            for (size_t k = 0; k < F; k++) {
                size_t t = config->output == OUTPUT_FRAME ? r : k < H ? T - 1 : 0;
                dW[o * F + k] += da[o] * f[k];
                dy[t * F + k] += W[o * F + k] * da[o];
            }
        }
    }
    free(da);
}

/* dy [T][D*H] by the layer's outputs; adds to dx [T][I]. */
static void backward_course(const struct layer *layer, size_t d, size_t T, double *weights, const double *dy,
    double *dx, double *gradient)
{
    size_t I = layer->shape.I, H = layer->shape.H, D = layer->D;
    struct cell_weights cell = weights_at(&layer->shape, weights, layer->course[d].offset);
    struct cell_weights dcell = weights_at(&layer->shape, gradient, layer->course[d].offset);
    double *nothing = reference_numbers(H), *dh = reference_numbers(H), *dstate = reference_numbers(H);
    for (size_t n = T; n-- > 0;) {
        size_t t = visited(d, T, n);
        struct cell_step step = step_at(layer, d, t), before = {.h = nothing, .state = nothing};
        if (n > 0)
            before = step_at(layer, d, visited(d, T, n - 1));
        for (size_t h = 0; h < H; h++)
            dh[h] += dy[t * D * H + d * H + h];
        reference_cell_backward(&layer->shape, &cell, layer->x + t * I, before.h, before.state, &step, dh,
            dstate, dx + t * I, &dcell);
    }
    free(nothing);
    free(dh);
    free(dstate);
}

void reference_backward(const struct net_config *config, const double *weights,
    const struct reference_sequence *sequence, double *gradient)
{
    struct trace trace;
    trace_forward(&trace, config, weights, sequence);
    size_t T = trace.T;
    double *dy = reference_numbers(T * trace.F);
    backward_head(&trace, config, weights, sequence, dy, gradient);
    for (size_t l = trace.layers; l-- > 0;) {
        struct layer *layer = &trace.layer[l];
        double *dx = reference_numbers(T * layer->shape.I);
        for (size_t d = 0; d < layer->D; d++)
            backward_course(layer, d, T, (double *)weights, dy, dx, gradient);
        free(dy);
        dy = dx;
    }
    size_t E = config->embedding;
    for (size_t t = 0; t < T && config->symbols; t++)
        for (size_t e = 0; e < E; e++)
            gradient[(size_t)sequence->symbols[t] * E + e] += dy[t * E + e];
    free(dy);
    trace_finish(&trace);
}

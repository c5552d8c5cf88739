/* The whole network over one sequence, forward and backward.
 *
 * Forward keeps everything in one trace: what input layers, recurrent layers, output layers and head see, and
 * what the cells leave behind. Backward walks the trace the other way: losses, head, output layers, recurrent
 * layers from last to first, input layers, embedding. */
#include "ctc.h"
#include "dense.h"
#include "layer.h"
#include "loss.h"
#include "reference.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct network_trace {
    const struct net_config *config;
    struct reference_names names;
    size_t T, R, O, F, H;       /* F: width of the last layer; H: of its forward half */
    struct chain input, output; /* rows are frames; rows of targets */
    struct reference_layer layer[NET_MOST_LAYERS];
    double *y[NET_MOST_LAYERS]; /* [T][D*H] y_l: outputs of the layers, with what `residual` adds */
    double *activation;         /* [R][O], what the head gives */
};

size_t reference_rows(const struct net_config *config, size_t T)
{
    return config->output == OUTPUT_SEQUENCE ? 1 : T;
}

size_t reference_outputs(const struct net_config *config)
{
    size_t of_value = config->loss == LOSS_QUANTILE ? config->quantiles
        : config->loss == LOSS_GAUSSIAN             ? 2
                                                    : 1;
    return config->outputs * of_value + (config->output == OUTPUT_CTC);
}

static void trace_init(struct network_trace *trace, const struct net_config *config, size_t T)
{
    *trace = (struct network_trace){
        .config = config, .T = T, .R = reference_rows(config, T), .O = reference_outputs(config)};
    reference_names_init(&trace->names, config);
    size_t width = config->symbols && config->embedding ? config->embedding : config->inputs;
    reference_chain_init(&trace->input, "input", config->input_layers, config->input_size, width, T);
    width = trace->H = trace->input.width[config->input_layers];
    for (size_t l = 0; l < config->layers; l++) {
        reference_layer_init(&trace->layer[l], config, l, width, T);
        trace->H = config->hidden[l];
        width = trace->layer[l].D * trace->H;
        trace->y[l] = reference_numbers(T * width);
    }
    trace->F = width;
    reference_chain_init(
        &trace->output, "output", config->output_layers, config->output_size, width, trace->R);
    trace->activation = reference_numbers(trace->R * trace->O);
}

static void trace_finish(struct network_trace *trace)
{
    for (size_t l = 0; l < trace->config->layers; l++) {
        reference_layer_finish(&trace->layer[l]);
        free(trace->y[l]);
    }
    reference_chain_finish(&trace->input);
    reference_chain_finish(&trace->output);
    reference_names_finish(&trace->names);
    free(trace->activation);
}

/* What layer l, or with l = L what comes behind the layers, gets from before it. */
static double *before_layer(const struct network_trace *trace, size_t l)
{
    return l ? trace->y[l - 1] : trace->input.v[trace->input.n];
}

static void forward_inputs(
    struct network_trace *trace, double *weights, const struct reference_sequence *sequence)
{
    const struct net_config *config = trace->config;
    size_t I = config->inputs, E = config->embedding;
    double *x = trace->input.v[0];
    for (size_t t = 0; t < trace->T; t++) {
        if (!config->symbols) {
            memcpy(x + t * I, sequence->inputs + t * I, I * sizeof *x);
        } else if (E) {
            const double *table = reference_tensor(&trace->names, weights, "embedding.weight");
            memcpy(x + t * E, table + (size_t)sequence->symbols[t] * E, E * sizeof *x);
        } else {
            x[t * I + (size_t)sequence->symbols[t]] = 1;
        }
    }
}

static void forward_layer(struct network_trace *trace, size_t l, double *weights)
{
    const struct net_config *config = trace->config;
    struct reference_layer *layer = &trace->layer[l];
    size_t T = trace->T, I = layer->shape.I;
    const double *before = before_layer(trace, l);
    if (l > 0 && config->normalize)
        reference_norm_forward(T, I, reference_tensor(&trace->names, weights, "norm.%zu.weight", l),
            reference_tensor(&trace->names, weights, "norm.%zu.bias", l), before, layer->x);
    else
        memcpy(layer->x, before, T * I * sizeof *before);
    reference_layer_forward(layer, &trace->names, weights, trace->y[l]);
    for (size_t i = 0; i < T * I && l > 0 && config->residual; i++)
        trace->y[l][i] += before[i];
}

/* The frame that place k of row r of what comes behind the layers is from. */
static size_t frame_of(const struct network_trace *trace, size_t r, size_t k)
{
    if (trace->config->output != OUTPUT_SEQUENCE)
        return r;
    return k < trace->H ? trace->T - 1 : 0;
}

static struct reference_dense head_of(const struct network_trace *trace, double *flat)
{
    return (struct reference_dense){.outputs = trace->O,
        .inputs = trace->output.width[trace->output.n],
        .W = reference_tensor(&trace->names, flat, "head.weight"),
        .b = reference_tensor(&trace->names, flat, "head.bias")};
}

static void trace_forward(struct network_trace *trace, const struct net_config *config,
    const double *constant, const struct reference_sequence *sequence)
{
    double *weights = (double *)constant;
    trace_init(trace, config, sequence->T);
    forward_inputs(trace, weights, sequence);
    reference_chain_forward(&trace->input, &trace->names, weights);
    for (size_t l = 0; l < config->layers; l++) {
        memcpy(trace->layer[l].mask, sequence->mask[l], sizeof trace->layer[l].mask);
        trace->layer[l].cut = sequence->cut;
        forward_layer(trace, l, weights);
    }
    const double *last = before_layer(trace, config->layers);
    size_t F = trace->F;
    for (size_t r = 0; r < trace->R; r++)
        for (size_t k = 0; k < F; k++)
            trace->output.v[0][r * F + k] = last[frame_of(trace, r, k) * F + k];
    reference_chain_forward(&trace->output, &trace->names, weights);
    struct reference_dense head = head_of(trace, weights);
    reference_dense_forward(&head, trace->R, trace->output.v[trace->output.n], trace->activation);
}

void reference_forward(const struct net_config *config, const double *weights,
    const struct reference_sequence *sequence, double *outputs)
{
    struct network_trace trace;
    trace_forward(&trace, config, weights, sequence);
    for (size_t r = 0; r < trace.R; r++)
        reference_row_outputs(config, trace.activation + r * trace.O, outputs + r * trace.O);
    trace_finish(&trace);
}

static const int32_t *label_at(const struct reference_sequence *sequence, size_t r)
{
    return sequence->classes ? sequence->classes + r : NULL;
}

static const double *target_at(const struct reference_sequence *sequence, size_t r, size_t O)
{
    return sequence->values ? sequence->values + r * O : NULL;
}

/* The part of row r that is there. */
static double present_part(
    const struct net_config *config, const struct reference_sequence *sequence, size_t r)
{
    double n = 0;
    if (config->loss == LOSS_SOFTMAX)
        return sequence->classes[r] >= 0;
    for (size_t o = 0; o < config->outputs; o++)
        n += !isnan(sequence->values[r * config->outputs + o]);
    return n / (double)config->outputs;
}

static double weight_at(const struct reference_sequence *sequence, size_t r)
{
    return sequence->weights ? sequence->weights[r] : 1;
}

static struct reference_score ctc_score(
    const struct network_trace *trace, const struct reference_sequence *sequence)
{
    size_t T = trace->T, C = trace->config->outputs, U = sequence->U;
    int32_t *labels = calloc(T, sizeof *labels);
    if (!labels)
        abort();
    size_t n = reference_ctc_best_path(T, C, trace->activation, labels);
    struct reference_score score = {
        .loss = reference_ctc(T, C, trace->activation, U, sequence->classes, NULL),
        .errors = (double)reference_edit_distance(labels, n, sequence->classes, U),
        .counted = 1,
        .labels = (double)U};
    free(labels);
    return score;
}

struct reference_score reference_get_score(
    const struct net_config *config, const double *weights, const struct reference_sequence *sequence)
{
    struct network_trace trace;
    trace_forward(&trace, config, weights, sequence);
    size_t O = trace.O;
    struct reference_score score = {0};
    for (size_t r = 0; r < trace.R && config->output != OUTPUT_CTC; r++) {
        const double *a = trace.activation + r * O;
        double present = present_part(config, sequence, r);
        double w = weight_at(sequence, r);
        if (present == 0 || w == 0)
            continue;
        score.loss +=
            w * reference_row_loss(config, a, label_at(sequence, r), target_at(sequence, r, config->outputs));
        score.errors += config->loss == LOSS_SOFTMAX
            ? w * reference_row_is_wrong(config, a, sequence->classes[r])
            : (double)NAN;
        score.counted += w * present;
        score.labels += w * present;
    }
    if (config->output == OUTPUT_CTC)
        score = ctc_score(&trace, sequence);
    trace_finish(&trace);
    return score;
}

/* Returns the derivative by the outputs of the last layer [T][F], for free(). */
static double *backward_head(const struct network_trace *trace, double *weights,
    const struct reference_sequence *sequence, double *gradient)
{
    const struct net_config *config = trace->config;
    size_t F = trace->F, O = trace->O, R = trace->R;
    struct reference_dense head = head_of(trace, weights), dhead = head_of(trace, gradient);
    double *da = reference_numbers(R * O), *dv = reference_numbers(R * head.inputs);
    if (config->output == OUTPUT_CTC)
        reference_ctc(R, config->outputs, trace->activation, sequence->U, sequence->classes, da);
    for (size_t r = 0; r < R && config->output != OUTPUT_CTC; r++)
        if (present_part(config, sequence, r) > 0) {
            reference_row_slope(config, trace->activation + r * O, label_at(sequence, r),
                target_at(sequence, r, config->outputs), da + r * O);
            for (size_t o = 0; o < O; o++)
                da[r * O + o] *= weight_at(sequence, r);
        }
    reference_dense_backward(&head, R, trace->output.v[trace->output.n], da, dv, &dhead);
    double *df = reference_chain_backward(&trace->output, &trace->names, weights, dv, gradient);
    double *dy = reference_numbers(trace->T * F);
    for (size_t r = 0; r < R; r++)
        for (size_t k = 0; k < F; k++)
            dy[frame_of(trace, r, k) * F + k] += df[r * F + k];
    free(da);
    free(dv);
    free(df);
    return dy;
}

/* dy by y_l; returns the derivative by what layer l gets from before it, for free(). */
static double *backward_layer(
    const struct network_trace *trace, size_t l, double *weights, const double *dy, double *gradient)
{
    const struct reference_layer *layer = &trace->layer[l];
    size_t T = trace->T, I = layer->shape.I;
    double *dx = reference_numbers(T * I), *dbefore = reference_numbers(T * I);
    reference_layer_backward(layer, &trace->names, weights, dy, dx, gradient);
    if (l > 0 && trace->config->normalize)
        reference_norm_backward(T, I, reference_tensor(&trace->names, weights, "norm.%zu.weight", l),
            before_layer(trace, l), dx, dbefore,
            reference_tensor(&trace->names, gradient, "norm.%zu.weight", l),
            reference_tensor(&trace->names, gradient, "norm.%zu.bias", l));
    else
        memcpy(dbefore, dx, T * I * sizeof *dx);
    for (size_t i = 0; i < T * I && l > 0 && trace->config->residual; i++)
        dbefore[i] += dy[i];
    free(dx);
    return dbefore;
}

void reference_backward(const struct net_config *config, const double *constant,
    const struct reference_sequence *sequence, double *gradient)
{
    double *weights = (double *)constant;
    struct network_trace trace;
    trace_forward(&trace, config, weights, sequence);
    double *dy = backward_head(&trace, weights, sequence, gradient);
    for (size_t l = config->layers; l-- > 0;) {
        double *dbefore = backward_layer(&trace, l, weights, dy, gradient);
        free(dy);
        dy = dbefore;
    }
    double *dx = reference_chain_backward(&trace.input, &trace.names, weights, dy, gradient);
    size_t E = config->embedding;
    for (size_t t = 0; t < trace.T && config->symbols; t++)
        for (size_t e = 0; e < E; e++)
            reference_tensor(&trace.names, gradient,
                "embedding.weight")[(size_t)sequence->symbols[t] * E + e] += dx[t * E + e];
    free(dy);
    free(dx);
    trace_finish(&trace);
}

void reference_get_flow(const struct net_config *config, const double *constant,
    const struct reference_sequence *sequence, size_t l, size_t d, double *norm)
{
    struct network_trace trace;
    trace_forward(&trace, config, constant, sequence);
    reference_layer_flow(&trace.layer[l], &trace.names, (double *)constant, d, norm);
    trace_finish(&trace);
}

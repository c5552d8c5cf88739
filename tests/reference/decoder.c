/* Forward keeps everything of every symbol in one trace; backward walks it the other way: head and output
 * layers, combination, attention, recurrent layers from the last symbol to the first, start maps. */
#include "decoder.h"

#include "cell.h"
#include "reference.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* All that was computed; [n] symbols. */
struct decoder_trace {
    const struct reference_decoder *decoder;
    size_t n, T, F, S, G, K, X;     /* K: width of keys and queries; X: of the first layer's inputs */
    double *e;                      /* [F] */
    double *x[NET_MOST_LAYERS];     /* [n][inputs of the layer] */
    double *start[NET_MOST_LAYERS]; /* [2 S]: h' and c' of the first symbol */
    double *gate[NET_MOST_LAYERS], *recurrent[NET_MOST_LAYERS]; /* [n][G S] */
    double *state[NET_MOST_LAYERS], *h[NET_MOST_LAYERS];        /* [n][S]; of an lru state [n][2 S] */
    double *key;                                                /* [T][K] */
    double *query;                                              /* [n][K]; additive */
    double *alpha;                                              /* [n][T] */
    double *context;                                            /* [n][F] */
    double *combined;                                           /* [n][S] */
    double *v[NET_MOST_LAYERS + 1];                             /* [n][width]; v[0] is combined */
    double *out;                                                /* [n][O] */
};

static double *find(const struct reference_decoder *decoder, const double *flat, const char *format, size_t k)
{
    char name[64];
    snprintf(name, sizeof name, format, k);
    for (size_t i = 0; i < decoder->tensors; i++)
        if (!strcmp(decoder->list[i].name, name))
            return (double *)flat + decoder->list[i].offset;
    fprintf(stderr, "no tensor %s\n", name);
    abort();
}

/* y = W x + b; b NULL: without. */
static void affine(size_t m, size_t n, const double *W, const double *b, const double *x, double *y)
{
    for (size_t i = 0; i < m; i++) {
        y[i] = b ? b[i] : 0;
        for (size_t j = 0; j < n; j++)
            y[i] += W[i * n + j] * x[j];
    }
}

/* Adds to all three; db and dx may be NULL. */
static void affine_back(size_t m, size_t n, const double *W, const double *x, const double *dy, double *dW,
    double *db, double *dx)
{
    for (size_t i = 0; i < m; i++) {
        if (db)
            db[i] += dy[i];
        for (size_t j = 0; j < n; j++) {
            dW[i * n + j] += dy[i] * x[j];
            if (dx)
                dx[j] += W[i * n + j] * dy[i];
        }
    }
}

static void squash(size_t n, double *x)
{
    for (size_t i = 0; i < n; i++)
        x[i] = tanh(x[i]);
}

static void squash_back(size_t n, const double *y, double *dy)
{
    for (size_t i = 0; i < n; i++)
        dy[i] *= 1 - y[i] * y[i];
}

static int has_classes(const struct reference_decoder *decoder)
{
    return decoder->config->loss == LOSS_SOFTMAX;
}

size_t reference_decoder_symbols(const struct reference_decoder *decoder, size_t U)
{
    return U + (has_classes(decoder) ? 1 : 0);
}

static size_t head_width(const struct reference_decoder *decoder)
{
    return decoder->config->outputs + (has_classes(decoder) ? 1 : 0);
}

/* Width of v[k], what output layer k sees; the last is what the head sees. */
static size_t top_width(const struct reference_decoder *decoder, size_t k)
{
    return k == 0 ? decoder->config->decoder_hidden : decoder->config->output_size[k - 1];
}

static void trace_init(
    struct decoder_trace *trace, const struct reference_decoder *decoder, size_t T, size_t n)
{
    const struct net_config *c = decoder->config;
    size_t S = c->decoder_hidden, G = reference_gates(c->cell);
    *trace = (struct decoder_trace){
        .decoder = decoder, .n = n, .T = T, .F = decoder->D * decoder->H, .S = S, .G = G};
    trace->K = c->attention == ATTENTION_ADDITIVE ? c->attention_size : S;
    trace->X = has_classes(decoder) ? c->decoder_embedding : c->outputs;
    trace->e = reference_numbers(trace->F);
    for (size_t l = 0; l < c->decoder_layers; l++) {
        trace->x[l] = reference_numbers(n * (l ? S : trace->X));
        trace->start[l] = reference_numbers(2 * S);
        trace->gate[l] = reference_numbers(n * G * S);
        trace->recurrent[l] = reference_numbers(n * G * S);
        trace->state[l] = reference_numbers(n * reference_state_parts(c->cell) * S);
        trace->h[l] = reference_numbers(n * S);
    }
    trace->key = reference_numbers(T * trace->K);
    trace->query = reference_numbers(n * trace->K);
    trace->alpha = reference_numbers(n * T);
    trace->context = reference_numbers(n * trace->F);
    for (size_t k = 0; k <= c->output_layers; k++)
        trace->v[k] = reference_numbers(n * top_width(decoder, k));
    trace->combined = trace->v[0];
    trace->out = reference_numbers(n * head_width(decoder));
}

static void trace_finish(struct decoder_trace *trace)
{
    free(trace->e);
    for (size_t l = 0; l < trace->decoder->config->decoder_layers; l++) {
        free(trace->x[l]);
        free(trace->start[l]);
        free(trace->gate[l]);
        free(trace->recurrent[l]);
        free(trace->state[l]);
        free(trace->h[l]);
    }
    free(trace->key);
    free(trace->query);
    free(trace->alpha);
    free(trace->context);
    for (size_t k = 0; k <= trace->decoder->config->output_layers; k++)
        free(trace->v[k]);
    free(trace->out);
}

/* B_im lies behind B_re. */
static struct cell_weights lru_weights(const struct reference_decoder *decoder, const double *flat, size_t l)
{
    return (struct cell_weights){.W = find(decoder, flat, "decoder.rnn.B_re_l%zu", l),
        .nu = find(decoder, flat, "decoder.rnn.nu_l%zu", l),
        .theta = find(decoder, flat, "decoder.rnn.theta_l%zu", l),
        .gamma_log = find(decoder, flat, "decoder.rnn.gamma_log_l%zu", l),
        .C_re = find(decoder, flat, "decoder.rnn.C_re_l%zu", l),
        .C_im = find(decoder, flat, "decoder.rnn.C_im_l%zu", l),
        .D = find(decoder, flat, "decoder.rnn.D_l%zu", l),
        .gate = find(decoder, flat, "decoder.rnn.gate_l%zu.weight", l),
        .gate_bias = find(decoder, flat, "decoder.rnn.gate_l%zu.bias", l)};
}

static struct cell_weights layer_weights(
    const struct reference_decoder *decoder, const double *flat, size_t l)
{
    if (decoder->config->cell == CELL_LRU)
        return lru_weights(decoder, flat, l);
    struct cell_weights weights = {.W = find(decoder, flat, "decoder.rnn.weight_ih_l%zu", l),
        .b = find(decoder, flat, "decoder.rnn.bias_ih_l%zu", l)};
    if (reference_cell_sees_all(decoder->config->cell)) {
        weights.U = find(decoder, flat, "decoder.rnn.weight_hh_l%zu", l);
        weights.c = find(decoder, flat, "decoder.rnn.bias_hh_l%zu", l);
    }
    if (decoder->config->cell == CELL_INDRNN)
        weights.u = find(decoder, flat, "decoder.rnn.u_l%zu", l);
    return weights;
}

static struct cell_shape layer_shape(const struct decoder_trace *trace, size_t l)
{
    return (struct cell_shape){
        .cell = trace->decoder->config->cell, .I = l ? trace->S : trace->X, .H = trace->S};
}

static struct reference_step step_at(const struct decoder_trace *trace, size_t l, size_t u)
{
    size_t rows = trace->G * trace->S;
    return (struct reference_step){.gate = trace->gate[l] + u * rows,
        .recurrent = trace->recurrent[l] + u * rows,
        .state = trace->state[l] + u * reference_state_parts(trace->decoder->config->cell) * trace->S,
        .h = trace->h[l] + u * trace->S};
}

/* h and state that symbol u goes on from. */
static struct reference_step step_before(const struct decoder_trace *trace, size_t l, size_t u)
{
    if (u > 0)
        return step_at(trace, l, u - 1);
    size_t h = reference_state_parts(trace->decoder->config->cell) == 2 ? 0 : trace->S;
    return (struct reference_step){.h = trace->start[l], .state = trace->start[l] + h};
}

static size_t start_rows(const struct decoder_trace *trace)
{
    return reference_has_memory(trace->decoder->config->cell) ? 2 * trace->S : trace->S;
}

/* Frame whose outputs of direction d begin the decoder. */
static size_t start_frame(const struct decoder_trace *trace, size_t d)
{
    return d == 0 ? trace->T - 1 : 0;
}

/* Start states and keys. */
static void forward_start(struct decoder_trace *trace, const double *weights, const double *y)
{
    const struct reference_decoder *decoder = trace->decoder;
    size_t H = decoder->H, F = trace->F;
    for (size_t f = 0; f < F; f++)
        trace->e[f] = y[start_frame(trace, f / H) * F + f];
    for (size_t l = 0; l < decoder->config->decoder_layers; l++) {
        affine(start_rows(trace), F, find(decoder, weights, "decoder.start.%zu.weight", l),
            find(decoder, weights, "decoder.start.%zu.bias", l), trace->e, trace->start[l]);
        squash(start_rows(trace), trace->start[l]);
    }
    if (decoder->config->attention == ATTENTION_NONE)
        return;
    const double *W = find(decoder, weights, "attention.key.weight", 0);
    const double *b = decoder->config->attention == ATTENTION_ADDITIVE
        ? find(decoder, weights, "attention.key.bias", 0)
        : NULL;
    for (size_t t = 0; t < trace->T; t++)
        affine(trace->K, F, W, b, y + t * F, trace->key + t * trace->K);
}

static void forward_attention(struct decoder_trace *trace, const double *weights, const double *y, size_t u)
{
    const struct reference_decoder *decoder = trace->decoder;
    size_t S = trace->S, F = trace->F, K = trace->K, T = trace->T;
    const double *d = trace->h[decoder->config->decoder_layers - 1] + u * S;
    double *alpha = trace->alpha + u * T, *c = trace->context + u * F, *q = trace->query + u * K;
    int additive = decoder->config->attention == ATTENTION_ADDITIVE;
    if (additive)
        affine(K, S, find(decoder, weights, "attention.query.weight", 0), NULL, d, q);
    const double *w = additive ? find(decoder, weights, "attention.energy.weight", 0) : NULL;
    double most = -INFINITY, sum = 0;
    for (size_t t = 0; t < T; t++) {
        const double *key = trace->key + t * K;
        alpha[t] = 0;
        for (size_t k = 0; k < K; k++)
            alpha[t] += additive ? w[k] * tanh(q[k] + key[k]) : d[k] * key[k];
        most = fmax(most, alpha[t]);
    }
    for (size_t t = 0; t < T; t++)
        sum += alpha[t] = exp(alpha[t] - most);
    for (size_t t = 0; t < T; t++) {
        alpha[t] /= sum;
        for (size_t f = 0; f < F; f++)
            c[f] += alpha[t] * y[t * F + f];
    }
    double *joined = reference_numbers(S + F);
    memcpy(joined, d, S * sizeof *d);
    memcpy(joined + S, c, F * sizeof *c);
    affine(S, S + F, find(decoder, weights, "decoder.combine.weight", 0),
        find(decoder, weights, "decoder.combine.bias", 0), joined, trace->combined + u * S);
    squash(S, trace->combined + u * S);
    free(joined);
}

/* One symbol; its input x[0] is there. */
static void forward_symbol(struct decoder_trace *trace, const double *weights, const double *y, size_t u)
{
    const struct reference_decoder *decoder = trace->decoder;
    const struct net_config *c = decoder->config;
    size_t S = trace->S;
    for (size_t l = 0; l < c->decoder_layers; l++) {
        struct cell_shape shape = layer_shape(trace, l);
        struct cell_weights cell = layer_weights(decoder, weights, l);
        struct reference_step step = step_at(trace, l, u), before = step_before(trace, l, u);
        if (l > 0)
            memcpy(trace->x[l] + u * S, trace->h[l - 1] + u * S, S * sizeof(double));
        struct cell_past past = {trace->x[l] + u * shape.I, before.h, before.h, before.state};
        reference_cell_forward(&shape, &cell, &past, &step);
    }
    if (c->attention == ATTENTION_NONE)
        memcpy(trace->combined + u * S, trace->h[c->decoder_layers - 1] + u * S, S * sizeof(double));
    else
        forward_attention(trace, weights, y, u);
    for (size_t k = 0; k < c->output_layers; k++) {
        size_t m = top_width(decoder, k + 1), n = top_width(decoder, k);
        affine(m, n, find(decoder, weights, "output.%zu.weight", k),
            find(decoder, weights, "output.%zu.bias", k), trace->v[k] + u * n, trace->v[k + 1] + u * m);
        squash(m, trace->v[k + 1] + u * m);
    }
    size_t n = top_width(decoder, c->output_layers), O = head_width(decoder);
    affine(O, n, find(decoder, weights, "head.weight", 0), find(decoder, weights, "head.bias", 0),
        trace->v[c->output_layers] + u * n, trace->out + u * O);
}

/* x[0] of symbol u: the embedding of `symbol`, or `values`; NULL: zeroes. */
static void set_input(
    struct decoder_trace *trace, const double *weights, size_t u, size_t symbol, const double *values)
{
    size_t X = trace->X;
    double *x = trace->x[0] + u * X;
    if (has_classes(trace->decoder))
        values = find(trace->decoder, weights, "decoder.embedding.weight", 0) + symbol * X;
    for (size_t i = 0; i < X; i++)
        x[i] = values ? values[i] : 0;
}

/* The true symbol before u; the start symbol before the first. */
static size_t symbol_before(
    const struct decoder_trace *trace, const struct reference_targets *targets, size_t u)
{
    return u ? (size_t)targets->classes[u - 1] : trace->decoder->config->outputs + 1;
}

static void forward_forced(
    struct decoder_trace *trace, const double *weights, const struct reference_targets *targets)
{
    forward_start(trace, weights, targets->y);
    for (size_t u = 0; u < trace->n; u++) {
        if (has_classes(trace->decoder))
            set_input(trace, weights, u, symbol_before(trace, targets, u), NULL);
        else
            set_input(trace, weights, u, 0, u ? targets->values + (u - 1) * trace->X : NULL);
        forward_symbol(trace, weights, targets->y, u);
    }
}

static double log_sum(const double *a, size_t n)
{
    double most = a[0], sum = 0;
    for (size_t i = 1; i < n; i++)
        most = fmax(most, a[i]);
    for (size_t i = 0; i < n; i++)
        sum += exp(a[i] - most);
    return most + log(sum);
}

/* Class that symbol u of n should be: a label, or the end symbol. */
static size_t wanted(const struct decoder_trace *trace, const struct reference_targets *targets, size_t u)
{
    return u < targets->U ? (size_t)targets->classes[u] : trace->decoder->config->outputs;
}

static double logistic(double a)
{
    return 1 / (1 + exp(-a));
}

static double value_loss(const struct net_config *c, double a, double v)
{
    double d = a - v, O = (double)c->outputs;
    if (c->loss == LOSS_SIGMOID)
        return v * log1p(exp(-a)) + (1 - v) * log1p(exp(a));
    if (c->loss == LOSS_MAE)
        return fabs(d) / O;
    if (c->loss == LOSS_HUBER)
        return (fabs(d) <= c->huber_delta ? d * d / 2 : c->huber_delta * (fabs(d) - c->huber_delta / 2)) / O;
    if (c->loss == LOSS_LOGCOSH)
        return (fabs(d) + log1p(exp(-2 * fabs(d))) - log(2)) / O;
    return d * d / O;
}

static double value_slope(const struct net_config *c, double a, double v)
{
    double d = a - v, O = (double)c->outputs;
    if (c->loss == LOSS_SIGMOID)
        return logistic(a) - v;
    if (c->loss == LOSS_MAE)
        return (d > 0 ? 1 : d < 0 ? -1 : 0) / O;
    if (c->loss == LOSS_HUBER)
        return fmax(-c->huber_delta, fmin(c->huber_delta, d)) / O;
    if (c->loss == LOSS_LOGCOSH)
        return tanh(d) / O;
    return 2 * d / O;
}

double reference_decoder_loss(const struct reference_decoder *decoder, const double *weights,
    const struct reference_targets *targets, double *outputs)
{
    struct decoder_trace trace;
    trace_init(&trace, decoder, targets->T, reference_decoder_symbols(decoder, targets->U));
    forward_forced(&trace, weights, targets);
    size_t O = head_width(decoder);
    double loss = 0;
    for (size_t u = 0; u < trace.n; u++) {
        const double *a = trace.out + u * O;
        if (has_classes(decoder))
            loss += log_sum(a, O) - a[wanted(&trace, targets, u)];
        else
            for (size_t o = 0; o < O; o++)
                loss += value_loss(decoder->config, a[o], targets->values[u * O + o]);
    }
    if (outputs)
        memcpy(outputs, trace.out, trace.n * O * sizeof *outputs);
    trace_finish(&trace);
    return loss;
}

/* dv [S] by the combination of symbol u, from the outputs. */
static void backward_top(const struct decoder_trace *trace, const double *weights,
    const struct reference_targets *targets, size_t u, double *gradient, double *dcombined)
{
    const struct reference_decoder *decoder = trace->decoder;
    const struct net_config *c = decoder->config;
    size_t O = head_width(decoder), L = c->output_layers, n = top_width(decoder, L);
    double *da = reference_numbers(O), *dv = reference_numbers(n);
    const double *a = trace->out + u * O;
    double normal = log_sum(a, O);
    for (size_t o = 0; o < O; o++)
        da[o] = has_classes(decoder) ? exp(a[o] - normal) - (o == wanted(trace, targets, u))
                                     : value_slope(c, a[o], targets->values[u * O + o]);
    affine_back(O, n, find(decoder, weights, "head.weight", 0), trace->v[L] + u * n, da,
        find(decoder, gradient, "head.weight", 0), find(decoder, gradient, "head.bias", 0), dv);
    for (size_t k = L; k-- > 0;) {
        size_t m = top_width(decoder, k + 1);
        n = top_width(decoder, k);
        double *below = reference_numbers(n);
        squash_back(m, trace->v[k + 1] + u * m, dv);
        affine_back(m, n, find(decoder, weights, "output.%zu.weight", k), trace->v[k] + u * n, dv,
            find(decoder, gradient, "output.%zu.weight", k), find(decoder, gradient, "output.%zu.bias", k),
            below);
        free(dv);
        dv = below;
    }
    memcpy(dcombined, dv, trace->S * sizeof *dv);
    free(da);
    free(dv);
}

/* The combination's gradient (destroyed) into dd [S], dy [T][F] and dkey [T][K]. */
static void backward_attention(const struct decoder_trace *trace, const double *weights, const double *y,
    size_t u, double *dcombined, double *dd, double *dy, double *dkey, double *gradient)
{
    const struct reference_decoder *decoder = trace->decoder;
    size_t S = trace->S, F = trace->F, K = trace->K, T = trace->T;
    const double *d = trace->h[decoder->config->decoder_layers - 1] + u * S, *alpha = trace->alpha + u * T;
    const double *q = trace->query + u * K;
    int additive = decoder->config->attention == ATTENTION_ADDITIVE;
    double *joined = reference_numbers(S + F), *djoined = reference_numbers(S + F);
    double *dq = reference_numbers(K), *dalpha = reference_numbers(T), sum = 0;
    memcpy(joined, d, S * sizeof *d);
    memcpy(joined + S, trace->context + u * F, F * sizeof *d);
    squash_back(S, trace->combined + u * S, dcombined);
    affine_back(S, S + F, find(decoder, weights, "decoder.combine.weight", 0), joined, dcombined,
        find(decoder, gradient, "decoder.combine.weight", 0),
        find(decoder, gradient, "decoder.combine.bias", 0), djoined);
    for (size_t t = 0; t < T; t++) {
        for (size_t f = 0; f < F; f++) {
            dalpha[t] += djoined[S + f] * y[t * F + f];
            dy[t * F + f] += alpha[t] * djoined[S + f];
        }
        sum += alpha[t] * dalpha[t];
    }
    const double *w = additive ? find(decoder, weights, "attention.energy.weight", 0) : NULL;
    double *dw = additive ? find(decoder, gradient, "attention.energy.weight", 0) : NULL;
    for (size_t t = 0; t < T; t++) {
        double dscore = alpha[t] * (dalpha[t] - sum);
        const double *key = trace->key + t * K;
        for (size_t k = 0; k < K; k++) {
            double squashed = additive ? tanh(q[k] + key[k]) : 0;
            double dsum = additive ? dscore * w[k] * (1 - squashed * squashed) : 0;
            if (additive)
                dw[k] += dscore * squashed;
            dq[k] += additive ? dsum : dscore * key[k];
            dkey[t * K + k] += additive ? dsum : dscore * d[k];
        }
    }
    for (size_t s = 0; s < S; s++)
        dd[s] += djoined[s] + (additive ? 0 : dq[s]);
    if (additive)
        affine_back(K, S, find(decoder, weights, "attention.query.weight", 0), d, dq,
            find(decoder, gradient, "attention.query.weight", 0), NULL, dd);
    free(joined);
    free(djoined);
    free(dq);
    free(dalpha);
}

/* dh [n][S] by the outputs of layer l; adds to dx [n][inputs]. Start map included, into de [F]. */
static void backward_layer(const struct decoder_trace *trace, const double *weights, size_t l,
    const double *dh, double *dx, double *de, double *gradient)
{
    const struct reference_decoder *decoder = trace->decoder;
    size_t S = trace->S;
    struct cell_shape shape = layer_shape(trace, l);
    struct cell_weights cell = layer_weights(decoder, weights, l),
                        dcell = layer_weights(decoder, gradient, l);
    double *carried = reference_numbers(3 * S); /* by h and state of the symbol before */
    double *start = reference_state_parts(shape.cell) == 2 ? carried + S : carried;
    double *dm = reference_numbers(S); /* by h of the symbol before, through the recurrent product */
    for (size_t u = trace->n; u-- > 0;) {
        struct reference_step step = step_at(trace, l, u), before = step_before(trace, l, u);
        for (size_t s = 0; s < S; s++)
            carried[s] += dh[u * S + s];
        struct cell_past past = {trace->x[l] + u * shape.I, before.h, before.h, before.state};
        memset(dm, 0, S * sizeof *dm);
        reference_cell_backward(
            &shape, &cell, &past, &step, carried, carried + S, dm, dx + u * shape.I, &dcell);
        for (size_t s = 0; s < S; s++)
            carried[s] += dm[s];
    }
    squash_back(start_rows(trace), trace->start[l], start);
    affine_back(start_rows(trace), trace->F, find(decoder, weights, "decoder.start.%zu.weight", l), trace->e,
        start, find(decoder, gradient, "decoder.start.%zu.weight", l),
        find(decoder, gradient, "decoder.start.%zu.bias", l), de);
    free(carried);
    free(dm);
}

/* Gradients by keys and the vector e into the encoder's outputs; by inputs into the embedding. */
static void backward_start(const struct decoder_trace *trace, const double *weights,
    const struct reference_targets *targets, const double *dkey, const double *de, const double *dx,
    double *dy, double *gradient)
{
    const struct reference_decoder *decoder = trace->decoder;
    size_t F = trace->F, K = trace->K, X = trace->X;
    int kind = (int)decoder->config->attention;
    for (size_t t = 0; t < trace->T && kind != ATTENTION_NONE; t++)
        affine_back(K, F, find(decoder, weights, "attention.key.weight", 0), targets->y + t * F, dkey + t * K,
            find(decoder, gradient, "attention.key.weight", 0),
            kind == ATTENTION_ADDITIVE ? find(decoder, gradient, "attention.key.bias", 0) : NULL, dy + t * F);
    for (size_t f = 0; f < F; f++)
        dy[start_frame(trace, f / decoder->H) * F + f] += de[f];
    for (size_t u = 0; u < trace->n && has_classes(decoder); u++)
        for (size_t i = 0; i < X; i++)
            find(decoder, gradient, "decoder.embedding.weight",
                0)[symbol_before(trace, targets, u) * X + i] += dx[u * X + i];
}

void reference_decoder_backward(const struct reference_decoder *decoder, const double *weights,
    const struct reference_targets *targets, double *dy, double *gradient)
{
    struct decoder_trace trace;
    trace_init(&trace, decoder, targets->T, reference_decoder_symbols(decoder, targets->U));
    forward_forced(&trace, weights, targets);
    size_t n = trace.n, S = trace.S;
    double *dh = reference_numbers(n * S), *dkey = reference_numbers(trace.T * trace.K);
    double *de = reference_numbers(trace.F), *dcombined = reference_numbers(S);
    for (size_t u = 0; u < n; u++) {
        backward_top(&trace, weights, targets, u, gradient, dcombined);
        if (decoder->config->attention == ATTENTION_NONE)
            memcpy(dh + u * S, dcombined, S * sizeof *dh);
        else
            backward_attention(&trace, weights, targets->y, u, dcombined, dh + u * S, dy, dkey, gradient);
    }
    for (size_t l = decoder->config->decoder_layers; l-- > 0;) {
        double *dx = reference_numbers(n * (l ? S : trace.X));
        backward_layer(&trace, weights, l, dh, dx, de, gradient);
        free(dh);
        dh = dx;
    }
    backward_start(&trace, weights, targets, dkey, de, dh, dy, gradient);
    free(dh);
    free(dkey);
    free(de);
    free(dcombined);
    trace_finish(&trace);
}

void reference_decoder_run(const struct reference_decoder *decoder, const double *weights,
    const struct reference_targets *targets, double *values)
{
    struct decoder_trace trace;
    size_t O = head_width(decoder);
    trace_init(&trace, decoder, targets->T, targets->U);
    forward_start(&trace, weights, targets->y);
    for (size_t u = 0; u < targets->U; u++) {
        set_input(&trace, weights, u, 0, u ? values + (u - 1) * O : NULL);
        forward_symbol(&trace, weights, targets->y, u);
        for (size_t o = 0; o < O; o++) {
            double a = trace.out[u * O + o];
            values[u * O + o] = decoder->config->loss == LOSS_SIGMOID ? logistic(a) : a;
        }
    }
    trace_finish(&trace);
}

size_t reference_decoder_greedy(const struct reference_decoder *decoder, const double *weights,
    const struct reference_targets *targets, size_t most, int32_t *labels)
{
    struct decoder_trace trace;
    size_t O = head_width(decoder), u = 0;
    trace_init(&trace, decoder, targets->T, most);
    forward_start(&trace, weights, targets->y);
    for (; u < most; u++) {
        set_input(&trace, weights, u, u ? (size_t)labels[u - 1] : O, NULL);
        forward_symbol(&trace, weights, targets->y, u);
        size_t likeliest = 0;
        for (size_t o = 1; o < O; o++)
            if (trace.out[u * O + o] > trace.out[u * O + likeliest])
                likeliest = o;
        if (likeliest == O - 1)
            break;
        labels[u] = (int32_t)likeliest;
    }
    trace_finish(&trace);
    return u;
}

/* The search so far. */
struct reference_search {
    struct decoder_trace trace;
    const double *weights, *y;
    size_t most, best_count;
    int32_t *prefix, *best; /* [most] */
    double best_score;
};

/* All sequences that go on from a prefix of u labels with this sum of logarithms. */
static void search_on(struct reference_search *search, size_t u, double sum)
{
    struct decoder_trace *trace = &search->trace;
    size_t O = head_width(trace->decoder);
    set_input(trace, search->weights, u, u ? (size_t)search->prefix[u - 1] : O, NULL);
    memset(trace->context + u * trace->F, 0, trace->F * sizeof(double));
    forward_symbol(trace, search->weights, search->y, u);
    double *a = reference_numbers(O);
    memcpy(a, trace->out + u * O, O * sizeof *a);
    double normal = log_sum(a, O);
    for (size_t o = 0; o < O; o++) {
        double total = sum + a[o] - normal, score = total / (double)(u + 1);
        int ends = o == O - 1;
        if (!ends)
            search->prefix[u] = (int32_t)o;
        if ((ends || u + 1 == search->most) && score > search->best_score) {
            search->best_score = score;
            search->best_count = ends ? u : u + 1;
            memcpy(search->best, search->prefix, search->best_count * sizeof *search->best);
        }
        if (!ends && u + 1 < search->most)
            search_on(search, u + 1, total);
    }
    free(a);
}

size_t reference_decoder_best(const struct reference_decoder *decoder, const double *weights,
    const struct reference_targets *targets, size_t most, int32_t *labels)
{
    int32_t *prefix = calloc(most, sizeof *prefix);
    if (!prefix)
        abort();
    struct reference_search search = {.weights = weights,
        .y = targets->y,
        .most = most,
        .prefix = prefix,
        .best = labels,
        .best_score = -INFINITY};
    trace_init(&search.trace, decoder, targets->T, most);
    forward_start(&search.trace, weights, targets->y);
    search_on(&search, 0, 0);
    trace_finish(&search.trace);
    free(prefix);
    return search.best_count;
}

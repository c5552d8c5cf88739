/* The table of parameters, and their starting values. */
#include "base/random.h"
#include "net/layout.h"

#include <assert.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void add_parameter(struct net *net, int dimensions, size_t size0, size_t size1, const char *format,
    ...) __attribute__((format(printf, 5, 6)));

static void add_parameter(
    struct net *net, int dimensions, size_t size0, size_t size1, const char *format, ...)
{
    struct parameter *p = &net->parameter[net->parameters++];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(p->name, sizeof p->name, format, arguments);
    va_end(arguments);
    p->dimensions = dimensions;
    p->size[0] = size0;
    p->size[1] = dimensions == 2 ? size1 : 1;
    p->offset = net->P;
    p->count = p->size[0] * p->size[1];
    net->P += p->count;
}

size_t net_count_head(const struct net_config *c)
{
    return c->outputs + (output_makes_labels(c) ? 1 : 0);
}

static void add_dense(struct net *net, size_t outputs, size_t inputs, const char *name, size_t n)
{
    add_parameter(net, 2, outputs, inputs, "%s.%zu.weight", name, n);
    add_parameter(net, 1, outputs, 1, "%s.%zu.bias", name, n);
}

/* Input and output layers; returns the width of the last. */
static size_t add_dense_layers(
    struct net *net, size_t n, const size_t *sizes, size_t inputs, const char *name)
{
    for (size_t k = 0; k < n; inputs = sizes[k++])
        add_dense(net, sizes[k], inputs, name, k);
    return inputs;
}

static void add_cell(
    struct net *net, const char *prefix, size_t l, const char *suffix, size_t H, size_t inputs)
{
    size_t rows = net_count_gates(net->config.cell) * H;
    add_parameter(net, 2, rows, inputs, "%s.weight_ih_l%zu%s", prefix, l, suffix);
    add_parameter(net, 2, rows, H, "%s.weight_hh_l%zu%s", prefix, l, suffix);
    add_parameter(net, 1, rows, 1, "%s.bias_ih_l%zu%s", prefix, l, suffix);
    add_parameter(net, 1, rows, 1, "%s.bias_hh_l%zu%s", prefix, l, suffix);
}

/* What a direction of layer l has besides its cell. */
static void add_options(struct net *net, size_t l, const char *suffix)
{
    const struct net_config *c = &net->config;
    size_t H = c->hidden[l];
    if (c->peepholes)
        add_parameter(net, 2, 3, H, "rnn.peephole_l%zu%s", l, suffix);
    for (size_t k = 0; k < c->transition_layers; k++) {
        add_parameter(net, 2, H, H, "rnn.transition_l%zu.%zu.weight%s", l, k, suffix);
        add_parameter(net, 1, H, 1, "rnn.transition_l%zu.%zu.bias%s", l, k, suffix);
    }
    if (c->initial_state)
        add_parameter(net, 1, H, 1, "rnn.h0_l%zu%s", l, suffix);
    if (c->initial_state && c->cell == CELL_LSTM)
        add_parameter(net, 1, H, 1, "rnn.c0_l%zu%s", l, suffix);
}

/* Returns the width of the last layer. */
static size_t add_recurrent_layers(struct net *net, size_t inputs)
{
    const struct net_config *c = &net->config;
    for (size_t l = 0; l < c->layers; l++) {
        size_t D = c->bidirectional[l] ? 2 : 1;
        if (c->normalize && l > 0) {
            add_parameter(net, 1, inputs, 1, "norm.%zu.weight", l);
            add_parameter(net, 1, inputs, 1, "norm.%zu.bias", l);
        }
        for (size_t d = 0; d < D; d++) {
            add_cell(net, "rnn", l, d ? "_reverse" : "", c->hidden[l], inputs);
            add_options(net, l, d ? "_reverse" : "");
        }
        inputs = D * c->hidden[l];
    }
    return inputs;
}

/* On encoder outputs of width F; returns the width of what output layers see. */
static size_t add_decoder(struct net *net, size_t F)
{
    const struct net_config *c = &net->config;
    size_t S = c->decoder_hidden, inputs = c->outputs;
    if (loss_of(c)->takes_classes) {
        add_parameter(net, 2, c->outputs + 2, c->decoder_embedding, "decoder.embedding.weight");
        inputs = c->decoder_embedding;
    }
    for (size_t n = 0; n < c->decoder_layers; n++, inputs = S) {
        add_dense(net, c->cell == CELL_LSTM ? 2 * S : S, F, "decoder.start", n);
        add_cell(net, "decoder.rnn", n, "", S, inputs);
    }
    if (c->attention == ATTENTION_NONE)
        return S;
    if (c->attention == ATTENTION_ADDITIVE) {
        add_parameter(net, 2, c->attention_size, S, "attention.query.weight");
        add_parameter(net, 2, c->attention_size, F, "attention.key.weight");
        add_parameter(net, 1, c->attention_size, 1, "attention.key.bias");
        add_parameter(net, 2, 1, c->attention_size, "attention.energy.weight");
    } else {
        add_parameter(net, 2, S, F, "attention.key.weight");
    }
    add_parameter(net, 2, S, S + F, "decoder.combine.weight");
    add_parameter(net, 1, S, 1, "decoder.combine.bias");
    return S;
}

/* More than any configuration of this many layers has. */
static size_t most_parameters(const struct net_config *c)
{
    size_t layer = 2 + 2 * (4 + 3 + 2 * c->transition_layers);
    return 16 + 2 * (c->input_layers + c->output_layers) + layer * c->layers + 6 * c->decoder_layers;
}

int net_list_parameters(struct net *net, struct error *error)
{
    const struct net_config *c = &net->config;
    net->parameter = memory_create(most_parameters(c), sizeof *net->parameter, error);
    if (!net->parameter)
        return -1;
    if (c->embedding)
        add_parameter(net, 2, c->inputs, c->embedding, "embedding.weight");
    size_t width = c->embedding ? c->embedding : c->inputs;
    width = add_dense_layers(net, c->input_layers, c->input_size, width, "input");
    width = add_recurrent_layers(net, width);
    if (output_of(c)->has_decoder)
        width = add_decoder(net, width);
    width = add_dense_layers(net, c->output_layers, c->output_size, width, "output");
    add_parameter(net, 2, net_count_head(c), width, "head.weight");
    add_parameter(net, 1, net_count_head(c), 1, "head.bias");
    return 0;
}

const struct parameter *net_find_parameter(const struct net *net, const char *format, ...)
{
    char name[sizeof net->parameter->name];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(name, sizeof name, format, arguments);
    va_end(arguments);
    for (size_t i = 0; i < net->parameters; i++)
        if (strcmp(net->parameter[i].name, name) == 0)
            return &net->parameter[i];
    assert(!"a parameter of this name");
    return NULL;
}

/* Uniform in (-bound, bound), numbers first .. first + n - 1 of parameter `index`. */
static void init_uniform(uint64_t seed, size_t index, size_t first, size_t n, double bound, float *out)
{
    for (size_t i = 0; i < n; i++)
        out[i] = (float)(bound * (2 * random_uniform(seed, RANDOM_WEIGHTS, index, first + i) - 1));
}

/* Q = H_1 H_2 ... H_n of n reflections H_k = 1 - 2 v v^T / v^T v, v random in its last n - k + 1 places
 * (Stewart 1980 draws v normal; uniform v gives a matrix as orthogonal). Rows and columns below k do not meet
 * H_k, so building from the last reflection on touches only the corner that is not yet the identity. */
static int init_orthogonal(uint64_t seed, size_t index, size_t gate, size_t n, float *out)
{
    double *Q = memory_create(n * n, sizeof *Q, NULL);
    double *v = memory_create(n, sizeof *v, NULL), *w = memory_create(n, sizeof *w, NULL);
    if (Q && v && w) {
        for (size_t i = 0; i < n; i++)
            Q[i * n + i] = 1;
        for (size_t k = n; k-- > 0;) {
            double squares = 0;
            for (size_t i = k; i < n; i++) {
                v[i] = 2 * random_uniform(seed, RANDOM_WEIGHTS, index, (gate * n + k) * n + i) - 1;
                squares += v[i] * v[i];
            }
            memset(w + k, 0, (n - k) * sizeof *w);
            for (size_t i = k; i < n; i++)
                for (size_t j = k; j < n; j++)
                    w[j] += v[i] * Q[i * n + j];
            for (size_t i = k; i < n; i++) {
                double factor = 2 * v[i] / squares;
                for (size_t j = k; j < n; j++)
                    Q[i * n + j] -= factor * w[j];
            }
        }
        for (size_t i = 0; i < n * n; i++)
            out[i] = (float)Q[i];
    }
    int failed = !Q || !v || !w;
    memory_destroy(Q);
    memory_destroy(v);
    memory_destroy(w);
    return failed ? -1 : 0;
}

/* Is this tensor one of "rnn.KIND..." or "decoder.rnn.KIND..."? */
static int is_recurrent(const struct parameter *p, const char *kind)
{
    const char *at = strstr(p->name, "rnn.");
    return at && strncmp(at + 4, kind, strlen(kind)) == 0;
}

/* Weights and biases of a cell: input weights and biases within 1 / sqrt(H). */
static int init_cell(uint64_t seed, size_t i, const struct parameter *p, enum cell cell, float *out)
{
    size_t G = net_count_gates(cell), H = p->size[0] / G;
    if (!is_recurrent(p, "weight_hh"))
        init_uniform(seed, i, 0, p->count, 1 / sqrt((double)H), out);
    for (size_t g = 0; g < G && is_recurrent(p, "weight_hh"); g++)
        if (init_orthogonal(seed, i, g, H, out + g * H * H))
            return -1;
    for (size_t u = 0; u < H && cell == CELL_LSTM && is_recurrent(p, "bias"); u++)
        out[H + u] = 0.5f;
    return 0;
}

static int ends_in(const char *name, const char *end)
{
    size_t n = strlen(name), m = strlen(end);
    return n >= m && strcmp(name + n - m, end) == 0;
}

int net_init_weights(const struct net *net, uint64_t seed, float *weights, struct error *error)
{
    const struct parameter *weight = NULL; /* whose bias comes next */
    for (size_t i = 0; i < net->parameters; i++) {
        const struct parameter *p = &net->parameter[i];
        float *out = weights + p->offset;
        int normalizes = strncmp(p->name, "norm.", 5) == 0;
        weight = p->dimensions == 2 ? p : weight;
        if (is_recurrent(p, "weight_") || is_recurrent(p, "bias_")) {
            if (init_cell(seed, i, p, net->config.cell, out))
                return error_set(error, EXIT_CODE_INTERNAL, "out of memory for starting weights");
        } else if (ends_in(p->name, "embedding.weight")) {
            for (size_t k = 0; k < p->count; k++)
                out[k] = (float)random_normal(seed, RANDOM_WEIGHTS, i, k);
        } else if (normalizes || is_recurrent(p, "h0_") || is_recurrent(p, "c0_")) {
            for (size_t k = 0; k < p->count; k++)
                out[k] = normalizes && ends_in(p->name, ".weight") ? 1 : 0;
        } else {
            init_uniform(seed, i, 0, p->count, 1 / sqrt((double)weight->size[1]), out);
        }
    }
    return 0;
}

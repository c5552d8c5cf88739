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

int net_list_parameters(struct net *net, struct error *error)
{
    const struct net_config *c = &net->config;
    net->parameter = memory_create(8 * c->layers + 3, sizeof *net->parameter, error);
    if (!net->parameter)
        return -1;
    if (c->embedding)
        add_parameter(net, 2, c->inputs, c->embedding, "embedding.weight");
    size_t G = net_count_gates(c->cell), inputs = c->embedding ? c->embedding : c->inputs;
    for (size_t l = 0; l < c->layers; l++) {
        size_t H = c->hidden[l], D = c->bidirectional[l] ? 2 : 1;
        for (size_t d = 0; d < D; d++) {
            const char *suffix = d ? "_reverse" : "";
            add_parameter(net, 2, G * H, inputs, "rnn.weight_ih_l%zu%s", l, suffix);
            add_parameter(net, 2, G * H, H, "rnn.weight_hh_l%zu%s", l, suffix);
            add_parameter(net, 1, G * H, 1, "rnn.bias_ih_l%zu%s", l, suffix);
            add_parameter(net, 1, G * H, 1, "rnn.bias_hh_l%zu%s", l, suffix);
        }
        inputs = D * H;
    }
    add_parameter(net, 2, c->outputs, inputs, "head.weight");
    add_parameter(net, 1, c->outputs, 1, "head.bias");
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

int net_init_weights(const struct net *net, uint64_t seed, float *weights, struct error *error)
{
    const struct net_config *c = &net->config;
    size_t G = net_count_gates(c->cell);
    for (size_t i = 0; i < net->parameters; i++) {
        const struct parameter *p = &net->parameter[i];
        float *out = weights + p->offset;
        if (strncmp(p->name, "rnn.", 4) == 0) {
            size_t H = p->size[0] / G;
            if (strncmp(p->name, "rnn.weight_hh", 13) == 0) {
                for (size_t g = 0; g < G; g++)
                    if (init_orthogonal(seed, i, g, H, out + g * H * H))
                        return error_set(error, EXIT_CODE_INTERNAL, "out of memory for starting weights");
            } else {
                init_uniform(seed, i, 0, p->count, 1 / sqrt((double)H), out);
            }
            if (c->cell == CELL_LSTM && strncmp(p->name, "rnn.bias", 8) == 0)
                for (size_t u = 0; u < H; u++)
                    out[H + u] = 0.5f;
        } else if (strcmp(p->name, "embedding.weight") == 0) {
            for (size_t k = 0; k < p->count; k++)
                out[k] = (float)random_normal(seed, RANDOM_WEIGHTS, i, k);
        } else {
            const struct parameter *head = net_find_parameter(net, "head.weight");
            init_uniform(seed, i, 0, p->count, 1 / sqrt((double)head->size[1]), out);
        }
    }
    return 0;
}

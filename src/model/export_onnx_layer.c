/* A recurrent layer as an operator of ONNX: its directions lie one upon another in each of its tensors. Rows
 * of one direction [frames, sequences, H] come out of the operator as [frames, directions, sequences, H]. */
#include "model/export_onnx.h"

#include "net/cells/cell.h"

#include <string.h>

/* Which layer it is. */
struct onnx_layer {
    size_t l, D, H, G;
    const struct cell_onnx *onnx;
};

static const char *suffix_of(size_t d)
{
    return d ? "_reverse" : "";
}

/* Puts blocks of `size` numbers each in the order of the operator. */
static void reorder(const float *from, const size_t *order, size_t blocks, size_t size, float *to)
{
    for (size_t g = 0; g < blocks && to; g++)
        memcpy(to + g * size, from + order[g] * size, size * sizeof *to);
}

/* Adds [D, blocks * rows, columns] of the directions' tensors of a name, "rnn.NAME_l0_reverse" and so on. */
static const char *add_weights(
    struct onnx_network *network, const struct onnx_layer *layer, const char *name, size_t columns)
{
    struct graph *graph = network->graph;
    size_t size = layer->H * columns, of_direction = layer->G * size;
    float *all = graph_floats(graph, layer->D * of_direction);
    for (size_t d = 0; d < layer->D && all; d++)
        reorder(onnx_find(network, graph_text(graph, "rnn.%s_l%zu%s", name, layer->l, suffix_of(d))),
            layer->onnx->order, layer->G, size, all + d * of_direction);
    return graph_add_floats(graph, graph_text(graph, "rnn.%s_l%zu", name, layer->l), 3,
        (size_t[]){layer->D, layer->G * layer->H, columns}, all);
}

/* Adds both biases of the directions, [D, 2 G H]. */
static const char *add_biases(struct onnx_network *network, const struct onnx_layer *layer)
{
    struct graph *graph = network->graph;
    size_t H = layer->H, half = layer->G * H;
    float *all = graph_floats(graph, layer->D * 2 * half);
    for (size_t d = 0; d < layer->D && all; d++) {
        const char *ih = graph_text(graph, "rnn.bias_ih_l%zu%s", layer->l, suffix_of(d));
        const char *hh = graph_text(graph, "rnn.bias_hh_l%zu%s", layer->l, suffix_of(d));
        reorder(onnx_find(network, ih), layer->onnx->order, layer->G, H, all + 2 * d * half);
        reorder(onnx_find(network, hh), layer->onnx->order, layer->G, H, all + (2 * d + 1) * half);
    }
    return graph_add_floats(
        graph, graph_text(graph, "rnn.bias_l%zu", layer->l), 2, (size_t[]){layer->D, 2 * half}, all);
}

/* Adds the peepholes of the directions, [D, 3 H]; "": the network has none. */
static const char *add_peepholes(struct onnx_network *network, const struct onnx_layer *layer)
{
    struct graph *graph = network->graph;
    const struct cell_kind *kind = cell_of(network->config);
    size_t rows = kind->unit_weights, size = rows * layer->H;
    if (!cell_has_unit_weights(kind, network->config->peepholes))
        return "";
    float *all = graph_floats(graph, layer->D * size);
    for (size_t d = 0; d < layer->D && all; d++)
        reorder(
            onnx_find(network, graph_text(graph, "rnn.%s_l%zu%s", kind->unit_weight, layer->l, suffix_of(d))),
            layer->onnx->unit_order, rows, layer->H, all + d * size);
    return graph_add_floats(
        graph, graph_text(graph, "rnn.peephole_l%zu", layer->l), 2, (size_t[]){layer->D, size}, all);
}

/* Adds a learned state of the start, "h0" or "c0", for each sequence: [D, sequences, H]. */
static const char *add_start(struct onnx_network *network, const struct onnx_layer *layer, const char *name)
{
    struct graph *graph = network->graph;
    size_t H = layer->H, l = layer->l;
    float *all = graph_floats(graph, layer->D * H);
    for (size_t d = 0; d < layer->D && all; d++)
        memcpy(all + d * H, onnx_find(network, graph_text(graph, "rnn.%s_l%zu%s", name, l, suffix_of(d))),
            H * sizeof *all);
    const char *state = graph_add_floats(
        graph, graph_text(graph, "rnn.%s_l%zu", name, l), 3, (size_t[]){layer->D, 1, H}, all);
    const char *D = graph_add_integers(
        graph, graph_text(graph, "rnn.%s_l%zu.directions", name, l), 1, (int64_t[]){(int64_t)layer->D});
    const char *units = graph_add_integers(
        graph, graph_text(graph, "rnn.%s_l%zu.units", name, l), 1, (int64_t[]){(int64_t)H});
    const char *B =
        onnx_apply(network, "Shape", "lengths", NULL, graph_text(graph, "rnn.%s_l%zu.sequences", name, l));
    const char *shape = graph_text(graph, "rnn.%s_l%zu.shape", name, l);
    graph_node(graph, "Concat", (const char *const[]){D, B, units, NULL}, (const char *const[]){shape, NULL});
    graph_integer(graph, "axis", 0);
    return onnx_apply(network, "Expand", state, shape, graph_text(graph, "rnn.%s_l%zu.start", name, l));
}

/* Adds a transposition and a reshaping in which 0 keeps a size and -1 takes the rest. */
static const char *add_join(struct onnx_network *network, const char *x, const char *name, size_t dimensions,
    const int64_t *order, const int64_t *shape)
{
    struct graph *graph = network->graph;
    const char *turned = graph_text(graph, "%s.turned", name);
    onnx_apply(network, "Transpose", x, NULL, turned);
    graph_integers(graph, "perm", dimensions, order);
    const char *sizes = graph_add_integers(graph, graph_text(graph, "%s.sizes", name), dimensions - 1, shape);
    return onnx_apply(network, "Reshape", turned, sizes, name);
}

/* Adds the layer's normalization, whose rows the operator sees. */
static const char *add_norm(struct onnx_network *network, size_t l, const char *x, size_t width)
{
    struct graph *graph = network->graph;
    const char *weight = graph_text(graph, "norm.%zu.weight", l),
               *bias = graph_text(graph, "norm.%zu.bias", l);
    const char *output = graph_text(graph, "norm.%zu", l);
    graph_add_floats(graph, weight, 1, &width, onnx_find(network, weight));
    graph_add_floats(graph, bias, 1, &width, onnx_find(network, bias));
    graph_node(graph, "LayerNormalization", (const char *const[]){x, weight, bias, NULL},
        (const char *const[]){output, NULL});
    graph_integer(graph, "axis", -1);
    graph_real(graph, "epsilon", 1e-5F);
    return output;
}

/* Adds the operator itself on rows x of `width`; returns its rows. */
static const char *add_operator(
    struct onnx_network *network, const struct onnx_layer *layer, const char *x, size_t width)
{
    struct graph *graph = network->graph;
    const struct net_config *c = network->config;
    int memory = cell_of(c)->has_memory;
    const char *W = add_weights(network, layer, "weight_ih", width);
    const char *R = add_weights(network, layer, "weight_hh", layer->H);
    const char *B = add_biases(network, layer), *P = add_peepholes(network, layer);
    const char *h0 = c->initial_state ? add_start(network, layer, "h0") : "";
    const char *c0 = c->initial_state && memory ? add_start(network, layer, "c0") : "";
    const char *rows = graph_text(graph, "rnn.%zu.rows", layer->l);
    const char *last = graph_text(graph, "rnn.%zu.states", layer->l);
    const char *all[] = {x, W, R, B, "lengths", h0, memory ? c0 : NULL, P, NULL};
    graph_node(graph, layer->onnx->op, all, (const char *const[]){rows, last, NULL});
    graph_integer(graph, "hidden_size", (int64_t)layer->H);
    graph_word(graph, "direction", layer->D == 2 ? "bidirectional" : "forward");
    if (layer->onnx->linear_before_reset)
        graph_integer(graph, "linear_before_reset", 1);
    if (layer->onnx->activation)
        graph_words(graph, "activations", layer->D, layer->onnx->activation);
    if (network->wants_last)
        network->last[layer->l] = add_join(network, last, graph_text(graph, "rnn.%zu.last", layer->l), 3,
            (int64_t[]){1, 0, 2}, (int64_t[]){0, -1});
    return add_join(network, rows, graph_text(graph, "rnn.%zu", layer->l), 4, (int64_t[]){0, 2, 1, 3},
        (int64_t[]){0, 0, -1});
}

const char *onnx_add_layer(struct onnx_network *network, size_t l, const char *x, size_t *width)
{
    const struct net_config *c = network->config;
    const struct cell_kind *kind = cell_of(c);
    const struct onnx_layer layer = {
        .l = l, .D = c->bidirectional[l] ? 2 : 1, .H = c->hidden[l], .G = kind->gates, .onnx = kind->onnx};
    const char *seen = l > 0 && c->normalize ? add_norm(network, l, x, *width) : x;
    int is_operator = kind->onnx && !c->transition_layers;
    const char *rows =
        is_operator ? add_operator(network, &layer, seen, *width) : onnx_add_scan(network, l, seen);
    *width = layer.D * layer.H;
    if (l > 0 && c->residual)
        return onnx_apply(network, "Add", rows, x, graph_text(network->graph, "rnn.%zu.residual", l));
    return rows;
}

/* With residuals the last rows are the sum of those of all layers. */
const char *onnx_add_last_states(struct onnx_network *network)
{
    const struct net_config *c = network->config;
    const char *last = network->last[c->layers - 1];
    for (size_t l = c->layers - 1; l > 0 && c->residual; l--)
        last =
            onnx_apply(network, "Add", last, network->last[l - 1], graph_text(network->graph, "last.%zu", l));
    return last;
}

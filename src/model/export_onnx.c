/* A network as a model of ONNX, opset 17: `inputs` [frames, sequences, features] (symbols: 64-bit integers
 * [frames, sequences]) and `lengths` [sequences] go in, `outputs` come out. Sequences of any lengths go
 * together: recurrent layers take the lengths, and what stands behind the end of a sequence is of no
 * meaning. Gates and directions are put into the order of the operators (onnx/onnx, docs/Operators.md). */
#include "model/export.h"

#ifdef HAVE_ONNX

#include "model/export_onnx.h"
#include "model/facts.h"
#include "model/onnx_text.h"
#include "net/losses/loss.h"
#include "net/outputs/output.h"

#include <stdio.h>
#include <stdlib.h>

/* Adds W x + b of a layer, whose weight has O rows of I numbers. */
static const char *add_affine(
    struct onnx_network *network, const char *layer, const char *x, size_t I, size_t O)
{
    struct graph *graph = network->graph;
    const float *weight = onnx_find(network, graph_text(graph, "%s.weight", layer));
    const char *bias = graph_text(graph, "%s.bias", layer);
    float *turned = graph_floats(graph, I * O);
    for (size_t o = 0; o < O && turned; o++)
        for (size_t i = 0; i < I; i++)
            turned[i * O + o] = weight[o * I + i];
    const char *matrix =
        graph_add_floats(graph, graph_text(graph, "%s.weight", layer), 2, (size_t[]){I, O}, turned);
    graph_add_floats(graph, bias, 1, &O, onnx_find(network, bias));
    const char *product = onnx_apply(network, "MatMul", x, matrix, graph_text(graph, "%s.product", layer));
    return onnx_apply(network, "Add", product, bias, graph_text(graph, "%s.sum", layer));
}

/* Adds layers with tanh; *width is that of the rows before, and then of those behind. */
static const char *add_dense(struct onnx_network *network, const char *kind, size_t n, const size_t *size,
    const char *x, size_t *width)
{
    for (size_t k = 0; k < n; k++) {
        const char *layer = graph_text(network->graph, "%s.%zu", kind, k);
        const char *sum = add_affine(network, layer, x, *width, size[k]);
        x = onnx_apply(network, "Tanh", sum, NULL, graph_text(network->graph, "%s.tanh", layer));
        *width = size[k];
    }
    return x;
}

/* Makes floats of mean or deviation, in which prediction computes too. */
static const char *add_moments(struct onnx_network *network, const char *name, const double *moments)
{
    size_t n = network->checkpoint->features;
    float *values = graph_floats(network->graph, n);
    for (size_t i = 0; i < n && values; i++)
        values[i] = (float)moments[i];
    return graph_add_floats(network->graph, name, 1, &n, values);
}

static const char *add_one_hot(struct onnx_network *network, const char *x)
{
    static const float off_on[] = {0, 1};
    struct graph *graph = network->graph;
    const char *depth =
        graph_add_integers(graph, "symbols", 1, (int64_t[]){(int64_t)network->config->inputs});
    const char *values = graph_add_floats(graph, "off_on", 1, (size_t[]){2}, off_on);
    graph_node(graph, "OneHot", (const char *const[]){x, depth, values, NULL},
        (const char *const[]){"one_hot", NULL});
    graph_integer(graph, "axis", -1);
    return "one_hot";
}

/* Adds what brings inputs to the first layer; sets *width. */
static const char *add_inputs(struct onnx_network *network, size_t *width)
{
    const struct net_config *c = network->config;
    const struct checkpoint *checkpoint = network->checkpoint;
    const char *x = "inputs", *features = graph_text(network->graph, "%zu", c->inputs);
    const char *symbols[] = {"frames", "sequences", NULL},
               *values[] = {"frames", "sequences", features, NULL};
    graph_input(network->graph, x, c->symbols ? GRAPH_INT64 : GRAPH_FLOAT, c->symbols ? symbols : values);
    graph_input(network->graph, "lengths", GRAPH_INT32, (const char *const[]){"sequences", NULL});
    *width = c->embedding ? c->embedding : c->inputs;
    if (c->embedding) {
        const char *table = graph_add_floats(network->graph, "embedding.weight", 2,
            (size_t[]){c->inputs, c->embedding}, onnx_find(network, "embedding.weight"));
        x = onnx_apply(network, "Gather", table, x, "embedding");
    } else if (c->symbols) {
        x = add_one_hot(network, x);
    } else if (checkpoint->features) {
        x = onnx_apply(network, "Sub", x, add_moments(network, "mean", checkpoint->mean), "centred");
        x = onnx_apply(
            network, "Div", x, add_moments(network, "deviation", checkpoint->deviation), "standardized");
    }
    return add_dense(network, "input", c->input_layers, c->input_size, x, width);
}

/* Adds the head and what the loss makes of its sums, which are the outputs. */
static void add_head(struct onnx_network *network, const char *x, size_t width)
{
    size_t O = net_count_head(network->config);
    const char *text = loss_of(network->config)->onnx, *columns = graph_text(network->graph, "%zu", O);
    const struct onnx_name from[] = {
        {"sums", add_affine(network, "head", x, width, O)}, {"outputs", "outputs"}, {NULL, NULL}};
    onnx_add_text(network, text ? text : "outputs = Identity (sums)\n",
        &(struct onnx_scope){.prefix = "loss.", .from = from});
    if (network->wants_last)
        graph_output(
            network->graph, "outputs", GRAPH_FLOAT, (const char *const[]){"sequences", columns, NULL});
    else
        graph_output(network->graph, "outputs", GRAPH_FLOAT,
            (const char *const[]){"frames", "sequences", columns, NULL});
}

static int add_fact(void *context, const char *name, const char *value, struct error *error)
{
    graph_fact(context, name, value);
    return 0;
}

static int add_network(struct onnx_network *network, struct error *error)
{
    const struct net_config *c = network->config;
    size_t width;
    network->wants_last = output_of(c)->rows == PER_SEQUENCE;
    const char *x = add_inputs(network, &width);
    for (size_t l = 0; l < c->layers; l++)
        x = onnx_add_layer(network, l, x, &width);
    if (network->wants_last)
        x = onnx_add_last_states(network);
    x = add_dense(network, "output", c->output_layers, c->output_size, x, &width);
    add_head(network, x, width);
    if (output_of(c)->aligns)
        graph_fact(network->graph, "rnn-train.blank", graph_text(network->graph, "%zu", c->outputs));
    return facts_list(network->checkpoint, add_fact, network->graph, error);
}

/* Do the layers that a residual adds have as many directions each? */
static int has_even_residuals(const struct net_config *c)
{
    for (size_t l = 1; l < c->layers; l++)
        if (c->residual && c->bidirectional[l] != c->bidirectional[0])
            return 0;
    return 1;
}

/* Returns what of the network ONNX has no form for, or NULL. */
static const char *find_obstacle(const struct net_config *c, char text[80])
{
    int per_sequence = output_of(c)->rows == PER_SEQUENCE;
    if (output_of(c)->has_decoder)
        snprintf(text, 80, "output = %s", output_of(c)->name);
    else if (loss_of(c)->present && !loss_of(c)->onnx)
        snprintf(text, 80, "loss = %s", loss_of(c)->name);
    else if (per_sequence && !c->layers)
        snprintf(text, 80, "output = %s without recurrent layers", output_of(c)->name);
    else if (per_sequence && !has_even_residuals(c))
        snprintf(text, 80, "residual = yes between layers of one direction and of both");
    else
        return NULL;
    return text;
}

static int write_onnx(const struct stored *stored, const char *path, struct error *error)
{
    struct onnx_network network = {.checkpoint = &stored->checkpoint, .config = &stored->checkpoint.model};
    char text[80];
    size_t size = 0;
    const char *obstacle = find_obstacle(network.config, text);
    if (obstacle)
        return error_set(error, EXIT_CODE_USAGE, "%s: %s has no form in ONNX: export to another format",
            stored->path, obstacle);
    network.graph = graph_create();
    if (!network.graph)
        return error_set(error, EXIT_CODE_INTERNAL, "out of memory");
    int failed = add_network(&network, error) != 0;
    void *bytes = failed ? NULL : graph_pack(network.graph, &size, error);
    graph_destroy(network.graph);
    failed = !bytes || store_write_pieces(path, &(struct file_piece){bytes, size}, 1, error) != 0;
    free(bytes);
    return failed ? -1 : 0;
}

#else

static int write_onnx(const struct stored *stored, const char *path, struct error *error)
{
    return error_set(error, EXIT_CODE_USAGE,
        "%s: this program was built without protobuf-c and onnx.proto, by which models of ONNX are written: "
        "build it with them, or export to another format",
        path);
}

#endif

const struct export_kind export_onnx = {"a model for onnxruntime and others (opset 17)", write_onnx};

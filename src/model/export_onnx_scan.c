/* A recurrent layer that no operator of ONNX is: of each direction a Scan, whose body is the cell's step. A
 * reverse direction is a forward one on sequences of which each is turned around by its own length
 * (ReverseSequence), and so are its rows. Rows behind the end of a sequence come after its last state, which
 * is looked up. */
#include "model/export_onnx.h"
#include "model/onnx_text.h"

#include "net/cells/cell.h"

#include <string.h>

enum { STATES = 2 };
static const char *const state_names[STATES] = {"h", "c"};
static const char *const next_names[STATES] = {"h_next", "c_next"};

/* A direction of a layer. `scope` is that of what is computed outside of its steps. */
struct onnx_direction {
    size_t H, states, rows; /* units; states; how many of these have their rows go out */
    const struct cell_kind *kind;
    struct onnx_scope scope;
};

static const char *find(const struct onnx_network *network, const struct onnx_direction *d, const char *name)
{
    return onnx_name_value(network, &d->scope, name);
}

/* Makes [cell_count_unit_numbers][H] of what a step takes of each unit: the weights themselves, which are
 * zeroes where the network does without them, or numbers that follow from the unit tensors. */
static void find_unit_numbers(
    const struct onnx_network *network, const struct onnx_direction *d, float *numbers)
{
    const struct cell_kind *kind = d->kind;
    const char *l = graph_text(network->graph, "l%zu%s", d->scope.layer, d->scope.suffix);
    if (!kind->unit_tensors) {
        const float *weights =
            onnx_find(network, graph_text(network->graph, "rnn.%s_%s", kind->unit_weight, l));
        if (weights)
            memcpy(numbers, weights, kind->unit_weights * d->H * sizeof *weights);
        return;
    }
    float *weights = graph_floats(network->graph, kind->unit_weights * d->H);
    for (size_t k = 0; k < kind->unit_weights && weights; k++)
        memcpy(weights + k * d->H,
            onnx_find(network, graph_text(network->graph, "rnn.%s_%s", kind->unit_tensors[k].name, l)),
            d->H * sizeof *weights);
    for (size_t u = 0; u < d->H && weights; u++)
        kind->pack_unit(weights + u, d->H, numbers + u, d->H);
}

/* Adds what a step takes of each unit, where it takes anything. */
static void add_unit_numbers(struct onnx_network *network, const struct onnx_direction *d)
{
    size_t n = cell_count_unit_numbers(d->kind);
    float *numbers = n ? graph_floats(network->graph, n * d->H) : NULL;
    if (!numbers)
        return;
    find_unit_numbers(network, d, numbers);
    graph_add_floats(network->graph, find(network, d, "unit"), 2, (size_t[]){n, d->H}, numbers);
}

/* Adds the state that sequences start from, "h" or "c", [sequences, H]. */
static const char *add_start(struct onnx_network *network, const struct onnx_direction *d, const char *state)
{
    static const char text[] = "sequences = Shape (lengths)\n"
                               "shape = Concat <axis = 0> (sequences, units)\n"
                               "start = Expand (state, shape)\n";
    static const struct onnx_name from[] = {{"lengths", "lengths"}, {NULL, NULL}};
    struct graph *graph = network->graph;
    const struct onnx_scope scope = {
        .prefix = graph_text(graph, "%s%s.", d->scope.prefix, state), .from = from};
    const float *learned =
        onnx_find(network, graph_text(graph, "rnn.%s0_l%zu%s", state, d->scope.layer, d->scope.suffix));
    const int64_t units = (int64_t)d->H;
    graph_add_integers(graph, onnx_name_value(network, &scope, "units"), 1, &units);
    graph_add_floats(graph, onnx_name_value(network, &scope, "state"), 2, (size_t[]){1, d->H},
        learned ? learned : graph_floats(graph, d->H));
    onnx_add_text(network, text, &scope);
    return onnx_name_value(network, &scope, "start");
}

/* Adds the layers between states, on h; returns what the recurrent product sees. */
static const char *add_transition(
    struct onnx_network *network, const struct onnx_direction *d, const struct onnx_scope *step)
{
    const char *m = onnx_name_value(network, step, "h");
    for (size_t k = 0; k < network->config->transition_layers; k++) {
        const char *text = graph_text(network->graph,
            "sum = Gemm <transB = 1> (m, transition_l@.%zu.weight, transition_l@.%zu.bias)\n"
            "tanh = Tanh (sum)\n",
            k, k);
        const struct onnx_name from[] = {{"m", m}, {NULL, NULL}};
        const struct onnx_scope scope = {graph_text(network->graph, "%stransition.%zu.", step->prefix, k),
            d->scope.layer, d->scope.suffix, from};
        onnx_add_text(network, text, &scope);
        m = onnx_name_value(network, &scope, "tanh");
    }
    return m;
}

/* Adds the body of the Scan: states and what comes in of a frame go in, the next states and their rows go
 * out. */
static void add_body(struct onnx_network *network, const struct onnx_direction *d)
{
    struct graph *graph = network->graph;
    struct onnx_name from[] = {{"unit", find(network, d, "unit")}, {"m", NULL}, {NULL, NULL}};
    const struct onnx_scope step = {
        graph_text(graph, "%sstep.", d->scope.prefix), d->scope.layer, d->scope.suffix, from};
    const char *units = graph_text(graph, "%zu", d->H),
               *sums = graph_text(graph, "%zu", d->kind->gates * d->H);
    const char *const shape[] = {"sequences", units, NULL}, *const wide[] = {"sequences", sums, NULL};
    for (size_t s = 0; s < d->states; s++)
        graph_input(graph, onnx_name_value(network, &step, state_names[s]), GRAPH_FLOAT, shape);
    graph_input(graph, onnx_name_value(network, &step, "a"), GRAPH_FLOAT, wide);
    from[1].value = add_transition(network, d, &step);
    onnx_add_text(network, d->kind->onnx_step, &step);
    for (size_t s = 0; s < d->states; s++)
        graph_output(graph, onnx_name_value(network, &step, next_names[s]), GRAPH_FLOAT, shape);
    for (size_t s = 0; s < d->rows; s++) {
        const char *next = onnx_name_value(network, &step, next_names[s]);
        const char *row = graph_text(graph, "%s.row", next);
        graph_output(graph, onnx_apply(network, "Identity", next, NULL, row), GRAPH_FLOAT, shape);
    }
}

/* Adds the steps over the frames of the sums "a"; the rows of states are called as these then. */
static void add_steps(struct onnx_network *network, const struct onnx_direction *d)
{
    struct graph *graph = network->graph;
    const char *inputs[STATES + 2], *outputs[2 * STATES + 1];
    for (size_t s = 0; s < d->states; s++) {
        inputs[s] = add_start(network, d, state_names[s]);
        outputs[s] = graph_text(graph, "%s%s.end", d->scope.prefix, state_names[s]);
    }
    inputs[d->states] = find(network, d, "a");
    inputs[d->states + 1] = NULL;
    for (size_t s = 0; s < d->rows; s++)
        outputs[d->states + s] = find(network, d, state_names[s]);
    outputs[d->states + d->rows] = NULL;
    add_unit_numbers(network, d);
    graph_open(graph);
    add_body(network, d);
    graph_close(graph, "Scan", inputs, outputs);
    graph_integer(graph, "num_scan_inputs", 1);
}

/* Turns the frames of each sequence around. */
static const char *add_turn(struct onnx_network *network, const char *x, const char *name)
{
    const char *const inputs[] = {x, onnx_long_lengths(network), NULL};
    graph_node(network->graph, "ReverseSequence", inputs, (const char *const[]){name, NULL});
    graph_integer(network->graph, "batch_axis", 1);
    graph_integer(network->graph, "time_axis", 0);
    return name;
}

/* Adds the row of each sequence's own last step, [sequences, H]. */
static const char *add_last(struct onnx_network *network, const struct onnx_direction *d, const char *rows)
{
    static const char text[] = "one = Constant <value_ints = [1]> ()\n"
                               "end = Sub (lengths, one)\n"
                               "place = Unsqueeze (end, one)\n"
                               "turned = Transpose <perm = [1, 0, 2]> (rows)\n"
                               "last = GatherND <batch_dims = 1> (turned, place)\n";
    const struct onnx_name from[] = {{"lengths", onnx_long_lengths(network)}, {"rows", rows}, {NULL, NULL}};
    const struct onnx_scope scope = {
        .prefix = graph_text(network->graph, "%slast.", d->scope.prefix), .from = from};
    onnx_add_text(network, text, &scope);
    return onnx_name_value(network, &scope, "last");
}

/* Adds direction d of layer l on rows x; returns its rows, and the last of each sequence where these are
 * wanted. */
static const char *add_direction(
    struct onnx_network *network, size_t l, size_t d, const char *x, const char **last)
{
    static const char usual[] = "weight = Transpose <perm = [1, 0]> (weight_ih_l@)\n"
                                "product = MatMul (x, weight)\n"
                                "a = Add (product, bias_ih_l@)\n";
    struct graph *graph = network->graph;
    const struct cell_kind *kind = cell_of(network->config);
    const char *prefix = graph_text(graph, "rnn.%zu%s.", l, d ? ".reverse" : "");
    const char *seen = d ? add_turn(network, x, graph_text(graph, "%sturned", prefix)) : x;
    const struct onnx_name from[] = {{"x", seen}, {NULL, NULL}};
    const struct onnx_direction direction = {.H = network->config->hidden[l],
        .kind = kind,
        .states = kind->has_memory ? 2 : 1,
        .rows = kind->has_memory && kind->onnx_outputs ? 2 : 1,
        .scope = {prefix, l, d ? "_reverse" : "", from}};
    onnx_add_text(network, kind->onnx_inputs ? kind->onnx_inputs : usual, &direction.scope);
    add_steps(network, &direction);
    if (kind->onnx_outputs)
        onnx_add_text(network, kind->onnx_outputs, &direction.scope);
    const char *rows = find(network, &direction, kind->onnx_outputs ? "y" : "h");
    if (network->wants_last)
        *last = add_last(network, &direction, rows);
    return d ? add_turn(network, rows, graph_text(graph, "%srows", prefix)) : rows;
}

/* Joins what the directions give. */
static const char *join(struct onnx_network *network, size_t D, const char *const *parts, const char *name)
{
    if (D == 1)
        return parts[0];
    graph_node(network->graph, "Concat", parts, (const char *const[]){name, NULL});
    graph_integer(network->graph, "axis", -1);
    return name;
}

const char *onnx_add_scan(struct onnx_network *network, size_t l, const char *x)
{
    const char *rows[3] = {NULL}, *last[3] = {NULL};
    size_t D = network->config->bidirectional[l] ? 2 : 1;
    for (size_t d = 0; d < D; d++)
        rows[d] = add_direction(network, l, d, x, &last[d]);
    if (network->wants_last)
        network->last[l] = join(network, D, last, graph_text(network->graph, "rnn.%zu.last", l));
    return join(network, D, rows, graph_text(network->graph, "rnn.%zu", l));
}

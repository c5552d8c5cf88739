/* The pass of an exported header. `a` always holds the rows that the next layer sees, `b` gets what it gives,
 * and the two change places; `z` holds normalized rows beside those that a residual adds. */
#include "model/export_c.h"

#include "net/cells/cell.h"
#include "net/outputs/output.h"

#include <string.h>

/* Writes the array of the tensor of this name, or a null pointer where the network has none. */
static void write_tensor(FILE *stream, const struct checkpoint *checkpoint, const char *name)
{
    const struct parameter *p = checkpoint_find_parameter(checkpoint, name);
    if (p)
        fprintf(stream, "rnn_w%zu", (size_t)(p - checkpoint->parameter));
    else
        fputs("0", stream);
}

/* Writes weight and bias of a layer, "rnn_w3, rnn_w4". */
static void write_layer(FILE *stream, const struct checkpoint *checkpoint, const char *layer, size_t k)
{
    char name[64];
    snprintf(name, sizeof name, "%s.%zu.weight", layer, k);
    write_tensor(stream, checkpoint, name);
    snprintf(name, sizeof name, "%s.%zu.bias", layer, k);
    fputs(", ", stream);
    write_tensor(stream, checkpoint, name);
}

static void write_swap(FILE *stream)
{
    fputs("    t = a, a = b, b = t;\n", stream);
}

/* Writes what brings inputs to the first layer; returns the width of its rows. */
static size_t write_inputs(FILE *stream, const struct checkpoint *checkpoint)
{
    const struct net_config *c = &checkpoint->model;
    size_t width = c->embedding ? c->embedding : c->inputs;
    fputs("    for (size_t f = 0; f < frames; f++)\n", stream);
    fprintf(stream, "        for (size_t i = 0; i < %zu; i++)\n            a[f * %zu + i] = ", width, width);
    if (c->embedding) {
        write_tensor(stream, checkpoint, "embedding.weight");
        fprintf(stream, "[(size_t)inputs[f] * %zu + i];\n", width);
    } else if (c->symbols) {
        fputs("(size_t)inputs[f] == i;\n", stream);
    } else if (checkpoint->features) {
        fprintf(stream, "(inputs[f * %zu + i] - rnn_mean[i]) / rnn_deviation[i];\n", width);
    } else {
        fprintf(stream, "inputs[f * %zu + i];\n", width);
    }
    return width;
}

/* Writes calls of dense layers over so many rows, from rows of `width` on; returns the width of the last. */
static size_t write_dense(FILE *stream, const struct checkpoint *checkpoint, const char *layer, size_t n,
    const size_t *size, const char *rows, size_t width)
{
    for (size_t k = 0; k < n; k++) {
        fputs("    rnn_dense(", stream);
        write_layer(stream, checkpoint, layer, k);
        fprintf(stream, ", a, %s, %zu, %zu, b);\n", rows, width, size[k]);
        write_swap(stream);
        width = size[k];
    }
    return width;
}

/* Writes the tensors of the step, w[0] and so on. */
static void write_cell(FILE *stream, const struct checkpoint *checkpoint, size_t l, const char *suffix)
{
    const char *const *tensor = cell_of(&checkpoint->model)->plain_c_tensors;
    for (size_t i = 0; tensor[i]; i++) {
        char name[80];
        size_t n = strcspn(tensor[i], "@");
        snprintf(name, sizeof name, "rnn.%.*s%zu%s%s", (int)n, tensor[i], l, tensor[i] + n + 1, suffix);
        fputs(i ? ", " : "", stream);
        write_tensor(stream, checkpoint, name);
    }
}

/* Writes the struct rnn_direction, and before it the layers between states. */
static void write_direction(FILE *stream, const struct checkpoint *checkpoint, size_t l, int reverse)
{
    const struct net_config *c = &checkpoint->model;
    const char *suffix = reverse ? "_reverse" : "";
    char name[80];
    if (c->transition_layers)
        fputs("        const float *const layer[] = {", stream);
    for (size_t k = 0; k < c->transition_layers; k++) {
        fputs(k ? ", " : "", stream);
        snprintf(name, sizeof name, "rnn.transition_l%zu.%zu.weight%s", l, k, suffix);
        write_tensor(stream, checkpoint, name);
        fputs(", ", stream);
        snprintf(name, sizeof name, "rnn.transition_l%zu.%zu.bias%s", l, k, suffix);
        write_tensor(stream, checkpoint, name);
    }
    if (c->transition_layers)
        fputs("};\n", stream);
    fputs("        const struct rnn_direction d = {{", stream);
    write_cell(stream, checkpoint, l, suffix);
    fputs("}, ", stream);
    snprintf(name, sizeof name, "rnn.h0_l%zu%s", l, suffix);
    write_tensor(stream, checkpoint, name);
    fputs(", ", stream);
    snprintf(name, sizeof name, "rnn.c0_l%zu%s", l, suffix);
    write_tensor(stream, checkpoint, name);
    fprintf(stream, ", %s, %zu, %d};\n", c->transition_layers ? "layer" : "0", c->transition_layers, reverse);
}

/* Writes a recurrent layer; returns the width of its rows. */
static size_t write_recurrent(FILE *stream, const struct checkpoint *checkpoint, size_t l, size_t width)
{
    const struct net_config *c = &checkpoint->model;
    size_t D = c->bidirectional[l] ? 2 : 1, H = c->hidden[l];
    int normalized = l > 0 && c->normalize;
    if (normalized) {
        fputs("    rnn_normalize(", stream);
        write_layer(stream, checkpoint, "norm", l);
        fprintf(stream, ", a, frames, %zu, z);\n", width);
    }
    for (size_t d = 0; d < D; d++) {
        fputs("    {\n", stream);
        write_direction(stream, checkpoint, l, d == 1);
        fprintf(stream, "        rnn_run_direction(&d, %s, frames, %zu, %zu, b + %zu, %zu, s);\n    }\n",
            normalized ? "z" : "a", width, H, d * H, D * H);
    }
    if (l > 0 && c->residual)
        fprintf(stream, "    for (size_t i = 0; i < frames * %zu; i++)\n        b[i] += a[i];\n", D * H);
    write_swap(stream);
    return D * H;
}

/* Of a sequence the head sees the forward states of the last frame and the reverse ones of the first. */
static void write_last_states(FILE *stream, const struct net_config *c, size_t width)
{
    size_t forward = c->layers && c->bidirectional[c->layers - 1] ? width / 2 : width;
    fprintf(stream, "    memcpy(b, a + (frames - 1) * %zu, %zu * sizeof *b);\n", width, forward);
    if (forward < width)
        fprintf(stream, "    memcpy(b + %zu, a + %zu, %zu * sizeof *b);\n", forward, forward, forward);
    write_swap(stream);
}

void c_write_run(FILE *stream, const struct checkpoint *checkpoint)
{
    const struct net_config *c = &checkpoint->model;
    int per_sequence = output_of(c)->rows == PER_SEQUENCE;
    const char *rows = per_sequence ? "1" : "frames";
    fprintf(stream,
        "\n/* Runs a sequence of at least one frame; outputs %s. */\n"
        "static inline void rnn_run(const %s *inputs, size_t frames, float *outputs, float *work)\n{\n"
        "    float *a = work, *b = a + frames * RNN_WIDTH, *z = b + frames * RNN_WIDTH;\n"
        "    float *s = z + frames * RNN_WIDTH, *sums = s + 12 * RNN_UNITS, *t = 0;\n",
        per_sequence ? "[RNN_OUTPUTS]" : "[frames][RNN_OUTPUTS]", c->symbols ? "int" : "float");
    size_t width = write_inputs(stream, checkpoint);
    width = write_dense(stream, checkpoint, "input", c->input_layers, c->input_size, "frames", width);
    for (size_t l = 0; l < c->layers; l++)
        width = write_recurrent(stream, checkpoint, l, width);
    if (per_sequence)
        write_last_states(stream, c, width);
    width = write_dense(stream, checkpoint, "output", c->output_layers, c->output_size, rows, width);
    fprintf(stream, "    for (size_t r = 0; r < %s; r++) {\n        rnn_affine(", rows);
    write_tensor(stream, checkpoint, "head.weight");
    fputs(", ", stream);
    write_tensor(stream, checkpoint, "head.bias");
    fprintf(stream,
        ", a + r * %zu, %zu, RNN_OUTPUTS, sums);\n"
        "        rnn_present(sums, RNN_OUTPUTS, outputs + r * RNN_OUTPUTS);\n    }\n    (void)s, "
        "(void)t;\n}\n",
        width, width);
}

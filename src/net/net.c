/* Layers in a row. Every buffer of a pass comes from one block that is measured for the grain first; nothing
 * is allocated while a grain of a size already seen is computed. */
#include "net/layout.h"
#include "net/loss.h"
#include "net/times.h"

#include <math.h>
#include <string.h>

/* Of the recurrent layers' tensors, KIND_l{l} with a suffix. */
static size_t find_offset(const struct net *net, const char *kind, size_t l, const char *suffix)
{
    return net_find_parameter(net, "rnn.%s_l%zu%s", kind, l, suffix)->offset;
}

static struct recurrent_place find_place(const struct net *net, size_t l, const char *suffix)
{
    const struct net_config *c = &net->config;
    struct recurrent_place place = {.weight_ih = find_offset(net, "weight_ih", l, suffix),
        .weight_hh = find_offset(net, "weight_hh", l, suffix),
        .bias_ih = find_offset(net, "bias_ih", l, suffix),
        .bias_hh = find_offset(net, "bias_hh", l, suffix),
        .transition_layers = c->transition_layers,
        .dropout = c->recurrent_dropout,
        .layer = l};
    if (c->initial_state) {
        place.start = START_LEARNED;
        place.h0 = find_offset(net, "h0", l, suffix);
        place.c0 = c->cell == CELL_LSTM ? find_offset(net, "c0", l, suffix) : 0;
    }
    if (c->peepholes) {
        place.peepholes = 1;
        place.peephole = find_offset(net, "peephole", l, suffix);
    }
    if (c->transition_layers)
        place.transition = net_find_parameter(net, "rnn.transition_l%zu.0.weight%s", l, suffix)->offset;
    return place;
}

static int create_layers(struct net *net, struct error *error)
{
    const struct net_config *c = &net->config;
    net->layers = memory_create(c->layers, sizeof *net->layers, error);
    if (!net->layers)
        return -1;
    struct side inputs = {.parts = 1, .size = c->embedding ? c->embedding : c->inputs, .interleave = 1};
    for (size_t l = 0; l < c->layers; l++) {
        struct layer *layer = &net->layers[l];
        layer->D = c->bidirectional[l] ? 2 : 1;
        for (size_t d = 0; d < layer->D; d++) {
            int one_hot = l == 0 && c->symbols && !c->embedding, below = l > 0 || c->embedding > 0;
            if (recurrent_init(&layer->direction[d], c->cell, d == 1, c->hidden[l], inputs, one_hot, below,
                    find_place(net, l, d ? "_reverse" : ""), error))
                return -1;
        }
        inputs = (struct side){.parts = layer->D, .size = c->hidden[l], .interleave = 1};
        layer->stride = kernel_stride(side_padded(inputs));
    }
    struct side outputs = {.parts = 1, .size = c->outputs, .interleave = 1};
    net->outputs_stride = kernel_stride(side_padded(outputs));
    return dense_init(&net->head, outputs, inputs, net_find_parameter(net, "head.weight")->offset,
        net_find_parameter(net, "head.bias")->offset, error);
}

struct net *net_create(const struct net_config *config, struct error *error)
{
    const struct kernel *kernel = kernel_choose(error);
    struct net *net = kernel ? memory_create(1, sizeof *net, error) : NULL;
    if (!net)
        return NULL;
    net->config = *config;
    net->kernel = kernel;
    if (net_list_parameters(net, error) || create_layers(net, error)) {
        net_destroy(net);
        return NULL;
    }
    if (config->embedding) {
        net->embedding_width = kernel_stride(grain_stride(config->embedding));
        net->embedding_offset = net_find_parameter(net, "embedding.weight")->offset;
        net->embedding = memory_create(config->inputs * net->embedding_width, sizeof(float), error);
        if (!net->embedding) {
            net_destroy(net);
            return NULL;
        }
    }
    return net;
}

void net_destroy(struct net *net)
{
    if (!net)
        return;
    for (size_t l = 0; l < net->config.layers && net->layers; l++)
        for (size_t d = 0; d < 2; d++)
            recurrent_finish(&net->layers[l].direction[d]);
    dense_finish(&net->head);
    memory_destroy(net->layers);
    memory_destroy(net->parameter);
    memory_destroy(net->embedding);
    memory_destroy(net->block);
    memory_destroy(net);
}

const struct net_config *net_get_config(const struct net *net)
{
    return &net->config;
}

const struct kernel *net_get_kernel(const struct net *net)
{
    return net->kernel;
}

size_t net_count_parameters(const struct net *net)
{
    return net->P;
}

const struct parameter *net_get_parameters(const struct net *net, size_t *n)
{
    *n = net->parameters;
    return net->parameter;
}

void net_pack(struct net *net, const float *weights)
{
    const struct net_config *c = &net->config;
    for (size_t l = 0; l < c->layers; l++)
        for (size_t d = 0; d < net->layers[l].D; d++)
            recurrent_pack(&net->layers[l].direction[d], net->kernel, weights);
    dense_pack(&net->head, net->kernel, weights);
    for (size_t s = 0; s < c->inputs && net->embedding; s++)
        memcpy(net->embedding + s * net->embedding_width, weights + net->embedding_offset + s * c->embedding,
            c->embedding * sizeof(float));
}

size_t net_panel_bytes(const struct net *net)
{
    size_t bytes = matrix_bytes(&net->head.weight);
    for (size_t l = 0; l < net->config.layers; l++)
        for (size_t d = 0; d < net->layers[l].D; d++)
            bytes += recurrent_bytes(&net->layers[l].direction[d]);
    return bytes;
}

static int drops(const struct net *net, int training, size_t layer)
{
    return training && net->config.dropout > 0 && layer + 1 < net->config.layers;
}

/* All buffers of a pass, in the order of their use. */
static void lay_workspace(struct net *net, struct arena *arena, int training, size_t B, size_t N)
{
    const struct net_config *c = &net->config;
    net->X = net->dX = NULL;
    if (net->embedding) {
        net->X = arena_take(arena, N * net->embedding_width, sizeof(float));
        net->dX = arena_take(arena, training ? N * net->embedding_width : 0, sizeof(float));
    }
    for (size_t l = 0; l < c->layers; l++) {
        struct layer *layer = &net->layers[l];
        layer->Y = arena_take(arena, (N + B) * layer->stride, sizeof(float));
        layer->dY = arena_take(arena, training ? (N + B) * layer->stride : 0, sizeof(float));
        layer->dropped = drops(net, training, l) ? arena_take(arena, N * layer->stride, sizeof(float)) : NULL;
        for (size_t d = 0; d < layer->D; d++)
            recurrent_lay(&layer->direction[d], net->kernel, arena, B, N, training);
    }
    size_t stride = net->layers[c->layers - 1].stride, rows = c->output == OUTPUT_FRAME ? N : B;
    if (c->output == OUTPUT_SEQUENCE) {
        net->gathered = arena_take(arena, B * stride, sizeof(float));
        net->dgathered = arena_take(arena, B * stride, sizeof(float));
    }
    if (training)
        dense_lay(&net->head, net->kernel, arena);
    net->outputs = arena_take(arena, rows * net->outputs_stride, sizeof(float));
    net->row_scores = arena_take(arena, rows, sizeof *net->row_scores);
}

size_t net_workspace_bytes(const struct net *net, size_t B, size_t N)
{
    struct net copy = *net; /* laying out while measuring sets nothing but pointers to NULL, in layers too */
    struct layer layers[NET_MOST_LAYERS];
    memcpy(layers, net->layers, net->config.layers * sizeof *layers);
    copy.layers = layers;
    struct arena arena = {0};
    lay_workspace(&copy, &arena, 1, B, N);
    return arena.peak;
}

static int make_workspace(struct net *net, int training, const struct grain *grain, struct error *error)
{
    struct arena arena = {0};
    lay_workspace(net, &arena, training, grain->B, grain->N);
    if (arena.peak > net->block_bytes) {
        memory_destroy(net->block);
        net->block_bytes = 0;
        net->block = memory_create(arena.peak, 1, error);
        if (!net->block)
            return error_prefix(error, "activations of a grain of %zu frames: ", grain->N);
        net->block_bytes = arena.peak;
    }
    arena = (struct arena){.base = net->block, .size = net->block_bytes};
    arena_reset(&arena);
    lay_workspace(net, &arena, training, grain->B, grain->N);
    return 0;
}

/* What layer l sees: X and its stride. */
static const float *layer_input(const struct net *net, const struct grain *grain, size_t l, size_t *stride)
{
    if (l > 0) {
        const struct layer *below = &net->layers[l - 1];
        *stride = below->stride;
        return below->dropped ? below->dropped : below->Y;
    }
    *stride = net->embedding ? net->embedding_width : grain->inputs_stride;
    return net->embedding ? net->X : grain->inputs;
}

/* Frame whose state of direction d speaks for row b as a whole: the last one computed. */
static size_t final_frame(const struct grain *grain, size_t d, size_t b)
{
    return grain_frame(grain, b, d ? 0 : (size_t)grain->length[b] - 1);
}

/* Copies final states out of Y [N][stride], or their gradients back into it. */
static void gather_final(
    const struct layer *top, const struct grain *grain, float *Y, float *gathered, int back)
{
    for (size_t b = 0; b < grain->B; b++)
        for (size_t d = 0; d < top->D; d++) {
            size_t Hp = top->direction[d].Hp;
            float *in = Y + final_frame(grain, d, b) * top->stride + d * Hp;
            float *out = gathered + b * top->stride + d * Hp;
            memcpy(back ? in : out, back ? out : in, Hp * sizeof *out);
        }
}

/* Rows are scored one by one; a sequence's score is their sum in order of time. */
static void sum_scores(const struct net *net, const struct grain *grain, struct net_score *scores)
{
    if (net->config.output == OUTPUT_SEQUENCE) {
        memcpy(scores, net->row_scores, grain->B * sizeof *scores);
        return;
    }
    for (size_t b = 0; b < grain->B; b++) {
        struct net_score sum = {0};
        for (size_t t = 0; t < (size_t)grain->length[b]; t++) {
            const struct net_score *row = &net->row_scores[grain_frame(grain, b, t)];
            sum.loss += row->loss;
            sum.errors += row->errors;
            sum.counted += row->counted;
        }
        scores[b] = sum;
    }
}

int net_forward(struct net *net, const struct net_pass *pass, const struct grain *grain,
    struct net_outputs *outputs, struct net_score *scores, struct error *error)
{
    const struct net_config *c = &net->config;
    double start = times_start(net->times);
    if (make_workspace(net, pass->training, grain, error))
        return -1;
    for (size_t n = 0; n < grain->N && net->embedding; n++)
        memcpy(net->X + n * net->embedding_width,
            net->embedding + (size_t)grain->symbols[n] * net->embedding_width,
            net->embedding_width * sizeof(float));
    for (size_t l = 0; l < c->layers; l++) {
        struct layer *layer = &net->layers[l];
        size_t stride;
        const float *X = layer_input(net, grain, l, &stride);
        for (size_t d = 0; d < layer->D; d++)
            recurrent_forward(&layer->direction[d], net->kernel, pass, grain, X, stride,
                layer->Y + d * layer->direction[d].Hp, layer->stride);
        if (layer->dropped)
            dropout_apply(pass, grain, c->dropout, l, layer->D * layer->direction[0].Hp, layer->stride,
                layer->Y, layer->dropped);
    }
    const struct layer *top = &net->layers[c->layers - 1];
    size_t rows = c->output == OUTPUT_FRAME ? grain->N : grain->B;
    if (c->output == OUTPUT_SEQUENCE)
        gather_final(top, grain, top->Y, net->gathered, 0);
    const float *in = c->output == OUTPUT_FRAME ? top->Y : net->gathered;
    dense_forward(&net->head, net->kernel, rows, in, top->stride, net->outputs, net->outputs_stride);
    loss_forward(c->loss, net->kernel, rows, c->outputs, net->outputs, net->outputs_stride, grain,
        scores ? net->row_scores : NULL);
    if (scores)
        sum_scores(net, grain, scores);
    *outputs = (struct net_outputs){.rows = rows, .stride = net->outputs_stride, .values = net->outputs};
    times_add(net->times, NET_FORWARD, start);
    return 0;
}

/* dY of the last layer from the outputs. */
static void head_backward(struct net *net, const struct grain *grain, float *gradient)
{
    const struct net_config *c = &net->config;
    const struct layer *top = &net->layers[c->layers - 1];
    size_t rows = c->output == OUTPUT_FRAME ? grain->N : grain->B;
    loss_backward(c->loss, rows, c->outputs, net->outputs, net->outputs_stride, grain);
    int sequence = c->output == OUTPUT_SEQUENCE;
    dense_backward(&net->head, net->kernel, rows, sequence ? net->gathered : top->Y, top->stride,
        net->outputs, net->outputs_stride, sequence ? net->dgathered : top->dY, gradient);
    if (sequence) {
        memset(top->dY, 0, grain->N * top->stride * sizeof *top->dY);
        gather_final(top, grain, top->dY, net->dgathered, 1);
    }
}

void net_backward(struct net *net, const struct net_pass *pass, const struct grain *grain, float *gradient)
{
    const struct net_config *c = &net->config;
    double start = times_start(net->times);
    head_backward(net, grain, gradient);
    for (size_t l = c->layers; l-- > 0;) {
        struct layer *layer = &net->layers[l];
        size_t stride;
        const float *X = layer_input(net, grain, l, &stride);
        float *dX = l > 0 ? net->layers[l - 1].dY : net->dX;
        for (size_t d = 0; d < layer->D; d++) {
            size_t place = d * layer->direction[d].Hp;
            recurrent_backward(&layer->direction[d], net->kernel, pass, grain, X, stride, layer->Y + place,
                layer->stride, layer->dY + place, dX, d > 0, gradient);
        }
        if (l > 0 && net->layers[l - 1].dropped) {
            const struct layer *below = &net->layers[l - 1];
            dropout_apply(
                pass, grain, c->dropout, l - 1, below->D * below->direction[0].Hp, below->stride, dX, dX);
        }
    }
    for (size_t n = 0; n < grain->N && net->embedding; n++) {
        float *out = gradient + net->embedding_offset + (size_t)grain->symbols[n] * c->embedding;
        for (size_t e = 0; e < c->embedding; e++)
            out[e] += net->dX[n * net->embedding_width + e];
    }
    times_add(net->times, NET_BACKWARD, start);
}

void net_set_times(struct net *net, double *times)
{
    net->times = times;
    for (size_t l = 0; l < net->config.layers; l++)
        for (size_t d = 0; d < net->layers[l].D; d++)
            net->layers[l].direction[d].times = times;
}

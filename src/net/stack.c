/* Layers in order forward, and in the opposite order backward. With residuals the gradient by y_l goes two
 * ways: a copy waits in `carry` while the layer, which destroys it, makes its own share of the gradient by
 * y_(l-1), and is added last. */
#include "net/stack.h"

#include "net/layout.h"

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

static int init_layer(struct stack *stack, const struct net *net, size_t l, struct error *error)
{
    const struct net_config *c = &net->config;
    struct layer *layer = &stack->layer[l];
    layer->D = c->bidirectional[l] ? 2 : 1;
    layer->inputs = stack->outputs;
    layer->outputs = (struct extent){.parts = layer->D, .size = c->hidden[l], .interleave = 1};
    layer->stride = kernel_stride(extent_padded(layer->outputs));
    layer->drops = l > 0 && c->dropout > 0;
    layer->residual = l > 0 && c->residual;
    for (size_t d = 0; d < layer->D; d++)
        if (recurrent_init(&layer->direction[d], c->cell, d == 1, c->hidden[l], layer->inputs, stack->one_hot,
                stack->needs_input_gradient, find_place(net, l, d ? "_reverse" : ""), error))
            return -1;
    if (l > 0 && c->normalize)
        return norm_init(&layer->norm, layer->inputs, net_find_parameter(net, "norm.%zu.weight", l)->offset,
            net_find_parameter(net, "norm.%zu.bias", l)->offset, error);
    return 0;
}

int stack_init(struct stack *stack, const struct net *net, struct error *error)
{
    const struct net_config *c = &net->config;
    *stack = (struct stack){
        .config = c, .one_hot = c->symbols && !c->embedding, .needs_input_gradient = c->embedding > 0};
    if (c->embedding &&
        embedding_init(&stack->embedding, c->inputs, c->embedding,
            net_find_parameter(net, "embedding.weight")->offset, error))
        return -1;
    struct extent inputs = {.parts = 1, .size = c->embedding ? c->embedding : c->inputs, .interleave = 1};
    if (dense_layers_init(&stack->input, net, "input", c->input_layers, c->input_size, inputs, stack->one_hot,
            stack->needs_input_gradient, error))
        return -1;
    stack->X_stride = c->embedding ? stack->embedding.stride : kernel_stride(extent_padded(inputs));
    stack->outputs = stack->input.outputs;
    stack->one_hot = stack->one_hot && c->input_layers == 0;
    stack->needs_input_gradient = stack->needs_input_gradient || c->input_layers > 0;
    for (; stack->L < c->layers; stack->L++) {
        if (init_layer(stack, net, stack->L, error)) {
            stack->L++;
            return -1;
        }
        stack->outputs = stack->layer[stack->L].outputs;
        stack->one_hot = 0;
        stack->needs_input_gradient = 1;
    }
    return 0;
}

void stack_finish(struct stack *stack)
{
    for (size_t l = 0; l < stack->L; l++) {
        for (size_t d = 0; d < 2; d++)
            recurrent_finish(&stack->layer[l].direction[d]);
        norm_finish(&stack->layer[l].norm);
    }
    dense_layers_finish(&stack->input);
    embedding_finish(&stack->embedding);
    stack->L = 0;
}

size_t stack_bytes(const struct stack *stack)
{
    size_t bytes = dense_layers_bytes(&stack->input);
    for (size_t l = 0; l < stack->L; l++)
        for (size_t d = 0; d < stack->layer[l].D; d++)
            bytes += recurrent_bytes(&stack->layer[l].direction[d]);
    return bytes;
}

void stack_pack(struct stack *stack, const struct kernel *kernel, const float *weights)
{
    embedding_pack(&stack->embedding, weights);
    dense_layers_pack(&stack->input, kernel, weights);
    for (size_t l = 0; l < stack->L; l++) {
        struct layer *layer = &stack->layer[l];
        for (size_t d = 0; d < layer->D; d++)
            recurrent_pack(&layer->direction[d], kernel, weights);
        if (layer->norm.weight)
            norm_pack(&layer->norm, weights);
    }
}

static void take_layer(struct layer *layer, const struct pass *pass, struct arena *arena)
{
    size_t B = pass->microbatch->B, N = pass->microbatch->N;
    int training = pass->options.training;
    int changes = layer->norm.weight || (training && layer->drops);
    size_t stride = kernel_stride(extent_padded(layer->inputs));
    layer->in = changes ? arena_take(arena, N * stride, sizeof(float)) : NULL;
    if (layer->norm.weight)
        norm_take_workspace(&layer->norm, arena, N, training);
    layer->h = arena_take(arena, (N + B) * layer->stride, sizeof(float));
    layer->y = layer->residual ? arena_take(arena, N * layer->stride, sizeof(float)) : layer->h;
    layer->dY = arena_take(arena, training ? (N + B) * layer->stride : 0, sizeof(float));
    for (size_t d = 0; d < layer->D; d++)
        recurrent_take_workspace(&layer->direction[d], pass, arena);
}

void stack_take_workspace(struct stack *stack, const struct pass *pass, struct arena *arena)
{
    size_t N = pass->microbatch->N;
    int training = pass->options.training;
    const struct net_config *c = stack->config;
    int noisy = training && c->input_noise > 0 && !c->symbols;
    size_t widest = 0;
    stack->X = stack->dX = NULL;
    if (c->embedding || noisy)
        stack->X = arena_take(arena, N * stack->X_stride, sizeof(float));
    if (c->embedding)
        stack->dX = arena_take(arena, training ? N * stack->X_stride : 0, sizeof(float));
    dense_layers_take_workspace(&stack->input, pass, arena, N);
    for (size_t l = 0; l < stack->L; l++) {
        take_layer(&stack->layer[l], pass, arena);
        widest = stack->layer[l].stride > widest ? stack->layer[l].stride : widest;
    }
    stack->carry = arena_take(arena, training && c->residual ? N * widest : 0, sizeof(float));
}

/* What the input layers see. */
static struct dense_input bottom_input(const struct stack *stack, const struct microbatch *microbatch)
{
    if (stack->X)
        return (struct dense_input){.X = stack->X, .stride = stack->X_stride};
    return (struct dense_input){
        .X = microbatch->inputs, .stride = microbatch->inputs_stride, .symbols = microbatch->symbols};
}

/* y of layer l - 1; l = 0: what the first layer sees. */
static struct dense_input output_before(
    const struct stack *stack, const struct microbatch *microbatch, size_t l)
{
    if (l > 0)
        return (struct dense_input){.X = stack->layer[l - 1].y, .stride = stack->layer[l - 1].stride};
    return dense_layers_output(&stack->input, bottom_input(stack, microbatch));
}

static struct dense_input layer_input(
    const struct stack *stack, const struct microbatch *microbatch, size_t l)
{
    struct dense_input in = output_before(stack, microbatch, l);
    in.X = stack->layer[l].in ? stack->layer[l].in : in.X;
    return in;
}

struct dense_input stack_output(const struct stack *stack, const struct microbatch *microbatch)
{
    return output_before(stack, microbatch, stack->L);
}

/* Where the gradient by output_before(l) goes. */
static float *gradient_before(const struct stack *stack, size_t l)
{
    return l > 0 ? stack->layer[l - 1].dY : dense_layers_gradient(&stack->input, stack->dX);
}

float *stack_gradient(const struct stack *stack)
{
    return gradient_before(stack, stack->L);
}

/* Adds rows of one extent to rows of another that has as many real values but may pad them elsewhere. */
static void add_rows(size_t N, struct extent from, const float *in, size_t in_stride, struct extent to,
    float *out, size_t out_stride)
{
    size_t width = extent_true(from), from_part = extent_padded(from) / from.parts,
           to_part = extent_padded(to) / to.parts;
    for (size_t i = 0, run; i < width; i += run) {
        size_t a = i % from.size, b = i % to.size;
        run = from.size - a < to.size - b ? from.size - a : to.size - b;
        const float *x = in + i / from.size * from_part + a;
        float *y = out + i / to.size * to_part + b;
        for (size_t n = 0; n < N; n++)
            for (size_t k = 0; k < run; k++)
                y[n * out_stride + k] += x[n * in_stride + k];
    }
}

static void layer_forward(struct stack *stack, const struct pass *pass, size_t l)
{
    const struct microbatch *microbatch = pass->microbatch;
    struct layer *layer = &stack->layer[l];
    struct dense_input from = output_before(stack, microbatch, l), in = layer_input(stack, microbatch, l);
    if (layer->norm.weight)
        norm_forward(&layer->norm, microbatch->N, from.X, from.stride, layer->in);
    if (pass->options.training && layer->drops)
        dropout_apply(pass, stack->config->dropout, l - 1, extent_padded(layer->inputs), in.stride,
            layer->norm.weight ? layer->in : from.X, layer->in);
    for (size_t d = 0; d < layer->D; d++)
        recurrent_forward(&layer->direction[d], pass, in.X, in.stride, layer->h + d * layer->direction[d].Hp,
            layer->stride);
    if (layer->residual) {
        memcpy(layer->y, layer->h, microbatch->N * layer->stride * sizeof *layer->y);
        add_rows(microbatch->N, layer->inputs, from.X, from.stride, layer->outputs, layer->y, layer->stride);
    }
}

void stack_forward(struct stack *stack, const struct pass *pass)
{
    const struct microbatch *microbatch = pass->microbatch;
    const struct net_config *c = stack->config;
    if (c->embedding)
        embedding_look_up(&stack->embedding, microbatch->N, microbatch->symbols, stack->X);
    else if (stack->X)
        noise_apply(pass, c->input_noise, c->inputs, stack->X, stack->X_stride);
    dense_layers_forward(&stack->input, pass, microbatch->N, bottom_input(stack, microbatch));
    for (size_t l = 0; l < stack->L; l++)
        layer_forward(stack, pass, l);
}

static void layer_backward(struct stack *stack, const struct pass *pass, size_t l)
{
    const struct microbatch *microbatch = pass->microbatch;
    struct layer *layer = &stack->layer[l];
    struct dense_input from = output_before(stack, microbatch, l), in = layer_input(stack, microbatch, l);
    float *dX = gradient_before(stack, l);
    if (layer->residual)
        memcpy(stack->carry, layer->dY, microbatch->N * layer->stride * sizeof *stack->carry);
    for (size_t d = 0; d < layer->D; d++) {
        size_t place = d * layer->direction[d].Hp;
        recurrent_backward(&layer->direction[d], pass, in.X, in.stride, layer->h + place, layer->stride,
            layer->dY + place, dX, d > 0);
    }
    if (layer->drops)
        dropout_apply(pass, stack->config->dropout, l - 1, extent_padded(layer->inputs), in.stride, dX, dX);
    if (layer->norm.weight)
        norm_backward(&layer->norm, microbatch->N, from.X, from.stride, dX, pass->gradient);
    if (layer->residual)
        add_rows(microbatch->N, layer->outputs, stack->carry, layer->stride, layer->inputs, dX, from.stride);
}

void stack_backward(struct stack *stack, const struct pass *pass)
{
    const struct microbatch *microbatch = pass->microbatch;
    for (size_t l = stack->L; l-- > 0;)
        layer_backward(stack, pass, l);
    dense_layers_backward(&stack->input, pass, microbatch->N, bottom_input(stack, microbatch), stack->dX);
    if (stack->dX)
        embedding_add_gradient(
            &stack->embedding, microbatch->N, microbatch->symbols, stack->dX, pass->gradient);
}

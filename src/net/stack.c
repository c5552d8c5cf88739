/* Layers in order forward, and in the opposite order backward. */
#include "net/stack.h"

#include "net/layout.h"

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
        .bias_hh = find_offset(net, "bias_hh", l, suffix)};
    if (c->initial_state) {
        place.start = START_LEARNED;
        place.h0 = find_offset(net, "h0", l, suffix);
        place.c0 = c->cell == CELL_LSTM ? find_offset(net, "c0", l, suffix) : 0;
    }
    return place;
}

static int init_layer(
    struct stack *stack, const struct net *net, size_t l, struct side inputs, struct error *error)
{
    const struct net_config *c = &net->config;
    struct layer *layer = &stack->layer[l];
    layer->D = c->bidirectional[l] ? 2 : 1;
    for (size_t d = 0; d < layer->D; d++) {
        int one_hot = l == 0 && c->symbols && !c->embedding, below = l > 0 || c->embedding > 0;
        if (recurrent_init(&layer->direction[d], c->cell, d == 1, c->hidden[l], inputs, one_hot, below,
                find_place(net, l, d ? "_reverse" : ""), error))
            return -1;
    }
    return 0;
}

int stack_init(struct stack *stack, const struct net *net, struct error *error)
{
    const struct net_config *c = &net->config;
    *stack = (struct stack){.config = c, .L = c->layers};
    if (c->embedding &&
        embedding_init(&stack->embedding, c->inputs, c->embedding,
            net_find_parameter(net, "embedding.weight")->offset, error))
        return -1;
    struct side side = {.parts = 1, .size = c->embedding ? c->embedding : c->inputs, .interleave = 1};
    for (size_t l = 0; l < c->layers; l++) {
        struct layer *layer = &stack->layer[l];
        if (init_layer(stack, net, l, side, error))
            return -1;
        side = (struct side){.parts = layer->D, .size = c->hidden[l], .interleave = 1};
        layer->stride = kernel_stride(side_padded(side));
    }
    stack->outputs = side;
    return 0;
}

void stack_finish(struct stack *stack)
{
    for (size_t l = 0; l < stack->L; l++)
        for (size_t d = 0; d < 2; d++)
            recurrent_finish(&stack->layer[l].direction[d]);
    embedding_finish(&stack->embedding);
    stack->L = 0;
}

size_t stack_bytes(const struct stack *stack)
{
    size_t bytes = 0;
    for (size_t l = 0; l < stack->L; l++)
        for (size_t d = 0; d < stack->layer[l].D; d++)
            bytes += recurrent_bytes(&stack->layer[l].direction[d]);
    return bytes;
}

void stack_pack(struct stack *stack, const struct kernel *kernel, const float *weights)
{
    embedding_pack(&stack->embedding, weights);
    for (size_t l = 0; l < stack->L; l++)
        for (size_t d = 0; d < stack->layer[l].D; d++)
            recurrent_pack(&stack->layer[l].direction[d], kernel, weights);
}

void stack_set_times(struct stack *stack, double *times)
{
    for (size_t l = 0; l < stack->L; l++)
        for (size_t d = 0; d < stack->layer[l].D; d++)
            stack->layer[l].direction[d].times = times;
}

static int drops(const struct stack *stack, int training, size_t layer)
{
    return training && stack->config->dropout > 0 && layer + 1 < stack->L;
}

void stack_lay(
    struct stack *stack, const struct kernel *kernel, struct arena *arena, size_t B, size_t N, int training)
{
    stack->X = stack->dX = NULL;
    if (stack->embedding.table) {
        stack->X = arena_take(arena, N * stack->embedding.stride, sizeof(float));
        stack->dX = arena_take(arena, training ? N * stack->embedding.stride : 0, sizeof(float));
    }
    for (size_t l = 0; l < stack->L; l++) {
        struct layer *layer = &stack->layer[l];
        layer->Y = arena_take(arena, (N + B) * layer->stride, sizeof(float));
        layer->dY = arena_take(arena, training ? (N + B) * layer->stride : 0, sizeof(float));
        layer->dropped =
            drops(stack, training, l) ? arena_take(arena, N * layer->stride, sizeof(float)) : NULL;
        for (size_t d = 0; d < layer->D; d++)
            recurrent_lay(&layer->direction[d], kernel, arena, B, N, training);
    }
}

/* What layer l sees; l = L: what is above the last one. */
static struct dense_input layer_input(const struct stack *stack, const struct grain *grain, size_t l)
{
    if (l > 0) {
        const struct layer *below = &stack->layer[l - 1];
        return (struct dense_input){.X = below->dropped ? below->dropped : below->Y, .stride = below->stride};
    }
    if (stack->embedding.table)
        return (struct dense_input){.X = stack->X, .stride = stack->embedding.stride};
    return (struct dense_input){
        .X = grain->inputs, .stride = grain->inputs_stride, .symbols = grain->symbols};
}

void stack_forward(
    struct stack *stack, const struct kernel *kernel, const struct net_pass *pass, const struct grain *grain)
{
    if (stack->embedding.table)
        embedding_look_up(&stack->embedding, grain->N, grain->symbols, stack->X);
    for (size_t l = 0; l < stack->L; l++) {
        struct layer *layer = &stack->layer[l];
        struct dense_input in = layer_input(stack, grain, l);
        for (size_t d = 0; d < layer->D; d++)
            recurrent_forward(&layer->direction[d], kernel, pass, grain, in.X, in.stride,
                layer->Y + d * layer->direction[d].Hp, layer->stride);
        if (layer->dropped)
            dropout_apply(pass, grain, stack->config->dropout, l, layer->D * layer->direction[0].Hp,
                layer->stride, layer->Y, layer->dropped);
    }
}

struct dense_input stack_output(const struct stack *stack, const struct grain *grain)
{
    return layer_input(stack, grain, stack->L);
}

float *stack_gradient(const struct stack *stack)
{
    return stack->L > 0 ? stack->layer[stack->L - 1].dY : stack->dX;
}

void stack_backward(struct stack *stack, const struct kernel *kernel, const struct net_pass *pass,
    const struct grain *grain, float *gradient)
{
    for (size_t l = stack->L; l-- > 0;) {
        struct layer *layer = &stack->layer[l];
        struct dense_input in = layer_input(stack, grain, l);
        float *dX = l > 0 ? stack->layer[l - 1].dY : stack->dX;
        for (size_t d = 0; d < layer->D; d++) {
            size_t place = d * layer->direction[d].Hp;
            recurrent_backward(&layer->direction[d], kernel, pass, grain, in.X, in.stride, layer->Y + place,
                layer->stride, layer->dY + place, dX, d > 0, gradient);
        }
        if (l > 0 && stack->layer[l - 1].dropped) {
            const struct layer *below = &stack->layer[l - 1];
            dropout_apply(pass, grain, stack->config->dropout, l - 1, below->D * below->direction[0].Hp,
                below->stride, dX, dX);
        }
    }
    if (stack->embedding.table)
        embedding_add_gradient(&stack->embedding, grain->N, grain->symbols, stack->dX, gradient);
}

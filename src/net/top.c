#include "net/top.h"

#include "net/layout.h"

int top_init(struct top *top, const struct net *net, struct extent inputs, int one_hot,
    int needs_input_gradient, struct error *error)
{
    const struct net_config *c = &net->config;
    struct extent outputs = {.parts = 1, .size = net_count_head(c), .interleave = 1};
    *top = (struct top){.stride = kernel_stride(extent_padded(outputs))};
    if (dense_layers_init(&top->output, net, "output", c->output_layers, c->output_size, inputs, one_hot,
            needs_input_gradient, error))
        return -1;
    struct dense_place place = {.weight = net_find_parameter(net, "head.weight")->offset,
        .bias = net_find_parameter(net, "head.bias")->offset,
        .one_hot = one_hot && c->output_layers == 0,
        .needs_input_gradient = needs_input_gradient || c->output_layers > 0};
    return dense_init_at(&top->head, outputs, top->output.outputs, place, error);
}

void top_finish(struct top *top)
{
    dense_layers_finish(&top->output);
    dense_finish(&top->head);
}

size_t top_bytes(const struct top *top)
{
    return dense_layers_bytes(&top->output) + matrix_bytes(&top->head.weight);
}

void top_pack(struct top *top, const struct kernel *kernel, const float *weights)
{
    dense_layers_pack(&top->output, kernel, weights);
    dense_pack(&top->head, kernel, weights);
}

void top_take_workspace(struct top *top, const struct pass *pass, struct arena *arena, size_t R)
{
    dense_layers_take_workspace(&top->output, pass, arena, R);
    if (pass->options.training)
        dense_take_workspace(&top->head, pass, arena);
    top->outputs = arena_take(arena, R * top->stride, sizeof(float));
}

void top_forward(struct top *top, const struct pass *pass, size_t R, struct dense_input in)
{
    dense_layers_forward(&top->output, pass, R, in);
    dense_forward_input(
        &top->head, pass, R, dense_layers_output(&top->output, in), top->outputs, top->stride);
}

void top_backward(struct top *top, const struct pass *pass, size_t R, struct dense_input in, float *dX)
{
    dense_backward_input(&top->head, pass, R, dense_layers_output(&top->output, in), top->outputs,
        top->stride, dense_layers_gradient(&top->output, dX));
    dense_layers_backward(&top->output, pass, R, in, dX);
}

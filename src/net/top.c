#include "net/top.h"

#include "net/layout.h"

int top_init(struct top *top, const struct net *net, struct side inputs, struct error *error)
{
    struct side outputs = {.parts = 1, .size = net_count_head(&net->config), .interleave = 1};
    *top = (struct top){.stride = kernel_stride(side_padded(outputs))};
    return dense_init(&top->head, outputs, inputs, net_find_parameter(net, "head.weight")->offset,
        net_find_parameter(net, "head.bias")->offset, error);
}

void top_finish(struct top *top)
{
    dense_finish(&top->head);
}

size_t top_bytes(const struct top *top)
{
    return matrix_bytes(&top->head.weight);
}

void top_pack(struct top *top, const struct kernel *kernel, const float *weights)
{
    dense_pack(&top->head, kernel, weights);
}

void top_lay(struct top *top, const struct kernel *kernel, struct arena *arena, size_t R, int training)
{
    if (training)
        dense_lay(&top->head, kernel, arena);
    top->outputs = arena_take(arena, R * top->stride, sizeof(float));
}

void top_forward(struct top *top, const struct kernel *kernel, size_t R, struct dense_input in)
{
    dense_forward(&top->head, kernel, R, in.X, in.stride, top->outputs, top->stride);
}

void top_backward(
    struct top *top, const struct kernel *kernel, size_t R, struct dense_input in, float *dX, float *gradient)
{
    dense_backward(&top->head, kernel, R, in.X, in.stride, top->outputs, top->stride, dX, gradient);
}

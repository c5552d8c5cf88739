#include "net/top.h"

int top_init(struct top *top, const struct net_config *config, const struct dense_shape *first,
    struct parameters *parameters, struct error *error)
{
    size_t layers = config->output_layers;
    struct dense_shape shape = *first;
    struct extent outputs = {.parts = 1, .size = net_count_head(config), .interleave = 1};
    *top = (struct top){.stride = kernel_stride(extent_padded(outputs))};
    shape.name = "output";
    if (dense_layers_init(&top->output, &shape, layers, config->output_size, parameters, error))
        return -1;
    shape.name = "head";
    shape.inputs = top->output.outputs;
    shape.outputs = outputs;
    shape.one_hot = first->one_hot && layers == 0;
    shape.needs_input_gradient = first->needs_input_gradient || layers > 0;
    dense_init(&top->head, &shape, parameters);
    return 0;
}

void top_finish(struct top *top)
{
    dense_layers_finish(&top->output);
}

void top_take_panels(struct top *top, struct arena *arena)
{
    dense_layers_take_panels(&top->output, arena);
    dense_take_panels(&top->head, arena);
}

void top_pack(struct top *top, const struct packing *packing)
{
    dense_layers_pack(&top->output, packing);
    dense_pack(&top->head, packing);
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
    dense_forward(
        &top->head, pass, R, dense_layers_output(&top->output, in), as_rows(top->outputs, top->stride));
}

void top_backward(struct top *top, const struct pass *pass, size_t R, struct dense_input in, float *dX)
{
    struct rows sums = as_rows(top->outputs, top->stride), below = as_rows(dX, in.X.stride);
    struct dense_input seen = dense_layers_output(&top->output, in);
    int wanted = dX || pass_trains(pass, top->output.tensors);
    struct rows dseen = as_rows(wanted ? dense_layers_gradient(&top->output, dX) : NULL, seen.X.stride);
    dense_backward_inputs(&top->head, pass, R, sums, dseen);
    dense_layers_backward_inputs(&top->output, pass, R, below);
    pass_meet(pass);
    dense_add_gradient(&top->head, pass, R, seen, sums);
    dense_layers_add_gradient(&top->output, pass, R, in);
}

#include "net/dense_layers.h"

#include <stdio.h>

int dense_layers_init(struct dense_layers *layers, const struct dense_shape *first, size_t n,
    const size_t *size, struct parameters *parameters, struct error *error)
{
    struct dense_shape shape = *first;
    *layers = (struct dense_layers){.outputs = first->inputs, .tensors = {parameters->n, parameters->n}};
    layers->layer = memory_create(n, sizeof *layers->layer, error);
    if (!layers->layer)
        return -1;
    for (; layers->n < n; layers->n++) {
        struct dense_layer *layer = &layers->layer[layers->n];
        char name[48];
        snprintf(name, sizeof name, "%s.%zu", first->name, layers->n);
        shape.name = name;
        shape.inputs = layers->outputs;
        shape.outputs = (struct extent){.parts = 1, .size = size[layers->n], .interleave = 1};
        layer->stride = kernel_stride(extent_padded(shape.outputs));
        dense_init(&layer->dense, &shape, parameters);
        layers->tensors.to = layer->dense.tensors.to;
        layers->outputs = shape.outputs;
        shape.one_hot = 0;
        shape.needs_input_gradient = 1;
    }
    return 0;
}

void dense_layers_finish(struct dense_layers *layers)
{
    memory_destroy(layers->layer);
    *layers = (struct dense_layers){0};
}

void dense_layers_take_panels(struct dense_layers *layers, struct arena *arena)
{
    for (size_t k = 0; k < layers->n; k++)
        dense_take_panels(&layers->layer[k].dense, arena);
}

void dense_layers_pack(struct dense_layers *layers, const struct packing *packing)
{
    for (size_t k = 0; k < layers->n; k++)
        dense_pack(&layers->layer[k].dense, packing);
}

void dense_layers_take_workspace(
    struct dense_layers *layers, const struct pass *pass, struct arena *arena, size_t R)
{
    int training = pass->options.training;
    for (size_t k = 0; k < layers->n; k++) {
        struct dense_layer *layer = &layers->layer[k];
        layer->Y = arena_take(arena, R * layer->stride, sizeof(float));
        layer->dY = arena_take(arena, training ? R * layer->stride : 0, sizeof(float));
        if (training)
            dense_take_workspace(&layer->dense, pass, arena);
    }
}

/* What layer k sees; k = n: what comes out. */
static struct dense_input layer_input(const struct dense_layers *layers, size_t k, struct dense_input in)
{
    if (k == 0)
        return in;
    const struct dense_layer *before = &layers->layer[k - 1];
    return (struct dense_input){.X = as_rows(before->Y, before->stride)};
}

struct dense_input dense_layers_output(const struct dense_layers *layers, struct dense_input in)
{
    return layer_input(layers, layers->n, in);
}

float *dense_layers_gradient(const struct dense_layers *layers, float *dX)
{
    return layers->n > 0 ? layers->layer[layers->n - 1].dY : dX;
}

void dense_layers_forward(
    struct dense_layers *layers, const struct pass *pass, size_t R, struct dense_input in)
{
    size_t first, end;
    pass_deal_rows(pass, R, &first, &end);
    for (size_t k = 0; k < layers->n; k++) {
        struct dense_layer *layer = &layers->layer[k];
        dense_forward(&layer->dense, pass, R, layer_input(layers, k, in), as_rows(layer->Y, layer->stride));
        for (size_t r = first; r < end; r++)
            pass->kernel->tanh_array(layer->dense.weight.rows, layer->Y + r * layer->stride);
    }
}

/* Turns the gradient by y = tanh(sum) into that by the sum: times 1 - y^2. */
static void tanh_backward(const struct dense_layer *layer, size_t first, size_t end)
{
    for (size_t r = first; r < end; r++) {
        const float *y = layer->Y + r * layer->stride;
        float *dy = layer->dY + r * layer->stride;
        for (size_t i = 0; i < layer->dense.weight.rows; i++)
            dy[i] *= 1 - y[i] * y[i];
    }
}

void dense_layers_backward_inputs(
    struct dense_layers *layers, const struct pass *pass, size_t R, struct rows dX)
{
    size_t first, end;
    pass_deal_rows(pass, R, &first, &end);
    for (size_t k = layers->n; k-- > 0;) {
        struct dense_layer *layer = &layers->layer[k];
        struct tensors own = layer->dense.tensors;
        int below = dX.data || pass_trains(pass, (struct tensors){layers->tensors.from, own.from});
        if (!below && !pass_trains(pass, own))
            return;
        tanh_backward(layer, first, end);
        if (below)
            dense_backward_inputs(&layer->dense, pass, R, as_rows(layer->dY, layer->stride),
                k > 0 ? as_rows(layer[-1].dY, layer[-1].stride) : dX);
    }
}

void dense_layers_add_gradient(
    struct dense_layers *layers, const struct pass *pass, size_t R, struct dense_input in)
{
    for (size_t k = layers->n; k-- > 0;) {
        struct dense_layer *layer = &layers->layer[k];
        dense_add_gradient(
            &layer->dense, pass, R, layer_input(layers, k, in), as_rows(layer->dY, layer->stride));
    }
}

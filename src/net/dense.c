#include "net/dense.h"

#include <string.h>

void dense_init(struct dense *dense, const struct dense_shape *shape, struct parameters *parameters)
{
    size_t outputs = extent_true(shape->outputs), inputs = extent_true(shape->inputs);
    struct starting starting = starting_uniform(inputs);
    size_t weight = parameters_declare(parameters, outputs, inputs, starting, "%s.weight", shape->name);
    *dense = (struct dense){.outputs = shape->outputs,
        .one_hot = shape->one_hot,
        .bias_offset = parameters_declare(parameters, outputs, 0, starting, "%s.bias", shape->name)};
    matrix_init(&dense->weight, weight, shape->outputs, shape->inputs, shape->needs_input_gradient);
}

void dense_take_panels(struct dense *dense, struct arena *arena)
{
    matrix_take_panels(&dense->weight, arena);
    dense->bias = arena_take(arena, dense->weight.rows, sizeof *dense->bias);
}

void dense_pack(struct dense *dense, const struct packing *packing)
{
    if (dense->one_hot)
        matrix_pack_table(&dense->weight, packing);
    else
        matrix_pack(&dense->weight, packing);
    if (!packing_is_first(packing))
        return;
    memset(dense->bias, 0, dense->weight.rows * sizeof *dense->bias);
    bias_add(dense->outputs, packing->weights + dense->bias_offset, dense->bias);
}

void dense_take_workspace(struct dense *dense, const struct pass *pass, struct arena *arena)
{
    dense->dW = arena_take(arena, dense->weight.rows * dense->weight.columns, sizeof(float));
    dense->sums = arena_take(arena, dense->weight.rows, sizeof(float));
    dense->scratch = arena_take(arena, pass->kernel->outer_floats, sizeof(float));
}

void dense_forward(
    const struct dense *dense, const struct pass *pass, size_t R, struct dense_input in, struct rows Y)
{
    const struct matrix *W = &dense->weight;
    if (dense->one_hot)
        matrix_look_up(W, (struct range){0, W->rows}, R, in.symbols, dense->bias, Y);
    else
        pass_product(pass, &W->forward, R, in.X, as_rows(dense->bias, 0), Y);
}

void dense_backward(const struct dense *dense, const struct pass *pass, size_t R, struct dense_input in,
    struct rows dY, float *dX)
{
    const struct matrix *W = &dense->weight;
    size_t products = dense->one_hot ? 0 : 1;
    struct outer_product product = {.columns = W->columns, .X = in.X, .C = as_rows(dense->dW, W->columns)};
    if (dX && !dense->one_hot)
        pass_product(pass, &W->backward, R, dY, (struct rows){0}, as_rows(dX, in.X.stride));
    memset(dense->dW, 0, products * W->rows * W->columns * sizeof *dense->dW);
    memset(dense->sums, 0, W->rows * sizeof *dense->sums);
    const struct outer_sums sums = {&product, products, dense->sums, dense->scratch};
    pass_outer(pass, R, W->rows, dY, &sums);
    bias_add_gradient(dense->outputs, (struct range){0, extent_padded(dense->outputs)}, dense->sums,
        pass->gradient + dense->bias_offset);
    if (dense->one_hot)
        matrix_add_symbols(W, (struct range){0, W->rows}, R, in.symbols, dY, dense->dW, pass->gradient);
    else
        matrix_add_gradient(W, (struct range){0, W->rows}, dense->dW, pass->gradient);
}

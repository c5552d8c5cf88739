#include "net/dense.h"

#include <string.h>

int dense_init(
    struct dense *dense, const struct dense_shape *shape, struct parameters *parameters, struct error *error)
{
    size_t outputs = extent_true(shape->outputs), inputs = extent_true(shape->inputs);
    struct starting starting = starting_uniform(inputs);
    size_t weight = parameters_declare(parameters, outputs, inputs, starting, "%s.weight", shape->name);
    *dense = (struct dense){.outputs = shape->outputs,
        .one_hot = shape->one_hot,
        .bias_offset = parameters_declare(parameters, outputs, 0, starting, "%s.bias", shape->name)};
    dense->bias = memory_create(extent_padded(shape->outputs), sizeof *dense->bias, error);
    if (!dense->bias ||
        matrix_init(
            &dense->weight, weight, shape->outputs, shape->inputs, shape->needs_input_gradient, error)) {
        dense_finish(dense);
        return -1;
    }
    return 0;
}

void dense_finish(struct dense *dense)
{
    matrix_finish(&dense->weight);
    memory_destroy(dense->bias);
    *dense = (struct dense){0};
}

void dense_pack(struct dense *dense, const struct kernel *kernel, const float *weights)
{
    if (dense->one_hot)
        matrix_pack_table(&dense->weight, weights);
    else
        matrix_pack(&dense->weight, kernel, weights);
    memset(dense->bias, 0, dense->weight.rows * sizeof *dense->bias);
    bias_add(dense->outputs, weights + dense->bias_offset, dense->bias);
}

void dense_take_workspace(struct dense *dense, const struct pass *pass, struct arena *arena)
{
    dense->dW = arena_take(arena, dense->weight.rows * dense->weight.columns, sizeof(float));
    dense->sums = arena_take(arena, dense->weight.rows, sizeof(float));
    dense->scratch = arena_take(arena, pass->kernel->outer_floats, sizeof(float));
}

void dense_forward(const struct dense *dense, const struct pass *pass, size_t R, const float *X,
    size_t X_stride, float *Y, size_t Y_stride)
{
    pass->kernel->product(
        &dense->weight.forward, R, as_rows(X, X_stride), as_rows(dense->bias, 0), as_rows(Y, Y_stride));
}

void dense_backward(const struct dense *dense, const struct pass *pass, size_t R, const float *X,
    size_t X_stride, const float *dY, size_t Y_stride, float *dX)
{
    const struct matrix *W = &dense->weight;
    if (dX)
        pass->kernel->product(
            &W->backward, R, as_rows(dY, Y_stride), (struct rows){0}, as_rows(dX, X_stride));
    memset(dense->dW, 0, W->rows * W->columns * sizeof *dense->dW);
    memset(dense->sums, 0, W->rows * sizeof *dense->sums);
    struct outer_product product = {
        .columns = W->columns, .X = as_rows(X, X_stride), .C = as_rows(dense->dW, W->columns)};
    pass->kernel->outer(R, W->rows, as_rows(dY, Y_stride), &product, 1, dense->sums, dense->scratch);
    matrix_add_gradient(W, dense->dW, pass->gradient);
    bias_add_gradient(dense->outputs, dense->sums, pass->gradient + dense->bias_offset);
}

void dense_forward_input(const struct dense *dense, const struct pass *pass, size_t R, struct dense_input in,
    float *Y, size_t Y_stride)
{
    if (dense->one_hot)
        matrix_look_up(&dense->weight, R, in.symbols, dense->bias, Y, Y_stride);
    else
        dense_forward(dense, pass, R, in.X, in.stride, Y, Y_stride);
}

void dense_backward_input(const struct dense *dense, const struct pass *pass, size_t R, struct dense_input in,
    const float *dY, size_t Y_stride, float *dX)
{
    if (!dense->one_hot) {
        dense_backward(dense, pass, R, in.X, in.stride, dY, Y_stride, dX);
        return;
    }
    const struct matrix *W = &dense->weight;
    memset(dense->sums, 0, W->rows * sizeof *dense->sums);
    pass->kernel->outer(R, W->rows, as_rows(dY, Y_stride), NULL, 0, dense->sums, dense->scratch);
    bias_add_gradient(dense->outputs, dense->sums, pass->gradient + dense->bias_offset);
    matrix_add_symbols(W, R, in.symbols, dY, Y_stride, dense->dW, pass->gradient);
}

#include "net/dense.h"

#include <string.h>

int dense_init_at(struct dense *dense, struct extent outputs, struct extent inputs, struct dense_place place,
    struct error *error)
{
    *dense = (struct dense){.outputs = outputs, .bias_offset = place.bias, .one_hot = place.one_hot};
    dense->bias = memory_create(extent_padded(outputs), sizeof *dense->bias, error);
    if (!dense->bias ||
        matrix_init(&dense->weight, place.weight, outputs, inputs, place.needs_input_gradient, error)) {
        dense_finish(dense);
        return -1;
    }
    return 0;
}

int dense_init(struct dense *dense, struct extent outputs, struct extent inputs, size_t weight_offset,
    size_t bias_offset, struct error *error)
{
    struct dense_place place = {.weight = weight_offset, .bias = bias_offset, .needs_input_gradient = 1};
    return dense_init_at(dense, outputs, inputs, place, error);
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

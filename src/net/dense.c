#include "net/dense.h"

#include <string.h>

int dense_init(struct dense *dense, struct side outputs, struct side inputs, size_t weight_offset,
    size_t bias_offset, struct error *error)
{
    *dense = (struct dense){.outputs = outputs, .bias_offset = bias_offset};
    dense->bias = memory_create(side_padded(outputs), sizeof *dense->bias, error);
    if (!dense->bias || matrix_init(&dense->weight, weight_offset, outputs, inputs, 1, error)) {
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
    matrix_pack(&dense->weight, kernel, weights);
    memset(dense->bias, 0, dense->weight.rows * sizeof *dense->bias);
    bias_add(dense->outputs, weights + dense->bias_offset, dense->bias);
}

void dense_lay(struct dense *dense, const struct kernel *kernel, struct arena *arena)
{
    dense->dW = arena_take(arena, dense->weight.rows * dense->weight.columns, sizeof(float));
    dense->sums = arena_take(arena, dense->weight.rows, sizeof(float));
    dense->scratch = arena_take(arena, kernel->outer_floats, sizeof(float));
}

void dense_forward(const struct dense *dense, const struct kernel *kernel, size_t R, const float *X,
    size_t X_stride, float *Y, size_t Y_stride)
{
    kernel->product(&dense->weight.forward, R, X, X_stride, dense->bias, 0, Y, Y_stride);
}

void dense_backward(const struct dense *dense, const struct kernel *kernel, size_t R, const float *X,
    size_t X_stride, const float *dY, size_t Y_stride, float *dX, float *gradient)
{
    const struct matrix *W = &dense->weight;
    kernel->product(&W->backward, R, dY, Y_stride, NULL, 0, dX, X_stride);
    memset(dense->dW, 0, W->rows * W->columns * sizeof *dense->dW);
    memset(dense->sums, 0, W->rows * sizeof *dense->sums);
    struct outer_side side = {
        .columns = W->columns, .X = X, .X_stride = X_stride, .C = dense->dW, .C_stride = W->columns};
    kernel->outer(R, W->rows, dY, Y_stride, &side, 1, dense->sums, dense->scratch);
    matrix_add_gradient(W, dense->dW, gradient);
    bias_add_gradient(dense->outputs, dense->sums, gradient + dense->bias_offset);
}

/* A dense layer y = W x + b over rows: the head, and with a tanh behind the layers of net/dense_layers.h.
 *
 * R rows. Backward adds to parameter gradients. */
#ifndef NET_DENSE_H
#define NET_DENSE_H

#include "base/memory.h"
#include "net/matrix.h"
#include "net/pass.h"

/* What a layer sees: rows of floats, or symbols. */
struct dense_input {
    const float *X; /* [R][stride] */
    size_t stride;
    const int32_t *symbols; /* [R], one-hot inputs that are never built; NULL with X */
};

struct dense {
    struct extent outputs;
    struct matrix weight;
    size_t bias_offset;
    int one_hot; /* inputs are symbols: W x is a row of a table */
    float *bias; /* [padded outputs], packed with the weights */

    /* Workspace, with training. */
    float *dW, *sums, *scratch;
};

/* Offsets of weight and bias in the flat vector, and what the layer sees: symbols, or rows whose gradient
 * will be asked for, or neither. */
struct dense_place {
    size_t weight, bias;
    int one_hot, needs_input_gradient;
};
int dense_init_at(struct dense *dense, struct extent outputs, struct extent inputs, struct dense_place place,
    struct error *error);

/* The same on rows whose gradient will be asked for. */
int dense_init(struct dense *dense, struct extent outputs, struct extent inputs, size_t weight_offset,
    size_t bias_offset, struct error *error);
void dense_finish(struct dense *dense); /* takes zeroes */
void dense_pack(struct dense *dense, const struct kernel *kernel, const float *weights);
void dense_take_workspace(struct dense *dense, const struct pass *pass, struct arena *arena);

/* Y [R][Y_stride] from X [R][X_stride]. */
void dense_forward(const struct dense *dense, const struct pass *pass, size_t R, const float *X,
    size_t X_stride, float *Y, size_t Y_stride);

/* dX is overwritten, NULL: not wanted; the gradient of W and b added to. */
void dense_backward(const struct dense *dense, const struct pass *pass, size_t R, const float *X,
    size_t X_stride, const float *dY, size_t Y_stride, float *dX);

/* The same for rows or symbols, as the layer was set up for. */
void dense_forward_input(const struct dense *dense, const struct pass *pass, size_t R, struct dense_input in,
    float *Y, size_t Y_stride);
void dense_backward_input(const struct dense *dense, const struct pass *pass, size_t R, struct dense_input in,
    const float *dY, size_t Y_stride, float *dX);

#endif

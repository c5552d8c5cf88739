/* A dense layer y = W x + b over the rows of a grain: the head. */
#ifndef NET_DENSE_H
#define NET_DENSE_H

#include "base/memory.h"
#include "net/matrix.h"

/* What a layer sees: rows of floats, or symbols. */
struct dense_input {
    const float *X; /* [R][stride] */
    size_t stride;
    const int32_t *symbols; /* [R]; X is NULL */
};

struct dense {
    struct side outputs;
    struct matrix weight;
    size_t bias_offset;
    float *bias; /* [padded outputs], packed with the weights */

    /* Workspace, with training. */
    float *dW, *sums, *scratch;
};

int dense_init(struct dense *dense, struct side outputs, struct side inputs, size_t weight_offset,
    size_t bias_offset, struct error *error);
void dense_finish(struct dense *dense); /* takes zeroes */
void dense_pack(struct dense *dense, const struct kernel *kernel, const float *weights);
void dense_lay(struct dense *dense, const struct kernel *kernel, struct arena *arena);

/* Y [R][Y_stride] from X [R][X_stride]. */
void dense_forward(const struct dense *dense, const struct kernel *kernel, size_t R, const float *X,
    size_t X_stride, float *Y, size_t Y_stride);

/* dX is overwritten, the gradient of W and b added to. */
void dense_backward(const struct dense *dense, const struct kernel *kernel, size_t R, const float *X,
    size_t X_stride, const float *dY, size_t Y_stride, float *dX, float *gradient);

#endif

/* Affine maps, dense layers and layer normalization over rows of vectors. Inside of the reference. */
#ifndef TESTS_REFERENCE_DENSE_H
#define TESTS_REFERENCE_DENSE_H

#include "names.h"

/* W [outputs][inputs], b [outputs]; or their gradients. */
struct reference_dense {
    size_t outputs, inputs;
    double *W, *b;
};

/* y [rows][outputs] = W x + b; x [rows][inputs]. */
void reference_dense_forward(const struct reference_dense *dense, size_t rows, const double *x, double *y);

/* Adds to dx and to the gradients. */
void reference_dense_backward(const struct reference_dense *dense, size_t rows, const double *x,
    const double *dy, double *dx, const struct reference_dense *gradient);

/* y = tanh(y); dy by the squashed y becomes that by what it was squashed from. */
void reference_squash(size_t n, double *y);
void reference_unsquash(size_t n, const double *y, double *dy);

/* Layers with tanh, NAME.0, NAME.1 ...: v[0] the inputs, v[n] the outputs, [rows][width[k]]. */
struct chain {
    const char *name;
    size_t n, rows, width[NET_MOST_LAYERS + 1];
    double *v[NET_MOST_LAYERS + 1]; /* the chain's */
};

/* v[0] is zeroes. */
void reference_chain_init(
    struct chain *chain, const char *name, size_t n, const size_t *sizes, size_t inputs, size_t rows);
void reference_chain_finish(struct chain *chain);
void reference_chain_forward(struct chain *chain, const struct reference_names *names, double *weights);

/* dy [rows][width[n]] in; returns the derivative by v[0], for free(). Adds to the gradient. */
double *reference_chain_backward(const struct chain *chain, const struct reference_names *names,
    double *weights, const double *dy, double *gradient);

/* z = (y - mean) / sqrt(variance + 1e-5) . weight + bias, over each row of n (Ba, Kiros and Hinton 2016). */
void reference_norm_forward(
    size_t rows, size_t n, const double *weight, const double *bias, const double *y, double *z);

/* Adds to dy and to the gradients. */
void reference_norm_backward(size_t rows, size_t n, const double *weight, const double *y, const double *dz,
    double *dy, double *dweight, double *dbias);

#endif

/* A dense layer y = W x + b over rows: the head, and with a tanh behind the layers of net/dense_layers.h.
 *
 * R rows. Backward adds to parameter gradients. Of a team each member computes its rows, from its rows of
 * what the layer sees, and its part of the gradient by W and b, from all rows: the team meets in between. */
#ifndef NET_DENSE_H
#define NET_DENSE_H

#include "base/memory.h"
#include "net/matrix.h"
#include "net/parameters.h"
#include "net/pass.h"

/* What a layer sees: rows of floats, or symbols. */
struct dense_input {
    struct rows X;          /* [R]; not written to */
    const int32_t *symbols; /* [R], one-hot inputs that are never built; NULL with X */
};

struct dense {
    struct extent outputs;
    struct matrix weight;
    size_t bias_offset;
    struct tensors tensors;
    int one_hot; /* inputs are symbols: W x is a row of a table */
    float *bias; /* [padded outputs], packed with the weights */

    /* Workspace, with training. */
    float *dW, *sums, *scratch;
};

/* What a layer is made of: its tensors are NAME.weight and NAME.bias. */
struct dense_shape {
    const char *name;
    struct extent outputs, inputs;
    int one_hot;              /* 1: what it sees are symbols */
    int needs_input_gradient; /* 1: gradients by what it sees will be asked for */
};

/* Declares the tensors of the layer and sets it up. */
void dense_init(struct dense *dense, const struct dense_shape *shape, struct parameters *parameters);
void dense_take_panels(struct dense *dense, struct arena *arena);
void dense_pack(struct dense *dense, const struct packing *packing);
void dense_take_workspace(struct dense *dense, const struct pass *pass, struct arena *arena);

/* Computes Y [R] from what the layer was set up for: in.X [R] or in.symbols [R]. */
void dense_forward(
    const struct dense *dense, const struct pass *pass, size_t R, struct dense_input in, struct rows Y);

/* Overwrites dX; no data: it is not wanted, and never so with symbols. */
void dense_backward_inputs(
    const struct dense *dense, const struct pass *pass, size_t R, struct rows dY, struct rows dX);

/* Adds to the gradient by W and b, unless both are frozen. */
void dense_add_gradient(
    const struct dense *dense, const struct pass *pass, size_t R, struct dense_input in, struct rows dY);

#endif

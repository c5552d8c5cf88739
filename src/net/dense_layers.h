/* Dense layers in a row, y = tanh(W x + b) each: between the inputs and the recurrent layers, and between
 * these and the head.
 *
 * R rows. Buffers are of the workspace, taken by dense_layers_take_workspace before forward and valid until
 * backward is done. */
#ifndef NET_DENSE_LAYERS_H
#define NET_DENSE_LAYERS_H

#include "net/dense.h"
#include "net/pass.h"
#include "net/types.h"

struct dense_layer {
    struct dense dense;
    size_t stride; /* of Y */
    /* Workspace. */
    float *Y, *dY; /* [R][stride] */
};

struct dense_layers {
    size_t n; /* 0: none, and what comes out is what went in */
    struct extent outputs;
    struct dense_layer *layer; /* [n] */
    struct tensors tensors;    /* of all of them */
};

/* Declares tensors NAME.k.weight and NAME.k.bias of n layers and sets these up. `first` describes what the
 * first of them sees, and gives the name; its outputs are not looked at. */
int dense_layers_init(struct dense_layers *layers, const struct dense_shape *first, size_t n,
    const size_t *size, struct parameters *parameters, struct error *error);
void dense_layers_finish(struct dense_layers *layers); /* takes zeroes */
void dense_layers_take_panels(struct dense_layers *layers, struct arena *arena);
void dense_layers_pack(struct dense_layers *layers, const struct packing *packing);
void dense_layers_take_workspace(
    struct dense_layers *layers, const struct pass *pass, struct arena *arena, size_t R);

void dense_layers_forward(
    struct dense_layers *layers, const struct pass *pass, size_t R, struct dense_input in);

/* What comes out of layers that see `in`. */
struct dense_input dense_layers_output(const struct dense_layers *layers, struct dense_input in);

/* Where the gradient by what comes out is to be put before backward, dX being that by what goes in. */
float *dense_layers_gradient(const struct dense_layers *layers, float *dX);

/* dX is overwritten where there are layers; no data: it is not wanted, and nothing below the lowest layer
 * that is trained is computed. Destroys the gradient by what came out. Of a team each member takes its rows
 * of all layers, one after the other. */
void dense_layers_backward_inputs(
    struct dense_layers *layers, const struct pass *pass, size_t R, struct rows dX);

/* Afterwards, when the team has met: adds to the gradients by weights and biases. */
void dense_layers_add_gradient(
    struct dense_layers *layers, const struct pass *pass, size_t R, struct dense_input in);

#endif

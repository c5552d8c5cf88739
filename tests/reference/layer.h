/* A recurrent layer over one sequence, in one direction or both. Inside of the reference.
 *
 * T steps, I inputs, H units per direction, D directions, G gates, K transition layers. */
#ifndef TESTS_REFERENCE_LAYER_H
#define TESTS_REFERENCE_LAYER_H

#include "cell.h"
#include "names.h"

/* One direction at all steps. */
struct course {
    double *gate, *recurrent; /* [T][G*H] */
    double *state, *h;        /* [T][H] */
    double *m;                /* [T][K+1][H]: m(0), ..., m(K) */
};

struct reference_layer {
    const struct net_config *config;
    struct cell_shape shape;
    size_t l, D, T;
    double *x;             /* [T][I], what the layer runs on; the layer's, zeroes at first */
    const double *mask[2]; /* [H] of the sequence; NULL: none */
    size_t cut;            /* of the sequence */
    struct course course[2];
};

void reference_layer_init(
    struct reference_layer *layer, const struct net_config *config, size_t l, size_t inputs, size_t T);
void reference_layer_finish(struct reference_layer *layer);

/* x to y [T][D*H]. */
void reference_layer_forward(
    struct reference_layer *layer, const struct reference_names *names, double *weights, double *y);

/* Follows dh = 1 / sqrt(H) in all units at the last step that direction d visits back through the steps
 * before it, and nothing else: norm[i] [T] of the gradient by all states i steps before, divided by that at
 * the last step. After reference_layer_forward. */
void reference_layer_flow(const struct reference_layer *layer, const struct reference_names *names,
    double *weights, size_t d, double *norm);

/* dy [T][D*H]; adds to dx [T][I] and to the gradient. */
void reference_layer_backward(const struct reference_layer *layer, const struct reference_names *names,
    double *weights, const double *dy, double *dx, double *gradient);

#endif

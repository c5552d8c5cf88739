/* One step of one cell in one direction, forward and backward. Inside of the reference.
 *
 * G gates in PyTorch's order: LSTM i f g o, GRU r z n, RNN one. I inputs, H units. */
#ifndef TESTS_REFERENCE_CELL_H
#define TESTS_REFERENCE_CELL_H

#include "net/net.h"

#include <stddef.h>

struct cell_shape {
    enum cell cell;
    size_t I, H;
};

/* W [G*H][I], U [G*H][H], b [G*H] beside the inputs, c [G*H] beside the state; or their gradients. */
struct cell_weights {
    double *W, *U, *b, *c;
};

/* What one step leaves behind. */
struct cell_step {
    double *gate;      /* [G][H] behind their squashing functions */
    double *recurrent; /* [G][H] U h(t-1) + c */
    double *state;     /* [H] the LSTM's c(t), not used by the others */
    double *h;         /* [H] output */
};

size_t reference_gates(enum cell cell); /* G */

/* x [I], h_before [H], state_before [H] into *step. */
void reference_cell_forward(const struct cell_shape *shape, const struct cell_weights *weights,
    const double *x, const double *h_before, const double *state_before, const struct cell_step *step);

/* Derivatives of the loss by h(t) and the state c(t) in; by h(t-1) and c(t-1) out, in their place: dh [H],
 * dstate [H]. Adds to dx [I] and to the gradients of the weights. */
void reference_cell_backward(const struct cell_shape *shape, const struct cell_weights *weights,
    const double *x, const double *h_before, const double *state_before, const struct cell_step *step,
    double *dh, double *dstate, double *dx, const struct cell_weights *gradient);

#endif

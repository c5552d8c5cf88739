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

/* W [G*H][I], U [G*H][H], b [G*H] beside the inputs, c [G*H] beside the state (U and c NULL: each unit sees
 * its own state alone), p [3][H] peepholes of i f o (lstm; NULL: none), u [H] (indrnn); or their gradients.
 * Of an lru W is B, its real part over its imaginary one, and there is no b.
 */
struct cell_weights {
    double *W, *U, *b, *c, *p, *u;
    double *nu, *theta, *gamma_log;             /* [H] */
    double *C_re, *C_im, *D, *gate, *gate_bias; /* [H][H], [H][H], [H][I], [H][H], [H] */
};

/* What one step leaves behind. */
struct reference_step {
    double *gate;      /* [G][H] behind their squashing functions; lru: B x */
    double *recurrent; /* [G][H] U m + c; lru: y, and behind it what its gate lets through of each */
    double *state;     /* [H] the LSTM's c(t); [2][H] the lru's Re v(t), -Im v(t); not used by the others */
    double *h;         /* [H] output */
};

size_t reference_gates(enum cell cell); /* G */

/* How many numbers of state a unit has beside its output; 2: the state is made of both, else of the output
 * and, where there is a memory, of it. */
size_t reference_state_parts(enum cell cell);
int reference_has_memory(enum cell cell); /* Are there two tensors of a learned start? */

/* Does a unit see what all units of its layer gave before, by U and c? */
int reference_cell_sees_all(enum cell cell);

/* What a step comes from: x [I] and, of the step before, h [H], the state [H], and m [H], what the recurrent
 * product sees of h. */
struct cell_past {
    const double *x, *m, *h, *state;
};

void reference_cell_forward(const struct cell_shape *shape, const struct cell_weights *weights,
    const struct cell_past *past, const struct reference_step *step);

/* Derivatives of the loss by h(t) and the state c(t) in; by h(t-1), without what goes through m, and c(t-1)
 * out, in their place: dh [H], dstate [H] or of an lru [2][H]. Adds to dx [I], dm [H] and to the gradients of
 * the weights. */
void reference_cell_backward(const struct cell_shape *shape, const struct cell_weights *weights,
    const struct cell_past *past, const struct reference_step *step, double *dh, double *dstate, double *dm,
    double *dx, const struct cell_weights *gradient);

/* Of a cell whose output is not its state: turns the derivative by the output, dh, into what it is by the
 * state, added to dstate; dh is zero then. Of the others dh stays. What it adds to the gradients is of no
 * use. */
void reference_cell_open_output(const struct cell_shape *shape, const struct cell_weights *weights,
    const struct cell_past *past, const struct reference_step *step, double *dh, double *dstate,
    const struct cell_weights *gradient);

#endif

/* The serial reference: the network's equations as textbooks print them, in double precision, as plain loops,
 * for outputs of frames and of sequences with every option of docs/network.md.
 *
 * It works on one sequence at a time, so there is no packing to get wrong, and depends on nothing but the C
 * library and the plain structs of net/net.h and optim/optim.h. Slow and obvious on purpose: what the
 * production code computes is compared with what is computed here.
 *
 * T steps, I inputs, H units per direction, D directions, G gates, O outputs, P weights. Everything is
 * row-major. Running out of memory ends the program. */
#ifndef TESTS_REFERENCE_REFERENCE_H
#define TESTS_REFERENCE_REFERENCE_H

#include "net/net.h"
#include "optim/optim.h"

#include <stddef.h>
#include <stdint.h>

/* One sequence with its targets, R rows of them: R = T with OUTPUT_FRAME, 1 with OUTPUT_SEQUENCE. */
struct reference_sequence {
    size_t T;
    const double *inputs;   /* [T][I]; NULL with symbols */
    const int32_t *symbols; /* [T]; NULL with inputs */
    const int32_t *classes; /* [R]; softmax; -1: no target; ctc: [U] labels */
    const double *values;   /* [R][O]; the other losses; NaN: no target */
    const double *weights;  /* [R] of the targets; NULL: all are 1 */
    size_t U;               /* ctc */

    /* [H] what multiplies h' on its way to the recurrent product, of each layer and direction; NULL: nothing
     * does. For recurrent dropout: 0 or 1 / (1 - rate). */
    const double *mask[NET_MOST_LAYERS][2];

    /* No gradient goes from a frame cut, 2 cut, ... of a network of one direction to the frame before it; 0:
     * all go on. */
    size_t cut;
};

struct reference_score {
    double loss;    /* summed over the rows that have a target; ctc: of the sequence, which counts as one */
    double errors;  /* of these, rows whose class is not the likeliest; NaN but for softmax; ctc: edits of the
                     * likeliest path's labels */
    double counted; /* rows that have a target; of values the parts of rows that are there; times
                     * the weights of the targets */
    double labels;  /* what errors are divided by: the same; ctc: U */
};

/* A layer: its norm, and in each direction a cell, peepholes, transitions and initial states. */
enum {
    REFERENCE_MOST_TRANSITIONS = 8,
    REFERENCE_MOST_TENSORS =
        3 + 4 * NET_MOST_LAYERS + NET_MOST_LAYERS * (2 + 2 * (4 + 1 + 2 * REFERENCE_MOST_TRANSITIONS + 2))
};

/* The flat vector of weights, computed from the configuration alone: every tensor with its name of
 * docs/network.md, in the order of embedding, input layers, recurrent layers (each with its norm before it),
 * output layers, head, without gaps. Returns how many; `list` may be NULL. */
size_t reference_list_parameters(
    const struct net_config *config, struct parameter list[REFERENCE_MOST_TENSORS]);
size_t reference_count_weights(const struct net_config *config); /* P */

/* Rows R of outputs, and of targets but with ctc, of a sequence of T steps; and what the head gives for
 * each: with ctc one more than there are classes, and of losses of several outputs for each value all of
 * them. */
size_t reference_rows(const struct net_config *config, size_t T);
size_t reference_outputs(const struct net_config *config);

/* outputs [R][O]: probabilities (softmax, sigmoid) or values. Dropout and noise are off. */
void reference_forward(const struct net_config *config, const double *weights,
    const struct reference_sequence *sequence, double *outputs);

struct reference_score reference_get_score(
    const struct net_config *config, const double *weights, const struct reference_sequence *sequence);

/* Full backpropagation through time: adds the derivative of the sequence's loss by every weight to
 * gradient [P]. */
void reference_backward(const struct net_config *config, const double *weights,
    const struct reference_sequence *sequence, double *gradient);

/* Gradient flow of layer l and direction d over the sequence, norm [T]: see docs/network.md. */
void reference_get_flow(const struct net_config *config, const double *weights,
    const struct reference_sequence *sequence, size_t l, size_t d, double *norm);

double *reference_numbers(size_t n); /* n zeroes, for free() */

/* ---- optimizers, as PyTorch 1.13 documents them ---- */

struct reference_optimizer {
    struct optim_config config; /* lr is the rate of every step: no schedule */
    size_t P;
    int64_t step;                     /* updates made */
    double *velocity, *mean, *square; /* [P] momentum; running means of gradient and its square */
};

void reference_optimizer_init(
    struct reference_optimizer *optimizer, const struct optim_config *config, size_t P);
void reference_optimizer_finish(struct reference_optimizer *optimizer);

/* One update of weights [P] by gradient [P] (already divided by the count), clipped to the largest norm
 * first. */
void reference_optimizer_update(
    struct reference_optimizer *optimizer, const double *gradient, double *weights);

#endif

/* The decoder of docs/network.md over one sequence, as plain loops in double: from the outputs of the last
 * recurrent layer to losses, gradients and the best sequence of symbols.
 *
 * T frames of F = D H encoder outputs, U targets, n symbols: U + 1 with classes (the last is the end symbol),
 * U with values; O outputs of the head. Weights are found by their names in any flat vector's list. */
#ifndef TESTS_REFERENCE_DECODER_H
#define TESTS_REFERENCE_DECODER_H

#include "net/net.h"

#include <stddef.h>
#include <stdint.h>

struct reference_decoder {
    const struct net_config *config;
    size_t tensors;
    const struct parameter *list; /* [tensors] of the flat vector */
    size_t D, H;                  /* directions and units of the encoder's last layer */
};

struct reference_targets {
    size_t T;
    const double *y; /* [T][D H] */
    size_t U;
    const int32_t *classes; /* [U] */
    const double *values;   /* [U][outputs] */
};

size_t reference_decoder_symbols(const struct reference_decoder *decoder, size_t U); /* n */

/* Teacher forcing. Returns the loss summed over the symbols; outputs [n][O] of the head before softmax or
 * logistic function, may be NULL. */
double reference_decoder_loss(const struct reference_decoder *decoder, const double *weights,
    const struct reference_targets *targets, double *outputs);

/* Adds to dy [T][D H] and to gradient, which is laid out as the weights are. */
void reference_decoder_backward(const struct reference_decoder *decoder, const double *weights,
    const struct reference_targets *targets, double *dy, double *gradient);

/* Values of a free run of U steps from the encoder outputs of `targets` (whose targets are not read). */
void reference_decoder_run(const struct reference_decoder *decoder, const double *weights,
    const struct reference_targets *targets, double *values);

/* The likeliest symbol again and again, and the best of all sequences by the sum of logarithms divided by the
 * number of symbols: at most `most` symbols, the end symbol among them. labels [most]; returns how many. */
size_t reference_decoder_greedy(const struct reference_decoder *decoder, const double *weights,
    const struct reference_targets *targets, size_t most, int32_t *labels);
size_t reference_decoder_best(const struct reference_decoder *decoder, const double *weights,
    const struct reference_targets *targets, size_t most, int32_t *labels);

#endif

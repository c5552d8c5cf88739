/* What users are given of a pass that is no training: rows of outputs sequence by sequence, as the loss
 * presents them, and the most probable class of a row. O outputs a row, B sequences of a microbatch. */
#ifndef NET_RESULTS_H
#define NET_RESULTS_H

#include "net/microbatch.h"
#include "net/types.h"

/* How many rows of outputs a sequence of so many frames has; 0 where only labels are made of it. */
size_t results_count_rows(const struct net_config *config, size_t frames);

/* Finds row i of what the net made of row b of the microbatch, among the rows of its outputs. */
size_t results_find_row(
    const struct net_config *config, const struct microbatch *microbatch, size_t b, size_t i);

/* Writes a row of outputs [O] as users are given it, as many numbers. */
void results_present(const struct net_config *config, const float *y, float *shown);

/* Is each row the probabilities of classes, one of which is the row's? */
int results_have_classes(const struct net_config *config);

/* Returns the most probable of O classes, the first of equals as in training. */
size_t results_most_probable(const float *values, size_t O);

/* Returns the first sequence of the microbatch some output of which is not finite; B: there is none. The
 * weights are finite and so are the inputs, but what becomes of them need not be: a value that stands for a
 * missing one, as 1e37, is beyond all floats once it is divided by a small deviation. */
size_t results_find_infinite(
    const struct net_config *config, const struct microbatch *microbatch, const struct net_outputs *outputs);

#endif

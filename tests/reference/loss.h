/* Losses of one row of the head. Inside of the reference.
 *
 * a [A]: what the head gives, as many as reference_outputs says. The target is *label or target [O], as the
 * loss has it; a label of -1 is no target, and such a row must not come here; a value that is
 * NaN is none, and counts in nothing. */
#ifndef TESTS_REFERENCE_LOSS_H
#define TESTS_REFERENCE_LOSS_H

#include "net/net.h"

/* Probabilities (softmax, sigmoid), or what the head gives. */
void reference_row_outputs(const struct net_config *config, const double *a, double *outputs);

double reference_row_loss(
    const struct net_config *config, const double *a, const int32_t *label, const double *target);

/* da [A]: the derivative of the loss by a. */
void reference_row_slope(
    const struct net_config *config, const double *a, const int32_t *label, const double *target, double *da);

/* The lowest of the likeliest classes is not the label. */
int reference_row_is_wrong(const struct net_config *config, const double *a, int32_t label);

#endif

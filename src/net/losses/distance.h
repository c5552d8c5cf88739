/* What losses that are the mean over outputs of a function q of the difference d = y - target share. The
 * gradient by the sums, which are the outputs, is q'(d) / O. What is not a number stays so in both. */
#ifndef NET_LOSSES_DISTANCE_H
#define NET_LOSSES_DISTANCE_H

#include "net/losses/loss.h"

#include <math.h>

/* The loss of a row, `distance` being q. */
static inline struct net_score distance_forward(
    const struct loss_row *row, double (*distance)(const struct net_config *config, double d))
{
    double sum = 0;
    if (!row->value)
        return (struct net_score){0};
    for (size_t o = 0; o < row->O; o++)
        sum += distance(row->config, (double)row->y[o] - (double)row->value[o]);
    return (struct net_score){.loss = sum / (double)row->O, .errors = NAN, .counted = 1, .labels = 1};
}

/* The gradient of a row, `slope` being `share` times q'(d). */
static inline void distance_backward(
    const struct loss_row *row, float (*slope)(const struct net_config *config, float share, float d))
{
    float share = (float)(1 / (double)row->O);
    for (size_t o = 0; o < row->O; o++)
        row->y[o] = slope(row->config, share, row->y[o] - row->value[o]);
}

#endif

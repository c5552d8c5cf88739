/* What losses that are the mean over outputs of a function q of the difference d = y - target share. The
 * gradient by the sums, which are the outputs, is q'(d) / O. An output that is not a number stays so in both;
 * a target that is none, a hole, adds nothing. */
#ifndef NET_LOSSES_DISTANCE_H
#define NET_LOSSES_DISTANCE_H

#include "net/losses/loss.h"

/* The loss of a row, `distance` being q. */
static inline struct net_score distance_forward(
    const struct loss_row *row, double (*distance)(const struct net_config *config, double d))
{
    double sum = 0;
    for (size_t o = 0; o < row->O && row->value; o++)
        if (loss_has_value(row, o))
            sum += distance(row->config, (double)row->y[o] - (double)row->value[o]);
    return loss_score_values(row, sum / (double)row->O, row->O);
}

/* The gradient of a row, `slope` being `share` times q'(d). */
static inline void distance_backward(
    const struct loss_row *row, float (*slope)(const struct net_config *config, float share, float d))
{
    float share = (float)(1 / (double)row->O);
    for (size_t o = 0; o < row->O; o++)
        row->y[o] = loss_has_value(row, o) ? slope(row->config, share, row->y[o] - row->value[o]) : 0;
}

#endif

/* The mean squared error: q(d) = d^2. */
#include "net/losses/distance.h"

static double distance(const struct net_config *config, double d)
{
    return d * d;
}

static float slope(const struct net_config *config, float share, float d)
{
    return 2 * share * d;
}

static struct net_score forward(const struct loss_row *row)
{
    return distance_forward(row, distance);
}

static void backward(const struct loss_row *row)
{
    distance_backward(row, slope);
}

const struct loss_kind loss_mse = {.name = "mse", .forward = forward, .backward = backward};

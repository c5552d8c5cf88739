/* The Huber loss (Huber 1964): q(d) = d^2 / 2 up to |d| = a, and beyond a (|d| - a / 2). */
#include "net/losses/distance.h"

static double distance(const struct net_config *config, double d)
{
    double a = config->huber_delta;
    return fabs(d) > a ? a * (fabs(d) - a / 2) : d * d / 2;
}

static float slope(const struct net_config *config, float share, float d)
{
    float a = (float)config->huber_delta;
    return share * (d > a ? a : d < -a ? -a : d);
}

static struct net_score forward(const struct loss_row *row)
{
    return distance_forward(row, distance);
}

static void backward(const struct loss_row *row)
{
    distance_backward(row, slope);
}

const struct loss_kind loss_huber = {
    .name = "huber", .takes_delta = 1, .forward = forward, .backward = backward};

/* The logarithm of the hyperbolic cosine: q(d) = ln cosh d, near 0 half the square of d and far from it
 * |d| - ln 2. With e = exp(-2 |d|), which cannot overflow, it is |d| + ln((1 + e) / 2), and its slope
 * tanh d = (1 - e) / (1 + e). Near 0 both lose their digits in differences of near numbers, and their Taylor
 * series take over. In double from base/mathematics.h, so that the bits are the same everywhere. */
#include "net/losses/distance.h"

#include "base/mathematics.h"

/* Where the series, end; what they leave out is below 1e-11 of the sum. */
#define NEAR 0.125

static double distance(const struct net_config *config, double d)
{
    double z = d * d;
    if (fabs(d) < NEAR)
        return z * (1.0 / 2 - z * (1.0 / 12 - z * (1.0 / 45 - z * (17.0 / 2520 - z * (31.0 / 14175)))));
    return fabs(d) + math_log((1 + math_exp(-2 * fabs(d))) / 2);
}

static float slope(const struct net_config *config, float share, float d)
{
    double x = (double)d, z = x * x;
    if (fabs(x) < NEAR)
        return share *
            (float)(x * (1 - z * (1.0 / 3 - z * (2.0 / 15 - z * (17.0 / 315 - z * (62.0 / 2835))))));
    double e = math_exp(-2 * fabs(x)), size = (1 - e) / (1 + e);
    return share * (float)(x < 0 ? -size : size);
}

static struct net_score forward(const struct loss_row *row)
{
    return distance_forward(row, distance);
}

static void backward(const struct loss_row *row)
{
    distance_backward(row, slope);
}

const struct loss_kind loss_logcosh = {.name = "logcosh", .forward = forward, .backward = backward};

/* The point where a uniform number falls on the line of the probabilities, laid end to end, says what is
 * drawn: one random number a draw, and small changes of a probability change few draws. */
#include "predict/draw.h"

#include "base/mathematics.h"
#include "base/random.h"

#include <math.h>

static double uniform(const struct draw *draw)
{
    return random_uniform(draw->seed, RANDOM_GENERATE, (uint64_t)draw->sequence, draw->index);
}

/* Probability p at the temperature, in proportion to that of the largest, which is 1 then: so at any
 * temperature one is left. */
static double heat(double p, double largest, double temperature)
{
    return p > 0 ? math_exp((math_log(p) - math_log(largest)) / temperature) : 0;
}

int32_t draw_class(const struct draw *draw, const float *p, size_t C)
{
    double sum = 0, below = 0, point = uniform(draw);
    size_t most = 0;
    for (size_t c = 1; c < C; c++)
        most = p[c] > p[most] ? c : most;
    for (size_t c = 0; c < C; c++)
        sum += heat((double)p[c], (double)p[most], draw->temperature);
    for (size_t c = 0; c < C; c++) {
        below += heat((double)p[c], (double)p[most], draw->temperature);
        if (point * sum < below)
            return (int32_t)c;
    }
    return (int32_t)most; /* Rounding can lead here, at the very end. */
}

int draw_bit(const struct draw *draw, double p)
{
    double largest = fmax(p, 1 - p);
    double on = heat(p, largest, draw->temperature), off = heat(1 - p, largest, draw->temperature);
    return uniform(draw) * (on + off) < on;
}

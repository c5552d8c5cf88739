/* There are sixteen independent chains instead of one: the order is fixed, and the compiler may still use
 * vectors of any width up to that. The square of a float is exact in double, so only the additions round. */
#include "comm/squares.h"

double squares_sum_block(const float *values, size_t n)
{
    double lanes[SQUARES_LANES] = {0};
    size_t whole = n / SQUARES_LANES * SQUARES_LANES;
    for (size_t i = 0; i < whole; i += SQUARES_LANES)
        for (size_t k = 0; k < SQUARES_LANES; k++)
            lanes[k] += (double)values[i + k] * values[i + k];
    for (size_t i = whole; i < n; i++)
        lanes[i - whole] += (double)values[i] * values[i];
    for (size_t half = SQUARES_LANES / 2; half; half /= 2)
        for (size_t k = 0; k < half; k++)
            lanes[k] += lanes[k + half];
    return lanes[0];
}

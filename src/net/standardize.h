/* Inputs as a network sees them that was trained on standardized ones. */
#ifndef NET_STANDARDIZE_H
#define NET_STANDARDIZE_H

#include <stddef.h>
#include <string.h>

/* Writes a frame x of I features as the network sees it; mean NULL: as it is. What is computed here is part
 * of what networks are: the same expression, in float, in training and ever after. */
static inline void standardize_frame(
    const float *x, const float *mean, const float *deviation, size_t I, float *seen)
{
    if (mean)
        for (size_t i = 0; i < I; i++)
            seen[i] = (x[i] - mean[i]) / deviation[i];
    else
        memcpy(seen, x, I * sizeof *x);
}

/* Makes floats of n means and deviations, which checkpoints keep in double. */
static inline void standardize_moments(const double *moments, size_t n, float *used)
{
    for (size_t i = 0; i < n; i++)
        used[i] = (float)moments[i];
}

#endif

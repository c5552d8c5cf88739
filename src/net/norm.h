/* Layer normalization of rows, z = (y - mean) / sqrt(variance + 1e-5) . weight + bias over all real values of
 * a row (Ba, Kiros and Hinton 2016), the variance divided by their number.
 *
 * N rows of an extent: parts D of H values, each padded. Buffers are of the workspace, taken by
 * norm_take_workspace before forward and valid until backward is done. */
#ifndef NET_NORM_H
#define NET_NORM_H

#include "base/memory.h"
#include "net/matrix.h"
#include "net/packing.h"

struct norm {
    struct extent extent;
    int is_there;                      /* 0: none, and all else is zeroes */
    size_t weight_offset, bias_offset; /* in the flat vector */
    float *weight, *bias;              /* [padded extent], packed */

    /* Workspace. */
    float *mean, *scale;    /* [N]; scale: 1 / sqrt(variance + 1e-5) */
    float *dweight, *dbias; /* [padded extent], with training */
};

void norm_init(struct norm *norm, struct extent extent, size_t weight_offset, size_t bias_offset);
void norm_take_panels(struct norm *norm, struct arena *arena); /* weight and bias */
void norm_pack(struct norm *norm, const struct packing *packing);
void norm_take_workspace(struct norm *norm, struct arena *arena, size_t N, int training);

/* Normalizes rows Y to rows Z, N of each. */
void norm_forward(const struct norm *norm, size_t N, struct rows Y, struct rows Z);

/* The gradient by Z in dY [N] becomes that by Y; those by weight and bias are added, row by row. */
void norm_backward(const struct norm *norm, size_t N, struct rows Y, struct rows dY, float *gradient);

#endif

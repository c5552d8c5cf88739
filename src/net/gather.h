/* The row that speaks for a sequence as a whole: of each part of an extent the state computed last, so of the
 * first part, forward, the one at the last frame, of the second, in reverse time, the one at the first frame.
 *
 * Rows [N][stride] of the microbatch's frames, rows [B][stride] of its sequences. */
#ifndef NET_GATHER_H
#define NET_GATHER_H

#include "net/matrix.h"
#include "net/microbatch.h"

void gather_final(struct extent extent, const struct microbatch *microbatch, const float *Y, size_t stride,
    float *gathered, size_t gathered_stride);
void gather_final_symbols(
    const struct microbatch *microbatch, int32_t *gathered); /* [B], of the last frames */

/* Adds gradients by gathered rows to those by the frames they came from. */
void gather_final_back(struct extent extent, const struct microbatch *microbatch, const float *dgathered,
    size_t gathered_stride, float *dY, size_t stride);

#endif

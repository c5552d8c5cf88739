/* The row that speaks for a sequence as a whole: of each part of an extent the state computed last, so of the
 * first part, forward, the one at the last frame, of the second, in reverse time, the one at the first frame.
 *
 * Y and dY are rows [N] of the microbatch's frames, gathered ones are rows [B] of its sequences. */
#ifndef NET_GATHER_H
#define NET_GATHER_H

#include "net/matrix.h"
#include "net/microbatch.h"

void gather_final(
    struct extent extent, const struct microbatch *microbatch, struct rows Y, struct rows gathered);
void gather_final_symbols(
    const struct microbatch *microbatch, int32_t *gathered); /* [B], of the last frames */

/* Adds gradients by gathered rows to those by the frames they came from. */
void gather_final_back(
    struct extent extent, const struct microbatch *microbatch, struct rows dgathered, struct rows dY);

#endif

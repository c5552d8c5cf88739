/* Rows of floats for frames that follow each other: all of a microbatch, or those that are near the steps at
 * hand. Private to this folder. */
#ifndef NET_FRAMES_H
#define NET_FRAMES_H

#include "kernel/kernel.h"

/* Row n of the microbatch lies at data + (n - first) * stride. */
struct frames {
    float *data;
    size_t stride, first;
};

/* The rows from frame n on, which must be there. */
static inline struct rows frames_at(const struct frames *frames, size_t n)
{
    return as_rows(frames->data + (n - frames->first) * frames->stride, frames->stride);
}

#endif

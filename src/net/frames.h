/* Rows of floats for frames that follow each other: all of a microbatch, or those that are near the steps at
 * hand. Private to this folder. */
#ifndef NET_FRAMES_H
#define NET_FRAMES_H

#include "base/memory.h"
#include "kernel/kernel.h"

/* Row n of the microbatch lies at data + (n - first) * stride. */
struct frames {
    float *data;
    size_t stride, first;
};

/* Takes room for so many rows, the first that of frame 0. */
static inline struct frames frames_take(struct arena *arena, size_t rows, size_t stride)
{
    return (struct frames){.data = arena_take(arena, rows * stride, sizeof(float)), .stride = stride};
}

/* The rows from frame n on, which must be there. */
static inline struct rows frames_at(const struct frames *frames, size_t n)
{
    return as_rows(frames->data + (n - frames->first) * frames->stride, frames->stride);
}

#endif

/* A microbatch: sequences that one rank computes together, packed without padding.
 *
 * Sequences are sorted by length, longest first. Frames are numbered time step by time step; within a step
 * one row for each sequence that is still alive. Row b of step t is frame first[t] + b, and since lengths
 * fall, the rows alive at step t are always rows 0 .. alive[t] - 1. With lengths 3, 2, 2:
 *
 *     step     0        1        2
 *     frames   0 1 2    3 4 5    6        first = 0 3 6 7, alive = 3 3 1
 *
 * T steps, B sequences (rows), N frames, I inputs, O targets a row. */
#ifndef NET_MICROBATCH_H
#define NET_MICROBATCH_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

/* Frames first .. first + most - 1 of sequences, of which one may end before; most 0: all frames. */
struct excerpt {
    int64_t first, most;
};

struct microbatch {
    size_t T, B, N;
    struct excerpt excerpt; /* of its sequences: set before it is filled, and of zeroes at the start */
    int32_t *length;        /* [B] of what it has of them, falling, each at least 1 */
    int64_t *sequence;      /* [B] index in the dataset */
    int32_t *alive;         /* [T] rows of step t */
    size_t *first;          /* [T + 1] frame of row 0 of step t; first[T] = N */

    size_t inputs_stride; /* floats from frame to frame, a multiple of 16 */
    float *inputs;        /* [N][inputs_stride], zero beyond I; NULL with symbols */
    int32_t *symbols;     /* [N]; NULL with inputs */

    /* Targets: rows are frames of the microbatch in its order (one target per frame), or its B sequences (one
     * per sequence), or, where a sequence has any number of them, those of sequence 0, then of 1, ...: rows
     * target_start[b] .. target_start[b + 1] - 1. Either classes or values; both NULL when there are no
     * targets. A class of -1 is no target, nor is a value that is NaN. */
    size_t target_rows;
    size_t *target_start; /* [B + 1], of any number of targets */
    int32_t *classes;     /* [target_rows] */
    size_t values_stride; /* floats, a multiple of 16 */
    float *values;        /* [target_rows][values_stride] */
    float *weights;       /* [target_rows] of the targets, 0 and more; NULL: all are 1 */

    /* Room owned by the microbatch: grown by microbatch_resize, never shrunk. */
    void *rows_block, *frames_block;
    size_t rows_room, steps_room, frames_bytes;
};

/* What one microbatch of a dataset is made of. */
struct microbatch_format {
    size_t inputs;        /* I; 0 with symbols */
    int has_classes;      /* class targets */
    size_t values;        /* O of real-valued targets, 0 without */
    int target_per_frame; /* else one per sequence */
    int target_any;       /* or any number */
    int has_weights;      /* of targets */
};

void microbatch_init(struct microbatch *microbatch); /* an empty microbatch: all zeroes */
void microbatch_finish(struct microbatch *microbatch);

/* Lays out B sequences of the given lengths (falling) and makes room for inputs and targets of the format;
 * target_length [B], each at least 0, is read with target_any only. The contents of inputs and targets are
 * undefined afterwards but for the zeroes that pad each row. */
int microbatch_resize(struct microbatch *microbatch, const struct microbatch_format *format, size_t B,
    const int32_t *length, const int64_t *sequence, const int32_t *target_length, struct error *error);

/* Bytes of the room that microbatch_resize makes, in its two blocks, for microbatches of up to B sequences
 * and T steps; and for one of B sequences, N frames and, with target_any, `targets` targets. */
size_t microbatch_rows_bytes(size_t B, size_t T);
size_t microbatch_frames_bytes(const struct microbatch_format *format, size_t B, size_t N, size_t targets);

/* Frame of step t of row b. */
static inline size_t microbatch_frame(const struct microbatch *microbatch, size_t b, size_t t)
{
    return microbatch->first[t] + b;
}

/* How many frames of a sequence of so many lie in the excerpt, and whether it goes on behind it. */
static inline int32_t excerpt_length(struct excerpt excerpt, int32_t length)
{
    int64_t rest = length - excerpt.first;
    return (int32_t)(excerpt.most && excerpt.most < rest ? excerpt.most : rest);
}

static inline int excerpt_goes_on(struct excerpt excerpt, int32_t length)
{
    return excerpt.most && length - excerpt.first > excerpt.most;
}

/* A multiple of 16 that holds n floats: the stride of rows of n. */
static inline size_t microbatch_stride(size_t n)
{
    return (n + 15) / 16 * 16;
}

#endif

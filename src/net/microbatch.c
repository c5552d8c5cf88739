#include "net/microbatch.h"

#include "base/memory.h"

#include <assert.h>
#include <string.h>

void microbatch_init(struct microbatch *microbatch)
{
    memset(microbatch, 0, sizeof *microbatch);
}

void microbatch_finish(struct microbatch *microbatch)
{
    memory_destroy(microbatch->rows_block);
    memory_destroy(microbatch->frames_block);
    microbatch_init(microbatch);
}

static void microbatch_take_rows(
    struct microbatch *microbatch, size_t rows, size_t steps, struct arena *arena)
{
    microbatch->sequence = arena_take(arena, rows, sizeof *microbatch->sequence);
    microbatch->target_start = arena_take(arena, rows + 1, sizeof *microbatch->target_start);
    microbatch->length = arena_take(arena, rows, sizeof *microbatch->length);
    microbatch->first = arena_take(arena, steps + 1, sizeof *microbatch->first);
    microbatch->alive = arena_take(arena, steps, sizeof *microbatch->alive);
}

size_t microbatch_rows_bytes(size_t B, size_t T)
{
    struct microbatch microbatch = {0};
    struct arena arena = {0};
    microbatch_take_rows(&microbatch, B, T, &arena);
    return arena.peak;
}

static int microbatch_grow_rows(struct microbatch *microbatch, size_t B, size_t T, struct error *error)
{
    if (B <= microbatch->rows_room && T <= microbatch->steps_room)
        return 0;
    size_t rows = B > microbatch->rows_room ? B : microbatch->rows_room;
    size_t steps = T > microbatch->steps_room ? T : microbatch->steps_room;
    size_t bytes = microbatch_rows_bytes(rows, steps);
    void *block = memory_create(bytes, 1, error);
    if (!block)
        return -1;
    struct arena arena = {.base = block, .size = bytes};
    microbatch_take_rows(microbatch, rows, steps, &arena);
    memory_destroy(microbatch->rows_block);
    microbatch->rows_block = block;
    microbatch->rows_room = rows;
    microbatch->steps_room = steps;
    return 0;
}

/* `targets`: how many there are, where a sequence may have any number. */
static void microbatch_take_frames(struct microbatch *microbatch, const struct microbatch_format *format,
    size_t targets, struct arena *arena)
{
    microbatch->inputs_stride = microbatch_stride(format->inputs);
    microbatch->inputs = NULL;
    microbatch->symbols = NULL;
    microbatch->classes = NULL;
    microbatch->values = NULL;
    microbatch->weights = NULL;
    if (format->inputs)
        microbatch->inputs =
            arena_take(arena, microbatch->N * microbatch->inputs_stride, sizeof *microbatch->inputs);
    else
        microbatch->symbols = arena_take(arena, microbatch->N, sizeof *microbatch->symbols);
    microbatch->target_rows = format->target_any ? targets
        : format->target_per_frame               ? microbatch->N
                                                 : microbatch->B;
    microbatch->values_stride = microbatch_stride(format->values);
    if (format->has_classes)
        microbatch->classes = arena_take(arena, microbatch->target_rows, sizeof *microbatch->classes);
    if (format->values)
        microbatch->values = arena_take(
            arena, microbatch->target_rows * microbatch->values_stride, sizeof *microbatch->values);
    if (format->has_weights)
        microbatch->weights = arena_take(arena, microbatch->target_rows, sizeof *microbatch->weights);
}

size_t microbatch_frames_bytes(const struct microbatch_format *format, size_t B, size_t N, size_t targets)
{
    struct microbatch microbatch = {.B = B, .N = N};
    struct arena arena = {0};
    microbatch_take_frames(&microbatch, format, targets, &arena);
    return arena.peak;
}

/* Sets lengths, where the targets of each sequence start, the frames of each step, and T, B and N. */
static void describe_rows(struct microbatch *microbatch, size_t B, const int32_t *length,
    const int64_t *sequence, const int32_t *target_length)
{
    size_t T = (size_t)length[0], rows = B;
    microbatch->B = B;
    microbatch->T = T;
    memcpy(microbatch->length, length, B * sizeof *length);
    memcpy(microbatch->sequence, sequence, B * sizeof *sequence);
    microbatch->target_start[0] = 0;
    for (size_t b = 0; b < B && target_length; b++)
        microbatch->target_start[b + 1] = microbatch->target_start[b] + (size_t)target_length[b];
    microbatch->N = 0;
    for (size_t t = 0; t < T; t++) {
        while ((size_t)length[rows - 1] <= t)
            rows--;
        microbatch->alive[t] = (int32_t)rows;
        microbatch->first[t] = microbatch->N;
        microbatch->N += rows;
    }
    microbatch->first[T] = microbatch->N;
}

static int grow_frames(struct microbatch *microbatch, size_t bytes, struct error *error)
{
    if (bytes <= microbatch->frames_bytes)
        return 0;
    memory_destroy(microbatch->frames_block); /* first, since there may be no room for both */
    microbatch->frames_bytes = 0;
    microbatch->frames_block = memory_create(bytes, 1, error);
    if (!microbatch->frames_block)
        return -1;
    microbatch->frames_bytes = bytes;
    return 0;
}

/* Clears what is behind the first `width` floats of rows [n][stride]. */
static void clear_padding(size_t n, size_t width, size_t stride, float *rows)
{
    for (size_t r = 0; r < n; r++)
        for (size_t i = width; i < stride; i++)
            rows[r * stride + i] = 0;
}

int microbatch_resize(struct microbatch *microbatch, const struct microbatch_format *format, size_t B,
    const int32_t *length, const int64_t *sequence, const int32_t *target_length, struct error *error)
{
    assert(B > 0 && length[B - 1] > 0);
    if (microbatch_grow_rows(microbatch, B, (size_t)length[0], error))
        return -1;
    describe_rows(microbatch, B, length, sequence, format->target_any ? target_length : NULL);
    size_t targets = format->target_any ? microbatch->target_start[B] : 0;
    if (grow_frames(microbatch, microbatch_frames_bytes(format, B, microbatch->N, targets), error))
        return -1;
    struct arena arena = {.base = microbatch->frames_block, .size = microbatch->frames_bytes};
    microbatch_take_frames(microbatch, format, targets, &arena);
    if (microbatch->inputs)
        clear_padding(microbatch->N, format->inputs, microbatch->inputs_stride, microbatch->inputs);
    if (microbatch->values)
        clear_padding(microbatch->target_rows, format->values, microbatch->values_stride, microbatch->values);
    return 0;
}

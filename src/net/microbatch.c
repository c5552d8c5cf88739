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

/* `targets` counts those of any number. */
static void microbatch_take_frames(struct microbatch *microbatch, const struct microbatch_format *format,
    size_t targets, struct arena *arena)
{
    microbatch->inputs_stride = microbatch_stride(format->inputs);
    microbatch->inputs = NULL;
    microbatch->symbols = NULL;
    microbatch->classes = NULL;
    microbatch->values = NULL;
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
}

size_t microbatch_frames_bytes(const struct microbatch_format *format, size_t B, size_t N, size_t targets)
{
    struct microbatch microbatch = {.B = B, .N = N};
    struct arena arena = {0};
    microbatch_take_frames(&microbatch, format, targets, &arena);
    return arena.peak;
}

int microbatch_resize(struct microbatch *microbatch, const struct microbatch_format *format, size_t B,
    const int32_t *length, const int64_t *sequence, const int32_t *target_length, struct error *error)
{
    assert(B > 0 && length[B - 1] > 0);
    size_t T = (size_t)length[0];
    if (microbatch_grow_rows(microbatch, B, T, error))
        return -1;
    microbatch->B = B;
    microbatch->T = T;
    memcpy(microbatch->length, length, B * sizeof *length);
    memcpy(microbatch->sequence, sequence, B * sizeof *sequence);
    microbatch->target_start[0] = 0;
    for (size_t b = 0; b < B && format->target_any; b++)
        microbatch->target_start[b + 1] = microbatch->target_start[b] + (size_t)target_length[b];
    size_t rows = B;
    microbatch->N = 0;
    for (size_t t = 0; t < T; t++) {
        while ((size_t)length[rows - 1] <= t)
            rows--;
        microbatch->alive[t] = (int32_t)rows;
        microbatch->first[t] = microbatch->N;
        microbatch->N += rows;
    }
    microbatch->first[T] = microbatch->N;

    size_t targets = format->target_any ? microbatch->target_start[B] : 0;
    size_t bytes = microbatch_frames_bytes(format, B, microbatch->N, targets);
    if (bytes > microbatch->frames_bytes) {
        void *block = memory_create(bytes, 1, error);
        if (!block)
            return -1;
        memory_destroy(microbatch->frames_block);
        microbatch->frames_block = block;
        microbatch->frames_bytes = bytes;
    }
    struct arena arena = {.base = microbatch->frames_block, .size = microbatch->frames_bytes};
    microbatch_take_frames(microbatch, format, targets, &arena);
    for (size_t n = 0; n < microbatch->N && microbatch->inputs; n++)
        for (size_t i = format->inputs; i < microbatch->inputs_stride; i++)
            microbatch->inputs[n * microbatch->inputs_stride + i] = 0;
    for (size_t n = 0; n < microbatch->target_rows && microbatch->values; n++)
        for (size_t i = format->values; i < microbatch->values_stride; i++)
            microbatch->values[n * microbatch->values_stride + i] = 0;
    return 0;
}

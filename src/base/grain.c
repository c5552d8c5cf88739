#include "base/grain.h"

#include "base/memory.h"

#include <assert.h>
#include <string.h>

void grain_init(struct grain *grain)
{
    memset(grain, 0, sizeof *grain);
}

void grain_finish(struct grain *grain)
{
    memory_destroy(grain->rows_block);
    memory_destroy(grain->frames_block);
    grain_init(grain);
}

static void grain_lay_rows(struct grain *grain, size_t rows, size_t steps, struct arena *arena)
{
    grain->sequence = arena_take(arena, rows, sizeof *grain->sequence);
    grain->target_start = arena_take(arena, rows + 1, sizeof *grain->target_start);
    grain->length = arena_take(arena, rows, sizeof *grain->length);
    grain->first = arena_take(arena, steps + 1, sizeof *grain->first);
    grain->alive = arena_take(arena, steps, sizeof *grain->alive);
}

size_t grain_rows_bytes(size_t B, size_t T)
{
    struct grain grain = {0};
    struct arena arena = {0};
    grain_lay_rows(&grain, B, T, &arena);
    return arena.peak;
}

static int grain_grow_rows(struct grain *grain, size_t B, size_t T, struct error *error)
{
    if (B <= grain->rows_room && T <= grain->steps_room)
        return 0;
    size_t rows = B > grain->rows_room ? B : grain->rows_room;
    size_t steps = T > grain->steps_room ? T : grain->steps_room;
    size_t bytes = grain_rows_bytes(rows, steps);
    void *block = memory_create(bytes, 1, error);
    if (!block)
        return -1;
    struct arena arena = {.base = block, .size = bytes};
    grain_lay_rows(grain, rows, steps, &arena);
    memory_destroy(grain->rows_block);
    grain->rows_block = block;
    grain->rows_room = rows;
    grain->steps_room = steps;
    return 0;
}

/* `targets` counts those of any number. */
static void grain_lay_frames(
    struct grain *grain, const struct grain_format *format, size_t targets, struct arena *arena)
{
    grain->inputs_stride = grain_stride(format->inputs);
    grain->inputs = NULL;
    grain->symbols = NULL;
    grain->classes = NULL;
    grain->values = NULL;
    if (format->inputs)
        grain->inputs = arena_take(arena, grain->N * grain->inputs_stride, sizeof *grain->inputs);
    else
        grain->symbols = arena_take(arena, grain->N, sizeof *grain->symbols);
    grain->target_rows = format->target_any ? targets : format->target_per_frame ? grain->N : grain->B;
    grain->values_stride = grain_stride(format->values);
    if (format->has_classes)
        grain->classes = arena_take(arena, grain->target_rows, sizeof *grain->classes);
    if (format->values)
        grain->values = arena_take(arena, grain->target_rows * grain->values_stride, sizeof *grain->values);
}

size_t grain_frames_bytes(const struct grain_format *format, size_t B, size_t N, size_t targets)
{
    struct grain grain = {.B = B, .N = N};
    struct arena arena = {0};
    grain_lay_frames(&grain, format, targets, &arena);
    return arena.peak;
}

int grain_resize(struct grain *grain, const struct grain_format *format, size_t B, const int32_t *length,
    const int64_t *sequence, const int32_t *target_length, struct error *error)
{
    assert(B > 0 && length[B - 1] > 0);
    size_t T = (size_t)length[0];
    if (grain_grow_rows(grain, B, T, error))
        return -1;
    grain->B = B;
    grain->T = T;
    memcpy(grain->length, length, B * sizeof *length);
    memcpy(grain->sequence, sequence, B * sizeof *sequence);
    grain->target_start[0] = 0;
    for (size_t b = 0; b < B && format->target_any; b++)
        grain->target_start[b + 1] = grain->target_start[b] + (size_t)target_length[b];
    size_t rows = B;
    grain->N = 0;
    for (size_t t = 0; t < T; t++) {
        while ((size_t)length[rows - 1] <= t)
            rows--;
        grain->alive[t] = (int32_t)rows;
        grain->first[t] = grain->N;
        grain->N += rows;
    }
    grain->first[T] = grain->N;

    size_t targets = format->target_any ? grain->target_start[B] : 0;
    size_t bytes = grain_frames_bytes(format, B, grain->N, targets);
    if (bytes > grain->frames_bytes) {
        void *block = memory_create(bytes, 1, error);
        if (!block)
            return -1;
        memory_destroy(grain->frames_block);
        grain->frames_block = block;
        grain->frames_bytes = bytes;
    }
    struct arena arena = {.base = grain->frames_block, .size = grain->frames_bytes};
    grain_lay_frames(grain, format, targets, &arena);
    for (size_t n = 0; n < grain->N && grain->inputs; n++)
        for (size_t i = format->inputs; i < grain->inputs_stride; i++)
            grain->inputs[n * grain->inputs_stride + i] = 0;
    for (size_t n = 0; n < grain->target_rows && grain->values; n++)
        for (size_t i = format->values; i < grain->values_stride; i++)
            grain->values[n * grain->values_stride + i] = 0;
    return 0;
}

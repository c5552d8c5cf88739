/* Teacher forcing: the microbatch's targets become the inner microbatch of a recurrent network like any
 * other. Its sequences are those of the microbatch, those with most symbols first, its frames their symbols,
 * and each frame's input is the true symbol before; its starting states are given. `source` and `row` tell
 * which row of the microbatch its rows and frames belong to. */
#include "net/decoder.h"

#include <assert.h>
#include <string.h>

size_t decoder_count_symbols(const struct decoder *d, const struct microbatch *microbatch, size_t b)
{
    return microbatch->target_start[b + 1] - microbatch->target_start[b] + (d->classes ? 1 : 0);
}

void decoder_targets_take_workspace(struct decoder *d, struct arena *arena, const struct decoder_size *size)
{
    struct microbatch *inner = &d->targets;
    *inner = (struct microbatch){.T = size->steps, .B = size->symbols ? size->B : 0, .N = size->symbols};
    inner->sequence = arena_take(arena, size->B, sizeof *inner->sequence);
    inner->length = arena_take(arena, size->B, sizeof *inner->length);
    inner->first = arena_take(arena, size->steps + 1, sizeof *inner->first);
    inner->alive = arena_take(arena, size->steps, sizeof *inner->alive);
    inner->target_rows = size->symbols;
    if (d->classes) {
        inner->symbols = arena_take(arena, size->symbols, sizeof *inner->symbols);
        inner->classes = arena_take(arena, size->symbols, sizeof *inner->classes);
    } else {
        inner->values_stride = microbatch_stride(d->config->outputs);
        inner->values = arena_take(arena, size->symbols * inner->values_stride, sizeof *inner->values);
    }
    d->source = arena_take(arena, size->B, sizeof *d->source);
    d->order = arena_take(arena, size->symbols, sizeof *d->order);
}

/* Sorts rows of the microbatch by falling number of symbols, and leaves those alike in the microbatch's
 * order. */
static void sort_sequences(struct decoder *d, const struct microbatch *microbatch)
{
    for (size_t b = 0; b < microbatch->B; b++) {
        size_t symbols = decoder_count_symbols(d, microbatch, b), place = b;
        assert(symbols > 0);
        for (; place > 0 && (size_t)d->targets.length[place - 1] < symbols; place--) {
            d->targets.length[place] = d->targets.length[place - 1];
            d->source[place] = d->source[place - 1];
        }
        d->targets.length[place] = (int32_t)symbols;
        d->source[place] = (int32_t)b;
    }
}

/* Numbers the frames of each step, and notes the row of the microbatch that each belongs to. */
static void number_frames(struct decoder *d, const struct microbatch *microbatch)
{
    struct microbatch *inner = &d->targets;
    size_t alive = inner->B, n = 0;
    for (size_t u = 0; u < inner->T; u++) {
        while ((size_t)inner->length[alive - 1] <= u)
            alive--;
        inner->alive[u] = (int32_t)alive;
        inner->first[u] = n;
        n += alive;
    }
    inner->first[inner->T] = n;
    int32_t *next = d->order;
    for (size_t b = 0; b < inner->B; b++) {
        inner->sequence[b] = microbatch->sequence[d->source[b]];
        for (size_t u = 0; u < (size_t)inner->length[b]; u++) {
            d->row[microbatch_frame(inner, b, u)] = d->source[b];
            *next++ = (int32_t)microbatch_frame(inner, b, u);
        }
    }
}

/* Sets inputs and targets of frame n: symbol u of `count`, whose targets are rows from `first` on. */
static void set_frame(
    struct decoder *d, const struct microbatch *microbatch, size_t n, size_t first, size_t u, size_t count)
{
    struct microbatch *inner = &d->targets;
    int32_t end = (int32_t)d->config->outputs;
    if (d->classes) {
        inner->symbols[n] = u == 0 ? end + 1 : microbatch->classes[first + u - 1];
        inner->classes[n] = u + 1 == count ? end : microbatch->classes[first + u];
        return;
    }
    size_t stride = inner->values_stride;
    memcpy(inner->values + n * stride, microbatch->values + (first + u) * microbatch->values_stride,
        stride * sizeof(float));
    if (u == 0)
        memset(d->X + n * d->X_stride, 0, d->X_stride * sizeof(float));
    else
        memcpy(d->X + n * d->X_stride, microbatch->values + (first + u - 1) * microbatch->values_stride,
            stride * sizeof(float));
}

static void set_inputs(struct decoder *d, const struct microbatch *microbatch)
{
    struct microbatch *inner = &d->targets;
    for (size_t b = 0; b < inner->B; b++)
        for (size_t u = 0, count = (size_t)inner->length[b]; u < count; u++)
            set_frame(d, microbatch, microbatch_frame(inner, b, u), microbatch->target_start[d->source[b]], u,
                count);
    if (d->classes)
        embedding_look_up(&d->embedding, inner->N, inner->symbols, d->X);
}

/* Sets the states of the inner microbatch's rows before their first symbol. */
static void set_states(struct decoder *d)
{
    const struct microbatch *inner = &d->targets;
    for (size_t n = 0; n < d->layers; n++) {
        struct decoder_layer *layer = &d->layer[n];
        struct rows h = recurrent_start_h(&layer->recurrent, inner, as_rows(layer->Y, d->S_stride));
        float *c = d->kind->has_memory ? recurrent_start_c(&layer->recurrent) : NULL;
        for (size_t b = 0; b < inner->B; b++) {
            const float *begin = layer->begin + (size_t)d->source[b] * d->start_stride;
            memcpy(row_at(h, b), begin, d->Sp * sizeof(float));
            if (c)
                memcpy(c + b * d->Sp, begin + d->Sp, d->Sp * sizeof(float));
        }
    }
}

void decoder_targets_set(struct decoder *d, const struct microbatch *microbatch)
{
    sort_sequences(d, microbatch);
    number_frames(d, microbatch);
    set_inputs(d, microbatch);
    set_states(d);
}

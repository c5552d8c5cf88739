/* The layers of a decoder and what they compute: the same on the symbols of targets (decoder_targets.c) as on
 * the hypotheses of a search (decoder_search.c). Both are inner microbatches whose starting states are given.
 * Only attention and the starts look across to the encoder's rows, by `row` and `source`. */
#include "net/decoder.h"

#include "net/gather.h"
#include "net/losses/loss.h"

#include <stdio.h>

static struct extent one_part(size_t size)
{
    return (struct extent){.parts = 1, .size = size, .interleave = 1};
}

static int init_layer(
    struct decoder *d, size_t n, struct extent inputs, struct parameters *parameters, struct error *error)
{
    struct decoder_layer *layer = &d->layer[n];
    size_t states = d->kind->has_memory ? 2 : 1;
    char name[48];
    snprintf(name, sizeof name, "decoder.start.%zu", n);
    struct dense_shape start = {.name = name,
        .outputs = {.parts = states, .size = d->S, .interleave = 1},
        .inputs = d->encoder,
        .needs_input_gradient = 1};
    struct recurrent_shape recurrent = {.prefix = "decoder.rnn",
        .suffix = "",
        .layer = n,
        .cell = d->config->cell,
        .H = d->S,
        .inputs = inputs,
        .needs_input_gradient = n > 0 || d->classes,
        .start = START_GIVEN,
        .forget_bias = d->config->forget_bias,
        .recurrent_max = d->config->recurrent_max};
    d->start_stride = kernel_stride(extent_padded(start.outputs));
    dense_init(&layer->start, &start, parameters);
    return recurrent_init(&layer->recurrent, &recurrent, parameters, error);
}

static void init_attention(struct decoder *d, struct parameters *parameters)
{
    const struct net_config *c = d->config;
    size_t S = d->S, A = c->attention_size, F = extent_true(d->encoder);
    struct attention_place place = {.tensors.from = parameters->n};
    if (c->attention == ATTENTION_NONE)
        return;
    if (c->attention == ATTENTION_ADDITIVE) {
        place.query = parameters_declare(parameters, A, S, starting_uniform(S), "attention.query.weight");
        place.key = parameters_declare(parameters, A, F, starting_uniform(F), "attention.key.weight");
        place.key_bias = parameters_declare(parameters, A, 0, starting_uniform(F), "attention.key.bias");
        place.energy = parameters_declare(parameters, 1, A, starting_uniform(A), "attention.energy.weight");
    } else {
        place.key = parameters_declare(parameters, S, F, starting_uniform(F), "attention.key.weight");
    }
    struct starting starting = starting_uniform(S + F);
    place.combine = parameters_declare(parameters, S, S + F, starting, "decoder.combine.weight");
    place.combine_bias = parameters_declare(parameters, S, 0, starting, "decoder.combine.bias");
    place.tensors.to = parameters->n;
    attention_init(&d->attention, c->attention, S, A, d->encoder, place);
}

/* Symbols that are fed back are one of the classes, the end or the start. */
static void init_embedding(struct decoder *d, struct parameters *parameters)
{
    size_t symbols = d->config->outputs + 2, size = d->config->decoder_embedding;
    size_t table = parameters_declare(parameters, symbols, size,
        (struct starting){.rule = STARTS_NORMAL, .number = 1}, "decoder.embedding.weight");
    embedding_init(&d->embedding, symbols, size, table);
}

int decoder_init(struct decoder *d, const struct net_config *config, struct extent encoder,
    struct parameters *parameters, struct error *error)
{
    const struct net_config *c = config;
    *d = (struct decoder){.config = c,
        .kind = cell_of(c),
        .classes = loss_of(c)->takes_classes,
        .S = c->decoder_hidden,
        .encoder = encoder,
        .outputs = one_part(c->decoder_hidden)};
    d->tensors.from = parameters->n;
    d->Sp = extent_padded(d->outputs);
    d->S_stride = kernel_stride(d->Sp);
    d->F_stride = kernel_stride(extent_padded(encoder));
    struct extent inputs = one_part(d->classes ? c->decoder_embedding : c->outputs);
    d->X_stride = kernel_stride(extent_padded(inputs));
    d->layer = memory_create(c->decoder_layers, sizeof *d->layer, error);
    if (!d->layer)
        return -1;
    if (d->classes)
        init_embedding(d, parameters);
    for (; d->layers < c->decoder_layers; inputs = d->outputs)
        if (init_layer(d, d->layers++, inputs, parameters, error)) {
            decoder_finish(d);
            return -1;
        }
    init_attention(d, parameters);
    d->tensors.to = parameters->n;
    return 0;
}

void decoder_finish(struct decoder *d)
{
    for (size_t n = 0; n < d->layers; n++)
        recurrent_finish(&d->layer[n].recurrent);
    memory_destroy(d->layer);
    *d = (struct decoder){0};
}

void decoder_take_panels(struct decoder *d, struct arena *arena)
{
    embedding_take_panels(&d->embedding, arena);
    for (size_t n = 0; n < d->layers; n++) {
        dense_take_panels(&d->layer[n].start, arena);
        recurrent_take_panels(&d->layer[n].recurrent, arena);
    }
    if (d->config->attention != ATTENTION_NONE)
        attention_take_panels(&d->attention, arena);
}

void decoder_pack(struct decoder *d, const struct packing *packing)
{
    if (d->classes)
        embedding_pack(&d->embedding, packing);
    for (size_t n = 0; n < d->layers; n++) {
        dense_pack(&d->layer[n].start, packing);
        recurrent_pack(&d->layer[n].recurrent, packing);
    }
    if (d->config->attention != ATTENTION_NONE)
        attention_pack(&d->attention, packing);
}

struct decoder_size decoder_measure(const struct decoder *d, const struct pass *pass, size_t head_stride)
{
    const struct microbatch *microbatch = pass->microbatch;
    struct decoder_size size = {.training = pass->options.training,
        .B = microbatch->B,
        .N = microbatch->N,
        .T = microbatch->T,
        .head_stride = head_stride};
    if (!pass->options.training)
        size.beam = d->classes && pass->options.beam > 1 ? pass->options.beam : 1;
    size.most = decoder_most_symbols(d->config, &pass->options, microbatch->T);
    for (size_t b = 0; b < microbatch->B; b++)
        size.labels += decoder_most_symbols(d->config, &pass->options, (size_t)microbatch->length[b]);
    for (size_t b = 0; b < microbatch->B && (microbatch->classes || microbatch->values); b++) {
        size_t symbols = decoder_count_symbols(d, microbatch, b);
        size.symbols += symbols;
        size.steps = symbols > size.steps ? symbols : size.steps;
    }
    return size;
}

size_t decoder_count_rows(const struct decoder_size *size)
{
    size_t run = size->B * size->beam;
    return run > size->symbols ? run : size->symbols;
}

void decoder_take_workspace(
    struct decoder *d, const struct pass *pass, struct arena *arena, const struct decoder_size *size)
{
    size_t R = decoder_count_rows(size), B = size->B > size->B * size->beam ? size->B : size->B * size->beam;
    size_t backward = size->training ? 1 : 0;
    struct microbatch rows = {.B = B, .N = R};
    struct pass inner = pass_over(pass, &rows);
    decoder_targets_take_workspace(d, arena, size);
    d->row = arena_take(arena, R, sizeof *d->row);
    d->X = arena_take(arena, R * d->X_stride, sizeof(float));
    d->dX = arena_take(arena, backward * R * d->X_stride, sizeof(float));
    d->e = arena_take(arena, size->B * d->F_stride, sizeof(float));
    d->de = arena_take(arena, backward * 2 * size->B * d->F_stride, sizeof(float));
    d->dbegin = arena_take(arena, backward * size->B * d->start_stride, sizeof(float));
    struct recurrent *recurrent[NET_MOST_LAYERS];
    for (size_t n = 0; n < d->layers; n++) {
        struct decoder_layer *layer = &d->layer[n];
        recurrent[n] = &layer->recurrent;
        layer->Y = arena_take(arena, (R + B) * d->S_stride, sizeof(float));
        layer->dY = arena_take(arena, backward * (R + B) * d->S_stride, sizeof(float));
        layer->begin = arena_take(arena, size->B * d->start_stride, sizeof(float));
        recurrent_take_workspace(&layer->recurrent, &inner, arena);
        if (size->training)
            dense_take_workspace(&layer->start, pass, arena);
    }
    recurrent_take_sums(recurrent, d->layers, &inner, arena);
    if (d->config->attention == ATTENTION_NONE) {
        d->out = d->layer[d->layers - 1].Y;
        d->dout = d->layer[d->layers - 1].dY;
    } else {
        d->out = arena_take(arena, R * d->S_stride, sizeof(float));
        d->dout = arena_take(arena, backward * R * d->S_stride, sizeof(float));
        attention_take_workspace(&d->attention, pass, arena, R, size->steps);
    }
    d->label_start = NULL;
    d->labels = NULL;
    d->values = NULL;
    if (size->beam)
        decoder_search_take_workspace(d, arena, size);
}

void decoder_start(struct decoder *d, const struct pass *pass, struct dense_input in)
{
    const struct microbatch *microbatch = pass->microbatch;
    struct dense_input last = {.X = as_rows(d->e, d->F_stride)};
    gather_final(d->encoder, microbatch, in.X, last.X);
    for (size_t n = 0; n < d->layers; n++) {
        struct decoder_layer *layer = &d->layer[n];
        dense_forward(&layer->start, pass, microbatch->B, last, as_rows(layer->begin, d->start_stride));
        for (size_t b = 0; b < microbatch->B; b++)
            pass->kernel->tanh_array(extent_padded(layer->start.outputs), layer->begin + b * d->start_stride);
    }
    if (d->config->attention != ATTENTION_NONE)
        attention_set_keys(&d->attention, pass, microbatch->N, in.X);
}

struct attention_queries decoder_queries(const struct decoder *d, size_t R,
    const struct microbatch *microbatch, struct dense_input in, const int32_t *order)
{
    return (struct attention_queries){.microbatch = microbatch,
        .Y = in.X,
        .R = R,
        .row = d->row,
        .order = order,
        .d = as_rows(d->layer[d->layers - 1].Y, d->S_stride)};
}

void decoder_compute(struct decoder *d, const struct pass *pass, const struct microbatch *inner,
    struct dense_input in, const int32_t *order)
{
    struct pass inner_pass = pass_over(pass, inner);
    struct rows X = as_rows(d->X, d->X_stride);
    for (size_t n = 0; n < d->layers; n++) {
        struct decoder_layer *layer = &d->layer[n];
        struct rows Y = as_rows(layer->Y, d->S_stride);
        recurrent_forward(&layer->recurrent, &inner_pass, X, Y);
        X = Y;
    }
    if (d->config->attention == ATTENTION_NONE)
        return;
    struct attention_queries queries = decoder_queries(d, inner->N, pass->microbatch, in, order);
    attention_forward(&d->attention, pass, &queries, d->out);
}

void decoder_forward(struct decoder *d, const struct pass *pass, struct dense_input in)
{
    decoder_targets_set(d, pass->microbatch);
    decoder_compute(d, pass, &d->targets, in, d->order);
}

/* The inner microbatch makes the decoder a recurrent network like any other: its sequences are those of the
 * microbatch, its frames their symbols, its starting states given. Only attention and the start look across
 * to the encoder's rows, by `row` and `source`. */
#include "net/decoder.h"

#include "net/gather.h"
#include "net/layout.h"

#include <assert.h>
#include <string.h>

static struct extent one_part(size_t size)
{
    return (struct extent){.parts = 1, .size = size, .interleave = 1};
}

static int init_layer(
    struct decoder *d, const struct net *net, size_t n, struct extent inputs, struct error *error)
{
    int lstm = d->config->cell == CELL_LSTM;
    struct extent begin = {.parts = lstm ? 2 : 1, .size = d->S, .interleave = 1};
    struct recurrent_place place = {
        .weight_ih = net_find_parameter(net, "decoder.rnn.weight_ih_l%zu", n)->offset,
        .weight_hh = net_find_parameter(net, "decoder.rnn.weight_hh_l%zu", n)->offset,
        .bias_ih = net_find_parameter(net, "decoder.rnn.bias_ih_l%zu", n)->offset,
        .bias_hh = net_find_parameter(net, "decoder.rnn.bias_hh_l%zu", n)->offset,
        .start = START_GIVEN};
    d->start_stride = kernel_stride(extent_padded(begin));
    if (dense_init(&d->layer[n].start, begin, d->encoder,
            net_find_parameter(net, "decoder.start.%zu.weight", n)->offset,
            net_find_parameter(net, "decoder.start.%zu.bias", n)->offset, error))
        return -1;
    int needs_input_gradient = n > 0 || d->classes;
    return recurrent_init(
        &d->layer[n].recurrent, d->config->cell, 0, d->S, inputs, 0, needs_input_gradient, place, error);
}

static int init_attention(struct decoder *d, const struct net *net, struct error *error)
{
    const struct net_config *c = d->config;
    if (c->attention == ATTENTION_NONE)
        return 0;
    struct attention_place place = {.key = net_find_parameter(net, "attention.key.weight")->offset,
        .combine = net_find_parameter(net, "decoder.combine.weight")->offset,
        .combine_bias = net_find_parameter(net, "decoder.combine.bias")->offset};
    if (c->attention == ATTENTION_ADDITIVE) {
        place.query = net_find_parameter(net, "attention.query.weight")->offset;
        place.key_bias = net_find_parameter(net, "attention.key.bias")->offset;
        place.energy = net_find_parameter(net, "attention.energy.weight")->offset;
    }
    return attention_init(&d->attention, c->attention, d->S, c->attention_size, d->encoder, place, error);
}

int decoder_init(struct decoder *d, const struct net *net, struct extent encoder, struct error *error)
{
    const struct net_config *c = &net->config;
    *d = (struct decoder){.config = c,
        .classes = loss_of(c)->takes_classes,
        .S = c->decoder_hidden,
        .encoder = encoder,
        .outputs = one_part(c->decoder_hidden)};
    d->Sp = extent_padded(d->outputs);
    d->S_stride = kernel_stride(d->Sp);
    d->F_stride = kernel_stride(extent_padded(encoder));
    struct extent inputs = one_part(d->classes ? c->decoder_embedding : c->outputs);
    d->X_stride = kernel_stride(extent_padded(inputs));
    int failed = d->classes &&
        embedding_init(&d->embedding, c->outputs + 2, c->decoder_embedding,
            net_find_parameter(net, "decoder.embedding.weight")->offset, error);
    for (; !failed && d->layers < c->decoder_layers; inputs = d->outputs)
        failed = init_layer(d, net, d->layers++, inputs, error);
    if (failed || init_attention(d, net, error)) {
        decoder_finish(d);
        return -1;
    }
    return 0;
}

void decoder_finish(struct decoder *d)
{
    for (size_t n = 0; n < d->layers; n++) {
        dense_finish(&d->layer[n].start);
        recurrent_finish(&d->layer[n].recurrent);
    }
    embedding_finish(&d->embedding);
    attention_finish(&d->attention);
    d->layers = 0;
}

size_t decoder_bytes(const struct decoder *d)
{
    size_t bytes = attention_bytes(&d->attention);
    for (size_t n = 0; n < d->layers; n++)
        bytes += matrix_bytes(&d->layer[n].start.weight) + recurrent_bytes(&d->layer[n].recurrent);
    return bytes;
}

void decoder_pack(struct decoder *d, const struct kernel *kernel, const float *weights)
{
    if (d->classes)
        embedding_pack(&d->embedding, weights);
    for (size_t n = 0; n < d->layers; n++) {
        dense_pack(&d->layer[n].start, kernel, weights);
        recurrent_pack(&d->layer[n].recurrent, kernel, weights);
    }
    if (d->config->attention != ATTENTION_NONE)
        attention_pack(&d->attention, kernel, weights);
}

/* Targets of row b, and the symbols that they are made into. */
static size_t count_targets(const struct microbatch *microbatch, size_t b)
{
    return microbatch->target_start[b + 1] - microbatch->target_start[b];
}

static size_t count_symbols(const struct decoder *d, const struct microbatch *microbatch, size_t b)
{
    return count_targets(microbatch, b) + (d->classes ? 1 : 0);
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
        size_t symbols = count_symbols(d, microbatch, b);
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

static void take_targets(struct decoder *d, struct arena *arena, const struct decoder_size *size)
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

void decoder_take_workspace(
    struct decoder *d, const struct pass *pass, struct arena *arena, const struct decoder_size *size)
{
    size_t R = decoder_count_rows(size), B = size->B > size->B * size->beam ? size->B : size->B * size->beam;
    size_t backward = size->training ? 1 : 0;
    struct microbatch rows = {.B = B, .N = R};
    struct pass inner = pass_over(pass, &rows);
    take_targets(d, arena, size);
    d->row = arena_take(arena, R, sizeof *d->row);
    d->X = arena_take(arena, R * d->X_stride, sizeof(float));
    d->dX = arena_take(arena, backward * R * d->X_stride, sizeof(float));
    d->e = arena_take(arena, size->B * d->F_stride, sizeof(float));
    d->de = arena_take(arena, backward * 2 * size->B * d->F_stride, sizeof(float));
    d->dbegin = arena_take(arena, backward * size->B * d->start_stride, sizeof(float));
    for (size_t n = 0; n < d->layers; n++) {
        struct decoder_layer *layer = &d->layer[n];
        layer->Y = arena_take(arena, (R + B) * d->S_stride, sizeof(float));
        layer->dY = arena_take(arena, backward * (R + B) * d->S_stride, sizeof(float));
        layer->begin = arena_take(arena, size->B * d->start_stride, sizeof(float));
        recurrent_take_workspace(&layer->recurrent, &inner, arena);
        if (size->training)
            dense_take_workspace(&layer->start, pass, arena);
    }
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
    gather_final(d->encoder, microbatch, in.X, in.stride, d->e, d->F_stride);
    for (size_t n = 0; n < d->layers; n++) {
        struct decoder_layer *layer = &d->layer[n];
        dense_forward(&layer->start, pass, microbatch->B, d->e, d->F_stride, layer->begin, d->start_stride);
        for (size_t b = 0; b < microbatch->B; b++)
            pass->kernel->tanh_array(extent_padded(layer->start.outputs), layer->begin + b * d->start_stride);
    }
    if (d->config->attention != ATTENTION_NONE)
        attention_set_keys(&d->attention, pass, microbatch->N, in.X, in.stride);
}

/* Rows of the microbatch by falling number of symbols, those alike in the microbatch's order. */
static void sort_sequences(struct decoder *d, const struct microbatch *microbatch)
{
    for (size_t b = 0; b < microbatch->B; b++) {
        size_t symbols = count_symbols(d, microbatch, b), place = b;
        assert(symbols > 0);
        for (; place > 0 && (size_t)d->targets.length[place - 1] < symbols; place--) {
            d->targets.length[place] = d->targets.length[place - 1];
            d->source[place] = d->source[place - 1];
        }
        d->targets.length[place] = (int32_t)symbols;
        d->source[place] = (int32_t)b;
    }
}

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

/* Inputs and targets of frame n: symbol u of `count`, whose targets are rows from `first` on. */
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

/* The states of the inner microbatch's rows before their first symbol. */
static void set_states(struct decoder *d)
{
    const struct microbatch *inner = &d->targets;
    for (size_t n = 0; n < d->layers; n++) {
        struct decoder_layer *layer = &d->layer[n];
        float *c = d->config->cell == CELL_LSTM ? recurrent_start_c(&layer->recurrent, inner) : NULL;
        for (size_t b = 0; b < inner->B; b++) {
            const float *begin = layer->begin + (size_t)d->source[b] * d->start_stride;
            memcpy(layer->Y + (inner->N + b) * d->S_stride, begin, d->Sp * sizeof(float));
            if (c)
                memcpy(c + b * d->Sp, begin + d->Sp, d->Sp * sizeof(float));
        }
    }
}

static struct attention_queries make_queries(const struct decoder *d, size_t R,
    const struct microbatch *microbatch, struct dense_input in, const int32_t *order)
{
    return (struct attention_queries){.microbatch = microbatch,
        .Y = in.X,
        .Y_stride = in.stride,
        .R = R,
        .row = d->row,
        .order = order,
        .d = d->layer[d->layers - 1].Y,
        .d_stride = d->S_stride};
}

void decoder_compute(struct decoder *d, const struct pass *pass, const struct microbatch *inner,
    struct dense_input in, const int32_t *order)
{
    struct pass inner_pass = pass_over(pass, inner);
    const float *X = d->X;
    size_t stride = d->X_stride;
    for (size_t n = 0; n < d->layers; n++) {
        struct decoder_layer *layer = &d->layer[n];
        recurrent_forward(&layer->recurrent, &inner_pass, X, stride, layer->Y, d->S_stride);
        X = layer->Y;
        stride = d->S_stride;
    }
    if (d->config->attention == ATTENTION_NONE)
        return;
    struct attention_queries queries = make_queries(d, inner->N, pass->microbatch, in, order);
    attention_forward(&d->attention, pass, &queries, d->out);
}

void decoder_forward(struct decoder *d, const struct pass *pass, struct dense_input in)
{
    const struct microbatch *microbatch = pass->microbatch;
    sort_sequences(d, microbatch);
    number_frames(d, microbatch);
    set_inputs(d, microbatch);
    set_states(d);
    decoder_compute(d, pass, &d->targets, in, d->order);
}

/* Gradients by the starting states of layer n, through the start's tanh, into its gradient; adds to d->de. */
static void start_backward(struct decoder *d, const struct pass *pass, size_t n)
{
    const struct microbatch *microbatch = pass->microbatch;
    const struct decoder_layer *layer = &d->layer[n];
    const struct microbatch *inner = &d->targets;
    size_t width = extent_padded(layer->start.outputs);
    for (size_t b = 0; b < inner->B; b++) {
        size_t place = (size_t)d->source[b] * d->start_stride;
        const float *begin = layer->begin + place;
        float *dbegin = d->dbegin + place;
        memcpy(dbegin, layer->dY + (inner->N + b) * d->S_stride, d->Sp * sizeof(float));
        if (d->config->cell == CELL_LSTM)
            memcpy(dbegin + d->Sp, recurrent_start_dc(&layer->recurrent) + b * d->Sp, d->Sp * sizeof(float));
        for (size_t i = 0; i < width; i++)
            dbegin[i] *= 1 - begin[i] * begin[i];
    }
    float *de = d->de, *of_layer = de + microbatch->B * d->F_stride;
    dense_backward(
        &layer->start, pass, microbatch->B, d->e, d->F_stride, d->dbegin, d->start_stride, of_layer);
    for (size_t b = 0; b < microbatch->B; b++)
        for (size_t i = b * d->F_stride, end = i + extent_padded(d->encoder); i < end; i++)
            de[i] += of_layer[i];
}

void decoder_backward(struct decoder *d, const struct pass *pass, struct dense_input in, float *dY)
{
    const struct microbatch *microbatch = pass->microbatch;
    const struct microbatch *inner = &d->targets;
    struct pass inner_pass = pass_over(pass, inner);
    memset(d->de, 0, microbatch->B * d->F_stride * sizeof *d->de);
    if (d->config->attention == ATTENTION_NONE) {
        memset(dY, 0, microbatch->N * in.stride * sizeof *dY);
    } else {
        struct attention_queries queries = make_queries(d, inner->N, microbatch, in, d->order);
        attention_backward(&d->attention, pass, &queries, d->out, d->dout, d->layer[d->layers - 1].dY, dY);
    }
    for (size_t n = d->layers; n-- > 0;) {
        struct decoder_layer *layer = &d->layer[n];
        const float *X = n > 0 ? layer[-1].Y : d->X;
        float *dX = n > 0 ? layer[-1].dY : d->classes ? d->dX : NULL;
        recurrent_backward(&layer->recurrent, &inner_pass, X, n > 0 ? d->S_stride : d->X_stride, layer->Y,
            d->S_stride, layer->dY, dX, 0);
        start_backward(d, pass, n);
    }
    if (d->classes)
        embedding_add_gradient(&d->embedding, inner->N, inner->symbols, d->dX, pass->gradient);
    gather_final_back(d->encoder, microbatch, d->de, d->F_stride, dY, in.stride);
}

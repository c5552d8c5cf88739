/* Backpropagation through a decoder on its inner microbatch of targets: from the rows that it gave through
 * attention, layers and starting states to the outputs of the encoder, which all of these have read. */
#include "net/decoder.h"
#include "net/gather.h"

#include <string.h>

/* Adds to d->de the gradient by what the layer that made the starting states of layer n saw. */
static void start_backward_inputs(struct decoder *d, const struct pass *pass, size_t n, struct rows dbegin)
{
    size_t B = pass->microbatch->B;
    float *de = d->de, *of_layer = de + B * d->F_stride;
    dense_backward_inputs(&d->layer[n].start, pass, B, dbegin, as_rows(of_layer, d->F_stride));
    for (size_t b = 0; b < B; b++)
        for (size_t i = b * d->F_stride, end = i + extent_padded(d->encoder); i < end; i++)
            de[i] += of_layer[i];
}

/* Backpropagates the gradients by the starting states of layer n through the tanh and the dense layer that
 * made them, to what that saw if it is `wanted`. */
static void start_backward(struct decoder *d, const struct pass *pass, size_t n, int wanted)
{
    const struct decoder_layer *layer = &d->layer[n];
    const struct microbatch *inner = &d->targets;
    size_t width = extent_padded(layer->start.outputs), B = pass->microbatch->B;
    struct rows dh = recurrent_start_dh(&layer->recurrent, inner, as_rows(layer->dY, d->S_stride));
    struct rows dY = as_rows(d->dbegin, d->start_stride), e = as_rows(d->e, d->F_stride);
    for (size_t b = 0; b < inner->B; b++) {
        size_t place = (size_t)d->source[b] * d->start_stride;
        const float *begin = layer->begin + place;
        float *dbegin = d->dbegin + place;
        memcpy(dbegin, row_at(dh, b), d->Sp * sizeof(float));
        if (d->kind->has_memory)
            memcpy(dbegin + d->Sp, recurrent_start_dc(&layer->recurrent) + b * d->Sp, d->Sp * sizeof(float));
        for (size_t i = 0; i < width; i++)
            dbegin[i] *= 1 - begin[i] * begin[i];
    }
    if (wanted)
        start_backward_inputs(d, pass, n, dY);
    dense_add_gradient(&layer->start, pass, B, (struct dense_input){.X = e}, dY);
}

/* Is the gradient by what layer n sees wanted, that of the embedding for the first? */
static int wants_inputs(const struct decoder *d, const struct pass *pass, size_t n, int wanted)
{
    size_t from = d->tensors.from, to = d->layer[n].start.tensors.from;
    return n > 0 ? wanted || pass_trains(pass, (struct tensors){from, to})
                 : d->classes && pass_trains(pass, (struct tensors){from, to});
}

static void layer_backward(struct decoder *d, const struct pass *pass, size_t n, int wanted)
{
    struct pass inner_pass = pass_over(pass, &d->targets);
    struct decoder_layer *layer = &d->layer[n];
    struct rows Y = as_rows(layer->Y, d->S_stride);
    struct rows X = n > 0 ? as_rows(layer[-1].Y, d->S_stride) : as_rows(d->X, d->X_stride);
    float *dX = !wants_inputs(d, pass, n, wanted) ? NULL : n > 0 ? layer[-1].dY : d->dX;
    const struct recurrent_inputs inputs = {
        .dX = as_rows(dX, X.stride), .of = {&layer->recurrent}, .n = dX ? 1 : 0};
    recurrent_backward(&layer->recurrent, &inner_pass, X, Y, as_rows(layer->dY, d->S_stride), &inputs);
    start_backward(d, pass, n, wanted);
    if (n == 0 && dX)
        embedding_add_gradient(&d->embedding, d->targets.N, d->targets.symbols, dX, pass->gradient);
}

void decoder_backward(struct decoder *d, const struct pass *pass, struct dense_input in, float *dY)
{
    const struct microbatch *microbatch = pass->microbatch;
    memset(d->de, 0, microbatch->B * d->F_stride * sizeof *d->de);
    if (d->config->attention != ATTENTION_NONE) {
        struct attention_queries queries = decoder_queries(d, d->targets.N, microbatch, in, d->order);
        attention_backward(&d->attention, pass, &queries, d->out, d->dout, d->layer[d->layers - 1].dY, dY);
    } else if (dY) {
        memset(dY, 0, microbatch->N * in.X.stride * sizeof *dY);
    }
    for (size_t n = d->layers; n-- > 0;) {
        struct tensors below = {d->tensors.from, d->layer[n].recurrent.tensors.to};
        if (dY || pass_trains(pass, below))
            layer_backward(d, pass, n, dY != NULL);
    }
    if (dY)
        gather_final_back(d->encoder, microbatch, as_rows(d->de, d->F_stride), as_rows(dY, in.X.stride));
}

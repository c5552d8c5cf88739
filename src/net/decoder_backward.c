/* Backpropagation through a decoder on its inner microbatch of targets: from the rows that it gave through
 * attention, layers and starting states to the outputs of the encoder, which all of these have read. */
#include "net/decoder.h"
#include "net/gather.h"

#include <string.h>

/* Backpropagates the gradients by the starting states of layer n through the tanh and the dense layer that
 * made them, and adds the gradient by what these saw to d->de. */
static void start_backward(struct decoder *d, const struct pass *pass, size_t n)
{
    const struct microbatch *microbatch = pass->microbatch;
    const struct decoder_layer *layer = &d->layer[n];
    const struct microbatch *inner = &d->targets;
    size_t width = extent_padded(layer->start.outputs);
    struct rows dh = recurrent_start_dh(&layer->recurrent, inner, as_rows(layer->dY, d->S_stride));
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
    float *de = d->de, *of_layer = de + microbatch->B * d->F_stride;
    struct rows dY = as_rows(d->dbegin, d->start_stride);
    dense_backward_inputs(&layer->start, pass, microbatch->B, dY, as_rows(of_layer, d->F_stride));
    dense_add_gradient(
        &layer->start, pass, microbatch->B, (struct dense_input){.X = as_rows(d->e, d->F_stride)}, dY);
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
        memset(dY, 0, microbatch->N * in.X.stride * sizeof *dY);
    } else {
        struct attention_queries queries = decoder_queries(d, inner->N, microbatch, in, d->order);
        attention_backward(&d->attention, pass, &queries, d->out, d->dout, d->layer[d->layers - 1].dY, dY);
    }
    for (size_t n = d->layers; n-- > 0;) {
        struct decoder_layer *layer = &d->layer[n];
        struct rows Y = as_rows(layer->Y, d->S_stride);
        struct rows X = n > 0 ? as_rows(layer[-1].Y, d->S_stride) : as_rows(d->X, d->X_stride);
        float *dX = n > 0 ? layer[-1].dY : d->classes ? d->dX : NULL;
        const struct recurrent_inputs inputs = {
            .dX = as_rows(dX, X.stride), .of = {&layer->recurrent}, .n = dX ? 1 : 0};
        recurrent_backward(&layer->recurrent, &inner_pass, X, Y, as_rows(layer->dY, d->S_stride), &inputs);
        start_backward(d, pass, n);
    }
    if (d->classes)
        embedding_add_gradient(&d->embedding, inner->N, inner->symbols, d->dX, pass->gradient);
    gather_final_back(d->encoder, microbatch, as_rows(d->de, d->F_stride), as_rows(dY, in.X.stride));
}

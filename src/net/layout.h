/* The inside of a net: layers in order, the table of parameters, the workspace. Private to this folder. */
#ifndef NET_LAYOUT_H
#define NET_LAYOUT_H

#include "base/memory.h"
#include "net/decoder.h"
#include "net/losses/loss.h"
#include "net/net.h"
#include "net/stack.h"
#include "net/top.h"
#include "net/transcript.h"

struct net {
    struct net_config config;
    const struct kernel *kernel;
    size_t P, parameters;
    struct parameter *parameter;
    struct stack stack;
    struct decoder decoder; /* OUTPUT_DECODER, else zeroes */
    struct top top;
    struct transcript transcript; /* OUTPUT_CTC */

    /* Workspace: one block, laid out anew for every microbatch. */
    void *block;
    size_t block_bytes;
    float *gathered, *dgathered; /* OUTPUT_SEQUENCE: [B][gathered_stride] last states and the gradient */
    int32_t *gathered_symbols;   /* [B] where the head sees symbols */
    size_t gathered_stride;
    struct net_score *row_scores; /* [rows] */
    size_t *edits;                /* OUTPUT_DECODER: scratch of edit_distance */
    double *times;                /* see net/times.h */
};

/* The first R rows that the head gave, and their targets. */
static inline struct loss_rows net_loss_rows(const struct net *net, size_t R, const struct microbatch *targets)
{
    return (struct loss_rows){.R = R,
        .O = net_count_head(&net->config),
        .outputs = net->top.outputs,
        .stride = net->top.stride,
        .targets = targets_of_microbatch(targets)};
}

/* The table of parameters in PyTorch's order and names; sets P, parameters, parameter. (parameters.c) */
int net_list_parameters(struct net *net, struct error *error);
const struct parameter *net_find_parameter(const struct net *net, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Dropout by a mask that is a function of key, sequence, layer, step and unit alone (Srivastava et al. 2014;
 * kept units are divided by 1 - rate): out = mask . in over the first `width` of the rows [N][stride] of a
 * layer; in may be out. (dropout.c) */
void dropout_apply(const struct net_pass *pass, const struct microbatch *microbatch, double rate,
    size_t layer, size_t width, size_t stride, const float *in, float *out);

/* out [N][stride] = inputs + deviation n over the first `width` features of the microbatch's frames, n normal
 * and a function of key, sequence, step and feature alone; the padding is zeroed. (noise.c) */
void noise_apply(const struct net_pass *pass, const struct microbatch *microbatch, double deviation,
    size_t width, float *out, size_t stride);

/* What is above the stack with OUTPUT_DECODER, top and scores included. Forward runs after stack_forward,
 * with scores NULL where there are no targets; backward puts the gradient by the stack's outputs.
 * (net_decoder.c) */
void net_decoder_lay(struct net *net, struct arena *arena, const struct decoder_size *size);
void net_decoder_forward(struct net *net, const struct net_pass *pass, const struct microbatch *microbatch,
    struct net_outputs *outputs, struct net_score *scores);
void net_decoder_backward(
    struct net *net, const struct net_pass *pass, const struct microbatch *microbatch, float *gradient);

#endif

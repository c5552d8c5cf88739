/* The inside of a net: layers in order, the table of parameters, the workspace. Private to this folder. */
#ifndef NET_LAYOUT_H
#define NET_LAYOUT_H

#include "base/memory.h"
#include "net/losses/loss.h"
#include "net/net.h"
#include "net/outputs/output.h"
#include "net/parameters.h"
#include "net/pass.h"
#include "net/stack.h"
#include "net/top.h"

struct net {
    struct net_config *config;
    const struct kernel *kernel;
    struct parameters parameters;
    struct stack stack;
    struct top top;
    const struct output_kind *output; /* the kind of the configuration */
    void *output_state;               /* what it keeps, of memory_create */

    /* Workspace: one block, divided anew for every microbatch. */
    void *block;
    size_t block_bytes;
    struct net_score *row_scores; /* of the rows that the output scores one by one */
    double *times;                /* see net/times.h */
};

/* Dropout by a mask that is a function of key, sequence, layer, step and unit alone (Srivastava et al. 2014;
 * kept units are divided by 1 - rate): out = mask . in over the first `width` of the rows [N][stride] of a
 * layer; in may be out. (dropout.c) */
void dropout_apply(const struct pass *pass, double rate, size_t layer, size_t width, size_t stride,
    const float *in, float *out);

/* out [N][stride] = inputs + deviation n over the first `width` features of the microbatch's frames, n normal
 * and a function of key, sequence, step and feature alone; the padding is zeroed. (noise.c) */
void noise_apply(const struct pass *pass, double deviation, size_t width, float *out, size_t stride);

#endif

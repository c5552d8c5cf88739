/* The inside of a net: layers in order, the table of parameters, the workspace. Private to this folder. */
#ifndef NET_LAYOUT_H
#define NET_LAYOUT_H

#include "base/memory.h"
#include "net/dense.h"
#include "net/net.h"
#include "net/recurrent.h"

/* A recurrent layer: its directions, and their outputs joined. */
struct layer {
    size_t D, stride; /* directions; of Y, which holds D times Hp */
    struct recurrent direction[2];
    /* Workspace. */
    float *Y, *dY;  /* [N + B][stride]; rows N ..: of the states that sequences start from */
    float *dropped; /* [N][stride] what the layer above sees: Y with dropout; NULL: Y itself */
};

struct net {
    struct net_config config;
    const struct kernel *kernel;
    size_t P, parameters;
    struct parameter *parameter;
    struct layer *layers; /* [config.layers] */
    struct dense head;
    float *embedding; /* [symbols][embedding_width], packed with the weights; NULL without */
    size_t embedding_offset, embedding_width; /* width: padded, a stride */

    /* Workspace: one block, laid out anew for every grain. */
    void *block;
    size_t block_bytes;
    float *X, *dX; /* embedded inputs [N][embedding_width] and the gradient by them */
    float *gathered,
        *dgathered; /* OUTPUT_SEQUENCE: [B][stride of the last layer] last states and the gradient */
    float *outputs; /* [rows][outputs_stride] */
    size_t outputs_stride;
    struct net_score *row_scores; /* [rows] */
    double *times;                /* see net/times.h */
};

/* The table of parameters in PyTorch's order and names; sets P, parameters, parameter. (parameters.c) */
int net_list_parameters(struct net *net, struct error *error);
const struct parameter *net_find_parameter(const struct net *net, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Dropout by a mask that is a function of key, sequence, layer, step and unit alone (Srivastava et al. 2014;
 * kept units are divided by 1 - rate): out = mask . in over the first `width` of the rows [N][stride] of a
 * layer; in may be out. (dropout.c) */
void dropout_apply(const struct net_pass *pass, const struct grain *grain, double rate, size_t layer,
    size_t width, size_t stride, const float *in, float *out);

#endif

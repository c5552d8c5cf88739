/* A network that becomes a model of ONNX. Names of values in the graph last as long as it. */
#ifndef MODEL_ONNX_NETWORK_H
#define MODEL_ONNX_NETWORK_H

#include "ckpt/checkpoint.h"
#include "model/onnx_graph.h"

struct onnx_network {
    const struct checkpoint *checkpoint;
    const struct net_config *config;
    struct graph *graph;
    int wants_last;                    /* The head sees last states. */
    const char *last[NET_MOST_LAYERS]; /* these of each recurrent layer then, [sequences, units] */
    const char *long_lengths;          /* lengths as 64-bit integers; NULL: they are not there yet */
};

/* Finds the weights of a tensor; NULL: the network has none of this name. */
const float *onnx_find(const struct onnx_network *network, const char *name);

/* Adds a node of one input or two (second NULL: one), and returns its output. */
const char *onnx_apply(
    struct onnx_network *network, const char *op, const char *first, const char *second, const char *output);

/* Returns the lengths as 64-bit integers. */
const char *onnx_long_lengths(struct onnx_network *network);

#endif

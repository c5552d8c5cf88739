/* The parts of a network that is exported as a model of ONNX. Names of values in the graph last as long as
 * it. */
#ifndef MODEL_EXPORT_ONNX_H
#define MODEL_EXPORT_ONNX_H

#include "ckpt/checkpoint.h"
#include "model/onnx_graph.h"

struct onnx_network {
    const struct checkpoint *checkpoint;
    const struct net_config *config;
    struct graph *graph;
    const char *last[NET_MOST_LAYERS]; /* of each recurrent layer its last states */
};

/* Finds the weights of a tensor; NULL: the network has none of this name. */
const float *onnx_find(const struct onnx_network *network, const char *name);

/* Adds a node of one input or two (second NULL: one), and returns its output. */
const char *onnx_apply(
    struct onnx_network *network, const char *op, const char *first, const char *second, const char *output);

/* Adds recurrent layer l on rows x of *width, which then is that of its own rows. */
const char *onnx_add_layer(struct onnx_network *network, size_t l, const char *x, size_t *width);

/* Adds the rows that a head of sequences sees, one a sequence. */
const char *onnx_add_last_states(struct onnx_network *network);

#endif

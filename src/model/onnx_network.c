#include "model/onnx_network.h"

enum { ONNX_INT64 = 7 }; /* in TensorProto.DataType of onnx.proto */

const float *onnx_find(const struct onnx_network *network, const char *name)
{
    const struct parameter *p = checkpoint_find_parameter(network->checkpoint, name);
    return p ? network->checkpoint->weights + p->offset : NULL;
}

const char *onnx_apply(
    struct onnx_network *network, const char *op, const char *first, const char *second, const char *output)
{
    graph_node(
        network->graph, op, (const char *const[]){first, second, NULL}, (const char *const[]){output, NULL});
    return output;
}

const char *onnx_long_lengths(struct onnx_network *network)
{
    if (!network->long_lengths) {
        network->long_lengths = onnx_apply(network, "Cast", "lengths", NULL, "long_lengths");
        graph_integer(network->graph, "to", ONNX_INT64);
    }
    return network->long_lengths;
}

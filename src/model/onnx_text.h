/* Nodes of ONNX that are written as text, by which a kind of cell or loss says what it computes. A line a
 * node, as in ONNX's own syntax (onnx/onnx, docs/Syntax.md):
 *
 *     i, f = Split <axis = -1> (sums)
 *
 * Attributes are whole numbers, or lists of them. A name with @ is that of a tensor of the network, without
 * its beginning "rnn." and with @ in place of layer and direction; each stands in a text once. */
#ifndef MODEL_ONNX_TEXT_H
#define MODEL_ONNX_TEXT_H

#include "model/onnx_network.h"

/* A name of the text that is a value from outside of it. */
struct onnx_name {
    const char *name, *value;
};

struct onnx_scope {
    const char *prefix; /* of all other names of the text */
    size_t layer;
    const char *suffix;           /* of the direction's tensors, "" or "_reverse" */
    const struct onnx_name *from; /* ends with a name that is NULL */
};

/* Adds the nodes of a text, whose mistakes are ours. */
void onnx_add_text(struct onnx_network *network, const char *text, const struct onnx_scope *scope);

/* The value that a name of the text stands for; it lasts as long as the graph. */
const char *onnx_name_value(
    const struct onnx_network *network, const struct onnx_scope *scope, const char *name);

#endif

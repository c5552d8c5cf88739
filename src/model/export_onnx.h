/* The recurrent layers of a network that is exported as a model of ONNX. */
#ifndef MODEL_EXPORT_ONNX_H
#define MODEL_EXPORT_ONNX_H

#include "model/onnx_network.h"

/* Adds recurrent layer l on rows x of *width, which then is that of its own rows. */
const char *onnx_add_layer(struct onnx_network *network, size_t l, const char *x, size_t *width);

/* The same of a layer that no operator is, without normalization and residuals. */
const char *onnx_add_scan(struct onnx_network *network, size_t l, const char *x);

/* Adds the rows that a head of sequences sees, one a sequence. */
const char *onnx_add_last_states(struct onnx_network *network);

#endif

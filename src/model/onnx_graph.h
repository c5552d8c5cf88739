/* A model of ONNX that is put together node by node. What is given stays the caller's until graph_finish,
 * unless it says otherwise; texts are copied. The first failure, which is lack of memory, is remembered, and
 * everything after it does nothing. */
#ifndef MODEL_ONNX_GRAPH_H
#define MODEL_ONNX_GRAPH_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

enum { GRAPH_MOST_DIMENSIONS = 4 };

struct graph;

struct graph *graph_create(void); /* NULL without memory */
void graph_destroy(struct graph *graph);

/* A text that lasts as long as the graph: never NULL. */
const char *graph_text(struct graph *graph, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* n floats, zeroes, that last as long as the graph; NULL without memory. */
float *graph_floats(struct graph *graph, size_t n);

/* Adds a node. Inputs and outputs end with NULL; "" is one that is left out. */
void graph_node(struct graph *graph, const char *op, const char *const *inputs, const char *const *outputs);

/* What is added between the two, nodes, inputs and outputs, is a body, which a node has for its attribute
 * "body": graph_close adds that node. Inside of it everything outside can be named. Tensors belong to the
 * whole wherever they are added. */
void graph_open(struct graph *graph);
void graph_close(struct graph *graph, const char *op, const char *const *inputs, const char *const *outputs);

/* Give the node that was added last an attribute. */
void graph_integer(struct graph *graph, const char *name, int64_t value);
void graph_integers(struct graph *graph, const char *name, size_t n, const int64_t *values);
void graph_real(struct graph *graph, const char *name, float value);
void graph_word(struct graph *graph, const char *name, const char *text);
void graph_words(struct graph *graph, const char *name, size_t n, const char *text); /* n times this one */

/* Add tensors of constants and return their name. Floats are not copied. */
const char *graph_add_floats(
    struct graph *graph, const char *name, size_t dimensions, const size_t *size, const float *values);
const char *graph_add_integers(struct graph *graph, const char *name, size_t n, const int64_t *values);

enum graph_type { GRAPH_FLOAT, GRAPH_INT32, GRAPH_INT64 };

/* Add an input or an output of the model. Dimensions are numbers, or names of sizes that are free. */
void graph_input(struct graph *graph, const char *name, enum graph_type type, const char *const *dimensions);
void graph_output(struct graph *graph, const char *name, enum graph_type type, const char *const *dimensions);

/* Adds a text that is told by name beside the model. */
void graph_fact(struct graph *graph, const char *name, const char *value);

/* Packs the model: its bytes are the caller's (free). NULL and an error. */
void *graph_pack(struct graph *graph, size_t *size, struct error *error);

#endif

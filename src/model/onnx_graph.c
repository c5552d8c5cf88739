/* The messages of onnx.proto, which protobuf-c made structs of and packs. All that a graph is made of lies in
 * a list of blocks, which goes with it. */
#include "model/onnx_graph.h"

#include "base/array.h"

#include <onnx.pb-c.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { IR_VERSION = 8, OPSET = 17 };

struct graph_block {
    struct graph_block *before;
    max_align_t bytes[];
};

/* The graph itself, or the body of one of its nodes. */
struct graph_part {
    Onnx__GraphProto proto;
    struct graph_part *outer, *before; /* the one around it; the one that was made before it */
    size_t nodes, inputs, outputs;     /* room for pointers */
};

struct graph {
    Onnx__ModelProto model;
    struct graph_part whole;
    struct graph_part *at, *parts; /* the one at hand; the newest */
    struct graph_block *blocks;
    int failed;
    size_t attributes, constants, facts; /* room for pointers */
};

static void *take(struct graph *graph, size_t size)
{
    struct graph_block *block = graph->failed ? NULL : calloc(1, sizeof *block + size);
    graph->failed |= !block;
    if (!block)
        return NULL;
    block->before = graph->blocks;
    graph->blocks = block;
    return block->bytes;
}

static char *take_text(struct graph *graph, const char *text)
{
    char *copy = take(graph, strlen(text) + 1);
    return copy ? strcpy(copy, text) : NULL;
}

/* Appends a pointer to a list that malloc made. */
static void append(struct graph *graph, void ***list, size_t *n, size_t *room, void *item)
{
    void **wider = graph->failed ? NULL : array_grow(*list, room, *n, sizeof *wider);
    graph->failed |= !wider;
    if (!wider)
        return;
    *list = wider;
    wider[(*n)++] = item;
}

struct graph *graph_create(void)
{
    struct graph *graph = calloc(1, sizeof *graph);
    if (!graph)
        return NULL;
    onnx__model_proto__init(&graph->model);
    onnx__graph_proto__init(&graph->whole.proto);
    graph->model.graph = &graph->whole.proto;
    graph->at = graph->parts = &graph->whole;
    return graph;
}

void graph_destroy(struct graph *graph)
{
    if (!graph)
        return;
    for (struct graph_part *part = graph->parts; part; part = part->before) {
        for (size_t i = 0; i < part->proto.n_node; i++)
            free(part->proto.node[i]->attribute);
        free(part->proto.node);
        free(part->proto.input);
        free(part->proto.output);
    }
    free(graph->whole.proto.initializer);
    free(graph->model.metadata_props);
    for (struct graph_block *block = graph->blocks, *before; block; block = before) {
        before = block->before;
        free(block);
    }
    free(graph);
}

const char *graph_text(struct graph *graph, const char *format, ...)
{
    char text[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    const char *copy = take_text(graph, text);
    return copy ? copy : "";
}

float *graph_floats(struct graph *graph, size_t n)
{
    return take(graph, n * sizeof(float));
}

static char **copy_texts(struct graph *graph, const char *const *texts, size_t *n)
{
    size_t count = 0;
    while (texts[count])
        count++;
    char **copy = take(graph, count * sizeof *copy);
    for (size_t i = 0; i < count && copy; i++)
        copy[i] = take_text(graph, texts[i]);
    *n = copy ? count : 0;
    return copy;
}

void graph_node(struct graph *graph, const char *op, const char *const *inputs, const char *const *outputs)
{
    Onnx__NodeProto *node = take(graph, sizeof *node);
    if (!node)
        return;
    onnx__node_proto__init(node);
    node->op_type = take_text(graph, op);
    node->name = take_text(graph, outputs[0]);
    node->input = copy_texts(graph, inputs, &node->n_input);
    node->output = copy_texts(graph, outputs, &node->n_output);
    graph->attributes = 0;
    struct graph_part *part = graph->at;
    append(graph, (void ***)&part->proto.node, &part->proto.n_node, &part->nodes, node);
}

static Onnx__AttributeProto *add_attribute(
    struct graph *graph, const char *name, Onnx__AttributeProto__AttributeType type)
{
    static Onnx__AttributeProto unused;
    Onnx__AttributeProto *attribute = take(graph, sizeof *attribute);
    if (!attribute)
        return &unused;
    Onnx__NodeProto *node = graph->at->proto.node[graph->at->proto.n_node - 1];
    onnx__attribute_proto__init(attribute);
    attribute->name = take_text(graph, name);
    attribute->has_type = 1;
    attribute->type = type;
    append(graph, (void ***)&node->attribute, &node->n_attribute, &graph->attributes, attribute);
    return attribute;
}

void graph_open(struct graph *graph)
{
    struct graph_part *part = take(graph, sizeof *part);
    if (!part)
        return;
    onnx__graph_proto__init(&part->proto);
    part->proto.name = "body";
    part->outer = graph->at;
    part->before = graph->parts;
    graph->at = graph->parts = part;
}

void graph_close(struct graph *graph, const char *op, const char *const *inputs, const char *const *outputs)
{
    struct graph_part *part = graph->at;
    if (graph->failed)
        return;
    graph->at = part->outer;
    graph_node(graph, op, inputs, outputs);
    Onnx__AttributeProto *a = add_attribute(graph, "body", ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__GRAPH);
    a->g = &part->proto;
}

void graph_integer(struct graph *graph, const char *name, int64_t value)
{
    Onnx__AttributeProto *a = add_attribute(graph, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT);
    a->has_i = 1;
    a->i = value;
}

void graph_integers(struct graph *graph, const char *name, size_t n, const int64_t *values)
{
    Onnx__AttributeProto *a = add_attribute(graph, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS);
    a->ints = take(graph, n * sizeof *values);
    a->n_ints = a->ints ? n : 0;
    if (a->ints)
        memcpy(a->ints, values, n * sizeof *values);
}

void graph_real(struct graph *graph, const char *name, float value)
{
    Onnx__AttributeProto *a = add_attribute(graph, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT);
    a->has_f = 1;
    a->f = value;
}

static ProtobufCBinaryData make_bytes(struct graph *graph, const char *text)
{
    char *copy = take_text(graph, text);
    return (ProtobufCBinaryData){copy ? strlen(copy) : 0, (uint8_t *)copy};
}

void graph_word(struct graph *graph, const char *name, const char *text)
{
    Onnx__AttributeProto *a = add_attribute(graph, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRING);
    a->has_s = 1;
    a->s = make_bytes(graph, text);
}

void graph_words(struct graph *graph, const char *name, size_t n, const char *text)
{
    Onnx__AttributeProto *a = add_attribute(graph, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRINGS);
    a->strings = take(graph, n * sizeof *a->strings);
    a->n_strings = a->strings ? n : 0;
    for (size_t i = 0; i < a->n_strings; i++)
        a->strings[i] = make_bytes(graph, text);
}

static Onnx__TensorProto *add_constant(
    struct graph *graph, const char *name, Onnx__TensorProto__DataType type, const void *bytes, size_t size)
{
    Onnx__TensorProto *tensor = take(graph, sizeof *tensor);
    if (!tensor)
        return NULL;
    onnx__tensor_proto__init(tensor);
    tensor->name = take_text(graph, name);
    tensor->has_data_type = 1;
    tensor->data_type = (int32_t)type;
    tensor->has_raw_data = 1;
    tensor->raw_data = (ProtobufCBinaryData){size, (uint8_t *)(uintptr_t)bytes};
    Onnx__GraphProto *whole = &graph->whole.proto;
    append(graph, (void ***)&whole->initializer, &whole->n_initializer, &graph->constants, tensor);
    return tensor;
}

static void set_sizes(struct graph *graph, Onnx__TensorProto *tensor, size_t n, const size_t *size)
{
    if (!tensor)
        return;
    tensor->dims = take(graph, n * sizeof *tensor->dims);
    tensor->n_dims = tensor->dims ? n : 0;
    for (size_t d = 0; d < tensor->n_dims; d++)
        tensor->dims[d] = (int64_t)size[d];
}

const char *graph_add_floats(
    struct graph *graph, const char *name, size_t dimensions, const size_t *size, const float *values)
{
    size_t n = 1;
    for (size_t d = 0; d < dimensions; d++)
        n *= size[d];
    set_sizes(graph,
        add_constant(graph, name, ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT, values, n * sizeof *values),
        dimensions, size);
    return graph_text(graph, "%s", name);
}

const char *graph_add_integers(struct graph *graph, const char *name, size_t n, const int64_t *values)
{
    int64_t *copy = take(graph, n * sizeof *copy);
    if (copy)
        memcpy(copy, values, n * sizeof *copy);
    set_sizes(graph, add_constant(graph, name, ONNX__TENSOR_PROTO__DATA_TYPE__INT64, copy, n * sizeof *copy),
        1, &n);
    return graph_text(graph, "%s", name);
}

static void add_dimension(struct graph *graph, Onnx__TensorShapeProto *shape, const char *text)
{
    Onnx__TensorShapeProto__Dimension *dimension = take(graph, sizeof *dimension);
    if (!dimension)
        return;
    onnx__tensor_shape_proto__dimension__init(dimension);
    if (*text >= '0' && *text <= '9') {
        dimension->value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
        dimension->dim_value = strtoll(text, NULL, 10);
    } else {
        dimension->value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM;
        dimension->dim_param = take_text(graph, text);
    }
    shape->dim[shape->n_dim++] = dimension;
}

static Onnx__ValueInfoProto *make_value(
    struct graph *graph, const char *name, enum graph_type type, const char *const *dimensions)
{
    static const int32_t types[] = {[GRAPH_FLOAT] = ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT,
        [GRAPH_INT32] = ONNX__TENSOR_PROTO__DATA_TYPE__INT32,
        [GRAPH_INT64] = ONNX__TENSOR_PROTO__DATA_TYPE__INT64};
    struct value_parts {
        Onnx__ValueInfoProto value;
        Onnx__TypeProto type;
        Onnx__TypeProto__Tensor tensor;
        Onnx__TensorShapeProto shape;
        Onnx__TensorShapeProto__Dimension *dim[GRAPH_MOST_DIMENSIONS];
    } *parts = take(graph, sizeof *parts);
    if (!parts)
        return NULL;
    onnx__value_info_proto__init(&parts->value);
    onnx__type_proto__init(&parts->type);
    onnx__type_proto__tensor__init(&parts->tensor);
    onnx__tensor_shape_proto__init(&parts->shape);
    parts->value.name = take_text(graph, name);
    parts->value.type = &parts->type;
    parts->type.value_case = ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE;
    parts->type.tensor_type = &parts->tensor;
    parts->tensor.has_elem_type = 1;
    parts->tensor.elem_type = types[type];
    parts->tensor.shape = &parts->shape;
    parts->shape.dim = parts->dim;
    for (; *dimensions; dimensions++)
        add_dimension(graph, &parts->shape, *dimensions);
    return &parts->value;
}

void graph_input(struct graph *graph, const char *name, enum graph_type type, const char *const *dimensions)
{
    struct graph_part *part = graph->at;
    append(graph, (void ***)&part->proto.input, &part->proto.n_input, &part->inputs,
        make_value(graph, name, type, dimensions));
}

void graph_output(struct graph *graph, const char *name, enum graph_type type, const char *const *dimensions)
{
    struct graph_part *part = graph->at;
    append(graph, (void ***)&part->proto.output, &part->proto.n_output, &part->outputs,
        make_value(graph, name, type, dimensions));
}

void graph_fact(struct graph *graph, const char *name, const char *value)
{
    Onnx__StringStringEntryProto *entry = take(graph, sizeof *entry);
    if (!entry)
        return;
    onnx__string_string_entry_proto__init(entry);
    entry->key = take_text(graph, name);
    entry->value = take_text(graph, value);
    append(
        graph, (void ***)&graph->model.metadata_props, &graph->model.n_metadata_props, &graph->facts, entry);
}

void *graph_pack(struct graph *graph, size_t *size, struct error *error)
{
    Onnx__OperatorSetIdProto opset = ONNX__OPERATOR_SET_ID_PROTO__INIT, *opsets[] = {&opset};
    opset.domain = "";
    opset.has_version = 1;
    opset.version = OPSET;
    graph->model.opset_import = opsets;
    graph->model.n_opset_import = 1;
    graph->model.has_ir_version = 1;
    graph->model.ir_version = IR_VERSION;
    graph->model.producer_name = "rnn-train";
    graph->model.producer_version = RNN_VERSION;
    graph->whole.proto.name = "network";
    void *bytes = NULL;
    *size = graph->failed ? 0 : onnx__model_proto__get_packed_size(&graph->model);
    if (*size > INT32_MAX)
        error_set(error, EXIT_CODE_USAGE, "a model of ONNX holds 2 GiB at most, and this network takes more");
    else if (graph->failed || !(bytes = malloc(*size)))
        error_set(error, EXIT_CODE_INTERNAL, "out of memory");
    else
        onnx__model_proto__pack(&graph->model, bytes);
    graph->model.opset_import = NULL;
    graph->model.n_opset_import = 0;
    return bytes;
}

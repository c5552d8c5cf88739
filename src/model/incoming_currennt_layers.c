/* A network of ours is dense layers with tanh, recurrent layers, dense layers with tanh and a head, so that
 * each layer of CURRENNT (its README, section 4; LayerFactory.cu) has one place where it can stand. The last
 * two say together what the outputs are: the head is one without an activation, and the loss makes of its
 * sums what the last layer but one does there. */
#include "base/error.h"

#ifdef HAVE_JANSSON

#include "config/config.h"
#include "model/incoming_currennt.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MOST_UNITS = 65536 }; /* as keys of the configuration have it */

enum currennt_role { ROLE_INPUT, ROLE_DENSE, ROLE_RECURRENT, ROLE_HEAD, ROLE_LOSS };

struct currennt_type {
    const char *name;
    enum currennt_role role;
    size_t directions;
    const char *head; /* of a loss: the type of the layer that it judges */
    enum loss loss;
    int is_one_of_two; /* It judges the probability of the second of two classes, and the first has the rest.
                        */
};

static const struct currennt_type types[] = {
    {.name = "input", .role = ROLE_INPUT},
    {.name = "feedforward_tanh", .role = ROLE_DENSE},
    {.name = "lstm", .role = ROLE_RECURRENT, .directions = 1},
    {.name = "blstm", .role = ROLE_RECURRENT, .directions = 2},
    {.name = "softmax", .role = ROLE_HEAD},
    {.name = "feedforward_identity", .role = ROLE_HEAD},
    {.name = "feedforward_logistic", .role = ROLE_HEAD},
    {.name = "multiclass_classification", .role = ROLE_LOSS, .head = "softmax", .loss = LOSS_SOFTMAX},
    {.name = "binary_classification",
        .role = ROLE_LOSS,
        .head = "feedforward_logistic",
        .loss = LOSS_SOFTMAX,
        .is_one_of_two = 1},
    {.name = "sse", .role = ROLE_LOSS, .head = "feedforward_identity", .loss = LOSS_MSE},
};

static int refuse(const struct currennt_network *network, const struct currennt_layer *layer,
    const char *what, struct error *error)
{
    return error_set(error, EXIT_CODE_DATA, "%s: layer %.60s %s", network->path, layer->name, what);
}

static int refuse_type(
    const struct currennt_network *network, const char *name, const char *type, struct error *error)
{
    char known[256] = "";
    size_t n = sizeof types / sizeof *types, used = 0;
    for (size_t t = 0; t < n && used < sizeof known; t++)
        used += (size_t)snprintf(known + used, sizeof known - used, "%s%s",
            t == 0          ? ""
                : t + 1 < n ? ", "
                            : " and ",
            types[t].name);
    return error_set(error, EXIT_CODE_DATA,
        "%s: layer %.60s is of type %.60s, which has no form here: those that have are %s", network->path,
        name, type, known);
}

static int find_type(const struct currennt_network *network, struct currennt_layer *layer, const char *type,
    struct error *error)
{
    for (size_t t = 0; t < sizeof types / sizeof *types; t++)
        if (strcmp(types[t].name, type) == 0) {
            layer->type = &types[t];
            layer->directions = types[t].directions;
            return 0;
        }
    return refuse_type(network, layer->name, type, error);
}

static int has_name_before(const struct currennt_network *network, const char *name)
{
    for (size_t i = 0; i < network->layers; i++)
        if (strcmp(network->layer[i].name, name) == 0)
            return 1;
    return 0;
}

/* Reads the numbers of a layer. Inputs and losses have no biases. */
static int read_numbers(const struct currennt_network *network, struct currennt_layer *layer,
    const json_t *json, struct error *error)
{
    const json_t *size = json_object_get(json, "size"), *bias = json_object_get(json, "bias");
    if (!json_is_integer(size) || json_integer_value(size) < 1 || json_integer_value(size) > MOST_UNITS)
        return refuse(
            network, layer, "has no size from 1 to 65536: the file is damaged, or no network", error);
    layer->size = (size_t)json_integer_value(size);
    layer->bias = json_number_value(bias);
    if (layer->type->role != ROLE_INPUT && layer->type->role != ROLE_LOSS && !json_is_number(bias))
        return refuse(network, layer,
            "has no number as its bias, by which its weights of biases are multiplied: add it", error);
    return 0;
}

static int read_layer(struct currennt_network *network, const json_t *json, struct error *error)
{
    struct currennt_layer *layer = &network->layer[network->layers];
    const char *type = json_string_value(json_object_get(json, "type"));
    layer->name = json_string_value(json_object_get(json, "name"));
    if (!layer->name || !layer->name[0] || !type)
        return error_set(error, EXIT_CODE_DATA,
            "%s: its layer %zu has no name or no type: the file is damaged, or no network", network->path,
            network->layers + 1);
    if (has_name_before(network, layer->name))
        return refuse(network, layer, "stands there twice: give each a name of its own", error);
    if (find_type(network, layer, type, error) != 0 || read_numbers(network, layer, json, error) != 0)
        return -1;
    layer->before = network->layers ? network->layer[network->layers - 1].size : 0;
    network->layers++;
    return 0;
}

/* May layer i stand where it does? Those before it have their places. */
static int is_in_place(const struct currennt_network *network, size_t i)
{
    enum currennt_role role = network->layer[i].type->role;
    if (i == 0)
        return role == ROLE_INPUT;
    if (i + 2 >= network->layers)
        return role == (i + 1 == network->layers ? ROLE_LOSS : ROLE_HEAD);
    return role == ROLE_DENSE || (role == ROLE_RECURRENT && !network->config.output_layers);
}

static int refuse_place(
    const struct currennt_network *network, const struct currennt_layer *layer, struct error *error)
{
    char what[400];
    snprintf(what, sizeof what,
        "of type %s stands where it has no form here: networks are an input, feedforward_tanh layers, lstm "
        "or blstm layers, feedforward_tanh layers, then softmax, feedforward_identity or "
        "feedforward_logistic, and last their loss",
        layer->type->name);
    return refuse(network, layer, what, error);
}

static int place_recurrent(
    struct currennt_network *network, struct currennt_layer *layer, struct error *error)
{
    struct net_config *c = &network->config;
    if (layer->size % layer->directions != 0)
        return refuse(network, layer,
            "has an odd size, which are the units of both directions together: the file is damaged", error);
    c->hidden[c->layers] = layer->size / layer->directions;
    c->bidirectional[c->layers] = layer->directions == 2;
    snprintf(layer->ours, sizeof layer->ours, "%zu", c->layers++);
    return 0;
}

/* Puts a layer between inputs and head into the configuration. */
static int place_layer(struct currennt_network *network, struct currennt_layer *layer, struct error *error)
{
    struct net_config *c = &network->config;
    if (layer->type->role == ROLE_RECURRENT)
        return place_recurrent(network, layer, error);
    size_t *n = c->layers ? &c->output_layers : &c->input_layers;
    size_t *sizes = c->layers ? c->output_size : c->input_size;
    snprintf(layer->ours, sizeof layer->ours, "%s.%zu", c->layers ? "output" : "input", *n);
    sizes[(*n)++] = layer->size;
    return 0;
}

/* The last two layers are the head and its loss. */
static int place_head(struct currennt_network *network, struct error *error)
{
    struct currennt_layer *head = &network->layer[network->layers - 2];
    const struct currennt_layer *loss = head + 1;
    char what[200];
    if (strcmp(loss->type->head, head->type->name) != 0) {
        snprintf(what, sizeof what, "of type %s has no form here behind a layer of type %s: %s would have",
            loss->type->name, head->type->name, loss->type->head);
        return refuse(network, loss, what, error);
    }
    if (loss->size != head->size || (loss->type->is_one_of_two && head->size != 1))
        return refuse(
            network, loss, "is not of the size that the layer before it must have: it is damaged", error);
    head->leading = loss->type->is_one_of_two ? 1 : 0;
    snprintf(head->ours, sizeof head->ours, "head");
    network->config.outputs = head->leading + head->size;
    network->config.loss = loss->type->loss;
    return 0;
}

/* Begins with a network without layers, whose other keys have their defaults. */
static void begin_network(struct net_config *network)
{
    struct config config;
    config_init(&config);
    *network = config.model;
    config_finish(&config);
    network->layers = 0;
    network->cell = CELL_LSTM;
    network->output = OUTPUT_FRAME;
}

int currennt_read_layers(struct currennt_network *network, const json_t *document, struct error *error)
{
    const json_t *layers = json_object_get(document, "layers");
    size_t n = json_array_size(layers);
    network->layers = 0;
    begin_network(&network->config);
    if (!json_is_array(layers) || n < 3 || n > CURRENNT_MOST_LAYERS)
        return error_set(error, EXIT_CODE_DATA,
            "%s: has no list \"layers\" of 3 to %d layers: it is no network of CURRENNT", network->path,
            CURRENNT_MOST_LAYERS);
    for (size_t i = 0; i < n; i++)
        if (read_layer(network, json_array_get(layers, i), error) != 0)
            return -1;
    for (size_t i = 0; i < n; i++)
        if (!is_in_place(network, i))
            return refuse_place(network, &network->layer[i], error);
        else if (i > 0 && i + 2 < n && place_layer(network, &network->layer[i], error) != 0)
            return -1;
    network->config.inputs = network->layer[0].size;
    network->config.peepholes = network->config.layers > 0;
    return place_head(network, error);
}

#endif

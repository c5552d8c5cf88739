/* A network of CURRENNT (.jsn, or an autosave), a JSON document that jansson reads: layers, and for each its
 * weights as flat lists (its README, section 4; LstmLayer.cu, FeedForwardLayer.cu). Weights lie unit by unit,
 * as ours do. Those of an LSTM are four blocks in the order cell, input, forget and output gate, in each of
 * which the units of the forward direction come first, and behind the recurrent blocks come the peepholes
 * of input, forget and output gate. There is one bias: our second is zero. */
#include "model/incoming.h"

/* Other kinds begin with bytes of which one of the first eight is zero, or with no brace. */
static int recognizes(const unsigned char *bytes, size_t size)
{
    size_t at = 0;
    for (size_t i = 0; i < size && i < 8; i++)
        if (!bytes[i])
            return 0;
    while (at < size && (bytes[at] == ' ' || bytes[at] == '\t' || bytes[at] == '\n' || bytes[at] == '\r'))
        at++;
    return at < size && bytes[at] == '{';
}

#ifdef HAVE_JANSSON

#include "base/memory.h"
#include "model/incoming_currennt.h"

#include <stdio.h>
#include <string.h>

/* The lists of a layer, and how they are called. */
enum currennt_list { LIST_INPUT, LIST_BIAS, LIST_INTERNAL, LISTS };
static const char *const list_names[] = {"input", "bias", "internal"};

/* What a tensor of ours is made of: blocks of so many numbers of a list, each `length` of the `stride` from
 * block to block, behind so many zeroes. */
struct currennt_part {
    enum currennt_list list;
    size_t zeroes, blocks, stride, first, length;
    const size_t *order; /* which block of the list is our next; NULL: the first is the first */
    double factor;
    struct incoming_tensor tensor;
};

static const json_t *find_list(
    const json_t *weights, const struct currennt_layer *layer, enum currennt_list list)
{
    return json_object_get(json_object_get(weights, layer->name), list_names[list]);
}

static int check_list(const struct currennt_network *network, const json_t *weights,
    const struct currennt_layer *layer, enum currennt_list which, struct error *error)
{
    size_t L = layer->size, D = layer->directions, gates = D ? 4 : 1;
    const size_t lengths[LISTS] = {gates * L * layer->before, gates * L, D ? gates * L * (L / D) + 3 * L : 0};
    const json_t *list = find_list(weights, layer, which);
    if (json_array_size(list) == lengths[which] && (json_is_array(list) || (!list && !lengths[which])))
        return 0;
    return error_set(error, EXIT_CODE_DATA,
        "%s: layer %.60s has %zu numbers in weights/%.60s/%s where its sizes take %zu: the file is damaged",
        network->path, layer->name, json_array_size(list), layer->name, list_names[which], lengths[which]);
}

/* Checks that each layer has its weights, before memory is taken for them. */
static int check_weights(const struct currennt_network *network, json_t *weights, struct error *error)
{
    size_t last = network->layers - 1;
    const char *name;
    json_t *value;
    if (!json_is_object(weights))
        return error_set(error, EXIT_CODE_DATA,
            "%s: has no \"weights\": it is a network that was not trained yet: give the one that training "
            "has saved, or an autosave",
            network->path);
    for (size_t i = 1; i < last; i++)
        for (int list = 0; list < LISTS; list++)
            if (check_list(network, weights, &network->layer[i], list, error) != 0)
                return -1;
    json_object_foreach(weights, name, value)
    {
        size_t i = 1;
        while (i < last && strcmp(network->layer[i].name, name) != 0)
            i++;
        if (i == last)
            return error_set(error, EXIT_CODE_DATA,
                "%s: has weights of %.60s, which is no layer that has any: leave them out", network->path,
                name);
    }
    return 0;
}

/* Puts the numbers of a part together. */
static int gather(const struct incoming *incoming, const json_t *list, const struct currennt_part *part,
    double *values, struct error *error)
{
    values += part->zeroes;
    for (size_t b = 0; b < part->blocks; b++)
        for (size_t i = 0; i < part->length; i++) {
            size_t at = part->first + (part->order ? part->order[b] : b) * part->stride + i;
            const json_t *number = json_array_get(list, at);
            if (!json_is_number(number))
                return error_set(error, EXIT_CODE_DATA,
                    "%s: item %zu of the list \"%s\" that %s is made of is no number: the file is damaged",
                    incoming->path, at, list_names[part->list], part->tensor.name);
            *values++ = part->factor * json_number_value(number);
        }
    return 0;
}

/* Takes a tensor of a layer. */
static int take_part(struct incoming *incoming, const json_t *weights, const struct currennt_layer *layer,
    struct currennt_part *part, struct error *error)
{
    struct incoming_tensor *tensor = &part->tensor;
    size_t count = part->zeroes + part->blocks * part->length;
    double *values = memory_create(count, sizeof *values, error);
    tensor->bytes = sizeof *values;
    tensor->values = values;
    int failed = !values ||
        gather(incoming, find_list(weights, layer, part->list), part, values, error) != 0 ||
        incoming_take(incoming, tensor, error) != 0;
    memory_destroy(values);
    return failed ? -1 : 0;
}

static int take_direction(struct incoming *incoming, const json_t *weights,
    const struct currennt_layer *layer, size_t d, struct error *error)
{
    static const size_t gates[] = {1, 2, 0, 3}; /* ours are input, forget, cell, output */
    static const char *const names[] = {"weight_ih", "weight_hh", "bias_ih", "bias_hh", "peephole"};
    size_t L = layer->size, E = L / layer->directions, P = layer->before;
    struct currennt_part parts[] = {
        {LIST_INPUT, 0, 4, L * P, d * E * P, E * P, gates, 1, {.dimensions = 2, .size = {4 * E, P}}},
        {LIST_INTERNAL, 0, 4, L * E, d * E * E, E * E, gates, 1, {.dimensions = 2, .size = {4 * E, E}}},
        {LIST_BIAS, 0, 4, L, d * E, E, gates, layer->bias, {.dimensions = 1, .size = {4 * E}}},
        {LIST_BIAS, .zeroes = 4 * E, .tensor = {.dimensions = 1, .size = {4 * E}}},
        {LIST_INTERNAL, 0, 3, L, 4 * L * E + d * E, E, NULL, 1, {.dimensions = 2, .size = {3, E}}},
    };
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        char name[64];
        snprintf(name, sizeof name, "rnn.%s_l%.20s%s", names[i], layer->ours, d ? "_reverse" : "");
        parts[i].tensor.name = name;
        if (take_part(incoming, weights, layer, &parts[i], error) != 0)
            return -1;
    }
    return 0;
}

static int take_dense(
    struct incoming *incoming, const json_t *weights, const struct currennt_layer *layer, struct error *error)
{
    size_t L = layer->size, P = layer->before, Z = layer->leading;
    struct currennt_part parts[] = {
        {LIST_INPUT, Z * P, 1, 0, 0, L * P, NULL, 1, {.dimensions = 2, .size = {Z + L, P}}},
        {LIST_BIAS, Z, 1, 0, 0, L, NULL, layer->bias, {.dimensions = 1, .size = {Z + L}}},
    };
    for (size_t i = 0; i < 2; i++) {
        char name[80];
        snprintf(name, sizeof name, "%s.%s", layer->ours, i ? "bias" : "weight");
        parts[i].tensor.name = name;
        if (take_part(incoming, weights, layer, &parts[i], error) != 0)
            return -1;
    }
    return 0;
}

static int take_layers(struct incoming *incoming, const struct currennt_network *network,
    const json_t *weights, struct error *error)
{
    for (size_t i = 1; i + 1 < network->layers; i++) {
        const struct currennt_layer *layer = &network->layer[i];
        if (!layer->directions && take_dense(incoming, weights, layer, error) != 0)
            return -1;
        for (size_t d = 0; d < layer->directions; d++)
            if (take_direction(incoming, weights, layer, d, error) != 0)
                return -1;
    }
    return 0;
}

static int take_document(struct incoming *incoming, const json_t *document, struct error *error)
{
    json_t *weights = json_object_get(document, "weights");
    struct currennt_network *network = memory_create(1, sizeof *network, error);
    if (!network)
        return -1;
    network->path = incoming->path;
    int failed = currennt_read_layers(network, document, error) != 0 ||
        check_weights(network, weights, error) != 0 ||
        incoming_expect(incoming, &network->config, error) != 0 ||
        take_layers(incoming, network, weights, error) != 0;
    memory_destroy(network);
    return failed ? -1 : 0;
}

static int read_currennt(struct incoming *incoming, const char *bytes, size_t size, struct error *error)
{
    json_error_t why;
    json_t *document = json_loadb(bytes, size, JSON_REJECT_DUPLICATES, &why);
    if (!document)
        return error_set(error, EXIT_CODE_DATA,
            "%s: is no JSON document, as a network of CURRENNT is one: line %d: %s: the file is cut or "
            "damaged",
            incoming->path, why.line, why.text);
    int outcome = take_document(incoming, document, error);
    json_decref(document);
    return outcome;
}

#else

static int read_currennt(struct incoming *incoming, const char *bytes, size_t size, struct error *error)
{
    return error_set(error, EXIT_CODE_USAGE,
        "%s: this program was built without jansson, which reads networks of CURRENNT: build it with jansson",
        incoming->path);
}

#endif

const struct incoming_kind incoming_currennt = {
    "a network of CURRENNT", .describes_network = 1, .recognizes = recognizes, .read = read_currennt};

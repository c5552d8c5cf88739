/* The layers of a network of CURRENNT, and what network of ours they are. */
#ifndef MODEL_INCOMING_CURRENNT_H
#define MODEL_INCOMING_CURRENNT_H

#include "base/error.h"
#include "net/types.h"

#include <jansson.h>

enum { CURRENNT_MOST_LAYERS = NET_MOST_LAYERS };

struct currennt_type;

struct currennt_layer {
    const char *name; /* of the document, as all texts here */
    const struct currennt_type *type;
    size_t size, before; /* its units, of both directions together; those of the layer before */
    size_t directions;   /* of a recurrent layer; else 0 */
    size_t leading;      /* outputs of ours before its own, whose weights are zeroes */
    double bias;         /* that its weights of biases are multiplied by */
    char ours[64];       /* the start of our names of its tensors, "head"; of a recurrent layer its number */
};

struct currennt_network {
    const char *path;
    size_t layers;
    struct currennt_layer layer[CURRENNT_MOST_LAYERS]; /* the first gives inputs, the last is a loss */
    struct net_config config;
};

/* Fills the network, but for its path, by the layers of the document, which has to last as long. What has no
 * form here is refused by the name of its layer. */
int currennt_read_layers(struct currennt_network *network, const json_t *document, struct error *error);

#endif

/* Weights that come in from a file of another program, by name, in place of those of a checkpoint, or into a
 * new one where the file says what network they are of. Each format is a file of this folder that ends with
 * its struct incoming_kind, and a line of model/incoming_list.h. */
#ifndef MODEL_INCOMING_H
#define MODEL_INCOMING_H

#include "model/store.h"

enum { INCOMING_MOST_DIMENSIONS = 8 };

/* Where the weights go, and which of them have come. */
struct incoming {
    const char *path; /* of the file that they are from */
    const char *like; /* of the checkpoint whose weights they replace; NULL: there is none */
    struct stored *stored;
    struct checkpoint *checkpoint; /* of stored */
    unsigned char *taken;          /* [checkpoint->parameters] */
};

/* A tensor as the file has it: numbers by rows, little-endian. */
struct incoming_tensor {
    const char *name;
    int dimensions;
    uint64_t size[INCOMING_MOST_DIMENSIONS];
    size_t bytes; /* of a number: 4 or 8 */
    const void *values;
};

struct incoming_kind {
    const char *what;      /* "a safetensors file" */
    int describes_network; /* It says what network it is of: read calls incoming_expect before it takes. */
    int (*recognizes)(const unsigned char *bytes, size_t size);
    int (*read)(struct incoming *incoming, const char *bytes, size_t size, struct error *error);
};

/* Says which network the weights are of, one that net_config_check has no objection to: a checkpoint is made
 * of it, or it is refused where it is not that of incoming->like. */
int incoming_expect(struct incoming *incoming, const struct net_config *network, struct error *error);

/* Finds the parameter of that name and shape, which must not have come before: NULL and an error. */
const struct parameter *incoming_find(
    const struct incoming *incoming, const struct incoming_tensor *tensor, struct error *error);

/* Takes the numbers of a tensor, which are as many as its parameter has. */
int incoming_take(struct incoming *incoming, const struct incoming_tensor *tensor, struct error *error);

/* Reads the file, which has to hold every parameter of the network of *stored and nothing else, into its
 * weights. What the network had learned from is not known any more then. Where *stored is zeroes it becomes a
 * checkpoint of the file's own network, or the file is refused that does not say which (EXIT_CODE_USAGE).
 * EXIT_CODE_DATA names file and tensor; *stored then only serves stored_finish. */
int incoming_read(struct stored *stored, const char *path, struct error *error);

#endif

/* A file is read whole and recognized by its first bytes. Its tensors are found by name; what a reader has
 * not compared with the size of the file it may not ask memory for. */
#include "model/incoming.h"

#include "base/file.h"
#include "base/memory.h"
#include "model/network.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define INCOMING(name) extern const struct incoming_kind incoming_##name;
#include "model/incoming_list.h"
#undef INCOMING

static const struct incoming_kind *const kinds[] = {
#define INCOMING(name) &incoming_##name,
#include "model/incoming_list.h"
#undef INCOMING
};

enum { KINDS = sizeof kinds / sizeof *kinds };

static int same_shape(const struct parameter *p, const struct incoming_tensor *tensor)
{
    int same = p->dimensions == tensor->dimensions;
    for (int d = 0; d < p->dimensions && same; d++)
        same = p->size[d] == tensor->size[d];
    return same;
}

/* Writes a shape as "[3, 4]". */
static void write_shape(int dimensions, const uint64_t *size, char *text, size_t room)
{
    size_t used = (size_t)snprintf(text, room, "[");
    for (int d = 0; d < dimensions && used < room; d++)
        used += (size_t)snprintf(text + used, room - used, "%s%" PRIu64, d ? ", " : "", size[d]);
    if (used < room)
        snprintf(text + used, room - used, "]");
}

static int refuse_shape(const struct incoming *incoming, const struct parameter *p,
    const struct incoming_tensor *tensor, struct error *error)
{
    char has[200], wants[80];
    const uint64_t size[] = {p->size[0], p->size[1]};
    write_shape(tensor->dimensions, tensor->size, has, sizeof has);
    write_shape(p->dimensions, size, wants, sizeof wants);
    return error_set(error, EXIT_CODE_DATA,
        "%s: %s is %s where the network of %s has %s: it is of another network", incoming->path, p->name, has,
        incoming->like, wants);
}

static int begin_taking(struct incoming *incoming, struct error *error)
{
    incoming->taken = memory_create(incoming->checkpoint->parameters, 1, error);
    return incoming->taken ? 0 : -1;
}

int incoming_expect(struct incoming *incoming, const struct net_config *network, struct error *error)
{
    char what[NETWORK_DIFFERENCE];
    if (!incoming->like) {
        incoming->like = incoming->path;
        return stored_begin(incoming->stored, network, error) || begin_taking(incoming, error) ? -1 : 0;
    }
    int differs = network_compare(&incoming->checkpoint->model, network, what, error);
    if (differs > 0)
        error_set(error, EXIT_CODE_DATA, "%s: has %s than the network of %s: it is of another network",
            incoming->path, what, incoming->like);
    return differs ? -1 : 0;
}

const struct parameter *incoming_find(
    const struct incoming *incoming, const struct incoming_tensor *tensor, struct error *error)
{
    const struct parameter *p = checkpoint_find_parameter(incoming->checkpoint, tensor->name);
    if (!p)
        error_set(error, EXIT_CODE_DATA,
            "%s: has %.100s, which the network of %s does not have: leave it out, or rename it "
            "(rnn-model info lists the names)",
            incoming->path, tensor->name, incoming->like);
    else if (incoming->taken[p - incoming->checkpoint->parameter])
        error_set(error, EXIT_CODE_DATA, "%s: has %s twice: leave one out", incoming->path, p->name);
    else if (!same_shape(p, tensor))
        refuse_shape(incoming, p, tensor, error);
    else
        return p;
    return NULL;
}

int incoming_take(struct incoming *incoming, const struct incoming_tensor *tensor, struct error *error)
{
    const struct parameter *p = incoming_find(incoming, tensor, error);
    if (!p)
        return -1;
    float *weights = incoming->checkpoint->weights + p->offset;
    for (size_t i = 0; i < p->count; i++) {
        double wide = 0;
        if (tensor->bytes == sizeof wide) {
            memcpy(&wide, (const char *)tensor->values + i * sizeof wide, sizeof wide);
            weights[i] = (float)wide;
        } else {
            memcpy(&weights[i], (const char *)tensor->values + i * sizeof *weights, sizeof *weights);
        }
        if (!isfinite(weights[i]))
            return error_set(error, EXIT_CODE_DATA,
                "%s: number %zu of %s is not finite as a 32-bit float: a network cannot compute with it",
                incoming->path, i, p->name);
    }
    incoming->taken[p - incoming->checkpoint->parameter] = 1;
    return 0;
}

static int check_all(const struct incoming *incoming, struct error *error)
{
    const struct checkpoint *checkpoint = incoming->checkpoint;
    for (size_t i = 0; i < checkpoint->parameters; i++)
        if (!incoming->taken[i])
            return error_set(error, EXIT_CODE_DATA, "%s: has no %s, which the network of %s has: add it",
                incoming->path, checkpoint->parameter[i].name, incoming->like);
    return 0;
}

/* Reads a file of this kind. */
static int read_kind(struct incoming *incoming, const struct incoming_kind *kind, const char *bytes,
    size_t size, struct error *error)
{
    if (!incoming->like && !kind->describes_network)
        return error_set(error, EXIT_CODE_USAGE,
            "%s: is %s, which does not say what network its weights are of: name a checkpoint of that "
            "network by --like CHECKPOINT",
            incoming->path, kind->what);
    return kind->read(incoming, bytes, size, error) || check_all(incoming, error) ? -1 : 0;
}

static int read_bytes(struct incoming *incoming, const char *bytes, size_t size, struct error *error)
{
    char text[200] = "";
    for (size_t k = 0; k < KINDS; k++) {
        size_t used = strlen(text);
        if (kinds[k]->recognizes((const unsigned char *)bytes, size))
            return read_kind(incoming, kinds[k], bytes, size, error);
        snprintf(text + used, sizeof text - used, "%s%s",
            k == 0              ? ""
                : k + 1 < KINDS ? ", "
                                : " or ",
            kinds[k]->what);
    }
    return error_set(
        error, EXIT_CODE_DATA, "%s: is none of what weights come in from: %s", incoming->path, text);
}

/* Weights from elsewhere have seen data that nobody knows. */
static void forget_data(struct checkpoint *checkpoint)
{
    for (int i = 0; i < DATA_SETS; i++) {
        checkpoint->data[i] = (struct fingerprint){0};
        memory_destroy(checkpoint->provenance.files[i]);
        checkpoint->provenance.files[i] = NULL;
    }
}

int incoming_read(struct stored *stored, const char *path, struct error *error)
{
    struct incoming incoming = {.path = path,
        .like = stored->checkpoint.parameters ? stored->path : NULL,
        .stored = stored,
        .checkpoint = &stored->checkpoint};
    size_t size = 0;
    char *bytes = file_read(path, "a file of weights", &size, error);
    if (!bytes)
        return -1;
    int failed = (incoming.like && begin_taking(&incoming, error) != 0) ||
        read_bytes(&incoming, bytes, size, error) != 0;
    memory_destroy(incoming.taken);
    memory_destroy(bytes);
    forget_data(&stored->checkpoint);
    return failed ? -1 : 0;
}

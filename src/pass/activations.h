/* What train.activation_memory has to be for a set: its microbatches take no more at their least than that of
 * its longest sequences. */
#ifndef PASS_ACTIVATIONS_H
#define PASS_ACTIVATIONS_H

#include "config/config.h"
#include "data/dataset.h"
#include "net/net.h"

/* The microbatches that a step of the longest sequences of a set is cut into. */
struct longest;

/* The net is described at least, for a model bound to the set, whose values are not read; `training` or not.
 * NULL and an error where there is no memory. The caller ends it with longest_destroy. */
struct longest *longest_create(const struct config *config, struct net *net, const struct dataset *dataset,
    int training, struct error *error);
void longest_destroy(struct longest *longest); /* takes NULL */

/* Returns how the one of them that takes the most when all is kept saves, where it is to take at most
 * `memory` bytes (0: any). */
struct net_saving longest_find_saving(struct longest *longest, size_t memory);

/* Returns the bytes that are enough for each of them. */
size_t longest_find_least(struct longest *longest);

/* Refuses train.activation_memory where it is too small for passes over the set, and says what the least is.
 * It takes long where the set is large and the key is given. */
int activations_require(const struct config *config, struct net *net, const struct dataset *dataset,
    int training, struct error *error);

/* Writes bytes as a value of the key that is no less: "1203 MiB". */
void activations_write(size_t bytes, char *text, size_t size);

#endif

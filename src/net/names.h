/* What the inputs and outputs of a network are called: lists of texts, as the set has them that the network
 * was trained on. A network computes without them; but the numbers of another set mean the same to it only
 * where they are called the same, in the same order. */
#ifndef NET_NAMES_H
#define NET_NAMES_H

#include "base/error.h"

#include <stddef.h>

enum names_of { NAMES_OF_FEATURES, NAMES_OF_SYMBOLS, NAMES_OF_CLASSES, NAMES_OF_TARGETS, NAMES_LISTS };

/* "feature_names" and so on: what each list is called in datasets and checkpoints. */
extern const char *const names_lists[NAMES_LISTS];

struct name_list {
    size_t n;
    char **text; /* [n] one block, pointers first (h5_read_texts); NULL: the list is missing */
};

struct net_names {
    struct name_list list[NAMES_LISTS];
};

void net_names_finish(struct net_names *names); /* takes zeroes */

/* Returns a view of the names of inputs alone: features and symbols. It owns nothing. */
struct net_names net_names_of_inputs(const struct net_names *names);

/* Copies the lists of `other` that *names lacks. The only error is lack of memory. */
int net_names_complete(struct net_names *names, const struct net_names *other, struct error *error);

/* Refuses a set at `path` whose names are not the network's: EXIT_CODE_DATA, naming the list, the first row
 * that differs, and both names. Lists that only one of the two has are not compared. */
int net_names_compare(
    const struct net_names *network, const struct net_names *set, const char *path, struct error *error);

/* Writes what net_names_compare could not compare as a warning about the set at `path`, or "" where it has
 * compared everything that there is. */
void net_names_describe_missing(const struct net_names *network, const struct net_names *set,
    const char *path, char *warning, size_t size);

#endif

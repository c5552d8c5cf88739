/* What numbers are called where outputs are written as text: sequences as the dataset has them, classes and
 * outputs as the network does. */
#ifndef PREDICT_WORDING_H
#define PREDICT_WORDING_H

#include "data/names.h"
#include "net/types.h"

struct wording {
    const struct net_config *config;
    const struct net_names *names; /* the network's */
    struct name_reader sequences;
    char number[32]; /* of what has no name */
};

/* All is kept by reference. Ended by wording_finish, which takes zeroes. */
void wording_init(struct wording *wording, const struct net_config *config, const struct net_names *names,
    const struct dataset *dataset);
void wording_finish(struct wording *wording);

/* The name of a sequence, or else its number in the set; NULL and an error where it cannot be read. Each
 * text lasts until the next call of either function. */
const char *wording_of_sequence(struct wording *wording, int64_t sequence, struct error *error);

/* The name of a class, or else its number. */
const char *wording_of_class(struct wording *wording, size_t class);

/* Writes what output o is called, of as many as results_present gives: the class or target that it is of,
 * behind "p_" where it is a probability and "y_" where it is a value, and of a target that takes several
 * which of them it is: "p_yes", "y_speed", "y_0_variance". Returns the text, which is the caller's
 * (memory_destroy); NULL and an error without memory. */
char *wording_of_output(const struct wording *wording, size_t o, struct error *error);

#endif

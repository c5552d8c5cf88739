/* Runs that begin with the weights of another network (--init), all of them or all but the head (--new-head),
 * which then begins as train.seed has it. */
#ifndef RUN_FROM_WEIGHTS_H
#define RUN_FROM_WEIGHTS_H

#include "run/options.h"
#include "run/same_data.h"

/* One process alone calls these. The first finds what of the network begins afresh: *head [tensors]
 * (net_find_head), the caller's; NULL without --new-head. Its only error is lack of memory. */
int from_weights_find_head(
    const struct train_options *options, const struct net *net, unsigned char **head, struct error *error);

/* Reads the checkpoint that --init names and holds it to the network, which need only be described; with
 * --new-head it then has the weights of that network, zeroes where `head` marks them. Refuses what does not
 * fit, and where a new head would make it fit, the error says so. */
int from_weights_read(const struct train_options *options, const struct net *net, const unsigned char *head,
    struct checkpoint *checkpoint, struct error *error);

/* Warns where the network was trained on other names: weights may well begin as those of others, but whoever
 * does not mean it should know. A new head has the names of its own data, and those of the inputs alone are
 * compared. */
void from_weights_warn_names(
    const struct train_options *options, const struct named_set *set, const struct checkpoint *checkpoint);

/* Writes "head.weight, head.bias": what `head` marks. With `frozen` only what is frozen of it; returns how
 * many there are. */
enum { FROM_WEIGHTS_NAMES = 400 /* bytes */ };
size_t from_weights_list(
    const struct net *net, const unsigned char *head, int frozen, char text[static FROM_WEIGHTS_NAMES]);

/* Writes a warning of what begins afresh and is frozen; returns 0 where there is no such thing. */
enum { FROM_WEIGHTS_WARNING = FROM_WEIGHTS_NAMES + 200 };
int from_weights_describe_frozen(
    const struct net *net, const unsigned char *head, char text[static FROM_WEIGHTS_WARNING]);

#endif

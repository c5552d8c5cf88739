/* The one list of rules for what a network can be. The configuration asks it of what a user wrote, the
 * checkpoint of what a file holds, and net_create of what it is given. */
#ifndef NET_CHECK_H
#define NET_CHECK_H

#include "net/types.h"

enum { NET_OBJECTION_OTHERS = 3, NET_OBJECTION_TEXT = 200 };

/* One member of a net_config that cannot have the value that it has. Members are called as the keys of the
 * configuration ([model], or [train] for what belongs to the loss and to noise) that set them: "input_layers"
 * stands for the number of input layers and for their sizes. */
struct net_objection {
    const char *member;
    const char *others[NET_OBJECTION_OTHERS + 1]; /* members that it contradicts, then NULL; often none */
    char text[NET_OBJECTION_TEXT];                /* what is wrong and what to do */
};

/* Is told of an objection, which it does not keep. */
typedef void net_object(void *context, const struct net_objection *objection);

/* Reports every rule that the configuration breaks to `object`, in a fixed order; NULL reports to nobody.
 * Returns how many there are. A configuration whose inputs are 0 has not been bound to a dataset: what
 * follows from the dataset (outputs, target_length, sizes of a decoder that are left open) is judged only
 * where they are not. */
size_t net_config_check(const struct net_config *config, net_object *object, void *context);

#endif

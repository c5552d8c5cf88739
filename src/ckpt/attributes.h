/* The attributes of /model: the configuration of the network, made by the rows of the table of keys. */
#ifndef CKPT_ATTRIBUTES_H
#define CKPT_ATTRIBUTES_H

#include "ckpt/section.h"
#include "net/net.h"

/* Passes the configuration in the way of the section. Reading begins with the defaults, which stay where the
 * format of the file is older than a key; failures are the section's. */
void attributes_pass(struct section *section, struct net_config *model);

/* Can a network of this configuration have only `count` weights? Whatever is the size of something is the
 * size of some weights, so that none can be beyond their number. */
int attributes_fit(const struct net_config *model, size_t count);

#endif

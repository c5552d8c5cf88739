/* What the keys of a configuration are to each other; what they must be is asked by config_check. */
#ifndef CONFIG_KEY_RULES_H
#define CONFIG_KEY_RULES_H

#include "config/config.h"

/* What the user has set counts: the values of other keys yield to it, where he has not set them. A list of
 * one item is for all layers, and no microbatch is larger than a batch. */
void config_yield(struct config *config);

#endif

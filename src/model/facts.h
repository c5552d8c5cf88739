/* What goes into an exported file beside the weights, as texts by name, where its format has room for that:
 * which program it is from, the hash of the weights, the configuration, what inputs are standardized by, and
 * the names of inputs and outputs. Numbers and names are JSON lists. */
#ifndef MODEL_FACTS_H
#define MODEL_FACTS_H

#include "ckpt/checkpoint.h"

/* Calls `take` for each fact that the checkpoint has, until it returns something but 0, which is returned: -1
 * with an error. */
int facts_list(const struct checkpoint *checkpoint,
    int (*take)(void *context, const char *name, const char *value, struct error *error), void *context,
    struct error *error);

#endif

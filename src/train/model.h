/* The network that a configuration and a dataset make together. */
#ifndef TRAIN_MODEL_H
#define TRAIN_MODEL_H

#include "base/error.h"
#include "data/dataset.h"
#include "net/net.h"

/* Completes `model` ([model] of a configuration) with the inputs and outputs of the training set. Refuses a
 * set whose targets do not fit output and loss, naming file and what would fit. */
int model_bind(struct net_config *model, const struct dataset *dataset, struct error *error);

/* Refuses a set (validation, prediction) that a bound model cannot read: other inputs, other targets. Without
 * targets it is refused only if `targets` is 1. */
int model_accepts(
    const struct net_config *model, const struct dataset *dataset, int targets, struct error *error);

#endif

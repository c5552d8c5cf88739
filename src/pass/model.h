/* The network that a configuration and a dataset make together. */
#ifndef PASS_MODEL_H
#define PASS_MODEL_H

#include "base/error.h"
#include "config/config.h"
#include "data/dataset.h"
#include "net/net.h"

/* Completes `model` ([model] of a configuration) with the inputs and outputs of the training set, the common
 * number of its targets where the decoder makes values, and the sizes that are left open. Refuses a set whose
 * inputs and targets do not fit, naming file and what would fit. This and model_accepts set
 * any_targets, aligns and loss of the dataset, and read no values. */
int model_bind(struct net_config *model, struct dataset *dataset, struct error *error);

/* Refuses a set whose inputs are not those of a bound model. */
int model_accepts_inputs(const struct net_config *model, const struct dataset *dataset, struct error *error);

/* Refuses a set (validation, prediction) that a bound model cannot read: other inputs, other targets. Without
 * targets it is refused only if `targets` is 1. */
int model_accepts(const struct net_config *model, struct dataset *dataset, int targets, struct error *error);

/* Check what only shows in the targets themselves: with ctc a sequence with more labels than its frames have
 * room for, with ctc and decoder a class of -1. They read them all, if the output asks for that. Every fault
 * goes to `faults`; or the first of a share of the targets (data/targets.h) becomes the error, so that ranks
 * that share them find the first of all on the lowest rank that finds one (comm_agree_on_parts). A set
 * without targets has none. The second looks also at real values that are kept, whether the loss takes them;
 * dataset_check does that for the first. */
void model_check_targets(const struct net_config *model, struct dataset *dataset, struct faults *faults);
int model_require_targets(
    const struct net_config *model, struct dataset *dataset, size_t part, size_t parts, struct error *error);

/* Refuses a set of which nothing can ever be counted, since all its classes are -1 or all its
 * values NaN; and where it `judges`, which is to say that checkpoint.best goes by it, one that can never have
 * the figure asked for there: an error, without any label. It reads targets up to the first that is one. */
int model_require_labels(
    const struct config *config, struct dataset *dataset, int judges, struct error *error);

#endif

/* Are the data of a run those that it was begun with? Shapes, offsets and names are compared as soon as the
 * checkpoint is found; values by their fingerprints (data/fingerprint.h), which need all of them to be read:
 * at the start where they are kept in memory, or where the file is another than before, and else as the epoch
 * at hand reads them. */
#ifndef RUN_SAME_DATA_H
#define RUN_SAME_DATA_H

#include "run/sets.h"

/* A training set and what it calls its inputs and targets. */
struct named_set {
    const char *path;
    struct net_names *names;
};

/* Rank 0 calls. Compares the names of the training set with those of the checkpoint that a run in `directory`
 * goes on from, and completes set->names by them. Names that differ are an error, or with `accept` a warning;
 * absent ones are a warning. */
int same_data_names(const struct named_set *set, const char *directory, const struct checkpoint *checkpoint,
    int accept, struct error *error);

/* Rank 0 calls. Compares shapes, offsets and names of the sets with those of the checkpoint that the run goes
 * on from, and completes sets->names by those of the checkpoint; of formats before 5, which have less of all
 * this, what there is. What differs is an error, or with `accept` a warning. `directory` is the run's. */
int same_data_shapes(struct sets *sets, const char *directory, const struct checkpoint *checkpoint,
    int accept, struct error *error);

/* All ranks call. Completes the fingerprints that can be had now, and compares them with those of rank 0's
 * `checkpoint` (elsewhere it is not looked at; NULL: the run begins). Refuses targets that `model` cannot
 * take (model_require_targets), unless the file is one that the checkpoint knows wholly. */
int same_data_values(struct sets *sets, const struct net_config *model, const char *directory,
    const struct checkpoint *checkpoint, int accept, struct error *error);

/* All ranks call, at the end of an epoch. Completes the fingerprints that are still not: what was not read
 * since the program started is read now. */
int same_data_complete(struct sets *sets, struct error *error);

#endif

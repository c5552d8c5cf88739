/* A checkpoint of a small net, every member filled with something of its own. */
#ifndef TESTS_SUPPORT_CHECKPOINTS_H
#define TESTS_SUPPORT_CHECKPOINTS_H

#include "ckpt/checkpoint.h"

/* The identifier of the run that it is of. */
#define CHECKPOINTS_RUN "00000000000000a1"

/* Of a net with these layers: inputs of 2, `hidden` units per direction (0: 3), a bidirectional LSTM with
 * adam. The checkpoint is the caller's (checkpoint_finish), and so is the net. */
struct net *checkpoints_make(struct checkpoint *checkpoint, size_t layers, size_t hidden, int64_t step);

/* The same in two parts: the configuration of that net, which a test may change before the rest is made. */
struct net_config checkpoints_config(size_t layers, size_t hidden);
struct net *checkpoints_make_of(struct checkpoint *checkpoint, const struct net_config *config, int64_t step);

/* Fails the test where anything but the provenance differs. */
void checkpoints_compare(const struct checkpoint *a, const struct checkpoint *b);

#endif

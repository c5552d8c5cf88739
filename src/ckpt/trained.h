/* The network of a checkpoint, for those who compute with it and do not train it. */
#ifndef CKPT_TRAINED_H
#define CKPT_TRAINED_H

#include "ckpt/checkpoint.h"

/* Reads the checkpoint at `path` and refuses one whose standardization is not that of its
 * network's inputs. As checkpoint_read. */
int trained_read(
    const char *path, enum checkpoint_trust trust, struct checkpoint *checkpoint, struct error *error);

#endif

/* Reading a checkpoint file: what verification asks beyond checkpoint_read. */
#ifndef CKPT_READ_H
#define CKPT_READ_H

#include "ckpt/checkpoint.h"

/* Does as checkpoint_read; *sealed is 1 where the hash line is there. */
int checkpoint_read_sealed(const char *path, enum checkpoint_trust trust, struct checkpoint *checkpoint,
    int *sealed, struct error *error);

#endif

/* A checkpoint out of the bytes of its file. */
#ifndef CKPT_DECODE_H
#define CKPT_DECODE_H

#include "ckpt/checkpoint.h"

/* Reads a file that lies in memory, without its hash line; `path` is its name in errors. Of `trust` it asks
 * whether the file is an edited one. *checkpoint is filled only on success. Returns as checkpoint_read does.
 * EXIT_CODE_DATA: damaged, newer, or not ours. */
int checkpoint_decode(const void *image, size_t size, const char *path, enum checkpoint_trust trust,
    struct checkpoint *checkpoint, struct error *error);

/* Refuses a file that is a checkpoint of a newer program, whose formats this one does not know:
 * CHECKPOINT_NEWER and EXIT_CODE_DATA. 0: it is none, whatever else it is. Little of it is read. */
int checkpoint_refuse_newer(const char *path, struct error *error);

#endif

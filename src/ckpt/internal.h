/* What the files of this folder share about checkpoints. */
#ifndef CKPT_INTERNAL_H
#define CKPT_INTERNAL_H

#include "ckpt/checkpoint.h"
#include "ckpt/section.h"

/* Written. Older ones are read too: version 1 knows no options of the model behind `dropout`, and no
 * epoch_labels; version 2 nothing of divergence. */
enum { CHECKPOINT_VERSION = 3 };

/* Everything in the file, in order, in the way of `whole`. Reading: parameters and moments are allocated as
 * they are found. Returns -1 and the first failure. */
int layout_pass(const struct section *whole, struct checkpoint *checkpoint);

/* The parameter table of /model in a file, in order of offset, which must leave no gaps. Fills parameters,
 * parameter and count. */
int decode_parameters(struct section *section, struct checkpoint *checkpoint);

/* As checkpoint_read; *sealed: the hash line is there. */
int checkpoint_read_sealed(const char *path, enum checkpoint_trust trust, struct checkpoint *checkpoint,
    int *sealed, struct error *error);

/* Reads a file that lies in memory, without its hash line. */
int checkpoint_decode(
    const void *image, size_t size, const char *path, struct checkpoint *checkpoint, struct error *error);

/* The line behind the image. */
enum { SEAL_BYTES = 58 };
enum seal { SEAL_RIGHT, SEAL_WRONG, SEAL_ABSENT };
void seal_write(const void *image, size_t size, char line[SEAL_BYTES]);
enum seal seal_check(const void *bytes, size_t size); /* image and line */

/* As checkpoint_fits, against a table. */
int checkpoint_match(const struct checkpoint *checkpoint, const char *path, const struct parameter *want,
    size_t n, struct error *error);

#endif

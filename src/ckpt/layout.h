/* What stands where in a checkpoint file. */
#ifndef CKPT_LAYOUT_H
#define CKPT_LAYOUT_H

#include "ckpt/checkpoint.h"
#include "ckpt/section.h"

/* The format that is written; older ones are read too. docs/checkpoint-format.md says what each added. */
enum { CHECKPOINT_VERSION = 8 };

/* Passes everything in the file, in order, in the way of `whole`. Reading allocates parameters and moments as
 * they are found. Returns -1 and the first failure. */
int layout_pass(const struct section *whole, struct checkpoint *checkpoint);

#endif

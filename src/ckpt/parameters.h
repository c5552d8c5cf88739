/* The table of parameters of a checkpoint's network, as its file has them. */
#ifndef CKPT_PARAMETERS_H
#define CKPT_PARAMETERS_H

#include "ckpt/checkpoint.h"
#include "ckpt/section.h"

/* Reads the table of /model, in order of offset, which must leave no gaps. Fills parameters, parameter and
 * count. Returns -1 where the section has failed. */
int parameters_read(struct section *section, struct checkpoint *checkpoint);

#endif

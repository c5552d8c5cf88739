/* A checkpoint beside the parameters of a net. */
#ifndef CKPT_FITS_H
#define CKPT_FITS_H

#include "ckpt/checkpoint.h"

/* Does as checkpoint_fits, with a table of n parameters instead of a net. */
int checkpoint_match(const struct checkpoint *checkpoint, const char *path, const struct parameter *want,
    size_t n, struct error *error);

#endif

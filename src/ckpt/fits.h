/* A checkpoint beside the parameters of a net. */
#ifndef CKPT_FITS_H
#define CKPT_FITS_H

#include "ckpt/checkpoint.h"

/* Writes the shape of a parameter as "[44, 13]"; are those of two the same? */
void shape_write(const struct parameter *p, char *text, size_t size);
int shape_is_same(const struct parameter *p, const struct parameter *q);

/* Does as checkpoint_fits, with a table of n parameters instead of a net. */
int checkpoint_match(const struct checkpoint *checkpoint, const char *path, const struct parameter *want,
    size_t n, struct error *error);

#endif

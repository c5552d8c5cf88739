/* A checkpoint beside the parameters of a net. */
#ifndef CKPT_FITS_H
#define CKPT_FITS_H

#include "ckpt/checkpoint.h"

/* Have two parameters, of which either may be NULL (there is none left), one name and one shape? */
int parameter_is_same(const struct parameter *has, const struct parameter *wants);

/* Refuses two that differ, by their names or else their shapes; `none` is what is said in place of one that
 * there is not. Returns -1. */
int parameter_refuse(const struct parameter *has, const struct parameter *wants, const char *none,
    const char *path, const char *advice, struct error *error);

/* Refuses a network that computes something else with parameters of the same names and shapes. Returns 0, or
 * -1. */
int checkpoint_match_model(
    const struct net_config *has, const struct net_config *wants, const char *path, struct error *error);

/* Does as checkpoint_fits of the parameters, with a table of n parameters instead of a net. */
int checkpoint_match(const struct checkpoint *checkpoint, const char *path, const struct parameter *want,
    size_t n, struct error *error);

#endif

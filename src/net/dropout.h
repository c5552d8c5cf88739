#ifndef NET_DROPOUT_H
#define NET_DROPOUT_H

#include "net/pass.h"

/* Dropout by a mask that is a function of key, sequence, layer, step and unit alone (Srivastava et al. 2014;
 * kept units are divided by 1 - rate): out = mask . in over the first `width` of the rows [N][stride] of a
 * layer; in may be out. */
void dropout_apply(const struct pass *pass, double rate, size_t layer, size_t width, size_t stride,
    const float *in, float *out);

#endif

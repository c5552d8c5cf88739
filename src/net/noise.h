#ifndef NET_NOISE_H
#define NET_NOISE_H

#include "net/pass.h"

/* Rows out [N] = inputs + deviation n over the first `width` features of the microbatch's frames, n normal
 * and a function of key, sequence, step and feature alone; the padding is zeroed. */
void noise_apply(const struct pass *pass, double deviation, size_t width, struct rows out);

#endif

/* Orthogonal matrices for recurrent weights to start from. Private to this folder. */
#ifndef NET_ORTHOGONAL_H
#define NET_ORTHOGONAL_H

#include "base/error.h"
#include "kernel/kernel.h"
#include "net/types.h"

#include <stddef.h>
#include <stdint.h>

/* Which random numbers a matrix is made from. */
struct orthogonal_key {
    uint64_t seed;
    size_t parameter, block; /* its place in the table of parameters, and within the tensor */
};

/* Writes Q [n][n] = H(0) H(1) ... H(n - 1), of n reflections H(k) = 1 - 2 v v^T / v^T v, v random in its last
 * n - k places (Stewart 1980 draws v normal; uniform v gives a matrix as orthogonal). `life` is called
 * between pieces of the work; its `show` may be NULL. The bits are the same on every build of the kernel. */
int orthogonal_start(const struct kernel *kernel, const struct orthogonal_key *key, size_t n,
    const struct net_life *life, float *Q, struct error *error);

#endif

/* One build: the sources of this folder are compiled once for each instruction set, whose file KERNEL_ISA
 * names, and BUILD(product) is product_avx2 in one of them. */
#ifndef KERNEL_BUILD_H
#define KERNEL_BUILD_H

#include "kernel/kernel.h"

#include <math.h>

#define INLINE static inline __attribute__((always_inline, unused))

#include KERNEL_ISA

/* What outer() packs at a time, at most: frames, columns of A and of X, from how many products. */
enum { OUTER_FRAMES = 320, OUTER_M = 48, OUTER_COLUMNS = 512, OUTER_PIECES = 4 };

#define FUNCTION(result, name, parameters) result BUILD(name) parameters;
#include "kernel/functions.h"
#undef FUNCTION
#define CELL(enumerator, text, kind, name, file)                                                             \
    void BUILD(name##_forward)(const struct cell_step *step);                                                \
    void BUILD(name##_backward)(const struct cell_gradient *gradient);
#include "kernel/cells/list.h"
#undef CELL

#endif

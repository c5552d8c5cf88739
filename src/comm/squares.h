/* Sums of squares of blocks of a vector. They are added without rounding (base/exact.h), so the norm of a
 * vector does not depend on its cut into slices of whole blocks. MPI is not needed for them. */
#ifndef COMM_SQUARES_H
#define COMM_SQUARES_H

#include <stddef.h>

enum { SQUARES_LANES = 16 };

/* The sum of the squares of n floats in double: lane i takes elements i, i + 16, i + 32, ...; then the lanes
 * are added by halves, 0..7 + 8..15, 0..3 + 4..7, and so on. A vector that ends early counts as padded by
 * zeros. The sum is not a number or infinite where an element is; a finite float's square is finite in
 * double. */
double squares_sum_block(const float *values, size_t n);

#endif

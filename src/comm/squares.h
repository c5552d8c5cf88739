/* Sums of squares in an order that does not depend on the vector's cut into slices. MPI is not needed for
 * them. */
#ifndef COMM_SQUARES_H
#define COMM_SQUARES_H

#include <stddef.h>

enum { SQUARES_LANES = 16 };

/* The sum of the squares of n floats in double: lane i takes elements i, i + 16, i + 32, ...; then the lanes
 * are added by halves, 0..7 + 8..15, 0..3 + 4..7, and so on. A vector that ends early counts as padded by
 * zeros. The sum is not a number or infinite where an element is; a finite float's square is finite in
 * double. */
double squares_sum_block(const float *values, size_t n);

/* The sum of the sums of n blocks, added from first to last. */
double squares_add_blocks(const double *blocks, size_t n);

#endif

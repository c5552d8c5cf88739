/* What the files of cells share. Each defines forward and backward of one step, row by row in blocks of 16
 * units, and below them their plain twins, which are compiled in the build of that name alone. Where
 * one function is taken of the result of another, as h = o tanh(c) of c, a second loop goes over the row: in
 * one loop a processor has too few units under way to hide the latency.
 *
 * In the equations . is the product element by element, s the logistic function; a_x is the sum before
 * activation of gate x, and x' what the step before left. */
#ifndef KERNEL_CELLS_CELL_H
#define KERNEL_CELLS_CELL_H

#include "kernel/build.h"

#ifdef ISA_IS_PLAIN
#include "kernel/plain.h"
#else
#include "kernel/function.h"

/* Calls `body` with a running over the vectors of a row: u the unit, g the place of gate 0 in the interleaved
 * row. */
#define FOR_UNITS(gates, units)                                                                              \
    for (size_t block = 0; block < (units); block += KERNEL_BLOCK)                                           \
        for (size_t part = 0; part < KERNEL_BLOCK; part += VEC_LANES)                                        \
            for (size_t u = block + part, g = u + block * ((gates)-1), once = 1; once; once = 0)
#endif

#endif

/* How the sequences of a step are cut into microbatches of equal cost. Pure arithmetic on lengths, and part
 * of the plan of a run: another cut adds the same gradients in another order, and gives other bits. */
#ifndef DATA_MICROBATCHES_H
#define DATA_MICROBATCHES_H

#include <stddef.h>
#include <stdint.h>

/* What a time step costs besides its rows, in rows: starting the recurrent product and the cell of each
 * layer, whose weights are fetched whatever the rows are. */
enum { MICROBATCH_STEP_ROWS = 1 };

/* Returns what it costs to compute sequences of so many frames together, of which the longest has `steps`. */
static inline int64_t microbatch_cost(int64_t frames, int64_t steps)
{
    return frames + MICROBATCH_STEP_ROWS * steps;
}

/* Cuts n sequences, given by length [n] from the longest to the shortest, into `count` runs of neighbours,
 * 1 <= count <= n, none of them empty: run r is start[r] .. start[r + 1] - 1, start [count + 1].
 *
 * A sequence with more frames than the mean run of those that are not longer is a run by itself. The others
 * are cut so that the dearest run is as cheap as can be and, where that leaves a choice, each run from the
 * first to the last as near as can be to its share of what is left, the shorter of two that are equally near.
 */
void microbatches_cut(const int64_t *length, size_t n, size_t count, size_t *start);

#endif

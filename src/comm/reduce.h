/* Spread reduction: every rank owns a slice of the flat vector, completes the sums of it in tree order,
 * updates it, and all gather the whole. Node sums go to all ranks slice by slice, and complete slices to
 * all. */
#ifndef COMM_REDUCE_H
#define COMM_REDUCE_H

#include "comm/comm.h"
#include "comm/tree.h"

#include <stddef.h>

enum { REDUCE_BLOCK = 1024 }; /* floats: slices are cut at multiples of it, squares are summed per block */

struct reduce;

/* Every rank calls. The result is for flat vectors of `length` (at least 1) floats, owned by the caller,
 * ended by reduce_destroy; `comm` is kept by reference. Whole vectors handed to the functions below have room
 * for reduce_room() floats: length rounded up to whole blocks, zero beyond `length`. */
struct reduce *reduce_create(const struct comm *comm, size_t length, struct error *error);
void reduce_destroy(struct reduce *reduce); /* takes NULL */
size_t reduce_room(size_t length);

/* The slice of this rank: floats [*first, *first + *count) of the flat vector, within `length`; *count is 0
 * on ranks beyond the number of blocks. Slices are as equal as whole blocks allow. */
void reduce_get_slice(const struct reduce *reduce, size_t *first, size_t *count);

/* How many bytes the exchange buffers take, which are as large as the largest exchange so far. */
size_t reduce_bytes(const struct reduce *reduce);

/* Every rank calls. ranges[r] .. ranges[r + 1] are the leaves of rank r of n > 0 (ranges has ranks + 1
 * entries, equal on all ranks, and may be empty); `sums` of vectors of reduce_room() floats holds this rank's
 * node sums, all its leaves added. It puts the complete sum of this rank's slice in `slice` [count], and
 * leaves `sums` as it is. On one rank `slice` may be sums->vectors[0], where the sum already is: nothing is
 * copied then. Fails on all ranks alike, where one has no memory for more nodes than there were before. */
int reduce_slices(struct reduce *reduce, const size_t *ranges, size_t n, const struct tree_sums *sums,
    float *slice, struct error *error);

/* Every rank calls. The result is the sum of squares of the whole vector of which `slice` is this rank's
 * part: squares per block in double, 16 lanes, blocks added without rounding. It is not a number or infinite
 * where an element is. */
double reduce_squares(struct reduce *reduce, const float *slice);

/* Every rank calls. The slices of all ranks come together in `vector` [reduce_room], in which this rank's own
 * slice stands already. */
void reduce_gather(struct reduce *reduce, float *vector);

/* Every rank calls. The same onto rank 0 alone: `slice` of every rank into vector [reduce_room] on rank 0
 * (NULL elsewhere); and back from there. Moments go into a checkpoint and come out of it this way. */
void reduce_collect(struct reduce *reduce, const float *slice, float *vector);
void reduce_spread(struct reduce *reduce, const float *vector, float *slice);

#endif

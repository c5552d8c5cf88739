/* Spread reduction in two levels. Every rank owns a slice of the flat vector, completes the sums of it in
 * tree order, and updates it. Inside a node sums lie in shared memory, and nobody sends anything; between
 * nodes each sum of a node goes to the owners of other nodes slice by slice, and each slice of a new vector
 * to every other node once.
 *
 * Ranges and slices are dealt by place (comm/node.h), so that those of a node lie side by side. */
#ifndef COMM_REDUCE_H
#define COMM_REDUCE_H

#include "comm/comm.h"
#include "comm/node.h"
#include "comm/tree.h"

#include <stddef.h>

enum { REDUCE_BLOCK = 1024 }; /* floats: slices are cut at multiples of it, squares are summed per block */

struct reduce;

/* Returns what reduce_create takes of the node's memory, for flat vectors of `length` floats and steps of at
 * most `leaves` leaves over so many ranks. */
struct node_size reduce_size(size_t length, size_t leaves, int ranks);

/* Every rank calls. The result is for flat vectors of `length` (at least 1) floats, owned by the caller,
 * ended by reduce_destroy; `node` is kept by reference. Whole vectors handed to the functions below lie in
 * the node's shared memory and have room for reduce_room() floats: length rounded up to whole blocks, zero
 * beyond `length`.
 */
struct reduce *reduce_create(struct node *node, size_t length, size_t leaves, struct error *error);
void reduce_destroy(struct reduce *reduce); /* every rank of the node calls; takes NULL */
size_t reduce_room(size_t length);

/* The slice of this rank: floats [*first, *first + *count) of the flat vector, within `length`; *count is 0
 * on ranks beyond the number of blocks. Slices are as equal as whole blocks allow. */
void reduce_get_slice(const struct reduce *reduce, size_t *first, size_t *count);

/* How many bytes this rank's buffer for sums of other nodes takes, which is as large as the largest exchange
 * so far. */
size_t reduce_bytes(const struct reduce *reduce);

/* Every rank calls. Begins a step of n > 0 leaves, of which place p has ranges[p] .. ranges[p + 1] - 1
 * (ranges has ranks + 1 entries, equal on all ranks, kept by reference until reduce_slices; ranges may be
 * empty). `team` is this rank's (comm/node.h). Returns where the leaves of the team are added up
 * (comm/tree.h), in memory that the node sees, by each member its share of the elements. NULL where there is
 * no more memory, on all ranks alike. */
struct tree_sums *reduce_start(
    struct reduce *reduce, const size_t *ranges, size_t n, struct team team, struct error *error);

/* Every rank calls, all its leaves added. Returns the complete sum of this rank's slice [count], which is the
 * caller's to change until the next reduce_start; the sums of nodes are destroyed. NULL where a rank has no
 * memory for what comes from other nodes, on all ranks alike. */
float *reduce_slices(struct reduce *reduce, struct error *error);

/* Every rank calls. The result is the sum of squares of the whole vector of which `slice` is this rank's
 * part: squares per block in double, 16 lanes, blocks added without rounding. It is not a number or infinite
 * where an element is. */
double reduce_squares(struct reduce *reduce, const float *slice);

/* Every rank calls. The slices of all ranks come together in `vector` [reduce_room] of every node, in which
 * this rank has written its own slice. Nobody may write one before all ranks of the node have called the last
 * function of this file that they have to. */
void reduce_gather(struct reduce *reduce, float *vector);

/* Every rank calls. The same onto rank 0 alone: `slice` of every rank into vector [reduce_room] on rank 0,
 * where it need not be shared (NULL elsewhere); and back from there. Moments go into a checkpoint and come
 * out of it this way. */
void reduce_collect(struct reduce *reduce, const float *slice, float *vector);
void reduce_spread(struct reduce *reduce, const float *vector, float *slice);

#endif

/* Spread reduction in two levels. Every rank owns slices of the flat vector, completes the sums of them in
 * tree order, and updates them. Inside a node sums lie in shared memory, and nobody sends anything; between
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
 * beyond `length`. Elements from `cut` on, or from the next whole block on, are the second part of the
 * vector, whose sums are complete before the others are (reduce_tell); there is one part where none are left,
 * `cut` is 0, or there is one node. */
struct reduce *reduce_create(
    struct node *node, size_t length, size_t cut, size_t leaves, struct error *error);
void reduce_destroy(struct reduce *reduce); /* every rank of the node calls; takes NULL */
size_t reduce_room(size_t length);

/* A slice of this rank: floats [first, first + count) of the flat vector, within its length. In arrays of
 * this rank's own its slices follow each other, this one from `at` on. */
struct reduce_slice {
    size_t first, count, at;
    float *sum; /* [count] once it is complete */
};

/* The vector has one part, or two, and a rank has a slice of each, of which some are empty where there are
 * fewer blocks than ranks. Slices of a part are as equal as whole blocks allow. */
enum { REDUCE_MOST_PARTS = 2 };

/* Fills in the slices of this rank, without sums, and returns how many there are. */
size_t reduce_get_slices(const struct reduce *reduce, struct reduce_slice slices[REDUCE_MOST_PARTS]);

/* How many bytes this rank's buffer for sums of other nodes takes, which is as large as the largest exchange
 * so far. */
size_t reduce_bytes(const struct reduce *reduce);

/* Every rank calls. Begins a step of n > 0 leaves, of which place p has ranges[p] .. ranges[p + 1] - 1
 * (ranges has ranks + 1 entries, equal on all ranks, kept by reference until the end of the step; ranges may
 * be empty). `team` is this rank's (comm/node.h). Returns where the leaves of the team are added up
 * (comm/tree.h), in memory that the node sees, by each member its share of the elements. NULL where there is
 * no more memory, on all ranks alike. */
struct tree_sums *reduce_start(
    struct reduce *reduce, const size_t *ranges, size_t n, struct team team, struct error *error);

/* Where the second part of the vector begins, whose sums go to other nodes ahead of the first part's in the
 * step at hand; 0 where none does: there is no step, one part, or a rank that has no leaf. Of every such step
 * reduce_complete or reduce_abandon makes an end. */
size_t reduce_ahead(const struct reduce *reduce);

/* Each rank may call this for itself in such a step, once, when it has added up all its leaves from
 * reduce_ahead on (tree_sums_add_ahead), and reduce_look as often as it likes; waits for others call it too.
 * Both take microseconds, but for the call that first finds that all ranks of the node have told: it adds
 * this rank's share of their sums, and sends it. */
void reduce_tell(struct reduce *reduce);
void reduce_look(struct reduce *reduce);

/* Every rank calls, all its leaves added. Completes the sums of this rank's slices, which are the caller's to
 * change until the next reduce_start; the sums of nodes are destroyed. */
void reduce_complete(struct reduce *reduce, struct reduce_slice slices[REDUCE_MOST_PARTS]);

/* Every rank calls where a step ends without reduce_complete, and may call it after that: what was begun
 * ahead is finished, and is of no use. */
void reduce_abandon(struct reduce *reduce);

/* Every rank calls. The result is the sum of squares of the whole vector of which `slices` have this rank's
 * sums: squares per block in double, 16 lanes, blocks added without rounding. It is not a number or infinite
 * where an element is. */
double reduce_squares(struct reduce *reduce, const struct reduce_slice *slices);

/* Every rank calls. The slices of all ranks come together in `vector` [reduce_room] of every node, in which
 * this rank has written its own slices. Nobody may write one before all ranks of the node have called the
 * last function of this file that they have to. */
void reduce_gather(struct reduce *reduce, float *vector);

/* Every rank calls. The same onto rank 0 alone: `own`, the slices of every rank one after the other, into
 * vector [reduce_room] on rank 0, where it need not be shared (NULL elsewhere); and back from there. Moments
 * go into a checkpoint and come out of it this way. */
void reduce_collect(struct reduce *reduce, const float *own, float *vector);
void reduce_spread(struct reduce *reduce, const float *vector, float *own);

#endif

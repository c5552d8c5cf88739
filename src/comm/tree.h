/* The binary tree over the leaves of a step that fixes the order of every addition.
 *
 * Over n leaves the left subtree takes the largest power of two below n. So a node of level j covers leaves
 * [k 2^j, min((k + 1) 2^j, n)), and its sum is the sum of its left child plus that of its right one, or its
 * left child alone where the right one is empty. Whichever rank adds, the bits are these.
 *
 * A rank has a contiguous range of leaves. It adds up the nodes that lie wholly in its range like carrying in
 * a binary counter (struct tree_sums), and what is left, the largest nodes of its range, is completed across
 * ranks in the same way (struct tree_fold). All of it is pure arithmetic and needs no MPI. */
#ifndef COMM_TREE_H
#define COMM_TREE_H

#include "base/error.h"

#include <stddef.h>

struct tree_node {
    size_t first, end; /* leaves [first, end) */
};

enum { TREE_MOST_NODES = 128 };

/* Lists the largest nodes of a tree over n leaves that lie in [first, end), from left to right; returns how
 * many, at most TREE_MOST_NODES. An empty range has none. */
size_t tree_list_nodes(size_t n, size_t first, size_t end, struct tree_node nodes[TREE_MOST_NODES]);

/* How many vectors are held at once, at most, while the leaves of [first, end) are added one by one, the
 * incoming leaf among them. */
size_t tree_count_vectors(size_t n, size_t first, size_t end);

/* Nodes of a tree over n leaves as they come from left to right, without gaps; those that are siblings are
 * replaced by their parent. */
struct tree_fold {
    size_t n, length; /* leaves; floats of a vector */
    size_t held;
    struct tree_node nodes[TREE_MOST_NODES];
    float *vectors[TREE_MOST_NODES]; /* [length] each, the caller's */
};

/* tree_fold_add takes the next node and its sum, and adds up as far as it can: into the vector of the
 * leftmost of the nodes that are added, while the others are left as they are or hold sums of their own.
 * After the last node of a tree one is held. */
void tree_fold_start(struct tree_fold *fold, size_t n, size_t length);
void tree_fold_add(struct tree_fold *fold, struct tree_node node, float *vector);

/* The sums of the leaves of a range, as they come. */
struct tree_sums {
    size_t length;         /* floats of a vector */
    size_t first, end;     /* range of this rank */
    size_t next;           /* leaf to come */
    struct tree_fold fold; /* the nodes held */
    size_t room;           /* vectors allocated */
    float **vectors;       /* [room], each [length], zeroed when handed out */
    float *lent;           /* [lent_room][length] vectors to take first; the caller's */
    size_t lent_room;
    size_t from, to; /* elements that are zeroed and added: [from, to) of each vector */
    size_t ahead;    /* the last so many of them are added already of the leaf to come */
};

/* Vectors are allocated as they are needed and kept until finish. tree_sums_start begins a new step. When all
 * leaves are added, fold.nodes [fold.held] are what tree_list_nodes gives, and fold.vectors their sums, from
 * element `from` on. */
void tree_sums_init(struct tree_sums *sums, size_t length);
void tree_sums_finish(struct tree_sums *sums);
void tree_sums_lend(struct tree_sums *sums, float *vectors, size_t count); /* [count][length], from now on */

/* From the next tree_sums_start on elements from .. to - 1 alone are zeroed and added: the others are left to
 * other processes that do the same with the same vectors. */
void tree_sums_divide(struct tree_sums *sums, size_t from, size_t to);
void tree_sums_start(struct tree_sums *sums, size_t n, size_t first, size_t end);

/* Returns a zeroed vector for the next leaf's values, NULL and an error without memory; tree_sums_add takes
 * it in and carries. */
float *tree_sums_leaf(struct tree_sums *sums, struct error *error);
void tree_sums_add(struct tree_sums *sums);

/* Takes in elements from `from` on of the vector that was returned last, which are complete before the others
 * are. The next tree_sums_add takes in the others. */
void tree_sums_add_ahead(struct tree_sums *sums, size_t from);

#endif

/* A node: the ranks of one host that map the same memory. What is large and the same for all of them lies
 * there once, and what they tell each other goes through it without messages.
 *
 * Ranks have places beside their numbers: those of a node have places that follow each other, whatever the
 * launcher's order, so that what is dealt by place falls on nodes in contiguous ranges. */
#ifndef COMM_NODE_H
#define COMM_NODE_H

#include "base/error.h"
#include "comm/meeting.h"
#include "comm/rank.h"

#include <stddef.h>
#include <stdint.h>

struct node {
    const struct comm *comm;
    int rank, ranks;  /* this process among those of its node */
    int index, nodes; /* this node among all, in order of their lowest ranks */
    int place;        /* of this rank */
    int *ranks_at;    /* [ranks of the job] the rank at each place */
    int *place_of;    /* [ranks of the job] the place of each rank */
    int *first_place; /* [nodes + 1] of each node */
    int is_private;   /* 1: the node has one rank, whose memory is its own */
    int is_crowded;   /* 1: the ranks of the host may run on fewer processors than they are */
    struct node_shared *shared;
};

/* Ranks of a node, at places first .. first + members - 1, that compute a leaf of a step together. */
struct team {
    int first, members;
};

/* How much memory a node needs: once, and for each of its ranks. */
struct node_size {
    size_t once, of_rank;
};

/* What node_sum adds at most, and how many ranks a node has at most: further ones of a host are another node.
 */
enum { NODE_WORDS = 1024, NODE_MOST_RANKS = 1024 };

/* How much a node of so many ranks takes besides, and all that it takes. */
size_t node_count_bytes(size_t ranks);
size_t node_count_all(struct node_size size, size_t ranks);

/* Every rank calls, with the same size. Finds the ranks of each host, and reserves memory for them. Where a
 * host has too little shared memory, or a rank cannot map it, each rank of the host is a node by itself, with
 * memory of its own, and *warning says why on the first rank of the host (an empty text elsewhere;
 * [size_of_warning]). Nothing of it has a name once this returns, so that nothing remains whatever is killed.
 * The environment variable RNN_RANKS_PER_NODE takes every so many ranks of a host for a node. The only errors
 * are lack of memory, on all ranks alike. Ended by node_finish, also after a failure, which every rank calls.
 * `comm` is kept by reference. */
int node_init(struct node *node, const struct comm *comm, struct node_size size, char *warning,
    size_t size_of_warning, struct error *error);
void node_finish(struct node *node); /* takes zeroes */

/* Every rank of the node calls, in the same order with the same bytes. Returns the next piece of what
 * node_init reserved, the same on all of them, zeroed at the start and aligned to MEMORY_ALIGNMENT. */
void *node_take(struct node *node, size_t bytes);

/* Has huge pages put in the place of small ones where the system can (Linux 6.1 and later), each rank that
 * calls a share of them; most systems give shared memory none by themselves. What lies there stays as it is.
 * It takes milliseconds for each MiB: for what is read often and as a whole. */
void node_use_huge_pages(const struct node *node, void *memory, size_t bytes);

/* Every rank of the node calls. Memory beyond what was reserved, zeroed. Fails on all ranks of the node
 * alike; the error says what there was too little of. Ended by node_unshare, with the same bytes; it takes
 * NULL. */
void *node_share(struct node *node, size_t bytes, struct error *error);
void node_unshare(struct node *node, void *memory, size_t bytes);

/* Every rank of the node calls, and none returns before all have. Gives signs of life. */
void node_meet(struct node *node);

/* Every rank of the node calls. The sum over the ranks of the node of each word (modulo 2^64) is the result
 * on all of them; n <= NODE_WORDS. */
void node_sum_inside(struct node *node, uint64_t *words, size_t n);

/* Every rank of the node calls. Each rank's word in words [ranks of the node], on all of them. */
void node_gather_inside(struct node *node, uint64_t word, uint64_t *words);

/* Every rank of the job calls. The sum over all ranks of each word (modulo 2^64) is the result on every rank;
 * n <= NODE_WORDS. Only one rank of each node sends anything. */
void node_sum(struct node *node, uint64_t *words, size_t n);

/* Every rank of the job calls. The n bytes at `bytes`, which lie in shared memory and were written by rank
 * `root` of the job into that of its node, are those of every node then. */
void node_broadcast(struct node *node, void *bytes, size_t n, int root);

/* Every rank of the job calls. Of n words of 4 bytes in shared memory, of which no two nodes have the same
 * other than 0, each node has all then; what its ranks wrote into them before, all of them see. */
void node_unite(struct node *node, void *words, size_t n);

#endif

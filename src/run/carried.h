/* The states that the sequences of a batch go on from, where they are worked off in pieces: in the memory of
 * each node once, of every sequence, so that any rank can compute any of them, and rank 0 can save them.
 *
 * There are two sets of them: those that a step begins with, which nobody writes, and those that it leaves,
 * which take their place once the step counts. */
#ifndef RUN_CARRIED_H
#define RUN_CARRIED_H

#include "comm/node.h"
#include "data/plan.h"
#include "net/types.h"

struct carried {
    struct node *node;
    size_t numbers; /* of a sequence (net_count_states) */
    size_t room;    /* sequences */
    float *now;     /* [room][numbers] in order of the epoch; zero where a sequence has ended */
    float *next;    /* of the step at hand */
    size_t going;   /* sequences of the batch that goes on; 0: the next step begins with nothing */
};

/* What node_init has to reserve. */
size_t carried_count_bytes(size_t sequences, size_t numbers);

/* Every rank of the node calls, where it takes from the node's memory. `sequences`: of a batch; 0: nothing is
 * ever carried. */
void carried_init(struct carried *carried, struct node *node, size_t sequences, size_t numbers);

/* Every rank of the job calls, before a step is computed. */
void carried_begin(struct carried *carried, const struct plan_step *step);

/* What a pass over a leaf of the step goes on from, and where it leaves what it comes to. */
struct net_carry carried_of_leaf(
    const struct carried *carried, const struct plan_step *step, const int32_t *length, size_t leaf);

/* A sequence whose states are no finite numbers has no loss either, so that the step diverges. `scores` are
 * those of the pass. */
void carried_judge(const struct carried *carried, const struct net_carry *carry, struct net_score *scores);

/* Every rank of the job calls, once the step counts. Where it was skipped, as it diverged, a sequence with a
 * state that is no finite number goes on from states of 0, and all others from what they came to. */
void carried_end(struct carried *carried, const struct plan_step *step, int skipped);

/* Every rank of the job calls. Takes what rank 0 has of a checkpoint: states [going][numbers]. */
void carried_restore(struct carried *carried, const float *states, size_t going);

#endif

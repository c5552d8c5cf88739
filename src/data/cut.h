/* How the leaves of a step, known by their cost, are cut into the ranges of ranks and nodes: what plan_cut
 * and plan_deal do (data/plan.h). Pure arithmetic, on which no bit of a result depends. */
#ifndef DATA_CUT_H
#define DATA_CUT_H

#include <stddef.h>
#include <stdint.h>

/* A place where the leaves may be cut between two nodes, and the best way to cut those before it. */
struct cut {
    size_t leaf;     /* the first behind the cut */
    size_t farthest; /* the last place where the next cut may lie */
    int64_t before;  /* cost of the leaves before it */
    int64_t dearest; /* cost of a rank's share on the dearest node before it, on average */
    size_t split;    /* nodes of the tree that cuts up to this one split; CUT_IMPOSSIBLE */
    size_t from;     /* the candidate for the cut before it */
};

#define CUT_IMPOSSIBLE ((size_t)-1)

/* Returns how many candidates a step has room for: enough where nodes have a few ranks each. Where there is
 * too little room nodes are cut apart as ranks are. */
size_t cut_count_candidates(size_t leaves);

/* Does what plan_cut does. */
void cut_evenly(const int64_t *cost, size_t leaves, size_t ranks, size_t *ranges);

/* Cuts leaves, at least as many as there are places on the nodes. ranges [places + 1] is as of plan_deal;
 * cuts [cut_count_candidates(leaves)] is scratch. */
void cut_for_nodes(const int64_t *cost, size_t leaves, size_t nodes, const int *first_place, struct cut *cuts,
    size_t *ranges);

/* Does what plan_count_split does. */
size_t cut_count_split(size_t leaves, size_t nodes, const int *first_place, const size_t *ranges);

#endif

/* How the steps of a run fall on nodes and ranks, before there are any: what plan_deal gives each of them. */
#ifndef PLAN_DEALING_H
#define PLAN_DEALING_H

#include "data/plan.h"

/* Ranks of a run, and how many of them share a node. */
struct planned_ranks {
    size_t all, node;
};

struct dealing {
    struct planned_ranks ranks; /* of a node no more than one has (comm/node.h) */
    size_t nodes;
    size_t employed; /* members of a team that have something to do, at most (net_count_employed) */
    size_t *members; /* [leaves] of the step at hand: how many ranks compute each */
    size_t teams;    /* of the step at hand: of several ranks that a node has, at most */

    /* Of all steps so far. */
    size_t vectors;      /* sums of gradients that a rank holds at once, at most */
    size_t parts;        /* of the step with the most: sums of nodes that are added up across nodes */
    int64_t team_steps;  /* steps that have such teams of several ranks */
    size_t least, most;  /* members of these teams */
    size_t fewest, idle; /* leaves of a step, at least; ranks that then have nothing to do */
    double balance;      /* sum over steps of: work of the average rank / of the busiest */

    int *first_place, *leader; /* [nodes + 1], [ranks] scratch, as are */
    size_t *ranges;            /* [ranks + 1] */
};

/* `leaves` is how many the largest step has. However many ranks there are, no more memory or time is taken
 * than for a node with its ranks for each of the leaves. The only error is lack of memory. Ended by
 * dealing_finish, also after a failure. */
int dealing_init(struct dealing *dealing, const struct planned_ranks *ranks, size_t leaves, size_t employed,
    struct error *error);
void dealing_finish(struct dealing *dealing); /* takes zeroes */

/* Deals the next step. */
void dealing_add(struct dealing *dealing, const struct plan_step *step);

#endif

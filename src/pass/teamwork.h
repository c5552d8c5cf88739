/* Where a step has fewer microbatches than there are ranks, neighbours compute one together (net/types.h).
 * Teams are formed anew for each such step, by all ranks of a node, and the workspace of each lies in the
 * node's memory. */
#ifndef PASS_TEAMWORK_H
#define PASS_TEAMWORK_H

#include "comm/node.h"
#include "net/net.h"
#include "pass/feed.h"

#include <signal.h>

struct teamwork {
    struct node *node;
    struct net *net;
    const volatile sig_atomic_t *stop; /* where it is not 0 this rank leaves its team: pass->unwanted */
    struct net_team team;     /* of this rank in the step at hand; of one member: it computes alone */
    struct meeting *meetings; /* [ranks of the node] the team of a rank has those of its members */
    struct meeting *meeting;  /* the first of this rank's team */
    char *memory;             /* [size] workspaces of the node's teams */
    size_t size;
    size_t bytes; /* of a team's in the step at hand */
};

/* Returns what node_init has to reserve for each rank. */
size_t teamwork_bytes_of_rank(void);

/* Every rank of the node calls, where it takes from the node's memory. Node and net are kept by reference.
 * Ended by teamwork_finish, which takes zeroes, before the node is. */
void teamwork_init(struct teamwork *work, struct node *node, struct net *net);
void teamwork_finish(struct teamwork *work);

/* Takes the next microbatch of this rank's team from the feed, if it `has_leaf` in the step at hand that is
 * not computed yet, and forms teams where the step has some: there every rank of the node calls exactly once
 * a step, whatever it has, also where *error tells that it has failed before. `pass` is what the microbatch
 * is for, without a team; once *pass->unwanted is not 0 this rank leaves its team, all of which then gives
 * up. Seconds of waiting are added to *wait. Returns NULL where there is nothing to compute: this rank has
 * none, or was asked to stop, or it or a rank of its node has failed. */
const struct microbatch *teamwork_take(struct teamwork *work, const struct feed *feed,
    const struct net_pass *pass, int has_leaf, double *wait, struct error *error);

/* Returns the team of a pass over that microbatch; NULL: this rank computes it alone. */
struct net_team *teamwork_team(struct teamwork *work);

/* Does this rank have the outputs and scores of that pass? */
int teamwork_leads(const struct teamwork *work);

/* Every member of a team calls. Returns 0 when all have come, -1 where one has left. */
int teamwork_meet(struct teamwork *work);

/* Tells the other members that this one does not come any more. */
void teamwork_leave(struct teamwork *work);

#endif

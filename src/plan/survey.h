/* A survey goes through the plan of an epoch before a run does, and finds how evenly its cost falls on ranks,
 * and what the largest microbatch, the largest range of leaves and the teams need. */
#ifndef PLAN_SURVEY_H
#define PLAN_SURVEY_H

#include "config/config.h"
#include "data/dataset.h"
#include "plan/dealing.h"

/* A microbatch with fewer frames spends more time adding its gradient than computing it. */
enum { SURVEY_SMALL_MICROBATCH = 256 };

struct survey {
    struct planned_ranks ranks; /* of a node no more than one has (comm/node.h) */
    size_t nodes;
    int64_t steps, microbatches, small_microbatches;
    int64_t frames, times; /* of all microbatches: frames, and steps in time */
    size_t leaves;         /* of the largest step */
    size_t vectors, parts; /* see struct dealing */
    size_t packed;         /* bytes of one packed microbatch that has held all there are */
    size_t activations;    /* bytes of the workspace of a net that all have gone through that a rank computes
                              alone */
    double repeated;       /* operations of what is made again where train.activation_memory asks for it */
    size_t teams;          /* of several ranks that a node has in a step, at most */
    size_t team_activations; /* bytes of the workspaces of all teams of a node, likewise */
    int64_t team_steps;      /* steps with teams of several ranks, and how many these have */
    size_t least, most;
    size_t fewest, idle; /* leaves of a step at least; ranks that then have nothing to do */
    double balance;      /* mean over steps of: work of the average rank / of the busiest */
};

/* Surveys the first epoch of training, or with training = 0 a pass over a validation set. The model is bound
 * to the dataset, whose values are not read. Fails where there is no memory. One rank may call this alone. */
int survey_make(const struct config *config, struct net *net, const struct dataset *dataset, int training,
    const struct planned_ranks *ranks, struct survey *survey, struct error *error);

#endif

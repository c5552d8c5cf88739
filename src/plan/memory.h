/* What a run takes of memory, and whether there is as much. */
#ifndef PLAN_MEMORY_H
#define PLAN_MEMORY_H

#include "config/config.h"
#include "data/dataset.h"
#include "net/net.h"
#include "plan/survey.h"

/* What is planned. The sets are open as the run opens them, but that none is kept; the net is described. */
struct planned {
    const struct config *config;
    struct dataset *train, *valid; /* valid: NULL where there is none */
    struct net *net;
    struct survey survey, checked; /* of both */
    struct planned_ranks ranks;
};

/* Does the run keep a set of the plan decoded? */
int planned_keeps(const struct planned *planned, const struct dataset *dataset);

/* Prints item by item what a node keeps once and what each of its ranks keeps, and what this machine has of
 * memory, and of that which ranks share. What the process takes by itself is measured: it is that of the run
 * where this one was started like the run. */
void memory_print(const struct planned *planned);

#endif

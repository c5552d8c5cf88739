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
    double *factor;                /* [tensors] of their rates (pass/tuning.h) */
    unsigned char *head;           /* [tensors] which begin afresh (net_find_head); NULL without --new-head */
    struct survey survey, checked; /* of both */
    struct planned_ranks ranks;
};

/* Does the run keep a set of the plan decoded? */
int planned_keeps(const struct planned *planned, const struct dataset *dataset);

/* What a run takes of memory, in bytes. */
struct memory_need {
    double rank, most; /* each rank in its steps; rank 0 at most, while it validates or saves */
    double node;       /* a node with all its ranks, at most */
};

/* Returns the sums of what memory_print prints, under the same conditions. */
struct memory_need memory_count(const struct planned *planned);

/* Writes bytes for people, "85.1 MiB". Returns the text. */
enum { MEMORY_WRITTEN = 40 };
const char *memory_write(double bytes, char text[static MEMORY_WRITTEN]);

/* Prints item by item what a node keeps once and what each of its ranks keeps, and what this machine has of
 * memory, and of that which ranks share. What the process takes by itself is measured: it is that of the run
 * where this one was started like the run. */
void memory_print(const struct planned *planned);

#endif

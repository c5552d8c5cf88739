/* What values of train.activation_memory would come to. */
#ifndef PLAN_BUDGETS_H
#define PLAN_BUDGETS_H

#include "plan/memory.h"

/* Prints a short table: what the largest microbatch takes of memory at each value, and about how much longer
 * training takes. Fails where there is no memory. */
int budgets_print(const struct planned *planned, struct error *error);

#endif

/* How long a step would take on a machine of which a few constants are known. */
#ifndef PLAN_PREDICTION_H
#define PLAN_PREDICTION_H

#include "config/constants.h"
#include "plan/memory.h"

/* Prints the time of a step, part by part, and how much faster all ranks are than one. docs/performance.md
 * has the formulas. `path` is where the constants are from. */
void prediction_print(const struct planned *planned, const struct constants *constants, const char *path);

#endif

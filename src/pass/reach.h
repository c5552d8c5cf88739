/* Whether a run is long enough for what its schedule is to do. */
#ifndef PASS_REACH_H
#define PASS_REACH_H

#include "config/config.h"

/* Returns 1 where the warmup is longer than the run of so many steps, or the rate is never lowered by a
 * schedule that lowers it; `text` [size] says so then, and what to change. */
int reach_describe(const struct config *config, int64_t steps, char *text, size_t size);

#endif

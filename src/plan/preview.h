/* What a run would do, without doing it: rnn-train --plan and --check. Rank 0's business, not collective. */
#ifndef PLAN_PREVIEW_H
#define PLAN_PREVIEW_H

#include "base/error.h"
#include "config/config.h"

/* Prints data, network, steps, balance, and memory item by item of a run on `ranks` ranks. */
int preview_plan(const struct config *config, size_t ranks, int verbose, struct error *error);

/* Reads all data and reports every fault to `faults`, then what configuration and data are together; prints a
 * line for each set without a fault. Returns an exit code. */
int preview_check(const struct config *config, struct faults *faults);

#endif

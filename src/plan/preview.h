/* What a run would do, without doing it: rnn-train --plan and --check, and of --try the memory. Rank 0 calls
 * these functions alone. */
#ifndef PLAN_PREVIEW_H
#define PLAN_PREVIEW_H

#include "base/error.h"
#include "config/config.h"
#include "plan/memory.h"
#include "run/options.h"

/* Gives the keys that the user left open the values of the run in the directory, as it would have them where
 * it goes on. Nothing changes where there is no run, or no checkpoint, without which it begins anew. */
void preview_take_run(const char *directory, struct config *config);

/* Prints data, network, steps, balance, and memory item by item of a run; with -v every parameter too; with
 * --machine the time of a step. Fails where a set cannot be opened or does not fit the network, and where the
 * checkpoint of --init does not. */
int preview_plan(const struct config *config, const struct planned_ranks *ranks,
    const struct train_options *options, struct error *error);

/* Counts what the run takes of memory, as preview_plan prints it. Fails as that does. */
int preview_memory(const struct config *config, const struct planned_ranks *ranks, struct memory_need *need,
    struct error *error);

/* Reads all data and reports every fault of it to `faults`, then where configuration and data do not go
 * together, and where the names in the data are not those of the checkpoint that the run would go on from, or
 * that --init names; prints a line for each set without a fault. `directory` is the run's. Nothing in it is
 * changed. Returns an exit code. */
int preview_check(const struct config *config, const struct train_options *options, const char *directory,
    struct faults *faults);

#endif

/* How a run goes back to a checkpoint after a divergence. It takes the last one that was due by itself: one
 * written because the run was stopped may be newer, but a run that was not stopped would not have it, and
 * both are to end with the same bits. Nor does it take one that was due by the minute, which depends on the
 * clock. How often the run went back, what its rate has come to, and which step best.h5 is of, are not taken
 * from the checkpoint, which has them as they were before. A run that is killed before its next checkpoint
 * diverges and goes back again, as it did.
 *
 * What goes wrong before the first update from there goes wrong again whatever the rate. Once that is tried,
 * as it may have been a fault of the machine, and not five times. */
#include "base/log.h"
#include "run/run.h"

#include <inttypes.h>
#include <string.h>

/* Rank 0 calls. Loads the checkpoint that the run goes back to. */
static int load(struct run *run, struct checkpoint *checkpoint, struct error *error)
{
    int found = rundir_load_step(&run->records.own, run->progress.anchor, checkpoint, error);
    if (found == 0)
        error_set(error, EXIT_CODE_DATA, "%s: there is no checkpoint of step %" PRId64, run->directory,
            run->progress.anchor);
    return found == 1 ? 0 : -1;
}

static int restore(struct run *run, struct error *error)
{
    struct checkpoint checkpoint;
    struct optim_state *state = &run->learner.state;
    const struct progress before = run->progress;
    double reduction = state->reduction * run->config->train.back_factor;
    *error = (struct error){0};
    checkpoint_init(&checkpoint);
    if (run->comm->rank == 0)
        load(run, &checkpoint, error);
    int failed = comm_agree(run->comm, error) || run_restore(run, &checkpoint, error);
    checkpoint_finish(&checkpoint);
    run->progress.backs = before.backs + 1;
    run->progress.best = before.best;
    run->progress.best_step = before.best_step;
    run->progress.best_epoch = before.best_epoch;
    state->reduction = reduction;
    run->saved = 0;
    return failed ? -1 : 0;
}

static int start_again(struct run *run, struct error *error)
{
    feed_finish(&run->feed);
    if (records_go_back(&run->records, &run->progress, error) == 0)
        run_start_feed(run, error);
    return comm_agree(run->comm, error);
}

int run_go_back(struct run *run, struct error *why)
{
    struct error error;
    size_t cause = strcspn(why->text, ";");
    if (why->code != EXIT_CODE_DIVERGED || run->config->train.on_divergence != DIVERGENCE_BACK)
        return -1;
    if (run->progress.backs >= RUN_MOST_BACKS)
        return error_prefix(why, "after going back %d times: ", RUN_MOST_BACKS);
    if (run->went_back && run->learner.state.step == run->updates_back)
        return error_prefix(why,
            "after going back to step %" PRId64 ", from where it came to the same with the same weights: ",
            run->progress.anchor);
    if (restore(run, &error)) {
        error_prefix(why, "%.400s: the run cannot go back: ", error.text);
        return -1;
    }
    run->went_back = 1;
    run->updates_back = run->learner.state.step;
    if (run->comm->rank == 0)
        log_line(LOG_WARNING,
            "%.*s: going back to step %" PRId64 ", with rates times %g from there on (the %" PRId64
            ". time of at most %d)",
            (int)cause, why->text, run->progress.step, run->learner.state.reduction, run->progress.backs,
            RUN_MOST_BACKS);
    if (start_again(run, &error) == 0)
        return 0;
    *why = error;
    return -1;
}

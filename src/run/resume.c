/* From which checkpoint a run starts, and how it comes back from one. Rank 0 alone looks into the run
 * directory; what it finds goes to the others by broadcast. */
#include "base/log.h"
#include "base/memory.h"
#include "ckpt/directory.h"
#include "ckpt/status.h"
#include "run/from_weights.h"
#include "run/run.h"
#include "run/same_data.h"

#include <inttypes.h>
#include <string.h>

static void log_difference(void *context, const char *text)
{
    log_line(LOG_ERROR, "%s", text);
}

static int check_configuration(
    const struct run *run, const struct checkpoint *checkpoint, struct error *error)
{
    struct faults faults;
    faults_init(&faults, 20, log_difference, NULL);
    size_t differences = config_compare(run->config, checkpoint->config, &faults);
    if (differences == 0)
        return 0;
    return error_set(error, EXIT_CODE_DATA,
        "%s: this run was begun with another configuration (%zu keys differ): undo the change, or give "
        "--fresh to start over, or -o DIR --init CHECKPOINT to start another run from these weights",
        run->directory, differences);
}

/* A run that is over adds no gradients any more. */
static int check_plan(const struct run *run, const struct checkpoint *checkpoint, struct error *error)
{
    const struct progress *progress = &checkpoint->progress;
    char path[DIRECTORY_PATH];
    if (progress->plan_version == PLAN_VERSION || progress_is_over(progress, run->config))
        return 0;
    directory_step_path(run->directory, progress->step, path, sizeof path);
    return error_set(error, EXIT_CODE_DATA,
        "%s: steps are cut into microbatches otherwise since 0.3.0 (plan_version %d) than when this run was "
        "begun (%" PRId64 "), so that it cannot go on to the same bits: give -o DIR --init %s to start "
        "another run from these weights, or --fresh to start over",
        path, PLAN_VERSION, progress->plan_version, path);
}

static int check_epochs(const struct run *run, const struct checkpoint *checkpoint, struct error *error)
{
    const struct progress *progress = &checkpoint->progress;
    int64_t begun = checkpoint_epoch(progress);
    if (run->config->train.epochs >= begun)
        return 0;
    return error_set(error, EXIT_CODE_DATA,
        "%s: train.epochs = %" PRId64 ", but this run is in epoch %" PRId64 " already: give %" PRId64
        " or more, or --fresh to start over",
        run->directory, run->config->train.epochs, begun, begun);
}

static void log_inherited(void *context, const char *text)
{
    log_line(LOG_INFO, "%s: %s", (const char *)context, text);
}

/* Rank 0 calls. What the user left open is as the run has it, and what he changed is told by its name before
 * anything is made of it. */
static int take_configuration(struct run *run, const struct checkpoint *checkpoint, struct error *error)
{
    struct faults faults;
    faults_init(&faults, 0, NULL, (void *)run->directory);
    faults.warn = log_inherited;
    config_inherit(run->config, checkpoint->config, &faults);
    return check_plan(run, checkpoint, error) || check_configuration(run, checkpoint, error);
}

/* Rank 0 calls, once all values are known. */
static int check_keys(const struct run *run, struct error *error)
{
    struct faults faults;
    faults_init(&faults, 20, log_difference, NULL);
    if (config_check(run->config, &faults) == 0)
        return 0;
    return error_set(error, EXIT_CODE_DATA,
        "%s: keys of the configuration contradict each other, as said above", run->directory);
}

/* Rank 0 calls. */
static int check_continuation(struct run *run, const struct checkpoint *checkpoint, struct error *error)
{
    return same_data_shapes(
               &run->sets, run->directory, checkpoint, run->options->accept_changed_data, error) ||
            check_epochs(run, checkpoint, error) ||
            checkpoint_fits(checkpoint, run->directory, run->learner.net, error)
        ? -1
        : 0;
}

/* The checkpoint of the best step is what best.h5 holds: where that is missing it is written now, as where a
 * run was killed between the two. If that checkpoint is gone too, the run will have a best.h5 only once it
 * gets better, which nobody would expect. */
static int restore_best(struct own *own, const struct checkpoint *checkpoint, struct error *error)
{
    const struct progress *progress = &checkpoint->progress;
    struct checkpoint best;
    struct error why = {0};
    if (progress->best_step == 0 || rundir_has_best(own->directory))
        return 0;
    if (progress->best_step == progress->step)
        return rundir_save_best(own, checkpoint, error);
    checkpoint_init(&best);
    int found = rundir_load_step(own, progress->best_step, &best, &why) == 1;
    int failed = found && rundir_save_best(own, &best, error);
    if (!found)
        log_line(LOG_WARNING,
            "%s/best.h5: is missing, and there is no sound checkpoint of step %" PRId64
            " to make it of: put it back, or there will be none before the run gets better than %.6g",
            own->directory, progress->best_step, progress->best);
    checkpoint_finish(&best);
    return failed ? -1 : 0;
}

/* Where no checkpoint is left of a run that had some, starting over would remove what else is left of it. */
static int check_nothing_is_lost(const struct run *run, struct error *error)
{
    const char *directory = run->directory;
    struct run_status status = {.step = 0};
    if (rundir_has_best(directory))
        return error_set(error, EXIT_CODE_DATA,
            "%s: holds best.h5, but no checkpoint to go on from: give --fresh to start over without it, or "
            "-o DIR --init %s/best.h5 to start another run from its weights",
            directory, directory);
    if (status_read(directory, &status, NULL) != 1 || status.step == 0 ||
        (strcmp(status.state, "finished") != 0 && strcmp(status.state, "stopped") != 0))
        return 0;
    return error_set(error, EXIT_CODE_DATA,
        "%s: its run %s at step %" PRId64 ", but there is no checkpoint to go on from: put it back, or give "
        "--fresh to start over",
        directory, status.state, status.step);
}

/* Rank 0 calls. Looks for the run's own checkpoint. */
static int find(struct run *run, struct checkpoint *checkpoint, enum start *start, struct error *error)
{
    struct own *own = &run->records.own;
    int found = 0;
    if (run->options->fresh && rundir_refuse_newer(own->directory, error))
        return -1;
    if (!run->options->fresh)
        found = rundir_load_newest(own, checkpoint, error);
    if (!run->options->fresh && found == 0 && check_nothing_is_lost(run, error))
        return -1;
    if (found == 0 || (found > 0 && !*own->run))
        own_begin_run(own);
    *start = found ? START_CONTINUED : run->options->init ? START_FROM_WEIGHTS : START_NEW;
    if (found < 0 || (found > 0 && take_configuration(run, checkpoint, error)))
        return -1;
    return check_keys(run, error);
}

/* All ranks call. Rank 0 has taken what its checkpoint has of the configuration; here the others do. */
static int share_configuration(struct run *run, const struct checkpoint *checkpoint, struct error *error)
{
    int64_t size = run->comm->rank == 0 ? (int64_t)strlen(checkpoint->config) + 1 : 0;
    comm_broadcast(run->comm, &size, sizeof size, 0);
    char *text = memory_create((size_t)size, 1, error);
    if (comm_agree(run->comm, error)) {
        memory_destroy(text);
        return -1;
    }
    if (run->comm->rank == 0)
        memcpy(text, checkpoint->config, (size_t)size);
    comm_broadcast(run->comm, text, (size_t)size, 0);
    config_inherit(run->config, text, NULL);
    memory_destroy(text);
    comm_set_limit(run->comm, run->config->train.watchdog);
    return 0;
}

int run_find_checkpoint(
    struct run *run, struct checkpoint *checkpoint, enum start *start, struct error *error)
{
    if (run->comm->rank == 0)
        find(run, checkpoint, start, error);
    if (comm_agree(run->comm, error))
        return -1;
    comm_broadcast(run->comm, start, sizeof *start, 0);
    return *start == START_CONTINUED ? share_configuration(run, checkpoint, error) : 0;
}

/* Rank 0 calls. */
static int check(struct run *run, struct checkpoint *checkpoint, enum start start, const unsigned char *head,
    struct error *error)
{
    if (start == START_CONTINUED && check_continuation(run, checkpoint, error))
        return -1;
    if (start == START_CONTINUED)
        return run->options->trial ? 0 : restore_best(&run->records.own, checkpoint, error);
    if (start == START_NEW)
        return 0;
    if (from_weights_read(run->options, run->learner.net, head, checkpoint, error))
        return -1;
    const struct named_set set = {run->sets.train->name, &run->sets.names};
    from_weights_warn_names(run->options, &set, checkpoint);
    return 0;
}

int run_check_checkpoint(struct run *run, struct checkpoint *checkpoint, enum start start,
    const unsigned char *head, struct error *error)
{
    if (run->comm->rank == 0)
        check(run, checkpoint, start, head, error);
    return comm_agree(run->comm, error);
}

/* Rank 0 calls. There is room for the states of a batch, and they are states of this network. */
static int check_states(const struct run *run, const struct checkpoint *checkpoint, struct error *error)
{
    const struct carried *carried = &run->learner.carried;
    if (checkpoint->going == 0 ||
        (checkpoint->going <= carried->room && checkpoint->numbers == carried->numbers))
        return 0;
    return error_set(error, EXIT_CODE_DATA,
        "%s: the checkpoint of step %" PRId64 " has %zu states of %zu sequences, a batch of this run %zu of "
        "%zu at most: the file is damaged: remove "
        "it, and the run goes on from an older one",
        run->directory, checkpoint->progress.step, checkpoint->numbers, checkpoint->going, carried->numbers,
        carried->room);
}

int run_restore(struct run *run, const struct checkpoint *checkpoint, struct error *error)
{
    *error = (struct error){0};
    if (run->comm->rank == 0 && check_states(run, checkpoint, error) == 0 &&
        records_take_ends(&run->records, &checkpoint->ends, error) == 0)
        records_take_flow(&run->records, &checkpoint->flow, error);
    if (comm_agree(run->comm, error) || learner_restore(&run->learner, checkpoint, error))
        return -1;
    if (run->comm->rank == 0)
        run->progress = checkpoint->progress;
    comm_broadcast(run->comm, &run->progress, sizeof run->progress, 0);
    return 0;
}

/* From a run to a checkpoint and back. Moments are spread over the ranks while training; a checkpoint has
 * them whole, so it does not depend on how many ranks there were. */
#include "base/clock.h"
#include "base/hash.h"
#include "base/memory.h"
#include "run/run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* All. Whole moments on rank 0, NULL elsewhere. */
static int collect_moments(struct run *run, float *moments[OPTIM_MOST_MOMENTS], struct error *error)
{
    size_t count = optim_count_moments(run->optim.optimizer);
    for (size_t m = 0; m < count && run->comm->rank == 0; m++)
        moments[m] = memory_create(reduce_room(run->P), sizeof *moments[m], error);
    if (comm_agree(run->comm, error))
        return -1;
    for (size_t m = 0; m < count; m++)
        reduce_collect(run->reduce, run->moments[m], moments[m]);
    return 0;
}

static void fill_provenance(const struct run *run, struct provenance *provenance, char libraries[static 256],
    char time_text[static 64])
{
    char mpi[96], hdf5[64];
    comm_version(mpi, sizeof mpi);
    h5_version(hdf5, sizeof hdf5);
    snprintf(libraries, 256, "%s, %s, %s", mpi, hdf5, RNN_COMPILER);
    time_t now = (time_t)clock_calendar();
    struct tm utc;
    strftime(time_text, 64, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &utc));
    char *job = getenv("SLURM_JOB_ID");
    *provenance = (struct provenance){.version = (char *)RNN_VERSION,
        .command = (char *)run->command,
        .hosts = run->hosts,
        .libraries = libraries,
        .job = job ? job : (char *)"",
        .time = time_text,
        .ranks = run->comm->ranks};
}

/* A view of the run as a checkpoint: it owns nothing. `config` and moments are the caller's. */
static struct checkpoint view_run(struct run *run, char *config, float *const moments[OPTIM_MOST_MOMENTS])
{
    struct checkpoint view;
    checkpoint_init(&view);
    view.config = config;
    view.weights_hash = run->weights_hash;
    view.model = *net_get_config(run->net);
    view.parameter = (struct parameter *)net_get_parameters(run->net, &view.parameters);
    view.count = run->P;
    view.weights = run->weights;
    view.optimizer = run->optim.optimizer;
    view.optim = run->state;
    memcpy(view.moments, moments, sizeof view.moments);
    view.progress = run->progress;
    view.fingerprint = run->fingerprint;
    view.features = run->mean ? run->train->features : 0;
    view.mean = run->mean;
    view.deviation = run->deviation;
    view.classes = run->train->classes;
    return view;
}

/* Rank 0. metrics.csv is made durable first: the checkpoint says how much of it counts. */
static int write_checkpoint(
    struct run *run, int newest, int best, float *const moments[OPTIM_MOST_MOMENTS], struct error *error)
{
    char libraries[256], time_text[64];
    char *config = config_write(run->config, 0, error);
    int failed = !config || metrics_sync(run->metrics, &run->progress.metrics_rows, error);
    if (!failed) {
        struct checkpoint view = view_run(run, config, moments);
        fill_provenance(run, &view.provenance, libraries, time_text);
        failed = best && rundir_save_best(run->directory, &view, error);
        comm_show_life(run->comm);
        run_keep_lock(run);
        failed =
            failed || (newest && rundir_save(run->directory, &view, run->config->checkpoint.keep, error));
    }
    memory_destroy(config);
    run->last_save = clock_now();
    return failed ? -1 : 0;
}

int run_save(struct run *run, int newest, int best, int due, struct error *error)
{
    double start = clock_now();
    *error = (struct error){0};
    if (run_agree_weights(run, error))
        return -1;
    if (newest && (due || run->config->train.on_divergence != DIVERGENCE_BACK))
        run->progress.anchor = run->progress.step;
    float *moments[OPTIM_MOST_MOMENTS] = {NULL};
    int failed = collect_moments(run, moments, error);
    if (!failed && run->comm->rank == 0)
        write_checkpoint(run, newest, best, moments, error);
    for (size_t m = 0; m < OPTIM_MOST_MOMENTS; m++)
        memory_destroy(moments[m]);
    if (failed || comm_agree(run->comm, error))
        return -1;
    double took = clock_now() - start;
    run->deadline.save = took > run->deadline.save ? took : run->deadline.save;
    return 0;
}

/* All. Weights and moments from flat vectors on rank 0, which may be shorter than whole blocks. */
static int spread_vectors(struct run *run, const struct checkpoint *checkpoint, struct error *error)
{
    const struct comm *comm = run->comm;
    if (comm->rank == 0)
        memcpy(run->weights, checkpoint->weights, run->P * sizeof *run->weights);
    comm_broadcast(comm, run->weights, run->P * sizeof *run->weights, 0);
    float *whole = comm->rank == 0 ? memory_create(reduce_room(run->P), sizeof *whole, error) : NULL;
    if (comm_agree(comm, error))
        return -1;
    for (size_t m = 0; m < optim_count_moments(run->optim.optimizer); m++) {
        if (comm->rank == 0)
            memcpy(whole, checkpoint->moments[m], run->P * sizeof *whole);
        reduce_spread(run->reduce, whole, run->moments[m]);
    }
    memory_destroy(whole);
    return 0;
}

int run_restore(struct run *run, const struct checkpoint *checkpoint, struct error *error)
{
    *error = (struct error){0};
    if (spread_vectors(run, checkpoint, error))
        return -1;
    if (run->comm->rank == 0) {
        run->state = checkpoint->optim;
        run->progress = checkpoint->progress;
    }
    comm_broadcast(run->comm, &run->state, sizeof run->state, 0);
    comm_broadcast(run->comm, &run->progress, sizeof run->progress, 0);
    return 0;
}

/* This file makes a checkpoint of a run, and has it written. */
#include "base/clock.h"
#include "base/memory.h"
#include "comm/launcher.h"
#include "h5/h5.h"
#include "run/run.h"

#include <stdio.h>
#include <string.h>

/* The texts of a checkpoint's provenance that are made for it. */
struct provenance_texts {
    char libraries[256], time[64];
};

static struct provenance describe_provenance(const struct run *run, struct provenance_texts *texts)
{
    char mpi[96], hdf5[64];
    comm_version(mpi, sizeof mpi);
    h5_version(hdf5, sizeof hdf5);
    snprintf(texts->libraries, sizeof texts->libraries, "%s, %s, %s", mpi, hdf5, RNN_COMPILER);
    clock_write_calendar(texts->time, sizeof texts->time);
    return (struct provenance){.version = (char *)RNN_VERSION,
        .command = (char *)run->command,
        .hosts = run->records.hosts,
        .libraries = texts->libraries,
        .job = (char *)launcher_get()->job,
        .time = texts->time,
        .run = (char *)run->records.own.run,
        .files = {run->sets.record[DATA_TRAIN].files, run->sets.record[DATA_VALID].files},
        .ranks = run->comm->ranks};
}

/* A view of the run as a checkpoint: it owns nothing. `config` and moments are the caller's. */
static struct checkpoint view_run(
    const struct run *run, char *config, float *const moments[OPTIM_MOST_MOMENTS])
{
    const struct learner *learner = &run->learner;
    const struct sets *sets = &run->sets;
    struct checkpoint view;
    checkpoint_init(&view);
    view.config = config;
    view.weights_hash = learner_hash_weights(learner);
    view.model = *net_get_config(learner->net);
    view.parameter = (struct parameter *)net_get_parameters(learner->net, &view.parameters);
    view.count = learner->P;
    view.weights = learner->weights;
    view.optimizer = learner->optim.optimizer;
    view.optim = learner->state;
    memcpy(view.moments, moments, sizeof view.moments);
    view.progress = run->progress;
    view.going = learner->carried.going;
    view.numbers = view.going ? learner->carried.numbers : 0;
    view.states = learner->carried.now;
    view.ends = run->records.ends;
    for (int i = 0; i < DATA_SETS; i++)
        view.data[i] = sets->record[i].print;
    view.features = sets->features;
    view.mean = sets->mean;
    view.deviation = sets->deviation;
    view.classes = sets->train->classes;
    view.names = sets->names;
    view.flow = run->records.flow;
    return view;
}

static int write_newest(struct run *run, const struct checkpoint *view, struct error *error)
{
    return rundir_save(&run->records.own, view, run->config->checkpoint.keep, error);
}

/* Rank 0 calls. best.h5 comes first: a run that goes on from the newest checkpoint counts on the best one to
 * be there. But a best.h5 without any checkpoint would look like what is left of a run, which nobody may
 * begin anew: the first one has a checkpoint beside it, written before it, from which a resume makes it. */
static int write_files(
    struct run *run, const struct checkpoint *view, int newest, int best, struct error *error)
{
    int first = best && !run->records.own.has_checkpoint;
    int failed = first && write_newest(run, view, error);
    if (!failed && best)
        failed = rundir_save_best(&run->records.own, view, error);
    comm_show_life(run->comm);
    records_keep_lock(&run->records, run->progress.step);
    if (!failed && newest && !first)
        failed = write_newest(run, view, error);
    return failed;
}

/* Rank 0 calls. metrics.csv is made durable first: the checkpoint says how much of it counts. */
static int write_checkpoint(
    struct run *run, int newest, int best, float *const moments[OPTIM_MOST_MOMENTS], struct error *error)
{
    struct provenance_texts texts = {0};
    char *config = config_write(run->config, 0, error);
    int failed = !config || records_sync(&run->records, &run->progress, error);
    if (!failed) {
        struct checkpoint view = view_run(run, config, moments);
        view.provenance = describe_provenance(run, &texts);
        failed = write_files(run, &view, newest, best, error);
    }
    memory_destroy(config);
    return failed ? -1 : 0;
}

size_t run_count_saving(const struct net *net, enum optimizer optimizer, size_t carried)
{
    size_t room = reduce_room(net_count_parameters(net)) * sizeof(float);
    return checkpoint_estimate_memory(net, optimizer) + optim_count_moments(optimizer) * room + carried;
}

/* What HDF5 takes for itself stays, and small amounts are not worth pages that come into memory anew. */
size_t run_count_lent(size_t saving)
{
    enum { BESIDE = 4 << 20 };
    return saving > BESIDE ? saving - BESIDE : 0;
}

/* Rank 0 calls. */
static void make_room(const struct run *run)
{
    const struct learner *learner = &run->learner;
    size_t carried = carried_count_bytes(learner->carried.going, learner->carried.numbers);
    size_t saving = run_count_saving(learner->net, learner->optim.optimizer, carried);
    net_give_back(learner->net, run_count_lent(saving));
}

int run_save(struct run *run, int newest, int best, int due, struct error *error)
{
    double start = clock_now();
    struct progress *progress = &run->progress;
    *error = (struct error){0};
    if (sets_agree_unchanged(&run->sets, error) ||
        learner_agree_weights(&run->learner, progress->step, error))
        return -1;
    if (newest && (due || run->config->train.on_divergence != DIVERGENCE_BACK))
        progress->anchor = progress->step;
    if (run->comm->rank == 0)
        make_room(run);
    float *moments[OPTIM_MOST_MOMENTS];
    int failed = learner_collect_moments(&run->learner, moments, error);
    if (!failed && run->comm->rank == 0)
        write_checkpoint(run, newest, best, moments, error);
    for (size_t m = 0; m < OPTIM_MOST_MOMENTS; m++)
        memory_destroy(moments[m]);
    if (failed || comm_agree(run->comm, error))
        return -1;
    limits_note_save(&run->limits, start);
    run->saved = run->saved || newest;
    return 0;
}

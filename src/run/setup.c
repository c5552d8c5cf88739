/* How a run begins: data, network, and either starting weights or the newest checkpoint. Rank 0 alone looks
 * into the run directory; what it finds goes to the others by broadcast. */
#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/memory.h"
#include "pass/idle.h"
#include "pass/model.h"
#include "run/run.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- the run directory, rank 0 ---- */

static void say_skipped(void *context, const char *text)
{
    log_line(LOG_WARNING, "%s: going back to the one before it", text);
}

static int take_directory(struct run *run, struct error *error)
{
    char warning[512] = "";
    if (rundir_create(run->directory, error))
        return -1;
    run->lock = lock_take(run->directory, warning, sizeof warning, error);
    if (!run->lock)
        return -1;
    if (*warning)
        log_line(LOG_WARNING, "%s", warning);
    return 0;
}

static void say_difference(void *context, const char *text)
{
    log_line(LOG_ERROR, "%s", text);
}

/* Refuses to go on where the run was begun with another configuration or other data. */
static int check_continuation(struct run *run, const struct checkpoint *checkpoint, struct error *error)
{
    struct faults faults;
    faults_init(&faults, 20, say_difference, NULL);
    size_t differences = config_compare(run->config, checkpoint->config, &faults);
    if (differences)
        return error_set(error, EXIT_CODE_DATA,
            "%s: this run was begun with another configuration (%zu keys differ): undo the change, or give "
            "--fresh to "
            "start over, or -o DIR --init CHECKPOINT to start another run from these weights",
            run->directory, differences);
    if (checkpoint->fingerprint != run->fingerprint)
        return error_set(error, EXIT_CODE_DATA,
            "%s: %s is not the data this run was begun with (its shapes, offsets or targets differ): give "
            "the same data, "
            "or --fresh to start over, or -o DIR --init CHECKPOINT to start another run from these weights",
            run->directory, run->config->data.train);
    const struct progress *progress = &checkpoint->progress;
    int64_t begun = progress->position > 0 ? progress->epoch : progress->epoch - 1;
    if (run->config->train.epochs < begun)
        return error_set(error, EXIT_CODE_DATA,
            "%s: train.epochs = %" PRId64 ", but this run is in epoch %" PRId64 " already: give %" PRId64
            " or more, or --fresh to start over",
            run->directory, run->config->train.epochs, begun, begun);
    return 0;
}

/* The checkpoint to start from, if any: 1 the run's own, 2 the weights of --init, 0 none, -1 an error. */
static int find_checkpoint(struct run *run, struct checkpoint *checkpoint, struct error *error)
{
    int found =
        run->options->fresh ? 0 : rundir_load_newest(run->directory, checkpoint, say_skipped, NULL, error);
    if (found < 0)
        return -1;
    if (found) /* first what the user changed, by its name: shapes follow from it */
        return check_continuation(run, checkpoint, error) ||
                checkpoint_fits(checkpoint, run->directory, run->net, error)
            ? -1
            : 1;
    const char *init = run->options->init;
    if (!init)
        return 0;
    if (checkpoint_read(init, CHECKPOINT_ANY, checkpoint, error) ||
        checkpoint_fits(checkpoint, init, run->net, error))
        return -1;
    return 2;
}

/* ---- data ---- */

/* Bytes of the cache that an open set takes. */
static size_t count_kept(const struct dataset *dataset)
{
    size_t inputs = dataset->kept_inputs ? dataset->features : dataset->kept_symbols ? 1 : 0;
    size_t targets = dataset->kept_values ? dataset->values : dataset->kept_classes ? 1 : 0;
    return ((size_t)dataset->frames * inputs + (size_t)dataset->targets * targets) * sizeof(float);
}

/* A set that fits the cache leaves the rest of it to the validation set; one that does not leaves half. */
static struct dataset *open_training_set(const struct config *config, size_t *rest, struct error *error)
{
    size_t cache = config->data.cache;
    struct dataset *dataset = dataset_open(config->data.train, cache, error);
    if (!dataset || !config->data.valid)
        return dataset;
    size_t kept = count_kept(dataset);
    *rest = kept ? cache - kept : cache / 2;
    if (kept)
        return dataset;
    dataset_close(dataset);
    return dataset_open(config->data.train, cache - cache / 2, error);
}

/* This rank's own opening of both sets. */
static void open_datasets(struct run *run, struct net_config *model, struct error *error)
{
    const struct config *config = run->config;
    size_t rest = 0;
    run->train = open_training_set(config, &rest, error);
    comm_show_life(run->comm);
    if (!run->train || model_bind(model, run->train, error) ||
        model_require_targets(model, run->train, error))
        return;
    if (!config->data.valid)
        return;
    run->valid = dataset_open(config->data.valid, rest, error);
    comm_show_life(run->comm);
    if (run->valid && model_accepts(model, run->valid, 1, error) == 0)
        model_require_targets(model, run->valid, error);
}

/* All. Mean and deviation of the training inputs, from rank 0; those of `checkpoint` where there is one. */
static int set_standardization(struct run *run, const struct checkpoint *checkpoint, struct error *error)
{
    size_t features = run->train->features;
    if (!run->config->data.standardize || features == 0)
        return 0;
    run->mean = memory_create(2 * features, sizeof *run->mean, error);
    run->shift = memory_create(2 * features, sizeof *run->shift, error);
    if (run->mean && run->shift && run->comm->rank == 0) {
        if (checkpoint && checkpoint->features == features) {
            memcpy(run->mean, checkpoint->mean, features * sizeof *run->mean);
            memcpy(run->mean + features, checkpoint->deviation, features * sizeof *run->mean);
        } else {
            dataset_moments(run->train, run->mean, run->mean + features, error);
        }
    }
    if (comm_agree(run->comm, error))
        return -1;
    comm_broadcast(run->comm, run->mean, 2 * features * sizeof *run->mean, 0);
    run->deviation = run->mean + features;
    run->scale = run->shift + features;
    for (size_t i = 0; i < 2 * features; i++)
        run->shift[i] = (float)run->mean[i];
    return 0;
}

/* ---- state ---- */

/* All. Weights and progress at the start of a new run, or as the checkpoint has them. */
static int set_state(struct run *run, int found, const struct checkpoint *checkpoint, struct error *error)
{
    if (found == 1)
        return run_restore(run, checkpoint, error);
    optim_state_init(&run->state);
    run->progress = (struct progress){
        .epoch = 1, .best = INFINITY, .loss = NAN, .error = NAN, .train_loss = NAN, .train_error = NAN};
    if (run->comm->rank == 0) {
        if (found == 2)
            memcpy(run->weights, checkpoint->weights, run->P * sizeof *run->weights);
        else
            net_init_weights(run->net, run->config->train.seed, run->weights, error);
    }
    if (comm_agree(run->comm, error))
        return -1;
    comm_broadcast(run->comm, run->weights, run->P * sizeof *run->weights, 0);
    return 0;
}

/* ---- all of it ---- */

/* Rank 0 writes down what it is about to do. With --fresh the old run goes only now that all there is to read
 * has been read, which may be a checkpoint of that very run. */
static int open_records(struct run *run, struct error *error)
{
    if (run->options->fresh && rundir_clear(run->directory, error))
        return -1;
    char *text = config_write(run->config, 1, error);
    int failed = !text || rundir_write_file(run->directory, "config.ini", text, strlen(text), error);
    memory_destroy(text);
    if (failed)
        return -1;
    run->metrics = metrics_open(run->directory, run->progress.metrics_rows, error);
    return run->metrics ? rundir_write_status(run->directory, "running", run->progress.step, "", error) : -1;
}

static void warn_idle(const struct run *run)
{
    char text[256];
    if (run->comm->rank == 0 &&
        idle_describe(run->train->sequences, run->config->train.batch, run->config->train.microbatch,
            run->comm->ranks, text, sizeof text))
        log_line(LOG_WARNING, "%s", text);
}

/* What all ranks must have alike to go in step: the configuration, and the shapes and offsets of the sets. */
static uint64_t hash_common(const struct run *run, struct error *error)
{
    char *text = config_write(run->config, 0, error);
    uint64_t hash = text ? hash_bytes(text, strlen(text)) : 0;
    const struct dataset *sets[] = {run->train, run->valid};
    for (size_t i = 0; i < 2 && sets[i]; i++) {
        const struct dataset *set = sets[i];
        int64_t shape[] = {set->sequences, set->targets, (int64_t)set->features, set->symbols,
            (int64_t)set->values, set->classes};
        size_t bytes = ((size_t)set->sequences + 1) * sizeof *set->input_offsets;
        hash = hash_combine(hash, hash_bytes(shape, sizeof shape));
        hash = hash_combine(hash, hash_bytes(set->input_offsets, bytes));
    }
    memory_destroy(text);
    return hash;
}

/* All. Ranks on other nodes may have been given other options, or have another file under the same name. */
static int check_common(const struct run *run, struct error *error)
{
    uint64_t own = hash_common(run, error), first = own;
    comm_broadcast(run->comm, &first, sizeof first, 0);
    if (own != first && error->code == 0)
        error_set(error, EXIT_CODE_DATA,
            "%s: the configuration, or what is in this file or in that of data.valid, is not what rank 0 "
            "has: give "
            "all ranks the same options and files",
            run->train->path);
    return comm_agree(run->comm, error);
}

static int open_data(struct run *run, struct net_config *model, struct error *error)
{
    const struct comm *comm = run->comm;
    if (comm->rank == 0)
        take_directory(run, error);
    if (comm_agree(comm, error))
        return -1;
    open_datasets(run, model, error);
    if (comm_agree(comm, error) || check_common(run, error))
        return -1;
    warn_idle(run);
    if (comm->rank == 0) {
        dataset_fingerprint(run->train, &run->fingerprint, error);
        comm_show_life(comm);
        run->hosts = memory_create((size_t)comm->ranks, HOST_WIDTH, error);
    }
    if (comm_agree(comm, error))
        return -1;
    comm_gather_texts(comm, comm->host, HOST_WIDTH, run->hosts);
    return 0;
}

static int open_state(struct run *run, struct checkpoint *checkpoint, struct error *error)
{
    const struct comm *comm = run->comm;
    int64_t found = 0;
    if (comm->rank == 0)
        found = find_checkpoint(run, checkpoint, error);
    if (comm_agree(comm, error))
        return -1;
    comm_broadcast(comm, &found, sizeof found, 0);
    if (set_standardization(run, found ? checkpoint : NULL, error) ||
        set_state(run, (int)found, checkpoint, error))
        return -1;
    if (comm->rank == 0 && found == 1)
        log_line(LOG_INFO, "%s: continuing after step %" PRId64, run->directory, run->progress.step);
    run_take_weights(run);
    return 0;
}

int run_start_feed(struct run *run, struct error *error)
{
    const struct config *config = run->config;
    int64_t batch = config->train.batch, steps = (run->train->sequences + batch - 1) / batch;
    int over = run->progress.position == steps; /* stopped between the last step and the end of the epoch */
    const struct feed_config feed = {.dataset = run->train,
        .mean = run->shift,
        .deviation = run->scale,
        .batch = batch,
        .microbatch = config->train.microbatch,
        .seed = config->train.seed,
        .epoch = run->progress.epoch + over,
        .index = over ? 0 : run->progress.position,
        .last_epoch = config->train.epochs};
    return feed_init(&run->feed, run->comm, &feed, error);
}

static void beat(void *context)
{
    run_keep_lock(context);
}

/* All. A run that may have to go back has a checkpoint from the start. */
static int save_start(struct run *run, struct error *error)
{
    int begins = run->progress.step == 0 && run->config->train.on_divergence == DIVERGENCE_BACK;
    return begins ? run_save(run, 1, 0, 1, error) : 0;
}

int run_open(struct run *run, int *finished, struct error *error)
{
    *error = (struct error){0};
    struct net_config model = run->config->model;
    if (open_data(run, &model, error) || run_make(run, &model, error))
        return -1;
    struct checkpoint checkpoint;
    checkpoint_init(&checkpoint);
    int failed = open_state(run, &checkpoint, error);
    checkpoint_finish(&checkpoint);
    if (failed)
        return -1;
    *finished = run_is_over(run);
    if (*finished)
        return 0;
    if (run->comm->rank == 0) {
        run_keep_lock(run); /* reading the data may have taken longer than a lock counts */
        open_records(run, error);
    }
    if (error->code == 0)
        run_start_feed(run, error);
    if (comm_agree(run->comm, error))
        return -1;
    if (run->comm->rank == 0) {
        comm_watch_idle(run->comm, beat, run);
        run_find_deadline(run);
    }
    if (save_start(run, error))
        return -1;
    report_init(&run->report, run->options->progress, run->comm->rank != 0 || run->options->verbosity < 0,
        run->config->report.every, run->optim.total_steps, run->progress.step);
    run->last_save = clock_now();
    return 0;
}

void run_close(struct run *run)
{
    comm_watch_idle(run->comm, NULL, NULL);
    feed_finish(&run->feed);
    metrics_close(run->metrics);
    lock_release(run->lock);
    run_unmake(run);
    dataset_close(run->train);
    dataset_close(run->valid);
    memory_destroy(run->mean);
    memory_destroy(run->shift);
    memory_destroy(run->hosts);
}

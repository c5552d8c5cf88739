/* How a run begins: its directory, its data, the network, either starting weights or a checkpoint, and then
 * what it writes down; and how it ends. */
#include "base/log.h"
#include "base/memory.h"
#include "pass/activations.h"
#include "pass/idle.h"
#include "pass/reach.h"
#include "pass/scale.h"
#include "pass/stop.h"
#include "pass/truncation.h"
#include "run/from_weights.h"
#include "run/run.h"
#include "run/same_data.h"

#include <inttypes.h>

static void warn_idle(const struct run *run)
{
    char text[400];
    const struct config *config = run->config;
    if (run->comm->rank == 0 &&
        idle_describe(run->sets.train->sequences, config->train.batch, config->train.microbatch,
            run->comm->ranks, (int64_t)net_count_employed(run->learner.net), text, sizeof text))
        log_line(LOG_WARNING, "%s", text);
}

static void warn_reach(const struct run *run)
{
    char text[300];
    if (run->comm->rank == 0 &&
        reach_describe(run->config, run->learner.optim.total_steps, text, sizeof text))
        log_line(LOG_WARNING, "%s", text);
}

static void warn_truncation(const struct run *run)
{
    char text[400];
    if (run->comm->rank == 0 && truncation_describe(run->config, run->sets.train->longest, text, sizeof text))
        log_line(LOG_WARNING, "%s", text);
}

/* Says where a run begins on raw inputs. A faulty value in the sample is told with its step, when the run
 * reads it for that, as it would be elsewhere in the file. */
static void warn_scale(const struct run *run)
{
    char text[900];
    size_t bad = 0;
    struct error error;
    int asked = run->comm->rank == 0 && !run->config->data.standardize;
    if (asked && scale_describe(run->sets.train, &bad, text, sizeof text, &error) == 0 && bad)
        log_line(LOG_WARNING, "%s", text);
}

/* Opens the directory, and looks for what there is to go on from. */
static int open_directory(
    struct run *run, struct checkpoint *checkpoint, enum start *start, struct error *error)
{
    records_open(&run->records, run->comm, run->directory, run->options, error);
    return comm_agree(run->comm, error) || records_gather_hosts(&run->records, error) ||
            run_find_checkpoint(run, checkpoint, start, error)
        ? -1
        : 0;
}

/* All ranks call. What the run's first data have decided of the network stays. */
static void keep_model(
    const struct run *run, enum start start, const struct checkpoint *checkpoint, struct net_config *model)
{
    if (start == START_CONTINUED && run->comm->rank == 0)
        model->recurrent_max = checkpoint->model.recurrent_max;
    comm_broadcast(run->comm, &model->recurrent_max, sizeof model->recurrent_max, 0);
}

/* All ranks call. */
static int check_activations(struct run *run, struct error *error)
{
    const struct sets *sets = &run->sets;
    if (activations_require(run->config, run->learner.net, sets->train, 1, error) == 0 && sets->valid)
        activations_require(run->config, run->learner.net, sets->valid, 0, error);
    return comm_agree(run->comm, error);
}

/* Opens the data, and makes the network for them. */
static int open_parts(
    struct run *run, enum start start, const struct checkpoint *checkpoint, struct error *error)
{
    struct net_config model = run->config->model;
    struct sets *sets = &run->sets;
    if (sets_open(sets, run->config, run->comm, &model, error))
        return -1;
    keep_model(run, start, checkpoint, &model);
    int64_t most = sets->train->sequences;
    if (sets->valid && sets->valid->sequences > most)
        most = sets->valid->sequences;
    int failed =
        learner_init(&run->learner, run->config, run->comm, &model, sets->train->sequences, most, error);
    if (run->learner.node_warning[0])
        log_line(LOG_WARNING, "%s", run->learner.node_warning);
    run->learner.stop = stop_flag();
    if (!failed)
        warn_idle(run);
    return failed || check_activations(run, error) || sets_keep(sets, run->config, &run->learner.node, error)
        ? -1
        : 0;
}

/* Rank 0 says what begins afresh. */
static void tell_head(const struct run *run, const unsigned char *head)
{
    char names[FROM_WEIGHTS_NAMES], warning[FROM_WEIGHTS_WARNING];
    if (run->comm->rank != 0)
        return;
    from_weights_list(run->learner.net, head, 0, names);
    log_line(
        LOG_INFO, "%s: all weights are taken from it but %s, which begin afresh", run->options->init, names);
    if (from_weights_describe_frozen(run->learner.net, head, warning))
        log_line(LOG_WARNING, "%s", warning);
}

/* Takes standardization, weights and progress from the checkpoint, if there is one; of the weights `head`
 * marks those that begin afresh (NULL: none). */
static int take_start(struct run *run, enum start start, const struct checkpoint *checkpoint,
    const unsigned char *head, struct error *error)
{
    if (sets_standardize(&run->sets, run->config, run->comm, start == START_NEW ? NULL : checkpoint, error))
        return -1;
    run->saved = start == START_CONTINUED;
    if (run->saved)
        return run_restore(run, checkpoint, error);
    warn_scale(run);
    progress_init(&run->progress);
    return learner_start(&run->learner, checkpoint->weights, head, error);
}

static int open_state(struct run *run, struct checkpoint *checkpoint, enum start start,
    const unsigned char *head, struct error *error)
{
    if (run_check_checkpoint(run, checkpoint, start, head, error) ||
        same_data_values(&run->sets, net_get_config(run->learner.net), run->directory,
            start == START_CONTINUED ? checkpoint : NULL, run->options->accept_changed_data, error) ||
        take_start(run, start, checkpoint, head, error))
        return -1;
    if (head)
        tell_head(run, head);
    if (run->comm->rank == 0 && start == START_CONTINUED)
        log_line(LOG_INFO, "%s: continuing after step %" PRId64, run->directory, run->progress.step);
    run->progress.finished = progress_is_over(&run->progress, run->config);
    return 0;
}

/* All ranks call. Does that with a new head where one is asked for: a run that goes on has it already. */
static int open_with_head(
    struct run *run, struct checkpoint *checkpoint, enum start start, struct error *error)
{
    int asked = start == START_FROM_WEIGHTS && run->options->new_head;
    unsigned char *head = asked ? net_find_head(run->learner.net, error) : NULL;
    int failed = comm_agree(run->comm, error) || open_state(run, checkpoint, start, head, error);
    memory_destroy(head);
    return failed ? -1 : 0;
}

/* Rank 0 writes down what it is about to do. With --fresh the old run goes only now that all there is to read
 * has been read, which may be a checkpoint of that very run. Reading the data may have taken longer than a
 * lock counts. */
static int begin_records(struct run *run, struct error *error)
{
    records_keep_lock(&run->records, run->progress.step);
    return records_begin(&run->records, run->config, &run->progress, run->options->fresh, error);
}

/* All ranks know whose run it is: any of them may have to say how it ends. */
static void share_records(struct run *run)
{
    struct records *records = &run->records;
    comm_broadcast(run->comm, &records->holder, sizeof records->holder, 0);
    comm_broadcast(run->comm, records->own.run, sizeof records->own.run, 0);
    records->begun = 1;
}

void run_tell_end(void *context, int64_t step, int code, const char *text)
{
    const struct run *run = context;
    records_tell_end(&run->records, step < 0 ? run->progress.step : step, code, text);
}

static void keep_lock(void *context)
{
    const struct run *run = context;
    records_keep_lock(&run->records, run->progress.step);
}

/* A run that may have to go back has a checkpoint from the start; so does one of --init, which is not given
 * again: killed before its first checkpoint it would begin with other weights. */
static int save_start(struct run *run, struct error *error)
{
    int needed = run->options->init || run->config->train.on_divergence == DIVERGENCE_BACK;
    return run->progress.step == 0 && needed ? run_save(run, 1, 0, 1, error) : 0;
}

static int begin(struct run *run, struct error *error)
{
    const struct train_options *options = run->options;
    if (run_count_steps(run, error))
        return -1;
    if (options->trial || begin_records(run, error) == 0)
        run_start_feed(run, error);
    if (comm_agree(run->comm, error))
        return -1;
    warn_reach(run);
    warn_truncation(run);
    if (options->trial)
        return 0;
    share_records(run);
    limits_init(&run->limits, run->config, run->comm, run->learner.P);
    if (run->comm->rank == 0) {
        comm_watch_idle(run->comm, keep_lock, run);
        limits_find_deadline(&run->limits, options->max_time, run->start);
    }
    if (save_start(run, error))
        return -1;
    report_init(&run->records.report, stdout, options->progress,
        run->comm->rank != 0 || options->verbosity < 0, run->config->report.every,
        run->learner.optim.total_steps, run->progress.step);
    run->records.terse = options->verbosity < -1;
    return 0;
}

int run_open(struct run *run, struct error *error)
{
    struct checkpoint checkpoint;
    enum start start = START_NEW;
    *error = (struct error){0};
    checkpoint_init(&checkpoint);
    int failed = open_directory(run, &checkpoint, &start, error) ||
        open_parts(run, start, &checkpoint, error) || open_with_head(run, &checkpoint, start, error);
    checkpoint_finish(&checkpoint);
    if (failed)
        return -1;
    return run->progress.finished ? 0 : begin(run, error);
}

void run_close(struct run *run)
{
    comm_watch_idle(run->comm, NULL, NULL);
    feed_finish(&run->feed);
    records_close(&run->records);
    sets_close(&run->sets); /* its values lie in memory of the learner's node */
    learner_finish(&run->learner);
}

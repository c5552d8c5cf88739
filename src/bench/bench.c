/* This is a run without files: a dataset of random numbers in memory, and the training steps of a learner on
 * it. The peak of the core is measured beside every round, since a shared machine changes its speed from
 * second to second. */
#include "bench/bench.h"

#include "base/clock.h"
#include "base/log.h"
#include "bench/measured.h"
#include "bench/peak.h"
#include "pass/activations.h"
#include "pass/model.h"
#include "run/learner.h"
#include "run/progress.h"

#include <stdlib.h>
#include <sys/resource.h>

enum { WARM_UP = 2 };

static void take_fault(void *context, const char *text)
{
    error_set(context, EXIT_CODE_USAGE, "%s", text);
}

/* Keys that rnn-bench has options of its own for must not be set. */
static int check_own(const struct bench_options *options, const struct config *config, struct error *error)
{
    if (config->train.batch == options->batch && config->train.microbatch == options->microbatch &&
        config->train.epochs == INT32_MAX && config->model.output == options->output &&
        config->train.activation_memory == options->memory)
        return 0;
    return error_set(error, EXIT_CODE_USAGE,
        "--set of train.batch, train.microbatch, train.activation_memory, train.epochs or model.output: use "
        "--batch, --microbatch, --activation-memory, --steps and --output");
}

static int describe(const struct bench_options *options, struct config *config, struct error *error)
{
    struct faults faults;
    struct net_config *model = &config->model;
    faults_init(&faults, 1, take_fault, error);
    model->cell = options->cell;
    model->output = options->output;
    model->layers = (size_t)options->layers;
    model->hidden[0] = (size_t)options->hidden;
    model->bidirectional[0] = options->directions == 2;
    config->train.batch = options->batch;
    config->train.microbatch = options->microbatch;
    config->train.activation_memory = options->memory;
    config->train.epochs = INT32_MAX; /* an epoch is one step here */
    int failed = config_override(config, "the options", options->set.count, options->set.item, &faults);
    return check_own(options, config, error) || failed ? -1 : 0;
}

/* What is measured: the training steps of this rank. */
struct bench_run {
    struct config config;
    struct dataset *dataset;
    struct learner learner;
    struct feed feed;
    struct progress progress;
};

static int run_round(struct bench_run *run, int64_t steps, struct bench_round *round, struct error *error)
{
    struct learner *learner = &run->learner;
    const struct kernel *kernel = net_get_kernel(learner->net);
    *round = (struct bench_round){.peak = bench_peak(kernel)};
    comm_barrier(learner->comm);
    double start = clock_now();
    for (int64_t s = 0; s < steps; s++) {
        struct outcome outcome;
        learner_compute(learner, &run->feed, &run->progress, &outcome, error);
        if (learner_update(learner, &run->feed, &run->progress, &outcome, error))
            return -1;
        round->data_wait += outcome.data_wait;
        round->comm_wait += outcome.comm_wait;
        round->update += outcome.update;
    }
    round->seconds = clock_now() - start;
    round->peak = (round->peak + bench_peak(kernel)) / 2;
    return 0;
}

static int run_clocked(struct bench_run *run, struct bench_clocked *clocked, struct error *error)
{
    struct bench_round round;
    *clocked = (struct bench_clocked){0};
    net_set_times(run->learner.net, clocked->times);
    int failed = run_round(run, 1, &round, error);
    net_set_times(run->learner.net, NULL);
    clocked->seconds = round.seconds;
    clocked->times[NET_BACKWARD] -= clocked->times[NET_WEIGHT_GRADIENT]; /* phases that do not overlap */
    return failed;
}

/* All ranks call. Makes dataset, learner and feed for run->config. */
static int prepare(
    struct bench_run *run, const struct bench_options *options, const struct comm *comm, struct error *error)
{
    const struct config *config = &run->config;
    struct net_config model = config->model;
    run->dataset = bench_make_dataset(options, error);
    if (run->dataset)
        model_bind(&model, run->dataset, error);
    if (comm_agree(comm, error) || !run->dataset)
        return -1;
    int64_t sequences = run->dataset->sequences;
    if (learner_init(&run->learner, config, comm, &model, sequences, sequences, error) ||
        activations_require(config, run->learner.net, run->dataset, 1, error) ||
        learner_start(&run->learner, NULL, NULL, error))
        return -1;
    progress_init(&run->progress);
    const struct feed_config feed = {.dataset = run->dataset,
        .node = &run->learner.node,
        .batch = config->train.batch,
        .microbatch = config->train.microbatch,
        .seed = config->train.seed,
        .epoch = 1,
        .last_epoch = config->train.epochs};
    feed_init(&run->feed, comm, &feed, error);
    return comm_agree(comm, error);
}

static int measure(struct bench_run *run, const struct bench_options *options, struct bench_round *rounds,
    struct bench_clocked *clocked, struct error *error)
{
    struct bench_round warm_up;
    if (run_round(run, WARM_UP, &warm_up, error))
        return -1;
    for (int64_t r = 0; r < options->rounds; r++)
        if (run_round(run, options->steps, &rounds[r], error))
            return -1;
    for (int i = 0; i < BENCH_CLOCKED; i++)
        if (run_clocked(run, &clocked[i], error))
            return -1;
    return 0;
}

/* In bytes; 0 where the system does not tell. */
static double find_resident(void)
{
    struct rusage usage;
    return getrusage(RUSAGE_SELF, &usage) ? 0 : 1024 * (double)usage.ru_maxrss;
}

static void print(const struct bench_run *run, const struct bench_options *options,
    const struct bench_round *rounds, const struct bench_clocked *clocked)
{
    const struct dataset *dataset = run->dataset;
    const struct net *net = run->learner.net;
    const struct bench_work work = {.ranks = run->learner.comm->ranks,
        .isa = net_get_kernel(net)->name,
        .frames = (double)dataset->frames,
        .operations = net_count_operations(net_get_config(net), (double)dataset->frames,
            (double)dataset->sequences, (double)dataset->targets),
        .resident = find_resident(),
        .weights_hash = learner_hash_weights(&run->learner)};
    bench_print(options, &work, rounds, clocked);
}

static void finish(struct bench_run *run)
{
    feed_finish(&run->feed);
    learner_finish(&run->learner);
    dataset_close(run->dataset);
    config_finish(&run->config);
}

static int run_rounds(const struct bench_options *options, struct comm *comm)
{
    static struct bench_round rounds[BENCH_MOST_ROUNDS];
    struct bench_clocked clocked[BENCH_CLOCKED];
    struct bench_run run = {.dataset = NULL};
    struct error error = {0};
    config_init(&run.config);
    int failed = describe(options, &run.config, &error) || prepare(&run, options, comm, &error) ||
        measure(&run, options, rounds, clocked, &error);
    if (failed && comm->rank == 0)
        log_line(LOG_ERROR, "%s", error.text);
    if (!failed && comm->rank == 0)
        print(&run, options, rounds, clocked);
    finish(&run);
    return failed ? error.code : EXIT_CODE_OK;
}

int bench_train(const struct bench_options *options)
{
    enum { START_SECONDS = 600 };
    struct comm comm;
    struct error error = {0};
    char *common = options_describe(&bench_option_table, options);
    const struct comm_purpose purpose = {.program = "rnn-bench",
        .options = common,
        .limit = START_SECONDS,
        .advice = "start it on all ranks alike"};
    int failed = comm_start(&comm, &purpose, &error);
    free(common);
    if (failed && comm.rank == 0)
        log_line(LOG_ERROR, "%s", error.text);
    int code = failed      ? error.code
        : options->machine ? bench_machine(&comm, options->machine)
                           : run_rounds(options, &comm);
    comm_finish(&comm);
    return code;
}

/* A run without files: a dataset of random numbers in memory, then run_step() as training calls it. The peak
 * of the core is measured beside every round, since a shared machine changes its speed from second to second.
 */
#include "bench/bench.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/random.h"
#include "bench/peak.h"
#include "config/read.h"
#include "pass/model.h"
#include "run/run.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { WARM_UP = 2 };

double bench_peak(const struct kernel *kernel)
{
    enum { TRIES = 5, ROUNDS = 200000 };
    float out[KERNEL_BLOCK];
    double best = 0, operations = (double)ROUNDS * (double)kernel->burst_operations;
    for (int i = 0; i < TRIES; i++) {
        double start = clock_now();
        kernel->burst(ROUNDS, out);
        double speed = operations / (clock_now() - start);
        best = speed > best ? speed : best;
    }
    return best;
}

/* One class a frame, or so many labels a sequence, of which none is like the one before, as ctc would need a
 * frame more for it. What there is no memory for stays NULL. */
static void add_targets(struct dataset *dataset, const struct bench_options *options, struct error *error)
{
    int64_t sequences = dataset->sequences, each = options->labels;
    int32_t C = dataset->classes, class = 0;
    dataset->targets = each ? sequences * each : dataset->frames;
    dataset->kept_classes = memory_create((size_t)dataset->targets, sizeof *dataset->kept_classes, error);
    if (each)
        dataset->target_offsets =
            memory_create((size_t)sequences + 1, sizeof *dataset->target_offsets, error);
    for (int64_t s = 0; s <= sequences && dataset->target_offsets; s++)
        dataset->target_offsets[s] = s * each;
    for (int64_t i = 0; i < dataset->targets && dataset->kept_classes; i++) {
        int64_t step = (int64_t)random_below((uint64_t)(each ? C - 1 : C), 1, RANDOM_DATASET, 2, (uint64_t)i);
        class = each ? (int32_t)((class + 1 + step) % C) : (int32_t)step;
        dataset->kept_classes[i] = class;
    }
}

/* Lengths evenly from `shortest` to `frames`. */
static struct dataset *make_dataset(const struct bench_options *options, struct error *error)
{
    struct dataset *dataset = memory_create(1, sizeof *dataset, error);
    if (!dataset)
        return NULL;
    *dataset = (struct dataset){.sequences = options->batch,
        .longest = (int32_t)options->frames,
        .features = (size_t)options->inputs,
        .has_targets = 1,
        .classes = (int32_t)options->classes,
        .target_kind = options->output == OUTPUT_FRAME ? TARGET_FRAME : TARGET_ANY};
    static const char name[] = "the sequences of rnn-bench";
    dataset->path = memory_create(sizeof name, 1, error);
    if (dataset->path)
        memcpy(dataset->path, name, sizeof name);
    dataset->input_offsets = memory_create((size_t)options->batch + 1, sizeof *dataset->input_offsets, error);
    for (int64_t s = 0; s < options->batch && dataset->input_offsets; s++) {
        int64_t last = options->batch > 1 ? options->batch - 1 : 1;
        int64_t length = options->shortest + (options->frames - options->shortest) * s / last;
        dataset->input_offsets[s + 1] =
            dataset->input_offsets[s] + (options->batch > 1 ? length : options->frames);
    }
    dataset->frames = dataset->input_offsets ? dataset->input_offsets[options->batch] : 0;
    add_targets(dataset, options, error);
    size_t inputs = (size_t)dataset->frames * dataset->features;
    dataset->kept_inputs = memory_create(inputs, sizeof *dataset->kept_inputs, error);
    if (!dataset->path || !dataset->input_offsets || !dataset->kept_inputs || !dataset->kept_classes ||
        (options->labels && !dataset->target_offsets)) {
        dataset_close(dataset);
        return NULL;
    }
    for (size_t i = 0; i < inputs; i++)
        dataset->kept_inputs[i] = (float)(2 * random_uniform(1, RANDOM_DATASET, 1, i) - 1);
    return dataset;
}

static void take_fault(void *context, const char *text)
{
    error_set(context, EXIT_CODE_USAGE, "%s", text);
}

static int describe(const struct bench_options *options, struct config *config, struct error *error)
{
    struct faults faults;
    faults_init(&faults, 1, take_fault, error);
    struct config_reading reading = {
        .config = config, .faults = &faults, .name = "the options", .directory = "/"};
    struct net_config *model = &config->model;
    model->cell = options->cell;
    model->output = options->output;
    model->layers = (size_t)options->layers;
    model->hidden[0] = (size_t)options->hidden;
    model->bidirectional[0] = options->directions == 2;
    config->train.batch = options->batch;
    config->train.microbatch = options->microbatch;
    config->train.epochs = INT32_MAX; /* an epoch is one step here */
    config->checkpoint.unit = INTERVAL_EPOCHS;
    for (size_t i = 0; i < options->sets; i++)
        config_take_override(&reading, options->set[i], "/");
    if (faults.count)
        return -1;
    if (config->train.batch != options->batch || config->train.microbatch != options->microbatch ||
        config->train.epochs != INT32_MAX || model->output != options->output)
        return error_set(error, EXIT_CODE_USAGE,
            "--set of train.batch, train.microbatch, train.epochs or model.output: use --batch, "
            "--microbatch, --steps "
            "and --output");
    config_settle(&reading, 0);
    return faults.count ? -1 : 0;
}

struct round {
    double seconds, peak, data_wait, comm_wait, update;
    double one; /* 1: what a median without a divisor is divided by */
};

/* One step more, in which the network reads the clock: at each step in time, which itself takes time. */
struct clocked {
    double seconds, times[NET_TIMES];
};
enum { CLOCKED = 3 };

static int run_round(struct run *run, int64_t steps, struct round *round, struct error *error)
{
    *round = (struct round){.peak = bench_peak(net_get_kernel(run->net)), .one = 1};
    comm_barrier(run->comm);
    double start = clock_now();
    for (int64_t s = 0; s < steps; s++) {
        struct outcome outcome;
        enum stop_reason stop;
        int save;
        if (run_step(run, &outcome, &stop, &save, error))
            return -1;
        round->data_wait += outcome.data_wait;
        round->comm_wait += outcome.comm_wait;
        round->update += outcome.update;
    }
    round->seconds = clock_now() - start;
    double after = bench_peak(net_get_kernel(run->net));
    round->peak = (round->peak + after) / 2;
    return 0;
}

static int run_clocked(struct run *run, struct clocked *clocked, struct error *error)
{
    struct round round;
    *clocked = (struct clocked){0};
    net_set_times(run->net, clocked->times);
    int failed = run_round(run, 1, &round, error);
    net_set_times(run->net, NULL);
    clocked->seconds = round.seconds;
    clocked->times[NET_BACKWARD] -= clocked->times[NET_WEIGHT_GRADIENT]; /* phases that do not overlap */
    return failed;
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Median over n structs of `size` bytes of the double at `offset` in each, divided by the one at `by`. */
static double median_ratio(const void *structs, size_t n, size_t size, size_t offset, size_t by)
{
    double value[BENCH_MOST_ROUNDS];
    for (size_t i = 0; i < n; i++) {
        const char *one = (const char *)structs + i * size;
        value[i] = *(const double *)(one + offset) / *(const double *)(one + by);
    }
    qsort(value, n, sizeof *value, compare_doubles);
    return (value[n / 2] + value[(n - 1) / 2]) / 2;
}

static void print_result(const struct run *run, const struct bench_options *options,
    const struct round *rounds, const struct clocked *clocked)
{
    size_t n = (size_t)options->rounds;
    double steps = (double)options->steps, frames = (double)run->train->frames * steps;
    double operations = steps *
        bench_count_operations(net_get_config(run->net), (double)run->train->frames,
            (double)run->train->sequences, (double)run->train->targets);
    struct round derived[BENCH_MOST_ROUNDS];
    memcpy(derived, rounds, n * sizeof *derived);
    for (size_t i = 0; i < n; i++) /* seconds at the peak of all cores */
        derived[i].peak = operations / run->comm->ranks / derived[i].peak;
#define MEDIAN(member, by)                                                                                   \
    median_ratio(derived, n, sizeof *derived, offsetof(struct round, member), offsetof(struct round, by))
#define SHARE(member)                                                                                        \
    median_ratio(clocked, CLOCKED, sizeof *clocked, offsetof(struct clocked, member),                        \
        offsetof(struct clocked, seconds))
    double best = 0; /* round: what a quiet machine would show */
    for (size_t i = 0; i < n; i++)
        best = fmax(best, derived[i].peak / derived[i].seconds);
    double seconds = MEDIAN(seconds, one);
    double fraction = MEDIAN(peak, seconds);
    printf("cell=%s hidden=%d layers=%d directions=%d inputs=%d classes=%d output=%s labels=%d frames=%d "
           "shortest=%d batch=%d "
           "microbatch=%d "
           "ranks=%d isa=%s frames_per_second=%.6g gflops=%.4g peak_gflops=%.4g fraction_of_peak=%.3f "
           "forward_share=%.3f backward_share=%.3f weight_gradient_share=%.3f activation_share=%.3f "
           "reduce_share=%.3f optimizer_share=%.3f data_wait_share=%.4f best_fraction=%.3f\n",
        cell_names[options->cell], (int)options->hidden, (int)options->layers, (int)options->directions,
        (int)options->inputs, (int)options->classes, output_names[options->output], (int)options->labels,
        (int)options->frames, (int)options->shortest, (int)options->batch, (int)options->microbatch,
        run->comm->ranks, net_get_kernel(run->net)->name, frames / seconds, operations / seconds * 1e-9,
        operations / seconds * 1e-9 / fraction, fraction, SHARE(times[NET_FORWARD]),
        SHARE(times[NET_BACKWARD]), SHARE(times[NET_WEIGHT_GRADIENT]), SHARE(times[NET_ACTIVATION]),
        MEDIAN(comm_wait, seconds), MEDIAN(update, seconds), MEDIAN(data_wait, seconds), best);
}

static int measure(struct run *run, const struct bench_options *options, struct round *rounds,
    struct clocked *clocked, struct error *error)
{
    const struct config *config = run->config;
    struct net_config model = config->model;
    run->train = make_dataset(options, error);
    if (run->train)
        model_bind(&model, run->train, error);
    if (comm_agree(run->comm, error) || run_make(run, &model, error))
        return -1;
    optim_state_init(&run->state);
    run->progress = (struct progress){.epoch = 1};
    run->deadline.at = INFINITY;
    const struct feed_config feed = {.dataset = run->train,
        .batch = config->train.batch,
        .microbatch = config->train.microbatch,
        .seed = 1,
        .epoch = 1,
        .last_epoch = config->train.epochs};
    if (net_init_weights(run->net, 1, run->weights, error) == 0)
        feed_init(&run->feed, run->comm, &feed, error);
    if (comm_agree(run->comm, error))
        return -1;
    run_take_weights(run);
    struct round warm_up;
    if (run_round(run, WARM_UP, &warm_up, error))
        return -1;
    for (int64_t r = 0; r < options->rounds; r++)
        if (run_round(run, options->steps, &rounds[r], error))
            return -1;
    for (int i = 0; i < CLOCKED; i++)
        if (run_clocked(run, &clocked[i], error))
            return -1;
    return 0;
}

int bench_train(const struct bench_options *options)
{
    static struct round rounds[BENCH_MOST_ROUNDS];
    struct clocked clocked[CLOCKED];
    struct comm comm;
    struct config config;
    struct error error = {0};
    struct train_options none = {0};
    comm_start(&comm, "rnn-bench");
    config_init(&config);
    struct run *run = memory_create(1, sizeof *run, NULL);
    if (!run)
        comm_fatal(&comm, -1, EXIT_CODE_INTERNAL, "out of memory");
    run->options = &none;
    run->config = &config;
    run->comm = &comm;
    int failed = describe(options, &config, &error) || measure(run, options, rounds, clocked, &error);
    if (failed && comm.rank == 0)
        log_line(LOG_ERROR, "%s", error.text);
    if (!failed && comm.rank == 0)
        print_result(run, options, rounds, clocked);
    run_close(run);
    memory_destroy(run);
    config_finish(&config);
    comm_finish(&comm);
    return failed ? error.code : EXIT_CODE_OK;
}

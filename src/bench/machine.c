/* What is measured "alone" the first rank does while the others wait, and what is measured with "all" all
 * ranks of all nodes do at the same time, as in a step. A fraction of the peak is that of a forward and a
 * backward pass over one layer in both directions, of frames that one microbatch of 8 sequences has. */
#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "bench/bench.h"
#include "bench/measured.h"
#include "bench/peak.h"
#include "comm/comm.h"
#include "comm/node.h"
#include "comm/speed.h"
#include "config/constants.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* The passes of a try last for so many seconds at least, and the median of the tries counts: where ranks are
 * more than cores, what they do takes as long as their turns, in a step too. */
static const double long_enough = 0.012;
enum { PASS_TRIES = 9 };
enum { INPUTS = 64, CLASSES = 61, SEQUENCES = 8, STEPS = 24, TRIES = 3, FLOATS = 8 << 20, MESSAGE = 4 << 20 };

struct measuring {
    const struct comm *comm;
    const struct kernel *kernel;
    struct node node;
    struct constants constants;
    float *block; /* [2 FLOATS] */
};

static int is_busy(const struct measuring *measuring, int all)
{
    return all || measuring->comm->rank == 0;
}

/* The slowest rank's time of something that all, or one, did is what a step waits for. */
static double slowest(const struct measuring *measuring, double seconds)
{
    comm_max(measuring->comm, &seconds, 1);
    return seconds;
}

static double measure_peak(struct measuring *measuring, const struct kernel *kernel, int all)
{
    comm_barrier(measuring->comm);
    double seconds = is_busy(measuring, all) ? 1 / bench_peak(kernel) : 0;
    return 1 / slowest(measuring, seconds);
}

/* Bytes a second that a rank moves: two floats read and one written for each, more of them than caches hold.
 */
static double measure_memory(struct measuring *measuring, int all)
{
    float *sum = measuring->block, *other = sum + FLOATS;
    double best = INFINITY;
    for (int i = 0; i < TRIES; i++) {
        comm_barrier(measuring->comm);
        double start = clock_now();
        for (size_t k = 0; k < FLOATS && is_busy(measuring, all); k++)
            sum[k] += other[k];
        best = fmin(best, slowest(measuring, is_busy(measuring, all) ? clock_now() - start : 0));
    }
    return 3.0 * sizeof(float) * FLOATS / best;
}

/* Two ranks of a node, or all of it, meet. */
static double measure_meeting(struct measuring *measuring, struct meeting *meeting, int members)
{
    enum { TIMES = 2000 };
    comm_barrier(measuring->comm);
    double start = clock_now();
    for (int i = 0; i < TIMES && measuring->node.rank < members; i++)
        meeting_come(measuring->comm, meeting, (unsigned)members, NULL);
    return slowest(measuring, (clock_now() - start) / TIMES);
}

static double measure_exchange(struct measuring *measuring, int partner, int bytes)
{
    const struct speed_exchange exchange = {.partner = partner,
        .buffer = measuring->block,
        .into = measuring->block + FLOATS,
        .bytes = bytes,
        .times = bytes ? 8 : 1000};
    speed_of_exchange(measuring->comm, &exchange); /* connections are made at the first message */
    return speed_of_exchange(measuring->comm, &exchange);
}

/* The neighbour in the same node, or the rank at the same place of the neighbouring node; this rank itself
 * where there is none. */
static int find_partner(const struct node *node, int inside)
{
    int other = inside ? node->rank ^ 1 : node->index ^ 1, first, last;
    if (inside)
        return other < node->ranks ? node->ranks_at[node->first_place[node->index] + other]
                                   : node->comm->rank;
    if (other >= node->nodes)
        return node->comm->rank;
    first = node->first_place[other];
    last = node->first_place[other + 1];
    return first + node->rank < last ? node->ranks_at[first + node->rank] : node->comm->rank;
}

static void measure_ways(struct measuring *measuring, struct meeting *meeting)
{
    struct constants *constants = &measuring->constants;
    const struct node *node = &measuring->node;
    int ranks = (int)constants->ranks, inside = find_partner(node, 1), between = find_partner(node, 0);
    if (ranks > 1) {
        constants->meeting = measure_meeting(measuring, meeting, 2);
        constants->meeting_all = measure_meeting(measuring, meeting + 1, ranks);
        constants->latency_inside = measure_exchange(measuring, inside, 0);
        constants->bandwidth_inside = MESSAGE / measure_exchange(measuring, inside, MESSAGE);
    }
    if (constants->nodes > 1) {
        constants->latency_between = measure_exchange(measuring, between, 0);
        constants->bandwidth_between =
            ranks * (double)MESSAGE / measure_exchange(measuring, between, MESSAGE);
    }
}

/* ---- passes over a layer ---- */

struct layer_pass {
    struct net_config model;
    struct net *net;
    struct microbatch microbatch;
    float *weights, *gradient;
    struct net_score scores[SEQUENCES];
};

static int prepare_pass(struct layer_pass *pass, enum cell cell, size_t units, struct error *error)
{
    static const int64_t order[SEQUENCES] = {0};
    int32_t length[SEQUENCES];
    const struct microbatch_format format = {.inputs = INPUTS, .has_classes = 1, .target_per_frame = 1};
    pass->model = (struct net_config){.cell = cell, .layers = 1, .inputs = INPUTS, .outputs = CLASSES};
    pass->model.hidden[0] = units;
    pass->model.bidirectional[0] = 1;
    pass->net = net_create(&pass->model, error);
    microbatch_init(&pass->microbatch);
    for (size_t b = 0; b < SEQUENCES; b++)
        length[b] = STEPS;
    if (!pass->net || microbatch_resize(&pass->microbatch, &format, SEQUENCES, length, order, NULL, error))
        return -1;
    size_t P = net_count_parameters(pass->net), N = pass->microbatch.N;
    pass->weights = memory_create(P, sizeof(float), error);
    pass->gradient = memory_create(P, sizeof(float), error);
    if (!pass->weights || !pass->gradient || net_init_weights(pass->net, 1, pass->weights, error))
        return -1;
    net_pack(pass->net, pass->weights);
    memset(pass->microbatch.classes, 0, N * sizeof *pass->microbatch.classes);
    for (size_t i = 0; i < N * pass->microbatch.inputs_stride; i++)
        pass->microbatch.inputs[i] = (float)(i % 7) / 7;
    return 0;
}

static void finish_pass(struct layer_pass *pass)
{
    net_destroy(pass->net);
    microbatch_finish(&pass->microbatch);
    memory_destroy(pass->weights);
    memory_destroy(pass->gradient);
}

static int run_pass(struct layer_pass *pass, struct error *error)
{
    const struct net_pass options = {.training = 1, .seed = 1, .epoch = 1};
    struct net_outputs outputs;
    if (net_forward(pass->net, &options, &pass->microbatch, &outputs, pass->scores, error))
        return -1;
    net_backward(pass->net, &options, &pass->microbatch, pass->gradient);
    return 0;
}

/* All ranks call. Returns the seconds of a pass, of `times` one after the other, on the slowest rank. */
static double time_passes(
    struct measuring *measuring, struct layer_pass *pass, int times, struct error *error)
{
    comm_barrier(measuring->comm);
    double start = clock_now();
    for (int i = 0; i < times && error->code == EXIT_CODE_OK; i++)
        run_pass(pass, error);
    return slowest(measuring, (clock_now() - start) / times);
}

/* All ranks call. Returns 0, or -1 on all of them. */
static int measure_fraction(struct measuring *measuring, enum cell cell, size_t width, struct error *error)
{
    struct layer_pass pass = {.net = NULL};
    prepare_pass(&pass, cell, constants_widths[width], error);
    time_passes(measuring, &pass, 1, error);
    int times = (int)ceil(long_enough / time_passes(measuring, &pass, 1, error));
    double seconds[PASS_TRIES];
    for (int i = 0; i < PASS_TRIES; i++)
        seconds[i] = time_passes(measuring, &pass, times, error);
    double frames = SEQUENCES * STEPS;
    double operations = net_count_operations(&pass.model, frames, SEQUENCES, 0);
    measuring->constants.fraction[cell][width] =
        operations / bench_take_median(seconds, PASS_TRIES) / measuring->constants.peak_all;
    finish_pass(&pass);
    return comm_agree(measuring->comm, error);
}

/* ---- all ---- */

/* All ranks call. */
static int measure(struct measuring *measuring, struct meeting *meetings, struct error *error)
{
    struct constants *constants = &measuring->constants;
    const struct kernel *kernel = measuring->kernel;
    constants->ranks = measuring->node.ranks;
    constants->nodes = measuring->node.nodes;
    constants->peak_alone = measure_peak(measuring, kernel, 0);
    constants->peak_all = measure_peak(measuring, kernel, 1);
    constants->memory_alone = measure_memory(measuring, 0);
    constants->memory_all = constants->ranks * measure_memory(measuring, 1);
    measure_ways(measuring, meetings);
    for (size_t cell = 0; cell < CONSTANTS_CELLS; cell++)
        for (size_t width = 0; width < CONSTANTS_WIDTHS; width++)
            if (measure_fraction(measuring, (enum cell)cell, width, error))
                return -1;
    return 0;
}

/* All ranks call. Nodes must have equally many ranks: what is of a node is told once. */
static int check_nodes(const struct node *node, struct error *error)
{
    for (int h = 0; h < node->nodes; h++)
        if (node->first_place[h + 1] - node->first_place[h] != node->ranks)
            error_set(error, EXIT_CODE_USAGE,
                "--machine: nodes have different numbers of ranks: start as many on each as it has cores");
    return comm_agree(node->comm, error);
}

static int prepare(struct measuring *measuring, struct error *error)
{
    char warning[300];
    const struct node_size size = {.once = 2 * sizeof(struct meeting)};
    if (node_init(&measuring->node, measuring->comm, size, warning, sizeof warning, error))
        return -1;
    if (warning[0])
        log_line(LOG_WARNING, "%s", warning);
    measuring->kernel = kernel_choose(error);
    measuring->block = memory_create(2 * (size_t)FLOATS, sizeof(float), error);
    return comm_agree(measuring->comm, error) ? -1 : check_nodes(&measuring->node, error);
}

static void print(const struct constants *constants, const char *path)
{
    printf("machine=%s ranks=%g nodes=%g peak_alone=%.4g peak_all=%.4g memory_alone=%.4g memory_all=%.4g "
           "meeting=%.3g meeting_all=%.3g latency_inside=%.3g bandwidth_inside=%.3g latency_between=%.3g "
           "bandwidth_between=%.3g\n",
        path, constants->ranks, constants->nodes, constants->peak_alone, constants->peak_all,
        constants->memory_alone, constants->memory_all, constants->meeting, constants->meeting_all,
        constants->latency_inside, constants->bandwidth_inside, constants->latency_between,
        constants->bandwidth_between);
}

int bench_machine(const struct comm *comm, const char *path)
{
    struct measuring measuring = {.comm = comm};
    struct error error = {0};
    int failed = prepare(&measuring, &error);
    if (!failed) {
        struct meeting *meetings = node_take(&measuring.node, 2 * sizeof *meetings);
        failed = measure(&measuring, meetings, &error);
    }
    if (!failed && comm->rank == 0)
        failed = constants_write(&measuring.constants, path, &error);
    if (failed && comm->rank == 0)
        log_line(LOG_ERROR, "%s", error.text);
    else if (comm->rank == 0)
        print(&measuring.constants, path);
    memory_destroy(measuring.block);
    node_finish(&measuring.node);
    return failed ? error.code : EXIT_CODE_OK;
}

/* A run takes most of its memory at its start and in its first steps, and keeps it. Beside that stands what
 * validation and saving take for a while, one after the other. Sizes are asked of those who make room. */
#include "plan/memory.h"

#include "base/machine.h"
#include "ckpt/checkpoint.h"
#include "comm/reduce.h"
#include "pass/feed.h"
#include "run/sets.h"

#include <math.h>
#include <stdio.h>

/* Of a process by itself, as measured with Open MPI 4.1: what it keeps for messages with each other rank of
 * its node, and code and buffers that come into use with the first steps only. */
enum { PEER_BYTES = 110 << 10, FIRST_USE_BYTES = 512 << 10 };

struct usage {
    struct machine_use process;
    double rank;              /* what every rank keeps, the process itself included */
    double validation, first; /* for a while: on every rank, on rank 0 while it saves */
    double checkpoint;        /* the file */
};

static void print_bytes(const char *what, double bytes)
{
    static const char *const units[] = {"bytes", "KiB", "MiB", "GiB", "TiB", "PiB"};
    size_t unit = 0;
    double amount = bytes;
    for (; amount >= 1024 && unit < 5; unit++)
        amount /= 1024;
    printf("  %-38s %10.*f %s\n", what, unit ? 1 : 0, amount, units[unit]);
}

/* Prints an item, but none of nothing, and adds it to what is kept. */
static void add_item(struct usage *usage, const char *what, double bytes)
{
    if (bytes > 0)
        print_bytes(what, bytes);
    usage->rank += bytes;
}

static int is_kept(const struct planned *planned, const struct dataset *dataset)
{
    struct cache_share share = sets_share_cache(planned->config, dataset_count_values(planned->train));
    return dataset_count_values(dataset) <= (dataset == planned->train ? share.train : share.valid);
}

/* Of the microbatches that are packed at a time (data/reader.h). */
static double packed_bytes(
    const struct planned *planned, const struct dataset *dataset, const struct survey *survey)
{
    return (is_kept(planned, dataset) ? 1 : 3) * (double)survey->packed;
}

/* What the process takes without what has been opened for the plan. */
static void add_process(const struct planned *planned, struct usage *usage)
{
    double opened = (double)dataset_count_bytes(planned->train);
    if (planned->valid)
        opened += (double)dataset_count_bytes(planned->valid);
    if (machine_read_use(&usage->process) == 0)
        add_item(usage, "the process: MPI, HDF5, libraries",
            fmax(0, (double)usage->process.own - opened) + (double)usage->process.shared + FIRST_USE_BYTES);
    add_item(usage, "messages with ranks of its node", PEER_BYTES * (double)(planned->ranks_per_node - 1));
}

/* Weights and what learning makes of them; `slice`: bytes of the share of a rank. */
static void add_learner(const struct planned *planned, double slice, struct usage *usage)
{
    const struct config *config = planned->config;
    double room = (double)reduce_room(net_count_parameters(planned->net)) * sizeof(float);
    double squares = room / sizeof(float) / REDUCE_BLOCK * sizeof(double);
    double moments = (double)optim_count_moments(config->train.optim.optimizer);
    add_item(usage, "weights", room);
    add_item(usage, "weights with noise", config->train.weight_noise > 0 ? room : 0);
    add_item(usage, "packed weights", (double)net_panel_bytes(planned->net));
    add_item(usage, "gradients", (double)planned->survey.most_vectors * room);
    add_item(usage, "exchange",
        squares + (planned->ranks > 1 ? ((double)planned->survey.most_nodes + 1) * slice : 0));
    add_item(usage, "moments (its share)", moments * slice);
    usage->checkpoint = (double)checkpoint_estimate(planned->net, config->train.optim.optimizer);
    usage->first =
        (double)checkpoint_estimate_memory(planned->net, config->train.optim.optimizer) + moments * room;
}

static void add_passes(const struct planned *planned, struct usage *usage)
{
    const struct config *config = planned->config;
    int64_t batch = config->train.batch, sequences = planned->train->sequences;
    const struct plan_order order = sets_describe_order(config, planned->train), of_file = {.keeps_order = 1};
    size_t scores = (size_t)(batch < sequences ? batch : sequences);
    double activations = fmax((double)planned->survey.activations, (double)planned->checked.activations);
    add_item(usage, "activations of the largest microbatch", activations);
    add_item(usage, "packed microbatches", packed_bytes(planned, planned->train, &planned->survey));
    add_item(usage, "steps: order, plan, scores",
        (double)feed_count_bytes(&order, sequences, batch, planned->ranks) +
            (double)(scores * sizeof(struct net_score)));
    add_item(usage, "training set",
        (double)dataset_count_run_bytes(planned->train, is_kept(planned, planned->train)));
    if (!planned->valid)
        return;
    add_item(usage, "validation set",
        (double)dataset_count_run_bytes(planned->valid, is_kept(planned, planned->valid)));
    usage->validation = packed_bytes(planned, planned->valid, &planned->checked) +
        (double)feed_count_bytes(&of_file, planned->valid->sequences, batch, planned->ranks);
}

/* Pages of programs and libraries are in memory once for all ranks of a node. */
static void print_node(const struct planned *planned, const struct usage *usage)
{
    double nodes = (double)planned->ranks_per_node, shared = (double)usage->process.shared;
    double own = usage->rank + usage->validation - shared;
    double first = fmax(0, usage->first - usage->validation);
    double together = shared + nodes * own + first;
    struct machine_memory memory;
    char what[64];
    snprintf(what, sizeof what, "a node of %zu rank%s", planned->ranks_per_node,
        planned->ranks_per_node == 1 ? "" : "s");
    printf("memory of a node\n");
    print_bytes(what, together);
    if (machine_find_memory("", &memory))
        return;
    print_bytes("this machine has", (double)memory.bytes);
    double room = floor(((double)memory.bytes - shared - first) / own);
    printf("  (the %s) ", memory.limit);
    if (together <= (double)memory.bytes)
        printf("there is room for it\n");
    else
        printf("warning: there is no room for it, but for %.0f ranks\n", fmax(0, room));
}

void memory_print(const struct planned *planned)
{
    struct usage usage = {.rank = 0};
    double room = (double)reduce_room(net_count_parameters(planned->net));
    double blocks = ceil(room / REDUCE_BLOCK / (double)planned->ranks);
    printf("memory of a rank\n");
    add_process(planned, &usage);
    add_learner(planned, blocks * REDUCE_BLOCK * sizeof(float), &usage);
    add_passes(planned, &usage);
    print_bytes("together", usage.rank);
    if (planned->valid)
        print_bytes("besides, while validating", usage.validation);
    print_bytes("rank 0 besides, while saving", usage.first);
    print_bytes("rank 0 at most", usage.rank + fmax(usage.validation, usage.first));
    print_bytes("a checkpoint file", usage.checkpoint);
    print_node(planned, &usage);
}

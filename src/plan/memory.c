/* A run takes most of its memory at its start and in its first steps, and keeps it: some of it once for all
 * ranks of a node, in memory that they share, and some on each rank. Beside that stands what validation and
 * saving take for a while, one after the other. Sizes are asked of those who make room. */
#include "plan/memory.h"

#include "base/machine.h"
#include "base/memory.h"
#include "ckpt/checkpoint.h"
#include "comm/reduce.h"
#include "data/kept.h"
#include "pass/feed.h"
#include "pass/flow.h"
#include "run/run.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>

/* Of a process by itself, as measured with Open MPI 4.1 and 5.0. */
enum {
    PEER_BYTES = 8 << 10,          /* that it keeps for each other rank of its node */
    MESSAGES_BYTES = 120 << 10,    /* that its messages with them lie in, which they share */
    PLANNING_BYTES = 192 << 10,    /* that planning has taken here */
    LATER_FILES_BYTES = 800 << 10, /* of programs and libraries, which come into use after planning */
    FIRST_USE_BYTES = 300 << 10    /* of its own, which come into use while it saves, on rank 0 alone */
};

struct usage {
    int silent;               /* 1: items are added up, and not printed */
    double programs;          /* pages of programs and libraries, once for all processes */
    double node;              /* what a node keeps once, the programs included */
    double shared;            /* of it what lies in shared memory */
    double decoded;           /* of that the values of sets */
    double rank;              /* what every rank keeps besides */
    double validation, first; /* for a while: on every rank, on rank 0 while it saves */
    double checkpoint;        /* the file */
};

/* Returns the amount, in a unit that suits it, and how many digits tell it within half a percent. */
static double find_unit(double bytes, int *digits, const char **unit)
{
    static const char *const units[] = {"bytes", "KiB", "MiB", "GiB", "TiB", "PiB"};
    size_t u = 0;
    double amount = bytes;
    for (; amount >= 1024 && u < 5; u++)
        amount /= 1024;
    *digits = u > 2 ? 2 : u > 0;
    *unit = units[u];
    return amount;
}

static void print_bytes(const char *what, double bytes)
{
    int digits;
    const char *unit;
    double amount = find_unit(bytes, &digits, &unit);
    printf("  %-38s %10.*f %s\n", what, digits, amount, unit);
}

const char *memory_write(double bytes, char text[static MEMORY_WRITTEN])
{
    int digits;
    const char *unit;
    double amount = find_unit(bytes, &digits, &unit);
    snprintf(text, MEMORY_WRITTEN, "%.*f %s", digits, amount, unit);
    return text;
}

/* Prints an item, but none of nothing, and adds it to a sum. */
static void add_item(const struct usage *usage, double *sum, const char *what, double bytes)
{
    if (bytes > 0 && !usage->silent)
        print_bytes(what, bytes);
    *sum += bytes;
}

int planned_keeps(const struct planned *planned, const struct dataset *dataset)
{
    struct cache_share share = sets_share_cache(planned->config, dataset_count_values(planned->train));
    return dataset_count_values(dataset) <= (dataset == planned->train ? share.train : share.valid);
}

/* Of memory that ranks of a node share, where there are several; one keeps its sets for itself. */
static double shared_values(const struct planned *planned, const struct dataset *dataset)
{
    int shared = dataset && planned->survey.ranks.node > 1 && planned_keeps(planned, dataset);
    return shared ? (double)kept_count_bytes(dataset) : 0;
}

/* Of the microbatches that are packed at a time (data/reader.h). */
static double packed_bytes(
    const struct planned *planned, const struct dataset *dataset, const struct survey *survey)
{
    return (planned_keeps(planned, dataset) ? 1 : 3) * (double)survey->packed;
}

static double larger(size_t a, size_t b)
{
    return (double)(a > b ? a : b);
}

/* ---- once ---- */

/* The sequences of a step at most. */
static size_t count_batch(const struct planned *planned)
{
    int64_t batch = planned->config->train.batch, sequences = planned->train->sequences;
    return (size_t)(batch < sequences ? batch : sequences);
}

/* The vectors that a rank's sums of gradients take: those that are reserved at the start, which stay where a
 * step needs more. In a large block of memory of its own a rank takes those alone that some step touches. */
static double vectors_of_rank(const struct planned *planned)
{
    size_t length = net_count_parameters(planned->net), room = reduce_room(length) * sizeof(float);
    const struct survey *survey = &planned->survey;
    int ranks = (int)survey->ranks.all;
    size_t reserved = reduce_size(length, survey->leaves, ranks).of_rank / room;
    if (survey->vectors > reserved)
        return (double)(reserved + survey->vectors);
    struct node_size size =
        learner_count_shared(planned->net, planned->config, survey->leaves, count_batch(planned), ranks);
    int touched = survey->ranks.node == 1 && !memory_is_written(node_count_all(size, 1));
    return (double)(touched ? survey->vectors : reserved);
}

/* Of the states that sequences in pieces go on from. */
static double carried_bytes(const struct planned *planned)
{
    return planned->config->train.truncate
        ? (double)carried_count_bytes(count_batch(planned), net_count_states(planned->net))
        : 0;
}

/* Weights, and what ranks make of them together. */
static void add_shared(const struct planned *planned, struct usage *usage)
{
    const struct survey *survey = &planned->survey, *checked = &planned->checked;
    double room = (double)reduce_room(net_count_parameters(planned->net)) * sizeof(float);
    double ranks = (double)survey->ranks.node, *sum = &usage->shared;
    double teams = larger(survey->team_activations, checked->team_activations);
    add_item(usage, sum, "weights", room);
    add_item(usage, sum, "weights with noise", planned->config->train.weight_noise > 0 ? room : 0);
    add_item(usage, sum, "packed weights", (double)net_panel_bytes(planned->net));
    add_item(usage, sum, "gradients", ranks * vectors_of_rank(planned) * room);
    add_item(usage, sum, "states carried on", carried_bytes(planned));
    add_item(usage, sum, "activations of teams", teams);
    add_item(usage, sum, "meetings", (double)node_count_bytes(survey->ranks.node));
    add_item(usage, &usage->decoded, "training set, decoded", shared_values(planned, planned->train));
    add_item(usage, &usage->decoded, "validation set, decoded", shared_values(planned, planned->valid));
    *sum += usage->decoded;
}

static void add_node(const struct planned *planned, const struct machine_use *process, struct usage *usage)
{
    add_shared(planned, usage);
    usage->programs = process->files ? (double)process->files + LATER_FILES_BYTES : 0;
    usage->node = usage->shared;
    add_item(usage, &usage->node, "programs and libraries", usage->programs);
    if (planned->survey.ranks.node > 1)
        add_item(usage, &usage->node, "messages between its ranks",
            MESSAGES_BYTES * (double)planned->survey.ranks.node);
}

/* ---- on each rank ---- */

/* What the process takes without what has been opened for the plan. */
static void add_process(const struct planned *planned, const struct machine_use *process, struct usage *usage)
{
    double opened = (double)dataset_count_bytes(planned->train);
    if (planned->valid)
        opened += (double)dataset_count_bytes(planned->valid);
    if (process->own > 0)
        add_item(usage, &usage->rank, "the process: MPI, HDF5",
            fmax(0, (double)process->own - opened - PLANNING_BYTES) + (double)process->shared);
    add_item(usage, &usage->rank, "connections with ranks of its node",
        PEER_BYTES * (double)(planned->survey.ranks.node - 1));
}

/* What learning makes of the share of a rank, of so many bytes. */
static void add_learner(const struct planned *planned, double slice, struct usage *usage)
{
    const struct config *config = planned->config;
    const struct survey *survey = &planned->survey;
    double moments = (double)optim_count_moments(config->train.optim.optimizer);
    double sums = survey->nodes > 1 ? (double)survey->parts : 1; /* of other nodes, or one to collect by */
    add_item(usage, &usage->rank, "sums of other nodes", survey->ranks.all > 1 ? sums * slice : 0);
    add_item(usage, &usage->rank, "moments (its share)", moments * slice);
    usage->checkpoint = (double)checkpoint_estimate(planned->net, config->train.optim.optimizer);
    usage->checkpoint += carried_bytes(planned) / 2;
}

/* Of a set that is kept and shared, the values are counted with what the node has. */
static void add_set(
    const struct planned *planned, struct dataset *dataset, const char *name, struct usage *usage)
{
    int kept = planned_keeps(planned, dataset), shared = shared_values(planned, dataset) > 0;
    double own = kept && !shared ? (double)kept_count_bytes(dataset) : 0;
    char what[40];
    snprintf(what, sizeof what, "%s%s", name, shared ? ", offsets" : "");
    add_item(usage, &usage->rank, what, (double)dataset_count_run_bytes(dataset, kept) + own);
}

/* What measuring gradient flow takes beyond what steps take anyway; and a training set that is read from its
 * file is opened once more for that, where there is no other. */
static double flow_bytes(const struct planned *planned, double activations)
{
    const struct config *config = planned->config;
    struct dataset *set = planned->valid ? planned->valid : planned->train;
    const struct flow_task task = {
        .net = planned->net, .dataset = set, .microbatch = config->train.microbatch};
    int64_t every = config->report.gradient_flow;
    if (every == 0 || every > config->train.epochs)
        return 0;
    double again = planned->valid || planned_keeps(planned, set)
        ? 0
        : RUN_FLOW_CACHE + (double)set->sequences * (double)sizeof *set->input_offsets;
    return fmax(0, (double)flow_count_bytes(&task, (int)planned->ranks.all) - activations) + again;
}

/* Saving takes its memory from that of passes first, which nobody needs meanwhile. */
static void add_saving(const struct planned *planned, double passes, struct usage *usage)
{
    size_t bytes = run_count_saving(
        planned->net, planned->config->train.optim.optimizer, (size_t)carried_bytes(planned));
    size_t lent = memory_give_back(NULL, (size_t)passes, run_count_lent(bytes));
    usage->first = (double)bytes - (double)lent + FIRST_USE_BYTES;
}

static void add_passes(const struct planned *planned, struct usage *usage)
{
    const struct config *config = planned->config;
    int64_t batch = config->train.batch, sequences = planned->train->sequences;
    const struct plan_order order = sets_describe_order(config, planned->train), of_file = {.keeps_order = 1};
    double activations = fmax((double)planned->survey.activations, (double)planned->checked.activations);
    double flow = flow_bytes(planned, activations);
    add_item(usage, &usage->rank, "activations of the largest microbatch", activations);
    add_item(usage, &usage->rank, "besides, for gradient flow", flow);
    add_saving(planned, activations + flow, usage);
    add_item(
        usage, &usage->rank, "packed microbatches", packed_bytes(planned, planned->train, &planned->survey));
    add_item(usage, &usage->rank, "steps: order, plan, scores",
        (double)feed_count_bytes(&order, sequences, batch, planned->ranks.all) +
            (double)(count_batch(planned) * sizeof(struct net_score)));
    add_set(planned, planned->train, "training set", usage);
    if (!planned->valid)
        return;
    add_set(planned, planned->valid, "validation set", usage);
    usage->validation = packed_bytes(planned, planned->valid, &planned->checked) +
        (double)feed_count_bytes(&of_file, planned->valid->sequences, batch, planned->ranks.all);
}

/* ---- all ---- */

/* Where nodes have one rank, nothing lies in shared memory. What is reserved there is taken at once. */
static void print_shared_memory(const struct planned *planned, const struct usage *usage)
{
    size_t room;
    if (planned->survey.ranks.node == 1)
        return;
    print_bytes("of it in /dev/shm", usage->shared);
    if (machine_find_shared_memory(&room))
        return;
    print_bytes("/dev/shm of this machine has free", (double)room);
    if (usage->shared - usage->decoded > (double)room)
        printf("  warning: ranks of a node will keep weights and gradients of their own, and form no teams: "
               "a larger /dev/shm would help\n");
    else if (usage->shared > (double)room)
        printf("  warning: each rank of a node will keep decoded data of its own: a larger /dev/shm would "
               "help\n");
}

/* What a node takes at most. */
static double count_node(const struct planned *planned, const struct usage *usage)
{
    double own = usage->rank + usage->validation, first = fmax(0, usage->first - usage->validation);
    return usage->node + (double)planned->survey.ranks.node * own + first;
}

/* What a rank keeps: what lies in memory of the node is its own where it is there alone. */
static double count_rank(const struct planned *planned, const struct usage *usage)
{
    return usage->rank + (planned->survey.ranks.node == 1 ? usage->shared : 0);
}

static void print_node(const struct planned *planned, const struct usage *usage)
{
    size_t ranks = planned->survey.ranks.node;
    double own = usage->rank + usage->validation, together = count_node(planned, usage);
    struct machine_memory memory;
    char what[64];
    snprintf(what, sizeof what, "a node of %zu rank%s", ranks, ranks == 1 ? "" : "s");
    printf("memory of a node\n");
    print_bytes(what, together);
    print_shared_memory(planned, usage);
    if (machine_find_memory("", &memory))
        return;
    print_bytes("this machine has", (double)memory.bytes);
    double of_rank = own +
        vectors_of_rank(planned) * (double)reduce_room(net_count_parameters(planned->net)) * sizeof(float);
    double excess = together - (double)memory.bytes;
    printf("  (the %s) ", memory.limit);
    if (excess <= 0)
        printf("there is room for it\n");
    else
        printf("warning: there is no room for it, but for %.0f ranks\n",
            fmax(0, (double)ranks - ceil(excess / of_rank)));
}

static void add_ranks(const struct planned *planned, const struct machine_use *process, struct usage *usage)
{
    double room = (double)reduce_room(net_count_parameters(planned->net));
    double blocks = ceil(room / REDUCE_BLOCK / (double)planned->ranks.all);
    add_process(planned, process, usage);
    add_learner(planned, blocks * REDUCE_BLOCK * sizeof(float), usage);
    add_passes(planned, usage);
}

struct memory_need memory_count(const struct planned *planned)
{
    struct usage usage = {.silent = 1};
    struct machine_use process = {0};
    machine_read_use(&process);
    add_node(planned, &process, &usage);
    add_ranks(planned, &process, &usage);
    double rank = count_rank(planned, &usage);
    return (struct memory_need){.rank = rank,
        .most = rank + fmax(usage.validation, usage.first),
        .node = count_node(planned, &usage)};
}

void memory_print(const struct planned *planned)
{
    struct usage usage = {.rank = 0};
    struct machine_use process = {0};
    machine_read_use(&process); /* else there is nothing to tell of it */
    printf("memory of a node, once\n");
    add_node(planned, &process, &usage);
    print_bytes("together", usage.node);
    printf("memory of each of its ranks\n");
    add_ranks(planned, &process, &usage);
    print_bytes("together", usage.rank);
    if (planned->valid)
        print_bytes("besides, while validating", usage.validation);
    print_bytes("rank 0 besides, while saving", usage.first);
    double own = count_rank(planned, &usage);
    print_bytes("rank 0 at most", own + fmax(usage.validation, usage.first));
    if (planned->ranks.all > 1)
        print_bytes("another rank at most", own + usage.validation);
    print_bytes("a checkpoint file", usage.checkpoint);
    print_node(planned, &usage);
}

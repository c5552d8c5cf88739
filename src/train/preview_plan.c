/* The plan of the first epoch is made as a run makes it and looked at: how evenly frames fall on ranks, and
 * what the largest grain and the largest range of leaves need. */
#include "train/preview.h"

#include "base/memory.h"
#include "ckpt/checkpoint.h"
#include "comm/reduce.h"
#include "data/dataset.h"
#include "data/plan.h"
#include "train/idle.h"
#include "train/model.h"

#include <inttypes.h>
#include <stdio.h>

/* A grain with fewer frames spends more time adding its gradient than computing it. */
enum { SMALL_GRAIN = 256 };

struct survey {
    int64_t steps, grains, small_grains;
    size_t most_vectors, most_nodes; /* gradients of a rank; node sums of all ranks */
    size_t most_frames, most_rows;   /* of a grain: frames, sequences */
    double balance;                  /* mean over steps of: frames of the average rank / of the busiest */
};

static void survey_step(struct survey *survey, const struct plan_step *step, size_t ranks, size_t *ranges)
{
    size_t nodes = 0;
    int64_t total = 0, busiest = 0;
    struct tree_node list[TREE_MOST_NODES];
    plan_cut(step, ranks, ranges);
    for (size_t r = 0; r < ranks; r++) {
        int64_t frames = 0;
        for (size_t leaf = ranges[r]; leaf < ranges[r + 1]; leaf++) {
            size_t rows = step->start[leaf + 1] - step->start[leaf];
            frames += step->frames[leaf];
            survey->small_grains += step->frames[leaf] < SMALL_GRAIN;
            if ((size_t)step->frames[leaf] > survey->most_frames)
                survey->most_frames = (size_t)step->frames[leaf];
            if (rows > survey->most_rows)
                survey->most_rows = rows;
        }
        size_t vectors = tree_count_vectors(step->leaves, ranges[r], ranges[r + 1]);
        if (vectors > survey->most_vectors)
            survey->most_vectors = vectors;
        nodes += tree_list_nodes(step->leaves, ranges[r], ranges[r + 1], list);
        total += frames;
        if (frames > busiest)
            busiest = frames;
    }
    survey->grains += (int64_t)step->leaves;
    if (nodes > survey->most_nodes)
        survey->most_nodes = nodes;
    survey->balance += (double)total / (double)ranks / (double)busiest;
}

static int survey_epoch(const struct config *config, const struct dataset *dataset, size_t ranks,
    struct survey *survey, struct error *error)
{
    struct plan plan = {0};
    struct plan_step step = {0};
    *survey = (struct survey){0};
    int32_t *length = memory_create((size_t)dataset->sequences, sizeof *length, error);
    size_t *ranges = memory_create(ranks + 1, sizeof *ranges, error);
    int failed = !length || !ranges;
    for (int64_t s = 0; s < dataset->sequences && !failed; s++)
        length[s] = dataset_length(dataset, s);
    failed = failed ||
        plan_init(&plan, dataset->sequences, length, config->train.batch, config->train.grain,
            config->train.seed, error);
    if (!failed) {
        survey->steps = plan.steps;
        plan_set_epoch(&plan, 1);
    }
    for (int64_t s = 0; s < survey->steps && !failed; s++) {
        failed = plan_make_step(&plan, s, &step, error);
        if (!failed)
            survey_step(survey, &step, ranks, ranges);
    }
    survey->balance /= survey->steps ? (double)survey->steps : 1;
    plan_step_finish(&step);
    plan_finish(&plan);
    memory_destroy(length);
    memory_destroy(ranges);
    return failed ? -1 : 0;
}

static void print_bytes(const char *what, double bytes)
{
    static const char *const units[] = {"bytes", "KiB", "MiB", "GiB", "TiB"};
    size_t unit = 0;
    double amount = bytes;
    for (; amount >= 1024 && unit < 4; unit++)
        amount /= 1024;
    printf("  %-34s %10.*f %s\n", what, unit ? 1 : 0, amount, units[unit]);
}

/* What a set takes of this rank's memory: decoded values or cache, offsets, lengths, the order of an epoch.
 */
static double set_bytes(const struct dataset *dataset, double cache)
{
    double width = dataset->symbols ? 1 : (double)dataset->features;
    double targets = (double)dataset->targets * (dataset->classes ? 1 : (double)dataset->values);
    double decoded = sizeof(float) * ((double)dataset->frames * width + targets);
    return (decoded < cache ? decoded : cache) + (double)dataset->sequences * (2 * 8 + 4 + 8);
}

/* Items in the order of the README's promise on memory; returns nothing: it prints. */
static void print_memory(const struct config *config, const struct dataset *train,
    const struct dataset *valid, const struct net *net, const struct survey *survey, size_t ranks)
{
    double room = (double)reduce_room(net_count_parameters(net)) * sizeof(float);
    double blocks = room / sizeof(float) / REDUCE_BLOCK;
    double slice =
        (double)(int64_t)((blocks + (double)ranks - 1) / (double)ranks) * REDUCE_BLOCK * sizeof(float);
    size_t moments = optim_count_moments(config->train.optim.optimizer);
    double exchange = ranks > 1 ? ((double)survey->most_nodes + 1) * slice : 0;
    double packed = (double)survey->most_frames * sizeof(float) *
        (double)((train->symbols ? 1 : grain_stride(train->features)) +
            (train->classes ? 1 : grain_stride(train->values)));
    int kept = set_bytes(train, 1e300) <= (double)config->data.cache;
    double sum = 0,
           items[] = {room, config->train.weight_noise > 0 ? room : 0, (double)net_panel_bytes(net),
               (double)survey->most_vectors * room, exchange, (double)moments * slice,
               (double)net_workspace_bytes(net, survey->most_rows, survey->most_frames),
               packed * (kept ? 1 : 3), set_bytes(train, (double)config->data.cache),
               valid ? set_bytes(valid, (double)config->data.cache) : 0};
    enum { NOISE = 1 };
    static const char *const names[] = {"weights", "weights with noise", "packed weights", "gradients",
        "exchange", "moments (its share)", "activations of the largest grain", "packed grains",
        "training set", "validation set"};
    printf("memory of a rank\n");
    for (size_t i = 0; i < sizeof items / sizeof *items; i++) {
        if (i != NOISE || items[i] > 0)
            print_bytes(names[i], items[i]);
        sum += items[i];
    }
    print_bytes("together", sum);
    double checkpoint = (double)checkpoint_estimate(net, config->train.optim.optimizer);
    print_bytes("rank 0 besides, while saving", checkpoint + (double)moments * room);
    print_bytes("a checkpoint file", checkpoint);
}

static void print_sizes(const char *what, size_t n, const size_t *sizes)
{
    if (n)
        printf("  %s layers:", what);
    for (size_t k = 0; k < n; k++)
        printf(" %zu%s", sizes[k], k + 1 < n ? "" : " units\n");
}

static void print_network(const struct net *net, int verbose)
{
    const struct net_config *model = net_get_config(net);
    size_t parameters;
    const struct parameter *parameter = net_get_parameters(net, &parameters);
    printf("network\n  %zu %s in, %s, %zu out (%s, %s)\n", model->inputs,
        model->symbols ? "symbols" : "features", cell_names[model->cell], model->outputs,
        output_names[model->output], loss_names[model->loss]);
    print_sizes("input", model->input_layers, model->input_size);
    for (size_t l = 0; l < model->layers; l++)
        printf("  layer %zu: %zu units%s\n", l, model->hidden[l],
            model->bidirectional[l] ? " in each direction" : "");
    if (model->output == OUTPUT_DECODER)
        printf("  decoder: %zu layer%s of %zu units, attention %s\n", model->decoder_layers,
            model->decoder_layers == 1 ? "" : "s", model->decoder_hidden, attention_names[model->attention]);
    print_sizes("output", model->output_layers, model->output_size);
    printf("  %zu parameters in %zu tensors\n", net_count_parameters(net), parameters);
    for (size_t i = 0; i < parameters && verbose; i++)
        if (parameter[i].dimensions == 2)
            printf("    %-28s [%zu, %zu]\n", parameter[i].name, parameter[i].size[0], parameter[i].size[1]);
        else
            printf("    %-28s [%zu]\n", parameter[i].name, parameter[i].size[0]);
}

static void print_steps(
    const struct config *config, int64_t sequences, const struct survey *survey, size_t ranks)
{
    printf("steps\n  %" PRId64 " of up to %" PRId64 " sequences an epoch, %" PRId64 " in %" PRId64
           " epochs, in grains of %" PRId64 "\n",
        survey->steps, config->train.batch, survey->steps * config->train.epochs, config->train.epochs,
        config->train.grain);
    printf("  %zu ranks: the average one has %.1f %% of the busiest one's frames\n", ranks,
        100 * survey->balance);
    char idle[256];
    if (idle_describe(sequences, config->train.batch, config->train.grain, (int64_t)ranks, idle, sizeof idle))
        printf("  warning: %s\n", idle);
    if (2 * survey->small_grains > survey->grains)
        printf("  warning: %" PRId64 " of %" PRId64 " grains have fewer than %d frames: adding their "
               "gradients may take longer than computing them: a "
               "larger train.grain helps\n",
            survey->small_grains, survey->grains, SMALL_GRAIN);
}

static void print_set(const char *what, const struct dataset *dataset)
{
    printf("%s\n  %s\n  %" PRId64 " sequences, %" PRId64 " frames, the longest %" PRId32 "\n", what,
        dataset->path, dataset->sequences, dataset->frames, dataset->longest);
}

int preview_plan(const struct config *config, size_t ranks, int verbose, struct error *error)
{
    struct net_config model = config->model;
    struct dataset *train = dataset_open(config->data.train, 0, error), *valid = NULL;
    struct net *net = NULL;
    struct survey survey;
    int failed = !train || model_bind(&model, train, error);
    if (!failed && config->data.valid) {
        valid = dataset_open(config->data.valid, 0, error);
        failed = !valid || model_accepts(&model, valid, 1, error);
    }
    if (!failed)
        net = net_create(&model, error);
    failed = failed || !net || survey_epoch(config, train, ranks, &survey, error);
    if (!failed) {
        print_set("training set", train);
        if (valid)
            print_set("validation set", valid);
        print_network(net, verbose);
        print_steps(config, train->sequences, &survey, ranks);
        print_memory(config, train, valid, net, &survey, ranks);
    }
    net_destroy(net);
    dataset_close(train);
    dataset_close(valid);
    return failed ? -1 : 0;
}

/* The plan of the first epoch is made as a run makes it and looked at (plan/survey.h), and what the run will
 * take of time and memory is told. */
#include "plan/preview.h"

#include "ckpt/checkpoint.h"
#include "comm/reduce.h"
#include "data/dataset.h"
#include "net/outputs/output.h"
#include "pass/idle.h"
#include "pass/model.h"
#include "pass/reach.h"
#include "plan/survey.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

static void print_bytes(const char *what, double bytes)
{
    static const char *const units[] = {"bytes", "KiB", "MiB", "GiB", "TiB"};
    size_t unit = 0;
    double amount = bytes;
    for (; amount >= 1024 && unit < 4; unit++)
        amount /= 1024;
    printf("  %-34s %10.*f %s\n", what, unit ? 1 : 0, amount, units[unit]);
}

/* Returns what a set takes of this rank's memory: decoded values or cache, offsets, lengths, and the order of
 * an epoch. */
static double set_bytes(const struct dataset *dataset, double cache)
{
    double width = dataset->symbols ? 1 : (double)dataset->features;
    double targets = (double)dataset->targets * (dataset->classes ? 1 : (double)dataset->values);
    double decoded = sizeof(float) * ((double)dataset->frames * width + targets);
    return (decoded < cache ? decoded : cache) + (double)dataset->sequences * (2 * 8 + 4 + 8);
}

/* Counts the microbatches that are packed at a time (data/reader.h). */
static double count_slots(const struct config *config, const struct dataset *dataset)
{
    return set_bytes(dataset, 1e300) <= (double)config->data.cache ? 1 : 3;
}

/* Prints items in the order of the README's promise on memory. `checked` is the survey of the validation set.
 */
static void print_memory(const struct config *config, const struct dataset *train,
    const struct dataset *valid, const struct net *net, const struct survey *survey,
    const struct survey *checked, size_t ranks)
{
    double room = (double)reduce_room(net_count_parameters(net)) * sizeof(float);
    double blocks = room / sizeof(float) / REDUCE_BLOCK;
    double slice =
        (double)(int64_t)((blocks + (double)ranks - 1) / (double)ranks) * REDUCE_BLOCK * sizeof(float);
    size_t moments = optim_count_moments(config->train.optim.optimizer);
    double exchange = ranks > 1 ? ((double)survey->most_nodes + 1) * slice : 0;
    double packed = count_slots(config, train) * (double)survey->packed;
    double activations = (double)survey->activations;
    if (valid) {
        packed += count_slots(config, valid) * (double)checked->packed;
        activations = fmax(activations, (double)checked->activations);
    }
    double sum = 0,
           items[] = {room, config->train.weight_noise > 0 ? room : 0, (double)net_panel_bytes(net),
               (double)survey->most_vectors * room, exchange, (double)moments * slice, activations, packed,
               set_bytes(train, (double)config->data.cache),
               valid ? set_bytes(valid, (double)config->data.cache) : 0};
    enum { NOISE = 1 };
    static const char *const names[] = {"weights", "weights with noise", "packed weights", "gradients",
        "exchange", "moments (its share)", "activations of the largest microbatch", "packed microbatches",
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
        output_of(model)->name, loss_of(model)->name);
    print_sizes("input", model->input_layers, model->input_size);
    for (size_t l = 0; l < model->layers; l++)
        printf("  layer %zu: %zu units%s\n", l, model->hidden[l],
            model->bidirectional[l] ? " in each direction" : "");
    if (output_of(model)->has_decoder)
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
           " epochs, in microbatches of %" PRId64 "\n",
        survey->steps, config->train.batch, survey->steps * config->train.epochs, config->train.epochs,
        config->train.microbatch);
    printf("  %zu ranks: the average one has %.1f %% of the busiest one's frames\n", ranks,
        100 * survey->balance);
    char idle[300];
    if (idle_describe(
            sequences, config->train.batch, config->train.microbatch, (int64_t)ranks, idle, sizeof idle))
        printf("  warning: %s\n", idle);
    if (reach_describe(config, sequences, idle, sizeof idle))
        printf("  warning: %s\n", idle);
    if (2 * survey->small_microbatches > survey->microbatches)
        printf("  warning: %" PRId64 " of %" PRId64 " microbatches have fewer than %d frames: adding their "
               "gradients may take longer than computing them: a "
               "larger train.microbatch helps\n",
            survey->small_microbatches, survey->microbatches, SURVEY_SMALL_MICROBATCH);
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
    struct survey survey = {0}, checked = {0};
    int failed = !train || model_bind(&model, train, error);
    if (!failed && config->data.valid) {
        valid = dataset_open(config->data.valid, 0, error);
        failed = !valid || model_accepts(&model, valid, 1, error);
    }
    if (!failed)
        net = net_describe(&model, error);
    failed = failed || !net || survey_make(config, net, train, 1, ranks, &survey, error) ||
        (valid && survey_make(config, net, valid, 0, ranks, &checked, error));
    if (!failed) {
        print_set("training set", train);
        if (valid)
            print_set("validation set", valid);
        print_network(net, verbose);
        print_steps(config, train->sequences, &survey, ranks);
        print_memory(config, train, valid, net, &survey, &checked, ranks);
    }
    net_destroy(net);
    dataset_close(train);
    dataset_close(valid);
    return failed ? -1 : 0;
}

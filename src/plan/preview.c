/* The plan of the first epoch is made as a run makes it and looked at (plan/survey.h), and what the run will
 * take of time and memory is told. */
#include "plan/preview.h"

#include "base/memory.h"
#include "ckpt/directory.h"
#include "ckpt/place.h"
#include "config/ini.h"
#include "data/dataset.h"
#include "net/outputs/output.h"
#include "pass/activations.h"
#include "pass/idle.h"
#include "pass/model.h"
#include "pass/reach.h"
#include "pass/truncation.h"
#include "pass/tuning.h"
#include "plan/budgets.h"
#include "plan/decoding.h"
#include "plan/memory.h"
#include "plan/prediction.h"
#include "plan/survey.h"
#include "run/from_weights.h"
#include "run/sets.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>

static void print_sizes(const char *what, size_t n, const size_t *sizes)
{
    if (n)
        printf("  %s layers:", what);
    for (size_t k = 0; k < n; k++)
        printf(" %zu%s", sizes[k], k + 1 < n ? "" : " units\n");
}

static void print_head(const struct planned *planned)
{
    char names[FROM_WEIGHTS_NAMES], warning[FROM_WEIGHTS_WARNING];
    from_weights_list(planned->net, planned->head, 0, names);
    printf("  with --new-head these begin afresh: %s\n", names);
    if (from_weights_describe_frozen(planned->net, planned->head, warning))
        printf("  warning: %s\n", warning);
}

/* How each is trained is said where they are not all trained alike. */
static void print_parameters(const struct planned *planned, int verbose)
{
    size_t n, trained = net_count_trained(planned->net), all = net_count_parameters(planned->net);
    const struct parameter *parameter = net_get_parameters(planned->net, &n);
    printf("  %zu parameters in %zu tensors", all, n);
    if (trained < all)
        printf(", of which %zu are trained and %zu frozen", trained, all - trained);
    putchar('\n');
    if (planned->head)
        print_head(planned);
    for (size_t i = 0; i < n && verbose; i++) {
        const char *fresh = planned->head && planned->head[i] ? ", afresh" : "";
        char shape[48], rate[48] = "";
        if (parameter[i].dimensions == 2)
            snprintf(shape, sizeof shape, "[%zu, %zu]", parameter[i].size[0], parameter[i].size[1]);
        else
            snprintf(shape, sizeof shape, "[%zu]", parameter[i].size[0]);
        if (parameter[i].frozen)
            snprintf(rate, sizeof rate, ", frozen");
        else if (planned->factor[i] != 1)
            snprintf(rate, sizeof rate, ", %g times the rate", planned->factor[i]);
        printf("    %-28s %s%s%s\n", parameter[i].name, shape, rate, fresh);
    }
}

static void print_network(const struct planned *planned, int verbose)
{
    const struct net *net = planned->net;
    const struct net_config *model = net_get_config(net);
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
    print_parameters(planned, verbose);
}

/* How a team of so many ranks shares the recurrent layers among its members, by runs of layers alike. */
static void print_sharing(const struct net *net, size_t members)
{
    static const char *const words[] = {
        [NET_ALONE] = "one of them all, while the others wait",
        [NET_BY_DIRECTIONS] = "a direction each, meeting once a layer",
        [NET_BY_UNITS] = "a share of the units each, meeting at each time step",
        [NET_BY_BOTH] = "half of them a direction, a share of its units each, meeting at each time step",
    };
    size_t layers = net_get_config(net)->layers;
    for (size_t l = 0, end; l < layers; l = end) {
        enum net_sharing sharing = net_find_sharing(net, l, members);
        for (end = l + 1; end < layers && net_find_sharing(net, end, members) == sharing;)
            end++;
        printf("    teams of %zu, layer%s %zu", members, end > l + 1 ? "s" : "", l);
        if (end > l + 1)
            printf(" to %zu", end - 1);
        printf(": %s\n", words[sharing]);
    }
}

/* Where a step has fewer microbatches than there are ranks. */
static void print_teams(const struct net *net, const struct survey *survey, const char *what)
{
    if (survey->team_steps == 0)
        return;
    printf("  %" PRId64 " of %" PRId64 " %s have fewer microbatches (from %zu) than the %zu ranks: ",
        survey->team_steps, survey->steps, what, survey->fewest, survey->ranks.all);
    if (survey->least == survey->most)
        printf("teams of %zu ranks of a node compute one together\n", survey->most);
    else
        printf("teams of %zu to %zu ranks of a node compute one together\n", survey->least, survey->most);
    for (size_t members = survey->least; members <= survey->most; members++)
        if (members > 1 && (members <= survey->least + 1 || members == survey->most))
            print_sharing(net, members);
    if (survey->idle)
        printf("    up to %zu ranks have nothing to do\n", survey->idle);
}

/* Each split node of the tree is one vector more on the network (comm/reduce.c). */
static void print_exchange(const struct survey *survey)
{
    if (survey->nodes == 1)
        return;
    printf(
        "  %zu nodes of up to %zu ranks: up to %zu nodes of the tree of sums are split between them, so that "
        "all together send %zu times the gradient a step\n",
        survey->nodes, survey->ranks.node, survey->parts - 1, survey->parts + survey->nodes - 2);
}

static void print_warnings(const struct planned *planned)
{
    const struct survey *survey = &planned->survey;
    const struct config *config = planned->config;
    int64_t sequences = planned->train->sequences;
    char text[400];
    if (idle_describe(sequences, config->train.batch, config->train.microbatch, (int64_t)planned->ranks.all,
            (int64_t)net_count_employed(planned->net), text, sizeof text))
        printf("  warning: %s\n", text);
    if (reach_describe(config, survey->steps * config->train.epochs, text, sizeof text))
        printf("  warning: %s\n", text);
    if (truncation_describe(config, planned->train->longest, text, sizeof text))
        printf("  warning: %s\n", text);
    if (2 * survey->small_microbatches > survey->microbatches)
        printf("  warning: %" PRId64 " of %" PRId64 " microbatches have fewer than %d frames: adding their "
               "gradients may take longer than computing them: a "
               "larger train.microbatch helps\n",
            survey->small_microbatches, survey->microbatches, SURVEY_SMALL_MICROBATCH);
}

static void print_steps(const struct planned *planned)
{
    const struct survey *survey = &planned->survey;
    const struct config *config = planned->config;
    printf("steps\n  %" PRId64 " of up to %" PRId64 " sequences an epoch, %" PRId64 " in %" PRId64
           " epochs, in microbatches of %" PRId64 "\n",
        survey->steps, config->train.batch, survey->steps * config->train.epochs, config->train.epochs,
        config->train.microbatch);
    if (config->train.truncate)
        printf("  in pieces of %" PRId64
               " frames, each a step; later epochs, in other orders, may have more or "
               "fewer\n",
            config->train.truncate);
    printf("  %zu ranks: the average one has %.1f %% of the busiest one's frames\n", planned->ranks.all,
        100 * survey->balance);
    print_teams(planned->net, survey, "steps");
    if (planned->valid)
        print_teams(planned->net, &planned->checked, "batches of validation");
    print_exchange(survey);
    print_warnings(planned);
}

static void print_set(const char *what, const struct dataset *dataset)
{
    printf("%s\n  %s\n  %" PRId64 " sequences, %" PRId64 " frames, the longest %" PRId32 "\n", what,
        dataset->name, dataset->sequences, dataset->frames, dataset->longest);
}

/* Prints how often each rank decompresses the chunks of the training set, where it does. */
static int print_decoding(const struct planned *planned, struct error *error)
{
    struct decoding decoding;
    char text[900];
    if (decoding_survey(planned->config, planned->train, planned->ranks.all, &decoding, error))
        return -1;
    if (decoding.inputs > 0)
        printf("  each rank decompresses a chunk of inputs %.3g times an epoch\n", decoding.inputs);
    if (decoding.targets > 0)
        printf("  each rank decompresses a chunk of targets %.3g times an epoch\n", decoding.targets);
    int advised = decoding_advise(
        planned->config, planned->train, planned->ranks.all, &decoding, text, sizeof text, error);
    if (advised > 0)
        printf("  warning: %s\n", text);
    return advised < 0 ? -1 : 0;
}

/* Makes a set ready to be read as the run reads it, where the run does not keep it. */
static int prepare_set(
    const struct planned *planned, struct dataset *dataset, size_t cache, struct error *error)
{
    return dataset_read_as_asked(dataset, planned_keeps(planned, dataset) ? 0 : cache, error);
}

static int open_sets(struct planned *planned, struct net_config *model, struct error *error)
{
    const struct config *config = planned->config;
    planned->train = dataset_look(config->data.train, error);
    if (!planned->train)
        return -1;
    struct cache_share share = sets_share_cache(config, dataset_count_values(planned->train));
    if (prepare_set(planned, planned->train, share.train, error) ||
        model_bind(model, planned->train, error) || sets_require_window(config, planned->train, error))
        return -1;
    if (!config->data.valid)
        return 0;
    planned->valid = dataset_look(config->data.valid, error);
    if (!planned->valid || prepare_set(planned, planned->valid, share.valid, error))
        return -1;
    return model_accepts(model, planned->valid, 1, error);
}

/* Opens and surveys what a plan is made of. finish_plan is due in any case. */
static int make_plan(const struct config *config, const struct planned_ranks *ranks, struct planned *planned,
    struct error *error)
{
    struct net_config model = config->model;
    *planned = (struct planned){.config = config, .ranks = *ranks};
    if (open_sets(planned, &model, error))
        return -1;
    planned->net = net_describe(&model, error);
    planned->factor = planned->net ? tuning_create(config, planned->net, error) : NULL;
    if (!planned->factor || activations_require(config, planned->net, planned->train, 1, error) ||
        survey_make(config, planned->net, planned->train, 1, ranks, &planned->survey, error))
        return -1;
    if (planned->valid &&
        (activations_require(config, planned->net, planned->valid, 0, error) ||
            survey_make(config, planned->net, planned->valid, 0, ranks, &planned->checked, error)))
        return -1;
    return 0;
}

/* Holds the checkpoint of --init to the network of the plan. */
static int check_initial(struct planned *planned, const struct train_options *options, struct error *error)
{
    struct checkpoint checkpoint;
    if (!options->init)
        return 0;
    if (from_weights_find_head(options, planned->net, &planned->head, error))
        return -1;
    checkpoint_init(&checkpoint);
    int failed = from_weights_read(options, planned->net, planned->head, &checkpoint, error);
    checkpoint_finish(&checkpoint);
    return failed;
}

static void finish_plan(struct planned *planned)
{
    memory_destroy(planned->head);
    net_destroy(planned->net);
    memory_destroy(planned->factor);
    dataset_close(planned->train);
    dataset_close(planned->valid);
}

static int print_plan(const struct planned *planned, int verbose, struct error *error)
{
    print_set("training set", planned->train);
    if (print_decoding(planned, error))
        return -1;
    if (planned->valid)
        print_set("validation set", planned->valid);
    print_network(planned, verbose);
    print_steps(planned);
    memory_print(planned);
    return budgets_print(planned, error);
}

int preview_plan(const struct config *config, const struct planned_ranks *ranks,
    const struct train_options *options, struct error *error)
{
    struct planned planned;
    struct constants constants;
    if (options->machine && constants_read(&constants, options->machine, error))
        return -1;
    int failed = make_plan(config, ranks, &planned, error) || check_initial(&planned, options, error) ||
        print_plan(&planned, options->verbosity > 0, error);
    if (!failed && options->machine)
        prediction_print(&planned, &constants, options->machine);
    finish_plan(&planned);
    return failed ? -1 : 0;
}

int preview_memory(const struct config *config, const struct planned_ranks *ranks, struct memory_need *need,
    struct error *error)
{
    struct planned planned;
    int failed = make_plan(config, ranks, &planned, error);
    if (!failed)
        *need = memory_count(&planned);
    finish_plan(&planned);
    return failed ? -1 : 0;
}

void preview_take_run(const char *directory, struct config *config)
{
    char path[PATH_MAX + 16];
    struct error error;
    snprintf(path, sizeof path, "%s/config.ini", directory);
    int goes_on = place_look(directory) == PLACE_RUN && directory_has_step(directory);
    char *text = goes_on ? ini_load(path, &error) : NULL;
    if (text)
        config_inherit(config, text, NULL);
    memory_destroy(text);
}

#include "plan/preview.h"

#include "base/memory.h"
#include "ckpt/status.h"
#include "data/names.h"
#include "net/losses/loss.h"
#include "pass/activations.h"
#include "pass/model.h"
#include "pass/names.h"
#include "pass/reach.h"
#include "pass/scale.h"
#include "pass/truncation.h"
#include "pass/tuning.h"
#include "plan/decoding.h"
#include "run/from_weights.h"
#include "run/records.h"
#include "run/run.h"
#include "run/same_data.h"
#include "run/sets.h"

#include <stdio.h>

/* The sets of a configuration on their way through the checks. */
struct checking {
    const struct config *config;
    const struct train_options *options;
    const char *directory;   /* of the run */
    struct net_config model; /* completed by the training set; without outputs where that was no good */
    struct net_names names;  /* of the training set, and then of the network */
    int begins;              /* 1: there is no checkpoint of the run's own to go on from */
    struct faults *faults;
};

static void add_error(struct checking *checking, const struct error *error)
{
    faults_add(checking->faults, (enum exit_code)error->code, "%s", error->text);
}

static void warn_training(struct checking *checking, struct dataset *dataset)
{
    char text[900];
    size_t bad;
    int64_t steps;
    struct error error = {0};
    if (run_guess_steps(checking->config, dataset, &steps, &error)) {
        add_error(checking, &error);
        return;
    }
    if (reach_describe(checking->config, steps, text, sizeof text))
        faults_warn(checking->faults, "%s", text);
    if (truncation_describe(checking->config, dataset->longest, text, sizeof text))
        faults_warn(checking->faults, "%s", text);
    if (checking->config->data.standardize)
        return;
    if (scale_describe(dataset, &bad, text, sizeof text, &error))
        add_error(checking, &error);
    else if (bad)
        faults_warn(checking->faults, "%s", text);
}

static void warn_skipped(void *context, const char *text)
{
    faults_warn(context, "%s", text);
}

/* Compares names as the run will, where it goes on from a checkpoint. */
static int check_start(struct checking *checking, const char *path, struct error *error)
{
    const struct train_options *options = checking->options;
    const struct named_set set = {path, &checking->names};
    struct own own = {.directory = checking->directory, .warn = warn_skipped, .context = checking->faults};
    struct checkpoint checkpoint;
    if (records_check_place(checking->directory, options, error))
        return -1;
    checkpoint_init(&checkpoint);
    status_find_run(&own);
    int found = rundir_load_newest(&own, &checkpoint, error), failed = found < 0;
    if (found > 0)
        failed = same_data_names(&set, checking->directory, &checkpoint, options->accept_changed_data, error);
    checking->begins = found == 0;
    checkpoint_finish(&checkpoint);
    own_finish(&own);
    return failed ? -1 : 0;
}

/* The names of the training set are held to those of a checkpoint, and these to the validation set. */
static void check_names(struct checking *checking, struct dataset *dataset, int training)
{
    struct error error = {0};
    int failed = training ? dataset_read_names(dataset, &checking->names, &error) ||
            check_start(checking, dataset->name, &error)
                          : names_check(&checking->names, dataset, &error);
    if (failed)
        add_error(checking, &error);
}

/* Holds the checkpoint that --init names to the network and to the names of the training set. */
static void check_initial(struct checking *checking, const struct net *net, const char *path)
{
    const struct train_options *options = checking->options;
    const struct named_set set = {path, &checking->names};
    char warning[FROM_WEIGHTS_WARNING];
    struct error error = {0};
    struct checkpoint checkpoint;
    unsigned char *head;
    checkpoint_init(&checkpoint);
    if (from_weights_find_head(options, net, &head, &error) ||
        from_weights_read(options, net, head, &checkpoint, &error))
        add_error(checking, &error);
    else
        from_weights_warn_names(options, &set, &checkpoint);
    if (head && from_weights_describe_frozen(net, head, warning))
        faults_warn(checking->faults, "%s", warning);
    checkpoint_finish(&checkpoint);
    memory_destroy(head);
}

/* What is asked of single parameters, and what a pass of training or validation takes. */
static void check_network(
    struct checking *checking, const struct net_config *model, const struct dataset *dataset, int training)
{
    struct error error = {0};
    struct net *net = net_describe(model, &error);
    double *factor = net && training ? tuning_create(checking->config, net, &error) : NULL;
    if (!net || (training && !factor) ||
        activations_require(checking->config, net, dataset, training, &error))
        add_error(checking, &error);
    if (net && training && checking->begins && checking->options->init)
        check_initial(checking, net, dataset->name);
    memory_destroy(factor);
    net_destroy(net);
}

/* Checks how a set without a fault of its own goes with the model. Where the training set was no good, the
 * validation set is held to what the configuration says of a training set: a fault that both have is told of
 * both. */
static void check_fit(struct checking *checking, struct dataset *dataset, int training)
{
    struct error error = {0};
    struct net_config alone = checking->model, *model = training ? &checking->model : &alone;
    int bind = training || model->outputs == 0;
    int judges = !training || !checking->config->data.valid;
    if (bind ? model_bind(model, dataset, &error) : model_accepts(model, dataset, 1, &error)) {
        add_error(checking, &error);
        return;
    }
    model_check_targets(model, dataset, checking->faults);
    check_names(checking, dataset, training);
    check_network(checking, model, dataset, training);
    if (training)
        warn_training(checking, dataset);
    if (training && sets_require_window(checking->config, dataset, &error))
        add_error(checking, &error);
    if (model_require_labels(checking->config, dataset, judges, &error))
        add_error(checking, &error);
}

/* Finds how often a rank would decompress the chunks of the training set (0: there are none such), and warns
 * where that is often. */
static double check_decoding(struct checking *checking, const struct dataset *checked)
{
    const struct config *config = checking->config;
    struct cache_share share = sets_share_cache(config, dataset_count_values(checked));
    struct decoding decoding = {0};
    struct error error = {0};
    char text[900];
    if (dataset_count_values(checked) <= share.train)
        return 0;
    struct dataset *dataset = dataset_open_files(config->data.train, share.train, &error);
    int failed = !dataset || decoding_survey(config, dataset, 1, &decoding, &error);
    int advised = failed ? -1 : decoding_advise(config, dataset, 1, &decoding, text, sizeof text, &error);
    if (advised < 0)
        add_error(checking, &error);
    else if (advised)
        faults_warn(checking->faults, "%s", text);
    dataset_close(dataset);
    return decoding.inputs > decoding.targets ? decoding.inputs : decoding.targets;
}

static void print_sound(const struct dataset *dataset, double times)
{
    printf("ok: %s: %lld sequences, %lld frames", dataset->name, (long long)dataset->sequences,
        (long long)dataset->frames);
    if (times > 0)
        printf(", each chunk decompressed %.3g times an epoch", times);
    putchar('\n');
}

/* Reports every fault of one set, or prints a line that there is none. */
static void check_set(struct checking *checking, char *const *paths, int training)
{
    struct error error = {0};
    size_t before = checking->faults->count;
    for (char *const *path = paths; *path; path++)
        dataset_check(*path, loss_of(&checking->model), checking->faults);
    if (checking->faults->count > before)
        return;
    struct dataset *dataset = dataset_open_files(paths, 0, &error);
    if (!dataset) {
        add_error(checking, &error);
        return;
    }
    check_fit(checking, dataset, training);
    if (dataset_require_unchanged(dataset, DATASET_DOUBT, &error))
        add_error(checking, &error);
    double times = training && checking->faults->count == before ? check_decoding(checking, dataset) : 0;
    if (checking->faults->count == before)
        print_sound(dataset, times);
    dataset_close(dataset);
}

int preview_check(const struct config *config, const struct train_options *options, const char *directory,
    struct faults *faults)
{
    struct checking checking = {.config = config,
        .options = options,
        .directory = directory,
        .model = config->model,
        .faults = faults};
    check_set(&checking, config->data.train, 1);
    if (config->data.valid)
        check_set(&checking, config->data.valid, 0);
    net_names_finish(&checking.names);
    return faults->count ? faults->code : EXIT_CODE_OK;
}

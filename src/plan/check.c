#include "plan/preview.h"

#include "data/dataset.h"
#include "net/losses/loss.h"
#include "pass/model.h"
#include "pass/reach.h"
#include "pass/scale.h"

#include <stdio.h>

/* The sets of a configuration on their way through the checks. */
struct checking {
    const struct config *config;
    struct net_config model; /* completed by the training set; without outputs where that was no good */
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
    struct error error = {0};
    if (reach_describe(checking->config, dataset->sequences, text, sizeof text))
        faults_warn(checking->faults, "%s", text);
    if (checking->config->data.standardize)
        return;
    if (scale_describe(dataset, &bad, text, sizeof text, &error))
        add_error(checking, &error);
    else if (bad)
        faults_warn(checking->faults, "%s", text);
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
    if (training)
        warn_training(checking, dataset);
    if (model_require_labels(checking->config, dataset, judges, &error))
        add_error(checking, &error);
}

/* Reports every fault of one set, or prints a line that there is none. */
static void check_set(struct checking *checking, const char *path, int training)
{
    struct error error = {0};
    size_t before = checking->faults->count;
    dataset_check(path, loss_of(&checking->model), checking->faults);
    if (checking->faults->count > before)
        return;
    struct dataset *dataset = dataset_open(path, 0, &error);
    if (!dataset) {
        add_error(checking, &error);
        return;
    }
    check_fit(checking, dataset, training);
    if (checking->faults->count == before)
        printf("ok: %s: %lld sequences, %lld frames\n", path, (long long)dataset->sequences,
            (long long)dataset->frames);
    dataset_close(dataset);
}

int preview_check(const struct config *config, struct faults *faults)
{
    struct checking checking = {.config = config, .model = config->model, .faults = faults};
    check_set(&checking, config->data.train, 1);
    if (config->data.valid)
        check_set(&checking, config->data.valid, 0);
    return faults->count ? faults->code : EXIT_CODE_OK;
}

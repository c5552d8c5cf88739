#include "plan/preview.h"

#include "data/dataset.h"
#include "net/losses/loss.h"
#include "pass/model.h"

#include <stdio.h>

/* Checks how a set without a fault of its own goes with the model, which the training set completes. Where
 * the training set was no good the model has no outputs, and there is nothing to compare a validation set
 * with.
 */
static void check_fit(struct net_config *model, struct dataset *dataset, int training, struct faults *faults)
{
    struct error error = {0};
    if (!training && model->outputs == 0)
        return;
    if (training ? model_bind(model, dataset, &error) : model_accepts(model, dataset, 1, &error))
        faults_add(faults, (enum exit_code)error.code, "%s", error.text);
    else
        model_check_targets(model, dataset, faults);
}

/* Reports every fault of one set, or prints a line that there is none. */
static void check_set(const char *path, struct net_config *model, int training, struct faults *faults)
{
    struct error error = {0};
    size_t before = faults->count;
    dataset_check(path, loss_of(model), faults);
    if (faults->count > before)
        return;
    struct dataset *dataset = dataset_open(path, 0, &error);
    if (!dataset) {
        faults_add(faults, (enum exit_code)error.code, "%s", error.text);
        return;
    }
    check_fit(model, dataset, training, faults);
    if (faults->count == before)
        printf("ok: %s: %lld sequences, %lld frames\n", path, (long long)dataset->sequences,
            (long long)dataset->frames);
    dataset_close(dataset);
}

int preview_check(const struct config *config, struct faults *faults)
{
    struct net_config model = config->model;
    check_set(config->data.train, &model, 1, faults);
    if (config->data.valid)
        check_set(config->data.valid, &model, 0, faults);
    return faults->count ? faults->code : EXIT_CODE_OK;
}

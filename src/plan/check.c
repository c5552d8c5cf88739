#include "plan/preview.h"

#include "data/dataset.h"
#include "pass/model.h"

#include <stdio.h>

/* One set: all faults of the file; without any, also how it goes with the model, which the training set
 * completes. */
static void check_set(const char *path, struct net_config *model, int training, struct faults *faults)
{
    struct error error = {0};
    size_t before = faults->count;
    dataset_check(path, faults);
    if (faults->count > before)
        return;
    struct dataset *dataset = dataset_open(path, 0, &error);
    int bound = !training && model->outputs == 0; /* the training set was no good: nothing to compare with */
    if (!dataset ||
        (training ? model_bind(model, dataset, &error) : !bound && model_accepts(model, dataset, 1, &error)))
        faults_add(faults, (enum exit_code)error.code, "%s", error.text);
    else if (!bound)
        model_check_targets(model, dataset, faults);
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

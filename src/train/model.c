#include "train/model.h"

/* One target per frame, or one per sequence, as the output needs. */
static int check_targets(const struct net_config *model, const struct dataset *dataset, struct error *error)
{
    int frames = dataset->target_kind == TARGET_FRAME;
    int sequences = dataset->target_kind == TARGET_SEQUENCE || (frames && dataset->longest == 1);
    if (model->output == OUTPUT_FRAME && !frames)
        return error_set(error, EXIT_CODE_DATA,
            "%s: /targets: %lld targets are not one for each of the %lld frames, which model.output = frame "
            "needs: %s",
            dataset->path, (long long)dataset->targets, (long long)dataset->frames,
            sequences ? "there is one per sequence, so set model.output = sequence"
                      : "correct target_offsets");
    if (model->output == OUTPUT_SEQUENCE && !sequences)
        return error_set(error, EXIT_CODE_DATA,
            "%s: /targets: %lld targets are not one for each of the %lld sequences, which model.output = "
            "sequence "
            "needs: %s",
            dataset->path, (long long)dataset->targets, (long long)dataset->sequences,
            frames ? "there is one per frame, so set model.output = frame" : "correct target_offsets");
    if (model->loss == LOSS_SOFTMAX && !dataset->classes)
        return error_set(error, EXIT_CODE_DATA,
            "%s: /targets: real values, but model.loss = softmax needs classes (integers and the attribute "
            "n_classes): "
            "set model.loss = mse or sigmoid",
            dataset->path);
    if (model->loss != LOSS_SOFTMAX && dataset->classes)
        return error_set(error, EXIT_CODE_DATA,
            "%s: /targets: classes, but model.loss = %s needs real values: set model.loss = softmax",
            dataset->path, loss_names[model->loss]);
    return 0;
}

int model_bind(struct net_config *model, const struct dataset *dataset, struct error *error)
{
    if (!dataset->has_targets)
        return error_set(
            error, EXIT_CODE_DATA, "%s: /targets is missing: training needs targets", dataset->path);
    if (check_targets(model, dataset, error))
        return -1;
    if (model->embedding && !dataset->symbols)
        return error_set(error, EXIT_CODE_DATA,
            "%s: /inputs: real values, but model.embedding = %zu needs symbols: set model.embedding = 0",
            dataset->path, model->embedding);
    model->symbols = dataset->symbols > 0;
    model->inputs = dataset->symbols ? (size_t)dataset->symbols : dataset->features;
    model->outputs = dataset->classes ? (size_t)dataset->classes : dataset->values;
    return 0;
}

int model_accepts(
    const struct net_config *model, const struct dataset *dataset, int targets, struct error *error)
{
    size_t inputs = dataset->symbols ? (size_t)dataset->symbols : dataset->features;
    if (model->symbols != (dataset->symbols > 0) || model->inputs != inputs)
        return error_set(error, EXIT_CODE_DATA,
            "%s: /inputs: %zu %s, but the network was made for %zu %s: give a set of the same kind",
            dataset->path, inputs, dataset->symbols ? "symbols" : "features", model->inputs,
            model->symbols ? "symbols" : "features");
    if (!dataset->has_targets) {
        if (targets)
            return error_set(
                error, EXIT_CODE_DATA, "%s: /targets is missing: this set needs targets", dataset->path);
        return 0;
    }
    if (check_targets(model, dataset, error))
        return -1;
    size_t outputs = dataset->classes ? (size_t)dataset->classes : dataset->values;
    if (outputs != model->outputs)
        return error_set(error, EXIT_CODE_DATA,
            "%s: /targets: %zu %s, but the network has %zu outputs: give a set of the same kind",
            dataset->path, outputs, dataset->classes ? "classes" : "values", model->outputs);
    return 0;
}

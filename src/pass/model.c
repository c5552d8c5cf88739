/* Outputs ask for targets of some number per sequence, losses for targets of some kind; sizes that a
 * configuration leaves open follow from what it says of others. */
#include "pass/model.h"

#include "data/targets.h"

enum { USUAL_EMBEDDING = 64 }; /* of the symbols that a decoder is fed */

/* Any number of targets per sequence, from none on. */
static int is_transcription(const struct net_config *model)
{
    return model->output == OUTPUT_CTC || model->output == OUTPUT_DECODER;
}

/* As many targets as the output needs: one per frame, one per sequence, or any number. */
static int check_number(const struct net_config *model, const struct dataset *dataset, struct error *error)
{
    int frames = dataset->target_kind == TARGET_FRAME;
    int sequences = dataset->target_kind == TARGET_SEQUENCE || (frames && dataset->longest == 1);
    static const char any[] = "there is any number of them per sequence, so set model.output = ctc or "
                              "decoder, or correct target_offsets";
    if (model->output == OUTPUT_FRAME && !frames)
        return error_set(error, EXIT_CODE_DATA,
            "%s: /targets: %lld targets are not one for each of the %lld frames, which model.output = frame "
            "needs: %s",
            dataset->path, (long long)dataset->targets, (long long)dataset->frames,
            sequences ? "there is one per sequence, so set model.output = sequence" : any);
    if (model->output == OUTPUT_SEQUENCE && !sequences)
        return error_set(error, EXIT_CODE_DATA,
            "%s: /targets: %lld targets are not one for each of the %lld sequences, which model.output = "
            "sequence needs: %s",
            dataset->path, (long long)dataset->targets, (long long)dataset->sequences,
            frames ? "there is one per frame, so set model.output = frame" : any);
    if (is_transcription(model) && !dataset->target_offsets)
        return error_set(error, EXIT_CODE_DATA,
            "%s: /targets: one target for each frame, but model.output = %s needs those of a sequence apart "
            "from its frames: add target_offsets, or set model.output = frame",
            dataset->path, output_names[model->output]);
    return 0;
}

/* Classes or values, as the loss needs. */
static int check_kind(const struct net_config *model, const struct dataset *dataset, struct error *error)
{
    if (model->output == OUTPUT_CTC && !dataset->classes)
        return error_set(error, EXIT_CODE_DATA,
            "%s: /targets: real values, but model.output = ctc needs classes (integers and the attribute "
            "n_classes): set model.output = decoder and model.loss = mse, huber, mae or sigmoid",
            dataset->path);
    if (model->loss == LOSS_SOFTMAX && !dataset->classes)
        return error_set(error, EXIT_CODE_DATA,
            "%s: /targets: real values, but model.loss = softmax needs classes (integers and the attribute "
            "n_classes): set model.loss = mse, huber, mae or sigmoid",
            dataset->path);
    if (model->loss != LOSS_SOFTMAX && dataset->classes)
        return error_set(error, EXIT_CODE_DATA,
            "%s: /targets: classes, but model.loss = %s needs real values: set model.loss = softmax",
            dataset->path, loss_names[model->loss]);
    return 0;
}

static int check_targets(const struct net_config *model, struct dataset *dataset, struct error *error)
{
    if (check_number(model, dataset, error) || check_kind(model, dataset, error))
        return -1;
    dataset->any_targets = is_transcription(model);
    return 0;
}

/* Does the model need the same number of targets of all sequences? */
static int has_target_length(const struct net_config *model)
{
    return model->output == OUTPUT_DECODER && model->loss != LOSS_SOFTMAX;
}

static int check_inputs(const struct net_config *model, const struct dataset *dataset, struct error *error)
{
    if (model->embedding && !dataset->symbols)
        return error_set(error, EXIT_CODE_DATA,
            "%s: /inputs: real values, but model.embedding = %zu needs symbols: set model.embedding = 0",
            dataset->path, model->embedding);
    if (model->input_noise > 0 && dataset->symbols)
        return error_set(error, EXIT_CODE_DATA,
            "%s: /inputs: symbols, but train.input_noise = %g needs real values: set train.input_noise = 0",
            dataset->path, model->input_noise);
    return 0;
}

/* Sizes of the decoder that are 0. */
static void resolve_sizes(struct net_config *model)
{
    if (model->output != OUTPUT_DECODER)
        return;
    if (model->decoder_hidden == 0)
        model->decoder_hidden = model->hidden[model->layers - 1];
    if (model->decoder_embedding == 0 && model->loss == LOSS_SOFTMAX)
        model->decoder_embedding = USUAL_EMBEDDING;
    if (model->attention_size == 0 && model->attention == ATTENTION_ADDITIVE)
        model->attention_size = model->decoder_hidden;
}

int model_bind(struct net_config *model, struct dataset *dataset, struct error *error)
{
    int32_t length = 0;
    if (!dataset->has_targets)
        return error_set(
            error, EXIT_CODE_DATA, "%s: /targets is missing: training needs targets", dataset->path);
    if (check_targets(model, dataset, error) || check_inputs(model, dataset, error))
        return -1;
    if (model->class_weights && model->class_weights != (size_t)dataset->classes)
        return error_set(error, EXIT_CODE_DATA,
            "%s: /targets: %d classes, but train.class_weights has %zu numbers: give one for each class",
            dataset->path, dataset->classes, model->class_weights);
    if (has_target_length(model) && dataset_common_targets(dataset, &length, error))
        return -1;
    if (model->output == OUTPUT_DECODER && dataset->classes)
        length = dataset_most_targets(dataset);
    model->target_length = (size_t)length;
    model->symbols = dataset->symbols > 0;
    model->inputs = dataset->symbols ? (size_t)dataset->symbols : dataset->features;
    model->outputs = dataset->classes ? (size_t)dataset->classes : dataset->values;
    resolve_sizes(model);
    return 0;
}

static int accept_targets(const struct net_config *model, struct dataset *dataset, struct error *error)
{
    int32_t length = 0;
    if (check_targets(model, dataset, error))
        return -1;
    size_t outputs = dataset->classes ? (size_t)dataset->classes : dataset->values;
    if (outputs != model->outputs)
        return error_set(error, EXIT_CODE_DATA,
            "%s: /targets: %zu %s, but the network has %zu outputs: give a set of the same kind",
            dataset->path, outputs, dataset->classes ? "classes" : "values", model->outputs);
    if (has_target_length(model) && dataset_common_targets(dataset, &length, error))
        return -1;
    if (has_target_length(model) && (size_t)length != model->target_length)
        return error_set(error, EXIT_CODE_DATA,
            "%s: /targets: %d in each sequence, but the network makes %zu: give a set with as many",
            dataset->path, length, model->target_length);
    return 0;
}

int model_accepts_inputs(const struct net_config *model, const struct dataset *dataset, struct error *error)
{
    size_t inputs = dataset->symbols ? (size_t)dataset->symbols : dataset->features;
    if (model->symbols == (dataset->symbols > 0) && model->inputs == inputs)
        return 0;
    return error_set(error, EXIT_CODE_DATA,
        "%s: /inputs: %zu %s, but the network was made for %zu %s: give a set of the same kind",
        dataset->path, inputs, dataset->symbols ? "symbols" : "features", model->inputs,
        model->symbols ? "symbols" : "features");
}

int model_accepts(const struct net_config *model, struct dataset *dataset, int targets, struct error *error)
{
    if (model_accepts_inputs(model, dataset, error))
        return -1;
    if (dataset->has_targets)
        return accept_targets(model, dataset, error);
    return targets
        ? error_set(error, EXIT_CODE_DATA, "%s: /targets is missing: this set needs targets", dataset->path)
        : 0;
}

void model_check_targets(const struct net_config *model, struct dataset *dataset, struct faults *faults)
{
    if (model->output == OUTPUT_CTC && dataset->has_targets)
        dataset_check_ctc(dataset, faults);
    else if (is_transcription(model))
        dataset_check_any(dataset, faults);
}

int model_require_targets(const struct net_config *model, struct dataset *dataset, struct error *error)
{
    if (model->output == OUTPUT_CTC && dataset->has_targets)
        return dataset_require_ctc(dataset, error);
    return is_transcription(model) ? dataset_require_any(dataset, error) : 0;
}

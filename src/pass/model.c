/* Outputs ask for targets of some number per sequence, losses for targets of some kind; sizes that a
 * configuration leaves open follow from what it says of others. */
#include "pass/model.h"

#include "base/mathematics.h"
#include "data/targets.h"
#include "net/cells/cell.h"
#include "net/outputs/output.h"

#include <stdio.h>

enum { USUAL_EMBEDDING = 64 }; /* of the symbols that a decoder is fed */

/* Does the output take any number of targets per sequence, from none on? */
static int is_transcription(const struct net_config *model)
{
    return output_of(model)->targets == PER_TARGET;
}

/* There must be as many targets as the output needs: one per frame, one per sequence, or any number. */
static int check_number(const struct net_config *model, const struct dataset *dataset, struct error *error)
{
    int frames = dataset->target_kind == TARGET_FRAME;
    int sequences = dataset->target_kind == TARGET_SEQUENCE || (frames && dataset->longest == 1);
    const struct output_kind *output = output_of(model);
    static const char any[] = "there is any number of them per sequence, so set model.output = ctc or "
                              "decoder, or correct target_offsets";
    if (output->targets == PER_FRAME && !frames)
        return error_set(error, EXIT_CODE_DATA,
            "%s: /targets: %lld targets are not one for each of the %lld frames, which model.output = %s "
            "needs: %s",
            dataset->name, (long long)dataset->targets, (long long)dataset->frames, output->name,
            sequences ? "there is one per sequence, so set model.output = sequence" : any);
    if (output->targets == PER_SEQUENCE && !sequences)
        return error_set(error, EXIT_CODE_DATA,
            "%s: /targets: %lld targets are not one for each of the %lld sequences, which model.output = "
            "%s needs: %s",
            dataset->name, (long long)dataset->targets, (long long)dataset->sequences, output->name,
            frames ? "there is one per frame, so set model.output = frame" : any);
    if (is_transcription(model) && !dataset->target_offsets)
        return error_set(error, EXIT_CODE_DATA,
            "%s: /targets: one target for each frame, but model.output = %s needs those of a sequence apart "
            "from its frames: add target_offsets, or set model.output = frame",
            dataset->name, output->name);
    return 0;
}

/* Writes "mse, huber, mae, logcosh or sigmoid": those that give values before those that give probabilities,
 * for a decoder without those that give several of one. */
static void name_losses_of_values(int decoder, char *text, size_t size)
{
    size_t used = 0;
    const char *last = NULL;
    text[0] = '\0';
    for (int probabilities = 0; probabilities < 2; probabilities++)
        for (size_t i = 0; loss_names[i]; i++) {
            const struct loss_kind *loss = loss_kinds[i];
            if (loss->takes_classes || loss->gives_probabilities != probabilities ||
                (decoder && loss->count_heads))
                continue;
            if (last && used < size)
                used += (size_t)snprintf(text + used, size - used, "%s%s", used ? ", " : "", last);
            last = loss->name;
        }
    if (last && used < size)
        snprintf(text + used, size - used, "%s%s", used ? " or " : "", last);
}

/* Weights belong to targets that are counted one by one. */
static int check_weights(const struct net_config *model, const struct dataset *dataset, struct error *error)
{
    if (!dataset->has_weights || !is_transcription(model))
        return 0;
    return error_set(error, EXIT_CODE_DATA,
        "%s: /target_weights: model.output = %s has no targets that are weighed one by one: drop the set, "
        "or set model.output = frame or sequence",
        dataset->name, output_of(model)->name);
}

/* There must be classes or values, as the loss needs. */
static int check_kind(const struct net_config *model, const struct dataset *dataset, struct error *error)
{
    const struct output_kind *output = output_of(model);
    const struct loss_kind *loss = loss_of(model);
    char losses[100];
    name_losses_of_values(output->aligns || output->has_decoder, losses, sizeof losses);
    if (output->aligns && !dataset->classes)
        return error_set(error, EXIT_CODE_DATA,
            "%s: /targets: real values, but model.output = %s needs classes (integers and the attribute "
            "n_classes): set model.output = decoder and model.loss = %s",
            dataset->name, output->name, losses);
    if (loss->takes_classes && !dataset->classes)
        return error_set(error, EXIT_CODE_DATA,
            "%s: /targets: real values, but model.loss = %s needs classes (integers and the attribute "
            "n_classes): set model.loss = %s",
            dataset->name, loss->name, losses);
    if (!loss->takes_classes && dataset->classes)
        return error_set(error, EXIT_CODE_DATA,
            "%s: /targets: classes, but model.loss = %s needs real values: set model.loss = softmax",
            dataset->name, loss->name);
    return 0;
}

static int check_targets(const struct net_config *model, struct dataset *dataset, struct error *error)
{
    if (check_number(model, dataset, error) || check_kind(model, dataset, error) ||
        check_weights(model, dataset, error))
        return -1;
    dataset->any_targets = is_transcription(model);
    dataset->aligns = output_of(model)->aligns;
    dataset->loss = loss_of(model);
    return 0;
}

static int check_inputs(const struct net_config *model, const struct dataset *dataset, struct error *error)
{
    if (model->embedding && !dataset->symbols)
        return error_set(error, EXIT_CODE_DATA,
            "%s: /inputs: real values, but model.embedding = %zu needs symbols: set model.embedding = 0",
            dataset->name, model->embedding);
    if (model->input_noise > 0 && dataset->symbols)
        return error_set(error, EXIT_CODE_DATA,
            "%s: /inputs: symbols, but train.input_noise = %g needs real values: set train.input_noise = 0",
            dataset->name, model->input_noise);
    return 0;
}

/* A state that is multiplied by the bound at each of T steps doubles at most (Li et al. 2018, section 3.2).
 */
static void resolve_bound(struct net_config *model, const struct dataset *dataset)
{
    double T = dataset->longest > 0 ? (double)dataset->longest : 1;
    if (cell_of(model)->unit_weights_are_bounded && model->layers > 0 && model->recurrent_max == 0)
        model->recurrent_max = math_exp(math_log(2) / T);
}

/* Replaces sizes of the decoder that are 0. */
static void resolve_sizes(struct net_config *model)
{
    if (!output_of(model)->has_decoder)
        return;
    if (model->decoder_hidden == 0)
        model->decoder_hidden = model->hidden[model->layers - 1];
    if (model->decoder_embedding == 0 && loss_of(model)->takes_classes)
        model->decoder_embedding = USUAL_EMBEDDING;
    if (model->attention_size == 0 && model->attention == ATTENTION_ADDITIVE)
        model->attention_size = model->decoder_hidden;
}

int model_bind(struct net_config *model, struct dataset *dataset, struct error *error)
{
    int32_t length = 0;
    if (!dataset->has_targets)
        return error_set(
            error, EXIT_CODE_DATA, "%s: /targets is missing: training needs targets", dataset->name);
    if (check_targets(model, dataset, error) || check_inputs(model, dataset, error))
        return -1;
    if (model->class_weights && model->class_weights != (size_t)dataset->classes)
        return error_set(error, EXIT_CODE_DATA,
            "%s: /targets: %d classes, but train.class_weights has %zu numbers: give one for each class",
            dataset->name, dataset->classes, model->class_weights);
    if (output_needs_target_length(model) && dataset_common_targets(dataset, &length, error))
        return -1;
    if (output_of(model)->has_decoder && dataset->classes)
        length = dataset_most_targets(dataset);
    model->target_length = (size_t)length;
    model->symbols = dataset->symbols > 0;
    model->inputs = dataset->symbols ? (size_t)dataset->symbols : dataset->features;
    model->outputs = dataset->classes ? (size_t)dataset->classes : dataset->values;
    resolve_sizes(model);
    resolve_bound(model, dataset);
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
            dataset->name, outputs, dataset->classes ? "classes" : "values", model->outputs);
    if (output_needs_target_length(model) && dataset_common_targets(dataset, &length, error))
        return -1;
    if (output_needs_target_length(model) && (size_t)length != model->target_length)
        return error_set(error, EXIT_CODE_DATA,
            "%s: /targets: %d in each sequence, but the network makes %zu: give a set with as many",
            dataset->name, length, model->target_length);
    return 0;
}

int model_accepts_inputs(const struct net_config *model, const struct dataset *dataset, struct error *error)
{
    size_t inputs = dataset->symbols ? (size_t)dataset->symbols : dataset->features;
    if (model->symbols == (dataset->symbols > 0) && model->inputs == inputs)
        return 0;
    return error_set(error, EXIT_CODE_DATA,
        "%s: /inputs: %zu %s, but the network was made for %zu %s: give a set of the same kind",
        dataset->name, inputs, dataset->symbols ? "symbols" : "features", model->inputs,
        model->symbols ? "symbols" : "features");
}

int model_accepts(const struct net_config *model, struct dataset *dataset, int targets, struct error *error)
{
    if (model_accepts_inputs(model, dataset, error))
        return -1;
    if (dataset->has_targets)
        return accept_targets(model, dataset, error);
    return targets
        ? error_set(error, EXIT_CODE_DATA, "%s: /targets is missing: this set needs targets", dataset->name)
        : 0;
}

void model_check_targets(const struct net_config *model, struct dataset *dataset, struct faults *faults)
{
    if (output_of(model)->aligns && dataset->has_targets)
        dataset_check_ctc(dataset, faults);
    else if (is_transcription(model))
        dataset_check_any(dataset, faults);
}

int model_require_targets(
    const struct net_config *model, struct dataset *dataset, size_t part, size_t parts, struct error *error)
{
    if (output_of(model)->aligns && dataset->has_targets)
        return dataset_require_ctc(dataset, part, parts, error);
    if (is_transcription(model) && dataset_require_any(dataset, part, parts, error))
        return -1;
    return dataset_require_loss(dataset, part, parts, error);
}

int model_require_labels(
    const struct config *config, struct dataset *dataset, int judges, struct error *error)
{
    int has;
    if (dataset_has_labels(dataset, &has, error))
        return -1;
    if (!has && !is_transcription(&config->model))
        return error_set(error, EXIT_CODE_DATA,
            "%s: /targets: no %s%s, which is no target: there is nothing to count: give a set with targets",
            dataset->name, dataset->classes ? "class but -1" : "value but NaN",
            dataset->has_weights ? ", or with a weight of 0" : "");
    if (!has && judges && config->checkpoint.best == BEST_ERROR)
        return error_set(error, EXIT_CODE_DATA,
            "%s: /targets: no sequence has a label, so that there is never an error, which checkpoint.best = "
            "error goes by: give a set with labels, or set checkpoint.best = loss",
            dataset->name);
    return 0;
}

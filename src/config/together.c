/* Keys against each other: a value that the rest of the configuration cannot use, or would silently leave
 * unused, is a fault of that value, and says what to change. What has a fault of its own already is judged no
 * further, nor is what depends on it. Keys that are merely idle with their usual values stay as they are. */
#include "config/read.h"

#include <stdio.h>

/* A fault of section.name, because of model.other, where it is `wrong`. */
static void refuse(struct config_reading *reading, int wrong, const char *other, const char *section,
    const char *name, const char *what)
{
    if (wrong && config_is_sound(reading, "model", other) && config_is_sound(reading, section, name))
        config_fault_at(reading, section, name, what);
}

static void check_numbers(struct config_reading *reading)
{
    const struct config *config = reading->config;
    const struct optim_config *optim = &config->train.optim;
    char what[200];
    if (config_is_sound(reading, "train", "batch") && config_is_sound(reading, "train", "microbatch") &&
        config->train.microbatch > config->train.batch) {
        snprintf(what, sizeof what, "larger than train.batch = %lld: make it at most that",
            (long long)config->train.batch);
        config_fault_at(reading, "train", "microbatch", what);
    }
    if (config_is_sound(reading, "train", "lr") && config_is_sound(reading, "train", "lr_min") &&
        optim->lr_min > optim->lr) {
        char lr[40];
        value_write_real(optim->lr, lr, sizeof lr);
        snprintf(what, sizeof what, "larger than train.lr = %s: make it at most that", lr);
        config_fault_at(reading, "train", "lr_min", what);
    }
}

static void check_loss(struct config_reading *reading)
{
    const struct net_config *model = &reading->config->model;
    int softmax = model->loss == LOSS_SOFTMAX, ctc = model->output == OUTPUT_CTC;
    double weights = 0;
    char what[200];
    for (size_t c = 0; c < model->class_weights; c++)
        weights += model->class_weight[c];
    snprintf(what, sizeof what, "there is no error with model.loss = %s: use checkpoint.best = loss",
        loss_names[model->loss]);
    refuse(reading, reading->config->checkpoint.best == BEST_ERROR && !softmax, "loss", "checkpoint", "best",
        what);
    refuse(reading, ctc && !softmax, "output", "model", "loss",
        "model.output = ctc has classes: set model.loss = softmax, or another model.output");
    refuse(reading, model->class_weights && !softmax, "loss", "train", "class_weights",
        "only model.loss = softmax has classes: leave it empty");
    refuse(reading, model->class_weights && ctc, "output", "train", "class_weights",
        "model.output = ctc has no target of its own at each frame to weigh: leave it empty");
    refuse(reading, model->class_weights && weights == 0, "loss", "train", "class_weights",
        "no weight is above 0: nothing would be learned: make one larger");
    refuse(reading, model->label_smoothing > 0 && !softmax, "loss", "train", "label_smoothing",
        "only model.loss = softmax has classes: set it to 0");
    refuse(reading, model->label_smoothing > 0 && ctc, "output", "train", "label_smoothing",
        "model.output = ctc has no target of its own at each frame to smooth: set it to 0");
}

static size_t width(const struct net_config *model, size_t layer)
{
    return model->hidden[layer] * (model->bidirectional[layer] ? 2 : 1);
}

static void check_residual(struct config_reading *reading)
{
    const struct net_config *model = &reading->config->model;
    char what[200];
    int sound = config_is_sound(reading, "model", "layers") && config_is_sound(reading, "model", "hidden") &&
        config_is_sound(reading, "model", "bidirectional");
    for (size_t l = 1; sound && model->residual && l < model->layers; l++)
        if (width(model, l) != width(model, 0)) {
            snprintf(what, sizeof what,
                "layer 1 has %zu outputs (units times directions) and layer %zu has %zu: make all layers "
                "equally wide, or set it to no",
                width(model, 0), l + 1, width(model, l));
            config_fault_at(reading, "model", "residual", what);
            return;
        }
}

static void check_layers(struct config_reading *reading)
{
    static const char none[] =
        "there are no recurrent layers: set model.layers to 1 or more, or leave it out";
    const struct net_config *model = &reading->config->model;
    int flat = model->layers == 0;
    refuse(reading, flat && model->transition_layers, "layers", "model", "transition_layers", none);
    refuse(reading, flat && model->initial_state, "layers", "model", "initial_state", none);
    refuse(reading, flat && model->peepholes, "layers", "model", "peepholes", none);
    refuse(reading, flat && model->recurrent_dropout > 0, "layers", "model", "recurrent_dropout", none);
    refuse(reading, flat && model->output == OUTPUT_DECODER, "output", "model", "layers",
        "model.output = decoder begins from the last state of a recurrent layer: set model.layers to 1 or "
        "more");
    refuse(reading, model->peepholes && model->cell != CELL_LSTM, "cell", "model", "peepholes",
        "only model.cell = lstm has a memory to look at: set it to no");
    check_residual(reading);
}

static void check_decoder(struct config_reading *reading)
{
    static const char none[] = "there is no decoder: set model.output = decoder, or leave it out";
    const struct net_config *model = &reading->config->model;
    int without = model->output != OUTPUT_DECODER;
    refuse(reading, without && model->attention != ATTENTION_ADDITIVE, "output", "model", "attention", none);
    refuse(reading, without && model->decoder_layers != 1, "output", "model", "decoder_layers", none);
    refuse(reading, without && model->decoder_hidden, "output", "model", "decoder_hidden", none);
    refuse(reading, without && model->decoder_embedding, "output", "model", "decoder_embedding", none);
    refuse(reading, without && model->attention_size, "output", "model", "attention_size", none);
    refuse(reading, model->attention_size && model->attention != ATTENTION_ADDITIVE, "attention", "model",
        "attention_size", "only model.attention = additive has units of its own: set it to 0");
    refuse(reading, model->decoder_embedding && model->loss != LOSS_SOFTMAX, "loss", "model",
        "decoder_embedding", "only classes (model.loss = softmax) are embedded, values are not: set it to 0");
}

void config_check_together(struct config_reading *reading)
{
    check_numbers(reading);
    check_loss(reading);
    check_layers(reading);
    check_decoder(reading);
}

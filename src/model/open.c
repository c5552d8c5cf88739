/* Opening a checkpoint, and what can be asked of it. */
#include "base/memory.h"
#include "ckpt/directory.h"
#include "ckpt/trained.h"
#include "model/handle.h"
#include "net/cells/cell.h"
#include "net/outputs/output.h"
#include "net/results.h"
#include "net/standardize.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* RNN_VERSION is of the build. */
const char *rnn_version(void)
{
    return RNN_VERSION;
}

/* ---- opening ---- */

static int take_moments(struct rnn_model *model, const struct checkpoint *checkpoint, struct error *error)
{
    size_t F = checkpoint->features;
    if (F == 0)
        return 0;
    model->mean = memory_create(2 * F, sizeof *model->mean, error);
    if (!model->mean)
        return -1;
    model->deviation = model->mean + F;
    standardize_moments(checkpoint->mean, F, model->mean);
    standardize_moments(checkpoint->deviation, F, model->deviation);
    return 0;
}

/* Makes the network of the checkpoint, which gives up its names. */
static int take_network(struct rnn_model *model, struct checkpoint *checkpoint, struct error *error)
{
    model->net = net_create(&checkpoint->model, error);
    if (!model->net || checkpoint_fits(checkpoint, model->path, model->net, error) ||
        take_moments(model, checkpoint, error))
        return -1;
    model->config = net_get_config(model->net);
    net_pack(model->net, checkpoint->weights);
    model->weights_hash = checkpoint->weights_hash;
    model->names = checkpoint->names;
    checkpoint->names = (struct net_names){0};
    return 0;
}

static int open_model(struct rnn_model *model, const char *path, struct error *error)
{
    char found[PATH_MAX];
    struct checkpoint checkpoint;
    if (directory_find_checkpoint(path, found, sizeof found, error))
        return -1;
    model->path = strdup(found);
    if (!model->path)
        return error_set(error, EXIT_CODE_INTERNAL, "out of memory");
    checkpoint_init(&checkpoint);
    int failed = trained_read(found, CHECKPOINT_UNCHANGED, &checkpoint, error) != 0 ||
        take_network(model, &checkpoint, error);
    checkpoint_finish(&checkpoint);
    return failed ? -1 : 0;
}

enum rnn_code rnn_open(const char *path, struct rnn_model **model, struct rnn_error *error)
{
    struct error inside = {0};
    struct rnn_model *opened = memory_create(1, sizeof *opened, &inside);
    *model = NULL;
    if (!opened || open_model(opened, path, &inside)) {
        rnn_close(opened);
        return handle_fail(&inside, error);
    }
    *model = opened;
    return RNN_OK;
}

void rnn_close(struct rnn_model *model)
{
    if (!model)
        return;
    free(model->path);
    net_destroy(model->net);
    memory_destroy(model->mean);
    net_names_finish(&model->names);
    microbatch_finish(&model->microbatch);
    memory_destroy(model);
}

/* ---- asking ---- */

enum rnn_input_kind rnn_input(const struct rnn_model *model)
{
    return model->config->symbols ? RNN_SYMBOLS : RNN_FEATURES;
}

enum rnn_output_kind rnn_output(const struct rnn_model *model)
{
    const struct output_kind *output = output_of(model->config);
    return output->has_decoder         ? RNN_DECODER
        : output->aligns               ? RNN_CTC
        : output->rows == PER_SEQUENCE ? RNN_SEQUENCE
                                       : RNN_FRAME;
}

size_t rnn_inputs(const struct rnn_model *model)
{
    return model->config->inputs;
}

size_t rnn_width(const struct rnn_model *model)
{
    return results_count_rows(model->config, 1) ? net_count_head(model->config) : 0;
}

size_t rnn_numbers_per_target(const struct rnn_model *model)
{
    return loss_count_heads(model->config);
}

size_t rnn_classes(const struct rnn_model *model)
{
    return loss_of(model->config)->takes_classes ? model->config->outputs : 0;
}

size_t rnn_directions(const struct rnn_model *model)
{
    for (size_t l = 0; l < model->config->layers; l++)
        if (model->config->bidirectional[l])
            return 2;
    return 1;
}

size_t rnn_count_rows(const struct rnn_model *model, size_t frames)
{
    return results_count_rows(model->config, frames);
}

size_t rnn_parameters(const struct rnn_model *model)
{
    return net_count_parameters(model->net);
}

uint64_t rnn_weights_hash(const struct rnn_model *model)
{
    return model->weights_hash;
}

const char *rnn_cell_name(const struct rnn_model *model)
{
    return cell_names[model->config->cell];
}

const char *rnn_output_name(const struct rnn_model *model)
{
    return output_of(model->config)->name;
}

const char *rnn_loss_name(const struct rnn_model *model)
{
    return loss_of(model->config)->name;
}

const char *rnn_name(const struct rnn_model *model, enum rnn_names list, size_t i)
{
    static const enum names_of of[] = {
        NAMES_OF_FEATURES, NAMES_OF_SYMBOLS, NAMES_OF_CLASSES, NAMES_OF_TARGETS};
    if ((size_t)list >= sizeof of / sizeof *of)
        return NULL;
    const struct name_list *names = &model->names.list[of[list]];
    return names->text && i < names->n ? names->text[i] : NULL;
}

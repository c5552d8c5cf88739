/* What is read is checked as rnn-train --verify does; what is written is encoded, checked and sealed by the
 * code that saves runs. */
#include "model/store.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/memory.h"
#include "base/text.h"
#include "ckpt/directory.h"
#include "ckpt/read.h"
#include "config/config.h"
#include "h5/h5.h"
#include "net/losses/loss.h"

#include <stdio.h>
#include <string.h>

static int check_network(const struct stored *stored, struct error *error)
{
    struct net *net = net_describe(&stored->checkpoint.model, error);
    if (!net)
        return error_prefix(error, "%s: ", stored->path);
    int outcome = checkpoint_fits(&stored->checkpoint, stored->path, net, error);
    net_destroy(net);
    return outcome;
}

int stored_read(struct stored *stored, const char *named, enum checkpoint_trust trust, struct error *error)
{
    if (directory_find_checkpoint(named, stored->path, sizeof stored->path, error) != 0 ||
        checkpoint_read_sealed(stored->path, trust, &stored->checkpoint, &stored->sealed, error) != 0)
        return -1;
    return check_network(stored, error);
}

/* The configuration of a run of this network, whose other keys have their defaults, as text. */
static char *describe_run(const struct net_config *network, struct error *error)
{
    struct config config;
    config_init(&config);
    config.model = *network;
    char *text = config_write(&config, 0, error);
    config_finish(&config);
    return text;
}

static int take_parameters(struct checkpoint *checkpoint, const struct net *net, struct error *error)
{
    size_t n;
    const struct parameter *parameters = net_get_parameters(net, &n);
    checkpoint->count = net_count_parameters(net);
    checkpoint->weights = memory_create(checkpoint->count, sizeof *checkpoint->weights, error);
    checkpoint->parameter = memory_create(n, sizeof *parameters, error);
    if (!checkpoint->weights || !checkpoint->parameter)
        return -1;
    memcpy(checkpoint->parameter, parameters, n * sizeof *parameters);
    checkpoint->parameters = n;
    return 0;
}

int stored_begin(struct stored *stored, const struct net_config *network, struct error *error)
{
    struct checkpoint *checkpoint = &stored->checkpoint;
    checkpoint_init(checkpoint);
    checkpoint->config = describe_run(network, error);
    struct net *net = checkpoint->config ? net_describe(network, error) : NULL;
    if (!net)
        return -1;
    checkpoint->model = *network;
    checkpoint->classes = loss_of(network)->takes_classes ? (int32_t)network->outputs : 0;
    int outcome = take_parameters(checkpoint, net, error);
    net_destroy(net);
    return outcome;
}

void stored_finish(struct stored *stored)
{
    checkpoint_finish(&stored->checkpoint);
}

/* Puts a copy of the text in place of the old one. */
static int replace_text(char **place, const char *text, struct error *error)
{
    char *copy = text_copy(text, error);
    if (!copy)
        return -1;
    memory_destroy(*place);
    *place = copy;
    return 0;
}

static int describe_making(struct provenance *provenance, const char *command, struct error *error)
{
    char hdf5[64], libraries[256], when[64];
    h5_version(hdf5, sizeof hdf5);
    snprintf(libraries, sizeof libraries, "%s, %s", hdf5, RNN_COMPILER);
    clock_write_calendar(when, sizeof when);
    provenance->ranks = 1;
    return replace_text(&provenance->version, RNN_VERSION, error) ||
            replace_text(&provenance->command, command, error) ||
            replace_text(&provenance->hosts, "", error) ||
            replace_text(&provenance->libraries, libraries, error) ||
            replace_text(&provenance->job, "", error) || replace_text(&provenance->time, when, error) ||
            replace_text(&provenance->run, "", error)
        ? -1
        : 0;
}

int stored_keep_weights(struct stored *stored, const char *command, struct error *error)
{
    struct checkpoint *checkpoint = &stored->checkpoint;
    for (size_t m = 0; m < OPTIM_MOST_MOMENTS; m++) {
        memory_destroy(checkpoint->moments[m]);
        checkpoint->moments[m] = NULL;
    }
    checkpoint->progress = (struct progress){0};
    checkpoint->weights_alone = 1;
    return describe_making(&checkpoint->provenance, command, error);
}

int store_write_pieces(const char *path, const struct file_piece *pieces, size_t n, struct error *error)
{
    struct file_writer writer;
    int64_t size = 0, at = 0;
    int failed = 0;
    if (file_begin(&writer, path, error) != 0)
        return -1;
    for (size_t i = 0; i < n; i++)
        size += (int64_t)pieces[i].size;
    failed = file_reserve(&writer, size, error) != 0;
    for (size_t i = 0; i < n && !failed; i++) {
        failed = file_write(&writer, pieces[i].bytes, pieces[i].size, at, error) != 0;
        at += (int64_t)pieces[i].size;
    }
    if (!failed)
        return file_commit(&writer, error) ? -1 : 0;
    file_abandon(&writer);
    return -1;
}

int stored_write(struct stored *stored, const char *path, struct error *error)
{
    struct checkpoint *checkpoint = &stored->checkpoint;
    void *bytes = NULL;
    size_t size = 0;
    checkpoint->weights_hash = hash_bytes(checkpoint->weights, checkpoint->count * sizeof(float));
    if (checkpoint_encode(checkpoint, &bytes, &size, error) != 0)
        return error_prefix(error, "%s: ", path);
    int outcome = store_write_pieces(path, &(struct file_piece){bytes, size}, 1, error);
    memory_destroy(bytes);
    return outcome;
}

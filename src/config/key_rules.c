/* The rules about several keys: a value that the rest of the configuration cannot use, or would silently
 * leave unused, is a fault of that value, and says what to change. What has a fault of its own already is
 * judged no further, nor is what depends on it. Keys that are merely idle with their usual values stay as
 * they are. What a network can be is judged by net_config_check; here are the other keys. */
#include "config/key_rules.h"

#include "base/numbers.h"
#include "config/reading.h"
#include "net/check.h"
#include "net/losses/loss.h"
#include "net/outputs/output.h"

#include <stdio.h>

void config_yield(struct config *config)
{
    const struct config_key *microbatch = key_find("train", "microbatch");
    for (size_t i = 0; i < config_key_count; i++)
        if (key_is_for_each_layer(&config_keys[i]) && config->keys[i].items <= 1)
            key_spread(&config_keys[i], config);
    if (!key_is_given(&config->keys[microbatch - config_keys]) &&
        config->train.microbatch > config->train.batch)
        config->train.microbatch = config->train.batch;
}

/* A list must have one item for all layers, or one per layer. */
static void check_lists(struct config_reading *reading)
{
    size_t L = reading->config->model.layers;
    for (size_t i = 0; i < config_key_count; i++) {
        const struct config_key *key = &config_keys[i];
        size_t items = reading->config->keys[i].items;
        char what[120];
        if (!key_is_for_each_layer(key) || items <= 1 || items == L ||
            !reading_is_sound(reading, "model", "layers") ||
            !reading_is_sound(reading, key->section, key->name))
            continue;
        snprintf(what, sizeof what, "%zu items for %zu layer%s: give one for all, or one per layer", items, L,
            L == 1 ? "" : "s");
        reading_fault(reading, key->section, key->name, what);
    }
}

static void check_numbers(struct config_reading *reading)
{
    const struct config *config = reading->config;
    const struct optim_config *optim = &config->train.optim;
    char what[200];
    if (reading_is_sound(reading, "train", "batch") && reading_is_sound(reading, "train", "microbatch") &&
        config->train.microbatch > config->train.batch) {
        snprintf(what, sizeof what, "larger than train.batch = %lld: make it at most that",
            (long long)config->train.batch);
        reading_fault(reading, "train", "microbatch", what);
    }
    if (reading_is_sound(reading, "train", "lr") && reading_is_sound(reading, "train", "lr_min") &&
        optim->lr_min > optim->lr) {
        char lr[40];
        number_write_real(optim->lr, lr, sizeof lr);
        snprintf(what, sizeof what, "larger than train.lr = %s: make it at most that", lr);
        reading_fault(reading, "train", "lr_min", what);
    }
}

/* A window that nothing is shuffled in would be silently unused. */
static void check_window(struct config_reading *reading)
{
    const struct config *config = reading->config;
    size_t usual;
    if (!reading_is_sound(reading, "data", "shuffle") || !reading_is_sound(reading, "data", "window") ||
        config->data.shuffle == SHUFFLE_WINDOWS)
        return;
    number_read_bytes(key_find("data", "window")->initial, &usual);
    if (config->data.window != usual)
        reading_fault(reading, "data", "window",
            "only data.shuffle = windows has windows: give that, or leave this key out");
}

/* The best checkpoint must be chosen by a number that there is. */
static void check_best(struct config_reading *reading)
{
    const struct net_config *model = &reading->config->model;
    char what[200];
    if (reading->config->checkpoint.best != BEST_ERROR || loss_of(model)->has_errors ||
        !reading_is_sound(reading, "model", "loss") || !reading_is_sound(reading, "checkpoint", "best"))
        return;
    snprintf(what, sizeof what, "there is no error with model.loss = %s: use checkpoint.best = loss",
        loss_of(model)->name);
    reading_fault(reading, "checkpoint", "best", what);
}

/* What is wrong with working sequences off in pieces; NULL: nothing. */
static const char *find_uncut(struct config_reading *reading, char *what, size_t size)
{
    const struct net_config *model = &reading->config->model;
    int backward = 0;
    for (size_t l = 0; l < model->layers && l < NET_MOST_LAYERS; l++)
        backward |= model->bidirectional[l];
    if (reading_is_sound(reading, "model", "output") && !output_of(model)->takes_pieces)
        snprintf(what, size,
            "model.output = %s needs a sequence whole: set this to 0, or model.output = frame or sequence",
            output_of(model)->name);
    else if (reading_is_sound(reading, "model", "layers") && model->layers == 0)
        snprintf(what, size, "there are no recurrent layers, so that nothing is carried on: set this to 0");
    else if (reading_is_sound(reading, "model", "layers") &&
        reading_is_sound(reading, "model", "bidirectional") && backward)
        snprintf(what, size,
            "model.bidirectional = yes: a layer that also runs from the end of a sequence needs all of it "
            "first: set model.bidirectional = no, or this to 0");
    else
        return NULL;
    return what;
}

static void check_pieces(struct config_reading *reading)
{
    char what[300];
    if (reading->config->train.truncate && reading_is_sound(reading, "train", "truncate") &&
        find_uncut(reading, what, sizeof what))
        reading_fault(reading, "train", "truncate", what);
}

/* Returns the section of a key that sets a member of the network. */
static const char *section_of(const char *member)
{
    return key_find("model", member) ? "model" : "train";
}

/* An objection becomes a fault of the member's key, if neither it nor a key that it contradicts has one. */
static void take_objection(void *context, const struct net_objection *objection)
{
    struct config_reading *reading = context;
    const char *member = objection->member;
    int sound = reading_is_sound(reading, section_of(member), member);
    for (const char *const *other = objection->others; *other; other++)
        sound = sound && reading_is_sound(reading, section_of(*other), *other);
    if (sound)
        reading_fault(reading, section_of(member), member, objection->text);
}

size_t config_check(struct config *config, struct faults *faults)
{
    size_t before = faults->count;
    struct config_reading reading = {.config = config, .faults = faults, .directory = "/"};
    check_lists(&reading);
    check_numbers(&reading);
    check_window(&reading);
    check_best(&reading);
    check_pieces(&reading);
    net_config_check(&config->model, take_objection, &reading);
    return faults->count - before;
}

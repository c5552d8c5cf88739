/* Every key of the network is an attribute of the key's name, in the order of the table; its type says of
 * what kind. Behind them stand the members that the dataset sets.
 *
 * Versions 1 to 3 had another order, which their hashes follow, the lengths of two lists in attributes of
 * their own, and a number for initial_state. */
#include "ckpt/attributes.h"

#include "base/memory.h"
#include "config/keys.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LIST_BYTES = NET_MOST_LAYERS * 24, FIRST_ITEMS = 11, UNIFORM_VERSION = 4 };

/* These members are what the dataset sets. */
static const struct dataset_member {
    const char *name;
    size_t offset;
    int64_t least, most;
} dataset_members[] = {
    {"inputs", offsetof(struct net_config, inputs), 1, INT64_MAX},
    {"symbols", offsetof(struct net_config, symbols), 0, 1},
    {"outputs", offsetof(struct net_config, outputs), 1, INT64_MAX},
    {"target_length", offsetof(struct net_config, target_length), 0, INT32_MAX},
};
enum { DATASET_MEMBERS = sizeof dataset_members / sizeof *dataset_members };

/* This is the order of versions 1 to 3; version 1 ends with dropout. */
static const char *const former_order[] = {"cell", "output", "loss", "layers", "hidden", "bidirectional",
    "inputs", "symbols", "embedding", "outputs", "dropout", "input_layers", "transition_layers",
    "output_layers", "input_sizes", "output_sizes", "residual", "normalize", "initial_state", "peepholes",
    "recurrent_dropout", "input_noise", "class_weights", "label_smoothing", "huber_delta", "attention",
    "decoder_layers", "decoder_hidden", "decoder_embedding", "attention_size", "target_length", NULL};

static void size_item(struct section *s, const char *name, size_t *value, int64_t least, int64_t most)
{
    int64_t n = (int64_t)*value;
    section_integer(s, name, &n, least, most);
    *value = (size_t)n;
}

static void flag_item(struct section *s, const char *name, int *value)
{
    int64_t n = *value;
    section_integer(s, name, &n, 0, 1);
    *value = (int)n;
}

/* Passes a number, or NaN where it is not given. */
static void choice_item(struct section *s, const char *name, struct net_choice *choice)
{
    double x = choice->given ? choice->number : (double)NAN;
    section_real(s, name, &x);
    *choice = (struct net_choice){.given = !isnan(x), .number = isnan(x) ? 0 : x};
}

/* Takes the numbers of a list, at most NET_MOST_LAYERS from `least` on. Returns 0 where the text is none. */
static int parse_list(const char *text, int64_t least, int64_t most, size_t *values, size_t *n)
{
    *n = 0;
    while (*text) {
        char *end;
        unsigned long long value = *text >= '0' && *text <= '9' ? strtoull(text, &end, 10) : 0;
        if (*text < '0' || *text > '9' || *n == NET_MOST_LAYERS || (*end && (*end != ' ' || !end[1])) ||
            value < (unsigned long long)least || value > (unsigned long long)most)
            return 0;
        values[(*n)++] = (size_t)value;
        text = end + (*end == ' ');
    }
    return 1;
}

/* Passes a list as "128 64", which is empty without layers. `fixed` lists have *n numbers, others say how
 * many there are. */
static void list_item(
    struct section *s, const char *name, const struct config_key *key, int fixed, size_t *values, size_t *n)
{
    char list[LIST_BYTES] = "", *text = list;
    int flags = key->type == KEY_SWITCHES;
    size_t read[NET_MOST_LAYERS] = {0}, count = 0;
    for (size_t l = 0, used = 0; l < *n && s->way == SECTION_WRITE; l++)
        used += (size_t)snprintf(list + used, sizeof list - used, "%s%zu", l ? " " : "", values[l]);
    section_text(s, name, &text);
    if (s->way != SECTION_READ || s->failed)
        return;
    if (!parse_list(text, flags ? 0 : (int64_t)key->least, flags ? 1 : (int64_t)key->most, read, &count))
        section_fail(s, "has %s = '%s', which cannot be", name, text);
    else if (fixed && count != *n)
        section_fail(s, "has %s = '%s', not %zu numbers", name, text, *n);
    memory_destroy(text);
    if (!s->failed) {
        memcpy(values, read, count * sizeof *read);
        *n = count;
    }
}

static void switches_item(struct section *s, const struct config_key *key, int *flags, size_t layers)
{
    size_t values[NET_MOST_LAYERS];
    for (size_t l = 0; l < layers; l++)
        values[l] = (size_t)flags[l];
    list_item(s, key->name, key, 1, values, &layers);
    for (size_t l = 0; l < layers; l++)
        flags[l] = (int)values[l];
}

/* Passes how many numbers there are, and each in an attribute of its own, as HDF5 has no room for long ones:
 * class_weights, then class_weight_0 and so on. */
static void reals_item(struct section *s, const struct config_key *key, size_t most, double *real, size_t *n)
{
    int singular = (int)strlen(key->name) - 1;
    size_item(s, key->name, n, 0, (int64_t)most);
    for (size_t i = 0; i < *n && !s->failed; i++) {
        char name[48];
        snprintf(name, sizeof name, "%.*s_%zu", singular, key->name, i);
        section_real(s, name, &real[i]);
    }
}

static void *member_at(struct net_config *model, size_t offset)
{
    return (char *)model + (offset - offsetof(struct config, model));
}

static void key_item(struct section *s, const struct config_key *key, struct net_config *model)
{
    void *value = member_at(model, key->offset);
    size_t layers = model->layers;
    switch (key->type) {
    case KEY_SWITCH:
        flag_item(s, key->name, value);
        break;
    case KEY_SWITCHES:
        switches_item(s, key, value, model->layers);
        break;
    case KEY_CHOICE:
        section_choice(s, key->name, key->choices, value);
        break;
    case KEY_SIZE:
        size_item(s, key->name, value, (int64_t)key->least, (int64_t)key->most);
        break;
    case KEY_SIZES:
        list_item(s, key->name, key, 1, value, &layers);
        break;
    case KEY_WIDTHS:
        list_item(s, key->name, key, 0, value, member_at(model, key->length));
        break;
    case KEY_WEIGHTS:
        reals_item(s, key, NET_MOST_CLASS_WEIGHTS, value, member_at(model, key->length));
        break;
    case KEY_SHARES:
        reals_item(s, key, NET_MOST_QUANTILES, value, member_at(model, key->length));
        break;
    case KEY_REAL:
        section_real(s, key->name, value);
        break;
    case KEY_AUTO:
        choice_item(s, key->name, value);
        break;
    default:
        assert(!"no key of a network has this type");
    }
}

static void dataset_item(struct section *s, const struct dataset_member *member, struct net_config *model)
{
    void *value = (char *)model + member->offset;
    if (member->offset == offsetof(struct net_config, symbols))
        flag_item(s, member->name, value);
    else
        size_item(s, member->name, value, member->least, member->most);
}

/* Passes an item of versions 1 to 3 that is like none of version 4. Returns 0 where there is no such item. */
static int former_item(struct section *s, const char *name, struct net_config *model)
{
    if (strcmp(name, "input_layers") == 0)
        size_item(s, name, &model->input_layers, 0, NET_MOST_LAYERS);
    else if (strcmp(name, "output_layers") == 0)
        size_item(s, name, &model->output_layers, 0, NET_MOST_LAYERS);
    else if (strcmp(name, "input_sizes") == 0)
        list_item(s, name, key_find("model", "input_layers"), 1, model->input_size, &model->input_layers);
    else if (strcmp(name, "output_sizes") == 0)
        list_item(s, name, key_find("model", "output_layers"), 1, model->output_size, &model->output_layers);
    else if (strcmp(name, "initial_state") == 0)
        flag_item(s, name, &model->initial_state);
    else
        return 0;
    return 1;
}

/* Passes the item of this name in versions 1 to 3. */
static void named_item(struct section *s, const char *name, struct net_config *model)
{
    for (size_t i = 0; i < DATASET_MEMBERS; i++)
        if (strcmp(dataset_members[i].name, name) == 0) {
            dataset_item(s, &dataset_members[i], model);
            return;
        }
    const struct config_key *key = key_find("model", name);
    if (!former_item(s, name, model))
        key_item(s, key ? key : key_find("train", name), model);
}

static void former_pass(struct section *s, struct net_config *model)
{
    for (size_t i = 0; former_order[i] && !s->failed; i++)
        if (s->version > 1 || i < FIRST_ITEMS)
            named_item(s, former_order[i], model);
}

static void uniform_pass(struct section *s, struct net_config *model)
{
    for (size_t i = 0; i < config_key_count && !s->failed; i++)
        if (key_is_of_network(&config_keys[i]) && s->version >= config_keys[i].since)
            key_item(s, &config_keys[i], model);
    for (size_t i = 0; i < DATASET_MEMBERS && !s->failed; i++)
        dataset_item(s, &dataset_members[i], model);
}

void attributes_pass(struct section *section, struct net_config *model)
{
    if (section->way == SECTION_READ) {
        struct config defaults;
        config_init(&defaults);
        *model = defaults.model;
    }
    if (section->version < UNIFORM_VERSION)
        former_pass(section, model);
    else
        uniform_pass(section, model);
}

int attributes_fit(const struct net_config *model, size_t count)
{
    struct net_config *m = (struct net_config *)model; /* member_at serves writing too */
    int fits = model->inputs <= count && model->outputs <= count;
    for (size_t i = 0; i < config_key_count; i++) {
        const struct config_key *key = &config_keys[i];
        size_t n = key->type == KEY_SIZE ? 1 : key->type == KEY_SIZES ? model->layers : 0;
        if (!key_is_of_network(key))
            continue;
        if (key->type == KEY_WIDTHS)
            n = *(const size_t *)member_at(m, key->length);
        const size_t *size = member_at(m, key->offset);
        for (size_t l = 0; l < n; l++)
            fits = fits && size[l] <= count;
    }
    return fits;
}

/* The table, and what each type of key does. Everything that differs between two keys stands in their lines;
 * everything that differs between two types stands in the switches of read_value, key_write and key_allowed.
 */
#include "config/keys.h"

#include "base/memory.h"
#include "base/numbers.h"
#include "base/text.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

/* Enumerators are stored through an int. */
_Static_assert(sizeof(enum cell) == sizeof(int) && sizeof(enum interval) == sizeof(int) &&
        sizeof(enum divergence) == sizeof(int),
    "enum is not int");

static const char *const schedules[] = {[SCHEDULE_CONSTANT] = "constant",
    [SCHEDULE_STEP] = "step",
    [SCHEDULE_COSINE] = "cosine",
    [SCHEDULE_PLATEAU] = "plateau",
    NULL};
static const char *const states[] = {"zero", "learned", NULL};
static const char *const divergences[] = {
    [DIVERGENCE_ABORT] = "abort", [DIVERGENCE_SKIP] = "skip", [DIVERGENCE_BACK] = "back", NULL};
static const char *const bests[] = {[BEST_LOSS] = "loss", [BEST_ERROR] = "error", NULL};

#define NO_LIMIT 1e15 /* no limit that a run could meet */
#define WIDEST 65536  /* units, embedding, layers without recurrence */
#define COUNTS 2147483647
#define AT(member) offsetof(struct config, member)
#define FROM(low, high) .least = low, .most = high
#define ABOVE(low, high) .least = low, .most = high, .above_least = 1
#define BELOW(low, high) .least = low, .most = high, .below_most = 1
#define KEPT .resume = RESUME_REFUSED
#define FREE .resume = RESUME_ALLOWED

/* clang-format off */
const struct config_key config_keys[] = {
    {"data", "train", KEY_PATH, AT(data.train), "", FREE},
    {"data", "valid", KEY_PATH, AT(data.valid), "", FREE},
    {"data", "standardize", KEY_SWITCH, AT(data.standardize), "no", KEPT},
    {"data", "cache", KEY_BYTES, AT(data.cache), "256 MiB", FROM(0, NO_LIMIT), FREE},

    {"model", "output", KEY_CHOICE, AT(model.output), "sequence", .choices = output_names},
    {"model", "loss", KEY_CHOICE, AT(model.loss), "softmax", .choices = loss_names},
    {"model", "cell", KEY_CHOICE, AT(model.cell), "lstm", .choices = cell_names},
    {"model", "layers", KEY_SIZE, AT(model.layers), "2", FROM(0, NET_MOST_LAYERS)},
    {"model", "bidirectional", KEY_SWITCHES, AT(model.bidirectional), "yes", KEPT},
    {"model", "hidden", KEY_SIZES, AT(model.hidden), "128", FROM(1, WIDEST)},
    {"model", "embedding", KEY_SIZE, AT(model.embedding), "0", FROM(0, WIDEST)},
    {"model", "dropout", KEY_REAL, AT(model.dropout), "0", BELOW(0, 1)},
    {"model", "input_layers", KEY_WIDTHS, AT(model.input_size), "", FROM(1, WIDEST),
        .length = AT(model.input_layers)},
    {"model", "transition_layers", KEY_SIZE, AT(model.transition_layers), "0", FROM(0, NET_MOST_LAYERS)},
    {"model", "output_layers", KEY_WIDTHS, AT(model.output_size), "", FROM(1, WIDEST),
        .length = AT(model.output_layers)},
    {"model", "residual", KEY_SWITCH, AT(model.residual), "no", KEPT},
    {"model", "normalize", KEY_SWITCH, AT(model.normalize), "no", KEPT},
    {"model", "initial_state", KEY_CHOICE, AT(model.initial_state), "zero", .choices = states},
    {"model", "peepholes", KEY_SWITCH, AT(model.peepholes), "no", KEPT},
    {"model", "recurrent_dropout", KEY_REAL, AT(model.recurrent_dropout), "0", BELOW(0, 1)},
    {"model", "attention", KEY_CHOICE, AT(model.attention), "additive", .choices = attention_names},
    {"model", "decoder_layers", KEY_SIZE, AT(model.decoder_layers), "1", FROM(1, NET_MOST_LAYERS)},
    {"model", "decoder_hidden", KEY_SIZE, AT(model.decoder_hidden), "0", FROM(0, WIDEST)},
    {"model", "decoder_embedding", KEY_SIZE, AT(model.decoder_embedding), "0", FROM(0, WIDEST)},
    {"model", "attention_size", KEY_SIZE, AT(model.attention_size), "0", FROM(0, WIDEST)},

    {"train", "batch", KEY_COUNT, AT(train.batch), "64", FROM(1, COUNTS)},
    {"train", "microbatch", KEY_COUNT, AT(train.microbatch), "8", FROM(1, COUNTS),
        .former = "train.grain"},
    {"train", "epochs", KEY_COUNT, AT(train.epochs), "20", FROM(1, COUNTS), .resume = RESUME_EPOCHS},
    {"train", "optimizer", KEY_CHOICE, AT(train.optim.optimizer), "adam", .choices = optimizer_names},
    {"train", "lr", KEY_REAL, AT(train.optim.lr), "0.001", ABOVE(0, NO_LIMIT)},
    {"train", "momentum", KEY_REAL, AT(train.optim.momentum), "0.9", BELOW(0, 1)},
    {"train", "beta1", KEY_REAL, AT(train.optim.beta1), "0.9", BELOW(0, 1)},
    {"train", "beta2", KEY_REAL, AT(train.optim.beta2), "0.999", BELOW(0, 1)},
    {"train", "epsilon", KEY_REAL, AT(train.optim.epsilon), "1e-8", FROM(1e-30, 1)},
    {"train", "weight_decay", KEY_REAL, AT(train.optim.weight_decay), "0", FROM(0, NO_LIMIT)},
    {"train", "schedule", KEY_CHOICE, AT(train.optim.schedule), "constant", .choices = schedules},
    {"train", "warmup", KEY_COUNT, AT(train.optim.warmup), "0", FROM(0, NO_LIMIT)},
    {"train", "decay_every", KEY_COUNT, AT(train.optim.decay_every), "10", FROM(1, COUNTS)},
    {"train", "decay_factor", KEY_REAL, AT(train.optim.decay_factor), "0.1", ABOVE(0, 1)},
    {"train", "plateau_epochs", KEY_COUNT, AT(train.optim.plateau_epochs), "3", FROM(1, COUNTS)},
    {"train", "lr_min", KEY_REAL, AT(train.optim.lr_min), "0", FROM(0, NO_LIMIT)},
    {"train", "clip", KEY_REAL, AT(train.optim.clip), "1.0", FROM(0, NO_LIMIT)},
    {"train", "weight_noise", KEY_REAL, AT(train.weight_noise), "0", FROM(0, NO_LIMIT)},
    {"train", "input_noise", KEY_REAL, AT(model.input_noise), "0", FROM(0, NO_LIMIT)},
    {"train", "label_smoothing", KEY_REAL, AT(model.label_smoothing), "0", BELOW(0, 1)},
    {"train", "class_weights", KEY_WEIGHTS, AT(model.class_weight), "", FROM(0, NO_LIMIT),
        .length = AT(model.class_weights)},
    {"train", "huber_delta", KEY_REAL, AT(model.huber_delta), "1", ABOVE(0, NO_LIMIT)},
    {"train", "seed", KEY_SEED, AT(train.seed), "1", KEPT},
    {"train", "patience", KEY_COUNT, AT(train.patience), "0", FROM(0, COUNTS), FREE},
    {"train", "on_divergence", KEY_CHOICE, AT(train.on_divergence), "abort", .choices = divergences, FREE},
    {"train", "explode", KEY_REAL, AT(train.explode), "0", FROM(0, NO_LIMIT), FREE},
    {"train", "back_factor", KEY_REAL, AT(train.back_factor), "0.5", ABOVE(0, 1), FREE},
    {"train", "watchdog", KEY_SECONDS, AT(train.watchdog), "10 minutes", FROM(0, NO_LIMIT), FREE},

    {"checkpoint", "every", KEY_INTERVAL, AT(checkpoint.every), "1 epoch", FROM(1, COUNTS),
        .unit = AT(checkpoint.unit), FREE},
    {"checkpoint", "keep", KEY_COUNT, AT(checkpoint.keep), "2", FROM(1, COUNTS), FREE},
    {"checkpoint", "best", KEY_CHOICE, AT(checkpoint.best), "loss", .choices = bests, FREE},

    {"report", "every", KEY_SECONDS, AT(report.every), "10 seconds", FROM(0, NO_LIMIT), FREE,
        .former = "train.report_every"},
};
/* clang-format on */

const size_t config_key_count = sizeof config_keys / sizeof *config_keys;

_Static_assert(sizeof config_keys / sizeof *config_keys <= CONFIG_KEYS_MOST, "more keys than room for them");

const struct config_key *key_find(const char *section, const char *name)
{
    for (size_t i = 0; i < config_key_count; i++)
        if (strcmp(config_keys[i].section, section) == 0 && strcmp(config_keys[i].name, name) == 0)
            return &config_keys[i];
    return NULL;
}

const struct config_key *key_find_former(const char *section, const char *name)
{
    size_t n = strlen(section);
    for (size_t i = 0; i < config_key_count; i++) {
        const char *former = config_keys[i].former;
        if (former && strncmp(former, section, n) == 0 && former[n] == '.' &&
            strcmp(former + n + 1, name) == 0)
            return &config_keys[i];
    }
    return NULL;
}

int key_is_of_network(const struct config_key *key)
{
    return key->offset >= AT(model) && key->offset < AT(model) + sizeof(struct net_config);
}

int key_section_exists(const char *section)
{
    for (size_t i = 0; i < config_key_count; i++)
        if (strcmp(config_keys[i].section, section) == 0)
            return 1;
    return 0;
}

static const char *const out_of_range = "out of range";

/* Exact for whole numbers too: no limit of theirs exceeds 2^53. */
static const char *check_range(const struct config_key *key, double x)
{
    int low = x < key->least || (key->above_least && x == key->least);
    int high = x > key->most || (key->below_most && x == key->most);
    return low || high ? out_of_range : NULL;
}

static const char *explain(enum number_state state, const char *malformed)
{
    return state == NUMBER_OK ? NULL : state == NUMBER_OVERFLOW ? out_of_range : malformed;
}

static const char *read_path(const char *text, const char *directory, char **path)
{
    char *made = NULL;
    if (*text) {
        size_t room = strlen(directory) + strlen(text) + 2;
        made = memory_create(room, 1, NULL);
        if (!made)
            return "out of memory";
        if (*text == '/')
            snprintf(made, room, "%s", text);
        else
            snprintf(made, room, "%s/%s", strcmp(directory, "/") == 0 ? "" : directory, text);
    }
    memory_destroy(*path);
    *path = made;
    return NULL;
}

static const char *read_choice(const char *const *choices, const char *text, int *choice)
{
    for (int i = 0; choices[i]; i++)
        if (strcmp(choices[i], text) == 0) {
            *choice = i;
            return NULL;
        }
    return "not one of the choices";
}

static const char *read_switch(const char *text, int *value)
{
    static const char *const no_yes[] = {"no", "yes", NULL};
    return read_choice(no_yes, text, value) ? "neither yes nor no" : NULL;
}

static const char *read_count(const struct config_key *key, const char *text, int64_t *count)
{
    int64_t n = 0;
    const char *why = explain(number_read_integer(text, &n), "not a whole number");
    if (!why)
        why = check_range(key, (double)n);
    if (!why)
        *count = n;
    return why;
}

/* The elements of a list, as many as it has; those of another type than `key` are left alone. */
struct list {
    size_t size[NET_MOST_LAYERS];
    int flag[NET_MOST_LAYERS];
    double weight[NET_MOST_CLASS_WEIGHTS];
    size_t n;
};

static const char *read_real(const struct config_key *key, const char *text, double *x)
{
    double read = 0;
    const char *why = explain(number_read_real(text, &read), "not a number");
    if (!why)
        why = check_range(key, read);
    if (!why)
        *x = read;
    return why;
}

static const char *read_items(const struct config_key *key, const char *text, struct list *list)
{
    char item[64];
    while (text_next_item(&text, item, sizeof item)) {
        const char *why;
        int64_t count = 0;
        if (list->n == (key->type == KEY_WEIGHTS ? NET_MOST_CLASS_WEIGHTS : NET_MOST_LAYERS))
            return key->type == KEY_WEIGHTS ? "too many items" : "more items than layers can be";
        if (strlen(item) + 1 == sizeof item) /* cut */
            return key->type == KEY_WEIGHTS ? "not a number" : "out of range";
        if (key->type == KEY_SWITCHES) {
            why = read_switch(item, &list->flag[list->n]);
        } else if (key->type == KEY_WEIGHTS) {
            why = read_real(key, item, &list->weight[list->n]);
        } else {
            why = read_count(key, item, &count);
            list->size[list->n] = (size_t)count;
        }
        if (why)
            return why;
        list->n++;
    }
    return NULL;
}

static const char *read_list(
    const struct config_key *key, const char *text, struct config *config, struct list list, size_t *items)
{
    const char *why = read_items(key, text, &list);
    if (why)
        return why;
    if (list.n == 0 && !key->length)
        return "empty";
    char *field = (char *)config + key->offset;
    if (key->type == KEY_SWITCHES)
        memcpy(field, list.flag, sizeof list.flag);
    else if (key->type == KEY_WEIGHTS)
        memcpy(field, list.weight, sizeof list.weight);
    else
        memcpy(field, list.size, sizeof list.size);
    if (key->length)
        memcpy((char *)config + key->length, &list.n, sizeof list.n);
    *items = list.n;
    return NULL;
}

const char *key_add(const struct config_key *key, const char *text, struct config *config, size_t *items)
{
    struct list list = {.n = 0};
    assert(key->type == KEY_WEIGHTS);
    memcpy(list.weight, (const char *)config + key->offset, sizeof list.weight);
    memcpy(&list.n, (const char *)config + key->length, sizeof list.n);
    return read_list(key, text, config, list, items);
}

/* Types that are a number with a unit, or a plain real. */
static const char *read_measure(const struct config_key *key, const char *text, struct config *config)
{
    char *field = (char *)config + key->offset;
    size_t bytes = 0;
    double x = 0;
    int64_t n = 0;
    enum interval unit = INTERVAL_EPOCHS;
    enum number_state state;
    if (key->type == KEY_BYTES)
        x = (state = number_read_bytes(text, &bytes)) == NUMBER_OK ? (double)bytes : 0;
    else if (key->type == KEY_INTERVAL)
        x = (state = number_read_interval(text, &n, &unit)) == NUMBER_OK ? (double)n : 0;
    else if (key->type == KEY_SECONDS)
        state = number_read_seconds(text, &x);
    else
        state = number_read_real(text, &x);
    const char *why = explain(state, key->type == KEY_REAL ? "not a number" : "not a number and a unit");
    if (!why)
        why = check_range(key, x);
    if (why)
        return why;
    if (key->type == KEY_BYTES) {
        memcpy(field, &bytes, sizeof bytes);
    } else if (key->type == KEY_INTERVAL) {
        memcpy(field, &n, sizeof n);
        memcpy((char *)config + key->unit, &unit, sizeof unit);
    } else {
        memcpy(field, &x, sizeof x);
    }
    return NULL;
}

const char *key_read(const struct config_key *key, const char *text, const char *directory,
    struct config *config, size_t *items)
{
    char *field = (char *)config + key->offset;
    int64_t count = 0;
    const char *why;
    *items = 1;
    switch (key->type) {
    case KEY_PATH:
        return read_path(text, directory, (char **)(void *)field);
    case KEY_SWITCH:
        return read_switch(text, (int *)(void *)field);
    case KEY_CHOICE:
        return read_choice(key->choices, text, (int *)(void *)field);
    case KEY_SWITCHES:
    case KEY_SIZES:
    case KEY_WIDTHS:
    case KEY_WEIGHTS:
        return read_list(key, text, config, (struct list){.n = 0}, items);
    case KEY_COUNT:
        return read_count(key, text, (int64_t *)(void *)field);
    case KEY_SIZE:
        why = read_count(key, text, &count);
        if (!why)
            *(size_t *)(void *)field = (size_t)count;
        return why;
    case KEY_SEED:
        return explain(number_read_unsigned(text, (uint64_t *)(void *)field), "not a whole number");
    case KEY_REAL:
    case KEY_BYTES:
    case KEY_SECONDS:
    case KEY_INTERVAL:
        return read_measure(key, text, config);
    }
    return NULL;
}

/* Names separated by commas; grows text, never beyond size. */
static void join(char *text, size_t size, const char *name)
{
    size_t used = strlen(text);
    snprintf(text + used, size - used, "%s%s", used ? ", " : "", name);
}

/* "a number above 0 and below 1", without limits that no one meets. */
static void allowed_range(const struct config_key *key, const char *kind, char *text, size_t size)
{
    char least[32], most[32];
    number_write_real(key->least, least, sizeof least);
    /* Whole numbers in full: the shortest form of 2147483647 may have an exponent. */
    if (key->most < NO_LIMIT && key->most == (double)(int64_t)key->most)
        snprintf(most, sizeof most, "%lld", (long long)key->most);
    else
        number_write_real(key->most, most, sizeof most);
    if (key->most >= NO_LIMIT)
        snprintf(text, size, "%s %s %s", kind, key->above_least ? "above" : "of at least", least);
    else if (key->above_least)
        snprintf(text, size, "%s above %s and at most %s", kind, least, most);
    else
        snprintf(text, size, "%s from %s to %s%s", kind, least, key->below_most ? "below " : "", most);
}

void key_allowed(const struct config_key *key, char *text, size_t size)
{
    text[0] = '\0';
    switch (key->type) {
    case KEY_PATH:
        snprintf(text, size, "the path of a dataset");
        break;
    case KEY_SWITCH:
        snprintf(text, size, "yes or no");
        break;
    case KEY_SWITCHES:
        snprintf(text, size, "yes or no, one for all layers or one per layer");
        break;
    case KEY_CHOICE:
        for (int i = 0; key->choices[i]; i++)
            join(text, size, key->choices[i]);
        break;
    case KEY_COUNT:
    case KEY_SIZE:
    case KEY_SIZES:
        allowed_range(key, "a whole number", text, size);
        if (key->type == KEY_SIZES)
            join(text, size, "one for all layers or one per layer");
        break;
    case KEY_WIDTHS:
        allowed_range(key, "any number of whole numbers", text, size);
        join(text, size, "one per layer");
        break;
    case KEY_WEIGHTS:
        allowed_range(key, "nothing, or numbers", text, size);
        join(text, size, "one per class");
        break;
    case KEY_SEED:
        snprintf(text, size, "a whole number from 0 to 18446744073709551615");
        break;
    case KEY_REAL:
        allowed_range(key, "a number", text, size);
        break;
    case KEY_BYTES:
        snprintf(text, size, "a whole number and bytes, KiB, MiB, GiB or TiB");
        break;
    case KEY_SECONDS:
        snprintf(text, size, "a number of at least 0 and seconds, minutes or hours");
        break;
    case KEY_INTERVAL:
        allowed_range(key, "a whole number", text, size);
        join(text, size, "and epochs, steps or minutes");
        break;
    }
}

static size_t write_item(
    const struct config_key *key, const struct config *config, size_t i, char *text, size_t size)
{
    const void *field = (const char *)config + key->offset;
    if (key->type == KEY_SWITCHES)
        return (size_t)snprintf(text, size, "%s", ((const int *)field)[i] ? "yes" : "no");
    if (key->type == KEY_WEIGHTS)
        return number_write_real(((const double *)field)[i], text, size);
    return (size_t)snprintf(text, size, "%zu", ((const size_t *)field)[i]);
}

/* How many elements of a list are written: where all layers have the same, one stands for all. */
static size_t count_items(const struct config_key *key, const struct config *config)
{
    const char *field = (const char *)config + key->offset;
    size_t n = config->model.layers, bytes = key->type == KEY_SWITCHES ? sizeof(int) : sizeof(size_t);
    if (key->length) {
        memcpy(&n, (const char *)config + key->length, sizeof n);
        return n;
    }
    for (size_t l = 1; l < n && l < NET_MOST_LAYERS; l++)
        if (memcmp(field + l * bytes, field, bytes) != 0)
            return n < NET_MOST_LAYERS ? n : NET_MOST_LAYERS;
    return 1;
}

static size_t write_list(const struct config_key *key, const struct config *config, char *text, size_t size)
{
    size_t n = count_items(key, config), used = 0;
    if (n == 0 && size)
        text[0] = '\0';
    for (size_t l = 0; l < n; l++) {
        char item[32];
        write_item(key, config, l, item, sizeof item);
        size_t room = used < size ? size - used : 0;
        used += (size_t)snprintf(room ? text + used : NULL, room, "%s%s", l ? "," : "", item);
    }
    return used;
}

size_t key_write(const struct config_key *key, const struct config *config, char *text, size_t size)
{
    const void *field = (const char *)config + key->offset;
    const char *path;
    enum interval unit;
    switch (key->type) {
    case KEY_PATH:
        path = *(char *const *)field;
        return (size_t)snprintf(text, size, "%s", path ? path : "");
    case KEY_SWITCH:
        return (size_t)snprintf(text, size, "%s", *(const int *)field ? "yes" : "no");
    case KEY_CHOICE:
        return (size_t)snprintf(text, size, "%s", key->choices[*(const int *)field]);
    case KEY_SWITCHES:
    case KEY_SIZES:
    case KEY_WIDTHS:
    case KEY_WEIGHTS:
        return write_list(key, config, text, size);
    case KEY_COUNT:
        return (size_t)snprintf(text, size, "%lld", (long long)*(const int64_t *)field);
    case KEY_SIZE:
        return (size_t)snprintf(text, size, "%zu", *(const size_t *)field);
    case KEY_SEED:
        return (size_t)snprintf(text, size, "%llu", (unsigned long long)*(const uint64_t *)field);
    case KEY_REAL:
        return number_write_real(*(const double *)field, text, size);
    case KEY_BYTES:
        return number_write_bytes(*(const size_t *)field, text, size);
    case KEY_SECONDS:
        return number_write_seconds(*(const double *)field, text, size);
    case KEY_INTERVAL:
        memcpy(&unit, (const char *)config + key->unit, sizeof unit);
        return number_write_interval(*(const int64_t *)field, unit, text, size);
    }
    return 0;
}

void key_spread(const struct config_key *key, struct config *config)
{
    char *field = (char *)config + key->offset;
    for (size_t l = 1; l < config->model.layers; l++)
        if (key->type == KEY_SWITCHES)
            ((int *)(void *)field)[l] = *(int *)(void *)field;
        else
            ((size_t *)(void *)field)[l] = *(size_t *)(void *)field;
}

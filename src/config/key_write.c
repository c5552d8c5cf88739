/* This file writes values of keys as text, and says what may stand there. */
#include "config/keys.h"

#include "base/numbers.h"
#include "config/path_list.h"

#include <stdio.h>
#include <string.h>

/* Appends a name behind a comma, never beyond the size of the text. */
static void join(char *text, size_t size, const char *name)
{
    size_t used = strlen(text);
    snprintf(text + used, size - used, "%s%s", used ? ", " : "", name);
}

/* Writes "a number above 0 and at most 1", with both limits. */
static void allowed_range(const struct config_key *key, const char *kind, char *text, size_t size)
{
    char least[32], most[32];
    number_write_real(key->least, least, sizeof least);
    /* Whole numbers in full: the shortest form of 2147483647 may have an exponent. */
    if (key->most <= CONFIG_LARGE && key->most == (double)(int64_t)key->most)
        snprintf(most, sizeof most, "%lld", (long long)key->most);
    else
        number_write_real(key->most, most, sizeof most);
    if (key->above_least || key->most >= CONFIG_LARGE)
        snprintf(text, size, "%s %s %s and %s %s", kind, key->above_least ? "above" : "of at least", least,
            key->below_most ? "below" : "at most", most);
    else
        snprintf(text, size, "%s from %s to %s%s", kind, least, key->below_most ? "below " : "", most);
}

/* What is allowed, by type: a text, or with `range` the kind of number that the key's limits stand behind. */
static const struct {
    const char *text;
    int range;
    const char *behind; /* NULL: nothing */
    const char *unit; /* of the largest that is allowed, which is told too; NULL: it is not, or by `range` */
} allowed[] = {
    [KEY_PATHS] = {"the path of a dataset, or several with commas between", 0, NULL, NULL},
    [KEY_SWITCH] = {"yes or no", 0, NULL, NULL},
    [KEY_SWITCHES] = {"yes or no", 0, "one for all layers or one per layer", NULL},
    [KEY_COUNT] = {"a whole number", 1, NULL, NULL},
    [KEY_SIZE] = {"a whole number", 1, NULL, NULL},
    [KEY_SIZES] = {"a whole number", 1, "one for all layers or one per layer", NULL},
    [KEY_WIDTHS] = {"any number of whole numbers", 1, "one per layer", NULL},
    [KEY_WEIGHTS] = {"nothing, or numbers", 1, "one per class", NULL},
    [KEY_SHARES] = {"up to 64 numbers", 1, "rising", NULL},
    [KEY_PATTERNS] = {"any number of shell patterns of parameters' names", 0, NULL, NULL},
    [KEY_RATES] = {"any number of shell patterns of parameters' names, each with a number", 1, NULL, NULL},
    [KEY_SEED] = {"a whole number from 0 to 18446744073709551615", 0, NULL, NULL},
    [KEY_REAL] = {"a number", 1, NULL, NULL},
    [KEY_AUTO] = {"auto, or a number", 1, NULL, NULL},
    [KEY_BYTES] = {"a whole number and bytes, KiB, MiB, GiB or TiB", 0, NULL, "bytes"},
    [KEY_SECONDS] = {"a number of at least 0 and seconds, minutes or hours", 0, NULL, "seconds"},
    [KEY_INTERVALS] = {"a whole number", 1, "and epochs, steps or minutes; or several of them", NULL},
};

_Static_assert(NET_MOST_QUANTILES == 64, "what is said to be allowed of them");

void key_allowed(const struct config_key *key, char *text, size_t size)
{
    text[0] = '\0';
    if (key->type == KEY_CHOICE) {
        for (int i = 0; key->choices[i]; i++)
            join(text, size, key->choices[i]);
        return;
    }
    if (allowed[key->type].range)
        allowed_range(key, allowed[key->type].text, text, size);
    else
        join(text, size, allowed[key->type].text);
    size_t used = strlen(text);
    if (key->type == KEY_BYTES && key->least > 0)
        used += (size_t)snprintf(text + used, size - used, ", at least %.0f", key->least);
    if (allowed[key->type].unit)
        snprintf(text + used, size - used, ", at most %.0f %s in all", key->most, allowed[key->type].unit);
    if (allowed[key->type].behind)
        join(text, size, allowed[key->type].behind);
}

static size_t write_item(
    const struct config_key *key, const struct config *config, size_t i, char *text, size_t size)
{
    const void *field = (const char *)config + key->offset;
    if (key->type == KEY_SWITCHES)
        return (size_t)snprintf(text, size, "%s", ((const int *)field)[i] ? "yes" : "no");
    if (key->type == KEY_WEIGHTS || key->type == KEY_SHARES)
        return number_write_real(((const double *)field)[i], text, size);
    return (size_t)snprintf(text, size, "%zu", ((const size_t *)field)[i]);
}

/* Returns how many elements of a list are written: where all layers have the same, one stands for all. */
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

static size_t write_intervals(const int64_t *every, char *text, size_t size)
{
    size_t used = 0;
    for (int unit = 0; unit < INTERVALS; unit++) {
        if (!every[unit])
            continue;
        char item[64];
        number_write_interval(every[unit], (enum interval)unit, item, sizeof item);
        size_t room = used < size ? size - used : 0;
        used += (size_t)snprintf(room ? text + used : NULL, room, "%s%s", used ? ", " : "", item);
    }
    return used;
}

size_t key_write(const struct config_key *key, const struct config *config, char *text, size_t size)
{
    const void *field = (const char *)config + key->offset;
    switch (key->type) {
    case KEY_PATHS:
        return path_list_write(*(char *const *const *)field, text, size);
    case KEY_SWITCH:
        return (size_t)snprintf(text, size, "%s", *(const int *)field ? "yes" : "no");
    case KEY_CHOICE:
        return (size_t)snprintf(text, size, "%s", key->choices[*(const int *)field]);
    case KEY_SWITCHES:
    case KEY_SIZES:
    case KEY_WIDTHS:
    case KEY_WEIGHTS:
    case KEY_SHARES:
        return write_list(key, config, text, size);
    case KEY_PATTERNS:
    case KEY_RATES:
        return (size_t)snprintf(text, size, "%s", (const char *)field);
    case KEY_COUNT:
        return (size_t)snprintf(text, size, "%lld", (long long)*(const int64_t *)field);
    case KEY_SIZE:
        return (size_t)snprintf(text, size, "%zu", *(const size_t *)field);
    case KEY_SEED:
        return (size_t)snprintf(text, size, "%llu", (unsigned long long)*(const uint64_t *)field);
    case KEY_REAL:
        return number_write_real(*(const double *)field, text, size);
    case KEY_AUTO:
        if (!((const struct net_choice *)field)->given)
            return (size_t)snprintf(text, size, "auto");
        return number_write_real(((const struct net_choice *)field)->number, text, size);
    case KEY_BYTES:
        return number_write_bytes(*(const size_t *)field, text, size);
    case KEY_SECONDS:
        return number_write_seconds(*(const double *)field, text, size);
    case KEY_INTERVALS:
        return write_intervals(field, text, size);
    }
    return 0;
}

int key_is_for_each_layer(const struct config_key *key)
{
    return key->type == KEY_SIZES || key->type == KEY_SWITCHES;
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

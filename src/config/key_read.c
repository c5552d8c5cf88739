/* This file reads values of keys from text. What differs between two types of keys stands in the switch of
 * key_read. */
#include "config/keys.h"

#include "base/memory.h"
#include "base/numbers.h"
#include "base/text.h"
#include "config/path_list.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const out_of_range = "out of range";

/* A double is exact for whole numbers too: no limit of theirs exceeds 2^53. */
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

/* Is the text this word, with or without blanks around it? Those of a file are cut off; an override may have
 * some, as in "model.cell = gru". */
static int is_word(const char *text, const char *word)
{
    size_t n = strlen(word);
    text += strspn(text, " \t");
    return strncmp(text, word, n) == 0 && text[n + strspn(text + n, " \t")] == '\0';
}

static const char *read_choice(const char *const *choices, const char *text, int *choice)
{
    for (int i = 0; choices[i]; i++)
        if (is_word(text, choices[i])) {
            *choice = i;
            return NULL;
        }
    return "not one of the choices";
}

static const char *const no_yes[] = {"no", "yes", NULL};
static const char *const automatic[] = {"auto", NULL};

static const char *read_switch(const char *text, int *value)
{
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
struct key_items {
    size_t size[NET_MOST_LAYERS];
    int flag[NET_MOST_LAYERS];
    double real[NET_MOST_CLASS_WEIGHTS];
    size_t n;
};

/* How many elements the member of a key has room for. */
static size_t count_room(const struct config_key *key)
{
    return key->type == KEY_WEIGHTS ? NET_MOST_CLASS_WEIGHTS
        : key->type == KEY_SHARES   ? NET_MOST_QUANTILES
                                    : NET_MOST_LAYERS;
}

static int is_list_of_reals(const struct config_key *key)
{
    return key->type == KEY_WEIGHTS || key->type == KEY_SHARES;
}

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

static const char *read_items(const struct config_key *key, const char *text, struct key_items *list)
{
    char item[64];
    while (text_next_item(&text, item, sizeof item)) {
        const char *why;
        int64_t count = 0;
        if (list->n == count_room(key))
            return is_list_of_reals(key) ? "too many items" : "more items than layers can be";
        if (strlen(item) + 1 == sizeof item) /* cut */
            return is_list_of_reals(key) ? "not a number" : "out of range";
        if (key->type == KEY_SWITCHES) {
            why = read_switch(item, &list->flag[list->n]);
        } else if (is_list_of_reals(key)) {
            why = read_real(key, item, &list->real[list->n]);
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

static const char *read_list(const struct config_key *key, const char *text, struct config *config,
    struct key_items list, size_t *items)
{
    const char *why = read_items(key, text, &list);
    if (why)
        return why;
    if (list.n == 0 && !key->length)
        return "empty";
    char *field = (char *)config + key->offset;
    if (key->type == KEY_SWITCHES)
        memcpy(field, list.flag, sizeof list.flag);
    else if (is_list_of_reals(key))
        memcpy(field, list.real, count_room(key) * sizeof *list.real);
    else
        memcpy(field, list.size, sizeof list.size);
    if (key->length)
        memcpy((char *)config + key->length, &list.n, sizeof list.n);
    *items = list.n;
    return NULL;
}

const char *key_add(const struct config_key *key, const char *text, struct config *config, size_t *items)
{
    struct key_items list = {.n = 0};
    assert(key->type == KEY_WEIGHTS);
    memcpy(list.real, (const char *)config + key->offset, sizeof list.real);
    memcpy(&list.n, (const char *)config + key->length, sizeof list.n);
    return read_list(key, text, config, list, items);
}

/* Writes the items with one blank between, and of rates the numbers in their one spelling. */
static const char *read_patterns(const struct config_key *key, const char *text, char *patterns)
{
    char read[CONFIG_PATTERNS] = "", item[CONFIG_PATTERNS];
    size_t n = 0, used = 0;
    for (; text_next_item(&text, item, sizeof item); n++) {
        double factor = 0;
        int is_factor = key->type == KEY_RATES && n % 2 == 1;
        const char *why = is_factor ? read_real(key, item, &factor) : NULL;
        if (why)
            return why;
        if (is_factor)
            number_write_real(factor, item, sizeof item);
        used += (size_t)snprintf(read + used, sizeof read - used, "%s%s", n ? " " : "", item);
        if (used >= sizeof read)
            return "too long a list";
    }
    if (key->type == KEY_RATES && n % 2 == 1)
        return "no number behind the last pattern";
    memcpy(patterns, read, sizeof read);
    return NULL;
}

/* Reads types that are a number with a unit, or a plain real. */
static const char *read_measure(const struct config_key *key, const char *text, struct config *config)
{
    char *field = (char *)config + key->offset;
    size_t bytes = 0;
    double x = 0;
    enum number_state state;
    if (key->type == KEY_BYTES)
        x = (state = number_read_bytes(text, &bytes)) == NUMBER_OK ? (double)bytes : 0;
    else if (key->type == KEY_SECONDS)
        state = number_read_seconds(text, &x);
    else
        state = number_read_real(text, &x);
    const char *why = explain(state, key->type == KEY_REAL ? "not a number" : "not a number and a unit");
    if (!why)
        why = check_range(key, x);
    if (why)
        return why;
    if (key->type == KEY_BYTES)
        memcpy(field, &bytes, sizeof bytes);
    else
        memcpy(field, &x, sizeof x);
    return NULL;
}

static const char *read_choice_of_number(
    const struct config_key *key, const char *text, struct net_choice *choice)
{
    struct net_choice read = {.given = !is_word(text, automatic[0])};
    const char *why = read.given ? read_real(key, text, &read.number) : NULL;
    if (!why)
        *choice = read;
    return why && why != out_of_range ? "neither a number nor auto" : why;
}

static const char *read_size(const struct config_key *key, const char *text, size_t *size)
{
    int64_t count = 0;
    const char *why = read_count(key, text, &count);
    if (!why)
        *size = (size_t)count;
    return why;
}

/* "1 epoch, 10 minutes": each unit once. */
static const char *read_intervals(const struct config_key *key, const char *text, int64_t *every)
{
    int64_t read[INTERVALS] = {0};
    while (text) {
        char item[64];
        int64_t n = 0;
        enum interval unit = INTERVAL_EPOCHS;
        size_t length = strcspn(text, ",");
        if (length >= sizeof item)
            return "not a number and a unit";
        snprintf(item, sizeof item, "%.*s", (int)length, text);
        const char *why = explain(number_read_interval(item, &n, &unit), "not a number and a unit");
        if (!why)
            why = check_range(key, (double)n);
        if (!why && read[unit])
            why = "the same unit twice";
        if (why)
            return why;
        read[unit] = n;
        text = text[length] ? text + length + 1 : NULL;
    }
    memcpy(every, read, sizeof read);
    return NULL;
}

const char *key_read(const struct config_key *key, const char *text, const char *directory,
    struct config *config, size_t *items)
{
    char *field = (char *)config + key->offset;
    *items = 1;
    switch (key->type) {
    case KEY_PATHS:
        return path_list_read(text, directory, (char ***)(void *)field);
    case KEY_SWITCH:
        return read_switch(text, (int *)(void *)field);
    case KEY_CHOICE:
        return read_choice(key->choices, text, (int *)(void *)field);
    case KEY_SWITCHES:
    case KEY_SIZES:
    case KEY_WIDTHS:
    case KEY_WEIGHTS:
    case KEY_SHARES:
        return read_list(key, text, config, (struct key_items){.n = 0}, items);
    case KEY_PATTERNS:
    case KEY_RATES:
        return read_patterns(key, text, field);
    case KEY_COUNT:
        return read_count(key, text, (int64_t *)(void *)field);
    case KEY_SIZE:
        return read_size(key, text, (size_t *)(void *)field);
    case KEY_SEED:
        return explain(number_read_unsigned(text, (uint64_t *)(void *)field), "not a whole number");
    case KEY_REAL:
    case KEY_BYTES:
    case KEY_SECONDS:
        return read_measure(key, text, config);
    case KEY_AUTO:
        return read_choice_of_number(key, text, (struct net_choice *)(void *)field);
    case KEY_INTERVALS:
        return read_intervals(key, text, (int64_t *)(void *)field);
    }
    return NULL;
}

const char *const *key_words(const struct config_key *key)
{
    switch (key->type) {
    case KEY_CHOICE:
        return key->choices;
    case KEY_SWITCH:
    case KEY_SWITCHES:
        return no_yes;
    case KEY_AUTO:
        return automatic;
    default:
        return NULL;
    }
}

#include "net/names.h"

#include "base/memory.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

const char *const names_lists[NAMES_LISTS] = {"feature_names", "symbol_names", "class_names", "target_names"};

void net_names_finish(struct net_names *names)
{
    for (size_t i = 0; i < NAMES_LISTS; i++)
        memory_destroy(names->list[i].text);
    *names = (struct net_names){0};
}

struct net_names net_names_of_inputs(const struct net_names *names)
{
    struct net_names inputs = {0};
    inputs.list[NAMES_OF_FEATURES] = names->list[NAMES_OF_FEATURES];
    inputs.list[NAMES_OF_SYMBOLS] = names->list[NAMES_OF_SYMBOLS];
    return inputs;
}

static int copy_list(struct name_list *list, const struct name_list *from, struct error *error)
{
    size_t bytes = from->n * sizeof *from->text;
    for (size_t i = 0; i < from->n; i++)
        bytes += strlen(from->text[i]) + 1;
    char **text = memory_create(bytes, 1, error);
    if (!text)
        return -1;
    char *next = (char *)(text + from->n);
    for (size_t i = 0; i < from->n; i++) {
        text[i] = strcpy(next, from->text[i]);
        next += strlen(next) + 1;
    }
    *list = (struct name_list){from->n, text};
    return 0;
}

int net_names_complete(struct net_names *names, const struct net_names *other, struct error *error)
{
    for (size_t i = 0; i < NAMES_LISTS; i++)
        if (!names->list[i].text && other->list[i].text && copy_list(&names->list[i], &other->list[i], error))
            return -1;
    return 0;
}

/* Returns the row of a name, or n where it is not among them. */
static size_t find_name(const struct name_list *list, const char *name)
{
    size_t row = 0;
    while (row < list->n && strcmp(list->text[row], name) != 0)
        row++;
    return row;
}

/* Says whether a row that differs is in another place, or is unknown to the network: the former is a set to
 * be sorted, the latter one that the network was not made for. */
static int refuse_row(const struct name_list *network, const struct name_list *set, size_t row,
    const char *list, const char *path, struct error *error)
{
    char is[TEXT_SHOWN], wants[TEXT_SHOWN];
    size_t place = find_name(network, set->text[row]);
    text_show(set->text[row], is);
    text_show(network->text[row], wants);
    if (place < network->n)
        return error_set(error, EXIT_CODE_DATA,
            "%s: %s: row %zu is \"%s\" where the network has \"%s\", and \"%s\" in row %zu: write the set in "
            "the order of the network's names",
            path, list, row, is, wants, is, place);
    return error_set(error, EXIT_CODE_DATA,
        "%s: %s: row %zu is \"%s\" where the network has \"%s\", and no \"%s\" at all: give a set that has "
        "the network's names, in their order",
        path, list, row, is, wants, is);
}

int net_names_compare(
    const struct net_names *network, const struct net_names *set, const char *path, struct error *error)
{
    for (size_t i = 0; i < NAMES_LISTS; i++) {
        const struct name_list *has = &network->list[i], *given = &set->list[i];
        if (!has->text || !given->text)
            continue;
        if (has->n != given->n)
            return error_set(error, EXIT_CODE_DATA,
                "%s: %s: %zu names where the network has %zu: give a set that has the network's names, in "
                "their order",
                path, names_lists[i], given->n, has->n);
        for (size_t row = 0; row < has->n; row++)
            if (strcmp(has->text[row], given->text[row]) != 0)
                return refuse_row(has, given, row, names_lists[i], path, error);
    }
    return 0;
}

/* Adds the name of a list to "class_names, feature_names". */
static void add_list(char *text, size_t size, const char *list)
{
    size_t n = strlen(text);
    snprintf(text + n, size - n, "%s%s", n ? ", " : "", list);
}

void net_names_describe_missing(const struct net_names *network, const struct net_names *set,
    const char *path, char *warning, size_t size)
{
    char lacks[80] = "", unknown[80] = "";
    for (size_t i = 0; i < NAMES_LISTS; i++) {
        if (network->list[i].text && !set->list[i].text)
            add_list(lacks, sizeof lacks, names_lists[i]);
        if (!network->list[i].text && set->list[i].text)
            add_list(unknown, sizeof unknown, names_lists[i]);
    }
    size_t n = 0;
    warning[0] = '\0';
    if (*lacks)
        n = (size_t)snprintf(warning, size,
            "%s: has no %s, which the network has: its numbers are taken to be in the network's order", path,
            lacks);
    if (*unknown && n < size)
        snprintf(warning + n, size - n,
            "%s%s: %s cannot be compared: the network was trained on a set without, or its checkpoint is of "
            "an old format",
            n ? "; " : "", path, unknown);
}

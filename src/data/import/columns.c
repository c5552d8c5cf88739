#include "data/import/columns.h"

#include "base/memory.h"
#include "base/suggestion.h"
#include "base/text.h"

#include <string.h>

/* The header, while columns are looked for in it. */
struct import_header {
    struct import *import;
    char *const *name;
    size_t columns;
};

static int refuse_column(const struct import_header *header, const char *option, const char *name)
{
    char shown[TEXT_SHOWN], meant[TEXT_SHOWN];
    struct suggestion suggestion = {.written = name};
    for (size_t c = 0; c < header->columns; c++)
        suggestion_offer(&suggestion, header->name[c]);
    if (suggestion.meant)
        return import_refuse(header->import, "%s: there is no column %s (did you mean %s?)", option,
            text_show(name, shown), text_show(suggestion.meant, meant));
    return import_refuse(header->import, "%s: there is no column %s among the %zu of the header", option,
        text_show(name, shown), header->columns);
}

static int find_column(
    const struct import_header *header, const char *option, const char *name, size_t *place)
{
    char shown[TEXT_SHOWN];
    *place = IMPORT_NO_COLUMN;
    for (size_t c = 0; name && c < header->columns; c++) {
        if (strcmp(header->name[c], name) != 0)
            continue;
        if (*place != IMPORT_NO_COLUMN)
            return import_refuse(
                header->import, "%s: there are two columns %s", option, text_show(name, shown));
        *place = c;
    }
    return name && *place == IMPORT_NO_COLUMN ? refuse_column(header, option, name) : 0;
}

/* Cuts the next name off a list; "\," is a comma of its own. */
static const char *next_name(const char *list, char *name)
{
    for (; *list && *list != ','; list++) {
        if (list[0] == '\\' && list[1] == ',')
            list++;
        *name++ = *list;
    }
    *name = 0;
    return *list ? list + 1 : NULL;
}

static int find_list(
    const struct import_header *header, const char *option, const char *list, size_t *place, size_t *n)
{
    char *name = memory_create(strlen(list) + 1, 1, import_error(header->import));
    int failed = !name;
    for (const char *rest = list; rest && !failed;) {
        rest = next_name(rest, name);
        if (*n == header->columns)
            failed = import_refuse(
                header->import, "%s: more names than the %zu columns of the header", option, header->columns);
        else
            failed = find_column(header, option, name, &place[(*n)++]);
    }
    memory_destroy(name);
    return failed ? -1 : 0;
}

static int is_input(const struct import_columns_found *found, size_t column)
{
    for (size_t t = 0; t < found->targets; t++)
        if (found->target[t] == column)
            return 0;
    return column != found->sequence && column != found->order && column != found->by;
}

/* Finds the inputs where none are named. */
static int find_inputs(const struct import_header *header, struct import_columns_found *found)
{
    const struct name_list *like = import_like_names(header->import, NAMES_OF_FEATURES);
    for (size_t i = 0; like && i < like->n; i++) {
        if (i == header->columns)
            return refuse_column(header, import_like_what(header->import), like->text[i]);
        if (find_column(header, import_like_what(header->import), like->text[i], &found->input[i]))
            return -1;
    }
    found->inputs = like ? like->n : 0;
    for (size_t c = 0; !like && c < header->columns; c++)
        if (is_input(found, c))
            found->input[found->inputs++] = c;
    if (found->inputs == 0)
        return import_refuse(header->import,
            "no column is left for inputs: columns are cut at the separator, is "
            "it another one?");
    return 0;
}

int import_columns_find(struct import *import, const struct import_column_names *names, char *const *header,
    size_t columns, struct import_columns_found *found)
{
    struct import_header all = {import, header, columns};
    struct error *error = import_error(import);
    *found = (struct import_columns_found){0};
    if (!(found->input = memory_create(columns, sizeof *found->input, error)) ||
        !(found->target = memory_create(columns, sizeof *found->target, error)) ||
        !(found->input_name = memory_create(columns, sizeof *found->input_name, error)) ||
        !(found->target_name = memory_create(columns, sizeof *found->target_name, error)))
        return -1;
    if (find_column(&all, "--sequence", names->sequence, &found->sequence) ||
        find_column(&all, "--order", names->order, &found->order) ||
        find_column(&all, "--by", names->by, &found->by))
        return -1;
    if (names->target && find_list(&all, "--target", names->target, found->target, &found->targets))
        return -1;
    if (names->inputs ? find_list(&all, "--inputs", names->inputs, found->input, &found->inputs)
                      : find_inputs(&all, found))
        return -1;
    for (size_t i = 0; i < found->inputs; i++)
        found->input_name[i] = header[found->input[i]];
    for (size_t t = 0; t < found->targets; t++)
        found->target_name[t] = header[found->target[t]];
    return 0;
}

void import_columns_finish(struct import_columns_found *found)
{
    memory_destroy(found->input);
    memory_destroy(found->target);
    memory_destroy((void *)found->input_name);
    memory_destroy((void *)found->target_name);
    *found = (struct import_columns_found){0};
}

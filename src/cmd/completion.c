#include "cmd/completion.h"

#include "base/memory.h"

#include <assert.h>
#include <string.h>

struct completion_place *completion_add(
    struct completion *completion, const char *command, const char *kind, const struct option_table *table)
{
    assert(completion->places < COMPLETION_PLACES);
    struct completion_place *place = &completion->place[completion->places++];
    *place = (struct completion_place){.table = table, .operands = table->operands};
    int n = snprintf(
        place->path, sizeof place->path, "%s%s%s", command ? command : "", kind ? " " : "", kind ? kind : "");
    assert(n < (int)sizeof place->path);
    (void)n;
    return place;
}

void completion_add_word(struct completion_place *place, const char *name, const char *summary)
{
    assert(place->words < COMPLETION_WORDS);
    place->word[place->words].name = name;
    place->word[place->words++].summary = summary;
}

void completion_finish(struct completion *completion)
{
    for (size_t i = 0; i < completion->places; i++) {
        struct option_table *owned = completion->place[i].owned;
        if (owned)
            memory_destroy((void *)owned->row);
        memory_destroy(owned);
    }
    completion->places = 0;
}

void completion_print(const struct completion *completion, enum options_ask ask)
{
    if (ask == ASK_ZSH)
        completion_print_zsh(completion);
    else
        completion_print_bash(completion);
}

/* ---- what both shells are written with ---- */

/* `allowed` are words with ", " or " or " between. */
static int takes_name(const struct option_row *row, const char *name)
{
    size_t n = strlen(name);
    const char *at = row->allowed ? strstr(row->allowed, name) : NULL;
    for (; at; at = strstr(at + 1, name))
        if ((at == row->allowed || at[-1] == ' ') && strchr(" ,", at[n])) /* the end of the text is in it */
            return 1;
    return !row->allowed;
}

void completion_write_names(const struct option_row *row)
{
    for (size_t n = 0, written = 0; row->names[n]; n++)
        if (takes_name(row, row->names[n]))
            printf("%s%s", written++ ? " " : "", row->names[n]);
}

int completion_has_settings(const struct completion *completion)
{
    for (size_t p = 0; p < completion->places; p++)
        for (size_t i = 0; i < completion->place[p].table->rows; i++)
            if (completion->place[p].table->row[i].word == WORD_SETTING)
                return 1;
    return 0;
}

static void write_function_name(const struct completion *completion)
{
    putchar('_');
    for (const char *c = completion->program; *c; c++)
        putchar(*c == '-' ? '_' : *c);
}

void completion_write(const struct completion *completion, const char *text)
{
    for (const char *c = text; *c; c++)
        if (strncmp(c, "_NAME", 5) == 0) {
            write_function_name(completion);
            c += 4;
        } else if (strncmp(c, "PROGRAM", 7) == 0) {
            fputs(completion->program, stdout);
            c += 6;
        } else {
            putchar(*c);
        }
}

void completion_write_quoted(const char *text, const char *escaped)
{
    for (const char *c = text; *c; c++) {
        if (strchr(escaped, *c))
            putchar('\\');
        if (*c == '\'')
            fputs("'\\''", stdout);
        else
            putchar(*c == '\n' ? ' ' : *c);
    }
}

/* The key that was meant is one whose name is nearly the same, or one of the same name in another section. */
#include "base/suggestion.h"
#include "config/keys.h"

#include <stdio.h>
#include <string.h>

void key_suggest_section(const char *section, char *text, size_t size)
{
    struct suggestion suggestion = {.written = section};
    text[0] = '\0';
    for (size_t i = 0; i < config_key_count; i++)
        suggestion_offer(&suggestion, config_keys[i].section);
    if (suggestion.meant)
        snprintf(text, size, " (did you mean [%s]?)", suggestion.meant);
}

/* Finds the key of this name in another section, as the one it was written in has none. */
static const struct config_key *find_elsewhere(const char *name)
{
    for (size_t i = 0; i < config_key_count; i++)
        if (strcmp(config_keys[i].name, name) == 0)
            return &config_keys[i];
    return NULL;
}

void key_suggest_name(const char *section, const char *name, char *text, size_t size)
{
    const struct config_key *elsewhere = find_elsewhere(name);
    struct suggestion suggestion = {.written = name};
    text[0] = '\0';
    for (size_t i = 0; i < config_key_count; i++)
        if (strcmp(config_keys[i].section, section) == 0)
            suggestion_offer(&suggestion, config_keys[i].name);
    if (elsewhere)
        snprintf(text, size, " (did you mean %s of [%s]?)", elsewhere->name, elsewhere->section);
    else if (suggestion.meant)
        snprintf(text, size, " (did you mean %s?)", suggestion.meant);
}

static void join(char *text, size_t size, const char *before, const char *name, const char *behind)
{
    size_t used = strlen(text);
    snprintf(text + used, size - used, "%s%s%s%s", used ? ", " : "", before, name, behind);
}

void key_list_sections(char *text, size_t size)
{
    text[0] = '\0';
    for (size_t i = 0; i < config_key_count; i++)
        if (i == 0 || strcmp(config_keys[i].section, config_keys[i - 1].section) != 0)
            join(text, size, "[", config_keys[i].section, "]");
}

void key_list_names(const char *section, char *text, size_t size)
{
    text[0] = '\0';
    for (size_t i = 0; i < config_key_count; i++)
        if (strcmp(config_keys[i].section, section) == 0)
            join(text, size, "", config_keys[i].name, "");
}

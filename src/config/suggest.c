/* Which name was meant: the one with the smallest edit distance (Levenshtein 1966), if that is small beside
 * the name's length; a key that exists in another section is named with its section. */
#include "config/keys.h"

#include <stdio.h>
#include <string.h>

enum { LONGEST_NAME = 40 };

static size_t smallest(size_t a, size_t b, size_t c)
{
    size_t least = a < b ? a : b;
    return least < c ? least : c;
}

/* Insertions, deletions and replacements that make a of b. */
static size_t distance(const char *a, const char *b)
{
    size_t n = strlen(b), row[LONGEST_NAME + 1];
    if (n > LONGEST_NAME || strlen(a) > LONGEST_NAME)
        return LONGEST_NAME;
    for (size_t j = 0; j <= n; j++)
        row[j] = j;
    for (size_t i = 1; a[i - 1]; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= n; j++) {
            size_t above = row[j];
            row[j] = smallest(above + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1]));
            diagonal = above;
        }
    }
    return row[n];
}

/* Is b near enough to a to be what was meant, and nearer than `nearest` so far? */
static int comes_nearer(const char *a, const char *b, size_t *nearest)
{
    size_t d = distance(a, b);
    if (d > 1 + strlen(b) / 4 || d >= *nearest)
        return 0;
    *nearest = d;
    return 1;
}

void key_suggest_section(const char *section, char *text, size_t size)
{
    size_t nearest = LONGEST_NAME;
    text[0] = '\0';
    for (size_t i = 0; i < config_key_count; i++)
        if (comes_nearer(section, config_keys[i].section, &nearest))
            snprintf(text, size, " (did you mean [%s]?)", config_keys[i].section);
}

void key_suggest_name(const char *section, const char *name, char *text, size_t size)
{
    size_t nearest = LONGEST_NAME;
    text[0] = '\0';
    for (size_t i = 0; i < config_key_count; i++)
        if (strcmp(config_keys[i].section, section) == 0 && comes_nearer(name, config_keys[i].name, &nearest))
            snprintf(text, size, " (did you mean %s?)", config_keys[i].name);
    for (size_t i = 0; i < config_key_count && nearest > 0; i++)
        if (strcmp(config_keys[i].name, name) == 0) {
            snprintf(text, size, " (did you mean %s of [%s]?)", config_keys[i].name, config_keys[i].section);
            nearest = 0;
        }
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

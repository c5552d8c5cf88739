#include "cmd/show.h"

#include "base/clean.h"
#include "base/memory.h"
#include "base/text.h"

#include <stdio.h>

enum { MOST_NAMES = 8 };

void show_text(const char *text)
{
    char *copy = text_copy(text, NULL);
    fputs(copy ? text_clean(copy) : "?", stdout);
    memory_destroy(copy);
}

void show_label(const char *label)
{
    printf("  %-10s ", label);
}

void show_names(char *const *names, size_t count)
{
    for (size_t i = 0; names && i < count && i < MOST_NAMES; i++) {
        fputs(i == 0 ? ": " : ", ", stdout);
        show_text(names[i]);
    }
    puts(names && count > MOST_NAMES ? ", ..." : "");
}

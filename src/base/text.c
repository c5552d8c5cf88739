#include "base/text.h"

#include "base/clean.h"
#include "base/memory.h"

#include <string.h>

char *text_copy(const char *text, struct error *error)
{
    size_t bytes = strlen(text) + 1;
    char *copy = memory_create(bytes, 1, error);
    return copy ? memcpy(copy, text, bytes) : NULL;
}

static int is_separator(char c)
{
    return c == ' ' || c == '\t' || c == ',';
}

int text_next_item(const char **list, char *item, size_t size)
{
    const char *c = *list;
    while (is_separator(*c))
        c++;
    size_t n = 0;
    for (; *c && !is_separator(*c); c++)
        if (n + 1 < size)
            item[n++] = *c;
    item[n] = '\0';
    *list = c;
    return n > 0;
}

const char *text_show(const char *text, char shown[TEXT_SHOWN])
{
    enum { MOST = 60 };
    size_t n = strnlen(text, MOST + 1), cut = n > MOST;
    /* A cut must not fall inside a character of several bytes. */
    for (n = cut ? MOST : n; cut && n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80;)
        n--;
    memcpy(shown, text, n);
    memcpy(shown + n, cut ? "..." : "", cut ? 4 : 1);
    return text_clean(shown);
}

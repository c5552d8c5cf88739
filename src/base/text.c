#include "base/text.h"

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
    size_t n = 0;
    for (; n < 60 && text[n]; n++) {
        unsigned char c = (unsigned char)text[n];
        shown[n] = c < ' ' || c == 127 ? '?' : text[n];
    }
    /* A cut must not fall inside a character of several bytes. */
    if (text[n]) {
        while (n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80)
            n--;
        memcpy(shown + n, "...", 4);
    } else {
        shown[n] = '\0';
    }
    return shown;
}

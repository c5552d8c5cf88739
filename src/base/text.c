#include "base/text.h"

#include "base/clean.h"
#include "base/memory.h"

#include <stdint.h>
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

/* The bytes of the character at `text`, or 0 where it is none. */
static size_t character_bytes(const unsigned char *text, size_t bytes)
{
    static const uint32_t least[5] = {0, 0, 0x80, 0x800, 0x10000}; /* that needs so many bytes */
    size_t n = text[0] < 0x80 ? 1
        : text[0] >> 5 == 6   ? 2
        : text[0] >> 4 == 14  ? 3
        : text[0] >> 3 == 30  ? 4
                              : 0;
    if (n < 2 || n > bytes)
        return n > bytes ? 0 : n;
    uint32_t character = text[0] & (0xffu >> (n + 1));
    for (size_t i = 1; i < n; i++) {
        if (text[i] >> 6 != 2)
            return 0;
        character = character << 6 | (text[i] & 0x3f);
    }
    int surrogate = character >= 0xd800 && character < 0xe000;
    return character < least[n] || character > 0x10ffff || surrogate ? 0 : n;
}

int text_is_utf8(const char *text, size_t bytes)
{
    for (size_t at = 0, n; at < bytes; at += n) {
        n = character_bytes((const unsigned char *)text + at, bytes - at);
        if (n == 0)
            return 0;
    }
    return 1;
}

int text_ends_in(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);
    return n > m && strcmp(text + n - m, end) == 0;
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

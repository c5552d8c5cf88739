#include "base/clean.h"

#include <stddef.h>

static int continues(unsigned char c)
{
    return (c & 0xc0) == 0x80;
}

/* Bytes of the UTF-8 character at the beginning of the text that a terminal shows; 0: it is none. The second
 * byte tells forms that are longer than need be, surrogates, what lies behind U+10FFFF, and the controls of
 * C1. */
static size_t measure_character(const unsigned char *c)
{
    if (c[0] < 0x80)
        return c[0] >= ' ' && c[0] != 127;
    size_t n = c[0] >= 0xc2 && c[0] < 0xe0 ? 2
        : c[0] >= 0xe0 && c[0] < 0xf0      ? 3
        : c[0] >= 0xf0 && c[0] < 0xf5      ? 4
                                           : 0;
    for (size_t i = 1; i < n; i++)
        if (!continues(c[i]))
            return 0;
    int bad = (c[0] == 0xc2 && c[1] < 0xa0) || (c[0] == 0xe0 && c[1] < 0xa0) ||
        (c[0] == 0xed && c[1] >= 0xa0) || (c[0] == 0xf0 && c[1] < 0x90) || (c[0] == 0xf4 && c[1] >= 0x90);
    return bad ? 0 : n;
}

char *text_clean(char *text)
{
    for (char *c = text; *c;) {
        size_t n = measure_character((const unsigned char *)c);
        if (n == 0)
            *c = '?';
        c += n ? n : 1;
    }
    return text;
}

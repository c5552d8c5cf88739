#include "data/import/lines.h"

#include "base/array.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

int import_lines_open(struct import_lines *lines, struct import *import)
{
    *lines = (struct import_lines){.import = import, .file = import_open(import)};
    return lines->file ? 0 : -1;
}

void import_lines_close(struct import_lines *lines)
{
    if (lines->file)
        fclose(lines->file);
    free(lines->text);
    *lines = (struct import_lines){0};
}

/* Makes room for one byte more. */
static int widen(struct import_lines *lines)
{
    if (lines->bytes >= LINES_MOST_BYTES)
        return import_refuse(lines->import, "a line of more than %d MiB", LINES_MOST_BYTES >> 20);
    char *text = array_grow(lines->text, &lines->room, lines->bytes + 1, 1);
    if (!text)
        return error_set(import_error(lines->import), EXIT_CODE_INTERNAL, "out of memory for a line");
    lines->text = text;
    return 0;
}

static int read_line(struct import_lines *lines)
{
    int c;
    lines->bytes = 0;
    while ((c = getc_unlocked(lines->file)) != EOF && c != '\n') {
        if (lines->bytes + 2 > lines->room && widen(lines))
            return -1;
        lines->text[lines->bytes++] = (char)c;
    }
    if (ferror(lines->file))
        return import_refuse_reading(lines->import);
    if (c == EOF && lines->bytes == 0)
        return 0;
    if (lines->bytes + 2 > lines->room && widen(lines))
        return -1;
    if (lines->bytes && lines->text[lines->bytes - 1] == '\r')
        lines->bytes--;
    lines->text[lines->bytes] = 0;
    return 1;
}

int import_lines_next(struct import_lines *lines)
{
    import_set_line(lines->import, ++lines->line);
    int more = read_line(lines);
    if (more <= 0)
        return more;
    if (lines->line == 1 && lines->bytes >= 3 && memcmp(lines->text, "\xef\xbb\xbf", 3) == 0)
        memmove(lines->text, lines->text + 3, (lines->bytes -= 3) + 1);
    if (memchr(lines->text, 0, lines->bytes) || !text_is_utf8(lines->text, lines->bytes))
        return import_refuse(lines->import, "is not UTF-8: convert the file first");
    return 1;
}

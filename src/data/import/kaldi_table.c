#include "data/import/kaldi_table.h"

#include "base/numbers.h"
#include "base/text.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

/* ---- lines of scripts ---- */

static void trim_end(char *text)
{
    size_t n = strlen(text);
    while (n && (text[n - 1] == ' ' || text[n - 1] == '\t'))
        text[--n] = 0;
}

/* Reads "12:40" or ":", an empty text being the whole, up to the end of the text. */
static int parse_bounds(const char *text, int64_t *first, int64_t *last)
{
    char number[24];
    const char *colon = strchr(text, ':');
    size_t n = colon ? (size_t)(colon - text) : 0;
    *first = *last = -1;
    if (!*text || strcmp(text, ":") == 0)
        return 0;
    if (!colon || n == 0 || n >= sizeof number || !isdigit((unsigned char)text[0]) ||
        !isdigit((unsigned char)colon[1]))
        return -1;
    memcpy(number, text, n);
    number[n] = 0;
    if (number_read_integer(number, first) != NUMBER_OK || number_read_integer(colon + 1, last) != NUMBER_OK)
        return -1;
    return *last < *first ? -1 : 0;
}

/* Cuts "[r0:r1,c0:c1]" off the end of a place. */
static int parse_range(char *place, struct kaldi_range *range, struct error *error)
{
    char shown[TEXT_SHOWN];
    size_t n = strlen(place);
    *range = (struct kaldi_range){-1, -1, -1, -1};
    if (n == 0 || place[n - 1] != ']')
        return 0;
    char *open = strrchr(place, '[');
    if (!open)
        return error_set(
            error, EXIT_CODE_DATA, "\"%s\" ends a range that does not begin", text_show(place, shown));
    place[n - 1] = 0;
    char *comma = strchr(open, ',');
    if (comma)
        *comma = 0;
    int wrong = parse_bounds(open + 1, &range->first_row, &range->last_row);
    if (!wrong && comma)
        wrong = parse_bounds(comma + 1, &range->first_column, &range->last_column);
    if (wrong)
        return error_set(error, EXIT_CODE_DATA,
            "\"%s\" is no range: it should be [FIRST:LAST] or "
            "[FIRST:LAST,FIRST:LAST], both ends included",
            text_show(open + 1, shown));
    *open = 0;
    return 0;
}

/* Cuts ":OFFSET" off the end of a place, where there is one. */
static int parse_offset(char *place, int64_t *offset, struct error *error)
{
    char *end = place + strlen(place), *digit = end;
    *offset = 0;
    while (digit > place && isdigit((unsigned char)digit[-1]))
        digit--;
    if (digit == end || digit == place || digit[-1] != ':')
        return 0;
    if (number_read_integer(digit, offset) != NUMBER_OK)
        return error_set(error, EXIT_CODE_DATA, "the offset %s is beyond all files", digit);
    digit[-1] = 0;
    return 0;
}

int kaldi_parse_entry(char *line, struct kaldi_entry *entry, struct error *error)
{
    char shown[TEXT_SHOWN];
    entry->key = bounded_next_word(&line);
    if (!entry->key)
        return error_set(error, EXIT_CODE_DATA, "is empty: a line should be KEY PLACE");
    while (*line == ' ' || *line == '\t')
        line++;
    trim_end(line);
    entry->path = line;
    if (!*line)
        return error_set(error, EXIT_CODE_DATA, "key %s has no place: a line should be KEY PLACE",
            text_show(entry->key, shown));
    if (line[strlen(line) - 1] == '|' || line[0] == '|')
        return error_set(error, EXIT_CODE_DATA,
            "key %s asks for a command to be run, which is never done: "
            "write what it prints to a file (copy-feats) and name that",
            text_show(entry->key, shown));
    if (parse_range(line, &entry->range, error) != 0)
        return -1;
    trim_end(line);
    if (line[0] == '-' && !line[1])
        return error_set(error, EXIT_CODE_DATA, "key %s asks for standard input: name a file",
            text_show(entry->key, shown));
    return parse_offset(line, &entry->offset, error);
}

/* ---- tables ---- */

static int has_end(const char *name, const char *end)
{
    size_t n = strlen(name), m = strlen(end);
    return n >= m && strcmp(name + n - m, end) == 0;
}

int kaldi_table_open(struct kaldi_table *table, const char *name, struct error *error)
{
    struct kaldi_table opened = {.is_script = has_end(name, ".scp")};
    if (strncmp(name, "scp:", 4) == 0 || strncmp(name, "ark:", 4) == 0) {
        opened.is_script = name[0] == 's';
        name += 4;
    }
    if (bounded_open(&opened.file, name, opened.is_script ? "a Kaldi script" : "a Kaldi archive", error) != 0)
        return -1;
    *table = opened;
    return 0;
}

void kaldi_table_close(struct kaldi_table *table)
{
    bounded_close(&table->file);
    bounded_close(&table->archive);
    *table = (struct kaldi_table){0};
}

static int take_key(struct kaldi_table *table, const char *key, struct error *error)
{
    char shown[TEXT_SHOWN];
    size_t n = strlen(key);
    if (n >= KALDI_KEY_BYTES)
        return error_set(error, EXIT_CODE_DATA, "%s: key %s is longer than %d bytes", table->file.path,
            text_show(key, shown), KALDI_KEY_BYTES - 1);
    memmove(table->key, key, n + 1);
    return 0;
}

/* Opens the archive of a line, which most often is that of the line before. */
static int go_to(struct kaldi_table *table, const struct kaldi_entry *entry, struct error *error)
{
    if (!table->archive.path || strcmp(table->archive.path, entry->path) != 0) {
        bounded_close(&table->archive);
        if (bounded_open(&table->archive, entry->path, "a Kaldi archive", error) != 0)
            return error_prefix(error, "%s: line %" PRId64 ": ", table->file.path, table->file.lines);
    }
    table->object = &table->archive;
    if (bounded_seek(&table->archive, entry->offset, error) != 0)
        return error_prefix(error, "%s: line %" PRId64 ": ", table->file.path, table->file.lines);
    return 0;
}

static int next_of_script(struct kaldi_table *table, struct error *error)
{
    struct kaldi_entry entry = {.key = NULL};
    int got = bounded_read_line(&table->file, error);
    if (got <= 0)
        return got;
    if (kaldi_parse_entry(table->file.line, &entry, error) != 0)
        return error_prefix(error, "%s: line %" PRId64 ": ", table->file.path, table->file.lines);
    table->range = entry.range;
    return take_key(table, entry.key, error) != 0 || go_to(table, &entry, error) != 0 ? -1 : 1;
}

static int next_of_archive(struct kaldi_table *table, struct error *error)
{
    size_t n = 0;
    int byte = bounded_get(&table->file);
    while (byte != EOF && byte > 0 && byte <= ' ')
        byte = bounded_get(&table->file);
    if (byte == EOF)
        return 0;
    int64_t at = table->file.at - 1;
    for (; byte > ' ' && byte != 127 && n + 1 < KALDI_KEY_BYTES; byte = bounded_get(&table->file))
        table->key[n++] = (char)byte;
    table->key[n] = 0;
    if ((byte != ' ' && byte != '\t') || !text_is_utf8(table->key, n))
        return error_set(error, EXIT_CODE_DATA,
            "%s: there is no key at byte %" PRId64 ": it is no Kaldi archive, or damaged", table->file.path,
            at);
    table->range = (struct kaldi_range){-1, -1, -1, -1};
    table->object = &table->file;
    return 1;
}

int kaldi_table_next(struct kaldi_table *table, struct error *error)
{
    return table->is_script ? next_of_script(table, error) : next_of_archive(table, error);
}

struct kaldi_mark kaldi_table_mark(const struct kaldi_table *table)
{
    return (struct kaldi_mark){table->file.at, table->file.lines};
}

int kaldi_table_go(struct kaldi_table *table, struct kaldi_mark mark, struct error *error)
{
    table->file.lines = mark.lines;
    return bounded_seek(&table->file, mark.at, error);
}

#include "data/import/files.h"

#include "base/memory.h"
#include "base/text.h"
#include "data/import/kaldi_table.h"

#include <inttypes.h>
#include <string.h>

struct file_reader {
    int (*read)(struct import *import, void *context, const char *name, const char *path);
    void *context;
};

/* Reads a file under a name, or NULL: its own. */
static int read_named(
    struct import *import, const struct file_reader *reader, const char *name, const char *path)
{
    if (name)
        return reader->read(import, reader->context, name, path);
    const char *slash = strrchr(path, '/');
    char *own = text_copy(slash ? slash + 1 : path, import_error(import));
    if (!own)
        return -1;
    char *dot = strrchr(own, '.');
    if (dot && dot != own)
        *dot = 0;
    int outcome = reader->read(import, reader->context, own, path);
    memory_destroy(own);
    return outcome;
}

/* Splits a line into name and file; where it has one word that is the file. */
static int read_line(struct import *import, const struct file_reader *reader, char *line)
{
    struct kaldi_entry entry;
    char *second = line + strspn(line, " \t");
    second += strcspn(second, " \t");
    if (!second[strspn(second, " \t")]) {
        char *path = bounded_next_word(&line);
        if (path && path[strlen(path) - 1] == '|')
            return error_set(
                import_error(import), EXIT_CODE_DATA, "asks for a command to be run, which is never done");
        return path ? read_named(import, reader, NULL, path) : 0;
    }
    if (kaldi_parse_entry(line, &entry, import_error(import)) != 0)
        return -1;
    if (entry.offset || entry.range.first_row >= 0 || entry.range.first_column >= 0)
        return error_set(import_error(import), EXIT_CODE_DATA,
            "asks for a part of a file, which is known of the kind kaldi alone");
    return read_named(import, reader, entry.key, entry.path);
}

int import_each_file(struct import *import,
    int (*read)(struct import *import, void *context, const char *name, const char *path), void *context)
{
    struct file_reader reader = {read, context};
    struct error *error = import_error(import);
    struct bounded_file list;
    if (!text_ends_in(import_source(import), ".scp"))
        return read_named(import, &reader, NULL, import_source(import));
    if (bounded_open(&list, import_source(import), "a list of files", error) != 0)
        return -1;
    int got;
    while ((got = bounded_read_line(&list, error)) > 0)
        if (read_line(import, &reader, list.line) != 0) {
            got = error_prefix(error, "%s: line %" PRId64 ": ", list.path, list.lines);
            break;
        }
    bounded_close(&list);
    return got;
}

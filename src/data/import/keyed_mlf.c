/* Master label files of HTK (the HTK Book 3.4, section 6.2): the first line is #!MLF!#, then each entry is a
 * file name in quotes, lines "START END LABEL" in units of 100 ns or "LABEL" alone, and a line with a dot.
 * The key is the name without its folders and what follows the last dot. */
#include "data/import/keyed.h"

#include "base/numbers.h"
#include "base/text.h"

#include <inttypes.h>
#include <string.h>

/* A line of an entry. */
struct mlf_line {
    const char *label; /* NULL: the dot that ends the entry */
    int has_times;
    int64_t start, end;
};

static int refuse(const struct keyed_targets *keyed, const char *what, struct error *error)
{
    return error_set(error, EXIT_CODE_DATA, "%s: line %" PRId64 " %s", keyed->table.file.path,
        keyed->table.file.lines, what);
}

/* Takes the key out of a file name in quotes. */
static int take_key(struct keyed_targets *keyed, char *line, struct error *error)
{
    size_t n = strlen(line);
    if (n < 2 || line[0] != '"' || line[n - 1] != '"')
        return refuse(keyed, "should name a label file in quotes, as \"*/name.lab\"", error);
    line[n - 1] = 0;
    char *slash = strrchr(line, '/'), *key = slash ? slash + 1 : line + 1, *dot = strrchr(key, '.');
    if (dot && dot != key)
        *dot = 0;
    if (!*key || strpbrk(key, "*?") || strlen(key) >= sizeof keyed->table.key)
        return refuse(keyed, "names no single file: only its folders may be a pattern", error);
    memcpy(keyed->table.key, key, strlen(key) + 1);
    return 0;
}

/* Reads the line that begins an entry: 1; 0 at the end of the file. */
static int read_name(struct keyed_targets *keyed, struct error *error)
{
    struct bounded_file *file = &keyed->table.file;
    for (int got; (got = bounded_read_line(file, error)) != 0;) {
        char *rest = file->line;
        if (got < 0)
            return -1;
        if (file->lines == 1) {
            if (strcmp(rest, "#!MLF!#") != 0)
                return refuse(keyed, "should be #!MLF!#: this is no master label file", error);
            continue;
        }
        if (*rest)
            return take_key(keyed, rest, error) != 0 ? -1 : 1;
    }
    return 0;
}

static int read_line(struct keyed_targets *keyed, struct mlf_line *line, struct error *error)
{
    struct bounded_file *file = &keyed->table.file;
    int got = bounded_read_line(file, error);
    if (got <= 0)
        return got < 0 ? -1
                       : refuse(keyed, "is the last, but no dot ends the entry: the file is cut off", error);
    char *rest = file->line;
    const char *word[3] = {bounded_next_word(&rest)};
    for (size_t i = 1; i < 3; i++)
        word[i] = word[i - 1] ? bounded_next_word(&rest) : NULL;
    *line = (struct mlf_line){.label = word[0]};
    if (!word[0])
        return refuse(keyed, "is empty within an entry, which ends with a dot", error);
    if (strcmp(word[0], ".") == 0 && !word[1])
        line->label = NULL;
    if (strcmp(word[0], "///") == 0)
        return refuse(keyed, "begins an alternative transcription, of which only one can be a target", error);
    if (!word[1] || number_read_integer(word[0], &line->start) != NUMBER_OK)
        return 0;
    if (!word[2] || number_read_integer(word[1], &line->end) != NUMBER_OK)
        return refuse(keyed, "has a start, but not START END LABEL", error);
    if (line->start < 0 || line->end < line->start)
        return refuse(keyed, "ends before it starts", error);
    line->has_times = 1;
    line->label = word[2];
    return 0;
}

/* What the first line with a label has, times or not, all must have. */
static int next_entry(struct keyed_targets *keyed, struct error *error)
{
    struct mlf_line line = {.label = NULL};
    int got = read_name(keyed, error);
    if (got <= 0)
        return got;
    for (;;) {
        if (read_line(keyed, &line, error) != 0)
            return -1;
        if (!line.label)
            return 1;
        if (keyed->lines_are == MLF_UNKNOWN)
            keyed->lines_are = line.has_times ? MLF_TIMES : MLF_LABELS;
        if (line.has_times != (keyed->lines_are == MLF_TIMES))
            return refuse(keyed,
                line.has_times ? "has times, but others have none" : "has no times, but others have", error);
    }
}

static int add_labels(
    struct keyed_targets *keyed, struct import *import, const struct keyed_sequence *sequence)
{
    struct mlf_line line = {.label = NULL};
    if (read_name(keyed, import_error(import)) != 1)
        return -1;
    for (;;) {
        if (read_line(keyed, &line, import_error(import)) != 0)
            return -1;
        if (!line.label)
            return 0;
        if (keyed_add_class(keyed, import, line.label) != 0)
            return -1;
    }
}

/* The frame at which a time lies, rounded to the nearest. */
static int64_t frame_at(int64_t time, int64_t period)
{
    int64_t frame = time / period;
    return frame + (time % period >= (period + 1) / 2);
}

/* Frames that no line covers have no target; what lies behind the last frame, where the window of the
 * features has ended, is left out. */
static int add_frames(
    struct keyed_targets *keyed, struct import *import, const struct keyed_sequence *sequence)
{
    struct mlf_line line = {.label = NULL};
    int64_t done = 0;
    if (sequence->period <= 0)
        return error_set(import_error(import), EXIT_CODE_DATA,
            "%s: sequence %s: its features do not say how far frames lie apart, which times need",
            keyed->table.file.path, sequence->name);
    if (read_name(keyed, import_error(import)) != 1)
        return -1;
    for (;;) {
        if (read_line(keyed, &line, import_error(import)) != 0)
            return -1;
        int64_t first = line.label ? frame_at(line.start, sequence->period) : sequence->frames;
        int64_t end = line.label ? frame_at(line.end, sequence->period) : sequence->frames;
        if (first < done)
            return refuse(keyed, "starts before the line before it ends", import_error(import));
        for (; done < first && done < sequence->frames; done++)
            if (keyed_add_class(keyed, import, NULL) != 0)
                return -1;
        for (; done < end && done < sequence->frames; done++)
            if (keyed_add_class(keyed, import, line.label) != 0)
                return -1;
        if (!line.label)
            return 0;
    }
}

const struct keyed_form keyed_mlf = {IMPORT_ANY_TARGETS, 0, next_entry, add_labels};
const struct keyed_form keyed_mlf_times = {IMPORT_PER_FRAME, 0, next_entry, add_frames};

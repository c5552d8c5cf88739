/* What kinds hand over is checked here and put where it waits. Names of sequences are kept as hashes, to find
 * one that comes twice: of ten million names one is refused for another's sake with a probability below one
 * in a hundred thousand. */
#include "data/import/intake.h"

#include "base/hash.h"
#include "base/numbers.h"
#include "base/text.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { MOST_TOLD = 5 /* unmatched sequences */ };

/* ---- messages ---- */

/* "SOURCE:LINE: " */
static void write_place(const struct import *import, char *text, size_t size)
{
    const char *path = import->file ? import->file : import->source;
    if (strcmp(path, "-") == 0)
        path = "standard input";
    if (import->line)
        snprintf(text, size, "%s:%" PRId64, path, import->line);
    else
        snprintf(text, size, "%s", path);
}

int import_refuse(struct import *import, const char *format, ...)
{
    char place[600], text[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    write_place(import, place, sizeof place);
    return error_set(import->error, EXIT_CODE_DATA, "%s: %s", place, text);
}

int import_refuse_reading(struct import *import)
{
    char place[600];
    int why = errno;
    write_place(import, place, sizeof place);
    return error_set(import->error, EXIT_CODE_IO, "%s: cannot be read: %s", place, strerror(why));
}

struct error *import_error(struct import *import)
{
    return import->error;
}

void import_warn(struct import *import, const char *format, ...)
{
    char place[600], text[1024], line[1700];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    write_place(import, place, sizeof place);
    snprintf(line, sizeof line, "%s: %s", place, text);
    if (import->warn)
        import->warn(line);
}

int import_unmatched(struct import *import, const char *name, const char *lacks)
{
    char shown[TEXT_SHOWN];
    text_show(name, shown);
    if (import->options->unmatched == IMPORT_UNMATCHED_FAIL)
        return import_refuse(import, "%s: %s: --unmatched skip leaves such out", shown, lacks);
    if (import->unmatched++ < MOST_TOLD)
        import_warn(import, "%s: %s: left out", shown, lacks);
    return 0;
}

const char *import_show_feature(const struct import *import, size_t feature, char text[IMPORT_FEATURE])
{
    const struct name_list *names = &import->declared.names.list[NAMES_OF_FEATURES];
    char shown[TEXT_SHOWN];
    if (names->text)
        snprintf(text, IMPORT_FEATURE, "feature %s", text_show(names->text[feature], shown));
    else
        snprintf(text, IMPORT_FEATURE, "feature %zu", feature);
    return text;
}

/* ---- names ---- */

/* Puts a hash into the table: 1 where it was there. */
static int mark_hash(uint64_t *table, size_t slots, uint64_t hash)
{
    size_t at = (size_t)hash & (slots - 1);
    while (table[at] && table[at] != hash)
        at = (at + 1) & (slots - 1);
    int there = table[at] == hash;
    table[at] = hash;
    return there;
}

static int widen_names(struct import *import)
{
    size_t slots = import->name_slots ? 2 * import->name_slots : 1024;
    uint64_t *fresh = calloc(slots, sizeof *fresh);
    if (!fresh)
        return error_set(import->error, EXIT_CODE_INTERNAL, "out of memory: %zu names", import->names);
    for (size_t i = 0; i < import->name_slots; i++)
        if (import->name_hash[i])
            mark_hash(fresh, slots, import->name_hash[i]);
    free(import->name_hash);
    import->name_hash = fresh;
    import->name_slots = slots;
    return 0;
}

static int check_name(struct import *import, const char *name)
{
    char shown[TEXT_SHOWN];
    size_t n = strlen(name);
    if (n > IMPORT_MOST_NAME_BYTES || !text_is_utf8(name, n))
        return import_refuse(import, "the name of the sequence is not UTF-8, or longer than %d bytes: %s",
            IMPORT_MOST_NAME_BYTES, text_show(name, shown));
    if (import->names + 1 > import->name_slots / 4 * 3 && widen_names(import))
        return -1;
    uint64_t hash = hash_bytes(name, n);
    if (mark_hash(import->name_hash, import->name_slots, hash ? hash : 1))
        return import_refuse(import,
            "sequence %s is there twice: what belongs to a sequence has to stand "
            "together, and each needs a name of its own",
            text_show(name, shown));
    import->names++;
    return 0;
}

/* ---- a sequence ---- */

int import_begin(struct import *import, const char *name, const char *group)
{
    char number[24];
    assert(import->has_declared && !import->open.part);
    if (name && check_name(import, name))
        return -1;
    snprintf(number, sizeof number, "%" PRId64, import->begun++);
    const char *key = group && (import->options->by || !name) ? group : name ? name : number;
    struct import_part *part = &import->part[import_split_find(&import->split, key)];
    import->open = (struct import_open){.part = part};
    snprintf(import->open.name, sizeof import->open.name, "%s", name ? name : "");
    return 0;
}

static int refuse_value(struct import *import, size_t feature, float x)
{
    char text[IMPORT_FEATURE];
    import_show_feature(import, feature, text);
    if (isnan(x))
        return import_refuse(
            import, "%s has no value here: --missing mask or mean says what is to stand there", text);
    return import_refuse(
        import, "%s is infinite, or too large for a float: only finite numbers are taken", text);
}

static int take_row(struct import *import, const float *row)
{
    struct import_gaps *gaps = &import->gaps;
    int in_mean = import->open.part == &import->part[0];
    for (size_t i = 0; i < import->declared.features; i++) {
        if (isfinite(row[i])) {
            gaps->sum[i] += in_mean ? (double)row[i] : 0;
            gaps->present[i] += in_mean;
        } else if (isinf(row[i]) || import->options->missing == IMPORT_MISSING_FAIL) {
            return refuse_value(import, i, row[i]);
        } else {
            gaps->missed[i] = 1;
        }
    }
    return 0;
}

int import_add_rows(struct import *import, const float *rows, int64_t n)
{
    size_t width = import->declared.features;
    assert(import->open.part && width);
    for (int64_t r = 0; r < n; r++)
        if (take_row(import, rows + (size_t)r * width))
            return -1;
    import->open.frames += n;
    return spool_write(&import->open.part->inputs, rows, (size_t)n * width * sizeof *rows, import->error);
}

/* What import_vocabulary_find says, in words. */
static int refuse_label(struct import *import, const char *label, int32_t why)
{
    char shown[TEXT_SHOWN];
    if (why == LABEL_MEMORY)
        return error_set(import->error, EXIT_CODE_INTERNAL, "out of memory for labels");
    if (why == LABEL_MANY)
        return import_refuse(
            import, "more than %d different labels: are these labels at all?", IMPORT_MOST_LABELS);
    return import_refuse(import, "label %s is not known: %s does not have it", text_show(label, shown),
        import->like.path ? import->like.path : "the list of this source, or of the first one,");
}

/* Finds the place of a label in its list; negative where it is refused. */
static int32_t find_label(struct import *import, struct import_vocabulary *list, const char *label)
{
    size_t n = strlen(label);
    assert(!list->numbered);
    if (n == 0 || n > IMPORT_MOST_LABEL_BYTES || !text_is_utf8(label, n)) {
        char shown[TEXT_SHOWN];
        return import_refuse(import, "a label is empty, or longer than %d bytes, or not UTF-8: %s",
            IMPORT_MOST_LABEL_BYTES, text_show(label, shown));
    }
    int counted = import->open.part == &import->part[0];
    int32_t place = import_vocabulary_find(list, label, counted);
    if (place == LABEL_UNKNOWN) {
        int32_t rare = import_vocabulary_find(list, IMPORT_RARE, counted);
        place = rare >= 0 ? rare : place;
    }
    return place < 0 ? refuse_label(import, label, place) : place;
}

static int32_t find_number(struct import *import, struct import_vocabulary *list, const int32_t *map,
    int64_t numbers, int64_t number)
{
    int64_t limit = map ? numbers : list->numbered ? INT32_MAX : (int64_t)list->n;
    int32_t place = number < 0 || number >= limit ? LABEL_UNKNOWN
        : map                                     ? map[number]
        : list->numbered                          ? import_vocabulary_find_number(list, number)
                                                  : (int32_t)number;
    if (place >= 0)
        return place;
    return import_refuse(import,
        "number %" PRId64 " of a class or symbol is out of range: %" PRId64 " are known, counted from 0",
        number, list->numbered ? list->limit : limit);
}

static int keep(struct import *import, struct spool *spool, int64_t *count, int32_t place)
{
    (*count)++;
    return spool_write(spool, &place, sizeof place, import->error);
}

static int keep_symbol(struct import *import, int32_t place)
{
    return place < 0 ? -1 : keep(import, &import->open.part->inputs, &import->open.frames, place);
}

static int keep_class(struct import *import, int32_t place)
{
    return keep(import, &import->open.part->target_values, &import->open.targets, place);
}

int import_add_symbol(struct import *import, const char *label)
{
    assert(import->open.part && import->declared.has_symbols);
    return keep_symbol(import, find_label(import, &import->symbols, label));
}

int import_add_symbol_number(struct import *import, int64_t number)
{
    assert(import->open.part && import->declared.has_symbols);
    return keep_symbol(
        import, find_number(import, &import->symbols, import->symbol_map, import->symbol_numbers, number));
}

/* No target has a place only where there is one target for each frame or sequence. */
static int keep_none(struct import *import)
{
    if (import->declared.targets == IMPORT_ANY_TARGETS)
        return import_refuse(import, "a target is missing, where a sequence has any number of them");
    return keep_class(import, -1);
}

int import_add_class(struct import *import, const char *label)
{
    assert(import->open.part && import->declared.has_classes);
    if (!label)
        return keep_none(import);
    int32_t place = find_label(import, import_class_list(import), label);
    return place < 0 ? -1 : keep_class(import, place);
}

int import_add_class_number(struct import *import, int64_t number)
{
    assert(import->open.part && import->declared.has_classes);
    if (number == -1)
        return keep_none(import);
    int one = import->declared.one_vocabulary;
    int32_t place =
        find_number(import, import_class_list(import), one ? import->symbol_map : import->class_map,
            one ? import->symbol_numbers : import->class_numbers, number);
    return place < 0 ? -1 : keep_class(import, place);
}

int import_add_values(struct import *import, const float *rows, int64_t n)
{
    size_t width = import->declared.values, all = (size_t)n * width;
    assert(import->open.part && width);
    for (size_t i = 0; i < all; i++)
        if (isinf(rows[i]))
            return import_refuse(import,
                "value %zu of a target is infinite, or too large for a float: only finite "
                "numbers are taken",
                i % width);
        else
            import->open.part->missing += isnan(rows[i]) != 0;
    import->open.targets += n;
    return spool_write(&import->open.part->target_values, rows, all * sizeof *rows, import->error);
}

int import_end(struct import *import)
{
    struct import_open *open = &import->open;
    char name[TEXT_SHOWN];
    enum import_targets targets = import->declared.targets;
    assert(open->part);
    text_show(open->name, name);
    if (open->frames == 0 || open->frames > INT32_MAX || open->targets > INT32_MAX)
        return import_refuse(import,
            "sequence %s has %" PRId64 " frames and %" PRId64 " targets: it needs one "
            "frame at least, and at most %d of both",
            name, open->frames, open->targets, INT32_MAX);
    int64_t wanted = targets == IMPORT_PER_FRAME ? open->frames : targets == IMPORT_PER_SEQUENCE;
    if (targets != IMPORT_ANY_TARGETS && open->targets != wanted)
        return import_refuse(import,
            "sequence %s has %" PRId64 " frames and %" PRId64 " targets, but needs %" PRId64, name,
            open->frames, open->targets, wanted);
    struct import_part *part = open->part;
    open->part = NULL;
    return import_part_end(part, open->frames, open->targets, open->name, import->error);
}

/* ---- fields ---- */

static int says_missing(const char *text)
{
    return !*text || strcasecmp(text, "nan") == 0 || strcmp(text, "NA") == 0 || strcmp(text, "?") == 0;
}

int import_read_number(struct import *import, const char *text, const char *what, float *number)
{
    double x;
    char shown[TEXT_SHOWN], name[TEXT_SHOWN];
    if (says_missing(text)) {
        *number = NAN;
        return 0;
    }
    enum number_state state = number_read_real(text, &x);
    float as_float = state == NUMBER_OK ? (float)x : 0;
    if (state == NUMBER_OK && isfinite(as_float)) {
        *number = as_float;
        return 0;
    }
    if (state == NUMBER_MALFORMED)
        return import_refuse(import, "%s: %s is no number: numbers are decimal, with a point",
            text_show(what, name), text_show(text, shown));
    return import_refuse(
        import, "%s: %s is too large for a float", text_show(what, name), text_show(text, shown));
}

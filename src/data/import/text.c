/* Lines of text: each is a sequence of characters or words, which are symbols. What is to be learned of it is
 * its label behind a tabulator, another line behind a tabulator, or the symbol that comes next. */
#include "data/import/lines.h"
#include "data/import/sequence.h"

#include <string.h>

enum text_target { TEXT_NEXT, TEXT_LABEL, TEXT_PAIR, TEXT_NONE };
enum text_units { UNITS_CHARACTERS, UNITS_WORDS, UNITS_SAME };

struct text_options {
    struct import_options common;
    enum text_target to;
    enum text_units units, target_units;
    int end;
    int64_t least;
};

#define END "<end>"

/* ---- symbols ---- */

/* Cuts the next symbol off a text and moves *text behind it: a character, as its bytes of UTF-8, or a word.
 * Returns its bytes, 0 where there is none left. */
static size_t next_unit(const char **text, const char **unit, enum text_units units)
{
    if (units == UNITS_WORDS)
        *text += strspn(*text, " \t");
    *unit = *text;
    size_t n = **text ? 1 : 0;
    if (units == UNITS_WORDS)
        n = strcspn(*text, " \t");
    else
        while (((unsigned char)(*text)[n] & 0xc0) == 0x80)
            n++;
    *text += n;
    return n;
}

/* Copies a symbol as text of its own. Returns -1 where it is too long for a label. */
static int copy_unit(
    struct import *import, const char *unit, size_t n, char text[IMPORT_MOST_LABEL_BYTES + 1])
{
    if (n > IMPORT_MOST_LABEL_BYTES)
        return import_refuse(import, "a word of %zu bytes: at most %d are read", n, IMPORT_MOST_LABEL_BYTES);
    memcpy(text, unit, n);
    text[n] = 0;
    return 0;
}

/* Hands all symbols of a text over. */
static int add_units(struct import *import, const char *text, enum text_units units,
    int (*add)(struct import *import, const char *label))
{
    char label[IMPORT_MOST_LABEL_BYTES + 1];
    const char *unit;
    for (size_t n; (n = next_unit(&text, &unit, units)) > 0;)
        if (copy_unit(import, unit, n, label) || add(import, label))
            return -1;
    return 0;
}

/* Each symbol is an input, but the last; and a class, but the first. */
static int add_next(struct import *import, const struct text_options *options, const char *text)
{
    char label[IMPORT_MOST_LABEL_BYTES + 1] = "";
    const char *unit;
    int64_t symbols = 0;
    for (size_t n; (n = next_unit(&text, &unit, options->units)) > 0; symbols++) {
        if (symbols && import_add_symbol(import, label))
            return -1;
        if (copy_unit(import, unit, n, label) || (symbols && import_add_class(import, label)))
            return -1;
    }
    if (options->end)
        return import_add_symbol(import, label) || import_add_class(import, END) ? -1 : 0;
    return symbols > 1 ? 0
                       : import_refuse(import,
                             "a line of one symbol, after which none comes: --end adds one that "
                             "says that the line ends");
}

/* ---- lines ---- */

static int is_blank(const char *text)
{
    return text[strspn(text, " \t")] == 0;
}

static int add_line(struct import *import, const struct text_options *options, char *text)
{
    int divided = options->to == TEXT_LABEL || options->to == TEXT_PAIR;
    char *tab = divided ? strrchr(text, '\t') : NULL;
    if (divided && (!tab || (options->to == TEXT_PAIR && strchr(text, '\t') != tab)))
        return import_refuse(import, "%s is wanted in a line, between the text and what it is to become",
            options->to == TEXT_PAIR ? "one tabulator" : "a tabulator");
    if (tab)
        *tab++ = 0;
    if (is_blank(text))
        return import_refuse(import, "a line without text before the tabulator");
    enum text_units target_units =
        options->target_units == UNITS_SAME ? options->units : options->target_units;
    if (import_begin(import, NULL, text))
        return -1;
    if (options->to == TEXT_NEXT ? add_next(import, options, text)
                                 : add_units(import, text, options->units, import_add_symbol))
        return -1;
    if (options->to == TEXT_LABEL && import_add_class(import, *tab ? tab : NULL))
        return -1;
    if (options->to == TEXT_PAIR && add_units(import, tab, target_units, import_add_class))
        return -1;
    return import_end(import);
}

static int declare(struct import *import, const struct text_options *options)
{
    static const enum import_targets targets[] = {
        [TEXT_NEXT] = IMPORT_PER_FRAME,
        [TEXT_LABEL] = IMPORT_PER_SEQUENCE,
        [TEXT_PAIR] = IMPORT_ANY_TARGETS,
        [TEXT_NONE] = IMPORT_NO_TARGETS,
    };
    struct import_shape shape = {.symbols.least = options->least,
        .targets = targets[options->to],
        .classes.least = options->to == TEXT_PAIR ? options->least : 0,
        .one_vocabulary = options->to == TEXT_NEXT};
    return import_declare(import, &shape);
}

static int read_text(struct import *import, const void *options)
{
    struct import_lines lines;
    int failed = import_lines_open(&lines, import) || declare(import, options), more;
    while (!failed && (more = import_lines_next(&lines)) != 0)
        failed = more < 0 || (!is_blank(lines.text) && add_line(import, options, lines.text));
    import_lines_close(&lines);
    return failed ? -1 : 0;
}

static int check(const void *options, struct error *error)
{
    const struct text_options *own = options;
    if (own->end && own->to != TEXT_NEXT)
        return error_set(error, EXIT_CODE_USAGE, "--end goes with --to next alone");
    if (own->target_units != UNITS_SAME && own->to != TEXT_PAIR)
        return error_set(error, EXIT_CODE_USAGE, "--target-units goes with --to pair alone");
    return 0;
}

static const char *const to_names[] = {"next", "label", "pair", "none", NULL};
static const char *const units_names[] = {"characters", "words", NULL};

#define AT(member) offsetof(struct text_options, member)
static const struct option_row rows[] = {
    {"to", 0, OPTION_CHOICE, AT(to), .names = to_names, .argument = "WHAT",
        .help = "next: the symbol that comes next, at each (default); label: the class behind a tabulator;\n"
                "pair: the text behind a tabulator; none: nothing"},
    {"units", 0, OPTION_CHOICE, AT(units), .names = units_names, .argument = "WHAT",
        .help = "symbols are characters (default) or words"},
    {"target-units", 0, OPTION_CHOICE, AT(target_units), .names = units_names, .argument = "WHAT",
        .help = "of the text behind the tabulator (default: the same)"},
    {"end", 0, OPTION_FLAG, AT(end), .help = "with --to next: the end of a line is a symbol, " END},
    {"least", 0, OPTION_WHOLE, AT(least), 0, INT32_MAX, .argument = "N",
        .help = "what comes less often in the training part becomes " IMPORT_RARE},
};

static const struct text_options defaults = {.target_units = UNITS_SAME};

const struct import_kind import_text = {
    .name = "text",
    .summary = "lines of characters or words",
    .streams = 1,
    .rows = rows,
    .row_count = sizeof rows / sizeof *rows,
    .defaults = &defaults,
    .size = sizeof(struct text_options),
    .check = check,
    .read = read_text,
};

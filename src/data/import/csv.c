/* Comma-separated values in long format: a header, then a row for each frame (RFC 4180), cut into fields by
 * libcsv. It is fed line by line, so that errors know the line; a row is looked at once it is whole. */
#include "data/import/columns.h"
#include "data/import/ordered.h"
#include "data/import/records.h"
#include "data/import/sequence.h"

#include "base/array.h"
#include "base/memory.h"
#include "base/numbers.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

#ifdef HAVE_LIBCSV
#include <csv.h>
#endif

enum import_separator { SEPARATOR_COMMA, SEPARATOR_SEMICOLON, SEPARATOR_TAB };

struct csv_options {
    struct import_options common;
    const char *sequence, *inputs, *target, *order;
    int classes, symbols, per_sequence;
    enum import_separator separator;
};

static int check(const void *options, struct error *error)
{
    const struct csv_options *own = options;
    if (own->classes && !own->target)
        return error_set(error, EXIT_CODE_USAGE, "--classes: of what? --target COLUMN is missing");
    if (own->per_sequence && !own->target)
        return error_set(error, EXIT_CODE_USAGE, "--per-sequence: of what? --target COLUMN is missing");
    if (own->symbols && !own->inputs)
        return error_set(error, EXIT_CODE_USAGE, "--symbols: of what? --inputs COLUMN is missing");
    return 0;
}

#ifdef HAVE_LIBCSV

enum { BLOCK = 64 << 10, MOST_FIELD_BYTES = 1 << 20, MOST_ROW_BYTES = 64 << 20, MOST_COLUMNS = 1 << 20 };

/* A file that is being read. */
struct csv_reading {
    struct import *import;
    const struct csv_options *options;
    struct csv_parser parser;
    int64_t line, row_line; /* where the reading stands, and where the row began */
    int in_row;             /* it has begun */
    int failed;
    char *text; /* the fields of the row, each ended by 0 */
    size_t used, text_room;
    size_t *at; /* where each begins in it */
    size_t fields, at_room;
    char *header_text; /* the header, kept */
    char **header;     /* [columns] */
    size_t columns;    /* 0: the header has not been read */
    struct import_columns_found found;
    struct import_records records;
    struct import_ordered ordered; /* with --order */
    float *inputs, *values;        /* of the row */
};

/* ---- rows ---- */

static const char *field(const struct csv_reading *reading, size_t column)
{
    return column == IMPORT_NO_COLUMN ? NULL : reading->text + reading->at[column];
}

static int declare(struct csv_reading *reading)
{
    const struct csv_options *options = reading->options;
    const struct import_columns_found *found = &reading->found;
    int real_targets = found->targets && !options->classes;
    struct import_shape shape = {
        .features = options->symbols ? 0 : found->inputs,
        .feature_names = found->input_name,
        .targets = !found->targets  ? IMPORT_NO_TARGETS
            : options->per_sequence ? IMPORT_PER_SEQUENCE
                                    : IMPORT_PER_FRAME,
        .values = real_targets ? found->targets : 0,
        .target_names = found->target_name,
    };
    if (options->symbols && found->inputs > 1)
        return import_refuse(
            reading->import, "--symbols: one column of inputs holds symbols, not %zu", found->inputs);
    if (options->classes && found->targets > 1)
        return import_refuse(
            reading->import, "--classes: one column holds the classes, not %zu", found->targets);
    reading->records = (struct import_records){.import = reading->import,
        .values = shape.values,
        .has_targets = found->targets > 0,
        .per_sequence = options->per_sequence};
    if (import_declare(reading->import, &shape))
        return -1;
    return options->order
        ? import_ordered_init(&reading->ordered, reading->import, shape.features, shape.values)
        : 0;
}

/* Takes the row that was read as the header. */
static int take_header(struct csv_reading *reading)
{
    const struct csv_options *options = reading->options;
    struct import_column_names names = {
        options->sequence, options->order, options->common.by, options->inputs, options->target};
    struct error *error = import_error(reading->import);
    reading->columns = reading->fields;
    reading->header = memory_create(reading->columns, sizeof *reading->header, error);
    if (!reading->header)
        return -1;
    reading->header_text = reading->text;
    for (size_t c = 0; c < reading->columns; c++)
        reading->header[c] = reading->header_text + reading->at[c];
    reading->text = NULL;
    reading->text_room = 0;
    if (import_columns_find(reading->import, &names, reading->header, reading->columns, &reading->found) ||
        !(reading->inputs = memory_create(reading->found.inputs, sizeof *reading->inputs, error)) ||
        !(reading->values = memory_create(reading->found.targets, sizeof *reading->values, error)))
        return -1;
    return declare(reading);
}

static int read_numbers(struct csv_reading *reading, const size_t *column, size_t n, float *out)
{
    for (size_t i = 0; i < n; i++)
        if (import_read_number(
                reading->import, field(reading, column[i]), reading->header[column[i]], &out[i]))
            return -1;
    return 0;
}

/* Hands a row on, or keeps it until all are known where they may come in any order. */
static int hand_on(struct csv_reading *reading, const struct import_record *record)
{
    double order;
    const char *text = field(reading, reading->found.order);
    if (!text)
        return import_records_add(&reading->records, record);
    if (number_read_real(text, &order) != NUMBER_OK) {
        char shown[TEXT_SHOWN];
        return import_refuse(reading->import, "column %s: %s is no number that rows can be sorted by",
            reading->options->order, text_show(text, shown));
    }
    return import_ordered_add(&reading->ordered, record, order);
}

static int take_record(struct csv_reading *reading)
{
    const struct csv_options *options = reading->options;
    const struct import_columns_found *found = &reading->found;
    struct import_record record = {.line = reading->row_line};
    record.sequence = found->sequence == IMPORT_NO_COLUMN ? import_source(reading->import)
                                                          : field(reading, found->sequence);
    record.group = field(reading, found->by);
    if (!*record.sequence)
        return import_refuse(
            reading->import, "column %s is empty, which names the sequence of the row", options->sequence);
    if (options->symbols)
        record.symbol = field(reading, found->input[0]);
    else if (read_numbers(reading, found->input, found->inputs, reading->inputs))
        return -1;
    record.inputs = reading->inputs;
    if (options->classes && *field(reading, found->target[0]))
        record.class = field(reading, found->target[0]);
    if (!options->classes && read_numbers(reading, found->target, found->targets, reading->values))
        return -1;
    record.values = reading->values;
    return hand_on(reading, &record);
}

static int take_row(struct csv_reading *reading)
{
    import_set_line(reading->import, reading->row_line);
    if (!reading->columns)
        return take_header(reading);
    if (reading->fields != reading->columns)
        return import_refuse(
            reading->import, "%zu fields, but the header has %zu", reading->fields, reading->columns);
    return take_record(reading);
}

/* ---- libcsv ---- */

/* libcsv asks for more and more memory where a quote is not closed. */
static void *grow_field(void *field, size_t size)
{
    return size > MOST_FIELD_BYTES + 1024 ? NULL : realloc(field, size);
}

static void end_field(void *bytes, size_t size, void *context)
{
    struct csv_reading *reading = context;
    if (reading->failed)
        return;
    char *text = array_reserve(reading->text, &reading->text_room, reading->used + size + 1, 1);
    if (text)
        reading->text = text;
    size_t *at = text ? array_grow(reading->at, &reading->at_room, reading->fields, sizeof *at) : NULL;
    if (!at) {
        reading->failed = error_set(import_error(reading->import), EXIT_CODE_INTERNAL, "out of memory");
        return;
    }
    reading->at = at;
    at[reading->fields++] = reading->used;
    if (size)
        memcpy(text + reading->used, bytes, size);
    text[reading->used + size] = 0;
    import_set_line(reading->import, reading->row_line);
    if (size && (memchr(bytes, 0, size) || !text_is_utf8(bytes, size)))
        reading->failed =
            import_refuse(reading->import, "field %zu is not UTF-8: convert the file first", reading->fields);
    reading->used += size + 1;
    if (reading->used > MOST_ROW_BYTES || reading->fields > MOST_COLUMNS)
        reading->failed = import_refuse(
            reading->import, "a row of more than %d MiB, or %d fields", MOST_ROW_BYTES >> 20, MOST_COLUMNS);
}

static void end_row(int last, void *context)
{
    struct csv_reading *reading = context;
    (void)last;
    if (!reading->failed)
        reading->failed = take_row(reading);
    reading->used = reading->fields = 0;
    reading->in_row = 0;
}

static int refuse_syntax(struct csv_reading *reading)
{
    import_set_line(reading->import, reading->row_line);
    if (csv_error(&reading->parser) == CSV_ENOMEM)
        return import_refuse(
            reading->import, "a field of more than %d MiB: is a quote not closed?", MOST_FIELD_BYTES >> 20);
    return import_refuse(reading->import,
        "a quote stands within a field, or is not closed: a field with quotes "
        "stands in quotes, in which each is doubled");
}

/* Notes the line in which a row begins: blank lines are none. */
static void begin_row(struct csv_reading *reading, const char *bytes, size_t n)
{
    size_t at = 0;
    while (at < n && (bytes[at] == ' ' || bytes[at] == '\r' || bytes[at] == '\n'))
        at++;
    if (reading->in_row || at == n)
        return;
    reading->in_row = 1;
    reading->row_line = reading->line;
}

/* Feeds what was read, line by line. */
static int feed(struct csv_reading *reading, const char *bytes, size_t size)
{
    while (size && !reading->failed) {
        const char *end = memchr(bytes, '\n', size);
        size_t n = end ? (size_t)(end - bytes) + 1 : size;
        begin_row(reading, bytes, n);
        if (csv_parse(&reading->parser, bytes, n, end_field, end_row, reading) != n && !reading->failed)
            reading->failed = refuse_syntax(reading);
        reading->line += end != NULL;
        bytes += n;
        size -= n;
    }
    return reading->failed;
}

static int read_all(struct csv_reading *reading, FILE *file)
{
    static const char mark[] = "\xef\xbb\xbf"; /* some programs put it in front of UTF-8 */
    char *block = memory_create(BLOCK, 1, import_error(reading->import));
    int failed = !block;
    size_t n = 0;
    for (int first = 1; !failed && (n = fread(block, 1, BLOCK, file)) > 0; first = 0) {
        size_t skipped = first && n >= 3 && memcmp(block, mark, 3) == 0 ? 3 : 0;
        failed = feed(reading, block + skipped, n - skipped);
    }
    if (!failed && ferror(file))
        failed = import_refuse_reading(reading->import);
    memory_destroy(block);
    if (!failed && csv_fini(&reading->parser, end_field, end_row, reading) != 0 && !reading->failed)
        reading->failed = refuse_syntax(reading);
    if (!failed && !reading->failed && !reading->columns)
        reading->failed =
            import_refuse(reading->import, "is empty: a header is wanted, then a row for each frame");
    return failed || reading->failed ? -1 : 0;
}

static void finish(struct csv_reading *reading)
{
    import_columns_finish(&reading->found);
    import_records_finish(&reading->records);
    import_ordered_finish(&reading->ordered);
    memory_destroy(reading->header);
    memory_destroy(reading->inputs);
    memory_destroy(reading->values);
    free(reading->header_text);
    free(reading->text);
    free(reading->at);
}

static int read_csv(struct import *import, const void *options)
{
    static const char separators[] = {',', ';', '\t'};
    struct csv_reading reading = {.import = import, .options = options, .line = 1, .row_line = 1};
    FILE *file = import_open(import);
    if (!file)
        return -1;
    csv_init(&reading.parser, CSV_STRICT | CSV_STRICT_FINI);
    csv_set_realloc_func(&reading.parser, grow_field);
    csv_set_delim(&reading.parser, (unsigned char)separators[reading.options->separator]);
    int failed = read_all(&reading, file);
    if (!failed && reading.options->order)
        failed = import_ordered_hand_on(&reading.ordered, &reading.records);
    failed = failed || import_records_end(&reading.records);
    csv_free(&reading.parser);
    finish(&reading);
    fclose(file);
    return failed ? -1 : 0;
}

#define LACKS NULL
#define READ read_csv
#else
#define LACKS "libcsv"
#define READ NULL
#endif

static const char *const separator_names[] = {"comma", "semicolon", "tab", NULL};

#define AT(member) offsetof(struct csv_options, member)
static const struct option_row rows[] = {
    {"sequence", 0, OPTION_TEXT, AT(sequence), .allowed = "the name of a column", .argument = "COLUMN",
        .help = "rows with one value here make a sequence and stand together\n"
                "(default: each source is one sequence)"},
    {"order", 0, OPTION_TEXT, AT(order), .allowed = "the name of a column", .argument = "COLUMN",
        .help = "sort by the number here, within a sequence: rows may then stand in any order"},
    {"inputs", 0, OPTION_TEXT, AT(inputs), .allowed = "names of columns with commas between",
        .argument = "COLUMNS", .help = "features (default: those of --like, or all that is left)"},
    {"symbols", 0, OPTION_FLAG, AT(symbols), .help = "the one column of --inputs holds symbols"},
    {"target", 0, OPTION_TEXT, AT(target), .allowed = "names of columns with commas between",
        .argument = "COLUMNS", .help = "real values, in one column or several"},
    {"classes", 0, OPTION_FLAG, AT(classes), .help = "the one column of --target holds names of classes"},
    {"per-sequence", 0, OPTION_FLAG, AT(per_sequence),
        .help = "one target a sequence, the same in all of its rows (default: one a row)"},
    {"separator", 0, OPTION_CHOICE, AT(separator), .names = separator_names, .argument = "NAME",
        .help = "between fields: comma (default), semicolon or tab"},
};

const struct import_kind import_csv = {
    .name = "csv",
    .summary = "comma-separated values with a header, a row for each frame",
    .missing_library = LACKS,
    .streams = 1,
    .by = "a column",
    .rows = rows,
    .row_count = sizeof rows / sizeof *rows,
    .size = sizeof(struct csv_options),
    .check = check,
    .read = READ,
};

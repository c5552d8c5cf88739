/* getopt_long does the reading, with a table made from ours. It prints nothing of its own here: what it finds
 * wrong is put into words in one place. Each row has two entries in getopt's table, its name and its former
 * name; an entry's value says which row it is of, and whether the name was the former one. */
#include "base/options.h"

#include "base/array.h"
#include "base/log.h"
#include "base/numbers.h"
#include "base/suggestion.h"
#include "base/text.h"

#include <assert.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_ROWS = 64, FIRST_VALUE = 1000, FORMER = MOST_ROWS };

/* The options of one command, as getopt_long takes them. */
struct getopt_tables {
    struct option name[2 * MOST_ROWS + 1];
    char letters[2 * MOST_ROWS + 2];
};

const char *const option_shells[] = {"bash", "zsh", NULL};

int option_is_known(const struct option_row *row, unsigned command)
{
    return !row->commands || (row->commands & command);
}

static void fill_tables(struct getopt_tables *tables, const struct option_table *table, unsigned command)
{
    size_t n = 0, letters = 0;
    assert(table->rows <= MOST_ROWS);
    memset(tables, 0, sizeof *tables);
    tables->letters[letters++] = ':';
    for (size_t i = 0; i < table->rows; i++) {
        const struct option_row *row = &table->row[i];
        int value = FIRST_VALUE + (int)i;
        int takes = row->kind == OPTION_WHOLE_OR_NONE ? optional_argument
            : row->argument                           ? required_argument
                                                      : no_argument;
        if (!option_is_known(row, command))
            continue;
        tables->name[n++] = (struct option){row->name, takes, NULL, value};
        if (row->former)
            tables->name[n++] = (struct option){row->former, takes, NULL, value + FORMER};
        if (row->letter)
            tables->letters[letters++] = row->letter;
        if (row->letter && takes == required_argument)
            tables->letters[letters++] = ':';
    }
}

/* The row that getopt's answer, or optopt, stands for. */
static const struct option_row *find_row(const struct option_table *table, unsigned command, int answer)
{
    if (answer >= FIRST_VALUE)
        return &table->row[(answer - FIRST_VALUE) % FORMER];
    for (size_t i = 0; i < table->rows; i++)
        if (answer && table->row[i].letter == answer && option_is_known(&table->row[i], command))
            return &table->row[i];
    return NULL;
}

static int refuse_unknown(
    const struct option_table *table, unsigned command, const char *word, struct error *error)
{
    char name[TEXT_SHOWN], shown[TEXT_SHOWN];
    snprintf(name, sizeof name, "%.*s", (int)strcspn(word + 2, "="), word + 2);
    struct suggestion suggestion = {.written = name};
    for (size_t i = 0; i < table->rows; i++)
        if (option_is_known(&table->row[i], command))
            suggestion_offer(&suggestion, table->row[i].name);
    text_show(word, shown);
    if (suggestion.meant)
        return error_set(error, EXIT_CODE_USAGE, "%s: unknown option (did you mean --%s?): see --help", shown,
            suggestion.meant);
    return error_set(error, EXIT_CODE_USAGE, "%s: unknown option, or short for several: see --help", shown);
}

/* What getopt_long found wrong, which it told by '?' or ':'. `word` is the argument it was looking at. */
static int refuse_word(
    const struct option_table *table, unsigned command, int found, const char *word, struct error *error)
{
    char shown[TEXT_SHOWN];
    const struct option_row *row = find_row(table, command, optopt);
    if (found == ':' && row)
        return error_set(error, EXIT_CODE_USAGE, "--%s needs a value: see --help", row->name);
    if (row)
        return error_set(
            error, EXIT_CODE_USAGE, "%s: --%s takes no value: see --help", text_show(word, shown), row->name);
    if (strncmp(word, "--", 2) == 0)
        return refuse_unknown(table, command, word, error);
    return error_set(error, EXIT_CODE_USAGE, "-%c: unknown option: see --help", optopt);
}

int options_refuse(const char *option, const char *value, const char *allowed, struct error *error)
{
    char shown[TEXT_SHOWN];
    return error_set(error, EXIT_CODE_USAGE, "%s %s: allowed is %s", option,
        *value ? text_show(value, shown) : "''", allowed);
}

/* "auto, line or log" */
static void join_names(const char *const *names, char *text, size_t size)
{
    size_t used = 0;
    for (size_t i = 0; names[i] && used < size; i++)
        used += (size_t)snprintf(text + used, size - used, "%s%s",
            i == 0             ? ""
                : names[i + 1] ? ", "
                               : " or ",
            names[i]);
}

/* Is it a path in the folder of the user, which a shell puts in only where a word begins with it? Else there
 * would soon be a folder of this name. */
static int is_home(const char *value)
{
    return value[0] == '~' && (!value[1] || value[1] == '/');
}

static int refuse_value(const struct option_row *row, const char *value, struct error *error)
{
    static const char *const usual[] = {[OPTION_TEXT] = "a path",
        [OPTION_UNSIGNED] = "a whole number from 0 to 18446744073709551615",
        [OPTION_POSITIVE] = "a number above 0",
        [OPTION_BYTES] = "a whole number and KiB, MiB or GiB, as '256 MiB'",
        [OPTION_SECONDS] = "a number and seconds, minutes or hours, as '10 minutes', or 0",
        [OPTION_CLOCK] = "[DD-]HH:MM:SS above zero, as 01:30:00 or 2-12:00:00"};
    char option[TEXT_SHOWN], allowed[200];
    snprintf(option, sizeof option, "--%s", row->name);
    if (row->kind == OPTION_TEXT && is_home(value))
        snprintf(allowed, sizeof allowed,
            "a path without ~, which a shell replaces only where a word begins with it: write $HOME");
    else if (row->allowed)
        snprintf(allowed, sizeof allowed, "%s", row->allowed);
    else if (row->names)
        join_names(row->names, allowed, sizeof allowed);
    else if (row->kind == OPTION_WHOLE || row->kind == OPTION_WHOLE_OR_NONE)
        snprintf(allowed, sizeof allowed, "a whole number from %lld to %lld", (long long)row->least,
            (long long)row->most);
    else
        snprintf(allowed, sizeof allowed, "%s", usual[row->kind]);
    return options_refuse(option, value, allowed, error);
}

static int take_whole(const struct option_row *row, const char *value, int64_t *number)
{
    int64_t n;
    if (number_read_integer(value, &n) != NUMBER_OK || n < row->least || n > row->most)
        return -1;
    *number = n;
    return 0;
}

static int take_seconds(const char *value, double *seconds)
{
    double x;
    if (number_read_seconds(value, &x) != NUMBER_OK || x < 0)
        return -1;
    *seconds = x;
    return 0;
}

static int take_clock(const char *value, int64_t *seconds)
{
    int64_t n;
    if (number_read_clock(value, &n) != NUMBER_OK || n == 0)
        return -1;
    *seconds = n;
    return 0;
}

static int take_positive(const char *value, double *number)
{
    double x;
    if (number_read_real(value, &x) != NUMBER_OK || !(x > 0))
        return -1;
    *number = x;
    return 0;
}

static int take_choice(const struct option_row *row, const char *value, int *place)
{
    for (int i = 0; row->names[i]; i++)
        if (strcmp(row->names[i], value) == 0) {
            *place = i;
            return 0;
        }
    return -1;
}

static int take_text(const char *value, const char **text)
{
    if (!*value || is_home(value))
        return -1;
    *text = value;
    return 0;
}

static int take_question(const struct option_row *row, const char *value, void *place)
{
    int beyond = 0;
    if (row->names && take_choice(row, value, &beyond) != 0)
        return -1;
    *(enum options_ask *)place = (enum options_ask)(row->least + beyond);
    return 0;
}

/* -1 where the value is none of the kind. */
static int take_value(const struct option_row *row, const char *value, void *place)
{
    switch (row->kind) {
    case OPTION_ASK:
        return take_question(row, value, place);
    case OPTION_TEXT:
        return take_text(value, place);
    case OPTION_CHOICE:
        return take_choice(row, value, place);
    case OPTION_WHOLE:
    case OPTION_WHOLE_OR_NONE:
        return take_whole(row, value, place);
    case OPTION_UNSIGNED:
        return number_read_unsigned(value, place) == NUMBER_OK ? 0 : -1;
    case OPTION_POSITIVE:
        return take_positive(value, place);
    case OPTION_BYTES:
        return number_read_bytes(value, place) == NUMBER_OK ? 0 : -1;
    case OPTION_SECONDS:
        return take_seconds(value, place);
    case OPTION_CLOCK:
        return take_clock(value, place);
    default:
        assert(!"an option of this kind takes no value");
        return -1;
    }
}

static int add_item(struct option_list *list, const char *value, struct error *error)
{
    const char **wider = array_grow(list->item, &list->room, list->count, sizeof *wider);
    if (!wider)
        return error_set(error, EXIT_CODE_INTERNAL, "out of memory");
    list->item = wider;
    list->item[list->count++] = value;
    return 0;
}

/* The value of `--plan=8`, or of `--plan 8` where a number follows; NULL where none is given. */
static const char *find_number(int argc, char **argv)
{
    int64_t n;
    if (optarg || optind >= argc || number_read_integer(argv[optind], &n) == NUMBER_MALFORMED)
        return optarg;
    return argv[optind++];
}

/* One option; `value` is NULL where none is given. */
static int take(const struct option_row *row, const char *value, void *target, struct error *error)
{
    void *place = (char *)target + row->offset;
    switch (row->kind) {
    case OPTION_FLAG:
        *(int *)place = 1;
        return 0;
    case OPTION_COUNTER:
        *(int *)place += (int)row->least;
        return 0;
    case OPTION_LIST:
        return add_item(place, value, error);
    case OPTION_WHOLE_OR_NONE:
        *(int *)((char *)target + row->given) = 1;
        if (!value)
            return 0;
        break;
    default:
        break;
    }
    return take_value(row, value, place) == 0 ? 0 : refuse_value(row, value, error);
}

static void warn_of_former_name(const struct option_row *row, int found)
{
    if (found >= FIRST_VALUE + FORMER)
        log_line(LOG_WARNING, "--%s is called --%s now: use that name", row->former, row->name);
}

int options_read(const struct option_table *table, unsigned command, void *target, int argc, char **argv,
    struct error *error)
{
    struct getopt_tables tables;
    fill_tables(&tables, table, command);
    optind = 0; /* glibc and musl begin anew with it, whatever was read before */
    opterr = 0;
    for (int found; (found = getopt_long(argc, argv, tables.letters, tables.name, NULL)) != -1;) {
        if (found == '?' || found == ':')
            return refuse_word(table, command, found, argv[optind - 1], error);
        const struct option_row *row = find_row(table, command, found);
        const char *value = row->kind == OPTION_WHOLE_OR_NONE ? find_number(argc, argv) : optarg;
        warn_of_former_name(row, found);
        if (take(row, value, target, error) != 0)
            return -1;
        if (row->kind == OPTION_ASK)
            break;
    }
    return optind;
}

void options_finish(const struct option_table *table, void *target)
{
    for (size_t i = 0; i < table->rows; i++)
        if (table->row[i].kind == OPTION_LIST) {
            struct option_list *list = (void *)((char *)target + table->row[i].offset);
            free(list->item);
            *list = (struct option_list){0};
        }
}

/* "  -o, --output FILE"; returns its length. */
static int write_head(const struct option_row *row, char *text, size_t size)
{
    char letter[] = {'-', row->letter, ',', '\0'};
    int optional = row->kind == OPTION_WHOLE_OR_NONE;
    return snprintf(text, size, "  %3s --%s%s%s%s", row->letter ? letter : "", row->name,
        row->argument ? optional ? " [" : " " : "", row->argument ? row->argument : "", optional ? "]" : "");
}

void options_write_rows(const struct option_table *table, FILE *stream)
{
    char head[100];
    int column = 0;
    for (size_t i = 0; i < table->rows; i++) {
        int n = write_head(&table->row[i], head, sizeof head);
        column = n > column ? n : column;
    }
    column += 2;
    for (size_t i = 0; i < table->rows; i++) {
        write_head(&table->row[i], head, sizeof head);
        fprintf(stream, "%-*s", column, head);
        for (const char *c = table->row[i].help; *c; c++)
            if (*c == '\n')
                fprintf(stream, "\n%*s", column, "");
            else
                fputc(*c, stream);
        fputc('\n', stream);
    }
}

void options_write_help(const struct option_table *table, FILE *stream)
{
    fprintf(stream, "%s\n", table->opening);
    options_write_rows(table, stream);
    fprintf(stream, "\n%s", table->closing);
}

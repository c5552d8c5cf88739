#include "data/import/symbols.h"

#include "base/array.h"
#include "base/memory.h"
#include "base/numbers.h"
#include "base/text.h"
#include "data/import/bounded.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct numbered_name {
    int64_t number;
    char *name;
};

static int add(struct symbols *symbols, const char *name, int64_t number, struct error *error)
{
    char **names = array_grow(symbols->name, &symbols->room, symbols->count, sizeof *names);
    if (names)
        symbols->name = names;
    int64_t *numbers = array_grow(symbols->number, &symbols->number_room, symbols->count, sizeof *numbers);
    if (numbers)
        symbols->number = numbers;
    char *copy = names && numbers ? text_copy(name, error) : NULL;
    if (!copy)
        return error_set(error, EXIT_CODE_INTERNAL, "out of memory for %zu symbols", symbols->count);
    symbols->name[symbols->count] = copy;
    symbols->number[symbols->count++] = number;
    return 0;
}

static int take_line(struct symbols *symbols, const struct bounded_file *file, struct error *error)
{
    char shown[TEXT_SHOWN], *rest = file->line;
    const char *name = bounded_next_word(&rest), *number = bounded_next_word(&rest);
    int64_t value;
    if (!name)
        return 0;
    if (!number || bounded_next_word(&rest) || number_read_integer(number, &value) != NUMBER_OK || value < 0)
        return error_set(error, EXIT_CODE_DATA,
            "%s: line %" PRId64 ": symbol %s: a line should be SYMBOL NUMBER, the number 0 or above",
            file->path, file->lines, text_show(name, shown));
    if (strcmp(name, SYMBOLS_NOTHING) != 0)
        return add(symbols, name, value, error);
    symbols->nothing = value;
    return 0;
}

static int compare_numbers(const void *left, const void *right)
{
    const struct numbered_name *a = left, *b = right;
    return (a->number > b->number) - (a->number < b->number);
}

static int compare_names(const void *left, const void *right)
{
    return strcmp(((const struct numbered_name *)left)->name, ((const struct numbered_name *)right)->name);
}

static int refuse_twice(const char *path, const struct numbered_name *pair, struct error *error)
{
    char shown[TEXT_SHOWN], other[TEXT_SHOWN];
    return error_set(error, EXIT_CODE_DATA,
        "%s: symbols %s and %s, of numbers %" PRId64 " and %" PRId64
        ": each symbol and each number may come once",
        path, text_show(pair[0].name, shown), text_show(pair[1].name, other), pair[0].number, pair[1].number);
}

static int order(struct symbols *symbols, const char *path, struct error *error)
{
    size_t n = symbols->count;
    struct numbered_name *pairs = memory_create(n, sizeof *pairs, error);
    if (!pairs)
        return -1;
    int outcome = 0;
    for (size_t i = 0; i < n; i++)
        pairs[i] = (struct numbered_name){symbols->number[i], symbols->name[i]};
    qsort(pairs, n, sizeof *pairs, compare_names);
    for (size_t i = 1; outcome == 0 && i < n; i++)
        if (strcmp(pairs[i].name, pairs[i - 1].name) == 0)
            outcome = refuse_twice(path, pairs + i - 1, error);
    qsort(pairs, n, sizeof *pairs, compare_numbers);
    for (size_t i = 1; outcome == 0 && i < n; i++)
        if (pairs[i].number == pairs[i - 1].number)
            outcome = refuse_twice(path, pairs + i - 1, error);
    for (size_t i = 0; i < n; i++) {
        symbols->name[i] = pairs[i].name;
        symbols->number[i] = pairs[i].number;
    }
    memory_destroy(pairs);
    return outcome;
}

int symbols_read(struct symbols *symbols, const char *path, struct error *error)
{
    char shown[TEXT_SHOWN];
    struct bounded_file file;
    struct symbols read = {.nothing = -1};
    if (bounded_open(&file, path, "a symbol table", error) != 0)
        return -1;
    int got;
    while ((got = bounded_read_line(&file, error)) > 0 && (got = take_line(&read, &file, error)) == 0)
        ;
    bounded_close(&file);
    if (got == 0 && read.count == 0)
        got = error_set(error, EXIT_CODE_DATA, "%s: has no symbol but " SYMBOLS_NOTHING, path);
    if (got == 0)
        got = order(&read, path, error);
    for (size_t i = 0; got == 0 && i < read.count; i++)
        if (read.number[i] == read.nothing)
            got = error_set(error, EXIT_CODE_DATA, "%s: symbol %s has the number of " SYMBOLS_NOTHING, path,
                text_show(read.name[i], shown));
    if (got < 0) {
        symbols_finish(&read);
        return -1;
    }
    *symbols = read;
    return 0;
}

void symbols_finish(struct symbols *symbols)
{
    for (size_t i = 0; i < symbols->count; i++)
        memory_destroy(symbols->name[i]);
    free(symbols->name);
    free(symbols->number);
    *symbols = (struct symbols){.nothing = -1};
}

static int compare_plain(const void *left, const void *right)
{
    int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;
    return (a > b) - (a < b);
}

int64_t symbols_find(const struct symbols *symbols, int64_t number)
{
    if (number == symbols->nothing)
        return -1;
    const int64_t *found = symbols->count
        ? bsearch(&number, symbols->number, symbols->count, sizeof number, compare_plain)
        : NULL;
    return found ? found - symbols->number : -2;
}

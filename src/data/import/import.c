/* The kinds, and the options that all of them have. */
#include "data/import/import.h"

#include "base/memory.h"

#include <stdio.h>
#include <string.h>

#define KIND(name) &import_##name,
static const struct import_kind *const kinds[] = {
#include "data/import/list.h"
};
#undef KIND

size_t import_kind_count(void)
{
    return sizeof kinds / sizeof kinds[0];
}

const struct import_kind *import_kind_at(size_t place)
{
    return kinds[place];
}

const struct import_kind *import_kind_find(const char *name)
{
    for (size_t k = 0; k < import_kind_count(); k++)
        if (strcmp(kinds[k]->name, name) == 0)
            return kinds[k];
    return NULL;
}

void import_kind_list(const char *last, char *text, size_t size)
{
    size_t used = 0, n = import_kind_count();
    for (size_t k = 0; k < n && used < size; k++)
        used += (size_t)snprintf(text + used, size - used, "%s%s",
            k == 0          ? ""
                : k + 1 < n ? ", "
                            : last,
            kinds[k]->name);
}

/* ---- options ---- */

#define AT(member) offsetof(struct import_options, member)

static const char *const missing_names[] = {"fail", "mask", "mean", NULL};
static const char *const unmatched_names[] = {"fail", "skip", NULL};

static const struct option_row common[] = {
    {"output", 'o', OPTION_TEXT, AT(output), .word = WORD_FILE, .allowed = "the name of a file",
        .argument = "FILE",
        .help = "the dataset; with --split x.h5 stands for x-train.h5, x-valid.h5 and x-test.h5"},
    {"like", 0, OPTION_TEXT, AT(like), .word = WORD_H5, .allowed = "a dataset file", .argument = "DATASET",
        .help = "take features, classes and symbols of this one, and refuse what it does not know"},
    {"split", 0, OPTION_TEXT, AT(split), .allowed = "two or three numbers, as 0.8,0.1,0.1",
        .argument = "SHARES", .help = "divide the sequences, by a hash of their names: 0.8,0.1,0.1"},
    {"by", 0, OPTION_TEXT, AT(by), .allowed = "a name", .argument = "COLUMN",
        .help = "of a split: sequences with the same value here stay together"},
    {"seed", 0, OPTION_UNSIGNED, AT(seed), .argument = "N", .help = "of a split (default 1)"},
    {"missing", 0, OPTION_CHOICE, AT(missing), .names = missing_names, .argument = "HOW",
        .help = "inputs without a value: fail (default); mask: 0, and a feature more that is 1 there;\n"
                "mean: the mean of the feature in the training part"},
    {"unmatched", 0, OPTION_CHOICE, AT(unmatched), .names = unmatched_names, .argument = "HOW",
        .help = "sequences that have inputs or targets alone: fail (default) or skip"},
    {"title", 0, OPTION_TEXT, AT(title), .allowed = "a text", .argument = "TEXT", .help = "of the dataset"},
    OPTION_ROWS_ASK(struct import_options),
};

struct option_row *import_list_options(const struct import_kind *kind, size_t *rows, struct error *error)
{
    size_t shared = sizeof common / sizeof *common, n = 0;
    struct option_row *list = memory_create(shared + kind->row_count, sizeof *list, error);
    if (!list)
        return NULL;
    for (size_t i = 0; i < kind->row_count; i++)
        list[n++] = kind->rows[i];
    for (size_t i = 0; i < shared; i++)
        if (common[i].offset != AT(by) || kind->by)
            list[n++] = common[i];
    *rows = n;
    return list;
}

struct option_row *import_list_reading_options(
    const struct import_kind *kind, size_t shift, size_t *rows, struct error *error)
{
    static const size_t shared[] = {AT(missing), AT(unmatched)};
    struct option_row *list = import_list_options(kind, rows, error);
    size_t n = 0;
    for (size_t i = 0; list && i < *rows; i++)
        if (i < kind->row_count || list[i].offset == shared[0] || list[i].offset == shared[1]) {
            list[n] = list[i];
            list[n++].offset += shift;
        }
    *rows = list ? n : 0;
    return list;
}

void import_default_options(const struct import_kind *kind, void *options)
{
    struct import_options *shared = options;
    memset(options, 0, kind->size);
    if (kind->defaults)
        memcpy(options, kind->defaults, kind->size);
    shared->seed = 1;
}

void *import_create_options(const struct import_kind *kind, struct error *error)
{
    void *options = memory_create(1, kind->size, error);
    if (options)
        import_default_options(kind, options);
    return options;
}

/* `rnn-data import`: each kind has options of its own, so the kind comes first. */
#include "cmd/rnn-data.h"

#include "base/log.h"
#include "base/memory.h"
#include "base/options.h"
#include "data/import/import.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void import_print_kinds(void)
{
    for (size_t k = 0; k < import_kind_count(); k++) {
        const struct import_kind *kind = import_kind_at(k);
        printf("         %-8s %s%s\n", kind->name, kind->summary,
            kind->missing_library ? " (not in this build)" : "");
    }
}

static int print_help(const struct import_kind *kind, const struct option_table *table)
{
    printf("Usage: rnn-data import %s [OPTION]... SOURCE... -o FILE\n\n%s: %s.\n", kind->name, kind->name,
        kind->summary);
    if (kind->missing_library)
        printf("This program was built without %s, so that it cannot read it.\n", kind->missing_library);
    puts(kind->streams ? "A source of - is standard input.\n" : "");
    options_write_rows(table, stdout);
    return EXIT_CODE_OK;
}

static void warn(const char *text)
{
    log_line(LOG_WARNING, "%s", text);
}

static void print_result(const struct import_result *result)
{
    for (size_t f = 0; f < result->files; f++) {
        const struct import_written *file = &result->file[f];
        printf("%s: sequences=%" PRId64 " frames=%" PRId64 "%s\n", file->path, file->sequences, file->frames,
            file->replaced ? " (replaces the dataset of before)" : "");
    }
    if (result->unmatched)
        log_line(
            LOG_WARNING, "%" PRId64 " sequences were left out, as --unmatched skip says", result->unmatched);
}

static int run_kind(const struct import_kind *kind, const void *options, char **sources)
{
    struct import_result result;
    struct error error = {0};
    int failed = import_run(kind, options, sources, warn, &result, &error);
    print_result(&result);
    import_result_finish(&result);
    if (failed)
        log_line(LOG_ERROR, "%s", error.text);
    return failed ? error.code : EXIT_CODE_OK;
}

static int read_and_run(const struct import_kind *kind, const struct option_table *table, int n, char **words)
{
    struct error error;
    struct import_options *options = import_create_options(kind, &error);
    int first = options ? options_read(table, 0, options, n, words, &error) : -1, code;
    if (first < 0) {
        log_line(LOG_ERROR, "%s", error.text);
        code = error.code;
    } else if (options->ask) {
        code = options->ask == ASK_HELP ? print_help(kind, table) : print_data_version();
    } else if (!words[first]) {
        log_line(
            LOG_ERROR, "import %s: which source? see 'rnn-data import %s --help'", kind->name, kind->name);
        code = EXIT_CODE_USAGE;
    } else {
        code = run_kind(kind, options, words + first);
    }
    if (options)
        options_finish(table, options);
    memory_destroy(options);
    return code;
}

static int print_own_help(void)
{
    puts("Usage: rnn-data import KIND [OPTION]... SOURCE... -o FILE\n\n"
         "Makes a dataset of what other programs have written; of several sources one. The kinds:\n");
    import_print_kinds();
    puts("\n'rnn-data import KIND --help' lists the options of a kind.");
    return EXIT_CODE_OK;
}

/* What stands in place of a kind. */
static int answer_without_kind(const char *word)
{
    if (word && (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0))
        return print_own_help();
    if (word && strcmp(word, "--version") == 0)
        return print_data_version();
    char list[512];
    import_kind_list(" and ", list, sizeof list);
    if (word)
        log_line(LOG_ERROR, "import: kinds are %s, not %s: see 'rnn-data --help'", list, word);
    else
        log_line(LOG_ERROR, "import: which kind? there are %s: see 'rnn-data --help'", list);
    return EXIT_CODE_USAGE;
}

int import_complete(struct completion *completion, struct error *error)
{
    static const struct option_row ask[] = {OPTION_ROWS_ASK(struct import_options)};
    static const struct option_table own = {.row = ask, .rows = sizeof ask / sizeof *ask};
    struct completion_place *kinds = completion_add(completion, "import", NULL, &own);
    for (size_t k = 0; k < import_kind_count(); k++) {
        const struct import_kind *kind = import_kind_at(k);
        struct option_table *table = memory_create(1, sizeof *table, error);
        if (!table)
            return -1;
        completion_add_word(kinds, kind->name, kind->summary);
        table->operands = WORD_FILE;
        completion_add(completion, "import", kind->name, table)->owned = table;
        table->row = import_list_options(kind, &table->rows, error);
        if (!table->row)
            return -1;
    }
    return 0;
}

int import_command(int n, char **words)
{
    const struct import_kind *kind = n > 1 ? import_kind_find(words[1]) : NULL;
    if (!kind)
        return answer_without_kind(n > 1 ? words[1] : NULL);
    struct error error;
    struct option_table table = {0};
    struct option_row *rows = import_list_options(kind, &table.rows, &error);
    if (!rows) {
        log_line(LOG_ERROR, "%s", error.text);
        return error.code;
    }
    table.row = rows;
    int code = read_and_run(kind, &table, n - 1, words + 1);
    memory_destroy(rows);
    return code;
}

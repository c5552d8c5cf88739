#include "predict/options.h"

#include "base/memory.h"
#include "predict/stream.h"

#include <stdalign.h>
#include <stddef.h>
#include <string.h>

static const char *const format_names[] = {
#define PREDICT_FORMAT(enumerator, name) #name,
#include "predict/list.h"
#undef PREDICT_FORMAT
    NULL};

static const char *const import_names[] = {
#define KIND(name) #name,
#include "data/import/list.h"
#undef KIND
    NULL};

#define AT(member) offsetof(struct predict_options, member)

static const struct option_row rows[] = {
    {"output", 'o', OPTION_TEXT, AT(output), .word = WORD_FILE, .argument = "FILE",
        .help = "write outputs, labels and names to this file; -: to standard output,\n"
                "and what is printed to standard error"},
    {"format", 0, OPTION_CHOICE, AT(format), .names = format_names, .argument = "csv|text|hdf5",
        .help = "of the output: a table with a header; a line of labels or numbers\n"
                "for each sequence (default of -o -); an HDF5 file (default of\n"
                "-o FILE)"},
    {"import", 0, OPTION_TEXT, AT(import_name), .names = import_names, .argument = "KIND",
        .help = "read DATASET as 'rnn-data import KIND' does; - is standard input\n"
                "of kinds that stream; '--import KIND --help' lists more options"},
    {"batch", 0, OPTION_WHOLE, AT(batch), 1, INT32_MAX, .argument = "N",
        .help = "sequences that a rank computes at a time (default: the\n"
                "microbatch of the checkpoint's run)"},
    {"gradient-flow", 0, OPTION_FLAG, AT(gradient_flow),
        .help = "tell how far back in time gradients reach, layer by layer, on the\n"
                "longest sequences, in place of evaluating; -o FILE takes the curves\n"
                "as rows of text"},
    {"generate", 0, OPTION_WHOLE, AT(generate), 1, INT32_MAX, .argument = "N",
        .help = "draw N frames (or of a decoder at most N labels) of each sequence\n"
                "from the network's distribution, and write them as a dataset"},
    {"temperature", 0, OPTION_POSITIVE, AT(temperature), .argument = "T",
        .help = "of drawing: below 1 likelier, above 1 wilder (default: 1)"},
    {"seed", 0, OPTION_UNSIGNED, AT(seed), .argument = "S", .help = "of drawing (default: 0)"},
    {"prime", 0, OPTION_TEXT, AT(prime), .word = WORD_H5, .argument = "DATASET",
        .help = "sequences to go on from, or that a decoder speaks about"},
    {"beam", 0, OPTION_WHOLE, AT(beam), 1, 65536, .argument = "N",
        .help = "ctc and decoder: search with N hypotheses (default, and with 1:\n"
                "greedy; ctc takes the best path then)"},
    {"cache", 0, OPTION_BYTES, AT(cache), .own = 1, .argument = "SIZE",
        .help = "memory for the dataset per rank (default: '256 MiB')"},
    {"watchdog", 0, OPTION_SECONDS, AT(watchdog), .own = 1, .argument = "TIME",
        .help = "a rank that gives no sign of life for so long ends all; 0: never\n"
                "(default: '10 minutes')"},
    PASS_OPTION_ROWS(struct predict_options),
};

const struct option_table predict_option_table = {
    .opening = "usage: rnn-predict [OPTION]... CHECKPOINT DATASET...\n"
               "       mpirun -np N rnn-predict [OPTION]... CHECKPOINT DATASET...\n"
               "       rnn-predict --generate N -o FILE [OPTION]... CHECKPOINT\n"
               "Run the network of a checkpoint over a dataset: print loss and error where the dataset\n"
               "has targets, write the outputs where -o says so. Several files make one set.\n",
    .row = rows,
    .rows = sizeof rows / sizeof *rows,
    .closing = "Exit codes: 0 done; 2 usage; 65 bad data or checkpoint; 70 out of memory and the like;\n"
               "74 input/output; 124 a rank stopped answering.\n",
    .operands = WORD_H5,
};

static int take_format(struct predict_options *options, struct error *error)
{
    int given = options->format != PREDICT_FORMATS;
    if (given && (options->generate || options->gradient_flow))
        return error_set(error, EXIT_CODE_USAGE,
            "--format is that of outputs: leave it out, as there are none with %s",
            options->generate ? "--generate" : "--gradient-flow");
    if (given && !options->output)
        return error_set(
            error, EXIT_CODE_USAGE, "--format goes with -o FILE, or -o - for standard output: add one");
    if (!given)
        options->format = predict_is_standard_output(options->output) ? PREDICT_TEXT : PREDICT_HDF5;
    return 0;
}

/* What is left of the command line; `files` ends with NULL. */
static int take_predict_files(struct predict_options *options, int n, char **files, struct error *error)
{
    int needed = options->generate ? 1 : 2;
    if (!options->generate && (options->temperature > 0 || options->seed || options->prime))
        return error_set(error, EXIT_CODE_USAGE, "--temperature, --seed and --prime go with --generate");
    if (options->generate && (!options->output || options->beam))
        return error_set(error, EXIT_CODE_USAGE,
            "--generate writes what it draws: give -o FILE, and no --beam, which would search");
    if (options->gradient_flow && (options->generate || options->beam))
        return error_set(error, EXIT_CODE_USAGE,
            "--gradient-flow neither draws nor searches: leave out --generate and --beam");
    if (take_format(options, error))
        return -1;
    if (n < needed || (n > 1 && options->generate))
        return error_set(error, EXIT_CODE_USAGE, "%d argument%s where %s needed: rnn-predict %s (see --help)",
            n, n == 1 ? "" : "s", needed == 1 ? "one is" : "two are",
            needed == 1 ? "--generate N -o FILE [OPTION]... CHECKPOINT"
                        : "[OPTION]... CHECKPOINT DATASET...");
    for (int i = 0; i < n; i++)
        if (!*files[i])
            return options_refuse(i == 0 ? "CHECKPOINT" : "DATASET", "", "a path", error);
    options->checkpoint = files[0];
    options->dataset = needed == 2 ? files + 1 : NULL;
    if (!(options->temperature > 0))
        options->temperature = 1;
    return 0;
}

/* ---- the options of a kind to import ---- */

/* The value of --import, which is looked for before anything is read, as it says which options there are. */
static const char *find_import(int argc, char **argv)
{
    static const char name[] = "--import";
    size_t n = sizeof name - 1;
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strncmp(argv[i], name, n) == 0 && (argv[i][n] == '=' || (!argv[i][n] && i + 1 < argc)))
            return argv[i][n] ? argv[i] + n + 1 : argv[i + 1];
    return NULL;
}

static int refuse_kind(const char *name, struct error *error)
{
    char list[512];
    import_kind_list(" or ", list, sizeof list);
    return options_refuse("--import", name, list, error);
}

/* A table with its rows behind it. */
struct own_table {
    struct option_table table;
    struct option_row row[];
};

/* Where the options of a kind begin behind those of the program. */
static size_t end_of_own(void)
{
    size_t aligned = alignof(max_align_t);
    return (sizeof(struct predict_options) + aligned - 1) / aligned * aligned;
}

/* Makes one table of the program's options and those of the kind, where there is one; those that both have
 * are the program's. */
static struct own_table *create_table(const struct import_kind *kind, struct error *error)
{
    size_t own = predict_option_table.rows, more = 0;
    struct option_row *of_kind = kind ? import_list_reading_options(kind, end_of_own(), &more, error) : NULL;
    if (kind && !of_kind)
        return NULL;
    struct own_table *table = memory_create(1, sizeof *table + (own + more) * sizeof *table->row, error);
    if (table) {
        table->table = predict_option_table;
        table->table.row = table->row;
        table->table.rows = own + more;
        memcpy(table->row, predict_option_table.row, own * sizeof *table->row);
        if (more)
            memcpy(table->row + own, of_kind, more * sizeof *table->row);
    }
    memory_destroy(of_kind);
    return table;
}

/* Makes room for the options, with their defaults. The kind stays NULL where none is asked for. */
static struct predict_options *create_target(const char *name, struct error *error)
{
    const struct import_kind *kind = name ? import_kind_find(name) : NULL;
    if (name && !kind) {
        refuse_kind(name, error);
        return NULL;
    }
    struct predict_options *target = memory_create(1, end_of_own() + (kind ? kind->size : 0), error);
    if (!target)
        return NULL;
    *target = (struct predict_options){.format = PREDICT_FORMATS,
        .cache = (size_t)256 << 20,
        .watchdog = 600,
        .import = kind,
        .target = target};
    if (kind) {
        target->import_options = (char *)target + end_of_own();
        import_default_options(kind, target->import_options);
    }
    struct own_table *table = create_table(kind, error);
    target->table = table ? &table->table : NULL;
    if (table)
        return target;
    memory_destroy(target);
    return NULL;
}

static int check_import(const struct predict_options *options, char **files, struct error *error)
{
    const char *name = options->import_name;
    if (name && (!options->import || strcmp(name, options->import->name) != 0))
        return error_set(
            error, EXIT_CODE_USAGE, "--import %s: give it once, and write --import in full", name);
    if (name && options->generate)
        return error_set(error, EXIT_CODE_USAGE, "--import goes with a set to evaluate, not with --generate");
    for (size_t i = 0; !name && files[i]; i++)
        if (strcmp(files[i], "-") == 0)
            return error_set(error, EXIT_CODE_USAGE,
                "-: standard input is read as what --import KIND says, which is missing");
    return 0;
}

static int parse(struct predict_options *options, int argc, char **argv, struct error *error)
{
    int first = options_read(options->table, 0, options, argc, argv, error);
    if (first < 0)
        return -1;
    if (options->ask)
        return 0;
    return check_import(options, argv + first, error) ||
            take_predict_files(options, argc - first, argv + first, error)
        ? -1
        : 0;
}

int predict_options_parse(struct predict_options *options, int argc, char **argv, struct error *error)
{
    struct predict_options *target = create_target(find_import(argc, argv), error);
    if (!target)
        return -1;
    struct predict_options taken = *target;
    if (parse(target, argc, argv, error)) {
        predict_options_finish(&taken);
        return -1;
    }
    *options = *target;
    return 0;
}

void predict_options_finish(struct predict_options *options)
{
    if (!options->target)
        return;
    options_finish(options->table, options->target);
    memory_destroy((void *)options->table);
    memory_destroy(options->target);
    options->target = NULL;
}

FILE *predict_report_stream(const struct predict_options *options)
{
    return predict_is_standard_output(options->output) ? stderr : stdout;
}

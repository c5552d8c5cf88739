/* rnn-model: says what a checkpoint is, and makes others of it. This program does without MPI. */
#include "cmd/rnn-model.h"

#include "base/log.h"
#include "base/options.h"
#include "base/streams.h"
#include "cmd/completion.h"
#include "h5/h5.h"
#include "model/average.h"
#include "model/export.h"
#include "model/incoming.h"
#include "model/store.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
    COMMAND_INFO = 1,
    COMMAND_SEAL = 2,
    COMMAND_AVERAGE = 4,
    COMMAND_EXPORT = 8,
    COMMAND_IMPORT = 16,
    COMMAND_NONE = 32
};

static const char what_to_do[] = "what to do? info, export, import, average or seal";

struct model_options {
    enum options_ask ask;
    const char *output;  /* the file that is made; NULL: none is given */
    int to;              /* place in export_kinds; -1: none is given */
    const char *like;    /* the checkpoint whose weights an import replaces; NULL: none is given */
    const char *command; /* the command line as one text, for /provenance */
};

#define AT(member) offsetof(struct model_options, member)

static const struct option_row rows[] = {
    {"output", 'o', OPTION_TEXT, AT(output), .word = WORD_FILE, .allowed = "a name", .argument = "FILE",
        .help = "the file to write (seal: default is the file itself)",
        .commands = COMMAND_SEAL | COMMAND_AVERAGE | COMMAND_EXPORT | COMMAND_IMPORT},
    {"to", 0, OPTION_CHOICE, AT(to), .names = export_names, .argument = "FORMAT",
        .help = "export: one of the formats below", .commands = COMMAND_EXPORT},
    {"like", 0, OPTION_TEXT, AT(like), .word = WORD_H5, .allowed = "a name", .argument = "CHECKPOINT",
        .help =
            "import: what the weights come into; everything else stays as it is there (a CURRENNT network "
            "needs none)",
        .commands = COMMAND_IMPORT},
    OPTION_ROW_COMPLETION(struct model_options),
    OPTION_ROWS_ASK(struct model_options),
};
static const struct option_table table = {
    .opening = "Usage: rnn-model info CHECKPOINT...\n"
               "       rnn-model export CHECKPOINT -o FILE --to FORMAT\n"
               "       rnn-model import FILE [--like CHECKPOINT] -o FILE\n"
               "       rnn-model average CHECKPOINT... -o FILE\n"
               "       rnn-model seal CHECKPOINT [-o FILE]\n"
               "\n"
               "info    say what checkpoints are, and list their parameters\n"
               "export  write the network in a format of other programs\n"
               "import  put weights of other programs into a checkpoint, by name\n"
               "average write the mean of the weights of checkpoints of one network\n"
               "seal    make the hashes of a checkpoint anew that was edited on purpose\n"
               "\n"
               "CHECKPOINT is a file, or a run directory, which stands for its best.h5.\n"
               "\n",
    .row = rows,
    .rows = sizeof rows / sizeof *rows,
    .closing = "\nExit codes: 0 done, 2 usage, 65 bad data, 70 out of memory, 74 input or output failed.\n",
    .operands = WORD_H5,
};

/* Complains about the error and gives its exit code. */
static int fail(const struct error *error)
{
    log_line(LOG_ERROR, "%s", error->text);
    return error->code;
}

static int usage_error(const char *what, const char *which)
{
    log_line(LOG_ERROR, "%s%s: see 'rnn-model --help'", what, which);
    return EXIT_CODE_USAGE;
}

static int print_version(void)
{
    char library[64];
    h5_version(library, sizeof library);
    printf("rnn-model %s (%s, %s)\n", RNN_VERSION, library, RNN_COMPILER);
    return EXIT_CODE_OK;
}

/* Writes the file and says so. */
static int write_stored(struct stored *stored, const char *path, struct error *error)
{
    if (stored_write(stored, path, error) != 0)
        return -1;
    printf("%s: weights=%zu weights_hash=%016" PRIx64 "\n", path, stored->checkpoint.count,
        stored->checkpoint.weights_hash);
    return 0;
}

/* Every file is looked at; the exit code is that of the first that failed. */
static int command_info(const struct model_options *options, int n, char **files)
{
    int code = EXIT_CODE_OK;
    if (n == 0)
        return usage_error("info: which checkpoint?", "");
    for (int i = 0; i < n; i++) {
        struct error error;
        int one = model_info_print(files[i], &error) ? fail(&error) : EXIT_CODE_OK;
        code = code ? code : one;
    }
    return code;
}

static int command_seal(const struct model_options *options, int n, char **files)
{
    struct stored stored = {0};
    struct error error;
    if (n == 0)
        return usage_error("seal: which checkpoint?", "");
    if (n > 1)
        return usage_error("seal: one checkpoint at a time, what is ", files[1]);
    int failed = stored_read(&stored, files[0], CHECKPOINT_EDITED, &error) ||
        write_stored(&stored, options->output ? options->output : stored.path, &error);
    stored_finish(&stored);
    return failed ? fail(&error) : EXIT_CODE_OK;
}

static int command_average(const struct model_options *options, int n, char **files)
{
    struct stored mean = {0};
    struct error error;
    if (n == 0)
        return usage_error("average: which checkpoints?", "");
    if (!options->output)
        return usage_error("average: where to? -o FILE is missing", "");
    int failed = average_read(&mean, (const char *const *)files, (size_t)n, &error) ||
        stored_keep_weights(&mean, options->command, &error) || write_stored(&mean, options->output, &error);
    stored_finish(&mean);
    return failed ? fail(&error) : EXIT_CODE_OK;
}

static int command_export(const struct model_options *options, int n, char **files)
{
    struct stored stored = {0};
    struct error error;
    if (n == 0)
        return usage_error("export: which checkpoint?", "");
    if (n > 1)
        return usage_error("export: one checkpoint at a time, what is ", files[1]);
    if (options->to < 0)
        return usage_error("export: to which format? --to FORMAT is missing", "");
    if (!options->output)
        return usage_error("export: where to? -o FILE is missing", "");
    int failed = stored_read(&stored, files[0], CHECKPOINT_ANY, &error) ||
        export_kinds[options->to]->write(&stored, options->output, &error);
    if (!failed)
        printf("%s: %s of %s, weights=%zu weights_hash=%016" PRIx64 "\n", options->output,
            export_names[options->to], stored.path, stored.checkpoint.count, stored.checkpoint.weights_hash);
    stored_finish(&stored);
    return failed ? fail(&error) : EXIT_CODE_OK;
}

static int command_import(const struct model_options *options, int n, char **files)
{
    struct stored stored = {0};
    struct error error;
    if (n == 0)
        return usage_error("import: which file?", "");
    if (n > 1)
        return usage_error("import: one file at a time, what is ", files[1]);
    if (!options->output)
        return usage_error("import: where to? -o FILE is missing", "");
    int failed = (options->like && stored_read(&stored, options->like, CHECKPOINT_ANY, &error) != 0) ||
        incoming_read(&stored, files[0], &error) || stored_keep_weights(&stored, options->command, &error) ||
        write_stored(&stored, options->output, &error);
    stored_finish(&stored);
    return failed ? fail(&error) : EXIT_CODE_OK;
}

static const struct {
    const char *name;
    unsigned bit;
    enum word_kind operands;
    int (*run)(const struct model_options *options, int n, char **words);
} commands[] = {{"info", COMMAND_INFO, WORD_H5, command_info},
    {"average", COMMAND_AVERAGE, WORD_H5, command_average},
    {"export", COMMAND_EXPORT, WORD_H5, command_export},
    {"import", COMMAND_IMPORT, WORD_FILE, command_import}, {"seal", COMMAND_SEAL, WORD_H5, command_seal}};

static void print_completion(enum options_ask ask)
{
    struct completion completion = {.program = "rnn-model"};
    struct completion_place *start = completion_add(&completion, NULL, NULL, &table);
    start->command = COMMAND_NONE;
    for (size_t c = 0; c < sizeof commands / sizeof *commands; c++) {
        struct completion_place *place = completion_add(&completion, commands[c].name, NULL, &table);
        completion_add_word(start, commands[c].name, NULL);
        place->command = commands[c].bit;
        place->operands = commands[c].operands;
    }
    completion_print(&completion, ask);
}

static int answer(enum options_ask ask)
{
    if (ask == ASK_VERSION)
        return print_version();
    if (ask != ASK_HELP) {
        print_completion(ask);
        return EXIT_CODE_OK;
    }
    options_write_help(&table, stdout);
    fputs("\nFormats of export:\n", stdout);
    for (size_t k = 0; export_kinds[k]; k++)
        printf("  %-12s %s\n", export_names[k], export_kinds[k]->summary);
    return EXIT_CODE_OK;
}

/* --help, --version and --completion answer without a command too. */
static int run(struct model_options *options, int argc, char **argv)
{
    struct error error;
    size_t c = 0, most = sizeof commands / sizeof *commands;
    if (argc < 2)
        return usage_error(what_to_do, "");
    while (c < most && strcmp(argv[1], commands[c].name) != 0)
        c++;
    if (c == most && *argv[1] != '-')
        return usage_error("commands are info, export, import, average and seal, not ", argv[1]);
    int skipped = c < most;
    argc -= skipped;
    argv += skipped;
    int first = options_read(&table, skipped ? commands[c].bit : COMMAND_NONE, options, argc, argv, &error);
    if (first < 0)
        return fail(&error);
    if (options->ask)
        return answer(options->ask);
    if (!skipped)
        return usage_error(what_to_do, "");
    return commands[c].run(options, argc - first, argv + first);
}

int main(int argc, char **argv)
{
    char command[4096] = "";
    struct model_options options = {.to = -1, .command = command};
    streams_begin();
    log_set_speaker("rnn-model", -1, NULL);
    for (int i = 0, used = 0; i < argc && used < (int)sizeof command; i++)
        used += snprintf(command + used, sizeof command - (size_t)used, "%s%s", i ? " " : "", argv[i]);
    int code = run(&options, argc, argv);
    options_finish(&table, &options);
    return streams_end(code);
}

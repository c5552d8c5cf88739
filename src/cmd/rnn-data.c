/* rnn-data: makes, shows and checks dataset files. This program does without MPI. */
#include "cmd/rnn-data.h"

#include "base/file.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/options.h"
#include "base/streams.h"
#include "data/dataset.h"
#include "data/make/make.h"
#include "data/repack.h"
#include "data/targets.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { MOST_LOGGED = 20, MOST_COUNTED = 100000 }; /* faults per file */

enum {
    COMMAND_MAKE = 1,
    COMMAND_INFO = 2,
    COMMAND_CHECK = 4,
    COMMAND_NONE = 8,
    COMMAND_REPACK = 16,
    COMMAND_IMPORT = 32,
    COMMAND_SUGGEST = 64
};

struct data_options {
    enum options_ask ask;
    const char *output; /* folder of make, file of repack; NULL: none is given */
    uint64_t seed;
    int64_t sequences, length; /* 0: as many, and as long, as the kind has of its own */
    struct repack_options repack;
    int ctc;
    int loss; /* enum loss; -1: none is given */
};

#define AT(member) offsetof(struct data_options, member)

static const struct option_row rows[] = {
    {"output", 'o', OPTION_TEXT, AT(output), .word = WORD_FOLDER, .allowed = "a name", .argument = "DIR",
        .help = "make: folder for the files; made where it is missing", .commands = COMMAND_MAKE},
    {"output", 'o', OPTION_TEXT, AT(output), .word = WORD_FILE, .allowed = "a name", .argument = "FILE",
        .help = "repack: the new file", .commands = COMMAND_REPACK},
    {"compress", 0, OPTION_FLAG, AT(repack.compress), .help = "compress inputs and targets (gzip)",
        .commands = COMMAND_REPACK},
    {"chunk", 0, OPTION_WHOLE, AT(repack.chunk), 1, INT32_MAX, .argument = "FRAMES",
        .help = "rows of a chunk (default: in one piece, or 256 KiB where compressed)",
        .commands = COMMAND_REPACK},
    {"seed", 0, OPTION_UNSIGNED, AT(seed), .argument = "N", .help = "same seed, same files (default 1)",
        .commands = COMMAND_MAKE},
    {"sequences", 0, OPTION_WHOLE, AT(sequences), 1, MAKE_MOST_SEQUENCES, .argument = "N",
        .help = "sequences for training; a fifth of it each for valid and test\n"
                "(default: the number beside the kind)",
        .commands = COMMAND_MAKE},
    {"length", 0, OPTION_WHOLE, AT(length), 1, MAKE_MOST_LENGTH, .argument = "N",
        .help = "frames of each sequence, for adding, recall and copy", .commands = COMMAND_MAKE},
    {"ctc", 0, OPTION_FLAG, AT(ctc),
        .help = "check also that each sequence has the frames output = ctc needs", .commands = COMMAND_CHECK},
    {"loss", 0, OPTION_CHOICE, AT(loss), .names = loss_names, .argument = "NAME",
        .help = "check also that targets are what loss = NAME takes", .commands = COMMAND_CHECK},
    OPTION_ROW_COMPLETION(struct data_options),
    OPTION_ROWS_ASK(struct data_options),
};
static const struct option_table table = {
    .row = rows, .rows = sizeof rows / sizeof *rows, .operands = WORD_H5};

/* Complains about the error and gives its exit code. */
static int fail(const struct error *error)
{
    log_line(LOG_ERROR, "%s", error->text);
    return error->code;
}

static int usage_error(const char *what, const char *which)
{
    log_line(LOG_ERROR, "%s%s: see 'rnn-data --help'", what, which);
    return EXIT_CODE_USAGE;
}

static int print_help(void)
{
    fputs("Usage: rnn-data make KIND -o DIR [--seed N] [--sequences N]\n"
          "       rnn-data info FILE...\n"
          "       rnn-data check [--ctc] [--loss NAME] FILE...\n"
          "       rnn-data repack FILE -o FILE [--compress] [--chunk FRAMES]\n"
          "       rnn-data import KIND SOURCE... -o FILE [OPTION]...\n"
          "       rnn-data suggest FILE\n"
          "\n"
          "make   write DIR/KIND-train.h5, DIR/KIND-valid.h5 and DIR/KIND-test.h5\n",
        stdout);
    for (size_t k = 0; k < dataset_kind_count(); k++)
        printf("         %-8s %s (%" PRId64 ")\n", dataset_kind_at(k)->name, dataset_kind_at(k)->summary,
            dataset_kind_at(k)->sequences);
    fputs("info   say what is in dataset files\n"
          "check  read dataset files whole and report every fault\n"
          "repack write a dataset file anew, with the same content in another layout\n"
          "import make a dataset of files of another kind ('rnn-data import KIND --help': its options)\n",
        stdout);
    import_print_kinds();
    fputs("suggest\n"
          "       print a configuration for rnn-train that fits a dataset file\n",
        stdout);
    putchar('\n');
    options_write_rows(&table, stdout);
    fputs("\nExit codes: 0 done, 2 usage, 65 bad data, 74 input or output failed.\n", stdout);
    return EXIT_CODE_OK;
}

/* Lists the kinds, as "lorenz, adding or context". */
static const char *list_kinds(const char *before_last, char *text, size_t size)
{
    size_t used = 0, kinds = dataset_kind_count();
    for (size_t k = 0; k < kinds && used < size; k++) {
        const char *between = k == 0 ? "" : k + 1 < kinds ? ", " : before_last;
        used += (size_t)snprintf(text + used, size - used, "%s%s", between, dataset_kind_at(k)->name);
    }
    return text;
}

int print_data_version(void)
{
    char library[64];
    h5_version(library, sizeof library);
    printf("rnn-data %s (%s, %s)\n", RNN_VERSION, library, RNN_COMPILER);
    return EXIT_CODE_OK;
}

/* ---- make ---- */

struct make_order {
    const struct dataset_kind *kind;
    const char *folder;
    uint64_t seed;
    int64_t sequences;
    int32_t length;
};

static int make_part(const struct make_order *order, enum make_part part, struct error *error)
{
    size_t room = strlen(order->folder) + 64;
    char *path = memory_create(room, 1, error);
    if (!path)
        return -1;
    snprintf(path, room, "%s/%s-%s.h5", order->folder, order->kind->name, make_part_name(part));
    struct made *made = make_create(order->kind, part, order->seed, order->sequences, order->length, error);
    int status = made ? make_write(made, path, error) : -1;
    if (!status)
        printf("%s: sequences=%" PRId64 " frames=%" PRId64 "\n", path, made->sequences, made->frames);
    make_destroy(made);
    memory_destroy(path);
    return status;
}

static int make_all(const struct make_order *order)
{
    struct error error;
    if (file_make_folder(order->folder, NULL)) {
        error_set(&error, EXIT_CODE_IO, "%s: this folder cannot be made: %s", order->folder, strerror(errno));
        return fail(&error);
    }
    for (int part = 0; part < MAKE_PARTS; part++)
        if (make_part(order, (enum make_part)part, &error))
            return fail(&error);
    return EXIT_CODE_OK;
}

static int check_length(const struct make_order *order)
{
    int32_t least = order->kind->least_length;
    if (least && order->length >= least)
        return 0;
    if (least)
        log_line(LOG_ERROR,
            "make: --length %d: a sequence of %s has at least %d frames: see 'rnn-data --help'",
            order->length, order->kind->name, least);
    else
        log_line(LOG_ERROR,
            "make: --length %d: the content of %s decides on its lengths: leave this option out, see "
            "'rnn-data --help'",
            order->length, order->kind->name);
    return -1;
}

static int command_make(const struct data_options *options, int n, char **words)
{
    char kinds[512];
    if (n == 0)
        return usage_error("make: which kind? ", list_kinds(" or ", kinds, sizeof kinds));
    if (n > 1)
        return usage_error("make: one kind at a time, what is ", words[1]);
    struct make_order order = {.kind = dataset_kind_find(words[0]),
        .folder = options->output,
        .seed = options->seed,
        .sequences = options->sequences,
        .length = (int32_t)options->length};
    if (!order.kind) {
        log_line(LOG_ERROR, "make: kinds are %s, not %s: see 'rnn-data --help'",
            list_kinds(" and ", kinds, sizeof kinds), words[0]);
        return EXIT_CODE_USAGE;
    }
    if (!order.folder)
        return usage_error("make: where to? -o DIR is missing", "");
    if (order.length && check_length(&order))
        return EXIT_CODE_USAGE;
    if (!order.sequences)
        order.sequences = order.kind->sequences;
    return make_all(&order);
}

/* ---- info, check ---- */

static int info_file(const char *path)
{
    struct error error;
    return info_print(path, &error) ? fail(&error) : EXIT_CODE_OK;
}

/* The count of faults goes on after the last one that is logged. */
static void log_fault(void *context, const char *text)
{
    size_t *met = context;
    if ((*met)++ < MOST_LOGGED)
        log_line(LOG_ERROR, "%s", text);
}

static void check_kind(const struct dataset *dataset, const struct loss_kind *loss, struct faults *faults)
{
    if (!dataset->has_targets)
        faults_add(faults, EXIT_CODE_DATA,
            "%s: targets: there are none, but loss = %s needs some: name another file", dataset->name,
            loss->name);
    else if (loss->takes_classes != (dataset->classes > 0))
        faults_add(faults, EXIT_CODE_DATA, "%s: targets: %s, but loss = %s takes %s: name another loss",
            dataset->name, dataset->classes ? "classes" : "real values", loss->name,
            loss->takes_classes ? "classes (integers and the attribute n_classes)" : "real values");
}

/* Checks how the file goes with output and loss of the options. Where it cannot be opened dataset_check has
 * reported why. */
static void check_use(const char *path, const struct data_options *options, struct faults *faults)
{
    struct error error;
    struct dataset *dataset = dataset_open(path, 0, &error);
    if (dataset && options->ctc)
        dataset_check_ctc(dataset, faults);
    if (dataset && options->loss >= 0)
        check_kind(dataset, loss_kinds[options->loss], faults);
    int changed = dataset && dataset_require_unchanged(dataset, DATASET_DOUBT, &error);
    if (changed || (!dataset && !faults->count))
        faults_add(faults, (enum exit_code)error.code, "%s", error.text);
    dataset_close(dataset);
}

static int check_file(const char *path, const struct data_options *options)
{
    struct faults faults;
    size_t met = 0;
    faults_init(&faults, MOST_COUNTED, log_fault, &met);
    dataset_check(path, options->loss < 0 ? NULL : loss_kinds[options->loss], &faults);
    if (options->ctc || options->loss >= 0)
        check_use(path, options, &faults);
    if (!met) {
        printf("%s: ok\n", path);
        return EXIT_CODE_OK;
    }
    if (met > MOST_LOGGED)
        log_line(LOG_ERROR, "%s: %zu more faults%s", path, met - MOST_LOGGED,
            met < MOST_COUNTED ? "" : " at least");
    return faults.code;
}

/* Every file is looked at; the exit code is that of the first that failed. */
static int command_info(const struct data_options *options, int n, char **files)
{
    int code = EXIT_CODE_OK;
    if (n == 0)
        return usage_error("info: which file?", "");
    for (int i = 0; i < n; i++) {
        int one = info_file(files[i]);
        code = code ? code : one;
    }
    return code;
}

static int command_check(const struct data_options *options, int n, char **files)
{
    int code = EXIT_CODE_OK;
    if (n == 0)
        return usage_error("check: which file?", "");
    for (int i = 0; i < n; i++) {
        int one = check_file(files[i], options);
        code = code ? code : one;
    }
    return code;
}

/* ---- repack ---- */

static int command_repack(const struct data_options *options, int n, char **files)
{
    struct error error;
    if (n == 0)
        return usage_error("repack: which file?", "");
    if (n > 1)
        return usage_error("repack: one file at a time, what is ", files[1]);
    if (!options->output)
        return usage_error("repack: where to? -o FILE is missing", "");
    if (dataset_repack(files[0], options->output, &options->repack, &error))
        return fail(&error);
    printf("%s: written\n", options->output);
    return EXIT_CODE_OK;
}

/* ---- suggest ---- */

static int command_suggest(const struct data_options *options, int n, char **files)
{
    (void)options;
    struct error error;
    if (n == 0)
        return usage_error("suggest: which file?", "");
    if (n > 1)
        return usage_error("suggest: one file at a time, what is ", files[1]);
    return suggest_print(files[0], &error) ? fail(&error) : EXIT_CODE_OK;
}

static const struct {
    const char *name;
    unsigned bit;
    int (*run)(const struct data_options *options, int n, char **words);
} commands[] = {{"make", COMMAND_MAKE, command_make}, {"info", COMMAND_INFO, command_info},
    {"check", COMMAND_CHECK, command_check}, {"repack", COMMAND_REPACK, command_repack},
    {"suggest", COMMAND_SUGGEST, command_suggest}};

static int print_completion(enum options_ask ask)
{
    struct completion completion = {.program = "rnn-data"};
    struct error error;
    struct completion_place *start = completion_add(&completion, NULL, NULL, &table);
    start->command = COMMAND_NONE;
    for (size_t c = 0; c < sizeof commands / sizeof *commands; c++) {
        struct completion_place *place = completion_add(&completion, commands[c].name, NULL, &table);
        completion_add_word(start, commands[c].name, NULL);
        place->command = commands[c].bit;
        for (size_t k = 0; commands[c].bit == COMMAND_MAKE && k < dataset_kind_count(); k++)
            completion_add_word(place, dataset_kind_at(k)->name, dataset_kind_at(k)->summary);
    }
    completion_add_word(start, "import", NULL);
    int failed = import_complete(&completion, &error);
    if (!failed)
        completion_print(&completion, ask);
    completion_finish(&completion);
    return failed ? fail(&error) : EXIT_CODE_OK;
}

static int answer(enum options_ask ask)
{
    if (ask == ASK_HELP)
        return print_help();
    return ask == ASK_VERSION ? print_data_version() : print_completion(ask);
}

/* --help, --version and --completion answer without a command too. */
static int run(int argc, char **argv)
{
    struct data_options options = {.seed = 1, .loss = -1};
    struct error error;
    size_t c = 0, most = sizeof commands / sizeof *commands;
    if (argc > 1 && strcmp(argv[1], "import") == 0)
        return import_command(argc - 1, argv + 1);
    if (argc < 2)
        return usage_error("what to do? make, info, check, repack, import or suggest", "");
    while (c < most && strcmp(argv[1], commands[c].name) != 0)
        c++;
    if (c == most && *argv[1] != '-')
        return usage_error("commands are make, info, check, repack, import and suggest, not ", argv[1]);
    int skipped = c < most;
    argc -= skipped;
    argv += skipped;
    int first = options_read(&table, skipped ? commands[c].bit : COMMAND_NONE, &options, argc, argv, &error);
    if (first < 0)
        return fail(&error);
    if (options.ask)
        return answer(options.ask);
    if (!skipped)
        return usage_error("what to do? make, info, check, repack, import or suggest", "");
    return commands[c].run(&options, argc - first, argv + first);
}

int main(int argc, char **argv)
{
    streams_begin();
    log_set_speaker("rnn-data", -1, NULL);
    return streams_end(run(argc, argv));
}

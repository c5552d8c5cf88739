/* rnn-data: makes, shows and checks dataset files. No MPI in this program. */
#include "cmd/rnn-data.h"

#include "base/file.h"
#include "base/log.h"
#include "base/memory.h"
#include "data/dataset.h"
#include "data/make/make.h"
#include "data/targets.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_SAID = 20, MOST_COUNTED = 100000 }; /* faults per file */

static const char help_before_kinds[] =
    "Usage: rnn-data make KIND -o DIR [--seed N] [--sequences N]\n"
    "       rnn-data info FILE...\n"
    "       rnn-data check [--ctc] FILE...\n"
    "\n"
    "make   write DIR/KIND-train.h5, DIR/KIND-valid.h5 and DIR/KIND-test.h5\n";

static const char help_before_defaults[] =
    "info   say what is in dataset files\n"
    "check  read dataset files whole and report every fault\n"
    "\n"
    "  -o, --output DIR   folder for the files; made where it is missing\n"
    "      --seed N       same seed, same files (default 1)\n"
    "      --sequences N  sequences for training; a fifth of it each for valid and test\n";

static const char help_behind_defaults[] =
    "      --ctc          check also that each sequence has the frames output = ctc needs\n"
    "      --help         this text\n"
    "      --version      versions of the program and of its libraries\n"
    "\n"
    "Exit codes: 0 done, 2 usage, 65 bad data, 74 input or output failed.\n";

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

/* "(default: lorenz 1000, adding 5000, ...)", in lines that begin below each other. */
static void print_defaults(void)
{
    enum { INDENT = 21, WIDTH = 90 };
    int column = printf("%*s(default: ", INDENT, "");
    for (size_t k = 0; k < dataset_kind_count(); k++) {
        const struct dataset_kind *kind = dataset_kind_at(k);
        char item[64];
        int n = snprintf(item, sizeof item, "%s %" PRId64 "%s", kind->name, kind->sequences,
            k + 1 < dataset_kind_count() ? "," : ")\n");
        if (k > 0 && column + 1 + n > WIDTH)
            column = printf("\n%*s", INDENT, "") - 1;
        else if (k > 0)
            column += printf(" ");
        column += printf("%s", item);
    }
}

static int print_help(void)
{
    fputs(help_before_kinds, stdout);
    for (size_t k = 0; k < dataset_kind_count(); k++)
        printf("         %-8s %s\n", dataset_kind_at(k)->name, dataset_kind_at(k)->summary);
    fputs(help_before_defaults, stdout);
    print_defaults();
    fputs(help_behind_defaults, stdout);
    return EXIT_CODE_OK;
}

/* "lorenz, adding or context" */
static const char *list_kinds(const char *before_last, char *text, size_t size)
{
    size_t used = 0, kinds = dataset_kind_count();
    for (size_t k = 0; k < kinds && used < size; k++) {
        const char *between = k == 0 ? "" : k + 1 < kinds ? ", " : before_last;
        used += (size_t)snprintf(text + used, size - used, "%s%s", between, dataset_kind_at(k)->name);
    }
    return text;
}

static int print_version(void)
{
    char library[64];
    h5_version(library, sizeof library);
    printf("rnn-data %s (%s, %s)\n", RNN_VERSION, library, RNN_COMPILER);
    return EXIT_CODE_OK;
}

/* ---- make ---- */

struct make_options {
    const struct dataset_kind *kind;
    const char *folder;
    uint64_t seed;
    int64_t sequences;
};

/* Decimal digits only, low to high. */
static int read_number(const char *text, uint64_t low, uint64_t high, uint64_t *number)
{
    if (!*text || strspn(text, "0123456789") != strlen(text))
        return -1;
    errno = 0;
    uint64_t value = strtoull(text, NULL, 10);
    if (errno || value < low || value > high)
        return -1;
    *number = value;
    return 0;
}

static int make_part(const struct make_options *options, enum make_part part, struct error *error)
{
    size_t room = strlen(options->folder) + 64;
    char *path = memory_create(room, 1, error);
    if (!path)
        return -1;
    snprintf(path, room, "%s/%s-%s.h5", options->folder, options->kind->name, make_part_name(part));
    struct made *made = make_create(options->kind, part, options->seed, options->sequences, error);
    int status = made ? make_write(made, path, error) : -1;
    if (!status)
        printf("%s: sequences=%" PRId64 " frames=%" PRId64 "\n", path, made->sequences, made->frames);
    make_destroy(made);
    memory_destroy(path);
    return status;
}

static int make_all(const struct make_options *options)
{
    struct error error;
    if (file_make_folder(options->folder, NULL)) {
        error_set(
            &error, EXIT_CODE_IO, "%s: this folder cannot be made: %s", options->folder, strerror(errno));
        return fail(&error);
    }
    for (int part = 0; part < MAKE_PARTS; part++)
        if (make_part(options, (enum make_part)part, &error))
            return fail(&error);
    return EXIT_CODE_OK;
}

/* What every command knows, and no more; option letters beyond those of `make` are numbers. */
enum { OPTION_HELP = 256, OPTION_VERSION, OPTION_SEED, OPTION_SEQUENCES, OPTION_CTC };

static const struct option make_names[] = {
    {"output", required_argument, NULL, 'o'},
    {"seed", required_argument, NULL, OPTION_SEED},
    {"sequences", required_argument, NULL, OPTION_SEQUENCES},
    {"help", no_argument, NULL, OPTION_HELP},
    {"version", no_argument, NULL, OPTION_VERSION},
    {NULL, 0, NULL, 0},
};

static const struct option check_names[] = {
    {"ctc", no_argument, NULL, OPTION_CTC},
    {"help", no_argument, NULL, OPTION_HELP},
    {"version", no_argument, NULL, OPTION_VERSION},
    {NULL, 0, NULL, 0},
};

static const struct option info_names[] = {
    {"help", no_argument, NULL, OPTION_HELP},
    {"version", no_argument, NULL, OPTION_VERSION},
    {NULL, 0, NULL, 0},
};

static int option_error(int answer, char **argv)
{
    const char *word = argv[optind - 1];
    if (answer == ':')
        return usage_error("a value is missing behind ", word);
    char letter[3] = {'-', (char)optopt, 0};
    return usage_error("unknown option ", optopt && optopt < OPTION_HELP ? letter : word);
}

/* One option of `make`; an exit code, or -1 to go on. */
static int make_option(int option, struct make_options *options, char **argv)
{
    uint64_t number;
    switch (option) {
    case 'o':
        options->folder = optarg;
        return *optarg ? -1 : usage_error("--output: a folder's name is missing", "");
    case OPTION_SEED:
        if (read_number(optarg, 0, UINT64_MAX, &options->seed))
            return usage_error("--seed: a number from 0 to 18446744073709551615, not ", optarg);
        return -1;
    case OPTION_SEQUENCES:
        if (read_number(optarg, 1, MAKE_MOST_SEQUENCES, &number))
            return usage_error("--sequences: a number from 1 to 10000000, not ", optarg);
        options->sequences = (int64_t)number;
        return -1;
    case OPTION_HELP:
        return print_help();
    case OPTION_VERSION:
        return print_version();
    default:
        return option_error(option, argv);
    }
}

static int command_make(int argc, char **argv)
{
    struct make_options options = {.seed = 1};
    char kinds[512];
    for (int option; (option = getopt_long(argc, argv, ":o:", make_names, NULL)) != -1;) {
        int code = make_option(option, &options, argv);
        if (code >= 0)
            return code;
    }
    if (optind == argc)
        return usage_error("make: which kind? ", list_kinds(" or ", kinds, sizeof kinds));
    if (optind + 1 < argc)
        return usage_error("make: one kind at a time, what is ", argv[optind + 1]);
    if (!(options.kind = dataset_kind_find(argv[optind]))) {
        log_line(LOG_ERROR, "make: kinds are %s, not %s: see 'rnn-data --help'",
            list_kinds(" and ", kinds, sizeof kinds), argv[optind]);
        return EXIT_CODE_USAGE;
    }
    if (!options.folder)
        return usage_error("make: where to? -o DIR is missing", "");
    if (!options.sequences)
        options.sequences = options.kind->sequences;
    return make_all(&options);
}

/* ---- info, check ---- */

static int info_file(const char *path, int ctc)
{
    struct error error;
    return info_print(path, &error) ? fail(&error) : EXIT_CODE_OK;
}

/* The count of faults goes on after the last one that is said. */
static void say_fault(void *context, const char *text)
{
    size_t *met = context;
    if ((*met)++ < MOST_SAID)
        log_line(LOG_ERROR, "%s", text);
}

/* Where the file cannot be opened dataset_check has told why. */
static void check_ctc(const char *path, struct faults *faults)
{
    struct error error;
    struct dataset *dataset = dataset_open(path, 0, &error);
    if (dataset)
        dataset_check_ctc(dataset, faults);
    else if (!faults->count)
        faults_add(faults, (enum exit_code)error.code, "%s", error.text);
    dataset_close(dataset);
}

static int check_file(const char *path, int ctc)
{
    struct faults faults;
    size_t met = 0;
    faults_init(&faults, MOST_COUNTED, say_fault, &met);
    dataset_check(path, &faults);
    if (ctc)
        check_ctc(path, &faults);
    if (!met) {
        printf("%s: ok\n", path);
        return EXIT_CODE_OK;
    }
    if (met > MOST_SAID)
        log_line(
            LOG_ERROR, "%s: %zu more faults%s", path, met - MOST_SAID, met < MOST_COUNTED ? "" : " at least");
    return faults.code;
}

/* Every file is looked at; the exit code is that of the first that failed. */
static int command_files(
    int argc, char **argv, const struct option *names, int (*each)(const char *path, int ctc))
{
    int ctc = 0;
    for (int option; (option = getopt_long(argc, argv, ":", names, NULL)) != -1;) {
        if (option == OPTION_HELP)
            return print_help();
        if (option == OPTION_VERSION)
            return print_version();
        if (option != OPTION_CTC)
            return option_error(option, argv);
        ctc = 1;
    }
    if (optind == argc)
        return usage_error(argv[0], ": which file?");
    int code = EXIT_CODE_OK;
    for (int i = optind; i < argc; i++) {
        int one = each(argv[i], ctc);
        code = code ? code : one;
    }
    return code;
}

static int run(int argc, char **argv)
{
    opterr = 0;
    if (argc < 2)
        return usage_error("what to do? make, info or check", "");
    const char *command = argv[1];
    if (!strcmp(command, "--help"))
        return print_help();
    if (!strcmp(command, "--version"))
        return print_version();
    if (!strcmp(command, "make"))
        return command_make(argc - 1, argv + 1);
    if (!strcmp(command, "info"))
        return command_files(argc - 1, argv + 1, info_names, info_file);
    if (!strcmp(command, "check"))
        return command_files(argc - 1, argv + 1, check_names, check_file);
    return usage_error("commands are make, info and check, not ", command);
}

int main(int argc, char **argv)
{
    log_set_speaker("rnn-data", -1, NULL);
    setvbuf(stdout, NULL, _IOLBF, 0); /* what was said stays said if HDF5 crashes on a later file */
    int code = run(argc, argv);
    if ((fflush(stdout) || ferror(stdout)) && code == EXIT_CODE_OK) {
        log_line(LOG_ERROR, "standard output: cannot be written: %s", strerror(errno));
        return EXIT_CODE_IO;
    }
    return code;
}

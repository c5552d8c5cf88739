/* Both programs read their options with getopt_long, which prints nothing of its own here: what it finds
 * wrong is put into words in one place, from the table of the options. */
#include "pass/options.h"

#include "base/memory.h"
#include "base/numbers.h"
#include "base/text.h"
#include "cmd/options_read.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Values of long options without a letter. */
enum {
    OPTION_FRESH = 256,
    OPTION_INIT,
    OPTION_MAX_TIME,
    OPTION_PLAN,
    OPTION_CHECK,
    OPTION_VERIFY,
    OPTION_PROGRESS,
    OPTION_STOP_EXIT_CODE,
    OPTION_BATCH,
    OPTION_BEAM,
    OPTION_GENERATE,
    OPTION_TEMPERATURE,
    OPTION_SEED,
    OPTION_PRIME,
    OPTION_CACHE,
    OPTION_WATCHDOG,
    OPTION_HELP,
    OPTION_VERSION
};

static const struct option train_table[] = {
    {"set", required_argument, NULL, 's'},
    {"run", required_argument, NULL, 'o'},
    {"fresh", no_argument, NULL, OPTION_FRESH},
    {"init", required_argument, NULL, OPTION_INIT},
    {"max-time", required_argument, NULL, OPTION_MAX_TIME},
    {"plan", optional_argument, NULL, OPTION_PLAN},
    {"check", no_argument, NULL, OPTION_CHECK},
    {"verify", required_argument, NULL, OPTION_VERIFY},
    {"quiet", no_argument, NULL, 'q'},
    {"verbose", no_argument, NULL, 'v'},
    {"progress", required_argument, NULL, OPTION_PROGRESS},
    {"stop-exit-code", required_argument, NULL, OPTION_STOP_EXIT_CODE},
    {"help", no_argument, NULL, OPTION_HELP},
    {"version", no_argument, NULL, OPTION_VERSION},
    {NULL, 0, NULL, 0},
};

static const struct option predict_table[] = {
    {"output", required_argument, NULL, 'o'},
    {"batch", required_argument, NULL, OPTION_BATCH},
    {"beam", required_argument, NULL, OPTION_BEAM},
    {"generate", required_argument, NULL, OPTION_GENERATE},
    {"temperature", required_argument, NULL, OPTION_TEMPERATURE},
    {"seed", required_argument, NULL, OPTION_SEED},
    {"prime", required_argument, NULL, OPTION_PRIME},
    {"cache", required_argument, NULL, OPTION_CACHE},
    {"watchdog", required_argument, NULL, OPTION_WATCHDOG},
    {"quiet", no_argument, NULL, 'q'},
    {"verbose", no_argument, NULL, 'v'},
    {"progress", required_argument, NULL, OPTION_PROGRESS},
    {"help", no_argument, NULL, OPTION_HELP},
    {"version", no_argument, NULL, OPTION_VERSION},
    {NULL, 0, NULL, 0},
};

static int refuse(struct error *error, const char *option, const char *value, const char *allowed)
{
    char shown[TEXT_SHOWN];
    return error_set(
        error, EXIT_CODE_USAGE, "%s %s: allowed is %s", option, text_show(value, shown), allowed);
}

int options_refuse(const struct option *table, int found, const char *word, struct error *error)
{
    char shown[TEXT_SHOWN];
    const struct option *known = NULL;
    for (const struct option *o = table; o->name && !known; o++)
        if (optopt && o->val == optopt)
            known = o;
    text_show(word, shown);
    if (found == ':' && known)
        return error_set(error, EXIT_CODE_USAGE, "--%s needs a value: see --help", known->name);
    if (known)
        return error_set(error, EXIT_CODE_USAGE, "%s: --%s takes no value: see --help", shown, known->name);
    if (strncmp(word, "--", 2) == 0)
        return error_set(
            error, EXIT_CODE_USAGE, "%s: unknown option, or short for several: see --help", shown);
    return error_set(error, EXIT_CODE_USAGE, "-%c: unknown option: see --help", optopt);
}

static int read_text(const char *option, const char *value, const char **text, struct error *error)
{
    if (!*value)
        return refuse(error, option, "''", "a path");
    *text = value;
    return 0;
}

int options_read_number(
    const char *option, const char *value, int64_t least, int64_t most, int64_t *number, struct error *error)
{
    int64_t n = 0;
    char allowed[80];
    snprintf(allowed, sizeof allowed, "a whole number from %lld to %lld", (long long)least, (long long)most);
    if (number_read_integer(value, &n) != NUMBER_OK || n < least || n > most)
        return refuse(error, option, value, allowed);
    *number = n;
    return 0;
}

static int read_progress(const char *value, enum progress_style *progress, struct error *error)
{
    static const char *const names[] = {
        [PROGRESS_AUTO] = "auto", [PROGRESS_LINE] = "line", [PROGRESS_LOG] = "log"};
    for (int i = PROGRESS_AUTO; i <= PROGRESS_LOG; i++)
        if (strcmp(value, names[i]) == 0) {
            *progress = (enum progress_style)i;
            return 0;
        }
    return refuse(error, "--progress", value, "auto, line or log");
}

static int read_max_time(const char *value, int64_t *seconds, struct error *error)
{
    int64_t n = 0;
    if (number_read_clock(value, &n) != NUMBER_OK || n == 0)
        return refuse(error, "--max-time", value, "[DD-]HH:MM:SS above zero, as 01:30:00 or 2-12:00:00");
    *seconds = n;
    return 0;
}

/* --plan=N, or --plan N where what follows is a number. */
static int read_plan(struct train_options *options, int argc, char **argv, struct error *error)
{
    int64_t n = 0;
    const char *value = optarg;
    options->plan = 1;
    if (!value && optind < argc && number_read_integer(argv[optind], &n) != NUMBER_MALFORMED)
        value = argv[optind++];
    return value ? options_read_number("--plan", value, 1, INT32_MAX, &options->plan_ranks, error) : 0;
}

static int take_train(struct train_options *options, int found, int argc, char **argv, struct error *error)
{
    int64_t code = 0;
    switch (found) {
    case 's':
        options->set[options->sets++] = optarg;
        return 0;
    case 'o':
        return read_text("--run", optarg, &options->run, error);
    case OPTION_FRESH:
        options->fresh = 1;
        return 0;
    case OPTION_INIT:
        return read_text("--init", optarg, &options->init, error);
    case OPTION_MAX_TIME:
        return read_max_time(optarg, &options->max_time, error);
    case OPTION_PLAN:
        return read_plan(options, argc, argv, error);
    case OPTION_CHECK:
        options->check = 1;
        return 0;
    case OPTION_VERIFY:
        return read_text("--verify", optarg, &options->verify, error);
    case 'q':
        options->verbosity--;
        return 0;
    case 'v':
        options->verbosity++;
        return 0;
    case OPTION_PROGRESS:
        return read_progress(optarg, &options->progress, error);
    case OPTION_STOP_EXIT_CODE:
        if (options_read_number("--stop-exit-code", optarg, 0, 255, &code, error) != 0)
            return -1;
        options->stop_exit_code = (int)code;
        return 0;
    default:
        options->ask = found == OPTION_HELP ? ASK_HELP : ASK_VERSION;
        return 0;
    }
}

int train_options_parse(struct train_options *options, int argc, char **argv, struct error *error)
{
    struct train_options taken = {0};
    int found, failed = 0;
    taken.set = memory_create((size_t)argc + 1, sizeof *taken.set, error);
    if (!taken.set)
        return -1;
    optind = 0; /* glibc and musl: from the start, whatever was read before */
    opterr = 0;
    while (!failed && !taken.ask && (found = getopt_long(argc, argv, ":s:o:qv", train_table, NULL)) != -1)
        failed = found == '?' || found == ':' ? options_refuse(train_table, found, argv[optind - 1], error)
                                              : take_train(&taken, found, argc, argv, error);
    if (!failed && !taken.ask && taken.verify) {
        if (argc != optind || taken.fresh || taken.plan || taken.check)
            failed = error_set(error, EXIT_CODE_USAGE,
                "--verify takes one file or run directory, and no configuration, --fresh, --plan or --check");
    } else if (!failed && !taken.ask) {
        if (argc - optind != 1)
            failed = error_set(error, EXIT_CODE_USAGE,
                "%d arguments where one is needed, the configuration: rnn-train [OPTION]... CONFIG (see "
                "--help)",
                argc - optind);
        else if (taken.fresh && (taken.plan || taken.check))
            failed = error_set(
                error, EXIT_CODE_USAGE, "--fresh together with --plan or --check: these start nothing");
        else
            failed = read_text("CONFIG", argv[optind], &taken.config, error);
    }
    if (failed) {
        memory_destroy(taken.set);
        return -1;
    }
    *options = taken;
    return 0;
}

void train_options_finish(struct train_options *options)
{
    memory_destroy(options->set);
    options->set = NULL;
    options->sets = 0;
}

static int take_predict(struct predict_options *options, int found, struct error *error)
{
    switch (found) {
    case 'o':
        return read_text("--output", optarg, &options->output, error);
    case OPTION_BATCH:
        return options_read_number("--batch", optarg, 1, INT32_MAX, &options->batch, error);
    case OPTION_BEAM:
        return options_read_number("--beam", optarg, 1, 65536, &options->beam, error);
    case OPTION_GENERATE:
        return options_read_number("--generate", optarg, 1, INT32_MAX, &options->generate, error);
    case OPTION_TEMPERATURE:
        if (number_read_real(optarg, &options->temperature) != NUMBER_OK || !(options->temperature > 0))
            return refuse(error, "--temperature", optarg, "a number above 0");
        return 0;
    case OPTION_SEED:
        if (number_read_unsigned(optarg, &options->seed) != NUMBER_OK)
            return refuse(error, "--seed", optarg, "a whole number from 0 to 18446744073709551615");
        return 0;
    case OPTION_PRIME:
        return read_text("--prime", optarg, &options->prime, error);
    case OPTION_CACHE:
        if (number_read_bytes(optarg, &options->cache) != NUMBER_OK)
            return refuse(error, "--cache", optarg, "a whole number and KiB, MiB or GiB, as '256 MiB'");
        return 0;
    case OPTION_WATCHDOG:
        if (number_read_seconds(optarg, &options->watchdog) != NUMBER_OK || options->watchdog < 0)
            return refuse(
                error, "--watchdog", optarg, "a number and seconds, minutes or hours, as '10 minutes', or 0");
        return 0;
    case 'q':
        options->verbosity--;
        return 0;
    case 'v':
        options->verbosity++;
        return 0;
    case OPTION_PROGRESS:
        return read_progress(optarg, &options->progress, error);
    default:
        options->ask = found == OPTION_HELP ? ASK_HELP : ASK_VERSION;
        return 0;
    }
}

/* What is left of the command line. */
static int take_predict_files(struct predict_options *options, int n, char **files, struct error *error)
{
    int needed = options->generate ? 1 : 2;
    if (!options->generate && (options->temperature > 0 || options->seed || options->prime))
        return error_set(error, EXIT_CODE_USAGE, "--temperature, --seed and --prime go with --generate");
    if (options->generate && (!options->output || options->beam))
        return error_set(error, EXIT_CODE_USAGE,
            "--generate writes what it draws: give -o FILE, and no --beam, which would search");
    if (n != needed)
        return error_set(error, EXIT_CODE_USAGE, "%d argument%s where %s needed: rnn-predict %s (see --help)",
            n, n == 1 ? "" : "s", needed == 1 ? "one is" : "two are",
            needed == 1 ? "--generate N -o FILE [OPTION]... CHECKPOINT" : "[OPTION]... CHECKPOINT DATASET");
    if (read_text("CHECKPOINT", files[0], &options->checkpoint, error))
        return -1;
    return needed == 2 ? read_text("DATASET", files[1], &options->dataset, error) : 0;
}

int predict_options_parse(struct predict_options *options, int argc, char **argv, struct error *error)
{
    struct predict_options taken = {.cache = (size_t)256 << 20, .watchdog = 600};
    int found, failed = 0;
    optind = 0;
    opterr = 0;
    while (!failed && !taken.ask && (found = getopt_long(argc, argv, ":o:qv", predict_table, NULL)) != -1)
        failed = found == '?' || found == ':' ? options_refuse(predict_table, found, argv[optind - 1], error)
                                              : take_predict(&taken, found, error);
    if (!failed && !taken.ask)
        failed = take_predict_files(&taken, argc - optind, argv + optind, error);
    if (failed)
        return -1;
    if (!(taken.temperature > 0))
        taken.temperature = 1;
    *options = taken;
    return 0;
}

static int exists_in(const char *folder, size_t n, const char *name)
{
    char path[4096];
    int length = snprintf(path, sizeof path, "%.*s%s", (int)n, folder, name);
    return length < (int)sizeof path && access(path, F_OK) == 0;
}

int options_run_directory(const struct train_options *options, char *path, size_t size, struct error *error)
{
    const char *slash = strrchr(options->config, '/');
    const char *name = slash ? slash + 1 : options->config;
    size_t folder = (size_t)(name - options->config), n = strlen(name);
    int length;
    /* A run writes these besides config.ini; a configuration of one's own may be called config.ini too. */
    int of_run = strcmp(name, "config.ini") == 0 &&
        (exists_in(options->config, folder, "metrics.csv") || exists_in(options->config, folder, "status") ||
            exists_in(options->config, folder, "lock"));
    if (n > 4 && strcmp(name + n - 4, ".ini") == 0)
        n -= 4;
    if (options->run)
        length = snprintf(path, size, "%s", options->run);
    else if (of_run)
        length =
            snprintf(path, size, "%.*s", folder > 1 ? (int)folder - 1 : 1, folder ? options->config : ".");
    else if (n == 0)
        return refuse(error, "CONFIG", options->config, "a file, not a folder");
    else
        length = snprintf(path, size, "runs/%.*s", (int)n, name);
    if (length >= (int)size)
        return error_set(
            error, EXIT_CODE_USAGE, "the run directory's path is longer than %zu bytes: use -o", size - 1);
    return 0;
}

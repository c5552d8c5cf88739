#include "run/options.h"

#include "base/memory.h"
#include "base/text.h"
#include "ckpt/place.h"

#include <limits.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>

#define AT(member) offsetof(struct train_options, member)

static const struct option_row rows[] = {
    {"set", 's', OPTION_LIST, AT(set), .word = WORD_SETTING,
        .own = 1, /* the configuration is compared as a whole */
        .argument = "SECTION.KEY=VALUE", .help = "override a key of the configuration; repeatable"},
    {"run", 'o', OPTION_TEXT, AT(run), .word = WORD_FOLDER, .argument = "DIR",
        .help = "run directory (default: runs/ and CONFIG's name without\n"
                ".ini; DIR itself where CONFIG is DIR/config.ini of a run)"},
    {"fresh", 0, OPTION_FLAG, AT(fresh), .help = "start over in a directory that already holds a run"},
    {"init", 0, OPTION_TEXT, AT(init), .word = WORD_H5, .argument = "CHECKPOINT",
        .help = "start a new run from these weights"},
    {"new-head", 0, OPTION_FLAG, AT(new_head),
        .help = "with --init: take all but the head, which begins afresh\n"
                "(for other classes or another loss)"},
    {"accept-changed-data", 0, OPTION_FLAG, AT(accept_changed_data),
        .help = "go on although training or validation data are not\n"
                "what the run began with"},
    {"max-time", 0, OPTION_CLOCK, AT(max_time), .argument = "[DD-]HH:MM:SS",
        .help = "stop with a checkpoint before this time is over\n"
                "(default: the end of the SLURM job)"},
    {"plan", 0, OPTION_WHOLE_OR_NONE, AT(plan_ranks), 1, INT32_MAX, .given = AT(plan), .argument = "N",
        .help = "print what a run on N ranks would do, and exit"},
    {"ranks-per-node", 0, OPTION_WHOLE, AT(ranks_per_node), 1, INT32_MAX, .argument = "R",
        .help = "with --plan N: R of the ranks share a node (default: as many\n"
                "as this machine has processors)"},
    {"machine", 0, OPTION_TEXT, AT(machine), .word = WORD_FILE, .argument = "FILE",
        .help = "with --plan N: predict the time of a step on a machine that\n"
                "rnn-bench --machine FILE has measured"},
    {"check", 0, OPTION_FLAG, AT(check),
        .help = "check configuration and all data, report every fault, exit"},
    {"try", 0, OPTION_FLAG, AT(trial),
        .help = "make two steps, write nothing, say what a run takes, and exit"},
    {"verify", 0, OPTION_TEXT, AT(verify), .word = WORD_H5, .argument = "FILE|RUN",
        .help = "say whether a checkpoint or a whole run is sound, and exit"},
    {"stop-exit-code", 0, OPTION_WHOLE, AT(stop_exit_code), 0, 255, .argument = "N",
        .help = "exit with N instead of 0 after a clean stop before the end"},
    PASS_OPTION_ROWS(struct train_options),
};

const struct option_table train_option_table = {
    .opening = "usage: rnn-train [OPTION]... CONFIG\n"
               "       mpirun -np N rnn-train [OPTION]... CONFIG\n"
               "       rnn-train [OPTION]... RUN\n"
               "       rnn-train --verify FILE|RUN\n"
               "Train a deep bidirectional recurrent network as the configuration says, on all ranks\n"
               "together. The same command run again continues the run.\n",
    .row = rows,
    .rows = sizeof rows / sizeof *rows,
    .closing = "Exit codes: 0 finished, or stopped cleanly with a checkpoint; 2 usage; 65 bad data or\n"
               "configuration; 70 out of memory and the like; 74 input/output; 76 diverged;\n"
               "77 replicas differ; 124 a rank stopped answering.\n"
               "The keys of a configuration: man rnn-train.\n",
    .operands = WORD_INI,
};

static int is_folder(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

/* A run directory stands for its config.ini. */
static int take_run(struct train_options *options, const char *directory, struct error *error)
{
    size_t n = strlen(directory), room = n + sizeof "/config.ini";
    options->config_of_run = memory_create(room, 1, error);
    if (!options->config_of_run)
        return -1;
    snprintf(options->config_of_run, room, "%s%sconfig.ini", directory, directory[n - 1] == '/' ? "" : "/");
    options->config = options->config_of_run;
    return 0;
}

/* Takes what is left of the command line, and refuses options that contradict each other. */
static int take_config(struct train_options *options, int n, char **words, struct error *error)
{
    if (options->new_head && !options->init)
        return error_set(error, EXIT_CODE_USAGE,
            "--new-head without --init: give --init CHECKPOINT too, whose weights all but the head begins "
            "with");
    if (options->verify && (n > 0 || options->fresh || options->plan || options->check || options->trial))
        return error_set(error, EXIT_CODE_USAGE,
            "--verify takes one file or run directory, and no configuration, --fresh, --plan, --check or "
            "--try");
    if (options->verify)
        return 0;
    if (n != 1)
        return error_set(error, EXIT_CODE_USAGE,
            "%d arguments where one is needed, the configuration: rnn-train [OPTION]... CONFIG (see --help)",
            n);
    if (options->fresh && (options->plan || options->check || options->trial))
        return error_set(
            error, EXIT_CODE_USAGE, "--fresh together with --plan, --check or --try: these start nothing");
    if (options->trial && (options->plan || options->check))
        return error_set(error, EXIT_CODE_USAGE, "--try together with --plan or --check: one at a time");
    if (options->ranks_per_node && !options->plan)
        return error_set(error, EXIT_CODE_USAGE, "--ranks-per-node goes with --plan alone");
    if (options->machine && !options->plan)
        return error_set(error, EXIT_CODE_USAGE, "--machine goes with --plan alone");
    if (!*words[0])
        return options_refuse("CONFIG", "", "a path", error);
    options->config = words[0];
    return is_folder(words[0]) ? take_run(options, words[0], error) : 0;
}

static int parse(struct train_options *options, int argc, char **argv, struct error *error)
{
    int first = options_read(&train_option_table, 0, options, argc, argv, error);
    if (first < 0)
        return -1;
    return options->ask ? 0 : take_config(options, argc - first, argv + first, error);
}

int train_options_parse(struct train_options *options, int argc, char **argv, struct error *error)
{
    struct train_options taken = {0};
    if (parse(&taken, argc, argv, error)) {
        train_options_finish(&taken);
        return -1;
    }
    *options = taken;
    return 0;
}

void train_options_finish(struct train_options *options)
{
    options_finish(&train_option_table, options);
    memory_destroy(options->config_of_run);
    options->config_of_run = NULL;
}

/* Is it the config.ini of a run? A configuration of one's own may be called so too. */
static int is_of_run(const char *config, size_t folder)
{
    char path[PATH_MAX];
    int length = snprintf(path, sizeof path, "%.*s.", (int)folder, config);
    return strcmp(config + folder, "config.ini") == 0 && length < (int)sizeof path &&
        place_look(path) == PLACE_RUN;
}

int options_run_directory(const struct train_options *options, char *path, size_t size, struct error *error)
{
    const char *slash = strrchr(options->config, '/');
    const char *name = slash ? slash + 1 : options->config;
    size_t folder = (size_t)(name - options->config), n = strlen(name);
    int length;
    if (text_ends_in(name, ".ini"))
        n -= 4;
    if (options->run)
        length = snprintf(path, size, "%s", options->run);
    else if (is_of_run(options->config, folder))
        length =
            snprintf(path, size, "%.*s", folder > 1 ? (int)folder - 1 : 1, folder ? options->config : ".");
    else if (n == 0)
        return options_refuse("CONFIG", options->config, "a file, not a folder", error);
    else
        length = snprintf(path, size, "runs/%.*s", (int)n, name);
    if (length >= (int)size)
        return error_set(
            error, EXIT_CODE_USAGE, "the run directory's path is longer than %zu bytes: use -o", size - 1);
    return 0;
}

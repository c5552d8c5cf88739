/* The command line of rnn-bench: numbers with a name, a default and a range each. */
#include "cmd/options_read.h"
#include "net/outputs/output.h"
#include "pass/options.h"

#include <stddef.h>
#include <string.h>

#define AT(member) offsetof(struct bench_options, member)

static const struct number {
    const char *name;
    size_t place;
    int64_t usual, least, most;
} numbers[] = {
    {"inputs", AT(inputs), 64, 1, 1 << 20},
    {"hidden", AT(hidden), 256, 1, 65536},
    {"layers", AT(layers), 2, 0, NET_MOST_LAYERS},
    {"directions", AT(directions), 2, 1, 2},
    {"classes", AT(classes), 61, 2, 1 << 20},
    {"frames", AT(frames), 200, 1, 1 << 24},
    {"labels", AT(labels), 0, 0, 1 << 24},
    {"shortest", AT(shortest), 0, 0, 1 << 24},
    {"batch", AT(batch), 32, 1, 1 << 24},
    {"microbatch", AT(microbatch), 8, 1, 1 << 24},
    {"steps", AT(steps), 1, 1, 1 << 20},
    {"rounds", AT(rounds), 7, 1, BENCH_MOST_ROUNDS},
};

enum {
    NUMBERS = sizeof numbers / sizeof *numbers,
    OPTION_CELL = NUMBERS + 1,
    OPTION_OUTPUT,
    OPTION_SET,
    OPTION_KERNEL,
    OPTION_HELP,
    OPTION_VERSION,
    OPTIONS = NUMBERS + 6
};

static int64_t *number_at(struct bench_options *options, size_t i)
{
    return (int64_t *)((char *)options + numbers[i].place);
}

/* An option's value is its place in `numbers` plus 1, so that none is 0. */
static void fill_table(struct option table[OPTIONS + 1])
{
    memset(table, 0, (OPTIONS + 1) * sizeof *table);
    for (int i = 0; i < NUMBERS; i++)
        table[i] = (struct option){numbers[i].name, required_argument, NULL, i + 1};
    table[NUMBERS] = (struct option){"cell", required_argument, NULL, OPTION_CELL};
    table[NUMBERS + 1] = (struct option){"output", required_argument, NULL, OPTION_OUTPUT};
    table[NUMBERS + 2] = (struct option){"set", required_argument, NULL, OPTION_SET};
    table[NUMBERS + 3] = (struct option){"kernel", no_argument, NULL, OPTION_KERNEL};
    table[NUMBERS + 4] = (struct option){"help", no_argument, NULL, OPTION_HELP};
    table[NUMBERS + 5] = (struct option){"version", no_argument, NULL, OPTION_VERSION};
}

static int take_cell(struct bench_options *options, const char *value, struct error *error)
{
    for (int i = 0; cell_names[i]; i++)
        if (strcmp(cell_names[i], value) == 0) {
            options->cell = (enum cell)i;
            return 0;
        }
    return error_set(error, EXIT_CODE_USAGE, "--cell %s: allowed is rnn, rnn-relu, lstm or gru", value);
}

static int take_output(struct bench_options *options, const char *value, struct error *error)
{
    for (int i = 0; output_names[i]; i++)
        if (strcmp(output_names[i], value) == 0 && output_kinds[i]->targets != PER_SEQUENCE) {
            options->output = (enum output)i;
            return 0;
        }
    return error_set(error, EXIT_CODE_USAGE, "--output %s: allowed is frame, ctc or decoder", value);
}

static int take_set(struct bench_options *options, const char *value, struct error *error)
{
    if (options->sets == BENCH_MOST_SETS)
        return error_set(error, EXIT_CODE_USAGE, "--set: no more than %d of them", BENCH_MOST_SETS);
    options->set[options->sets++] = value;
    return 0;
}

/* Labels are as many as usual where nothing is said of them. */
static int settle_labels(struct bench_options *options, struct error *error)
{
    enum { USUAL = 20 };
    const struct output_kind *output = output_kinds[options->output];
    if (output->targets == PER_FRAME && options->labels)
        return error_set(error, EXIT_CODE_USAGE,
            "--labels %lld: --output frame has one for each frame: give --output ctc or decoder",
            (long long)options->labels);
    if (output->targets == PER_FRAME)
        return 0;
    if (!options->labels)
        options->labels = options->shortest < USUAL ? options->shortest : USUAL;
    if (output->aligns && options->labels > options->shortest)
        return error_set(error, EXIT_CODE_USAGE,
            "--labels %lld: ctc needs a frame for each: allowed is 1 to --shortest, which is %lld",
            (long long)options->labels, (long long)options->shortest);
    return 0;
}

static int take(struct bench_options *options, int found, struct error *error)
{
    switch (found) {
    case OPTION_CELL:
        return take_cell(options, optarg, error);
    case OPTION_OUTPUT:
        return take_output(options, optarg, error);
    case OPTION_SET:
        return take_set(options, optarg, error);
    case OPTION_KERNEL:
        options->kernel = 1;
        return 0;
    case OPTION_HELP:
        options->ask = ASK_HELP;
        return 0;
    case OPTION_VERSION:
        options->ask = ASK_VERSION;
        return 0;
    default:
        return options_read_number(numbers[found - 1].name, optarg, numbers[found - 1].least,
            numbers[found - 1].most, number_at(options, (size_t)found - 1), error);
    }
}

int bench_options_parse(struct bench_options *options, int argc, char **argv, struct error *error)
{
    struct bench_options taken = {.cell = CELL_LSTM};
    struct option table[OPTIONS + 1];
    int found, failed = 0;
    fill_table(table);
    for (size_t i = 0; i < NUMBERS; i++)
        *number_at(&taken, i) = numbers[i].usual;
    optind = 0;
    opterr = 0;
    while (!failed && !taken.ask && (found = getopt_long(argc, argv, ":", table, NULL)) != -1)
        failed = found == '?' || found == ':' ? options_refuse(table, found, argv[optind - 1], error)
                                              : take(&taken, found, error);
    if (!failed && !taken.ask && optind < argc)
        failed = error_set(error, EXIT_CODE_USAGE, "%s: takes options only, see --help", argv[optind]);
    if (taken.shortest == 0)
        taken.shortest = taken.frames;
    if (!failed && taken.shortest > taken.frames)
        failed = error_set(error, EXIT_CODE_USAGE, "--shortest %lld: allowed is 1 to --frames, which is %lld",
            (long long)taken.shortest, (long long)taken.frames);
    if (!failed)
        failed = settle_labels(&taken, error);
    if (!failed && taken.microbatch > taken.batch)
        taken.microbatch = taken.batch;
    if (failed)
        return -1;
    *options = taken;
    return 0;
}

const char *bench_options_help(void)
{
    return "usage: rnn-bench [OPTION]...\n"
           "       mpirun -np N rnn-bench [OPTION]...\n"
           "\n"
           "Measures the training step on sequences of random numbers: its speed, and what fraction it is of "
           "the most\n"
           "multiply-adds this core can do. Medians of several rounds.\n"
           "\n"
           "      --cell CELL      rnn, rnn-relu, lstm or gru (default lstm)\n"
           "      --inputs N       features of a frame (64)\n"
           "      --hidden N       units of a layer in each direction (256)\n"
           "      --layers N       (2)\n"
           "      --directions N   1 or 2 (2)\n"
           "      --classes N      (61)\n"
           "      --output OUTPUT  frame, ctc or decoder (default frame)\n"
           "      --labels N       of a sequence, with ctc and decoder (20)\n"
           "      --set MODEL.KEY=VALUE  any other key of the configuration; repeatable\n"
           "      --frames N       length of the longest sequence (200)\n"
           "      --shortest N     length of the shortest; lengths lie evenly between (as --frames)\n"
           "      --batch N        sequences of a step over all ranks (32)\n"
           "      --microbatch N        sequences that a rank computes together (8)\n"
           "      --steps N        steps of a round (1)\n"
           "      --rounds N       rounds counted, after a warm-up (7)\n"
           "      --kernel         the matrix products and activations alone, for a table of shapes\n"
           "      --help           this text\n"
           "      --version        versions of the program and of what it stands on\n";
}

#include "bench/options.h"

#include "net/outputs/output.h"

#include <stddef.h>

#define AT(member) offsetof(struct bench_options, member)

static const struct option_row rows[] = {
    {"cell", 0, OPTION_CHOICE, AT(cell), .names = cell_names, .argument = "CELL",
        .help = "one that key model.cell takes (lstm)"},
    {"inputs", 0, OPTION_WHOLE, AT(inputs), 1, 1 << 20, .argument = "N", .help = "features of a frame (64)"},
    {"hidden", 0, OPTION_WHOLE, AT(hidden), 1, 65536, .argument = "N",
        .help = "units of a layer in each direction (256)"},
    {"layers", 0, OPTION_WHOLE, AT(layers), 0, NET_MOST_LAYERS, .argument = "N", .help = "(2)"},
    {"directions", 0, OPTION_WHOLE, AT(directions), 1, 2, .argument = "N", .help = "1 or 2 (2)"},
    {"classes", 0, OPTION_WHOLE, AT(classes), 2, 1 << 20, .argument = "N", .help = "(61)"},
    {"output", 0, OPTION_CHOICE, AT(output), .names = output_names, .allowed = "frame, ctc or decoder",
        .argument = "OUTPUT", .help = "frame, ctc or decoder (default frame)"},
    {"labels", 0, OPTION_WHOLE, AT(labels), 0, 1 << 24, .argument = "N",
        .help = "of a sequence, with ctc and decoder (20)"},
    {"set", 0, OPTION_LIST, AT(set), .word = WORD_SETTING, .argument = "MODEL.KEY=VALUE",
        .help = "any other key of the configuration; repeatable"},
    {"frames", 0, OPTION_WHOLE, AT(frames), 1, 1 << 24, .argument = "N",
        .help = "length of the longest sequence (200)"},
    {"shortest", 0, OPTION_WHOLE, AT(shortest), 0, 1 << 24, .argument = "N",
        .help = "length of the shortest; lengths lie evenly between (as --frames)"},
    {"batch", 0, OPTION_WHOLE, AT(batch), 1, 1 << 24, .argument = "N",
        .help = "sequences of a step over all ranks (32)"},
    {"microbatch", 0, OPTION_WHOLE, AT(microbatch), 1, 1 << 24, .argument = "N",
        .help = "sequences that a rank computes together (8)", .former = "grain"},
    {"activation-memory", 0, OPTION_BYTES, AT(memory), .argument = "SIZE",
        .help = "bytes that a pass takes at most, what backward needs being computed\n"
                "again (0, no bound)"},
    {"steps", 0, OPTION_WHOLE, AT(steps), 1, 1 << 20, .argument = "N", .help = "steps of a round (1)"},
    {"rounds", 0, OPTION_WHOLE, AT(rounds), 1, BENCH_MOST_ROUNDS, .argument = "N",
        .help = "rounds counted, after a warm-up (7)"},
    {"kernel", 0, OPTION_FLAG, AT(kernel),
        .help = "the matrix products and activations alone, for a table of shapes"},
    {"machine", 0, OPTION_TEXT, AT(machine), .word = WORD_FILE, .argument = "FILE",
        .help = "measure this machine for predictions (rnn-train --plan N\n"
                "--machine FILE), with as many ranks as it has cores"},
    OPTION_ROW_COMPLETION(struct bench_options),
    OPTION_ROWS_ASK(struct bench_options),
};

const struct option_table bench_option_table = {
    .opening = "usage: rnn-bench [OPTION]...\n"
               "       mpirun -np N rnn-bench [OPTION]...\n"
               "\n"
               "Measures the training step on sequences of random numbers: its speed, and what fraction\n"
               "it is of the most multiply-adds this core can do. Medians of several rounds.\n",
    .row = rows,
    .rows = sizeof rows / sizeof *rows,
    .closing = "The keys of a configuration: man rnn-train.\n",
};

/* There are as many labels as usual where no option says how many. */
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

/* Settles options that depend on each other, and refuses what is left of the command line. */
static int settle(struct bench_options *options, int n, char **words, struct error *error)
{
    if (n > 0)
        return error_set(error, EXIT_CODE_USAGE, "%s: takes options only, see --help", words[0]);
    if (output_kinds[options->output]->targets == PER_SEQUENCE)
        return options_refuse("--output", output_names[options->output], "frame, ctc or decoder", error);
    if (options->shortest == 0)
        options->shortest = options->frames;
    if (options->shortest > options->frames)
        return error_set(error, EXIT_CODE_USAGE, "--shortest %lld: allowed is 1 to --frames, which is %lld",
            (long long)options->shortest, (long long)options->frames);
    if (options->microbatch > options->batch)
        options->microbatch = options->batch;
    return settle_labels(options, error);
}

static const struct bench_options usual = {.cell = CELL_LSTM,
    .inputs = 64,
    .hidden = 256,
    .layers = 2,
    .directions = 2,
    .classes = 61,
    .frames = 200,
    .batch = 32,
    .microbatch = 8,
    .steps = 1,
    .rounds = 7};

static int parse(struct bench_options *options, int argc, char **argv, struct error *error)
{
    int first = options_read(&bench_option_table, 0, options, argc, argv, error);
    if (first < 0)
        return -1;
    return options->ask ? 0 : settle(options, argc - first, argv + first, error);
}

int bench_options_parse(struct bench_options *options, int argc, char **argv, struct error *error)
{
    struct bench_options taken = usual;
    if (parse(&taken, argc, argv, error)) {
        bench_options_finish(&taken);
        return -1;
    }
    *options = taken;
    return 0;
}

void bench_options_finish(struct bench_options *options)
{
    options_finish(&bench_option_table, options);
}

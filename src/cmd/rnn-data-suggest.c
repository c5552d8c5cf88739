/* `rnn-data suggest`: a configuration to begin with, from what is in the file. What the file decides, output
 * and loss, follows from it; the rest are the sizes that usually learn something in a short time, and each
 * line says why it is there. Every value is read back through the table of keys before it is printed. */
#include "cmd/rnn-data.h"

#include "base/memory.h"
#include "base/text.h"
#include "config/config.h"
#include "config/keys.h"
#include "data/summary.h"
#include "data/targets.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct proposal {
    const char *path;
    struct summary summary;
    enum output output;
    int64_t hidden;
    struct config config; /* what the lines so far make of it */
};

/* Prints a line of the configuration, with the reason behind it. */
__attribute__((format(printf, 5, 6))) static void print_key(struct proposal *proposal, const char *section,
    const char *name, const char *value, const char *reason, ...)
{
    size_t items;
    const char *wrong = key_read(key_find(section, name), value, "/", &proposal->config, &items);
    assert(!wrong && "a suggestion is not allowed by the table");
    (void)wrong;
    va_list arguments;
    va_start(arguments, reason);
    int used = printf("%s = %s", name, value);
    printf("%*s ; ", used < 27 ? 27 - used : 0, "");
    vprintf(reason, arguments);
    putchar('\n');
    va_end(arguments);
}

static void print_number(
    struct proposal *proposal, const char *section, const char *name, double number, const char *reason)
{
    char value[40];
    snprintf(value, sizeof value, "%.10g", number);
    print_key(proposal, section, name, value, "%s", reason);
}

/* ---- [data] ---- */

/* A path as a configuration takes it: a comma would begin another file. */
static void print_path(const char *name, const char *path)
{
    printf("%s = ", name);
    for (; *path; path++)
        printf(*path == ',' ? "\\," : "%c", *path);
    putchar('\n');
}

/* Prints the file beside this one that is there for validation: x-valid.h5 of x-train.h5. */
static void print_valid(const struct proposal *proposal)
{
    static const char train[] = "-train.", valid[] = "-valid.";
    size_t n = strlen(proposal->path);
    char *path = memory_create(n + 1, 1, NULL);
    char *part = path ? strstr(strcpy(path, proposal->path), train) : NULL;
    if (part)
        memcpy(part, valid, sizeof valid - 1);
    if (part && access(path, R_OK) == 0)
        print_path("valid", path);
    else
        puts("; valid =                   ; another file: whether it learns more than this one by heart");
    memory_destroy(path);
}

/* Is a feature far from the size of 1 that weights are made for at the start? */
static int is_far(const struct column_statistics *column)
{
    double size = sqrt(column->mean * column->mean + column->deviation * column->deviation);
    return size > 3 || (column->most > column->least && column->most - column->least < 0.3);
}

static void print_data(struct proposal *proposal)
{
    const struct summary *summary = &proposal->summary;
    size_t features = summary->dataset->features, far = 0;
    for (size_t i = 0; summary->inputs && i < features; i++)
        far += (size_t)is_far(&summary->inputs[i]);
    puts("[data]");
    print_path("train", proposal->path);
    print_valid(proposal);
    if (far)
        print_key(proposal, "data", "standardize", "yes",
            "%zu of %zu features are far from a size of 1, for which weights are made", far, features);
}

/* ---- [model] ---- */

/* Targets of 0 and 1 alone spread as far as their mean allows. */
static int is_binary(const struct column_statistics *column)
{
    return column->least >= 0 && column->most <= 1 &&
        fabs(column->deviation * column->deviation - column->mean * (1 - column->mean)) < 1e-9;
}

static const char *choose_loss(const struct proposal *proposal)
{
    const struct summary *summary = &proposal->summary;
    size_t binary = 0, values = summary->dataset->values;
    if (proposal->summary.dataset->classes)
        return "softmax";
    for (size_t o = 0; o < values; o++)
        binary += (size_t)is_binary(&summary->targets[o]);
    return binary == values ? "sigmoid" : "mse";
}

static void print_output(struct proposal *proposal)
{
    static const char *const reasons[] = {[OUTPUT_FRAME] = "the file has a target for each frame",
        [OUTPUT_SEQUENCE] = "the file has one target for each sequence",
        [OUTPUT_CTC] = "labels in the order of the frames that they stand for; else: decoder",
        [OUTPUT_DECODER] = "more labels than ctc can place in the frames of some sequence"};
    const char *loss = choose_loss(proposal);
    print_key(proposal, "model", "output", output_names[proposal->output], "%s", reasons[proposal->output]);
    print_key(proposal, "model", "loss", loss, "%s",
        proposal->summary.dataset->classes ? "targets are classes"
            : strcmp(loss, "mse") == 0     ? "targets are real values; huber and mae mind outliers less"
                                           : "targets are 0 and 1");
}

static void print_memory(struct proposal *proposal)
{
    enum { LONG = 400 };
    int32_t longest = proposal->summary.longest;
    if (longest <= LONG || proposal->summary.dataset->target_kind != TARGET_SEQUENCE)
        return;
    char value[16];
    snprintf(value, sizeof value, "%d", (int)longest);
    print_key(proposal, "model", "timescale", value, "units that remember as far back as sequences are long");
}

static void print_model(struct proposal *proposal)
{
    const struct dataset *dataset = proposal->summary.dataset;
    int64_t frames = dataset->frames;
    proposal->hidden = frames < 20000 ? 32 : frames < 200000 ? 64 : frames < 2000000 ? 128 : 256;
    puts("\n[model]");
    print_output(proposal);
    print_key(proposal, "model", "cell", "lstm", "gru is a quarter faster");
    print_key(proposal, "model", "bidirectional", "yes", "no: where the future must not be seen");
    print_number(proposal, "model", "layers", dataset->sequences < 200 ? 1 : 2, "more for more data");
    print_number(proposal, "model", "hidden", (double)proposal->hidden, "by the number of frames");
    print_memory(proposal);
    if (dataset->symbols > 32)
        print_number(proposal, "model", "embedding", dataset->symbols > 1000 ? 128 : 32,
            "a learned vector for each of many symbols");
    if (frames < 200000 && dataset->sequences >= 200)
        print_key(proposal, "model", "dropout", "0.2", "few data are soon learned by heart");
}

/* ---- [train] ---- */

static void print_train(struct proposal *proposal)
{
    enum { MOST_BATCH = 64, STEPS = 3000, LEAST_EPOCHS = 5, MOST_EPOCHS = 100 };
    int64_t sequences = proposal->summary.dataset->sequences, batch = MOST_BATCH;
    while (batch > 1 && batch * 12 > sequences)
        batch /= 2;
    int64_t steps = (sequences + batch - 1) / batch, epochs = (STEPS + steps - 1) / steps;
    epochs = epochs < LEAST_EPOCHS ? LEAST_EPOCHS : epochs > MOST_EPOCHS ? MOST_EPOCHS : epochs;
    puts("\n[train]");
    print_number(proposal, "train", "batch", (double)batch, "sequences of a step, on all ranks together");
    print_number(proposal, "train", "epochs", (double)epochs, "some thousand steps");
    print_number(proposal, "train", "lr",
        proposal->hidden <= 64        ? 0.003
            : proposal->hidden <= 128 ? 0.002
                                      : 0.001,
        "lower it where the loss jumps");
    print_key(proposal, "train", "schedule", "cosine", "down to 0 in the last epoch");
}

/* The best is chosen by errors where there are any. */
static void print_checkpoint(struct proposal *proposal)
{
    if (!proposal->summary.dataset->classes)
        return;
    puts("\n[checkpoint]");
    print_key(proposal, "checkpoint", "best", "error", "best.h5: the fewest errors in validation");
}

/* ---- all ---- */

/* Of sequences with any number of labels each: ctc where each has frames enough for its labels. */
static int choose_for_labels(struct proposal *proposal, struct error *error)
{
    proposal->output = OUTPUT_CTC;
    if (dataset_require_ctc(proposal->summary.dataset, 0, 1, error) == 0)
        return 0;
    proposal->output = OUTPUT_DECODER;
    return error->code == EXIT_CODE_DATA ? 0 : -1;
}

static int require_targets(struct dataset *dataset, struct error *error)
{
    int counts = 0;
    if (!dataset->has_targets)
        return error_set(error, EXIT_CODE_DATA,
            "%s: targets: there are none, so that nothing can be learned from this file", dataset->name);
    if (dataset->target_kind == TARGET_ANY && !dataset->classes)
        return error_set(error, EXIT_CODE_DATA,
            "%s: targets: real values of any number for each sequence, which no output makes: give one row "
            "for "
            "each frame or each sequence, or classes",
            dataset->name);
    if (dataset_has_labels(dataset, &counts, error))
        return -1;
    if (!counts)
        return error_set(error, EXIT_CODE_DATA,
            "%s: targets: none of them counts, so that nothing can be learned from this file", dataset->name);
    return 0;
}

static int choose_output(struct proposal *proposal, struct error *error)
{
    struct dataset *dataset = proposal->summary.dataset;
    if (require_targets(dataset, error))
        return -1;
    if (dataset->target_kind == TARGET_ANY)
        return choose_for_labels(proposal, error);
    proposal->output = dataset->target_kind == TARGET_FRAME ? OUTPUT_FRAME : OUTPUT_SEQUENCE;
    return 0;
}

int suggest_print(const char *path, struct error *error)
{
    struct proposal proposal = {.path = path};
    if (summary_init(&proposal.summary, path, error))
        return -1;
    int status = choose_output(&proposal, error);
    if (!status) {
        config_init(&proposal.config);
        printf("; Made by rnn-data suggest, of %" PRId64 " sequences of %" PRId32 " to %" PRId32
               " frames. All keys: man rnn-train.\n",
            proposal.summary.dataset->sequences, proposal.summary.shortest, proposal.summary.longest);
        print_data(&proposal);
        print_model(&proposal);
        print_train(&proposal);
        print_checkpoint(&proposal);
        config_finish(&proposal.config);
    }
    summary_finish(&proposal.summary);
    return status;
}

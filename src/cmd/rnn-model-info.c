/* `rnn-model info` prints a line for each thing worth knowing of a checkpoint, and then its parameters. */
#include "base/memory.h"
#include "cmd/rnn-model.h"
#include "cmd/show.h"
#include "config/keys.h"
#include "model/store.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static void print_what(const struct stored *stored)
{
    const struct checkpoint *checkpoint = &stored->checkpoint;
    show_label("file");
    printf("%s, format %" PRId64 "%s\n", checkpoint->weights_alone ? "weights alone" : "checkpoint of a run",
        checkpoint->version,
        stored->sealed ? "" : ", rewritten by another program: no hash line, so that no run goes on from it");
}

/* ---- the network ---- */

/* Is it one of the keys that are shown whatever they are? */
static int is_always_shown(const struct config_key *key)
{
    static const char *const names[] = {"output", "loss", "cell", "layers", "hidden", "bidirectional"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(key->name, names[i]) == 0)
            return 1;
    return 0;
}

/* Prints the network's keys as a configuration has them: the main ones, and those that are not at their
 * default. */
static int print_keys(const struct checkpoint *checkpoint, struct error *error)
{
    struct config config, defaults;
    char *text = memory_create(2, CONFIG_VALUE_MOST, error), *usual = text ? text + CONFIG_VALUE_MOST : NULL;
    if (!text)
        return -1;
    config_init(&config);
    config_init(&defaults);
    config.model = checkpoint->model;
    show_label("network");
    const char *between = "";
    for (size_t i = 0; i < config_key_count; i++) {
        const struct config_key *key = &config_keys[i];
        if (!key_is_of_network(key))
            continue;
        key_write(key, &config, text, CONFIG_VALUE_MOST);
        key_write(key, &defaults, usual, CONFIG_VALUE_MOST);
        if (!is_always_shown(key) && strcmp(text, usual) == 0)
            continue;
        printf("%s%s = %s", between, key->name, text);
        between = "; ";
    }
    putchar('\n');
    config_finish(&defaults);
    config_finish(&config);
    memory_destroy(text);
    return 0;
}

static void print_inputs(const struct checkpoint *checkpoint)
{
    const struct net_config *model = &checkpoint->model;
    const struct name_list *names =
        &checkpoint->names.list[model->symbols ? NAMES_OF_SYMBOLS : NAMES_OF_FEATURES];
    show_label("inputs");
    if (model->symbols)
        printf("one of %zu symbols per frame", model->inputs);
    else
        printf("%zu feature%s per frame%s", model->inputs, model->inputs == 1 ? "" : "s",
            checkpoint->features ? ", standardized" : "");
    show_names(names->text, names->n);
}

static void print_outputs(const struct checkpoint *checkpoint)
{
    const struct net_config *model = &checkpoint->model;
    const struct name_list *names =
        &checkpoint->names.list[checkpoint->classes ? NAMES_OF_CLASSES : NAMES_OF_TARGETS];
    show_label("outputs");
    printf("%zu %s%s", model->outputs, checkpoint->classes ? "class" : "value",
        model->outputs == 1       ? ""
            : checkpoint->classes ? "es"
                                  : "s");
    show_names(names->text, names->n);
}

static void print_weights(const struct checkpoint *checkpoint)
{
    show_label("weights");
    printf("%zu in %zu tensors, weights_hash=%016" PRIx64 "\n", checkpoint->count, checkpoint->parameters,
        checkpoint->weights_hash);
}

/* ---- the run ---- */

/* Prints " NAME=VALUE", or nothing where the run does not have that figure. */
static void print_figure(const char *name, double value)
{
    if (!isnan(value))
        printf(" %s=%.9g", name, value);
}

static void print_progress(const struct checkpoint *checkpoint)
{
    const struct progress *progress = &checkpoint->progress;
    if (checkpoint->weights_alone)
        return;
    show_label("trained");
    printf("step=%" PRId64 " epoch=%" PRId64 "%s by %s\n", progress->step, checkpoint_epoch(progress),
        progress->finished ? ", finished," : "", optimizer_names[checkpoint->optimizer]);
    show_label("figures");
    fputs(isnan(progress->loss) && isnan(progress->train_loss) ? "none yet" : "of the last epoch:", stdout);
    print_figure("loss", progress->loss);
    print_figure("error", progress->error);
    print_figure("train_loss", progress->train_loss);
    print_figure("train_error", progress->train_error);
    putchar('\n');
    if (progress->best_step == 0)
        return;
    show_label("best");
    printf("%.9g at step=%" PRId64 " epoch=%" PRId64 "\n", progress->best, progress->best_step,
        progress->best_epoch);
}

/* Prints by which hashes the set is known again. */
static void print_set(const struct checkpoint *checkpoint, enum data_set set, const char *label)
{
    const struct fingerprint *print = &checkpoint->data[set];
    struct file_identity identity;
    const char *files = checkpoint->provenance.files[set];
    show_label(label);
    if (!print->shape) {
        puts("none that is known");
        return;
    }
    printf("shape=%016" PRIx64, print->shape);
    if (print->complete)
        printf(" inputs=%016" PRIx64 " targets=%016" PRIx64, print->inputs, print->targets);
    if (files && *files && file_read_identity(files, &identity) == 0)
        printf(", a file of %" PRId64 " bytes%s", identity.size, strchr(files, '\n') ? " and others" : "");
    putchar('\n');
}

static void print_text_line(const char *label, const char *text)
{
    if (!text || !*text)
        return;
    show_label(label);
    show_text(text);
    putchar('\n');
}

static void print_provenance(const struct checkpoint *checkpoint)
{
    const struct provenance *from = &checkpoint->provenance;
    print_text_line("version", from->version);
    print_text_line("command", from->command);
    if (!checkpoint->weights_alone) {
        show_label("ranks");
        printf("%" PRId64 "\n", from->ranks);
    }
    print_text_line("hosts", from->hosts);
    print_text_line("libraries", from->libraries);
    print_text_line("job", from->job);
    print_text_line("run", from->run);
    print_text_line("time", from->time);
}

/* ---- the parameters ---- */

static void print_parameters(const struct checkpoint *checkpoint)
{
    for (size_t i = 0; i < checkpoint->parameters; i++) {
        const struct parameter *p = &checkpoint->parameter[i];
        char shape[64];
        if (p->dimensions == 1)
            snprintf(shape, sizeof shape, "[%zu]", p->size[0]);
        else
            snprintf(shape, sizeof shape, "[%zu, %zu]", p->size[0], p->size[1]);
        printf("  %-32s %s\n", p->name, shape);
    }
}

static int print(const struct stored *stored, struct error *error)
{
    const struct checkpoint *checkpoint = &stored->checkpoint;
    show_text(stored->path);
    putchar('\n');
    print_what(stored);
    if (print_keys(checkpoint, error) != 0)
        return -1;
    print_inputs(checkpoint);
    print_outputs(checkpoint);
    print_weights(checkpoint);
    print_progress(checkpoint);
    print_set(checkpoint, DATA_TRAIN, "train set");
    print_set(checkpoint, DATA_VALID, "valid set");
    print_provenance(checkpoint);
    print_parameters(checkpoint);
    return 0;
}

int model_info_print(const char *path, struct error *error)
{
    struct stored stored = {0};
    int outcome = stored_read(&stored, path, CHECKPOINT_ANY, error);
    if (outcome == 0)
        outcome = print(&stored, error);
    stored_finish(&stored);
    return outcome;
}

/* The table of keys. What each type of key does stands in key_read.c and key_write.c. */
#include "config/keys.h"

#include <string.h>

/* Enumerators are stored through an int. */
_Static_assert(sizeof(enum cell) == sizeof(int) && sizeof(enum divergence) == sizeof(int), "enum is not int");

static const char *const schedules[] = {[SCHEDULE_CONSTANT] = "constant",
    [SCHEDULE_STEP] = "step",
    [SCHEDULE_COSINE] = "cosine",
    [SCHEDULE_PLATEAU] = "plateau",
    NULL};
static const char *const shuffles[] = {
    [SHUFFLE_FULL] = "full", [SHUFFLE_WINDOWS] = "windows", [SHUFFLE_NONE] = "none", NULL};
static const char *const states[] = {"zero", "learned", NULL};
static const char *const divergences[] = {
    [DIVERGENCE_ABORT] = "abort", [DIVERGENCE_SKIP] = "skip", [DIVERGENCE_BACK] = "back", NULL};
static const char *const bests[] = {[BEST_LOSS] = "loss", [BEST_ERROR] = "error", NULL};

#define LARGE CONFIG_LARGE
#define REALS 1e38   /* weights and rates are floats in the end */
#define WIDEST 65536 /* units, embedding, layers without recurrence */
#define COUNTS 2147483647
#define AT(member) offsetof(struct config, member)
#define FROM(low, high) .least = low, .most = high
#define ABOVE(low, high) .least = low, .most = high, .above_least = 1
#define BELOW(low, high) .least = low, .most = high, .below_most = 1
#define KEPT .resume = RESUME_REFUSED
#define FREE .resume = RESUME_ALLOWED

/* clang-format off */
const struct config_key config_keys[] = {
    {"data", "train", KEY_PATHS, AT(data.train), "", FREE},
    {"data", "valid", KEY_PATHS, AT(data.valid), "", FREE},
    {"data", "standardize", KEY_SWITCH, AT(data.standardize), "no", KEPT},
    {"data", "cache", KEY_BYTES, AT(data.cache), "256 MiB", FROM(0, LARGE), FREE},
    {"data", "shuffle", KEY_CHOICE, AT(data.shuffle), "full", .choices = shuffles},
    {"data", "window", KEY_BYTES, AT(data.window), "64 MiB", FROM(1, LARGE), KEPT},

    {"model", "output", KEY_CHOICE, AT(model.output), "sequence", .choices = output_names},
    {"model", "loss", KEY_CHOICE, AT(model.loss), "softmax", .choices = loss_names},
    {"model", "quantiles", KEY_SHARES, AT(model.quantile), "0.1 0.5 0.9", BELOW(0, 1), .above_least = 1,
        .length = AT(model.quantiles), .since = 7},
    {"model", "cell", KEY_CHOICE, AT(model.cell), "lstm", .choices = cell_names},
    {"model", "forget_bias", KEY_AUTO, AT(model.forget_bias), "auto", FROM(-1000, 1000), .since = 7,
        .learning = 1},
    {"model", "recurrent_max", KEY_REAL, AT(model.recurrent_max), "0", FROM(0, REALS), .since = 7, .learning = 1},
    {"model", "timescale", KEY_REAL, AT(model.timescale), "0", FROM(0, LARGE), .since = 7, .learning = 1},
    {"model", "layers", KEY_SIZE, AT(model.layers), "2", FROM(0, NET_MOST_LAYERS)},
    {"model", "bidirectional", KEY_SWITCHES, AT(model.bidirectional), "yes", KEPT},
    {"model", "hidden", KEY_SIZES, AT(model.hidden), "128", FROM(1, WIDEST)},
    {"model", "embedding", KEY_SIZE, AT(model.embedding), "0", FROM(0, WIDEST)},
    {"model", "dropout", KEY_REAL, AT(model.dropout), "0", BELOW(0, 1), .learning = 1},
    {"model", "input_layers", KEY_WIDTHS, AT(model.input_size), "", FROM(1, WIDEST),
        .length = AT(model.input_layers)},
    {"model", "transition_layers", KEY_SIZE, AT(model.transition_layers), "0", FROM(0, NET_MOST_LAYERS)},
    {"model", "output_layers", KEY_WIDTHS, AT(model.output_size), "", FROM(1, WIDEST),
        .length = AT(model.output_layers)},
    {"model", "residual", KEY_SWITCH, AT(model.residual), "no", KEPT},
    {"model", "normalize", KEY_SWITCH, AT(model.normalize), "no", KEPT},
    {"model", "initial_state", KEY_CHOICE, AT(model.initial_state), "zero", .choices = states},
    {"model", "peepholes", KEY_SWITCH, AT(model.peepholes), "no", KEPT},
    {"model", "recurrent_dropout", KEY_REAL, AT(model.recurrent_dropout), "0", BELOW(0, 1), .learning = 1},
    {"model", "attention", KEY_CHOICE, AT(model.attention), "additive", .choices = attention_names},
    {"model", "decoder_layers", KEY_SIZE, AT(model.decoder_layers), "1", FROM(1, NET_MOST_LAYERS)},
    {"model", "decoder_hidden", KEY_SIZE, AT(model.decoder_hidden), "0", FROM(0, WIDEST)},
    {"model", "decoder_embedding", KEY_SIZE, AT(model.decoder_embedding), "0", FROM(0, WIDEST)},
    {"model", "attention_size", KEY_SIZE, AT(model.attention_size), "0", FROM(0, WIDEST)},

    {"train", "batch", KEY_COUNT, AT(train.batch), "64", FROM(1, COUNTS)},
    {"train", "microbatch", KEY_COUNT, AT(train.microbatch), "8", FROM(1, COUNTS),
        .former = "train.grain"},
    {"train", "activation_memory", KEY_BYTES, AT(train.activation_memory), "0", FROM(0, LARGE), FREE},
    {"train", "truncate", KEY_COUNT, AT(train.truncate), "0", FROM(0, COUNTS)},
    {"train", "freeze", KEY_PATTERNS, AT(train.freeze), "", KEPT},
    {"train", "rate_of", KEY_RATES, AT(train.rate_of), "", ABOVE(0, REALS)},
    {"train", "epochs", KEY_COUNT, AT(train.epochs), "20", FROM(1, COUNTS), .resume = RESUME_EPOCHS},
    {"train", "optimizer", KEY_CHOICE, AT(train.optim.optimizer), "adam", .choices = optimizer_names},
    {"train", "lr", KEY_REAL, AT(train.optim.lr), "0.001", ABOVE(0, REALS)},
    {"train", "momentum", KEY_REAL, AT(train.optim.momentum), "0.9", BELOW(0, 1)},
    {"train", "beta1", KEY_REAL, AT(train.optim.beta1), "0.9", BELOW(0, 1)},
    {"train", "beta2", KEY_REAL, AT(train.optim.beta2), "0.999", BELOW(0, 1)},
    {"train", "epsilon", KEY_REAL, AT(train.optim.epsilon), "1e-8", FROM(1e-30, 1)},
    {"train", "weight_decay", KEY_REAL, AT(train.optim.weight_decay), "0", FROM(0, REALS)},
    {"train", "schedule", KEY_CHOICE, AT(train.optim.schedule), "constant", .choices = schedules},
    {"train", "warmup", KEY_COUNT, AT(train.optim.warmup), "0", FROM(0, LARGE)},
    {"train", "decay_every", KEY_COUNT, AT(train.optim.decay_every), "10", FROM(1, COUNTS)},
    {"train", "decay_factor", KEY_REAL, AT(train.optim.decay_factor), "0.1", ABOVE(0, 1)},
    {"train", "plateau_epochs", KEY_COUNT, AT(train.optim.plateau_epochs), "3", FROM(1, COUNTS)},
    {"train", "lr_min", KEY_REAL, AT(train.optim.lr_min), "0", FROM(0, REALS)},
    {"train", "clip", KEY_REAL, AT(train.optim.clip), "1.0", FROM(0, REALS)},
    {"train", "weight_noise", KEY_REAL, AT(train.weight_noise), "0", FROM(0, REALS)},
    {"train", "input_noise", KEY_REAL, AT(model.input_noise), "0", FROM(0, REALS), .learning = 1},
    {"train", "label_smoothing", KEY_REAL, AT(model.label_smoothing), "0", BELOW(0, 1), .learning = 1},
    {"train", "class_weights", KEY_WEIGHTS, AT(model.class_weight), "", FROM(0, REALS),
        .length = AT(model.class_weights), .learning = 1},
    {"train", "huber_delta", KEY_REAL, AT(model.huber_delta), "1", ABOVE(0, REALS), .learning = 1},
    {"train", "seed", KEY_SEED, AT(train.seed), "1", KEPT},
    {"train", "patience", KEY_COUNT, AT(train.patience), "0", FROM(0, COUNTS), FREE},
    {"train", "on_divergence", KEY_CHOICE, AT(train.on_divergence), "abort", .choices = divergences, FREE},
    {"train", "explode", KEY_REAL, AT(train.explode), "0", FROM(0, REALS), FREE},
    {"train", "back_factor", KEY_REAL, AT(train.back_factor), "0.5", ABOVE(0, 1), FREE},
    {"train", "watchdog", KEY_SECONDS, AT(train.watchdog), "10 minutes", FROM(0, LARGE), FREE},

    {"checkpoint", "every", KEY_INTERVALS, AT(checkpoint.every), "1 epoch, 10 minutes", FROM(1, COUNTS), FREE},
    {"checkpoint", "keep", KEY_COUNT, AT(checkpoint.keep), "2", FROM(1, COUNTS), FREE},
    {"checkpoint", "best", KEY_CHOICE, AT(checkpoint.best), "loss", .choices = bests, FREE},

    {"report", "every", KEY_SECONDS, AT(report.every), "10 seconds", FROM(0, LARGE), FREE,
        .former = "train.report_every"},
    {"report", "gradient_flow", KEY_COUNT, AT(report.gradient_flow), "5", FROM(0, COUNTS), FREE},
};
/* clang-format on */

const size_t config_key_count = sizeof config_keys / sizeof *config_keys;

_Static_assert(sizeof config_keys / sizeof *config_keys <= CONFIG_KEYS_MOST, "more keys than room for them");

const struct config_key *key_find(const char *section, const char *name)
{
    for (size_t i = 0; i < config_key_count; i++)
        if (strcmp(config_keys[i].section, section) == 0 && strcmp(config_keys[i].name, name) == 0)
            return &config_keys[i];
    return NULL;
}

const struct config_key *key_find_former(const char *section, const char *name)
{
    size_t n = strlen(section);
    for (size_t i = 0; i < config_key_count; i++) {
        const char *former = config_keys[i].former;
        if (former && strncmp(former, section, n) == 0 && former[n] == '.' &&
            strcmp(former + n + 1, name) == 0)
            return &config_keys[i];
    }
    return NULL;
}

int key_is_of_network(const struct config_key *key)
{
    return key->offset >= AT(model) && key->offset < AT(model) + sizeof(struct net_config);
}

int key_section_exists(const char *section)
{
    for (size_t i = 0; i < config_key_count; i++)
        if (strcmp(config_keys[i].section, section) == 0)
            return 1;
    return 0;
}

#include "base/memory.h"
#include "base/numbers.h"
#include "base/random.h"
#include "config/config.h"
#include "config/ini.h"
#include "config/keys.h"
#include "support/other_value.h"
#include "support/suite.h"

#include <check.h>
#include <dirent.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[200];
static char file[250]; /* folder/c.ini */

static void make_folder(void)
{
    const char *parent = getenv("TMPDIR");
    snprintf(folder, sizeof folder, "%.100s/config-XXXXXX", parent && *parent == '/' ? parent : "/tmp");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(file, sizeof file, "%s/c.ini", folder);
}

static void remove_folder(void)
{
    unlink(file);
    ck_assert_int_eq(rmdir(folder), 0);
}

struct said {
    size_t n;
    char text[64][1024];
};

static void hear(void *context, const char *text)
{
    struct said *said = context;
    ck_assert_uint_lt(said->n, 64);
    snprintf(said->text[said->n++], sizeof said->text[0], "%s", text);
}

static void write_bytes(const char *path, const char *bytes, size_t n)
{
    FILE *stream = fopen(path, "wb");
    ck_assert_ptr_nonnull(stream);
    ck_assert_uint_eq(fwrite(bytes, 1, n, stream), n);
    ck_assert_int_eq(fclose(stream), 0);
}

static struct said said; /* of the last reading */
static int code;

/* Reads `text` with overrides (a list ended by NULL, or NULL), filling said and code. */
static int read_with(struct config *config, const char *text, const char *const *override)
{
    size_t n = 0;
    struct faults faults;
    while (override && override[n])
        n++;
    write_bytes(file, text, strlen(text));
    said.n = 0;
    faults_init(&faults, 64, hear, &said);
    int result = config_read(config, file, n, override, &faults);
    ck_assert_uint_eq(faults.count, said.n);
    ck_assert_int_eq(result, said.n ? -1 : 0);
    code = faults.code;
    return result;
}

static void read_good(struct config *config, const char *text, const char *const *override)
{
    if (read_with(config, text, override) != 0)
        ck_abort_msg("refused: %s", said.text[0]);
}

/* The text has exactly this one fault, in this line (0: no line is named), which says all of a, b, c. */
static void expect_fault(const char *text, int line, const char *a, const char *b, const char *c)
{
    struct config config;
    char where[300];
    ck_assert_int_eq(read_with(&config, text, NULL), -1);
    config_finish(&config);
    ck_assert_int_eq(code, EXIT_CODE_DATA);
    if (said.n != 1)
        ck_abort_msg("%zu faults for %s: %s | %s", said.n, text, said.text[0], said.text[1]);
    snprintf(where, sizeof where, line ? "%s:%d: " : "%s: ", file, line);
    if (strncmp(said.text[0], where, strlen(where)) != 0 || !strstr(said.text[0], a) ||
        !strstr(said.text[0], b) || !strstr(said.text[0], c))
        ck_abort_msg("'%s' does not begin with '%s' and say '%s', '%s', '%s'", said.text[0], where, a, b, c);
}

START_TEST(defaults_are_those_of_the_manual)
{
    struct config c;
    read_good(&c, "[data]\ntrain = a.h5\n", NULL);
    char train[300];
    snprintf(train, sizeof train, "%s/a.h5", folder);
    ck_assert_str_eq(c.data.train[0], train);
    ck_assert_ptr_null(c.data.valid);
    ck_assert_int_eq(c.data.standardize, 0);
    ck_assert_uint_eq(c.data.cache, (size_t)256 << 20);
    ck_assert(c.data.shuffle == SHUFFLE_FULL && c.data.window == (size_t)64 << 20);
    ck_assert_int_eq(c.model.output, OUTPUT_SEQUENCE);
    ck_assert_int_eq(c.model.loss, LOSS_SOFTMAX);
    ck_assert_int_eq(c.model.cell, CELL_LSTM);
    ck_assert(!c.model.forget_bias.given && c.model.timescale == 0 && c.model.recurrent_max == 0);
    ck_assert_uint_eq(c.model.layers, 2);
    ck_assert(c.model.bidirectional[0] == 1 && c.model.bidirectional[1] == 1);
    ck_assert(c.model.hidden[0] == 128 && c.model.hidden[1] == 128);
    ck_assert_uint_eq(c.model.embedding, 0);
    ck_assert(c.model.dropout == 0);
    ck_assert(c.model.input_layers == 0 && c.model.output_layers == 0 && c.model.transition_layers == 0);
    ck_assert(c.model.residual == 0 && c.model.normalize == 0 && c.model.initial_state == 0);
    ck_assert(c.model.peepholes == 0 && c.model.recurrent_dropout == 0 && c.model.decoder_layers == 1);
    ck_assert(c.model.attention == ATTENTION_ADDITIVE && c.model.decoder_hidden == 0);
    ck_assert(c.model.decoder_embedding == 0 && c.model.attention_size == 0);
    ck_assert(c.train.weight_noise == 0 && c.model.input_noise == 0 && c.model.label_smoothing == 0);
    ck_assert(c.model.class_weights == 0 && c.model.huber_delta == 1);
    ck_assert_uint_eq(c.model.inputs + c.model.outputs + (size_t)c.model.symbols, 0);
    ck_assert(c.train.batch == 64 && c.train.microbatch == 8 && c.train.epochs == 20 && c.train.seed == 1);
    ck_assert(c.train.activation_memory == 0 && c.train.patience == 0 && c.report.every == 10 &&
        c.report.gradient_flow == 5);
    ck_assert_int_eq(c.train.truncate, 0);
    ck_assert(c.train.freeze[0] == '\0' && c.train.rate_of[0] == '\0');
    ck_assert(c.train.on_divergence == DIVERGENCE_ABORT && c.train.explode == 0);
    ck_assert(c.train.back_factor == 0.5 && c.train.watchdog == 600);
    const struct optim_config *o = &c.train.optim;
    ck_assert(o->optimizer == OPTIMIZER_ADAM && o->schedule == SCHEDULE_CONSTANT);
    ck_assert(o->lr == 0.001 && o->momentum == 0.9 && o->beta1 == 0.9 && o->beta2 == 0.999);
    ck_assert(o->epsilon == 1e-8 && o->weight_decay == 0 && o->clip == 1 && o->lr_min == 0);
    ck_assert(o->warmup == 0 && o->decay_every == 10 && o->decay_factor == 0.1 && o->plateau_epochs == 3);
    ck_assert_int_eq(o->total_steps, 0);
    ck_assert(c.checkpoint.every[INTERVAL_EPOCHS] == 1 && c.checkpoint.every[INTERVAL_STEPS] == 0 &&
        c.checkpoint.every[INTERVAL_MINUTES] == 10 && c.checkpoint.keep == 2);
    ck_assert_int_eq(c.checkpoint.best, BEST_LOSS);
    config_finish(&c);
    ck_assert_ptr_null(c.data.train);
}
END_TEST

/* Every key with another value than its default, but for those that go with none of the others (see
 * the_rest); read twice, plainly and as a file as editors leave it. */
static const char *const other[][3] = {
    {"data", "train", "/d/t t.h5"},
    {"data", "valid", "/d/v;w.h5"},
    {"data", "standardize", "yes"},
    {"data", "cache", "3 KiB"},
    {"data", "shuffle", "windows"},
    {"data", "window", "5 MiB"},
    {"model", "output", "decoder"},
    {"model", "loss", "huber"},
    {"model", "quantiles", "0.05,0.95"},
    {"model", "cell", "gru"},
    {"model", "forget_bias", "-1.5"},
    {"model", "recurrent_max", "0"},
    {"model", "timescale", "0"},
    {"model", "bidirectional", "no,yes,no"},
    {"model", "layers", "3"},
    {"model", "hidden", "6,3,6"},
    {"model", "embedding", "9"},
    {"model", "dropout", "0.25"},
    {"model", "input_layers", "4,3"},
    {"model", "transition_layers", "2"},
    {"model", "output_layers", "11"},
    {"model", "residual", "yes"},
    {"model", "normalize", "yes"},
    {"model", "initial_state", "learned"},
    {"model", "peepholes", "no"},
    {"model", "recurrent_dropout", "0.125"},
    {"model", "attention", "dot"},
    {"model", "decoder_layers", "2"},
    {"model", "decoder_hidden", "12"},
    {"model", "decoder_embedding", "0"},
    {"model", "attention_size", "0"},
    {"train", "batch", "10"},
    {"train", "microbatch", "3"},
    {"train", "activation_memory", "7 MiB"},
    {"train", "truncate", "0"}, /* a decoder has no pieces: see the cross checks */
    {"train", "freeze", "rnn.*_l0* [a-g]mbedding.weight"},
    {"train", "rate_of", "rnn.* 0.5 decoder.?nn.* 20"},
    {"train", "epochs", "7"},
    {"train", "optimizer", "nesterov"},
    {"train", "lr", "0.5"},
    {"train", "momentum", "0.8"},
    {"train", "beta1", "0.7"},
    {"train", "beta2", "0.6"},
    {"train", "epsilon", "1e-06"},
    {"train", "weight_decay", "0.01"},
    {"train", "schedule", "plateau"},
    {"train", "warmup", "100"},
    {"train", "decay_every", "4"},
    {"train", "decay_factor", "0.3"},
    {"train", "plateau_epochs", "5"},
    {"train", "lr_min", "0.0001"},
    {"train", "clip", "0"},
    {"train", "weight_noise", "0.075"},
    {"train", "input_noise", "0.5"},
    {"train", "label_smoothing", "0"},
    {"train", "class_weights", ""},
    {"train", "huber_delta", "1.5"},
    {"train", "seed", "18446744073709551615"},
    {"train", "patience", "6"},
    {"train", "on_divergence", "back"},
    {"train", "explode", "4"},
    {"train", "back_factor", "0.25"},
    {"train", "watchdog", "2 hours"},
    {"checkpoint", "every", "15 minutes"},
    {"checkpoint", "keep", "1"},
    {"checkpoint", "best", "loss"}, /* error is refused with huber: see the cross checks */
    {"report", "every", "1 hour"},
    {"report", "gradient_flow", "0"},
};
enum { OTHERS = sizeof other / sizeof *other };

/* The caller's (free). */
static char *other_text(const char *line_end, const char *before, const char *behind)
{
    enum { ROOM = 20000 };
    char *text = malloc(ROOM);
    size_t n = 0;
    ck_assert_ptr_nonnull(text);
    for (size_t i = 0; i < OTHERS; i++) {
        if (i == 0 || strcmp(other[i][0], other[i - 1][0]) != 0)
            n += (size_t)snprintf(text + n, ROOM - n, "[%s]%s", other[i][0], line_end);
        n += (size_t)snprintf(
            text + n, ROOM - n, "%s%s=%s%s%s%s", other[i][1], before, before, other[i][2], behind, line_end);
        ck_assert_uint_lt(n, ROOM);
    }
    return text;
}

static void check_other_options(const struct config *c)
{
    const struct net_config *m = &c->model;
    ck_assert(m->input_layers == 2 && m->input_size[0] == 4 && m->input_size[1] == 3);
    ck_assert(m->output_layers == 1 && m->output_size[0] == 11 && m->transition_layers == 2);
    ck_assert(m->residual == 1 && m->normalize == 1 && m->initial_state == 1 && m->peepholes == 0);
    ck_assert(m->forget_bias.given && m->forget_bias.number == -1.5 && m->timescale == 0);
    ck_assert(m->recurrent_dropout == 0.125 && m->attention == ATTENTION_DOT && m->decoder_layers == 2);
    ck_assert(m->decoder_hidden == 12 && m->decoder_embedding == 0 && m->attention_size == 0);
    ck_assert(c->train.weight_noise == 0.075 && m->input_noise == 0.5 && m->label_smoothing == 0);
    ck_assert(m->class_weights == 0 && m->huber_delta == 1.5);
    ck_assert(m->quantiles == 2 && m->quantile[0] == 0.05 && m->quantile[1] == 0.95);
}

static void check_others(const struct config *c)
{
    ck_assert_str_eq(c->data.train[0], "/d/t t.h5");
    ck_assert_str_eq(c->data.valid[0], "/d/v;w.h5");
    ck_assert(c->data.standardize == 1 && c->data.cache == 3072);
    ck_assert(c->data.shuffle == SHUFFLE_WINDOWS && c->data.window == (size_t)5 << 20);
    ck_assert(c->model.output == OUTPUT_DECODER && c->model.loss == LOSS_HUBER && c->model.cell == CELL_GRU);
    ck_assert(c->model.layers == 3 && c->model.hidden[0] == 6 && c->model.hidden[1] == 3);
    ck_assert(c->model.hidden[2] == 6 && c->model.bidirectional[0] == 0 && c->model.bidirectional[1] == 1);
    ck_assert(c->model.bidirectional[2] == 0 && c->model.embedding == 9 && c->model.dropout == 0.25);
    check_other_options(c);
    ck_assert(
        c->train.batch == 10 && c->train.microbatch == 3 && c->train.epochs == 7 && c->train.patience == 6);
    ck_assert_uint_eq(c->train.activation_memory, (size_t)7 << 20);
    ck_assert_str_eq(c->train.freeze, "rnn.*_l0* [a-g]mbedding.weight");
    ck_assert_str_eq(c->train.rate_of, "rnn.* 0.5 decoder.?nn.* 20");
    const struct optim_config *o = &c->train.optim;
    ck_assert(o->optimizer == OPTIMIZER_NESTEROV && o->schedule == SCHEDULE_PLATEAU && o->lr == 0.5);
    ck_assert(o->momentum == 0.8 && o->beta1 == 0.7 && o->beta2 == 0.6 && o->epsilon == 1e-6);
    ck_assert(o->weight_decay == 0.01 && o->warmup == 100 && o->decay_every == 4 && o->decay_factor == 0.3);
    ck_assert(o->plateau_epochs == 5 && o->lr_min == 1e-4 && o->clip == 0);
    ck_assert(c->train.seed == UINT64_MAX && c->report.every == 3600 && c->report.gradient_flow == 0);
    ck_assert(c->train.on_divergence == DIVERGENCE_BACK && c->train.explode == 4);
    ck_assert(c->train.back_factor == 0.25 && c->train.watchdog == 7200);
    ck_assert(c->checkpoint.every[INTERVAL_MINUTES] == 15 && c->checkpoint.every[INTERVAL_EPOCHS] == 0 &&
        c->checkpoint.keep == 1);
    ck_assert_int_eq(c->checkpoint.best, BEST_LOSS);
}

START_TEST(every_key_is_read_in_any_dress)
{
    static const char *const dress[][4] = {
        {"", "\n", "", ""},
        {"\xef\xbb\xbf", "\r\n", " ", ""},
        {"# first\n; second\n   ; third, indented\n\n", "\n\n", " \t ", "  ; a comment = with [signs]"},
        {"\xef\xbb\xbf; comment\r\n", "\r\n \t\r\n", "  ", "\t;c"},
    };
    ck_assert_uint_eq((size_t)OTHERS, config_key_count);
    for (size_t i = 0; i < sizeof dress / sizeof *dress; i++) {
        struct config c;
        char *body = other_text(dress[i][1], dress[i][2], dress[i][3]), text[21000];
        snprintf(text, sizeof text, "%s%s", dress[i][0], body);
        free(body);
        read_good(&c, text, NULL);
        check_others(&c);
        config_finish(&c);
    }
}
END_TEST

START_TEST(every_key_can_be_overridden)
{
    char room[OTHERS][100];
    const char *override[OTHERS + 1] = {NULL};
    for (size_t i = 0; i < OTHERS; i++) {
        snprintf(room[i], sizeof room[i], "%s.%s=%s", other[i][0], other[i][1], other[i][2]);
        override[i] = room[i];
    }
    struct config c;
    read_good(&c, "", override);
    check_others(&c);
    config_finish(&c);
}
END_TEST

/* Those that the values above leave as they are by default. */
static const char *const the_rest[] = {"model.output=decoder", "model.peepholes=yes", "model.timescale=9.5",
    "model.attention_size=13", "model.decoder_embedding=14", "train.label_smoothing=0.0625",
    "train.class_weights=0.5, 0 1e3", "checkpoint.best=error", NULL};

START_TEST(the_rest_is_read_and_written_too)
{
    struct config c, again;
    struct error error;
    read_good(&c, "[data]\ntrain=a\n", the_rest);
    char *text = config_write(&c, 1, &error);
    ck_assert_ptr_nonnull(strstr(text, "\nclass_weights = 0.5,0,1000\n"));
    read_good(&again, text, NULL);
    const struct net_config *m = &again.model;
    ck_assert(m->output == OUTPUT_DECODER && m->peepholes == 1 && m->attention_size == 13);
    ck_assert(m->timescale == 9.5 && !m->forget_bias.given);
    ck_assert(m->decoder_embedding == 14 && m->label_smoothing == 0.0625 && m->class_weights == 3);
    ck_assert(m->class_weight[0] == 0.5 && m->class_weight[1] == 0 && m->class_weight[2] == 1000);
    ck_assert_int_eq(again.checkpoint.best, BEST_ERROR);
    memory_destroy(text);
    config_finish(&c);
    config_finish(&again);
}
END_TEST

START_TEST(no_recurrent_layers_are_written_and_read_back)
{
    struct config c, again;
    struct error error;
    read_good(&c, "[data]\ntrain=a\n[model]\nlayers=0\nhidden=7\n", NULL);
    char *text = config_write(&c, 1, &error);
    read_good(&again, text, NULL);
    char *second = config_write(&again, 1, &error);
    ck_assert_str_eq(text, second);
    ck_assert_ptr_nonnull(strstr(text, "\nhidden = 7\n"));
    ck_assert_uint_eq(again.model.layers, 0);
    memory_destroy(text);
    memory_destroy(second);
    config_finish(&c);
    config_finish(&again);
}
END_TEST

START_TEST(a_list_may_be_emptied_by_an_override)
{
    struct config c;
    const char *const override[] = {"model.input_layers=", "train.class_weights= ", NULL};
    read_good(&c, "[data]\ntrain=a\n[model]\ninput_layers=3\n[train]\nclass_weights=1 2\n", override);
    ck_assert(c.model.input_layers == 0 && c.model.class_weights == 0);
    config_finish(&c);
}
END_TEST

START_TEST(what_is_written_reads_back_to_the_same_bytes)
{
    struct config c, again;
    struct error error;
    char *body = other_text("\n", " ", "");
    read_good(&c, body, NULL);
    free(body);
    char *text = config_write(&c, 1, &error);
    ck_assert_ptr_nonnull(text);
    for (size_t i = 0; i < OTHERS; i++) { /* the values above are written as the writer spells them */
        char line[100];
        snprintf(line, sizeof line, "\n%s = %s\n", other[i][1], other[i][2]);
        ck_assert_msg(strstr(text, line) != NULL, "no%s in %s", line, text);
    }
    read_good(&again, text, NULL);
    check_others(&again);
    char *second = config_write(&again, 1, &error);
    ck_assert_str_eq(text, second);
    char *bare = config_write(&again, 0, &error);
    ck_assert_ptr_null(strstr(bare, "/d/"));
    ck_assert_ptr_null(strstr(bare, "\ntrain ="));
    ck_assert_ptr_null(strstr(bare, "\nvalid ="));
    ck_assert_ptr_nonnull(strstr(bare, "\nstandardize = yes\n"));
    memory_destroy(text);
    memory_destroy(second);
    memory_destroy(bare);
    config_finish(&c);
    config_finish(&again);
}
END_TEST

START_TEST(a_comma_for_the_decimal_point_changes_nothing)
{
    static const char *const names[] = {"de_DE.UTF-8", "de_DE.utf8", "de_DE", "fr_FR.UTF-8", "es_ES.UTF-8"};
    for (size_t i = 0; i < 5; i++)
        if (setlocale(LC_ALL, names[i]))
            break; /* none installed: then this is the plain case again */
    struct config c;
    struct error error;
    char *body = other_text("\n", " ", "");
    read_good(&c, body, NULL);
    check_others(&c);
    char *text = config_write(&c, 1, &error);
    ck_assert_ptr_nonnull(strstr(text, "dropout = 0.25\n"));
    setlocale(LC_ALL, "C");
    memory_destroy(text);
    free(body);
    config_finish(&c);
}
END_TEST

/* Section, key, value, what the fault says. */
static const char *const bad[][4] = {
    {"data", "standardize", "true", "neither yes nor no: allowed is yes or no"},
    {"data", "standardize", "", "neither yes nor no"},
    {"data", "standardize", "\"yes\"", "quotes are part of a value: leave them out: allowed is yes or no"},
    {"data", "valid", "\"a b.h5\"", "quotes are part of a value: leave them out"},
    {"data", "valid", "'a.h5'", "quotes are part of a value: leave them out"},
    {"data", "shuffle", "half", "allowed is full, windows, none"},
    {"data", "window", "0", "TiB, at least 1, at most"},
    {"data", "cache", "'256 MiB'", "quotes are part of a value: leave them out: allowed is a whole number"},
    {"data", "cache", "256", "not a number and a unit: allowed is a whole number and bytes, KiB, MiB"},
    {"data", "cache", "256 MB", "not a number and a unit"},
    {"data", "cache", "1.5 GiB", "not a number and a unit"},
    {"data", "cache", "-1 MiB", "out of range"},
    {"data", "cache", "99999999999 TiB", "out of range"},
    {"data", "cache", "99999999999999999999999999 bytes", "out of range"},
    {"data", "cache", "MiB", "not a number and a unit"},
    {"model", "output", "encoder", "not one of the choices: allowed is frame, sequence, ctc, decoder"},
    {"model", "output", "Frame", "allowed is frame, sequence"},
    {"model", "loss", "hinge", "allowed is softmax, sigmoid, mse, huber, mae, logcosh, quantile, gaussian"},
    {"model", "quantiles", "0 0.5", "out of range: allowed is up to 64 numbers above 0 and below 1, rising"},
    {"model", "quantiles", "0.5 1", "out of range"},
    {"model", "quantiles", "0.5 half", "not a number"},
    {"model", "quantiles", "1e-400", "out of range"},
    {"model", "cell", "lstm2", "allowed is rnn, rnn-relu, lstm, gru"},
    {"model", "bidirectional", "yes, maybe", "neither yes nor no: allowed is yes or no, one for all layers"},
    {"model", "bidirectional", "yes no yes", "3 items for 2 layers"},
    {"model", "bidirectional", "", "empty"},
    {"model", "layers", "-1", "out of range: allowed is a whole number from 0 to 64"},
    {"model", "layers", "65", "out of range"},
    {"model", "layers", "two", "not a whole number: allowed is a whole number from 0 to 64"},
    {"model", "layers", "2.0", "not a whole number"},
    {"model", "layers", "0x2", "not a whole number"},
    {"model", "layers", "", "not a whole number"},
    {"model", "layers", "9223372036854775808", "out of range"},
    {"model", "layers", "18446744073709551618", "out of range"},
    {"model", "hidden", "128, 64, 32", "3 items for 2 layers: give one for all, or one per layer"},
    {"model", "hidden", "128, many", "not a whole number"},
    {"model", "hidden", "128, 0", "out of range: allowed is a whole number from 1 to 65536"},
    {"model", "hidden", "65537", "out of range"},
    {"model", "hidden", ",", "empty"},
    {"model", "embedding", "-1", "out of range"},
    {"model", "embedding", "65537", "out of range"},
    {"model", "embedding", "yes", "not a whole number"},
    {"model", "dropout", "1", "out of range: allowed is a number from 0 to below 1"},
    {"model", "dropout", "-0.1", "out of range"},
    {"model", "dropout", "half", "not a number"},
    {"model", "input_layers", "0", "out of range: allowed is any number of whole numbers from 1 to 65536"},
    {"model", "input_layers", "3 x", "not a whole number"},
    {"model", "input_layers", "3 3.5", "not a whole number"},
    {"model", "output_layers", "65537", "out of range"},
    {"model", "transition_layers", "-1", "out of range: allowed is a whole number from 0 to 64"},
    {"model", "residual", "1", "neither yes nor no"},
    {"model", "normalize", "on", "neither yes nor no"},
    {"model", "initial_state", "random", "allowed is zero, learned"},
    {"model", "peepholes", "", "neither yes nor no"},
    {"model", "forget_bias", "none",
        "neither a number nor auto: allowed is auto, or a number from -1000 to 1000"},
    {"model", "forget_bias", "1001", "out of range"},
    {"model", "forget_bias", "inf", "neither a number nor auto"},
    {"model", "recurrent_max", "-1", "out of range: allowed is a number of at least 0 and at most 1e+38"},
    {"model", "recurrent_max", "nan", "not a number"},
    {"model", "timescale", "-2", "out of range: allowed is a number of at least 0"},
    {"model", "timescale", "nan", "not a number"},
    {"model", "timescale", "1e16", "out of range"},
    {"model", "recurrent_dropout", "1", "out of range: allowed is a number from 0 to below 1"},
    {"model", "attention", "yes", "allowed is additive, dot, none"},
    {"model", "decoder_layers", "0", "out of range: allowed is a whole number from 1 to 64"},
    {"model", "decoder_hidden", "-1", "out of range: allowed is a whole number from 0 to 65536"},
    {"model", "decoder_embedding", "65537", "out of range"},
    {"model", "attention_size", "auto", "not a whole number"},
    {"train", "batch", "0", "out of range: allowed is a whole number from 1 to 2147483647"},
    {"train", "batch", "2147483648", "out of range"},
    {"train", "batch", "sixty", "not a whole number"},
    {"train", "clip", "-1", "out of range: allowed is a number of at least 0 and at most 1e+38"},
    {"train", "clip", "1e39", "out of range: allowed is a number of at least 0 and at most 1e+38"},
    {"train", "lr", "1e39", "out of range: allowed is a number above 0 and at most 1e+38"},
    {"train", "class_weights", "1 1e39", "numbers of at least 0 and at most 1e+38, one per class"},
    {"train", "warmup", "1000000000000001", "a whole number of at least 0 and at most 1000000000000000"},
    {"train", "watchdog", "1e12 hours", "seconds, minutes or hours, at most 1000000000000000 seconds in all"},
    {"data", "cache", "1000 TiB", "KiB, MiB, GiB or TiB, at most 1000000000000000 bytes in all"},
    {"train", "microbatch", "0", "out of range"},
    {"train", "activation_memory", "-1 MiB", "out of range"},
    {"train", "activation_memory", "half", "not a number and a unit"},
    {"train", "microbatch", "65", "larger than train.batch = 64"},
    {"train", "truncate", "-1", "out of range: allowed is a whole number from 0 to 2147483647"},
    {"train", "truncate", "100", "model.bidirectional = yes: a layer that also runs from the end"},
    {"train", "rate_of", "rnn.*",
        "no number behind the last pattern: allowed is any number of shell patterns"},
    {"train", "freeze", "'rnn.*'", "quotes are part of a value"},
    {"train", "rate_of", "rnn.* 0.1 head.*", "each with a number above 0 and at most 1e+38"},
    {"train", "rate_of", "0.1 rnn.*", "not a number"},
    {"train", "rate_of", "rnn.* 0", "out of range"},
    {"train", "rate_of", "rnn.* -1", "out of range"},
    {"train", "rate_of", "rnn.* 1e39", "out of range"},
    {"train", "rate_of", "rnn.* nan", "not a number"},
    {"train", "rate_of", "rnn.* 10%", "not a number"},
    {"train", "epochs", "0", "out of range"},
    {"train", "epochs", "1e3", "not a whole number"},
    {"train", "optimizer", "adagrad", "allowed is sgd, momentum, nesterov, rmsprop, adam, adamw"},
    {"train", "lr", "0", "out of range: allowed is a number above 0"},
    {"train", "lr", "-1", "out of range"},
    {"train", "lr", "nan", "not a number"},
    {"train", "lr", "inf", "not a number"},
    {"train", "lr", "1e999", "out of range"},
    {"train", "lr", "1e-999", "out of range"},
    {"train", "lr", "0x1p-3", "not a number"},
    {"train", "lr", "0,001", "not a number"},
    {"train", "lr", "1e", "not a number"},
    {"train", "lr", ".", "not a number"},
    {"train", "lr", "- 1", "not a number"},
    {"train", "momentum", "1", "out of range"},
    {"train", "beta1", "1", "out of range"},
    {"train", "beta1", "-0.5", "out of range"},
    {"train", "beta2", "1.0", "out of range"},
    {"train", "epsilon", "0", "out of range: allowed is a number from 1e-30 to 1"},
    {"train", "epsilon", "2", "out of range"},
    {"train", "weight_decay", "-1", "out of range: allowed is a number of at least 0"},
    {"train", "schedule", "linear", "allowed is constant, step, cosine, plateau"},
    {"train", "warmup", "-1", "out of range: allowed is a whole number of at least 0"},
    {"train", "warmup", "9223372036854775807", "out of range"},
    {"train", "decay_every", "0", "out of range"},
    {"train", "decay_factor", "0", "out of range"},
    {"train", "decay_factor", "1.1", "out of range"},
    {"train", "plateau_epochs", "0", "out of range"},
    {"train", "lr_min", "-1", "out of range"},
    {"train", "lr_min", "0.01", "larger than train.lr = 0.001"},
    {"train", "clip", "-1", "out of range"},
    {"train", "weight_noise", "-0.1", "out of range: allowed is a number of at least 0"},
    {"train", "input_noise", "loud", "not a number"},
    {"train", "label_smoothing", "1", "out of range: allowed is a number from 0 to below 1"},
    {"train", "class_weights", "1 -1", "out of range: allowed is nothing, or numbers of at least 0"},
    {"train", "class_weights", "1,one", "not a number"},
    {"train", "huber_delta", "0", "out of range: allowed is a number above 0"},
    {"train", "seed", "-1", "out of range: allowed is a whole number from 0 to 18446744073709551615"},
    {"train", "seed", "18446744073709551616", "out of range"},
    {"train", "seed", "1.5", "not a whole number"},
    {"train", "patience", "-1", "out of range"},
    {"train", "on_divergence", "stop", "allowed is abort, skip, back"},
    {"train", "explode", "-1", "out of range"},
    {"train", "back_factor", "0", "out of range: allowed is a number above 0 and at most 1"},
    {"train", "watchdog", "10", "not a number and a unit"},
    {"report", "every", "10", "not a number and a unit"},
    {"report", "every", "10 days", "seconds, minutes or hours"},
    {"report", "every", "-1 seconds", "out of range"},
    {"report", "every", "1e308 hours", "out of range"},
    {"report", "gradient_flow", "never", "not a whole number"},
    {"report", "gradient_flow", "-1", "out of range"},
    {"checkpoint", "every", "1",
        "not a number and a unit: allowed is a whole number from 1 to 2147483647, and"},
    {"checkpoint", "every", "0 epochs", "out of range"},
    {"checkpoint", "every", "1.5 epochs", "not a number and a unit"},
    {"checkpoint", "every", "2 hours", "epochs, steps or minutes"},
    {"checkpoint", "every", "99999999999999999999 steps", "out of range"},
    {"checkpoint", "every", "1 epoch, 10", "not a number and a unit"},
    {"checkpoint", "every", "1 epoch,", "not a number and a unit"},
    {"checkpoint", "every", "5 steps, 1 epoch, 10 steps", "the same unit twice"},
    {"checkpoint", "keep", "0", "out of range"},
    {"checkpoint", "best", "accuracy", "allowed is loss, error"},
};

START_TEST(a_bad_value_is_refused_with_line_key_and_what_is_allowed)
{
    size_t covered[CONFIG_KEYS_MOST] = {0};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char text[400], key[200];
        const struct config_key *found = key_find(bad[i][0], bad[i][1]);
        ck_assert_ptr_nonnull(found);
        covered[found - config_keys]++;
        if (!bad[i][3])
            continue;
        int same = strcmp(bad[i][0], "data") == 0;
        snprintf(text, sizeof text, "[data]\ntrain = a.h5\n%s%s%s%s = %s\n", same ? "#" : "[", bad[i][0],
            same ? "\n" : "]\n", bad[i][1], bad[i][2]);
        snprintf(key, sizeof key, "%s.%s = %s", bad[i][0], bad[i][1], bad[i][2]);
        expect_fault(text, 4, key, bad[i][3], "");
    }
    for (size_t i = 0; i < config_key_count; i++)
        ck_assert_msg(
            covered[i] || config_keys[i].type == KEY_PATHS, "no bad value of %s", config_keys[i].name);
}
END_TEST

START_TEST(good_values_at_the_edges)
{
    struct config c;
    read_good(&c,
        "[data]\ntrain: a.h5\ncache=0\n[model]\nlayers = 64\nhidden = 65536\ndropout = 0.99\n"
        "bidirectional = no\n[train]\nseed = 0\nbatch = 2147483647\nlr = +1.e-3\n"
        "decay_factor = 1\nmicrobatch=2147483647\nclip = -0\n[checkpoint]\nevery=5steps\n[report]\nevery = "
        "0\n",
        NULL);
    ck_assert(c.data.cache == 0 && c.model.layers == 64 && c.model.hidden[63] == 65536);
    ck_assert(c.model.bidirectional[63] == 0 && c.train.seed == 0 && c.report.every == 0);
    ck_assert(c.checkpoint.every[INTERVAL_STEPS] == 5 && c.train.optim.lr == 0.001);
    ck_assert(c.train.optim.clip == 0 && !signbit(c.train.optim.clip));
    config_finish(&c);
}
END_TEST

/* The least and the most that a message names are taken themselves where it says so. */
START_TEST(the_bounds_that_messages_name_are_those_that_count)
{
    for (size_t i = 0; i < config_key_count; i++) {
        const struct config_key *key = &config_keys[i];
        char allowed[300], text[64], most[64];
        struct config c;
        size_t items;
        if (key->type != KEY_REAL && key->type != KEY_COUNT && key->type != KEY_SIZE &&
            key->type != KEY_WEIGHTS)
            continue;
        config_init(&c);
        snprintf(text, sizeof text, key->type == KEY_REAL ? "%.17g" : "%.0f", key->most);
        ck_assert_msg(!key_read(key, text, "/", &c, &items) == !key->below_most, "%s = %s", key->name, text);
        key_allowed(key, allowed, sizeof allowed);
        number_write_real(key->most, most, sizeof most);
        if (key->type == KEY_COUNT || key->type == KEY_SIZE || key->most == CONFIG_LARGE)
            snprintf(most, sizeof most, "%.0f", key->most);
        ck_assert_msg(strstr(allowed, most) != NULL, "%s: %s lacks %s", key->name, allowed, most);
        snprintf(text, sizeof text, key->type == KEY_REAL ? "%.17g" : "%.0f",
            key->type == KEY_REAL ? key->most * 1.01 : key->most + 1);
        ck_assert_msg(
            key->type == KEY_WEIGHTS || key_read(key, text, "/", &c, &items), "%s = %s", key->name, text);
        config_finish(&c);
    }
}
END_TEST

/* A clip that is as good as none is a usual thing to write. */
START_TEST(large_numbers_are_taken)
{
    struct config c;
    read_good(&c, "[data]\ntrain = a\n[train]\nclip = 1e30\nexplode = 1e20\n", NULL);
    ck_assert(c.train.optim.clip == 1e30 && c.train.explode == 1e20);
    config_finish(&c);
}
END_TEST

START_TEST(the_default_microbatch_yields_to_a_smaller_batch)
{
    static const char *const override[] = {"train.batch=3", NULL};
    struct config c;
    read_good(&c, "[data]\ntrain = a\n[train]\nbatch = 4\n", NULL);
    ck_assert_int_eq(c.train.microbatch, 4);
    char *text = config_write(&c, 0, NULL);
    ck_assert_ptr_nonnull(strstr(text, "\nmicrobatch = 4\n"));
    memory_destroy(text);
    config_finish(&c);
    read_good(&c, "[data]\ntrain = a\n", override);
    ck_assert_int_eq(c.train.microbatch, 3);
    config_finish(&c);
    read_good(&c, "[data]\ntrain = a\n[train]\nbatch = 9\n", NULL);
    ck_assert_int_eq(c.train.microbatch, 8);
    config_finish(&c);
    expect_fault("[data]\ntrain=a\n[train]\nbatch = 4\ngrain = 8\n", 5, "train.grain = 8",
        "larger than train.batch = 4", "");
}
END_TEST

/* As in a line of a file. The value of a path keeps its blanks. */
START_TEST(an_override_may_have_blanks_around_its_names)
{
    static const char *const override[] = {"train.lr =1", " train . batch = 16", "model.cell = gru ",
        "model.bidirectional = no", "data.train= with blank.h5", NULL};
    struct config c;
    read_good(&c, "[data]\ntrain = a\n", override);
    ck_assert(c.train.optim.lr == 1 && c.train.batch == 16 && c.model.cell == CELL_GRU);
    ck_assert(!c.model.bidirectional[0]);
    ck_assert_ptr_nonnull(strstr(c.data.train[0], "/ with blank.h5"));
    config_finish(&c);
}
END_TEST

START_TEST(all_faults_are_reported_in_order)
{
    struct config c;
    const char *override[] = {"train.lr=fast", "train", "modell.layers=3", "train.epoch=3", NULL};
    const char *text = "stray = 1\n"            /* 1: no section */
                       "[data]\n"               /* 2 */
                       "trian = a.h5\n"         /* 3: unknown key */
                       "[modle]\n"              /* 4: unknown section, said once */
                       "layers = 3\nhidden=x\n" /* 5 6 */
                       "[model]\n"              /* 7 */
                       "layers = many\n"        /* 8: bad value */
                       "hidden = 1,2,3\n"       /* 9: cannot be judged without layers */
                       "  cell = gru\n"         /* 10: indented */
                       "cell\n"                 /* 11: no value */
                       "[train\n"               /* 12: no ] */
                       "batch = 0\n"            /* 13: passed over */
                       "[train]\n"              /* 14 */
                       "batch = 0\n"            /* 15: bad value */
                       "batch = 9\n"            /* 16: twice */
                       "output = frame\n"       /* 17: of another section */
                       "[train] x\n";           /* 18 */
    static const char *const want[] = {":1: the key stray stands in no section",
        (":3: unknown key trian (did you mean train?): [data] has train, valid, standardize, cache, shuffle, "
         "window"),
        ":4: unknown section [modle] (did you mean [model]?): there are [data], [model], [train]",
        ":8: model.layers = many: not a whole number", ":10: the line begins with a blank",
        ":11: 'cell' is neither [section] nor key = value",
        ":12: a section is written [name]: its ] is missing", ":15: train.batch = 0: out of range",
        ":16: train.batch stands in line 15 already",
        ":17: unknown key output (did you mean output of [model]?)", ":18: something stands behind the ]",
        "--set train.lr=fast: not a number", "--set train: this is not SECTION.KEY=VALUE",
        "--set modell.layers=3: unknown section [modell] (did you mean [model]?)",
        "--set train.epoch=3: unknown key epoch (did you mean epochs?)", "data.train is missing"};
    ck_assert_int_eq(read_with(&c, text, override), -1);
    config_finish(&c);
    ck_assert_int_eq(code, EXIT_CODE_DATA);
    for (size_t i = 0; i < sizeof want / sizeof *want; i++)
        ck_assert_msg(i < said.n && strstr(said.text[i], want[i]) != NULL, "'%s' does not say '%s'",
            said.text[i], want[i]);
    ck_assert_uint_eq(said.n, sizeof want / sizeof *want);
    for (size_t i = 0; i < 11; i++)
        ck_assert_msg(strncmp(said.text[i], file, strlen(file)) == 0, "%s", said.text[i]);
}
END_TEST

START_TEST(there_are_as_many_quantiles_as_is_said)
{
    char text[2000];
    struct config c;
    size_t used =
        (size_t)snprintf(text, sizeof text, "[data]\ntrain = a\n[model]\nloss = quantile\nquantiles =");
    for (int q = 1; q <= NET_MOST_QUANTILES; q++)
        used += (size_t)snprintf(text + used, sizeof text - used, " %.3f", q / 100.0);
    read_good(&c, text, NULL);
    ck_assert_uint_eq(c.model.quantiles, NET_MOST_QUANTILES);
    config_finish(&c);
    snprintf(text + used, sizeof text - used, " 0.99");
    expect_fault(text, 5, "model.quantiles = 0.010 0.020", "too many items", "up to 64 numbers above 0");
}
END_TEST

START_TEST(lists_have_a_longest)
{
    char text[400] = "[data]\ntrain=a\n[model]\nlayers=0\noutput_layers =";
    struct config c;
    for (int l = 0; l < NET_MOST_LAYERS; l++)
        strcat(text, " 1");
    read_good(&c, text, NULL);
    ck_assert_uint_eq(c.model.output_layers, NET_MOST_LAYERS);
    config_finish(&c);
    strcat(text, " 1");
    expect_fault(text, 5, "model.output_layers", "more items than layers can be", "");
    char many[1000] = "model.input_layers="; /* more bytes than a line once had */
    for (int k = 0; k < 50; k++)
        strcat(many, "12345 ");
    const char *const override[] = {many, NULL};
    read_good(&c, "[data]\ntrain=a\n", override);
    ck_assert_uint_eq(c.model.input_layers, 50);
    config_finish(&c);
}
END_TEST

enum { MANY = NET_MOST_CLASS_WEIGHTS, LONG_WEIGHT = 24 };

static double weight_of(int k)
{
    return 1.0 / (k + 3);
}

/* "1/3 1/4 ..." with all their digits, behind `text`, each `line` weights behind `lead`. */
static void add_weights(char *text, int n, int line, const char *lead)
{
    text += strlen(text);
    for (int k = 0; k < n; k++)
        text += sprintf(text, "%s%.17g", k % line == 0 ? lead : " ", weight_of(k));
}

static void check_weights(const struct config *c, int n)
{
    ck_assert_uint_eq(c->model.class_weights, (size_t)n);
    for (int k = 0; k < n; k++)
        ck_assert_double_eq(c->model.class_weight[k], weight_of(k));
}

/* _i: in lines of the file, or in one override; then the same from what is written. */
START_TEST(as_many_weights_as_classes_can_be_given)
{
    static const int counts[] = {40, 1000, MANY};
    static char text[MANY * (LONG_WEIGHT + 20) + 100], many[MANY * LONG_WEIGHT + 100];
    struct config c, again;
    struct error error = {0};
    for (int i = 0; i < 3; i++) {
        strcpy(text, "[data]\ntrain=a\n[train]");
        strcpy(many, "train.class_weights=");
        add_weights(many, counts[i], counts[i], "");
        if (!_i)
            add_weights(text, counts[i], 7, "\nclass_weights = ");
        strcat(text, "\n");
        const char *const override[] = {_i ? many : NULL, NULL};
        read_good(&c, text, override);
        check_weights(&c, counts[i]);
        char *written = config_write(&c, 1, &error);
        ck_assert_ptr_nonnull(written);
        char *line = strstr(written, "\nclass_weights = ");
        ck_assert(line && !strstr(line + 1, "\nclass_weights = ")); /* one line, however long */
        read_good(&again, written, NULL);
        check_weights(&again, counts[i]);
        memory_destroy(written);
        config_finish(&c);
        config_finish(&again);
    }
    strcat(many, " 1");
    const char *const override[] = {many, NULL};
    ck_assert_int_eq(read_with(&c, "[data]\ntrain=a\n", override), -1);
    config_finish(&c);
    ck_assert_ptr_nonnull(strstr(said.text[0], "too many items"));
}
END_TEST

START_TEST(lines_of_weights_are_joined_and_each_can_be_at_fault)
{
    struct config c;
    read_good(&c, "[data]\ntrain=a\n[train]\nclass_weights=1 2\nseed=3\nclass_weights=3, 4\n", NULL);
    ck_assert(c.model.class_weights == 4 && c.model.class_weight[1] == 2 && c.model.class_weight[3] == 4);
    config_finish(&c);
    const char *const override[] = {"train.class_weights=5", NULL};
    read_good(&c, "[data]\ntrain=a\n[train]\nclass_weights=1 2\nclass_weights=3\n", override);
    ck_assert(c.model.class_weights == 1 && c.model.class_weight[0] == 5);
    config_finish(&c);
    expect_fault("[data]\ntrain=a\n[train]\nclass_weights=1 2\nclass_weights=3 -4\n", 5,
        "train.class_weights", "out of range", "");
}
END_TEST

START_TEST(keys_that_contradict_each_other_are_refused)
{
    expect_fault("[data]\ntrain=a\n[train]\nbatch = 7\nmicrobatch = 8\n", 5, "train.microbatch = 8",
        "larger than train.batch = 7", "");
    expect_fault("[data]\ntrain=a\n[train]\nlr = 0.1\nlr_min=0.2\n", 5, "train.lr_min = 0.2",
        "larger than train.lr = 0.1", "");
    expect_fault("[data]\ntrain=a\n[train]\ntruncate = 9\n[model]\nbidirectional = no yes\n", 4,
        "train.truncate = 9", "model.bidirectional = no", "this to 0");
    expect_fault("[data]\ntrain=a\n[train]\ntruncate = 9\n[model]\nbidirectional = no\noutput = ctc\n", 4,
        "train.truncate = 9", "model.output = ctc needs a sequence whole", "frame or sequence");
    expect_fault("[data]\ntrain=a\n[train]\ntruncate = 9\n[model]\nbidirectional = no\noutput = decoder\n", 4,
        "train.truncate = 9", "model.output = decoder needs a sequence whole", "");
    expect_fault("[data]\ntrain=a\n[train]\ntruncate = 9\n[model]\nlayers = 0\n", 4, "train.truncate = 9",
        "no recurrent layers", "set this to 0");
    expect_fault("[data]\ntrain=a\n[checkpoint]\nbest=error\n[model]\nloss=mse\n", 4,
        "checkpoint.best = error", "mse", "best = loss");
    expect_fault("[data]\ntrain=a\n[model]\nloss=sigmoid\n[checkpoint]\nbest=error\n", 6, "checkpoint.best",
        "sigmoid", "");
    expect_fault("[data]\ntrain=a\n[model]\nhidden = 7,7\nlayers = 3\n", 4, "model.hidden = 7,7",
        "2 items for 3 layers", "");
    expect_fault("[data]\ntrain=a\n[model]\nlayers = 1\nbidirectional = no no\n", 5, "= no no",
        "2 items for 1 layer:", "");
    struct config c;
    read_good(&c, "[data]\ntrain=a\n[checkpoint]\nbest=error\n[model]\nhidden=1 2 3\nlayers=3\n", NULL);
    ck_assert(c.checkpoint.best == BEST_ERROR && c.model.hidden[2] == 3);
    config_finish(&c);
}
END_TEST

/* Overrides of which the last is at fault, and what is said of it. */
static const char *const contradictions[][5] = {
    {"data.window=5 MiB", NULL, NULL, "only data.shuffle = windows has windows"},
    {"data.shuffle=none", "data.window=65 MiB", NULL, "only data.shuffle = windows has windows"},
    {"model.output=ctc", "model.loss=mse", NULL, "set model.loss = softmax"},
    {"model.output=ctc", "train.class_weights=1 2", NULL, "leave it empty"},
    {"model.output=ctc", "train.label_smoothing=0.1", NULL, "set it to 0"},
    {"model.loss=mse", "train.class_weights=1 2", NULL, "only model.loss = softmax has classes"},
    {"model.loss=huber", "train.label_smoothing=0.1", NULL, "only model.loss = softmax has classes"},
    {"train.class_weights=0,0", NULL, NULL, "no weight is above 0"},
    {"model.loss=quantile", "model.quantiles=0.5 0.1", NULL, "larger than the one before: sort them"},
    {"model.loss=quantile", "model.quantiles=0.5 0.5", NULL, "leave out those that stand twice"},
    {"model.loss=quantile", "model.quantiles=", NULL, "model.loss = quantile needs them"},
    {"model.output=decoder", "model.loss=quantile", NULL, "set model.loss = sigmoid or mse or huber or mae"},
    {"model.output=decoder", "model.loss=gaussian", NULL, "makes several numbers of one"},
    {"model.output=ctc", "model.loss=quantile", NULL, "set model.loss = softmax"},
    {"model.loss=quantile", "checkpoint.best=error", NULL, "use checkpoint.best = loss"},
    {"model.loss=gaussian", "train.class_weights=1 2", NULL, "only model.loss = softmax has classes"},
    {"model.loss=huber", "checkpoint.best=error", NULL, "no error with model.loss = huber: use"},
    {"model.loss=mae", "checkpoint.best=error", NULL, "use checkpoint.best = loss"},
    {"model.loss=mse", "model.output=decoder", "checkpoint.best=error", "use checkpoint.best = loss"},
    {"model.output=decoder", "model.layers=0", NULL, "set model.layers to 1 or more"},
    {"model.layers=0", "model.transition_layers=1", NULL, "no recurrent layers"},
    {"model.layers=0", "model.initial_state=learned", NULL, "no recurrent layers"},
    {"model.layers=0", "model.peepholes=yes", NULL, "no recurrent layers"},
    {"model.layers=0", "model.recurrent_dropout=0.5", NULL, "set model.layers to 1 or more"},
    {"model.cell=gru", "model.peepholes=yes", NULL, "only model.cell = lstm"},
    {"model.cell=rnn-relu", "model.peepholes=yes", NULL, "set it to no"},
    {"model.timescale=1.5", NULL, NULL, "1.5 steps are no time scale: give 2 or more, or 0"},
    {"model.cell=rnn", "model.timescale=50", NULL,
        "only model.cell = lstm or gru or mingru or lru starts by a time"},
    {"model.cell=rnn", "model.forget_bias=1", NULL, "only model.cell = lstm or gru or mingru has a gate"},
    {"model.timescale=50", "model.forget_bias=1", NULL, "model.timescale starts that gate too"},
    {"model.recurrent_max=1", NULL, NULL, "only model.cell = indrnn has weights that it bounds"},
    {"model.cell=indrnn", "model.transition_layers=1", NULL, "meets its own state alone"},
    {"model.cell=mingru", "model.recurrent_dropout=0.5", NULL, "meets its own state alone"},
    {"model.cell=lru", "model.recurrent_dropout=0.5", NULL, "meets its own state alone"},
    {"model.cell=lru", "model.transition_layers=2", NULL, "meets its own state alone"},
    {"model.cell=lru", "model.peepholes=yes", NULL, "only model.cell = lstm has a memory"},
    {"model.cell=lru", "model.forget_bias=1", NULL, "only model.cell = lstm or gru or mingru has a gate"},
    {"model.cell=lru", "model.recurrent_max=1", NULL, "only model.cell = indrnn has weights"},
    {"model.cell=indrnn", "model.peepholes=yes", NULL, "only model.cell = lstm"},
    {"model.cell=indrnn", "model.timescale=50", NULL, "starts by a time scale: set it to 0"},
    {"model.layers=0", "model.timescale=50", NULL, "no recurrent layers"},
    {"model.layers=0", "model.forget_bias=0", NULL, "no recurrent layers"},
    {"model.hidden=6,5", "model.residual=yes", NULL, "layer 1 has 12 outputs"},
    {"model.bidirectional=yes,no", "model.residual=yes", NULL, "layer 2 has 128: make all layers equally"},
    {"model.attention=dot", NULL, NULL, "set model.output = decoder"},
    {"model.output=ctc", "model.attention=none", NULL, "there is no decoder"},
    {"model.decoder_layers=2", NULL, NULL, "set model.output = decoder"},
    {"model.decoder_hidden=2", NULL, NULL, "set model.output = decoder"},
    {"model.decoder_embedding=2", NULL, NULL, "set model.output = decoder"},
    {"model.attention_size=2", NULL, NULL, "set model.output = decoder"},
    {"model.output=decoder", "model.attention=dot", "model.attention_size=2", "set it to 0"},
    {"model.output=decoder", "model.loss=mse", "model.decoder_embedding=2", "values are not: set it to 0"},
};

START_TEST(options_that_cannot_be_used_are_refused)
{
    for (size_t i = 0; i < sizeof contradictions / sizeof *contradictions; i++) {
        const char *const *line = contradictions[i];
        const char *last = line[2] ? line[2] : line[1] ? line[1] : line[0];
        const char *const override[] = {line[0], line[1], line[1] ? line[2] : NULL, NULL};
        char place[100];
        struct config c;
        ck_assert_int_eq(read_with(&c, "[data]\ntrain=a\n", override), -1);
        config_finish(&c);
        snprintf(place, sizeof place, "--set %s: ", last);
        ck_assert_msg(
            said.n == 1 && strncmp(said.text[0], place, strlen(place)) == 0 && strstr(said.text[0], line[3]),
            "%zu faults: '%s' is not '%s%s'", said.n, said.text[0], place, line[3]);
        ck_assert_int_eq(code, EXIT_CODE_DATA);
    }
}
END_TEST

START_TEST(options_that_are_harmless_are_taken)
{
    static const char *const good[][3] = {{"model.layers=1", "model.residual=yes"},
        {"model.layers=1", "model.normalize=yes"}, {"model.layers=1", "model.hidden=3"},
        {"model.layers=0", "model.output=frame"}, {"model.layers=0", "model.normalize=yes"},
        {"model.layers=0", "model.residual=yes"}, {"model.layers=1", "model.dropout=0.5"},
        {"model.hidden=6,3", "model.bidirectional=no,yes", "model.residual=yes"},
        {"model.output=ctc", "checkpoint.best=error"}, {"model.output=decoder", "checkpoint.best=error"},
        {"model.output=decoder", "model.loss=sigmoid"}, {"model.output=decoder", "model.loss=mae"},
        {"model.output=decoder", "train.class_weights=1,0", "train.label_smoothing=0.5"},
        {"model.attention=additive", "model.decoder_layers=1"}, {"train.huber_delta=7"}};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        const char *const override[] = {good[i][0], good[i][1], good[i][1] ? good[i][2] : NULL, NULL};
        struct config c;
        read_good(&c, "[data]\ntrain=a\n", override);
        config_finish(&c);
    }
}
END_TEST

/* A fault in one key is not told again of those that depend on it. */
START_TEST(what_has_a_fault_already_is_judged_no_further)
{
    struct config c;
    const char *const override[] = {
        "model.loss=hinge", "checkpoint.best=error", "model.cell=gruu", "model.peepholes=yes", NULL};
    ck_assert_int_eq(read_with(&c, "[data]\ntrain=a\n", override), -1);
    config_finish(&c);
    ck_assert_uint_eq(said.n, 2);
}
END_TEST

START_TEST(training_data_must_be_named)
{
    expect_fault("", 0, "data.train is missing", "[data]", "");
    expect_fault("; nothing here\n", 0, "data.train is missing", "", "");
    expect_fault("[data]\ntrain =\n", 2, "data.train = ", "empty", "");
    expect_fault("[data]\ntrain = ; a.h5\n", 2, "data.train = ", "empty", "");
}
END_TEST

START_TEST(intervals_stand_side_by_side_and_come_back_as_they_were)
{
    const struct config_key *key = key_find("checkpoint", "every");
    struct config config;
    char text[128];
    size_t items;
    config_init(&config);
    ck_assert_ptr_null(key_read(key, "10 minutes,7 steps ,  3 epochs", "/", &config, &items));
    const int64_t *every = config.checkpoint.every;
    ck_assert(every[INTERVAL_EPOCHS] == 3 && every[INTERVAL_STEPS] == 7 && every[INTERVAL_MINUTES] == 10);
    key_write(key, &config, text, sizeof text);
    ck_assert_str_eq(text, "3 epochs, 7 steps, 10 minutes");
    ck_assert_ptr_nonnull(key_read(key, "4 epochs, 4 epochs", "/", &config, &items));
    ck_assert(every[INTERVAL_EPOCHS] == 3); /* as it was */
    config_finish(&config);
}
END_TEST

/* The hash of /model is made in the order of the table, which whoever checks it has from the document. */
START_TEST(the_checkpoint_format_lists_the_keys_of_the_network_in_their_order)
{
    char *text = ini_load(MAN_FOLDER "/../docs/checkpoint-format.md", NULL), *at = NULL;
    ck_assert_ptr_nonnull(text);
    at = strstr(text, "In the hash of `/model` they stand in this order");
    ck_assert_ptr_nonnull(at);
    *strstr(at, "`inputs`") = '\0'; /* those of the dataset come behind */
    for (size_t i = 0; i < config_key_count; i++) {
        char name[100];
        snprintf(name, sizeof name, "`%s`", config_keys[i].name);
        if (!key_is_of_network(&config_keys[i]))
            continue;
        at = strstr(at, name);
        ck_assert_msg(at != NULL, "%s is not there, or not in its place", name);
    }
    memory_destroy(text);
}
END_TEST

START_TEST(the_manual_names_every_key_and_its_default)
{
    char *manual = ini_load(MAN_FOLDER "/rnn-train.1", NULL);
    ck_assert_ptr_nonnull(manual);
    for (size_t i = 0; i < config_key_count; i++) {
        const struct config_key *key = &config_keys[i];
        char entry[100];
        snprintf(entry, sizeof entry, *key->initial ? "%s \" = %s" : ".B %s\n", key->name, key->initial);
        ck_assert_msg(strstr(manual, entry) != NULL, "rnn-train.1 lacks '%s'", entry);
        for (size_t c = 0; key->choices && key->choices[c]; c++) {
            char spelled[100], *to = spelled; /* a hyphen is \- in a manual page */
            for (const char *from = key->choices[c]; *from; from++) {
                if (*from == '-')
                    *to++ = '\\';
                *to++ = *from;
            }
            *to = '\0';
            ck_assert_msg(strstr(manual, spelled) != NULL, "rnn-train.1 lacks '%s'", spelled);
        }
    }
    memory_destroy(manual);
}
END_TEST

START_TEST(a_semicolon_begins_a_comment_only_after_a_blank)
{
    struct config c;
    read_good(&c, "[data]\ntrain = /a;b.h5 ; comment\nvalid=/c=d:e#f [g].h5\t;x\n", NULL);
    ck_assert_str_eq(c.data.train[0], "/a;b.h5");
    ck_assert_str_eq(c.data.valid[0], "/c=d:e#f [g].h5");
    config_finish(&c);
}
END_TEST

/* Paths of a list, which config.ini gives back as they are. */
START_TEST(a_list_of_files_is_cut_at_commas)
{
    static const struct {
        const char *value;
        const char *paths[4];
    } lists[] = {{"/a.h5", {"/a.h5"}}, {"/a.h5,/b.h5", {"/a.h5", "/b.h5"}},
        {"/my a.h5 , /b c.h5,\t/d", {"/my a.h5", "/b c.h5", "/d"}}, {"/a\\,b.h5", {"/a,b.h5"}},
        {"/a\\,b.h5, /c\\\\,/d\\e", {"/a,b.h5", "/c\\", "/d\\e"}}, {"/a\\\\\\,b", {"/a\\,b"}},
        {"/a\\", {"/a\\"}}, {"/a, /a", {"/a", "/a"}}};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        char text[200];
        struct config c, again;
        struct error error;
        snprintf(text, sizeof text, "[data]\ntrain = %s\n", lists[i].value);
        read_good(&c, text, NULL);
        char *written = config_write(&c, 1, &error);
        read_good(&again, written, NULL);
        for (size_t n = 0; n < 4; n++) {
            const char *want = lists[i].paths[n];
            ck_assert_int_eq(c.data.train[n] != NULL, want != NULL);
            if (!want)
                break;
            ck_assert_str_eq(c.data.train[n], want);
            ck_assert_str_eq(again.data.train[n], want);
        }
        memory_destroy(written);
        config_finish(&c);
        config_finish(&again);
    }
    expect_fault("[data]\ntrain = /a,,/b\n", 2, "data.train = ", "no path before or behind a comma", "");
    expect_fault("[data]\ntrain = /a,\n", 2, "data.train = ", "no path before or behind a comma", "");
    expect_fault("[data]\ntrain = ,\n", 2, "data.train = ", "no path before or behind a comma", "");
    expect_fault("[data]\ntrain = /a, \"/b\"\n", 2, "data.train = ", "leave them out", "");
}
END_TEST

START_TEST(lines_have_any_length)
{
    enum { LONG = 100000 };
    static char text[LONG + 1000], path[LONG];
    struct config c, again;
    struct error error;
    memset(path, 'p', sizeof path);
    path[0] = '/';
    path[LONG - 1] = '\0';
    snprintf(
        text, sizeof text, "# %s\n[data]\r\ntrain = %s ; %s\r\n", path + LONG - 300, path, path + LONG - 300);
    read_good(&c, text, NULL);
    ck_assert_str_eq(c.data.train[0], path);
    char *written = config_write(&c, 1, &error);
    read_good(&again, written, NULL);
    ck_assert_str_eq(again.data.train[0], path);
    memory_destroy(written);
    config_finish(&c);
    config_finish(&again);
    snprintf(text, sizeof text, "[data]\ntrain = %s", path); /* no end of the last line */
    read_good(&c, text, NULL);
    ck_assert_str_eq(c.data.train[0], path);
    config_finish(&c);
}
END_TEST

START_TEST(what_config_ini_could_not_hold_is_refused)
{
    struct config c;
    const char *const comment[] = {"data.train=/a/x ;y.h5", NULL},
                      *const line[] = {"data.train=/a\n[model]", NULL},
                      *const good[] = {"data.train=/a;y", NULL};
    const char *const *const lists[] = {comment, line};
    for (size_t i = 0; i < 2; i++) {
        ck_assert_int_eq(read_with(&c, "", lists[i]), -1);
        config_finish(&c);
        ck_assert_uint_eq(said.n, 1);
        ck_assert_ptr_nonnull(strstr(said.text[0], "--set data.train=/"));
        ck_assert_ptr_nonnull(strstr(said.text[0], "use another path"));
        ck_assert_ptr_null(strchr(said.text[0], '\n'));
    }
    read_good(&c, "", good);
    config_finish(&c);
}
END_TEST

START_TEST(sections_may_come_twice_keys_may_not)
{
    struct config c;
    read_good(&c, "[data]\ntrain=a\n[train]\nlr=0.5\n[data]\ncache=1 KiB\n[train]\nbatch=9\n", NULL);
    ck_assert(c.data.cache == 1024 && c.train.batch == 9 && c.train.optim.lr == 0.5);
    config_finish(&c);
    expect_fault("[data]\ntrain=a\n[train]\nlr=0.5\n[data]\n[train]\nlr=0.5\n", 7, "train.lr",
        "stands in line 4 already", "");
}
END_TEST

START_TEST(the_last_override_counts_and_the_value_is_taken_as_it_is)
{
    struct config c;
    char want[4200], here[4096];
    const char *const override[] = {
        "train.lr=1", "data.train=r/x.y=z.h5", "train.lr=2", "data.valid=", "train.seed= 7 ", NULL};
    read_good(&c, "[data]\ntrain=a\nvalid=b\n", override);
    ck_assert_ptr_nonnull(getcwd(here, sizeof here));
    snprintf(want, sizeof want, "%s/r/x.y=z.h5", here);
    ck_assert_str_eq(c.data.train[0], want);
    ck_assert_ptr_null(c.data.valid);
    ck_assert(c.train.optim.lr == 2 && c.train.seed == 7);
    config_finish(&c);
    const char *const odd[] = {"=", ".=", "train.=1", "a=b.c", "", "x.y=1", NULL};
    ck_assert_int_eq(read_with(&c, "[data]\ntrain=a\n", odd), -1);
    config_finish(&c);
    ck_assert_uint_eq(said.n, 6);
    ck_assert_int_eq(code, EXIT_CODE_USAGE);
}
END_TEST

static void expect_unreadable(const char *path, enum exit_code want, const char *say)
{
    struct config c;
    struct faults faults;
    said.n = 0;
    faults_init(&faults, 64, hear, &said);
    ck_assert_int_eq(config_read(&c, path, 0, NULL, &faults), -1);
    config_finish(&c);
    ck_assert_uint_eq(said.n, 1);
    ck_assert_int_eq(faults.code, want);
    ck_assert_msg(
        strncmp(said.text[0], path, strlen(path)) == 0 && strstr(said.text[0], say), "%s", said.text[0]);
}

START_TEST(files_that_are_no_configuration)
{
    char nowhere[300];
    snprintf(nowhere, sizeof nowhere, "%s/none.ini", folder);
    expect_unreadable(nowhere, EXIT_CODE_IO, "No such file");
    expect_unreadable(folder, EXIT_CODE_IO, "is a folder");
    write_bytes(file, "\x89HDF\r\n\x1a\n\0\0\0\0", 12);
    expect_unreadable(file, EXIT_CODE_DATA, "not a text file");
    expect_unreadable("/dev/zero", EXIT_CODE_IO, "is a device, not a configuration");
    size_t n = (1 << 20) + 1;
    char *large = malloc(n);
    ck_assert_ptr_nonnull(large);
    memset(large, '\n', n);
    write_bytes(file, large, n);
    expect_unreadable(file, EXIT_CODE_DATA, "more than 1 MiB");
    free(large);
    expect_fault("[data]\ntrain=a\n\x01\x02=\x7f\n", 3, "control character", "", "");
    expect_fault("[data]\ntrain=a\n\xff\xfe\xfd\n", 3, "neither [section]", "", "");
}
END_TEST

START_TEST(paths_are_relative_to_the_file_and_become_absolute)
{
    struct config c;
    struct faults faults;
    char here[4096], want[300];
    ck_assert_ptr_nonnull(getcwd(here, sizeof here));
    write_bytes(file, "[data]\ntrain=../a.h5\nvalid=/b.h5\n", 33);
    ck_assert_int_eq(chdir(folder), 0);
    static const char *const spelling[] = {"c.ini", "./c.ini", NULL};
    static const char *const joined[] = {"%s/../a.h5", "%s/./../a.h5"};
    for (int i = 0; spelling[i]; i++) {
        faults_init(&faults, 64, hear, &said);
        ck_assert_int_eq(config_read(&c, spelling[i], 0, NULL, &faults), 0);
        char real[4096];
        ck_assert_ptr_nonnull(realpath(folder, real));
        snprintf(want, sizeof want, joined[i], real);
        ck_assert_str_eq(c.data.train[0], want);
        ck_assert_str_eq(c.data.valid[0], "/b.h5");
        config_finish(&c);
    }
    ck_assert_int_eq(chdir(here), 0);
}
END_TEST

START_TEST(the_home_folder_is_put_in)
{
    struct config c;
    static const char *const homes[][3] = {
        {"/home/ann", "/home/ann/d/a.h5", "/home/ann/b.h5"}, {"/", "/d/a.h5", "/b.h5"}};
    const char *const override[] = {"data.valid=~//b.h5", NULL};
    char *before = getenv("HOME");
    for (int i = 0; i < 2; i++) {
        setenv("HOME", homes[i][0], 1);
        read_good(&c, "[data]\ntrain = ~/d/a.h5\n", override);
        ck_assert_str_eq(c.data.train[0], homes[i][1]);
        ck_assert_str_eq(c.data.valid[0], homes[i][2]);
        config_finish(&c);
    }
    unsetenv("HOME");
    expect_fault("[data]\ntrain = ~/a.h5\n", 2, "data.train = ~/a.h5", "HOME does not say", "");
    setenv("HOME", before ? before : "/root", 1);
    expect_fault("[data]\ntrain = ~bob/a.h5\n", 2, "data.train = ~bob/a.h5", "no folder but ~/", "");
    expect_fault("[data]\ntrain = ~\n", 2, "data.train = ~", "no folder but ~/", "");
    read_good(&c, "[data]\ntrain = ./~a.h5\n", NULL);
    ck_assert_ptr_nonnull(strstr(c.data.train[0], "/~a.h5"));
    config_finish(&c);
}
END_TEST

static const char *const base_text = "[data]\ntrain=a\n";

/* Reads what a run that was begun with `before` goes on with, `now` (lists of overrides, the second without a
 * fault in one of them), filling said with faults from here on. Returns the run's configuration as text. */
static char *go_on(
    struct config *config, struct faults *faults, const char *const *before, const char *const *now)
{
    struct config old;
    size_t n = 0;
    read_good(&old, base_text, before);
    char *saved = config_write(&old, 0, NULL);
    ck_assert_ptr_nonnull(saved);
    config_finish(&old);
    while (now && now[n])
        n++;
    said.n = 0;
    faults_init(faults, 64, hear, &said);
    ck_assert_int_eq(config_read_keys(config, file, n, now, faults), 0);
    config_inherit(config, saved, NULL);
    return saved;
}

/* Faults of resuming a run that was started with `before` under `now` (lists of overrides). */
static size_t compare(const char *const *before, const char *const *now)
{
    struct config config;
    struct faults faults;
    char *saved = go_on(&config, &faults, before, now);
    size_t n = config_compare(&config, saved, &faults);
    ck_assert_uint_eq(n, faults.count);
    memory_destroy(saved);
    config_finish(&config);
    return n;
}

/* What a run may go on with in another way; every other key, new ones too, is part of what is learned. */
static const char *const may_change[] = {"data.train", "data.valid", "data.cache", "train.epochs",
    "train.activation_memory", "train.patience", "train.on_divergence", "train.explode", "train.back_factor",
    "train.watchdog", "report.every", "report.gradient_flow", "checkpoint.every", "checkpoint.keep",
    "checkpoint.best"};
enum { MAY_CHANGE = sizeof may_change / sizeof *may_change };

static int is_free(const char *key)
{
    for (size_t i = 0; i < MAY_CHANGE; i++)
        if (strcmp(key, may_change[i]) == 0)
            return 1;
    return 0;
}

/* What has to be set besides for a key to have another value than its default; NULL: nothing. */
static const char *find_needed(const char *key)
{
    if (strcmp(key, "data.window") == 0)
        return "data.shuffle=windows";
    if (strcmp(key, "train.truncate") == 0)
        return "model.bidirectional=no";
    if (strcmp(key, "model.recurrent_max") == 0)
        return "model.cell=indrnn";
    return strstr(key, ".attention") || strstr(key, ".decoder_") ? "model.output=decoder" : NULL;
}

/* A run of defaults goes on with one key changed to a value that is good by itself. */
static void change_key(const char *key, const char *value)
{
    char override[200], beginning[100];
    snprintf(override, sizeof override, "%s=%s", key, value);
    snprintf(beginning, sizeof beginning, "%s = ", key);
    const char *const before[] = {find_needed(key), NULL};
    const char *const now[] = {override, before[0], NULL};
    size_t n = compare(before, now);
    ck_assert_msg(n == !is_free(key), "%s: %zu faults", override, n);
    if (n == 0)
        return;
    ck_assert_msg(strncmp(said.text[0], beginning, strlen(beginning)) == 0, "%s", said.text[0]);
    ck_assert_ptr_nonnull(strstr(said.text[0], "but the run was started with "));
    ck_assert_ptr_nonnull(strstr(said.text[0], "--fresh"));
    ck_assert_ptr_nonnull(strstr(said.text[0], "--init"));
}

START_TEST(a_changed_key_is_refused_with_both_values)
{
    size_t changed_freely = 0;
    for (size_t i = 0; i < config_key_count; i++) {
        const struct config_key *key = &config_keys[i];
        char name[100], value[100];
        snprintf(name, sizeof name, "%s.%s", key->section, key->name);
        other_value(key, key->initial, value, sizeof value);
        change_key(name, value);
        changed_freely += (size_t)is_free(name);
    }
    ck_assert_uint_eq(changed_freely, MAY_CHANGE);
    change_key("model.bidirectional", "yes,no"); /* one of the layers */
    change_key("model.hidden", "128,127");
    change_key("train.lr", "0.0010000000000000002"); /* the last bit */
    const char *const now[] = {"train.lr=0.5", NULL};
    compare(NULL, now);
    ck_assert_ptr_nonnull(strstr(said.text[0], "train.lr = 0.5, but the run was started with 0.001:"));
}
END_TEST

START_TEST(equal_configurations_differ_in_nothing)
{
    const char *const before[] = {"model.hidden=128, 128", "train.lr=1e-3", "data.cache=1024 KiB", NULL};
    const char *const now[] = {"model.hidden=128", "train.lr=0.001", "data.cache=1 MiB", NULL};
    ck_assert_uint_eq(compare(NULL, NULL), 0);
    ck_assert_uint_eq(compare(before, now), 0);
}
END_TEST

START_TEST(more_epochs_are_refused_where_the_schedule_depends_on_them)
{
    const char *const before[] = {"train.schedule=cosine", NULL};
    const char *const now[] = {"train.schedule=cosine", "train.epochs=30", NULL};
    ck_assert_uint_eq(compare(before, before), 0);
    ck_assert_uint_eq(compare(before, now), 1);
    ck_assert_ptr_nonnull(
        strstr(said.text[0], "train.epochs = 30, but the run was started with 20 and its schedule"));
    static const char *const others[] = {"train.schedule=step", "train.schedule=plateau"};
    for (size_t i = 0; i < 2; i++) {
        const char *const old[] = {others[i], NULL}, *const more[] = {others[i], "train.epochs=30", NULL};
        ck_assert_uint_eq(compare(old, more), 0);
    }
}
END_TEST

START_TEST(a_saved_text_that_cannot_be_read_is_a_fault)
{
    struct config c;
    struct faults faults;
    read_good(&c, base_text, NULL);
    said.n = 0;
    faults_init(&faults, 64, hear, &said);
    ck_assert_uint_eq(config_compare(&c, "[model]\nlayers = none\ntomorrow = 1\n", &faults), 2);
    ck_assert_ptr_nonnull(strstr(said.text[0], "the checkpoint's configuration:2: model.layers = none"));
    /* What a text does not name has its default, and nothing is taken of one that is at fault. */
    ck_assert_uint_eq(config_compare(&c, "", &faults), 0);
    config_inherit(&c, "[train]\nlr = 0.5\n[model]\nlayers = none\n", &faults);
    ck_assert(c.train.optim.lr == 0.001);
    config_finish(&c);
    read_good(&c, base_text, (const char *const[]){"model.layers=2", NULL});
    ck_assert_uint_eq(config_compare(&c, "[model]\nlayers=3\n", &faults), 1);
    config_finish(&c);
}
END_TEST

/* ---- what the user leaves open ---- */

/* Each key in turn was given another value when the run was begun, and none when it goes on. */
START_TEST(a_key_that_is_not_set_takes_the_value_of_the_run)
{
    for (size_t i = 0; i < config_key_count; i++) {
        const struct config_key *key = &config_keys[i];
        struct config old, now;
        struct faults faults;
        char value[100], name[100], override[210];
        if (key->type == KEY_PATHS)
            continue;
        other_value(key, key->initial, value, sizeof value);
        snprintf(name, sizeof name, "%s.%s", key->section, key->name);
        snprintf(override, sizeof override, "%s=%s", name, value);
        const char *const before[] = {override, find_needed(name), NULL};
        size_t changed = before[1] ? 2 : 1;
        read_good(&old, base_text, before);
        read_good(&now, base_text, NULL);
        char *saved = config_write(&old, 0, NULL), *taken, *again;
        said.n = 0;
        faults_init(&faults, 64, hear, &said);
        faults.warn = hear;
        ck_assert_uint_eq(config_compare(&now, saved, &faults), 0);
        config_inherit(&now, saved, &faults);
        ck_assert_uint_eq(said.n, changed);
        ck_assert_ptr_nonnull(strstr(said.text[changed - 1], "as the run was begun with, and not"));
        taken = config_write(&now, 0, NULL);
        ck_assert_str_eq(taken, saved);
        config_inherit(&now, taken, &faults); /* there is nothing to take any more */
        again = config_write(&now, 0, NULL);
        ck_assert_str_eq(again, saved);
        ck_assert_uint_eq(said.n, changed);
        memory_destroy(saved);
        memory_destroy(taken);
        memory_destroy(again);
        config_finish(&old);
        config_finish(&now);
    }
}
END_TEST

START_TEST(a_key_that_is_set_keeps_its_value)
{
    struct config old, now;
    const char *const before[] = {"model.layers=3", "model.hidden=5 6 7", "train.lr=0.5", "train.batch=4",
        "checkpoint.every=7 steps", NULL};
    const char *const given[] = {"model.hidden=9", "checkpoint.every=1 epoch", NULL};
    read_good(&old, base_text, before);
    read_good(&now, base_text, given);
    char *saved = config_write(&old, 0, NULL);
    config_inherit(&now, saved, NULL);
    ck_assert(now.model.layers == 3 && now.train.optim.lr == 0.5);
    ck_assert(now.model.hidden[0] == 9 && now.model.hidden[1] == 9 && now.model.hidden[2] == 9);
    ck_assert(now.train.batch == 4 && now.train.microbatch == 4);
    ck_assert(now.checkpoint.every[INTERVAL_STEPS] == 0 && now.checkpoint.every[INTERVAL_EPOCHS] == 1);
    memory_destroy(saved);
    config_finish(&old);
    config_finish(&now);
}
END_TEST

/* One key of a pair is given again, and the other is the run's. */
static void go_on_with_one(const char *given, const char *of_run)
{
    struct config config;
    struct faults faults;
    const char *const before[] = {given, of_run, NULL}, *const now[] = {given, NULL};
    char *saved = go_on(&config, &faults, before, now);
    size_t n = config_compare(&config, saved, &faults) + config_check(&config, &faults);
    ck_assert_msg(n == 0, "%s of a run with %s: %s", given, of_run, said.text[0]);
    char *taken = config_write(&config, 0, NULL);
    ck_assert_str_eq(taken, saved);
    memory_destroy(taken);
    memory_destroy(saved);
    config_finish(&config);
}

START_TEST(a_key_goes_with_what_the_run_has_of_another)
{
    static const char *const pairs[][2] = {{"train.microbatch=100", "train.batch=128"},
        {"train.lr_min=0.01", "train.lr=0.1"}, {"model.hidden=5, 6, 7", "model.layers=3"},
        {"model.bidirectional=no, yes, no", "model.layers=3"}, {"model.quantiles=0.2", "model.loss=quantile"},
        {"model.peepholes=yes", "model.cell=lstm"}, {"train.decay_every=3", "train.schedule=step"},
        {"train.huber_delta=2", "model.loss=huber"}, {"checkpoint.best=loss", "model.loss=mse"}};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        go_on_with_one(pairs[i][0], pairs[i][1]);
        go_on_with_one(pairs[i][1], pairs[i][0]);
    }
    for (size_t i = 0; i < config_key_count; i++) {
        const struct config_key *key = &config_keys[i];
        char value[100], override[210], name[100];
        snprintf(name, sizeof name, "%s.%s", key->section, key->name);
        other_value(key, key->initial, value, sizeof value);
        snprintf(override, sizeof override, "%s=%s", name, value);
        if (!find_needed(name))
            continue;
        go_on_with_one(override, find_needed(name));
        go_on_with_one(find_needed(name), override);
    }
}
END_TEST

/* The run's configuration is no default, and says so. */
START_TEST(a_key_contradicts_what_the_run_has_of_another)
{
    static const struct {
        const char *given, *of_run, *beginning, *said;
    } table[] = {
        {"checkpoint.best=error", "model.loss=mse", "--set checkpoint.best=error: there is no error", ""},
        {"model.layers=2", "model.hidden=5, 6, 7", "",
            "model.hidden = 5,6,7 (as the run was begun with): 3 "},
        {"model.bidirectional=no, yes", "", "--set model.bidirectional=no, yes: 2 items for 3 layers", ""},
        {"data.shuffle=full", "data.window=1 MiB", "",
            "data.window = 1 MiB (as the run was begun with): only"},
        {"train.lr=0.01", "train.lr_min=0.1", "", "train.lr_min = 0.1 (as the run was begun with): larger"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct config config;
        struct faults faults;
        const char *const before[] = {"model.layers=3", "data.shuffle=windows", "train.lr=0.2",
            *table[i].of_run ? table[i].of_run : NULL, NULL};
        const char *const now[] = {table[i].given, NULL};
        memory_destroy(go_on(&config, &faults, before, now));
        ck_assert_uint_eq(config_check(&config, &faults), 1);
        ck_assert_msg(strncmp(said.text[0], table[i].beginning, strlen(table[i].beginning)) == 0 &&
                strstr(said.text[0], table[i].said),
            "%s", said.text[0]);
        config_finish(&config);
    }
}
END_TEST

START_TEST(a_list_is_compared_as_it_was_given)
{
    const char *const before[] = {"model.layers=3", "model.hidden=5, 6, 7", NULL};
    const char *const fewer[] = {"model.hidden=5, 6", NULL}, *const one[] = {"model.hidden=5", NULL};
    ck_assert_uint_eq(compare(before, fewer), 1);
    ck_assert_ptr_nonnull(strstr(said.text[0], "model.hidden = 5,6, but the run was started with 5,6,7:"));
    ck_assert_uint_eq(compare(before, one), 1);
    ck_assert_ptr_nonnull(strstr(said.text[0], "model.hidden = 5, but"));
}
END_TEST

/* ---- names that a key once had ---- */

static const struct {
    const char *former, *now; /* as a file has them */
    const char *said;         /* of the warning */
} renamed[] = {
    {"[train]\ngrain = 16\n", "[train]\nmicrobatch = 16\n", "train.grain is called train.microbatch now"},
    {"[train]\nreport_every = 20 seconds\n", "[report]\nevery = 20 seconds\n",
        "train.report_every is called report.every now"},
};

static struct said warned; /* by the last reading that listens */

static void hear_warning(void *context, const char *text)
{
    hear(&warned, text);
}

/* Reads base_text and `text` with overrides, listening to warnings too. */
static int read_aloud(struct config *config, const char *text, size_t n, const char *const *override)
{
    char whole[300];
    struct faults faults;
    snprintf(whole, sizeof whole, "%s%s", base_text, text);
    write_bytes(file, whole, strlen(whole));
    said.n = warned.n = 0;
    faults_init(&faults, 64, hear, &said);
    faults.warn = hear_warning;
    return config_read(config, file, n, override, &faults);
}

static void expect_what_the_new_name_gives(const struct config *c, const char *now)
{
    struct config want;
    struct error error;
    ck_assert_int_eq(read_aloud(&want, now, 0, NULL), 0);
    ck_assert_uint_eq(warned.n, 0);
    char *text = config_write(c, 1, &error), *other_text = config_write(&want, 1, &error);
    ck_assert_str_eq(text, other_text);
    memory_destroy(text);
    memory_destroy(other_text);
    config_finish(&want);
}

START_TEST(a_former_name_is_read_with_a_warning_that_names_the_new_one)
{
    struct config c;
    char where[300];
    ck_assert_int_eq(read_aloud(&c, renamed[_i].former, 0, NULL), 0);
    ck_assert_uint_eq(warned.n, 1);
    snprintf(where, sizeof where, "%s:4: %s", file, renamed[_i].said);
    ck_assert_msg(strncmp(warned.text[0], where, strlen(where)) == 0, "%s", warned.text[0]);
    expect_what_the_new_name_gives(&c, renamed[_i].now);
    config_finish(&c);
}
END_TEST

START_TEST(a_former_name_can_be_set_with_a_warning)
{
    struct config c;
    const char *const override[] = {"train.grain=4", "train.grain=16"};
    ck_assert_int_eq(read_aloud(&c, "[train]\nmicrobatch = 2\n", 2, override), 0);
    ck_assert_uint_eq(warned.n, 2);
    ck_assert_str_eq(
        warned.text[1], "--set train.grain=16: train.grain is called train.microbatch now: rename it");
    ck_assert_int_eq(c.train.microbatch, 16);
    config_finish(&c);
}
END_TEST

START_TEST(both_names_of_a_key_at_once_are_refused)
{
    static const char *const file_text[] = {"[train]\ngrain = 4\nmicrobatch = 4\n",
        "[train]\nmicrobatch = 4\ngrain = 4\n", "[report]\nevery = 0\n[train]\nreport_every = 0\n", ""};
    static const char *const wanted[] = {"train.microbatch stands in line 4 already as train.grain",
        "train.grain stands in line 4 already as train.microbatch",
        "train.report_every stands in line 4 already as report.every",
        "--set train.microbatch=4: train.microbatch is given as train.grain already"};
    static const char *const override[] = {"train.grain=4", "train.microbatch=4"};
    struct config c;
    ck_assert_int_eq(read_aloud(&c, file_text[_i], *file_text[_i] ? 0 : 2, override), -1);
    ck_assert_uint_eq(said.n, 1);
    ck_assert_msg(strstr(said.text[0], wanted[_i]) != NULL, "%s", said.text[0]);
    config_finish(&c);
}
END_TEST

START_TEST(a_fault_of_a_former_name_is_told_by_that_name)
{
    struct config c;
    ck_assert_int_eq(read_aloud(&c, "[train]\ngrain = 0\n", 0, NULL), -1);
    ck_assert_ptr_nonnull(strstr(said.text[0], ":4: train.grain = 0: out of range"));
    config_finish(&c);
}
END_TEST

START_TEST(an_old_checkpoint_is_compared_without_a_word)
{
    struct config c;
    struct faults faults;
    ck_assert_int_eq(read_aloud(&c, "[train]\nmicrobatch = 4\n", 0, NULL), 0);
    faults_init(&faults, 64, hear, &said);
    ck_assert_uint_eq(config_compare(&c, "[train]\ngrain = 4\nreport_every = 0\n", &faults), 0);
    ck_assert_uint_eq(config_compare(&c, "[train]\ngrain = 5\n", &faults), 1);
    ck_assert_ptr_nonnull(strstr(said.text[0], "train.microbatch = 4, but the run was started with 5"));
    config_finish(&c);
}
END_TEST

START_TEST(faults_beyond_the_most_are_counted_not_said)
{
    struct config c;
    struct faults faults;
    write_bytes(file, "[a]\n[b]\n[c]\n[d]\n[data]\ntrain=a\n", 31);
    said.n = 0;
    faults_init(&faults, 2, hear, &said);
    ck_assert_int_eq(config_read(&c, file, 0, NULL, &faults), -1);
    ck_assert_uint_eq(faults.count, 4);
    ck_assert_uint_eq(said.n, 2);
    config_finish(&c);
}
END_TEST

static void count_only(void *context, const char *text)
{
    ck_assert_ptr_null(strchr(text, '\n'));
    ck_assert_uint_gt(strlen(text), 10);
    ++*(size_t *)context;
}

/* Damages a good text in up to eight places: a byte replaced, removed, doubled, or a stretch moved. */
static size_t damage(char *text, size_t n, uint64_t round)
{
    static const char odd[] = "[]=;#\n\r\t .,-+eE09\xff\x01:{\"";
    uint64_t places = 1 + random_below(8, 9, RANDOM_TEST, round, 0);
    for (uint64_t p = 0; p < places && n > 2; p++) {
        uint64_t key = 1 + 4 * p;
        size_t at = (size_t)random_below(n - 1, 9, RANDOM_TEST, round, key);
        char with = odd[random_below(sizeof odd - 1, 9, RANDOM_TEST, round, key + 1)];
        size_t length = (size_t)random_below(n - at, 9, RANDOM_TEST, round, key + 2) % 250;
        switch (random_below(5, 9, RANDOM_TEST, round, key + 3)) {
        case 0:
            text[at] = with;
            break;
        case 1:
            memmove(text + at, text + at + 1, n - at - 1);
            n--;
            break;
        case 2:
            memmove(text + at + 1, text + at, n - at);
            n++;
            break;
        case 3:
            memset(text + at, with, length);
            break;
        default:
            n -= length < n ? length : 0;
        }
    }
    text[n] = '\0';
    return n;
}

START_TEST(no_damage_to_a_text_breaks_the_reader)
{
    enum { ROUNDS = 4000 };
    char *body = other_text("\n", " ", " ; comment"), *text = malloc(30000);
    size_t accepted = 0, refused = 0;
    ck_assert_ptr_nonnull(text);
    for (uint64_t round = 0; round < ROUNDS; round++) {
        struct config c;
        struct faults faults;
        size_t heard = 0;
        strcpy(text, body);
        size_t n = damage(text, strlen(text), round);
        write_bytes(file, text, n);
        const char *const override[] = {text, text + n / 2};
        faults_init(&faults, SIZE_MAX, count_only, &heard);
        int result = config_read(&c, file, round % 3 == 0 ? 2 : 0, override, &faults);
        ck_assert_uint_eq(heard, faults.count);
        ck_assert_int_eq(result, faults.count ? -1 : 0);
        if (result == 0) { /* what is accepted survives being written */
            struct config again;
            struct error error;
            char *first = config_write(&c, 1, &error);
            read_good(&again, first, NULL);
            char *second = config_write(&again, 1, &error);
            ck_assert_str_eq(first, second);
            memory_destroy(first);
            memory_destroy(second);
            config_finish(&again);
            accepted++;
        } else {
            refused++;
        }
        config_finish(&c);
    }
    ck_assert_uint_gt(accepted, 50);
    ck_assert_uint_gt(refused, 1000);
    free(body);
    free(text);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("config");
    TCase *cases = tcase_create("config");
    tcase_set_timeout(cases, 100);
    tcase_add_checked_fixture(cases, make_folder, remove_folder);
    tcase_add_test(cases, defaults_are_those_of_the_manual);
    tcase_add_test(cases, every_key_is_read_in_any_dress);
    tcase_add_test(cases, every_key_can_be_overridden);
    tcase_add_test(cases, the_rest_is_read_and_written_too);
    tcase_add_test(cases, a_list_may_be_emptied_by_an_override);
    tcase_add_test(cases, no_recurrent_layers_are_written_and_read_back);
    tcase_add_test(cases, what_is_written_reads_back_to_the_same_bytes);
    tcase_add_test(cases, a_comma_for_the_decimal_point_changes_nothing);
    tcase_add_test(cases, a_bad_value_is_refused_with_line_key_and_what_is_allowed);
    tcase_add_test(cases, good_values_at_the_edges);
    tcase_add_test(cases, the_bounds_that_messages_name_are_those_that_count);
    tcase_add_test(cases, large_numbers_are_taken);
    tcase_add_test(cases, the_default_microbatch_yields_to_a_smaller_batch);
    tcase_add_test(cases, an_override_may_have_blanks_around_its_names);
    tcase_add_test(cases, all_faults_are_reported_in_order);
    tcase_add_test(cases, there_are_as_many_quantiles_as_is_said);
    tcase_add_test(cases, lists_have_a_longest);
    tcase_add_loop_test(cases, as_many_weights_as_classes_can_be_given, 0, 2);
    tcase_add_test(cases, lines_of_weights_are_joined_and_each_can_be_at_fault);
    tcase_add_test(cases, keys_that_contradict_each_other_are_refused);
    tcase_add_test(cases, options_that_cannot_be_used_are_refused);
    tcase_add_test(cases, options_that_are_harmless_are_taken);
    tcase_add_test(cases, what_has_a_fault_already_is_judged_no_further);
    tcase_add_test(cases, training_data_must_be_named);
    tcase_add_test(cases, intervals_stand_side_by_side_and_come_back_as_they_were);
    tcase_add_test(cases, the_manual_names_every_key_and_its_default);
    tcase_add_test(cases, the_checkpoint_format_lists_the_keys_of_the_network_in_their_order);
    tcase_add_test(cases, a_semicolon_begins_a_comment_only_after_a_blank);
    tcase_add_test(cases, a_list_of_files_is_cut_at_commas);
    tcase_add_test(cases, lines_have_any_length);
    tcase_add_test(cases, what_config_ini_could_not_hold_is_refused);
    tcase_add_test(cases, sections_may_come_twice_keys_may_not);
    tcase_add_test(cases, the_last_override_counts_and_the_value_is_taken_as_it_is);
    tcase_add_test(cases, files_that_are_no_configuration);
    tcase_add_test(cases, paths_are_relative_to_the_file_and_become_absolute);
    tcase_add_test(cases, the_home_folder_is_put_in);
    tcase_add_test(cases, a_changed_key_is_refused_with_both_values);
    tcase_add_test(cases, equal_configurations_differ_in_nothing);
    tcase_add_test(cases, more_epochs_are_refused_where_the_schedule_depends_on_them);
    tcase_add_test(cases, a_saved_text_that_cannot_be_read_is_a_fault);
    tcase_add_test(cases, a_key_that_is_not_set_takes_the_value_of_the_run);
    tcase_add_test(cases, a_key_that_is_set_keeps_its_value);
    tcase_add_test(cases, a_key_goes_with_what_the_run_has_of_another);
    tcase_add_test(cases, a_key_contradicts_what_the_run_has_of_another);
    tcase_add_test(cases, a_list_is_compared_as_it_was_given);
    tcase_add_loop_test(cases, a_former_name_is_read_with_a_warning_that_names_the_new_one, 0, 2);
    tcase_add_test(cases, a_former_name_can_be_set_with_a_warning);
    tcase_add_loop_test(cases, both_names_of_a_key_at_once_are_refused, 0, 4);
    tcase_add_test(cases, a_fault_of_a_former_name_is_told_by_that_name);
    tcase_add_test(cases, an_old_checkpoint_is_compared_without_a_word);
    tcase_add_test(cases, faults_beyond_the_most_are_counted_not_said);
    tcase_add_test(cases, no_damage_to_a_text_breaks_the_reader);
    suite_add_tcase(suite, cases);
    return suite_run(suite);
}

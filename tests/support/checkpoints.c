#include "support/checkpoints.h"

#include "base/hash.h"
#include "base/memory.h"
#include "base/random.h"
#include "ckpt/layout.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static char *copy_text(const char *text)
{
    char *copy = memory_create(strlen(text) + 1, 1, NULL);
    return strcpy(copy, text);
}

static void fill_model(struct checkpoint *c, const struct net *net, int64_t step)
{
    size_t n;
    const struct parameter *parameter = net_get_parameters(net, &n);
    c->model = *net_get_config(net);
    c->parameters = n;
    c->parameter = memory_create(n, sizeof *parameter, NULL);
    memcpy(c->parameter, parameter, n * sizeof *parameter);
    c->count = net_count_parameters(net);
    c->weights = memory_create(c->count, sizeof(float), NULL);
    for (size_t m = 0; m < optim_count_moments(c->optimizer); m++)
        c->moments[m] = memory_create(c->count, sizeof(float), NULL);
    for (size_t i = 0; i < c->count; i++) {
        c->weights[i] = (float)random_normal(1, RANDOM_TEST, (uint64_t)step, i);
        for (size_t m = 0; m < optim_count_moments(c->optimizer); m++)
            c->moments[m][i] = (float)random_normal(2 + m, RANDOM_TEST, (uint64_t)step, i);
    }
    c->weights[0] = -0.0f;
    c->weights_hash = hash_bytes(c->weights, c->count * sizeof(float));
}

static void fill_names(struct net_names *names, enum names_of of, const char *first, const char *second)
{
    size_t n = strlen(first) + 1;
    char **text = memory_create(2 * sizeof *text + n + strlen(second) + 1, 1, NULL);
    text[0] = (char *)(text + 2);
    text[1] = text[0] + n;
    strcpy(text[0], first);
    strcpy(text[1], second);
    names->list[of] = (struct name_list){2, text};
}

/* Of a network that has a layer. */
static void fill_flow(struct checkpoint *c)
{
    size_t directions = flow_count_directions(&c->model);
    ck_assert_int_eq(flow_curves_init(&c->flow.curves, directions, 5, NULL), 0);
    for (size_t i = 0; i < directions * 5; i++)
        c->flow.curves.norm[i] = i == 3 ? NAN : i == 4 ? INFINITY : 1.0 / (double)(i + 3);
    c->flow.epoch = 1;
    c->flow.rows = 10;
}

static void fill_rest(struct checkpoint *c, int64_t step)
{
    c->config = copy_text("[model]\ncell = lstm\n; dr\xc3\xb6lf\n");
    c->optim = (struct optim_state){.step = step,
        .power1 = 0.5,
        .power2 = 0.25,
        .plateau_factor = 0.1,
        .plateau_best = INFINITY,
        .plateau_wait = 3,
        .reduction = 0.125};
    c->progress = (struct progress){.epoch = 2,
        .step = step,
        .position = 5,
        .epoch_loss = 1.5,
        .epoch_errors = 7,
        .epoch_counted = 100,
        .epoch_labels = 90,
        .best = 0.625,
        .best_step = 4,
        .best_epoch = 1,
        .waited = 2,
        .loss = 0.75,
        .error = NAN,
        .train_loss = 0.875,
        .train_error = 0.0625,
        .finished = 1,
        .metrics_rows = 1234,
        .skipped = 2,
        .backs = 3,
        .anchor = step,
        .plan_version = 2};
    c->version = CHECKPOINT_VERSION;
    c->data[DATA_TRAIN] = (struct fingerprint){1, 0x0123456789abcdefu, 3, 4, 1};
    c->data[DATA_VALID] = (struct fingerprint){5, 6, 0, 0, 0};
    fill_names(&c->names, NAMES_OF_FEATURES, "first", "second");
    fill_names(&c->names, NAMES_OF_CLASSES, "", "zw\xc3\xb6lf");
    c->classes = 2;
    c->features = 2;
    c->mean = memory_create(2, sizeof(double), NULL);
    c->deviation = memory_create(2, sizeof(double), NULL);
    c->mean[0] = 0.1;
    c->mean[1] = -2;
    c->deviation[0] = 1;
    c->deviation[1] = 1e-3;
    c->provenance = (struct provenance){.version = copy_text("0.1.0"),
        .command = copy_text("rnn-train x.ini"),
        .hosts = copy_text("node1 node2"),
        .libraries = copy_text("HDF5"),
        .job = copy_text(""),
        .time = copy_text("2024-05-06T07:08:09"),
        .run = copy_text(CHECKPOINTS_RUN),
        .files = {copy_text("device=1\ndevice=2\ndevice=3"), copy_text("")},
        .ranks = 2};
}

struct net_config checkpoints_config(size_t layers, size_t hidden)
{
    struct net_config config = {.cell = CELL_LSTM,
        .output = OUTPUT_SEQUENCE,
        .loss = LOSS_SIGMOID,
        .layers = layers,
        .inputs = 2,
        .outputs = 2,
        .dropout = 0.25,
        .huber_delta = 1,
        .quantiles = 3,
        .quantile = {0.1, 0.5, 0.9},
        .decoder_layers = 1};
    for (size_t l = 0; l < layers; l++) {
        config.hidden[l] = hidden ? hidden : 3;
        config.bidirectional[l] = l % 2 == 0;
    }
    return config;
}

struct net *checkpoints_make_of(struct checkpoint *checkpoint, const struct net_config *config, int64_t step)
{
    struct error error = {0};
    struct net *net = net_create(config, &error);
    ck_assert_msg(net != NULL, "%s", error.text);
    checkpoint_init(checkpoint);
    checkpoint->optimizer = OPTIMIZER_ADAM;
    fill_model(checkpoint, net, step);
    fill_rest(checkpoint, step);
    if (config->layers > 0)
        fill_flow(checkpoint);
    return net;
}

struct net *checkpoints_make(struct checkpoint *checkpoint, size_t layers, size_t hidden, int64_t step)
{
    const struct net_config config = checkpoints_config(layers, hidden);
    return checkpoints_make_of(checkpoint, &config, step);
}

static void compare_options(const struct net_config *a, const struct net_config *b)
{
    ck_assert(a->input_layers == b->input_layers && a->output_layers == b->output_layers);
    for (size_t l = 0; l < a->input_layers; l++)
        ck_assert_uint_eq(a->input_size[l], b->input_size[l]);
    for (size_t l = 0; l < a->output_layers; l++)
        ck_assert_uint_eq(a->output_size[l], b->output_size[l]);
    ck_assert(a->transition_layers == b->transition_layers && a->residual == b->residual);
    ck_assert(a->normalize == b->normalize && a->initial_state == b->initial_state);
    ck_assert(a->peepholes == b->peepholes && a->recurrent_dropout == b->recurrent_dropout);
    ck_assert(a->forget_bias.given == b->forget_bias.given && a->timescale == b->timescale);
    ck_assert(a->forget_bias.number == b->forget_bias.number && a->recurrent_max == b->recurrent_max);
    ck_assert(a->input_noise == b->input_noise && a->label_smoothing == b->label_smoothing);
    ck_assert(a->huber_delta == b->huber_delta && a->quantiles == b->quantiles &&
        memcmp(a->quantile, b->quantile, a->quantiles * sizeof *a->quantile) == 0 &&
        a->class_weights == b->class_weights);
    for (size_t c = 0; c < a->class_weights; c++)
        ck_assert(a->class_weight[c] == b->class_weight[c]);
    ck_assert(a->attention == b->attention && a->decoder_layers == b->decoder_layers);
    ck_assert(a->decoder_hidden == b->decoder_hidden && a->decoder_embedding == b->decoder_embedding);
    ck_assert(a->attention_size == b->attention_size && a->target_length == b->target_length);
}

static void compare_models(const struct net_config *a, const struct net_config *b)
{
    ck_assert(a->cell == b->cell && a->output == b->output && a->loss == b->loss && a->layers == b->layers);
    for (size_t l = 0; l < a->layers; l++)
        ck_assert(a->hidden[l] == b->hidden[l] && a->bidirectional[l] == b->bidirectional[l]);
    ck_assert(a->inputs == b->inputs && a->symbols == b->symbols && a->embedding == b->embedding);
    ck_assert(a->outputs == b->outputs && a->dropout == b->dropout);
    compare_options(a, b);
}

static void compare_parameters(const struct checkpoint *a, const struct checkpoint *b)
{
    ck_assert_uint_eq(a->parameters, b->parameters);
    ck_assert_uint_eq(a->count, b->count);
    for (size_t i = 0; i < a->parameters; i++) {
        const struct parameter *p = &a->parameter[i], *q = &b->parameter[i];
        ck_assert_str_eq(p->name, q->name);
        ck_assert(p->dimensions == q->dimensions && p->size[0] == q->size[0] && p->size[1] == q->size[1]);
        ck_assert(p->offset == q->offset && p->count == q->count);
    }
}

/* Bit by bit, since what has not been measured yet is NaN. */
static void compare_numbers(double a, double b)
{
    ck_assert_mem_eq(&a, &b, sizeof a);
}

static void compare_progress(const struct progress *a, const struct progress *b)
{
    ck_assert_int_eq(a->epoch, b->epoch);
    ck_assert_int_eq(a->step, b->step);
    ck_assert_int_eq(a->position, b->position);
    compare_numbers(a->epoch_loss, b->epoch_loss);
    compare_numbers(a->epoch_errors, b->epoch_errors);
    compare_numbers(a->epoch_counted, b->epoch_counted);
    compare_numbers(a->epoch_labels, b->epoch_labels);
    compare_numbers(a->best, b->best);
    ck_assert_int_eq(a->best_step, b->best_step);
    ck_assert_int_eq(a->best_epoch, b->best_epoch);
    ck_assert_int_eq(a->waited, b->waited);
    compare_numbers(a->loss, b->loss);
    compare_numbers(a->error, b->error);
    compare_numbers(a->train_loss, b->train_loss);
    compare_numbers(a->train_error, b->train_error);
    ck_assert_int_eq(a->finished, b->finished);
    ck_assert_int_eq(a->metrics_rows, b->metrics_rows);
    ck_assert_int_eq(a->skipped, b->skipped);
    ck_assert_int_eq(a->backs, b->backs);
    ck_assert_int_eq(a->anchor, b->anchor);
    ck_assert_int_eq(a->plan_version, b->plan_version);
}

static void compare_pieces(const struct checkpoint *a, const struct checkpoint *b)
{
    ck_assert(a->going == b->going && a->numbers == b->numbers && a->ends.n == b->ends.n);
    if (a->going)
        ck_assert_mem_eq(a->states, b->states, a->going * a->numbers * sizeof *a->states);
    if (a->ends.n)
        ck_assert_mem_eq(a->ends.step, b->ends.step, a->ends.n * sizeof *a->ends.step);
}

static void compare_data(const struct checkpoint *a, const struct checkpoint *b)
{
    for (int i = 0; i < DATA_SETS; i++) {
        const struct fingerprint *p = &a->data[i], *q = &b->data[i];
        ck_assert(p->shape == q->shape && p->sample == q->sample && p->complete == q->complete);
        ck_assert(p->inputs == q->inputs && p->targets == q->targets);
    }
    for (size_t i = 0; i < NAMES_LISTS; i++) {
        const struct name_list *p = &a->names.list[i], *q = &b->names.list[i];
        ck_assert_uint_eq(p->n, q->n);
        for (size_t row = 0; row < p->n; row++)
            ck_assert_str_eq(p->text[row], q->text[row]);
    }
}

static void compare_flow(const struct flow_record *a, const struct flow_record *b)
{
    ck_assert(a->epoch == b->epoch && a->rows == b->rows);
    ck_assert_uint_eq(a->curves.directions, b->curves.directions);
    ck_assert_uint_eq(a->curves.distances, b->curves.distances);
    for (size_t i = 0; i < a->curves.directions * a->curves.distances; i++)
        compare_numbers(a->curves.norm[i], b->curves.norm[i]);
}

void checkpoints_compare(const struct checkpoint *a, const struct checkpoint *b)
{
    ck_assert_str_eq(a->config, b->config);
    ck_assert_uint_eq(a->weights_hash, b->weights_hash);
    compare_models(&a->model, &b->model);
    compare_parameters(a, b);
    ck_assert_mem_eq(a->weights, b->weights, a->count * sizeof(float));
    ck_assert_int_eq(a->optimizer, b->optimizer);
    ck_assert_mem_eq(&a->optim, &b->optim, sizeof a->optim);
    for (size_t m = 0; m < OPTIM_MOST_MOMENTS; m++) {
        ck_assert_int_eq(a->moments[m] != NULL, b->moments[m] != NULL);
        if (a->moments[m])
            ck_assert_mem_eq(a->moments[m], b->moments[m], a->count * sizeof(float));
    }
    compare_progress(&a->progress, &b->progress);
    compare_pieces(a, b);
    compare_data(a, b);
    compare_flow(&a->flow, &b->flow);
    ck_assert_int_eq(a->classes, b->classes);
    ck_assert_uint_eq(a->features, b->features);
    if (a->features) {
        ck_assert_mem_eq(a->mean, b->mean, a->features * sizeof(double));
        ck_assert_mem_eq(a->deviation, b->deviation, a->features * sizeof(double));
    }
}

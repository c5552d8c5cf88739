/* The rules for what a network can be, asked without a configuration file: what each objection is to, and
 * that what follows from a dataset is judged only where there is one. */
#include "support/suite.h"

#include "net/check.h"
#include "net/net.h"
#include "net/outputs/output.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct told {
    size_t n;
    char member[64];
    int symbols; /* an objection was to the lack of rows */
};

static void take(void *context, const struct net_objection *objection)
{
    struct told *told = context;
    ck_assert_uint_gt(strlen(objection->text), 0);
    told->symbols |= strstr(objection->text, "needs rows of values") != NULL;
    if (told->n++ == 0)
        strcpy(told->member, objection->member);
}

static struct net_config sound(void)
{
    return (struct net_config){.cell = CELL_LSTM, .layers = 1, .hidden = {4}, .inputs = 3, .outputs = 2};
}

static struct net_config decoder(void)
{
    return (struct net_config){.output = OUTPUT_DECODER,
        .layers = 1,
        .hidden = {4},
        .inputs = 3,
        .outputs = 2,
        .attention = ATTENTION_DOT,
        .decoder_layers = 1,
        .decoder_hidden = 4,
        .decoder_embedding = 2};
}

/* Only the first objection counts where one fault breaks more than one rule. */
static void expect(const struct net_config *config, const char *member)
{
    struct told told = {0};
    size_t n = net_config_check(config, take, &told);
    ck_assert_uint_eq(n, told.n);
    ck_assert_uint_eq(n, net_config_check(config, NULL, NULL));
    ck_assert_str_eq(told.member, member);
}

START_TEST(a_sound_network_meets_no_objection)
{
    struct net_config config = sound();
    expect(&config, "");
    config = decoder();
    expect(&config, "");
}
END_TEST

START_TEST(lists_longer_than_their_arrays_are_not_read)
{
    struct net_config config = sound();
    config.layers = NET_MOST_LAYERS + 1;
    expect(&config, "layers");
    config = sound();
    config.output_layers = SIZE_MAX;
    expect(&config, "output_layers");
    config = sound();
    config.class_weights = NET_MOST_CLASS_WEIGHTS + 1;
    expect(&config, "class_weights");
}
END_TEST

START_TEST(numbers_out_of_range_are_refused)
{
    static const double parts[] = {-0.1, 1, INFINITY, NAN};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        struct net_config config = sound();
        config.dropout = parts[i];
        expect(&config, "dropout");
    }
    struct net_config config = sound();
    config.hidden[0] = 0;
    expect(&config, "hidden");
    config = sound();
    config.timescale = NAN;
    expect(&config, "timescale");
    config = sound();
    config.forget_bias = (struct net_choice){.given = 1, .number = NAN};
    expect(&config, "forget_bias");
    config = sound();
    config.input_noise = NAN;
    expect(&config, "input_noise");
    config = sound();
    config.class_weights = 2;
    config.class_weight[0] = 1;
    config.class_weight[1] = -1;
    expect(&config, "class_weights");
}
END_TEST

START_TEST(delta_is_judged_where_the_loss_reads_it)
{
    struct net_config config = sound();
    config.loss = LOSS_MAE;
    expect(&config, "");
    config.loss = LOSS_HUBER;
    expect(&config, "huber_delta");
}
END_TEST

START_TEST(quantiles_are_judged_where_the_loss_reads_them)
{
    struct net_config config = sound();
    config.loss = LOSS_GAUSSIAN;
    expect(&config, "");
    config.loss = LOSS_QUANTILE;
    expect(&config, "quantiles");
    config.quantiles = 2;
    config.quantile[0] = 0.25;
    config.quantile[1] = 0.75;
    expect(&config, "");
    config.quantile[1] = 0.25;
    expect(&config, "quantiles");
    config.quantile[1] = 1;
    expect(&config, "quantiles");
    config.quantile[1] = NAN;
    expect(&config, "quantiles");
    config.quantiles = NET_MOST_QUANTILES + 1;
    expect(&config, "quantiles");
}
END_TEST

/* Sizes of a decoder are open until a dataset is known. */
START_TEST(what_follows_from_the_dataset_is_judged_with_one)
{
    struct net_config config = decoder();
    config.decoder_hidden = config.decoder_embedding = 0;
    expect(&config, "decoder_hidden");
    config.inputs = config.outputs = 0;
    expect(&config, "");
    config = decoder();
    config.loss = LOSS_MSE;
    config.decoder_embedding = 0;
    expect(&config, "target_length");
    config = sound();
    config.embedding = 2;
    expect(&config, "embedding");
    config.symbols = 1;
    expect(&config, "");
}
END_TEST

/* ---- an output where there are no layers ---- */

enum inputs { REAL, ONE_HOT, EMBEDDED, INPUTS };
enum {
#define OUTPUT(enumerator, name) COUNT_##enumerator,
#include "net/outputs/list.h"
#undef OUTPUT
    OUTPUTS,
    ROWS = 3
};
static const int32_t lengths[ROWS] = {5, 2, 1};

static struct net_config flat(enum output output, enum inputs inputs)
{
    struct net_config config = decoder();
    if (!output_kinds[output]->has_decoder)
        config = (struct net_config){.inputs = 3, .outputs = 2};
    config.output = output;
    config.layers = 0;
    config.symbols = inputs != REAL;
    config.embedding = inputs == EMBEDDED ? 4 : 0;
    return config;
}

/* One of each sequence and frame, as the kind of the output wants its targets. */
static void fill(const struct net_config *config, struct microbatch *microbatch)
{
    enum per targets = output_of(config)->targets;
    const int64_t sequences[ROWS] = {0, 1, 2};
    const int32_t ones[ROWS] = {1, 1, 1};
    struct microbatch_format format = {.inputs = config->symbols ? 0 : config->inputs,
        .has_classes = 1,
        .target_per_frame = targets == PER_FRAME,
        .target_any = targets == PER_TARGET};
    microbatch_init(microbatch);
    ck_assert_int_eq(microbatch_resize(microbatch, &format, ROWS, lengths, sequences, ones, NULL), 0);
    for (size_t n = 0; n < microbatch->N; n++) {
        if (config->symbols)
            microbatch->symbols[n] = (int32_t)(n % config->inputs);
        for (size_t i = 0; i < config->inputs && !config->symbols; i++)
            microbatch->inputs[n * microbatch->inputs_stride + i] = 0.1F * (float)(n + i);
    }
    for (size_t r = 0; r < microbatch->target_rows; r++)
        microbatch->classes[r] = (int32_t)(r % config->outputs);
}

/* A pass there and back: what it needs is there, and what it gives are numbers. */
static void run(const struct net_config *config)
{
    const struct net_pass training = {.training = 1};
    struct net_outputs outputs;
    struct net_score score[ROWS];
    struct microbatch microbatch;
    struct net *net = net_create(config, NULL);
    ck_assert_ptr_nonnull(net);
    size_t P = net_count_parameters(net);
    float *weights = calloc(P, sizeof *weights), *gradient = calloc(P, sizeof *gradient);
    ck_assert_int_eq(net_init_weights(net, 1, weights, NULL), 0);
    net_pack(net, weights);
    fill(config, &microbatch);
    ck_assert_int_eq(net_forward(net, &training, &microbatch, &outputs, score, NULL), 0);
    net_backward(net, &training, &microbatch, gradient);
    for (size_t b = 0; b < ROWS; b++)
        ck_assert_double_gt(score[b].loss, 0);
    for (size_t p = 0; p < P; p++)
        ck_assert(isfinite(gradient[p]));
    microbatch_finish(&microbatch);
    free(weights);
    free(gradient);
    net_destroy(net);
}

/* Symbols that nothing embeds are no rows of numbers: an output that would read such rows is refused, and one
 * that says it can do without really does. */
START_TEST(an_output_without_layers_works_or_is_refused)
{
    enum output output = (enum output)(_i / INPUTS);
    enum inputs inputs = (enum inputs)(_i % INPUTS);
    struct net_config config = flat(output, inputs);
    struct told told = {0};
    if (net_config_check(&config, take, &told) == 0)
        run(&config);
    else
        ck_assert_str_eq(told.member, "layers");
    ck_assert_int_eq(told.symbols, inputs == ONE_HOT && !output_kinds[output]->takes_symbols);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("net check");
    TCase *cases = tcase_create("net check");
    tcase_add_test(cases, a_sound_network_meets_no_objection);
    tcase_add_test(cases, lists_longer_than_their_arrays_are_not_read);
    tcase_add_test(cases, numbers_out_of_range_are_refused);
    tcase_add_test(cases, delta_is_judged_where_the_loss_reads_it);
    tcase_add_test(cases, quantiles_are_judged_where_the_loss_reads_them);
    tcase_add_test(cases, what_follows_from_the_dataset_is_judged_with_one);
    tcase_add_loop_test(cases, an_output_without_layers_works_or_is_refused, 0, OUTPUTS * INPUTS);
    suite_add_tcase(suite, cases);
    return suite_run(suite);
}

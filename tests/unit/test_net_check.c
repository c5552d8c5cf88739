/* The rules for what a network can be, asked without a configuration file: what each objection is to, and
 * that what follows from a dataset is judged only where there is one. */
#include "support/suite.h"

#include "net/check.h"

#include <check.h>
#include <math.h>
#include <string.h>

struct told {
    size_t n;
    char member[64];
};

static void take(void *context, const struct net_objection *objection)
{
    struct told *told = context;
    ck_assert_uint_gt(strlen(objection->text), 0);
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

int main(void)
{
    Suite *suite = suite_create("net check");
    TCase *cases = tcase_create("net check");
    tcase_add_test(cases, a_sound_network_meets_no_objection);
    tcase_add_test(cases, lists_longer_than_their_arrays_are_not_read);
    tcase_add_test(cases, numbers_out_of_range_are_refused);
    tcase_add_test(cases, delta_is_judged_where_the_loss_reads_it);
    tcase_add_test(cases, what_follows_from_the_dataset_is_judged_with_one);
    suite_add_tcase(suite, cases);
    return suite_run(suite);
}

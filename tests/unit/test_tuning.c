/* Patterns of parameters' names: what they freeze, which rate of several a tensor has, and which name comes
 * nearest to one that is none. */
#include "base/memory.h"
#include "pass/tuning.h"
#include "support/suite.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

/* Tensors 0 to 3 are of layer 0, 4 to 7 of layer 1, and then there are weight and bias of the head. */
static struct net *make_net(void)
{
    const struct net_config model = {
        .cell = CELL_LSTM, .layers = 2, .hidden = {3, 3}, .inputs = 2, .outputs = 2};
    struct net *net = net_describe(&model, NULL);
    ck_assert_ptr_nonnull(net);
    return net;
}

static double *tune(struct net *net, const char *freeze, const char *rate_of, struct error *error)
{
    static struct config config;
    config_init(&config);
    snprintf(config.train.freeze, sizeof config.train.freeze, "%s", freeze);
    snprintf(config.train.rate_of, sizeof config.train.rate_of, "%s", rate_of);
    return tuning_create(&config, net, error);
}

/* The factors as one digit each. */
static void expect(const char *freeze, const char *rate_of, const char *want)
{
    struct error error = {0};
    struct net *net = make_net();
    size_t n, trained = 0;
    const struct parameter *parameter = net_get_parameters(net, &n);
    double *factor = tune(net, freeze, rate_of, &error);
    ck_assert_msg(factor != NULL, "%s", error.text);
    ck_assert_uint_eq(n, strlen(want));
    for (size_t i = 0; i < n; i++) {
        ck_assert_msg(factor[i] == want[i] - '0', "%s: %g", parameter[i].name, factor[i]);
        ck_assert_int_eq(parameter[i].frozen, want[i] == '0');
        trained += parameter[i].frozen ? 0 : parameter[i].count;
    }
    ck_assert_uint_eq(net_count_trained(net), trained);
    memory_destroy(factor);
    net_destroy(net);
}

static void expect_refused(const char *freeze, const char *rate_of, const char *part)
{
    struct error error = {0};
    struct net *net = make_net();
    ck_assert_ptr_null(tune(net, freeze, rate_of, &error));
    ck_assert_int_eq(error.code, EXIT_CODE_DATA);
    ck_assert_msg(strstr(error.text, part) != NULL, "'%s' lacks '%s'", error.text, part);
    net_destroy(net);
}

START_TEST(patterns_are_those_of_the_shell)
{
    expect("", "", "1111111111");
    expect("rnn.*", "", "0000000011");
    expect("*_l0", "", "0000111111");
    expect("*_l0 *_l1", "", "0000000011");
    expect("rnn.weight_?h_l[1-9]", "", "1111001111");
    expect("rnn.bias_[!i]h_l0 head.bias", "", "1110111110");
    expect("head.weight", "", "1111111101");
}
END_TEST

START_TEST(of_several_rates_the_last_counts_and_none_of_what_is_frozen)
{
    expect("", "rnn.* 2", "2222222211");
    expect("", "rnn.* 2 *_l1 3", "2222333311");
    expect("", "*_l1 3 rnn.*_l0 2 head.* 4", "2222333344");
    expect("*_l0", "rnn.* 2", "0000222211");
    expect_refused(
        "", "*_l1 3 rnn.* 2", "all that '*_l1' matches is frozen, or has its rate by a later pattern");
    expect_refused("rnn.*", "*_l1 3", "all that '*_l1' matches is frozen");
    expect_refused("", "head.* 2 head.* 2", "all that 'head.*' matches");
}
END_TEST

START_TEST(the_nearest_name_is_told)
{
    expect_refused("rnn.weight_hh_l2", "", "the nearest is rnn.weight_hh_l0");
    expect_refused("rnn.wieght_hh_l1", "", "the nearest is rnn.weight_hh_l1");
    expect_refused("hed.w*", "", "the nearest is head.weight");
    expect_refused("head.?ias_", "", "the nearest is head.bias");
    expect_refused("*bais_ih_l1", "", "the nearest is rnn.bias_ih_l1");
    expect_refused(
        "", "haed.* 2", "train.rate_of: no parameter has a name like 'haed.*'; the nearest is head.");
    expect_refused("rnn.* head.*", "", "all 10 tensors are frozen, so that there is nothing to train");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("tuning");
    TCase *cases = tcase_create("tuning");
    tcase_add_test(cases, patterns_are_those_of_the_shell);
    tcase_add_test(cases, of_several_rates_the_last_counts_and_none_of_what_is_frozen);
    tcase_add_test(cases, the_nearest_name_is_told);
    suite_add_tcase(suite, cases);
    return suite_run(suite);
}

/* The serial reference against itself (slopes by central differences) and against figures that PyTorch 1.13
 * gave in double precision for weights and inputs made from sines, so that nothing but a few sums had to be
 * written down. */
#include "reference/net_options.h"
#include "reference/problem.h"
#include "support/suite.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { CELLS = 7, OUTPUTS = 2, LOSSES = 3, ALL_LOSSES = 8, INPUTS = 3 };

static double total_loss(const struct problem *problem, const double *weights)
{
    double loss = 0;
    for (size_t s = 0; s < problem->sequences; s++)
        loss += reference_get_score(&problem->config, weights, &problem->sequence[s]).loss;
    return loss;
}

/* Where sanitizers look on, every seventh slope: they see the memory that is touched, which is the same for
 * all.
 */
enum { SPARSE = SUITE_IS_SANITIZED ? 7 : 1 };

/* Every element of the gradient, or with a stride every stride-th from `first` on, against
 * (f(w + e) - f(w - e)) / 2e; the difference's own error is of the order of e^2 plus 1e-16 f / e. A
 * normalization of units that are nearly all 0, as those of a rectified cell may be, is so curved that it
 * wants a smaller e. */
static void check_slopes_of(
    struct problem *problem, size_t first, size_t stride, double tolerance, const char *text)
{
    const double e = problem->config.normalize ? 2e-6 : 1e-5;
    double *gradient = reference_numbers(problem->P), *slope = reference_numbers(problem->P);
    for (size_t s = 0; s < problem->sequences; s++)
        reference_backward(&problem->config, problem->weights, &problem->sequence[s], gradient);
    memcpy(slope, gradient, problem->P * sizeof *slope);
    for (size_t p = first; p < problem->P; p += stride * SPARSE) {
        double held = problem->weights[p];
        problem->weights[p] = held + e;
        double above = total_loss(problem, problem->weights);
        problem->weights[p] = held - e;
        slope[p] = (above - total_loss(problem, problem->weights)) / (2 * e);
        problem->weights[p] = held;
    }
    char worst[64];
    double difference = problem_compare(problem, gradient, slope, 1e-2, worst);
    ck_assert_msg(difference < tolerance, "%s: %s differs by %g", text, worst, difference);
    free(gradient);
    free(slope);
}

static const int32_t slope_lengths[] = {1, 2, 7};

static void check_slopes(const struct net_config *config, uint64_t seed)
{
    struct problem problem;
    problem_init(&problem, config, 3, slope_lengths, seed);
    check_slopes_of(&problem, 0, 1, 1e-7, "no options");
    problem_finish(&problem);
}

/* One cell, `layers` of it, in one direction or both (with three layers: the middle one in one). */
static void check_all_slopes(enum cell cell, size_t layers, int both)
{
    for (int which = 0; which < OUTPUTS * LOSSES * INPUTS; which++) {
        int inputs = which / (OUTPUTS * LOSSES);
        struct net_config config = {.cell = cell,
            .output = (enum output)(which % OUTPUTS),
            .loss = (enum loss)(which / OUTPUTS % LOSSES),
            .layers = layers,
            .hidden = {3, 2, 4},
            .bidirectional = {both, both && layers < 3, both},
            .inputs = 3,
            .symbols = inputs > 0,
            .embedding = inputs == 2 ? 2 : 0,
            .outputs = 3};
        check_slopes(&config, 100 + (uint64_t)which);
    }
}

START_TEST(gradient_matches_slope)
{
    for (size_t layers = 1; layers <= 3; layers++)
        for (int both = 0; both < 2; both++)
            check_all_slopes((enum cell)_i, layers, both);
}
END_TEST

/* Another for each layer and direction; layers are at most 4 wide. */
static void set_masks(struct problem *problem)
{
    static const double kept[] = {1.5, 0, 1.5, 1.5, 0, 1.5, 0, 1.5, 1.5};
    for (size_t s = 0; s < problem->sequences; s++)
        for (size_t k = 0; k < 2 * problem->config.layers; k++)
            problem->sequence[s].mask[k / 2][k % 2] = kept + k;
}

/* Both kinds of output, one kind of input, in one direction and both; every stride-th element of the
 * gradient, others each time. */
static void check_options(enum cell cell, enum loss loss, int inputs, size_t n,
    const struct net_option *const chosen[], size_t stride, const char *text)
{
    for (int which = 0; which < OUTPUTS * 2; which++) {
        int both = which / OUTPUTS;
        struct net_config config = {.cell = cell,
            .output = (enum output)(which % OUTPUTS),
            .loss = loss,
            .layers = 3,
            .hidden = {3, 4, 2},
            .bidirectional = {both, 1, both},
            .inputs = 3,
            .symbols = inputs > 0,
            .embedding = inputs == 2 ? 2 : 0,
            .outputs = 3};
        struct problem problem;
        net_options_apply(&config, n, chosen);
        config.input_size[0] = config.output_size[1] = 2;
        config.input_size[1] = config.output_size[0] = 4;
        problem_init(&problem, &config, 3, slope_lengths, 200 + (uint64_t)which);
        if (net_options_drop_targets(n, chosen))
            problem_drop_targets(&problem, 1);
        if (config.recurrent_dropout > 0)
            set_masks(&problem);
        check_slopes_of(&problem, (size_t)which % stride, stride, 1e-6, text);
        problem_finish(&problem);
    }
}

START_TEST(gradient_with_each_option_matches_slope)
{
    enum cell cell = (enum cell)_i;
    for (size_t k = 0; k < net_options_count; k++) {
        const struct net_option *option = &net_options[k];
        if (net_options_agree(cell, 1, &option))
            check_options(cell, (enum loss)(k % 3), (int)(k % INPUTS), 1, &option, 1, option->name);
    }
}
END_TEST

START_TEST(gradient_with_all_options_matches_slope)
{
    enum cell cell = (enum cell)(_i / ALL_LOSSES);
    enum loss loss = (enum loss)(_i % ALL_LOSSES);
    const struct net_option **chosen = calloc(net_options_count, sizeof *chosen);
    ck_assert_ptr_nonnull(chosen);
    size_t n = net_options_choose_all(cell, loss, chosen);
    for (int inputs = 0; inputs < INPUTS; inputs++)
        check_options(cell, loss, inputs, n, chosen, 7, "all options");
    free(chosen);
}
END_TEST

struct golden {
    enum cell cell;
    int both;
    enum output output;
    enum loss loss;
    double value, slope; /* loss; sum of gradient[p] sin(p / 10) */
};

static const struct golden goldens[] = {
    {CELL_RNN, 0, OUTPUT_FRAME, LOSS_SOFTMAX, 5.70118714360903, -1.1809791557267},
    {CELL_RNN_RELU, 1, OUTPUT_FRAME, LOSS_SIGMOID, 11.5889528910901, -1.06969344937913},
    {CELL_LSTM, 0, OUTPUT_SEQUENCE, LOSS_MSE, 0.783660771142845, -0.86677675816248},
    {CELL_LSTM, 1, OUTPUT_FRAME, LOSS_SOFTMAX, 5.73881260969548, -0.225838940641119},
    {CELL_GRU, 0, OUTPUT_FRAME, LOSS_MSE, 1.39962991406225, -1.16794664789419},
    {CELL_GRU, 1, OUTPUT_SEQUENCE, LOSS_SOFTMAX, 1.30014099360138, -0.12517965194078},
    {CELL_RNN, 1, OUTPUT_SEQUENCE, LOSS_SIGMOID, 3.0146616609116, -0.00974557179921248},
    {CELL_RNN_RELU, 0, OUTPUT_FRAME, LOSS_MSE, 2.81610868093116, 0.938515327519757},
};

START_TEST(loss_and_gradient_are_those_of_pytorch)
{
    enum { T = 4, I = 3, O = 4 };
    const struct golden *golden = &goldens[_i];
    struct net_config config = {.cell = golden->cell,
        .output = golden->output,
        .loss = golden->loss,
        .layers = 2,
        .hidden = {3, 3},
        .bidirectional = {golden->both, golden->both},
        .inputs = I,
        .outputs = O};
    double inputs[T * I], values[T * O];
    int32_t classes[T];
    for (int k = 0; k < T * I; k++)
        inputs[k] = cos(0.7 * k);
    for (int k = 0; k < T * O; k++)
        values[k] = cos(k) * cos(k);
    for (int t = 0; t < T; t++)
        classes[t] = (3 * t + 1) % O;
    struct reference_sequence sequence = {.T = T, .inputs = inputs, .classes = classes, .values = values};
    size_t P = reference_count_weights(&config);
    double *weights = reference_numbers(P), *gradient = reference_numbers(P), slope = 0;
    for (size_t p = 0; p < P; p++)
        weights[p] = 0.5 * sin((double)p + 0.3);
    struct reference_score score = reference_get_score(&config, weights, &sequence);
    reference_backward(&config, weights, &sequence, gradient);
    for (size_t p = 0; p < P; p++)
        slope += gradient[p] * sin(0.1 * (double)p);
    ck_assert_double_eq_tol(score.loss, golden->value, 1e-12);
    ck_assert_double_eq_tol(slope, golden->slope, 1e-12);
    ck_assert_double_eq(score.counted, golden->output == OUTPUT_FRAME ? T : 1);
    free(weights);
    free(gradient);
}
END_TEST

static const double steps[][3] = {
    {-0.052883883284714, 0.759373099128625, 0.873465956231577},  /* OPTIMIZER_SGD */
    {-0.112650394746603, 0.658638047762407, 0.82437770662364},   /* OPTIMIZER_MOMENTUM */
    {-0.148294870181963, 0.601985046340756, 0.798802687454062},  /* OPTIMIZER_NESTEROV */
    {-0.240385331727894, 0.486901613189853, 1.07787476446197},   /* OPTIMIZER_RMSPROP, alpha = beta2 */
    {-0.0794450436529613, 0.733733447679388, 0.937067908777874}, /* OPTIMIZER_ADAM */
    {-0.0794473237110831, 0.736246599424123, 0.938193927280856}, /* OPTIMIZER_ADAMW */
};

START_TEST(updates_are_those_of_pytorch)
{
    enum { P = 3, STEPS = 5 };
    struct optim_config config = {.optimizer = (enum optimizer)_i,
        .lr = 0.05,
        .momentum = 0.9,
        .beta1 = 0.8,
        .beta2 = 0.97,
        .epsilon = 1e-3,
        .weight_decay = 0.1,
        .clip = 1.2};
    struct reference_optimizer optimizer;
    reference_optimizer_init(&optimizer, &config, P);
    double weights[P], gradient[P];
    for (int p = 0; p < P; p++)
        weights[p] = sin(p);
    for (int s = 0; s < STEPS; s++) {
        for (int p = 0; p < P; p++)
            gradient[p] = cos(p + 1.7 * s) + 0.3 * weights[p];
        reference_optimizer_update(&optimizer, gradient, weights);
    }
    for (int p = 0; p < P; p++)
        ck_assert_double_eq_tol(weights[p], steps[_i][p], 1e-13);
    reference_optimizer_finish(&optimizer);
}
END_TEST

/* Losses by hand: a net without layers and with weights of zero gives its head's bias. */
static struct reference_score score_of_bias(
    struct net_config *config, const double *bias, const int32_t *class, const double *values)
{
    double input = 0.3, *weights = reference_numbers(2 * config->outputs);
    config->inputs = 1;
    for (size_t o = 0; o < config->outputs; o++)
        weights[config->outputs + o] = bias[o];
    struct reference_sequence sequence = {.T = 1, .inputs = &input, .classes = class, .values = values};
    struct reference_score score = reference_get_score(config, weights, &sequence);
    free(weights);
    return score;
}

START_TEST(losses_are_those_of_the_formulas)
{
    const double bias[] = {0, log(2), log(5)}, third[] = {1, 1, 1}, values[] = {0.2, 1.1, 4};
    const int32_t class = 1, none = -1;
    struct net_config softmax = {.outputs = 3,
        .class_weights = 3,
        .class_weight = {7, 3, 9},
        .label_smoothing = 0.3,
        .output = OUTPUT_SEQUENCE};
    double want = 3 * -(0.1 * log(1. / 8) + 0.8 * log(2. / 8) + 0.1 * log(5. / 8));
    struct reference_score score = score_of_bias(&softmax, bias, &class, NULL);
    ck_assert_double_eq_tol(score.loss, want, 1e-14);
    ck_assert(score.errors == 1 && score.counted == 1 && score.labels == 1);
    score = score_of_bias(&softmax, bias, &none, NULL);
    ck_assert(score.loss == 0 && score.errors == 0 && score.counted == 0 && score.labels == 0);
    struct net_config huber = {.outputs = 3, .loss = LOSS_HUBER, .huber_delta = 0.5}, mae = huber,
                      logcosh = huber;
    mae.loss = LOSS_MAE;
    logcosh.loss = LOSS_LOGCOSH;
    ck_assert_double_eq_tol(score_of_bias(&huber, third, NULL, values).loss,
        (0.5 * (0.8 - 0.25) + 0.1 * 0.1 / 2 + 0.5 * (3 - 0.25)) / 3, 1e-14);
    ck_assert_double_eq_tol(score_of_bias(&mae, third, NULL, values).loss, (0.8 + 0.1 + 3) / 3, 1e-14);
    ck_assert_double_eq_tol(score_of_bias(&logcosh, third, NULL, values).loss,
        (log(cosh(0.8)) + log(cosh(0.1)) + log(cosh(3))) / 3, 1e-14);
}
END_TEST

START_TEST(probabilities_of_a_row_sum_to_one)
{
    struct net_config config = {
        .cell = CELL_GRU, .layers = 1, .hidden = {5}, .bidirectional = {1}, .inputs = 2, .outputs = 7};
    const int32_t length[] = {9};
    struct problem problem;
    problem_init(&problem, &config, 1, length, 5);
    double outputs[9 * 7], entropy = 0;
    int wrong = 0;
    reference_forward(&config, problem.weights, problem.sequence, outputs);
    for (int t = 0; t < 9; t++) {
        double sum = 0;
        int32_t likeliest = 0;
        for (int32_t o = 0; o < 7; o++) {
            sum += outputs[t * 7 + o];
            if (outputs[t * 7 + o] > outputs[t * 7 + likeliest])
                likeliest = o;
        }
        ck_assert_double_eq_tol(sum, 1, 1e-14);
        wrong += likeliest != problem.sequence->classes[t];
        entropy -= log(outputs[t * 7 + problem.sequence->classes[t]]);
    }
    struct reference_score score = reference_get_score(&config, problem.weights, problem.sequence);
    ck_assert_double_eq_tol(score.loss, entropy, 1e-12);
    ck_assert_double_eq(score.errors, wrong);
    problem_finish(&problem);
}
END_TEST

START_TEST(lowest_class_wins_a_tie)
{
    struct net_config config = {
        .cell = CELL_RNN, .layers = 1, .hidden = {1}, .bidirectional = {0}, .inputs = 1, .outputs = 3};
    double *weights = reference_numbers(reference_count_weights(&config)), inputs[3] = {1, 2, 3};
    const int32_t classes[] = {0, 1, 2};
    struct reference_sequence sequence = {.T = 3, .inputs = inputs, .classes = classes};
    struct reference_score score = reference_get_score(&config, weights, &sequence);
    ck_assert_double_eq(score.errors, 2);
    ck_assert_double_eq_tol(score.loss, 3 * log(3), 1e-14);
    free(weights);
}
END_TEST

START_TEST(weights_lie_in_pytorchs_order)
{
    struct net_config config = {.cell = CELL_GRU,
        .layers = 2,
        .hidden = {5, 7},
        .bidirectional = {1, 0},
        .inputs = 11,
        .symbols = 1,
        .embedding = 4,
        .outputs = 3};
    static const struct {
        const char *name;
        size_t rows, columns;
    } wanted[] = {{"embedding.weight", 11, 4}, {"rnn.weight_ih_l0", 15, 4}, {"rnn.weight_hh_l0", 15, 5},
        {"rnn.bias_ih_l0", 15, 0}, {"rnn.bias_hh_l0", 15, 0}, {"rnn.weight_ih_l0_reverse", 15, 4},
        {"rnn.weight_hh_l0_reverse", 15, 5}, {"rnn.bias_ih_l0_reverse", 15, 0},
        {"rnn.bias_hh_l0_reverse", 15, 0}, {"rnn.weight_ih_l1", 21, 10}, {"rnn.weight_hh_l1", 21, 7},
        {"rnn.bias_ih_l1", 21, 0}, {"rnn.bias_hh_l1", 21, 0}, {"head.weight", 3, 7}, {"head.bias", 3, 0}};
    struct parameter list[REFERENCE_MOST_TENSORS];
    size_t n = reference_list_parameters(&config, list), offset = 0;
    ck_assert_uint_eq(n, sizeof wanted / sizeof *wanted);
    for (size_t k = 0; k < n; k++) {
        ck_assert_str_eq(list[k].name, wanted[k].name);
        ck_assert_uint_eq(list[k].size[0], wanted[k].rows);
        ck_assert_int_eq(list[k].dimensions, wanted[k].columns ? 2 : 1);
        ck_assert_uint_eq(list[k].size[1], wanted[k].columns);
        ck_assert_uint_eq(list[k].offset, offset);
        ck_assert_uint_eq(list[k].count, wanted[k].rows * (wanted[k].columns ? wanted[k].columns : 1));
        offset += list[k].count;
    }
    ck_assert_uint_eq(reference_count_weights(&config), offset);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("reference");
    TCase *cases = tcase_create("reference");
    tcase_set_timeout(cases, 100);
    tcase_add_loop_test(cases, gradient_matches_slope, 0, CELLS);
    tcase_add_loop_test(cases, gradient_with_each_option_matches_slope, 0, CELLS);
    tcase_add_loop_test(cases, gradient_with_all_options_matches_slope, 0, CELLS * ALL_LOSSES);
    tcase_add_loop_test(
        cases, loss_and_gradient_are_those_of_pytorch, 0, (int)(sizeof goldens / sizeof *goldens));
    tcase_add_loop_test(cases, updates_are_those_of_pytorch, 0, (int)(sizeof steps / sizeof *steps));
    tcase_add_test(cases, losses_are_those_of_the_formulas);
    tcase_add_test(cases, probabilities_of_a_row_sum_to_one);
    tcase_add_test(cases, lowest_class_wins_a_tie);
    tcase_add_test(cases, weights_lie_in_pytorchs_order);
    suite_add_tcase(suite, cases);
    return suite_run(suite);
}

/* The production network against the serial reference: outputs, losses and every element of the gradient.
 *
 * Float against double: each number may be off by TOLERANCE of the largest magnitude of its kind (all outputs
 * of the microbatch, one tensor of the gradient; where the sums of a tensor cancel nearly wholly, FLOOR
 * stands for what they were sums of). Typical is 1e-6, the worst case 2e-5. */
#include "reference/subject.h"
#include "support/suite.h"

#include "base/random.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define TOLERANCE 5e-5
#define FLOOR 1e-2

enum { CELLS = 7, SHAPES = 9, OUTPUTS = 2, LOSSES = 3, INPUTS = 3, MOST_ROWS = 13, MOST_LENGTH = 40 };
enum directions { ONE, BOTH, MIXED };

static size_t pick(uint64_t seed, uint64_t index, size_t n)
{
    return (size_t)random_below(n, seed, RANDOM_TEST, 7, index);
}

/* The reference's outputs of every sequence, in the order of the microbatch's rows. */
static double *expected_outputs(const struct problem *problem, const int32_t *length, size_t rows)
{
    const struct net_config *config = &problem->config;
    size_t O = config->outputs;
    double *want = reference_numbers(rows * O);
    for (size_t b = 0; b < problem->sequences; b++) {
        size_t R = reference_rows(config, problem->sequence[b].T);
        double *outputs = reference_numbers(R * O);
        reference_forward(config, problem->weights, &problem->sequence[b], outputs);
        for (size_t r = 0; r < R; r++)
            memcpy(want + subject_row(config, problem->sequences, length, b, r) * O, outputs + r * O,
                O * sizeof *want);
        free(outputs);
    }
    return want;
}

static void check_outputs(const struct problem *problem, const int32_t *length, const struct result *result)
{
    size_t rows = 0, n = 0;
    for (size_t b = 0; b < problem->sequences; b++)
        rows += reference_rows(&problem->config, problem->sequence[b].T);
    ck_assert_uint_eq(result->rows, rows);
    double *want = expected_outputs(problem, length, rows), scale = 0;
    n = rows * problem->config.outputs;
    for (size_t i = 0; i < n; i++)
        scale = fmax(scale, fabs(want[i]));
    for (size_t i = 0; i < n; i++)
        ck_assert_double_eq_tol(result->outputs[i], want[i], TOLERANCE * scale);
    free(want);
}

static void check_scores(const struct problem *problem, const struct result *result)
{
    for (size_t b = 0; b < problem->sequences; b++) {
        struct reference_score want =
            reference_get_score(&problem->config, problem->weights, &problem->sequence[b]);
        const struct net_score *got = &result->score[b];
        ck_assert_double_eq_tol(got->loss, want.loss, TOLERANCE * (fabs(want.loss) + want.counted));
        ck_assert_double_eq(got->counted, want.counted);
        if (problem->config.loss == LOSS_SOFTMAX)
            ck_assert_double_eq(got->errors, want.errors);
        else
            ck_assert_double_nan(got->errors);
    }
}

static void check_gradient(
    const struct problem *problem, const struct subject *subject, const struct result *result)
{
    double *want = reference_numbers(problem->P), *got = reference_numbers(problem->P);
    for (size_t b = 0; b < problem->sequences; b++)
        reference_backward(&problem->config, problem->weights, &problem->sequence[b], want);
    problem_to_doubles(problem, result->gradient, subject->tensors, subject->list, got);
    char worst[64];
    double difference = problem_compare(problem, got, want, FLOOR, worst);
    ck_assert_msg(difference < TOLERANCE, "gradient of %s is off by %g", worst, difference);
    free(want);
    free(got);
}

static void check_drawn(const struct problem *problem, const int32_t *length)
{
    size_t B = problem->sequences;
    struct subject subject;
    subject_init(&subject, problem);
    int64_t chosen[MOST_ROWS];
    for (size_t b = 0; b < B; b++)
        chosen[b] = (int64_t)b;
    struct net_pass pass = {.training = 1, .seed = 1, .epoch = 1};
    struct result result;
    subject_run_chosen(&subject, &pass, B, chosen, &result);
    check_outputs(problem, length, &result);
    check_scores(problem, &result);
    check_gradient(problem, &subject, &result);
    result_finish(&result);
    subject_finish(&subject);
}

static void check_problem(const struct net_config *config, size_t B, const int32_t *length, uint64_t seed)
{
    struct problem problem;
    problem_init(&problem, config, B, length, seed);
    check_drawn(&problem, length);
    problem_finish(&problem);
}

/* Sizes that are no multiples of 16, different from layer to layer. */
static struct net_config random_config(
    enum cell cell, size_t layers, enum directions directions, uint64_t seed)
{
    static const size_t hidden[] = {1, 5, 16, 17, 33};
    struct net_config config = {.cell = cell, .layers = layers};
    size_t start = pick(seed, 0, 5), stride = 1 + pick(seed, 1, 4);
    for (size_t l = 0; l < layers; l++) {
        config.hidden[l] = hidden[(start + l * stride) % 5];
        config.bidirectional[l] = directions == MIXED ? (int)pick(seed, 10 + l, 2) : directions == BOTH;
    }
    config.inputs = 1 + pick(seed, 2, 39);
    config.outputs = 1 + pick(seed, 3, 20);
    config.embedding = 1 + pick(seed, 4, 24);
    return config;
}

START_TEST(outputs_losses_and_gradient_are_the_references)
{
    enum cell cell = (enum cell)(_i / SHAPES);
    size_t layers = 1 + (size_t)(_i % SHAPES) / 3;
    enum directions directions = (enum directions)(_i % 3);
    for (int which = 0; which < OUTPUTS * LOSSES * INPUTS; which++) {
        uint64_t seed = 1000 * (uint64_t)_i + (uint64_t)which;
        struct net_config config = random_config(cell, layers, directions, seed);
        int inputs = which / (OUTPUTS * LOSSES);
        config.output = (enum output)(which % OUTPUTS);
        config.loss = (enum loss)(which / OUTPUTS % LOSSES);
        config.symbols = inputs > 0;
        if (inputs < 2)
            config.embedding = 0;
        int32_t length[MOST_ROWS];
        size_t B = 1 + pick(seed, 5, MOST_ROWS);
        problem_draw_lengths(B, MOST_LENGTH, seed, length);
        check_problem(&config, B, length, seed);
    }
}
END_TEST

START_TEST(three_hundred_steps_are_the_references)
{
    struct net_config config = {.cell = (enum cell)_i,
        .layers = 2,
        .hidden = {7, 18},
        .bidirectional = {1, 1},
        .inputs = 3,
        .outputs = 4};
    const int32_t length[] = {300, 299, 150, 1};
    check_problem(&config, 4, length, 77);
    config.output = OUTPUT_SEQUENCE;
    check_problem(&config, 4, length, 78);
}
END_TEST

/* What is frozen in a gradient of the production net becomes 0, wherever it comes from. */
static void clear_frozen(const struct subject *subject, float *gradient)
{
    for (size_t k = 0; k < subject->tensors; k++)
        if (subject->list[k].frozen)
            memset(gradient + subject->list[k].offset, 0, subject->list[k].count * sizeof *gradient);
}

/* The two lower layers are frozen: nothing is computed there, and what is above has the gradient it would
 * have.
 */
START_TEST(gradient_above_frozen_layers_is_the_references)
{
    const int32_t length[] = {30, 12, 12, 1};
    const int64_t chosen[] = {0, 1, 2, 3};
    const struct net_config config = {.cell = (enum cell)_i,
        .layers = 3,
        .hidden = {9, 17, 6},
        .bidirectional = {1, 0, 1},
        .inputs = 3,
        .outputs = 4,
        .normalize = 1};
    struct problem problem;
    struct subject subject;
    struct result result;
    unsigned char frozen[64] = {0};
    problem_init(&problem, &config, 4, length, 91);
    subject_init(&subject, &problem);
    for (size_t k = 0; k < subject.tensors; k++)
        frozen[k] = !strstr(subject.list[k].name, "_l2") && strncmp(subject.list[k].name, "head.", 5) != 0;
    net_freeze(subject.net, frozen);
    subject_run_chosen(&subject, &(struct net_pass){.training = 1}, 4, chosen, &result);
    double *whole = reference_numbers(problem.P), *want = reference_numbers(problem.P),
           *got = reference_numbers(problem.P);
    float *floats = calloc(subject.P, sizeof *floats);
    for (size_t b = 0; b < 4; b++)
        reference_backward(&config, problem.weights, &problem.sequence[b], whole);
    problem_to_floats(&problem, whole, subject.tensors, subject.list, subject.P, floats);
    clear_frozen(&subject, floats);
    problem_to_doubles(&problem, floats, subject.tensors, subject.list, want);
    problem_to_doubles(&problem, result.gradient, subject.tensors, subject.list, got);
    char worst[64];
    double difference = problem_compare(&problem, got, want, FLOOR, worst);
    ck_assert_msg(difference < TOLERANCE, "gradient of %s is off by %g", worst, difference);
    free(whole);
    free(want);
    free(got);
    free(floats);
    result_finish(&result);
    subject_finish(&subject);
    problem_finish(&problem);
}
END_TEST

START_TEST(one_frame_is_the_references)
{
    struct net_config config = {
        .cell = (enum cell)_i, .layers = 1, .hidden = {1}, .bidirectional = {0}, .inputs = 1, .outputs = 2};
    const int32_t length[] = {1};
    check_problem(&config, 1, length, 79);
}
END_TEST

/* Large activations of the head: probabilities near 0 and 1, where log(p) of a float would lose the loss. */
START_TEST(loss_of_large_activations_is_the_references)
{
    const int32_t length[] = {12, 7};
    const int64_t chosen[] = {0, 1};
    struct net_config config = {.cell = CELL_LSTM,
        .loss = (enum loss)_i,
        .layers = 1,
        .hidden = {16},
        .bidirectional = {1},
        .inputs = 5,
        .outputs = 6};
    struct problem problem;
    problem_init(&problem, &config, 2, length, 81);
    for (size_t p = problem.P - 6 * 33; p < problem.P; p++)
        problem.weights[p] = (float)(problem.weights[p] * 100);
    struct subject subject;
    struct result result;
    subject_init(&subject, &problem);
    subject_run_chosen(&subject, &(struct net_pass){.training = 1}, 2, chosen, &result);
    check_outputs(&problem, length, &result);
    check_scores(&problem, &result);
    check_gradient(&problem, &subject, &result);
    result_finish(&result);
    subject_finish(&subject);
    problem_finish(&problem);
}
END_TEST

START_TEST(parameters_have_pytorchs_names_shapes_and_order)
{
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct net_config config = random_config((enum cell)_i, 1 + pick(seed, 20, 5), MIXED, seed);
        config.symbols = (int)pick(seed, 21, 2);
        config.embedding = config.symbols ? pick(seed, 22, 3) : 0;
        struct parameter want[REFERENCE_MOST_TENSORS];
        size_t n, tensors = reference_list_parameters(&config, want), end = 0;
        struct net *net = net_create(&config, NULL);
        ck_assert_ptr_nonnull(net);
        const struct parameter *got = net_get_parameters(net, &n);
        ck_assert_uint_eq(n, tensors);
        for (size_t k = 0; k < n; k++) {
            ck_assert_str_eq(got[k].name, want[k].name);
            ck_assert_int_eq(got[k].dimensions, want[k].dimensions);
            ck_assert_uint_eq(got[k].size[0], want[k].size[0]);
            if (want[k].dimensions == 2)
                ck_assert_uint_eq(got[k].size[1], want[k].size[1]);
            ck_assert_uint_eq(got[k].count, want[k].count);
            ck_assert_uint_ge(got[k].offset, end);
            end = got[k].offset + got[k].count;
        }
        ck_assert_uint_le(end, net_count_parameters(net));
        ck_assert_mem_eq(&net_get_config(net)->hidden, &config.hidden, sizeof config.hidden);
        net_destroy(net);
    }
}
END_TEST

static void set_tensor(struct problem *problem, const char *name, const double *values)
{
    struct parameter list[REFERENCE_MOST_TENSORS];
    size_t tensors = reference_list_parameters(&problem->config, list);
    const struct parameter *tensor = problem_find(tensors, list, name);
    for (size_t i = 0; i < tensor->count; i++)
        problem->weights[tensor->offset + i] = (float)values[i];
}

/* States that remember over all of it, fast and slow turning: what a float lacks of their lambda would be
 * seen in every gradient. */
START_TEST(ten_thousand_steps_of_an_lru_are_the_references)
{
    static const double nu[] = {-9.9, -9.2, -8.7, -11.5}, theta[] = {-1.2, -3, -20, -7},
                        gamma_log[] = {-4.6, -4.2, -4.5, -5};
    const int32_t length[] = {10000, 7001};
    struct net_config config = {.cell = CELL_LRU,
        .output = OUTPUT_SEQUENCE,
        .loss = LOSS_MSE,
        .layers = 1,
        .hidden = {4},
        .bidirectional = {_i},
        .inputs = 2,
        .outputs = 2};
    struct problem problem;
    problem_init(&problem, &config, 2, length, 5);
    for (int d = 0; d <= _i; d++) {
        set_tensor(&problem, d ? "rnn.nu_l0_reverse" : "rnn.nu_l0", nu);
        set_tensor(&problem, d ? "rnn.theta_l0_reverse" : "rnn.theta_l0", theta);
        set_tensor(&problem, d ? "rnn.gamma_log_l0_reverse" : "rnn.gamma_log_l0", gamma_log);
    }
    check_drawn(&problem, length);
    problem_finish(&problem);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("net");
    TCase *cases = tcase_create("net");
    tcase_set_timeout(cases, 100);
    tcase_add_loop_test(cases, outputs_losses_and_gradient_are_the_references, 0, CELLS * SHAPES);
    tcase_add_loop_test(cases, three_hundred_steps_are_the_references, 0, CELLS);
    tcase_add_loop_test(cases, ten_thousand_steps_of_an_lru_are_the_references, 0, 2);
    tcase_add_loop_test(cases, gradient_above_frozen_layers_is_the_references, 0, CELLS);
    tcase_add_loop_test(cases, one_frame_is_the_references, 0, CELLS);
    tcase_add_loop_test(cases, loss_of_large_activations_is_the_references, 0, LOSSES);
    tcase_add_loop_test(cases, parameters_have_pytorchs_names_shapes_and_order, 0, CELLS);
    suite_add_tcase(suite, cases);
    return suite_run(suite);
}

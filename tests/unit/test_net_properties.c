/* What holds for any network, whatever its weights: what must not matter does not, to the bit; directions,
 * symbols, dropout and starting weights are what they are said to be. */
#include "reference/subject.h"
#include "support/suite.h"

#include "base/hash.h"
#include "kernel/kernel.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CELLS = 7, OUTPUTS = 2, ROWS = 11 };

static const struct net_pass training = {.training = 1, .seed = 3, .epoch = 2};
static const struct net_pass evaluation = {.training = 0, .seed = 3, .epoch = 2};

/* Eleven sequences, some of equal length, over a net whose sizes fit no vector. */
static const int32_t lengths[ROWS] = {40, 23, 23, 23, 17, 9, 9, 4, 1, 1, 1};
static const int64_t in_order[ROWS] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10};

static struct net_config usual_config(enum cell cell)
{
    return (struct net_config){.cell = cell,
        .layers = 3,
        .hidden = {17, 5, 33},
        .bidirectional = {1, 0, 1},
        .inputs = 19,
        .outputs = 7};
}

static void usual_setup(struct problem *problem, struct subject *subject, const struct net_config *config)
{
    problem_init(problem, config, ROWS, lengths, 11);
    subject_init(subject, problem);
}

static void usual_teardown(struct problem *problem, struct subject *subject)
{
    subject_finish(subject);
    problem_finish(problem);
}

/* Outputs and score of row b of one result are, to the bit, those of row k of another. */
static void check_same_row(const struct problem *problem, const struct result *one, size_t B,
    const int32_t *length, size_t b, const struct result *other, size_t K, const int32_t *lengths_of_other,
    size_t k)
{
    size_t R = reference_rows(&problem->config, (size_t)length[b]), O = one->O;
    for (size_t r = 0; r < R; r++)
        ck_assert_mem_eq(one->outputs + subject_row(&problem->config, B, length, b, r) * O,
            other->outputs + subject_row(&problem->config, K, lengths_of_other, k, r) * O,
            O * sizeof *one->outputs);
    ck_assert_mem_eq(&one->score[b], &other->score[k], sizeof *one->score);
}

START_TEST(rows_do_not_depend_on_their_microbatch)
{
    for (int output = 0; output < OUTPUTS; output++) {
        struct net_config config = usual_config((enum cell)_i);
        config.output = (enum output)output;
        config.dropout = 0.3;
        struct problem problem;
        struct subject subject;
        struct result together, alone;
        usual_setup(&problem, &subject, &config);
        subject_run_chosen(&subject, &training, ROWS, in_order, &together);
        for (size_t b = 0; b < ROWS; b++) {
            subject_run_chosen(&subject, &training, 1, &in_order[b], &alone);
            check_same_row(&problem, &together, ROWS, lengths, b, &alone, 1, &lengths[b], 0);
            result_finish(&alone);
        }
        result_finish(&together);
        usual_teardown(&problem, &subject);
    }
}
END_TEST

START_TEST(batch_order_is_inert)
{
    static const int64_t chosen[ROWS] = {0, 3, 1, 2, 4, 6, 5, 7, 10, 9, 8};
    struct net_config config = usual_config((enum cell)_i);
    struct problem problem;
    struct subject subject;
    struct result straight, shuffled;
    usual_setup(&problem, &subject, &config);
    subject_run_chosen(&subject, &training, ROWS, in_order, &straight);
    subject_run_chosen(&subject, &training, ROWS, chosen, &shuffled);
    for (size_t k = 0; k < ROWS; k++)
        check_same_row(&problem, &straight, ROWS, lengths, (size_t)chosen[k], &shuffled, ROWS, lengths, k);
    double *one = reference_numbers(problem.P), *other = reference_numbers(problem.P);
    problem_to_doubles(&problem, straight.gradient, subject.tensors, subject.list, one);
    problem_to_doubles(&problem, shuffled.gradient, subject.tensors, subject.list, other);
    char worst[64];
    ck_assert_double_lt(problem_compare(&problem, one, other, 1e-3, worst), 1e-5);
    free(one);
    free(other);
    result_finish(&straight);
    result_finish(&shuffled);
    usual_teardown(&problem, &subject);
}
END_TEST

/* Neither a larger microbatch before, nor another net, nor evaluation instead of training, leaves a trace. */
START_TEST(earlier_calls_leave_no_trace)
{
    struct net_config config = usual_config((enum cell)_i);
    struct problem problem;
    struct subject subject, fresh;
    struct result first, again, larger, tested;
    usual_setup(&problem, &subject, &config);
    subject_init(&fresh, &problem);
    subject_run_chosen(&fresh, &training, 4, in_order + 5, &first);
    subject_run_chosen(&subject, &training, ROWS, in_order, &larger);
    subject_run_chosen(&subject, &training, 4, in_order + 5, &again);
    subject_run_chosen(&subject, &evaluation, 4, in_order + 5, &tested);
    size_t bytes = first.rows * first.O * sizeof *first.outputs;
    ck_assert_mem_eq(first.outputs, again.outputs, bytes);
    ck_assert_mem_eq(first.outputs, tested.outputs, bytes);
    ck_assert_mem_eq(first.score, tested.score, 4 * sizeof *first.score);
    ck_assert_mem_eq(first.gradient, again.gradient, first.P * sizeof *first.gradient);
    result_finish(&first);
    result_finish(&again);
    result_finish(&larger);
    result_finish(&tested);
    subject_finish(&fresh);
    usual_teardown(&problem, &subject);
}
END_TEST

START_TEST(backward_adds)
{
    struct net_config config = usual_config((enum cell)_i);
    struct problem problem;
    struct subject subject;
    struct result result;
    struct microbatch microbatch;
    struct net_outputs outputs;
    struct net_score score[ROWS];
    usual_setup(&problem, &subject, &config);
    subject_run_chosen(&subject, &training, ROWS, in_order, &result);
    float *sum = calloc(subject.P, sizeof *sum);
    for (size_t p = 0; p < subject.P; p++)
        sum[p] = 1 + (float)(p % 7);
    microbatch_init(&microbatch);
    problem_fill_microbatch(&problem, ROWS, in_order, &microbatch);
    for (int pass = 0; pass < 2; pass++) {
        ck_assert_int_eq(net_forward(subject.net, &training, &microbatch, &outputs, score, NULL), 0);
        net_backward(subject.net, &training, &microbatch, sum);
    }
    for (size_t k = 0; k < subject.tensors; k++)
        for (size_t p = subject.list[k].offset; p < subject.list[k].offset + subject.list[k].count; p++) {
            double want = 1 + (double)(p % 7) + 2 * (double)result.gradient[p];
            ck_assert_double_eq_tol(sum[p], want, 1e-5 * (8 + fabs(want)));
        }
    microbatch_finish(&microbatch);
    free(sum);
    result_finish(&result);
    usual_teardown(&problem, &subject);
}
END_TEST

START_TEST(no_targets_no_scores_same_outputs)
{
    struct net_config config = usual_config((enum cell)_i);
    struct problem problem;
    struct subject subject;
    struct result result;
    struct microbatch microbatch;
    struct net_outputs outputs;
    usual_setup(&problem, &subject, &config);
    subject_run_chosen(&subject, &evaluation, ROWS, in_order, &result);
    microbatch_init(&microbatch);
    problem_fill_microbatch(&problem, ROWS, in_order, &microbatch);
    microbatch.classes = NULL;
    ck_assert_int_eq(net_forward(subject.net, &evaluation, &microbatch, &outputs, NULL, NULL), 0);
    ck_assert_uint_eq(outputs.rows, result.rows);
    for (size_t r = 0; r < outputs.rows; r++)
        ck_assert_mem_eq(outputs.values + r * outputs.stride, result.outputs + r * result.O,
            result.O * sizeof *result.outputs);
    microbatch_finish(&microbatch);
    result_finish(&result);
    usual_teardown(&problem, &subject);
}
END_TEST

static uint64_t hash_of_run(const struct problem *problem, const char *isa)
{
    struct subject subject;
    struct result result;
    setenv("RNN_ISA", isa, 1);
    subject_init(&subject, problem);
    subject_run_chosen(&subject, &training, ROWS, in_order, &result);
    uint64_t hash = hash_bytes(result.outputs, result.rows * result.O * sizeof *result.outputs);
    hash = hash_combine(hash, hash_bytes(result.score, ROWS * sizeof *result.score));
    hash = hash_combine(hash, hash_bytes(result.gradient, result.P * sizeof *result.gradient));
    result_finish(&result);
    subject_finish(&subject);
    return hash;
}

/* All that this processor can run. */
START_TEST(instruction_sets_give_the_same_bits)
{
    for (int loss = 0; loss < 3; loss++) {
        struct net_config config = usual_config((enum cell)_i);
        config.loss = (enum loss)loss;
        config.dropout = 0.2;
        struct problem problem;
        problem_init(&problem, &config, ROWS, lengths, 12);
        uint64_t hash = hash_of_run(&problem, "generic");
        char names[64], *rest = NULL;
        snprintf(names, sizeof names, "%s", kernel_list());
        for (char *isa = strtok_r(names, " ", &rest); isa; isa = strtok_r(NULL, " ", &rest))
            if (kernel_find(isa))
                ck_assert_msg(hash_of_run(&problem, isa) == hash, "%s differs from generic", isa);
        problem_finish(&problem);
    }
    unsetenv("RNN_ISA");
}
END_TEST

/* A weight that is not a number must reach the loss, whatever the cell squashes: a run ends on it. */
START_TEST(not_a_number_reaches_the_loss)
{
    struct net_config config = usual_config((enum cell)_i);
    static const char *const names[] = {"rnn.weight_ih_l0", "rnn.weight_hh_l1", "rnn.u_l1",
        "rnn.bias_ih_l2_reverse", "rnn.B_im_l0", "rnn.nu_l0", "rnn.theta_l1", "rnn.gamma_log_l1_reverse",
        "rnn.C_im_l0", "rnn.C_re_l1", "rnn.D_l0", "rnn.gate_l2.weight_reverse", "rnn.gate_l0.bias",
        "head.weight", "head.bias"};
    struct problem problem;
    problem_init(&problem, &config, ROWS, lengths, 13);
    struct parameter list[REFERENCE_MOST_TENSORS];
    size_t tensors = reference_list_parameters(&config, list);
    for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
        const struct parameter *tensor = problem_find(tensors, list, names[k]);
        if (!tensor) /* of other cells */
            continue;
        double held = problem.weights[tensor->offset];
        problem.weights[tensor->offset] = NAN;
        struct subject subject;
        struct result result;
        subject_init(&subject, &problem);
        subject_run_chosen(&subject, &training, ROWS, in_order, &result);
        ck_assert_msg(isnan(result.score[0].loss), "%s: loss %g", names[k], result.score[0].loss);
        result_finish(&result);
        subject_finish(&subject);
        problem.weights[tensor->offset] = held;
    }
    problem_finish(&problem);
}
END_TEST

START_TEST(saturated_cells_stay_finite)
{
    struct net_config config = usual_config((enum cell)_i);
    struct problem problem;
    struct subject subject;
    struct result result;
    problem_init(&problem, &config, ROWS, lengths, 14);
    for (size_t p = 0; p < problem.P; p++)
        problem.weights[p] = (float)(problem.weights[p] *
            (_i == CELL_RNN_RELU || _i == CELL_INDRNN || _i == CELL_LRU ? 1 : 1e4));
    subject_init(&subject, &problem);
    subject_run_chosen(&subject, &training, ROWS, in_order, &result);
    for (size_t b = 0; b < ROWS; b++)
        ck_assert(isfinite(result.score[b].loss));
    for (size_t p = 0; p < result.P; p++)
        ck_assert(isfinite(result.gradient[p]));
    result_finish(&result);
    usual_teardown(&problem, &subject);
}
END_TEST

/* ---- directions ---- */

/* Has the tensor a column for each output of the layer below? */
static int sees_the_layer_below(const char *name)
{
    return strstr(name, "weight_ih") || strstr(name, "rnn.B_") || strstr(name, "rnn.D_");
}

/* Exchanges the weights of the two directions of every layer, and with them the halves of whatever looks at
 * both. */
static void swap_directions(struct problem *problem)
{
    struct parameter list[REFERENCE_MOST_TENSORS];
    size_t tensors = reference_list_parameters(&problem->config, list);
    for (size_t k = 0; k < tensors; k++) {
        int joined = strcmp(list[k].name, "head.weight") == 0 ||
            (sees_the_layer_below(list[k].name) && !strstr(list[k].name, "_l0"));
        size_t columns = list[k].size[1], H = columns / 2;
        for (size_t i = 0; i < list[k].count && joined; i++)
            if (i % columns < H) {
                double *w = problem->weights + list[k].offset + i, held = w[0];
                w[0] = w[H];
                w[H] = held;
            }
    }
    for (size_t k = 0; k < tensors; k++) {
        char name[80];
        snprintf(name, sizeof name, "%.63s_reverse", list[k].name);
        const struct parameter *other = problem_find(tensors, list, name);
        for (size_t i = 0; i < list[k].count && other; i++) {
            double held = problem->weights[list[k].offset + i];
            problem->weights[list[k].offset + i] = problem->weights[other->offset + i];
            problem->weights[other->offset + i] = held;
        }
    }
}

static void reverse_sequences(struct problem *problem)
{
    size_t I = problem->config.inputs;
    for (size_t s = 0; s < problem->sequences; s++) {
        struct reference_sequence *sequence = &problem->sequence[s];
        size_t T = sequence->T;
        double *reversed = reference_numbers(T * I);
        for (size_t t = 0; t < T; t++)
            memcpy(reversed + t * I, sequence->inputs + (T - 1 - t) * I, I * sizeof *reversed);
        free((void *)sequence->inputs);
        sequence->inputs = reversed;
    }
}

START_TEST(reversed_input_swaps_directions)
{
    for (int output = 0; output < OUTPUTS; output++) {
        struct net_config config = usual_config((enum cell)_i);
        config.bidirectional[1] = 1;
        config.output = (enum output)output;
        struct problem problem;
        struct subject subject, swapped;
        struct result straight, reversed;
        usual_setup(&problem, &subject, &config);
        subject_run_chosen(&subject, &evaluation, ROWS, in_order, &straight);
        swap_directions(&problem);
        reverse_sequences(&problem);
        subject_init(&swapped, &problem);
        subject_run_chosen(&swapped, &evaluation, ROWS, in_order, &reversed);
        for (size_t b = 0; b < ROWS; b++) {
            size_t R = reference_rows(&config, (size_t)lengths[b]);
            for (size_t r = 0; r < R; r++)
                for (size_t o = 0; o < straight.O; o++)
                    ck_assert_double_eq_tol(
                        straight.outputs[subject_row(&config, ROWS, lengths, b, r) * straight.O + o],
                        reversed.outputs[subject_row(&config, ROWS, lengths, b, R - 1 - r) * straight.O + o],
                        2e-6);
        }
        result_finish(&straight);
        result_finish(&reversed);
        subject_finish(&swapped);
        usual_teardown(&problem, &subject);
    }
}
END_TEST

/* One direction never sees what comes later; of two, the second sees it all. */
START_TEST(only_both_directions_see_the_future)
{
    for (int both = 0; both < 2; both++) {
        struct net_config config = usual_config((enum cell)_i);
        config.bidirectional[0] = config.bidirectional[2] = both;
        struct problem problem;
        struct subject subject;
        struct result before, after;
        usual_setup(&problem, &subject, &config);
        subject_run_chosen(&subject, &evaluation, 1, in_order, &before);
        double *inputs = (double *)problem.sequence[0].inputs;
        for (size_t i = 0; i < config.inputs; i++)
            inputs[39 * config.inputs + i] = 2;
        subject_run_chosen(&subject, &evaluation, 1, in_order, &after);
        size_t O = before.O, bytes = O * sizeof(float);
        ck_assert(memcmp(before.outputs + 39 * O, after.outputs + 39 * O, bytes) != 0);
        ck_assert((memcmp(before.outputs + 38 * O, after.outputs + 38 * O, bytes) != 0) == both);
        if (!both)
            ck_assert_mem_eq(before.outputs, after.outputs, 39 * bytes);
        result_finish(&before);
        result_finish(&after);
        usual_teardown(&problem, &subject);
    }
}
END_TEST

/* ---- symbols ---- */

START_TEST(symbols_are_one_hot_inputs)
{
    struct net_config config = usual_config((enum cell)_i);
    config.symbols = 1;
    struct problem problem, vectorial;
    struct subject subject, other;
    struct result symbols, vectors;
    usual_setup(&problem, &subject, &config);
    config.symbols = 0;
    usual_setup(&vectorial, &other, &config);
    memcpy(vectorial.weights, problem.weights, problem.P * sizeof *problem.weights);
    subject_finish(&other);
    subject_init(&other, &vectorial);
    for (size_t s = 0; s < ROWS; s++) {
        double *inputs = (double *)vectorial.sequence[s].inputs;
        memset(inputs, 0, problem.sequence[s].T * config.inputs * sizeof *inputs);
        for (size_t t = 0; t < problem.sequence[s].T; t++)
            inputs[t * config.inputs + (size_t)problem.sequence[s].symbols[t]] = 1;
        memcpy((void *)vectorial.sequence[s].classes, problem.sequence[s].classes,
            problem.sequence[s].T * sizeof(int32_t));
    }
    subject_run_chosen(&subject, &training, ROWS, in_order, &symbols);
    subject_run_chosen(&other, &training, ROWS, in_order, &vectors);
    for (size_t i = 0; i < symbols.rows * symbols.O; i++)
        ck_assert_double_eq_tol(symbols.outputs[i], vectors.outputs[i], 2e-6);
    double *got = reference_numbers(problem.P), *want = reference_numbers(problem.P);
    problem_to_doubles(&problem, symbols.gradient, subject.tensors, subject.list, got);
    problem_to_doubles(&problem, vectors.gradient, other.tensors, other.list, want);
    char worst[64];
    ck_assert_double_lt(problem_compare(&problem, got, want, 1e-3, worst), 1e-5);
    free(got);
    free(want);
    result_finish(&symbols);
    result_finish(&vectors);
    usual_teardown(&problem, &subject);
    usual_teardown(&vectorial, &other);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("net properties");
    TCase *cases = tcase_create("net properties");
    tcase_set_timeout(cases, 100);
    tcase_add_loop_test(cases, rows_do_not_depend_on_their_microbatch, 0, CELLS);
    tcase_add_loop_test(cases, batch_order_is_inert, 0, CELLS);
    tcase_add_loop_test(cases, earlier_calls_leave_no_trace, 0, CELLS);
    tcase_add_loop_test(cases, backward_adds, 0, CELLS);
    tcase_add_loop_test(cases, no_targets_no_scores_same_outputs, 0, CELLS);
    tcase_add_loop_test(cases, instruction_sets_give_the_same_bits, 0, CELLS);
    tcase_add_loop_test(cases, not_a_number_reaches_the_loss, 0, CELLS);
    tcase_add_loop_test(cases, saturated_cells_stay_finite, 0, CELLS);
    tcase_add_loop_test(cases, reversed_input_swaps_directions, 0, CELLS);
    tcase_add_loop_test(cases, only_both_directions_see_the_future, 0, CELLS);
    tcase_add_loop_test(cases, symbols_are_one_hot_inputs, 0, CELLS);
    suite_add_tcase(suite, cases);
    return suite_run(suite);
}

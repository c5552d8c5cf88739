/* Networks with output = ctc against the serial reference: outputs, losses, edits, labels read, and every
 * element of the gradient. Tolerances as in test_net.c. */
#include "reference/ctc.h"
#include "reference/subject.h"
#include "support/suite.h"

#include "base/random.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define TOLERANCE 5e-5
#define FLOOR 1e-2

enum { CELLS = 7, INPUTS = 3, ROWS = 6, MOST_LENGTH = 24, TINY = 5 };

static const int64_t in_order[ROWS] = {0, 1, 2, 3, 4, 5};

static struct net_config configure(enum cell cell, int inputs, int both, size_t classes)
{
    return (struct net_config){.cell = cell,
        .output = OUTPUT_CTC,
        .loss = LOSS_SOFTMAX,
        .layers = 2,
        .hidden = {9, 17},
        .bidirectional = {both, both},
        .inputs = 7,
        .symbols = inputs > 0,
        .embedding = inputs == 2 ? 5 : 0,
        .outputs = classes};
}

static void draw_problem(struct problem *problem, const struct net_config *config, int32_t most,
    uint64_t seed, int32_t length[ROWS])
{
    problem_draw_lengths(ROWS, most, seed, length);
    problem_init(problem, config, ROWS, length, seed);
}

static void check_outputs(const struct problem *problem, const int32_t *length, const struct result *result)
{
    const struct net_config *config = &problem->config;
    size_t O = reference_outputs(config);
    ck_assert_uint_eq(result->O, O);
    for (size_t b = 0; b < ROWS; b++) {
        size_t T = problem->sequence[b].T;
        double *want = reference_numbers(T * O);
        reference_forward(config, problem->weights, &problem->sequence[b], want);
        for (size_t i = 0; i < T * O; i++) {
            size_t row = subject_row(config, ROWS, length, b, i / O);
            ck_assert_double_eq_tol((double)result->outputs[row * O + i % O], want[i], TOLERANCE);
        }
        free(want);
    }
}

static void check_scores(const struct problem *problem, const struct result *result)
{
    for (size_t b = 0; b < ROWS; b++) {
        const struct reference_sequence *sequence = &problem->sequence[b];
        struct reference_score want = reference_get_score(&problem->config, problem->weights, sequence);
        const struct net_score *got = &result->score[b];
        ck_assert_double_eq_tol(got->loss, want.loss, TOLERANCE * (want.loss + 1));
        ck_assert_double_eq(got->errors, want.errors);
        ck_assert_double_eq(got->counted, 1);
        ck_assert_double_eq(got->labels, (double)sequence->U);
    }
}

static void check_gradient(
    const struct problem *problem, const struct subject *subject, const struct result *result)
{
    char worst[64];
    double *want = reference_numbers(problem->P), *got = reference_numbers(problem->P);
    for (size_t b = 0; b < ROWS; b++)
        reference_backward(&problem->config, problem->weights, &problem->sequence[b], want);
    problem_to_doubles(problem, result->gradient, subject->tensors, subject->list, got);
    double difference = problem_compare(problem, got, want, FLOOR, worst);
    ck_assert_msg(difference < TOLERANCE, "gradient of %s is off by %g", worst, difference);
    free(want);
    free(got);
}

static void check_net(const struct net_config *config, uint64_t seed)
{
    struct problem problem;
    struct subject subject;
    struct result result;
    int32_t length[ROWS];
    draw_problem(&problem, config, MOST_LENGTH, seed, length);
    subject_init(&subject, &problem);
    for (int training = 0; training < 2; training++) {
        struct net_pass pass = {.training = training};
        subject_run_chosen(&subject, &pass, ROWS, in_order, &result);
        check_outputs(&problem, length, &result);
        check_scores(&problem, &result);
        if (training)
            check_gradient(&problem, &subject, &result);
        result_finish(&result);
    }
    subject_finish(&subject);
    problem_finish(&problem);
}

/* 16 classes and the blank are a column more than a block. */
START_TEST(net_is_the_references)
{
    for (int which = 0; which < INPUTS * 2 * 3; which++) {
        struct net_config config = configure((enum cell)_i, which % INPUTS, which / INPUTS % 2,
            (const size_t[]){2, 15, 16}[which / INPUTS / 2]);
        check_net(&config, 100 + (uint64_t)which);
    }
}
END_TEST

/* With layers between the last recurrent one and the head, and with no other layers. */
START_TEST(other_layers_below_the_head_are_the_references)
{
    for (int inputs = 0; inputs < INPUTS; inputs++) {
        struct net_config config = configure(CELL_LSTM, inputs, 1, 6);
        config.output_layers = 2;
        config.output_size[0] = 18;
        config.output_size[1] = 5;
        check_net(&config, 200 + (uint64_t)inputs);
        config.layers = 0;
        check_net(&config, 300 + (uint64_t)inputs);
        config.output_layers = 0;
        check_net(&config, 400 + (uint64_t)inputs);
    }
}
END_TEST

static double loss_of(const struct problem *problem)
{
    double loss = 0;
    for (size_t b = 0; b < ROWS; b++)
        loss += reference_get_score(&problem->config, problem->weights, &problem->sequence[b]).loss;
    return loss;
}

START_TEST(the_references_gradient_matches_slope)
{
    struct net_config config = configure(CELL_GRU, 2, 1, 3);
    struct problem problem;
    int32_t length[ROWS];
    draw_problem(&problem, &config, 9, 3, length);
    double *gradient = reference_numbers(problem.P), h = 1e-5;
    for (size_t b = 0; b < ROWS; b++)
        reference_backward(&config, problem.weights, &problem.sequence[b], gradient);
    for (size_t p = 0; p < problem.P; p += 7) {
        double at = problem.weights[p];
        problem.weights[p] = at + h;
        double above = loss_of(&problem);
        problem.weights[p] = at - h;
        double below = loss_of(&problem);
        problem.weights[p] = at;
        ck_assert_double_eq_tol(gradient[p], (above - below) / (2 * h), 1e-6);
    }
    free(gradient);
    problem_finish(&problem);
}
END_TEST

/* A number of labels of every kind comes up: none, some, as many as fit. */
START_TEST(problems_have_labels_of_any_number)
{
    struct net_config config = configure(CELL_RNN, 0, 0, 2);
    size_t none = 0, full = 0;
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct problem problem;
        int32_t length[ROWS];
        draw_problem(&problem, &config, TINY, seed, length);
        for (size_t b = 0; b < ROWS; b++) {
            const struct reference_sequence *sequence = &problem.sequence[b];
            double loss = reference_get_score(&config, problem.weights, sequence).loss;
            ck_assert(isfinite(loss));
            none += sequence->U == 0;
            full += sequence->U == sequence->T;
        }
        problem_finish(&problem);
    }
    ck_assert_uint_gt(none, 5);
    ck_assert_uint_gt(full, 5);
}
END_TEST

/* The logits of a sequence, up to a constant in each row. */
static double *logits_of(const struct problem *problem, size_t b)
{
    size_t n = problem->sequence[b].T * reference_outputs(&problem->config);
    double *logits = reference_numbers(n);
    reference_forward(&problem->config, problem->weights, &problem->sequence[b], logits);
    for (size_t i = 0; i < n; i++)
        logits[i] = log(logits[i]);
    return logits;
}

/* Labels of the best path (beam 0 and 1) and of a beam that holds all prefixes, with and without targets;
 * edits are counted from them. */
START_TEST(labels_are_the_references)
{
    enum { WIDE = 400 };
    struct net_config config = configure((enum cell)_i, 0, 1, 2);
    for (uint64_t seed = 0; seed < 8; seed++) {
        struct problem problem;
        struct subject subject;
        struct error error = {0};
        struct microbatch microbatch;
        int32_t length[ROWS];
        draw_problem(&problem, &config, TINY, seed, length);
        subject_init(&subject, &problem);
        microbatch_init(&microbatch);
        problem_fill_microbatch(&problem, ROWS, in_order, &microbatch);
        for (int which = 0; which < 6; which++) {
            struct net_pass pass = {.beam = (const size_t[]){0, 1, WIDE}[which % 3]};
            struct net_outputs outputs;
            struct net_score scores[ROWS];
            ck_assert_int_eq(
                net_forward(subject.net, &pass, &microbatch, &outputs, which < 3 ? scores : NULL, &error), 0);
            ck_assert_uint_eq(outputs.rows, microbatch.N);
            for (size_t b = 0; b < ROWS; b++) {
                const struct reference_sequence *sequence = &problem.sequence[b];
                int32_t want[TINY];
                double *logits = logits_of(&problem, b), probability;
                size_t n = pass.beam > 1
                    ? reference_ctc_best_labels(sequence->T, 2, logits, want, &probability)
                    : reference_ctc_best_path(sequence->T, 2, logits, want);
                const int32_t *got = outputs.labels + outputs.label_start[b];
                ck_assert_uint_eq(outputs.label_start[b + 1] - outputs.label_start[b], n);
                ck_assert_mem_eq(got, want, n * sizeof *got);
                if (which < 3)
                    ck_assert_double_eq(scores[b].errors,
                        (double)reference_edit_distance(want, n, sequence->classes, sequence->U));
                free(logits);
            }
        }
        microbatch_finish(&microbatch);
        subject_finish(&subject);
        problem_finish(&problem);
    }
}
END_TEST

START_TEST(training_gives_no_labels)
{
    struct net_config config = configure(CELL_LSTM, 1, 1, 4);
    struct problem problem;
    struct subject subject;
    struct error error = {0};
    struct microbatch microbatch;
    struct net_outputs outputs;
    struct net_score scores[ROWS];
    int32_t length[ROWS];
    draw_problem(&problem, &config, MOST_LENGTH, 1, length);
    subject_init(&subject, &problem);
    microbatch_init(&microbatch);
    problem_fill_microbatch(&problem, ROWS, in_order, &microbatch);
    ck_assert_int_eq(net_forward(subject.net, &(struct net_pass){.training = 1, .beam = 8}, &microbatch,
                         &outputs, scores, &error),
        0);
    ck_assert_ptr_null(outputs.labels);
    ck_assert_ptr_null(outputs.label_start);
    microbatch_finish(&microbatch);
    subject_finish(&subject);
    problem_finish(&problem);
}
END_TEST

/* Scores and outputs of a row, to the bit. */
START_TEST(rows_do_not_depend_on_their_microbatch)
{
    struct net_config config = configure((enum cell)_i, 0, 1, 5);
    struct problem problem;
    struct subject subject;
    struct result all, alone;
    int32_t length[ROWS];
    draw_problem(&problem, &config, MOST_LENGTH, 6, length);
    subject_init(&subject, &problem);
    for (int beam = 0; beam < 2; beam++) {
        struct net_pass pass = {.training = !beam, .beam = beam ? 4 : 0};
        subject_run_chosen(&subject, &pass, ROWS, in_order, &all);
        for (size_t b = 0; b < ROWS; b++) {
            subject_run_chosen(&subject, &pass, 1, &in_order[b], &alone);
            ck_assert_mem_eq(&alone.score[0], &all.score[b], sizeof alone.score[0]);
            for (size_t t = 0; t < (size_t)length[b]; t++)
                ck_assert_mem_eq(alone.outputs + t * alone.O,
                    all.outputs + subject_row(&config, ROWS, length, b, t) * all.O,
                    all.O * sizeof *all.outputs);
            result_finish(&alone);
        }
        result_finish(&all);
    }
    subject_finish(&subject);
    problem_finish(&problem);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("net with ctc");
    TCase *cases = tcase_create("net with ctc");
    tcase_set_timeout(cases, 60);
    tcase_add_loop_test(cases, net_is_the_references, 0, CELLS);
    tcase_add_test(cases, other_layers_below_the_head_are_the_references);
    tcase_add_test(cases, the_references_gradient_matches_slope);
    tcase_add_test(cases, problems_have_labels_of_any_number);
    tcase_add_loop_test(cases, labels_are_the_references, 0, CELLS);
    tcase_add_test(cases, training_gives_no_labels);
    tcase_add_loop_test(cases, rows_do_not_depend_on_their_microbatch, 0, CELLS);
    suite_add_tcase(suite, cases);
    return suite_run(suite);
}

/* The serial reference of the decoder against itself: slopes by central differences. */
#include "reference/decoder_problem.h"
#include "reference/reference.h"
#include "support/suite.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>

enum { CELLS = 7, ATTENTIONS = 3, LOSSES = 6, SEQUENCES = 3, MOST_FRAMES = 7 };

static double total_loss(const struct decoder_problem *problem)
{
    double loss = 0;
    for (size_t s = 0; s < problem->sequences; s++)
        loss += reference_decoder_loss(&problem->decoder, problem->weights, &problem->targets[s], NULL);
    return loss;
}

/* (f(x + e) - f(x - e)) / 2e by one number of the problem */
static double slope_by(const struct decoder_problem *problem, double *number)
{
    const double e = 1e-5, held = *number;
    *number = held + e;
    double above = total_loss(problem);
    *number = held - e;
    double slope = (above - total_loss(problem)) / (2 * e);
    *number = held;
    return slope;
}

static void check_slopes(const struct net_config *config, const int32_t *target_length, uint64_t seed)
{
    const int32_t length[SEQUENCES] = {MOST_FRAMES, 2, 1};
    struct decoder_problem problem;
    decoder_problem_init(&problem, config, SEQUENCES, length, target_length, seed);
    double *gradient = reference_numbers(problem.P), *slope = reference_numbers(problem.P);
    size_t F = problem.decoder.D * problem.decoder.H;
    for (size_t s = 0; s < SEQUENCES; s++) {
        double *dy = reference_numbers(MOST_FRAMES * F);
        reference_decoder_backward(&problem.decoder, problem.weights, &problem.targets[s], dy, gradient);
        for (size_t i = 0; i < problem.targets[s].T * F; i++)
            ck_assert_double_eq_tol(dy[i], slope_by(&problem, (double *)problem.targets[s].y + i), 1e-7);
        free(dy);
    }
    for (size_t p = 0; p < problem.P; p++)
        slope[p] = slope_by(&problem, problem.weights + p);
    const char *worst;
    double difference = decoder_problem_compare(&problem, gradient, slope, 1e-2, &worst);
    ck_assert_msg(difference < 1e-7, "%s differs by %g", worst, difference);
    free(gradient);
    free(slope);
    decoder_problem_finish(&problem);
}

static void check_all(enum cell cell, enum attention attention, size_t layers)
{
    const int32_t ragged[SEQUENCES] = {2, 4, 0}, same[SEQUENCES] = {3, 3, 3};
    for (int loss = 0; loss < LOSSES; loss++) {
        struct net_config config = {.cell = cell,
            .output = OUTPUT_DECODER,
            .loss = (enum loss)loss,
            .layers = 1,
            .hidden = {3},
            .bidirectional = {loss % 2},
            .inputs = 2,
            .outputs = 3,
            .huber_delta = 0.6,
            .output_layers = layers - 1,
            .output_size = {5},
            .attention = attention,
            .decoder_layers = layers,
            .decoder_hidden = 4,
            .decoder_embedding = loss == LOSS_SOFTMAX ? 2 : 0,
            .attention_size = attention == ATTENTION_ADDITIVE ? 5 : 0,
            .target_length = 3};
        check_slopes(&config, loss == LOSS_SOFTMAX ? ragged : same, 300 + (uint64_t)loss);
    }
}

START_TEST(gradient_matches_slope)
{
    for (size_t layers = 1; layers <= 2; layers++)
        check_all((enum cell)(_i % CELLS), (enum attention)(_i / CELLS), layers);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("decoder_reference");
    TCase *cases = tcase_create("decoder_reference");
    tcase_set_timeout(cases, 100);
    tcase_add_loop_test(cases, gradient_matches_slope, 0, CELLS * ATTENTIONS);
    suite_add_tcase(suite, cases);
    return suite_run(suite);
}

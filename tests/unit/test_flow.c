/* Gradient flow (docs/network.md): the norms that the network measures against the reference's, and what of
 * them is known without any. */
#include "net/flow.h"
#include "reference/net_options.h"
#include "reference/subject.h"
#include "support/suite.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { CELLS = 7, ROWS = 3, LONGEST = 40 };

static const int32_t lengths[ROWS] = {LONGEST, 7, 1};

static struct net_config config_of(enum cell cell, size_t option)
{
    const struct net_option *chosen = &net_options[option];
    struct net_config config = {.cell = cell,
        .layers = 3,
        .hidden = {17, 17, 17},
        .bidirectional = {1, 0, 1},
        .inputs = 5,
        .outputs = 3,
        .dropout = 0.5,
        .input_noise = 0.2};
    net_options_apply(&config, 1, &chosen);
    if (config.residual)
        config.bidirectional[1] = 1;
    config.recurrent_max = cell == CELL_INDRNN ? 2 : 0;
    config.input_size[0] = config.output_size[1] = 6;
    config.input_size[1] = config.output_size[0] = 4;
    return config;
}

static void measure(struct subject *subject, size_t rows, const int64_t *chosen, const struct net_flow *flow)
{
    const struct net_pass pass = {.seed = 3, .epoch = 2};
    struct microbatch microbatch;
    microbatch_init(&microbatch);
    problem_fill_microbatch(subject->problem, rows, chosen, &microbatch);
    ck_assert_int_eq(net_measure_flow(subject->net, &pass, &microbatch, flow, NULL), 0);
    ck_assert_uint_le(1, net_flow_bytes(subject->net, &microbatch));
    microbatch_finish(&microbatch);
}

/* Of direction d of layer l over all sequences. */
static void compare(
    const struct problem *problem, size_t l, size_t d, const double norms[ROWS][LONGEST], const char *text)
{
    double want[LONGEST];
    for (size_t s = 0; s < ROWS; s++) {
        reference_get_flow(&problem->config, problem->weights, &problem->sequence[s], l, d, want);
        ck_assert_double_lt(fabs(want[0] - 1), 1e-12);
        for (size_t i = 0; i < LONGEST; i++)
            if (i < (size_t)lengths[s])
                ck_assert_msg(fabs(norms[s][i] - want[i]) < 1e-5 * (want[i] + 1e-3),
                    "%s, layer %zu, direction %zu, %zu steps back: %g, not %g", text, l, d, i, norms[s][i],
                    want[i]);
            else
                ck_assert(isinf(norms[s][i]));
    }
}

/* A part of the sequences and of the directions has the same numbers. */
static void compare_part(struct subject *subject, size_t n, const double norms[][ROWS][LONGEST])
{
    double part[ROWS - 1][LONGEST];
    const int64_t chosen[] = {1, 2};
    measure(subject, 2, chosen, &(struct net_flow){n, n + 1, (double *)part});
    size_t T = (size_t)lengths[1];
    for (size_t b = 0; b < 2; b++)
        ck_assert_mem_eq((double *)part + b * T, norms[n][b + 1], T * sizeof(double));
}

static void compare_all(struct subject *subject, const char *text)
{
    const struct problem *problem = subject->problem;
    const int64_t chosen[ROWS] = {0, 1, 2};
    size_t n = 0, directions = flow_count_directions(net_get_config(subject->net));
    double(*norms)[ROWS][LONGEST] = calloc(directions, sizeof *norms);
    measure(subject, ROWS, chosen, &(struct net_flow){0, directions, (double *)norms});
    for (size_t l = 0; l < problem->config.layers; l++)
        for (size_t d = 0; d < (problem->config.bidirectional[l] ? 2 : 1); d++, n++) {
            compare(problem, l, d, (const double(*)[LONGEST])norms[n], text);
            compare_part(subject, n, (const double(*)[ROWS][LONGEST])norms);
        }
    ck_assert_uint_eq(n, directions);
    free(norms);
}

START_TEST(norms_are_the_references_with_each_option)
{
    enum cell cell = (enum cell)_i;
    for (size_t k = 0; k + 1 < net_options_count; k++) { /* the last has no layers */
        const struct net_option *option = &net_options[k];
        if (!net_options_agree(cell, 1, &option))
            continue;
        struct net_config config = config_of(cell, k);
        struct problem problem;
        struct subject subject;
        problem_init(&problem, &config, ROWS, lengths, 17 + k);
        subject_init(&subject, &problem);
        compare_all(&subject, option->name);
        subject_finish(&subject);
        problem_finish(&problem);
    }
}
END_TEST

/* Symbols, as they are and embedded, and an output whose targets are fewer than the frames. */
START_TEST(norms_are_the_references_of_symbols_and_of_ctc)
{
    for (size_t k = 0; k < 3; k++) {
        struct net_config config = config_of((enum cell)_i, net_options_count - 1);
        struct problem problem;
        struct subject subject;
        config.layers = 2;
        config.symbols = k < 2;
        config.embedding = k == 1 ? 4 : 0;
        config.input_noise = k < 2 ? 0 : config.input_noise;
        config.output = k == 2 ? OUTPUT_CTC : OUTPUT_FRAME;
        problem_init(&problem, &config, ROWS, lengths, 5 + k);
        subject_init(&subject, &problem);
        compare_all(&subject, k == 0 ? "symbols" : k == 1 ? "embedding" : "ctc");
        subject_finish(&subject);
        problem_finish(&problem);
    }
}
END_TEST

/* With u = 1 and every unit active a state is handed on as it is: the norm stays 1 over any distance. */
START_TEST(a_state_that_is_kept_keeps_its_gradient)
{
    enum { T = 1000 };
    const struct net_config config = {
        .cell = CELL_INDRNN, .layers = 1, .hidden = {20}, .inputs = 1, .outputs = 2};
    struct net *net = net_create(&config, NULL);
    size_t n, P = net_count_parameters(net);
    float *weights = calloc(P, sizeof *weights);
    const struct parameter *list = net_get_parameters(net, &n);
    for (size_t k = 0; k < n; k++)
        for (size_t i = 0; i < list[k].count; i++)
            if (strncmp(list[k].name, "rnn.u", 5) == 0 || strncmp(list[k].name, "rnn.bias", 8) == 0)
                weights[list[k].offset + i] = strncmp(list[k].name, "rnn.u", 5) == 0 ? 1 : 0.001f;
    net_pack(net, weights);
    struct microbatch_format format = {.inputs = 1, .has_classes = 1};
    struct microbatch microbatch;
    double *norms = calloc(T, sizeof *norms);
    microbatch_init(&microbatch);
    ck_assert_int_eq(
        microbatch_resize(&microbatch, &format, 1, (int32_t[]){T}, (int64_t[]){0}, NULL, NULL), 0);
    memset(microbatch.inputs, 0, T * microbatch.inputs_stride * sizeof *microbatch.inputs);
    ck_assert_int_eq(
        net_measure_flow(net, &(struct net_pass){0}, &microbatch, &(struct net_flow){0, 1, norms}, NULL), 0);
    for (size_t i = 0; i < T; i++)
        ck_assert_double_eq_tol(norms[i], 1, 1e-6);
    microbatch_finish(&microbatch);
    free(norms);
    free(weights);
    net_destroy(net);
}
END_TEST

/* ---- curves ---- */

static struct flow_reach reach_of(size_t n, const double *norm)
{
    const struct flow_curves curves = {.directions = 1, .distances = n, .norm = (double *)norm};
    return flow_find_reach(&curves, 0);
}

START_TEST(reach_is_where_a_hundredth_is_left)
{
    struct flow_reach reach = reach_of(3, (double[]){0.5, 0.1, 0.001});
    ck_assert(!reach.is_open);
    ck_assert_double_eq_tol(reach.distance, 2 * sqrt(2), 1e-9); /* half of the way from 2 to 4 */
    reach = reach_of(2, (double[]){0.0001, 0});
    ck_assert_double_eq_tol(reach.distance, 0.5, 1e-9);
    reach = reach_of(3, (double[]){0.5, 0, 0});
    ck_assert_double_eq_tol(reach.distance, 1, 1e-9);
    reach = reach_of(3, (double[]){7, INFINITY, 0.02});
    ck_assert(reach.is_open && reach.distance == 4);
    ck_assert(isnan(reach_of(1, (double[]){NAN}).distance) && isnan(reach_of(0, NULL).distance));
}
END_TEST

START_TEST(the_least_reach_is_one_that_ends_before_one_that_does_not)
{
    double norm[] = {0.9, 0.8, 0.7, 0.001, NAN, NAN, 0.5, 0.0001};
    struct flow_curves curves = {.directions = 4, .distances = 2, .norm = norm};
    struct flow_reach least = flow_find_least_reach(&curves);
    ck_assert(least.direction == 3 && !least.is_open && least.distance < 2);
    curves.directions = 1;
    char text[32];
    flow_write_reach(flow_find_least_reach(&curves), text, sizeof text);
    ck_assert_str_eq(text, ">2");
    struct flow_peak peak = flow_find_peak(&curves);
    ck_assert(peak.norm == 0.9 && peak.distance == 1 && peak.direction == 0);
}
END_TEST

START_TEST(means_are_geometric)
{
    ck_assert_double_eq_tol(flow_mean((double[]){0.01, 1, 100, 4}, 4), sqrt(2), 1e-12);
    ck_assert_double_eq_tol(flow_mean((double[]){NAN, 0.25, NAN}, 3), 0.25, 1e-12);
    ck_assert(flow_mean((double[]){0, 5}, 2) == 0 && isinf(flow_mean((double[]){0.1, INFINITY}, 2)));
    ck_assert(isnan(flow_mean((double[]){NAN}, 1)));
    ck_assert(flow_count_distances(1) == 0 && flow_count_distances(2) == 1);
    ck_assert(flow_count_distances(1024) == 10 && flow_count_distances(1025) == 11);
    ck_assert_uint_eq(flow_count_distances(INT32_MAX), 31);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("flow");
    TCase *cases = tcase_create("flow");
    tcase_add_loop_test(cases, norms_are_the_references_with_each_option, 0, CELLS);
    tcase_add_loop_test(cases, norms_are_the_references_of_symbols_and_of_ctc, 0, CELLS);
    tcase_add_test(cases, a_state_that_is_kept_keeps_its_gradient);
    tcase_add_test(cases, reach_is_where_a_hundredth_is_left);
    tcase_add_test(cases, the_least_reach_is_one_that_ends_before_one_that_does_not);
    tcase_add_test(cases, means_are_geometric);
    suite_add_tcase(suite, cases);
    return suite_run(suite);
}

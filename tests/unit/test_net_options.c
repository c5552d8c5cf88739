/* The production network with options against the serial reference: every option alone, every two of them and
 * all at once, with every cell, kind of output and kind of input, in one direction and both, on sequences of
 * different lengths. Outputs, scores and every element of the gradient.
 *
 * Float against double: each number may be off by TOLERANCE of the largest magnitude of its kind (all outputs
 * of the microbatch, one tensor of the gradient; where the sums of a tensor cancel nearly wholly, FLOOR
 * stands for what they were sums of).
 *
 *     test_net_options PART   the cells of this part of PARTS; every two options on a third of all else, in
 * turn test_net_options all    all cells; every two options on all else */
#include "reference/net_options.h"
#include "reference/subject.h"
#include "reference/team.h"
#include "support/suite.h"

#include "base/random.h"
#include "net/check.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TOLERANCE 5e-5
#define FLOOR 1e-2

enum { CELLS = 7, OUTPUTS = 3, INPUTS = 3, LOSSES = 8, FREE_LOSSES = 3, ROWS = 5 };

static const int32_t lengths[ROWS] = {11, 7, 7, 2, 1};
static const int64_t in_order[ROWS] = {0, 1, 2, 3, 4};

/* Two programs at a time share the cells. */
enum { PARTS = 2 };

static int everything;

/* Some options together, and what they are set on. */
struct combination {
    struct net_config config;
    size_t n;
    const struct net_option *const *chosen;
};

static void name_combination(const struct combination *combination, size_t size, char *text)
{
    const struct net_config *config = &combination->config;
    int at = snprintf(text, size, "%s %s %s %s:", cell_names[config->cell], output_names[config->output],
        loss_names[config->loss],
        config->embedding     ? "embedding"
            : config->symbols ? "symbols"
                              : "real");
    for (size_t i = 0; i < combination->n && at > 0 && (size_t)at < size; i++)
        at += snprintf(text + at, size - (size_t)at, " [%s]", combination->chosen[i]->name);
}

static double outputs_difference(const struct problem *problem, const struct result *result)
{
    const struct net_config *config = &problem->config;
    size_t O = reference_outputs(config), rows = 0;
    double scale = 0, most = 0;
    for (size_t b = 0; b < ROWS; b++) {
        size_t R = reference_rows(config, problem->sequence[b].T);
        double *want = reference_numbers(R * O);
        reference_forward(config, problem->weights, &problem->sequence[b], want);
        for (size_t i = 0; i < R * O; i++) {
            double got = result->outputs[subject_row(config, ROWS, lengths, b, i / O) * O + i % O];
            scale = fmax(scale, fabs(want[i]));
            most = isfinite(got) ? fmax(most, fabs(got - want[i])) : INFINITY;
        }
        rows += R;
        free(want);
    }
    return rows == result->rows ? most / scale : INFINITY;
}

/* What of the scores is wrong, or NULL. */
static const char *wrong_score(const struct problem *problem, const struct result *result)
{
    for (size_t b = 0; b < ROWS; b++) {
        struct reference_score want =
            reference_get_score(&problem->config, problem->weights, &problem->sequence[b]);
        const struct net_score *got = &result->score[b];
        if (!(fabs(got->loss - want.loss) <= TOLERANCE * (fabs(want.loss) + want.counted)))
            return "loss";
        if (got->counted != want.counted)
            return "counted";
        if (got->labels != want.labels)
            return "labels";
        if (isnan(want.errors) ? !isnan(got->errors) : got->errors != want.errors)
            return "errors";
    }
    return NULL;
}

static double gradient_difference(
    const struct problem *problem, const struct subject *subject, const struct result *result, char worst[64])
{
    double *want = reference_numbers(problem->P), *got = reference_numbers(problem->P);
    for (size_t b = 0; b < ROWS; b++)
        reference_backward(&problem->config, problem->weights, &problem->sequence[b], want);
    problem_to_doubles(problem, result->gradient, subject->tensors, subject->list, got);
    double difference = problem_compare(problem, got, want, FLOOR, worst);
    free(want);
    free(got);
    return difference;
}

/* The masks of recurrent dropout that the net draws with seed and epoch 1: 32 random bits a unit, keyed by
 * the sequence and by two places a layer, are kept from rate 2^32 on. */
static void draw_masks(struct problem *problem)
{
    const struct net_config *config = &problem->config;
    double rate = config->recurrent_dropout;
    for (size_t b = 0; b < ROWS; b++)
        for (size_t k = 0; k < 2 * config->layers; k++) {
            size_t H = config->hidden[k / 2];
            double *mask = reference_numbers(H);
            for (size_t h = 0; h < H; h++) {
                uint32_t bits[4];
                random_block(1, RANDOM_RECURRENT_DROPOUT, (uint64_t)1 << 40 | b, (k << 32) + h / 4, bits);
                mask[h] = bits[h % 4] < (uint32_t)(rate * 0x1p32) ? 0 : (float)(1 / (1 - rate));
            }
            problem->sequence[b].mask[k / 2][k % 2] = mask;
        }
}

static void free_masks(struct problem *problem)
{
    for (size_t b = 0; b < ROWS; b++)
        for (size_t k = 0; k < 2 * problem->config.layers; k++)
            free((double *)problem->sequence[b].mask[k / 2][k % 2]);
}

/* A team of two to four has the same bits. */
static void check_team(struct subject *subject, const struct net_pass *pass, const struct result *alone,
    const char *text, uint64_t seed)
{
    struct microbatch microbatch;
    microbatch_init(&microbatch);
    problem_fill_microbatch(subject->problem, ROWS, in_order, &microbatch);
    const char *difference = team_compare(subject, pass, &microbatch, 2 + seed % 3, alone);
    ck_assert_msg(!difference, "%s: a team has another %s", text, difference);
    microbatch_finish(&microbatch);
}

static void check_combination(const struct combination *combination, uint64_t seed)
{
    struct problem problem;
    struct subject subject;
    struct result result;
    char text[512], worst[64];
    name_combination(combination, sizeof text, text);
    problem_init(&problem, &combination->config, ROWS, lengths, seed);
    if (net_options_drop_targets(combination->n, combination->chosen))
        problem_drop_targets(&problem, seed);
    if (net_options_weigh_targets(combination->n, combination->chosen))
        problem_weigh_targets(&problem, seed);
    if (combination->config.recurrent_dropout > 0)
        draw_masks(&problem);
    subject_init(&subject, &problem);
    struct net_pass pass = {.training = 1, .seed = 1, .epoch = 1};
    subject_run_chosen(&subject, &pass, ROWS, in_order, &result);
    double outputs = outputs_difference(&problem, &result);
    ck_assert_msg(outputs < TOLERANCE, "%s: outputs are off by %g", text, outputs);
    const char *score = wrong_score(&problem, &result);
    ck_assert_msg(!score, "%s: wrong %s", text, score);
    double gradient = gradient_difference(&problem, &subject, &result, worst);
    ck_assert_msg(gradient < TOLERANCE, "%s: gradient of %s is off by %g", text, worst, gradient);
    check_team(&subject, &pass, &result, text, seed);
    result_finish(&result);
    subject_finish(&subject);
    free_masks(&problem);
    problem_finish(&problem);
}

static size_t pick(uint64_t seed, uint64_t index, size_t n)
{
    return (size_t)random_below(n, seed, RANDOM_TEST, 7, index);
}

/* Two options are tried on one of so many variants. To sanitizers most of them are alike. */
enum { TURNS = SUITE_IS_SANITIZED ? 9 : 3 };

/* Is this one of the variants that two options are tried on? Over neighbouring pairs all have their turn. */
static int is_tried(size_t n, int which, uint64_t seed)
{
    return n != 2 || everything || ((uint64_t)(which + which / OUTPUTS) + seed) % TURNS == 0;
}

/* These options with every kind of output that has them, every kind of input, and in one direction, in both,
 * or in both in one layer of three. Sizes lie on both sides of 16. */
static void check_options(
    enum cell cell, enum loss loss, size_t n, const struct net_option *const chosen[], uint64_t seed)
{
    int of_rows = loss != LOSS_SOFTMAX || net_options_take_rows(n, chosen);
    for (int which = 0; which < OUTPUTS * INPUTS * 2; which++) {
        if ((which % OUTPUTS == OUTPUT_CTC && of_rows) || !is_tried(n, which, seed))
            continue;
        uint64_t key = 100 * seed + (uint64_t)which;
        int inputs = which / (OUTPUTS * 2), both = which / OUTPUTS % 2, middle = (int)pick(key, 0, 2);
        struct combination combination = {.n = n, .chosen = chosen};
        struct net_config *config = &combination.config;
        *config = (struct net_config){.cell = cell,
            .output = (enum output)(which % OUTPUTS),
            .loss = loss,
            .layers = 3,
            .hidden = {18, 17, 5},
            .bidirectional = {both, middle, both},
            .inputs = pick(key, 1, 2) ? 6 : 21,
            .symbols = inputs > 0,
            .embedding = inputs == 2 ? 7 : 0,
            .outputs = pick(key, 2, 2) ? 4 : 18};
        net_options_apply(config, n, chosen);
        if (net_config_check(config, NULL, NULL)) /* an option of layers where there are none */
            continue;
        check_combination(&combination, key);
    }
}

/* Of a loop over cells and options. */
static enum cell cell_of(int i)
{
    return (enum cell)((size_t)i / net_options_count);
}

static size_t option_of(int i)
{
    return (size_t)i % net_options_count;
}

/* With every loss that it leaves free. */
START_TEST(an_option_alone_is_the_references)
{
    const struct net_option *option = &net_options[option_of(_i)];
    for (int loss = 0; loss < LOSSES && net_options_agree(cell_of(_i), 1, &option); loss++)
        if (option->loss == loss || (option->loss < 0 && loss < FREE_LOSSES))
            check_options(cell_of(_i), (enum loss)loss, 1, &option, option_of(_i));
}
END_TEST

/* An option with each of those before it. */
START_TEST(two_options_are_the_references)
{
    size_t k = option_of(_i);
    for (size_t j = 0; j < k; j++) {
        const struct net_option *pair[] = {&net_options[j], &net_options[k]};
        if (net_options_agree(cell_of(_i), 2, pair))
            check_options(cell_of(_i), (enum loss)((j + k) % FREE_LOSSES), 2, pair, 100 * k + j);
    }
}
END_TEST

START_TEST(all_options_at_once_are_the_references)
{
    enum cell cell = (enum cell)(_i / LOSSES);
    enum loss loss = (enum loss)(_i % LOSSES);
    const struct net_option **chosen = calloc(net_options_count, sizeof *chosen);
    ck_assert_ptr_nonnull(chosen);
    size_t n = net_options_choose_all(cell, loss, chosen);
    for (uint64_t seed = 0; seed < 3; seed++)
        check_options(cell, loss, n, chosen, 5000 + seed);
    free(chosen);
}
END_TEST

/* Names, shapes and order in the flat vector. */
START_TEST(parameters_with_all_options_are_the_references)
{
    const struct net_option **chosen = calloc(net_options_count, sizeof *chosen);
    ck_assert_ptr_nonnull(chosen);
    struct net_config config = {.cell = (enum cell)_i,
        .layers = 3,
        .hidden = {18, 17, 5},
        .bidirectional = {1, 0, 1},
        .inputs = 8,
        .symbols = 1,
        .embedding = 3,
        .outputs = 4};
    net_options_apply(&config, net_options_choose_all(config.cell, LOSS_SOFTMAX, chosen), chosen);
    struct parameter want[REFERENCE_MOST_TENSORS];
    size_t n, tensors = reference_list_parameters(&config, want), offset = 0;
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
        ck_assert_uint_eq(got[k].offset, offset);
        offset += got[k].count;
    }
    ck_assert_uint_eq(net_count_parameters(net), offset);
    net_destroy(net);
    free(chosen);
}
END_TEST

int main(int argc, char **argv)
{
    Suite *suite = suite_create("net options");
    TCase *cases = tcase_create("net options");
    everything = argc > 1 && strcmp(argv[1], "all") == 0;
    int part = argc > 1 ? atoi(argv[1]) : 0, options = (int)net_options_count;
    int first = everything ? 0 : CELLS * part / PARTS, end = everything ? CELLS : CELLS * (part + 1) / PARTS;
    tcase_set_timeout(cases, everything ? 1000 : 100);
    tcase_add_loop_test(cases, an_option_alone_is_the_references, first * options, end * options);
    tcase_add_loop_test(cases, two_options_are_the_references, first * options, end * options);
    tcase_add_loop_test(cases, all_options_at_once_are_the_references, first * LOSSES, end * LOSSES);
    tcase_add_loop_test(cases, parameters_with_all_options_are_the_references, first, end);
    suite_add_tcase(suite, cases);
    return suite_run(suite);
}

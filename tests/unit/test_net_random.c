/* What the net draws from the seed: masks of dropout and starting weights. */
#include "base/hash.h"
#include "reference/subject.h"
#include "support/suite.h"

#include <check.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CELLS = 7, STARTING_UNITS = 400 };

static struct net_pass pass_of(uint64_t seed, uint64_t epoch)
{
    return (struct net_pass){.training = 1, .seed = seed, .epoch = epoch};
}

/* ---- dropout ---- */

static const int32_t lengths[] = {21, 8, 8, 3};
static const int64_t in_order[] = {0, 1, 2, 3};

static struct net_config dropping_config(enum cell cell, double dropout)
{
    return (struct net_config){.cell = cell,
        .layers = 3,
        .hidden = {9, 18, 6},
        .bidirectional = {1, 0, 1},
        .inputs = 4,
        .outputs = 3,
        .dropout = dropout};
}

START_TEST(dropout_is_off_outside_of_training)
{
    struct net_config config = dropping_config((enum cell)_i, 0.5), plain = config;
    plain.dropout = 0;
    struct problem problem, without;
    struct subject subject, other;
    struct result dropping, testing, none, trained;
    problem_init(&problem, &config, 4, lengths, 21);
    problem_init(&without, &plain, 4, lengths, 21);
    subject_init(&subject, &problem);
    subject_init(&other, &without);
    struct net_pass training = pass_of(1, 1), evaluation = {.training = 0, .seed = 1, .epoch = 1};
    subject_run_chosen(&subject, &training, 4, in_order, &dropping);
    subject_run_chosen(&subject, &evaluation, 4, in_order, &testing);
    subject_run_chosen(&other, &evaluation, 4, in_order, &none);
    subject_run_chosen(&other, &training, 4, in_order, &trained);
    size_t bytes = none.rows * none.O * sizeof *none.outputs;
    ck_assert_mem_eq(testing.outputs, none.outputs, bytes);
    ck_assert_mem_eq(trained.outputs, none.outputs, bytes);
    ck_assert(memcmp(dropping.outputs, none.outputs, bytes) != 0);
    result_finish(&dropping);
    result_finish(&testing);
    result_finish(&none);
    result_finish(&trained);
    subject_finish(&subject);
    subject_finish(&other);
    problem_finish(&problem);
    problem_finish(&without);
}
END_TEST

/* Equal key, equal mask; a mask goes with seed, epoch and sequence, not with the row. */
START_TEST(masks_are_a_function_of_their_key)
{
    struct net_config config = dropping_config((enum cell)_i, 0.4);
    struct problem problem;
    struct subject subject;
    struct result first, again, seed, epoch, swapped;
    static const int64_t two[] = {1, 2}, two_swapped[] = {2, 1};
    problem_init(&problem, &config, 4, lengths, 22);
    memcpy((void *)problem.sequence[2].inputs, problem.sequence[1].inputs, 8 * 4 * sizeof(double));
    subject_init(&subject, &problem);
    struct net_pass pass = pass_of(1, 1), other_seed = pass_of(2, 1), other_epoch = pass_of(1, 2);
    subject_run_chosen(&subject, &pass, 2, two, &first);
    subject_run_chosen(&subject, &pass, 2, two, &again);
    subject_run_chosen(&subject, &other_seed, 2, two, &seed);
    subject_run_chosen(&subject, &other_epoch, 2, two, &epoch);
    subject_run_chosen(&subject, &pass, 2, two_swapped, &swapped);
    size_t O = first.O, bytes = first.rows * O * sizeof *first.outputs;
    ck_assert_mem_eq(first.outputs, again.outputs, bytes);
    ck_assert_mem_eq(first.gradient, again.gradient, first.P * sizeof *first.gradient);
    ck_assert(memcmp(first.outputs, seed.outputs, bytes) != 0);
    ck_assert(memcmp(first.outputs, epoch.outputs, bytes) != 0);
    ck_assert(memcmp(first.outputs, first.outputs + O, O * sizeof *first.outputs) != 0);
    ck_assert_mem_eq(first.outputs, swapped.outputs + O, O * sizeof *first.outputs);
    result_finish(&first);
    result_finish(&again);
    result_finish(&seed);
    result_finish(&epoch);
    result_finish(&swapped);
    subject_finish(&subject);
    problem_finish(&problem);
}
END_TEST

/* Fills in a net whose output is a plain sum over the units of its first layer: y = sum_h m_h h, where h_j is
 * the j-th input weight and m_h the mask (0 or 1 / (1 - p)). */
static void make_adder(struct problem *problem, size_t H)
{
    struct parameter list[REFERENCE_MOST_TENSORS];
    size_t tensors = reference_list_parameters(&problem->config, list);
    for (size_t p = 0; p < problem->P; p++)
        problem->weights[p] = 0;
    for (size_t h = 0; h < H; h++) {
        problem->weights[problem_find(tensors, list, "rnn.weight_ih_l0")->offset + h] =
            (float)(0.5 + (double)h / (double)H);
        problem->weights[problem_find(tensors, list, "rnn.weight_ih_l1")->offset + h] = 1;
    }
    problem->weights[problem_find(tensors, list, "head.weight")->offset] = 1;
    for (size_t s = 0; s < problem->sequences; s++)
        for (size_t t = 0; t < problem->sequence[s].T; t++)
            ((double *)problem->sequence[s].inputs)[t] = 1;
}

/* Mean, variance and correlation of successive steps of the adder's output under dropout. */
START_TEST(dropout_keeps_the_mean_and_has_its_variance)
{
    enum { H = 33, STEPS = 40, EPOCHS = 250 };
    const double p = 0.25;
    const int32_t length[] = {STEPS, STEPS};
    struct net_config config = {.cell = CELL_RNN_RELU,
        .loss = LOSS_MSE,
        .layers = 2,
        .hidden = {H, 1},
        .inputs = 1,
        .outputs = 1,
        .dropout = p};
    struct problem problem;
    problem_init(&problem, &config, 2, length, 23);
    make_adder(&problem, H);
    struct subject subject;
    subject_init(&subject, &problem);
    double mean = 0, variance = 0;
    for (int h = 0; h < H; h++) {
        double y = 0.5 + (double)h / H;
        mean += y;
        variance += y * y * p / (1 - p);
    }
    double sum = 0, squares = 0, products = 0, n = EPOCHS * STEPS * 2;
    for (uint64_t epoch = 0; epoch < EPOCHS; epoch++) {
        struct net_pass pass = pass_of(5, epoch);
        struct result result;
        subject_run_chosen(&subject, &pass, 2, in_order, &result);
        for (size_t r = 0; r < result.rows; r++) {
            double y = result.outputs[r] - mean;
            sum += y;
            squares += y * y;
            products += r >= 2 ? y * (result.outputs[r - 2] - mean) : 0;
        }
        result_finish(&result);
    }
    ck_assert_double_lt(fabs(sum / n), 4 * sqrt(variance / n));
    ck_assert_double_lt(fabs(squares / n / variance - 1), 0.06);
    ck_assert_double_lt(fabs(products / n / variance), 4 / sqrt(n));
    subject_finish(&subject);
    problem_finish(&problem);
}
END_TEST

static double loss_at(struct subject *subject, const struct net_pass *pass, const float *gradient, double e)
{
    float *moved = calloc(subject->P, sizeof *moved);
    for (size_t p = 0; p < subject->P; p++)
        moved[p] = (float)(subject->weights[p] + e * gradient[p]);
    net_pack(subject->net, moved);
    struct result result;
    subject_run_chosen(subject, pass, 4, in_order, &result);
    double loss = 0;
    for (size_t b = 0; b < 4; b++)
        loss += result.score[b].loss;
    result_finish(&result);
    free(moved);
    return loss;
}

/* With masks that stay, the loss rises along the gradient by its square: (f(w + e g) - f(w - e g)) / 2e. */
START_TEST(gradient_under_dropout_matches_slope)
{
    struct net_config config = dropping_config((enum cell)_i, 0.4);
    struct problem problem;
    struct subject subject;
    struct result result;
    struct net_pass pass = pass_of(6, 3);
    problem_init(&problem, &config, 4, lengths, 24);
    subject_init(&subject, &problem);
    subject_run_chosen(&subject, &pass, 4, in_order, &result);
    double squares = 0;
    for (size_t p = 0; p < result.P; p++)
        squares += (double)result.gradient[p] * result.gradient[p];
    double e = 0.02 / squares;
    double rise =
        loss_at(&subject, &pass, result.gradient, e) - loss_at(&subject, &pass, result.gradient, -e);
    ck_assert_double_eq_tol(rise / (2 * e) / squares, 1, 2e-3);
    result_finish(&result);
    subject_finish(&subject);
    problem_finish(&problem);
}
END_TEST

/* ---- starting weights ---- */

static float *starting_weights(const struct net *net, uint64_t seed)
{
    float *weights = calloc(net_count_parameters(net), sizeof *weights);
    ck_assert_int_eq(net_init_weights(net, seed, weights, NULL), 0);
    return weights;
}

static void check_orthogonal(const float *Q, size_t H)
{
    for (size_t i = 0; i < H; i++)
        for (size_t j = 0; j < H; j++) {
            double sum = 0;
            for (size_t k = 0; k < H; k++)
                sum += (double)Q[i * H + k] * Q[j * H + k];
            ck_assert_double_eq_tol(sum, i == j, 1e-5);
        }
}

/* Uniform in +-bound: within it, and filling it. */
static void check_uniform(const float *weights, size_t n, double bound)
{
    double sum = 0, squares = 0;
    for (size_t i = 0; i < n; i++) {
        ck_assert_double_le(fabs(weights[i]), bound * (1 + 1e-6));
        sum += weights[i] / bound;
        squares += (double)weights[i] * weights[i] / (bound * bound);
    }
    ck_assert_double_lt(fabs(sum), 4.5 * sqrt((double)n / 3));
    ck_assert_double_lt(fabs(squares - (double)n / 3), 4.5 * sqrt((double)n * 4 / 45));
}

/* Within [0, bound], about the middle. */
static void check_positive(const float *weights, size_t n, double bound)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        ck_assert(weights[i] >= 0 && (double)weights[i] <= bound * (1 + 1e-6));
        sum += (double)weights[i] / bound - 0.5;
    }
    ck_assert_double_lt(fabs(sum), 4.5 * sqrt((double)n / 12));
}

static void check_forget_gate(const float *weights, const struct parameter *tensor)
{
    size_t H = tensor->size[0] / 4;
    for (size_t h = 0; h < H; h++)
        ck_assert_float_eq(weights[tensor->offset + H + h], 0.5F);
}

/* With the deviation `want`. */
static void check_normal(const float *weights, size_t n, double want)
{
    double sum = 0, squares = 0;
    for (size_t i = 0; i < n; i++) {
        sum += (double)weights[i] / want;
        squares += (double)weights[i] * (double)weights[i] / (want * want);
    }
    ck_assert_double_lt(fabs(sum), 4.5 * sqrt((double)n));
    ck_assert_double_lt(fabs(squares - (double)n), 4.5 * sqrt(2 * (double)n));
}

/* nu, and behind theta gamma_log: |lambda|^2 fills a ring evenly, and gamma is what it lacks of 1. */
static void check_ring(const struct net_config *config, const float *nu, size_t H)
{
    double largest = config->timescale > 0 ? exp(-1 / config->timescale) : 0.999, sum = 0;
    double inner = fmin(0.81, largest * largest), width = largest * largest - inner;
    for (size_t h = 0; h < H; h++) {
        double square = exp(-2 * exp((double)nu[h]));
        ck_assert(square >= inner - 1e-6 && square <= largest * largest + 1e-6);
        ck_assert_double_le(fabs(exp(2 * (double)nu[2 * H + h]) / (1 - square) - 1), 1e-4);
        sum += width > 0 ? (square - inner) / width - 0.5 : 0;
    }
    ck_assert_double_lt(fabs(sum), 4.5 * sqrt((double)H / 12));
}

static void check_lru_start(
    const struct net_config *config, const float *weights, const struct parameter *tensor)
{
    const float *w = weights + tensor->offset;
    size_t H = tensor->size[0], columns = tensor->size[1];
    if (strstr(tensor->name, "nu_l")) {
        check_ring(config, w, H);
    } else if (strstr(tensor->name, "theta_l")) {
        float phase[STARTING_UNITS];
        for (size_t h = 0; h < H; h++)
            phase[h] = (float)exp((double)w[h]);
        check_positive(phase, H, 0.1 * acos(-1));
    } else if (strstr(tensor->name, "B_")) {
        check_normal(w, tensor->count, 1 / sqrt(2 * (double)columns));
    } else if (strstr(tensor->name, "C_")) {
        check_normal(w, tensor->count, 1 / sqrt((double)H));
    } else if (!strstr(tensor->name, "gamma_log")) {
        check_uniform(w, tensor->count, 1 / sqrt((double)(strstr(tensor->name, "D_l") ? columns : H)));
    }
}

static void check_start(const struct net_config *config, const float *weights, const struct parameter *tensor)
{
    static const size_t gates[CELLS] = {1, 1, 4, 3, 1, 2, 1};
    const float *w = weights + tensor->offset;
    size_t G = gates[config->cell], H = tensor->size[0] / G;
    if (config->cell == CELL_LRU && strstr(tensor->name, "rnn.")) {
        check_lru_start(config, weights, tensor);
    } else if (strstr(tensor->name, "weight_hh")) {
        for (size_t g = 0; g < G; g++)
            check_orthogonal(w + g * H * H, H);
        for (size_t g = 1; g < G && H > 1; g++)
            ck_assert(memcmp(w, w + g * H * H, H * H * sizeof *w) != 0);
    } else if (strstr(tensor->name, "bias") && strstr(tensor->name, "rnn.") && config->cell == CELL_LSTM) {
        check_forget_gate(weights, tensor);
        check_uniform(w, H, 1 / sqrt((double)H));
        check_uniform(w + 2 * H, 2 * H, 1 / sqrt((double)H));
    } else if (strncmp(tensor->name, "rnn.u_l", 7) == 0) {
        check_positive(w, tensor->count, config->recurrent_max > 0 ? config->recurrent_max : 1);
    } else if (strstr(tensor->name, "rnn.")) {
        check_uniform(w, tensor->count, 1 / sqrt((double)H));
    } else if (strstr(tensor->name, "head.")) {
        size_t last = config->layers - 1;
        size_t fan_in = config->hidden[last] * (config->bidirectional[last] ? 2 : 1);
        check_uniform(w, tensor->count, 1 / sqrt((double)fan_in));
    }
}

static void count_life(const void *context)
{
    ++*(int *)context;
}

/* A start is watched like any other work: a piece of it that takes long shows life all the while. */
START_TEST(a_long_start_shows_life)
{
    const struct net_config config = {
        .cell = CELL_RNN, .layers = 1, .hidden = {300}, .inputs = 2000, .outputs = 3};
    struct net *net = net_create(&config, NULL);
    float *weights = calloc(net_count_parameters(net), sizeof *weights);
    struct net_piece piece;
    for (size_t i = 0; net_get_piece(net, i, &piece); i++) {
        int shown = 0;
        struct net_life life = {count_life, &shown};
        ck_assert_int_eq(net_start_piece(net, &piece, 1, &life, weights, NULL), 0);
        ck_assert_msg(shown > (piece.work > 60000), "%zu: %d", i, shown);
    }
    free(weights);
    net_destroy(net);
}
END_TEST

START_TEST(starting_weights_are_as_the_header_says)
{
    struct net_config config = {.cell = (enum cell)_i,
        .layers = 4,
        .hidden = {65, 1, 16, 30},
        .bidirectional = {1, 1, 0, 1},
        .inputs = 12,
        .symbols = 1,
        .embedding = 10,
        .outputs = 20};
    struct net *net = net_create(&config, NULL);
    ck_assert_ptr_nonnull(net);
    float *weights = starting_weights(net, 9);
    size_t tensors;
    const struct parameter *list = net_get_parameters(net, &tensors);
    for (size_t k = 0; k < tensors; k++) {
        check_start(&config, weights, &list[k]);
        for (size_t j = 0; j < k; j++)
            if (list[j].count == list[k].count && list[k].count > 8)
                ck_assert_msg(memcmp(weights + list[j].offset, weights + list[k].offset,
                                  list[k].count * sizeof *weights) != 0,
                    "%s is %s", list[k].name, list[j].name);
    }
    free(weights);
    net_destroy(net);
}
END_TEST

START_TEST(weights_that_are_bounded_start_and_are_put_back_within_their_bound)
{
    static const float wild[] = {-7, -1.02f, -1.01f, 0, 1, 1.02f, 3, NAN},
                       tame[] = {-1.01f, -1.01f, -1.01f, 0, 1, 1.01f, 1.01f, NAN};
    const struct net_config config = {.cell = CELL_INDRNN,
        .layers = 2,
        .hidden = {9, 50},
        .bidirectional = {0, 1},
        .inputs = 3,
        .outputs = 2,
        .recurrent_max = (double)1.01f};
    struct net *net = net_create(&config, NULL);
    size_t n, P = net_count_parameters(net), offset = 0, u = 0;
    float *weights = starting_weights(net, 9), *whole = calloc(P, sizeof *whole);
    const struct parameter *list = net_get_parameters(net, &n);
    for (size_t k = 0; k < n; k++)
        if (strncmp(list[k].name, "rnn.u_l", 7) == 0) {
            check_start(&config, weights, &list[k]);
            offset = list[k].offset;
            u++;
        }
    ck_assert_uint_eq(u, 3);
    for (size_t i = 0; i < P; i++)
        whole[i] = weights[i] = wild[i % 8];
    net_bound_weights(net, 0, P, whole);
    for (size_t i = 0; i < 50; i++)
        ck_assert_mem_eq(&whole[offset + i], &tame[(offset + i) % 8], sizeof *whole);
    ck_assert_float_eq(whole[0], wild[0]); /* is not bounded */
    for (size_t i = 0; i < P; i += 13)     /* the bits of any cut */
        net_bound_weights(net, i, i + 13 < P ? i + 13 : P, weights + i);
    ck_assert_mem_eq(weights, whole, P * sizeof *whole);
    free(weights);
    free(whole);
    net_destroy(net);
}
END_TEST

/* Two layers, the second in both directions. */
static struct net_config biased_config(enum cell cell)
{
    return (struct net_config){.cell = cell,
        .layers = 2,
        .hidden = {STARTING_UNITS, STARTING_UNITS},
        .bidirectional = {0, 1},
        .inputs = 2,
        .outputs = 3};
}

/* Where a gate's biases start in the weights, of the first or, where it has two, the second bias. */
static const float *bias_of(const struct net *net, const float *weights, const char *name, size_t gate)
{
    size_t n;
    const struct parameter *list = net_get_parameters(net, &n);
    for (size_t k = 0; k < n; k++)
        if (strcmp(list[k].name, name) == 0)
            return weights + list[k].offset + gate * STARTING_UNITS;
    ck_abort_msg("no %s", name);
}

static const char *const suffixes[] = {"l0", "l1", "l1_reverse"};

/* Sums of the gate that keeps are ln k, k uniform between 1 and T - 1; those of the one that takes in the
 * opposite, unit by unit. Both biases have half. */
static void check_timescale(
    const struct net *net, const float *weights, const char *suffix, size_t keeps, int takes, float k[])
{
    char ih[64], hh[64];
    const double T = 1000;
    snprintf(ih, sizeof ih, "rnn.bias_ih_%s", suffix);
    snprintf(hh, sizeof hh, "rnn.bias_hh_%s", suffix);
    const float *kept = bias_of(net, weights, ih, keeps), *kept_too = bias_of(net, weights, hh, keeps);
    const float *taken = bias_of(net, weights, ih, 0), *taken_too = bias_of(net, weights, hh, 0);
    double mean = 0;
    for (size_t u = 0; u < STARTING_UNITS; u++) {
        ck_assert_float_eq(kept[u], kept_too[u]);
        ck_assert(!takes || (taken[u] == -kept[u] && taken_too[u] == -kept[u]));
        k[u] = (float)exp(2 * (double)kept[u]);
        ck_assert(k[u] >= 0.9999F && k[u] <= (float)(T - 1) * 1.0001F);
        mean += (double)k[u] / STARTING_UNITS;
    }
    ck_assert_double_lt(fabs(mean - T / 2), 4.5 * (T - 2) / sqrt(12.0 * STARTING_UNITS));
}

START_TEST(a_time_scale_starts_gates_by_ln_k)
{
    struct net_config config = biased_config(_i ? CELL_GRU : CELL_LSTM), plain = config;
    config.timescale = 1000;
    struct net *net = net_create(&config, NULL), *usual = net_create(&plain, NULL);
    float *weights = starting_weights(net, 9), *usually = starting_weights(usual, 9);
    float k[3][STARTING_UNITS];
    for (size_t i = 0; i < 3; i++)
        check_timescale(net, weights, suffixes[i], 1, _i == 0, k[i]);
    ck_assert(memcmp(k[0], k[1], sizeof k[0]) != 0 && memcmp(k[1], k[2], sizeof k[0]) != 0);
    const float *last = bias_of(net, weights, "rnn.bias_hh_l1", 2);
    ck_assert_mem_eq(last, bias_of(usual, usually, "rnn.bias_hh_l1", 2), STARTING_UNITS * sizeof *last);
    free(weights);
    free(usually);
    net_destroy(net);
    net_destroy(usual);
}
END_TEST

/* _i: its index among scales of which one is too short for the inner edge of the ring. */
START_TEST(a_time_scale_sets_the_outer_edge_of_the_ring)
{
    static const double scales[] = {2, 9.4, 100, 10000};
    struct net_config config = biased_config(CELL_LRU);
    config.timescale = scales[_i];
    struct net *net = net_create(&config, NULL);
    float *weights = starting_weights(net, 9);
    for (size_t i = 0; i < 3; i++) {
        char name[64];
        snprintf(name, sizeof name, "rnn.nu_%s", suffixes[i]);
        check_ring(&config, bias_of(net, weights, name, 0), STARTING_UNITS);
    }
    free(weights);
    net_destroy(net);
}
END_TEST

START_TEST(a_forget_bias_is_halved_between_two_biases)
{
    static const double numbers[] = {3, 0, -0.25};
    struct net_config config = biased_config(_i ? CELL_GRU : CELL_LSTM);
    for (size_t i = 0; i < 3; i++) {
        config.forget_bias = (struct net_choice){.given = 1, .number = numbers[i]};
        struct net *net = net_create(&config, NULL);
        float *weights = starting_weights(net, 9);
        const float *ih = bias_of(net, weights, "rnn.bias_ih_l1_reverse", 1);
        const float *hh = bias_of(net, weights, "rnn.bias_hh_l1_reverse", 1);
        for (size_t u = 0; u < STARTING_UNITS; u++)
            ck_assert(ih[u] == (float)numbers[i] / 2 && hh[u] == ih[u]);
        check_uniform(bias_of(net, weights, "rnn.bias_ih_l0", 0), STARTING_UNITS, 1 / sqrt(STARTING_UNITS));
        free(weights);
        net_destroy(net);
    }
}
END_TEST

/* Whoever starts a run again with the seed of an old one is to get its weights: the hashes are those of the
 * first program that had this start. 70 units are more than one block of columns, 300 more than two. */
START_TEST(starting_weights_stay_what_they_were)
{
    static const uint64_t hashes[CELLS] = {0xfde128a1f107f17e, 0xfde128a1f107f17e, 0x487f553201bd7e83,
        0xe905bf6aaf327c30, 0x93d185e1b2741ff0, 0xf6fff76ecc41aeb2, 0xb13751c3373fba1d};
    struct net_config config = {.cell = (enum cell)_i,
        .layers = 3,
        .hidden = {70, 7, 300},
        .bidirectional = {1, 1, 0},
        .inputs = 5,
        .symbols = 1,
        .embedding = 9,
        .outputs = 4};
    struct net *net = net_create(&config, NULL);
    ck_assert_ptr_nonnull(net);
    float *weights = starting_weights(net, 9);
    uint64_t hash = hash_bytes(weights, net_count_parameters(net) * sizeof *weights);
    ck_assert_msg(hash == hashes[_i], "%016" PRIx64, hash);
    free(weights);
    net_destroy(net);
}
END_TEST

START_TEST(equal_seeds_start_with_equal_bytes)
{
    struct net_config config = dropping_config((enum cell)_i, 0);
    struct net *net = net_create(&config, NULL), *twin = net_create(&config, NULL);
    ck_assert(net && twin);
    float *weights = starting_weights(net, 9), *equal = starting_weights(twin, 9);
    float *others = starting_weights(net, 10);
    size_t P = net_count_parameters(net), same = 0;
    ck_assert_mem_eq(weights, equal, P * sizeof *weights);
    for (size_t p = 0; p < P; p++)
        same += weights[p] == others[p];
    size_t constant = config.cell == CELL_LSTM ? 2 * (2 * 9 + 18 + 2 * 6) : 0;
    ck_assert_uint_eq(same, constant);
    free(weights);
    free(equal);
    free(others);
    net_destroy(net);
    net_destroy(twin);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("net random");
    TCase *cases = tcase_create("net random");
    tcase_set_timeout(cases, 100);
    tcase_add_loop_test(cases, dropout_is_off_outside_of_training, 0, CELLS);
    tcase_add_loop_test(cases, masks_are_a_function_of_their_key, 0, CELLS);
    tcase_add_test(cases, dropout_keeps_the_mean_and_has_its_variance);
    tcase_add_loop_test(cases, gradient_under_dropout_matches_slope, 0, CELLS);
    tcase_add_test(cases, a_long_start_shows_life);
    tcase_add_loop_test(cases, starting_weights_are_as_the_header_says, 0, CELLS);
    tcase_add_loop_test(cases, starting_weights_stay_what_they_were, 0, CELLS);
    tcase_add_test(cases, weights_that_are_bounded_start_and_are_put_back_within_their_bound);
    tcase_add_loop_test(cases, a_time_scale_starts_gates_by_ln_k, 0, 2);
    tcase_add_loop_test(cases, a_time_scale_sets_the_outer_edge_of_the_ring, 0, 4);
    tcase_add_loop_test(cases, a_forget_bias_is_halved_between_two_biases, 0, 2);
    tcase_add_loop_test(cases, equal_seeds_start_with_equal_bytes, 0, CELLS);
    suite_add_tcase(suite, cases);
    return suite_run(suite);
}

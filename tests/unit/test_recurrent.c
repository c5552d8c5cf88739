/* The options of a recurrent layer: each cell with each of them, over ragged lengths and in both directions.
 * Gradients are compared with slopes of the loss along random directions, a central difference in a float
 * forward pass, good to a few thousandths. */
#include "net/layout.h"
#include "reference/problem.h"
#include "support/suite.h"

#include "base/random.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CELLS = 7, ROWS = 6, LEARNED = 1, PEEPHOLES = 2, TRANSITION = 4, DROPOUT = 8, OPTIONS = 16 };

static const int32_t lengths[ROWS] = {13, 7, 7, 7, 3, 1};
static const int64_t in_order[ROWS] = {0, 1, 2, 3, 4, 5};
static const struct net_pass training = {.training = 1, .seed = 3, .epoch = 2};

static int sees_itself_alone(enum cell cell)
{
    return cell == CELL_INDRNN || cell == CELL_MINGRU || cell == CELL_LRU;
}

static struct net_config config_of(int test)
{
    int options = test / CELLS, alone = sees_itself_alone((enum cell)(test % CELLS));
    return (struct net_config){.cell = (enum cell)(test % CELLS),
        .layers = 2,
        .hidden = {17, 6},
        .bidirectional = {1, 1},
        .inputs = 5,
        .outputs = 3,
        .initial_state = options & LEARNED,
        .peepholes = options & PEEPHOLES && test % CELLS == CELL_LSTM,
        .transition_layers = options & TRANSITION && !alone ? 2 : 0,
        .recurrent_dropout = options & DROPOUT && !alone ? 0.3 : 0};
}

/* A net on its data. */
struct recurrent_bench {
    struct problem problem;
    struct net *net;
    size_t P, tensors;
    const struct parameter *list;
    float *weights;
};

/* Starting weights, with initial states that are not zero; smaller ones where rnn-relu would explode. */
static void bench_init(struct recurrent_bench *bench, const struct net_config *config)
{
    problem_init(&bench->problem, config, ROWS, lengths, 17);
    bench->net = net_create(config, NULL);
    ck_assert_ptr_nonnull(bench->net);
    bench->P = net_count_parameters(bench->net);
    bench->list = net_get_parameters(bench->net, &bench->tensors);
    bench->weights = memory_create(bench->P, sizeof(float), NULL);
    ck_assert_int_eq(net_init_weights(bench->net, 5, bench->weights, NULL), 0);
    for (size_t k = 0; k < bench->tensors; k++) {
        const struct parameter *p = &bench->list[k];
        if (strncmp(p->name, "rnn.h0", 6) == 0 || strncmp(p->name, "rnn.c0", 6) == 0)
            for (size_t i = p->offset; i < p->offset + p->count; i++)
                bench->weights[i] = (float)(1.4 * random_uniform(5, RANDOM_TEST, 0, i) - 0.7);
        if (config->cell == CELL_RNN_RELU && strstr(p->name, "weight_hh"))
            for (size_t i = p->offset; i < p->offset + p->count; i++)
                bench->weights[i] *= 0.6f;
    }
    net_pack(bench->net, bench->weights);
}

static void bench_finish(struct recurrent_bench *bench)
{
    problem_finish(&bench->problem);
    net_destroy(bench->net);
    memory_destroy(bench->weights);
}

/* What one pass over chosen sequences gives. */
struct taken {
    size_t rows, O;
    float *outputs, *gradient; /* [rows][O], [P] */
    struct net_score score[ROWS];
};

static struct taken bench_run(struct recurrent_bench *bench, size_t B, const int64_t *chosen)
{
    struct microbatch microbatch;
    struct net_outputs outputs;
    struct taken taken = {.gradient = memory_create(bench->P, sizeof(float), NULL)};
    microbatch_init(&microbatch);
    problem_fill_microbatch(&bench->problem, B, chosen, &microbatch);
    ck_assert_int_eq(net_forward(bench->net, &training, &microbatch, &outputs, taken.score, NULL), 0);
    taken.rows = outputs.rows;
    taken.O = net_count_head(&bench->problem.config);
    taken.outputs = memory_create(taken.rows * taken.O, sizeof(float), NULL);
    for (size_t r = 0; r < taken.rows; r++)
        memcpy(taken.outputs + r * taken.O, outputs.values + r * outputs.stride, taken.O * sizeof(float));
    net_backward(bench->net, &training, &microbatch, taken.gradient);
    microbatch_finish(&microbatch);
    return taken;
}

static void taken_finish(struct taken *taken)
{
    memory_destroy(taken->outputs);
    memory_destroy(taken->gradient);
}

static double loss_at(struct recurrent_bench *bench, const float *weights)
{
    struct microbatch microbatch;
    struct net_outputs outputs;
    struct net_score score[ROWS];
    double loss = 0;
    microbatch_init(&microbatch);
    problem_fill_microbatch(&bench->problem, ROWS, in_order, &microbatch);
    net_pack(bench->net, weights);
    ck_assert_int_eq(net_forward(bench->net, &training, &microbatch, &outputs, score, NULL), 0);
    for (size_t b = 0; b < ROWS; b++)
        loss += score[b].loss;
    microbatch_finish(&microbatch);
    return loss;
}

/* (f(w + e d) - f(w - e d)) / 2e */
static double rise_along(
    struct recurrent_bench *bench, const struct parameter *p, const double *direction, double e)
{
    double rise = 0;
    for (int sign = -1; sign <= 1; sign += 2) {
        float *moved = memory_create(bench->P, sizeof *moved, NULL);
        memcpy(moved, bench->weights, bench->P * sizeof *moved);
        for (size_t i = 0; i < p->count; i++)
            moved[p->offset + i] = (float)(bench->weights[p->offset + i] + sign * e * direction[i]);
        rise += sign * loss_at(bench, moved) / (2 * e);
        memory_destroy(moved);
    }
    return rise;
}

/* Along the gradient by one tensor and a random direction of the same length. Where rnn-relu has a kink
 * between the two points they are to be nearer to each other. */
static void check_slope(struct recurrent_bench *bench, const struct parameter *p, const float *gradient)
{
    double squares = 0, slope = 0, rise = INFINITY;
    for (size_t i = p->offset; i < p->offset + p->count; i++)
        squares += (double)gradient[i] * gradient[i];
    double norm = sqrt(squares), tolerance = 0.02 * norm + 1e-3;
    ck_assert_msg(norm > 1e-2, "%s has no gradient", p->name);
    double *along = memory_create(p->count, sizeof *along, NULL);
    for (size_t i = 0; i < p->count; i++) {
        double random = 2 * random_uniform(9, RANDOM_TEST, 0, p->offset + i) - 1;
        along[i] = gradient[p->offset + i] / norm + random * sqrt(3 / (double)p->count);
        slope += along[i] * gradient[p->offset + i];
    }
    for (double e = 0.004; fabs(rise - slope) > tolerance && e > 0.0001; e /= 2)
        rise = rise_along(bench, p, along, e / (1 + norm));
    ck_assert_msg(fabs(rise - slope) <= tolerance, "%s: slope %g, gradient %g", p->name, rise, slope);
    memory_destroy(along);
}

START_TEST(gradient_matches_slope)
{
    struct net_config config = config_of(_i);
    struct recurrent_bench bench;
    bench_init(&bench, &config);
    struct taken taken = bench_run(&bench, ROWS, in_order);
    for (size_t k = 0; k < bench.tensors; k++)
        check_slope(&bench, &bench.list[k], taken.gradient);
    taken_finish(&taken);
    bench_finish(&bench);
}
END_TEST

/* Outputs and score of row b of one microbatch are, to the bit, those of row k of another. */
static void check_rows(const struct recurrent_bench *bench, const struct taken *one, size_t B,
    const int64_t *chosen, size_t b, const struct taken *other, size_t K, const int64_t *chosen_other,
    size_t k)
{
    struct microbatch microbatch[2];
    microbatch_init(&microbatch[0]);
    microbatch_init(&microbatch[1]);
    problem_fill_microbatch(&bench->problem, B, chosen, &microbatch[0]);
    problem_fill_microbatch(&bench->problem, K, chosen_other, &microbatch[1]);
    for (size_t t = 0; t < (size_t)microbatch[0].length[b]; t++)
        ck_assert_mem_eq(one->outputs + microbatch_frame(&microbatch[0], b, t) * one->O,
            other->outputs + microbatch_frame(&microbatch[1], k, t) * one->O, one->O * sizeof(float));
    ck_assert_mem_eq(&one->score[b], &other->score[k], sizeof one->score[b]);
    microbatch_finish(&microbatch[0]);
    microbatch_finish(&microbatch[1]);
}

START_TEST(batch_order_is_inert)
{
    static const int64_t shuffled[ROWS] = {0, 3, 1, 2, 4, 5};
    struct net_config config = config_of(_i);
    struct recurrent_bench bench;
    bench_init(&bench, &config);
    struct taken straight = bench_run(&bench, ROWS, in_order), other = bench_run(&bench, ROWS, shuffled);
    for (size_t k = 0; k < ROWS; k++) {
        struct taken alone = bench_run(&bench, 1, &shuffled[k]);
        check_rows(&bench, &straight, ROWS, in_order, (size_t)shuffled[k], &other, ROWS, shuffled, k);
        check_rows(&bench, &other, ROWS, shuffled, k, &alone, 1, &shuffled[k], 0);
        taken_finish(&alone);
    }
    for (size_t p = 0; p < bench.P; p++)
        ck_assert_double_eq_tol(straight.gradient[p], other.gradient[p], 1e-4);
    taken_finish(&straight);
    taken_finish(&other);
    bench_finish(&bench);
}
END_TEST

/* Moves the tensors that both nets have from one flat vector to another; 1 where they are equal already. */
static int carry_over(
    const struct recurrent_bench *from, const float *source, const struct recurrent_bench *to, float *target)
{
    int equal = 1;
    for (size_t k = 0; k < from->tensors; k++) {
        const struct parameter *p = &from->list[k], *q = problem_find(to->tensors, to->list, p->name);
        size_t bytes = q ? p->count * sizeof *source : 0;
        if (q && memcmp(target + q->offset, source + p->offset, bytes) != 0)
            equal = 0;
        if (q)
            memcpy(target + q->offset, source + p->offset, bytes);
    }
    return equal;
}

START_TEST(an_initial_state_of_zeroes_gives_the_bits_of_none)
{
    struct net_config learned = config_of(_i), none = learned;
    learned.initial_state = 1;
    none.initial_state = 0;
    struct recurrent_bench with, without;
    bench_init(&with, &learned);
    bench_init(&without, &none);
    memset(with.weights, 0, with.P * sizeof *with.weights);
    carry_over(&without, without.weights, &with, with.weights);
    net_pack(with.net, with.weights);
    struct taken one = bench_run(&with, ROWS, in_order), other = bench_run(&without, ROWS, in_order);
    ck_assert_mem_eq(one.outputs, other.outputs, one.rows * one.O * sizeof *one.outputs);
    ck_assert_mem_eq(one.score, other.score, sizeof one.score);
    ck_assert(carry_over(&with, one.gradient, &without, other.gradient));
    taken_finish(&one);
    taken_finish(&other);
    bench_finish(&with);
    bench_finish(&without);
}
END_TEST

/* An rnn-relu of the state alone, h(t) = m(t-1), from a state of ones, its outputs those of the net: what a
 * unit is multiplied by in each step is read off. */
static void make_mask_reader(struct recurrent_bench *bench)
{
    memset(bench->weights, 0, bench->P * sizeof *bench->weights);
    for (size_t k = 0; k < bench->tensors; k++) {
        const struct parameter *p = &bench->list[k];
        float *weight = bench->weights + p->offset;
        int start = strncmp(p->name, "rnn.h0", 6) == 0;
        int identity = strstr(p->name, "weight_hh") || strcmp(p->name, "head.weight") == 0;
        for (size_t i = 0; i < p->count; i++)
            weight[i] = start || (identity && i / p->size[1] == i % p->size[1]);
    }
    net_pack(bench->net, bench->weights);
}

START_TEST(a_mask_is_the_same_at_all_steps_and_another_for_each_sequence_and_direction)
{
    enum { UNITS = 40 };
    struct net_config config = {.cell = CELL_RNN_RELU,
        .loss = LOSS_MSE,
        .layers = 1,
        .hidden = {UNITS},
        .bidirectional = {1},
        .inputs = 1,
        .outputs = 2 * UNITS,
        .initial_state = 1,
        .recurrent_dropout = 0.5};
    struct recurrent_bench bench;
    bench_init(&bench, &config);
    make_mask_reader(&bench);
    struct taken taken = bench_run(&bench, ROWS, in_order);
    struct microbatch microbatch;
    microbatch_init(&microbatch);
    problem_fill_microbatch(&bench.problem, ROWS, in_order, &microbatch);
    int kept[ROWS][2 * UNITS], sum = 0;
    for (size_t b = 0; b < ROWS; b++)
        for (size_t u = 0; u < 2 * UNITS; u++) {
            size_t T = (size_t)microbatch.length[b];
            kept[b][u] = taken.outputs[microbatch_frame(&microbatch, b, 0) * taken.O + u] != 0;
            sum += kept[b][u];
            for (size_t t = 0; t < T; t++) {
                size_t steps = u < UNITS ? t + 1 : T - t; /* in the direction's own time */
                float want = kept[b][u] ? ldexpf(1, (int)steps) : 0;
                ck_assert_float_eq(taken.outputs[microbatch_frame(&microbatch, b, t) * taken.O + u], want);
            }
        }
    ck_assert_int_gt(sum, ROWS * UNITS * 8 / 10);
    ck_assert_int_lt(sum, ROWS * UNITS * 12 / 10);
    for (size_t b = 0; b < ROWS; b++) {
        ck_assert(memcmp(kept[b], kept[b] + UNITS, UNITS * sizeof **kept) != 0);
        for (size_t k = 0; k < b; k++)
            ck_assert(memcmp(kept[b], kept[k], UNITS * sizeof **kept) != 0);
    }
    microbatch_finish(&microbatch);
    taken_finish(&taken);
    bench_finish(&bench);
}
END_TEST

START_TEST(recurrent_dropout_is_off_outside_of_training)
{
    static const struct net_pass evaluation = {.training = 0, .seed = 3, .epoch = 2};
    struct net_config config = config_of(_i), none = config;
    if (sees_itself_alone(config.cell)) /* nothing stands between h' and the cell */
        return;
    config.recurrent_dropout = 0.4;
    none.recurrent_dropout = 0;
    struct recurrent_bench with, without;
    bench_init(&with, &config);
    bench_init(&without, &none);
    struct taken dropping = bench_run(&with, ROWS, in_order), plain = bench_run(&without, ROWS, in_order);
    struct microbatch microbatch;
    struct net_outputs outputs;
    struct net_score score[ROWS];
    microbatch_init(&microbatch);
    problem_fill_microbatch(&with.problem, ROWS, in_order, &microbatch);
    ck_assert_int_eq(net_forward(with.net, &evaluation, &microbatch, &outputs, score, NULL), 0);
    ck_assert_mem_eq(score, plain.score, sizeof score);
    ck_assert(memcmp(score, dropping.score, sizeof score) != 0);
    microbatch_finish(&microbatch);
    taken_finish(&dropping);
    taken_finish(&plain);
    bench_finish(&with);
    bench_finish(&without);
}
END_TEST

static void check_padding(const float *rows, size_t n, size_t width, size_t padded, size_t stride)
{
    for (size_t r = 0; r < n; r++)
        for (size_t u = width; u < padded; u++)
            ck_assert_float_eq(rows[r * stride + u], 0);
}

/* The outputs of such a layer have no rows to start from: its states have. */
static void check_mixing_padding(const struct recurrent *r, size_t N)
{
    const struct mixing *m = &r->mixing;
    check_padding(r->s.data, N, r->H, r->Hp, r->Hp);
    check_padding(r->s_start, ROWS, r->H, r->Hp, r->Hp);
    check_padding(r->t.data, N, r->H, r->Hp, r->Hp);
    check_padding(r->ds, ROWS, r->H, r->Hp, r->Hp);
    check_padding(m->y.data, N, r->H, r->Hp, m->stride);
    check_padding(m->dy.data, N, r->H, r->Hp, m->stride);
    check_padding(m->gates.data, N, r->H, r->Hp, m->stride);
}

START_TEST(padding_stays_zero)
{
    struct net_config config = config_of(_i);
    struct recurrent_bench bench;
    struct microbatch microbatch;
    bench_init(&bench, &config);
    struct taken taken = bench_run(&bench, ROWS, in_order);
    microbatch_init(&microbatch);
    problem_fill_microbatch(&bench.problem, ROWS, in_order, &microbatch);
    size_t N = microbatch.N, rows = N + ROWS;
    for (size_t l = 0; l < config.layers; l++)
        for (size_t d = 0; d < 2; d++) {
            const struct layer *layer = &bench.net->stack.layer[l];
            const struct recurrent *r = &layer->direction[d];
            const struct transition *t = &r->transition;
            size_t outputs = r->kind->mixing ? N : rows;
            check_padding(layer->h + d * r->Hp, outputs, r->H, r->Hp, layer->stride);
            check_padding(layer->dY + d * r->Hp, outputs, r->H, r->Hp, layer->stride);
            if (r->kind->mixing)
                check_mixing_padding(r, N);
            if (r->kind->has_memory) {
                check_padding(r->c.data, N, r->H, r->Hp, r->Hp);
                check_padding(r->c_start, ROWS, r->H, r->Hp, r->Hp);
            }
            if (t->on)
                check_padding(t->m, (t->K + 1) * N, r->H, r->Hp, t->stride);
            if (t->K > 0)
                check_padding(t->da, t->K * N, r->H, r->Hp, t->stride);
        }
    microbatch_finish(&microbatch);
    taken_finish(&taken);
    bench_finish(&bench);
}
END_TEST

/* One direction by itself, with its buffers. */
struct single {
    struct recurrent recurrent;
    struct pass pass;
    struct microbatch microbatch;
    struct arena arena;
    void *panels;
    size_t Hp, frames; /* rows of Y and dY, those to start from among them */
    float *Y, *dY, *gradient;
};

enum { H = 19, WIDTH = 5, WEIGHTS = 4 * H * (WIDTH + H + 2) + 2 * H };

static void take_all(struct single *single)
{
    struct recurrent *only = &single->recurrent;
    recurrent_take_workspace(only, &single->pass, &single->arena);
    recurrent_take_sums(&only, 1, &single->pass, &single->arena);
}

static void single_init(
    struct single *single, const struct kernel *kernel, enum cell cell, int reverse, enum start start)
{
    struct parameters parameters = {0};
    struct recurrent_shape shape = {.prefix = "rnn",
        .suffix = "",
        .cell = cell,
        .reverse = reverse,
        .H = H,
        .inputs = {.parts = 1, .size = WIDTH, .interleave = 1},
        .start = start};
    struct microbatch_format format = {.inputs = WIDTH};
    float *weights = memory_create(WEIGHTS, sizeof *weights, NULL);
    ck_assert_int_eq(recurrent_init(&single->recurrent, &shape, &parameters, NULL), 0);
    for (size_t i = 0; i < WEIGHTS; i++)
        weights[i] = (float)(0.8 * random_uniform(6, RANDOM_TEST, 1, i) - 0.4);
    parameters_finish(&parameters);
    struct arena panels = {0};
    recurrent_take_panels(&single->recurrent, &panels);
    panels.base = single->panels = memory_create(panels.peak, 1, NULL);
    panels.size = panels.peak;
    panels.used = 0;
    recurrent_take_panels(&single->recurrent, &panels);
    recurrent_pack(&single->recurrent, &(struct packing){.kernel = kernel, .weights = weights, .shares = 1});
    memory_destroy(weights);
    microbatch_init(&single->microbatch);
    ck_assert_int_eq(microbatch_resize(&single->microbatch, &format, ROWS, lengths, in_order, NULL, NULL), 0);
    for (size_t n = 0; n < single->microbatch.N; n++)
        for (size_t i = 0; i < WIDTH; i++)
            single->microbatch.inputs[n * single->microbatch.inputs_stride + i] =
                (float)random_uniform(6, RANDOM_TEST, 2, n * WIDTH + i);
    single->gradient = memory_create(WEIGHTS, sizeof(float), NULL);
    single->pass = (struct pass){.kernel = kernel,
        .microbatch = &single->microbatch,
        .options = training,
        .gradient = single->gradient};
    single->arena = (struct arena){0};
    take_all(single);
    single->arena.base = memory_create(single->arena.peak, 1, NULL);
    single->arena.size = single->arena.peak;
    arena_reset(&single->arena);
    take_all(single);
    single->Hp = single->recurrent.Hp;
    single->frames = single->microbatch.N + ROWS;
    single->Y = memory_create(single->frames * single->Hp, sizeof(float), NULL);
    single->dY = memory_create(single->frames * single->Hp, sizeof(float), NULL);
}

static void single_finish(struct single *single)
{
    recurrent_finish(&single->recurrent);
    microbatch_finish(&single->microbatch);
    memory_destroy(single->panels);
    memory_destroy(single->arena.base);
    memory_destroy(single->Y);
    memory_destroy(single->dY);
    memory_destroy(single->gradient);
}

/* With 1 as the gradient by every output. */
static void single_run(struct single *single)
{
    struct recurrent *r = &single->recurrent;
    struct microbatch *microbatch = &single->microbatch;
    recurrent_forward(r, &single->pass, as_rows(microbatch->inputs, microbatch->inputs_stride),
        as_rows(single->Y, single->Hp));
    for (size_t i = 0; i < single->frames * single->Hp; i++)
        single->dY[i] = i % single->Hp < H;
    recurrent_backward(r, &single->pass, as_rows(microbatch->inputs, microbatch->inputs_stride),
        as_rows(single->Y, single->Hp), as_rows(single->dY, single->Hp), &(struct recurrent_inputs){0});
}

/* Numbers that a unit has in the flat vector, before those of its start. */
static size_t count_columns(enum cell cell)
{
    if (cell == CELL_LRU)
        return 3 * WIDTH + 3 * H + 4;
    size_t own = cell == CELL_INDRNN ? 1 : 0, seen = sees_itself_alone(cell) ? 1 : H + 2;
    return net_count_gates(cell) * (WIDTH + seen) + own;
}

START_TEST(a_given_start_is_a_learned_one_row_by_row)
{
    const struct kernel *kernel = kernel_choose(NULL);
    struct single learned, given;
    enum cell cell = (enum cell)(_i % CELLS);
    int has_memory = cell == CELL_LSTM || cell == CELL_LRU;
    single_init(&learned, kernel, cell, _i / CELLS, START_LEARNED);
    single_init(&given, kernel, cell, _i / CELLS, START_GIVEN);
    size_t N = given.microbatch.N, Hp = given.Hp;
    for (size_t b = 0; b < ROWS; b++) {
        struct rows h = recurrent_start_h(&given.recurrent, &given.microbatch, as_rows(given.Y, Hp));
        memcpy(row_at(h, b), learned.recurrent.learned, Hp * sizeof(float));
        if (has_memory)
            memcpy(recurrent_start_c(&given.recurrent) + b * Hp, learned.recurrent.learned + Hp,
                Hp * sizeof(float));
    }
    single_run(&learned);
    single_run(&given);
    ck_assert_mem_eq(learned.Y, given.Y, N * Hp * sizeof(float));
    size_t h0 = learned.recurrent.h0, c0 = learned.recurrent.c0;
    ck_assert_uint_eq(h0, H * count_columns(cell));
    ck_assert_mem_eq(learned.gradient, given.gradient, h0 * sizeof(float));
    for (size_t h = 0; h < H; h++) {
        float dh = 0, dc = 0;
        for (size_t b = 0; b < ROWS; b++) {
            dh +=
                row_at(recurrent_start_dh(&given.recurrent, &given.microbatch, as_rows(given.dY, Hp)), b)[h];
            dc += has_memory ? recurrent_start_dc(&given.recurrent)[b * Hp + h] : 0;
        }
        ck_assert(dh == learned.gradient[h0 + h]);
        ck_assert(dh != 0 || cell == CELL_INDRNN); /* whose units may be 0 in every sequence */
        if (has_memory)
            ck_assert(dc != 0 && dc == learned.gradient[c0 + h]);
    }
    single_finish(&learned);
    single_finish(&given);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("recurrent");
    TCase *cases = tcase_create("recurrent");
    tcase_set_timeout(cases, 100);
    tcase_add_loop_test(cases, gradient_matches_slope, 0, CELLS * OPTIONS);
    tcase_add_loop_test(cases, batch_order_is_inert, 0, CELLS * OPTIONS);
    tcase_add_loop_test(cases, an_initial_state_of_zeroes_gives_the_bits_of_none, 0, CELLS * OPTIONS);
    tcase_add_test(cases, a_mask_is_the_same_at_all_steps_and_another_for_each_sequence_and_direction);
    tcase_add_loop_test(cases, recurrent_dropout_is_off_outside_of_training, 0, CELLS * OPTIONS);
    tcase_add_loop_test(cases, padding_stays_zero, 0, CELLS * OPTIONS);
    tcase_add_loop_test(cases, a_given_start_is_a_learned_one_row_by_row, 0, 2 * CELLS);
    suite_add_tcase(suite, cases);
    return suite_run(suite);
}

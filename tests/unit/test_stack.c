/* What surrounds the recurrent layers, alone and together: gradients against slopes of the loss, rows that do
 * not depend on their microbatch, normalization and noise against what they are said to be. */
#include "net/gather.h"
#include "net/layout.h"
#include "net/net.h"
#include "net/noise.h"
#include "net/norm.h"

#include "support/suite.h"

#include "base/random.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 7 };
static const int32_t lengths[ROWS] = {9, 6, 6, 4, 1, 1, 1};
static const size_t in_order[ROWS] = {0, 1, 2, 3, 4, 5, 6};
static const struct net_pass training = {.training = 1, .seed = 3, .epoch = 2};
static const struct net_pass evaluation = {.training = 0, .seed = 3, .epoch = 2};

/* ---- a net with weights, and microbatches of its sequences ---- */

struct stack_trial {
    struct net_config config;
    struct net *net;
    size_t P, tensors;
    const struct parameter *list;
    float *weights, *gradient;
};

static double draw(uint64_t high, uint64_t index)
{
    return random_normal(9, RANDOM_TEST, high, index);
}

static void trial_init(struct stack_trial *trial, const struct net_config *config)
{
    *trial = (struct stack_trial){.config = *config, .net = net_create(config, NULL)};
    ck_assert_ptr_nonnull(trial->net);
    trial->P = net_count_parameters(trial->net);
    trial->list = net_get_parameters(trial->net, &trial->tensors);
    trial->weights = calloc(trial->P, sizeof(float));
    trial->gradient = calloc(trial->P, sizeof(float));
    ck_assert_int_eq(net_init_weights(trial->net, 4, trial->weights, NULL), 0);
    for (size_t p = 0; p < trial->P; p++)
        trial->weights[p] += (float)(0.1 * draw(1, p));
    net_pack(trial->net, trial->weights);
}

static void trial_finish(struct stack_trial *trial)
{
    net_destroy(trial->net);
    free(trial->weights);
    free(trial->gradient);
}

/* Row k of the microbatch is sequence chosen[k]; every number is a function of sequence and step. */
static void fill_microbatch(const struct net_config *config, size_t B, const size_t *chosen,
    const int32_t *all, struct microbatch *microbatch)
{
    int classes = config->loss == LOSS_SOFTMAX, frame = config->output == OUTPUT_FRAME;
    struct microbatch_format format = {.inputs = config->symbols ? 0 : config->inputs,
        .has_classes = classes,
        .values = classes ? 0 : config->outputs,
        .target_per_frame = frame};
    int32_t length[64];
    int64_t sequence[64];
    for (size_t b = 0; b < B; b++) {
        length[b] = all[chosen[b]];
        sequence[b] = (int64_t)chosen[b];
    }
    microbatch_init(microbatch);
    ck_assert_int_eq(microbatch_resize(microbatch, &format, B, length, sequence, NULL, NULL), 0);
    for (size_t b = 0; b < B; b++)
        for (size_t t = 0; t < (size_t)length[b]; t++) {
            size_t n = microbatch_frame(microbatch, b, t), key = chosen[b] * 64 + t, row = frame ? n : b;
            for (size_t i = 0; i < config->inputs && !config->symbols; i++)
                microbatch->inputs[n * microbatch->inputs_stride + i] = (float)draw(2, key * 64 + i);
            if (config->symbols)
                microbatch->symbols[n] = (int32_t)random_below(config->inputs, 9, RANDOM_TEST, 3, key);
            if (classes)
                microbatch->classes[row] = (int32_t)random_below(config->outputs, 9, RANDOM_TEST, 4, key);
            for (size_t o = 0; o < config->outputs && !classes; o++)
                microbatch->values[row * microbatch->values_stride + o] = (float)draw(5, key * 64 + o);
        }
}

static double run(struct stack_trial *trial, const struct net_pass *pass, const struct microbatch *microbatch,
    struct net_outputs *outputs, struct net_score *score)
{
    struct net_outputs unwanted;
    struct net_score scores[64];
    double loss = 0;
    score = score ? score : scores;
    ck_assert_int_eq(
        net_forward(trial->net, pass, microbatch, outputs ? outputs : &unwanted, score, NULL), 0);
    for (size_t b = 0; b < microbatch->B; b++)
        loss += score[b].loss;
    return loss;
}

/* ---- slopes ---- */

/* The loss at weights moved by e along the gradient of one tensor. */
static double loss_at(
    struct stack_trial *trial, const struct microbatch *microbatch, const struct parameter *tensor, double e)
{
    float *moved = calloc(trial->P, sizeof *moved);
    memcpy(moved, trial->weights, trial->P * sizeof *moved);
    for (size_t p = tensor->offset; p < tensor->offset + tensor->count; p++)
        moved[p] = (float)((double)moved[p] + e * (double)trial->gradient[p]);
    net_pack(trial->net, moved);
    free(moved);
    return run(trial, &training, microbatch, NULL, NULL);
}

/* Along its gradient g the loss rises by g^2: tensor by tensor, (f(w + e g) - f(w - e g)) / 2e. Losses of
 * rnn-relu have kinks all along. */
static void check_slopes(const struct net_config *config)
{
    struct stack_trial trial;
    struct microbatch microbatch;
    double tolerance = config->cell == CELL_RNN_RELU ? 0.15 : 5e-3;
    trial_init(&trial, config);
    fill_microbatch(config, ROWS, in_order, lengths, &microbatch);
    run(&trial, &training, &microbatch, NULL, NULL);
    net_backward(trial.net, &training, &microbatch, trial.gradient);
    for (size_t k = 0; k < trial.tensors; k++) {
        const struct parameter *tensor = &trial.list[k];
        double squares = 0;
        for (size_t p = tensor->offset; p < tensor->offset + tensor->count; p++)
            squares += (double)trial.gradient[p] * (double)trial.gradient[p];
        ck_assert_msg(squares > 1e-12, "%s has no gradient", tensor->name);
        double e = fmin(0.003 / squares, 0.01 / sqrt(squares));
        double rise = loss_at(&trial, &microbatch, tensor, e) - loss_at(&trial, &microbatch, tensor, -e);
        double want = 2 * e * squares;
        ck_assert_msg(fabs(rise - want) < tolerance * want + 2e-5, "%s: the loss rises by %g, not by %g",
            tensor->name, rise, want);
    }
    microbatch_finish(&microbatch);
    trial_finish(&trial);
}

enum option {
    NONE,
    INPUT_LAYERS = 1,
    OUTPUT_LAYERS = 2,
    RESIDUAL = 4,
    NORMALIZE = 8,
    DROPOUT = 16,
    NOISE = 32,
    LEARNED_START = 64,
    PEEPHOLES = 128,
    TRANSITIONS = 256,
    RECURRENT_DROPOUT = 512,
    ALL = 1023
};
static const int option_sets[] = {NONE, INPUT_LAYERS, OUTPUT_LAYERS, RESIDUAL, NORMALIZE, DROPOUT, NOISE,
    RESIDUAL | NORMALIZE, RESIDUAL | DROPOUT, NORMALIZE | DROPOUT, ALL};
enum { OPTION_SETS = sizeof option_sets / sizeof *option_sets };

enum directions { ONE, BOTH, MIXED, DIRECTIONS };
enum inputs { REAL, ONE_HOT, EMBEDDED, INPUTS };
enum { SHAPES = DIRECTIONS * INPUTS * 2 };

/* Layers of 18 values each, which two directions pad otherwise than one does. */
static struct net_config make_config(int options, int shape)
{
    struct net_config config = {.cell = CELL_LSTM, .layers = 3, .inputs = 11, .outputs = 5};
    enum directions directions = (enum directions)(shape % DIRECTIONS);
    enum inputs inputs = (enum inputs)(shape / DIRECTIONS % INPUTS);
    config.output = shape / (DIRECTIONS * INPUTS) ? OUTPUT_SEQUENCE : OUTPUT_FRAME;
    for (size_t l = 0; l < 3; l++) {
        config.bidirectional[l] = directions == BOTH || (directions == MIXED && l % 2 == 0);
        config.hidden[l] = config.bidirectional[l] ? 9 : 18;
    }
    config.symbols = inputs != REAL;
    config.embedding = inputs == EMBEDDED ? 6 : 0;
    config.input_layers = options & INPUT_LAYERS ? 2 : 0;
    config.input_size[0] = 17;
    config.input_size[1] = 8;
    config.output_layers = options & OUTPUT_LAYERS ? 2 : 0;
    config.output_size[0] = 7;
    config.output_size[1] = 20;
    config.residual = (options & RESIDUAL) != 0;
    config.normalize = (options & NORMALIZE) != 0;
    config.dropout = options & DROPOUT ? 0.3 : 0;
    config.input_noise = options & NOISE ? 0.5 : 0;
    config.initial_state = (options & LEARNED_START) != 0;
    config.peepholes = (options & PEEPHOLES) != 0;
    config.transition_layers = options & TRANSITIONS ? 1 : 0;
    config.recurrent_dropout = options & RECURRENT_DROPOUT ? 0.2 : 0;
    return config;
}

/* The same without recurrent layers, and without what only these can have. */
static struct net_config make_flat_config(int options, int shape)
{
    return make_config(options & ~(LEARNED_START | PEEPHOLES | TRANSITIONS | RECURRENT_DROPOUT), shape);
}

START_TEST(gradient_matches_slope)
{
    for (int shape = 0; shape < SHAPES; shape++) {
        struct net_config config = make_config(option_sets[_i], shape);
        check_slopes(&config);
    }
}
END_TEST

START_TEST(gradient_of_any_cell_matches_slope)
{
    for (int shape = 0; shape < DIRECTIONS; shape++) {
        struct net_config config = make_config(ALL, shape);
        config.cell = (enum cell)_i;
        config.peepholes = config.cell == CELL_LSTM;
        check_slopes(&config);
    }
}
END_TEST

START_TEST(gradient_of_any_loss_matches_slope)
{
    struct net_config config = make_config(ALL, 1);
    config.loss = (enum loss)_i;
    config.label_smoothing = config.loss == LOSS_SOFTMAX ? 0.1 : 0;
    config.class_weights = config.loss == LOSS_SOFTMAX ? 5 : 0;
    config.huber_delta = 0.8;
    for (size_t k = 0; k < 5; k++)
        config.class_weight[k] = 0.5 + (double)k;
    check_slopes(&config);
}
END_TEST

START_TEST(gradient_without_recurrent_layers_matches_slope)
{
    for (int shape = 0; shape < SHAPES; shape++) {
        struct net_config config = make_flat_config(_i, shape);
        config.layers = 0;
        check_slopes(&config);
    }
}
END_TEST

START_TEST(ten_layers_reach_the_first)
{
    struct net_config config = make_config(RESIDUAL | NORMALIZE, BOTH);
    struct stack_trial trial;
    struct microbatch microbatch;
    config.cell = (enum cell)_i;
    config.layers = 10;
    for (size_t l = 0; l < 10; l++) {
        config.hidden[l] = 9;
        config.bidirectional[l] = 1;
    }
    trial_init(&trial, &config);
    fill_microbatch(&config, ROWS, in_order, lengths, &microbatch);
    run(&trial, &training, &microbatch, NULL, NULL);
    net_backward(trial.net, &training, &microbatch, trial.gradient);
    double squares[10] = {0};
    for (size_t l = 0; l < 10; l++) {
        const struct recurrent *r = &trial.net->stack.layer[l].direction[1];
        size_t first = r->hidden.offset, count = r->kind->gates * r->H * r->H;
        for (size_t p = first; p < first + count; p++)
            squares[l] += (double)trial.gradient[p] * (double)trial.gradient[p];
    }
    ck_assert_double_finite(squares[0]);
    ck_assert_double_gt(squares[0], 1e-3 * squares[9]);
    microbatch_finish(&microbatch);
    trial_finish(&trial);
    check_slopes(&config);
}
END_TEST

/* ---- rows ---- */

/* Outputs and scores of every sequence are, to the bit, those it has in a microbatch of its own. */
START_TEST(batch_order_is_inert)
{
    static const size_t orders[2][ROWS] = {{0, 1, 2, 3, 4, 5, 6}, {0, 2, 1, 3, 6, 4, 5}};
    for (int shape = 0; shape < SHAPES; shape++)
        for (size_t order = 0; order < 2; order++) {
            struct net_config config = _i ? make_config(ALL, shape) : make_flat_config(ALL, shape);
            config.layers = _i ? 3 : 0;
            struct stack_trial together, alone;
            struct microbatch microbatch, single;
            struct net_outputs outputs, own;
            struct net_score score[ROWS], own_score;
            trial_init(&together, &config);
            trial_init(&alone, &config);
            fill_microbatch(&config, ROWS, orders[order], lengths, &microbatch);
            run(&together, &training, &microbatch, &outputs, score);
            for (size_t b = 0; b < ROWS; b++) {
                fill_microbatch(&config, 1, &orders[order][b], lengths, &single);
                run(&alone, &training, &single, &own, &own_score);
                ck_assert_mem_eq(&score[b], &own_score, sizeof own_score);
                for (size_t r = 0; r < own.rows; r++) {
                    size_t row = config.output == OUTPUT_FRAME ? microbatch_frame(&microbatch, b, r) : b;
                    ck_assert_mem_eq(outputs.values + row * outputs.stride, own.values + r * own.stride,
                        config.outputs * sizeof(float));
                }
                microbatch_finish(&single);
            }
            microbatch_finish(&microbatch);
            trial_finish(&together);
            trial_finish(&alone);
        }
}
END_TEST

START_TEST(symbols_are_one_hot_inputs)
{
    for (int output = 0; output < 2; output++) {
        struct net_config config = make_flat_config(_i, ONE_HOT * DIRECTIONS + output * DIRECTIONS * INPUTS);
        struct net_config vectors = config;
        config.layers = vectors.layers = 0;
        vectors.symbols = 0;
        struct stack_trial symbols, real;
        struct microbatch microbatch, one_hot;
        trial_init(&symbols, &config);
        trial_init(&real, &vectors);
        fill_microbatch(&config, ROWS, in_order, lengths, &microbatch);
        fill_microbatch(&vectors, ROWS, in_order, lengths, &one_hot);
        for (size_t n = 0; n < microbatch.N; n++)
            for (size_t i = 0; i < config.inputs; i++)
                one_hot.inputs[n * one_hot.inputs_stride + i] = (int32_t)i == microbatch.symbols[n];
        ck_assert_double_eq_tol(run(&symbols, &training, &microbatch, NULL, NULL),
            run(&real, &training, &one_hot, NULL, NULL), 1e-5);
        net_backward(symbols.net, &training, &microbatch, symbols.gradient);
        net_backward(real.net, &training, &one_hot, real.gradient);
        for (size_t p = 0; p < symbols.P; p++)
            ck_assert_float_eq_tol(symbols.gradient[p], real.gradient[p], 1e-5F);
        microbatch_finish(&microbatch);
        microbatch_finish(&one_hot);
        trial_finish(&symbols);
        trial_finish(&real);
    }
}
END_TEST

START_TEST(no_target_adds_no_gradient)
{
    struct net_config config = make_config(ALL, _i);
    struct stack_trial some, fewer;
    struct microbatch microbatch, less;
    struct net_score score[ROWS];
    static const size_t last[] = {1, 2, 3};
    trial_init(&some, &config);
    trial_init(&fewer, &config);
    fill_microbatch(&config, 4, in_order, lengths, &microbatch);
    fill_microbatch(&config, 3, last, lengths, &less);
    for (size_t t = 0; t < (size_t)lengths[0]; t++)
        microbatch.classes[config.output == OUTPUT_FRAME ? microbatch_frame(&microbatch, 0, t) : 0] = -1;
    double loss = run(&some, &training, &microbatch, NULL, score);
    ck_assert_double_eq(score[0].loss, 0);
    ck_assert_double_eq(score[0].counted, 0);
    ck_assert_double_eq(score[0].labels, 0);
    ck_assert_double_eq_tol(loss, run(&fewer, &training, &less, NULL, NULL), 1e-12);
    net_backward(some.net, &training, &microbatch, some.gradient);
    net_backward(fewer.net, &training, &less, fewer.gradient);
    for (size_t p = 0; p < some.P; p++)
        ck_assert_float_eq_tol(some.gradient[p], fewer.gradient[p], 1e-5F);
    microbatch_finish(&microbatch);
    microbatch_finish(&less);
    trial_finish(&some);
    trial_finish(&fewer);
}
END_TEST

/* Measuring between forward and backward leaves the pass as it is. */
START_TEST(measuring_between_passes_leaves_no_trace)
{
    struct net_config config = make_config(ALL, _i);
    struct stack_trial first, second;
    struct microbatch microbatch;
    trial_init(&first, &config);
    trial_init(&second, &config);
    fill_microbatch(&config, ROWS, in_order, lengths, &microbatch);
    run(&first, &training, &microbatch, NULL, NULL);
    ck_assert_uint_gt(net_workspace_bytes(first.net, &training, &microbatch), 0);
    run(&first, &training, &microbatch, NULL, NULL);
    run(&second, &training, &microbatch, NULL, NULL);
    net_backward(first.net, &training, &microbatch, first.gradient);
    net_backward(second.net, &training, &microbatch, second.gradient);
    ck_assert_mem_eq(first.gradient, second.gradient, first.P * sizeof *first.gradient);
    microbatch_finish(&microbatch);
    trial_finish(&first);
    trial_finish(&second);
}
END_TEST

/* ---- normalization ---- */

enum { N = 5, MOST_WIDTH = 64, MOST_VALUES = 40 };
static const struct extent extents[] = {{1, 1, 1}, {1, 16, 1}, {1, 37, 1}, {2, 17, 1}, {2, 20, 1}};
enum { EXTENTS = sizeof extents / sizeof *extents };

static size_t place_of(struct extent extent, size_t i)
{
    return i / extent.size * (extent_padded(extent) / extent.parts) + i % extent.size;
}

START_TEST(normalization_is_its_formula)
{
    struct extent extent = extents[_i];
    size_t n = extent_true(extent), width = extent_padded(extent);
    static _Alignas(64) float Y[N * MOST_WIDTH], Z[N * MOST_WIDTH], block[4096];
    float weights[2 * MOST_VALUES];
    struct norm norm;
    struct arena arena = {.base = (char *)block, .size = sizeof block};
    norm_init(&norm, extent, n, 0);
    norm_take_panels(&norm, &arena);
    for (size_t i = 0; i < 2 * n; i++)
        weights[i] = (float)draw(11, i);
    norm_pack(&norm, &(struct packing){.weights = weights, .shares = 1});
    norm_take_workspace(&norm, &arena, N, 1);
    memset(Y, 0, sizeof Y);
    for (size_t r = 0; r < N; r++)
        for (size_t i = 0; i < n; i++)
            Y[r * MOST_WIDTH + place_of(extent, i)] = (float)(100 + draw(12 + r, i));
    norm_forward(&norm, N, as_rows(Y, MOST_WIDTH), as_rows(Z, MOST_WIDTH));
    for (size_t r = 0; r < N; r++) {
        double mean = 0, squares = 0, total = 0, want = 0;
        for (size_t i = 0; i < n; i++)
            mean += (double)Y[r * MOST_WIDTH + place_of(extent, i)] / (double)n;
        for (size_t i = 0; i < n; i++)
            squares += pow((double)Y[r * MOST_WIDTH + place_of(extent, i)] - mean, 2) / (double)n;
        for (size_t i = 0; i < n; i++) {
            double x = ((double)Y[r * MOST_WIDTH + place_of(extent, i)] - mean) / sqrt(squares + 1e-5);
            double z = x * (double)weights[n + i] + (double)weights[i];
            ck_assert_double_eq_tol((double)Z[r * MOST_WIDTH + place_of(extent, i)], z, 1e-4);
            want += fabs(z);
        }
        for (size_t p = 0; p < width; p++)
            total += fabs((double)Z[r * MOST_WIDTH + p]);
        ck_assert_double_eq_tol(total, want, 1e-2);
    }
}
END_TEST

START_TEST(normalization_leaves_padding_zero)
{
    struct extent extent = extents[_i];
    size_t n = extent_true(extent), width = extent_padded(extent);
    static _Alignas(64) float Y[N * MOST_WIDTH], Z[N * MOST_WIDTH], block[4096];
    float weights[2 * MOST_VALUES], gradient[2 * MOST_VALUES] = {0};
    struct norm norm;
    struct arena arena = {.base = (char *)block, .size = sizeof block};
    norm_init(&norm, extent, 0, n);
    norm_take_panels(&norm, &arena);
    for (size_t i = 0; i < 2 * n; i++)
        weights[i] = (float)draw(21, i);
    norm_pack(&norm, &(struct packing){.weights = weights, .shares = 1});
    norm_take_workspace(&norm, &arena, N, 1);
    for (size_t r = 0; r < N; r++)
        for (size_t i = 0; i < n; i++)
            Y[r * MOST_WIDTH + place_of(extent, i)] = (float)draw(22 + r, i);
    norm_forward(&norm, N, as_rows(Y, MOST_WIDTH), as_rows(Z, MOST_WIDTH));
    for (int pass = 0; pass < 2; pass++) {
        for (size_t r = 0; r < N; r++) {
            size_t zeroes = 0;
            for (size_t p = 0; p < width; p++)
                zeroes += Z[r * MOST_WIDTH + p] == 0;
            ck_assert_uint_eq(zeroes, n > 1 ? width - n : pass ? width : width - 1);
        }
        norm_backward(&norm, N, as_rows(Y, MOST_WIDTH), as_rows(Z, MOST_WIDTH), gradient);
    }
}
END_TEST

/* ---- noise ---- */

START_TEST(noise_is_normal_and_a_function_of_its_key)
{
    enum { I = 20, EPOCHS = 100 };
    struct net_config config = {.inputs = I, .outputs = 2};
    struct microbatch microbatch, swapped;
    static const size_t order[ROWS] = {0, 2, 1, 3, 6, 4, 5};
    fill_microbatch(&config, ROWS, in_order, lengths, &microbatch);
    fill_microbatch(&config, ROWS, order, lengths, &swapped);
    size_t stride = 48, bytes = microbatch.N * microbatch.inputs_stride * sizeof(float);
    float *held = malloc(bytes), *noisy = malloc(microbatch.N * stride * sizeof *noisy),
          *other = malloc(microbatch.N * stride * sizeof *other);
    memcpy(held, microbatch.inputs, bytes);
    double sum = 0, squares = 0, fourth = 0, n = (double)(EPOCHS * microbatch.N * I);
    for (uint64_t epoch = 0; epoch < EPOCHS; epoch++) {
        struct pass pass = {.microbatch = &microbatch, .options = {.training = 1, .seed = 8, .epoch = epoch}};
        noise_apply(&pass, 0.25, I, as_rows(noisy, stride));
        pass.microbatch = &swapped;
        noise_apply(&pass, 0.25, I, as_rows(other, stride));
        for (size_t r = 0; r < microbatch.N; r++) {
            for (size_t i = 0; i < I; i++) {
                double x =
                    ((double)noisy[r * stride + i] - (double)held[r * microbatch.inputs_stride + i]) / 0.25;
                sum += x;
                squares += x * x;
                fourth += x * x * x * x;
            }
            for (size_t i = I; i < 32; i++)
                ck_assert_float_eq(noisy[r * stride + i], 0);
        }
        for (size_t t = 0; t < 6; t++)
            ck_assert_mem_eq(noisy + microbatch_frame(&microbatch, 1, t) * stride,
                other + microbatch_frame(&swapped, 2, t) * stride, I * sizeof *noisy);
    }
    ck_assert_double_lt(fabs(sum / n), 4 / sqrt(n));
    ck_assert_double_lt(fabs(squares / n - 1), 4 * sqrt(2 / n));
    ck_assert_double_lt(fabs(fourth / n - 3), 4 * sqrt(96 / n));
    ck_assert_mem_eq(held, microbatch.inputs, bytes);
    free(held);
    free(noisy);
    free(other);
    microbatch_finish(&microbatch);
    microbatch_finish(&swapped);
}
END_TEST

START_TEST(noise_is_of_training_alone)
{
    struct net_config config = make_config(NOISE, _i), plain = make_config(NONE, _i);
    config.layers = plain.layers = 0;
    struct stack_trial noisy, quiet;
    struct microbatch microbatch;
    trial_init(&noisy, &config);
    trial_init(&quiet, &plain);
    fill_microbatch(&config, ROWS, in_order, lengths, &microbatch);
    double loss = run(&quiet, &training, &microbatch, NULL, NULL);
    ck_assert_double_eq(run(&noisy, &evaluation, &microbatch, NULL, NULL), loss);
    ck_assert_double_ne(run(&noisy, &training, &microbatch, NULL, NULL), loss);
    microbatch_finish(&microbatch);
    trial_finish(&noisy);
    trial_finish(&quiet);
}
END_TEST

/* ---- states that are carried on ---- */

/* Steps first .. first + n - 1 of all rows of a microbatch of equal lengths. */
static void cut_microbatch(const struct net_config *config, const struct microbatch *whole, size_t first,
    size_t n, struct microbatch *piece)
{
    struct microbatch_format format = {.inputs = config->symbols ? 0 : config->inputs};
    int32_t length[8];
    for (size_t b = 0; b < whole->B; b++)
        length[b] = (int32_t)n;
    microbatch_init(piece);
    ck_assert_int_eq(microbatch_resize(piece, &format, whole->B, length, whole->sequence, NULL, NULL), 0);
    size_t from = first * whole->B, stride = whole->inputs_stride;
    if (config->symbols)
        memcpy(piece->symbols, whole->symbols + from, piece->N * sizeof *piece->symbols);
    else
        memcpy(piece->inputs, whole->inputs + from * stride, piece->N * stride * sizeof *piece->inputs);
}

/* The last piece of these sizes, all of 10 steps together, ends as the whole does, and every piece's rows are
 * the whole's. */
static void check_pieces(
    struct stack_trial *trial, const struct microbatch *whole, const float *want, const size_t *sizes)
{
    size_t O = trial->config.outputs, frame = trial->config.output == OUTPUT_FRAME;
    struct net_state *state = net_state_create(trial->net, whole->B, NULL);
    ck_assert_ptr_nonnull(state);
    for (size_t first = 0, k = 0; first < 10; first += sizes[k++]) {
        struct microbatch piece;
        struct net_outputs outputs;
        cut_microbatch(&trial->config, whole, first, sizes[k], &piece);
        ck_assert_int_eq(net_continue(trial->net, state, &piece, &outputs, NULL), 0);
        for (size_t r = 0; r < outputs.rows && (frame || first + sizes[k] == 10); r++)
            ck_assert_mem_eq(outputs.values + r * outputs.stride,
                want + (frame ? first * whole->B + r : r) * O, O * sizeof *want);
        microbatch_finish(&piece);
    }
    net_state_destroy(state);
}

START_TEST(pieces_in_turn_give_the_bits_of_the_whole)
{
    static const size_t pieces[][10] = {{3, 3, 4}, {1, 1, 1, 1, 1, 1, 1, 1, 1, 1}, {10}, {1, 8, 1}};
    static const int32_t tens[] = {10, 10, 10};
    for (int shape = 0; shape < SHAPES; shape += DIRECTIONS)
        for (int all = 0; all < 3; all++) {
            struct net_config config =
                all == 2 ? make_flat_config(ALL, shape) : make_config(all ? ALL : NONE, shape);
            config.cell = (enum cell)_i;
            config.peepholes = config.peepholes && config.cell == CELL_LSTM;
            if (!cell_of(&config)->has_product) {
                config.transition_layers = 0;
                config.recurrent_dropout = 0;
            }
            config.layers = all == 2 ? 0 : config.layers;
            struct stack_trial trial;
            struct microbatch whole;
            struct net_outputs outputs;
            float want[64 * 8];
            trial_init(&trial, &config);
            fill_microbatch(&config, 3, in_order, tens, &whole);
            for (int k = 0; k < 4; k++) {
                run(&trial, &evaluation, &whole, &outputs, NULL);
                for (size_t r = 0; r < outputs.rows; r++)
                    memcpy(want + r * config.outputs, outputs.values + r * outputs.stride,
                        config.outputs * sizeof *want);
                check_pieces(&trial, &whole, want, pieces[k]);
            }
            microbatch_finish(&whole);
            trial_finish(&trial);
        }
}
END_TEST

START_TEST(nets_that_run_backward_have_no_state)
{
    struct net_config config = make_config(NONE, MIXED);
    struct stack_trial trial;
    struct error error = {0};
    trial_init(&trial, &config);
    ck_assert_ptr_null(net_state_create(trial.net, 3, &error));
    ck_assert_int_eq(error.code, EXIT_CODE_USAGE);
    trial_finish(&trial);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("stack");
    TCase *cases = tcase_create("stack");
    tcase_set_timeout(cases, 100);
    tcase_add_loop_test(cases, gradient_matches_slope, 0, OPTION_SETS);
    tcase_add_loop_test(cases, gradient_of_any_cell_matches_slope, 0, 4);
    tcase_add_loop_test(cases, gradient_of_any_loss_matches_slope, 0, 5);
    tcase_add_loop_test(cases, gradient_without_recurrent_layers_matches_slope, 0, 4);
    tcase_add_loop_test(cases, ten_layers_reach_the_first, 0, 4);
    tcase_add_loop_test(cases, batch_order_is_inert, 0, 2);
    tcase_add_loop_test(cases, symbols_are_one_hot_inputs, 0, 4);
    tcase_add_loop_test(cases, no_target_adds_no_gradient, 0, SHAPES);
    tcase_add_loop_test(cases, measuring_between_passes_leaves_no_trace, 0, SHAPES);
    tcase_add_loop_test(cases, normalization_is_its_formula, 0, EXTENTS);
    tcase_add_loop_test(cases, normalization_leaves_padding_zero, 0, EXTENTS);
    tcase_add_test(cases, noise_is_normal_and_a_function_of_its_key);
    tcase_add_loop_test(cases, noise_is_of_training_alone, 0, DIRECTIONS);
    tcase_add_loop_test(cases, pieces_in_turn_give_the_bits_of_the_whole, 0, 7);
    tcase_add_test(cases, nets_that_run_backward_have_no_state);
    suite_add_tcase(suite, cases);
    return suite_run(suite);
}

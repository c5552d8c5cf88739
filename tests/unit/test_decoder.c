/* The decoder on given encoder outputs against the serial reference, and a whole net with one.
 *
 * Float against double: each number may be off by TOLERANCE of the largest magnitude of its kind. */
#include "reference/decoder_problem.h"
#include "reference/reference.h"
#include "support/suite.h"

#include "net/check.h"
#include "net/decoder.h"
#include "net/layout.h"
#include "net/outputs/output.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define TOLERANCE 5e-5
#define FLOOR 1e-2

enum { CELLS = 7, ATTENTIONS = 3, LOSSES = 6, SEQUENCES = 5, MOST_FRAMES = 9, U = 4, MOST_WEIGHTS = 40000 };

static const int32_t frames[SEQUENCES] = {MOST_FRAMES, 7, 7, 3, 1};
static const int32_t ragged[SEQUENCES] = {2, 6, 0, 6, 1}, same[SEQUENCES] = {U, U, U, U, U};

/* A net whose stack never runs: its outputs are the problem's. */
struct decoder_bench {
    struct decoder_problem problem;
    struct microbatch microbatch;
    float *weights, *gradient, *Y, *dY;
    void *block;
    struct net_outputs outputs;
    struct net_score *scores;
};

static void *room(size_t n, size_t size)
{
    void *block = memory_create(n, size, NULL);
    ck_assert_ptr_nonnull(block);
    return block;
}

static void fill_targets(struct decoder_bench *bench, size_t b, const struct reference_targets *from)
{
    size_t O = bench->problem.config.outputs;
    for (size_t u = 0; u < from->U; u++) {
        size_t row = bench->microbatch.target_start[b] + u;
        if (bench->microbatch.classes)
            bench->microbatch.classes[row] = from->classes[u];
        for (size_t o = 0; o < O && bench->microbatch.values; o++)
            bench->microbatch.values[row * bench->microbatch.values_stride + o] =
                (float)from->values[u * O + o];
    }
}

/* The microbatch of sequences chosen[0 .. B-1] of the problem, and the encoder's outputs of it. */
static void bench_set_microbatch(struct decoder_bench *bench, size_t B, const int64_t *chosen)
{
    const struct decoder_problem *problem = &bench->problem;
    int classes = problem->config.loss == LOSS_SOFTMAX;
    struct microbatch_format format = {.inputs = problem->config.inputs,
        .has_classes = classes,
        .values = classes ? 0 : problem->config.outputs,
        .target_any = 1};
    int32_t length[SEQUENCES], targets[SEQUENCES];
    for (size_t b = 0; b < B; b++) {
        length[b] = (int32_t)problem->targets[chosen[b]].T;
        targets[b] = (int32_t)problem->targets[chosen[b]].U;
    }
    ck_assert_int_eq(microbatch_resize(&bench->microbatch, &format, B, length, chosen, targets, NULL), 0);
    struct layer *layer = &problem->net->stack.layer[0];
    size_t H = problem->decoder.H, D = problem->decoder.D, Hp = extent_padded(layer->outputs) / D;
    memory_destroy(bench->Y);
    memory_destroy(bench->dY);
    layer->y = bench->Y = room(bench->microbatch.N * layer->stride, sizeof(float));
    layer->dY = bench->dY = room(bench->microbatch.N * layer->stride, sizeof(float));
    for (size_t b = 0; b < B; b++) {
        const struct reference_targets *from = &problem->targets[chosen[b]];
        fill_targets(bench, b, from);
        for (size_t t = 0; t < from->T; t++)
            for (size_t f = 0; f < D * H; f++)
                bench->Y[microbatch_frame(&bench->microbatch, b, t) * layer->stride + f / H * Hp + f % H] =
                    (float)from->y[t * D * H + f];
    }
}

static void bench_init(struct decoder_bench *bench, const struct net_config *config, const int32_t *length,
    const int32_t *target_length, uint64_t seed)
{
    static const int64_t all[SEQUENCES] = {0, 1, 2, 3, 4};
    memset(bench, 0, sizeof *bench);
    decoder_problem_init(&bench->problem, config, SEQUENCES, length, target_length, seed);
    microbatch_init(&bench->microbatch);
    bench->weights = room(bench->problem.P, sizeof(float));
    bench->gradient = room(bench->problem.P, sizeof(float));
    bench->scores = room(SEQUENCES, sizeof *bench->scores);
    for (size_t p = 0; p < bench->problem.P; p++)
        bench->weights[p] = (float)bench->problem.weights[p];
    net_pack(bench->problem.net, bench->weights);
    bench_set_microbatch(bench, SEQUENCES, all);
}

static void bench_finish(struct decoder_bench *bench)
{
    microbatch_finish(&bench->microbatch);
    decoder_problem_finish(&bench->problem);
    memory_destroy(bench->weights);
    memory_destroy(bench->gradient);
    memory_destroy(bench->Y);
    memory_destroy(bench->dY);
    memory_destroy(bench->block);
    memory_destroy(bench->scores);
}

/* Forward, and backward with training. */
static void bench_run(struct decoder_bench *bench, struct net_pass options)
{
    struct net *net = bench->problem.net;
    struct pass pass = {.kernel = net->kernel,
        .microbatch = &bench->microbatch,
        .options = options,
        .gradient = bench->gradient};
    int targets = bench->microbatch.classes || bench->microbatch.values;
    struct arena arena = {0};
    net->output->take_workspace(net, &pass, &arena, targets);
    memory_destroy(bench->block);
    bench->block = room(arena.peak, 1);
    memset(bench->block, 0xff, arena.peak);
    arena = (struct arena){.base = bench->block, .size = arena.peak};
    net->output->take_workspace(net, &pass, &arena, targets);
    net->output->forward(net, &pass, &bench->outputs, targets ? bench->scores : NULL);
    if (options.training)
        net->output->backward(net, &pass);
}

static struct net_config make_config(int which, enum loss loss, size_t layers, int both)
{
    return (struct net_config){.cell = (enum cell)(which % CELLS),
        .output = OUTPUT_DECODER,
        .loss = loss,
        .layers = 1,
        .hidden = {both ? 5 : 19},
        .bidirectional = {both},
        .inputs = 2,
        .outputs = loss == LOSS_SOFTMAX ? 6 : 3,
        .huber_delta = 0.6,
        .output_layers = layers - 1,
        .output_size = {7},
        .attention = (enum attention)(which / CELLS),
        .decoder_layers = layers,
        .decoder_hidden = layers == 1 ? 18 : 6,
        .decoder_embedding = loss == LOSS_SOFTMAX ? 4 : 0,
        .attention_size = which / CELLS == ATTENTION_ADDITIVE ? 17 : 0,
        .target_length = U};
}

/* Labels of a sequence that are not the likeliest symbol. */
static double count_wrong(const struct decoder_bench *bench, const struct reference_targets *targets)
{
    size_t O = bench->problem.config.outputs + 1;
    double wrong = 0, *out = reference_numbers((targets->U + 1) * O);
    reference_decoder_loss(&bench->problem.decoder, bench->problem.weights, targets, out);
    for (size_t u = 0; u < targets->U; u++) {
        size_t most = 0;
        for (size_t o = 1; o < O; o++)
            most = out[u * O + o] > out[u * O + most] ? o : most;
        wrong += most != (size_t)targets->classes[u];
    }
    free(out);
    return wrong;
}

static void check_scores(const struct decoder_bench *bench)
{
    const struct decoder_problem *problem = &bench->problem;
    int classes = problem->config.loss == LOSS_SOFTMAX;
    for (size_t b = 0; b < SEQUENCES; b++) {
        const struct reference_targets *targets = &problem->targets[b];
        double loss = reference_decoder_loss(&problem->decoder, problem->weights, targets, NULL);
        double symbols = (double)reference_decoder_symbols(&problem->decoder, targets->U);
        ck_assert_double_eq_tol(bench->scores[b].loss, loss, TOLERANCE * (loss + symbols));
        ck_assert_double_eq(bench->scores[b].counted, symbols);
        ck_assert_double_eq(bench->scores[b].labels, (double)targets->U);
        if (classes)
            ck_assert_double_eq(bench->scores[b].errors, count_wrong(bench, targets));
        else
            ck_assert_double_nan(bench->scores[b].errors);
    }
}

static void check_gradients(const struct decoder_bench *bench)
{
    const struct decoder_problem *problem = &bench->problem;
    const struct layer *layer = &problem->net->stack.layer[0];
    size_t H = problem->decoder.H, D = problem->decoder.D, Hp = extent_padded(layer->outputs) / D;
    double *want = reference_numbers(problem->P), *got = reference_numbers(problem->P);
    for (size_t b = 0; b < SEQUENCES; b++) {
        double *dy = reference_numbers(MOST_FRAMES * D * H), scale = 0;
        reference_decoder_backward(&problem->decoder, problem->weights, &problem->targets[b], dy, want);
        for (size_t i = 0; i < problem->targets[b].T * D * H; i++)
            scale = fmax(scale, fabs(dy[i]));
        for (size_t t = 0; t < problem->targets[b].T; t++)
            for (size_t p = 0; p < D * Hp; p++) {
                double slope = bench->dY[microbatch_frame(&bench->microbatch, b, t) * layer->stride + p];
                double right = p % Hp < H ? dy[t * D * H + p / Hp * H + p % Hp] : 0;
                ck_assert_double_eq_tol(slope, right, TOLERANCE * (scale + FLOOR));
            }
        free(dy);
    }
    for (size_t p = 0; p < problem->P; p++)
        got[p] = bench->gradient[p];
    const char *worst;
    double difference = decoder_problem_compare(problem, got, want, FLOOR, &worst);
    ck_assert_msg(difference < TOLERANCE, "gradient of %s is off by %g", worst, difference);
    free(want);
    free(got);
}

START_TEST(losses_and_gradients_are_the_references)
{
    for (int k = 0; k < 4 * LOSSES; k++) {
        enum loss loss = (enum loss)(k % LOSSES);
        struct net_config config = make_config(_i, loss, 1 + (size_t)(k / LOSSES % 2), k / LOSSES / 2);
        struct decoder_bench bench;
        bench_init(&bench, &config, frames, loss == LOSS_SOFTMAX ? ragged : same, 900 + (uint64_t)k);
        bench_run(&bench, (struct net_pass){.training = 1});
        check_scores(&bench);
        check_gradients(&bench);
        bench_finish(&bench);
    }
}
END_TEST

/* What one pass without training says of each sequence of the problem. */
struct decoder_outcome {
    struct net_score score[SEQUENCES];
    size_t labels[SEQUENCES];
    int32_t label[SEQUENCES][10 * MOST_FRAMES + 20];
    float value[SEQUENCES][U * 3];
};

static void keep(const struct decoder_bench *bench, size_t b, int64_t sequence, struct decoder_outcome *said)
{
    const struct net_outputs *outputs = &bench->outputs;
    said->score[sequence] = bench->scores[b];
    if (outputs->labels) {
        said->labels[sequence] = outputs->label_start[b + 1] - outputs->label_start[b];
        memcpy(said->label[sequence], outputs->labels + outputs->label_start[b],
            said->labels[sequence] * sizeof(int32_t));
    }
    for (size_t u = 0; u < U && outputs->rows; u++)
        memcpy(said->value[sequence] + u * 3, outputs->values + (b * U + u) * outputs->stride,
            3 * sizeof(float));
}

static struct decoder_outcome *say(struct decoder_bench *bench, size_t beam)
{
    struct decoder_outcome *said = room(1, sizeof *said);
    bench_run(bench, (struct net_pass){.beam = beam});
    for (size_t b = 0; b < bench->microbatch.B; b++)
        keep(bench, b, bench->microbatch.sequence[b], said);
    return said;
}

START_TEST(sequences_do_not_depend_on_each_other)
{
    static const int64_t groups[][3] = {{0, 2, 4}, {1, 3, -1}};
    for (int loss = 0; loss < 3; loss++) {
        struct net_config config = make_config(_i, (enum loss)loss, 2, 1);
        struct decoder_bench bench;
        bench_init(&bench, &config, frames, loss == LOSS_SOFTMAX ? ragged : same, 17);
        struct decoder_outcome *together = say(&bench, 3), *apart = room(1, sizeof *apart);
        for (int g = 0; g < 2; g++) {
            bench_set_microbatch(&bench, groups[g][2] < 0 ? 2 : 3, groups[g]);
            bench_run(&bench, (struct net_pass){.beam = 3});
            for (size_t b = 0; b < bench.microbatch.B; b++)
                keep(&bench, b, groups[g][b], apart);
        }
        ck_assert_mem_eq(together, apart, sizeof *apart);
        memory_destroy(together);
        memory_destroy(apart);
        bench_finish(&bench);
    }
}
END_TEST

/* Edits between labels made and those of the reference, by their definition. */
static double count_edits(const int32_t *a, size_t A, const int32_t *b, size_t B)
{
    if (A == 0 || B == 0)
        return (double)(A + B);
    double change = count_edits(a, A - 1, b, B - 1) + (a[A - 1] != b[B - 1]);
    return fmin(change, 1 + fmin(count_edits(a, A - 1, b, B), count_edits(a, A, b, B - 1)));
}

START_TEST(greedy_is_the_references_and_a_beam_of_one)
{
    struct net_config config = make_config(_i, LOSS_SOFTMAX, 2, 1);
    for (uint64_t seed = 0; seed < 6; seed++) {
        struct decoder_bench bench;
        bench_init(&bench, &config, frames, ragged, seed);
        struct decoder_outcome *greedy = say(&bench, 0), *one = say(&bench, 1);
        ck_assert_mem_eq(greedy, one, sizeof *one);
        for (size_t b = 0; b < SEQUENCES; b++) {
            const struct reference_targets *targets = &bench.problem.targets[b];
            struct net_pass pass = {.beam = 1};
            size_t most = decoder_most_symbols(&bench.problem.config, &pass, targets->T);
            int32_t want[10 * MOST_FRAMES + 20];
            size_t n =
                reference_decoder_greedy(&bench.problem.decoder, bench.problem.weights, targets, most, want);
            ck_assert_uint_eq(greedy->labels[b], n);
            ck_assert_mem_eq(greedy->label[b], want, n * sizeof *want);
            if (n <= 6)
                ck_assert_double_eq(
                    greedy->score[b].errors, count_edits(want, n, targets->classes, targets->U));
            ck_assert_double_eq(greedy->score[b].labels, (double)targets->U);
        }
        memory_destroy(greedy);
        memory_destroy(one);
        bench_finish(&bench);
    }
}
END_TEST

/* The head's bias keeps the end symbol from ever coming. */
START_TEST(a_free_run_gives_up_beyond_the_longest_target)
{
    static const int32_t one[SEQUENCES] = {1, 1, 1, 1, 1};
    struct net_config config = make_config(_i, LOSS_SOFTMAX, 1, 0);
    for (config.target_length = 0; config.target_length <= 40; config.target_length += 8) {
        struct decoder_bench bench;
        size_t n, most = (config.target_length > 10 ? config.target_length : 10) + 20;
        bench_init(&bench, &config, one, one, 3);
        const struct parameter *p = net_get_parameters(bench.problem.net, &n);
        for (size_t i = 0; i < n; i++)
            if (!strcmp(p[i].name, "head.bias"))
                bench.weights[p[i].offset + p[i].count - 1] = -1e3f;
        net_pack(bench.problem.net, bench.weights);
        bench_run(&bench, (struct net_pass){.beam = 1});
        for (size_t b = 0; b < SEQUENCES; b++)
            ck_assert_uint_eq(bench.outputs.label_start[b + 1] - bench.outputs.label_start[b], most);
        bench_finish(&bench);
    }
}
END_TEST

/* Two classes and at most 12 symbols: 4095 sequences, all of which a wide beam keeps, ended or not. */
START_TEST(a_wide_beam_finds_the_best_of_all_sequences)
{
    static const int32_t one[SEQUENCES] = {1, 1, 1, 1, 1};
    struct net_config config = make_config(_i, LOSS_SOFTMAX, 1, 0);
    config.outputs = 2;
    config.decoder_hidden = config.hidden[0] = 3;
    config.attention_size = config.attention == ATTENTION_ADDITIVE ? 2 : 0;
    struct decoder_bench bench;
    bench_init(&bench, &config, one, one, 40 + (uint64_t)_i);
    enum { MOST = 12 };
    struct decoder_outcome *said = room(1, sizeof *said);
    bench_run(&bench, (struct net_pass){.beam = 3 * 4096, .most_labels = MOST});
    for (size_t b = 0; b < SEQUENCES; b++) {
        keep(&bench, b, bench.microbatch.sequence[b], said);
    }
    for (size_t b = 0; b < SEQUENCES; b++) {
        int32_t want[MOST];
        size_t n = reference_decoder_best(
            &bench.problem.decoder, bench.problem.weights, &bench.problem.targets[b], MOST, want);
        ck_assert_uint_eq(said->labels[b], n);
        ck_assert_mem_eq(said->label[b], want, n * sizeof *want);
    }
    memory_destroy(said);
    bench_finish(&bench);
}
END_TEST

START_TEST(drawn_labels_follow_seed_and_temperature)
{
    struct net_config config = make_config(0, LOSS_SOFTMAX, 1, 0);
    struct decoder_bench bench;
    bench_init(&bench, &config, frames, ragged, 5);
    struct decoder_outcome *cold = room(1, sizeof *cold), *greedy = say(&bench, 1),
                           *again = room(1, sizeof *again);
    size_t differ = 0;
    for (uint64_t seed = 0; seed < 8; seed++) {
        memset(cold, 0, sizeof *cold);
        bench_run(&bench, (struct net_pass){.temperature = 1e-4, .seed = seed});
        for (size_t b = 0; b < bench.microbatch.B; b++)
            keep(&bench, b, bench.microbatch.sequence[b], cold);
        ck_assert_mem_eq(cold->label, greedy->label, sizeof cold->label);
        struct decoder_outcome *warm = room(1, sizeof *warm);
        memset(again, 0, sizeof *again);
        for (int pass = 0; pass < 2; pass++) {
            bench_run(&bench, (struct net_pass){.temperature = 1, .seed = seed, .most_labels = 5});
            for (size_t b = 0; b < bench.microbatch.B; b++)
                keep(&bench, b, bench.microbatch.sequence[b], pass ? again : warm);
        }
        ck_assert_mem_eq(warm->label, again->label, sizeof warm->label);
        for (size_t b = 0; b < SEQUENCES; b++)
            ck_assert_uint_le(warm->labels[b], 5);
        differ += memcmp(warm->label, greedy->label, sizeof warm->label) != 0;
        memory_destroy(warm);
    }
    ck_assert_uint_ge(differ, 7);
    memory_destroy(cold);
    memory_destroy(greedy);
    memory_destroy(again);
    bench_finish(&bench);
}
END_TEST

START_TEST(values_of_a_free_run_are_the_references)
{
    for (int loss = LOSS_SIGMOID; loss < LOSSES; loss++) {
        struct net_config config = make_config(_i, (enum loss)loss, 2, 1);
        struct decoder_bench bench;
        bench_init(&bench, &config, frames, same, 23);
        struct decoder_outcome *said = say(&bench, 0);
        ck_assert_uint_eq(bench.outputs.rows, SEQUENCES * U);
        check_scores(&bench);
        for (size_t b = 0; b < SEQUENCES; b++) {
            double want[U * 3];
            reference_decoder_run(
                &bench.problem.decoder, bench.problem.weights, &bench.problem.targets[b], want);
            for (size_t i = 0; i < U * 3; i++)
                ck_assert_double_eq_tol(said->value[b][i], want[i], TOLERANCE * 3);
        }
        memory_destroy(said);
        bench_finish(&bench);
    }
}
END_TEST

/* Neither with classes nor with values. */
START_TEST(a_net_with_a_decoder_has_no_state_to_go_on_from)
{
    struct net_config config = make_config(CELL_LSTM, _i ? LOSS_MSE : LOSS_SOFTMAX, 1, 0);
    struct decoder_bench bench;
    struct error error = {0};
    bench_init(&bench, &config, frames, same, 5);
    ck_assert_ptr_null(net_state_create(bench.problem.net, 1, &error));
    ck_assert_int_eq(error.code, EXIT_CODE_USAGE);
    ck_assert(strstr(error.text, "a decoder") != NULL);
    bench_finish(&bench);
}
END_TEST

START_TEST(without_targets_labels_are_the_same)
{
    struct net_config config = make_config(_i, LOSS_SOFTMAX, 1, 1);
    struct decoder_bench bench;
    bench_init(&bench, &config, frames, ragged, 5);
    struct decoder_outcome *with = say(&bench, 2);
    bench.microbatch.classes = NULL;
    struct decoder_outcome *without = say(&bench, 2);
    ck_assert_mem_eq(with->labels, without->labels, sizeof with->labels);
    ck_assert_mem_eq(with->label, without->label, sizeof with->label);
    memory_destroy(with);
    memory_destroy(without);
    bench_finish(&bench);
}
END_TEST

/* ---- a whole net ---- */

enum { SYMBOLS = 3, WORDS = 27 + 9 + 3 };

/* All words of one to three of three symbols; each is its own target. */
static void make_words(struct microbatch *microbatch)
{
    const struct microbatch_format format = {.has_classes = 1, .target_any = 1};
    int32_t length[WORDS], letter[WORDS][3];
    int64_t sequence[WORDS];
    size_t n = 0;
    for (int32_t size = 3, count = 27; size > 0; size--, count /= 3)
        for (int32_t k = 0; k < count; k++, n++) {
            length[n] = size;
            sequence[n] = (int64_t)n;
            for (int32_t i = 0, rest = k; i < size; i++, rest /= 3)
                letter[n][i] = rest % 3;
        }
    ck_assert_int_eq(microbatch_resize(microbatch, &format, WORDS, length, sequence, length, NULL), 0);
    for (size_t b = 0; b < WORDS; b++)
        for (size_t t = 0; t < (size_t)length[b]; t++) {
            microbatch->symbols[microbatch_frame(microbatch, b, t)] = letter[b][t];
            microbatch->classes[microbatch->target_start[b] + t] = letter[b][t];
        }
}

START_TEST(copying_is_learned)
{
    const struct net_config config = {.cell = CELL_GRU,
        .output = OUTPUT_DECODER,
        .layers = 1,
        .hidden = {16},
        .bidirectional = {1},
        .inputs = SYMBOLS,
        .symbols = 1,
        .outputs = SYMBOLS,
        .attention = (enum attention)_i,
        .decoder_layers = 1,
        .decoder_hidden = 16,
        .decoder_embedding = 8,
        .attention_size = _i == ATTENTION_ADDITIVE ? 16 : 0};
    static float weights[MOST_WEIGHTS], gradient[MOST_WEIGHTS];
    struct net_score scores[WORDS];
    struct net_outputs outputs;
    struct net *net = net_create(&config, NULL);
    ck_assert_ptr_nonnull(net);
    size_t P = net_count_parameters(net);
    ck_assert_uint_le(P, MOST_WEIGHTS);
    ck_assert_int_eq(net_init_weights(net, 1, weights, NULL), 0);
    struct microbatch microbatch;
    microbatch_init(&microbatch);
    make_words(&microbatch);
    const struct net_pass train = {.training = 1}, test = {.beam = 2};
    for (int step = 0; step < 400; step++) {
        memset(gradient, 0, P * sizeof *gradient);
        net_pack(net, weights);
        ck_assert_int_eq(net_forward(net, &train, &microbatch, &outputs, scores, NULL), 0);
        net_backward(net, &train, &microbatch, gradient);
        for (size_t p = 0; p < P; p++)
            weights[p] -= 0.01f * gradient[p];
    }
    net_pack(net, weights);
    ck_assert_int_eq(net_forward(net, &test, &microbatch, &outputs, scores, NULL), 0);
    double errors = 0;
    for (size_t b = 0; b < WORDS; b++)
        errors += scores[b].errors;
    ck_assert_double_eq(errors, 0);
    ck_assert_mem_eq(outputs.labels, microbatch.classes, microbatch.target_rows * sizeof *outputs.labels);
    microbatch_finish(&microbatch);
    net_destroy(net);
}
END_TEST

START_TEST(a_decoder_on_no_recurrent_layer_is_refused)
{
    struct net_config config = make_config(0, LOSS_SOFTMAX, 1, 0);
    ck_assert_uint_eq(net_config_check(&config, NULL, NULL), 0);
    config.layers = 0;
    ck_assert_uint_eq(net_config_check(&config, NULL, NULL), 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("decoder");
    TCase *cases = tcase_create("decoder");
    tcase_set_timeout(cases, 60);
    tcase_add_loop_test(cases, losses_and_gradients_are_the_references, 0, CELLS * ATTENTIONS);
    tcase_add_loop_test(cases, sequences_do_not_depend_on_each_other, 0, CELLS * ATTENTIONS);
    tcase_add_loop_test(cases, greedy_is_the_references_and_a_beam_of_one, 0, CELLS * ATTENTIONS);
    tcase_add_loop_test(cases, a_free_run_gives_up_beyond_the_longest_target, 0, CELLS * ATTENTIONS);
    tcase_add_loop_test(cases, a_wide_beam_finds_the_best_of_all_sequences, 0, CELLS * ATTENTIONS);
    tcase_add_loop_test(cases, values_of_a_free_run_are_the_references, 0, CELLS * ATTENTIONS);
    tcase_add_loop_test(cases, a_net_with_a_decoder_has_no_state_to_go_on_from, 0, 2);
    tcase_add_test(cases, drawn_labels_follow_seed_and_temperature);
    tcase_add_loop_test(cases, without_targets_labels_are_the_same, 0, CELLS * ATTENTIONS);
    tcase_add_test(cases, a_decoder_on_no_recurrent_layer_is_refused);
    tcase_add_loop_test(cases, copying_is_learned, 0, ATTENTIONS);
    suite_add_tcase(suite, cases);
    return suite_run(suite);
}

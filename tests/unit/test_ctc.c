/* Connectionist temporal classification against the serial reference, and both against sums over all paths.
 *
 * Softmax is float in the kernel, and its sum's rounding is in every frame's logarithm: losses may differ by
 * LOSS_TOLERANCE a frame, elements of the gradient, all at most 1, by GRADIENT_TOLERANCE. */
#include "net/ctc.h"
#include "reference/ctc.h"
#include "support/suite.h"

#include "base/memory.h"
#include "base/random.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LOSS_TOLERANCE 5e-7
#define GRADIENT_TOLERANCE 2e-6

static size_t pick(uint64_t seed, uint64_t index, size_t n)
{
    return (size_t)random_below(n, seed, RANDOM_TEST, 11, index);
}

static void *room(size_t n, size_t size)
{
    struct error error = {0};
    void *block = memory_create(n, size, &error);
    ck_assert_msg(block != NULL, "%s", error.text);
    return block;
}

/* One sequence of T frames, row b of B of a microbatch whose rows all go on, with the logits in double
 * beside. */
struct ctc_sequence {
    size_t T, C, U, B;
    double *logits; /* [T][C + 1] */
    size_t *first;  /* [T] */
    int32_t *labels;
    struct ctc_frames frames;
    float *posterior;
    void *scratch;
};

static const struct kernel *kernel_here(void)
{
    struct error error = {0};
    const struct kernel *kernel = kernel_choose(&error);
    ck_assert_msg(kernel != NULL, "%s", error.text);
    return kernel;
}

/* Logits are normal times `size`; what belongs to no frame of the sequence is NaN. */
static struct ctc_sequence sample_create(
    size_t T, size_t C, size_t U, double size, size_t B, size_t stride, uint64_t seed)
{
    struct ctc_sequence sample = {.T = T, .C = C, .U = U, .B = B};
    size_t n = T * B * stride, b = B / 2;
    sample.logits = room(T * (C + 1), sizeof(double));
    sample.first = room(T, sizeof(size_t));
    sample.labels = room(U, sizeof(int32_t));
    sample.posterior = room(n, sizeof(float));
    float *rows = room(n, sizeof(float));
    for (size_t i = 0; i < n; i++)
        rows[i] = sample.posterior[i] = NAN;
    for (size_t u = 0; u < U; u++)
        sample.labels[u] = (int32_t)pick(seed, u, C);
    for (size_t t = 0; t < T; t++) {
        sample.first[t] = t * B;
        for (size_t c = 0; c <= C; c++) {
            float logit = (float)(size * random_normal(seed, RANDOM_TEST, 12, t * (C + 1) + c));
            rows[(t * B + b) * stride + c] = logit;
            sample.logits[t * (C + 1) + c] = (double)logit;
        }
    }
    sample.frames = (struct ctc_frames){.T = T, .rows = {rows, stride}, .first = sample.first, .b = b};
    sample.scratch = room(ctc_forward_bytes(C, T, U, 1), 1);
    memset(sample.scratch, 0xff, ctc_forward_bytes(C, T, U, 1));
    return sample;
}

static void sample_finish(struct ctc_sequence *sample)
{
    memory_destroy(sample->logits);
    memory_destroy(sample->first);
    memory_destroy(sample->labels);
    memory_destroy(sample->frames.rows.data);
    memory_destroy(sample->posterior);
    memory_destroy(sample->scratch);
}

static double run(struct ctc_sequence *sample)
{
    return ctc_forward(kernel_here(), sample->C, &sample->frames, sample->labels, sample->U,
        sample->posterior, sample->scratch);
}

/* Loss and every element of the gradient, and what is beside the rows stays. */
static void check_against_reference(struct ctc_sequence *sample)
{
    size_t T = sample->T, K = sample->C + 1, stride = sample->frames.rows.stride;
    double *gradient = room(T * K, sizeof *gradient);
    double want = reference_ctc(T, sample->C, sample->logits, sample->U, sample->labels, gradient);
    double got = run(sample);
    ck_assert_double_eq_tol(got, want, LOSS_TOLERANCE * (double)T + 1e-12 * want);
    ctc_backward(sample->C, &sample->frames, sample->posterior);
    for (size_t t = 0; t < T; t++)
        for (size_t b = 0; b < sample->B; b++)
            for (size_t c = 0; c < stride; c++) {
                float value = sample->frames.rows.data[(t * sample->B + b) * stride + c];
                if (b != sample->frames.b)
                    ck_assert_float_nan(value);
                else if (c < K)
                    ck_assert_double_eq_tol((double)value, gradient[t * K + c], GRADIENT_TOLERANCE);
                else
                    ck_assert_float_eq(value, 0);
            }
    memory_destroy(gradient);
}

/* As many frames as the labels need and `more`. */
static struct ctc_sequence draw_sample(size_t C, size_t U, size_t more, double size, size_t B, uint64_t seed)
{
    struct ctc_sequence probe = sample_create(1, C, U, size, B, C + 1, seed);
    size_t T = ctc_frames_needed(probe.labels, U) + more;
    sample_finish(&probe);
    return sample_create(T ? T : 1, C, U, size, B, (C + 16) / 16 * 16, seed);
}

START_TEST(loss_and_gradient_are_the_reference)
{
    for (uint64_t seed = 0; seed < 200; seed++) {
        size_t C = 1 + pick(seed, 100, 20), U = pick(seed, 101, 25), more = pick(seed, 102, 40);
        double size = (double)(1 + pick(seed, 103, 6));
        struct ctc_sequence sample = draw_sample(C, U, more, size, 1 + pick(seed, 104, 3), seed);
        check_against_reference(&sample);
        sample_finish(&sample);
    }
}
END_TEST

START_TEST(exactly_as_many_frames_as_needed_are_enough)
{
    for (uint64_t seed = 0; seed < 60; seed++) {
        struct ctc_sequence sample =
            draw_sample(1 + pick(seed, 100, 4), 1 + pick(seed, 101, 12), 0, 2, 1, seed);
        check_against_reference(&sample);
        sample_finish(&sample);
    }
}
END_TEST

START_TEST(no_labels_mean_all_blank)
{
    struct ctc_sequence sample = sample_create(9, 4, 0, 2, 1, 16, 5);
    double want = 0;
    for (size_t t = 0; t < 9; t++) {
        double sum = 0;
        for (size_t c = 0; c <= 4; c++)
            sum += exp(sample.logits[t * 5 + c]);
        want -= log(exp(sample.logits[t * 5 + 4]) / sum);
    }
    check_against_reference(&sample);
    sample_finish(&sample);
    sample = sample_create(9, 4, 0, 2, 1, 16, 5);
    ck_assert_double_eq_tol(run(&sample), want, 1e-5);
    sample_finish(&sample);
}
END_TEST

START_TEST(loss_is_the_sum_over_all_paths)
{
    for (uint64_t seed = 0; seed < 60; seed++) {
        size_t C = 1 + pick(seed, 100, 3), U = pick(seed, 101, 4);
        struct ctc_sequence sample = draw_sample(C, U, pick(seed, 102, 3), 2, 1, seed);
        if (sample.T <= 6) {
            double want = reference_ctc_all_paths(sample.T, C, sample.logits, U, sample.labels);
            ck_assert_double_eq_tol(
                reference_ctc(sample.T, C, sample.logits, U, sample.labels, NULL), want, 1e-10);
            ck_assert_double_eq_tol(run(&sample), want, 1e-5);
        }
        sample_finish(&sample);
    }
}
END_TEST

START_TEST(probabilities_of_all_labellings_add_to_one)
{
    enum { T = 4, C = 2 };
    double sum = 0;
    for (size_t U = 0; U <= T; U++)
        for (size_t number = 0; number < (size_t)1 << U; number++) {
            struct ctc_sequence sample = sample_create(T, C, U, 1.5, 1, 16, 77);
            for (size_t u = 0; u < U; u++)
                sample.labels[u] = (int32_t)(number >> u & 1);
            if (ctc_frames_needed(sample.labels, U) <= T)
                sum += exp(-run(&sample));
            sample_finish(&sample);
        }
    ck_assert_double_eq_tol(sum, 1, 1e-6);
}
END_TEST

START_TEST(gradient_matches_slope)
{
    for (uint64_t seed = 0; seed < 20; seed++) {
        size_t C = 1 + pick(seed, 100, 4), U = pick(seed, 101, 6);
        struct ctc_sequence sample = draw_sample(C, U, pick(seed, 102, 6), 1.5, 1, seed);
        size_t T = sample.T, K = C + 1;
        run(&sample);
        ctc_backward(C, &sample.frames, sample.posterior);
        for (size_t i = 0; i < T * K; i++) {
            double h = 1e-5, at = sample.logits[i];
            sample.logits[i] = at + h;
            double above = reference_ctc(T, C, sample.logits, U, sample.labels, NULL);
            sample.logits[i] = at - h;
            double below = reference_ctc(T, C, sample.logits, U, sample.labels, NULL);
            sample.logits[i] = at;
            float got = sample.frames.rows.data[i / K * sample.frames.rows.stride + i % K];
            ck_assert_double_eq_tol((double)got, (above - below) / (2 * h), 1e-5);
        }
        sample_finish(&sample);
    }
}
END_TEST

START_TEST(rows_of_the_gradient_sum_to_zero)
{
    struct ctc_sequence sample = draw_sample(30, 20, 60, 3, 1, 3);
    run(&sample);
    ctc_backward(30, &sample.frames, sample.posterior);
    for (size_t t = 0; t < sample.T; t++) {
        double sum = 0;
        for (size_t c = 0; c <= 30; c++)
            sum += (double)ctc_row(&sample.frames, t)[c];
        ck_assert_double_eq_tol(sum, 0, 1e-6);
    }
    sample_finish(&sample);
}
END_TEST

START_TEST(repeats_need_a_blank)
{
    ck_assert_uint_eq(ctc_frames_needed(NULL, 0), 0);
    ck_assert_uint_eq(ctc_frames_needed((int32_t[]){3}, 1), 1);
    ck_assert_uint_eq(ctc_frames_needed((int32_t[]){3, 3}, 2), 3);
    ck_assert_uint_eq(ctc_frames_needed((int32_t[]){3, 4, 3}, 3), 3);
    ck_assert_uint_eq(ctc_frames_needed((int32_t[]){1, 1, 1, 2, 2}, 5), 8);
    struct ctc_sequence sample = sample_create(3, 2, 2, 2, 1, 16, 9);
    sample.labels[0] = sample.labels[1] = 1;
    double loss = run(&sample), want = 1;
    for (size_t t = 0; t < 3; t++)
        want *= (double)ctc_row(&sample.frames, t)[t == 1 ? 2 : 1];
    ck_assert_double_eq_tol(loss, -log(want), 1e-5);
    ck_assert(isinf(reference_ctc(2, 2, sample.logits, 2, sample.labels, NULL)));
    sample_finish(&sample);
}
END_TEST

START_TEST(long_sequences_stay_finite)
{
    struct ctc_sequence sample = draw_sample(40, 400, 1570, 4, 1, 21);
    ck_assert_uint_ge(sample.T, 1970);
    check_against_reference(&sample);
    sample_finish(&sample);
}
END_TEST

/* Probabilities far below the smallest float, on every path. */
START_TEST(vanishing_probabilities_count_in_full)
{
    struct ctc_sequence sample = draw_sample(5, 8, 30, 300, 1, 22);
    ck_assert_double_gt(reference_ctc(sample.T, 5, sample.logits, 8, sample.labels, NULL), 1000);
    check_against_reference(&sample);
    sample_finish(&sample);
}
END_TEST

START_TEST(not_a_number_comes_through)
{
    for (size_t where = 0; where < 2; where++) {
        struct ctc_sequence sample = draw_sample(3, 2, 4, 1, 1, 23);
        ctc_row(&sample.frames, 2)[where ? 3 : 0] = where ? INFINITY : NAN;
        ck_assert_double_nan(run(&sample));
        ctc_backward(3, &sample.frames, sample.posterior);
        ck_assert_float_nan(ctc_row(&sample.frames, 0)[3]);
        sample_finish(&sample);
    }
}
END_TEST

START_TEST(neighbours_strides_and_the_posterior_change_no_bit)
{
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct ctc_sequence alone = sample_create(30, 7, 9, 2, 1, 8, seed);
        struct ctc_sequence among = sample_create(30, 7, 9, 2, 5, 48, seed);
        struct ctc_sequence without = sample_create(30, 7, 9, 2, 3, 16, seed);
        double loss = run(&alone);
        ck_assert_double_eq(loss, run(&among));
        memset(without.scratch, 0xff, ctc_forward_bytes(7, 30, 9, 0));
        ck_assert_double_eq(loss,
            ctc_forward(kernel_here(), 7, &without.frames, without.labels, without.U, NULL, without.scratch));
        for (size_t t = 0; t < 30; t++)
            ck_assert_mem_eq(ctc_row(&alone.frames, t), ctc_row(&without.frames, t), 8 * sizeof(float));
        ctc_backward(7, &alone.frames, alone.posterior);
        ctc_backward(7, &among.frames, among.posterior);
        for (size_t t = 0; t < 30; t++)
            ck_assert_mem_eq(ctc_row(&alone.frames, t), ctc_row(&among.frames, t), 8 * sizeof(float));
        sample_finish(&alone);
        sample_finish(&among);
        sample_finish(&without);
    }
}
END_TEST

START_TEST(builds_give_the_same_bits)
{
    struct ctc_sequence one = sample_create(50, 19, 9, 3, 1, 32, 4),
                        other = sample_create(50, 19, 9, 3, 1, 32, 4);
    double plain =
        ctc_forward(kernel_find("generic"), 19, &one.frames, one.labels, one.U, one.posterior, one.scratch);
    ck_assert_double_eq(plain, run(&other));
    ck_assert_mem_eq(one.posterior, other.posterior, 50 * 32 * sizeof(float));
    sample_finish(&one);
    sample_finish(&other);
}
END_TEST

/* Hand-made frames: the likeliest class of each gets probability 0.8. */
static struct ctc_sequence spell(const char *path, size_t C)
{
    struct ctc_sequence sample = sample_create(strlen(path), C, 0, 1, 2, 16, 1);
    for (size_t t = 0; t < sample.T; t++)
        for (size_t c = 0; c <= C; c++) {
            size_t likeliest = path[t] == '-' ? C : (size_t)(path[t] - 'a');
            ctc_row(&sample.frames, t)[c] = c == likeliest ? 0.8f : 0.2f / (float)C;
        }
    return sample;
}

static void check_spelling(const char *path, const char *want)
{
    struct ctc_sequence sample = spell(path, 3);
    int32_t labels[64];
    void *scratch = room(ctc_decode_beam_bytes(3, sample.T, 1), 1);
    for (int beam = 0; beam < 2; beam++) {
        size_t n = beam ? ctc_decode_beam(3, &sample.frames, 1, labels, scratch)
                        : ctc_decode_best_path(3, &sample.frames, labels);
        ck_assert_uint_eq(n, strlen(want));
        for (size_t i = 0; i < n; i++)
            ck_assert_int_eq(labels[i], want[i] - 'a');
    }
    memory_destroy(scratch);
    sample_finish(&sample);
}

START_TEST(clear_frames_read_as_they_are)
{
    check_spelling("a", "a");
    check_spelling("-", "");
    check_spelling("-----", "");
    check_spelling("aaabbb", "ab");
    check_spelling("aa-aa", "aa");
    check_spelling("--c-ab--bb-", "cabb");
    check_spelling("abab", "abab");
}
END_TEST

START_TEST(first_of_equals_is_the_likeliest)
{
    struct ctc_sequence sample = sample_create(2, 3, 0, 1, 1, 16, 1);
    int32_t labels[2];
    for (size_t t = 0; t < 2; t++)
        for (size_t c = 0; c <= 3; c++)
            ctc_row(&sample.frames, t)[c] = 0.25f;
    ck_assert_uint_eq(ctc_decode_best_path(3, &sample.frames, labels), 1);
    ck_assert_int_eq(labels[0], 0);
    sample_finish(&sample);
}
END_TEST

START_TEST(best_path_is_the_reference)
{
    for (uint64_t seed = 0; seed < 50; seed++) {
        struct ctc_sequence sample = sample_create(40, 3, 0, 2, 2, 16, seed);
        int32_t got[40], want[40];
        size_t n = reference_ctc_best_path(40, 3, sample.logits, want);
        ctc_softmax(kernel_here(), 3, &sample.frames);
        ck_assert_uint_eq(ctc_decode_best_path(3, &sample.frames, got), n);
        ck_assert_mem_eq(got, want, n * sizeof *got);
        sample_finish(&sample);
    }
}
END_TEST

START_TEST(wide_beam_finds_the_likeliest_labels)
{
    enum { MOST = 7, BEAM = 2000 };
    size_t unlike_best_path = 0;
    for (uint64_t seed = 0; seed < 300; seed++) {
        size_t C = 1 + pick(seed, 100, 3), T = 1 + pick(seed, 101, C == 3 ? 5 : MOST);
        struct ctc_sequence sample = sample_create(T, C, 0, 1, 2, 16, seed);
        int32_t got[MOST], want[MOST], greedy[MOST];
        double probability;
        size_t n = reference_ctc_best_labels(T, C, sample.logits, want, &probability);
        void *scratch = room(ctc_decode_beam_bytes(C, T, BEAM), 1);
        memset(scratch, 0xff, ctc_decode_beam_bytes(C, T, BEAM));
        ctc_softmax(kernel_here(), C, &sample.frames);
        ck_assert_uint_eq(ctc_decode_beam(C, &sample.frames, BEAM, got, scratch), n);
        ck_assert_mem_eq(got, want, n * sizeof *got);
        ck_assert_double_eq_tol(probability, exp(-reference_ctc(T, C, sample.logits, n, want, NULL)), 1e-12);
        size_t n_greedy = ctc_decode_best_path(C, &sample.frames, greedy);
        unlike_best_path += n_greedy != n || memcmp(greedy, got, n * sizeof *got) != 0;
        memory_destroy(scratch);
        sample_finish(&sample);
    }
    ck_assert_uint_gt(unlike_best_path, 20);
}
END_TEST

/* Prefixes leave narrow beams and come back, with their extensions still in the beam or not. */
START_TEST(beams_of_any_width_are_the_reference)
{
    enum { MOST = 30 };
    for (uint64_t seed = 0; seed < 400; seed++) {
        size_t C = 1 + pick(seed, 100, 4), T = 1 + pick(seed, 101, MOST), beam = 1 + pick(seed, 102, 8);
        struct ctc_sequence sample =
            sample_create(T, C, 0, 0.2 + 0.2 * (double)pick(seed, 103, 8), 2, 16, seed);
        int32_t got[MOST], want[MOST];
        size_t n = reference_ctc_beam(T, C, sample.logits, beam, want);
        void *scratch = room(ctc_decode_beam_bytes(C, T, beam), 1);
        memset(scratch, 0xff, ctc_decode_beam_bytes(C, T, beam));
        ctc_softmax(kernel_here(), C, &sample.frames);
        ck_assert_uint_eq(ctc_decode_beam(C, &sample.frames, beam, got, scratch), n);
        ck_assert_mem_eq(got, want, n * sizeof *got);
        memory_destroy(scratch);
        sample_finish(&sample);
    }
}
END_TEST

/* What a narrow beam returns has a path; over some sequences it is the likelier the wider the beam, and a
 * wide beam's likelier than the best path's. */
START_TEST(narrow_beams_find_likely_labels)
{
    enum { T = 60, C = 5 };
    const size_t beams[] = {1, 4, 16, 64};
    double total[5] = {0};
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct ctc_sequence sample = sample_create(T, C, 0, 2, 1, 16, seed);
        int32_t labels[T];
        ctc_softmax(kernel_here(), C, &sample.frames);
        for (size_t i = 0; i < 5; i++) {
            void *scratch = room(ctc_decode_beam_bytes(C, T, 64), 1);
            size_t n = i ? ctc_decode_beam(C, &sample.frames, beams[i - 1], labels, scratch)
                         : ctc_decode_best_path(C, &sample.frames, labels);
            ck_assert_uint_le(ctc_frames_needed(labels, n), T);
            total[i] += reference_ctc(T, C, sample.logits, n, labels, NULL);
            memory_destroy(scratch);
        }
        sample_finish(&sample);
    }
    ck_assert_double_lt(total[2], total[1]);
    ck_assert_double_lt(total[3], total[2]);
    ck_assert_double_le(total[4], total[3]);
    ck_assert_double_lt(total[4], total[0]);
}
END_TEST

START_TEST(beam_bears_frames_of_nothing)
{
    struct ctc_sequence sample = sample_create(5, 2, 0, 1, 1, 16, 1);
    int32_t labels[5];
    void *scratch = room(ctc_decode_beam_bytes(2, 5, 3), 1);
    for (size_t t = 0; t < 5; t++)
        for (size_t c = 0; c <= 2; c++)
            ctc_row(&sample.frames, t)[c] = t % 2 ? NAN : 0;
    size_t n = ctc_decode_beam(2, &sample.frames, 3, labels, scratch);
    ck_assert_uint_le(ctc_frames_needed(labels, n), 5);
    memory_destroy(scratch);
    sample_finish(&sample);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ctc");
    TCase *loss = tcase_create("loss"), *decode = tcase_create("decode");
    tcase_add_test(loss, loss_and_gradient_are_the_reference);
    tcase_add_test(loss, exactly_as_many_frames_as_needed_are_enough);
    tcase_add_test(loss, no_labels_mean_all_blank);
    tcase_add_test(loss, loss_is_the_sum_over_all_paths);
    tcase_add_test(loss, probabilities_of_all_labellings_add_to_one);
    tcase_add_test(loss, gradient_matches_slope);
    tcase_add_test(loss, rows_of_the_gradient_sum_to_zero);
    tcase_add_test(loss, repeats_need_a_blank);
    tcase_add_test(loss, long_sequences_stay_finite);
    tcase_add_test(loss, vanishing_probabilities_count_in_full);
    tcase_add_test(loss, not_a_number_comes_through);
    tcase_add_test(loss, neighbours_strides_and_the_posterior_change_no_bit);
    tcase_add_test(loss, builds_give_the_same_bits);
    tcase_add_test(decode, clear_frames_read_as_they_are);
    tcase_add_test(decode, first_of_equals_is_the_likeliest);
    tcase_add_test(decode, best_path_is_the_reference);
    tcase_add_test(decode, wide_beam_finds_the_likeliest_labels);
    tcase_add_test(decode, beams_of_any_width_are_the_reference);
    tcase_add_test(decode, narrow_beams_find_likely_labels);
    tcase_add_test(decode, beam_bears_frames_of_nothing);
    suite_add_tcase(suite, loss);
    suite_add_tcase(suite, decode);
    return suite_run(suite);
}

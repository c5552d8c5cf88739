/* Names of one build: this folder's sources are compiled once per instruction set, and BUILD(product) is
 * product_avx2 in one of them. */
#ifndef KERNEL_BUILD_H
#define KERNEL_BUILD_H

#include "kernel/kernel.h"

#if defined KERNEL_AVX512
#define BUILD(name) name##_avx512
#elif defined KERNEL_AVX2
#define BUILD(name) name##_avx2
#elif defined KERNEL_NEON
#define BUILD(name) name##_neon
#else
#define BUILD(name) name##_generic
#endif

/* What outer() packs at a time, at most: frames, columns of A and of X, from how many sides. */
enum { OUTER_FRAMES = 320, OUTER_M = 48, OUTER_COLUMNS = 512, OUTER_PIECES = 4 };

void BUILD(pack)(struct panels *B, const float *W, const int64_t *row, const int64_t *column);
void BUILD(product)(const struct panels *B, size_t M, const float *A, size_t A_stride, const float *start,
    size_t start_stride, float *C, size_t C_stride);
void BUILD(outer)(size_t N, size_t M, const float *A, size_t A_stride, const struct outer_side *sides,
    size_t n_sides, float *sums, float *scratch);
void BUILD(dots)(size_t width, const float *X, struct picked x, const float *Y, struct picked y, float *out,
    size_t out_stride);
void BUILD(mix)(
    size_t width, struct mix_weights w, const float *X, struct picked x, float *Y, struct picked y, int add);
void BUILD(additive)(size_t width, const float *energy, const float *Q, struct picked q, const float *K,
    struct picked k, float *out, size_t out_stride);
void BUILD(additive_backward)(const struct additive_slopes *slopes);
void BUILD(lstm_forward)(const struct cell_rows *rows);
void BUILD(lstm_backward)(const struct cell_slopes *rows);
void BUILD(gru_forward)(const struct cell_rows *rows);
void BUILD(gru_backward)(const struct cell_slopes *rows);
void BUILD(tanh_forward)(const struct cell_rows *rows);
void BUILD(tanh_backward)(const struct cell_slopes *rows);
void BUILD(relu_forward)(const struct cell_rows *rows);
void BUILD(relu_backward)(const struct cell_slopes *rows);
void BUILD(tanh_array)(size_t n, float *x);
void BUILD(sigmoid_array)(size_t n, float *x);
void BUILD(exp_array)(size_t n, float *x);
enum { BURST_CHAINS = 12 }; /* sums that burst() runs side by side: enough to hide a multiply-add's latency */

void BUILD(burst)(size_t rounds, float *out);
float BUILD(softmax)(size_t n, float *x, float *largest);

#endif

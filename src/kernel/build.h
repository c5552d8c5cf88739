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

/* What outer() packs at a time, at most: frames, columns of A and of X, from how many products. */
enum { OUTER_FRAMES = 320, OUTER_M = 48, OUTER_COLUMNS = 512, OUTER_PIECES = 4 };

void BUILD(pack)(struct panels *B, const float *W, const int64_t *row, const int64_t *column);
void BUILD(product)(const struct panels *B, size_t M, struct rows A, struct rows start, struct rows C);
void BUILD(outer)(size_t N, size_t M, struct rows A, const struct outer_product *products, size_t n_products,
    float *sums, float *scratch);
void BUILD(dots)(size_t width, struct picked x, struct picked y, struct rows out);
void BUILD(mix)(const struct mixture *mixture);
void BUILD(additive)(size_t width, const float *energy, struct picked q, struct picked k, struct rows out);
void BUILD(additive_backward)(const struct additive_gradient *gradient);
void BUILD(lstm_forward)(const struct cell_step *step);
void BUILD(lstm_backward)(const struct cell_gradient *gradient);
void BUILD(gru_forward)(const struct cell_step *step);
void BUILD(gru_backward)(const struct cell_gradient *gradient);
void BUILD(tanh_forward)(const struct cell_step *step);
void BUILD(tanh_backward)(const struct cell_gradient *gradient);
void BUILD(relu_forward)(const struct cell_step *step);
void BUILD(relu_backward)(const struct cell_gradient *gradient);
void BUILD(tanh_array)(size_t n, float *x);
void BUILD(sigmoid_array)(size_t n, float *x);
void BUILD(exp_array)(size_t n, float *x);
enum { BURST_CHAINS = 12 }; /* sums that burst() runs side by side: enough to hide a multiply-add's latency */

void BUILD(burst)(size_t rounds, float *out);
float BUILD(softmax)(size_t n, float *x, float *largest);

#endif

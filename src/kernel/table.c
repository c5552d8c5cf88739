/* The functions of one build in a row. */
#include "kernel/table.h"
#include "kernel/build.h"
#include "kernel/vector.h"

#if defined KERNEL_AVX512
#define NAME "avx512"
#elif defined KERNEL_AVX2
#define NAME "avx2"
#elif defined KERNEL_NEON
#define NAME "neon"
#else
#define NAME "generic"
#endif

const struct kernel BUILD(kernel) = {
    .name = NAME,
    .lanes = VEC_LANES,
    .outer_floats = (size_t)OUTER_FRAMES * (OUTER_M + OUTER_COLUMNS),
    .pack = BUILD(pack),
    .product = BUILD(product),
    .outer = BUILD(outer),
    .dots = BUILD(dots),
    .mix = BUILD(mix),
    .additive = BUILD(additive),
    .additive_backward = BUILD(additive_backward),
    .lstm_forward = BUILD(lstm_forward),
    .lstm_backward = BUILD(lstm_backward),
    .gru_forward = BUILD(gru_forward),
    .gru_backward = BUILD(gru_backward),
    .tanh_forward = BUILD(tanh_forward),
    .tanh_backward = BUILD(tanh_backward),
    .relu_forward = BUILD(relu_forward),
    .relu_backward = BUILD(relu_backward),
    .tanh_array = BUILD(tanh_array),
    .sigmoid_array = BUILD(sigmoid_array),
    .exp_array = BUILD(exp_array),
    .softmax = BUILD(softmax),
    .burst_operations = (size_t)2 * BURST_CHAINS * VEC_LANES,
    .burst = BUILD(burst),
};

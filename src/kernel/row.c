/* Functions of one array: activations, gates, and the softmax of a row; and the burst of multiply-adds that
 * speed is measured by. Arrays that end within a vector are finished in a padded copy. */
#include "kernel/function.h"

#define ARRAY(name)                                                                                          \
    void BUILD(name##_array)(size_t n, float *x)                                                             \
    {                                                                                                        \
        for (; n >= VEC_LANES; n -= VEC_LANES, x += VEC_LANES)                                               \
            vec_store(x, vec_##name(vec_load(x)));                                                           \
        float rest[KERNEL_BLOCK] = {0};                                                                      \
        memcpy(rest, x, n * sizeof *x);                                                                      \
        vec_store(rest, vec_##name(vec_load(rest)));                                                         \
        memcpy(x, rest, n * sizeof *x);                                                                      \
    }
ARRAY(tanh)
ARRAY(sigmoid)
ARRAY(exp)

void BUILD(gate)(size_t n, float *s, const float *y, float *out)
{
    for (size_t i = 0; i < n; i += VEC_LANES) {
        vec open = vec_sigmoid(vec_load(s + i));
        vec_store(s + i, open);
        vec_store(out + i, open * vec_load(y + i));
    }
}

void BUILD(gate_backward)(size_t n, float *s, const float *y, float *dy)
{
    const vec one = vec_splat(1);
    for (size_t i = 0; i < n; i += VEC_LANES) {
        vec open = vec_load(s + i), d = vec_load(dy + i);
        vec_store(s + i, vec_flush(d * vec_load(y + i) * (open * (one - open))));
        vec_store(dy + i, vec_flush(d * open));
    }
}

static float add_lanes(const float lane[KERNEL_BLOCK])
{
    float sum[KERNEL_BLOCK];
    memcpy(sum, lane, sizeof sum);
    for (size_t half = KERNEL_BLOCK / 2; half > 0; half /= 2)
        for (size_t i = 0; i < half; i++)
            sum[i] += sum[i + half];
    return sum[0];
}

float BUILD(softmax)(size_t n, float *x, float *largest)
{
    *largest = x[0];
    for (size_t c = 1; c < n; c++)
        *largest = x[c] > *largest ? x[c] : *largest;
    for (size_t c = 0; c < n; c++)
        x[c] -= *largest;
    BUILD(exp_array)(n, x);
    float lane[KERNEL_BLOCK] = {0};
    for (size_t c = 0; c < n; c++)
        lane[c % KERNEL_BLOCK] += x[c];
    float sum = add_lanes(lane);
    for (size_t c = 0; c < n; c++)
        x[c] /= sum;
    return sum;
}

double BUILD(burst)(size_t rounds, float *out)
{
    enum { CHAINS = 12 }; /* as many sums as hide the latency of a multiply-add */
    vec sum[CHAINS], a = vec_splat(0.999f), b = vec_splat(0.001f);
    for (size_t i = 0; i < CHAINS; i++)
        sum[i] = vec_splat((float)i);
    for (size_t r = 0; r < rounds; r++)
        for (size_t i = 0; i < CHAINS; i++)
            sum[i] = vec_fma(sum[i], a, b);
    for (size_t i = 1; i < CHAINS; i++)
        sum[0] += sum[i];
    vec_store(out, sum[0]);
    return 2.0 * CHAINS * VEC_LANES * (double)rounds;
}

#include "base/random.h"

#include "base/mathematics.h"

#include <math.h>

static uint32_t multiply_high(uint32_t a, uint32_t b, uint32_t *low)
{
    uint64_t product = (uint64_t)a * b;
    *low = (uint32_t)product;
    return (uint32_t)(product >> 32);
}

void random_block(uint64_t seed, enum random_stream stream, uint64_t high, uint64_t low, uint32_t bits[4])
{
    uint32_t c0 = (uint32_t)low, c1 = (uint32_t)(low >> 32), c2 = (uint32_t)high, c3 = (uint32_t)(high >> 32);
    uint32_t k0 = (uint32_t)seed, k1 = (uint32_t)(seed >> 32) ^ ((uint32_t)stream << 24);
    for (int round = 0; round < RANDOM_ROUNDS; round++) {
        uint32_t low0, low1;
        uint32_t high0 = multiply_high(RANDOM_MULTIPLIER_0, c0, &low0);
        uint32_t high1 = multiply_high(RANDOM_MULTIPLIER_1, c2, &low1);
        c0 = high1 ^ c1 ^ k0;
        c1 = low1;
        c2 = high0 ^ c3 ^ k1;
        c3 = low0;
        k0 += RANDOM_STEP_0;
        k1 += RANDOM_STEP_1;
    }
    bits[0] = c0, bits[1] = c1, bits[2] = c2, bits[3] = c3;
}

static uint64_t random_word(uint64_t seed, enum random_stream stream, uint64_t high, uint64_t index)
{
    uint32_t bits[4];
    random_block(seed, stream, high, index / 2, bits);
    size_t half = (size_t)(index % 2) * 2;
    return (uint64_t)bits[half + 1] << 32 | bits[half];
}

double random_uniform(uint64_t seed, enum random_stream stream, uint64_t high, uint64_t index)
{
    return ((double)(random_word(seed, stream, high, index) >> 12) + 0.5) * 0x1p-52;
}

double random_normal(uint64_t seed, enum random_stream stream, uint64_t high, uint64_t index)
{
    /* Box and Muller 1958: one of each pair. */
    double u = random_uniform(seed, stream, high, 2 * index);
    double v = random_uniform(seed, stream, high, 2 * index + 1);
    return sqrt(-2 * math_log(u)) * math_cos(2 * MATH_PI * v);
}

uint64_t random_below(uint64_t n, uint64_t seed, enum random_stream stream, uint64_t high, uint64_t index)
{
    /* The high half of a 64 by 64 bit product; the bias is below n / 2^64. */
    uint64_t word = random_word(seed, stream, high, index);
    uint64_t low = (word & 0xffffffffu) * (n & 0xffffffffu);
    uint64_t middle0 = (word >> 32) * (n & 0xffffffffu);
    uint64_t middle1 = (word & 0xffffffffu) * (n >> 32);
    uint64_t carry = ((low >> 32) + (middle0 & 0xffffffffu) + (middle1 & 0xffffffffu)) >> 32;
    return (word >> 32) * (n >> 32) + (middle0 >> 32) + (middle1 >> 32) + carry;
}

void random_permute_part(const struct random_key *key, size_t n, size_t first, size_t end, int64_t *order)
{
    for (size_t draw = first; draw < end && draw + 1 < n; draw++) {
        size_t i = n - draw, j = (size_t)random_below(i, key->seed, key->stream, key->high, draw);
        int64_t held = order[i - 1];
        order[i - 1] = order[j];
        order[j] = held;
    }
}

void random_permutation(uint64_t seed, enum random_stream stream, uint64_t high, size_t n, int64_t *order)
{
    const struct random_key key = {seed, stream, high};
    for (size_t i = 0; i < n; i++)
        order[i] = (int64_t)i;
    random_permute_part(&key, n, 0, n, order);
}

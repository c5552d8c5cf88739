/* Many uniform random numbers at a time: the same rounds go over an array of counters, which compilers turn
 * into vectors. The numbers are those of random_uniform (base/random.c), where the method is named. */
#include "base/random.h"
#include "kernel/build.h"

#include <string.h>

/* Blocks of random bits at a time, each for two numbers. Loops over fewer GCC takes apart, number by number,
 * before it looks for vectors. */
enum { BLOCKS = 32 };

/* One round for all counters; c[0] and c[2] are multiplied. */
INLINE void turn(uint32_t c[4][BLOCKS], uint32_t key0, uint32_t key1)
{
    for (size_t b = 0; b < BLOCKS; b++) {
        uint64_t first = (uint64_t)c[0][b] * RANDOM_MULTIPLIER_0;
        uint64_t second = (uint64_t)c[2][b] * RANDOM_MULTIPLIER_1;
        c[0][b] = (uint32_t)(second >> 32) ^ c[1][b] ^ key0;
        c[1][b] = (uint32_t)second;
        c[2][b] = (uint32_t)(first >> 32) ^ c[3][b] ^ key1;
        c[3][b] = (uint32_t)first;
    }
}

/* The number of 1 .. 2 whose fraction the upper 52 bits are, less what makes the lowest of them 2^-53: there
 * is nothing to round. */
INLINE double uniform_of(uint32_t low, uint32_t high)
{
    uint64_t bits = ((uint64_t)high << 32 | low) >> 12 | (uint64_t)0x3ff << 52;
    double number;
    memcpy(&number, &bits, sizeof number);
    return number - (1 - 0x1p-53);
}

/* Numbers 2 block, 2 block + 1, ... */
INLINE void draw_blocks(const struct random_key *key, uint64_t block, double out[2 * BLOCKS])
{
    uint32_t c[4][BLOCKS], key0 = (uint32_t)key->seed;
    uint32_t key1 = (uint32_t)(key->seed >> 32) ^ (uint32_t)key->stream << 24;
    for (size_t b = 0; b < BLOCKS; b++) {
        c[0][b] = (uint32_t)(block + b), c[1][b] = (uint32_t)((block + b) >> 32);
        c[2][b] = (uint32_t)key->high, c[3][b] = (uint32_t)(key->high >> 32);
    }
    for (int round = 0; round < RANDOM_ROUNDS; round++) {
        turn(c, key0, key1);
        key0 += RANDOM_STEP_0;
        key1 += RANDOM_STEP_1;
    }
    for (size_t b = 0; b < BLOCKS; b++) {
        out[2 * b] = uniform_of(c[0][b], c[1][b]);
        out[2 * b + 1] = uniform_of(c[2][b], c[3][b]);
    }
}

void BUILD(uniforms)(const struct random_key *key, uint64_t first, size_t n, double *out)
{
    double drawn[2 * BLOCKS];
    size_t skipped = first % 2;
    for (size_t done = 0, taken; done < n; done += taken, skipped = 0) {
        taken = 2 * BLOCKS - skipped;
        if (taken > n - done)
            taken = n - done;
        draw_blocks(key, (first + done) / 2, drawn);
        memcpy(out + done, drawn + skipped, taken * sizeof *out);
    }
}

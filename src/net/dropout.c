#include "net/dropout.h"

#include "base/random.h"

void dropout_apply(const struct pass *pass, double rate, size_t layer, size_t width, size_t stride,
    const float *in, float *out)
{
    const struct microbatch *microbatch = pass->microbatch;
    /* A unit is kept when its 32 random bits are at or above the threshold. */
    uint32_t threshold = (uint32_t)(rate * 0x1p32);
    float scale = (float)(1 / (1 - rate));
    for (size_t t = 0; t < microbatch->T; t++)
        for (size_t b = 0; b < (size_t)microbatch->alive[t]; b++) {
            size_t n = microbatch_frame(microbatch, b, t);
            uint64_t high = pass->options.epoch << 40 | (uint64_t)microbatch->sequence[b];
            uint64_t low = ((uint64_t)layer << 52) + ((uint64_t)t << 20);
            uint32_t bits[4] = {0}; /* drawn for four units at once */
            for (size_t u = 0; u < width; u++) {
                if (u % 4 == 0)
                    random_block(pass->options.seed, RANDOM_DROPOUT, high, low + u / 4, bits);
                out[n * stride + u] = bits[u % 4] < threshold ? 0 : in[n * stride + u] * scale;
            }
        }
}

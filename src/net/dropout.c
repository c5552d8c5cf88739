#include "net/dropout.h"

void dropout_draw(const struct dropout *dropout, size_t b, uint64_t counter, float factor[4])
{
    uint32_t threshold = (uint32_t)(dropout->rate * 0x1p32), bits[4];
    float scale = (float)(1 / (1 - dropout->rate));
    random_block(dropout->pass->options.seed, dropout->stream, pass_counter(dropout->pass, b), counter, bits);
    for (size_t i = 0; i < 4; i++)
        factor[i] = bits[i] < threshold ? 0 : scale;
}

void dropout_apply(
    const struct pass *pass, double rate, size_t layer, size_t width, struct rows in, struct rows out)
{
    const struct microbatch *microbatch = pass->microbatch;
    struct dropout dropout = {.pass = pass, .rate = rate, .stream = RANDOM_DROPOUT};
    float factor[4] = {0};
    for (size_t t = 0; t < microbatch->T; t++)
        for (size_t b = 0; b < (size_t)microbatch->alive[t]; b++) {
            size_t n = microbatch_frame(microbatch, b, t);
            uint64_t frame = (uint64_t)microbatch->excerpt.first + t;
            const float *x = row_at(in, n);
            float *y = row_at(out, n);
            for (size_t u = 0; u < width; u++) {
                if (u % 4 == 0)
                    dropout_draw(&dropout, b, ((uint64_t)layer << 52) + (frame << 20) + u / 4, factor);
                y[u] = factor[u % 4] == 0 ? 0 : x[u] * factor[u % 4];
            }
        }
}

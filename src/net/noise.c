#include "net/noise.h"

#include "base/random.h"

void noise_apply(const struct pass *pass, double deviation, size_t width, struct rows out)
{
    const struct microbatch *microbatch = pass->microbatch;
    for (size_t t = 0; t < microbatch->T; t++)
        for (size_t b = 0; b < (size_t)microbatch->alive[t]; b++) {
            size_t n = microbatch_frame(microbatch, b, t);
            const float *x = microbatch->inputs + n * microbatch->inputs_stride;
            float *y = row_at(out, n);
            uint64_t frame = (uint64_t)microbatch->excerpt.first + t;
            for (size_t i = 0; i < width; i++) {
                double normal =
                    random_normal(pass->options.seed, RANDOM_NOISE, pass_counter(pass, b), frame * width + i);
                y[i] = (float)((double)x[i] + deviation * normal);
            }
            for (size_t i = width; i < microbatch_stride(width); i++)
                y[i] = 0;
        }
}

#include "net/gather.h"

#include <string.h>

static size_t final_frame(const struct microbatch *microbatch, size_t part, size_t b)
{
    return microbatch_frame(microbatch, b, part ? 0 : (size_t)microbatch->length[b] - 1);
}

void gather_final(
    struct extent extent, const struct microbatch *microbatch, struct rows Y, struct rows gathered)
{
    size_t width = extent_padded(extent) / extent.parts;
    for (size_t b = 0; b < microbatch->B; b++)
        for (size_t part = 0; part < extent.parts; part++)
            memcpy(row_at(gathered, b) + part * width,
                row_at(Y, final_frame(microbatch, part, b)) + part * width, width * sizeof(float));
}

void gather_final_symbols(const struct microbatch *microbatch, int32_t *gathered)
{
    for (size_t b = 0; b < microbatch->B; b++)
        gathered[b] = microbatch->symbols[final_frame(microbatch, 0, b)];
}

void gather_final_back(
    struct extent extent, const struct microbatch *microbatch, struct rows dgathered, struct rows dY)
{
    size_t width = extent_padded(extent) / extent.parts;
    for (size_t b = 0; b < microbatch->B; b++)
        for (size_t part = 0; part < extent.parts; part++) {
            const float *in = row_at(dgathered, b) + part * width;
            float *out = row_at(dY, final_frame(microbatch, part, b)) + part * width;
            for (size_t i = 0; i < width; i++)
                out[i] += in[i];
        }
}

#include "net/embedding.h"

#include "kernel/kernel.h"
#include "net/microbatch.h"

#include <string.h>

void embedding_init(struct embedding *embedding, size_t symbols, size_t size, size_t offset)
{
    *embedding = (struct embedding){
        .symbols = symbols, .size = size, .stride = kernel_stride(microbatch_stride(size)), .offset = offset};
}

void embedding_take_panels(struct embedding *embedding, struct arena *arena)
{
    embedding->table = arena_take(arena, embedding->symbols * embedding->stride, sizeof *embedding->table);
}

void embedding_pack(struct embedding *embedding, const struct packing *packing)
{
    size_t s, end;
    const float *weights = packing->weights + embedding->offset;
    for (packing_deal(packing, embedding->symbols, &s, &end); s < end; s++)
        memcpy(embedding->table + s * embedding->stride, weights + s * embedding->size,
            embedding->size * sizeof *weights);
}

void embedding_look_up(const struct embedding *embedding, size_t N, const int32_t *symbols, float *X)
{
    for (size_t n = 0; n < N; n++)
        memcpy(X + n * embedding->stride, embedding->table + (size_t)symbols[n] * embedding->stride,
            embedding->stride * sizeof *X);
}

void embedding_add_gradient(
    const struct embedding *embedding, size_t N, const int32_t *symbols, const float *dX, float *gradient)
{
    for (size_t n = 0; n < N; n++) {
        float *out = gradient + embedding->offset + (size_t)symbols[n] * embedding->size;
        for (size_t e = 0; e < embedding->size; e++)
            out[e] += dX[n * embedding->stride + e];
    }
}

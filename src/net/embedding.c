#include "net/embedding.h"

#include "base/memory.h"
#include "kernel/kernel.h"
#include "net/microbatch.h"

#include <string.h>

int embedding_init(
    struct embedding *embedding, size_t symbols, size_t size, size_t offset, struct error *error)
{
    *embedding = (struct embedding){
        .symbols = symbols, .size = size, .stride = kernel_stride(microbatch_stride(size)), .offset = offset};
    embedding->table = memory_create(symbols * embedding->stride, sizeof *embedding->table, error);
    return embedding->table ? 0 : -1;
}

void embedding_finish(struct embedding *embedding)
{
    memory_destroy(embedding->table);
    *embedding = (struct embedding){0};
}

void embedding_pack(struct embedding *embedding, const float *weights)
{
    for (size_t s = 0; s < embedding->symbols; s++)
        memcpy(embedding->table + s * embedding->stride, weights + embedding->offset + s * embedding->size,
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

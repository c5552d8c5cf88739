/* Learned vectors of symbols: rows of a table of the flat parameter vector, padded.
 *
 * N symbols, E values of a vector. */
#ifndef NET_EMBEDDING_H
#define NET_EMBEDDING_H

#include "base/memory.h"
#include "net/packing.h"

#include <stddef.h>
#include <stdint.h>

struct embedding {
    size_t symbols, size; /* how many there are, E */
    size_t stride;        /* of the table and of looked-up rows */
    size_t offset;        /* of the table [symbols][E] in the flat vector */
    float *table;         /* [symbols][stride], packed with the weights */
};

void embedding_init(struct embedding *embedding, size_t symbols, size_t size, size_t offset);
void embedding_take_panels(struct embedding *embedding, struct arena *arena); /* the table; takes zeroes */
void embedding_pack(struct embedding *embedding, const struct packing *packing);

/* Copies rows of the table to X [N][stride], the padding too. */
void embedding_look_up(const struct embedding *embedding, size_t N, const int32_t *symbols, float *X);

/* Adds dX [N][stride] to the rows' gradients, in order of n. */
void embedding_add_gradient(
    const struct embedding *embedding, size_t N, const int32_t *symbols, const float *dX, float *gradient);

#endif

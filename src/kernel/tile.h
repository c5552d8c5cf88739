/* A tile of a matrix product, and how products and weight gradients split their work into tiles.
 *
 * A tile, a few rows by up to TILE_VECTORS vectors of columns, lives in registers while k runs: each step
 * loads one vector per column vector and one number per row and does rows x vectors fused multiply-adds.
 * Nothing is reassociated, so a row's bits depend on its own numbers alone, and how work is split into tiles
 * and blocks is free to follow the caches. */
#ifndef KERNEL_TILE_H
#define KERNEL_TILE_H

#include "kernel/vector.h"

/* Rows of a tile by its number of vectors: accumulators, the vectors of B and one number of A fit the
 * registers. */
enum {
    ROWS_1 = 8,
    ROWS_2 = VEC_REGISTERS == 32 ? 8 : 6,
    ROWS_3 = VEC_REGISTERS == 32 ? 8 : 4,
    MOST_ROWS = 8,
    STEPS = 4 /* of k at a time */
};

struct tile {
    size_t K;
    const float *B; /* vectors of k at B + k * VECTORS * VEC_LANES; of a part of a panel, at B + k * B_step */
    size_t B_step;
    size_t A_row, A_step; /* floats from row to row of A, and from k to k */
    size_t start_row, C_row;
    size_t ahead; /* floats from B to what is fetched meanwhile, as much as B's; 0: nothing */
};

/* The rows that a tile meets: where the first of A, of what its sums start from (NULL: zero) and of C lie. */
struct tile_rows {
    const float *A, *start;
    float *C;
};

INLINE void tile_step(vec sum[MOST_ROWS][TILE_VECTORS], const float *A, size_t A_row, const float *B,
    const size_t ROWS, const size_t VECTORS)
{
    vec b[TILE_VECTORS];
    UNROLL
    for (size_t v = 0; v < VECTORS; v++)
        b[v] = vec_load(B + v * VEC_LANES);
    UNROLL
    for (size_t m = 0; m < ROWS; m++) {
        vec a = vec_splat_at(A + m * A_row);
        UNROLL
        for (size_t v = 0; v < VECTORS; v++)
            vec_accumulate(&sum[m][v], a, b[v]);
    }
}

/* What a tile does: it multiplies with all vectors of a panel; and fetches half as much as these hold from
 * `fetch` on; or multiplies with some of them. */
enum tile_mode { TILE_WHOLE, TILE_FETCHES, TILE_PART };

/* C = start + A B. */
INLINE void tile_multiply(const struct tile *tile, struct tile_rows rows, const float *fetch,
    const enum tile_mode MODE, const size_t ROWS, const size_t VECTORS)
{
    const size_t B_step = MODE == TILE_PART ? tile->B_step : VECTORS * VEC_LANES;
    const float *A = rows.A, *B = tile->B;
    const size_t A_row = tile->A_row, A_step = tile->A_step;
    vec sum[MOST_ROWS][TILE_VECTORS];
    UNROLL
    for (size_t m = 0; m < ROWS; m++)
        UNROLL
    for (size_t v = 0; v < VECTORS; v++)
        sum[m][v] = rows.start ? vec_load(rows.start + m * tile->start_row + v * VEC_LANES) : vec_splat(0);
    size_t k = tile->K;
    for (; k >= STEPS; k -= STEPS) {
        if (MODE == TILE_FETCHES) {
            UNROLL
            for (size_t i = 0; i < STEPS * VECTORS * VEC_LANES / 2; i += KERNEL_BLOCK)
                __builtin_prefetch(fetch + i);
            fetch += STEPS * VECTORS * VEC_LANES / 2;
        }
        UNROLL
        for (size_t s = 0; s < STEPS; s++) {
            tile_step(sum, A, A_row, B, ROWS, VECTORS);
            A += A_step;
            B += B_step;
        }
    }
    for (; k > 0; k--) {
        tile_step(sum, A, A_row, B, ROWS, VECTORS);
        A += A_step;
        B += B_step;
    }
    UNROLL
    for (size_t m = 0; m < ROWS; m++)
        UNROLL
    for (size_t v = 0; v < VECTORS; v++)
        vec_store(rows.C + m * tile->C_row + v * VEC_LANES, sum[m][v]);
}

/* The next of the parts, each at most `most` and the last two alike, that n is split into: 5 rows are 3 and
 * 2, not 4 and 1, as a tile with few sums waits for the latency of the multiply-add. */
INLINE size_t next_part(size_t n, size_t most)
{
    return n >= 2 * most ? most : n > most ? (n + 1) / 2 : n;
}

/* The rows of a panel that many rows of A meet before the next ones: as many as fill half of the first cache.
 * A tile of 8 rows by vectors of 64 bytes reads 9 bytes of them a cycle, which a second cache delivers too;
 * so with such vectors they are three times as many, and the sums between two blocks are stored and loaded
 * less often. */
INLINE size_t panel_depth(void)
{
    size_t halves = VEC_LANES == 16 ? 3 : 1;
    size_t depth = halves * kernel_first_cache() / 2 / (TILE_VECTORS * VEC_LANES * sizeof(float));
    return depth / KERNEL_BLOCK * KERNEL_BLOCK;
}

#endif

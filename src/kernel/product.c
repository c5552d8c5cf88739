/* Matrix products from packed panels, tile by tile (kernel/tile.h).
 *
 * Of each panel a block of rows (panel_depth) is met by all rows of a chunk before the next block; a chunk of
 * rows meets all panels before the next chunk, so that the lines of C that two panels share are still near.
 * Panels that outgrow the caches are fetched a block ahead. */
#include "kernel/tile.h"

enum { CHUNK = 64 }; /* rows that meet all panels before the next rows */

/* M rows of one panel of so many vectors. */
INLINE void panel_rows(
    const struct tile *tile, size_t M, struct tile_rows at, const size_t MOST, const size_t VECTORS)
{
    const float *fetch = tile->ahead ? tile->B + tile->ahead : NULL; /* by the first rows and by the last */
    for (size_t rows; M > 0; M -= rows) {
        rows = next_part(M, MOST);
        switch (rows) {
#define CASE(n)                                                                                              \
    case n:                                                                                                  \
        if (n <= MOST && fetch)                                                                              \
            tile_multiply(tile, at, fetch, 1, n, VECTORS);                                                   \
        else if (n <= MOST)                                                                                  \
            tile_multiply(tile, at, NULL, 0, n, VECTORS);                                                    \
        break;
            CASE(1) CASE(2) CASE(3) CASE(4) CASE(5) CASE(6) CASE(7) CASE(8)
#undef CASE
        }
        if (tile->ahead)
            fetch = M <= rows + MOST ? tile->B + tile->ahead + tile->K * VECTORS * VEC_LANES / 2 : NULL;
        at.A += rows * tile->A_row;
        at.C += rows * tile->C_row;
        if (at.start)
            at.start += rows * tile->start_row;
    }
}

INLINE void panel_multiply(const struct tile *tile, size_t M, size_t vectors, struct tile_rows at)
{
    if (vectors == 3)
        panel_rows(tile, M, at, ROWS_3, 3);
    else if (vectors == 2)
        panel_rows(tile, M, at, ROWS_2, 2);
    else
        panel_rows(tile, M, at, ROWS_1, 1);
}

void BUILD(pack)(struct panels *B, const float *W, const int64_t *row, const int64_t *column)
{
    float *out = B->data;
    for (size_t left = B->columns / VEC_LANES, first = 0; left > 0;) {
        size_t vectors = next_part(left, TILE_VECTORS);
        for (size_t k = 0; k < B->K; k++)
            for (size_t c = first; c < first + vectors * VEC_LANES; c++)
                *out++ = row[k] < 0 || column[c] < 0 ? 0 : W[row[k] + column[c]];
        left -= vectors;
        first += vectors * VEC_LANES;
    }
}

void BUILD(product)(const struct panels *B, size_t M, struct rows A, struct rows start, struct rows C)
{
    size_t depth = panel_depth();
    int far = B->K * B->columns * sizeof(float) > kernel_last_cache() / 8;
    for (size_t rows; M > 0; M -= rows) {
        rows = next_part(M, CHUNK);
        struct tile tile = {.B = B->data, .A_row = A.stride, .A_step = 1, .C_row = C.stride};
        for (size_t left = B->columns / VEC_LANES, column = 0, vectors; left > 0; left -= vectors) {
            vectors = next_part(left, TILE_VECTORS);
            struct tile_rows at = {A.data, start.data ? start.data + column : NULL, C.data + column};
            tile.start_row = start.stride;
            for (size_t k = 0; k < B->K; k += tile.K) {
                tile.K = next_part(B->K - k, depth);
                tile.ahead = far ? tile.K * vectors * VEC_LANES : 0;
                panel_multiply(&tile, rows, vectors, at);
                tile.B += tile.K * vectors * VEC_LANES;
                at.A += tile.K;
                at.start = at.C;
                tile.start_row = C.stride;
            }
            column += vectors * VEC_LANES;
        }
        A = rows_from(A, rows);
        C = rows_from(C, rows);
        if (start.data)
            start = rows_from(start, rows);
    }
}

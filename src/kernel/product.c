/* Matrix products from packed panels, tile by tile (kernel/tile.h).
 *
 * Of each panel a block of rows (panel_depth) is met by all rows of a chunk before the next block; a chunk of
 * rows meets all panels before the next chunk, so that the lines of C that two panels share are still near.
 * Panels that outgrow the caches are fetched a block ahead. */
#include "kernel/tile.h"

enum { CHUNK = 64 }; /* rows that meet all panels before the next rows */

/* M rows of one panel of so many vectors. */
INLINE void panel_rows(const struct tile *tile, size_t M, const float *A, size_t A_row, size_t A_step,
    const float *start, float *C, const size_t MOST, const size_t VECTORS)
{
    const float *fetch = tile->ahead ? tile->B + tile->ahead : NULL; /* by the first rows and by the last */
    for (size_t rows; M > 0; M -= rows) {
        rows = next_part(M, MOST);
        switch (rows) {
#define CASE(n)                                                                                              \
    case n:                                                                                                  \
        if (n <= MOST && fetch)                                                                              \
            tile_multiply(tile, A, A_row, A_step, start, C, fetch, 1, n, VECTORS);                           \
        else if (n <= MOST)                                                                                  \
            tile_multiply(tile, A, A_row, A_step, start, C, NULL, 0, n, VECTORS);                            \
        break;
            CASE(1) CASE(2) CASE(3) CASE(4) CASE(5) CASE(6) CASE(7) CASE(8)
        }
        if (tile->ahead)
            fetch = M <= rows + MOST ? tile->B + tile->ahead + tile->K * VECTORS * VEC_LANES / 2 : NULL;
        A += rows * A_row;
        C += rows * tile->C_row;
        if (start)
            start += rows * tile->start_row;
    }
}

INLINE void panel_multiply(const struct tile *tile, size_t M, size_t vectors, const float *A, size_t A_row,
    size_t A_step, const float *start, float *C)
{
    if (vectors == 3)
        panel_rows(tile, M, A, A_row, A_step, start, C, ROWS_3, 3);
    else if (vectors == 2)
        panel_rows(tile, M, A, A_row, A_step, start, C, ROWS_2, 2);
    else
        panel_rows(tile, M, A, A_row, A_step, start, C, ROWS_1, 1);
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

void BUILD(product)(const struct panels *B, size_t M, const float *A, size_t A_stride, const float *start,
    size_t start_stride, float *C, size_t C_stride)
{
    size_t depth = panel_depth();
    int far = B->K * B->columns * sizeof(float) > kernel_last_cache() / 8;
    for (size_t rows; M > 0; M -= rows) {
        rows = next_part(M, CHUNK);
        struct tile tile = {.B = B->data, .C_row = C_stride};
        for (size_t left = B->columns / VEC_LANES, column = 0, vectors; left > 0; left -= vectors) {
            vectors = next_part(left, TILE_VECTORS);
            const float *from = start ? start + column : NULL;
            tile.start_row = start_stride;
            for (size_t k = 0; k < B->K; k += tile.K) {
                tile.K = next_part(B->K - k, depth);
                tile.ahead = far ? tile.K * vectors * VEC_LANES : 0;
                panel_multiply(&tile, rows, vectors, A + k, A_stride, 1, from, C + column);
                tile.B += tile.K * vectors * VEC_LANES;
                from = C + column;
                tile.start_row = C_stride;
            }
            column += vectors * VEC_LANES;
        }
        A += rows * A_stride;
        C += rows * C_stride;
        if (start)
            start += rows * start_stride;
    }
}

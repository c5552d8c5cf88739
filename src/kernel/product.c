/* Matrix products from packed panels, tile by tile (kernel/tile.h).
 *
 * Of each panel a block of rows (panel_depth) is met by all rows of a chunk before the next block; a chunk of
 * rows meets all panels before the next chunk, so that the lines of C that two panels share are still near.
 * Panels that outgrow the caches are fetched a block ahead. */
#include "kernel/tile.h"

enum { CHUNK = 64 }; /* rows that meet all panels before the next rows */

/* M rows of one panel, or of a part of it, of so many vectors. */
INLINE void panel_rows(const struct tile *tile, size_t M, struct tile_rows at, const int PART,
    const size_t MOST, const size_t VECTORS)
{
    const float *fetch = tile->ahead ? tile->B + tile->ahead : NULL; /* by the first rows and by the last */
    for (size_t rows; M > 0; M -= rows) {
        rows = next_part(M, MOST);
        switch (rows) {
#define CASE(n)                                                                                              \
    case n:                                                                                                  \
        if (n <= MOST && PART)                                                                               \
            tile_multiply(tile, at, NULL, TILE_PART, n, VECTORS);                                            \
        else if (n <= MOST && fetch)                                                                         \
            tile_multiply(tile, at, fetch, TILE_FETCHES, n, VECTORS);                                        \
        else if (n <= MOST)                                                                                  \
            tile_multiply(tile, at, NULL, TILE_WHOLE, n, VECTORS);                                           \
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
        panel_rows(tile, M, at, 0, ROWS_3, 3);
    else if (vectors == 2)
        panel_rows(tile, M, at, 0, ROWS_2, 2);
    else
        panel_rows(tile, M, at, 0, ROWS_1, 1);
}

/* One or two vectors of a panel of more. */
INLINE void part_multiply(const struct tile *tile, size_t M, size_t vectors, struct tile_rows at)
{
    if (vectors == 2)
        panel_rows(tile, M, at, 1, ROWS_2, 2);
    else
        panel_rows(tile, M, at, 1, ROWS_1, 1);
}

/* The rows of a chunk: of A, of what the sums start from, and of C. */
struct product_rows {
    struct rows A, start, C;
};

/* One panel of `vectors` vectors, which begins at `column`: what of it lies in [from, to) meets the rows of
 * A. */
static void panel_product(const struct panels *B, const float *data, size_t column, size_t vectors,
    size_t rows, const struct product_rows *of)
{
    size_t end = column + vectors * VEC_LANES, to = B->to ? B->to : B->columns, depth = panel_depth();
    size_t first = column > B->from ? column : B->from, last = end < to ? end : to;
    int part = last - first < end - column;
    int far = !part && B->K * B->columns * sizeof(float) > kernel_last_cache() / 8;
    struct tile tile = {.B = data + (first - column),
        .B_step = vectors * VEC_LANES,
        .A_row = of->A.stride,
        .A_step = 1,
        .start_row = of->start.stride,
        .C_row = of->C.stride};
    struct tile_rows at = {of->A.data, of->start.data ? of->start.data + first : NULL, of->C.data + first};
    for (size_t k = 0; k < B->K; k += tile.K) {
        tile.K = next_part(B->K - k, depth);
        tile.ahead = far ? tile.K * vectors * VEC_LANES : 0;
        if (part)
            part_multiply(&tile, rows, (last - first) / VEC_LANES, at);
        else
            panel_multiply(&tile, rows, vectors, at);
        tile.B += tile.K * vectors * VEC_LANES;
        at.A += tile.K;
        at.start = at.C;
        tile.start_row = of->C.stride;
    }
}

void BUILD(product)(const struct panels *B, size_t M, struct rows A, struct rows start, struct rows C)
{
    size_t to = B->to ? B->to : B->columns;
    struct product_rows of = {A, start, C};
    for (size_t rows; M > 0; M -= rows) {
        rows = next_part(M, CHUNK);
        const float *data = B->data;
        for (size_t left = B->columns / VEC_LANES, column = 0, vectors; left > 0 && column < to;
             left -= vectors) {
            vectors = next_part(left, TILE_VECTORS);
            if (column + vectors * VEC_LANES > B->from)
                panel_product(B, data, column, vectors, rows, &of);
            data += B->K * vectors * VEC_LANES;
            column += vectors * VEC_LANES;
        }
        of.A = rows_from(of.A, rows);
        of.C = rows_from(of.C, rows);
        if (start.data)
            of.start = rows_from(of.start, rows);
    }
}

/* Matrix products from packed panels.
 *
 * A tile of the product, a few rows by up to TILE_VECTORS vectors of columns, lives in registers while k
 * runs: each step loads one vector per column vector and one number per row and does rows x vectors fused
 * multiply-adds. Nothing is reassociated, so a row's bits depend on its own numbers alone, and every bound of
 * a loop below is free to follow the caches.
 *
 * The last two parts of a split are alike: 5 rows are 3 and 2, not 4 and 1, as a tile with few sums waits for
 * the latency of the multiply-add. Of each panel a block of rows, half of the first cache, is met by all rows
 * of a chunk before the next; a chunk of rows meets all panels before the next chunk, so that the lines of C
 * that two panels share are still near. Panels that outgrow the caches are fetched a block ahead. */
#include "kernel/build.h"
#include "kernel/vector.h"

/* Rows of a tile by its number of vectors: accumulators, the vectors of B and one number of A fit the
 * registers. */
enum {
    ROWS_1 = 8,
    ROWS_2 = VEC_REGISTERS == 32 ? 8 : 6,
    ROWS_3 = VEC_REGISTERS == 32 ? 8 : 4,
    MOST_ROWS = 8,
    OUTER_ROWS = ROWS_3, /* of a weight gradient: divides a block */
    CHUNK = 64,          /* rows that meet all panels before the next rows */
    STEPS = 4            /* of k at a time */
};

struct tile {
    size_t K;
    const float *B; /* vectors of k at B + k * VECTORS * VEC_LANES */
    size_t start_row, C_row;
    size_t ahead; /* floats from B to what is fetched meanwhile, as much as B's; 0: nothing */
};

/* Tiles live in registers only if every loop over rows and vectors is unrolled. */
#define UNROLL _Pragma("GCC unroll 8")

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

/* C = start + A B; start NULL: zero. Where FETCH is 1, half as much as B holds is fetched from `fetch` on. */
INLINE void tile_multiply(const struct tile *tile, const float *A, size_t A_row, size_t A_step,
    const float *start, float *C, const float *fetch, const int FETCH, const size_t ROWS,
    const size_t VECTORS)
{
    const float *B = tile->B;
    vec sum[MOST_ROWS][TILE_VECTORS];
    UNROLL
    for (size_t m = 0; m < ROWS; m++)
        UNROLL
    for (size_t v = 0; v < VECTORS; v++)
        sum[m][v] = start ? vec_load(start + m * tile->start_row + v * VEC_LANES) : vec_splat(0);
    size_t k = tile->K;
    for (; k >= STEPS; k -= STEPS) {
        if (FETCH) {
            UNROLL
            for (size_t i = 0; i < STEPS * VECTORS * VEC_LANES / 2; i += KERNEL_BLOCK)
                __builtin_prefetch(fetch + i);
            fetch += STEPS * VECTORS * VEC_LANES / 2;
        }
        UNROLL
        for (size_t s = 0; s < STEPS; s++) {
            tile_step(sum, A, A_row, B, ROWS, VECTORS);
            A += A_step;
            B += VECTORS * VEC_LANES;
        }
    }
    for (; k > 0; k--) {
        tile_step(sum, A, A_row, B, ROWS, VECTORS);
        A += A_step;
        B += VECTORS * VEC_LANES;
    }
    UNROLL
    for (size_t m = 0; m < ROWS; m++)
        UNROLL
    for (size_t v = 0; v < VECTORS; v++)
        vec_store(C + m * tile->C_row + v * VEC_LANES, sum[m][v]);
}

/* The next of the parts, each at most `most` and the last two alike, that n is split into. */
INLINE size_t next_part(size_t n, size_t most)
{
    return n >= 2 * most ? most : n > most ? (n + 1) / 2 : n;
}

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

/* Rows of a panel that take half of the first cache. */
static size_t panel_depth(void)
{
    size_t depth = kernel_first_cache() / 2 / (TILE_VECTORS * VEC_LANES * sizeof(float));
    return depth / KERNEL_BLOCK * KERNEL_BLOCK;
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

/* A weight gradient packs both sides: the columns of A in tiles, [tile][frame][row], and those of X in
 * panels, [panel][frame][column]. Where they lie, the numbers that a tile meets in one frame are far from
 * those of the next. What A meets is packed together, as far as it fits, so that A is packed once. */
static void outer_pack_A(size_t frames, size_t M, const float *A, size_t A_stride, float *packed)
{
    for (size_t n = 0; n < frames; n++, A += A_stride, packed += OUTER_ROWS)
        for (size_t m = 0; m < M; m += KERNEL_BLOCK)
            UNROLL
    for (size_t row = m; row < m + KERNEL_BLOCK; row += OUTER_ROWS)
        memcpy(packed + row * frames, A + row, OUTER_ROWS * sizeof *packed);
}

/* sums += the sums over frames of the packed columns of A */
static void outer_sum(size_t frames, size_t M, const float *packed, float *sums)
{
    for (size_t m = 0; m < M; m += OUTER_ROWS) {
        float sum[OUTER_ROWS];
        memcpy(sum, sums + m, sizeof sum);
        for (size_t n = 0; n < frames; n++, packed += OUTER_ROWS)
            for (size_t row = 0; row < OUTER_ROWS; row++)
                sum[row] += packed[row];
        memcpy(sums + m, sum, sizeof sum);
    }
}

/* row as struct outer_side has it. */
static void outer_pack_X(
    size_t frames, size_t columns, const float *X, size_t X_stride, const int64_t *row, float *packed)
{
    static const float zeroes[OUTER_COLUMNS];
    for (size_t n = 0; n < frames; n++) {
        const float *x = !row ? X + n * X_stride : row[n] < 0 ? zeroes : X + (size_t)row[n] * X_stride;
        float *panel = packed;
        for (size_t left = columns / VEC_LANES, vectors; left > 0; left -= vectors) {
            vectors = next_part(left, TILE_VECTORS);
            float *out = panel + n * vectors * VEC_LANES;
            panel += frames * vectors * VEC_LANES;
            for (size_t v = 0; v < vectors; v++, x += VEC_LANES, out += VEC_LANES)
                vec_store(out, vec_load(x));
        }
    }
}

/* Where the next rows of a tile start. */
INLINE void fetch_rows(const float *start, size_t stride, size_t rows, const size_t VECTORS)
{
    for (size_t m = 0; m < rows; m++) {
        __builtin_prefetch(start + m * stride, 1);
        __builtin_prefetch(start + m * stride + VECTORS * VEC_LANES - 1, 1);
    }
}

INLINE void outer_panel(const struct tile *tile, size_t M, const float *A, float *C, const size_t VECTORS)
{
    for (size_t m = 0; m < M; m += OUTER_ROWS, C += OUTER_ROWS * tile->C_row) {
        if (m + OUTER_ROWS < M)
            fetch_rows(C + OUTER_ROWS * tile->C_row, tile->C_row, OUTER_ROWS, VECTORS);
        tile_multiply(tile, A + m * tile->K, 1, OUTER_ROWS, C, C, NULL, 0, OUTER_ROWS, VECTORS);
    }
}

/* One block of frames: C [M][columns] += A^T X, both packed. */
static void outer_block(
    size_t frames, size_t M, const float *A, size_t columns, const float *X, float *C, size_t C_stride)
{
    struct tile tile = {.K = frames, .B = X, .start_row = C_stride, .C_row = C_stride};
    for (size_t left = columns / VEC_LANES, vectors; left > 0; left -= vectors) {
        vectors = next_part(left, TILE_VECTORS);
        if (vectors == 3)
            outer_panel(&tile, M, A, C, 3);
        else if (vectors == 2)
            outer_panel(&tile, M, A, C, 2);
        else
            outer_panel(&tile, M, A, C, 1);
        tile.B += frames * vectors * VEC_LANES;
        C += vectors * VEC_LANES;
    }
}

/* Columns of one side that are packed at the moment. */
struct outer_piece {
    const float *packed;
    size_t columns;
    float *C;
    size_t C_stride;
};

/* Packs as many columns as there is room for, from column *c of side *s on, which move on; returns the
 * pieces. */
static size_t outer_pack(size_t n, size_t frames, const struct outer_side *sides, size_t n_sides, size_t *s,
    size_t *c, float *packed, struct outer_piece piece[OUTER_PIECES])
{
    size_t pieces = 0, room = OUTER_COLUMNS;
    while (*s < n_sides && room > 0 && pieces < OUTER_PIECES) {
        const struct outer_side *side = &sides[*s];
        size_t left = side->columns - *c, width = left < room ? left : room;
        outer_pack_X(frames, width, side->X + (side->row ? 0 : n * side->X_stride) + *c, side->X_stride,
            side->row ? side->row + n : NULL, packed);
        piece[pieces++] = (struct outer_piece){packed, width, side->C + *c, side->C_stride};
        packed += frames * width;
        room -= width;
        *c = width < left ? *c + width : 0;
        *s += width == left;
    }
    return pieces;
}

void BUILD(outer)(size_t N, size_t M, const float *A, size_t A_stride, const struct outer_side *sides,
    size_t n_sides, float *sums, float *scratch)
{
    size_t depth = panel_depth() < OUTER_FRAMES ? panel_depth() : OUTER_FRAMES;
    float *packed_A = scratch, *packed_X = scratch + OUTER_FRAMES * OUTER_M;
    for (size_t n = 0, frames; n < N; n += frames) {
        frames = next_part(N - n, depth);
        size_t s = 0, c = 0;
        do {
            struct outer_piece piece[OUTER_PIECES];
            int first = s == 0 && c == 0;
            size_t pieces = outer_pack(n, frames, sides, n_sides, &s, &c, packed_X, piece);
            for (size_t m = 0, rows; m < M; m += rows) {
                rows = M - m < OUTER_M ? M - m : OUTER_M;
                outer_pack_A(frames, rows, A + n * A_stride + m, A_stride, packed_A);
                if (first)
                    outer_sum(frames, rows, packed_A, sums + m);
                for (const struct outer_piece *p = piece; p < piece + pieces; p++)
                    outer_block(
                        frames, rows, packed_A, p->columns, p->packed, p->C + m * p->C_stride, p->C_stride);
            }
        } while (s < n_sides); /* once for the sums where there are none */
    }
}

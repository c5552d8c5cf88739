/* Matrix products from packed panels.
 *
 * A tile of the product, a few rows by up to TILE_VECTORS vectors of columns, lives in registers while k
 * runs: each step loads one vector per column vector and one number per row and does rows x vectors fused
 * multiply-adds. Nothing is reassociated, so a row's bits depend on its own numbers alone, and every bound of
 * a loop below is free to follow the caches.
 *
 * Rows and vectors are split evenly: 8 rows are 4 and 4, not 6 and 2, as a tile with few sums waits for the
 * latency of the multiply-add. Of each panel a block of `depth` rows, half of the first cache, is met by all
 * rows of a chunk before the next; a chunk of rows meets all panels before the next chunk, so that the lines
 * of C, which two panels share, are still near. */
#include "kernel/build.h"
#include "kernel/vector.h"

/* Rows of a tile by its number of vectors: accumulators, the vectors of B and one number of A fit the
 * registers. */
enum {
    ROWS_1 = 8,
    ROWS_2 = VEC_REGISTERS == 32 ? 8 : 6,
    ROWS_3 = VEC_REGISTERS == 32 ? 8 : 4,
    MOST_ROWS = 8,
    OUTER_ROWS = ROWS_3, /* divides a block */
    CHUNK = 64,          /* rows that meet all panels before the next rows */
    STEPS = 4            /* of k at a time */
};

struct tile {
    size_t K;
    const float *A; /* A[m][k] = A[m * row + k * step] */
    size_t A_row, A_step;
    const float *B;     /* vectors of k at B + k * VECTORS * VEC_LANES */
    const float *start; /* NULL: zero */
    size_t start_row;
    float *C;
    size_t C_row; /* floats from row to row */
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
        vec a = vec_splat(A[m * A_row]);
        UNROLL
        for (size_t v = 0; v < VECTORS; v++)
            sum[m][v] = vec_fma(a, b[v], sum[m][v]);
    }
}

INLINE void tile_multiply(const struct tile *tile, const size_t ROWS, const size_t VECTORS)
{
    const float *A = tile->A, *B = tile->B, *start = tile->start;
    const size_t A_row = tile->A_row, A_step = tile->A_step;
    vec sum[MOST_ROWS][TILE_VECTORS];
    UNROLL
    for (size_t m = 0; m < ROWS; m++)
        UNROLL
    for (size_t v = 0; v < VECTORS; v++)
        sum[m][v] = start ? vec_load(start + m * tile->start_row + v * VEC_LANES) : vec_splat(0);
    size_t k = tile->K;
    for (; k >= STEPS; k -= STEPS)
        UNROLL
    for (size_t s = 0; s < STEPS; s++) {
        tile_step(sum, A, A_row, B, ROWS, VECTORS);
        A += A_step;
        B += VECTORS * VEC_LANES;
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
        vec_store(tile->C + m * tile->C_row + v * VEC_LANES, sum[m][v]);
}

#define TILE(rows, vectors)                                                                                  \
    static void tile_##rows##_##vectors(const struct tile *tile)                                             \
    {                                                                                                        \
        tile_multiply(tile, rows, vectors);                                                                  \
    }
#define TILES(vectors)                                                                                       \
    TILE(1, vectors)                                                                                         \
    TILE(2, vectors)                                                                                         \
    TILE(3, vectors) TILE(4, vectors) TILE(5, vectors) TILE(6, vectors) TILE(7, vectors) TILE(8, vectors)
TILES(1)
TILES(2)
TILES(3)

#define TILE_ROW(vectors)                                                                                    \
    {                                                                                                        \
        NULL, tile_1_##vectors, tile_2_##vectors, tile_3_##vectors, tile_4_##vectors, tile_5_##vectors,      \
            tile_6_##vectors, tile_7_##vectors, tile_8_##vectors                                             \
    }

static void (*const tiles[TILE_VECTORS + 1][MOST_ROWS + 1])(const struct tile *) = {
    {NULL}, TILE_ROW(1), TILE_ROW(2), TILE_ROW(3)};

static const size_t tile_rows[TILE_VECTORS + 1] = {0, ROWS_1, ROWS_2, ROWS_3};

/* The size of the next of the parts, each at most `most`, that n is split into evenly. */
static size_t next_part(size_t n, size_t most)
{
    size_t parts = (n + most - 1) / most;
    return parts == 0 ? 0 : (n + parts - 1) / parts;
}

/* All M rows of one panel; `tile` describes row 0. */
static void panel_multiply(struct tile tile, size_t M, size_t vectors)
{
    while (M > 0) {
        size_t rows = next_part(M, tile_rows[vectors]);
        tiles[vectors][rows](&tile);
        tile.A += rows * tile.A_row;
        tile.C += rows * tile.C_row;
        if (tile.start)
            tile.start += rows * tile.start_row;
        M -= rows;
    }
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
    for (size_t rows; M > 0; M -= rows) {
        rows = M < CHUNK ? M : CHUNK;
        const float *data = B->data;
        for (size_t left = B->columns / VEC_LANES, column = 0; left > 0;) {
            size_t vectors = next_part(left, TILE_VECTORS);
            struct tile tile = {.A = A,
                .A_row = A_stride,
                .A_step = 1,
                .start = start ? start + column : NULL,
                .start_row = start_stride,
                .C = C + column,
                .C_row = C_stride};
            for (size_t k = 0; k < B->K; k += tile.K) {
                tile.K = next_part(B->K - k, depth);
                tile.B = data;
                panel_multiply(tile, rows, vectors);
                data += tile.K * vectors * VEC_LANES;
                tile.A += tile.K;
                tile.start = tile.C;
                tile.start_row = C_stride;
            }
            left -= vectors;
            column += vectors * VEC_LANES;
        }
        A += rows * A_stride;
        C += rows * C_stride;
        if (start)
            start += rows * start_stride;
    }
}

/* A weight gradient packs both sides: the columns of A in tiles of OUTER_ROWS, [tile][frame][row], and those
 * of X in panels, [panel][frame][column]. Read where they lie, the numbers of a tile would each be in a line
 * of their own, and with strides that are a power of two all in the same few sets of the cache. */
static void outer_pack_A(size_t frames, size_t M, const float *A, size_t A_stride, float *packed)
{
    for (size_t n = 0; n < frames; n++)
        for (size_t m = 0; m < M; m += OUTER_ROWS)
            memcpy(packed + m * frames + n * OUTER_ROWS, A + n * A_stride + m, OUTER_ROWS * sizeof *packed);
}

/* Columns of X, the panels side by side; row[n] as outer() has it. */
static void outer_pack_X(
    size_t frames, size_t columns, const float *X, size_t X_stride, const int64_t *row, float *packed)
{
    for (size_t left = columns / VEC_LANES; left > 0;) {
        size_t width = next_part(left, TILE_VECTORS) * VEC_LANES;
        for (size_t n = 0; n < frames; n++, packed += width)
            if (row && row[n] < 0)
                memset(packed, 0, width * sizeof *packed);
            else
                memcpy(packed, X + (row ? (size_t)row[n] : n) * X_stride, width * sizeof *packed);
        left -= width / VEC_LANES;
        X += width;
    }
}

/* One block of frames: C [M][columns] += A^T X, both packed. */
static void outer_block(
    size_t frames, size_t M, const float *A, size_t columns, const float *X, float *C, size_t C_stride)
{
    for (size_t left = columns / VEC_LANES; left > 0;) {
        size_t vectors = next_part(left, TILE_VECTORS);
        for (size_t m = 0; m < M; m += OUTER_ROWS) {
            struct tile tile = {.K = frames,
                .A = A + m * frames,
                .A_row = 1,
                .A_step = OUTER_ROWS,
                .B = X,
                .start = C + m * C_stride,
                .start_row = C_stride,
                .C = C + m * C_stride,
                .C_row = C_stride};
            tiles[vectors][OUTER_ROWS](&tile);
        }
        left -= vectors;
        X += frames * vectors * VEC_LANES;
        C += vectors * VEC_LANES;
    }
}

void BUILD(outer)(size_t N, size_t M, const float *A, size_t A_stride, size_t columns, const float *X,
    size_t X_stride, const int64_t *X_row, float *C, size_t C_stride, float *scratch)
{
    size_t depth = panel_depth() < OUTER_FRAMES ? panel_depth() : OUTER_FRAMES;
    float *packed_A = scratch, *packed_X = scratch + OUTER_FRAMES * OUTER_M;
    for (size_t n = 0, frames; n < N; n += frames) {
        frames = next_part(N - n, depth);
        for (size_t c = 0, width; c < columns; c += width) {
            width = columns - c < OUTER_COLUMNS ? columns - c : OUTER_COLUMNS;
            outer_pack_X(frames, width, X + (X_row ? 0 : n * X_stride) + c, X_stride,
                X_row ? X_row + n : NULL, packed_X);
            for (size_t m = 0, rows; m < M; m += rows) {
                rows = M - m < OUTER_M ? M - m : OUTER_M;
                outer_pack_A(frames, rows, A + n * A_stride + m, A_stride, packed_A);
                outer_block(frames, rows, packed_A, width, packed_X, C + m * C_stride + c, C_stride);
            }
        }
    }
}

/* As many columns at a time as make good use of a row that is read. */
void BUILD(column_sums)(size_t N, size_t columns, const float *A, size_t A_stride, float *sum)
{
    enum { PARTS = KERNEL_BLOCK / VEC_LANES };
    for (size_t c = 0; c < columns; c += KERNEL_BLOCK) {
        vec s[PARTS];
        UNROLL
        for (size_t p = 0; p < PARTS; p++)
            s[p] = vec_load(sum + c + p * VEC_LANES);
        for (size_t n = 0; n < N; n++)
            UNROLL
        for (size_t p = 0; p < PARTS; p++)
            s[p] += vec_load(A + n * A_stride + c + p * VEC_LANES);
        UNROLL
        for (size_t p = 0; p < PARTS; p++)
            vec_store(sum + c + p * VEC_LANES, s[p]);
    }
}

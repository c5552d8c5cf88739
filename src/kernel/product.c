/* Matrix products from packed panels.
 *
 * A tile of the product, a few rows by up to 4 vectors of columns, lives in registers while k runs over the
 * whole inner dimension: each step loads one vector per column vector and one number per row and does rows x
 * vectors fused multiply-adds. Nothing is reassociated, so a row's bits depend on its own numbers alone.
 *
 * The vectors of a tile lie 16 columns apart: with 8 lanes a panel holds the first (or second) halves of the
 * 4 blocks of its group. So in a recurrent layer a tile has all gates of the same units on every instruction
 * set. */
#include "kernel/build.h"
#include "kernel/vector.h"

/* Rows of a tile by its number of column vectors: accumulators, one vector of B and the numbers of A fit the
 * registers. */
enum {
    ROWS_1 = 8,
    ROWS_2 = VEC_REGISTERS == 32 ? 8 : 6,
    ROWS_3 = VEC_REGISTERS == 32 ? 8 : 4,
    ROWS_4 = VEC_REGISTERS == 32 ? 6 : 3,
    MOST_ROWS = 8
};

enum { PARTS = KERNEL_BLOCK / VEC_LANES }; /* panels of a group */

struct tile {
    size_t K;
    const float *A; /* A[m][k] = A[m * row + k * step] */
    size_t A_row, A_step;
    const float *B;     /* vectors of k at B + k * VECTORS * VEC_LANES */
    const float *start; /* NULL: zero */
    size_t start_row;
    float *C;
    size_t C_row, C_vector; /* floats from row to row, from vector to vector (start has the same) */
};

/* Tiles live in registers only if every loop over rows and vectors is unrolled. */
#define UNROLL _Pragma("GCC unroll 8")

/* K is at least 1. */
INLINE void tile_multiply(const struct tile *tile, const size_t ROWS, const size_t VECTORS)
{
    const float *A = tile->A, *B = tile->B, *start = tile->start;
    const size_t A_row = tile->A_row, A_step = tile->A_step, start_row = tile->start_row;
    const size_t C_row = tile->C_row, C_vector = tile->C_vector;
    float *C = tile->C;
    vec sum[MOST_ROWS][KERNEL_GROUP];
    UNROLL
    for (size_t m = 0; m < ROWS; m++)
        UNROLL
    for (size_t v = 0; v < VECTORS; v++)
        sum[m][v] = start ? vec_load(start + m * start_row + v * C_vector) : vec_splat(0);
    size_t k = tile->K;
    do {
        vec a[MOST_ROWS];
        UNROLL
        for (size_t m = 0; m < ROWS; m++)
            a[m] = vec_splat(A[m * A_row]);
        UNROLL
        for (size_t v = 0; v < VECTORS; v++) {
            vec b = vec_load(B + v * VEC_LANES);
            UNROLL
            for (size_t m = 0; m < ROWS; m++)
                sum[m][v] = vec_fma(a[m], b, sum[m][v]);
        }
        A += A_step;
        B += VECTORS * VEC_LANES;
    } while (--k > 0);
    UNROLL
    for (size_t m = 0; m < ROWS; m++)
        UNROLL
    for (size_t v = 0; v < VECTORS; v++)
        vec_store(C + m * C_row + v * C_vector, sum[m][v]);
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
TILES(4)

#define TILE_ROW(vectors)                                                                                    \
    {                                                                                                        \
        NULL, tile_1_##vectors, tile_2_##vectors, tile_3_##vectors, tile_4_##vectors, tile_5_##vectors,      \
            tile_6_##vectors, tile_7_##vectors, tile_8_##vectors                                             \
    }

static void (*const tiles[KERNEL_GROUP + 1][MOST_ROWS + 1])(const struct tile *) = {
    {NULL}, TILE_ROW(1), TILE_ROW(2), TILE_ROW(3), TILE_ROW(4)};

static const size_t tile_rows[KERNEL_GROUP + 1] = {0, ROWS_1, ROWS_2, ROWS_3, ROWS_4};

/* All M rows of one panel; `tile` describes row 0. */
static void panel_multiply(struct tile tile, size_t M, size_t vectors)
{
    while (M > 0) {
        size_t rows = M < tile_rows[vectors] ? M : tile_rows[vectors];
        tiles[vectors][rows](&tile);
        tile.A += rows * tile.A_row;
        tile.C += rows * tile.C_row;
        if (tile.start)
            tile.start += rows * tile.start_row;
        M -= rows;
    }
}

static size_t group_blocks(size_t block, size_t blocks, size_t group)
{
    return blocks - block < group ? blocks - block : group;
}

void BUILD(pack)(struct panels *B, const float *W, const int64_t *row, const int64_t *column)
{
    size_t blocks = B->columns / KERNEL_BLOCK;
    float *out = B->data;
    for (size_t block = 0; block < blocks; block += B->group) {
        size_t vectors = group_blocks(block, blocks, B->group);
        for (size_t part = 0; part < PARTS; part++)
            for (size_t k = 0; k < B->K; k++)
                for (size_t v = 0; v < vectors; v++) {
                    const int64_t *c = column + (block + v) * KERNEL_BLOCK + part * VEC_LANES;
                    for (size_t lane = 0; lane < VEC_LANES; lane++)
                        *out++ = row[k] < 0 || c[lane] < 0 ? 0 : W[row[k] + c[lane]];
                }
    }
}

void BUILD(product)(const struct panels *B, size_t M, const float *A, size_t A_stride, const float *start,
    size_t start_stride, float *C, size_t C_stride)
{
    size_t blocks = B->columns / KERNEL_BLOCK;
    const float *data = B->data;
    for (size_t block = 0; block < blocks; block += B->group) {
        size_t vectors = group_blocks(block, blocks, B->group);
        for (size_t part = 0; part < PARTS; part++) {
            size_t column = block * KERNEL_BLOCK + part * VEC_LANES;
            struct tile tile = {.K = B->K,
                .A = A,
                .A_row = A_stride,
                .A_step = 1,
                .B = data,
                .start = start ? start + column : NULL,
                .start_row = start_stride,
                .C = C + column,
                .C_row = C_stride,
                .C_vector = KERNEL_BLOCK};
            panel_multiply(tile, M, vectors);
            data += B->K * vectors * VEC_LANES;
        }
    }
}

/* Frames are taken OUTER_FRAMES at a time: the columns of X that a panel needs are copied side by side once
 * and then met by all M rows, with C in between kept in memory. */
void BUILD(outer)(size_t N, size_t M, const float *A, size_t A_stride, size_t columns, const float *X,
    size_t X_stride, float *C, size_t C_stride, float *scratch)
{
    for (size_t n = 0; n < N; n += OUTER_FRAMES) {
        size_t frames = N - n < OUTER_FRAMES ? N - n : OUTER_FRAMES;
        for (size_t column = 0; column < columns; column += KERNEL_GROUP * VEC_LANES) {
            size_t vectors = (columns - column) / VEC_LANES;
            if (vectors > KERNEL_GROUP)
                vectors = KERNEL_GROUP;
            for (size_t k = 0; k < frames; k++)
                memcpy(scratch + k * vectors * VEC_LANES, X + (n + k) * X_stride + column,
                    vectors * VEC_LANES * sizeof *scratch);
            struct tile tile = {.K = frames,
                .A = A + n * A_stride,
                .A_row = 1,
                .A_step = A_stride,
                .B = scratch,
                .start = C + column,
                .start_row = C_stride,
                .C = C + column,
                .C_row = C_stride,
                .C_vector = VEC_LANES};
            panel_multiply(tile, M, vectors);
        }
    }
}

/* As many columns at a time as make good use of a row that is read. */
void BUILD(column_sums)(size_t N, size_t columns, const float *A, size_t A_stride, float *sum)
{
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

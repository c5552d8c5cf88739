/* Weight gradients: products of two matrices that both lie frame by frame.
 *
 * Both factors are packed, the columns of A in tiles, [tile][frame][row], and those of X in panels,
 * [panel][frame][column]: where they lie, the numbers that a tile meets in one frame are far from those of
 * the next. What the same A meets is packed together, as far as there is room, so that A is packed once. */
#include "kernel/tile.h"

enum { OUTER_ROWS = ROWS_3 }; /* of a tile: divides a block */

/* BLOCKS blocks of columns of A: packs them and adds their sums over frames to `sums`, unless that is NULL.
 * The frames of A lie far apart, so that no processor foresees the next: it is asked for. */
INLINE void outer_pack_blocks(size_t frames, struct rows A, float *packed, float *sums, const size_t BLOCKS)
{
    enum { AHEAD = 8, VECTORS = KERNEL_BLOCK / VEC_LANES };
    vec sum[OUTER_M / KERNEL_BLOCK][VECTORS];
    for (size_t i = 0; i < BLOCKS * VECTORS; i++)
        sum[i / VECTORS][i % VECTORS] = sums ? vec_load(sums + i * VEC_LANES) : vec_splat(0);
    for (size_t n = 0; n < frames; n++, packed += OUTER_ROWS) {
        const float *a = row_at(A, n), *ahead = row_at(A, n + AHEAD < frames ? n + AHEAD : n);
        UNROLL
        for (size_t block = 0; block < BLOCKS; block++, a += KERNEL_BLOCK) {
            __builtin_prefetch(ahead + block * KERNEL_BLOCK);
            UNROLL
            for (size_t v = 0; v < VECTORS; v++)
                sum[block][v] += vec_load(a + v * VEC_LANES);
            UNROLL
            for (size_t row = 0; row < KERNEL_BLOCK; row += OUTER_ROWS)
                memcpy(packed + (block * KERNEL_BLOCK + row) * frames, a + row, OUTER_ROWS * sizeof *a);
        }
    }
    for (size_t i = 0; i < BLOCKS * VECTORS && sums; i++)
        vec_store(sums + i * VEC_LANES, sum[i / VECTORS][i % VECTORS]);
}

static void outer_pack_A(size_t frames, size_t M, struct rows A, float *packed, float *sums)
{
    _Static_assert(OUTER_M == 3 * KERNEL_BLOCK, "up to three blocks are packed together");
    if (M == 3 * KERNEL_BLOCK)
        outer_pack_blocks(frames, A, packed, sums, 3);
    else if (M == 2 * KERNEL_BLOCK)
        outer_pack_blocks(frames, A, packed, sums, 2);
    else
        outer_pack_blocks(frames, A, packed, sums, 1);
}

/* What stands for row n of X: see struct outer_product. */
INLINE const float *row_of(struct rows X, const int64_t *row, size_t n)
{
    static const float zeroes[OUTER_COLUMNS];
    return !row ? row_at(X, n) : row[n] < 0 ? zeroes : row_at(X, (size_t)row[n]);
}

/* Packs `columns` columns of frames 0 .. frames - 1; `row` is as in struct outer_product. */
static void outer_pack_X(size_t frames, size_t columns, struct rows X, const int64_t *row, float *packed)
{
    for (size_t n = 0; n < frames; n++) {
        const float *x = row_of(X, row, n);
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

/* Asks for the rows of C that the next tile will add to, which may begin within a line. */
INLINE void fetch_rows(const float *start, size_t stride, size_t rows, const size_t VECTORS)
{
    for (size_t m = 0; m < rows; m++) {
        for (size_t c = 0; c < VECTORS * VEC_LANES; c += KERNEL_BLOCK)
            __builtin_prefetch(start + m * stride + c, 1);
        __builtin_prefetch(start + m * stride + VECTORS * VEC_LANES - 1, 1);
    }
}

INLINE void outer_panel(const struct tile *tile, size_t M, const float *A, float *C, const size_t VECTORS)
{
    for (size_t m = 0; m < M; m += OUTER_ROWS, C += OUTER_ROWS * tile->C_row) {
        if (m + OUTER_ROWS < M)
            fetch_rows(C + OUTER_ROWS * tile->C_row, tile->C_row, OUTER_ROWS, VECTORS);
        struct tile_rows rows = {A + m * tile->K, C, C};
        tile_multiply(tile, rows, NULL, TILE_WHOLE, OUTER_ROWS, VECTORS);
    }
}

/* Columns of one product that are packed at the moment, and where their gradient lies. */
struct outer_piece {
    const float *packed;
    size_t columns;
    struct rows C;
};

/* One block of frames: rows m .. m + M - 1 of the piece's C += A^T X, both packed. */
static void outer_block(size_t frames, size_t m, size_t M, const float *A, const struct outer_piece *piece)
{
    struct tile tile = {.K = frames,
        .B = piece->packed,
        .A_row = 1,
        .A_step = OUTER_ROWS,
        .start_row = piece->C.stride,
        .C_row = piece->C.stride};
    float *C = row_at(piece->C, m);
    for (size_t left = piece->columns / VEC_LANES, vectors; left > 0; left -= vectors) {
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

/* What is still to be packed of one block of frames: products first .. last - 1, the first from `column` on.
 */
struct outer_rest {
    const struct outer_product *first, *last;
    size_t column;
};

/* Packs as many columns as there is room for, for frames n .. n + frames - 1; returns the pieces. */
static size_t outer_pack(
    struct outer_rest *rest, size_t n, size_t frames, float *packed, struct outer_piece piece[OUTER_PIECES])
{
    size_t pieces = 0, room = OUTER_COLUMNS;
    while (rest->first < rest->last && room > 0 && pieces < OUTER_PIECES) {
        const struct outer_product *product = rest->first;
        size_t column = rest->column, left = product->columns - column, width = left < room ? left : room;
        struct rows X = {
            product->X.data + (product->row ? 0 : n * product->X.stride) + column, product->X.stride};
        outer_pack_X(frames, width, X, product->row ? product->row + n : NULL, packed);
        piece[pieces++] = (struct outer_piece){packed, width, {product->C.data + column, product->C.stride}};
        packed += frames * width;
        room -= width;
        rest->column = width < left ? column + width : 0;
        rest->first += width == left;
    }
    return pieces;
}

/* Frames of a block, which follow panel_depth(). With vectors of 64 bytes, whose tiles read both factors from
 * the second cache, they are as many as there is room for: C is read and written less often. */
static size_t outer_depth(void)
{
    return VEC_LANES < 16 && panel_depth() < OUTER_FRAMES ? panel_depth() : OUTER_FRAMES;
}

void BUILD(outer)(size_t N, size_t M, struct rows A, const struct outer_product *products, size_t n_products,
    float *sums, float *scratch)
{
    size_t depth = outer_depth();
    float *packed_A = scratch, *packed_X = scratch + OUTER_FRAMES * OUTER_M;
    for (size_t n = 0, frames; n < N; n += frames) {
        frames = next_part(N - n, depth);
        struct outer_rest rest = {products, products + n_products, 0};
        int first = 1;
        do { /* once for the sums where there are no products */
            struct outer_piece piece[OUTER_PIECES];
            size_t pieces = outer_pack(&rest, n, frames, packed_X, piece);
            for (size_t m = 0, rows; m < M; m += rows) {
                rows = M - m < OUTER_M ? M - m : OUTER_M;
                outer_pack_A(frames, rows, (struct rows){row_at(A, n) + m, A.stride}, packed_A,
                    first ? sums + m : NULL);
                for (const struct outer_piece *p = piece; p < piece + pieces; p++)
                    outer_block(frames, m, rows, packed_A, p);
            }
            first = 0;
        } while (rest.first < rest.last);
    }
}

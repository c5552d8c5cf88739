/* Weight gradients: products of two matrices that both lie frame by frame.
 *
 * Both sides are packed, the columns of A in tiles, [tile][frame][row], and those of X in panels,
 * [panel][frame][column]: where they lie, the numbers that a tile meets in one frame are far from those of
 * the next. What the same A meets is packed together, as far as there is room, so that A is packed once. */
#include "kernel/tile.h"

enum { OUTER_ROWS = ROWS_3 }; /* of a tile: divides a block */

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

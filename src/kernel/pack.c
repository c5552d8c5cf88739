/* Weights packed into panels (kernel/product.c). In W either the columns of a panel are neighbours, or what
 * lies below each other in it: the panel is then W as it stands, or W on its side. Both are moved many
 * numbers at a time, a few rows of W from beginning to end, so that the memory is read as it lies. Where
 * padding interrupts that, numbers are moved one by one. */
#include "kernel/tile.h"

/* A vector of columns of a panel, some rows of it. */
struct piece {
    const float *W;
    const int64_t *row, *column; /* [rows], [VEC_LANES] */
    size_t rows;
    float *out;
    size_t width; /* floats of `out` from row to row */
};

static int are_neighbours(const int64_t *index, size_t n)
{
    int64_t strange = index[0] < 0;
    for (size_t i = 1; i < n; i++)
        strange |= index[i] - index[0] - (int64_t)i;
    return !strange;
}

static void pack_numbers(const struct piece *piece)
{
    const int64_t *row = piece->row, *column = piece->column;
    for (size_t k = 0; k < piece->rows; k++)
        for (size_t c = 0; c < VEC_LANES; c++)
            piece->out[k * piece->width + c] = row[k] < 0 || column[c] < 0 ? 0 : piece->W[row[k] + column[c]];
}

static void pack_upright(const struct piece *piece)
{
    for (size_t k = 0; k < piece->rows; k++) {
        int64_t row = piece->row[k];
        vec numbers = row < 0 ? vec_splat(0) : vec_load(piece->W + row + piece->column[0]);
        vec_store(piece->out + k * piece->width, numbers);
    }
}

static void pack_sideways(const struct piece *piece)
{
    for (size_t c = 0; c < VEC_LANES; c++) {
        const float *in = piece->column[c] < 0 ? NULL : piece->W + piece->row[0] + piece->column[c];
        float *out = piece->out + c;
        for (size_t k = 0; k < piece->rows; k++)
            out[k * piece->width] = in ? in[k] : 0;
    }
}

static void pack_piece(const struct piece *piece)
{
    if (are_neighbours(piece->column, VEC_LANES))
        pack_upright(piece);
    else if (are_neighbours(piece->row, piece->rows))
        pack_sideways(piece);
    else
        pack_numbers(piece);
}

/* Rows first .. end - 1 of the columns that are asked for, panel by panel. */
static void pack_rows(const struct panels *B, const float *W, const int64_t *row, const int64_t *column,
    size_t first, size_t end)
{
    size_t to = B->to ? B->to : B->columns, begin = 0;
    float *panel = B->data;
    for (size_t left = B->columns / VEC_LANES, vectors; left > 0 && begin < to; left -= vectors) {
        vectors = next_part(left, TILE_VECTORS);
        struct piece piece = {.W = W, .width = vectors * VEC_LANES};
        for (size_t k = first; k < end; k += piece.rows) {
            piece.rows = end - k < KERNEL_BLOCK ? end - k : KERNEL_BLOCK;
            piece.row = row + k;
            for (size_t c = 0; c < piece.width; c += VEC_LANES) {
                piece.column = column + begin + c;
                piece.out = panel + k * piece.width + c;
                if (begin + c >= B->from && begin + c < to)
                    pack_piece(&piece);
            }
        }
        panel += B->K * piece.width;
        begin += piece.width;
    }
}

void BUILD(pack)(struct panels *B, const float *W, const int64_t *row, const int64_t *column)
{
    int upright = are_neighbours(column + B->from, 2);
    size_t rows = upright ? KERNEL_BLOCK : B->K; /* of all panels before the next rows */
    for (size_t k = 0; k < B->K; k += rows)
        pack_rows(B, W, row, column, k, B->K - k < rows ? B->K : k + rows);
}

#include "net/matrix.h"

#include <string.h>

size_t extent_padded(struct extent extent)
{
    return extent.parts * extent.interleave *
        ((extent.size + KERNEL_BLOCK - 1) / KERNEL_BLOCK * KERNEL_BLOCK);
}

size_t extent_true(struct extent extent)
{
    return extent.parts * extent.interleave * extent.size;
}

/* Where padded place p of an extent comes from, -1 for padding. */
static int64_t extent_source(struct extent extent, size_t p)
{
    size_t part = extent_padded(extent) / extent.parts, within = p % part;
    size_t block = within / KERNEL_BLOCK, gate = block % extent.interleave;
    size_t unit = block / extent.interleave * KERNEL_BLOCK + within % KERNEL_BLOCK;
    if (unit >= extent.size)
        return -1;
    return (int64_t)((p / part * extent.interleave + gate) * extent.size + unit);
}

void matrix_init(struct matrix *matrix, size_t offset, struct extent outputs, struct extent inputs,
    int needs_input_gradient)
{
    *matrix = (struct matrix){.rows = extent_padded(outputs),
        .columns = extent_padded(inputs),
        .offset = offset,
        .stride = extent_true(inputs),
        .outputs = outputs,
        .inputs = inputs,
        .needs_input_gradient = needs_input_gradient};
    matrix->forward = (struct panels){.K = matrix->columns, .columns = matrix->rows};
    matrix->backward = (struct panels){.K = matrix->rows, .columns = matrix->columns};
}

void matrix_take_panels(struct matrix *matrix, struct arena *arena)
{
    size_t count = panels_count(matrix->columns, matrix->rows);
    matrix->row = arena_take(arena, matrix->rows, sizeof *matrix->row);
    matrix->column = arena_take(arena, matrix->columns, sizeof *matrix->column);
    matrix->forward.data = arena_take(arena, count, sizeof(float));
    matrix->backward.data = matrix->needs_input_gradient ? arena_take(arena, count, sizeof(float)) : NULL;
    for (size_t r = 0; r < matrix->rows && matrix->row; r++) {
        int64_t source = extent_source(matrix->outputs, r);
        matrix->row[r] = source < 0 ? -1 : source * (int64_t)matrix->stride;
    }
    for (size_t c = 0; c < matrix->columns && matrix->column; c++)
        matrix->column[c] = extent_source(matrix->inputs, c);
}

/* Packs this process's share of the columns. */
static void pack_share(const struct packing *packing, const struct panels *panels, const float *W,
    const int64_t *row, const int64_t *column)
{
    struct panels share = *panels;
    size_t first, end;
    packing_deal(packing, panels->columns / KERNEL_BLOCK, &first, &end);
    share.from = first * KERNEL_BLOCK;
    share.to = end * KERNEL_BLOCK;
    if (first < end)
        packing->kernel->pack(&share, W, row, column);
}

void matrix_pack(struct matrix *matrix, const struct packing *packing)
{
    const float *W = packing->weights + matrix->offset;
    pack_share(packing, &matrix->forward, W, matrix->column, matrix->row);
    if (matrix->backward.data)
        pack_share(packing, &matrix->backward, W, matrix->row, matrix->column);
}

/* A block comes from neighbours in W, padding last. */
static void add_block(const int64_t *source, const float *in, float *out)
{
    if (source[KERNEL_BLOCK - 1] >= 0)
        for (size_t c = 0; c < KERNEL_BLOCK; c++)
            (out + source[0])[c] += in[c];
    else
        for (size_t c = 0; source[c] >= 0; c++)
            out[source[c]] += in[c];
}

void matrix_add_gradient(const struct matrix *matrix, struct range own, const float *dW, float *gradient)
{
    for (size_t r = own.from; r < own.to; r++) {
        if (matrix->row[r] < 0)
            continue;
        float *out = gradient + matrix->offset + matrix->row[r];
        const float *in = dW + r * matrix->columns;
        for (size_t c = 0; c < matrix->columns; c += KERNEL_BLOCK)
            add_block(matrix->column + c, in + c, out);
    }
}

void matrix_pack_table(struct matrix *matrix, const struct packing *packing)
{
    const float *W = packing->weights + matrix->offset;
    size_t c, end;
    for (packing_deal(packing, matrix->columns, &c, &end); c < end; c++)
        for (size_t r = 0; r < matrix->rows; r++) {
            int padding = matrix->column[c] < 0 || matrix->row[r] < 0;
            matrix->forward.data[c * matrix->rows + r] = padding ? 0 : W[matrix->row[r] + matrix->column[c]];
        }
}

void matrix_look_up(const struct matrix *matrix, struct range own, size_t N, const int32_t *symbols,
    const float *start, struct rows out)
{
    for (size_t n = 0; n < N; n++) {
        const float *column = matrix->forward.data + (size_t)symbols[n] * matrix->rows;
        for (size_t r = own.from; r < own.to; r++)
            row_at(out, n)[r] = start[r] + column[r];
    }
}

void matrix_clear_symbols(const struct matrix *matrix, struct range own, float *dW)
{
    for (size_t c = 0; c < matrix->columns; c++)
        memset(dW + c * matrix->rows + own.from, 0, (own.to - own.from) * sizeof *dW);
}

void matrix_sum_symbols(const struct matrix *matrix, struct range own, size_t N, const int32_t *symbols,
    struct rows dy, float *dW)
{
    for (size_t n = 0; n < N; n++) {
        float *column = dW + (size_t)symbols[n] * matrix->rows;
        for (size_t r = own.from; r < own.to; r++)
            column[r] += row_at(dy, n)[r];
    }
}

void matrix_add_symbols(const struct matrix *matrix, struct range own, const float *dW, float *gradient)
{
    for (size_t r = own.from; r < own.to; r++) {
        if (matrix->row[r] < 0)
            continue;
        float *out = gradient + matrix->offset + matrix->row[r];
        for (size_t c = 0; c < matrix->stride; c++)
            out[c] += dW[c * matrix->rows + r];
    }
}

void bias_add(struct extent extent, const float *b, float *out)
{
    for (size_t p = 0; p < extent_padded(extent); p++) {
        int64_t source = extent_source(extent, p);
        out[p] += source < 0 ? 0 : b[source];
    }
}

void bias_add_gradient(struct extent extent, struct range own, const float *sums, float *gradient)
{
    for (size_t p = own.from; p < own.to; p++) {
        int64_t source = extent_source(extent, p);
        if (source >= 0)
            gradient[source] += sums[p];
    }
}

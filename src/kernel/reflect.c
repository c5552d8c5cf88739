/* Columns of a product of reflections: the last reflection meets the identity first, then the one before it.
 *
 * Reflection k takes w = v^T Q and leaves Q - f w, where f = 2 v / v^T v. Rows above k do not meet it. The w
 * of the next reflection is summed up while this one's rows are in registers, so that each reflection passes
 * over Q once. Writing to the second cache takes longer than this arithmetic, so a row is written by every
 * second reflection only: of two, what the first makes of it is not stored, and is computed again by the
 * second. Neighbours take turns in this, so that there is always something to compute while something is
 * written. */
#include "kernel/vector.h"

#include <string.h>

typedef double dvec __attribute__((vector_size(sizeof(vec))));

enum {
    DVEC_LANES = VEC_LANES / 2,
    MOST_VECTORS = VEC_REGISTERS == 32 ? 8 : 4 /* of columns: three w of each lie in registers */
};

/* Rows of doubles. */
struct drows {
    double *data;
    size_t stride;
};

INLINE dvec dvec_load(const double *p)
{
    dvec v;
    memcpy(&v, p, sizeof v);
    return v;
}

/* sum += a times a row of Q */
INLINE void sum_row(dvec sum[MOST_VECTORS], double a, const double *row, const size_t VECTORS)
{
    UNROLL
    for (size_t c = 0; c < VECTORS; c++)
        sum[c] += a * dvec_load(row + c * DVEC_LANES);
}

/* What a reflection meets the rows from k on with. */
struct met {
    size_t rows;          /* n - k */
    const double *factor; /* [rows] its f */
    const double *former; /* [rows - 1] that of reflection k + 1, which begins one row later */
    const double *ahead;  /* [rows] the v of reflection k - 1, for its w */
};

/* next += ahead times the row as it is after this reflection, which is not stored. */
INLINE void foresee_row(
    double factor, double ahead, const dvec *w, dvec *next, const double *row, const size_t VECTORS)
{
    UNROLL
    for (size_t c = 0; c < VECTORS; c++)
        next[c] += ahead * (dvec_load(row + c * DVEC_LANES) - factor * w[c]);
}

/* The row is taken through two reflections, and stored. w[0]: of this one, w[1]: of the one before. */
INLINE void reflect_row(const double factor[2], double ahead, dvec (*w)[MOST_VECTORS], dvec *next,
    double *row, const size_t VECTORS)
{
    UNROLL
    for (size_t c = 0; c < VECTORS; c++) {
        dvec q = dvec_load(row + c * DVEC_LANES) - factor[1] * w[1][c] - factor[0] * w[0][c];
        memcpy(row + c * DVEC_LANES, &q, sizeof q);
        next[c] += ahead * q;
    }
}

/* Row k meets its first reflection, and every second row after it likewise lacks nothing before this one; the
 * rows between lack the one before, too. */
INLINE void reflect_rows(
    const struct met *met, dvec (*w)[MOST_VECTORS], dvec *next, struct drows Q, const size_t VECTORS)
{
    size_t i = 0;
    for (; i + 1 < met->rows; i += 2, Q.data += 2 * Q.stride) {
        const double both[] = {met->factor[i + 1], met->former[i]};
        foresee_row(met->factor[i], met->ahead[i], w[0], next, Q.data, VECTORS);
        reflect_row(both, met->ahead[i + 1], w, next, Q.data + Q.stride, VECTORS);
    }
    if (i < met->rows)
        foresee_row(met->factor[i], met->ahead[i], w[0], next, Q.data, VECTORS);
}

/* Begins the w of the reflection after k, that of k - 1, with its row k - 1, and says what this one meets the
 * rows from k on with. After the last there is none, and before the first there was none: any numbers do. */
INLINE struct met begin_next(
    const struct reflections *all, size_t k, dvec *next, struct drows Q, const size_t VECTORS)
{
    const size_t n = all->n;
    const double *v = all->v + reflections_place(n, k ? k - 1 : 0);
    UNROLL
    for (size_t c = 0; c < VECTORS; c++)
        next[c] = (dvec){0};
    if (k > 0)
        sum_row(next, v[0], Q.data + (k - 1) * Q.stride, VECTORS);
    return (struct met){.rows = n - k,
        .factor = all->factors + reflections_place(n, k),
        .former = all->factors + reflections_place(n, k + 1),
        .ahead = k > 0 ? v + 1 : v};
}

/* Applies the reflections last, last - 1, ..., 0 to a few vectors of columns. Before the first of them the w
 * of the one before is zero, which takes nothing from a row. */
INLINE void reflect_tile(const struct reflections *all, size_t last, struct drows Q, const size_t VECTORS)
{
    const double *v = all->v + reflections_place(all->n, last);
    dvec w[2][MOST_VECTORS] = {{{0}}}, next[MOST_VECTORS];
    for (size_t i = last; i < all->n; i++)
        sum_row(w[0], v[i - last], Q.data + i * Q.stride, VECTORS);
    for (size_t k = last + 1; k-- > 0;) {
        const struct met met = begin_next(all, k, next, Q, VECTORS);
        reflect_rows(&met, w, next, (struct drows){Q.data + k * Q.stride, Q.stride}, VECTORS);
        UNROLL
        for (size_t c = 0; c < VECTORS; c++) {
            w[1][c] = w[0][c];
            w[0][c] = next[c];
        }
    }
    for (size_t i = 0; i < all->n; i += 2)
        for (size_t c = 0; c < VECTORS; c++) {
            dvec q = dvec_load(Q.data + i * Q.stride + c * DVEC_LANES) - all->factors[i] * w[1][c];
            memcpy(Q.data + i * Q.stride + c * DVEC_LANES, &q, sizeof q);
        }
}

void BUILD(reflect)(const struct reflections *all, size_t first, size_t columns, double *Q)
{
    size_t end = first + columns < all->n ? first + columns : all->n;
    memset(Q, 0, all->n * columns * sizeof *Q);
    for (size_t i = first; i < end; i++)
        Q[i * columns + i - first] = 1;
    for (size_t left = columns / DVEC_LANES, vectors; left > 0; left -= vectors, Q += vectors * DVEC_LANES) {
        struct drows rows = {Q, columns};
        vectors = left >= MOST_VECTORS ? MOST_VECTORS : left >= 4 ? 4 : 2;
        if (vectors == MOST_VECTORS)
            reflect_tile(all, end - 1, rows, MOST_VECTORS);
        else if (vectors == 4)
            reflect_tile(all, end - 1, rows, 4);
        else
            reflect_tile(all, end - 1, rows, 2);
    }
}

/* Columns of a product of reflections: the last reflection meets the identity first, then the one before it.
 *
 * Reflection k takes w = v^T Q and leaves Q - 2 v / (v^T v) w. Rows above k do not meet it. The w of the next
 * reflection is summed up while this one's rows are in registers, so that each reflection passes over Q once.
 */
#include "kernel/vector.h"

#include <string.h>

typedef double dvec __attribute__((vector_size(sizeof(vec))));

enum {
    DVEC_LANES = VEC_LANES / 2,
    MOST_VECTORS = VEC_REGISTERS == 32 ? 8 : 4 /* of columns: their w and the next one lie in registers */
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

/* Each row of Q loses factor times w, and what is left is added, times `ahead`, to the next w. */
INLINE void reflect_rows(size_t rows, const double *factor, const double *ahead, const dvec *w, dvec *next,
    struct drows Q, const size_t VECTORS)
{
    for (size_t i = 0; i < rows; i++, Q.data += Q.stride) {
        const double f = factor[i], a = ahead[i];
        UNROLL
        for (size_t c = 0; c < VECTORS; c++) {
            dvec q = dvec_load(Q.data + c * DVEC_LANES) - f * w[c];
            memcpy(Q.data + c * DVEC_LANES, &q, sizeof q);
            next[c] += a * q;
        }
    }
}

/* The same, but that Q stays as it was. */
INLINE void foresee_rows(size_t rows, const double *factor, const double *ahead, const dvec *w, dvec *next,
    struct drows Q, const size_t VECTORS)
{
    for (size_t i = 0; i < rows; i++, Q.data += Q.stride) {
        const double f = factor[i], a = ahead[i];
        UNROLL
        for (size_t c = 0; c < VECTORS; c++)
            next[c] += a * (dvec_load(Q.data + c * DVEC_LANES) - f * w[c]);
    }
}

/* The same of two reflections, the one after the other. */
INLINE void reflect_rows_twice(size_t rows, const double *const factor[2], const double *ahead,
    dvec (*w)[MOST_VECTORS], dvec *next, struct drows Q, const size_t VECTORS)
{
    for (size_t i = 0; i < rows; i++, Q.data += Q.stride) {
        const double f = factor[0][i], g = factor[1][i], a = ahead[i];
        UNROLL
        for (size_t c = 0; c < VECTORS; c++) {
            dvec q = dvec_load(Q.data + c * DVEC_LANES) - f * w[0][c] - g * w[1][c];
            memcpy(Q.data + c * DVEC_LANES, &q, sizeof q);
            next[c] += a * q;
        }
    }
}

/* One of the reflections as it meets a few vectors of columns. */
struct met {
    size_t k;
    const double *v;      /* [n - k] */
    const double *factor; /* [n - k] 2 v / v^T v */
};

static struct met meet(const struct reflections *all, size_t k, double *factor)
{
    struct met met = {k, all->v + reflections_place(all->n, k), factor};
    for (size_t i = 0; i < all->n - k; i++)
        factor[i] = 2 * met.v[i] / all->squares[k];
    return met;
}

/* Begins the w of the reflection after k, that of k - 1, with its row k - 1, and returns what it takes the
 * rows from k on with. After the first reflection there is none: any numbers do. */
INLINE const double *begin_next(
    const struct reflections *all, const struct met *met, dvec *next, struct drows Q, const size_t VECTORS)
{
    UNROLL
    for (size_t c = 0; c < VECTORS; c++)
        next[c] = (dvec){0};
    if (met->k == 0)
        return met->v;
    const double *v = all->v + reflections_place(all->n, met->k - 1);
    sum_row(next, v[0], Q.data + (met->k - 1) * Q.stride, VECTORS);
    return v + 1;
}

static inline struct drows drows_from(struct drows Q, size_t i)
{
    return (struct drows){Q.data + i * Q.stride, Q.stride};
}

/* Applies the reflections last, last - 1, ..., 0 to a few vectors of columns. They go in pairs: for the
 * second one's w the rows are computed, but not stored, and computed again when both are applied, since
 * writing to the second cache takes longer than that. scratch [2 n] */
INLINE void reflect_tile(
    const struct reflections *all, size_t last, struct drows Q, double *scratch, const size_t VECTORS)
{
    const size_t n = all->n;
    dvec w[2][MOST_VECTORS] = {{{0}}}, next[MOST_VECTORS];
    const double *v = all->v + reflections_place(n, last);
    size_t k = last + 1; /* reflections to come */
    for (size_t i = last; i < n; i++)
        sum_row(w[0], v[i - last], Q.data + i * Q.stride, VECTORS);
    if (k % 2 == 1) {
        const struct met one = meet(all, --k, scratch);
        const double *ahead = begin_next(all, &one, next, Q, VECTORS);
        reflect_rows(n - k, one.factor, ahead, w[0], next, drows_from(Q, k), VECTORS);
        memcpy(w[0], next, sizeof next);
    }
    for (; k > 0; k -= 2) {
        const struct met first = meet(all, k - 1, scratch), second = meet(all, k - 2, scratch + n);
        const double *ahead = begin_next(all, &first, w[1], Q, VECTORS);
        foresee_rows(n - first.k, first.factor, ahead, w[0], w[1], drows_from(Q, first.k), VECTORS);
        ahead = begin_next(all, &second, next, Q, VECTORS);
        reflect_rows(1, second.factor, ahead, w[1], next, drows_from(Q, second.k), VECTORS);
        const double *const factors[] = {first.factor, second.factor + 1};
        reflect_rows_twice(n - first.k, factors, ahead + 1, w, next, drows_from(Q, first.k), VECTORS);
        memcpy(w[0], next, sizeof next);
    }
}

void BUILD(reflect)(const struct reflections *all, size_t first, size_t columns, double *Q, double *scratch)
{
    size_t end = first + columns < all->n ? first + columns : all->n;
    memset(Q, 0, all->n * columns * sizeof *Q);
    for (size_t i = first; i < end; i++)
        Q[i * columns + i - first] = 1;
    for (size_t left = columns / DVEC_LANES, vectors; left > 0; left -= vectors, Q += vectors * DVEC_LANES) {
        struct drows rows = {Q, columns};
        vectors = left >= MOST_VECTORS ? MOST_VECTORS : left >= 4 ? 4 : 2;
        if (vectors == MOST_VECTORS)
            reflect_tile(all, end - 1, rows, scratch, MOST_VECTORS);
        else if (vectors == 4)
            reflect_tile(all, end - 1, rows, scratch, 4);
        else
            reflect_tile(all, end - 1, rows, scratch, 2);
    }
}

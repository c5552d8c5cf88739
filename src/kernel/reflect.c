/* Columns of a product of reflections: the last reflection meets the identity first, then the one before it.
 *
 * Reflection k takes w = v^T Q and leaves Q - f w, where f = 2 v / v^T v. Rows above k do not meet it. The w
 * of the next reflection is summed up while this one's rows are in registers, so that each reflection passes
 * over Q once: two multiplications and two additions for each element that is read and written. Q comes from
 * the second cache as fast as that. The reflections do not: they are larger than the caches, and no hardware
 * guesses that each lies before the one at hand, so the next is fetched meanwhile. */
#include "kernel/vector.h"

#include <string.h>

typedef double dvec __attribute__((vector_size(sizeof(vec))));

enum {
    DVEC_LANES = VEC_LANES / 2,
    MOST_VECTORS = 4, /* of columns: two w of each lie in registers */
    LINE = 8          /* doubles of a cache line */
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

/* What a reflection k meets the rows from k on with. */
struct met {
    size_t rows;           /* n - k */
    const double *factor;  /* [rows] its f */
    const double *ahead;   /* [rows] the v of reflection k - 1, for its w */
    const double *soon[2]; /* [rows] what the reflection after this one reads, from which to fetch */
};

/* Takes the row through the reflection; next += ahead times what it is then. */
INLINE void reflect_row(
    double factor, double ahead, const dvec *w, dvec *next, double *row, const size_t VECTORS)
{
    UNROLL
    for (size_t c = 0; c < VECTORS; c++) {
        dvec q = dvec_load(row + c * DVEC_LANES) - factor * w[c];
        memcpy(row + c * DVEC_LANES, &q, sizeof q);
        next[c] += ahead * q;
    }
}

INLINE void reflect_rows(
    const struct met *met, const dvec *w, dvec *next, struct drows Q, const size_t VECTORS)
{
    for (size_t i = 0; i < met->rows; i++, Q.data += Q.stride) {
        if (i % LINE == 0) {
            __builtin_prefetch(met->soon[0] + i, 0, 2);
            __builtin_prefetch(met->soon[1] + i, 0, 2);
        }
        reflect_row(met->factor[i], met->ahead[i], w, next, Q.data, VECTORS);
    }
}

/* Begins the w of the reflection after k, that of k - 1, with its row k - 1, and says what this one meets the
 * rows from k on with. After the last there is none: any numbers do. */
INLINE struct met begin_next(
    const struct reflections *all, size_t k, dvec *next, struct drows Q, const size_t VECTORS)
{
    const size_t n = all->n, after = k > 0 ? k - 1 : 0;
    const double *v = all->v + reflections_place(n, after);
    UNROLL
    for (size_t c = 0; c < VECTORS; c++)
        next[c] = (dvec){0};
    if (k > 0)
        sum_row(next, v[0], Q.data + after * Q.stride, VECTORS);
    return (struct met){.rows = n - k,
        .factor = all->factors + reflections_place(n, k),
        .ahead = k > 0 ? v + 1 : v,
        .soon = {all->factors + reflections_place(n, after),
            all->v + reflections_place(n, after > 0 ? after - 1 : 0)}};
}

/* Applies the reflections last, last - 1, ..., 0 to a few vectors of columns. */
INLINE void reflect_tile(const struct reflections *all, size_t last, struct drows Q, const size_t VECTORS)
{
    const double *v = all->v + reflections_place(all->n, last);
    dvec w[MOST_VECTORS] = {{0}}, next[MOST_VECTORS];
    for (size_t i = last; i < all->n; i++)
        sum_row(w, v[i - last], Q.data + i * Q.stride, VECTORS);
    for (size_t k = last + 1; k-- > 0;) {
        const struct met met = begin_next(all, k, next, Q, VECTORS);
        reflect_rows(&met, w, next, (struct drows){Q.data + k * Q.stride, Q.stride}, VECTORS);
        UNROLL
        for (size_t c = 0; c < VECTORS; c++)
            w[c] = next[c];
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
        vectors = left >= MOST_VECTORS ? MOST_VECTORS : 2;
        if (vectors == MOST_VECTORS)
            reflect_tile(all, end - 1, rows, MOST_VECTORS);
        else
            reflect_tile(all, end - 1, rows, 2);
    }
}

/* What attention does with the rows of one sequence, of which there are few and which lie apart: products of
 * every row of one matrix with every row of another, sums of rows with weights, and the additive score.
 *
 * Several rows of both sides meet in registers, so that a row is loaded once for all of them; where rows do
 * not fill a tile, its last row stands in for those that are not there. Each number has its own sums, in the
 * order of kernel.h, whatever else is in its tile. */
#include "kernel/function.h"
#include "kernel/tile.h"

enum {
    DOT_ROWS = VEC_REGISTERS == 32 ? 4 : 3, /* of a tile of dots: 16 or 12 sums */
    DOT_COLUMNS = 4,
    MIX_ROWS = VEC_REGISTERS == 32 ? 8 : 4, /* of a tile of mix, by TILE_VECTORS */
    SUMS = VEC_REGISTERS == 32 ? 3 : 4      /* that additive scores compute a tanh of together */
};

/* Row i of those picked, in a matrix whose rows lie as those of picked->rows do. */
INLINE float *row_as_picked(struct rows matrix, const struct picked *picked, size_t i)
{
    return row_at(matrix, picked->row ? (size_t)picked->row[i] : picked->first + i);
}

INLINE float *picked_row(const struct picked *picked, size_t i)
{
    return row_as_picked(picked->rows, picked, i);
}

/* The sum of 16 lanes, added by halves. */
INLINE float add_lanes(const float lane[KERNEL_BLOCK])
{
    typedef float four __attribute__((vector_size(16)));
    four part[4];
    memcpy(part, lane, sizeof part);
    four sum = (part[0] + part[2]) + (part[1] + part[3]);
    return (sum[0] + sum[2]) + (sum[1] + sum[3]);
}

/* out [rows][columns], the products of x[i] and y[j]; the lanes of a vector are summed over the whole width
 * before the next ones. */
INLINE void dot_tile(size_t width, const float *const x[DOT_ROWS], const float *const y[DOT_COLUMNS],
    struct rows out, size_t columns, const size_t ROWS)
{
    float lane[DOT_ROWS][DOT_COLUMNS][KERNEL_BLOCK];
    for (size_t l = 0; l < KERNEL_BLOCK; l += VEC_LANES) {
        vec sum[DOT_ROWS][DOT_COLUMNS];
        UNROLL
        for (size_t i = 0; i < ROWS; i++)
            UNROLL
        for (size_t j = 0; j < DOT_COLUMNS; j++)
            sum[i][j] = vec_splat(0);
        for (size_t k = l; k < width; k += KERNEL_BLOCK) {
            vec a[DOT_ROWS];
            UNROLL
            for (size_t i = 0; i < ROWS; i++)
                a[i] = vec_load(x[i] + k);
            UNROLL
            for (size_t j = 0; j < DOT_COLUMNS; j++) {
                vec b = vec_load(y[j] + k);
                UNROLL
                for (size_t i = 0; i < ROWS; i++)
                    vec_accumulate(&sum[i][j], a[i], b);
            }
        }
        UNROLL
        for (size_t i = 0; i < ROWS; i++)
            UNROLL
        for (size_t j = 0; j < DOT_COLUMNS; j++)
            vec_store(lane[i][j] + l, sum[i][j]);
    }
    for (size_t i = 0; i < ROWS; i++)
        for (size_t j = 0; j < columns; j++)
            row_at(out, i)[j] = add_lanes(lane[i][j]);
}

void BUILD(dots)(size_t width, struct picked x, struct picked y, struct rows out)
{
    for (size_t i = 0, rows; i < x.n; i += rows) {
        rows = next_part(x.n - i, DOT_ROWS);
        const float *row[DOT_ROWS], *column[DOT_COLUMNS];
        for (size_t m = 0; m < rows; m++)
            row[m] = picked_row(&x, i + m);
        for (size_t j = 0; j < y.n; j += DOT_COLUMNS) {
            size_t columns = y.n - j < DOT_COLUMNS ? y.n - j : DOT_COLUMNS;
            for (size_t c = 0; c < DOT_COLUMNS; c++)
                column[c] = picked_row(&y, j + (c < columns ? c : columns - 1));
            struct rows to = {row_at(out, i) + j, out.stride};
            switch (rows) {
#define CASE(n)                                                                                              \
    case n:                                                                                                  \
        if (n <= DOT_ROWS)                                                                                   \
            dot_tile(width, row, column, to, columns, n);                                                    \
        break;
                CASE(1) CASE(2) CASE(3) CASE(4)
#undef CASE
            }
        }
    }
}

/* ROWS rows of y from row m on, from column c on. */
INLINE void mix_tile(
    const struct mixture *mixture, size_t m, size_t c, const size_t ROWS, const size_t VECTORS)
{
    const struct picked *x = &mixture->x, *y = &mixture->y;
    vec sum[MIX_ROWS][TILE_VECTORS];
    UNROLL
    for (size_t i = 0; i < ROWS; i++) {
        const float *start = picked_row(y, m + i) + c;
        UNROLL
        for (size_t v = 0; v < VECTORS; v++)
            sum[i][v] = mixture->add ? vec_load(start + v * VEC_LANES) : vec_splat(0);
    }
    const float *weight = mixture->weights + m * mixture->row;
    for (size_t n = 0; n < x->n; n++, weight += mixture->step) {
        const float *from = picked_row(x, n) + c;
        vec b[TILE_VECTORS];
        UNROLL
        for (size_t v = 0; v < VECTORS; v++)
            b[v] = vec_load(from + v * VEC_LANES);
        UNROLL
        for (size_t i = 0; i < ROWS; i++) {
            vec a = vec_splat_at(weight + i * mixture->row);
            UNROLL
            for (size_t v = 0; v < VECTORS; v++)
                vec_accumulate(&sum[i][v], a, b[v]);
        }
    }
    UNROLL
    for (size_t i = 0; i < ROWS; i++) {
        float *to = picked_row(y, m + i) + c;
        UNROLL
        for (size_t v = 0; v < VECTORS; v++)
            vec_store(to + v * VEC_LANES, sum[i][v]);
    }
}

INLINE void mix_columns(const struct mixture *mixture, size_t c, const size_t VECTORS)
{
    for (size_t m = 0, rows; m < mixture->y.n; m += rows) {
        rows = next_part(mixture->y.n - m, MIX_ROWS);
        switch (rows) {
#define CASE(n)                                                                                              \
    case n:                                                                                                  \
        if (n <= MIX_ROWS)                                                                                   \
            mix_tile(mixture, m, c, n, VECTORS);                                                             \
        break;
            CASE(1) CASE(2) CASE(3) CASE(4) CASE(5) CASE(6) CASE(7) CASE(8)
#undef CASE
        }
    }
}

void BUILD(mix)(const struct mixture *mixture)
{
    for (size_t left = mixture->width / VEC_LANES, c = 0, vectors; left > 0; left -= vectors) {
        vectors = next_part(left, TILE_VECTORS);
        if (vectors == 3)
            mix_columns(mixture, c, 3);
        else if (vectors == 2)
            mix_columns(mixture, c, 2);
        else
            mix_columns(mixture, c, 1);
        c += vectors * VEC_LANES;
    }
}

/* Up to SUMS keys of one query at a time. */
INLINE void additive_tile(size_t width, const float *energy, const float *q, const float *const key[SUMS],
    float *out, size_t columns)
{
    float lane[SUMS][KERNEL_BLOCK];
    for (size_t l = 0; l < KERNEL_BLOCK; l += VEC_LANES) {
        vec sum[SUMS];
        UNROLL
        for (size_t j = 0; j < SUMS; j++)
            sum[j] = vec_splat(0);
        for (size_t c = l; c < width; c += KERNEL_BLOCK) {
            vec t[SUMS], e = vec_load(energy + c), x = vec_load(q + c);
            UNROLL
            for (size_t j = 0; j < SUMS; j++)
                t[j] = x + vec_load(key[j] + c);
            vec_tanh_all(t, SUMS);
            UNROLL
            for (size_t j = 0; j < SUMS; j++)
                vec_accumulate(&sum[j], e, t[j]);
        }
        UNROLL
        for (size_t j = 0; j < SUMS; j++)
            vec_store(lane[j] + l, sum[j]);
    }
    for (size_t j = 0; j < columns; j++)
        out[j] = add_lanes(lane[j]);
}

void BUILD(additive)(size_t width, const float *energy, struct picked q, struct picked k, struct rows out)
{
    for (size_t i = 0; i < q.n; i++)
        for (size_t j = 0; j < k.n; j += SUMS) {
            size_t columns = k.n - j < SUMS ? k.n - j : SUMS;
            const float *key[SUMS];
            for (size_t c = 0; c < SUMS; c++)
                key[c] = picked_row(&k, j + (c < columns ? c : columns - 1));
            additive_tile(width, energy, picked_row(&q, i), key, row_at(out, i) + j, columns);
        }
}

/* One query in the lanes from unit `unit` on, and its sums over the keys. */
struct query {
    size_t place, unit; /* its place among the queries */
    vec energy, q, dq, denergy;
};

/* Keys j .. j + COUNT - 1. */
INLINE void additive_backward_tile(
    const struct additive_gradient *s, struct query *query, size_t j, const size_t COUNT)
{
    float *dk[SUMS];
    vec t[SUMS];
    UNROLL
    for (size_t m = 0; m < COUNT; m++) {
        t[m] = query->q + vec_load(picked_row(&s->k, j + m) + query->unit);
        dk[m] = row_as_picked(s->dK, &s->k, j + m) + query->unit;
    }
    vec_tanh_all(t, COUNT);
    UNROLL
    for (size_t m = 0; m < COUNT; m++) {
        vec d = vec_splat_at(row_at(s->dscore, query->place) + j + m), dt = d * t[m];
        vec da = vec_fma(-dt, t[m], d) * query->energy;
        query->denergy += dt;
        query->dq += da;
        vec_store(dk[m], query->place == 0 ? da : vec_load(dk[m]) + da);
    }
}

INLINE void additive_backward_query(const struct additive_gradient *s, size_t i, size_t unit)
{
    struct query query = {.place = i,
        .unit = unit,
        .energy = vec_load(s->energy + unit),
        .q = vec_load(picked_row(&s->q, i) + unit),
        .dq = vec_splat(0),
        .denergy = vec_splat(0)};
    size_t j = 0;
    for (; j + SUMS <= s->k.n; j += SUMS)
        additive_backward_tile(s, &query, j, SUMS);
    for (; j < s->k.n; j++)
        additive_backward_tile(s, &query, j, 1);
    vec_store(row_as_picked(s->dQ, &s->q, i) + unit, query.dq);
    vec_store(s->denergy + unit, vec_load(s->denergy + unit) + query.denergy);
}

void BUILD(additive_backward)(const struct additive_gradient *s)
{
    for (size_t unit = 0; unit < s->width; unit += VEC_LANES) {
        additive_backward_query(s, 0, unit); /* with a constant place: the first sets dK */
        for (size_t i = 1; i < s->q.n; i++)
            additive_backward_query(s, i, unit);
    }
}

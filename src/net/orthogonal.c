/* n reflections of n columns are about 4/3 n^3 operations. All reflections are applied to a block of columns
 * before the next block, so that what they pass over again and again, n rows of a few columns, stays in the
 * second cache; columns do not meet each other, so their order is free. */
#include "net/orthogonal.h"

#include "base/memory.h"
#include "base/random.h"

/* Draws the reflections. Number i of v(k) is number (block n + k) n + i of the tensor's stream. */
static void draw(const struct orthogonal_key *key, size_t n, double *v, double *squares)
{
    for (size_t k = 0; k < n; k++) {
        uint64_t row = ((uint64_t)key->block * n + k) * n;
        squares[k] = 0;
        for (size_t i = k; i < n; i++, v++) {
            *v = 2 * random_uniform(key->seed, RANDOM_WEIGHTS, key->parameter, row + i) - 1;
            squares[k] += *v * *v;
        }
    }
}

/* How many columns at a time: a power of two times KERNEL_BLOCK. */
static size_t choose_columns(size_t n)
{
    enum { MOST = 4 * KERNEL_BLOCK };
    size_t columns = MOST;
    while (columns > KERNEL_BLOCK && columns * n * sizeof(double) > kernel_second_cache() * 3 / 4)
        columns /= 2;
    return columns;
}

static void make_columns(const struct kernel *kernel, const struct reflections *all, size_t columns,
    const struct net_life *life, double *block, float *Q)
{
    size_t n = all->n;
    double *scratch = block + n * columns;
    for (size_t first = 0; first < n; first += columns) {
        size_t width = n - first < columns ? n - first : columns;
        kernel->reflect(all, first, columns, block, scratch);
        for (size_t i = 0; i < n; i++)
            for (size_t c = 0; c < width; c++)
                Q[i * n + first + c] = (float)block[i * columns + c];
        if (life->show)
            life->show(life->context);
    }
}

int orthogonal_start(const struct kernel *kernel, const struct orthogonal_key *key, size_t n,
    const struct net_life *life, float *Q, struct error *error)
{
    size_t columns = choose_columns(n);
    double *v = memory_create(reflections_place(n, n), sizeof *v, error);
    double *squares = memory_create(n, sizeof *squares, error);
    double *block = memory_create(n * (columns + 2), sizeof *block, error);
    int failed = !v || !squares || !block;
    if (!failed) {
        draw(key, n, v, squares);
        make_columns(
            kernel, &(struct reflections){.n = n, .v = v, .squares = squares}, columns, life, block, Q);
    }
    memory_destroy(v);
    memory_destroy(squares);
    memory_destroy(block);
    return failed ? -1 : 0;
}

/* n reflections of n columns are about 4/3 n^3 operations. All reflections are applied to a block of columns
 * before the next block, so that what they pass over again and again, n rows of a few columns, stays in the
 * second cache; columns do not meet each other, so their order is free. */
#include "net/orthogonal.h"

#include "base/memory.h"
#include "base/random.h"

/* Draws the reflections. Number i of v(k) is number (block n + k) n + i of the tensor's stream. */
static void draw(
    const struct kernel *kernel, const struct orthogonal_key *key, size_t n, double *v, double *factors)
{
    const struct random_key stream = {key->seed, RANDOM_WEIGHTS, key->parameter};
    for (size_t left = n; left > 0; left--, v += left + 1, factors += left + 1) {
        size_t k = n - left;
        uint64_t first = ((uint64_t)key->block * n + k) * n + k;
        double squares = 0;
        kernel->uniforms(&stream, first, left, v);
        for (size_t i = 0; i < left; i++) {
            v[i] = 2 * v[i] - 1;
            squares += v[i] * v[i];
        }
        for (size_t i = 0; i < left; i++)
            factors[i] = 2 * v[i] / squares;
    }
}

/* How many columns at a time: a power of two times KERNEL_BLOCK. */
static size_t choose_columns(size_t n)
{
    enum { MOST = 2 * KERNEL_BLOCK };
    size_t columns = MOST;
    while (columns > KERNEL_BLOCK && columns * n * sizeof(double) > kernel_second_cache() * 3 / 4)
        columns /= 2;
    return columns;
}

static void make_columns(const struct kernel *kernel, const struct reflections *all, size_t columns,
    const struct net_life *life, double *block, float *Q)
{
    size_t n = all->n;
    for (size_t first = 0; first < n; first += columns) {
        size_t width = n - first < columns ? n - first : columns;
        kernel->reflect(all, first, columns, block);
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
    /* One piece of memory: what is small of it lies in huge pages with the rest. */
    size_t columns = choose_columns(n), numbers = reflections_place(n, n);
    double *block = memory_create(n * columns + 2 * numbers, sizeof *block, error);
    if (!block)
        return -1;
    double *v = block + n * columns, *factors = v + numbers;
    draw(kernel, key, n, v, factors);
    make_columns(kernel, &(struct reflections){.n = n, .v = v, .factors = factors}, columns, life, block, Q);
    memory_destroy(block);
    return 0;
}

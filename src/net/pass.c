/* Long products in pieces. A piece is small enough that nobody waits long for its end, and large enough that
 * the kernel's own blocks stay whole. */
#include "net/pass.h"

#include <assert.h>

enum { PIECE = 640 }; /* rows or frames */

void pass_product(const struct pass *pass, const struct panels *B, size_t M, struct rows A, struct rows start,
    struct rows C)
{
    for (size_t m = 0, rows; m < M && !pass_is_unwanted(pass); m += rows) {
        rows = M - m < PIECE ? M - m : PIECE;
        struct rows from = start.data ? rows_from(start, m) : start;
        pass->kernel->product(B, rows, rows_from(A, m), from, rows_from(C, m));
        pass_look(pass);
    }
}

/* The product of the frames from n on. */
static struct outer_product product_from(const struct outer_product *product, size_t n)
{
    struct outer_product rest = *product;
    if (rest.row)
        rest.row += n;
    else
        rest.X = rows_from(rest.X, n);
    return rest;
}

void pass_outer(const struct pass *pass, size_t N, size_t M, struct rows A, const struct outer_sums *sums)
{
    struct outer_product products[2];
    assert(sums->n <= 2);
    for (size_t n = 0, frames; n < N && !pass_is_unwanted(pass); n += frames) {
        frames = N - n < PIECE ? N - n : PIECE;
        for (size_t i = 0; i < sums->n; i++)
            products[i] = product_from(&sums->products[i], n);
        pass->kernel->outer(frames, M, rows_from(A, n), products, sums->n, sums->sums, sums->scratch);
        pass_look(pass);
    }
}

/* The arithmetic of the network, one build per instruction set, chosen when the program starts.
 *
 * Bits: every function gives the same result in every build. Sums over k run strictly from k = 0 up with
 * fused multiply-adds, so the bits of a row do not depend on how many rows go with it; sums over classes and
 * the like use 16 lanes, lane i taking elements i, i + 16, ..., the lanes added by halves. exp, tanh and
 * sigmoid are ours.
 *
 * All matrices are row-major float with a stride (floats from row to row) that is a multiple of 16; widths
 * are padded to multiples of 16 and padding holds zeroes. Pointers are aligned to 64 bytes where a row
 * starts. A block is 16 neighbouring columns. No function allocates or fails. */
#ifndef KERNEL_KERNEL_H
#define KERNEL_KERNEL_H

#include "base/error.h"
#include "base/random.h"

#include <stddef.h>
#include <stdint.h>

enum { KERNEL_BLOCK = 16 };

/* Rows of floats: row n starts at data + n * stride. A stride of 0 repeats one row; data NULL: there are
 * none. */
struct rows {
    float *data;
    size_t stride;
};

/* A matrix B [K][columns] packed for products A B. */
struct panels {
    size_t K, columns; /* columns: a multiple of 16 */
    float *data;       /* [K * columns], the owner's; its order is the build's own affair */
    size_t from, to;   /* the columns asked for: from .. to - 1, multiples of 16; to = 0: all */
};

/* One step of a cell for `count` rows, forward. Gates are interleaved by block: an LSTM's row holds [i f g o]
 * of units 0..15, then of 16..31; a GRU's r z n alike. A cell touches only what its struct cell_kind (net/)
 * says that it has, and means by it what its file in this folder says. */
struct cell_step {
    size_t count, units;       /* units: padded, a multiple of 16 */
    struct rows gates;         /* in: sums before activation; out: activations */
    struct rows recurrent;     /* of a cell that separates terms: W_hh h + b_hh, as the gates lie */
    struct rows h_previous, h; /* outputs of the step before, and out: of this one */
    struct rows c_previous, c; /* of a cell with a memory: this alike */
    struct rows saved;         /* out, what backward takes up again; of a cell that mixes states, in backward:
                                * the gradient by c from above */
    const float *parameters;   /* of single units, [units] each; NULL: there are none */
    size_t parameters_stride;  /* floats from one of them to the next */
};

/* The same step backward. */
struct cell_gradient {
    /* As forward left it. Out: the gradient by the sums before activation in `gates`, and that by `recurrent`
     * in its place. */
    struct cell_step step;
    struct rows dh;          /* the gradient by h */
    struct rows dh_previous; /* what h_previous gets without a product is added here; of a cell that mixes
                              * states: as dc */
    struct rows dc;          /* of a cell with a memory, in: the gradient by c from the step after; out: by
                              * c_previous */
    float *sums;             /* of a cell with unit tensors: gradients by the parameters, added to;
                              * parameters_stride apart */
};

/* One product of outer(): X [N][columns] and the gradient C [M][columns]. With row [N], row row[n] of X
 * stands in for row n; a negative one is zeroes. */
struct outer_product {
    size_t columns; /* a multiple of 16 */
    struct rows X;
    const int64_t *row;
    struct rows C;
};

/* Rows picked from a matrix: row[i] of it for i < n, or with NULL first + i. Rows that are written are all
 * different. */
struct picked {
    struct rows rows;
    size_t n;
    const int32_t *row;
    size_t first;
};

/* y(m) = sum over n of w[m][n] x(n), where w[m][n] = weights[m * row + n * step]. */
struct mixture {
    size_t width; /* of x and y */
    const float *weights;
    size_t row, step;
    struct picked x, y;
    int add; /* 1: the sums are added to what y holds */
};

/* Gradients by what additive() was computed from, of sequences with at least one query. */
struct additive_gradient {
    size_t width;
    const float *energy;
    struct picked q, k;
    struct rows dscore; /* [q.n] gradient by the scores */
    struct rows dQ, dK; /* out, picked as q and k are: for each the sum over the others in their order */
    float *denergy;     /* [width], added to: query by query, of each the sum over its keys */
};

/* Householder reflections H(k) = 1 - 2 v v^T / v^T v, k < n, where v is zero before place k. */
struct reflections {
    size_t n;
    const double *v;       /* the other n - k numbers of each v(k), one v after the other */
    const double *factors; /* 2 v / v^T v of each number */
};

/* One build: its functions are listed and described in kernel/functions.h, those of cells, name_forward and
 * name_backward for a step of each, in kernel/cells/list.h. */
struct kernel {
    const char *name;    /* "generic", "avx2", "avx512", "neon" */
    int (*runs)(void);   /* Can the processor at hand run it? */
    size_t outer_floats; /* scratch of outer() */
#define FUNCTION(result, name, parameters) result(*name) parameters;
#include "kernel/functions.h"
#undef FUNCTION
#define CELL(enumerator, text, kind, name, file)                                                             \
    void (*name##_forward)(const struct cell_step *step);                                                    \
    void (*name##_backward)(const struct cell_gradient *gradient);
#include "kernel/cells/list.h"
#undef CELL
};

/* Chooses the build for this processor, or the one named by the environment variable RNN_ISA, which may only
 * lower it. NULL and an error (EXIT_CODE_USAGE) for a name that is unknown, not built or beyond this
 * processor. */
const struct kernel *kernel_choose(struct error *error);

/* By name; "plain" is the twin written as simple loops that tests compare with. NULL where it cannot run
 * here. */
const struct kernel *kernel_find(const char *name);

/* Bytes of the first data cache, the second and the last, which block sizes follow (no bits do): found by
 * kernel_choose; 32 KiB, 512 KiB and 32 MiB where the system does not tell. */
size_t kernel_first_cache(void);
size_t kernel_second_cache(void);
size_t kernel_last_cache(void);

/* "generic avx2 avx512": the builds in this program, in rising order. */
const char *kernel_list(void);

/* Floats that panels of this shape hold. */
static inline size_t panels_count(size_t K, size_t columns)
{
    return K * columns;
}

/* Where v(k) begins in struct reflections; of k = n, how many numbers there are. */
static inline size_t reflections_place(size_t n, size_t k)
{
    return k * n - k * (k - 1) / 2; /* k = 0: the second term is 0 as well */
}

/* A stride for rows of n floats, n a multiple of 16: an odd number of cache lines, so that neighbours in a
 * column lie in different sets of the cache. */
static inline size_t kernel_stride(size_t n)
{
    return (n / KERNEL_BLOCK | 1) * KERNEL_BLOCK;
}

/* The rows from the n-th on. */
static inline struct rows rows_from(struct rows rows, size_t n)
{
    return (struct rows){rows.data + n * rows.stride, rows.stride};
}

static inline float *row_at(struct rows rows, size_t n)
{
    return rows.data + n * rows.stride;
}

/* The rows at data, which may be constant for whoever only reads them. */
static inline struct rows as_rows(const float *data, size_t stride)
{
    return (struct rows){(float *)data, stride};
}

/* Asks for the first n rows of a matrix to come near in the caches. */
static inline void kernel_fetch(struct rows rows, size_t n, size_t columns)
{
    for (size_t m = 0; m < n; m++)
        for (size_t c = 0; c < columns; c += KERNEL_BLOCK)
            __builtin_prefetch(rows.data + m * rows.stride + c, 0, 2);
}

#endif

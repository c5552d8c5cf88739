/* A weight matrix of the flat parameter vector as the kernel multiplies with it.
 *
 * In the flat vector a matrix is W [outputs][inputs] as PyTorch has it. In computation both extents are
 * padded to blocks of 16 and reordered: the gates of a cell interleave by block, and the two directions of a
 * layer before start at a block each. Two index maps hold that, and serve packing and the write-out of
 * gradients alike. */
#ifndef NET_MATRIX_H
#define NET_MATRIX_H

#include "base/memory.h"
#include "kernel/kernel.h"
#include "net/packing.h"

#include <stddef.h>
#include <stdint.h>

/* One extent of a matrix, its rows or its columns: `parts` runs of `size` each that are padded to whole
 * blocks; with interleave > 1 the extent is made of that many gates [interleave][size], block by block. */
struct extent {
    size_t parts, size, interleave;
};

/* Rows from .. to - 1 of a matrix or a vector: those that a member of a team computes. */
struct range {
    size_t from, to;
};

struct matrix {
    struct extent outputs, inputs;
    size_t rows, columns;  /* the same padded */
    size_t offset, stride; /* of W in the flat vector, floats */
    int needs_input_gradient;
    int64_t *row;          /* [rows] row of W times stride, or -1 for padding */
    int64_t *column;       /* [columns] column of W, or -1 */
    struct panels forward; /* B[column][row]: x -> W x */
    /* B[row][column]: dy -> W^T dy. It has no data where no gradient by the inputs is needed. */
    struct panels backward;
};

size_t extent_padded(struct extent extent);
size_t extent_true(struct extent extent);

/* Describes the matrix, whose rows in the flat vector may be made longer than its inputs (stride) afterwards.
 * `needs_input_gradient`: gradients by the inputs will be asked for. */
void matrix_init(struct matrix *matrix, size_t offset, struct extent outputs, struct extent inputs,
    int needs_input_gradient);

/* Takes room for maps and panels from the arena, whose memory is zero, and fills the maps: before anything
 * below. From an arena of no memory it measures them. */
void matrix_take_panels(struct matrix *matrix, struct arena *arena);

void matrix_pack(struct matrix *matrix, const struct packing *packing);

/* gradient of W += dW [rows][columns], in rows `own`, the padding left out; dW need not be kept. */
void matrix_add_gradient(const struct matrix *matrix, struct range own, const float *dW, float *gradient);

/* The same for one-hot inputs, which are never built: W x is the column of W that the symbol names. `forward`
 * then holds a table [columns][rows]. out [N][rows] = start [rows] + W[:, symbol]; the gradient is dy
 * [N][rows] summed by symbol, in order of n, in dW [columns][rows], which is cleared, added to as often as
 * there are rows, and added to the gradient of W in the end. */
void matrix_pack_table(struct matrix *matrix, const struct packing *packing);
void matrix_look_up(const struct matrix *matrix, struct range own, size_t N, const int32_t *symbols,
    const float *start, struct rows out);
void matrix_clear_symbols(const struct matrix *matrix, struct range own, float *dW);
void matrix_sum_symbols(const struct matrix *matrix, struct range own, size_t N, const int32_t *symbols,
    struct rows dy, float *dW);
void matrix_add_symbols(const struct matrix *matrix, struct range own, const float *dW, float *gradient);

/* A bias vector [extent] of the flat vector: out [padded] (+)= b, and the gradient back. */
void bias_add(struct extent extent, const float *b, float *out);
void bias_add_gradient(struct extent extent, struct range own, const float *sums, float *gradient);

#endif

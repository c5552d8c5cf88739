/* Fingerprints of a dataset: hashes by which the same values are known again, wherever the file lies and
 * however it stores them. No function is collective; but ranks can share the work.
 *
 * Values are hashed in blocks of 4 MiB (rows that fit; at least one), inputs apart from targets,
 * whose weights follow them where there are any. The hash of
 * a block is a sum over its pieces, the rows of one sequence in it: combine(hash of the values' bytes, number
 * of the first row), added modulo 2^64. A sum does not depend on order, so that pieces are hashed as an epoch
 * comes by them, on whichever rank. The hash of all values combines those of the blocks, in order. Values are
 * equal where their 32 bits are, once they are floats or integers of that width: 0 and -0 differ. */
#ifndef DATA_FINGERPRINT_H
#define DATA_FINGERPRINT_H

#include "base/identity.h"
#include "data/contents.h"

/* Takes the members shape and sample: the latter of 256 blocks of 64 KiB each of inputs and targets, spread
 * over the file and chosen by the seed (all of them where they are no more). Where values are not kept, they
 * are read. */
int dataset_take_sample(
    struct dataset *dataset, uint64_t seed, struct fingerprint *print, struct error *error);

/* Hashes on their way: for each block, first of inputs, then of targets and of their weights, the sum so far
 * and how many rows it is of. */
struct value_sums {
    struct dataset *dataset;
    size_t inputs, targets, weights; /* blocks */
    uint64_t *sum, *rows; /* [inputs + targets + weights] each, one block of memory beginning with sum */
};

/* Begins with no row hashed. Ended by value_sums_finish, also after a failure; the dataset is kept by
 * reference. Memory: 16 bytes for 4 MiB of values. */
int value_sums_init(struct value_sums *sums, struct dataset *dataset, struct error *error);
void value_sums_finish(struct value_sums *sums); /* takes zeroes */
void value_sums_clear(struct value_sums *sums);  /* no row is hashed then */

/* The numbers that are added up over ranks, modulo 2^64: how many; they begin with sums->sum. */
size_t value_sums_count(const struct value_sums *sums);

/* After the sums of all ranks were added up: reads and hashes the blocks that lack rows, of `parts` shares of
 * them the one of this number. Blocks of other shares are zero then, so that another addition makes the
 * whole. `between` is called after every block. It may be called while a reader (data/reader.h) lives. */
int value_sums_read_missing(struct value_sums *sums, size_t part, size_t parts,
    void (*between)(const void *context), const void *context, struct error *error);

/* Refuses blocks of *own of which some rows were hashed and that have another hash than in *first, which are
 * those of another copy of the set: EXIT_CODE_DATA, naming the rows of the first such. */
int value_sums_compare(const struct value_sums *own, const struct value_sums *first, struct error *error);

/* Takes the members inputs and targets, and complete, from sums that lack nothing. */
void value_sums_take(const struct value_sums *sums, struct fingerprint *print);

/* The fingerprint of checkpoints of formats 1 to 4, a hash of shapes, offsets and targets: it reads the
 * targets, and does not depend on the cache, nor on how the file stores the same numbers. */
int dataset_former_fingerprint(struct dataset *dataset, uint64_t *fingerprint, struct error *error);

/* ---- within this folder ---- */

struct values;

/* Adds rows of one sequence that lie in one block. */
void value_sums_add(
    struct value_sums *sums, const struct values *values, int64_t first, int64_t rows, const void *items);

#endif

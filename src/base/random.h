/* Counter-based random numbers: a pure function of (seed, stream, counter), no state, so that any rank can
 * draw any number of a run. Philox4x32-10 of Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy
 * as 1, 2, 3" (SC 2011), section 3.3 and table 2. */
#ifndef BASE_RANDOM_H
#define BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

/* What the numbers are for; two uses never share a stream. */
enum random_stream {
    RANDOM_WEIGHTS = 1, /* starting weights: high counter word = parameter */
    RANDOM_ORDER = 2,   /* order of the sequences: high word = epoch */
    RANDOM_DROPOUT = 3,
    RANDOM_DATASET = 4, /* rnn-data make */
    RANDOM_TEST = 5,
    RANDOM_RECURRENT_DROPOUT = 6,
    RANDOM_NOISE = 7,        /* of inputs in training */
    RANDOM_WEIGHT_NOISE = 8, /* high word = step of the run, index = weight */
    RANDOM_GENERATE = 9,     /* high word = sequence */
    RANDOM_SAMPLE = 10,      /* places of a file that are compared */
    RANDOM_WINDOWS = 11,     /* order of windows and within them: high word = epoch and pair */
    RANDOM_TIMESCALE = 12    /* starting biases by time scale: high word = layer and direction */
};

/* The constants of the method. */
#define RANDOM_MULTIPLIER_0 0xD2511F53u
#define RANDOM_MULTIPLIER_1 0xCD9E8D57u
#define RANDOM_STEP_0 0x9E3779B9u
#define RANDOM_STEP_1 0xBB67AE85u
enum { RANDOM_ROUNDS = 10 };

/* What names a sequence of numbers, for whoever draws many of one (kernel/functions.h). */
struct random_key {
    uint64_t seed;
    enum random_stream stream;
    uint64_t high;
};

/* 128 random bits for the counter (high, low). */
void random_block(uint64_t seed, enum random_stream stream, uint64_t high, uint64_t low, uint32_t bits[4]);

/* Number `index` of the sequence named by (seed, stream, high). */
double random_uniform(
    uint64_t seed, enum random_stream stream, uint64_t high, uint64_t index);                  /* in (0, 1) */
double random_normal(uint64_t seed, enum random_stream stream, uint64_t high, uint64_t index); /* N(0, 1) */
uint64_t random_below(uint64_t n, uint64_t seed, enum random_stream stream, uint64_t high, uint64_t index);

/* A permutation of 0 .. n-1 into order (Fisher and Yates). */
void random_permutation(uint64_t seed, enum random_stream stream, uint64_t high, size_t n, int64_t *order);

/* The same a piece at a time: order has 0 .. n-1 at the start, and is the permutation once draws 0 .. n-2
 * have been made, in turn; this makes those from `first` to `end` - 1, or to the last. */
void random_permute_part(const struct random_key *key, size_t n, size_t first, size_t end, int64_t *order);

#endif

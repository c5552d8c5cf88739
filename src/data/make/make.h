/* Built-in datasets: sequences made from a seed, for trying the program and for testing it.
 *
 * A part is made in memory by pure functions of (kind, part, seed, number of sequences), then written. The
 * numbers come from the counter-based generator, every sequence from a counter range of its own, and no
 * function of the C library but sqrt touches them: the same seed gives the same bytes on every machine.
 * Sequence s of a part does not depend on how many others are asked for. */
#ifndef DATA_MAKE_MAKE_H
#define DATA_MAKE_MAKE_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

enum make_part { MAKE_TRAIN, MAKE_VALID, MAKE_TEST, MAKE_PARTS };

enum { MAKE_MOST_SEQUENCES = 10000000 }; /* of one part */
enum { MAKE_MOST_LENGTH = 100000000 };   /* frames of a sequence */

/* A place in the random numbers of one sequence: each draw moves it on. */
struct make_draw {
    uint64_t seed, high; /* high counter word: part, kind, sequence */
    uint64_t next;
    enum make_part part;
};

double make_draw_uniform(struct make_draw *draw); /* in (0, 1) */
double make_draw_normal(struct make_draw *draw);  /* N(0, 1) */
uint64_t make_draw_below(struct make_draw *draw, uint64_t n);

/* One sequence of T frames and U targets; what its kind does not have is NULL. */
struct make_sequence {
    size_t T, U;
    float *inputs;    /* [T][features] */
    int32_t *symbols; /* [T] */
    float *values;    /* [U][values] */
    int32_t *classes; /* [U] */
};

/* What a kind of dataset is, and the function that fills one sequence of it: a file of its name in this
 * folder and a line of data/make/list.h, and no more; lists in help and messages are made from these. Names
 * and scales have one entry per feature or value; NULL where there is none. What was meant is stored * scale
 * + shift. */
struct dataset_kind {
    const char *name;
    const char *summary;       /* for --help, in a few words */
    const char *title;         /* for the attribute of the file */
    int32_t shortest, longest; /* frames of a sequence, uniform; without measure */
    int32_t least_length; /* frames that all sequences may be asked to have, from here on; 0: they may not */
    int64_t sequences;    /* of the training part, unless asked otherwise */
    size_t features;      /* I of real-valued inputs, 0 with symbols */
    int32_t symbols;
    int target_per_frame; /* else one per sequence, or as many as measure says */
    size_t values;        /* O of real-valued targets, 0 with classes */
    int32_t classes;
    const char *const *feature_names, *const *target_names, *const *class_names;
    const double *input_scale, *input_shift, *target_scale, *target_shift;
    /* Frames and targets of the sequence, where its content decides on them. fill then begins with the same
     * draw and makes just as many; without measure it begins behind the draw of the length. */
    void (*measure)(struct make_draw *draw, size_t *frames, size_t *targets);
    void (*fill)(struct make_draw *draw, struct make_sequence *sequence);
};

#define KIND(name) extern const struct dataset_kind make_##name;
#include "data/make/list.h"
#undef KIND

/* Kinds in the order of the list. */
size_t dataset_kind_count(void);
const struct dataset_kind *dataset_kind_at(size_t place);
const struct dataset_kind *dataset_kind_find(const char *name); /* NULL: no such kind */

/* One step of the classical Runge-Kutta method of order four for the Lorenz system (10, 28, 8/3). */
void make_lorenz_step(double step, double state[3]);

/* A number below a million in English words, as make_numbers has them: "seventeen thousand and four". */
enum { MAKE_NUMBER_WORDS = 96 };
void make_number_words(uint32_t number, char words[MAKE_NUMBER_WORDS]);

/* The part that a number belongs to; and one of the draw's part, below a thousand, ten thousand, a hundred
 * thousand or a million, each as often. */
enum make_part make_number_part(uint32_t number);
uint32_t make_draw_number(struct make_draw *draw);

/* A whole part, in memory. */
struct made {
    const struct dataset_kind *kind;
    enum make_part part;
    uint64_t seed;
    int64_t asked;              /* sequences of the training part: what --sequences says */
    int32_t length;             /* frames of each sequence: what --length says; 0: nothing */
    int64_t sequences, frames;  /* of this part */
    int64_t targets;            /* rows of the targets */
    int64_t *input_offsets;     /* [sequences + 1] */
    int64_t *target_offsets;    /* [sequences + 1]; NULL with one target per frame */
    float *inputs, *values;     /* [frames][features], [targets][values]; NULL where the kind has none */
    int32_t *symbols, *classes; /* [frames], [targets]; NULL where the kind has none */
};

const char *make_part_name(enum make_part part); /* "train", "valid", "test" */

/* Sequences of a part when the training part has `train`: a fifth for the others, at least one. */
int64_t make_part_sequences(enum make_part part, int64_t train);

/* Makes one part; `train` (1 to MAKE_MOST_SEQUENCES) counts the sequences of the training part. Each has
 * `length` frames, at least the kind's least_length, or with 0 as many as is usual for the kind. The
 * caller's, ended by make_destroy. NULL and an error when there is no memory for it. */
struct made *make_create(const struct dataset_kind *kind, enum make_part part, uint64_t seed, int64_t train,
    int32_t length, struct error *error);
void make_destroy(struct made *made); /* takes NULL */

/* Writes a part as a dataset file, whole or not at all: where it fails, `path` is as it was (base/file.h). */
int make_write(const struct made *made, const char *path, struct error *error);

#endif

/* A dataset file of the format of datasets/README.md: sequences lie end to end, offsets say where each
 * begins.
 *
 * No function is collective: every rank opens the file for itself. */
#ifndef DATA_DATASET_H
#define DATA_DATASET_H

#include "base/error.h"
#include "base/grain.h"
#include "h5/h5.h"

#include <stddef.h>
#include <stdint.h>

/* How many targets a sequence has. */
enum target_kind {
    TARGET_FRAME,    /* one per frame: target_offsets absent or equal to input_offsets */
    TARGET_SEQUENCE, /* one per sequence */
    TARGET_ANY       /* any number, also 0 */
};

struct dataset {
    char *path;
    int64_t sequences, frames;
    int32_t longest;
    size_t features; /* I of real-valued inputs, 0 with symbols */
    int32_t symbols; /* n_symbols, 0 with real-valued inputs */
    int has_targets;
    int32_t classes; /* n_classes, 0 with real-valued targets */
    size_t values;   /* O of real-valued targets, 0 with classes */
    int64_t targets; /* rows of /targets */
    enum target_kind
        target_kind;         /* the narrowest that fits; where one frame per sequence makes both fit: FRAME */
    int64_t *input_offsets;  /* [sequences + 1] */
    int64_t *target_offsets; /* [sequences + 1], or NULL when absent */
    struct h5_file *file;
    size_t cache; /* bytes this set may keep decoded */
    /* Wholly decoded when it fits the cache, else NULL and read as grains ask for it. */
    float *kept_inputs;    /* [frames][features] */
    int32_t *kept_symbols; /* [frames] */
    int32_t *kept_classes; /* [targets] */
    float *kept_values;    /* [targets][values] */
};

/* Opens and checks structure and offsets; where the set fits `cache` bytes, reads and checks all values too.
 * Owned by the caller. NULL and the first fault as error. */
struct dataset *dataset_open(const char *path, size_t cache, struct error *error);
void dataset_close(struct dataset *dataset); /* takes NULL */

/* Frames of sequence s. */
static inline int32_t dataset_length(const struct dataset *dataset, int64_t s)
{
    return (int32_t)(dataset->input_offsets[s + 1] - dataset->input_offsets[s]);
}

/* Every fault of the file, structure and all values, to `faults`; bounded memory, bounded count. */
void dataset_check(const char *path, struct faults *faults);

/* A hash of what training sees but the order of reading: shapes, offsets and targets. Reads the targets. */
int dataset_fingerprint(struct dataset *dataset, uint64_t *fingerprint, struct error *error);

/* What grains of this dataset hold. */
struct grain_format dataset_format(const struct dataset *dataset);

/* Mean and deviation (divided by the count) of every feature over all frames, in double, in order of the
 * file; a constant feature gets deviation 1. mean, deviation [features]. */
int dataset_moments(struct dataset *dataset, double *mean, double *deviation, struct error *error);

/* Fills a grain with B sequences (falling lengths): inputs, and targets where there are any; values that are
 * read from the file for it are checked first (class out of range, symbol out of range, NaN, infinity: an
 * error naming file, set, row and sequence). Inputs become (x - mean) / deviation where mean is given
 * [features] (as float). */
int dataset_read_grain(struct dataset *dataset, size_t B, const int64_t *sequence, const float *mean,
    const float *deviation, struct grain *grain, struct error *error);

/* Name of a sequence, or NULL where the file has none; the caller's (memory_destroy). */
char *dataset_name(struct dataset *dataset, int64_t s, struct error *error);

#endif

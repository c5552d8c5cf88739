/* A dataset file of the format of datasets/README.md: sequences lie end to end, offsets say where each
 * begins.
 *
 * Memory: 8 bytes a sequence for the input offsets, 8 more where there are target offsets; all values,
 * decoded to 4 bytes each, where they fit the cache; else one block of 4 MiB (or one row, if that is longer),
 * and up to the cache for HDF5's chunks.
 *
 * No function is collective: every rank opens the file for itself. */
#ifndef DATA_DATASET_H
#define DATA_DATASET_H

#include "base/error.h"
#include "h5/h5.h"
#include "net/microbatch.h"

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
    /* The narrowest that fits; nothing where there are no targets. Where all sequences have one frame, one
     * target a frame and one a sequence are the same, and this says FRAME: whoever needs one per sequence
     * takes TARGET_FRAME too if longest == 1. The microbatch's rows of frames are its sequences then. */
    enum target_kind target_kind;
    /* Set by whoever opened it, before anything is read: microbatches shall have their targets in the order
     * of any number of them (struct microbatch: target_start) whatever target_kind is, and a class of -1 is
     * refused. */
    int any_targets;
    int64_t *input_offsets;  /* [sequences + 1] */
    int64_t *target_offsets; /* [sequences + 1], or NULL when absent */
    struct h5_file *file;
    size_t cache; /* bytes this set may keep decoded */
    /* Wholly decoded when it fits the cache, else NULL and read as microbatches ask for it. */
    float *kept_inputs;    /* [frames][features] */
    int32_t *kept_symbols; /* [frames] */
    int32_t *kept_classes; /* [targets] */
    float *kept_values;    /* [targets][values] */
    void *block;           /* where nothing is kept: room for the rows being read */
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

/* Targets of sequence s; 0 where the dataset has none. */
static inline int32_t dataset_targets(const struct dataset *dataset, int64_t s)
{
    if (!dataset->has_targets || !dataset->target_offsets)
        return dataset->has_targets ? dataset_length(dataset, s) : 0;
    return (int32_t)(dataset->target_offsets[s + 1] - dataset->target_offsets[s]);
}

/* Every fault of the file, structure and all values, to `faults`, as one line each: file, set, row, sequence,
 * what is allowed. Ends early once `faults` has as many as it says, so that faults->count may then be short
 * of all. Memory: offsets, blocks of a few MiB, 64 MiB of chunks. */
void dataset_check(const char *path, struct faults *faults);

/* A hash of what training sees but the order of reading: shapes, offsets and targets. Reads the targets. Does
 * not depend on the cache, nor on how the file stores the same numbers. */
int dataset_fingerprint(struct dataset *dataset, uint64_t *fingerprint, struct error *error);

/* Targets come as any number of them: the file has such, or any_targets says so. */
static inline int dataset_has_any_targets(const struct dataset *dataset)
{
    return dataset->has_targets && (dataset->target_kind == TARGET_ANY || dataset->any_targets);
}

/* What microbatches of this dataset hold: targets where the file has them, in one of the three orders. */
struct microbatch_format dataset_format(const struct dataset *dataset);

/* Mean and deviation (divided by the count) of every feature over all frames, in double, in order of the
 * file; a constant feature gets deviation 1. mean, deviation [features]. */
int dataset_moments(struct dataset *dataset, double *mean, double *deviation, struct error *error);

/* Fills a microbatch with B sequences (falling lengths): inputs, and targets where there are any; values that
 * are read from the file for it are checked first (class out of range, symbol out of range, NaN, infinity: an
 * error naming file, set, row and sequence), classes also where they are kept but any_targets allows less.
 * Inputs become (x - mean) / deviation where mean is given [features] (as float). On failure the microbatch's
 * contents are undefined, but it may be used again. */
int dataset_read_microbatch(struct dataset *dataset, size_t B, const int64_t *sequence, const float *mean,
    const float *deviation, struct microbatch *microbatch, struct error *error);

/* Name of a sequence, the caller's (memory_destroy). NULL where the file has none (error->code stays 0) or it
 * cannot be read. */
char *dataset_name(struct dataset *dataset, int64_t s, struct error *error);

#endif

/* A dataset of the format of datasets/README.md, in one file or several: sequences lie end to end, offsets
 * say where each begins.
 *
 * Memory: 8 bytes a sequence for the input offsets, 8 more where there are target offsets; all values,
 * decoded to 4 bytes each, where they fit the cache; else one block of 4 MiB (one row, if that is longer, or
 * all rows, if they are less),
 * and up to the cache for HDF5's chunks, which files share by the size of their values.
 *
 * No function is collective: every rank opens the file for itself. */
#ifndef DATA_DATASET_H
#define DATA_DATASET_H

#include "data/contents.h"
#include "net/microbatch.h"

#include <stddef.h>
#include <stdint.h>

/* Opens and checks structure and offsets; where the set fits `cache` bytes, reads and checks all values too.
 * Owned by the caller. NULL and the first fault as error. */
struct dataset *dataset_open(const char *path, size_t cache, struct error *error);

/* Does the same for files that make one set in this order, which have to agree (data/files.h): paths ends
 * with NULL. The set is what it would be if their sequences lay in one file. */
struct dataset *dataset_open_files(char *const *paths, size_t cache, struct error *error);

void dataset_close(struct dataset *dataset); /* takes NULL */

/* From now on messages call an open set of one file by what it was made of: this, and so many more. */
int dataset_call(struct dataset *dataset, const char *source, size_t more, struct error *error);

/* The same in two parts: the first opens and checks structure and offsets, and before anything else is asked
 * for, either all values are put into memory (data/kept.h), or the second says that microbatches read theirs
 * from the file, through up to `cache` bytes of chunks. */
struct dataset *dataset_look(char *const *paths, struct error *error);
int dataset_read_as_asked(struct dataset *dataset, size_t cache, struct error *error);

/* Returns the bytes of all values, decoded: the set is kept where they are no more than its cache. */
size_t dataset_count_values(const struct dataset *dataset);

/* Returns what an open set takes of memory: offsets, and values, or room to read them by. */
size_t dataset_count_bytes(const struct dataset *dataset);

/* Returns what it takes of a rank in a run: offsets alone, where all values are kept (data/kept.h); where
 * they are not, the same as here, with the caches of decoded chunks full. */
size_t dataset_count_run_bytes(struct dataset *dataset, int kept);

/* Tells `faults` every fault of the file, of structure and all values, as one line each: file, set, row,
 * sequence, what is allowed; of targets that are real values also those that `loss` does not take (NULL: any
 * are taken). It ends early once `faults` has as many as it says, so that faults->count may
 * then be short of all. Memory: offsets, blocks of a few MiB, 64 MiB of chunks. */
void dataset_check(const char *path, const struct loss_kind *loss, struct faults *faults);

/* What microbatches of this dataset hold: targets where the file has them, in one of the three orders. */
struct microbatch_format dataset_format(const struct dataset *dataset);

/* Writes mean and deviation (divided by the count) of every feature over all frames, in double, in order of
 * the file; a constant feature gets deviation 1. mean, deviation [features]. (statistics.c) */
int dataset_moments(struct dataset *dataset, double *mean, double *deviation, struct error *error);

/* Fills a microbatch with B sequences (falling lengths): inputs, and targets where there are any; values that
 * are read from the file for it are checked first (class out of range, symbol out of range, NaN, infinity: an
 * error naming file, set, row and sequence), classes also where they are kept but any_targets allows less.
 * Inputs become (x - mean) / deviation where mean is given [features] (as float). On failure the microbatch's
 * contents are undefined, but it may be used again. */
int dataset_read_microbatch(struct dataset *dataset, size_t B, const int64_t *sequence, const float *mean,
    const float *deviation, struct microbatch *microbatch, struct error *error);

#endif

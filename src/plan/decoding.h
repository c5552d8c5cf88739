/* How often the chunks of a compressed file would be decompressed in an epoch: the reads of a rank are gone
 * through without being made, past caches that keep what was used last, as those of HDF5 do (h5/chunks.c). */
#ifndef PLAN_DECODING_H
#define PLAN_DECODING_H

#include "config/config.h"
#include "data/dataset.h"

/* Times that a chunk of a set is decompressed in the first epoch by the first rank, as the mean over all its
 * chunks; 0: none is, as the set is not compressed, or kept, or read as it lies. */
struct decoding {
    double inputs, targets;
};

/* The dataset is opened with the cache that it has in the run, and its values are not read. Fails where there
 * is no memory or the file cannot be looked at. */
int decoding_survey(const struct config *config, struct dataset *dataset, size_t ranks,
    struct decoding *decoding, struct error *error);

/* Returns 1 where chunks are decompressed more than once and a half: `text` [size] says so then, and what to
 * do about it. Fails as decoding_survey does, with -1. */
int decoding_advise(const struct config *config, struct dataset *dataset, size_t ranks,
    const struct decoding *decoding, char *text, size_t size, struct error *error);

#endif

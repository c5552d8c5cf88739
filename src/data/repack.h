/* A dataset file written anew, laid out for how it is to be read. */
#ifndef DATA_REPACK_H
#define DATA_REPACK_H

#include "base/error.h"

#include <stdint.h>

struct repack_options {
    int compress;  /* inputs and targets, by deflate, which every HDF5 has */
    int64_t chunk; /* rows of a chunk; 0: in one piece, or where they are compressed some hundred KiB */
};

/* Writes the dataset `from` as `to`, which may be the same: it is replaced once the new file is whole. All
 * values, names and attributes are those of before, and so are sets and groups that are no part of the
 * format (h5/repack.h says what is refused). Memory: offsets, and some MiB, or one chunk where that is more.
 */
int dataset_repack(
    const char *from, const char *to, const struct repack_options *options, struct error *error);

#endif

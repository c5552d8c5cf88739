/* How sequences are divided among files: by a hash of a name and a seed, so that what a name belongs to
 * depends neither on the other sequences nor on their order. */
#ifndef DATA_IMPORT_SPLIT_H
#define DATA_IMPORT_SPLIT_H

#include "data/import/import.h"

struct import_split {
    size_t parts;                    /* 1: there is no split */
    double below[IMPORT_MOST_PARTS]; /* where each part ends, of [0, 1) */
    uint64_t seed;
};

/* Reads "0.8,0.1,0.1", of which the proportions matter; NULL is one part. An error is EXIT_CODE_USAGE. */
int import_split_init(struct import_split *split, const char *shares, uint64_t seed, struct error *error);

/* Finds the part of a name. */
size_t import_split_find(const struct import_split *split, const char *name);

/* The path of a part: "x.h5" is "x-train.h5" for the first of several. The caller's (memory_destroy). */
char *import_split_path(
    const struct import_split *split, size_t part, const char *output, struct error *error);

#endif

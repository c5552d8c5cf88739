/* The names that a dataset gives its features, symbols, classes or outputs, and its sequences. */
#ifndef DATA_NAMES_H
#define DATA_NAMES_H

#include "data/contents.h"
#include "net/names.h"

/* Reads the lists that the set has of what it holds, into *names (zeroes), which net_names_finish ends, also
 * after a failure. */
int dataset_read_names(struct dataset *dataset, struct net_names *names, struct error *error);

/* Adds the names of all sequences to a file that is being built, as its set `names`: empty ones for the files
 * that have none, and no set where no file has any. Only a failure to read them, or lack of memory, is
 * returned. */
int dataset_copy_names(const struct dataset *dataset, struct h5_image *image, struct error *error);

/* The names of sequences one after the other, of which some are in memory at a time: zeroes but for the
 * dataset, which is kept by reference. Ended by name_reader_finish. */
struct name_reader {
    const struct dataset *dataset;
    int64_t first, end; /* those that are in memory */
    char **block;
};

/* Returns the name of a sequence, "" where its file has none, until the next call; NULL and an error where it
 * cannot be read, or without memory. */
const char *name_reader_get(struct name_reader *reader, int64_t sequence, struct error *error);
void name_reader_finish(struct name_reader *reader);

#endif

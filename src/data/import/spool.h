/* Bytes that wait on the disk until all of them are known: a file without a name, in the folder of the file
 * that they are for, which goes with the process however it ends. */
#ifndef DATA_IMPORT_SPOOL_H
#define DATA_IMPORT_SPOOL_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct spool {
    FILE *file;       /* NULL: nothing was written yet */
    const char *path; /* of the file that the bytes are for: for messages, kept by reference */
};

/* Writes bytes behind those before. */
int spool_write(struct spool *spool, const void *bytes, size_t size, struct error *error);

/* Goes back to the first byte, after the last was written. */
int spool_rewind(struct spool *spool, struct error *error);

/* Reads the next bytes, as many as were asked for. */
int spool_read(struct spool *spool, void *bytes, size_t size, struct error *error);

/* Reads bytes at this place, after spool_rewind. */
int spool_read_at(struct spool *spool, int64_t at, void *bytes, size_t size, struct error *error);

void spool_finish(struct spool *spool); /* takes zeroes */

#endif

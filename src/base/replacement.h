/* A file that appears whole or not at all: written under another name in the same folder, made durable, then
 * renamed over the old one. Until replacement_commit succeeds, whatever had the name before is untouched.
 *
 * Errors are EXIT_CODE_IO and name the file. A process that writes beyond its limit on file sizes is told so
 * only where it ignores SIGXFSZ. */
#ifndef BASE_REPLACEMENT_H
#define BASE_REPLACEMENT_H

#include "base/error.h"

#include <stdint.h>

struct replacement {
    char *path;
    const char *name; /* the last part of path */
    int folder, file; /* descriptors */
    char temporary[256];
};

/* Refuses a path that is a folder, a device or the like. On success replacement_commit or replacement_abandon
 * is due. */
int replacement_begin(struct replacement *replacement, const char *path, struct error *error);

/* Makes the file this long, and takes the room on the disk at once where the file system can: a disk that is
 * too small is known before the work begins. */
int replacement_reserve(struct replacement *replacement, int64_t bytes, struct error *error);

/* All bytes, at this place of the file. */
int replacement_write(
    struct replacement *replacement, const void *bytes, size_t size, int64_t at, struct error *error);

/* Ends the replacement in every case; after a failure nothing of it is left. */
int replacement_commit(struct replacement *replacement, struct error *error);
void replacement_abandon(struct replacement *replacement);

#endif

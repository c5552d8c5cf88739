/* Which file this is, and what was in it: by what the system knows of an open file, and by hashes. */
#ifndef BASE_IDENTITY_H
#define BASE_IDENTITY_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

/* What the system knows of an open file; zeroes: nothing. */
struct file_identity {
    uint64_t device, inode;
    int64_t size;
    int64_t modified[2], changed[2]; /* seconds and nanoseconds since 1970: of the content; of anything */
    uint64_t links, mode, owner, group;
};

/* Takes the identity of an open file. Returns -1 and errno. */
int file_identify(int descriptor, struct file_identity *identity);

/* Is it the same file, with what was in it when `before` was taken? Devices are not compared: they are
 * numbered anew by each host and mount, and no copy has the inode and both times of what it is a copy of. */
int file_is_same(const struct file_identity *before, const struct file_identity *now);

/* Does an open file, or what is in it, differ from what it was? Says what, "its size went from 7 to 5 bytes",
 * and returns 1; or returns 0. A file that only got another name, mode or owner, or that another file was
 * renamed over, has not changed: `path` is the name it was opened by. */
int file_describe_change(const struct file_identity *before, const struct file_identity *now,
    const char *path, char *text, size_t size);

/* Writes the identity as a text, and reads it again: returns -1 where the text is none. */
enum { FILE_IDENTITY_TEXT = 160 };
void file_write_identity(const struct file_identity *identity, char text[FILE_IDENTITY_TEXT]);
int file_read_identity(const char *text, struct file_identity *identity);

/* What is in a dataset, however and wherever the file keeps it. */
struct fingerprint {
    uint64_t shape;           /* of both sets of values, and the offsets */
    uint64_t sample;          /* of some hundred places of the values */
    uint64_t inputs, targets; /* of all values; 0 where not complete */
    int complete;
};

#endif

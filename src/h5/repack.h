/* A file written anew, of which some sets get another layout. */
#ifndef H5_REPACK_H
#define H5_REPACK_H

#include "base/file.h"
#include "h5/h5.h"

/* How a set is to lie in the new file. */
struct h5_layout {
    const char *name;
    int64_t rows; /* of a chunk, the whole of each row; 0: the set is in one piece */
    int deflate;  /* level, with the bytes of numbers shuffled before; 0: it is not compressed */
};

/* Writes all that is in `from` into `to`, which the caller commits or abandons: attributes of the file, the
 * sets that `layouts` name with their types and attributes, in the new layout, and any other set or group as
 * it is. A link to another place of the file, or to another file, is refused, and so is a reference to an
 * object among the attributes of the file and of the sets with a new layout: they would lead nowhere. Memory:
 * some MiB, or one chunk where that is more. */
int h5_repack(struct h5_file *from, struct file_writer *to, const struct h5_layout *layout, size_t layouts,
    struct error *error);

#endif

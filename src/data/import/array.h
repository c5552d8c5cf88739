/* Arrays of NumPy (.npy, versions 1.0 to 3.0 of the format), read from the first item to the last: from a
 * file, or from a member of a .npz file. Memory is a few KiB, whatever the header promises, and what it
 * promises has to fit the size of the file. Pickles are refused. */
#ifndef DATA_IMPORT_ARRAY_H
#define DATA_IMPORT_ARRAY_H

#include "data/import/sequence.h"

enum {
    ARRAY_MOST_DIMENSIONS = 4,
    ARRAY_MOST_ITEM = 4 * 4 * IMPORT_MOST_NAME_BYTES /* bytes: of a text */
};

struct zip;
struct zip_file;

struct import_array {
    struct import *import;
    char *path; /* for messages, "x.npz/y.npy" */
    FILE *file; /* or a member of a zip file */
    struct zip_file *member;
    uint64_t left; /* bytes of the member that were not read yet */
    char kind;     /* f, i, u, b (truth), U (text of 4 bytes a character), S (bytes) */
    size_t bytes;  /* of an item */
    int swapped;   /* bytes come in the other order */
    int dimensions;
    int64_t size[ARRAY_MOST_DIMENSIONS]; /* 1 beyond the dimensions */
    int64_t items;                       /* product of the sizes */
};

/* Open an array and read its header. *array is ended by import_array_close, also after a failure. The second
 * is for a member of an archive, whose place is `index`. */
int import_array_open(struct import_array *array, struct import *import, const char *path);
int import_array_open_member(
    struct import_array *array, struct import *import, const char *path, struct zip *archive, uint64_t index);
void import_array_close(struct import_array *array); /* takes zeroes */

int import_array_is_whole(const struct import_array *array); /* integers or truth values */
int import_array_is_text(const struct import_array *array);

/* Read the next n items. Text is read one by one, as UTF-8, and ended by 0. */
int import_array_read_floats(struct import_array *array, int64_t n, float *out);
int import_array_read_integers(struct import_array *array, int64_t n, int64_t *out);
enum { ARRAY_MOST_TEXT = 4 * IMPORT_MOST_NAME_BYTES };
int import_array_read_text(struct import_array *array, char text[ARRAY_MOST_TEXT + 1]);

int import_array_skip(struct import_array *array, int64_t n);

/* What the files of arrays share: the next bytes, and an error that names the array. Both return -1 where
 * there is one.
 */
int import_array_read_bytes(struct import_array *array, void *bytes, size_t size);
int import_array_refuse(const struct import_array *array, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif

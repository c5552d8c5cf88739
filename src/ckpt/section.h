/* A section is one group of a checkpoint, item by item: the same list of statements writes it, reads it, and
 * checks it.
 *
 * Every item goes into the group's hash as it passes, so the hash is over names, shapes and values in the
 * order of the list:
 *
 *     hash = combine(hash, hash of name), then combine(hash, kind), then combine(hash, size) for each size,
 *            then combine(hash, hash of the values' bytes)
 *
 * It begins with 0. Kind and sizes are 64-bit integers, values little-endian, texts without a final zero. The
 * value of a list of texts is the combined hash of them, beginning with 0. A group inside counts as an item
 * of kind 5 without sizes whose value is its own hash. */
#ifndef CKPT_SECTION_H
#define CKPT_SECTION_H

#include "base/error.h"
#include "h5/h5.h"

#include <stddef.h>
#include <stdint.h>

enum section_way {
    SECTION_WRITE,
    SECTION_READ,
    SECTION_CHECK /* reads and hashes, keeps nothing */
};

enum section_kind {
    SECTION_INTEGER = 1, /* int64, attribute or set */
    SECTION_REAL = 2,    /* float64 */
    SECTION_FLOAT = 3,   /* float32 */
    SECTION_TEXT = 4,
    SECTION_GROUP = 5
};

struct section {
    enum section_way way;
    struct h5_image *image; /* writing */
    struct h5_file *file;   /* reading and checking */
    int64_t version;        /* format of the file */
    int edited;             /* reading: 1: a hash may be missing or wrong, as it is to be made anew */
    size_t most;            /* bytes a set may have: no allocation before this is known */
    char group[128];        /* "/model" */
    void *room;             /* checking: what arrays are read to, one after the other, and its bytes */
    size_t room_bytes;
    uint64_t hash;
    int failed; /* after the first failure items do nothing */
    struct error *error;
};

/* Starts a group of the file that `parent` is in; writing creates it. */
void section_begin(struct section *section, const struct section *parent, const char *group);

/* Writes the hash, or compares it unless the file is an edited one. Must be called for each group that was
 * begun, as it ends what checking has read to. Returns -1 where anything failed since the beginning. */
int section_end(struct section *section);

/* Takes the hash of a group inside that has ended into this one's. */
void section_add_group(struct section *section, const struct section *inner, const char *name);

/* Reports a fault of the group's content; returns -1. */
int section_fail(struct section *section, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Attributes. Reading fails where one is missing, or outside least .. most. */
void section_integer(struct section *section, const char *name, int64_t *value, int64_t least, int64_t most);
void section_real(struct section *section, const char *name, double *value);
void section_text(struct section *section, const char *name, char **value);    /* read: memory_destroy */
void section_hash(struct section *section, const char *name, uint64_t *value); /* 16 hex digits */
/* One of the names, which end with NULL; *value is its place. */
void section_choice(struct section *section, const char *name, const char *const *names, int *value);

/* Sets. A long text is a set of one row. */
void section_long_text(struct section *section, const char *name, char **value); /* read: memory_destroy */
/* A list of texts that may be missing: *texts is NULL then, and *n 0. What is read is one block
 * (h5_read_texts). */
void section_texts(struct section *section, const char *name, size_t *n, char ***texts);
void section_reals(struct section *section, const char *name, size_t n, double *values);
void section_floats(
    struct section *section, const char *name, int dimensions, const size_t *size, float *values);

/* Writes the path of an item, as "/model/name". */
void section_path(const struct section *section, const char *name, char *path, size_t size);

#endif

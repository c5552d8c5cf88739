/* Where the entries of a file begin, found by their keys: 32 bytes an entry, whatever the keys. */
#ifndef DATA_IMPORT_MARKS_H
#define DATA_IMPORT_MARKS_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

struct mark {
    uint64_t hash; /* of the key */
    int64_t at;    /* byte at which the entry begins */
    int64_t lines; /* before it */
    int used;      /* it was found */
};

/* Zeroes are no marks. */
struct marks {
    struct mark *mark;
    size_t count, room;
};

int marks_add(struct marks *marks, const char *key, int64_t at, int64_t lines, struct error *error);

/* To be called once all are added. Returns the place of a mark whose key has come before, for the caller to
 * name, or -1 where each came once. */
int64_t marks_order(struct marks *marks);

/* Finds a key and notes that it was; NULL: there is none. */
struct mark *marks_find(struct marks *marks, const char *key);

/* Puts them back into the order of the file; nothing is found any more. */
void marks_restore(struct marks *marks);

void marks_finish(struct marks *marks);

#endif

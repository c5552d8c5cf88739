/* Kaldi's symbol tables: lines "SYMBOL NUMBER". */
#ifndef DATA_IMPORT_SYMBOLS_H
#define DATA_IMPORT_SYMBOLS_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

/* By convention this is the symbol of nothing: it gets no class. */
#define SYMBOLS_NOTHING "<eps>"

/* The other symbols in the order of their numbers, which is that of the classes. Zeroes are no table. */
struct symbols {
    char **name;
    int64_t *number; /* rising */
    size_t count, room, number_room;
    int64_t nothing; /* the number of SYMBOLS_NOTHING, or -1 */
};

/* Refuses a symbol or a number that comes twice. On success the caller owes symbols_finish, which takes
 * zeroes. */
int symbols_read(struct symbols *symbols, const char *path, struct error *error);
void symbols_finish(struct symbols *symbols);

/* The class of a number: -1 for that of nothing, -2 where the table has no such number. */
int64_t symbols_find(const struct symbols *symbols, int64_t number);

#endif

/* Records of one size sorted in bounded memory: pieces that fit are sorted and put on the disk, then merged.
 */
#ifndef DATA_IMPORT_SORTER_H
#define DATA_IMPORT_SORTER_H

#include "data/import/spool.h"

/* What records are sorted by: the first that differs. */
struct import_sort_key {
    int64_t sequence;
    double order;
    int64_t line;
};

struct import_run;

/* Zeroes, but for the first member and spool.path. */
struct import_sorter {
    size_t bytes; /* of a record, without its key */
    struct spool spool;
    char *block;   /* [in_block] records with their keys */
    char **sorted; /* [in_block] */
    size_t in_block;
    int64_t written; /* bytes of all pieces */
    struct import_run *run;
    size_t runs, run_room;
    size_t *heap; /* [heaped] pieces, the one with the least record first; NULL: nothing was read yet */
    size_t heaped;
};

int import_sorter_add(
    struct import_sorter *sorter, const struct import_sort_key *key, const void *record, struct error *error);

/* Fetches the next record in order, once all were added: 1, or 0 behind the last, or -1. */
int import_sorter_next(
    struct import_sorter *sorter, struct import_sort_key *key, void *record, struct error *error);

void import_sorter_finish(struct import_sorter *sorter);

#endif

/* Labels that are met as texts or numbers, and the numbers that they get. */
#ifndef DATA_IMPORT_VOCABULARY_H
#define DATA_IMPORT_VOCABULARY_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

/* Zeroes are a list to which each new text is added. */
struct import_vocabulary {
    char **text;    /* [n], in order of first sight until import_vocabulary_order */
    int64_t *count; /* [n]: how often each was met where that is counted */
    size_t n, text_room, count_room;
    uint32_t *slot; /* [slots] a hash table of places + 1; 0: empty */
    size_t slots;
    size_t most;    /* texts; 0: IMPORT_MOST_LABELS */
    int closed;     /* no text is added any more */
    int unnamed;    /* the texts are numbers that stand for themselves */
    int numbered;   /* there are no texts, only numbers below `limit` */
    int64_t limit;  /* 0: any number, and `n` is one more than the largest */
    int32_t *order; /* [n]: the number that the text at each place gets; NULL: its place */
};

/* Finds the number of a label. `counted` says whether it is met where labels are counted. Returns the place,
 * or LABEL_UNKNOWN where the list is closed, LABEL_MANY where it is full, LABEL_MEMORY. */
enum { LABEL_UNKNOWN = -2, LABEL_MANY = -3, LABEL_MEMORY = -4 };
int32_t import_vocabulary_find(struct import_vocabulary *list, const char *text, int counted);

/* The same for a number. */
int32_t import_vocabulary_find_number(struct import_vocabulary *list, int64_t number);

/* Numbers the texts of a list that is not closed: by value where all are whole numbers, else by bytes. With
 * `least` above 0 those that were counted less often have the number of `rare`, which is there in any case.
 * The texts are then in the order of their numbers. */
int import_vocabulary_order(
    struct import_vocabulary *list, int64_t least, const char *rare, struct error *error);

void import_vocabulary_finish(struct import_vocabulary *list); /* takes zeroes */

#endif

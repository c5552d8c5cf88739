/* Rows of a table in any order, handed on sequence by sequence and sorted within each
 * (data/import/records.h). The sequences come as their first rows did. Memory: the names of the sequences,
 * and some MiB. */
#ifndef DATA_IMPORT_ORDERED_H
#define DATA_IMPORT_ORDERED_H

#include "data/import/records.h"
#include "data/import/sorter.h"
#include "data/import/vocabulary.h"

struct import_ordered {
    struct import *import;
    size_t features, values;
    struct import_vocabulary sequences, groups, symbols,
        classes; /* texts in place of which numbers are sorted */
    struct import_sorter sorter;
    char *row; /* one record of the sorter */
};

/* *ordered is ended by import_ordered_finish, also after a failure. */
int import_ordered_init(
    struct import_ordered *ordered, struct import *import, size_t features, size_t values);
void import_ordered_finish(struct import_ordered *ordered); /* takes zeroes */

/* Keeps a row, which stands at `order` within its sequence. */
int import_ordered_add(struct import_ordered *ordered, const struct import_record *record, double order);

/* Hands all of them on. Two rows of a sequence at one place are refused: nothing says which is first. */
int import_ordered_hand_on(struct import_ordered *ordered, struct import_records *records);

#endif

/* Rows of a table that are frames, put together to sequences: what csv reads, and whatever else has a row for
 * each frame with the name of its sequence in it. */
#ifndef DATA_IMPORT_RECORDS_H
#define DATA_IMPORT_RECORDS_H

#include "data/import/sequence.h"

/* A row. What the table does not have is NULL. */
struct import_record {
    const char *sequence, *group;
    const char *symbol;  /* in place of inputs */
    const float *inputs; /* [features] */
    const float *values; /* [values] */
    const char *class;   /* in place of values; NULL: no target */
    int64_t line;
};

/* Zeroes, but for what the first four say. */
struct import_records {
    struct import *import;
    size_t values; /* of a target; 0: classes */
    int has_targets;
    int per_sequence; /* the target is that of the sequence, and the same in all of its rows */
    /* The sequence that is open. */
    int open;
    char *name, *group, *class; /* class, kept: of its first row */
    float *kept;                /* [values] of its first row */
};

/* Adds the next row, which begins a sequence where the name is another one than that of the row before. */
int import_records_add(struct import_records *records, const struct import_record *record);

/* Ends the sequence that is open. */
int import_records_end(struct import_records *records);
void import_records_finish(struct import_records *records);

#endif

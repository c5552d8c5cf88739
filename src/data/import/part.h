/* One of the files that an import makes, until all of its sequences are there. */
#ifndef DATA_IMPORT_PART_H
#define DATA_IMPORT_PART_H

#include "data/import/spool.h"
#include "h5/table.h"

struct import_part {
    char *path;
    int replaces; /* there is a dataset of this name */
    int64_t sequences, frames, targets;
    int64_t missing;     /* NaN among real-valued targets */
    size_t longest_name; /* 0: no sequence has one */
    /* Lengths int64, inputs float or int32, targets float or int32, names each as a size_t and its bytes. */
    struct spool lengths, inputs, target_lengths, target_values, names;
    struct h5_table *table; /* the file, once it is being written */
};

/* Names the file of the part, which keeps the path. What is there and is no dataset is refused, as nothing
 * else is replaced. */
int import_part_init(struct import_part *part, char *path, struct error *error);
void import_part_finish(struct import_part *part); /* takes zeroes */

/* Keeps the end of a sequence: its lengths and its name. */
int import_part_end(
    struct import_part *part, int64_t frames, int64_t targets, const char *name, struct error *error);

/* Write sets from what has waited, into columns of the table. (part.c) */
int import_part_write_offsets(
    struct import_part *part, struct spool *lengths, size_t column, struct error *error);
int import_part_write_names(struct import_part *part, size_t column, struct error *error);

#endif

/* Inputs, targets and their weights seen alike: rows of items of four bytes, floats or integers below a
 * limit, that belong to sequences. For the files of this folder that read or check values. */
#ifndef DATA_VALUES_H
#define DATA_VALUES_H

#include "data/contents.h"

struct values {
    const char *set;        /* "inputs", "targets" or "target_weights" */
    enum dataset_part part; /* PART_INPUTS or PART_TARGETS: whose rows they are */
    int are_weights;        /* finite numbers of 0 and more */
    int64_t rows;
    size_t width;                 /* items of a row */
    int32_t limit;                /* integers from lowest to limit - 1; 0: floats */
    int32_t lowest;               /* 0, or -1 where that is a class that stands for no target */
    int may_lack;                 /* of floats: NaN stands for no target */
    const struct loss_kind *loss; /* of floats: what they are targets of, or NULL */
    int check_kept;               /* lowest or may_lack has changed since the kept ones were checked */
    const int64_t *offsets; /* [sequences + 1] the first row of each sequence; NULL: not known (faulty) */
    const void *kept;       /* [rows][width] in memory, or NULL */
};

struct values values_of_inputs(const struct dataset *dataset);
struct values values_of_targets(const struct dataset *dataset); /* only where has_targets */
struct values values_of_weights(const struct dataset *dataset); /* only where has_weights */

/* Writes those of a dataset, in this order, and returns how many there are. */
enum { VALUES_MOST = 3 };
size_t values_of_all(const struct dataset *dataset, struct values list[static VALUES_MOST]);

/* Bytes of all rows in memory. */
size_t values_bytes(const struct values *values);

/* Rows that one block holds: a few MiB, one row at least; and the bytes of such a block, or of all rows where
 * they are fewer. */
int64_t values_block_rows(const struct values *values);
size_t values_block_bytes(const struct values *values);

/* Returns the sequence of a row, whose offsets are known: the last one that begins at or before it and is not
 * empty. */
int64_t values_find_sequence(const struct dataset *dataset, const struct values *values, int64_t row);

/* Returns how many rows lie in a file of the set. */
int64_t values_count_rows(const struct dataset *dataset, const struct values *values, size_t file);

/* Rows that lie in one file, counted as there. */
struct file_rows {
    const struct dataset_file *file;
    int64_t first, rows;
};

/* Returns those of rows first .. first + rows - 1 that lie in one file with the first of them. */
struct file_rows values_find_rows(
    const struct dataset *dataset, const struct values *values, int64_t first, int64_t rows);

/* Reads rows first .. first + rows - 1 from the files into out [rows][width], unchecked. */
int values_read(const struct dataset *dataset, const struct values *values, int64_t first, int64_t rows,
    void *out, struct error *error);

#endif

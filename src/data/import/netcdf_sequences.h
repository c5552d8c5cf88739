/* What the files of CURRENNT and RNNLIB have in common: sequences end to end in `inputs`, their lengths in
 * `seqLengths`, their names in `seqTags`, names of classes in `labels`. */
#ifndef DATA_IMPORT_NETCDF_SEQUENCES_H
#define DATA_IMPORT_NETCDF_SEQUENCES_H

#include "data/import/netcdf.h"
#include "data/import/sequence.h"

struct netcdf_sequences {
    struct netcdf file;
    int64_t count, frames;
    struct netcdf_variable inputs, tags;
    int64_t *length;   /* [count] */
    char **class_name; /* [classes]; NULL: the classes have no names */
    int64_t classes;   /* of the dimension numLabels; 0: it is not there */
    float *row;        /* [row_room] for values on their way */
    size_t row_room;
};

/* Opens the source and holds its counts against each other. On success the caller owes
 * netcdf_sequences_close, which also takes zeroes. */
int netcdf_sequences_open(struct netcdf_sequences *sequences, struct import *import);
void netcdf_sequences_close(struct netcdf_sequences *sequences);

/* Finds a variable that has to have so many rows. Returns 1, 0 where it is not there, or -1. */
int netcdf_sequences_find(struct netcdf_sequences *sequences, struct import *import, const char *name,
    int64_t rows, struct netcdf_variable *variable);

/* Reads the texts of all rows of a variable: the caller's, as netcdf_sequences_free_texts takes them. */
char **netcdf_sequences_read_texts(
    struct netcdf_sequences *sequences, struct import *import, const struct netcdf_variable *variable);
void netcdf_sequences_free_texts(char **texts, int64_t rows); /* takes NULL */

/* Says in a shape which classes there are. */
void netcdf_sequences_describe_classes(const struct netcdf_sequences *sequences, struct import_shape *shape);

/* Begins sequence s, which begins with frame `first`, and adds its frames. */
int netcdf_sequences_begin(
    struct netcdf_sequences *sequences, struct import *import, int64_t s, int64_t first);

/* Add targets of a sequence, rows first .. first + rows - 1: real values, or classes, of which those below 0
 * are no target. */
int netcdf_sequences_add_values(struct netcdf_sequences *sequences, struct import *import,
    const struct netcdf_variable *variable, int64_t first, int64_t rows);
int netcdf_sequences_add_classes(struct netcdf_sequences *sequences, struct import *import,
    const struct netcdf_variable *variable, int64_t first, int64_t rows);

#endif

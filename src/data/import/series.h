/* Time series as archives of them have them: dimension by dimension, a case after the other. */
#ifndef DATA_IMPORT_SERIES_H
#define DATA_IMPORT_SERIES_H

#include "data/import/lines.h"

/* Zeroes, but for `lines`. */
struct import_series {
    struct import_lines *lines;
    size_t dimensions;           /* of all cases; 0: not known yet */
    int has_classes, has_values; /* what follows a case */
    char **classes;              /* [class_count] of the header, or none: those that are met */
    size_t class_count, class_room;
    int declared;
    /* The case that is being read, [dimensions][length], without the rows behind the first dimension yet. */
    float *value;
    size_t values, room, length; /* of the first dimension */
    size_t read_dimensions;
    float *rows; /* room for some frames */
};

/* Adds a class that the header names. */
int import_series_add_class(struct import_series *series, const char *name, size_t bytes);

/* Reads the values of one dimension, with commas (or `separator`) between, up to the end of the text. */
int import_series_read_dimension(struct import_series *series, char *text, char separator);

/* Ends the case, whose target follows as text: "?" or "" is none. `trim` leaves out frames at the end that
 * have no value at all, which pad what is shorter. The first case declares the source. */
int import_series_end(struct import_series *series, const char *target, int trim);

void import_series_finish(struct import_series *series);

/* Reads the source to its end, in one of three forms. */
int import_series_read_ts(struct import_series *series);
int import_series_read_arff(struct import_series *series);
int import_series_read_tsv(struct import_series *series);

#endif

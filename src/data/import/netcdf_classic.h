/* NetCDF files of the classic formats, with offsets of 32 bits ("CDF\1") and of 64 ("CDF\2", and "CDF\5" with
 * counts of 64 bits too): what CURRENNT and RNNLIB read. The layout is that of appendix B of the NetCDF
 * user's guide.
 *
 * The NetCDF library is not used: version 4.9 hands over zeroes, and no error, where such a file is cut off,
 * and does not say where the values of a variable lie, by which that could be known. */
#ifndef DATA_IMPORT_NETCDF_CLASSIC_H
#define DATA_IMPORT_NETCDF_CLASSIC_H

#include "data/import/bounded.h"

enum { CLASSIC_NAME_BYTES = 257, CLASSIC_MOST_DIMENSIONS = 4 };

enum classic_type {
    CLASSIC_BYTE = 1,
    CLASSIC_CHAR,
    CLASSIC_SHORT,
    CLASSIC_INT,
    CLASSIC_FLOAT,
    CLASSIC_DOUBLE,
    CLASSIC_UBYTE,
    CLASSIC_USHORT,
    CLASSIC_UINT,
    CLASSIC_INT64,
    CLASSIC_UINT64
};

struct classic_dimension {
    char name[CLASSIC_NAME_BYTES];
    int64_t size; /* of the one that grows the number of records */
    int is_record;
};

struct classic_variable {
    char name[CLASSIC_NAME_BYTES];
    enum classic_type type;
    int dimensions;
    int64_t size[CLASSIC_MOST_DIMENSIONS];
    int64_t begin;  /* byte of the first row */
    int64_t stride; /* bytes from row to row */
    int is_record;
};

struct classic_file {
    struct bounded_file file;
    struct classic_dimension *dimension;
    struct classic_variable *variable;
    size_t dimensions, variables, dimension_room, variable_room;
    int version;
    int64_t records; /* -1: as many as the file has room for */
};

/* Reads the header. On success the caller owes classic_close, which also takes zeroes. */
int classic_open(struct classic_file *classic, const char *path, struct error *error);
void classic_close(struct classic_file *classic);

/* NULL: there is none of this name. */
const struct classic_dimension *classic_find_dimension(const struct classic_file *classic, const char *name);
const struct classic_variable *classic_find_variable(const struct classic_file *classic, const char *name);

/* Is the whole variable in the file? Refuses one that is not. */
int classic_check(struct classic_file *classic, const struct classic_variable *variable, struct error *error);

/* Elements of a row: of all dimensions but the first. */
int64_t classic_width(const struct classic_variable *variable);

/* Read rows of a variable that was checked: numbers as doubles, or characters as they are. */
int classic_read_numbers(struct classic_file *classic, const struct classic_variable *variable, int64_t first,
    int64_t rows, double *out, struct error *error);
int classic_read_characters(struct classic_file *classic, const struct classic_variable *variable,
    int64_t row, char *out, struct error *error);

#endif

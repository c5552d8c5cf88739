/* NetCDF files as CURRENNT and RNNLIB have them: dimensions, and variables that are read by rows. The classic
 * formats are read by data/import/netcdf_classic.h, NetCDF-4, which is HDF5, by h5/h5.h. */
#ifndef DATA_IMPORT_NETCDF_H
#define DATA_IMPORT_NETCDF_H

#include "data/import/netcdf_classic.h"
#include "h5/h5.h"

struct netcdf {
    struct h5_file *h5; /* NULL: a classic one */
    struct classic_file classic;
    char *name; /* of the file */
};

enum { NETCDF_MOST_WIDTH = 1 << 24 }; /* elements of a row */

enum netcdf_kind { NETCDF_CHARACTERS, NETCDF_INTEGERS, NETCDF_FLOATS, NETCDF_STRINGS };

/* A variable of one or two dimensions. */
struct netcdf_variable {
    const char *name;
    enum netcdf_kind kind;
    int64_t rows, width; /* 1: it has one dimension */
    int dimensions;
    const struct classic_variable *classic;
};

/* On success the caller owes netcdf_close, which also takes zeroes. */
int netcdf_open(struct netcdf *netcdf, const char *path, struct error *error);
void netcdf_close(struct netcdf *netcdf);

/* Finds a dimension: 1 and its size; 0: there is none; -1 and an error. */
int netcdf_find_dimension(struct netcdf *netcdf, const char *name, int64_t *size, struct error *error);

/* Finds a variable, and that all of it is in the file: 1, 0 or -1, as above. `name` is kept by reference. */
int netcdf_find(
    struct netcdf *netcdf, const char *name, struct netcdf_variable *variable, struct error *error);

/* Read rows: numbers of any type as floats or as integers, whole ones; the characters or the string of one
 * row, up to the first zero byte, as a text that is the caller's (memory_destroy). Text that is no UTF-8 is
 * refused. */
int netcdf_read_floats(struct netcdf *netcdf, const struct netcdf_variable *variable, int64_t first,
    int64_t rows, float *out, struct error *error);
int netcdf_read_integers(struct netcdf *netcdf, const struct netcdf_variable *variable, int64_t first,
    int64_t rows, int64_t *out, struct error *error);
char *netcdf_read_text(
    struct netcdf *netcdf, const struct netcdf_variable *variable, int64_t row, struct error *error);

#endif

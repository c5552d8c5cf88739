/* A file with tables that may be larger than memory: the rest of it is built as an image (h5/h5.h), the rows
 * of the tables are written one block after the other, in any order.
 *
 * HDF5 itself never writes to the disk, where a failure would leave it in a state in which it aborts the
 * process at its end: a full disk is an error like any other. The file appears under its name when it is
 * whole (base/file.h). Equal calls give equal bytes. The image is all that is kept in memory. */
#ifndef H5_TABLE_H
#define H5_TABLE_H

#include "h5/h5.h"

struct h5_table;

/* The table is the caller's, who ends it by h5_table_finish or h5_table_destroy. */
struct h5_table *h5_table_create(struct error *error);

/* The small sets and the attributes go into this image. It is the table's, and must not be finished nor
 * destroyed. */
struct h5_image *h5_table_image(struct h5_table *table);

/* Declares a set of one or two dimensions whose rows follow, and returns its number: at most H5_TABLE_COLUMNS
 * of them. `name` is kept by reference until h5_table_start, in which a failure shows. After the start the
 * set gets its place at once, behind those before it, and a failure shows in h5_table_finish. */
enum { H5_TABLE_COLUMNS = 6 };
size_t h5_table_add(
    struct h5_table *table, const char *name, enum h5_number number, int dimensions, const int64_t *size);

/* The same for a set of texts, which lie in `width` bytes each, with zeroes behind those that are shorter:
 * UTF-8, as h5_image_texts makes them. */
size_t h5_table_add_texts(struct h5_table *table, const char *name, int64_t rows, size_t width);

/* Begins the file: takes room on the disk for all that is known of it where the file system can. The image is
 * complete then. path NULL: it is to get no name, but to be poured out. */
int h5_table_start(struct h5_table *table, const char *path, struct error *error);

/* Rows first .. first + rows - 1 of a column, as they are in memory. Rows never written are zero. */
int h5_table_write(struct h5_table *table, size_t column, int64_t first, int64_t rows, const void *values,
    struct error *error);

/* Makes the file durable and gives it its name. Destroys the table in every case. */
int h5_table_finish(struct h5_table *table, struct error *error);

/* The same for a file without a name: its bytes go to `write`, piece by piece from the first to the last, and
 * nothing is left of it. What `write` fails with is returned. */
int h5_table_pour(struct h5_table *table,
    int (*write)(void *context, const void *bytes, size_t size, struct error *error), void *context,
    struct error *error);
void h5_table_destroy(struct h5_table *table); /* leaves no file; takes NULL */

#endif

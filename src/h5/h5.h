/* HDF5 as the rest of the program sees it: tables that are read by rows, and files built in memory.
 *
 * This folder is the only one that includes hdf5.h. No function here is collective; any rank may call any of
 * them. HDF5 is not called from two threads at once: a lock in this folder sees to it, so a reading thread is
 * allowed. HDF5's own error stack is never printed; its innermost message is worked into the struct error.
 * Texts begin with the file's name and name the set or attribute.
 *
 * Names are paths inside the file, "/inputs" or "inputs". Links to other files, external storage and virtual
 * datasets are refused on reading: a file says nothing about other files. */
#ifndef H5_H5_H
#define H5_H5_H

#include "base/error.h"
#include "base/identity.h"

#include <stddef.h>
#include <stdint.h>

enum { H5_MOST_DIMENSIONS = 4 };

enum h5_kind { H5_INTEGER, H5_FLOAT, H5_TEXT, H5_OTHER };

/* Numbers in memory. */
enum h5_number { H5_FLOAT32, H5_FLOAT64, H5_INT32, H5_INT64 };

/* What a set is, before any of it is read. */
struct h5_shape {
    enum h5_kind kind; /* booleans of h5py are integers, 0 and 1 */
    const char *what;  /* the elements, for a message: "integers", "references" */
    size_t bytes;      /* of one element in the file */
    int dimensions;    /* 0: a scalar */
    int64_t size[H5_MOST_DIMENSIONS];
};

/* ---- reading ---- */

struct h5_file;

/* Is this an ordinary file that begins as HDF5 does? One that begins with a block of the user's does not. */
int h5_has_signature(const char *path);

/* Opens for reading without taking HDF5's file lock (Lustre, NFS). `cache` bytes go to the caches of decoded
 * chunks of all sets together, and to each such set one chunk at least; HDF5's own cache of headers takes
 * some MiB beside. Reads of many rows take no more memory than those of one. Owned by the caller, ended by
 * h5_close. NULL and an error (EXIT_CODE_IO: cannot be opened, does not exist; EXIT_CODE_DATA: no HDF5 file,
 * truncated). */
struct h5_file *h5_open(const char *path, size_t cache, struct error *error);

/* The same for a file that lies in memory: `image` is not copied and must stay until h5_close. `name` stands
 * for the path in errors. */
struct h5_file *h5_open_image(const void *image, size_t size, const char *name, struct error *error);
void h5_close(struct h5_file *file); /* takes NULL */
const char *h5_name(const struct h5_file *file);

/* Says what the system knows of the open file, as it is now: not of one in memory. It does not wait for a
 * thread that reads. EXIT_CODE_IO: the system does not know it any more. */
int h5_identify(const struct h5_file *file, struct file_identity *identity, struct error *error);

/* Returns the bytes of decoded chunks that are kept at most, of the sets that were looked at so far. */
size_t h5_count_cache(const struct h5_file *file);

/* Returns 1 if there is such an object (set or group), else 0. */
int h5_has(struct h5_file *file, const char *name);

/* Names of the sets in a group, in order of name: calls `each` for every one; a nonzero return stops and is
 * returned. */
int h5_list(struct h5_file *file, const char *group, int (*each)(void *context, const char *name),
    void *context, struct error *error);

/* Says what a set is, without reading its values. It stays open until the file is closed. */
int h5_look(struct h5_file *file, const char *name, struct h5_shape *shape, struct error *error);

/* Says how long a set of one dimension is that need not have values, as the dimensions of NetCDF-4 have none.
 */
int h5_look_at_length(struct h5_file *file, const char *name, int64_t *length, struct error *error);

/* How a set lies in its file: chunks of so many rows, side by side where one does not hold whole rows. */
struct h5_chunks {
    int64_t rows; /* 0: the set is read where it lies, no chunk is fetched whole */
    int64_t kept; /* how many the cache of the set has room for, counted as if they held whole rows */
    size_t bytes; /* of one, decoded, counted likewise */
    int filtered; /* they are decompressed when they are fetched */
};
int h5_look_at_chunks(struct h5_file *file, const char *name, struct h5_chunks *chunks, struct error *error);

/* Read rows first .. first + rows - 1 of the leading dimension, all of the others, converted from any integer
 * or float width; `out` holds rows * (product of the other dimensions) items and belongs to the caller.
 * Reading integers from a float set, or numbers from text, is an error that says so. A scalar counts as one
 * row. */
int h5_read_floats(
    struct h5_file *file, const char *name, int64_t first, int64_t rows, float *out, struct error *error);
int h5_read_doubles(
    struct h5_file *file, const char *name, int64_t first, int64_t rows, double *out, struct error *error);
int h5_read_integers(
    struct h5_file *file, const char *name, int64_t first, int64_t rows, int64_t *out, struct error *error);
int h5_read_int32(struct h5_file *file, const char *name, int64_t first, int64_t rows, int32_t *out,
    struct error *error); /* values beyond 32 bits become the nearest that fits */

/* Writes the integer of a row as it is in the file, for a message: also one that reading had to bring into
 * fewer bits. Returns -1, and leaves the text, where the set is no [rows] of integers or cannot be read. */
enum { H5_INTEGER_TEXT = 24 };
int h5_write_integer(struct h5_file *file, const char *name, int64_t row, char text[H5_INTEGER_TEXT]);

/* Reads one string per row, of fixed or variable length in the file; *out is one block owned by the caller
 * (memory_destroy): `rows` pointers followed by the texts they point to, each ended by 0. Whatever character
 * set the file speaks of, a row that is not UTF-8 is an error that names it: it would come out where UTF-8 is
 * promised. */
int h5_read_texts(
    struct h5_file *file, const char *name, int64_t first, int64_t rows, char ***out, struct error *error);

/* The same for any bytes: a command line, say, is what its user typed. */
int h5_read_any_texts(
    struct h5_file *file, const char *name, int64_t first, int64_t rows, char ***out, struct error *error);

/* Reads rows of a set [all][width] of single characters, as NetCDF-4 has texts: rows * width bytes, whatever
 * they are, which belong to the caller. */
int h5_read_characters(
    struct h5_file *file, const char *name, int64_t first, int64_t rows, char *out, struct error *error);

/* Read attributes of `object` ("/" is the file's own). They return 1 when there, 0 when absent, -1 and an
 * error when it is of another type. *text belongs to the caller (memory_destroy). */
int h5_attribute_integer(
    struct h5_file *file, const char *object, const char *name, int64_t *value, struct error *error);
int h5_attribute_double(
    struct h5_file *file, const char *object, const char *name, double *value, struct error *error);
int h5_attribute_text(
    struct h5_file *file, const char *object, const char *name, char **text, struct error *error);

/* Reads an attribute of one to `most` integers, and returns how many they are; 0 and -1 as above. */
int h5_attribute_integers(struct h5_file *file, const char *object, const char *name, int64_t *values,
    int most, struct error *error);

/* "HDF5 1.10.8" of the library at run time. */
void h5_version(char *text, size_t size);

/* ---- building a file in memory ----
 *
 * Equal calls give equal bytes: no times are kept. Every function but create, copy and finish returns
 * nothing: the first failure is remembered and finish returns it. Sets lie in one piece unless
 * h5_image_deflate was called. */

struct h5_image;

struct h5_image *h5_image_create(struct error *error);

/* Sets of rank 1 or 2 above 64 KiB that follow are chunked by rows and deflated at this level (1 to 9; 0:
 * not). */
void h5_image_deflate(struct h5_image *image, int level);

void h5_image_group(struct h5_image *image, const char *name); /* parents first */
void h5_image_floats(
    struct h5_image *image, const char *name, int dimensions, const int64_t *size, const float *values);
void h5_image_doubles(
    struct h5_image *image, const char *name, int dimensions, const int64_t *size, const double *values);
void h5_image_int32(
    struct h5_image *image, const char *name, int dimensions, const int64_t *size, const int32_t *values);
void h5_image_int64(
    struct h5_image *image, const char *name, int dimensions, const int64_t *size, const int64_t *values);
/* The texts are of fixed length in the file, UTF-8, as long as the longest of them (at least 1). */
void h5_image_texts(struct h5_image *image, const char *name, int64_t rows, const char *const *texts);
void h5_image_attribute_int32(struct h5_image *image, const char *object, const char *name, int32_t value);
void h5_image_attribute_int64(struct h5_image *image, const char *object, const char *name, int64_t value);
void h5_image_attribute_double(struct h5_image *image, const char *object, const char *name, double value);
void h5_image_attribute_text(struct h5_image *image, const char *object, const char *name, const char *text);

/* Closes the image and hands over its bytes (the caller's, memory_destroy), with H5_IMAGE_ROOM zero bytes of
 * room behind them. Destroys `image` in every case. */
enum { H5_IMAGE_ROOM = 128 };
int h5_image_finish(struct h5_image *image, void **bytes, size_t *size, struct error *error);
void h5_image_destroy(struct h5_image *image); /* without finishing; takes NULL */

#endif

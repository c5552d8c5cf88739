/* What the files of this folder share; only this folder includes hdf5.h. Everything here is to be called
 * between h5_lock and h5_unlock. */
#ifndef H5_INTERNAL_H
#define H5_INTERNAL_H

#include "base/error.h"
#include "h5/h5.h"
#include "h5/trap.h"

#include <hdf5.h>

hid_t h5_memory_type(enum h5_number number); /* of the library: not to be closed */

/* How many characters a string of `width` bytes has without its padding. */
size_t h5_text_length(const char *text, size_t width, H5T_str_t padding);

/* Has an element bytes at all, and a number its bits within them? HDF5 takes a file's word for it, and reads
 * what lies beside the value. */
int h5_is_sound(hid_t type);

/* The kind of elements of a type, and what to call several of them in a message. */
enum { H5_MOST_BYTES = 64 }; /* of a boolean */
enum h5_kind h5_kind_of(hid_t type, const char **what);

/* A set that stays open between reads. */
struct h5_set {
    char *name; /* without the leading "/" */
    hid_t id, space;
    struct h5_shape shape;
    hsize_t chunk[H5_MOST_DIMENSIONS]; /* elements of a chunk; zeroes where the set is not chunked */
    int filtered, plain;               /* chunks are compressed; they are read where they lie */
    size_t kept;                       /* chunks that its cache has room for */
};

struct h5_file {
    char *name;
    int in_memory; /* opened by h5_open_image */
    hid_t id;
    int descriptor;    /* of the open file, which is HDF5's; -1 of one in memory */
    hid_t link_access; /* follows links inside the file, refuses those to others */
    int elsewhere;     /* such a link was met since it was last cleared */
    uint64_t bytes;    /* of the file */
    size_t cache_left; /* bytes not yet given to a set */
    size_t cache_room; /* bytes that the caches of sets have room for */
    size_t sets, room;
    struct h5_set *set;
};

/* An error with HDF5's innermost message behind it: EXIT_CODE_IO where the reading or writing itself failed,
 * EXIT_CODE_INTERNAL where there was no memory, else EXIT_CODE_DATA. Of a file on disk HDF5 asks for whatever
 * a damaged size says: that is DATA as long as there is memory for what a sound file needs. `file` NULL: an
 * image that is being built. To be called first thing after the failure: whatever is called of HDF5 clears
 * its error stack. Returns -1. */
int h5_failed(const struct h5_file *file, struct error *error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Writes HDF5's innermost message, "" where there is none, and returns what it is about. */
enum exit_code h5_innermost(char *text, size_t size);

/* Returns whether a file of so many bytes, where HDF5 had no memory for what it asked for, is to blame: 0
 * where there is none left for a sound one either. */
int h5_asks_too_much(uint64_t bytes);

/* What makes room where HDF5 has none. */
extern const char h5_memory_remedy[];

/* A path without its leading slashes; "" is the root. */
const char *h5_path(const char *name);
int h5_exists(struct h5_file *file, const char *name); /* 1 or 0; a link to elsewhere counts as there */
int h5_refuse_links(struct h5_file *file, hid_t link_access); /* makes an access list refuse other files */
/* Says why an object could not be opened, and returns -1. */
int h5_unopened(struct h5_file *file, const char *kind, const char *name, struct error *error);

/* Returns the set of that name, which it opens the first time and which is the file's; NULL and an error. */
struct h5_set *h5_find_set(struct h5_file *file, const char *name, struct error *error);
void h5_close_set(struct h5_set *set);
int h5_check_rows(
    const struct h5_file *file, const struct h5_set *set, int64_t first, int64_t rows, struct error *error);

/* Reads rows, which are in the set, as elements of `type`; -1 where that fails, for h5_failed. */
int h5_read_rows(const struct h5_set *set, hid_t type, int64_t first, int64_t rows, void *out);

/* Finds the chunks of a set whose shape is known. */
void h5_find_chunks(struct h5_set *set, hid_t creation);
size_t h5_chunk_bytes(const struct h5_set *set);   /* decoded; 0 where the set is not chunked */
hsize_t h5_count_chunks(const struct h5_set *set); /* that the set consists of */
/* Are the values of a set in this file, all of them, and can they be? Its shape and chunks are known. */
int h5_check_storage(
    const struct h5_file *file, const struct h5_set *set, hid_t creation, struct error *error);
/* Does HDF5 have the filters that the first chunk of a set went through? */
int h5_check_filters(
    const struct h5_file *file, const struct h5_set *set, hid_t creation, struct error *error);
/* Says why rows could not be read, as h5_failed, and returns -1. */
int h5_unread(
    const struct h5_file *file, const struct h5_set *set, int64_t first, int64_t rows, struct error *error);
/* Opens a chunked set again with its part of the file's cache; -1 where that fails, for h5_failed. */
int h5_give_cache(struct h5_file *file, struct h5_set *set, hid_t creation, hid_t access);

#endif

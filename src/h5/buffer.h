/* Files that lie in memory, without the copies HDF5 makes by itself: a checkpoint may be as large as what
 * memory is left. */
#ifndef H5_BUFFER_H
#define H5_BUFFER_H

#include <hdf5.h>
#include <stddef.h>

/* Opens an image where it lies; it must stay there until the file is closed. */
hid_t h5_buffer_open(const char *name, const void *image, size_t size);

/* The memory of a file that is being built. */
struct h5_buffer {
    char *bytes;
    size_t size;     /* bytes allocated */
    int kept;        /* 1: HDF5 has let go of it, and it is ours */
    size_t metadata; /* bytes set aside for headers at a time; 0: HDF5's default */
};

/* Creates a file that grows in `buffer`, which must outlive it. */
hid_t h5_buffer_create(const char *name, hid_t creation, struct h5_buffer *buffer);

#endif

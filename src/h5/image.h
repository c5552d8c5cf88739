/* The inside of a file that is being built in memory: what image.c and table.c share. Everything here is to
 * be called between h5_lock and h5_unlock. */
#ifndef H5_IMAGE_H
#define H5_IMAGE_H

#include "h5/buffer.h"
#include "h5/internal.h"

struct h5_image {
    struct h5_buffer buffer;
    hid_t file, group_creation;
    int deflate;
    struct error error; /* the first failure; code 0: none */
};

/* `metadata`: bytes that are set aside for headers at a time, 0 as HDF5 has it. This function takes the lock
 * itself. */
struct h5_image *h5_image_create_with(size_t metadata, struct error *error);

/* Keeps the failure of "set" or "attribute" `name`, with HDF5's message. */
void h5_image_fail(struct h5_image *image, const char *what, const char *name);

hid_t h5_image_timeless(hid_t class);   /* a property list of this class without times */
hid_t h5_image_text_type(size_t width); /* UTF-8 in so many bytes, filled with zeroes; negative: it failed */
hid_t h5_image_space(int dimensions, const int64_t *size);

#endif

/* The line behind the image of a checkpoint, with its hash and length. */
#ifndef CKPT_SEAL_H
#define CKPT_SEAL_H

#include <stddef.h>

enum { SEAL_BYTES = 58 };
enum seal { SEAL_RIGHT, SEAL_WRONG, SEAL_ABSENT };

/* Writes the line of an image of `size` bytes. */
void seal_write(const void *image, size_t size, char line[SEAL_BYTES]);

/* Checks the line behind an image; `size` is that of both. */
enum seal seal_check(const void *bytes, size_t size);

#endif

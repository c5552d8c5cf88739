/* Aligned memory, and an arena sized by a planning pass. */
#ifndef BASE_MEMORY_H
#define BASE_MEMORY_H

#include "base/error.h"

#include <stddef.h>

enum { MEMORY_ALIGNMENT = 64 }; /* bytes: one cache line, one AVX-512 vector */

/* n * size bytes, zeroed, aligned to MEMORY_ALIGNMENT; large blocks ask the kernel for huge pages, and of
 * very large ones each page comes into memory when it is first written. The caller owns the block and ends it
 * with memory_destroy. NULL and an error when there is no such memory or n * size overflows. n = 0 gives a
 * valid block of no bytes. */
void *memory_create(size_t n, size_t size, struct error *error);
void memory_destroy(void *block); /* takes NULL */

/* Is all of a block of so many bytes written to when it is created, so that it is in memory from then on?
 * (Where memory is locked, all of any block is.) */
int memory_is_written(size_t bytes);

/* Gives whole pages at the end of a block of `size` bytes back to the system: `bytes`, or as many as there
 * are. What stood there is lost; its place is zero, and takes memory again once it is written. Returns how
 * many bytes were given back; with block NULL, which stands for one that begins with a page, how many would
 * be. */
size_t memory_give_back(void *block, size_t size, size_t bytes);

/* To be called once, before there are threads: what is freed of large blocks goes back to the system from
 * then on. The GNU C library's malloc would keep blocks of up to 32 MiB once it has seen one freed, and
 * what a process takes could not be foreseen. */
void memory_begin(void);

/* An arena hands out pieces of one block in order and takes them back all at once. With base NULL it only
 * measures: the same code run twice, first on an empty arena, then on one with `size = peak` bytes, cannot
 * disagree about what it needs. */
struct arena {
    char *base;              /* NULL while measuring; owned by the caller */
    size_t size, used, peak; /* bytes */
};

/* n items of `size` bytes, aligned to MEMORY_ALIGNMENT, not cleared. NULL while measuring. Running out of a
 * measured arena is a mistake of ours (assert). In builds with the address sanitizer each piece is followed
 * by at least 64 bytes that nobody may touch, so pieces then take more of the block. */
void *arena_take(struct arena *arena, size_t n, size_t size);

/* Takes all pieces back. In builds with the address sanitizer they are filled with NaN, and may not be
 * touched until they are taken again. */
void arena_reset(struct arena *arena);

#endif

/* Arrays that grow as items come. */
#ifndef BASE_ARRAY_H
#define BASE_ARRAY_H

#include <stddef.h>

/* Makes room for `count` items of `size` bytes each in an array that has room for *room of them. Returns the
 * array, which may have moved, and sets *room; or NULL, with the old array as it was, where there is no
 * memory. An array starts as NULL with *room = 0; the caller ends it with free. */
void *array_reserve(void *array, size_t *room, size_t count, size_t size);

/* Does the same for one item more than the `count` that the array holds. */
void *array_grow(void *array, size_t *room, size_t count, size_t size);

#endif

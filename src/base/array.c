/* The room doubles, so that n items cost no more than 2 n copies. */
#include "base/array.h"

#include <stdint.h>
#include <stdlib.h>

enum { FIRST_ROOM = 16 };

void *array_grow(void *array, size_t *room, size_t count, size_t size)
{
    if (count < *room)
        return array;
    if (*room > (SIZE_MAX / 2 - FIRST_ROOM) / size)
        return NULL;
    size_t wider = 2 * *room + FIRST_ROOM;
    void *moved = realloc(array, wider * size);
    if (moved)
        *room = wider;
    return moved;
}

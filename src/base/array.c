/* The room doubles, so that n items cost no more than 2 n copies. */
#include "base/array.h"

#include <stdint.h>
#include <stdlib.h>

enum { FIRST_ROOM = 16 };

void *array_reserve(void *array, size_t *room, size_t count, size_t size)
{
    size_t most = SIZE_MAX / size;
    if (count <= *room && array)
        return array;
    if (count > most || *room > (most - FIRST_ROOM) / 2)
        return NULL;
    size_t wider = 2 * *room + FIRST_ROOM;
    if (wider < count)
        wider = count;
    void *moved = realloc(array, wider * size);
    if (moved)
        *room = wider;
    return moved;
}

void *array_grow(void *array, size_t *room, size_t count, size_t size)
{
    return array_reserve(array, room, count + 1, size);
}

#include "base/memory.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { HUGE_PAGE = 2 << 20 };

void *memory_create(size_t n, size_t size, struct error *error)
{
    if (size && n > (SIZE_MAX - HUGE_PAGE) / size) {
        error_set(
            error, EXIT_CODE_INTERNAL, "%zu items of %zu bytes are more than memory can address", n, size);
        return NULL;
    }
    size_t bytes = n * size;
    size_t alignment = bytes >= 2 * (size_t)HUGE_PAGE ? HUGE_PAGE : MEMORY_ALIGNMENT;
    size_t rounded = (bytes + alignment) / alignment * alignment;
    void *block = aligned_alloc(alignment, rounded);
    if (!block) {
        error_set(error, EXIT_CODE_INTERNAL, "out of memory: no block of %zu bytes to be had", bytes);
        return NULL;
    }
    if (alignment == HUGE_PAGE)
        madvise(block, rounded, MADV_HUGEPAGE); /* a wish: ordinary pages serve too */
    return memset(block, 0, rounded);
}

void memory_destroy(void *block)
{
    free(block);
}

void *arena_take(struct arena *arena, size_t n, size_t size)
{
    size_t bytes = (n * size + MEMORY_ALIGNMENT - 1) / MEMORY_ALIGNMENT * MEMORY_ALIGNMENT;
    size_t start = arena->used;
    arena->used += bytes;
    if (arena->used > arena->peak)
        arena->peak = arena->used;
    if (!arena->base)
        return NULL;
    assert(arena->used <= arena->size);
    return arena->base + start;
}

void arena_reset(struct arena *arena)
{
    arena->used = 0;
#ifdef RNN_DEBUG
    if (arena->base)
        memset(
            arena->base, 0xff, arena->size); /* all ones is a NaN: what is read before it is written shows */
#endif
}

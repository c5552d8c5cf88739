#define _GNU_SOURCE /* madvise */

#include "base/memory.h"

#include <assert.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED
#endif
#endif

/* Under the address sanitizer nobody may touch what lies between two pieces of an arena, nor a piece that was
 * given back. */
#ifdef SANITIZED
#include <sanitizer/asan_interface.h>
enum { ARENA_GAP = MEMORY_ALIGNMENT };
#else
#define ASAN_POISON_MEMORY_REGION(address, size) ((void)(address), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(address, size) ((void)(address), (void)(size))
enum { ARENA_GAP = 0 };
#endif

enum { HUGE_PAGE = 2 << 20, LARGE_BLOCK = 128 << 10, UNTOUCHED = 32 << 20 /* bytes */ };

/* Asks for huge pages where the block fills them, which is a wish, and for ordinary ones in what is left
 * behind and where malloc keeps its own numbers before: else the kernel may take a whole huge page for
 * either. */
static void advise(char *block, size_t bytes)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), filled = bytes / HUGE_PAGE * HUGE_PAGE;
    madvise(block, filled, MADV_HUGEPAGE);
    madvise(block - page, page, MADV_NOHUGEPAGE);
    madvise(block + filled, (bytes - filled + page - 1) / page * page, MADV_NOHUGEPAGE);
}

int memory_is_written(size_t bytes)
{
#ifdef __linux__
    return bytes < UNTOUCHED;
#else
    return 1;
#endif
}

/* Makes a large block zero. The kernel gives a page of zeroes to whoever first writes there, so that pages of
 * what a large network takes are not touched before they are needed, nor written twice; what malloc had used
 * of them goes back. Smaller blocks are written, which takes no time to speak of: --plan compares what is in
 * memory with sizes of blocks. So are all where pages cannot be given back, as of locked memory. */
static void clear_large(char *block, size_t bytes)
{
    size_t filled = memory_is_written(bytes) ? 0 : bytes / HUGE_PAGE * HUGE_PAGE;
    if (filled && madvise(block, filled, MADV_DONTNEED) != 0)
        filled = 0;
    memset(block + filled, 0, bytes - filled);
}

size_t memory_give_back(void *block, size_t size, size_t bytes)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t before = (page - (uintptr_t)block % page) % page; /* of a page that others may have a part of */
    size_t whole = size > before ? (size - before) / page * page : 0;
    size_t given = bytes < whole ? (bytes + page - 1) / page * page : whole;
#ifdef __linux__
    if (given && block && madvise((char *)block + before + whole - given, given, MADV_DONTNEED) != 0)
        given = 0; /* the memory is locked */
    return given;
#else
    return 0;
#endif
}

void memory_begin(void)
{
#ifdef __GLIBC__
    mallopt(M_MMAP_THRESHOLD, LARGE_BLOCK);
    mallopt(M_TRIM_THRESHOLD, LARGE_BLOCK);
#endif
}

void *memory_create(size_t n, size_t size, struct error *error)
{
    if (size && n > (SIZE_MAX - HUGE_PAGE) / size) {
        error_set(
            error, EXIT_CODE_INTERNAL, "%zu items of %zu bytes are more than memory can address", n, size);
        return NULL;
    }
    size_t bytes = n * size, rounded = (bytes + MEMORY_ALIGNMENT) / MEMORY_ALIGNMENT * MEMORY_ALIGNMENT;
    int large = bytes >= 2 * (size_t)HUGE_PAGE;
    void *block = NULL;
    if (posix_memalign(&block, large ? HUGE_PAGE : MEMORY_ALIGNMENT, rounded) != 0) {
        error_set(error, EXIT_CODE_INTERNAL, "out of memory: no block of %zu bytes to be had", bytes);
        return NULL;
    }
    if (!large)
        return memset(block, 0, rounded);
    advise(block, rounded);
    clear_large(block, rounded);
    return block;
}

void memory_destroy(void *block)
{
    free(block);
}

void *arena_take(struct arena *arena, size_t n, size_t size)
{
    size_t bytes = (n * size + MEMORY_ALIGNMENT - 1) / MEMORY_ALIGNMENT * MEMORY_ALIGNMENT + ARENA_GAP;
    size_t start = arena->used;
    arena->used += bytes;
    if (arena->used > arena->peak)
        arena->peak = arena->used;
    if (!arena->base)
        return NULL;
    assert(arena->used <= arena->size);
    char *piece = arena->base + start;
    ASAN_UNPOISON_MEMORY_REGION(piece, n * size);
    ASAN_POISON_MEMORY_REGION(piece + n * size, bytes - n * size);
    return piece;
}

void arena_reset(struct arena *arena)
{
    arena->used = 0;
#ifdef SANITIZED
    if (arena->base) {
        /* All ones is a NaN, so that what is read from a new piece before it is written shows. */
        ASAN_UNPOISON_MEMORY_REGION(arena->base, arena->size);
        memset(arena->base, 0xff, arena->size);
        ASAN_POISON_MEMORY_REGION(arena->base, arena->size);
    }
#endif
}

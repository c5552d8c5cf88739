/* Which build this processor can run. */
#include "kernel/table.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* In rising order. */
static const struct kernel *const builds[] = {
#define ISA(name) &kernel_##name,
#include "kernel/isa/list.h"
#undef ISA
};

enum { BUILDS = sizeof builds / sizeof *builds };

const char *kernel_list(void)
{
    static const char list[] =
#define ISA(name) " " #name
#include "kernel/isa/list.h"
#undef ISA
        ;
    return list + 1;
}

const struct kernel *kernel_find(const char *name)
{
    if (strcmp(name, kernel_plain.name) == 0)
        return &kernel_plain;
    for (size_t i = 0; i < BUILDS; i++)
        if (strcmp(name, builds[i]->name) == 0)
            return builds[i]->runs() ? builds[i] : NULL;
    return NULL;
}

static size_t first_cache = 32 << 10, second_cache = 512 << 10, last_cache = 32 << 20;

static void find_caches(void)
{
#ifdef _SC_LEVEL1_DCACHE_SIZE
    long first = sysconf(_SC_LEVEL1_DCACHE_SIZE), last = sysconf(_SC_LEVEL3_CACHE_SIZE);
    long second = sysconf(_SC_LEVEL2_CACHE_SIZE);
    if (first >= 16 << 10 && first <= 1 << 20)
        first_cache = (size_t)first;
    if (second >= 128 << 10 && second <= 16 << 20)
        second_cache = (size_t)second;
    if (last >= 1 << 20)
        last_cache = (size_t)last;
#endif
}

size_t kernel_first_cache(void)
{
    return first_cache;
}

size_t kernel_second_cache(void)
{
    return second_cache;
}

size_t kernel_last_cache(void)
{
    return last_cache;
}

const struct kernel *kernel_choose(struct error *error)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT; /* threads may open networks of their own at once */
    pthread_once(&once, find_caches);
    const char *name = getenv("RNN_ISA");
    if (name && *name) {
        const struct kernel *kernel = kernel_find(name);
        if (!kernel)
            error_set(error, EXIT_CODE_USAGE,
                "RNN_ISA=%s: no such build, or not one this processor can run: choose one of %s, or unset it",
                name, kernel_list());
        return kernel;
    }
    const struct kernel *best = NULL;
    for (size_t i = 0; i < BUILDS; i++)
        if (builds[i]->runs())
            best = builds[i];
    return best;
}

/* Which build this processor can run. */
#include "kernel/table.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int runs_always(void)
{
    return 1;
}

#if defined __x86_64__
static int runs_avx2(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

static int runs_avx512(void)
{
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl");
}
#endif

/* In rising order. */
static const struct {
    const struct kernel *kernel;
    int (*runs)(void);
} builds[] = {
    {&kernel_generic, runs_always},
#if defined __x86_64__
    {&kernel_avx2, runs_avx2},
    {&kernel_avx512, runs_avx512},
#elif defined __aarch64__
    {&kernel_neon, runs_always},
#endif
};

enum { BUILDS = sizeof builds / sizeof *builds };

const char *kernel_list(void)
{
#if defined __x86_64__
    return "generic avx2 avx512";
#elif defined __aarch64__
    return "generic neon";
#else
    return "generic";
#endif
}

const struct kernel *kernel_find(const char *name)
{
    if (strcmp(name, kernel_plain.name) == 0)
        return &kernel_plain;
    for (size_t i = 0; i < BUILDS; i++)
        if (strcmp(name, builds[i].kernel->name) == 0)
            return builds[i].runs() ? builds[i].kernel : NULL;
    return NULL;
}

static size_t first_cache = 32 << 10, last_cache = 32 << 20;

static void find_caches(void)
{
#ifdef _SC_LEVEL1_DCACHE_SIZE
    long first = sysconf(_SC_LEVEL1_DCACHE_SIZE), last = sysconf(_SC_LEVEL3_CACHE_SIZE);
    if (first >= 16 << 10 && first <= 1 << 20)
        first_cache = (size_t)first;
    if (last >= 1 << 20)
        last_cache = (size_t)last;
#endif
}

size_t kernel_first_cache(void)
{
    return first_cache;
}

size_t kernel_last_cache(void)
{
    return last_cache;
}

const struct kernel *kernel_choose(struct error *error)
{
    find_caches();
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
        if (builds[i].runs())
            best = builds[i].kernel;
    return best;
}

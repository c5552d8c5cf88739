/* Control groups nest: any folder between that of the process and the root may set the limit that binds. Both
 * versions are asked, since both may be mounted; a limit beyond the machine's memory is none, which is how
 * version 1 says that there is none. */
#define _GNU_SOURCE /* sched_getaffinity */
#include "base/machine.h"

#include <limits.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

size_t machine_count_processors(void)
{
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n > 1 ? (size_t)n : 1;
}

void machine_find_processors(uint64_t set[static MACHINE_SET_WORDS])
{
    const size_t bytes = MACHINE_SET_WORDS * sizeof *set;
    memset(set, 0, bytes);
    if (sched_getaffinity(0, bytes, (cpu_set_t *)set))
        memset(set, 0xff, bytes);
}

/* The bytes that a file about this process has of something. Returns -1 where it has none. */
static int read_use(const char *path, const char *what, size_t *bytes)
{
    char line[256];
    size_t kibibytes, length = strlen(what);
    int found = 0;
    FILE *file = fopen(path, "r");
    while (file && !found && fgets(line, sizeof line, file))
        found = strncmp(line, what, length) == 0 && sscanf(line + length, "%zu kB", &kibibytes) == 1;
    if (file)
        fclose(file);
    if (found)
        *bytes = kibibytes << 10;
    return found ? 0 : -1;
}

/* The counters in `status` may be off by some pages for each thread or processor, which is little beside all
 * libraries and much beside what a process has of its own; there its pages are counted. */
int machine_read_use(struct machine_use *use)
{
    static const char status[] = "/proc/self/status";
    struct machine_use now;
    if (read_use(status, "RssAnon:", &now.own) || read_use(status, "RssFile:", &now.files) ||
        read_use(status, "RssShmem:", &now.shared))
        return -1;
    read_use("/proc/self/smaps_rollup", "Anonymous:", &now.own);
    *use = now;
    return 0;
}

/* Takes a limit that is lower than what is known. */
static void take_limit(struct machine_memory *memory, double bytes, const char *limit)
{
    if (!(bytes > 0) || bytes >= (double)memory->bytes)
        return;
    memory->bytes = (size_t)bytes;
    snprintf(memory->limit, sizeof memory->limit, "%s", limit);
}

static void ask_machine(const char *root, struct machine_memory *memory)
{
    char path[PATH_MAX], line[256];
    size_t kibibytes;
    snprintf(path, sizeof path, "%s/proc/meminfo", root);
    FILE *file = fopen(path, "r");
    while (file && fgets(line, sizeof line, file))
        if (sscanf(line, "MemTotal: %zu kB", &kibibytes) == 1)
            take_limit(memory, (double)kibibytes * 1024, "memory of the machine");
    if (file)
        fclose(file);
}

/* The number in a file; 0 where there is none ("max"). */
static double read_number(const char *path)
{
    double number = 0;
    FILE *file = fopen(path, "r");
    if (file && fscanf(file, "%32lf", &number) != 1)
        number = 0;
    if (file)
        fclose(file);
    return number;
}

/* Asks the folder of a control group and all that it lies in. */
static void ask_group(
    const char *root, const char *mount, char *group, const char *name, struct machine_memory *memory)
{
    char path[PATH_MAX];
    for (;;) {
        snprintf(path, sizeof path, "%s/sys/fs/cgroup%s%s/%s", root, mount, group, name);
        take_limit(memory, read_number(path), "limit of the control group");
        char *last = strrchr(group, '/');
        if (!last)
            return;
        *last = '\0';
    }
}

/* Lines are "0::/a/b" of version 2 and "4:memory:/a/b" of version 1. */
static void ask_groups(const char *root, struct machine_memory *memory)
{
    char path[PATH_MAX], line[2048];
    snprintf(path, sizeof path, "%s/proc/self/cgroup", root);
    FILE *file = fopen(path, "r");
    while (file && fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = '\0';
        char *controllers = strchr(line, ':'), *group = controllers ? strchr(controllers + 1, ':') : NULL;
        if (!group)
            continue;
        *group++ = '\0';
        if (controllers[1] == '\0')
            ask_group(root, "", group, "memory.max", memory);
        else if (strstr(controllers, "memory"))
            ask_group(root, "/memory", group, "memory.limit_in_bytes", memory);
    }
    if (file)
        fclose(file);
}

/* SLURM gives MiB, of the node or of each core. */
static void ask_slurm(struct machine_memory *memory)
{
    const char *node = getenv("SLURM_MEM_PER_NODE"), *core = getenv("SLURM_MEM_PER_CPU"),
               *cores = getenv("SLURM_CPUS_ON_NODE");
    if (node)
        take_limit(memory, strtod(node, NULL) * (1 << 20), "limit of SLURM (--mem)");
    if (core && cores)
        take_limit(
            memory, strtod(core, NULL) * strtod(cores, NULL) * (1 << 20), "limit of SLURM (--mem-per-cpu)");
}

int machine_find_memory(const char *root, struct machine_memory *memory)
{
    struct machine_memory found = {.bytes = SIZE_MAX};
    ask_machine(root, &found);
    ask_groups(root, &found);
    ask_slurm(&found);
    if (found.bytes == SIZE_MAX)
        return -1;
    *memory = found;
    return 0;
}

int machine_find_shared_memory(size_t *bytes)
{
    struct statvfs found;
    if (statvfs("/dev/shm", &found))
        return -1;
    *bytes = (size_t)found.f_bavail * found.f_frsize;
    return 0;
}

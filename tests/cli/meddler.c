/* Preloaded into a program: another that changes a file while this one reads it. Once the program has read
 * MEDDLE_AFTER bytes of the file MEDDLE_FILE, the file is cut to half of its size (MEDDLE_HOW=cut), its last
 * byte is written anew (write), or another file is renamed over it (rename: MEDDLE_FILE.new). */
#define _GNU_SOURCE      /* syscall */
#undef _FILE_OFFSET_BITS /* names with and without 64 are given here */

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static void meddle(const char *path, const struct stat *status)
{
    char new[1000];
    const char *how = getenv("MEDDLE_HOW");
    int failed = 1;
    if (strcmp(how, "cut") == 0)
        failed = truncate(path, status->st_size / 2);
    if (strcmp(how, "write") == 0) {
        int descriptor = open(path, O_WRONLY | O_CLOEXEC);
        failed = pwrite(descriptor, "x", 1, status->st_size - 1) != 1 || close(descriptor);
    }
    snprintf(new, sizeof new, "%s.new", path);
    if (strcmp(how, "rename") == 0)
        failed = access(new, F_OK) == 0 && rename(new, path); /* one of several ranks does it */
    if (failed)
        abort();
}

/* HDF5 reads by pread, on whichever thread. */
ssize_t pread(int descriptor, void *bytes, size_t size, off_t offset)
{
    static long long left = -1;
    static int met;
    const char *path = getenv("MEDDLE_FILE");
    struct stat wanted, opened;
    ssize_t n = syscall(SYS_pread64, descriptor, bytes, size, offset);
    if (!path || n <= 0 || fstat(descriptor, &opened) != 0 || stat(path, &wanted) != 0 ||
        wanted.st_ino != opened.st_ino || wanted.st_dev != opened.st_dev)
        return n;
    if (left < 0)
        left = atoll(getenv("MEDDLE_AFTER"));
    left = left > n ? left - n : 0;
    if (left == 0 && !__sync_fetch_and_or(&met, 1))
        meddle(path, &wanted);
    return n;
}

ssize_t pread64(int descriptor, void *bytes, size_t size, off_t offset) __attribute__((alias("pread")));

/* A file written whole or not at all: under another name first, made durable, then renamed over the old one,
 * and the rename made durable through the directory. At every instant either the old file or the new one is
 * there, whole. */
#include "ckpt/directory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int directory_write_all(int descriptor, const void *bytes, size_t size)
{
    const char *at = bytes;
    while (size) {
        ssize_t n = write(descriptor, at, size);
        if (n < 0 && errno != EINTR)
            return -1;
        if (n > 0) {
            at += n;
            size -= (size_t)n;
        }
    }
    return 0;
}

int directory_sync(int descriptor)
{
    int outcome;
    do
        outcome = fsync(descriptor);
    while (outcome != 0 && errno == EINTR);
    /* Some file systems have no fsync of directories or special files: nothing more can be done there. */
    return outcome != 0 && (errno == EINVAL || errno == ENOTSUP) ? 0 : outcome;
}

int directory_open(const char *directory, struct error *error)
{
    int descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0)
        error_set(error, EXIT_CODE_IO, "%s: cannot be opened: %s", directory, strerror(errno));
    return descriptor;
}

/* Creates `name` anew; what a process of the same number left behind is in the way and goes. */
static int create_new(int directory, const char *name)
{
    int flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC;
    int descriptor = openat(directory, name, flags, 0666);
    if (descriptor < 0 && errno == EEXIST && unlinkat(directory, name, 0) == 0)
        descriptor = openat(directory, name, flags, 0666);
    return descriptor;
}

/* Returns -1 and errno. */
static int write_durably(int directory, const char *name, const void *bytes, size_t size)
{
    int descriptor = create_new(directory, name);
    if (descriptor < 0)
        return -1;
    int outcome = directory_write_all(descriptor, bytes, size) || directory_sync(descriptor) ? -1 : 0;
    int why = errno;
    if (close(descriptor) != 0 && outcome == 0) {
        outcome = -1;
        why = errno;
    }
    errno = why;
    return outcome;
}

static int replace(int directory, const char *temporary, const char *name, const void *bytes, size_t size)
{
    if (write_durably(directory, temporary, bytes, size) == 0 &&
        renameat(directory, temporary, directory, name) == 0)
        return directory_sync(directory);
    int why = errno;
    unlinkat(directory, temporary, 0);
    errno = why;
    return -1;
}

int rundir_write_file(
    const char *directory, const char *name, const void *bytes, size_t size, struct error *error)
{
    char temporary[256];
    int descriptor = directory_open(directory, error);
    if (descriptor < 0)
        return -1;
    snprintf(temporary, sizeof temporary, ".%s.tmp-%ld", name, (long)getpid());
    int outcome = replace(descriptor, temporary, name, bytes, size);
    if (outcome != 0)
        error_set(error, EXIT_CODE_IO,
            "%s/%s: cannot be written (%zu bytes): %s: what was there before is untouched; %s", directory,
            name, size, strerror(errno),
            errno == ENOSPC || errno == EDQUOT || errno == EFBIG
                ? "make room, then run the same command again"
                : "see that the directory can be written to, then run the same command again");
    close(descriptor);
    return outcome;
}

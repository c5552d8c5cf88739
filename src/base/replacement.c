#define _GNU_SOURCE /* fallocate */

#include "base/replacement.h"

#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* From errno. */
static int refuse(const struct replacement *replacement, struct error *error)
{
    int why = errno;
    int no_room = why == ENOSPC || why == EDQUOT || why == EFBIG;
    return error_set(error, EXIT_CODE_IO, "%s: cannot be written: %s%s", replacement->path, strerror(why),
        no_room ? ": make room, or name another disk, and run the same command again" : "");
}

static int refuse_target(const struct replacement *replacement, struct error *error)
{
    struct stat status;
    if (fstatat(replacement->folder, replacement->name, &status, 0) != 0 || S_ISREG(status.st_mode))
        return 0;
    return error_set(error, EXIT_CODE_IO, "%s: is %s: name a file", replacement->path,
        S_ISDIR(status.st_mode) ? "a folder" : "no ordinary file");
}

static int open_folder(struct replacement *replacement)
{
    size_t n = (size_t)(replacement->name - replacement->path);
    char *folder = memory_create(n + 2, 1, NULL);
    if (!folder) {
        errno = ENOMEM;
        return -1;
    }
    memcpy(folder, n ? replacement->path : ".", n ? n : 1);
    replacement->folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int why = errno;
    memory_destroy(folder);
    errno = why;
    return replacement->folder;
}

/* What a process of the same number left behind is in the way and goes. */
static int create_temporary(struct replacement *replacement)
{
    int flags = O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC;
    snprintf(replacement->temporary, sizeof replacement->temporary, ".%.200s.tmp-%ld", replacement->name,
        (long)getpid());
    replacement->file = openat(replacement->folder, replacement->temporary, flags, 0666);
    if (replacement->file < 0 && errno == EEXIST &&
        unlinkat(replacement->folder, replacement->temporary, 0) == 0)
        replacement->file = openat(replacement->folder, replacement->temporary, flags, 0666);
    return replacement->file;
}

int replacement_begin(struct replacement *replacement, const char *path, struct error *error)
{
    struct replacement fresh = {.folder = -1, .file = -1};
    size_t bytes = strlen(path) + 1;
    fresh.path = memory_create(bytes, 1, error);
    if (!fresh.path)
        return -1;
    memcpy(fresh.path, path, bytes);
    const char *slash = strrchr(fresh.path, '/');
    fresh.name = slash ? slash + 1 : fresh.path;
    if (!*fresh.name)
        error_set(error, EXIT_CODE_IO, "%s: is a folder: name a file", path);
    else if (open_folder(&fresh) < 0)
        refuse(&fresh, error);
    else if (refuse_target(&fresh, error) == 0) {
        if (create_temporary(&fresh) >= 0) {
            *replacement = fresh;
            return 0;
        }
        refuse(&fresh, error);
    }
    replacement_abandon(&fresh);
    return -1;
}

/* 0: done, or the file system cannot. */
static int take_room(int file, int64_t bytes)
{
#ifdef __linux__
    int outcome;
    do
        outcome = fallocate(file, 0, 0, bytes);
    while (outcome != 0 && errno == EINTR);
    return outcome != 0 && errno != EOPNOTSUPP && errno != ENOSYS ? -1 : 0;
#else
    return 0; /* posix_fallocate may write all of it */
#endif
}

int replacement_reserve(struct replacement *replacement, int64_t bytes, struct error *error)
{
    if (ftruncate(replacement->file, bytes) != 0 || (bytes && take_room(replacement->file, bytes) != 0))
        return refuse(replacement, error);
    return 0;
}

int replacement_write(
    struct replacement *replacement, const void *bytes, size_t size, int64_t at, struct error *error)
{
    const char *from = bytes;
    while (size) {
        ssize_t n = pwrite(replacement->file, from, size < (1u << 30) ? size : 1u << 30, at);
        if (n < 0 && errno != EINTR)
            return refuse(replacement, error);
        if (n > 0) {
            from += n;
            at += n;
            size -= (size_t)n;
        }
    }
    return 0;
}

static int sync_descriptor(int descriptor)
{
    int outcome;
    do
        outcome = fsync(descriptor);
    while (outcome != 0 && errno == EINTR);
    /* Some file systems have no fsync of folders: nothing more can be done there. */
    return outcome != 0 && errno != EINVAL && errno != ENOTSUP ? -1 : 0;
}

int replacement_commit(struct replacement *replacement, struct error *error)
{
    int outcome = sync_descriptor(replacement->file), file = replacement->file;
    replacement->file = -1;
    if (close(file) != 0 || outcome != 0 ||
        renameat(replacement->folder, replacement->temporary, replacement->folder, replacement->name) != 0) {
        refuse(replacement, error);
        replacement_abandon(replacement);
        return -1;
    }
    replacement->temporary[0] = 0;
    outcome = sync_descriptor(replacement->folder) != 0 ? refuse(replacement, error) : 0;
    replacement_abandon(replacement);
    return outcome;
}

void replacement_abandon(struct replacement *replacement)
{
    if (replacement->file >= 0)
        close(replacement->file);
    if (replacement->temporary[0])
        unlinkat(replacement->folder, replacement->temporary, 0);
    if (replacement->folder >= 0)
        close(replacement->folder);
    memory_destroy(replacement->path);
    *replacement = (struct replacement){.folder = -1, .file = -1};
}

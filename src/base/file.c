/* The sequence of system calls of a replacement is what tests/faults tries out, one fault at a time: open the
 * folder; create the temporary file; write; fsync; close; rename; fsync the folder. The folder stays open
 * from first to last, so that all names are looked up in the same one, even where it is renamed meanwhile.
 *
 * A file that is begun and then written for long has no name at all meanwhile, where the file system can: so
 * nothing is left of it when the process is killed. One that lies in memory and is written at once keeps to
 * the calls that every file system has; what a kill in that moment leaves goes with the next. */
#define _GNU_SOURCE /* fallocate */

#include "base/file.h"

#include "base/memory.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { MOST_AT_ONCE = 1 << 30 /* bytes of one write: the kernel takes no more than 2^31 */ };

/* ---- descriptors ---- */

/* Writes all bytes at this place of the file, or, where `at` is negative, where the descriptor stands. */
static int write_bytes(int descriptor, const char *bytes, size_t size, int64_t at)
{
    while (size) {
        size_t piece = size < MOST_AT_ONCE ? size : MOST_AT_ONCE;
        ssize_t n = at < 0 ? write(descriptor, bytes, piece) : pwrite(descriptor, bytes, piece, at);
        if (n < 0 && errno != EINTR)
            return -1;
        if (n > 0) {
            bytes += n;
            size -= (size_t)n;
            at += at < 0 ? 0 : n;
        }
    }
    return 0;
}

int file_write_all(int descriptor, const void *bytes, size_t size)
{
    return write_bytes(descriptor, bytes, size, -1);
}

int file_sync(int descriptor)
{
    int outcome;
    do
        outcome = fsync(descriptor);
    while (outcome != 0 && errno == EINTR);
    /* Some file systems have no fsync of folders or special files: nothing more can be done there. */
    return outcome != 0 && errno != EINVAL && errno != ENOTSUP ? -1 : 0;
}

int file_has_room(int descriptor, int64_t bytes)
{
    struct statvfs system;
    struct stat status;
    if (fstatvfs(descriptor, &system) != 0 || fstat(descriptor, &status) != 0 || !system.f_blocks ||
        !system.f_frsize)
        return 1; /* unknown, or without a bound */
    uint64_t blocks = geteuid() == 0 ? system.f_bfree : system.f_bavail;
    int64_t has = (int64_t)status.st_blocks * 512;
    if (bytes <= has || (uint64_t)(bytes - has) / system.f_frsize <= blocks)
        return 1;
    errno = ENOSPC;
    return 0;
}

int file_sync_folder(const char *path)
{
    int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0)
        return -1;
    int outcome = file_sync(folder), why = errno;
    close(folder);
    errno = why;
    return outcome;
}

/* ---- writing ---- */

/* Reports the reason that errno holds, and leaves it there. */
static int refuse(const struct file_writer *writer, struct error *error)
{
    int why = errno;
    int no_room = why == ENOSPC || why == EDQUOT || why == EFBIG;
    error_set(error, EXIT_CODE_IO, "%s: cannot be written: %s%s", writer->path, strerror(why),
        no_room ? ": make room, or name another disk, and run the same command again" : "");
    errno = why;
    return -1;
}

/* The new file has its name, but not for good. */
static int refuse_durable(const struct file_writer *writer, struct error *error)
{
    int why = errno;
    int no_room = why == ENOSPC || why == EDQUOT;
    error_set(error, EXIT_CODE_IO,
        "%s: is written, but its folder cannot be made durable: %s: after a power cut what was there before "
        "may be there again%s",
        writer->path, strerror(why), no_room ? ": make room" : "");
    errno = why;
    return FILE_PLACED;
}

static int refuse_folder(const char *path, struct error *error)
{
    error_set(error, EXIT_CODE_IO, "%s: is a folder: name a file", path);
    errno = EISDIR;
    return -1;
}

static int refuse_target(const struct file_writer *writer, struct error *error)
{
    struct stat status;
    if (fstatat(writer->folder, writer->name, &status, 0) != 0 || S_ISREG(status.st_mode))
        return 0;
    if (S_ISDIR(status.st_mode))
        return refuse_folder(writer->path, error);
    error_set(error, EXIT_CODE_IO, "%s: is no ordinary file: name a file", writer->path);
    errno = EINVAL;
    return -1;
}

static int open_folder(struct file_writer *writer)
{
    int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
    size_t n = (size_t)(writer->name - writer->path); /* with the slash */
    if (n < 2)
        return writer->folder = open(n ? "/" : ".", flags);
    writer->path[n - 1] = 0;
    writer->folder = open(writer->path, flags);
    writer->path[n - 1] = '/';
    return writer->folder;
}

/* Creates the temporary file, with a name only where it must have one. */
static int create_temporary(struct file_writer *writer, int unnamed)
{
    writer->file = unnamed ? temporary_create_unnamed(writer->folder, writer->name) : -1;
    if (writer->file >= 0)
        return writer->file;
    temporary_name(writer->name, writer->temporary);
    writer->file = temporary_create(writer->folder, writer->temporary);
    if (writer->file < 0)
        writer->temporary[0] = 0;
    return writer->file;
}

static int open_both(struct file_writer *writer, int unnamed, struct error *error)
{
    if (!*writer->name)
        return refuse_folder(writer->path, error);
    if (open_folder(writer) < 0)
        return refuse(writer, error);
    if (refuse_target(writer, error) != 0)
        return -1;
    if (unnamed)
        temporary_sweep(writer->folder, writer->name);
    return create_temporary(writer, unnamed) < 0 ? refuse(writer, error) : 0;
}

static int begin(struct file_writer *writer, const char *path, int unnamed, struct error *error)
{
    struct file_writer fresh = {.folder = -1, .file = -1, .path = text_copy(path, error)};
    if (!fresh.path)
        return -1;
    char *slash = strrchr(fresh.path, '/');
    fresh.name = slash ? slash + 1 : fresh.path;
    if (open_both(&fresh, unnamed, error) == 0) {
        *writer = fresh;
        return 0;
    }
    file_abandon(&fresh);
    return -1;
}

int file_begin(struct file_writer *writer, const char *path, struct error *error)
{
    return begin(writer, path, 1, error);
}

int file_begin_apart(struct file_writer *writer, const char *name, struct error *error)
{
    char path[PATH_MAX];
    int n = snprintf(path, sizeof path, "%s/%s", temporary_folder(), name);
    if (n >= (int)sizeof path)
        return error_set(error, EXIT_CODE_IO, "TMPDIR: is too long for the name of a folder");
    if (begin(writer, path, 1, error) != 0)
        return -1;
    if (writer->temporary[0])
        unlinkat(writer->folder, writer->temporary, 0);
    writer->temporary[0] = 0;
    return 0;
}

int file_read_back(struct file_writer *writer, void *bytes, size_t size, int64_t at, struct error *error)
{
    for (size_t done = 0; done < size;) {
        ssize_t n = pread(writer->file, (char *)bytes + done, size - done, (off_t)at + (off_t)done);
        if (n == 0 || (n < 0 && errno != EINTR))
            return error_set(error, EXIT_CODE_IO, "%s: cannot be read back: %s", writer->path,
                n == 0 ? "it ends too early" : strerror(errno));
        done += n > 0 ? (size_t)n : 0;
    }
    return 0;
}

/* Returns 0 where it is done, or where the file system cannot. */
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

int file_reserve(struct file_writer *writer, int64_t bytes, struct error *error)
{
    if (!file_has_room(writer->file, bytes) || ftruncate(writer->file, bytes) != 0 ||
        (bytes && take_room(writer->file, bytes) != 0))
        return refuse(writer, error);
    return 0;
}

int file_write(struct file_writer *writer, const void *bytes, size_t size, int64_t at, struct error *error)
{
    return write_bytes(writer->file, bytes, size, at) != 0 ? refuse(writer, error) : 0;
}

/* Makes the file durable, sees to it that it has the temporary name, and closes it in every case. */
static int complete(struct file_writer *writer)
{
    int file = writer->file, outcome = file_sync(file);
    if (outcome == 0 && !writer->temporary[0]) {
        temporary_name(writer->name, writer->temporary);
        outcome = temporary_link(file, writer->folder, writer->temporary);
    }
    int why = errno;
    writer->file = -1;
    if (close(file) != 0)
        return -1;
    errno = why;
    return outcome;
}

int file_commit(struct file_writer *writer, struct error *error)
{
    if (complete(writer) != 0 ||
        renameat(writer->folder, writer->temporary, writer->folder, writer->name) != 0) {
        refuse(writer, error);
        file_abandon(writer);
        return -1;
    }
    writer->temporary[0] = 0;
    int outcome = file_sync(writer->folder) != 0 ? refuse_durable(writer, error) : 0;
    file_abandon(writer);
    return outcome;
}

/* Leaves errno as it is: it may hold the reason. */
void file_abandon(struct file_writer *writer)
{
    int why = errno;
    if (writer->file >= 0)
        close(writer->file);
    if (writer->temporary[0])
        unlinkat(writer->folder, writer->temporary, 0);
    if (writer->folder >= 0)
        close(writer->folder);
    memory_destroy(writer->path);
    *writer = (struct file_writer){.folder = -1, .file = -1};
    errno = why;
}

int file_replace(const char *path, const void *bytes, size_t size, struct error *error)
{
    struct file_writer writer;
    if (begin(&writer, path, 0, error) != 0)
        return -1;
    if (file_write(&writer, bytes, size, 0, error) == 0)
        return file_commit(&writer, error);
    file_abandon(&writer);
    return -1;
}

/* ---- reading ---- */

static int read_bytes(int descriptor, const char *path, char *bytes, size_t size, struct error *error)
{
    for (size_t done = 0; done < size;) {
        ssize_t n = read(descriptor, bytes + done, size - done);
        if (n == 0)
            return error_set(error, EXIT_CODE_IO, "%s: became shorter while it was read", path);
        if (n < 0 && errno != EINTR)
            return error_set(error, EXIT_CODE_IO, "%s: cannot be read: %s", path, strerror(errno));
        done += n > 0 ? (size_t)n : 0;
    }
    return 0;
}

static const char *name_type(mode_t mode)
{
    return S_ISDIR(mode) ? "a folder"
        : S_ISFIFO(mode) ? "a FIFO (a pipe)"
        : S_ISSOCK(mode) ? "a socket"
                         : "a device";
}

static int refuse_type(mode_t mode, const char *path, const char *kind, struct error *error)
{
    if (S_ISREG(mode))
        return 0;
    error_set(
        error, EXIT_CODE_IO, "%.700s: is %s, not %s: name an ordinary file", path, name_type(mode), kind);
    errno = S_ISDIR(mode) ? EISDIR : EINVAL;
    return -1;
}

/* What is there is looked at before it is opened, and again afterwards, should it have been replaced in
 * between: opening a FIFO waits for its writer, and opening a device may set it going. */
int file_open(const char *path, const char *kind, struct error *error)
{
    struct stat status;
    if (stat(path, &status) == 0 && refuse_type(status.st_mode, path, kind, error) != 0)
        return -1;
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (descriptor < 0)
        return error_set(error, EXIT_CODE_IO, "%s: cannot be opened: %s", path, strerror(errno));
    int failed = fstat(descriptor, &status) != 0
        ? error_set(error, EXIT_CODE_IO, "%s: cannot be read: %s", path, strerror(errno))
        : refuse_type(status.st_mode, path, kind, error);
    if (!failed)
        return descriptor;
    close(descriptor);
    return -1;
}

FILE *file_open_stream(const char *path, const char *kind, struct error *error)
{
    int descriptor = file_open(path, kind, error);
    FILE *stream = descriptor < 0 ? NULL : fdopen(descriptor, "r");
    if (descriptor >= 0 && !stream) {
        error_set(error, EXIT_CODE_IO, "%s: cannot be opened: %s", path, strerror(errno));
        close(descriptor);
    }
    return stream;
}

static char *read_descriptor(int descriptor, const char *path, size_t *size, struct error *error)
{
    struct stat status;
    if (fstat(descriptor, &status) != 0) {
        error_set(error, EXIT_CODE_IO, "%s: cannot be read: %s", path, strerror(errno));
        return NULL;
    }
    char *bytes = memory_create((size_t)status.st_size, 1, error);
    if (!bytes || read_bytes(descriptor, path, bytes, (size_t)status.st_size, error) != 0) {
        memory_destroy(bytes);
        return NULL;
    }
    *size = (size_t)status.st_size;
    return bytes;
}

char *file_read(const char *path, const char *kind, size_t *size, struct error *error)
{
    int descriptor = file_open(path, kind, error);
    if (descriptor < 0)
        return NULL;
    char *bytes = read_descriptor(descriptor, path, size, error);
    close(descriptor);
    return bytes;
}

/* ---- folders ---- */

static int is_folder(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

/* mkdir may say of a folder that is there that it is on a disk for reading, or in a folder that is closed. */
static int make_one(const char *path, struct error *error)
{
    if (mkdir(path, 0777) == 0)
        return 0;
    int why = errno == EEXIST ? ENOTDIR : errno;
    if (is_folder(path))
        return 0;
    error_set(error, EXIT_CODE_IO, "%s: cannot be created: %s", path, strerror(why));
    errno = why;
    return -1;
}

int file_make_folder(const char *path, struct error *error)
{
    char *part = text_copy(path, error);
    if (!part)
        return -1;
    int outcome = 0;
    for (char *end = *part ? part + 1 : part; outcome == 0; end++) {
        char kept = *end;
        if (kept && kept != '/')
            continue;
        *end = 0;
        outcome = make_one(part, error);
        *end = kept;
        if (!kept)
            break;
    }
    int why = errno;
    memory_destroy(part);
    errno = why;
    return outcome;
}

#include "data/import/spool.h"

#include "base/memory.h"
#include "base/temporary.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static int fail(const struct spool *spool, const char *what, struct error *error)
{
    int why = errno, no_room = why == ENOSPC || why == EDQUOT || why == EFBIG;
    return error_set(error, EXIT_CODE_IO, "%s: what waits for being written there cannot be %s: %s%s",
        spool->path, what, strerror(why),
        no_room ? ": make room for the data twice, or name another disk, and run the same command again"
                : "");
}

/* Opens the folder of a path, which is cut there. */
static int open_folder(char *path, const char **name)
{
    int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
    char *slash = strrchr(path, '/');
    *name = slash ? slash + 1 : path;
    if (slash)
        *slash = 0;
    return open(!slash ? "." : *path ? path : "/", flags);
}

/* The file has its temporary name for a moment alone. What a kill in it leaves goes with the next
 * (base/file.h).
 */
static int create(const char *path, struct error *error)
{
    char temporary[TEMPORARY_NAME];
    const char *name;
    char *copy = text_copy(path, error);
    if (!copy)
        return -1;
    int folder = open_folder(copy, &name);
    temporary_name(name, temporary);
    int file = folder < 0 ? -1 : temporary_create(folder, temporary), why = errno;
    if (file >= 0)
        unlinkat(folder, temporary, 0);
    if (folder >= 0)
        close(folder);
    memory_destroy(copy);
    if (file < 0)
        error_set(error, EXIT_CODE_IO, "%s: cannot be written: %s", path, strerror(why));
    return file;
}

static int start(struct spool *spool, struct error *error)
{
    int descriptor = create(spool->path, error);
    if (descriptor < 0)
        return -1;
    spool->file = fdopen(descriptor, "w+");
    if (spool->file)
        return 0;
    fail(spool, "written", error);
    close(descriptor);
    return -1;
}

int spool_write(struct spool *spool, const void *bytes, size_t size, struct error *error)
{
    if (!spool->file && start(spool, error))
        return -1;
    return fwrite(bytes, 1, size, spool->file) == size ? 0 : fail(spool, "written", error);
}

int spool_rewind(struct spool *spool, struct error *error)
{
    if (spool->file && (fflush(spool->file) || fseeko(spool->file, 0, SEEK_SET)))
        return fail(spool, "written", error);
    return 0;
}

int spool_read(struct spool *spool, void *bytes, size_t size, struct error *error)
{
    if (size == 0)
        return 0;
    errno = 0;
    if (spool->file && fread(bytes, 1, size, spool->file) == size)
        return 0;
    errno = errno ? errno : EIO;
    return fail(spool, "read", error);
}

int spool_read_at(struct spool *spool, int64_t at, void *bytes, size_t size, struct error *error)
{
    char *next = bytes;
    while (size) {
        ssize_t n = pread(fileno(spool->file), next, size, (off_t)at);
        if (n < 0 && errno == EINTR)
            continue;
        errno = n == 0 ? EIO : errno;
        if (n <= 0)
            return fail(spool, "read", error);
        next += n;
        at += n;
        size -= (size_t)n;
    }
    return 0;
}

void spool_finish(struct spool *spool)
{
    if (spool->file)
        fclose(spool->file);
    spool->file = NULL;
}

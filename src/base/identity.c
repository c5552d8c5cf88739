/* The time of the last change of anything (ctime) cannot be set by a program, unlike that of the content
 * (mtime), which copying programs set back. But it moves with names, modes and owners too, which are no
 * matter of what is in the file; so where it alone has moved, one of these is looked for. */
#include "base/identity.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static struct file_identity take(const struct stat *status)
{
    return (struct file_identity){
        .device = (uint64_t)status->st_dev,
        .inode = (uint64_t)status->st_ino,
        .size = (int64_t)status->st_size,
        .modified = {(int64_t)status->st_mtim.tv_sec, (int64_t)status->st_mtim.tv_nsec},
        .changed = {(int64_t)status->st_ctim.tv_sec, (int64_t)status->st_ctim.tv_nsec},
        .links = (uint64_t)status->st_nlink,
        .mode = (uint64_t)status->st_mode,
        .owner = (uint64_t)status->st_uid,
        .group = (uint64_t)status->st_gid,
    };
}

int file_identify(int descriptor, struct file_identity *identity)
{
    struct stat status;
    if (fstat(descriptor, &status) != 0)
        return -1;
    *identity = take(&status);
    return 0;
}

static int same_time(const int64_t a[2], const int64_t b[2])
{
    return a[0] == b[0] && a[1] == b[1];
}

int file_is_same(const struct file_identity *before, const struct file_identity *now)
{
    return before->inode == now->inode && before->size == now->size &&
        same_time(before->modified, now->modified) && same_time(before->changed, now->changed);
}

/* Does the name still lead to this file? */
static int is_found_at(const struct file_identity *identity, const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && (uint64_t)status.st_dev == identity->device &&
        (uint64_t)status.st_ino == identity->inode;
}

int file_describe_change(const struct file_identity *before, const struct file_identity *now,
    const char *path, char *text, size_t size)
{
    if (before->size != now->size)
        snprintf(text, size, "its size went from %" PRId64 " to %" PRId64 " bytes", before->size, now->size);
    else if (!same_time(before->modified, now->modified))
        snprintf(text, size,
            "it was written to: its time of modification went from %" PRId64 ".%09" PRId64 " to %" PRId64
            ".%09" PRId64,
            before->modified[0], before->modified[1], now->modified[0], now->modified[1]);
    else if (same_time(before->changed, now->changed) || before->links != now->links ||
        before->mode != now->mode || before->owner != now->owner || before->group != now->group ||
        !is_found_at(now, path))
        return 0;
    else
        snprintf(text, size, "its time of modification was set back after a change at %" PRId64 ".%09" PRId64,
            now->changed[0], now->changed[1]);
    return 1;
}

static const char format[] = "device=%" PRIu64 " inode=%" PRIu64 " size=%" PRId64 " modified=%" PRId64
                             ".%09" PRId64 " changed=%" PRId64 ".%09" PRId64;

void file_write_identity(const struct file_identity *identity, char text[FILE_IDENTITY_TEXT])
{
    const struct file_identity *i = identity;
    snprintf(text, FILE_IDENTITY_TEXT, format, i->device, i->inode, i->size, i->modified[0], i->modified[1],
        i->changed[0], i->changed[1]);
}

/* A text counts only where writing what was read gives it again. */
int file_read_identity(const char *text, struct file_identity *identity)
{
    struct file_identity i = {0};
    char again[FILE_IDENTITY_TEXT];
    int n = sscanf(text,
        "device=%" SCNu64 " inode=%" SCNu64 " size=%" SCNd64 " modified=%" SCNd64 ".%" SCNd64
        " changed=%" SCNd64 ".%" SCNd64,
        &i.device, &i.inode, &i.size, &i.modified[0], &i.modified[1], &i.changed[0], &i.changed[1]);
    if (n != 7)
        return -1;
    file_write_identity(&i, again);
    if (strcmp(again, text) != 0)
        return -1;
    *identity = i;
    return 0;
}

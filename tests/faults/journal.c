/* The names are undone from the last change to the first. A file is reached by a descriptor of our own, so
 * that it is found under whatever name it has by then. No memory is asked for: this runs inside malloc's
 * faults. */
#define _GNU_SOURCE /* syscall */

#include "faults/journal.h"

#include "faults/inject.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { MOST_FILES = 64, MOST_NAMES = 256, PATH_BYTES = 640, FIRST_DESCRIPTOR = 500 };

enum change { CREATED, RENAMED, REMOVED };

static struct {
    char lost[PATH_BYTES];
    int numbers; /* of names kept so far */
    int files, names;
    struct {
        dev_t device;
        ino_t inode;
        int descriptor;
        off_t from; /* durable up to here */
    } file[MOST_FILES];
    struct {
        enum change change;
        char from[PATH_BYTES], to[PATH_BYTES]; /* CREATED and REMOVED: from */
        int kept;                              /* number of what `to` was, or -1 */
    } name[MOST_NAMES];
} journal;

/* Straight to the kernel: the functions of these names are ours. */
static void raw_close(int file)
{
    syscall(SYS_close, file);
}

static void raw_unlink(const char *path)
{
    syscall(SYS_unlinkat, AT_FDCWD, path, 0);
}

static long raw_rename(const char *from, const char *to)
{
    return syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
}

/* The whole mechanism is void where its tables are too small: say so rather than lose less than is lost. */
static void give_up(const char *what)
{
    static const char text[] = "inject: too many changes that are not durable: ";
    syscall(SYS_write, 2, text, sizeof text - 1);
    syscall(SYS_write, 2, what, strlen(what));
    syscall(SYS_write, 2, "\n", 1);
    syscall(SYS_exit_group, 99);
}

void journal_begin(const char *below)
{
    for (int i = 0; i < journal.files; i++)
        raw_close(journal.file[i].descriptor);
    journal.files = journal.names = journal.numbers = 0;
    snprintf(journal.lost, sizeof journal.lost, "%.500s.lost", below);
    syscall(SYS_mkdirat, AT_FDCWD, journal.lost, 0777);
}

static void kept_path(int kept, char *path)
{
    snprintf(path, PATH_BYTES, "%.600s/%d", journal.lost, kept);
}

static int find_file(int file)
{
    struct stat status;
    if (fstat(file, &status) != 0 || !S_ISREG(status.st_mode))
        return -1;
    int i = 0;
    while (i < journal.files &&
        (journal.file[i].device != status.st_dev || journal.file[i].inode != status.st_ino))
        i++;
    if (i == MOST_FILES)
        give_up("files");
    if (i == journal.files) {
        journal.file[i].device = status.st_dev;
        journal.file[i].inode = status.st_ino;
    }
    return i;
}

void journal_write(int file, off_t from)
{
    int i = find_file(file);
    if (i < 0)
        return;
    if (i == journal.files) {
        journal.file[i].descriptor = (int)syscall(SYS_fcntl, file, F_DUPFD_CLOEXEC, FIRST_DESCRIPTOR);
        journal.file[i].from = from;
        journal.files++;
    }
    if (from < journal.file[i].from)
        journal.file[i].from = from;
}

static int add_name(enum change change, const char *from, const char *to, int kept)
{
    if (journal.names == MOST_NAMES)
        give_up(from);
    int i = journal.names++;
    journal.name[i].change = change;
    journal.name[i].kept = kept;
    snprintf(journal.name[i].from, PATH_BYTES, "%s", from);
    snprintf(journal.name[i].to, PATH_BYTES, "%s", to);
    return i;
}

void journal_create(const char *path)
{
    add_name(CREATED, path, "", -1);
}

int journal_keep(const char *path)
{
    char kept[PATH_BYTES];
    kept_path(journal.numbers, kept);
    raw_unlink(kept);
    return syscall(SYS_linkat, AT_FDCWD, path, AT_FDCWD, kept, 0) == 0 ? journal.numbers++ : -1;
}

void journal_renamed(const char *from, const char *to, int kept)
{
    add_name(RENAMED, from, to, kept);
}

void journal_removed(const char *path, int kept)
{
    if (kept >= 0)
        add_name(REMOVED, path, "", kept);
}

static int is_in(const char *path, const char *folder)
{
    size_t n = strlen(folder);
    return strncmp(path, folder, n) == 0 && path[n] == '/' && !strchr(path + n + 1, '/');
}

static void drop_name(int i)
{
    char kept[PATH_BYTES];
    if (journal.name[i].kept >= 0) {
        kept_path(journal.name[i].kept, kept);
        raw_unlink(kept);
    }
    journal.names--;
    memmove(&journal.name[i], &journal.name[i + 1], (size_t)(journal.names - i) * sizeof journal.name[0]);
}

void journal_sync(int file, const char *path)
{
    struct stat status;
    if (fstat(file, &status) == 0 && S_ISDIR(status.st_mode)) {
        for (int i = journal.names - 1; i >= 0; i--)
            if (is_in(journal.name[i].from, path))
                drop_name(i);
        return;
    }
    int i = find_file(file);
    if (i < 0 || i == journal.files)
        return;
    raw_close(journal.file[i].descriptor);
    journal.file[i] = journal.file[--journal.files];
}

static void zero(int file, off_t from)
{
    static const char zeroes[4096];
    struct stat status;
    if (fstat(file, &status) != 0)
        return;
    for (off_t at = from; at < status.st_size; at += (off_t)sizeof zeroes) {
        off_t left = status.st_size - at;
        size_t n = left < (off_t)sizeof zeroes ? (size_t)left : sizeof zeroes;
        syscall(SYS_pwrite64, file, zeroes, n, at);
    }
}

static void undo_name(int i)
{
    char kept[PATH_BYTES];
    kept_path(journal.name[i].kept, kept);
    switch (journal.name[i].change) {
    case CREATED:
        raw_unlink(journal.name[i].from);
        break;
    case RENAMED:
        raw_rename(journal.name[i].to, journal.name[i].from);
        if (journal.name[i].kept >= 0)
            raw_rename(kept, journal.name[i].to);
        break;
    case REMOVED:
        raw_rename(kept, journal.name[i].from);
        break;
    }
}

void journal_lose(unsigned loss)
{
    for (int i = 0; i < journal.files; i++) {
        if (loss & INJECT_LOSE_DATA)
            syscall(SYS_ftruncate, journal.file[i].descriptor, journal.file[i].from);
        if (loss & INJECT_ZERO_DATA)
            zero(journal.file[i].descriptor, journal.file[i].from);
    }
    for (int i = journal.names - 1; i >= 0 && loss & INJECT_LOSE_NAMES; i--)
        undo_name(i);
}

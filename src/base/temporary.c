/* A file without a name (O_TMPFILE) is the best there is: it goes with its process, also by SIGKILL, where no
 * handler runs. It gets a name through /proc, since a link by descriptor alone is for those with privileges.
 * What forbids that (a file system, whoever guards it, a root without /proc) would be found out after the
 * work is done, so it is tried with an empty file before. */
#define _GNU_SOURCE /* O_TMPFILE */

#include "base/temporary.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const char MARK[] = ".tmp-";
static const char DIGITS[] = "0123456789";

enum {
    HOST_BYTES = 65,
    NAME_BYTES = 150 /* of NAME, so that the rest has room */,
    SECONDS_OF_A_DAY = 24 * 60 * 60
};

static void own_host(char host[HOST_BYTES])
{
    if (gethostname(host, HOST_BYTES) != 0)
        snprintf(host, HOST_BYTES, "unknown");
    host[HOST_BYTES - 1] = 0;
    for (char *c = host; *c; c++)
        if (*c == '/')
            *c = '_';
}

const char *temporary_folder(void)
{
    const char *folder = getenv("TMPDIR");
    return folder && *folder ? folder : "/tmp";
}

void temporary_name(const char *name, char temporary[TEMPORARY_NAME])
{
    char host[HOST_BYTES];
    own_host(host);
    snprintf(temporary, TEMPORARY_NAME, ".%.*s%s%s-%ld", NAME_BYTES, name, MARK, host, (long)getpid());
}

/* Finds the last mark: NAME may have one too. */
static const char *find_mark(const char *temporary)
{
    const char *mark = NULL;
    for (const char *next = temporary; (next = strstr(next, MARK)); next++)
        mark = next;
    return mark;
}

size_t temporary_base(const char *temporary)
{
    const char *mark = find_mark(temporary);
    const char *number = mark ? strrchr(mark, '-') + 1 : NULL;
    if (temporary[0] != '.' || !mark || mark == temporary || !*number || number[strspn(number, DIGITS)])
        return 0;
    return (size_t)(mark - temporary) - 1;
}

int temporary_create(int folder, const char *temporary)
{
    int flags = O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC;
    int file = openat(folder, temporary, flags, 0666);
    if (file < 0 && errno == EEXIST && unlinkat(folder, temporary, 0) == 0)
        file = openat(folder, temporary, flags, 0666);
    return file;
}

/* ---- files without a name ---- */

static int open_unnamed(int folder)
{
#ifdef O_TMPFILE
    return openat(folder, ".", O_RDWR | O_TMPFILE | O_CLOEXEC, 0666);
#else
    (void)folder;
    return -1;
#endif
}

int temporary_link(int file, int folder, const char *temporary)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    int outcome = linkat(AT_FDCWD, path, folder, temporary, AT_SYMLINK_FOLLOW);
    if (outcome != 0 && errno == EEXIST && unlinkat(folder, temporary, 0) == 0)
        outcome = linkat(AT_FDCWD, path, folder, temporary, AT_SYMLINK_FOLLOW);
    return outcome;
}

int temporary_create_unnamed(int folder, const char *name)
{
    char temporary[TEMPORARY_NAME];
    int trial = open_unnamed(folder);
    if (trial < 0)
        return -1;
    temporary_name(name, temporary);
    int works = temporary_link(trial, folder, temporary) == 0 && unlinkat(folder, temporary, 0) == 0;
    close(trial);
    return works ? open_unnamed(folder) : -1;
}

/* ---- what is left behind ---- */

static int is_left_behind(int folder, const char *temporary)
{
    char host[HOST_BYTES];
    struct stat status;
    const char *of = find_mark(temporary) + strlen(MARK), *number = strrchr(temporary, '-') + 1;
    long process = strtol(number, NULL, 10);
    own_host(host);
    if ((size_t)(number - of) == strlen(host) + 1 && strncmp(of, host, strlen(host)) == 0 && process > 0)
        return kill((pid_t)process, 0) != 0 && errno == ESRCH;
    return fstatat(folder, temporary, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
        difftime(time(NULL), status.st_mtime) > SECONDS_OF_A_DAY;
}

void temporary_sweep(int folder, const char *name)
{
    size_t length = strnlen(name, NAME_BYTES);
    int again = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *entries = again < 0 ? NULL : fdopendir(again);
    if (!entries) {
        if (again >= 0)
            close(again);
        return;
    }
    for (struct dirent *entry; (entry = readdir(entries));) {
        size_t n = temporary_base(entry->d_name);
        if (n && n == length && strncmp(entry->d_name + 1, name, n) == 0 &&
            is_left_behind(folder, entry->d_name))
            unlinkat(folder, entry->d_name, 0);
    }
    closedir(entries);
}

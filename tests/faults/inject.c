/* Each function of the C library that is watched has one here of its name, which asks `meet` what is to
 * happen and then goes straight to the kernel, or for memory to glibc's own names of its allocator. Nothing
 * here asks for memory. One lock is held from the question to the end of the call, so that the journal tells
 * the order in which things were done. */
#define _GNU_SOURCE /* dl_iterate_phdr, syscall, names of the program */
#undef _FORTIFY_SOURCE
#undef _FILE_OFFSET_BITS /* names with and without 64 are given here */

#include "faults/inject.h"

#include "faults/internal.h"
#include "faults/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { PATH_BYTES = 640 };

static struct inject_plan plan;
static struct inject_report *report;
static int armed, started;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static _Thread_local int inside __attribute__((tls_model("initial-exec")));

static const char *const call_names[INJECT_CALLS] = {
    "open", "read", "write", "sync", "rename", "close", "unlink", "link", "truncate", "folder", "allocate"};

const char *inject_call_name(enum inject_call call)
{
    return call_names[call];
}

/* Where the code of the plan's caller lies: asked for at every request for memory. */
static struct {
    uintptr_t from, to;
} code;

static int take_object(struct dl_phdr_info *object, size_t size, void *context)
{
    const char *name = *object->dlpi_name ? object->dlpi_name : program_invocation_name;
    for (int i = 0; strstr(name, plan.caller) && i < object->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &object->dlpi_phdr[i];
        if (part->p_type == PT_LOAD && part->p_flags & PF_X) {
            code.from = object->dlpi_addr + part->p_vaddr;
            code.to = code.from + part->p_memsz;
            return 1;
        }
    }
    return 0;
}

static int is_by_caller(const void *caller)
{
    return !*plan.caller || ((uintptr_t)caller >= code.from && (uintptr_t)caller < code.to);
}

void inject_arm(const struct inject_plan *with, struct inject_report *to)
{
    plan = *with;
    report = to;
    started = !plan.after[0];
    if (plan.loss)
        journal_begin(plan.below);
    code.from = code.to = 0;
    if (*plan.caller)
        dl_iterate_phdr(take_object, NULL);
    armed = 1;
}

void inject_disarm(void)
{
    armed = 0;
}

/* ---- paths ---- */

static void path_of_link(const char *link, char path[PATH_BYTES])
{
    long n = syscall(SYS_readlinkat, AT_FDCWD, link, path, PATH_BYTES - 1);
    path[n > 0 ? n : 0] = 0;
}

static void path_of_file(int file, char path[PATH_BYTES])
{
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    path_of_link(link, path);
}

static void path_of_name(int folder, const char *name, char path[PATH_BYTES])
{
    if (*name == '/') {
        snprintf(path, PATH_BYTES, "%s", name);
        return;
    }
    if (folder == AT_FDCWD)
        path_of_link("/proc/self/cwd", path);
    else
        path_of_file(folder, path);
    size_t n = strlen(path);
    snprintf(path + n, PATH_BYTES - n, "/%s", name);
}

/* ---- what is to happen ---- */

static int is_below(const char *path)
{
    size_t n = strlen(plan.below);
    return strncmp(path, plan.below, n) == 0 && (!path[n] || path[n] == '/' || !n);
}

/* With the lock held. `path` NULL: memory. */
static enum inject_action choose(enum inject_call call, const char *path)
{
    if (!armed || (path && !is_below(path)))
        return INJECT_COUNT;
    started = started || (path && strstr(path, plan.after));
    if (!started || !(plan.calls >> call & 1))
        return INJECT_COUNT;
    long n = ++report->seen;
    int behind = (plan.always || plan.action == INJECT_FULL) && n > plan.at;
    if (plan.action == INJECT_COUNT || (n != plan.at && !behind))
        return INJECT_COUNT;
    if (!report->fired++) {
        report->call = call;
        snprintf(report->path, sizeof report->path, "%.500s", path ? path : "");
    }
    if (plan.action == INJECT_FULL)
        return behind || call != INJECT_WRITE ? INJECT_FAIL : INJECT_SHORT;
    return plan.action;
}

static void die(void)
{
    if (plan.loss)
        journal_lose(plan.loss);
    syscall(SYS_kill, syscall(SYS_getpid), SIGKILL);
    for (;;)
        syscall(SYS_pause);
}

/* Until `leave`. A kill before the call is done here. */
static enum inject_action enter(enum inject_call call, const char *path)
{
    inside++;
    pthread_mutex_lock(&lock);
    enum inject_action action = choose(call, path);
    if (action == INJECT_KILL_BEFORE)
        die();
    return action;
}

static void leave(enum inject_action action)
{
    int kept = errno;
    if (action == INJECT_KILL_AFTER)
        die();
    pthread_mutex_unlock(&lock);
    inside--;
    errno = kept;
}

static int fail(void)
{
    errno = plan.error ? plan.error : EIO;
    return -1;
}

/* Not ours to look at: nothing is to happen, or it is this library that calls. */
static int passes(void)
{
    return !armed || inside;
}

static int keeps_journal(const char *path)
{
    return plan.loss && is_below(path);
}

/* ---- open ---- */

static int raw_open(int folder, const char *name, int flags, mode_t mode)
{
    return (int)syscall(SYS_openat, folder, name, flags, mode);
}

static int do_open(int folder, const char *name, int flags, mode_t mode)
{
    char path[PATH_BYTES];
    if (passes())
        return raw_open(folder, name, flags, mode);
    path_of_name(folder, name, path);
    enum inject_action action = enter(INJECT_OPEN, path);
    int creates = flags & O_CREAT && syscall(SYS_faccessat, AT_FDCWD, path, F_OK) != 0;
    int file = action == INJECT_FAIL ? fail() : raw_open(folder, name, flags, mode);
    if (file >= 0 && creates && keeps_journal(path))
        journal_create(path);
    if (file >= 0 && flags & O_TRUNC && keeps_journal(path))
        journal_write(file, 0);
    leave(action);
    return file;
}

#define MODE_BEHIND(last)                                                                                    \
    mode_t mode = 0;                                                                                         \
    if (flags & (O_CREAT | (O_TMPFILE & ~O_DIRECTORY))) {                                                    \
        va_list arguments;                                                                                   \
        va_start(arguments, last);                                                                           \
        mode = va_arg(arguments, mode_t);                                                                    \
        va_end(arguments);                                                                                   \
    }

int open(const char *name, int flags, ...)
{
    MODE_BEHIND(flags)
    return do_open(AT_FDCWD, name, flags, mode);
}

int open64(const char *name, int flags, ...) __attribute__((alias("open")));

int openat(int folder, const char *name, int flags, ...)
{
    MODE_BEHIND(flags)
    return do_open(folder, name, flags, mode);
}

int openat64(int folder, const char *name, int flags, ...) __attribute__((alias("openat")));

int creat(const char *name, mode_t mode)
{
    return do_open(AT_FDCWD, name, O_WRONLY | O_CREAT | O_TRUNC, mode);
}

int creat64(const char *name, mode_t mode) __attribute__((alias("creat")));

/* What open becomes in programs built with checks of the C library. */
int __open_2(const char *name, int flags);
int __open64_2(const char *name, int flags) __attribute__((alias("__open_2")));

int __open_2(const char *name, int flags)
{
    return do_open(AT_FDCWD, name, flags, 0);
}

int __openat_2(int folder, const char *name, int flags);
int __openat64_2(int folder, const char *name, int flags) __attribute__((alias("__openat_2")));

int __openat_2(int folder, const char *name, int flags)
{
    return do_open(folder, name, flags, 0);
}

int close(int file)
{
    char path[PATH_BYTES];
    if (passes())
        return (int)syscall(SYS_close, file);
    path_of_file(file, path);
    enum inject_action action = enter(INJECT_CLOSE, path);
    int outcome = (int)syscall(SYS_close, file);
    if (action == INJECT_FAIL)
        outcome = fail();
    leave(action);
    return outcome;
}

/* ---- read and write ---- */

/* Where a transfer happens: at `at`, or where the file stands. */
struct transfer {
    int file, placed;
    off_t at;
};

static ssize_t do_read(const struct transfer *t, void *bytes, size_t n)
{
    char path[PATH_BYTES];
    enum inject_action action = INJECT_COUNT;
    int watched = !passes();
    if (watched) {
        path_of_file(t->file, path);
        action = enter(INJECT_READ, path);
    }
    if (action == INJECT_SHORT && n > 1)
        n /= 2;
    ssize_t done = action == INJECT_FAIL ? fail()
        : t->placed                      ? syscall(SYS_pread64, t->file, bytes, n, t->at)
                                         : syscall(SYS_read, t->file, bytes, n);
    if (watched)
        leave(action);
    return done;
}

static off_t end_of(int file)
{
    struct stat status;
    return fstat(file, &status) == 0 ? status.st_size : 0;
}

static off_t begin_of(const struct transfer *t)
{
    if (t->placed)
        return t->at;
    return fcntl(t->file, F_GETFL) & O_APPEND ? end_of(t->file)
                                              : (off_t)syscall(SYS_lseek, t->file, 0, SEEK_CUR);
}

static ssize_t do_write(const struct transfer *t, const struct iovec *parts, int count)
{
    char path[PATH_BYTES];
    enum inject_action action = INJECT_COUNT;
    int watched = !passes();
    struct iovec half = {parts[0].iov_base, parts[0].iov_len / 2};
    if (watched) {
        path_of_file(t->file, path);
        action = enter(INJECT_WRITE, path);
        if (keeps_journal(path) && action != INJECT_FAIL)
            journal_write(t->file, begin_of(t));
    }
    if (action == INJECT_SHORT && half.iov_len) {
        parts = &half;
        count = 1;
    }
    ssize_t done = action == INJECT_FAIL ? fail()
        : t->placed                      ? syscall(SYS_pwritev, t->file, parts, count, t->at, 0)
                                         : syscall(SYS_writev, t->file, parts, count);
    if (watched)
        leave(action);
    return done;
}

ssize_t read(int file, void *bytes, size_t n)
{
    return do_read(&(struct transfer){.file = file}, bytes, n);
}

ssize_t pread(int file, void *bytes, size_t n, off_t at)
{
    return do_read(&(struct transfer){file, 1, at}, bytes, n);
}

ssize_t pread64(int file, void *bytes, size_t n, off_t at) __attribute__((alias("pread")));

ssize_t __read_chk(int file, void *bytes, size_t n, size_t room);
ssize_t __pread_chk(int file, void *bytes, size_t n, off_t at, size_t room);
ssize_t __pread64_chk(int file, void *bytes, size_t n, off_t at, size_t room)
    __attribute__((alias("__pread_chk")));

ssize_t __read_chk(int file, void *bytes, size_t n, size_t room)
{
    return n > room ? (abort(), -1) : read(file, bytes, n);
}

ssize_t __pread_chk(int file, void *bytes, size_t n, off_t at, size_t room)
{
    return n > room ? (abort(), -1) : pread(file, bytes, n, at);
}

ssize_t write(int file, const void *bytes, size_t n)
{
    return do_write(&(struct transfer){.file = file}, &(struct iovec){(void *)(uintptr_t)bytes, n}, 1);
}

ssize_t pwrite(int file, const void *bytes, size_t n, off_t at)
{
    return do_write(&(struct transfer){file, 1, at}, &(struct iovec){(void *)(uintptr_t)bytes, n}, 1);
}

ssize_t pwrite64(int file, const void *bytes, size_t n, off_t at) __attribute__((alias("pwrite")));

ssize_t writev(int file, const struct iovec *parts, int count)
{
    return do_write(&(struct transfer){.file = file}, parts, count);
}

/* ---- length and durability ---- */

static int do_sync(int file)
{
    char path[PATH_BYTES];
    if (passes())
        return (int)syscall(SYS_fsync, file);
    path_of_file(file, path);
    enum inject_action action = enter(INJECT_SYNC, path);
    int outcome = action == INJECT_FAIL ? fail() : 0;
    if (outcome == 0 && keeps_journal(path))
        journal_sync(file, path);
    leave(action);
    return outcome;
}

int fsync(int file)
{
    return do_sync(file);
}

int fdatasync(int file)
{
    return do_sync(file);
}

int ftruncate(int file, off_t length)
{
    char path[PATH_BYTES];
    if (passes())
        return (int)syscall(SYS_ftruncate, file, length);
    path_of_file(file, path);
    enum inject_action action = enter(INJECT_TRUNCATE, path);
    if (keeps_journal(path) && action != INJECT_FAIL)
        journal_write(file, length < end_of(file) ? length : end_of(file));
    int outcome = action == INJECT_FAIL ? fail() : (int)syscall(SYS_ftruncate, file, length);
    leave(action);
    return outcome;
}

int ftruncate64(int file, off_t length) __attribute__((alias("ftruncate")));

int fallocate(int file, int mode, off_t from, off_t length)
{
    char path[PATH_BYTES];
    if (passes())
        return (int)syscall(SYS_fallocate, file, mode, from, length);
    path_of_file(file, path);
    enum inject_action action = enter(INJECT_TRUNCATE, path);
    int outcome = action == INJECT_FAIL ? fail() : (int)syscall(SYS_fallocate, file, mode, from, length);
    leave(action);
    return outcome;
}

int fallocate64(int file, int mode, off_t from, off_t length) __attribute__((alias("fallocate")));

/* ---- names ---- */

static int do_rename(int from_folder, const char *from, int to_folder, const char *to, unsigned flags)
{
    char old[PATH_BYTES], new[PATH_BYTES];
    if (passes())
        return (int)syscall(SYS_renameat2, from_folder, from, to_folder, to, flags);
    path_of_name(from_folder, from, old);
    path_of_name(to_folder, to, new);
    enum inject_action action = enter(INJECT_RENAME, new);
    int kept = keeps_journal(new) ? journal_keep(new) : -1;
    int outcome =
        action == INJECT_FAIL ? fail() : (int)syscall(SYS_renameat2, from_folder, from, to_folder, to, flags);
    if (outcome == 0 && keeps_journal(new))
        journal_renamed(old, new, kept);
    leave(action);
    return outcome;
}

int rename(const char *from, const char *to)
{
    return do_rename(AT_FDCWD, from, AT_FDCWD, to, 0);
}

int renameat(int from_folder, const char *from, int to_folder, const char *to)
{
    return do_rename(from_folder, from, to_folder, to, 0);
}

int renameat2(int from_folder, const char *from, int to_folder, const char *to, unsigned flags)
{
    return do_rename(from_folder, from, to_folder, to, flags);
}

static int do_unlink(int folder, const char *name, int flags)
{
    char path[PATH_BYTES];
    if (passes())
        return (int)syscall(SYS_unlinkat, folder, name, flags);
    path_of_name(folder, name, path);
    enum inject_action action = enter(INJECT_UNLINK, path);
    int kept = keeps_journal(path) && action != INJECT_FAIL ? journal_keep(path) : -1;
    int outcome = action == INJECT_FAIL ? fail() : (int)syscall(SYS_unlinkat, folder, name, flags);
    if (outcome == 0 && keeps_journal(path))
        journal_removed(path, kept);
    leave(action);
    return outcome;
}

int unlink(const char *name)
{
    return do_unlink(AT_FDCWD, name, 0);
}

int unlinkat(int folder, const char *name, int flags)
{
    return do_unlink(folder, name, flags);
}

static int do_link(int from_folder, const char *from, int to_folder, const char *to, int flags)
{
    char path[PATH_BYTES];
    if (passes())
        return (int)syscall(SYS_linkat, from_folder, from, to_folder, to, flags);
    path_of_name(to_folder, to, path);
    enum inject_action action = enter(INJECT_LINK, path);
    int outcome =
        action == INJECT_FAIL ? fail() : (int)syscall(SYS_linkat, from_folder, from, to_folder, to, flags);
    if (outcome == 0 && keeps_journal(path))
        journal_create(path);
    leave(action);
    return outcome;
}

int link(const char *from, const char *to)
{
    return do_link(AT_FDCWD, from, AT_FDCWD, to, 0);
}

int linkat(int from_folder, const char *from, int to_folder, const char *to, int flags)
{
    return do_link(from_folder, from, to_folder, to, flags);
}

int mkdir(const char *name, mode_t mode)
{
    char path[PATH_BYTES];
    if (passes())
        return (int)syscall(SYS_mkdirat, AT_FDCWD, name, mode);
    path_of_name(AT_FDCWD, name, path);
    enum inject_action action = enter(INJECT_FOLDER, path);
    int outcome = action == INJECT_FAIL ? fail() : (int)syscall(SYS_mkdirat, AT_FDCWD, name, mode);
    leave(action);
    return outcome;
}

/* ---- memory ---- */

int inject_meets_allocation(const void *caller)
{
    if (passes() || !(plan.calls >> INJECT_ALLOCATE & 1) || !is_by_caller(caller))
        return 0;
    enum inject_action action = enter(INJECT_ALLOCATE, NULL);
    leave(action);
    return action == INJECT_FAIL;
}

/* The lock of a run directory, on file systems shared between machines.
 *
 * The file is made whole under a name of its own and appears by link(2), which fails where there is one
 * already, on NFS too. The lock of a dead job is replaced by rename(2), so that there never is none. Two jobs
 * that find the same dead lock: whoever replaces it holds flock(2) on the dead file and looks again whether
 * the name still stands for that very file; the other, let in later, sees that it does not. Where there is no
 * flock, whoever renamed waits, and looks whether his own lock is still there: the last one wins.
 *
 * The heartbeat stands at the beginning of the file in a fixed width and is renewed in place. It is written
 * to the file that was created, not to the name: beating never touches somebody else's lock. */
#include "ckpt/lock.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "ckpt/directory.h"
#include "ckpt/process.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { LOCK_BYTES = 512, BEAT_TEXT = 10 + 12 + 1, TRIES = 20, SETTLE_SECONDS = 2 };

struct lock {
    char path[DIRECTORY_PATH], temporary[DIRECTORY_PATH];
    struct process self;
    int descriptor; /* of our lock file */
    double beaten;  /* clock_now of the last heartbeat */
};

/* Somebody's lock as it was read. */
struct found {
    int descriptor;
    int readable; /* the content is that of a lock */
    struct process process;
    double age; /* seconds since its heartbeat, or since it was last written: whichever is later */
    dev_t device;
    ino_t inode;
};

static int print_beat(char *text, size_t size)
{
    return snprintf(text, size, "heartbeat=%012.0f\n", floor(clock_calendar()));
}

static int print_lock(const struct process *process, char *text, size_t size)
{
    int n = print_beat(text, size);
    return n +
        snprintf(text + n, size - (size_t)n, "host=%s\nprocess=%ld\njob=%s\nstart=%lld\nboot=%s\nspace=%s\n",
            process->host, process->number, process->job, process->start, process->boot, process->space);
}

/* Finds the value of "KEY=" at the beginning of a line, "" where there is none. */
static void get_value(const char *text, const char *key, char *value, size_t size)
{
    size_t n = strlen(key);
    value[0] = 0;
    for (const char *line = text; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, key, n) == 0 && line[n] == '=') {
            snprintf(value, size, "%.*s", (int)strcspn(line + n + 1, "\n"), line + n + 1);
            return;
        }
    }
}

static int parse_lock(const char *text, struct process *process, double *heartbeat)
{
    char beat[32], number[32], start[32];
    get_value(text, "heartbeat", beat, sizeof beat);
    get_value(text, "process", number, sizeof number);
    get_value(text, "start", start, sizeof start);
    get_value(text, "host", process->host, sizeof process->host);
    get_value(text, "job", process->job, sizeof process->job);
    get_value(text, "boot", process->boot, sizeof process->boot);
    get_value(text, "space", process->space, sizeof process->space);
    return sscanf(beat, "%lf", heartbeat) == 1 && isfinite(*heartbeat) &&
        sscanf(number, "%ld", &process->number) == 1 && sscanf(start, "%lld", &process->start) == 1 &&
        process->host[0];
}

/* A heartbeat of far in the future is none that a clock gave: then the file's own time counts. */
static double latest(double heartbeat, double written)
{
    enum { DAY = 86400 };
    return heartbeat > clock_calendar() + DAY ? written : fmax(heartbeat, written);
}

static const char *why_not(int number)
{
    return number == ELOOP ? "is a link, and no lock of a run: remove it" : strerror(number);
}

/* Opens and reads the lock that is there. Returns -1 and errno where it cannot. */
static int open_lock(const char *path, int flags, struct found *found)
{
    char text[LOCK_BYTES];
    struct stat status;
    double heartbeat = 0;
    *found = (struct found){.descriptor = open(path, flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)};
    if (found->descriptor < 0)
        return -1;
    ssize_t n = pread(found->descriptor, text, sizeof text - 1, 0);
    if (n < 0 || fstat(found->descriptor, &status) != 0) {
        int why = errno;
        close(found->descriptor);
        errno = why;
        return -1;
    }
    text[n] = 0;
    found->readable = parse_lock(text, &found->process, &heartbeat);
    found->device = status.st_dev;
    found->inode = status.st_ino;
    found->age = clock_calendar() - latest(heartbeat, (double)status.st_mtime);
    return 0;
}

static int is_dead(const struct lock *lock, const struct found *found)
{
    if (found->readable && process_visible(&lock->self, &found->process))
        return !process_alive(&lock->self, &found->process);
    return found->age > LOCK_STALE_SECONDS;
}

static int is_ours(const struct lock *lock)
{
    struct found found;
    if (open_lock(lock->path, O_RDWR, &found) != 0)
        return errno != ENOENT && errno != ESTALE; /* where it cannot be told, it is */
    close(found.descriptor);
    return found.readable && process_same(&found.process, &lock->self);
}

/* Does the name still stand for the file that was read? */
static int still_there(const char *path, const struct found *found)
{
    struct stat status;
    return stat(path, &status) == 0 && status.st_dev == found->device && status.st_ino == found->inode;
}

/* Puts our file in the place of a dead one. Returns 1 where that is done, 0 where somebody was faster, or -1
 * and errno. */
static int replace_dead(struct lock *lock, const struct found *dead)
{
    int alone = flock(dead->descriptor, LOCK_EX) == 0;
    struct found again;
    if (!still_there(lock->path, dead))
        return 0;
    if (open_lock(lock->path, O_RDWR, &again) != 0)
        return errno == ENOENT ? 0 : -1;
    int dead_still = is_dead(lock, &again);
    close(again.descriptor);
    if (!dead_still)
        return 0;
    if (rename(lock->temporary, lock->path) != 0)
        return -1;
    if (!alone)
        nanosleep(&(struct timespec){.tv_sec = SETTLE_SECONDS}, NULL);
    return is_ours(lock);
}

static void describe_age(double age, char *text, size_t size)
{
    if (age < 0)
        snprintf(text, size, "in the future by %.0f seconds", -age);
    else
        snprintf(text, size, "%.0f seconds ago", age);
}

static int refuse(const struct lock *lock, const struct found *found, struct error *error)
{
    char age[64];
    describe_age(found->age, age, sizeof age);
    if (!found->readable)
        return error_set(error, EXIT_CODE_DATA,
            "%s: is there, last written %s, but does not say whose it is: if no job runs here, remove it",
            lock->path, age);
    return error_set(error, EXIT_CODE_DATA,
        "%s: a job runs in this directory: process %ld on %s, SLURM job %s, last heard of %s: wait for it or "
        "stop it; if you know that it is gone, remove this file",
        lock->path, found->process.number, found->process.host, found->process.job, age);
}

static void describe_takeover(const struct lock *lock, const struct found *found, char *warning, size_t size)
{
    char age[64];
    describe_age(found->age, age, sizeof age);
    if (found->readable)
        snprintf(warning, size,
            "%s: taken over from process %ld on %s, SLURM job %s, which is gone (last heard of %s)",
            lock->path, found->process.number, found->process.host, found->process.job, age);
    else
        snprintf(
            warning, size, "%s: taken over; it did not say whose it was (last written %s)", lock->path, age);
}

/* Writes our file under its own name, and leaves it open for the heartbeats to come. */
static int write_temporary(struct lock *lock)
{
    char text[LOCK_BYTES];
    int n = print_lock(&lock->self, text, sizeof text);
    unlink(lock->temporary);
    lock->descriptor = open(lock->temporary, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (lock->descriptor < 0 || file_write_all(lock->descriptor, text, (size_t)n) != 0 ||
        file_sync(lock->descriptor) != 0)
        return -1;
    lock->beaten = clock_now();
    return 0;
}

/* Creates the lock under its name at once, where there are no hard links. Returns as create_lock does. */
static int create_directly(struct lock *lock)
{
    char text[LOCK_BYTES];
    int descriptor = open(lock->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (descriptor < 0)
        return errno == EEXIST ? 0 : -1;
    int n = print_lock(&lock->self, text, sizeof text);
    if (file_write_all(descriptor, text, (size_t)n) != 0) {
        int why = errno;
        close(descriptor);
        unlink(lock->path);
        errno = why;
        return -1;
    }
    close(lock->descriptor);
    lock->descriptor = descriptor;
    return 1;
}

/* Returns 1 where the lock is ours now, 0 where there is one already, or -1 and errno. A link(2) over NFS may
 * have succeeded though it says that it has not: the count of links knows. */
static int create_lock(struct lock *lock)
{
    struct stat status;
    if (link(lock->temporary, lock->path) == 0)
        return 1;
    int why = errno;
    if (fstat(lock->descriptor, &status) == 0 && status.st_nlink == 2)
        return 1;
    if (why == EEXIST)
        return 0;
    if (why == EPERM || why == ENOTSUP || why == ENOSYS || why == EMLINK)
        return create_directly(lock);
    errno = why;
    return -1;
}

/* Makes one attempt. Returns 1 where the lock is ours, 0 where to look again, or -1 and an error. */
static int try_lock(struct lock *lock, char *warning, size_t size, struct error *error)
{
    struct found found;
    int outcome = create_lock(lock);
    if (outcome != 0)
        return outcome < 0
            ? error_set(error, EXIT_CODE_IO, "%s: cannot be created: %s", lock->path, strerror(errno))
            : 1;
    if (open_lock(lock->path, O_RDWR, &found) != 0)
        return errno == ENOENT || errno == ESTALE
            ? 0
            : error_set(error, EXIT_CODE_IO, "%s: cannot be read: %s", lock->path, why_not(errno));
    if (!is_dead(lock, &found)) {
        outcome = refuse(lock, &found, error);
    } else {
        outcome = replace_dead(lock, &found);
        if (outcome < 0)
            error_set(error, EXIT_CODE_IO, "%s: cannot be replaced: %s", lock->path, strerror(errno));
        if (outcome > 0)
            describe_takeover(lock, &found, warning, size);
    }
    close(found.descriptor);
    return outcome;
}

static int take(struct lock *lock, char *warning, size_t size, struct error *error)
{
    if (write_temporary(lock) != 0)
        return error_set(error, EXIT_CODE_IO, "%s: cannot be written: %s", lock->temporary, strerror(errno));
    for (int i = 0; i < TRIES; i++) {
        int outcome = try_lock(lock, warning, size, error);
        if (outcome != 0)
            return outcome;
    }
    return error_set(error, EXIT_CODE_IO, "%s: keeps changing hands: is another job starting?", lock->path);
}

int lock_look(const char *directory, char *story, size_t size, struct error *error)
{
    struct lock lock = {.descriptor = -1};
    struct found found;
    char age[64];
    snprintf(lock.path, sizeof lock.path, "%s/lock", directory);
    if (open_lock(lock.path, O_RDONLY, &found) != 0)
        return errno == ENOENT || errno == ESTALE
            ? 0
            : error_set(error, EXIT_CODE_IO, "%s: cannot be read: %s", lock.path, why_not(errno));
    close(found.descriptor);
    process_self(&lock.self, "");
    describe_age(found.age, age, sizeof age);
    if (!found.readable)
        return error_set(error, EXIT_CODE_DATA,
            "%s: does not say whose it is, last written %s: if no job runs here, remove it", lock.path, age);
    snprintf(story, size, "process %ld on %s, SLURM job %s, last heard of %s", found.process.number,
        found.process.host, found.process.job, age);
    return is_dead(&lock, &found) ? 2 : 1;
}

struct lock *lock_take(
    const char *directory, const char *job, char *warning, size_t size, struct error *error)
{
    struct lock *lock = memory_create(1, sizeof *lock, error);
    if (!lock)
        return NULL;
    if (size)
        warning[0] = 0;
    process_self(&lock->self, job);
    lock->descriptor = -1;
    snprintf(lock->path, sizeof lock->path, "%s/lock", directory);
    snprintf(lock->temporary, sizeof lock->temporary, "%s/.lock.tmp-%s-%ld", directory, lock->self.host,
        lock->self.number);
    int outcome = take(lock, warning, size, error);
    unlink(lock->temporary);
    if (outcome > 0)
        return lock;
    if (lock->descriptor >= 0)
        close(lock->descriptor);
    memory_destroy(lock);
    return NULL;
}

void lock_holder(const struct lock *lock, struct process *holder)
{
    *holder = lock->self;
}

int lock_held_by(const char *directory, const struct process *holder)
{
    char path[DIRECTORY_PATH];
    struct found found;
    snprintf(path, sizeof path, "%s/lock", directory);
    if (open_lock(path, O_RDONLY, &found) != 0)
        return 0;
    close(found.descriptor);
    return found.readable && process_same(&found.process, holder);
}

int lock_beat(struct lock *lock)
{
    char text[BEAT_TEXT + 32];
    if (clock_now() - lock->beaten < LOCK_BEAT_SECONDS)
        return 0;
    lock->beaten = clock_now();
    int n = print_beat(text, sizeof text);
    if (pwrite(lock->descriptor, text, (size_t)n, 0) == n)
        file_sync(lock->descriptor); /* so that other machines see it; failing now, it may not next time */
    return is_ours(lock) ? 0 : -1;
}

/* Under flock the name cannot change from our file to another between look and removal, as in replace_dead.
 */
void lock_release(struct lock *lock)
{
    if (!lock)
        return;
    struct stat status;
    flock(lock->descriptor, LOCK_EX);
    if (fstat(lock->descriptor, &status) == 0) {
        struct found ours = {.device = status.st_dev, .inode = status.st_ino};
        if (still_there(lock->path, &ours))
            unlink(lock->path);
    }
    close(lock->descriptor);
    memory_destroy(lock);
}

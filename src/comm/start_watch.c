/* MPI_Init waits for all processes of the job, and there are such as never call it: a program that needs no
 * MPI was started beside this one, or one that has answered --help and is gone. A launcher may take that for
 * nothing out of the way. No rank can be asked then; only time tells.
 *
 * It is a thread that looks at the clock, and no alarm: a signal might break off a system call of MPI's that
 * nobody repeats. */
#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "comm/launcher.h"
#include "comm/purpose.h"

#include <pthread.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

/* The limit is waited for in parts: a process that was stopped itself meanwhile has not waited for longer
 * than one of them. Those who speak later have more of them. */
enum { PARTS = 8, LATER_PARTS = 10 };

struct start_watch {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int over; /* the start is */
    const struct comm_purpose *purpose;
};

/* Returns whether the start is over within a part of the limit. The lock is held. */
static int wait_for_part(struct start_watch *watch)
{
    double part = watch->purpose->limit / PARTS;
    struct timespec latest;
    clock_gettime(CLOCK_MONOTONIC, &latest);
    latest.tv_sec += (time_t)part;
    latest.tv_nsec += (long)((part - (double)(time_t)part) * 1e9);
    latest.tv_sec += latest.tv_nsec / 1000000000;
    latest.tv_nsec %= 1000000000;
    while (!watch->over && pthread_cond_timedwait(&watch->changed, &watch->lock, &latest) == 0)
        ;
    return watch->over;
}

static void *wait_for_end(void *context)
{
    struct start_watch *watch = context;
    int parts = launcher_get()->first ? PARTS : LATER_PARTS;
    pthread_mutex_lock(&watch->lock);
    while (parts > 0 && !wait_for_part(watch))
        parts--;
    if (!watch->over) {
        log_line(LOG_ERROR,
            "not all processes have answered at the start, for %g seconds: one hangs, its host or network is "
            "gone, or it is none that works with the others (rnn-data, and --help, --version and --verify, "
            "take no part): %s",
            watch->purpose->limit, watch->purpose->advice);
        _exit(EXIT_CODE_STUCK);
    }
    pthread_mutex_unlock(&watch->lock);
    return NULL;
}

/* Signals are for the program's own thread. */
static int start_thread(struct start_watch *watch)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(&watch->thread, NULL, wait_for_end, watch);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return failed;
}

/* Without memory, or a thread to be had, there is no watch: what needs more of either says so. */
struct start_watch *start_watch_begin(const struct comm_purpose *purpose)
{
    struct error error;
    if (!(purpose->limit > 0) || purpose->limit > 1e9)
        return NULL;
    struct start_watch *watch = memory_create(1, sizeof *watch, &error);
    if (!watch)
        return NULL;
    *watch = (struct start_watch){.purpose = purpose};
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&watch->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    pthread_mutex_init(&watch->lock, NULL);
    if (start_thread(watch) == 0)
        return watch;
    memory_destroy(watch);
    return NULL;
}

void start_watch_end(struct start_watch *watch)
{
    if (!watch)
        return;
    pthread_mutex_lock(&watch->lock);
    watch->over = 1;
    pthread_cond_signal(&watch->changed);
    pthread_mutex_unlock(&watch->lock);
    pthread_join(watch->thread, NULL);
    pthread_mutex_destroy(&watch->lock);
    pthread_cond_destroy(&watch->changed);
    memory_destroy(watch);
}

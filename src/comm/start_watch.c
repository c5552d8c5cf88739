/* MPI_Init waits for all processes of the job, and there are such as never call it: a program that needs no
 * MPI was started beside this one, or one that has answered --help and is gone. A launcher may take that for
 * nothing out of the way. No rank can be asked then; only time tells.
 *
 * It is a thread that looks at the clock, and no alarm: a signal might break off a system call of MPI's that
 * nobody repeats. */
#include "base/clock.h"
#include "base/memory.h"
#include "base/thread.h"
#include "comm/end.h"
#include "comm/launcher.h"
#include "comm/purpose.h"

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
    double end = clock_now() + watch->purpose->limit / PARTS;
    for (double now = clock_now(); !watch->over && now < end; now = clock_now())
        thread_wait(&watch->changed, &watch->lock, end - now);
    return watch->over;
}

static void *wait_for_end(void *context)
{
    struct start_watch *watch = context;
    int parts = launcher_get()->first ? PARTS : LATER_PARTS;
    pthread_mutex_lock(&watch->lock);
    while (parts > 0 && !wait_for_part(watch))
        parts--;
    if (!watch->over)
        comm_fatal(NULL, -1, EXIT_CODE_STUCK,
            "not all processes have answered at the start, for %g seconds: one hangs, its host or network is "
            "gone, or it is none that works with the others (rnn-data, and --help, --version and --verify, "
            "take no part): %s",
            watch->purpose->limit, watch->purpose->advice);
    pthread_mutex_unlock(&watch->lock);
    return NULL;
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
    thread_init_condition(&watch->changed);
    pthread_mutex_init(&watch->lock, NULL);
    if (thread_start(&watch->thread, wait_for_end, watch) == 0)
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

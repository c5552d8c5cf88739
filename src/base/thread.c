/* A new thread inherits which signals are blocked, so all of them are while it is made. */
#include "base/thread.h"

#include <math.h>
#include <signal.h>
#include <time.h>

int thread_start(pthread_t *thread, void *(*run)(void *context), void *context)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(thread, NULL, run, context);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return failed;
}

void thread_init_condition(pthread_cond_t *changed)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(changed, &attributes);
    pthread_condattr_destroy(&attributes);
}

void thread_wait(pthread_cond_t *changed, pthread_mutex_t *lock, double seconds)
{
    enum { SECOND = 1000000000 /* ns */ };
    double whole = floor(seconds);
    struct timespec latest;
    clock_gettime(CLOCK_MONOTONIC, &latest);
    latest.tv_nsec += (long)((seconds - whole) * SECOND);
    latest.tv_sec += (time_t)whole + latest.tv_nsec / SECOND;
    latest.tv_nsec %= SECOND;
    pthread_cond_timedwait(changed, lock, &latest);
}

/* A thread beside the program's own, and how the two wait for each other: with a lock, and a condition that
 * is signalled whenever something has changed. */
#ifndef BASE_THREAD_H
#define BASE_THREAD_H

#include <pthread.h>

/* Starts a thread that gets no signals: those are for the program's own. Returns 0, or the number of the
 * error (strerror). */
int thread_start(pthread_t *thread, void *(*run)(void *context), void *context);

/* A condition for thread_wait; to be ended by pthread_cond_destroy. */
void thread_init_condition(pthread_cond_t *changed);

/* Waits for a change, which may be none, for so many seconds at most, by a clock that never goes back. The
 * lock is held, and let go meanwhile. */
void thread_wait(pthread_cond_t *changed, pthread_mutex_t *lock, double seconds);

#endif

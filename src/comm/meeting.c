/* A barrier with a turn: the last one to come empties the counter and begins the next turn, which is what the
 * others wait for. Who waits spins at first, since members that compute equal shares come within microseconds
 * of each other; then it gives its core away between two looks, and at last it sleeps. Where there are more
 * ranks than cores, giving the core away is all that helps, and a spin keeps a member from it that computes.
 */
#include "comm/meeting.h"

#include "base/clock.h"
#include "comm/wait.h"
#include "comm/watch.h"

#include <sched.h>
#include <time.h>

enum {
    SPINS = 2000,
    CROWDED_SPINS = 20,
    LOOKS = 64
};                                /* LOOKS: of those that give the core away, to one at the clock */
static const double eager = 0.02; /* seconds of giving the core away before it sleeps */

void meeting_init(struct meeting *meeting, int crowded)
{
    atomic_store_explicit(&meeting->crowded, (uint32_t)crowded, memory_order_relaxed);
}

void meeting_leave(struct meeting *meeting)
{
    atomic_store_explicit(&meeting->left, 1, memory_order_release);
}

static int has_left(struct meeting *meeting, const volatile sig_atomic_t *stop)
{
    if (stop && *stop)
        meeting_leave(meeting);
    return atomic_load_explicit(&meeting->left, memory_order_acquire) != 0;
}

static int is_over(const struct meeting *meeting, uint32_t turn)
{
    return atomic_load_explicit(&meeting->turn, memory_order_acquire) != turn;
}

static void relax(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

/* The patient part of a wait, with its share in the watch. */
static int wait_long(
    const struct comm *comm, struct meeting *meeting, uint32_t turn, const volatile sig_atomic_t *stop)
{
    static const struct timespec nap = {.tv_nsec = 50000};
    double start = clock_now(), now = start;
    for (unsigned look = 1; !is_over(meeting, turn); look++) {
        if (has_left(meeting, stop))
            return -1;
        if (now - start > eager)
            nanosleep(&nap, NULL);
        else
            sched_yield();
        comm_look_meanwhile();
        if (look % LOOKS && now - start <= eager)
            continue;
        now = clock_now();
        if (comm->watch)
            watch_look(comm->watch, comm, now);
    }
    return 0;
}

int meeting_come(
    const struct comm *comm, struct meeting *meeting, unsigned members, const volatile sig_atomic_t *stop)
{
    if (has_left(meeting, stop))
        return -1;
    uint32_t turn = atomic_load_explicit(&meeting->turn, memory_order_relaxed);
    if (atomic_fetch_add_explicit(&meeting->come, 1, memory_order_acq_rel) + 1 == members) {
        atomic_store_explicit(&meeting->come, 0, memory_order_relaxed);
        atomic_store_explicit(&meeting->turn, turn + 1, memory_order_release);
        return 0;
    }
    int spins = atomic_load_explicit(&meeting->crowded, memory_order_relaxed) ? CROWDED_SPINS : SPINS;
    for (int spin = 0; spin < spins; spin++) {
        if (is_over(meeting, turn))
            return 0;
        relax();
    }
    return wait_long(comm, meeting, turn, stop);
}

void meeting_reset(struct meeting *meeting)
{
    atomic_store_explicit(&meeting->come, 0, memory_order_relaxed);
    atomic_store_explicit(&meeting->left, 0, memory_order_release);
}

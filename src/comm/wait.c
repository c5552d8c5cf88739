/* A wait polls a nonblocking request. At first it does nothing else, since most waits are over in
 * microseconds; then it looks at the clock, gives its core away between two looks, and after a second it
 * sleeps, so that ranks that wait for a long checkpoint leave their cores to others. MPI makes progress in
 * each look, as it does in a blocking call, and this process may have something of its own to look after. */
#include "comm/wait.h"

#include "base/clock.h"
#include "comm/watch.h"

#include <sched.h>
#include <time.h>

enum { SPINS = 200 };
static const double eager = 0.001, patient = 1; /* seconds */

static struct {
    void (*look)(void *context);
    void *context;
} meanwhile;

void comm_set_meanwhile(void (*look)(void *context), void *context)
{
    meanwhile.look = look;
    meanwhile.context = context;
}

void comm_look_meanwhile(void)
{
    if (meanwhile.look)
        meanwhile.look(meanwhile.context);
}

static void pause_between(double waited)
{
    static const struct timespec nap = {.tv_nsec = 50000};
    if (waited > patient)
        nanosleep(&nap, NULL);
    else if (waited > eager)
        sched_yield();
}

void comm_wait(const struct comm *comm, MPI_Request *request)
{
    struct watch *watch = comm->watch;
    double start = clock_now();
    int done = 0;
    if (watch && watch_is_due(watch, start))
        watch_look(watch, comm, start);
    for (int i = 0; i < SPINS && !done; i++)
        MPI_Test(request, &done, MPI_STATUS_IGNORE);
    while (!done) {
        double now = clock_now();
        if (watch && now - start > eager)
            watch_look(watch, comm, now);
        comm_look_meanwhile();
        pause_between(now - start);
        MPI_Test(request, &done, MPI_STATUS_IGNORE);
    }
}

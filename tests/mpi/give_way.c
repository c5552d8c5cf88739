/* Preloaded into the programs of a test where MPI is MPICH: a rank that waits inside MPI gives its core to
 * another. Open MPI does so where its mpi_yield_when_idle asks for it; MPICH has no such switch and spins,
 * for a whole turn of the processor's, in each start and end, split of a communicator and wait. With more
 * ranks than cores a test then takes a minute for what else takes two seconds. All of these waits go through
 * this function of UCX, by which Debian's MPICH sends; another MPICH, without UCX, never calls it. Hydra
 * makes each rank a session of its own, and Linux may share the processors among sessions first, where giving
 * way within one gives nothing away: so a rank that has looked for long sleeps for a moment. */
#define _GNU_SOURCE /* RTLD_NEXT */

#include <dlfcn.h>
#include <sched.h>
#include <stdlib.h>
#include <time.h>

enum { LOOKS = 100 }; /* in vain, before it naps */

unsigned ucp_worker_progress(void *worker);

unsigned ucp_worker_progress(void *worker)
{
    static unsigned (*real)(void *);
    if (!real) {
        *(void **)&real = dlsym(RTLD_NEXT, "ucp_worker_progress");
        if (!real)
            abort();
    }
    static const struct timespec nap = {.tv_nsec = 50000};
    static unsigned in_vain;
    unsigned events = real(worker);
    in_vain = events ? 0 : in_vain + 1;
    if (in_vain > LOOKS)
        nanosleep(&nap, NULL);
    else if (in_vain)
        sched_yield();
    return events;
}

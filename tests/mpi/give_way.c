/* Preloaded into the programs of a test where MPI is MPICH: a rank that waits inside MPI gives its core to
 * another. Open MPI does so where its mpi_yield_when_idle asks for it; MPICH has no such switch and spins,
 * for a whole turn of the processor's, in each start and end, split of a communicator and wait. With more
 * ranks than cores a test then takes a minute for what else takes two seconds. All of these waits go through
 * this function of UCX, by which Debian's MPICH sends; another MPICH, without UCX, never calls it. */
#define _GNU_SOURCE /* RTLD_NEXT */

#include <dlfcn.h>
#include <sched.h>
#include <stdlib.h>

unsigned ucp_worker_progress(void *worker);

unsigned ucp_worker_progress(void *worker)
{
    static unsigned (*real)(void *);
    if (!real) {
        *(void **)&real = dlsym(RTLD_NEXT, "ucp_worker_progress");
        if (!real)
            abort();
    }
    unsigned events = real(worker);
    if (events == 0)
        sched_yield();
    return events;
}

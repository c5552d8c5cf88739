/* Preloaded into the ranks of a job that srun starts: the one with the number LATE_RANK learns a second late
 * that the first fence of MPI_Init is over, and serves its connections meanwhile. Ranks of other nodes that
 * leave MPI_Init without it send it messages that it is not ready for. It is told by a thread, since the one
 * of PMIx is needed to accept a connection. The declarations are those of the standard of PMIx. */
#define _GNU_SOURCE /* RTLD_NEXT */

#include <dlfcn.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef void done_function(int status, void *context);
typedef int fence_function(
    const void *processes, size_t count, const void *info, size_t infos, done_function *done, void *context);

static struct {
    done_function *done;
    int status;
    void *context;
} first;

static void *tell(void *nothing)
{
    sleep(1);
    first.done(first.status, first.context);
    return nothing;
}

static void tell_late(int status, void *context)
{
    pthread_t thread;
    first.status = status;
    first.context = context;
    if (pthread_create(&thread, NULL, tell, NULL) || pthread_detach(thread))
        abort();
}

fence_function PMIx_Fence_nb;

int PMIx_Fence_nb(
    const void *processes, size_t count, const void *info, size_t infos, done_function *done, void *context)
{
    const char *rank = getenv("SLURM_PROCID"), *late = getenv("LATE_RANK");
    int is_late = !first.done && rank && late && strcmp(rank, late) == 0;
    fence_function *fence;
    *(void **)&fence = dlsym(RTLD_NEXT, "PMIx_Fence_nb");
    if (!first.done)
        first.done = done;
    return fence(processes, count, info, infos, is_late ? tell_late : done, context);
}

/* Thin wrappers over MPI_COMM_WORLD: nonblocking calls, with a wait of our own (wait.c). Collectives whose
 * length could pass an int, or the sizes where MPI libraries have had trouble, go in pieces; every rank cuts
 * alike, and uses the same type and count, since some algorithms of Open MPI go wrong where ranks describe
 * the same bytes differently. */
#define _GNU_SOURCE /* SCHED_IDLE */
#include "comm/comm.h"

#include "base/log.h"
#include "base/machine.h"
#include "base/memory.h"
#include "comm/launcher.h"
#include "comm/wait.h"

#include <assert.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>

enum { PIECE = 1 << 29 }; /* bytes of one collective at most */

static long ranks_to_a_processor(void)
{
    return launcher_get()->on_host / (long)machine_count_processors();
}

/* A rank that waits in MPI_Init or MPI_Finalize asks every tenth of a millisecond whether it may go on. Where
 * many ranks share a processor, their asking leaves nothing of it to the launcher, which all of them wait
 * for: of a minute that 256 ranks took to start on two processors, a quarter is left when each asks as many
 * times less often as there are ranks to a processor. So the system may wake a rank that much later than it
 * asked for. Returns what was allowed before. */
static int sleep_longer(void)
{
    enum { NANOSECONDS = 100000 };
    long slack = ranks_to_a_processor() * NANOSECONDS;
    int before = prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0);
    if (slack > before)
        prctl(PR_SET_TIMERSLACK, slack, 0, 0, 0);
    return before;
}

static void sleep_as_before(int slack)
{
    prctl(PR_SET_TIMERSLACK, (long)slack, 0, 0, 0);
}

/* MPICH takes USR1 for itself while it starts: its launcher may tell by it that a rank has gone, and the next
 * call asks the launcher for which. A process that nobody launched starts a launcher for that, which refuses,
 * and waits for it for ever. A rank that goes ends the run, so nobody needs to be told, and USR1 stays what
 * it was. It is kept waiting meanwhile, so that none goes to MPICH's handler. */
static void start_mpi(void)
{
    sigset_t usr1, before;
    struct sigaction action;
    int provided;
    sigemptyset(&usr1);
    sigaddset(&usr1, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &usr1, &before);
    sigaction(SIGUSR1, NULL, &action);
    int slack = sleep_longer();
    MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &provided);
    sleep_as_before(slack);
    sigaction(SIGUSR1, &action, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

int comm_start(struct comm *comm, const struct comm_purpose *purpose, struct error *error)
{
    launcher_get();
    struct start_watch *watch = start_watch_begin(purpose);
    start_mpi();
    *comm = (struct comm){0};
    MPI_Comm_rank(MPI_COMM_WORLD, &comm->rank);
    MPI_Comm_size(MPI_COMM_WORLD, &comm->ranks);
    char host[MPI_MAX_PROCESSOR_NAME + 1] = {0};
    int length;
    MPI_Get_processor_name(host, &length);
    snprintf(comm->host, sizeof comm->host, "%.*s", (int)sizeof comm->host - 1, host);
    log_set_speaker(purpose->program, comm->rank, comm->host);
    int outcome = purpose_agree(comm, purpose, error);
    start_watch_end(watch);
    return outcome;
}

/* A rank that tells its launcher that it ends waits two seconds at most for the answer (PMIx_Finalize), and
 * has ended improperly when it is gone before it was heard. Hundreds of ranks on a few processors have so
 * much to clear away that the launcher would not get its turn in time: they take what it leaves. Few ranks
 * would only be held up by that, where something else keeps the processors busy. */
static void give_way(void)
{
    enum { CROWD = 16 };
    if (ranks_to_a_processor() >= CROWD)
        sched_setscheduler(0, SCHED_IDLE, &(struct sched_param){0});
}

void comm_finish(struct comm *comm)
{
    if (comm && comm->ranks) {
        if (watch_is_kept(comm)) {
            comm_watch_idle(comm, NULL, NULL);
            comm_barrier(comm); /* from here on all are on their way out */
        }
        watch_close(comm);
        give_way();
        sleep_longer();
        MPI_Finalize();
        alarm(0);
        *comm = (struct comm){0};
    }
}

static int agree(const struct comm *comm, int is_of_rank, struct error *error)
{
    int lowest = error->code ? comm->rank : comm->ranks;
    MPI_Request request;
    MPI_Iallreduce(MPI_IN_PLACE, &lowest, 1, MPI_INT, MPI_MIN, MPI_COMM_WORLD, &request);
    comm_wait(comm, &request);
    if (lowest == comm->ranks)
        return 0;
    if (lowest > 0 && comm->rank == lowest && is_of_rank)
        error_prefix(error, "rank %d on %s: ", comm->rank, comm->host);
    comm_broadcast(comm, error, sizeof *error, lowest);
    return -1;
}

int comm_agree(const struct comm *comm, struct error *error)
{
    return agree(comm, 1, error);
}

int comm_agree_on_parts(const struct comm *comm, struct error *error)
{
    return agree(comm, error->code != EXIT_CODE_DATA, error);
}

static void reduce_pieces(
    const struct comm *comm, void *values, size_t n, size_t size, MPI_Datatype type, MPI_Op op)
{
    for (size_t done = 0, piece; done < n; done += piece) {
        piece = n - done < PIECE / size ? n - done : PIECE / size;
        MPI_Request request;
        MPI_Iallreduce(
            MPI_IN_PLACE, (char *)values + done * size, (int)piece, type, op, MPI_COMM_WORLD, &request);
        comm_wait(comm, &request);
    }
}

void comm_sum(const struct comm *comm, double *values, size_t n)
{
    reduce_pieces(comm, values, n, sizeof *values, MPI_DOUBLE, MPI_SUM);
}

void comm_max(const struct comm *comm, double *values, size_t n)
{
    reduce_pieces(comm, values, n, sizeof *values, MPI_DOUBLE, MPI_MAX);
}

void comm_sum_uint64(const struct comm *comm, uint64_t *values, size_t n)
{
    reduce_pieces(comm, values, n, sizeof *values, MPI_UINT64_T, MPI_SUM);
}

void comm_max_int64(const struct comm *comm, int64_t *values, size_t n)
{
    reduce_pieces(comm, values, n, sizeof *values, MPI_INT64_T, MPI_MAX);
}

void comm_broadcast(const struct comm *comm, void *bytes, size_t n, int root)
{
    for (size_t done = 0, piece; done < n; done += piece) {
        piece = n - done < PIECE ? n - done : PIECE;
        MPI_Request request;
        MPI_Ibcast((char *)bytes + done, (int)piece, MPI_BYTE, root, MPI_COMM_WORLD, &request);
        comm_wait(comm, &request);
    }
}

void comm_barrier(const struct comm *comm)
{
    MPI_Request request;
    MPI_Ibarrier(MPI_COMM_WORLD, &request);
    comm_wait(comm, &request);
}

/* How many bytes of [start, start + n) lie in [first, end), and where they begin: *at, which is `first` where
 * there are none. All are counted from the same place. */
static int share_in_window(size_t start, size_t n, size_t first, size_t end, size_t *at)
{
    size_t from = start > first ? start : first, to = start + n < end ? start + n : end;
    *at = from < to ? from : first;
    return from < to ? (int)(to - from) : 0;
}

/* Goes over `all` in windows of a piece, in which an int holds every count and place. */
void comm_collect(const struct comm *comm, const void *bytes, size_t n, const size_t *counts, void *all)
{
    struct error error;
    size_t ranks = (size_t)comm->ranks, total = 0, own = 0;
    int *shares = memory_create(2 * ranks, sizeof *shares, &error);
    if (!shares)
        comm_fatal(comm, -1, error.code, "%s", error.text);
    int *places = shares + ranks;
    assert(n == counts[comm->rank]);
    for (size_t r = 0; r < ranks; r++) {
        own += (int)r < comm->rank ? counts[r] : 0;
        total += counts[r];
    }
    for (size_t first = 0, end; first < total; first = end) {
        end = total - first < PIECE ? total : first + PIECE;
        for (size_t r = 0, start = 0, at; r < ranks; start += counts[r++]) {
            shares[r] = share_in_window(start, counts[r], first, end, &at);
            places[r] = (int)(at - first);
        }
        size_t from;
        int share = share_in_window(own, n, first, end, &from);
        MPI_Request request;
        MPI_Igatherv(share ? (const char *)bytes + (from - own) : NULL, share, MPI_BYTE,
            all ? (char *)all + first : NULL, shares, places, MPI_BYTE, 0, MPI_COMM_WORLD, &request);
        comm_wait(comm, &request);
    }
    memory_destroy(shares);
}

void comm_gather_texts(const struct comm *comm, const char *text, size_t width, char *gathered)
{
    assert(width > 0 && width <= PIECE);
    struct error error;
    char *padded = memory_create(width, 1, &error);
    if (!padded)
        comm_fatal(comm, -1, error.code, "%s", error.text);
    snprintf(padded, width, "%s", text);
    MPI_Request request;
    MPI_Igather(padded, (int)width, MPI_CHAR, gathered, (int)width, MPI_CHAR, 0, MPI_COMM_WORLD, &request);
    comm_wait(comm, &request);
    memory_destroy(padded);
}

void comm_gather_doubles(const struct comm *comm, double number, double *gathered)
{
    MPI_Request request;
    MPI_Igather(&number, 1, MPI_DOUBLE, gathered, 1, MPI_DOUBLE, 0, MPI_COMM_WORLD, &request);
    comm_wait(comm, &request);
}

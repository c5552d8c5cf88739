/* The watch over ranks that stop answering: signs of life, and who judges by them.
 *
 * Every rank gives a sign of life, eight times within the limit, whenever it is in a wait (wait.c) or passes
 * comm_show_life: to rank 0 and to a deputy, the first rank on another host (rank 1 where there is none); and
 * these two give theirs to all. A rank that stands still, wherever it does, gives none. Who waits judges:
 * rank 0 all others, the deputy rank 0 (of a limit below 5 seconds, after these), and after a quarter more of
 * the limit, at least 5 seconds, the others too, should rank 0 not see it; after twice that everyone rank 0
 * and the deputy, whose hosts may both be cut off.
 * Whoever finds a rank silent for the limit ends the job with one line. A rank that computes or writes for
 * long goes on giving signs between two pieces of work; one piece may take up to the limit.
 *
 * A process that was stopped itself, or came back from a long piece of work, has not listened: where more
 * than a quarter of the limit has gone since it last did, it counts all others as alive as of now.
 *
 * Instead of this a thread could watch while the rank sits in blocking calls of MPI. But it would have to
 * talk to others, and so need MPI_THREAD_MULTIPLE, which not every MPI has and which puts a lock into every
 * call, or a network of its own, which a cluster may forbid; and it would go on giving signs of life for a
 * rank that does nothing but wait in a lost exchange. All waits being in one function, none is needed.
 *
 * Signs are a few bytes, on a communicator of their own, so that none can be taken for something else. They
 * are sent without waiting; a sign that the one before it blocks is left out. */
#include "comm/watch.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "comm/end.h"

#include <assert.h>
#include <mpi.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { HOST = sizeof((struct comm *)0)->host, SIGN = 1, LATER_SECONDS = 5 };

struct watch {
    MPI_Comm talk;
    double limit; /* seconds; 0: nothing is judged, no signs are given */
    const char *advice;
    int deputy;
    int64_t step;
    double next_sign, looked, next_idle;
    void (*idle)(void *context);
    void *context;
    char *hosts;         /* [ranks][HOST] */
    double *heard;       /* [ranks] clock_now() of the last sign of each */
    MPI_Request *sends;  /* [ranks] the last sign to each */
    int *sent, received; /* [ranks] signs to each; signs from all */
    char sign;           /* what a sign holds */
};

/* ---- beginning and end ---- */

static int find_deputy(const struct comm *comm, const char *hosts)
{
    for (int r = 1; r < comm->ranks; r++)
        if (strncmp(hosts + (size_t)r * HOST, hosts, HOST) != 0)
            return r;
    return 1;
}

static void count_as_alive(struct watch *watch, const struct comm *comm, double now)
{
    for (int r = 0; r < comm->ranks; r++)
        watch->heard[r] = now;
}

static struct watch *create(const struct comm *comm, const char *advice)
{
    struct error error;
    size_t ranks = (size_t)comm->ranks;
    struct watch *watch = memory_create(1, sizeof *watch, &error);
    if (!watch)
        comm_fatal(comm, -1, error.code, "%s", error.text);
    *watch = (struct watch){.talk = MPI_COMM_NULL, .advice = advice};
    watch->hosts = memory_create(ranks, HOST, &error);
    watch->heard = memory_create(ranks, sizeof *watch->heard, &error);
    watch->sends = memory_create(ranks, sizeof(MPI_Request), &error);
    watch->sent = memory_create(ranks, sizeof *watch->sent, &error);
    if (!watch->hosts || !watch->heard || !watch->sends || !watch->sent)
        comm_fatal(comm, -1, error.code, "%s", error.text);
    for (int r = 0; r < comm->ranks; r++)
        watch->sends[r] = MPI_REQUEST_NULL;
    return watch;
}

/* Waits as long as the ranks may take to meet. There is no watch yet that a wait could serve; rank 0 judges
 * first, and where it hangs rank 1 does, and so on. */
static void meet(struct watch *watch, const struct comm *comm, double latest, MPI_Request *request)
{
    static const struct timespec nap = {.tv_nsec = 1000000};
    for (int done = 0;;) {
        MPI_Test(request, &done, MPI_STATUS_IGNORE);
        if (done)
            return;
        if (latest > 0 && clock_now() > latest)
            comm_fatal(comm, -1, EXIT_CODE_STUCK,
                "not all ranks have answered at the start: one hangs, or its host or network is gone: %s",
                watch->advice);
        nanosleep(&nap, NULL);
    }
}

/* Returns rank 0's limit. */
static double meet_others(struct watch *watch, const struct comm *comm, double limit)
{
    int place = comm->rank < 2 ? comm->rank : 2;
    double latest = limit > 0 ? clock_now() + limit + (1 + place) * LATER_SECONDS : 0;
    MPI_Request request;
    MPI_Ibcast(&limit, 1, MPI_DOUBLE, 0, MPI_COMM_WORLD, &request);
    meet(watch, comm, latest, &request);
    MPI_Comm_idup(MPI_COMM_WORLD, &watch->talk, &request);
    meet(watch, comm, latest, &request);
    MPI_Iallgather(comm->host, HOST, MPI_CHAR, watch->hosts, HOST, MPI_CHAR, MPI_COMM_WORLD, &request);
    meet(watch, comm, latest, &request);
    return limit;
}

void comm_watch(struct comm *comm, double limit, const char *advice)
{
    assert(!comm->watch);
    struct watch *watch = create(comm, advice);
    limit = meet_others(watch, comm, limit);
    watch->deputy = find_deputy(comm, watch->hosts);
    watch->next_idle = clock_now() + 1;
    watch->step = -1;
    comm->watch = watch;
    comm_set_limit(comm, limit);
}

void comm_set_limit(const struct comm *comm, double limit)
{
    struct watch *watch = comm->watch;
    double now = clock_now();
    if (!watch)
        return;
    watch->limit = comm->ranks > 1 ? limit : 0;
    watch->looked = now;
    watch->next_sign = now + limit / 8;
    count_as_alive(watch, comm, now);
}

void comm_watch_idle(const struct comm *comm, void (*idle)(void *context), void *context)
{
    if (!comm->watch)
        return;
    comm->watch->idle = idle;
    comm->watch->context = context;
}

static void hear_one(struct watch *watch, int from, double now)
{
    char sign;
    MPI_Status status;
    MPI_Recv(&sign, 1, MPI_CHAR, from, SIGN, watch->talk, &status);
    watch->heard[status.MPI_SOURCE] = now;
    watch->received++;
}

int watch_is_kept(const struct comm *comm)
{
    return comm->watch && comm->watch->limit > 0;
}

/* How many signs there are for this rank is told by all who gave them. */
void watch_close(struct comm *comm)
{
    struct watch *watch = comm->watch;
    int expected = 0;
    if (!watch)
        return;
    if (watch->limit > 0) {
        end_after(watch->limit, EXIT_CODE_STUCK);
        MPI_Reduce_scatter_block(watch->sent, &expected, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
        while (watch->received < expected)
            hear_one(watch, MPI_ANY_SOURCE, 0);
        for (int r = 0; r < comm->ranks; r++)
            MPI_Wait(&watch->sends[r], MPI_STATUS_IGNORE);
    }
    MPI_Comm_free(&watch->talk);
    memory_destroy(watch->hosts);
    memory_destroy(watch->heard);
    memory_destroy(watch->sends);
    memory_destroy(watch->sent);
    memory_destroy(watch);
    comm->watch = NULL;
}

/* ---- signs ---- */

static void give_sign(struct watch *watch, int to)
{
    int done;
    MPI_Test(&watch->sends[to], &done, MPI_STATUS_IGNORE);
    if (!done)
        return;
    MPI_Isend(&watch->sign, 1, MPI_CHAR, to, SIGN, watch->talk, &watch->sends[to]);
    watch->sent[to]++;
}

static void give_signs(struct watch *watch, const struct comm *comm)
{
    int to_all = comm->rank == 0 || comm->rank == watch->deputy;
    for (int r = 0; r < comm->ranks; r++)
        if (r != comm->rank && (to_all || r == 0 || r == watch->deputy))
            give_sign(watch, r);
}

static void hear(struct watch *watch, double now)
{
    for (int there = 1; there;) {
        MPI_Status status;
        MPI_Iprobe(MPI_ANY_SOURCE, SIGN, watch->talk, &there, &status);
        if (there)
            hear_one(watch, status.MPI_SOURCE, now);
    }
}

/* ---- judgement ---- */

/* A launcher takes a second or two to end a job, more on a busy machine: who judges later says nothing of
 * what is found already, nor that who has found it is silent. */
static double allowance(const struct watch *watch, int judge, int judged)
{
    double later = watch->limit / 4 < LATER_SECONDS ? LATER_SECONDS : watch->limit / 4;
    if (judge == 0)
        return watch->limit;
    if (judge == watch->deputy && judged == 0)
        return watch->limit < LATER_SECONDS ? LATER_SECONDS : watch->limit;
    if (judge == watch->deputy)
        return watch->limit + later;
    return judged == 0 || judged == watch->deputy ? watch->limit + 2 * later : 0;
}

static int is_silent(const struct watch *watch, int judge, int judged, double now)
{
    double allowed = allowance(watch, judge, judged);
    return judged != judge && allowed > 0 && now - watch->heard[judged] > allowed;
}

static void judge(struct watch *watch, const struct comm *comm, double now)
{
    int first = -1, others = -1;
    for (int r = comm->ranks; r-- > 0;)
        if (is_silent(watch, comm->rank, r, now)) {
            first = r;
            others++;
        }
    if (first < 0)
        return;
    char more[64] = "";
    if (others > 0)
        snprintf(more, sizeof more, " (and %d other rank%s)", others, others > 1 ? "s" : "");
    comm_fatal(comm, watch->step, EXIT_CODE_STUCK,
        "rank %d on %.*s%s has not answered for %.3g seconds: it hangs, or its host or network is gone: %s",
        first, HOST, watch->hosts + (size_t)first * HOST, more, now - watch->heard[first], watch->advice);
}

int watch_is_due(const struct watch *watch, double now)
{
    return watch->limit > 0 && now >= watch->next_sign;
}

static void listen(struct watch *watch, const struct comm *comm, double now)
{
    if (now - watch->looked > watch->limit / 4)
        count_as_alive(watch, comm, now);
    watch->looked = now;
    hear(watch, now);
    if (now < watch->next_sign)
        return;
    give_signs(watch, comm);
    watch->next_sign = now + watch->limit / 8;
}

static void call_idle(struct watch *watch, double now)
{
    if (!watch->idle || now < watch->next_idle)
        return;
    watch->next_idle = now + 1;
    watch->idle(watch->context);
}

void watch_look(struct watch *watch, const struct comm *comm, double now)
{
    if (watch->limit > 0) {
        listen(watch, comm, now);
        judge(watch, comm, now);
    }
    call_idle(watch, now);
}

void comm_set_step(const struct comm *comm, int64_t step)
{
    if (comm->watch)
        comm->watch->step = step;
}

void comm_show_life_of(const void *comm)
{
    comm_show_life(comm);
}

void comm_show_life(const struct comm *comm)
{
    struct watch *watch = comm->watch;
    if (!watch)
        return;
    double now = clock_now();
    if (watch_is_due(watch, now))
        listen(watch, comm, now);
    call_idle(watch, now);
}

/* A handler of the signals of a crash, which acts only where the thread that crashed is inside HDF5. It runs
 * on a stack of its own, since a cycle in a damaged file can use up the thread's, and calls nothing but what
 * signal handlers may; the name of the file was copied beforehand, since the heap may be in any state. There
 * is no way back from such a crash: HDF5's state, and all memory, may be damaged. A trial in a child process
 * would find it before, but a process of MPI must not fork with some networks.
 *
 * The handler is put in place when HDF5 is first used, which is after MPI_Init; whoever stood there before is
 * given the crashes that are not HDF5's. */
#include "h5/trap.h"

#include "base/error.h"
#include "base/log.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

enum { SIGNALS = 5, STACK_BYTES = 64 << 10 };

static const struct {
    int number;
    const char *name;
} signals[SIGNALS] = {{SIGSEGV, " (SIGSEGV)"}, {SIGBUS, " (SIGBUS)"}, {SIGFPE, " (SIGFPE)"},
    {SIGILL, " (SIGILL)"}, {SIGABRT, " (SIGABRT)"}};

static struct sigaction before[SIGNALS];
static char file_name[1024]; /* "": a file that is being built */

static _Thread_local volatile sig_atomic_t inside;

/* Each thread has its own. */
static _Thread_local int is_ready;
static _Thread_local char stack[STACK_BYTES];

static _Noreturn void end(const char *signal_name)
{
    if (file_name[0])
        log_texts((const char *[]){file_name, ": HDF5 crashed while reading it", signal_name,
            ": it is damaged, copy it again; or memory ran out", NULL});
    else
        log_texts((const char *[]){
            "HDF5 crashed while a file was built in memory", signal_name, ": memory ran out", NULL});
    _exit(file_name[0] ? EXIT_CODE_DATA : EXIT_CODE_INTERNAL);
}

static void meet_crash(int number, siginfo_t *info, void *context)
{
    int sent = info->si_code <= 0, which = 0; /* by kill, raise or abort */
    while (signals[which].number != number)
        which++;
    if (inside > 0 && (!sent || info->si_pid == getpid()))
        end(signals[which].name);
    sigaction(number, &before[which], NULL);
    if (sent)
        raise(number); /* what crashed by itself will do so again */
}

static void catch_crashes(void)
{
    struct sigaction action = {.sa_sigaction = meet_crash, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    sigemptyset(&action.sa_mask);
    H5dont_atexit(); /* it would clean up after files that could not be closed, with no one to trap it */
    for (int i = 0; i < SIGNALS; i++)
        sigaction(signals[i].number, &action, &before[i]);
}

/* A stack for the handler, and the signals let through: a crash of a thread that blocks them is not handled
 * at all. */
static void prepare_thread(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    stack_t own = {.ss_sp = stack, .ss_size = sizeof stack}, other;
    sigset_t crashes;
    pthread_once(&once, catch_crashes);
    if (sigaltstack(NULL, &other) == 0 && (other.ss_flags & SS_DISABLE))
        sigaltstack(&own, NULL);
    sigemptyset(&crashes);
    for (int i = 0; i < SIGNALS; i++)
        sigaddset(&crashes, signals[i].number);
    pthread_sigmask(SIG_UNBLOCK, &crashes, NULL);
    is_ready = 1;
}

void h5_trap_name(const char *name)
{
    if (!is_ready)
        prepare_thread();
    snprintf(file_name, sizeof file_name, "%s", name ? name : "");
}

void h5_trap_enter(void)
{
    inside++;
}

int64_t h5_trap_leave(int64_t outcome)
{
    inside--;
    return outcome;
}

int h5_trap_is_inside(void)
{
    return inside > 0;
}

/* The handler of the signals of a crash acts only where the thread that crashed holds the lock. It runs on a
 * stack of its own, since a cycle in a damaged file can use up the thread's, and calls nothing but what
 * signal handlers may; the name of the file was copied beforehand, since the heap may be in any state. There
 * is no way back from such a crash: HDF5's state, and all memory, may be damaged. A trial in a child process
 * would find it before, but a process of MPI must not fork with some networks.
 *
 * The handlers are put in place when HDF5 is first used, which is after MPI_Init; whoever stood there before
 * is given the signals that are not HDF5's. A thread that uses HDF5 gets a timer of its own processor time,
 * which runs while it holds the lock. */
#define _GNU_SOURCE /* RUSAGE_THREAD, SIGEV_THREAD_ID, syscall */

#include "h5/trap.h"

#include "base/error.h"
#include "base/handler.h"
#include "base/log.h"

#include <errno.h>
#include <hdf5.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

enum { SIGNALS = 5, STACK_BYTES = 64 << 10, TICKS_A_SECOND = 8 };

static const struct {
    int number;
    const char *name;
} signals[SIGNALS] = {{SIGSEGV, " (SIGSEGV)"}, {SIGBUS, " (SIGBUS)"}, {SIGFPE, " (SIGFPE)"},
    {SIGILL, " (SIGILL)"}, {SIGABRT, " (SIGABRT)"}};

static pthread_mutex_t library_lock = PTHREAD_MUTEX_INITIALIZER;
static char file_name[1024]; /* "": a file that is being built */

static struct sigaction before[SIGNALS], before_ticks;
static int64_t page_bytes;
static pthread_key_t end_of_thread;

/* Each thread has its own. */
static _Thread_local volatile sig_atomic_t inside;
static _Thread_local volatile int64_t most_bytes;       /* that it may take; 0: any number */
static _Thread_local volatile int64_t pages_before;     /* that it had touched when it took the lock */
static _Thread_local volatile int64_t kibibytes_before; /* of the process then */
static _Thread_local int is_ready, has_timer;
static _Thread_local timer_t timer;
static _Thread_local char stack[STACK_BYTES];

/* ---- the end ---- */

HANDLER static _Noreturn void end(const char *signal_name)
{
    if (!signal_name)
        log_texts((const char *[]){
            file_name, ": HDF5 goes in circles while reading it: it is damaged, copy it again", NULL});
    else if (file_name[0])
        log_texts((const char *[]){file_name, ": HDF5 crashed while reading it", signal_name,
            ": it is damaged, copy it again; or memory ran out", NULL});
    else
        log_texts((const char *[]){
            "HDF5 crashed while a file was built in memory", signal_name, ": memory ran out", NULL});
    _exit(file_name[0] ? EXIT_CODE_DATA : EXIT_CODE_INTERNAL);
}

HANDLER static void meet_crash(int number, siginfo_t *info, void *context)
{
    int sent = info->si_code <= 0, which = 0; /* by kill, raise or abort */
    while (signals[which].number != number)
        which++;
    if (inside && (!sent || info->si_pid == getpid()))
        end(signals[which].name);
    sigaction(number, &before[which], NULL);
    if (sent)
        raise(number); /* what crashed by itself will do so again */
}

/* getrusage is a plain call of the kernel. The largest size that the process ever had is of no use where it
 * was larger before: then the loop goes on until it passes that. */
HANDLER static int has_taken_too_much(void)
{
    struct rusage usage;
    if (!most_bytes || getrusage(RUSAGE_THREAD, &usage) != 0)
        return 0;
    return (usage.ru_minflt - pages_before) * page_bytes > most_bytes &&
        (usage.ru_maxrss - kibibytes_before) * 1024 > most_bytes;
}

/* The tick comes to the thread whose time it is. */
HANDLER static void meet_tick(int number, siginfo_t *info, void *context)
{
    int kept = errno;
    if (info->si_code != SI_TIMER) {
        sigaction(number, &before_ticks, NULL);
        raise(number);
    } else if (inside && has_taken_too_much())
        end(NULL);
    errno = kept;
}

/* ---- getting ready ---- */

static void forget_timer(void *of_thread)
{
    timer_delete(*(timer_t *)of_thread);
}

static void catch_signals(void)
{
    struct sigaction action = {.sa_sigaction = meet_crash, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    struct sigaction at_ticks = {.sa_sigaction = meet_tick, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART};
    sigemptyset(&action.sa_mask);
    sigemptyset(&at_ticks.sa_mask);
    page_bytes = sysconf(_SC_PAGESIZE);
    pthread_key_create(&end_of_thread, forget_timer);
    H5dont_atexit(); /* it would clean up after files that could not be closed, with no one to trap it */
    for (int i = 0; i < SIGNALS; i++)
        sigaction(signals[i].number, &action, &before[i]);
    sigaction(SIGVTALRM, &at_ticks, &before_ticks);
}

/* Without a timer, which a limit of the system may refuse, only crashes are found. */
static void make_timer(void)
{
    struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGVTALRM};
    event.sigev_notify_thread_id = (pid_t)syscall(SYS_gettid);
    has_timer = timer_create(CLOCK_THREAD_CPUTIME_ID, &event, &timer) == 0;
    if (has_timer)
        pthread_setspecific(end_of_thread, &timer);
}

/* A stack for the handlers, and the signals let through: a crash of a thread that blocks them is not handled
 * at all. */
static void prepare_thread(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    stack_t own = {.ss_sp = stack, .ss_size = sizeof stack}, other;
    sigset_t through;
    pthread_once(&once, catch_signals);
    if (sigaltstack(NULL, &other) == 0 && (other.ss_flags & SS_DISABLE))
        sigaltstack(&own, NULL);
    sigemptyset(&through);
    for (int i = 0; i < SIGNALS; i++)
        sigaddset(&through, signals[i].number);
    sigaddset(&through, SIGVTALRM);
    pthread_sigmask(SIG_UNBLOCK, &through, NULL);
    make_timer();
    is_ready = 1;
}

/* ---- the lock ---- */

static void set_ticks(int a_second)
{
    struct timespec tick = {.tv_nsec = a_second ? 1000000000 / a_second : 0};
    if (has_timer)
        timer_settime(timer, 0, &(struct itimerspec){.it_interval = tick, .it_value = tick}, NULL);
}

static void bound_memory(uint64_t file_bytes)
{
    struct rusage usage;
    most_bytes = 0;
    if (getrusage(RUSAGE_THREAD, &usage) != 0 ||
        file_bytes > (INT64_MAX - H5_BYTES_FOR_NONE) / H5_BYTES_FOR_ONE)
        return;
    pages_before = usage.ru_minflt;
    kibibytes_before = usage.ru_maxrss;
    most_bytes = H5_BYTES_FOR_NONE + (int64_t)file_bytes * H5_BYTES_FOR_ONE;
    set_ticks(TICKS_A_SECOND);
}

void h5_lock(const char *name, uint64_t bytes)
{
    pthread_mutex_lock(&library_lock);
    if (!is_ready)
        prepare_thread();
    snprintf(file_name, sizeof file_name, "%s", name ? name : "");
    inside = 1;
    if (name)
        bound_memory(bytes);
    /* The error stack is one for each thread in a build of HDF5 that is thread-safe. */
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    H5Eclear2(H5E_DEFAULT);
}

void h5_expect_values(void)
{
    if (most_bytes)
        set_ticks(0);
    most_bytes = 0;
}

void h5_unlock(void)
{
    h5_expect_values();
    inside = 0;
    pthread_mutex_unlock(&library_lock);
}

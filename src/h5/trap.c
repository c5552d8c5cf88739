/* A handler of the signals of a crash, which acts only where the thread that crashed is inside HDF5. It runs
 * on a stack of its own, since a cycle in a damaged file can use up the thread's, and calls nothing but what
 * signal handlers may; the name of the file was copied beforehand, since the heap may be in any state. There
 * is no way back from such a crash: HDF5's state, and all memory, may be damaged. A trial in a child process
 * would find it before, but a process of MPI must not fork with some networks.
 *
 * Loops are found by a timer of the thread's own processor time, which ticks while a file is read: waiting
 * for a disk does not count, nor what other threads do. A call during which it has ticked too often is in a
 * loop: one that reads no values takes microseconds. HDF5 1.10.8 was seen to take 1 GB a second in one, so a
 * call that ticks at all and during which the process grows is not waited for.
 *
 * The handlers are put in place when HDF5 is first used, which is after MPI_Init; whoever stood there before
 * is given the signals that are not HDF5's. */
#define _GNU_SOURCE /* SIGEV_THREAD_ID */

#include "h5/trap.h"

#include "base/error.h"
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

/* BYTES_A_TICK: 4 microseconds for each byte of the file. What is stored can become 1000 times as much, and a
 * chunk takes 40 bytes in the index and some 20 microseconds. */
enum {
    SIGNALS = 5,
    STACK_BYTES = 64 << 10,
    TICKS_A_SECOND = 8,
    MOST_TICKS = 3 * TICKS_A_SECOND,
    BYTES_A_TICK = 250000 / TICKS_A_SECOND,
    MOST_GROWTH = 512 << 20,
};

static const struct {
    int number;
    const char *name;
} signals[SIGNALS] = {{SIGSEGV, " (SIGSEGV)"}, {SIGBUS, " (SIGBUS)"}, {SIGFPE, " (SIGFPE)"},
    {SIGILL, " (SIGILL)"}, {SIGABRT, " (SIGABRT)"}};

static struct sigaction before[SIGNALS], before_ticks;
static int64_t page_bytes;
static char file_name[1024]; /* "": a file that is being built */

/* Each thread has its own. */
static _Thread_local volatile sig_atomic_t inside;
static _Thread_local volatile uint64_t ticks, most_ticks; /* of the call it is in */
static _Thread_local volatile int64_t size_before;        /* of the process, at its first tick */
static _Thread_local int is_ready, has_timer;
static _Thread_local timer_t timer;
static _Thread_local char stack[STACK_BYTES];

static _Noreturn void end(const char *signal_name)
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

/* Bytes of memory of this process, its resident set; 0: the system does not say. */
static int64_t process_size(void)
{
    char text[64] = ""; /* "SIZE RESIDENT ...", in pages */
    int file = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    ssize_t n = file < 0 ? 0 : read(file, text, sizeof text - 1);
    if (file >= 0)
        close(file);
    int64_t pages = 0;
    const char *at = text, *end_of_text = text + (n > 0 ? n : 0);
    while (at < end_of_text && *at != ' ')
        at++;
    for (at++; at < end_of_text && *at >= '0' && *at <= '9'; at++)
        pages = 10 * pages + (*at - '0');
    return pages * page_bytes;
}

/* Values may take memory; a call without takes none worth mention, and it ticks where it should not. */
static int is_growing(void)
{
    if (most_ticks > MOST_TICKS)
        return 0;
    int64_t size = process_size();
    if (ticks == 1)
        size_before = size;
    return size - size_before > MOST_GROWTH;
}

/* In the thread whose time it is. */
static void meet_tick(int number, siginfo_t *info, void *context)
{
    int kept = errno;
    if (info->si_code != SI_TIMER) {
        sigaction(number, &before_ticks, NULL);
        raise(number);
    } else if (inside > 0 && (++ticks > most_ticks || is_growing()))
        end(NULL);
    errno = kept;
}

static void catch_signals(void)
{
    struct sigaction action = {.sa_sigaction = meet_crash, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    struct sigaction at_ticks = {.sa_sigaction = meet_tick, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART};
    sigemptyset(&action.sa_mask);
    sigemptyset(&at_ticks.sa_mask);
    page_bytes = sysconf(_SC_PAGESIZE);
    H5dont_atexit(); /* it would clean up after files that could not be closed, with no one to trap it */
    for (int i = 0; i < SIGNALS; i++)
        sigaction(signals[i].number, &action, &before[i]);
    sigaction(SIGVTALRM, &at_ticks, &before_ticks);
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
    is_ready = 1;
}

/* Without a timer, which a limit of the system may refuse, only crashes are found. */
static void start_ticking(void)
{
    struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGVTALRM};
    struct timespec tick = {.tv_nsec = 1000000000 / TICKS_A_SECOND};
    event.sigev_notify_thread_id = (pid_t)syscall(SYS_gettid);
    has_timer = timer_create(CLOCK_THREAD_CPUTIME_ID, &event, &timer) == 0;
    if (has_timer)
        timer_settime(timer, 0, &(struct itimerspec){.it_interval = tick, .it_value = tick}, NULL);
}

void h5_trap_begin(const char *name)
{
    if (!is_ready)
        prepare_thread();
    snprintf(file_name, sizeof file_name, "%s", name ? name : "");
    most_ticks = MOST_TICKS;
    if (name)
        start_ticking();
}

void h5_trap_end(void)
{
    if (has_timer)
        timer_delete(timer);
    has_timer = 0;
}

void h5_trap_expect(uint64_t file_bytes)
{
    most_ticks = MOST_TICKS + 1 + file_bytes / BYTES_A_TICK;
}

void h5_trap_enter(void)
{
    ticks = 0;
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

/* An alarm ends a process that may hang: MPI_Abort and MPI_Finalize wait for others, and a host that was cut
 * off answers to neither. Its handler calls nothing but what signal handlers may. */
#include "comm/end.h"

#include "base/handler.h"
#include "base/log.h"

#include <assert.h>
#include <mpi.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t last_code;

HANDLER static void end_now(int number)
{
    (void)number;
    _exit(last_code);
}

void end_after(double seconds, int code)
{
    struct sigaction action = {.sa_handler = end_now};
    sigemptyset(&action.sa_mask);
    last_code = code;
    sigaction(SIGALRM, &action, NULL);
    alarm(seconds < 1 ? 1 : seconds < 1e6 ? (unsigned)(seconds + 1) : 1000000);
}

void end_let_launcher_read(void)
{
    static const struct timespec nap = {.tv_nsec = 1000000}, moment = {.tv_nsec = 100000000};
    enum { MOST_NAPS = 1000 };
    struct stat status;
    int unread = 1;
    if (fstat(STDERR_FILENO, &status) < 0 || !S_ISFIFO(status.st_mode))
        return;
    for (int i = 0; i < MOST_NAPS && ioctl(STDERR_FILENO, FIONREAD, &unread) == 0 && unread > 0; i++)
        nanosleep(&nap, NULL);
    nanosleep(&moment, NULL);
}

void comm_before_end(struct comm *comm, struct last_words *words)
{
    comm->last_words = words;
}

void comm_fatal(const struct comm *comm, int64_t step, int code, const char *format, ...)
{
    assert(code != 0); /* with 0 a launcher might let the other ranks go on */
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (step < 0)
        log_line(LOG_ERROR, "%s", text);
    else
        log_line(LOG_ERROR, "step %lld: %s", (long long)step, text);
    int started = comm && comm->ranks;
    if (started)
        end_after(10, code); /* a host that is cut off has no launcher to tell */
    if (started && comm->last_words)
        comm->last_words->tell(comm->last_words->context, step, code, text);
    end_let_launcher_read();
    if (started)
        MPI_Abort(MPI_COMM_WORLD, code);
    _exit(code);
}

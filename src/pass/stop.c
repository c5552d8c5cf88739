#include "pass/stop.h"

#include "base/clock.h"
#include "comm/launcher.h"

#include <signal.h>

/* What the signal handler must leave behind. */
static volatile sig_atomic_t caught;
static volatile double caught_at;

static int in_job; /* of SLURM */

/* A launcher may pass on a signal that the process gets by itself too, so a second one counts as such only
 * later. In a job of SLURM USR1 may come from the script as well as from SLURM, TERM after it, and at the
 * beginning and the end of a time of grace; KILL follows when no time is left. There only INT is a second. */
static void catch_signal(int number)
{
    if (caught && clock_now() - caught_at > 1 && !(in_job && number != SIGINT)) {
        signal(number, SIG_DFL);
        raise(number);
        return;
    }
    if (!caught)
        caught_at = clock_now();
    caught = number;
}

void stop_catch_signals(void)
{
    struct sigaction action = {.sa_handler = catch_signal, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    in_job = *launcher_get()->job != 0;
    sigaction(SIGUSR1, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
}

int stop_signal(void)
{
    return caught;
}

const char *stop_signal_name(int number)
{
    return number == SIGUSR1 ? "SIGUSR1"
        : number == SIGTERM  ? "SIGTERM"
        : number == SIGINT   ? "SIGINT"
                             : "a signal";
}

#include "pass/stop.h"

#include "base/clock.h"
#include "comm/launcher.h"

#include <stddef.h>

/* What asks a process to stop: the user (INT at the terminal, and HUP when it goes away), the queue (USR1, or
 * USR2 as other systems than SLURM send it, then TERM), and the kernel at the limit of processor time (XCPU).
 */
static const struct {
    int number;
    const char *name;
} signals[] = {{SIGUSR1, "SIGUSR1"}, {SIGTERM, "SIGTERM"}, {SIGINT, "SIGINT"}, {SIGHUP, "SIGHUP"},
    {SIGXCPU, "SIGXCPU"}, {SIGUSR2, "SIGUSR2"}};

enum { SIGNALS = sizeof signals / sizeof *signals };

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
    for (size_t i = 0; i < SIGNALS; i++) {
        struct sigaction before;
        if (sigaction(signals[i].number, NULL, &before) == 0 && before.sa_handler != SIG_IGN)
            sigaction(signals[i].number, &action, NULL);
    }
}

int stop_signal(void)
{
    return caught;
}

const volatile sig_atomic_t *stop_flag(void)
{
    return &caught;
}

const char *stop_signal_name(int number)
{
    for (size_t i = 0; i < SIGNALS; i++)
        if (signals[i].number == number)
            return signals[i].name;
    return "a signal";
}

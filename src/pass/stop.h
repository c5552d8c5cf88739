/* When a process is asked to stop by a signal: USR1, USR2, TERM, INT, HUP or XCPU. */
#ifndef PASS_STOP_H
#define PASS_STOP_H

#include <signal.h>

/* Installs handlers that take note of these signals, but for those that whoever started the process has it
 * ignore, as nohup does. A second signal, a second or more after the first, ends the process at once, as it
 * would without them; in a job of SLURM only INT does. */
void stop_catch_signals(void);

/* Returns the number of the signal that came, or 0 where none has. */
int stop_signal(void);

/* Returns where that number is kept, for who looks often. */
const volatile sig_atomic_t *stop_flag(void);

/* Returns the name of a signal, as in "SIGUSR1". */
const char *stop_signal_name(int number);

#endif

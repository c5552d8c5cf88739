/* When a process is asked to stop by a signal: USR1, TERM or INT. */
#ifndef PASS_STOP_H
#define PASS_STOP_H

/* Installs handlers that take note of these signals. A second signal, a second or more after the first, ends
 * the process at once, as it would without them; in a job of SLURM only INT does. */
void stop_catch_signals(void);

/* Returns the number of the signal that came, or 0 where none has. */
int stop_signal(void);

/* Returns the name of a signal, as in "SIGUSR1". */
const char *stop_signal_name(int number);

#endif

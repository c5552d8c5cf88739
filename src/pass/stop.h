/* When a run is asked to stop: a signal (USR1, TERM, INT), or the end of its time. */
#ifndef PASS_STOP_H
#define PASS_STOP_H

/* Handlers that set a flag; a second signal, a second or more after
 * the first, ends the process at once, as it would without them; in a job of SLURM only INT does. */
void stop_catch_signals(void);

/* Number of the signal that came, 0: none. */
int stop_signal(void);

/* "SIGUSR1" */
const char *stop_signal_name(int number);

#endif

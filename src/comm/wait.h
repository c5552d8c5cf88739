/* Waiting for other ranks: within this folder only (it includes mpi.h). */
#ifndef COMM_WAIT_H
#define COMM_WAIT_H

#include "comm/comm.h"

#include <mpi.h>

/* Until the request is complete, under the eyes of the watch where there is one (watch.c). Every wait of this
 * folder for other ranks is here. */
void comm_wait(const struct comm *comm, MPI_Request *request);

/* The watch's share of a wait: `entered` is clock_now() when it began. Signs of life are given and taken, and
 * a rank that has given none for too long ends the job. (watch.c) */
void watch_look(struct watch *watch, const struct comm *comm, double now);

/* Is a sign of life due? Cheap. (watch.c) */
int watch_is_due(const struct watch *watch, double now);

/* All. Ends the watch, with every sign of life received. (watch.c) */
void watch_close(struct comm *comm);

/* The process ends with `code` after so many seconds, whatever it does then: what may hang itself. (watch.c)
 */
void watch_end_after(double seconds, int code);

#endif

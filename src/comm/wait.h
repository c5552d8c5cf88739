/* Waiting for other ranks: within this folder only (it includes mpi.h). */
#ifndef COMM_WAIT_H
#define COMM_WAIT_H

#include "comm/rank.h"

#include <mpi.h>

/* Returns when the request is complete, and does the work of the watch meanwhile, where there is one
 * (comm/watch.h). Every wait of this folder for messages is here, but for those of the watch itself. */
void comm_wait(const struct comm *comm, MPI_Request *request);

/* What this process does between two looks of a wait for others, of whatever kind: `look`, which waits for
 * nobody; NULL: nothing. */
void comm_set_meanwhile(void (*look)(void *context), void *context);
void comm_look_meanwhile(void); /* calls it */

#endif

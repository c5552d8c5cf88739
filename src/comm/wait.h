/* Waiting for other ranks: within this folder only (it includes mpi.h). */
#ifndef COMM_WAIT_H
#define COMM_WAIT_H

#include "comm/rank.h"

#include <mpi.h>

/* Until the request is complete, under the eyes of the watch where there is one (comm/watch.h). Every wait of
 * this folder for other ranks is here, but for those of the watch itself. */
void comm_wait(const struct comm *comm, MPI_Request *request);

#endif

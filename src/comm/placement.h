/* Whether the processes of a SLURM step have found each other. */
#ifndef COMM_PLACEMENT_H
#define COMM_PLACEMENT_H

#include "comm/comm.h"

/* This process is one of several tasks that srun started, but a world of one rank: the launcher's plugin is
 * not the one that MPI was built for. The first task says so. Not where RNN_ALONE is set. */
int placement_is_wrong(const struct comm *comm);

/* The same before MPI starts, where that is sure to fail: Open MPI under srun without a plugin at all would
 * end the process with words of its own. */
int placement_is_hopeless(void);

#endif

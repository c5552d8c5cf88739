/* How a program of several ranks begins. */
#ifndef PASS_PROGRAM_H
#define PASS_PROGRAM_H

#include "comm/comm.h"

/* All ranks call. Does what these programs do first: starts MPI, sees that all ranks were started for the
 * same (comm_start), settles who speaks on standard error and how much (-v counts up, -q down), and has
 * signals about files and pipes be errors of writing. Returns the exit code; where it is not 0, rank 0 has
 * said why. In every case comm_finish is due. The limit of `purpose`, where there is one, is taken for
 * PROGRAM_START_SECONDS at least: MPI's own start is no work of ranks that could show that they live. */
enum { PROGRAM_START_SECONDS = 60 };
int program_start(struct comm *comm, const struct comm_purpose *purpose, int verbosity);

#endif

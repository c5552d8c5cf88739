/* How a program of several ranks begins. */
#ifndef PASS_PROGRAM_H
#define PASS_PROGRAM_H

#include "comm/comm.h"

/* What both do first: MPI, who speaks on standard error and how much (-v counts up, -q down), lines on
 * standard output. comm_finish is due. */
void program_start(struct comm *comm, const char *program, int verbosity);

#endif

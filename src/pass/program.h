/* How a program of several ranks begins. */
#ifndef PASS_PROGRAM_H
#define PASS_PROGRAM_H

#include "comm/comm.h"

/* All ranks call. Does what these programs do first: starts MPI, settles who speaks on standard error and how
 * much (-v counts up, -q down), and has signals about files and pipes be errors of writing. comm_finish is
 * due.
 */
void program_start(struct comm *comm, const char *program, int verbosity);

#endif

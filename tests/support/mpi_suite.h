/* Check under mpirun. Every rank runs the whole suite in one process (no forks, MPI does not survive them);
 * only rank 0 prints. A failed assertion jumps out of the test on the rank that fails alone, and the others
 * would wait for it for ever: so outcomes are gathered first, and then all ranks assert the same. */
#ifndef TESTS_SUPPORT_MPI_SUITE_H
#define TESTS_SUPPORT_MPI_SUITE_H

#include "comm/comm.h"

#include <check.h>

/* Starts and finishes MPI around the suite; the exit status of a test program. A rank that has not finished
 * after `seconds`, times command_patience, ends itself, and with it the job. */
int mpi_suite_run(Suite *suite, const char *program, unsigned seconds);

/* The ranks of the suite that runs. */
const struct comm *mpi_suite_comm(void);

/* All. The lowest rank on which `ok` is 0, on every rank; -1 where there is none. */
int mpi_first_failing(int ok);

/* All. Fails on every rank when the condition is false on one. */
#define mpi_assert(condition)                                                                                \
    do {                                                                                                     \
        int failing_rank = mpi_first_failing((condition) ? 1 : 0);                                           \
        ck_assert_msg(failing_rank < 0, "rank %d: not so: %s", failing_rank, #condition);                    \
    } while (0)

#endif

/* Who started this process: mpirun, srun, a job script, or somebody at a terminal. The environment is asked
 * once, before MPI starts, since MPI_Init itself sets PMIX_RANK for a process that was started by nobody. */
#ifndef COMM_LAUNCHER_H
#define COMM_LAUNCHER_H

#include "comm/rank.h"

struct launcher {
    int launched; /* 1: a launcher of MPI started this process, be it the only one */
    int first;    /* 1: it is the first of those that were started together, or it is on its own */
    int apart;    /* 1: it is one of several tasks of srun, and no launcher of MPI's own stands between */
    int bare;     /* 1: with `apart`, nothing of a plugin of srun for MPI is to be seen either */
    int mixes;    /* 1: it may put a piece of a process's standard output before what that writes to standard
                   * error, and stands still while nobody reads what it passes on: mpirun of Open MPI 5 */
    int alone;    /* 1: RNN_ALONE says that a run of one rank is meant */
    long on_host; /* processes that it started on this host, this one among them; 0: it does not say */

    /* SLURM's names; empty outside of a job. */
    char job[64];        /* the job, as its scripts and `scancel` name it */
    char queue_name[64]; /* the same as squeue lists it: one of an array by the array and its place there */
    char tasks[32];      /* of the job, where this is its shell and not a task */
    char step_tasks[32]; /* of the step that this process is a task of */
};

/* Returns what the environment said when this was called first. Programs call it, or comm_start, before all
 * else. */
const struct launcher *launcher_get(void);

/* Reads the environment as it is now; tests call it. */
struct launcher launcher_read(void);

/* Is this process one of several tasks that srun started, but a world of one rank? Then srun's plugin is not
 * the one that MPI was built for, and the first task says so. It is not wrong where RNN_ALONE is set. A job
 * of several tasks in which only its shell runs the program is worth a warning. */
int launcher_misplaced(const struct comm *comm);

/* The same question before MPI starts, for the case in which that is sure to fail: Open MPI under srun
 * without a plugin at all would end the process with words of its own. */
int launcher_hopeless(void);

#endif

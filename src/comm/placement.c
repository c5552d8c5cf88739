#include "comm/placement.h"

#include "base/error.h"
#include "base/log.h"

#include <stdlib.h>
#include <string.h>

static int is_set(const char *name)
{
    const char *value = getenv(name);
    return value && *value;
}

/* srun gives SLURM_STEP_NUM_TASKS to what it starts, and a batch script's own shell does not have it. What
 * Open MPI's or MPICH's launcher started on one rank was meant so. */
static int is_one_of_many(void)
{
    const char *tasks = getenv("SLURM_STEP_NUM_TASKS"), *size = getenv("PMI_SIZE");
    return tasks && atol(tasks) > 1 && is_set("SLURM_PROCID") && !is_set("OMPI_COMM_WORLD_SIZE") &&
        !(size && strcmp(size, "1") == 0);
}

/* In the shell of a job of many tasks. */
static int is_alone_in_job(void)
{
    const char *tasks = getenv("SLURM_NTASKS");
    return tasks && atol(tasks) > 1 && !is_set("SLURM_STEP_NUM_TASKS") && !is_set("OMPI_COMM_WORLD_SIZE") &&
        !is_set("PMI_SIZE");
}

static void say_apart(void)
{
    if (strcmp(getenv("SLURM_PROCID"), "0") == 0)
        log_line(LOG_ERROR,
            "srun started %s tasks, but MPI knows of one: all would train the same run on their own: use the "
            "plugin that MPI was built for (srun --mpi=pmix; srun --mpi=list names those there are), or "
            "start "
            "with mpirun inside of salloc or sbatch; RNN_ALONE=1 lets each be a run of one rank",
            getenv("SLURM_STEP_NUM_TASKS"));
}

int placement_is_hopeless(void)
{
    char version[96];
    comm_version(version, sizeof version);
    if (strncmp(version, "Open MPI", 8) != 0 || !is_one_of_many() || is_set("RNN_ALONE") ||
        is_set("PMIX_NAMESPACE") || is_set("PMIX_RANK") || is_set("PMI_FD") || is_set("PMI_RANK"))
        return 0;
    say_apart();
    return 1;
}

int placement_is_wrong(const struct comm *comm)
{
    if (comm->ranks > 1 || is_set("RNN_ALONE"))
        return 0;
    if (is_alone_in_job())
        log_line(LOG_WARNING,
            "the job has %s tasks, but this run is of one rank: srun --mpi=pmix or mpirun in front of it "
            "starts "
            "one in each; RNN_ALONE=1 says that it is meant so",
            getenv("SLURM_NTASKS"));
    if (!is_one_of_many())
        return 0;
    say_apart();
    return 1;
}

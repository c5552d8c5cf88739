/* Each launcher tells its processes their rank and how many there are, in variables of its own. A process
 * counts as one of several only where both are there, or the rank alone says so: SLURM_PROCID stands in the
 * environment of shells that run on their own too, and then means nothing. The launcher that is nearest comes
 * first, since mpirun inside of a step of srun hands on what srun had set. */
#include "comm/launcher.h"

#include "base/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A launcher by the variables it sets; size NULL: it tells only the rank. */
static const struct family {
    const char *rank, *size;
    int of_mpi; /* 0: one that starts any program */
} families[] = {
    {"OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", 1}, /* mpirun of Open MPI */
    {"PMI_RANK", "PMI_SIZE", 1},                         /* MPICH, Intel MPI, Cray; srun --mpi=pmi2 */
    {"MPI_LOCALRANKID", "MPI_LOCALNRANKS", 1},           /* MPICH */
    {"PMIX_RANK", NULL, 1},                              /* srun --mpi=pmix and other users of PMIx */
    {"SLURM_PROCID", "SLURM_STEP_NUM_TASKS", 0},         /* srun */
};

enum { FAMILIES = sizeof families / sizeof *families };

/* "" where the variable is not set. */
static const char *variable(const char *name)
{
    const char *value = getenv(name);
    return value ? value : "";
}

static int is_set(const char *name)
{
    return *variable(name) != '\0';
}

static void copy(char *text, size_t size, const char *name)
{
    snprintf(text, size, "%s", variable(name));
}

/* Does this launcher say that it started the process? */
static int has_started(const struct family *family)
{
    return is_set(family->rank) && (!family->size || is_set(family->size));
}

/* Is this one of several tasks of srun? Where a launcher of Open MPI or MPICH stands between, and has started
 * a single rank, that is what was meant. */
static int is_task_of_many(void)
{
    return atol(variable("SLURM_STEP_NUM_TASKS")) > 1 && is_set("SLURM_PROCID") &&
        !is_set("OMPI_COMM_WORLD_SIZE") && strcmp(variable("PMI_SIZE"), "1") != 0;
}

/* Is there any sign of a plugin of srun for MPI? */
static int sees_plugin(void)
{
    return is_set("PMIX_NAMESPACE") || is_set("PMIX_RANK") || is_set("PMI_FD") || is_set("PMI_RANK");
}

/* Is this the shell of a job, whose tasks are still to be started? */
static int is_shell_of_job(void)
{
    return !is_set("SLURM_STEP_NUM_TASKS") && !is_set("OMPI_COMM_WORLD_SIZE") && !is_set("PMI_SIZE");
}

/* Open MPI's variable, or MPICH's; 0 where there is neither. */
static long count_on_host(void)
{
    enum { MOST = 1000000 };
    const char *text = variable("OMPI_COMM_WORLD_LOCAL_SIZE");
    long count = atol(*text ? text : variable("MPI_LOCALNRANKS"));
    return count > 0 && count < MOST ? count : 0;
}

static void read_job(struct launcher *launcher)
{
    copy(launcher->job, sizeof launcher->job, "SLURM_JOB_ID");
    copy(launcher->step_tasks, sizeof launcher->step_tasks, "SLURM_STEP_NUM_TASKS");
    if (is_shell_of_job())
        copy(launcher->tasks, sizeof launcher->tasks, "SLURM_NTASKS");
    if (is_set("SLURM_ARRAY_JOB_ID") && is_set("SLURM_ARRAY_TASK_ID"))
        snprintf(launcher->queue_name, sizeof launcher->queue_name, "%.30s_%.30s",
            variable("SLURM_ARRAY_JOB_ID"), variable("SLURM_ARRAY_TASK_ID"));
    else
        copy(launcher->queue_name, sizeof launcher->queue_name, "SLURM_JOB_ID");
}

struct launcher launcher_read(void)
{
    struct launcher launcher = {.first = 1, .apart = is_task_of_many(), .alone = is_set("RNN_ALONE")};
    launcher.bare = launcher.apart && !sees_plugin();
    size_t nearest = 0;
    while (nearest < FAMILIES && !has_started(&families[nearest]))
        nearest++;
    if (nearest < FAMILIES) {
        launcher.first = strcmp(variable(families[nearest].rank), "0") == 0;
        launcher.launched = families[nearest].of_mpi || launcher.apart;
        launcher.on_host = count_on_host();
        launcher.mixes = is_set("PRTE_LAUNCHED");
    }
    read_job(&launcher);
    return launcher;
}

const struct launcher *launcher_get(void)
{
    static struct launcher launcher;
    static int is_read;
    if (!is_read)
        launcher = launcher_read();
    is_read = 1;
    return &launcher;
}

static void say_apart(const struct launcher *launcher)
{
    if (launcher->first)
        log_line(LOG_ERROR,
            "srun started %s tasks, but MPI knows of one: all would train the same run on their own: use the "
            "plugin that MPI was built for (srun --mpi=pmix; srun --mpi=list names those there are), or "
            "start with mpirun inside of salloc or sbatch; RNN_ALONE=1 lets each be a run of one rank",
            launcher->step_tasks);
}

int launcher_hopeless(void)
{
    const struct launcher *launcher = launcher_get();
    char version[96];
    comm_version(version, sizeof version);
    if (strncmp(version, "Open MPI", 8) != 0 || !launcher->bare || launcher->alone)
        return 0;
    say_apart(launcher);
    return 1;
}

int launcher_misplaced(const struct comm *comm)
{
    const struct launcher *launcher = launcher_get();
    if (comm->ranks > 1 || launcher->alone)
        return 0;
    if (atol(launcher->tasks) > 1)
        log_line(LOG_WARNING,
            "the job has %s tasks, but this run is of one rank: srun --mpi=pmix or mpirun in front of it "
            "starts one in each; RNN_ALONE=1 says that it is meant so",
            launcher->tasks);
    if (!launcher->apart)
        return 0;
    say_apart(launcher);
    return 1;
}

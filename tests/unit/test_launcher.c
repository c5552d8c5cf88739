#include "comm/launcher.h"
#include "support/suite.h"

#include <check.h>
#include <stdlib.h>

/* Environments as launchers make them, and what they mean. */
static const struct {
    const char *is;
    const char *set[6][2];
    int first, launched, mixes, apart, bare;
    long on_host;
    const char *job;
} cases[] = {
    {.is = "a terminal", .first = 1},
    {.is = "rank 0 of mpirun",
        .set = {{"OMPI_COMM_WORLD_RANK", "0"}, {"OMPI_COMM_WORLD_SIZE", "64"}, {"PMIX_RANK", "0"}},
        .first = 1,
        .launched = 1},
    {.is = "rank 3 of mpirun",
        .set = {{"OMPI_COMM_WORLD_RANK", "3"}, {"OMPI_COMM_WORLD_SIZE", "64"},
            {"OMPI_COMM_WORLD_LOCAL_SIZE", "16"}, {"PMIX_RANK", "3"}},
        .launched = 1,
        .on_host = 16},
    {.is = "mpirun -np 1",
        .set = {{"OMPI_COMM_WORLD_RANK", "0"}, {"OMPI_COMM_WORLD_SIZE", "1"}},
        .first = 1,
        .launched = 1},
    {.is = "rank 0 of Open MPI 5",
        .set = {{"OMPI_COMM_WORLD_RANK", "0"}, {"OMPI_COMM_WORLD_SIZE", "2"}, {"PRTE_LAUNCHED", "1"}},
        .first = 1,
        .launched = 1,
        .mixes = 1},
    {.is = "a shell that kept a variable of Open MPI 5", .set = {{"PRTE_LAUNCHED", "1"}}, .first = 1},
    {.is = "rank 1 of MPICH's mpiexec",
        .set = {{"PMI_RANK", "1"}, {"PMI_SIZE", "2"}, {"MPI_LOCALRANKID", "1"}, {"MPI_LOCALNRANKS", "2"}},
        .launched = 1,
        .on_host = 2},
    {.is = "a shell that kept a count of mpirun's", .set = {{"OMPI_COMM_WORLD_LOCAL_SIZE", "2"}}, .first = 1},
    {.is = "rank 1 of a launcher with PMIx alone", .set = {{"PMIX_RANK", "1"}}, .launched = 1},
    {.is = "task 1 of srun --mpi=pmix",
        .set = {{"PMIX_RANK", "1"}, {"PMIX_NAMESPACE", "slurm"}, {"SLURM_PROCID", "1"},
            {"SLURM_STEP_NUM_TASKS", "2"}, {"SLURM_JOB_ID", "7"}},
        .launched = 1,
        .apart = 1,
        .job = "7"},
    {.is = "task 0 of srun without a plugin",
        .set = {{"SLURM_PROCID", "0"}, {"SLURM_STEP_NUM_TASKS", "2"}, {"SLURM_JOB_ID", "7"}},
        .first = 1,
        .launched = 1,
        .apart = 1,
        .bare = 1,
        .job = "7"},
    {.is = "task 1 of srun without a plugin",
        .set = {{"SLURM_PROCID", "1"}, {"SLURM_STEP_NUM_TASKS", "2"}},
        .launched = 1,
        .apart = 1,
        .bare = 1},
    {.is = "srun -n 1", .set = {{"SLURM_PROCID", "0"}, {"SLURM_STEP_NUM_TASKS", "1"}}, .first = 1},
    {.is = "a shell that kept a number of srun's", .set = {{"SLURM_PROCID", "1"}}, .first = 1},
    {.is = "the script of a batch job",
        .set = {{"SLURM_PROCID", "0"}, {"SLURM_NTASKS", "64"}, {"SLURM_JOB_ID", "12"}},
        .first = 1,
        .job = "12"},
    {.is = "rank 2 of mpirun in a step of srun",
        .set = {{"OMPI_COMM_WORLD_RANK", "2"}, {"OMPI_COMM_WORLD_SIZE", "4"}, {"SLURM_PROCID", "0"},
            {"SLURM_STEP_NUM_TASKS", "2"}},
        .launched = 1},
};
enum { CASES = sizeof cases / sizeof *cases };

/* None of the variables that the machine of the test may have set itself. */
static void clear(void)
{
    static const char *const names[] = {"OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", "PMIX_RANK",
        "OMPI_COMM_WORLD_LOCAL_SIZE", "PMIX_NAMESPACE", "PMI_RANK", "PMI_SIZE", "PMI_FD", "MPI_LOCALRANKID",
        "MPI_LOCALNRANKS", "PRTE_LAUNCHED", "RNN_ALONE", "SLURM_PROCID", "SLURM_STEP_NUM_TASKS",
        "SLURM_NTASKS", "SLURM_JOB_ID", "SLURM_ARRAY_JOB_ID", "SLURM_ARRAY_TASK_ID"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        unsetenv(names[i]);
}

START_TEST(every_environment_says_who_speaks)
{
    clear();
    for (size_t i = 0; cases[_i].set[i][0]; i++)
        setenv(cases[_i].set[i][0], cases[_i].set[i][1], 1);
    struct launcher launcher = launcher_read();
    ck_assert_msg(launcher.first == cases[_i].first, "%s: first = %d", cases[_i].is, launcher.first);
    ck_assert_msg(
        launcher.launched == cases[_i].launched, "%s: launched = %d", cases[_i].is, launcher.launched);
    ck_assert_msg(launcher.mixes == cases[_i].mixes, "%s: mixes = %d", cases[_i].is, launcher.mixes);
    ck_assert_msg(launcher.apart == cases[_i].apart, "%s: apart = %d", cases[_i].is, launcher.apart);
    ck_assert_msg(launcher.bare == cases[_i].bare, "%s: bare = %d", cases[_i].is, launcher.bare);
    ck_assert_msg(launcher.on_host == cases[_i].on_host, "%s: on_host = %ld", cases[_i].is, launcher.on_host);
    ck_assert_str_eq(launcher.job, cases[_i].job ? cases[_i].job : "");
}
END_TEST

START_TEST(squeue_lists_one_of_an_array_by_its_place)
{
    clear();
    setenv("SLURM_JOB_ID", "105", 1);
    ck_assert_str_eq(launcher_read().queue_name, "105");
    setenv("SLURM_ARRAY_JOB_ID", "100", 1);
    setenv("SLURM_ARRAY_TASK_ID", "5", 1);
    ck_assert_str_eq(launcher_read().queue_name, "100_5");
    ck_assert_str_eq(launcher_read().job, "105");
}
END_TEST

START_TEST(what_was_said_first_holds)
{
    clear();
    ck_assert(!launcher_get()->launched);
    setenv("PMIX_RANK", "0", 1); /* as MPI_Init does */
    ck_assert(!launcher_get()->launched);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("launcher");
    TCase *environments = tcase_create("environments");
    tcase_add_loop_test(environments, every_environment_says_who_speaks, 0, CASES);
    tcase_add_test(environments, squeue_lists_one_of_an_array_by_its_place);
    tcase_add_test(environments, what_was_said_first_holds);
    suite_add_tcase(suite, environments);
    return suite_run(suite);
}

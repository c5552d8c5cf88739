/* The end of a job by one rank's fault, seen from outside: this program runs itself under mpirun.
 *
 *     test_fatal                 the suite
 *     test_fatal die RANK CODE STEP   a rank of a job: RANK gives up, the others wait for it in a barrier */
#include "base/log.h"
#include "comm/comm.h"
#include "support/command.h"
#include "support/suite.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *program; /* Check hands its tests no context */

static int be_a_rank(int dying, int code, int64_t step)
{
    struct comm comm;
    comm_start(&comm, "fatal-test");
    printf("%d of %d\n", comm.rank, comm.ranks);
    fflush(stdout);
    if (comm.rank == dying)
        comm_fatal(&comm, step, code, "%s: cannot be read: %s", "data.h5", "check the disk");
    comm_barrier(&comm);
    comm_finish(&comm);
    return 0;
}

static void run(
    struct command_result *result, const char *ranks, const char *dying, const char *code, const char *step)
{
    const char *mpirun = getenv("MPIRUN");
    if (ranks)
        command_call(
            result, 60, mpirun ? mpirun : "mpirun", "-np", ranks, program, "die", dying, code, step, NULL);
    else
        command_call(result, 60, program, "die", dying, code, step, NULL);
}

/* The one line of the rank, among what mpirun itself has to say. */
static void check_line(const char *errors, const char *rank, const char *step)
{
    char host[64] = {0}, want[256];
    ck_assert_int_eq(gethostname(host, sizeof host - 1), 0);
    snprintf(want, sizeof want, "fatal-test: [rank %s on %s] %sdata.h5: cannot be read: check the disk\n",
        rank, host, step);
    const char *at = strstr(errors, want);
    ck_assert_msg(at != NULL, "no line \"%s\" in:\n%s", want, errors);
    ck_assert(at == errors || at[-1] == '\n');
    ck_assert_ptr_null(strstr(at + 1, "fatal-test:"));
}

START_TEST(a_fatal_error_gives_its_code_to_the_job_and_one_line)
{
    static const char *const codes[] = {"65", "70", "74", "76", "77", "124"};
    static const char *const dying[] = {"0", "1", "2", "0", "1", "2"};
    struct command_result result;
    run(&result, "3", dying[_i], codes[_i], "42");
    ck_assert(!result.timed_out);
    ck_assert_int_eq(result.status, atoi(codes[_i]));
    check_line(result.errors, dying[_i], "step 42: ");
    ck_assert_int_eq(result.left_behind, 0);
    command_result_finish(&result);
}
END_TEST

START_TEST(a_fatal_error_outside_a_step_names_none)
{
    struct command_result result;
    run(&result, "2", "1", "74", "-1");
    ck_assert_int_eq(result.status, 74);
    check_line(result.errors, "1", "");
    command_result_finish(&result);
}
END_TEST

START_TEST(a_job_without_a_fault_ends_with_0)
{
    struct command_result result;
    run(&result, "2", "9", "74", "-1");
    ck_assert_int_eq(result.status, 0);
    ck_assert_ptr_nonnull(strstr(result.output, "0 of 2\n"));
    ck_assert_ptr_nonnull(strstr(result.output, "1 of 2\n"));
    command_result_finish(&result);
}
END_TEST

START_TEST(without_mpirun_a_program_is_a_world_of_one)
{
    struct command_result result;
    run(&result, NULL, "9", "74", "-1");
    ck_assert_int_eq(result.status, 0);
    ck_assert_str_eq(result.output, "0 of 1\n");
    ck_assert_str_eq(result.errors, "");
    ck_assert_int_eq(result.left_behind, 0);
    command_result_finish(&result);
}
END_TEST

START_TEST(without_mpirun_a_fatal_error_gives_its_code)
{
    struct command_result result;
    run(&result, NULL, "0", "77", "7");
    ck_assert_int_eq(result.status, 77);
    check_line(result.errors, "0", "step 7: ");
    command_result_finish(&result);
}
END_TEST

START_TEST(before_the_start_a_fatal_error_gives_its_code)
{
    /* in the fork that Check made for this test */
    struct comm comm = {0};
    log_set_speaker("fatal-test", -1, "");
    comm_fatal(&comm, -1, EXIT_CODE_USAGE, "no start");
}
END_TEST

int main(int argc, char **argv)
{
    if (argc == 5)
        return be_a_rank(atoi(argv[2]), atoi(argv[3]), atoll(argv[4]));
    program = argv[0];
    Suite *suite = suite_create("fatal");
    TCase *jobs = tcase_create("jobs");
    tcase_set_timeout(jobs, 70);
    tcase_add_loop_test(jobs, a_fatal_error_gives_its_code_to_the_job_and_one_line, 0, 6);
    tcase_add_test(jobs, a_fatal_error_outside_a_step_names_none);
    tcase_add_test(jobs, a_job_without_a_fault_ends_with_0);
    tcase_add_test(jobs, without_mpirun_a_program_is_a_world_of_one);
    tcase_add_test(jobs, without_mpirun_a_fatal_error_gives_its_code);
    tcase_add_exit_test(jobs, before_the_start_a_fatal_error_gives_its_code, EXIT_CODE_USAGE);
    suite_add_tcase(suite, jobs);
    return suite_run(suite);
}

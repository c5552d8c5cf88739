/* The end of a job by one rank's fault, seen from outside: this program runs itself under mpirun.
 *
 *     test_fatal                 the suite
 *     test_fatal die RANK CODE STEP   a rank of a job: RANK gives up, the others wait for it in a barrier
 *     test_fatal meet WHAT            ranks that were started for different purposes, or of which one is none
 *     test_fatal stand RANK AT WORK   under the watch RANK stands still: AT a place of the exchange, (-1) at
 * a random moment of it, or (-2) before it is under the watch. WORK 1: rank 0 works for longer than the limit
 * first, and shows that it lives; 2: it ends well after that */
#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "comm/comm.h"
#include "comm/reduce.h"
#include "support/command.h"
#include "support/suite.h"

#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char *program; /* Check hands its tests no context */

static int be_a_rank(int dying, int code, int64_t step)
{
    struct comm comm;
    comm_start(&comm, &(struct comm_purpose){.program = "fatal-test"}, NULL);
    printf("%d of %d\n", comm.rank, comm.ranks);
    fflush(stdout);
    if (comm.rank == dying)
        comm_fatal(&comm, step, code, "%s: cannot be read: %s", "data.h5", "check the disk");
    comm_barrier(&comm);
    comm_finish(&comm);
    return 0;
}

/* Rank 1 is another program, or has other options; or it never starts MPI. */
static int meet(const char *what)
{
    const char *rank = getenv("OMPI_COMM_WORLD_RANK");
    struct comm_purpose purpose = {
        .program = "fatal-test", .options = "--one no\n--two 2\n", .limit = 2, .advice = "see to it"};
    struct comm comm;
    struct error error = {0};
    rank = rank ? rank : getenv("PMI_RANK");
    int other = rank && strcmp(rank, "1") == 0;
    if (other && strcmp(what, "absent") == 0)
        return pause(), 0;
    if (other && strcmp(what, "program") == 0)
        purpose.program = "another-test";
    if (other && strcmp(what, "options") == 0)
        purpose.options = "--one no\n--two 3\n";
    log_set_speaker("fatal-test", -1, "");
    if (comm_start(&comm, &purpose, &error) && comm.rank == 0)
        log_line(LOG_ERROR, "%s", error.text);
    comm_finish(&comm);
    return error.code;
}

/* ---- under the watch ---- */

static const double limit = 2; /* seconds */
enum { PLACES = 6, ROUNDS = 60000, FLOATS = 300000 };

static void stop_here(int number)
{
    raise(SIGSTOP);
}

static void pause_for(double seconds)
{
    struct timespec time = {(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};
    nanosleep(&time, NULL);
}

/* Everything that waits, once. `standing` says where this rank stops. */
static void exchange(struct comm *comm, struct reduce *reduce, float *vector, double *values, int standing)
{
    struct error error = {0};
    struct reduce_slice slices[REDUCE_MOST_PARTS];
    for (int place = 0; place < PLACES; place++) {
        if (place == standing)
            raise(SIGSTOP);
        switch (place) {
        case 0:
            comm_agree(comm, &error);
            break;
        case 1:
            comm_sum(comm, values, 1000);
            break;
        case 2:
            comm_broadcast(comm, vector, FLOATS * sizeof *vector, comm->ranks - 1);
            break;
        case 3:
            reduce_gather(reduce, vector);
            break;
        case 4:
            reduce_get_slices(reduce, slices);
            slices->sum = vector;
            reduce_squares(reduce, slices);
            break;
        default:
            reduce_collect(reduce, vector, comm->rank ? NULL : vector);
        }
    }
}

static void work(struct comm *comm)
{
    for (double end = clock_now() + 2 * limit; comm->rank == 0 && clock_now() < end;) {
        comm_show_life(comm);
        pause_for(0.05);
    }
    comm_barrier(comm);
}

static int stand_still(int standing, int at, int works)
{
    struct comm comm;
    struct error error = {0};
    comm_start(&comm, &(struct comm_purpose){.program = "fatal-test"}, NULL);
    if (comm.rank == standing && at == -2)
        raise(SIGSTOP);
    comm_watch(&comm, limit, "see to it");
    comm_set_step(&comm, 42);
    struct node node;
    char warning[200];
    struct node_size size = reduce_size(FLOATS, 1, comm.ranks);
    size.once += reduce_room(FLOATS) * sizeof(float);
    node_init(&node, &comm, size, warning, sizeof warning, &error);
    float *vector = node_take(&node, reduce_room(FLOATS) * sizeof *vector);
    struct reduce *reduce = reduce_create(&node, FLOATS, 0, 1, &error);
    double *values = memory_create(1000, sizeof *values, &error);
    if (works)
        work(&comm);
    if (comm.rank == standing && at == -1) {
        struct itimerval soon = {.it_value = {.tv_usec = 300000 + getpid() % 1000 * 100}};
        signal(SIGALRM, stop_here);
        setitimer(ITIMER_REAL, &soon, NULL);
    }
    for (int round = 0; round < (works == 2 ? 20 : ROUNDS); round++)
        exchange(&comm, reduce, vector, values, comm.rank == standing && round == 3 ? at : -1);
    memory_destroy(values);
    reduce_destroy(reduce);
    node_finish(&node);
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

/* The line of a rank that judges `standing`, and that it came in time. */
static void check_judgement(const struct command_result *result, const char *standing, double seconds)
{
    char host[64] = {0}, want[256];
    ck_assert_int_eq(gethostname(host, sizeof host - 1), 0);
    ck_assert_msg(!result->timed_out, "it did not end: %s", result->errors);
    ck_assert_msg(result->status == EXIT_CODE_STUCK, "%d: %s", result->status, result->errors);
    snprintf(want, sizeof want, "] step 42: rank %s on %s has not answered for ", standing, host);
    ck_assert_msg(strstr(result->errors, want) != NULL, "no \"%s\" in:\n%s", want, result->errors);
    const char *first = strstr(result->errors, "fatal-test:");
    ck_assert_msg(!strstr(first + 1, "fatal-test:"), "more than one line:\n%s", result->errors);
    ck_assert_msg(result->left_behind == 0, "%d left behind:\n%s", result->left_behind, result->errors);
    ck_assert_msg(seconds > limit && seconds < limit + 15, "it took %g seconds", seconds);
}

static int has_ended(const struct command_process *process)
{
    siginfo_t info = {0};
    return waitid(P_PID, (id_t)process->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid;
}

static void stand(struct command_result *result, const char *standing, const char *at, const char *works)
{
    const char *mpirun = getenv("MPIRUN");
    struct command command = {.argv = (const char *const[]){mpirun ? mpirun : "mpirun", "-np", "3", program,
                                  "stand", standing, at, works, "watch", NULL},
        .seconds = 60};
    struct command_process process;
    command_start(&command, &process);
    for (double latest = clock_now() + 60; clock_now() < latest && !has_ended(&process);)
        pause_for(0.01);
    for (double latest = clock_now() + 3; clock_now() < latest && command_processes(&process, NULL, 0);)
        pause_for(0.01); /* ranks may outlive mpirun by a moment */
    command_wait(&process, result);
}

START_TEST(a_rank_that_stands_still_anywhere_ends_the_job_and_is_named)
{
    static const struct {
        const char *rank, *at;
    } cases[] = {{"1", "0"}, {"2", "1"}, {"2", "2"}, {"0", "3"}, {"1", "4"}, {"0", "5"}, {"1", "-1"},
        {"0", "-1"}, {"2", "-1"}};
    struct command_result result;
    double start = clock_now();
    stand(&result, cases[_i].rank, cases[_i].at, "0");
    check_judgement(&result, cases[_i].rank, clock_now() - start);
    command_result_finish(&result);
}
END_TEST

START_TEST(a_rank_that_stands_still_at_the_start_ends_the_job)
{
    struct command_result result;
    stand(&result, _i ? "0" : "2", "-2", "0");
    ck_assert(!result.timed_out);
    ck_assert_msg(result.status == EXIT_CODE_STUCK, "%d: %s", result.status, result.errors);
    const char *line = strstr(result.errors, "fatal-test: [rank ");
    ck_assert_ptr_nonnull(line);
    ck_assert_ptr_nonnull(strstr(line, "] not all ranks have answered at the start: "));
    ck_assert_ptr_nonnull(strstr(line, ": see to it\n"));
    ck_assert_ptr_null(strstr(line + 1, "fatal-test:"));
    ck_assert_int_eq(result.left_behind, 0);
    command_result_finish(&result);
}
END_TEST

static void run_meeting(struct command_result *result, const char *what, int code, const char *line)
{
    const char *mpirun = getenv("MPIRUN");
    command_call(result, 60, mpirun ? mpirun : "mpirun", "-np", "3", program, "meet", what, NULL);
    ck_assert(!result->timed_out);
    ck_assert_msg(result->status == code, "%d: %s", result->status, result->errors);
    ck_assert_int_eq(result->left_behind, 0);
    if (!line)
        return;
    const char *at = strstr(result->errors, "fatal-test: ");
    ck_assert_msg(at && strstr(at, line), "no \"%s\" in:\n%s", line, result->errors);
    ck_assert_ptr_null(strstr(at, "\nfatal-test: "));
}

START_TEST(ranks_of_different_purposes_are_refused_by_name)
{
    struct command_result result;
    run_meeting(&result, "same", 0, NULL);
    ck_assert_ptr_null(strstr(result.errors, "fatal-test"));
    command_result_finish(&result);
    run_meeting(
        &result, "program", 2, " is another-test, rank 0 is fatal-test: start one program on all ranks");
    command_result_finish(&result);
    run_meeting(&result, "options", 2, " has --two 3, rank 0 has --two 2: give all ranks the same");
    command_result_finish(&result);
}
END_TEST

START_TEST(a_process_that_never_starts_mpi_does_not_keep_the_others_for_ever)
{
    struct command_result result;
    const char *mpirun = getenv("MPIRUN");
    command_call(&result, 60, mpirun ? mpirun : "mpirun", "-np", "3", program, "meet", "absent", NULL);
    ck_assert(!result.timed_out);
    /* It lasts: of one that is gone a launcher may know, and end the job by itself, with words of its own or
     * none. mpiexec of MPICH has a code of its own where processes end before MPI has started. */
    const char *line = strstr(result.errors, "not all processes have answered at the start, for 2 seconds: ");
    ck_assert_int_ne(result.status, 0);
    ck_assert_msg(line != NULL, "%d: %s", result.status, result.errors);
    ck_assert_int_eq(result.left_behind, 0);
    command_result_finish(&result);
}
END_TEST

START_TEST(a_rank_that_works_for_longer_than_the_limit_is_not_stuck)
{
    struct command_result result;
    stand(&result, "9", "0", "2");
    ck_assert_msg(result.status == 0, "%d: %s", result.status, result.errors);
    ck_assert_ptr_null(strstr(result.errors, "fatal-test:"));
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
    if (argc == 3)
        return meet(argv[2]);
    if (argc == 6)
        return stand_still(atoi(argv[2]), atoi(argv[3]), atoi(argv[4]));
    program = argv[0];
    Suite *suite = suite_create("fatal");
    TCase *jobs = tcase_create("jobs");
    tcase_set_timeout(jobs, 70);
    tcase_add_loop_test(jobs, a_fatal_error_gives_its_code_to_the_job_and_one_line, 0, 6);
    tcase_add_test(jobs, a_fatal_error_outside_a_step_names_none);
    tcase_add_test(jobs, a_job_without_a_fault_ends_with_0);
    tcase_add_test(jobs, without_mpirun_a_program_is_a_world_of_one);
    tcase_add_test(jobs, without_mpirun_a_fatal_error_gives_its_code);
    tcase_add_loop_test(jobs, a_rank_that_stands_still_anywhere_ends_the_job_and_is_named, 0, 9);
    tcase_add_loop_test(jobs, a_rank_that_stands_still_at_the_start_ends_the_job, 0, 2);
    tcase_add_test(jobs, ranks_of_different_purposes_are_refused_by_name);
    tcase_add_test(jobs, a_process_that_never_starts_mpi_does_not_keep_the_others_for_ever);
    tcase_add_test(jobs, a_rank_that_works_for_longer_than_the_limit_is_not_stuck);
    tcase_add_exit_test(jobs, before_the_start_a_fatal_error_gives_its_code, EXIT_CODE_USAGE);
    suite_add_tcase(suite, jobs);
    return suite_run(suite);
}

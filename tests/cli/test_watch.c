/* Jobs that are watched over: a rank that stands still ends the run under its name, whatever it is at; and
 * the time a job of SLURM has, and whether its tasks have found each other. */
#include "base/clock.h"
#include "support/job.h"
#include "support/suite.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const char base[] = "[data]\ntrain = train.h5\nvalid = valid.h5\n"
                           "[model]\nhidden = 8\n"
                           "[train]\nbatch = 8\nmicrobatch = 2\nepochs = 1000000\nwatchdog = 3 seconds\n";

/* Each step is one microbatch, which all three ranks compute together: its layers have 48 units a direction.
 */
static const char team[] = "[data]\ntrain = train.h5\n"
                           "[model]\nhidden = 48\n"
                           "[train]\nbatch = 2\nmicrobatch = 2\nepochs = 1000000\nwatchdog = 3 seconds\n";

static void write_data(void)
{
    struct sample_shape shape = {.sequences = 41,
        .shortest = 1,
        .longest = 30,
        .features = 6,
        .kind = SAMPLE_PER_SEQUENCE,
        .classes = 5};
    job_write_sample("train.h5", &shape, 1);
    shape.sequences = 11;
    job_write_sample("valid.h5", &shape, 2);
    shape.sequences = 8000;
    shape.shortest = 100;
    shape.longest = 200;
    job_write_sample("valid-long.h5", &shape, 3);
    job_write_text("base.ini", base);
    job_write_text("team.ini", team);
}

static void pause_for(double seconds)
{
    struct timespec time = {(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};
    nanosleep(&time, NULL);
}

/* A rank of three is stopped a moment after `after` was said. */
static void stop_rank(int rank, const char *config, const char *run, const char *set, const char *after)
{
    struct command_process process;
    struct command_result result;
    char line[64];
    job_start(&process, 3, config, run, "-s", set, NULL);
    ck_assert(command_await_output(&process, after, 1, JOB_SECONDS));
    pause_for(0.2);
    pid_t pid = command_find_rank(&process, rank);
    double start = clock_now();
    ck_assert(command_signal_one(&process, pid, SIGSTOP));
    command_wait(&process, &result);
    double took = clock_now() - start;
    job_expect(&result, 124);
    snprintf(line, sizeof line, ": rank %d on ", rank);
    job_complains(&result, 1, "step ", line, "has not answered for", NULL);
    ck_assert_msg(took > 2 && took < 12, "it took %g seconds", took);
    command_result_finish(&result);
    char value[256];
    job_status(run, "state", value);
    ck_assert_str_eq(value, "failed");
    job_status(run, "step", value);
    ck_assert_int_gt(atoi(value), 0);
    job_status(run, "reason", value);
    ck_assert_msg(strstr(value, line) && strstr(value, "has not answered for"), "%s", value);
}

START_TEST(a_stopped_rank_ends_the_run_with_its_name)
{
    char run[32];
    snprintf(run, sizeof run, "stopped-%d", _i);
    stop_rank(_i, "base.ini", run, "train.seed=1", "epoch=2 ");
}
END_TEST

START_TEST(a_stopped_member_of_a_team_ends_the_run_with_its_name)
{
    char run[32];
    snprintf(run, sizeof run, "member-%d", _i);
    stop_rank(_i, "team.ini", run, "train.seed=1", "epoch=2 ");
}
END_TEST

/* Its launcher sees that it is gone before the others miss it. */
START_TEST(a_killed_member_of_a_team_ends_the_run_which_goes_on)
{
    struct command_process process;
    struct command_result result;
    char epoch[64];
    job_start(&process, 3, "team.ini", "killed", NULL);
    ck_assert(command_await_output(&process, "epoch=3 ", 1, JOB_SECONDS));
    pid_t pid = command_find_rank(&process, 1);
    double start = clock_now();
    ck_assert(command_signal_one(&process, pid, SIGKILL));
    command_wait(&process, &result);
    ck_assert_msg(clock_now() - start < 12, "it took %g seconds", clock_now() - start);
    ck_assert_int_ne(result.status, 0);
    ck_assert_msg(!result.timed_out && !result.left_behind, "it did not end");
    command_result_finish(&result);
    job_run(&result, 2, "team.ini", "killed", "--max-time", "00:00:02", NULL);
    job_expect(&result, 0);
    job_field(result.output, "stopped: ", "epoch", epoch);
    ck_assert_int_ge(atoi(epoch), 3);
    command_result_finish(&result);
}
END_TEST

/* Of four members each half meets at each step of its direction, and both halves between layers: where one
 * member leaves, the other half waits at another meeting than its own. */
START_TEST(a_signal_to_one_member_of_a_team_stops_the_run)
{
    struct command_process process;
    struct command_result result;
    char run[32];
    snprintf(run, sizeof run, "signal-%d", _i);
    job_start(&process, 4, "team.ini", run, "-s", "model.bidirectional=yes", NULL);
    ck_assert(command_await_output(&process, "epoch=2 ", 1, JOB_SECONDS));
    pid_t pid = command_find_rank(&process, _i);
    ck_assert(command_signal_one(&process, pid, SIGUSR1));
    process.deadline = clock_now() + 20;
    command_wait(&process, &result);
    job_expect(&result, 0);
    ck_assert_int_eq(job_count_lines(result.output, "stopped: "), 1);
    command_result_finish(&result);
}
END_TEST

START_TEST(a_rank_stopped_in_validation_ends_the_run_with_its_name)
{
    struct command_process process;
    struct command_result result;
    job_start(&process, 3, "base.ini", "validating", "-s", "data.valid=valid-long.h5", NULL);
    for (double limit = clock_now() + JOB_SECONDS * command_patience();
         job_metrics_rows("validating") < 6 && clock_now() < limit;)
        pause_for(0.002);
    pause_for(0.05);
    ck_assert_int_eq(job_metrics_rows("validating"), 6); /* the steps of an epoch, no validation yet */
    pid_t pid = command_find_rank(&process, 1);
    ck_assert(command_signal_one(&process, pid, SIGSTOP));
    command_wait(&process, &result);
    job_expect(&result, 124);
    job_complains(&result, 1, "step 6: rank 1 on ", "has not answered for", NULL);
    ck_assert_int_eq(job_metrics_rows("validating"), 6);
    command_result_finish(&result);
}
END_TEST

START_TEST(a_run_that_was_ended_goes_on)
{
    struct command_result result;
    char epoch[64];
    stop_rank(1, "base.ini", "goes-on", "checkpoint.every=1 epoch", "epoch=4 ");
    job_run(&result, 2, "base.ini", "goes-on", "--max-time", "00:00:02", NULL);
    job_expect(&result, 0);
    job_complains(&result, 1, "warning: ", "goes-on/lock", NULL);
    job_field(result.output, "stopped: ", "epoch", epoch);
    ck_assert_int_gt(atoi(epoch), 4);
    command_result_finish(&result);
}
END_TEST

/* One step is the epoch here, and its validation takes seconds. */
#define SET                                                                                                  \
    "-s", "data.valid=valid-long.h5", "-s", "train.batch=41", "-s", "train.epochs=1", "-s", "model.hidden=32"

START_TEST(a_signal_breaks_a_validation_off_for_the_run_that_goes_on)
{
    struct command_process process;
    struct command_result result;
    char want[64], loss[64], state[256] = "";
    job_start(&process, 2, "base.ini", "put-off", SET, NULL);
    for (double limit = clock_now() + JOB_SECONDS * command_patience();
         job_metrics_rows("put-off") < 1 && clock_now() < limit;)
        pause_for(0.002);
    pause_for(0.1);
    command_signal(&process, SIGUSR1);
    command_wait(&process, &result);
    job_expect(&result, 0);
    ck_assert_int_eq(
        job_count_lines(result.output, "stopped: step=1 epoch=1 reason=asked to by SIGUSR1 "), 1);
    ck_assert_int_eq(job_count_lines(result.output, "epoch="), 0);
    ck_assert_int_eq(job_metrics_rows("put-off"), 1);
    job_complains(&result, 1, "warning: the validation of epoch 1 was broken off after ",
        "begins anew when the run goes on", NULL);
    ck_assert_ptr_null(strstr(result.errors, "too short"));
    command_result_finish(&result);
    job_start(&process, 2, "base.ini", "put-off", SET, NULL);
    for (double limit = clock_now() + JOB_SECONDS * command_patience();
         strcmp(state, "running") != 0 && clock_now() < limit;) {
        pause_for(0.01);
        job_status("put-off", "state", state);
    }
    command_signal(&process, SIGUSR1);
    command_wait(&process, &result);
    job_expect(&result, 0);
    job_complains(&result, 1, "was broken off after ", "this job began with it and was too short for it",
        "give jobs more time, or make data.valid smaller", NULL);
    command_result_finish(&result);
    job_run(&result, 3, "base.ini", "put-off", SET, NULL);
    job_expect(&result, 0);
    job_field(result.output, "epoch=1 ", "valid_loss", loss);
    command_result_finish(&result);
    job_check_metrics("put-off", 1, 1, 1);
    job_run(&result, 2, "base.ini", "not-put-off", SET, NULL);
    job_expect(&result, 0);
    job_field(result.output, "epoch=1 ", "valid_loss", want);
    ck_assert_str_eq(loss, want);
    command_result_finish(&result);
}
END_TEST
#undef SET

/* ---- SLURM ---- */

/* A squeue that says `text` for that job, of which the run is. */
static void write_squeue(const char *job, const char *text)
{
    char body[512];
    snprintf(body, sizeof body, "#!/bin/sh\n[ \"$*\" = \"-h -j %s -o %%e\" ] || exit 1\n%s\n", job, text);
    job_write_text("squeue", body);
    ck_assert_int_eq(chmod(job_path("squeue"), 0755), 0);
    char path[8192];
    snprintf(path, sizeof path, "%s:%s", job_path(""), getenv("PATH"));
    setenv("PATH", path, 1);
    setenv("SLURM_JOB_ID", "41", 1);
}

START_TEST(the_end_of_the_job_is_the_end_of_the_run)
{
    struct command_result result;
    char body[128], text[32], value[256];
    time_t end = time(NULL) + 4;
    struct tm local;
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", localtime_r(&end, &local));
    snprintf(body, sizeof body, "echo %s", text);
    write_squeue(_i ? "40_3" : "41", body);
    if (_i) {
        setenv("SLURM_ARRAY_JOB_ID", "40", 1);
        setenv("SLURM_ARRAY_TASK_ID", "3", 1);
    }
    job_run(&result, 0, "base.ini", _i ? "task-end" : "job-end", NULL);
    job_expect(&result, 0);
    ck_assert(time(NULL) <= end);
    job_status(_i ? "task-end" : "job-end", "state", value);
    ck_assert_str_eq(value, "stopped");
    job_status(_i ? "task-end" : "job-end", "reason", value);
    ck_assert_ptr_nonnull(strstr(value, "time"));
    command_result_finish(&result);
}
END_TEST

START_TEST(a_squeue_that_tells_nothing_does_no_harm)
{
    static const char *const bodies[] = {
        "echo NONE", "exit 3", "echo 2099-13-45", "echo a lot; yes", "exec sleep 60"};
    struct command_result result;
    char run[32];
    write_squeue("41", bodies[_i]);
    snprintf(run, sizeof run, "told-%d", _i);
    double start = clock_now();
    job_run(&result, 0, "base.ini", run, "-s", "train.epochs=1", NULL);
    job_expect(&result, 0);
    ck_assert_int_eq(job_count_lines(result.output, "finished: "), 1);
    ck_assert(clock_now() - start < 15);
    command_result_finish(&result);
}
END_TEST

START_TEST(tasks_that_have_not_found_each_other_are_refused)
{
    struct command_result result;
    setenv("SLURM_PROCID", "0", 1);
    setenv("SLURM_NTASKS", "4", 1);
    job_run(
        &result, 0, "base.ini", "batch", "-s", "train.epochs=1", NULL); /* in the shell of a batch script */
    job_expect(&result, 0);
    job_complains(&result, 1, "warning: the job has 4 tasks, but this run is of one rank", NULL);
    command_result_finish(&result);
    setenv("SLURM_STEP_NUM_TASKS", "4", 1);
    job_run(&result, 0, "base.ini", "tasks", NULL);
    job_expect(&result, 2);
    job_complains(&result, 1, "srun started 4 tasks", "--mpi=pmix", NULL);
    ck_assert(!job_exists("tasks"));
    command_result_finish(&result);
    job_run(&result, 0, "base.ini", "tasks", "--plan", NULL);
    job_expect(&result, 0);
    command_result_finish(&result);
    setenv("SLURM_PROCID", "3", 1);
    job_run(&result, 0, "base.ini", "tasks", NULL);
    job_expect(&result, 2);
    ck_assert_str_eq(result.errors, "");
    command_result_finish(&result);
    setenv("RNN_ALONE", "1", 1);
    job_run(&result, 0, "base.ini", "tasks", "-s", "train.epochs=1", NULL);
    job_expect(&result, 0);
    command_result_finish(&result);
}
END_TEST

int main(void)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    job_open();
    Suite *suite = suite_create("watch");
    TCase *tests = tcase_create("watch");
    tcase_add_unchecked_fixture(tests, write_data, NULL);
    tcase_set_timeout(tests, 120);
    tcase_add_loop_test(tests, a_stopped_rank_ends_the_run_with_its_name, 0, 3);
    tcase_add_loop_test(tests, a_stopped_member_of_a_team_ends_the_run_with_its_name, 0, 3);
    tcase_add_test(tests, a_killed_member_of_a_team_ends_the_run_which_goes_on);
    tcase_add_loop_test(tests, a_signal_to_one_member_of_a_team_stops_the_run, 0, 4);
    tcase_add_test(tests, a_rank_stopped_in_validation_ends_the_run_with_its_name);
    tcase_add_test(tests, a_run_that_was_ended_goes_on);
    tcase_add_test(tests, a_signal_breaks_a_validation_off_for_the_run_that_goes_on);
    tcase_add_loop_test(tests, the_end_of_the_job_is_the_end_of_the_run, 0, 2);
    tcase_add_loop_test(tests, a_squeue_that_tells_nothing_does_no_harm, 0, 5);
    tcase_add_test(tests, tasks_that_have_not_found_each_other_are_refused);
    suite_add_tcase(suite, tests);
    int outcome = suite_run(suite);
    job_close();
    return outcome;
}

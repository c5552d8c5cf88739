/* The job scripts, with programs in the place of SLURM's and of rnn-train that write down how they were
 * called. */
#include "support/command.h"
#include "support/suite.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/rnn-slurm-XXXXXX";
static char path_variable[8192], programs_variable[128];
static const char *further_variable; /* "NAME=VALUE" of the job, or NULL */

/* A program in the folder: what it gets is written to standard output, after its name. */
static void write_program(const char *name, const char *body)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    fprintf(file, "#!/bin/sh\necho %s \"$@\"\n%s\n", name, body);
    ck_assert_int_eq(fclose(file), 0);
    ck_assert_int_eq(chmod(path, 0755), 0);
}

static void make_programs(void)
{
    strcpy(folder, "/tmp/rnn-slurm-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path_variable, sizeof path_variable, "PATH=%s:%s", folder, getenv("PATH"));
    snprintf(programs_variable, sizeof programs_variable, "RNN_BIN=%s", folder);
    /* Both launchers: past their own options, run the program once. */
    const char *launch = "case $1 in --mpi=list) echo 'MPI plugin types are... pmix pmi2'; exit 0 ;; esac\n"
                         "while :; do case $1 in --bind-to) shift 2 ;; -*) shift ;; *) break ;; esac; done\n"
                         "exec \"$@\"";
    write_program("mpirun", launch);
    write_program("srun", launch);
    write_program("scontrol", "");
    write_program("scancel", "");
    further_variable = NULL;
}

static void remove_programs(void)
{
    struct command_result result;
    command_call(&result, 10, "rm", "-rf", folder, NULL);
    command_result_finish(&result);
}

/* Runs a script as a job; `path` is where it lies. */
static void submit_path(const char *path, const char *configuration, struct command_result *result)
{
    const char *argv[] = {
        "bash", path, configuration, configuration ? "--set" : NULL, "train.epochs=3", NULL};
    const char *environment[] = {
        path_variable, programs_variable, "SLURM_JOB_ID=41", "SLURM_JOB_NAME=mine", further_variable, NULL};
    struct command command = {.argv = argv, .environment = environment, .directory = "/", .seconds = 30};
    command_run(&command, result);
}

static void submit(const char *script, const char *configuration, struct command_result *result)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/slurm/%s", SOURCE_ROOT, script);
    submit_path(path, configuration, result);
}

/* Those that put themselves back into the queue. */
enum { SCRIPTS = 4 };
static const char *const scripts[SCRIPTS] = {
    "single-node.sh", "multi-node.sh", "multi-node-mpirun.sh", "preemptible.sh"};

START_TEST(configuration_and_options_reach_the_program)
{
    write_program("rnn-train", "");
    struct command_result result;
    submit(scripts[_i], "mine.ini", &result);
    ck_assert_int_eq(result.status, 0);
    ck_assert_ptr_nonnull(
        strstr(result.output, "rnn-train --stop-exit-code 75 mine.ini --set train.epochs=3\n"));
    ck_assert_ptr_null(strstr(result.output, "scontrol"));
    command_result_finish(&result);
}
END_TEST

/* sbatch runs a copy in a folder of its own. SLURM knows the path of the original. */
START_TEST(a_copy_finds_what_the_scripts_share)
{
    char original[4096], copy[256], answer[4200];
    snprintf(original, sizeof original, "%s/slurm/%s", SOURCE_ROOT, scripts[_i]);
    snprintf(copy, sizeof copy, "%s/slurm_script", folder);
    snprintf(answer, sizeof answer, "[ \"$1\" != show ] || echo '   Command=%s mine.ini'", original);
    struct command_result result;
    command_call(&result, 10, "cp", original, copy, NULL);
    command_result_finish(&result);
    write_program("rnn-train", "");
    write_program("scontrol", answer);
    submit_path(copy, "mine.ini", &result);
    ck_assert_msg(result.status == 0, "%d: %s", result.status, result.errors);
    ck_assert_ptr_nonnull(strstr(result.output, "rnn-train --stop-exit-code 75 mine.ini"));
    command_result_finish(&result);
    submit_path(copy, NULL, &result);
    ck_assert_ptr_nonnull(strstr(result.errors, scripts[_i]));
    command_result_finish(&result);

    write_program("scontrol", "");
    submit_path(copy, "mine.ini", &result);
    ck_assert_int_eq(result.status, 2);
    ck_assert_ptr_nonnull(strstr(result.errors, "slurm/job.sh"));
    command_result_finish(&result);
}
END_TEST

START_TEST(a_run_that_stopped_early_goes_back_into_the_queue)
{
    write_program("rnn-train", "exit 75");
    struct command_result result;
    submit(scripts[_i], "mine.ini", &result);
    ck_assert_int_eq(result.status, 75);
    ck_assert_ptr_nonnull(strstr(result.output, "scontrol requeue 41\n"));
    command_result_finish(&result);
}
END_TEST

/* Runs the script for the run directory `run` of the folder, which can be named in so many ways. */
enum { WAYS = 4 };

static void submit_run(const char *script, int way, struct command_result *result)
{
    char path[4096], run[256], own[300], joined[300];
    const char *const words[WAYS][3] = {{"mine.ini", "-o", run}, {"mine.ini", joined}, {run}, {own}};
    const char *argv[] = {"bash", path, words[way][0], words[way][1], words[way][2], NULL};
    const char *environment[] = {
        path_variable, programs_variable, "SLURM_JOB_ID=41", "SLURM_JOB_NAME=mine", NULL};
    struct command command = {.argv = argv, .environment = environment, .directory = "/", .seconds = 30};
    snprintf(path, sizeof path, "%s/slurm/%s", SOURCE_ROOT, script);
    snprintf(run, sizeof run, "%s/run", folder);
    snprintf(own, sizeof own, "%s/config.ini", run);
    snprintf(joined, sizeof joined, "--run=%s", run);
    command_run(&command, result);
}

/* What the launcher ends with, whatever the program ended with; the state of the run, and whether it is
 * written anew; what the script ends with. */
static const struct {
    int code;
    const char *state;
    int anew, ends;
} losses[] = {{0, "stopped", 1, 75}, {141, "stopped", 1, 75}, {0, "finished", 1, 0}, {0, "stopped", 0, 0},
    {65, "stopped", 1, 65}, {141, "running", 1, 141}};
enum { LOSSES = sizeof losses / sizeof *losses };

START_TEST(a_run_that_stopped_goes_back_though_the_launcher_loses_its_code)
{
    struct command_result result;
    char run[64], text[512];
    snprintf(run, sizeof run, "%s/run", folder);
    ck_assert_int_eq(mkdir(run, 0777), 0);
    for (int way = 1; way < WAYS; way++) {
        snprintf(text, sizeof text, "echo state=stopped >%s/new && mv %s/new %s/status", run, run, run);
        write_program("rnn-train", text);
        submit_run(scripts[_i], way, &result);
        ck_assert_msg(result.status == 75, "way %d: %d: %s", way, result.status, result.errors);
        command_result_finish(&result);
    }
    for (int i = 0; i < LOSSES; i++) {
        snprintf(text, sizeof text, "echo state=%s >%s/new && mv %s/new %s/status; exit %d", losses[i].state,
            run, run, run, losses[i].code);
        if (!losses[i].anew)
            snprintf(text, sizeof text, "exit %d", losses[i].code);
        write_program("rnn-train", text);
        submit_run(scripts[_i], 0, &result);
        ck_assert_msg(result.status == losses[i].ends, "%d: %d: %s", i, result.status, result.errors);
        ck_assert_int_eq(strstr(result.output, "scontrol requeue 41\n") != NULL, losses[i].ends == 75);
        ck_assert_int_eq(strstr(result.errors, "the launcher ended with") != NULL, losses[i].ends == 75);
        command_result_finish(&result);
    }
}
END_TEST

START_TEST(a_run_that_failed_does_not_go_back_into_the_queue)
{
    write_program("rnn-train", "exit 65");
    struct command_result result;
    submit(scripts[_i], "mine.ini", &result);
    ck_assert_int_eq(result.status, 65);
    ck_assert_ptr_null(strstr(result.output, "scontrol"));
    command_result_finish(&result);
}
END_TEST

START_TEST(a_job_restarted_often_enough_stays_out_of_the_queue)
{
    struct command_result result;
    write_program("rnn-train", "exit 75");
    further_variable = "SLURM_RESTART_COUNT=50";
    submit(scripts[_i], "mine.ini", &result);
    ck_assert_int_eq(result.status, 75);
    ck_assert_ptr_null(strstr(result.output, "scontrol"));
    ck_assert_ptr_nonnull(strstr(result.errors, "RNN_RESTARTS"));
    command_result_finish(&result);
}
END_TEST

START_TEST(a_job_that_slurm_ends_stays_out_of_the_queue_unless_its_time_was_over)
{
    struct command_result result;
    write_program("rnn-train", "exit 75");
    write_program("scontrol", "[ \"$1\" != show ] || echo JobId=41 JobState=COMPLETING Reason=None");
    submit(scripts[_i], "mine.ini", &result);
    ck_assert_int_eq(result.status, 75);
    ck_assert_ptr_null(strstr(result.output, "requeue"));
    command_result_finish(&result);

    write_program("scontrol", "[ \"$1\" != show ] || echo JobId=41 JobState=COMPLETING Reason=TimeLimit");
    submit(scripts[_i], "mine.ini", &result);
    ck_assert_int_eq(result.status, 75);
    ck_assert_ptr_nonnull(strstr(result.output, "scontrol requeue 41\n"));
    command_result_finish(&result);
}
END_TEST

/* What SLURM says of the job takes longer to hear than the run to end. */
START_TEST(a_run_that_ends_while_a_signal_is_handled_goes_back_into_the_queue)
{
    struct command_result result;
    write_program("rnn-train", "kill -TERM $PPID; sleep 0.3; exit 75");
    write_program(
        "scontrol", "[ \"$1\" != show ] || { sleep 1; echo JobId=41 JobState=COMPLETING Reason=TimeLimit; }");
    submit(scripts[_i], "mine.ini", &result);
    ck_assert_int_eq(result.status, 75);
    ck_assert_ptr_nonnull(strstr(result.output, "scontrol requeue 41\n"));
    command_result_finish(&result);
}
END_TEST

START_TEST(a_job_that_was_put_back_does_not_start_over)
{
    struct command_result result;
    write_program("rnn-train", "");
    submit(scripts[_i], "--fresh", &result);
    ck_assert_ptr_nonnull(
        strstr(result.output, "rnn-train --stop-exit-code 75 --fresh --set train.epochs=3\n"));
    command_result_finish(&result);
    further_variable = "SLURM_RESTART_COUNT=1";
    submit(scripts[_i], "--fresh", &result);
    ck_assert_int_eq(result.status, 0);
    ck_assert_ptr_nonnull(strstr(result.output, "rnn-train --stop-exit-code 75 --set train.epochs=3\n"));
    command_result_finish(&result);
    submit("chain.sh", "--fresh", &result);
    ck_assert_int_eq(result.status, 2);
    ck_assert_ptr_null(strstr(result.output, "rnn-train"));
    ck_assert_ptr_nonnull(strstr(result.errors, "--fresh"));
    command_result_finish(&result);
}
END_TEST

/* Whether the run has begun is seen by its checkpoints: a job may be put back before it has any. */
START_TEST(a_job_that_was_put_back_leaves_init_out_once_it_has_a_checkpoint)
{
    char script[4096], run[256], file[300], kept[400], left_out[400];
    const char *argv[] = {"bash", script, "mine.ini", "-o", run, "--init", "w.h5", "-v", NULL};
    const char *environment[] = {path_variable, programs_variable, "SLURM_JOB_ID=41", "SLURM_JOB_NAME=mine",
        "SLURM_RESTART_COUNT=1", NULL};
    struct command command = {.argv = argv, .environment = environment, .directory = "/", .seconds = 30};
    struct command_result result;
    write_program("rnn-train", "");
    snprintf(script, sizeof script, "%s/slurm/%s", SOURCE_ROOT, scripts[_i]);
    snprintf(run, sizeof run, "%s/run", folder);
    snprintf(file, sizeof file, "%s/checkpoint-0000000000.h5", run);
    snprintf(kept, sizeof kept, "75 mine.ini -o %s --init w.h5 -v\n", run);
    snprintf(left_out, sizeof left_out, "75 mine.ini -o %s -v\n", run);
    ck_assert_int_eq(mkdir(run, 0777), 0);
    command_run(&command, &result);
    ck_assert_msg(strstr(result.output, kept), "%s", result.output);
    command_result_finish(&result);
    ck_assert_int_eq(close(creat(file, 0666)), 0);
    command_run(&command, &result);
    ck_assert_msg(strstr(result.output, left_out), "%s", result.output);
    command_result_finish(&result);
}
END_TEST

START_TEST(asked_to_stop_before_it_began_a_job_goes_back_into_the_queue)
{
    struct command_result result;
    write_program("rnn-train", "");
    write_program("srun", "kill -USR1 $PPID; echo pmix");
    submit("multi-node.sh", "mine.ini", &result);
    ck_assert_msg(result.status == 75, "%d: %s", result.status, result.errors);
    ck_assert_ptr_null(strstr(result.output, "rnn-train"));
    ck_assert_ptr_nonnull(strstr(result.output, "scontrol requeue 41\n"));
    command_result_finish(&result);
}
END_TEST

START_TEST(a_link_that_stopped_leaves_the_chain_and_one_that_ended_cancels_it)
{
    static const char *const ends[] = {"exit 0", "exit 75", "exit 76"};
    static const int statuses[] = {0, 0, 76};
    struct command_result result;
    write_program("rnn-train", ends[_i]);
    submit("chain.sh", "mine.ini", &result);
    ck_assert_int_eq(result.status, statuses[_i]);
    ck_assert_int_eq(!strstr(result.output, "scancel --state=PENDING --name=mine"), _i == 1);
    ck_assert_ptr_null(strstr(result.output, "requeue"));
    command_result_finish(&result);
}
END_TEST

START_TEST(a_link_that_finds_the_run_in_use_tries_once_more)
{
    struct command_result result;
    write_program("sleep", "touch \"${0%/*}/waited\"");
    write_program("rnn-train", "[ -e \"${0%/*}/waited\" ] || exit 65; exit 75");
    submit("chain.sh", "mine.ini", &result);
    ck_assert_int_eq(result.status, 0);
    ck_assert_ptr_nonnull(strstr(result.output, "sleep 150\n"));
    ck_assert_ptr_null(strstr(result.output, "scancel"));
    command_result_finish(&result);
}
END_TEST

START_TEST(what_is_missing_is_said_before_anything_starts)
{
    struct command_result result;
    submit(scripts[_i], "mine.ini", &result); /* no rnn-train in the folder */
    ck_assert_int_eq(result.status, 2);
    ck_assert_ptr_nonnull(strstr(result.errors, "rnn-train not found"));
    ck_assert_ptr_nonnull(strstr(result.errors, "RNN_BIN"));
    command_result_finish(&result);

    submit(scripts[_i], NULL, &result);
    ck_assert_int_eq(result.status, 2);
    ck_assert_ptr_nonnull(strstr(result.errors, "which configuration?"));
    command_result_finish(&result);
}
END_TEST

START_TEST(a_launcher_without_pmix_is_refused_with_its_list)
{
    write_program("rnn-train", "");
    write_program("srun", "[ \"$1\" = --mpi=list ] && echo 'MPI plugin types are... none pmi2' >&2");
    struct command_result result;
    submit("multi-node.sh", "mine.ini", &result);
    ck_assert_int_eq(result.status, 2);
    ck_assert_ptr_nonnull(strstr(result.errors, "RNN_MPI"));
    ck_assert_ptr_nonnull(strstr(result.errors, "none pmi2"));
    ck_assert_ptr_null(strstr(result.output, "rnn-train"));
    command_result_finish(&result);
}
END_TEST

/* Blanks of all kinds are part of a name, and what a file holds cannot spoil the table or the terminal. */
START_TEST(the_table_of_a_sweep_has_one_line_a_run_whatever_their_names)
{
    static const char script[] =
        "cd \"$0\" && mkdir -p 'two words/3 a' && cd 'two words' && echo 'x = 1' >'3 a.setting' && "
        "echo 'x = 2' >10.setting && printf 'state=\\033[31mr\\302\\2331m\\303\\266\\n' >'3 a/status' && "
        "cd .. && exec bash \"$1\" 'two words'";
    struct command_result result;
    command_call(&result, 30, "bash", "-c", script, folder, SOURCE_ROOT "/slurm/collect.sh", NULL);
    if (strstr(result.errors, "h5dump not found")) {
        puts("not run: collect.sh: there is no h5dump");
        command_result_finish(&result);
        return;
    }
    ck_assert_int_eq(result.status, 0);
    ck_assert_str_eq(result.errors, "");
    ck_assert_str_eq(result.output,
        "run\tsetting\tstatus\tstep\tloss\terror\tbest\tweights_hash\n"
        "two words/3 a\tx = 1\t?[31mr??1m\xc3\xb6\t-\t-\t-\t-\t-\n"
        "two words/10\tx = 2\twaiting\t-\t-\t-\t-\t-\n");
    command_result_finish(&result);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("job_scripts");
    TCase *claims = tcase_create("claims");
    tcase_add_checked_fixture(claims, make_programs, remove_programs);
    tcase_set_timeout(claims, 60);
    tcase_add_loop_test(claims, configuration_and_options_reach_the_program, 0, SCRIPTS);
    tcase_add_loop_test(claims, a_run_that_stopped_early_goes_back_into_the_queue, 0, SCRIPTS);
    tcase_add_loop_test(claims, a_copy_finds_what_the_scripts_share, 0, SCRIPTS);
    tcase_add_loop_test(
        claims, a_run_that_ends_while_a_signal_is_handled_goes_back_into_the_queue, 0, SCRIPTS);
    tcase_add_loop_test(claims, a_job_that_was_put_back_does_not_start_over, 0, SCRIPTS);
    tcase_add_loop_test(claims, a_job_that_was_put_back_leaves_init_out_once_it_has_a_checkpoint, 0, SCRIPTS);
    tcase_add_test(claims, asked_to_stop_before_it_began_a_job_goes_back_into_the_queue);
    tcase_add_loop_test(claims, a_run_that_stopped_goes_back_though_the_launcher_loses_its_code, 0, SCRIPTS);
    tcase_add_loop_test(claims, a_run_that_failed_does_not_go_back_into_the_queue, 0, SCRIPTS);
    tcase_add_loop_test(claims, a_job_restarted_often_enough_stays_out_of_the_queue, 0, SCRIPTS);
    tcase_add_loop_test(
        claims, a_job_that_slurm_ends_stays_out_of_the_queue_unless_its_time_was_over, 0, SCRIPTS);
    tcase_add_loop_test(claims, a_link_that_stopped_leaves_the_chain_and_one_that_ended_cancels_it, 0, 3);
    tcase_add_test(claims, a_link_that_finds_the_run_in_use_tries_once_more);
    tcase_add_loop_test(claims, what_is_missing_is_said_before_anything_starts, 0, SCRIPTS);
    tcase_add_test(claims, a_launcher_without_pmix_is_refused_with_its_list);
    tcase_add_test(claims, the_table_of_a_sweep_has_one_line_a_run_whatever_their_names);
    suite_add_tcase(suite, claims);
    return suite_run(suite);
}

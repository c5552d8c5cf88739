#include "base/clock.h"
#include "support/command.h"
#include "support/suite.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

START_TEST(output_errors_and_exit_code_come_back)
{
    struct command_result result;
    command_call(&result, 10, "sh", "-c", "echo out; echo err >&2; exit 65", NULL);
    ck_assert_int_eq(result.status, 65);
    ck_assert(!result.timed_out);
    ck_assert_str_eq(result.output, "out\n");
    ck_assert_str_eq(result.errors, "err\n");
    command_result_finish(&result);
}
END_TEST

START_TEST(standard_input_is_empty)
{
    struct command_result result;
    command_call(&result, 10, "cat", NULL);
    ck_assert_int_eq(result.status, 0);
    ck_assert_uint_eq(result.output_size, 0);
    command_result_finish(&result);
}
END_TEST

START_TEST(much_output_does_not_block)
{
    struct command_result result;
    command_call(&result, 30, "sh", "-c", "head -c 3000000 /dev/zero; head -c 1000000 /dev/zero >&2", NULL);
    ck_assert_int_eq(result.status, 0);
    ck_assert_uint_eq(result.output_size, 3000000);
    ck_assert_uint_eq(result.errors_size, 1000000);
    command_result_finish(&result);
}
END_TEST

START_TEST(environment_and_folder_are_the_command_s_alone)
{
    setenv("RNN_GOES", "1", 1);
    const char *argv[] = {"sh", "-c", "echo $RNN_COMES ${RNN_GOES-gone}; pwd", NULL};
    const char *environment[] = {"RNN_COMES=here", "RNN_GOES", NULL};
    struct command command = {.argv = argv, .environment = environment, .directory = "/", .seconds = 10};
    struct command_result result;
    command_run(&command, &result);
    ck_assert_str_eq(result.output, "here gone\n/\n");
    ck_assert_str_eq(getenv("RNN_GOES"), "1");
    ck_assert_ptr_null(getenv("RNN_COMES"));
    command_result_finish(&result);
}
END_TEST

START_TEST(a_command_that_is_not_there_gives_127)
{
    struct command_result result;
    command_call(&result, 10, "rnn-no-such-program", NULL);
    ck_assert_int_eq(result.status, 127);
    ck_assert_ptr_nonnull(strstr(result.errors, "rnn-no-such-program"));
    command_result_finish(&result);
}
END_TEST

START_TEST(the_limit_kills_children_in_other_process_groups_too)
{
    double before = clock_now();
    struct command_result result;
    command_call(&result, 0.5, "bash", "-c", "set -m; sleep 60 & sleep 60 & trap '' TERM; wait", NULL);
    ck_assert(result.timed_out);
    ck_assert_int_eq(result.status, 128 + SIGKILL);
    ck_assert_int_eq(result.left_behind, 0);
    ck_assert_double_lt(clock_now() - before, 20);
    command_result_finish(&result);
}
END_TEST

START_TEST(what_a_command_leaves_behind_is_counted_and_killed)
{
    static const char *const scripts[] = {"set -m; sleep 60 & exit 3", "setsid sleep 60 & exit 3"};
    const char *argv[] = {"bash", "-c", scripts[_i], NULL};
    struct command command = {.argv = argv, .seconds = 30};
    struct command_process process;
    command_start(&command, &process);
    struct command_process session = process;
    struct command_result result;
    command_wait(&process, &result);
    ck_assert_int_eq(result.status, 3);
    ck_assert_int_eq(result.left_behind, 1);
    ck_assert_int_eq(command_processes(&session, NULL, 0), 0);
    command_result_finish(&result);
}
END_TEST

START_TEST(background_command_is_seen_signalled_and_waited_for)
{
    const char *argv[] = {
        "sh", "-c", "trap 'echo caught; exit 7' TERM; echo ready; while :; do sleep 0.05; done", NULL};
    struct command command = {.argv = argv, .seconds = 30};
    struct command_process process;
    command_start(&command, &process);
    ck_assert(command_await_output(&process, "ready", 1, 10));
    ck_assert(!command_await_output(&process, "ready", 2, 0.1));
    pid_t pids[4];
    ck_assert_int_ge(command_processes(&process, pids, 4), 1);
    ck_assert_int_eq(pids[0], process.pid);
    command_signal(&process, SIGTERM);
    struct command_result result;
    command_wait(&process, &result);
    ck_assert_int_eq(result.status, 7);
    ck_assert_str_eq(result.output, "ready\ncaught\n");
    command_result_finish(&result);
}
END_TEST

START_TEST(a_command_is_among_its_processes_from_the_start)
{
    const char *argv[] = {"sleep", "60", NULL};
    struct command command = {.argv = argv, .seconds = 30};
    struct command_process process;
    struct command_result result;
    for (int i = 0; i < 100; i++) {
        command_start(&command, &process);
        ck_assert_int_eq(command_processes(&process, NULL, 0), 1);
        command_kill(&process);
        command_wait(&process, &result);
        command_result_finish(&result);
    }
}
END_TEST

/* What was seen of a command may have ended, and another process have its number. */
START_TEST(only_a_process_of_the_command_gets_its_signal)
{
    const char *argv[] = {"sleep", "60", NULL};
    struct command command = {.argv = argv, .seconds = 30};
    struct command_process one, other;
    struct command_result result;
    command_start(&command, &one);
    command_start(&command, &other);
    ck_assert(!command_signal_one(&one, 0, SIGKILL));
    ck_assert(!command_signal_one(&one, -1, 0));
    ck_assert(!command_signal_one(&one, other.pid, SIGKILL));
    ck_assert(!command_signal_one(&one, getpid(), SIGKILL));
    ck_assert(command_signal_one(&other, other.pid, SIGUSR1));
    command_wait(&other, &result);
    ck_assert_int_eq(result.status, 128 + SIGUSR1);
    command_result_finish(&result);
    command_kill(&one);
    ck_assert(!command_signal_one(&one, one.pid, SIGKILL)); /* it has ended, and was not waited for */
    command_wait(&one, &result);
    command_result_finish(&result);
}
END_TEST

START_TEST(another_limit_loses_no_process)
{
    const char *argv[] = {"sh", "-c", "setsid sleep 60 & echo ready; wait", NULL};
    struct command command = {.argv = argv, .seconds = 30};
    struct command_process process;
    struct command_result result;
    command_start(&command, &process);
    ck_assert(command_await_output(&process, "ready", 1, 10));
    process.deadline += 10;
    ck_assert_int_eq(command_processes(&process, NULL, 0), 2);
    process.deadline = clock_now() + 0.1;
    command_wait(&process, &result);
    ck_assert(result.timed_out && !result.left_behind);
    command_result_finish(&result);
}
END_TEST

START_TEST(a_limit_is_as_patient_as_the_tests_are)
{
    const char *argv[] = {"true", NULL};
    const char *factors[] = {"3", "0.5", NULL};
    const double expected[] = {90, 30, 30};
    for (int i = 0; i < 3; i++) {
        struct command command = {.argv = argv, .seconds = 30};
        struct command_process process;
        struct command_result result;
        if (factors[i])
            setenv("CK_TIMEOUT_MULTIPLIER", factors[i], 1);
        else
            unsetenv("CK_TIMEOUT_MULTIPLIER");
        command_start(&command, &process);
        ck_assert_double_eq_tol(process.deadline - process.begun, expected[i], 1e-3);
        command_wait(&process, &result);
        command_result_finish(&result);
    }
}
END_TEST

START_TEST(kill_ends_the_whole_session)
{
    const char *argv[] = {"bash", "-c", "set -m; sleep 60 & sleep 60 & echo ready; wait", NULL};
    struct command command = {.argv = argv, .seconds = 30};
    struct command_process process;
    command_start(&command, &process);
    ck_assert(command_await_output(&process, "ready", 1, 10));
    ck_assert_int_eq(command_processes(&process, NULL, 0), 3);
    command_kill(&process);
    ck_assert_int_eq(command_processes(&process, NULL, 0), 0);
    struct command_result result;
    command_wait(&process, &result);
    ck_assert_int_eq(result.status, 128 + SIGKILL);
    ck_assert_int_eq(result.left_behind, 0);
    command_result_finish(&result);
}
END_TEST

START_TEST(awaiting_ends_with_the_command)
{
    const char *argv[] = {"echo", "one", NULL};
    struct command command = {.argv = argv, .seconds = 30};
    struct command_process process;
    command_start(&command, &process);
    ck_assert(!command_await_output(&process, "two", 1, 20));
    ck_assert(command_await_output(&process, "one", 1, 20));
    struct command_result result;
    command_wait(&process, &result);
    ck_assert(!result.timed_out);
    command_result_finish(&result);
}
END_TEST

/* Bytes that this process has written so far, to whatever file; -1: the kernel does not count them. */
static long long written(void)
{
    long long bytes = -1;
    FILE *file = fopen("/proc/self/io", "r");
    if (file && fscanf(file, "rchar: %*d wchar: %lld", &bytes) != 1)
        bytes = -1;
    if (file)
        fclose(file);
    return bytes;
}

START_TEST(an_assertion_that_holds_again_and_again_costs_no_messages)
{
    long long before = written();
    for (int i = 0; i < 10000; i++) {
        ck_assert_int_ge(i, 0);
        ck_assert_msg(i < 10000, "%d", i);
    }
    ck_assert_int_lt(written() - before, 1000);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("command");
    TCase *claims = tcase_create("claims");
    tcase_set_timeout(claims, 60);
    tcase_add_test(claims, output_errors_and_exit_code_come_back);
    tcase_add_test(claims, standard_input_is_empty);
    tcase_add_test(claims, much_output_does_not_block);
    tcase_add_test(claims, environment_and_folder_are_the_command_s_alone);
    tcase_add_test(claims, a_command_that_is_not_there_gives_127);
    tcase_add_test(claims, the_limit_kills_children_in_other_process_groups_too);
    tcase_add_loop_test(claims, what_a_command_leaves_behind_is_counted_and_killed, 0, 2);
    tcase_add_test(claims, background_command_is_seen_signalled_and_waited_for);
    tcase_add_test(claims, a_command_is_among_its_processes_from_the_start);
    tcase_add_test(claims, only_a_process_of_the_command_gets_its_signal);
    tcase_add_test(claims, another_limit_loses_no_process);
    tcase_add_test(claims, a_limit_is_as_patient_as_the_tests_are);
    tcase_add_test(claims, kill_ends_the_whole_session);
    tcase_add_test(claims, awaiting_ends_with_the_command);
    tcase_add_test(claims, an_assertion_that_holds_again_and_again_costs_no_messages);
    suite_add_tcase(suite, claims);
    return suite_run(suite);
}

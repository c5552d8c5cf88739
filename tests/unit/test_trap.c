/* Crashes and loops inside HDF5, which are made here where calls of it would be, and others elsewhere. Each
 * happens in a child, whose end and last words are looked at. */
#include "base/error.h"
#include "base/log.h"
#include "h5/trap.h"
#include "support/suite.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* ---- ways to crash---- */

static volatile int zero, seven = 7;

static int read_nowhere(void)
{
    return *(volatile int *)(uintptr_t)(16 + zero);
}

__attribute__((no_sanitize("undefined"))) static int divide_by_zero(void)
{
#if defined(__x86_64__)
    return seven / zero;
#else
    return raise(SIGFPE); /* elsewhere it is no signal */
#endif
}

static int give_up(void)
{
    abort();
}

static int go_in_circles(int depth)
{
    volatile char frame[1 << 12];
    frame[0] = (char)depth;
    return zero ? 0 : go_in_circles(depth + 1) + frame[0];
}

static int use_up_the_stack(void)
{
    return go_in_circles(0);
}

static const struct way {
    int (*crash)(void);
    int number;
    const char *name;
} ways[] = {{read_nowhere, SIGSEGV, "SIGSEGV"}, {divide_by_zero, SIGFPE, "SIGFPE"},
    {give_up, SIGABRT, "SIGABRT"}, {use_up_the_stack, SIGSEGV, "SIGSEGV"}};
enum { WAYS = sizeof ways / sizeof *ways };

/* ---- where it happens ---- */

enum { FILE_BYTES = 5000 };

static const struct way *chosen;

static void crash_while_reading(void)
{
    h5_lock("some/file.h5", FILE_BYTES);
    chosen->crash();
    h5_unlock();
}

static void crash_while_building(void)
{
    h5_lock(NULL, 0);
    chosen->crash();
    h5_unlock();
}

static void crash_between_entries(void)
{
    h5_lock("some/file.h5", FILE_BYTES);
    h5_unlock();
    chosen->crash();
}

static void (*of_thread)(void);

static void *run_thread(void *context)
{
    of_thread();
    return NULL;
}

/* As the thread that reads ahead, which has all signals blocked. */
static void run_in_a_thread(void (*run)(void))
{
    pthread_t thread;
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, NULL);
    of_thread = run;
    if (pthread_create(&thread, NULL, run_thread, NULL) == 0)
        pthread_join(thread, NULL);
}

static void crash_in_a_thread(void)
{
    run_in_a_thread(crash_while_reading);
}

static void be_killed_inside(void)
{
    h5_lock("some/file.h5", FILE_BYTES);
    pid_t victim = getpid();
    if (fork() == 0) { /* from another process */
        kill(victim, SIGSEGV);
        _exit(0);
    }
    pause();
}

/* ---- loops ---- */

/* What this thread has computed, in milliseconds. */
static int64_t computed(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void compute_for(int64_t milliseconds)
{
    for (int64_t end = computed() + milliseconds; computed() < end;)
        ;
}

static int raise_alarm(void)
{
    return raise(SIGVTALRM);
}

/* Several times what is allowed, in small pieces as HDF5 takes it, and in a second at least. */
static void grow(void)
{
    enum { TIMES = 3, PIECE = 1000, EVERY = 1 << 20 };
    int64_t most = TIMES * (int64_t)H5_BYTES_FOR_NONE;
    for (int64_t taken = 0; taken < most; taken += PIECE) {
        volatile char *piece = malloc(PIECE);
        piece[0] = 1;
        if (taken % EVERY < PIECE)
            compute_for(2);
    }
}

static void grow_while_reading(void)
{
    h5_lock("some/file.h5", FILE_BYTES);
    grow();
    h5_unlock();
}

static void grow_in_a_thread(void)
{
    run_in_a_thread(grow_while_reading);
}

/* ---- what looks like loops ---- */

static void read_values(void)
{
    h5_lock("some/file.h5", FILE_BYTES);
    h5_expect_values();
    grow();
    h5_unlock();
}

static void read_headers_of_a_large_file(void)
{
    h5_lock("some/file.h5", 4 * (uint64_t)H5_BYTES_FOR_NONE / H5_BYTES_FOR_ONE);
    grow();
    h5_unlock();
}

static void grow_after_reading(void)
{
    h5_lock("some/file.h5", FILE_BYTES);
    h5_unlock();
    grow();
}

static void build(void)
{
    h5_lock(NULL, 0);
    grow();
    h5_unlock();
}

/* While this thread computes within the lock. */
static void grow_in_another_thread(void)
{
    pthread_t thread;
    of_thread = grow;
    h5_lock("some/file.h5", FILE_BYTES);
    ck_assert_int_eq(pthread_create(&thread, NULL, run_thread, NULL), 0);
    compute_for(1000);
    pthread_join(thread, NULL);
    compute_for(300);
    h5_unlock();
}

static void take_time(void)
{
    h5_lock("some/file.h5", FILE_BYTES);
    compute_for(1000);
    h5_unlock();
}

static void (*const harmless[])(void) = {
    read_values, read_headers_of_a_large_file, grow_after_reading, build, grow_in_another_thread, take_time};

/* ---- what comes of it ---- */

struct end {
    int status; /* as from waitpid */
    char said[4096];
};

static void run_child(void (*run)(void), struct end *end)
{
    int out[2];
    ck_assert_int_eq(pipe(out), 0);
    pid_t child = fork();
    if (child == 0) {
        setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
        for (int i = 0; i < WAYS; i++)
            signal(ways[i].number, SIG_DFL); /* the sanitizers' */
        dup2(out[1], STDERR_FILENO);
        log_set_speaker("rnn-train", 3, "node7");
        run();
        _exit(0);
    }
    close(out[1]);
    size_t used = 0;
    for (ssize_t n; (n = read(out[0], end->said + used, sizeof end->said - 1 - used)) > 0;)
        used += (size_t)n;
    end->said[used] = 0;
    close(out[0]);
    ck_assert_int_eq(waitpid(child, &end->status, 0), child);
}

static void expect_line(void (*run)(void), int code, const char *line)
{
    struct end end;
    char want[512];
    snprintf(want, sizeof want, line, chosen->name);
    run_child(run, &end);
    ck_assert_msg(WIFEXITED(end.status) && WEXITSTATUS(end.status) == code, "%x %s", end.status, end.said);
    ck_assert_str_eq(end.said, want);
}

static void expect_signal(void (*run)(void), int number)
{
    struct end end;
    run_child(run, &end);
    ck_assert_msg(WIFSIGNALED(end.status) && WTERMSIG(end.status) == number, "%x %s", end.status, end.said);
    ck_assert_str_eq(end.said, "");
}

static const char reading[] =
    "rnn-train: [rank 3 on node7] some/file.h5: HDF5 crashed while reading it (%s): "
    "it is damaged, copy it again; or memory ran out\n";

START_TEST(a_crash_inside_hdf5_ends_with_a_line_that_names_the_file)
{
    chosen = &ways[_i];
    expect_line(crash_while_reading, EXIT_CODE_DATA, reading);
    expect_line(crash_in_a_thread, EXIT_CODE_DATA, reading);
    expect_line(crash_while_building, EXIT_CODE_INTERNAL,
        "rnn-train: [rank 3 on node7] HDF5 crashed while a file was built in memory (%s): memory ran out\n");
}
END_TEST

START_TEST(a_crash_of_ours_stays_one)
{
    chosen = &ways[_i];
    expect_signal(crash_between_entries, chosen->number);
}
END_TEST

START_TEST(a_signal_from_elsewhere_is_no_crash_of_hdf5)
{
    expect_signal(be_killed_inside, SIGSEGV);
}
END_TEST

static const char circles[] =
    "rnn-train: [rank 3 on node7] some/file.h5: HDF5 goes in circles while reading it: "
    "it is damaged, copy it again\n";

START_TEST(a_loop_that_takes_memory_is_ended_with_a_line_that_names_the_file)
{
    chosen = &ways[0];
    expect_line(_i ? grow_in_a_thread : grow_while_reading, EXIT_CODE_DATA, circles);
}
END_TEST

START_TEST(memory_of_others_and_time_are_no_loop)
{
    struct end end;
    run_child(harmless[_i], &end);
    ck_assert_msg(end.status == 0, "%x %s", end.status, end.said);
    ck_assert_str_eq(end.said, "");
}
END_TEST

START_TEST(an_alarm_from_elsewhere_is_no_loop)
{
    chosen = &(struct way){raise_alarm, SIGVTALRM, "SIGVTALRM"};
    expect_signal(crash_while_reading, SIGVTALRM);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("trap");
    TCase *tests = tcase_create("trap");
    tcase_set_timeout(tests, 180);
    tcase_add_loop_test(tests, a_crash_inside_hdf5_ends_with_a_line_that_names_the_file, 0, WAYS);
    tcase_add_loop_test(tests, a_crash_of_ours_stays_one, 0, WAYS);
    tcase_add_test(tests, a_signal_from_elsewhere_is_no_crash_of_hdf5);
    tcase_add_loop_test(tests, a_loop_that_takes_memory_is_ended_with_a_line_that_names_the_file, 0, 2);
    tcase_add_loop_test(tests, memory_of_others_and_time_are_no_loop, 0, sizeof harmless / sizeof *harmless);
    tcase_add_test(tests, an_alarm_from_elsewhere_is_no_loop);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}

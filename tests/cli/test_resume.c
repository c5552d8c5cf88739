/* Runs that end before their end and go on: killed, asked to stop, out of time, damaged; and those that must
 * not go on. Whatever happens, the last weights are those of the run that nothing happened to, and
 * metrics.csv has each row once.
 *
 *     test_resume             all of it, with five rounds of killing
 *     test_resume kill N      N rounds of killing only */
#include "base/clock.h"
#include "base/random.h"
#include "support/job.h"
#include "support/other_value.h"
#include "support/suite.h"

#include <dirent.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* 41 sequences are 6 steps an epoch, the last of one sequence in one microbatch. */
enum { STEPS = 6, EPOCHS = 3, LAST = STEPS * EPOCHS };

static const char base[] = "[data]\ntrain = train.h5\nvalid = valid.h5\n"
                           "[model]\nhidden = 8\nlayers = 2\ndropout = 0.2\n"
                           "[train]\nbatch = 8\nmicrobatch = 2\nepochs = 3\nlr = 0.01\n";

/* Some seconds of work, to be killed in: 200 steps. */
enum { LONG_STEPS = 8, LONG_EPOCHS = 25, LONG_ROWS = (LONG_STEPS + 1) * LONG_EPOCHS };

static const char lengthy[] =
    "[data]\ntrain = long.h5\nvalid = valid.h5\n"
    "[model]\nhidden = 40\nlayers = 2\ndropout = 0.2\n"
    "[train]\nbatch = 8\nmicrobatch = 2\nepochs = 25\nlr = 0.003\nschedule = cosine\n"
    "[checkpoint]\nevery = 5 steps\n";

/* Of the undisturbed runs; found by the fixture below, before Check forks. */
static struct {
    char base[17], lengthy[17];
} undisturbed;

static void write_data(void)
{
    struct sample_shape shape = {.sequences = 41,
        .shortest = 1,
        .longest = 30,
        .features = 6,
        .kind = SAMPLE_PER_SEQUENCE,
        .classes = 5};
    job_write_sample("train.h5", &shape, 1);
    job_write_sample("other.h5", &shape, 2);
    shape.sequences = 11;
    job_write_sample("valid.h5", &shape, 3);
    shape.sequences = 60;
    shape.longest = 80;
    job_write_sample("long.h5", &shape, 4);
    job_write_text("base.ini", base);
    job_write_text("long.ini", lengthy);
}

/* `whole` has a checkpoint of every step. */
static void run_base(void)
{
    if (*undisturbed.base)
        return;
    write_data();
    job_finish(undisturbed.base, 2, "base.ini", "whole", "-s", "checkpoint.every=1 step", "-s",
        "checkpoint.keep=100", "--fresh", NULL);
    job_check_metrics("whole", EPOCHS, STEPS, 1);
}

static void run_lengthy(void)
{
    write_data();
    job_finish(undisturbed.lengthy, 0, "long.ini", "undisturbed", NULL);
    job_check_metrics("undisturbed", LONG_EPOCHS, LONG_STEPS, 1);
}

static const char *file_in(const char *run, const char *file)
{
    static char room[4][256];
    static unsigned next;
    char *name = room[next++ % 4];
    snprintf(name, sizeof room[0], "%s/%s", run, file);
    return name;
}

static const char *checkpoint_in(const char *run, int64_t step)
{
    char file[64];
    snprintf(file, sizeof file, "checkpoint-%010" PRId64 ".h5", step);
    return file_in(run, file);
}

/* A copy of `whole` (or another run with a checkpoint of every step) as it was some time after step `step`:
 * later checkpoints were never written, and those before `oldest` removed. */
static void go_back(const char *from, const char *run, int64_t oldest, int64_t step)
{
    job_copy(from, run);
    for (int64_t s = 1; job_exists(checkpoint_in(from, s)); s++)
        if (s < oldest || s > step)
            job_remove(checkpoint_in(run, s));
}

/* What a run must look like when it is over. */
static void check_finished(const char *run, int64_t epochs, int64_t steps)
{
    char value[256];
    job_check_metrics(run, epochs, steps, 1);
    job_status(run, "state", value);
    ck_assert_str_eq(value, "finished");
    ck_assert(!job_exists(file_in(run, "lock")));
    ck_assert_int_eq(job_count(run, ".") - job_count(run, ".lock.tmp-"), 0);
}

/* A refusal changes nothing in the run directory; `like` is a copy made before. */
static void check_untouched(const char *run, const char *like, int64_t step)
{
    static const char *const files[] = {"config.ini", "metrics.csv", "status", "best.h5"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        ck_assert_msg(job_same_file(file_in(run, files[i]), file_in(like, files[i])), "%s changed", files[i]);
    ck_assert(job_same_file(checkpoint_in(run, step), checkpoint_in(like, step)));
    ck_assert_int_eq(job_count(run, "checkpoint-"), job_count(like, "checkpoint-"));
    ck_assert(!job_exists(file_in(run, "lock")));
}

static int64_t newest_step(const char *run)
{
    int64_t newest = 0;
    DIR *folder = opendir(job_path(run));
    ck_assert_ptr_nonnull(folder);
    for (struct dirent *entry; (entry = readdir(folder));)
        if (strncmp(entry->d_name, "checkpoint-", 11) == 0 && atoll(entry->d_name + 11) > newest)
            newest = atoll(entry->d_name + 11);
    closedir(folder);
    return newest;
}

/* Ends a run that was stopped at the epoch after the one it was in, and compares it with one that was not. */
static void finish_and_compare(const char *run, int ranks)
{
    char epochs[64], hash[17], want[17], fresh[128];
    int64_t end = newest_step(run) / STEPS + 1;
    snprintf(epochs, sizeof epochs, "train.epochs=%" PRId64, end);
    snprintf(fresh, sizeof fresh, "%s-undisturbed", run);
    job_finish(hash, ranks, "base.ini", run, "-s", epochs, NULL);
    job_finish(want, 0, "base.ini", fresh, "-s", epochs, NULL);
    ck_assert_str_eq(hash, want);
    check_finished(run, end, STEPS);
}

static void pause_for(double seconds)
{
    struct timespec time = {
        .tv_sec = (time_t)seconds, .tv_nsec = (long)((seconds - (double)(time_t)seconds) * 1e9)};
    nanosleep(&time, NULL);
}

/* ---- killed ---- */

static uint64_t draw(uint64_t n, int round, int number)
{
    return random_below(n, 2, RANDOM_TEST, (uint64_t)round, (uint64_t)number);
}

static bool has_ended(const struct command_process *process)
{
    siginfo_t info = {0};
    return waitid(P_PID, (id_t)process->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid;
}

/* Until metrics.csv has so many rows, or the job has ended. */
static void await_rows(const struct command_process *process, const char *run, int64_t rows)
{
    for (double limit = clock_now() + JOB_SECONDS * command_patience();
         job_metrics_rows(run) < rows && !has_ended(process) && clock_now() < limit;)
        pause_for(0.001);
}

enum victim { VICTIM_RANK, VICTIM_LAUNCHER, VICTIM_ALL, VICTIMS };

/* SIGKILL, and the rest of the job is left to itself for a while; what is still there then goes too. */
static void kill_job(struct command_process *process, enum victim victim, uint64_t which)
{
    pid_t pids[256];
    int count = command_processes(process, pids, 256), others = 0;
    for (int i = 0; i < count; i++)
        if (pids[i] != process->pid)
            pids[others++] = pids[i];
    if (victim == VICTIM_ALL)
        command_kill(process);
    else if (victim == VICTIM_RANK && others)
        command_signal_one(process, pids[which % (uint64_t)others], SIGKILL);
    else if (count)
        command_signal(process, SIGKILL);
    for (double limit = clock_now() + 10;
         (!has_ended(process) || command_processes(process, NULL, 0)) && clock_now() < limit;)
        pause_for(0.005);
}

/* How a life of a run goes and ends. */
struct fate {
    int ranks;
    enum victim victim;
    uint64_t which;
    int64_t rows, every;
    double jitter; /* seconds after so many rows; where there are none, it may be during the start */
};

static struct fate draw_fate(int round, int life, int lives)
{
    int number = 100 * (life + 1);
    struct fate fate;
    fate.ranks = 2 + (int)draw(3, round, number);
    fate.victim = (enum victim)draw(VICTIMS, round, number + 1);
    fate.which = draw(64, round, number + 2);
    fate.rows = (int64_t)draw(4, round, number + 3) ? (int64_t)draw(LONG_ROWS * 3 / 4, round, number + 4) : 0;
    fate.rows = fate.rows * (life + 1) / lives;
    fate.jitter = (double)draw(1000, round, number + 5) / (fate.rows ? 30000 : 1000);
    fate.every = 1 + (int64_t)draw(12, round, number + 6);
    return fate;
}

/* One life of a run that ends by SIGKILL at a random moment. 1: it was killed; 0: it had finished before. */
static int live_and_die(const char *run, const struct fate *fate)
{
    static const char *const names[] = {"a rank", "the launcher", "all"};
    struct command_process process;
    struct command_result result;
    char every[64];
    snprintf(every, sizeof every, "checkpoint.every=%" PRId64 " steps", fate->every);
    int locked = job_exists(file_in(run, "lock"));
    job_start(&process, fate->ranks, "long.ini", run, "-s", every, NULL);
    await_rows(&process, run, fate->rows);
    pause_for(fate->jitter);
    kill_job(&process, fate->victim, fate->which);
    command_wait(&process, &result);
    int finished = strstr(result.output, "finished: ") != NULL;
    printf("%s: %d ranks, killed %s after %" PRId64 " rows%s\n", run, fate->ranks, names[fate->victim],
        job_metrics_rows(run), finished ? ": too late" : "");
    ck_assert_msg(!strstr(result.errors, "going back"), "a checkpoint was damaged:\n%s", result.errors);
    ck_assert_msg(
        !strstr(result.errors, "a job runs in"), "a dead job's lock was obeyed:\n%s", result.errors);
    ck_assert(!locked || !*result.output || strstr(result.errors, "taken over from process"));
    command_result_finish(&result);
    return !finished;
}

START_TEST(killed_at_random_a_run_ends_with_the_undisturbed_bits)
{
    char run[64], hash[17];
    int killed = 0, ranks = 0;
    for (int attempt = 0; !killed; attempt++) {
        ck_assert_int_lt(attempt, 5);
        int round = _i + 1000 * attempt, lives = 1 + (int)draw(3, round, 0);
        snprintf(run, sizeof run, "killed-%d", round);
        for (int life = 0; life < lives; life++) {
            struct fate fate = draw_fate(round, life, lives);
            killed += live_and_die(run, &fate);
            ranks = fate.ranks;
        }
    }
    ranks = 1 + (ranks + (int)draw(3, _i, 1)) % 4; /* another number than before */
    job_finish(hash, ranks, "long.ini", run, NULL);
    printf("%s: finished on %d ranks: %s\n", run, ranks, hash);
    ck_assert_str_eq(hash, undisturbed.lengthy);
    check_finished(run, LONG_EPOCHS, LONG_STEPS);
    ck_assert(job_same_file(file_in(run, "gradient_flow.csv"), "undisturbed/gradient_flow.csv"));
}
END_TEST

/* Ranks may outlive their launcher by a second or two: until rank 0 has gone too the run is live. The net is
 * wide enough that they do not come to the end of the run before. */
START_TEST(a_killed_launchers_run_is_taken_over_as_soon_as_rank_0_has_gone)
{
    struct command_process first;
    struct command_result result;
    char hash[64], want[17];
    const char *wide = "model.hidden=120";
    job_finish(want, 0, "long.ini", "alone", "-s", wide, NULL);
    job_start(&first, 3, "long.ini", "orphan", "-s", wide, NULL);
    await_rows(&first, "orphan", 20);
    command_signal(&first, SIGKILL);
    for (int attempt = 0;; attempt++) {
        job_run(&result, attempt % 3, "long.ini", "orphan", "-s", wide, NULL);
        if (result.status != 65)
            break;
        job_complains(&result, 1, "orphan/lock", "a job runs in this directory", NULL);
        command_result_finish(&result);
        ck_assert_int_lt(attempt, 100);
        pause_for(0.1);
    }
    job_expect(&result, 0);
    job_complains(&result, 1, "warning: ", "orphan/lock", "taken over from process", NULL);
    job_field(result.output, "finished: ", "weights_hash", hash);
    ck_assert_str_eq(hash, want);
    command_result_finish(&result);
    command_wait(&first, &result);
    command_result_finish(&result);
    check_finished("orphan", LONG_EPOCHS, LONG_STEPS);
}
END_TEST

/* ---- stopped ---- */

/* Open MPI's mpirun takes SIGTERM as its own: it hands it on, gives its ranks a second or two, kills them,
 * and ends with a code of its own. The last checkpoint is there, but on a busy machine it may not be one of
 * the step at which the signal came. */
static const struct {
    int signal, ranks;
    const char *name;
} signals[] = {
    {SIGUSR1, 0, "SIGUSR1"},
    {SIGTERM, 0, "SIGTERM"},
    {SIGINT, 0, "SIGINT"},
    {SIGUSR1, 3, "SIGUSR1"},
};
enum { SIGNALS = sizeof signals / sizeof *signals };

/* An endless run, asked to stop after its second epoch. */
static void stop_endless(
    struct command_result *result, const char *run, int number, int ranks, const char *code)
{
    struct command_process process;
    job_start(&process, ranks, "base.ini", run, "-s", "train.epochs=1000000", "-s",
        "checkpoint.every=1000 epochs", code ? "--stop-exit-code" : NULL, code, NULL);
    ck_assert(command_await_output(&process, "epoch=2 ", 1, JOB_SECONDS));
    command_signal(&process, number);
    command_wait(&process, result);
}

/* There is nothing to complain of; only where the stop came in a validation, that is told. */
static void check_told(const struct command_result *result)
{
    int told = strstr(result->errors, " was broken off after ") != NULL;
    ck_assert_msg(job_count_lines(result->errors, "rnn-train:") == told, "%s", result->errors);
}

START_TEST(a_signal_stops_cleanly_and_the_run_goes_on_with_the_same_bits)
{
    struct command_result result;
    char value[256], run[32], said[64];
    snprintf(run, sizeof run, "signal-%d", _i);
    stop_endless(&result, run, signals[_i].signal, signals[_i].ranks, NULL);
    job_expect(&result, 0);
    check_told(&result);
    job_status(run, "state", value);
    ck_assert_str_eq(value, "stopped");
    job_status(run, "reason", value);
    ck_assert_ptr_nonnull(strstr(value, signals[_i].name));
    job_status(run, "step", value);
    job_field(result.output, "stopped: ", "step", said);
    ck_assert_str_eq(said, value);
    ck_assert(job_exists(checkpoint_in(run, atoll(value))));
    ck_assert(!job_exists(file_in(run, "lock")));
    command_result_finish(&result);
    finish_and_compare(run, 1 + _i % 3);
}
END_TEST

START_TEST(ended_by_its_launcher_a_run_goes_on_with_the_same_bits)
{
    struct command_result result;
    char value[256];
    stop_endless(&result, "terminated", SIGTERM, 3, NULL);
    job_expect(&result, result.status);
    job_status("terminated", "state", value);
    ck_assert(strcmp(value, "running") == 0 || strcmp(value, "stopped") == 0);
    if (strcmp(value, "stopped") == 0) {
        job_status("terminated", "step", value);
        ck_assert(job_exists(checkpoint_in("terminated", atoll(value))));
    }
    command_result_finish(&result);
    finish_and_compare("terminated", 2);
}
END_TEST

/* TERM to mpirun of Open MPI leaves its ranks about a second, and then it ends with a code that says so. What
 * they cannot save in it is lost, and no more: here a checkpoint takes longer, whose disk became slow after
 * the first ones. Other launchers wait: then nothing is lost. */
START_TEST(ended_by_its_launcher_while_it_saves_a_run_has_the_checkpoint_before)
{
    struct command_process process;
    struct command_result result;
    const char *library = getenv("SLOW_SYNC_LIBRARY");
    char value[256];
    ck_assert_ptr_nonnull(library);
    setenv("LD_PRELOAD", library, 1);
    setenv("SLOW_SYNC", job_path("slow"), 1);
    job_start(&process, 3, "base.ini", "slow-disk", "-s", "train.epochs=1000000", NULL);
    ck_assert(command_await_output(&process, "epoch=3 ", 1, JOB_SECONDS));
    job_write_text("slow", "");
    double start = clock_now();
    command_signal(&process, SIGTERM);
    command_wait(&process, &result);
    ck_assert_msg(clock_now() - start < 30, "it took %g seconds", clock_now() - start);
    unsetenv("LD_PRELOAD");
    job_expect(&result, result.status);
    job_status("slow-disk", "state", value);
    ck_assert_str_eq(value, result.status == 0 ? "stopped" : "running");
    ck_assert_int_ge(newest_step("slow-disk"), 2 * STEPS);
    if (result.status == 0) {
        job_status("slow-disk", "step", value);
        ck_assert_int_eq(newest_step("slow-disk"), atoll(value));
    } else {
        ck_assert_int_eq(newest_step("slow-disk") % STEPS, 0);
    }
    command_result_finish(&result);
    finish_and_compare("slow-disk", 2);
}
END_TEST

/* A step of the whole set is some seconds of work here, and is not waited for: the second of two, which would
 * end the run. TERM goes to the process itself: mpirun hands it on a second later. The third run is stopped
 * in its first step already. */
START_TEST(a_stop_leaves_a_long_step_undone_and_loses_no_other)
{
    static const struct {
        const char *name;
        int signal, ranks;
        int64_t step;
    } stops[] = {{"long-usr1", SIGUSR1, 2, 1}, {"long-term", SIGTERM, 0, 1}, {"long-hup", SIGHUP, 0, 0}};
    char hash[17], want[17], value[256];
    struct sample_shape shape = {.sequences = 160,
        .shortest = 400,
        .longest = 400,
        .features = 6,
        .kind = SAMPLE_PER_SEQUENCE,
        .classes = 5};
    job_write_sample("slow.h5", &shape, 6);
#define SLOW                                                                                                 \
    "-s", "data.train=slow.h5", "-s", "train.batch=160", "-s", "train.epochs=2", "-s", "model.hidden=128",   \
        "-s", "checkpoint.every=2 epochs"
    job_finish(want, 2, "base.ini", "long-undisturbed", SLOW, NULL);
    for (size_t i = 0; i < sizeof stops / sizeof *stops; i++) {
        const char *run = stops[i].name;
        struct command_process process;
        struct command_result result;
        job_start(&process, stops[i].ranks, "base.ini", run, SLOW, NULL);
        if (stops[i].step > 0)
            ck_assert(command_await_output(&process, "epoch=1 ", 1, JOB_SECONDS));
        for (double limit = clock_now() + JOB_SECONDS * command_patience();
             !job_exists(file_in(run, "status")) && clock_now() < limit;)
            pause_for(0.01);
        command_signal(&process, stops[i].signal);
        command_wait(&process, &result);
        job_expect(&result, 0);
        job_status(run, "state", value);
        ck_assert_str_eq(value, "stopped");
        ck_assert_int_eq(newest_step(run), stops[i].step);
        command_result_finish(&result);
        job_finish(hash, 2, "base.ini", run, SLOW, NULL);
        ck_assert_str_eq(hash, want);
        check_finished(run, 2, 1);
    }
#undef SLOW
}
END_TEST

/* mpirun of MPICH 4.0 now and then ends with 0 or by SIGPIPE where ranks end with another code. The job
 * scripts look at `status` therefore. */
static int hears_of_codes(void)
{
    int hears = !job_has_mpich();
    if (!hears)
        puts("not run: exit codes of several ranks: mpirun of MPICH loses some");
    return hears;
}

START_TEST(a_stop_may_have_an_exit_code_of_its_own)
{
    struct command_result result;
    const int most = hears_of_codes() ? 2 : 0;
    for (int ranks = 0; ranks <= most; ranks += 2) {
        stop_endless(&result, ranks ? "requeue-2" : "requeue-1", SIGUSR1, ranks, "75");
        job_expect(&result, 75);
        ck_assert_int_eq(job_count_lines(result.output, "stopped: "), 1);
        command_result_finish(&result);
    }
    job_run(&result, 0, "base.ini", "requeue-finished", "--stop-exit-code", "75", NULL);
    job_expect(&result, 0);
    command_result_finish(&result);
}
END_TEST

START_TEST(a_run_stops_before_its_time_is_over)
{
    struct command_result result;
    char value[256];
    job_run(&result, _i, "base.ini", _i ? "time-2" : "time-1", "-s", "train.epochs=1000000", "-s",
        "checkpoint.every=1000 epochs", "--max-time", "00:00:02", NULL);
    job_expect(&result, 0);
    check_told(&result);
    command_result_finish(&result);
    job_status(_i ? "time-2" : "time-1", "state", value);
    ck_assert_str_eq(value, "stopped");
    job_status(_i ? "time-2" : "time-1", "reason", value);
    ck_assert_ptr_nonnull(strstr(value, "time"));
    if (_i)
        finish_and_compare("time-2", 3);
}
END_TEST

/* With hardly any time every job makes a step or a few, and the next goes on: what a script that requeues
 * itself does. */
START_TEST(requeued_step_by_step_a_run_ends_with_the_undisturbed_bits)
{
    struct command_result result;
    char hash[64];
    int jobs = 0, status;
    const int several = hears_of_codes();
    do {
        job_run(&result, several && jobs % 4 == 3 ? 2 + jobs % 3 : 0, "base.ini", "requeued", "--max-time",
            "00:00:01", "--stop-exit-code", "75", NULL);
        status = result.status;
        job_expect(&result, status == 75 ? 75 : 0);
        if (status == 0)
            job_field(result.output, "finished: ", "weights_hash", hash);
        command_result_finish(&result);
        ck_assert_int_le(++jobs, LAST + 1); /* the last validation is a job of its own */
    } while (status == 75);
    ck_assert_int_gt(jobs, 1);
    ck_assert_str_eq(hash, undisturbed.base);
    check_finished("requeued", EPOCHS, STEPS);
}
END_TEST

/* ---- from any step ---- */

START_TEST(any_step_is_a_good_place_to_go_on)
{
    static const int64_t steps[] = {1, 5, 6, 10, 17};
    static const int ranks[] = {3, 0, 2, 5, 4};
    char hash[17], run[32];
    snprintf(run, sizeof run, "from-%" PRId64, steps[_i]);
    go_back("whole", run, 1, steps[_i]);
    job_finish(hash, ranks[_i], "base.ini", run, NULL);
    ck_assert_str_eq(hash, undisturbed.base);
    check_finished(run, EPOCHS, STEPS);
}
END_TEST

/* Up to three overrides; each leaves another state behind: moments, powers, rates, epochs waited. */
static const char *const variants[][3] = {
    {"train.optimizer=adam", "train.schedule=cosine", "train.warmup=9"},
    {"train.optimizer=adamw", "train.schedule=plateau", "train.plateau_epochs=1"},
    {"train.optimizer=momentum", "train.schedule=step", "train.decay_every=1"},
    {"train.optimizer=rmsprop", "data.standardize=yes", "model.cell=gru"},
    {"train.optimizer=nesterov", "train.patience=1", "train.lr=0.2"},
    {"train.optimizer=sgd", "checkpoint.best=error", "data.cache=1 KiB"},
    {"data.shuffle=windows", "data.window=2 KiB", "model.cell=gru"},
};
enum { VARIANTS = sizeof variants / sizeof *variants };

START_TEST(whatever_is_trained_goes_on_with_the_same_checkpoint)
{
    const char *const *set = variants[_i];
    struct command_result whole, again, difference;
    job_run(&whole, 0, "base.ini", "variant", "-s", set[0], "-s", set[1], "-s", set[2], "-s",
        "checkpoint.every=1 step", "-s", "checkpoint.keep=100", "--fresh", NULL);
    job_expect(&whole, 0);
    char run[32], end[64];
    snprintf(run, sizeof run, "variant-again-%d", _i);
    go_back("variant", run, 7, 7);
    job_run(&again, 3, "base.ini", run, "-s", set[0], "-s", set[1], "-s", set[2], "-s",
        "checkpoint.every=1 step", "-s", "checkpoint.keep=100", NULL);
    job_expect(&again, 0);
    job_field(whole.output, "finished: ", "step", end);
    ck_assert_int_gt(atoi(end), 7);
    const char *one = job_path(checkpoint_in("variant", atoll(end))),
               *other = job_path(checkpoint_in(run, atoll(end)));
    command_call(&difference, JOB_SECONDS, "h5diff", "--exclude-path", "/provenance", one, other, NULL);
    ck_assert_msg(
        difference.status == 0 && !*difference.output, "%s%s", difference.output, difference.errors);
    check_finished(run, atoll(end) / STEPS, STEPS);
    command_result_finish(&difference);
    command_result_finish(&whole);
    command_result_finish(&again);
}
END_TEST

START_TEST(the_config_of_a_run_directory_continues_it)
{
    char hash[17];
    go_back("whole", "by-config", 1, 8);
    job_finish(hash, 2, "by-config/config.ini", NULL, NULL);
    ck_assert_str_eq(hash, undisturbed.base);
    check_finished("by-config", EPOCHS, STEPS);
    go_back("whole", "by-folder", 1, 8);
    job_finish(hash, 0, "by-folder", NULL, NULL);
    ck_assert_str_eq(hash, undisturbed.base);
    check_finished("by-folder", EPOCHS, STEPS);
}
END_TEST

START_TEST(the_same_data_may_lie_elsewhere_and_what_does_not_matter_may_change)
{
    char hash[17];
    go_back("whole", "moved", 1, 8);
    job_copy("train.h5", "train-moved.h5");
    job_finish(hash, 0, "base.ini", "moved", "-s", "data.train=train-moved.h5", "-s", "data.cache=3 KiB",
        "-s", "checkpoint.every=4 steps", "-s", "checkpoint.keep=1", "-s", "report.every=1 second", "-s",
        "train.activation_memory=1 GiB", NULL);
    ck_assert_str_eq(hash, undisturbed.base);
    check_finished("moved", EPOCHS, STEPS);
    ck_assert_int_eq(job_count("moved", "checkpoint-"), 1);
}
END_TEST

/* Keys that base.ini does not name are as the run was begun, whatever their defaults are or have become. */
START_TEST(what_the_user_leaves_open_is_as_the_run_was_begun)
{
    char hash[17], want[64];
    const char *name = _i ? "left-open-3" : "left-open-1";
    struct command_result result;
    job_run(&result, 0, "base.ini", "all-set", "-s", "model.cell=gru", "-s", "model.bidirectional=no,yes",
        "-s", "train.clip=0.25", "-s", "train.seed=7", "--fresh", NULL);
    job_expect(&result, 0);
    job_field(result.output, "finished:", "weights_hash", want);
    command_result_finish(&result);
    job_finish(hash, 2, "base.ini", name, "-s", "model.cell=gru", "-s", "model.bidirectional=no,yes", "-s",
        "train.clip=0.25", "-s", "train.seed=7", "-s", "train.epochs=2", NULL);
    ck_assert_str_ne(hash, want);
    job_run(&result, _i ? 3 : 0, "base.ini", name, "-v", NULL);
    job_expect(&result, 0);
    ck_assert_ptr_nonnull(strstr(
        result.errors, "model.cell = gru, as the run was begun with, and not lstm, as is the default here"));
    ck_assert_ptr_nonnull(strstr(result.errors, "train.seed = 7, as"));
    command_result_finish(&result);
    job_finish(hash, 0, "base.ini", name, NULL);
    ck_assert_str_eq(hash, want);
    check_finished(name, EPOCHS, STEPS);
}
END_TEST

/* What a key needs of another may be the run's. */
START_TEST(one_key_of_two_that_go_together_is_enough)
{
    struct command_result result;
    char hash[17];
    int ranks = _i ? 2 : 0;
    const char *name = _i ? "of-two-2" : "of-two-0";
    job_finish(hash, ranks, "base.ini", name, "-s", "data.shuffle=windows", "-s", "data.window=4 KiB", "-s",
        "train.epochs=1", NULL);
    job_finish(hash, ranks, "base.ini", name, "-s", "data.window=4 KiB", NULL);
    check_finished(name, EPOCHS, STEPS);
    job_run(&result, ranks, "base.ini", name, "-s", "data.window=4 KiB", "--check", NULL);
    job_expect(&result, 0);
    command_result_finish(&result);
    job_run(&result, ranks, "base.ini", name, "-s", "data.shuffle=full", "--check", NULL);
    job_expect(&result, 65);
    job_complains(&result, 1, "data.window = 4 KiB (as the run was begun with)", "only data.shuffle", NULL);
    command_result_finish(&result);
    job_run(&result, ranks, "base.ini", "of-two-new", "-s", "data.window=4 KiB", NULL);
    job_expect(&result, 65);
    job_complains(&result, 1, "--set data.window=4 KiB", "only data.shuffle = windows has windows", NULL);
    ck_assert_int_ne(access(job_path("of-two-new"), F_OK), 0);
    command_result_finish(&result);
}
END_TEST

/* ---- changed ---- */

static void tell_fault(void *context, const char *text)
{
    ck_abort_msg("%s", text);
}

static void refuse_change(const char *run, int ranks, const char *key, const char *now, const char *begun)
{
    struct command_result result;
    char set[200], said[200], before[200];
    snprintf(set, sizeof set, "%s=%s", key, now);
    snprintf(said, sizeof said, "%s = %s", key, now);
    snprintf(before, sizeof before, "was started with %s", begun);
    job_run(&result, ranks, "base.ini", run, "-s", set, NULL);
    job_expect(&result, 65);
    ck_assert_str_eq(result.output, "");
    ck_assert_msg(strstr(result.errors, said) != NULL, "%s: %s", said, result.errors);
    ck_assert_msg(strstr(result.errors, before) != NULL, "%s: %s", before, result.errors);
    ck_assert_ptr_nonnull(strstr(result.errors, "--fresh"));
    ck_assert_ptr_nonnull(strstr(result.errors, "--init"));
    command_result_finish(&result);
    check_untouched(run, "changed-before", 8);
}

START_TEST(a_changed_key_is_refused_by_its_name_and_both_values)
{
    struct config config;
    struct faults faults;
    int refused = 0;
    faults_init(&faults, 64, tell_fault, NULL);
    ck_assert_int_eq(config_read(&config, job_path("base.ini"), 0, NULL, &faults), 0);
    go_back("whole", "changed", 7, 8);
    job_copy("changed", "changed-before");
    for (size_t i = 0; i < config_key_count; i++) {
        const struct config_key *key = &config_keys[i];
        char name[64], begun[64], now[64];
        if (key->resume != RESUME_REFUSED)
            continue;
        snprintf(name, sizeof name, "%s.%s", key->section, key->name);
        key_write(key, &config, begun, sizeof begun);
        other_value(key, begun, now, sizeof now);
        refuse_change("changed", 0, name, now, begun);
        if (refused++ % 12 == 0)
            refuse_change("changed", 2, name, now, begun);
    }
    char hash[17];
    job_finish(hash, 0, "base.ini", "changed", NULL);
    ck_assert_str_eq(hash, undisturbed.base);
    config_finish(&config);
}
END_TEST

START_TEST(other_data_are_refused)
{
    struct command_result result;
    go_back("whole", "other-before", 7, 8);
    go_back("whole", "other", 7, 8);
    for (int ranks = 0; ranks <= 2; ranks += 2) {
        job_run(&result, ranks, "base.ini", "other", "-s", "data.train=other.h5", NULL);
        job_expect(&result, 65);
        job_complains(&result, 1, "other.h5", "not the data this run was begun with", "--fresh", NULL);
        command_result_finish(&result);
        check_untouched("other", "other-before", 8);
    }
}
END_TEST

START_TEST(more_epochs_are_as_if_so_from_the_start)
{
    char hash[17], want[17];
    job_finish(want, 0, "base.ini", "five-epochs", "-s", "train.epochs=5", NULL);
    job_copy("whole", "extended");
    job_finish(hash, 3, "base.ini", "extended", "-s", "train.epochs=5", NULL);
    ck_assert_str_eq(hash, want);
    check_finished("extended", 5, STEPS);
}
END_TEST

START_TEST(fewer_epochs_than_were_begun_are_refused)
{
    struct command_result result;
    char hash[17], two[17];
    go_back("whole", "fewer-before", 12, 13);
    go_back("whole", "fewer", 12, 13);
    job_run(&result, 0, "base.ini", "fewer", "-s", "train.epochs=2", NULL);
    job_expect(&result, 65);
    job_complains(&result, 1, "train.epochs = 2", "in epoch 3 already", "--fresh", NULL);
    command_result_finish(&result);
    check_untouched("fewer", "fewer-before", 13);
    go_back("whole", "as-many", 1, 12);
    job_finish(hash, 2, "base.ini", "as-many", "-s", "train.epochs=2", NULL);
    job_finish(two, 0, "base.ini", "two-epochs", "-s", "train.epochs=2", NULL);
    ck_assert_str_eq(hash, two);
}
END_TEST

START_TEST(epochs_that_the_schedule_depends_on_are_refused)
{
    struct command_result result;
    job_copy("undisturbed", "cosine");
    job_run(&result, 0, "long.ini", "cosine", "-s", "train.epochs=30", NULL);
    job_expect(&result, 65);
    ck_assert_ptr_nonnull(strstr(result.errors, "train.epochs = 30"));
    ck_assert_ptr_nonnull(strstr(result.errors, "was started with 25 and its schedule depends on it"));
    command_result_finish(&result);
}
END_TEST

/* ---- over, anew, from other weights ---- */

START_TEST(a_finished_run_prints_its_last_line_again)
{
    struct command_result first, again;
    job_run(&first, 2, "base.ini", "finished", NULL);
    job_expect(&first, 0);
    job_copy("finished", "finished-before");
    char *line = job_line(first.output, "finished: ", 1);
    ck_assert_ptr_nonnull(line);
    for (int ranks = 0; ranks <= 3; ranks += 3) {
        job_run(&again, ranks, "base.ini", "finished", NULL);
        job_expect(&again, 0);
        ck_assert_int_eq(strncmp(again.output, line, strlen(line)), 0);
        ck_assert_str_eq(again.output + strlen(line), "\n");
        job_complains(&again, 1, "warning: ", "finished: this run is finished, and nothing was done",
            "set train.epochs higher than 3", "--fresh", "--init", NULL);
        check_untouched("finished", "finished-before", LAST);
        command_result_finish(&again);
    }
    free(line);
    command_result_finish(&first);
}
END_TEST

START_TEST(fresh_starts_over_and_removes_only_what_runs_leave)
{
    struct command_result result;
    char hash[64], before[17];
    job_finish(before, 0, "base.ini", "fresh", "-s", "train.seed=5", "-s", "train.epochs=4", NULL);
    job_write_text("fresh/notes.txt", "mine\n");
    job_run(
        &result, 2, "base.ini", "fresh", "--fresh", "-s", "train.epochs=1", "-s", "checkpoint.keep=1", NULL);
    job_expect(&result, 0);
    job_field(result.output, "epoch=1 ", "weights_hash", hash);
    ck_assert_str_ne(hash, before);
    ck_assert_int_eq(job_count("fresh", "checkpoint-"), 1);
    ck_assert(job_exists(checkpoint_in("fresh", STEPS)));
    ck_assert(job_exists("fresh/notes.txt"));
    check_finished("fresh", 1, STEPS);
    command_result_finish(&result);
    job_finish(before, 0, "base.ini", "fresh-alone", "-s", "train.epochs=1", NULL);
    ck_assert_str_eq(hash, before);
}
END_TEST

/* An older program does not know what it would remove. */
START_TEST(fresh_does_not_remove_what_a_newer_program_wrote)
{
    struct command_result result;
    struct h5_image *image = h5_image_create(NULL);
    go_back("whole", "newer", 7, 8);
    h5_image_attribute_text(image, "/", "format", "rnn-train checkpoint");
    h5_image_attribute_int32(image, "/", "format_version", 99);
    sample_save(image, job_path(checkpoint_in("newer", 9)));
    job_copy("newer", "newer-before");
    job_run(&result, 2, "base.ini", "newer", "--fresh", NULL);
    job_expect(&result, 65);
    job_complains(&result, 1, "nothing was changed: --fresh would remove", checkpoint_in("newer", 9),
        "has checkpoint format 99", "use the version that wrote it", NULL);
    command_result_finish(&result);
    for (int64_t step = 7; step <= 9; step++)
        check_untouched("newer", "newer-before", step);
}
END_TEST

/* A step of a rate that rounds away leaves the weights as they were. */
START_TEST(init_starts_a_new_run_from_the_weights_of_another)
{
    struct command_result result;
    char hash[17], value[64];
    const char *init = job_path(checkpoint_in("whole", 11));
    char want[64];
    job_finish(hash, 0, "base.ini", "init-plain", "-s", "train.epochs=1", NULL);
    char *dump = NULL;
    command_call(&result, JOB_SECONDS, "h5dump", "-a", "/weights_hash", init, NULL);
    ck_assert_msg(result.status == 0 && (dump = strstr(result.output, "(0): \"")), "%s%s", result.output,
        result.errors);
    snprintf(want, sizeof want, "%.16s", dump + strlen("(0): \""));
    command_result_finish(&result);
    for (int ranks = 0; ranks <= 2; ranks += 2) {
        job_run(&result, ranks, "base.ini", ranks ? "init-2" : "init-1", "--init", init, "-s",
            "train.lr=1e-30", "-s", "train.epochs=1", NULL);
        job_expect(&result, 0);
        job_field(result.output, "epoch=1 ", "weights_hash", value);
        ck_assert_str_eq(value, want);
        ck_assert_str_ne(value, hash);
        job_field(result.output, "finished: ", "step", value);
        ck_assert_str_eq(value, "6");
        command_result_finish(&result);
        check_finished(ranks ? "init-2" : "init-1", 1, STEPS);
    }
}
END_TEST

/* A run begun with --init has a checkpoint from its start, so that it need not be given again. */
START_TEST(a_run_begun_with_init_goes_on_without_it)
{
    struct command_result result;
    char whole[17], hash[17];
    const char *init = job_path(checkpoint_in("whole", 11));
    job_finish(whole, 0, "base.ini", "from-init", "--init", init, "-s", "checkpoint.every=1 step", "-s",
        "checkpoint.keep=100", NULL);
    go_back("from-init", "from-init-again", 8, 8);
    job_finish(hash, 2, "base.ini", "from-init-again", NULL);
    ck_assert_str_eq(hash, whole);
    job_copy("from-init", "from-init-start");
    for (int64_t step = 1; job_exists(checkpoint_in("from-init-start", step)); step++)
        job_remove(checkpoint_in("from-init-start", step));
    job_remove("from-init-start/best.h5");
    job_write_text("from-init-start/status", "state=running\nstep=0\nreason=\n");
    job_copy("from-init-start", "from-init-nothing");
    job_finish(hash, 0, "base.ini", "from-init-start", NULL);
    ck_assert_str_eq(hash, whole);
    /* Ended before its very first checkpoint, it has not begun: the same command begins it. */
    job_remove(checkpoint_in("from-init-nothing", 0));
    job_finish(
        hash, 2, "base.ini", "from-init-nothing", "--init", job_path(checkpoint_in("whole", 11)), NULL);
    ck_assert_str_eq(hash, whole);
    job_run(&result, 0, "base.ini", "from-init-best", "--init", job_path("whole/best.h5"), NULL);
    job_expect(&result, 0);
    command_result_finish(&result);
}
END_TEST

START_TEST(init_on_a_run_is_refused)
{
    struct command_result result;
    char hash[17];
    go_back("whole", "init-late", 7, 8);
    job_copy("init-late", "init-late-before");
    for (int ranks = 0; ranks <= 2; ranks += 2) {
        job_run(&result, ranks, "base.ini", "init-late", "--init", "nowhere.h5", NULL);
        job_expect(&result, 65);
        job_complains(&result, 1, "/init-late: holds a run", "--init", "--fresh", "-o", NULL);
        command_result_finish(&result);
        check_untouched("init-late", "init-late-before", 8);
    }
    job_finish(
        hash, 0, "base.ini", "init-late", "--fresh", "--init", job_path(checkpoint_in("init-late", 8)), NULL);
}
END_TEST

START_TEST(init_of_what_does_not_fit_is_refused)
{
    struct command_result result;
    job_write_text("text.h5", "not a checkpoint\n");
    job_copy(checkpoint_in("whole", 12), "damaged.h5");
    job_flip("damaged.h5", 5000);
    const struct {
        const char *file, *set, *part;
        int code;
    } cases[] = {
        {checkpoint_in("whole", 12), "model.hidden=9", "the checkpoint is of another model", 65},
        {checkpoint_in("whole", 12), "model.cell=gru", "has model.cell = lstm", 65},
        {"damaged.h5", "train.lr=0.01", "is damaged", 65},
        {"text.h5", "train.lr=0.01", "is not a checkpoint", 65},
        {"train.h5", "train.lr=0.01", "train.h5", 65},
        {"missing.h5", "train.lr=0.01", "No such file", 74},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int ranks = 0; ranks <= (i < 1 ? 2 : 0); ranks += 2) {
            job_run(&result, ranks, "base.ini", "misfit", "-s", cases[i].set, "--init",
                job_path(cases[i].file), NULL);
            job_expect(&result, cases[i].code);
            job_complains(&result, 1, cases[i].file, cases[i].part, NULL);
            command_result_finish(&result);
            ck_assert_int_eq(job_count("misfit", "checkpoint-"), 0);
        }
}
END_TEST

/* ---- damaged ---- */

/* What becomes of a file of `size` bytes. */
enum damage { FLIP_FIRST, FLIP_MIDDLE, FLIP_HASH, CUT_HALF, CUT_LINE, EMPTY, DAMAGES };

static void damage(const char *name, enum damage damage)
{
    size_t size;
    char *bytes = job_read(name, &size);
    switch (damage) {
    case FLIP_FIRST:
        job_flip(name, 0);
        break;
    case FLIP_MIDDLE:
        job_flip(name, size / 2);
        break;
    case FLIP_HASH:
        job_flip(name, size - 30);
        break;
    case CUT_HALF:
        job_write(name, bytes, size / 2);
        break;
    case CUT_LINE:
        job_write(name, bytes, size - 10);
        break;
    default:
        job_write(name, bytes, 0);
    }
    free(bytes);
}

START_TEST(a_damaged_checkpoint_is_passed_over_for_the_one_before_it)
{
    struct command_result result;
    char value[64], run[32];
    snprintf(run, sizeof run, "damaged-%d", _i);
    go_back("whole", run, 7, 8);
    damage(checkpoint_in(run, 8), (enum damage)_i);
    job_run(&result, _i == FLIP_MIDDLE ? 2 : 0, "base.ini", run, NULL);
    job_expect(&result, 0);
    job_complains(&result, 1, "warning: ", checkpoint_in(run, 8), "going back to the one before it", NULL);
    job_field(result.output, "finished: ", "weights_hash", value);
    ck_assert_str_eq(value, undisturbed.base);
    command_result_finish(&result);
    check_finished(run, EPOCHS, STEPS);
}
END_TEST

START_TEST(a_run_without_a_valid_checkpoint_is_refused_and_left_alone)
{
    struct command_result result;
    go_back("whole", "lost", 7, 8);
    damage(checkpoint_in("lost", 7), FLIP_MIDDLE);
    damage(checkpoint_in("lost", 8), CUT_HALF);
    job_copy("lost", "lost-before");
    for (int ranks = 0; ranks <= 2; ranks += 2) {
        job_run(&result, ranks, "base.ini", "lost", NULL);
        job_expect(&result, 65);
        ck_assert_int_eq(job_count_lines(result.errors, "rnn-train:"), 3);
        ck_assert_ptr_nonnull(strstr(result.errors, "none of its 2 checkpoints is valid"));
        ck_assert_ptr_nonnull(strstr(result.errors, "--fresh"));
        command_result_finish(&result);
        check_untouched("lost", "lost-before", 7);
        check_untouched("lost", "lost-before", 8);
    }
}
END_TEST

/* The best epoch is the first one, of which step 6 is the last. */
START_TEST(a_run_that_lost_its_best_gets_it_again_or_says_so)
{
    static const struct {
        const char *run;
        int64_t oldest, newest;
    } cases[] = {{"best-newest", 6, 6}, {"best-kept", 6, 8}, {"best-lost", 7, 8}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct command_result result;
        int lost = cases[i].oldest > 6;
        const char *run = cases[i].run;
        go_back("whole", run, cases[i].oldest, cases[i].newest);
        job_remove(file_in(run, "best.h5"));
        job_run(&result, 0, "base.ini", run, NULL);
        job_expect(&result, 0);
        ck_assert_int_eq(job_count_lines(result.errors, "rnn-train: "), lost);
        if (lost)
            job_complains(&result, 1, "/best-lost/best.h5: is missing", "checkpoint of step 6", NULL);
        command_result_finish(&result);
        ck_assert_int_eq(job_exists(file_in(run, "best.h5")), !lost);
    }
    ck_assert(job_same_file("best-newest/best.h5", "whole/best.h5"));
    ck_assert(job_same_file("best-kept/best.h5", "whole/best.h5"));
}
END_TEST

START_TEST(a_run_that_lost_its_checkpoints_is_not_begun_anew)
{
    struct command_result result;
    go_back("whole", "no-checkpoint", 2, 1);
    job_copy("no-checkpoint", "no-checkpoint-before");
    job_run(&result, 2, "base.ini", "no-checkpoint", "-s", "train.lr=0.5", NULL);
    job_expect(&result, 65);
    job_complains(
        &result, 1, "/no-checkpoint: holds best.h5", "--fresh", "--init", "/no-checkpoint/best.h5", NULL);
    command_result_finish(&result);
    ck_assert(job_same_file("no-checkpoint/best.h5", "no-checkpoint-before/best.h5"));
    ck_assert(job_same_file("no-checkpoint/metrics.csv", "no-checkpoint-before/metrics.csv"));
    job_remove("no-checkpoint/best.h5");
    job_run(&result, 0, "base.ini", "no-checkpoint", NULL);
    job_expect(&result, 65);
    job_complains(&result, 1, "/no-checkpoint: its run finished at step 18", "--fresh", NULL);
    command_result_finish(&result);
    ck_assert(job_same_file("no-checkpoint/metrics.csv", "no-checkpoint-before/metrics.csv"));
}
END_TEST

/* --verify tells beforehand what the run then does. */
START_TEST(a_run_that_lost_rows_of_its_metrics_makes_the_file_anew)
{
    struct command_result result;
    size_t size;
    char hash[64];
    go_back("whole", "rows", 8, 8);
    char *text = job_read("rows/metrics.csv", &size);
    job_write("rows/metrics.csv", text, size / 3);
    free(text);
    job_run(&result, 0, NULL, NULL, "--verify", job_path("rows"), NULL);
    job_expect(&result, 65);
    ck_assert_ptr_nonnull(strstr(result.output, "rows, but 9 belong to the checkpoint"));
    command_result_finish(&result);
    job_run(&result, 2, "base.ini", "rows", NULL);
    job_expect(&result, 0);
    job_complains(&result, 1, "warning: ", "/rows/metrics.csv: has ", "rows, but 9 belong to the checkpoint",
        "cannot be had again", NULL);
    job_field(result.output, "finished: ", "weights_hash", hash);
    ck_assert_str_eq(hash, undisturbed.base);
    command_result_finish(&result);
    job_run(&result, 0, NULL, NULL, "--verify", job_path("rows"), NULL);
    job_expect(&result, 0);
    ck_assert_ptr_nonnull(strstr(result.output, "/metrics.csv: sound: 21 rows up to step 18, "));
    command_result_finish(&result);
    ck_assert_int_eq(job_metrics_rows("rows"), 21);
}
END_TEST

/* ---- live ---- */

START_TEST(a_second_job_on_a_live_run_is_refused_and_the_first_goes_on)
{
    struct command_process first;
    struct command_result result;
    char step[256];
    job_start(&first, 2, "base.ini", "live", "-s", "train.epochs=1000000", "-s",
        "checkpoint.every=1000 epochs", NULL);
    ck_assert(command_await_output(&first, "epoch=1 ", 1, JOB_SECONDS));
    for (int i = 0; i < 3; i++) {
        job_run(&result, i == 1 ? 2 : 0, "base.ini", "live", i == 2 ? "--fresh" : NULL, NULL);
        job_expect(&result, 65);
        ck_assert_str_eq(result.output, "");
        job_complains(&result, 1, "live/lock", "a job runs in this directory", NULL);
        command_result_finish(&result);
    }
    ck_assert(job_exists("live/lock"));
    int64_t rows = job_metrics_rows("live");
    await_rows(&first, "live", rows + 20);
    command_signal(&first, SIGUSR1);
    command_wait(&first, &result);
    job_expect(&result, 0);
    check_told(&result);
    command_result_finish(&result);
    job_status("live", "step", step);
    int64_t steps = atoll(step);
    ck_assert_int_eq(newest_step("live"), steps);
    /* The validation of an epoch that the signal came at the end of is for the next job. */
    int64_t all = steps + steps / STEPS, there = job_metrics_rows("live");
    ck_assert(there == all || (there == all - 1 && steps % STEPS == 0));
    ck_assert_int_ge(steps + steps / STEPS, rows + 20);
}
END_TEST

START_TEST(of_two_jobs_that_start_together_one_runs)
{
    struct command_process jobs[2];
    int codes[2];
    char hash[64] = "";
    for (int i = 0; i < 2; i++)
        job_start(&jobs[i], 0, "long.ini", "together", NULL);
    for (int i = 0; i < 2; i++) {
        struct command_result result;
        command_wait(&jobs[i], &result);
        codes[i] = result.status;
        job_expect(&result, codes[i] ? 65 : 0);
        if (codes[i])
            job_complains(&result, 1, "together/lock", NULL);
        else
            job_field(result.output, "finished: ", "weights_hash", hash);
        command_result_finish(&result);
    }
    ck_assert_int_eq(codes[0] + codes[1], 65);
    ck_assert_str_eq(hash, undisturbed.lengthy);
    check_finished("together", LONG_EPOCHS, LONG_STEPS);
}
END_TEST

static TCase *add_case(Suite *suite, const char *name, void (*setup)(void))
{
    TCase *tests = tcase_create(name);
    tcase_add_unchecked_fixture(tests, setup, NULL);
    tcase_set_timeout(tests, 150);
    suite_add_tcase(suite, tests);
    return tests;
}

static void add_short(Suite *suite)
{
    TCase *tests = add_case(suite, "stop", run_base);
    tcase_add_loop_test(tests, a_signal_stops_cleanly_and_the_run_goes_on_with_the_same_bits, 0, SIGNALS);
    tcase_add_test(tests, ended_by_its_launcher_a_run_goes_on_with_the_same_bits);
    tcase_add_test(tests, ended_by_its_launcher_while_it_saves_a_run_has_the_checkpoint_before);
    tcase_add_test(tests, a_stop_leaves_a_long_step_undone_and_loses_no_other);
    tcase_add_test(tests, a_stop_may_have_an_exit_code_of_its_own);
    tcase_add_loop_test(tests, a_run_stops_before_its_time_is_over, 0, 2);
    tcase_add_test(tests, requeued_step_by_step_a_run_ends_with_the_undisturbed_bits);
    tests = add_case(suite, "continue", run_base);
    tcase_add_loop_test(tests, any_step_is_a_good_place_to_go_on, 0, 5);
    tcase_add_loop_test(tests, whatever_is_trained_goes_on_with_the_same_checkpoint, 0, VARIANTS);
    tcase_add_test(tests, the_config_of_a_run_directory_continues_it);
    tcase_add_test(tests, the_same_data_may_lie_elsewhere_and_what_does_not_matter_may_change);
    tcase_add_loop_test(tests, what_the_user_leaves_open_is_as_the_run_was_begun, 0, 2);
    tcase_add_loop_test(tests, one_key_of_two_that_go_together_is_enough, 0, 2);
    tests = add_case(suite, "refuse", run_base);
    tcase_add_test(tests, a_changed_key_is_refused_by_its_name_and_both_values);
    tcase_add_test(tests, other_data_are_refused);
    tcase_add_test(tests, more_epochs_are_as_if_so_from_the_start);
    tcase_add_test(tests, fewer_epochs_than_were_begun_are_refused);
    tcase_add_test(tests, a_finished_run_prints_its_last_line_again);
    tcase_add_test(tests, fresh_starts_over_and_removes_only_what_runs_leave);
    tcase_add_test(tests, fresh_does_not_remove_what_a_newer_program_wrote);
    tcase_add_test(tests, init_starts_a_new_run_from_the_weights_of_another);
    tcase_add_test(tests, init_on_a_run_is_refused);
    tcase_add_test(tests, a_run_begun_with_init_goes_on_without_it);
    tcase_add_test(tests, init_of_what_does_not_fit_is_refused);
    tcase_add_loop_test(tests, a_damaged_checkpoint_is_passed_over_for_the_one_before_it, 0, DAMAGES);
    tcase_add_test(tests, a_run_without_a_valid_checkpoint_is_refused_and_left_alone);
    tcase_add_test(tests, a_run_that_lost_its_best_gets_it_again_or_says_so);
    tcase_add_test(tests, a_run_that_lost_its_checkpoints_is_not_begun_anew);
    tcase_add_test(tests, a_run_that_lost_rows_of_its_metrics_makes_the_file_anew);
    tcase_add_test(tests, a_second_job_on_a_live_run_is_refused_and_the_first_goes_on);
}

int main(int argc, char **argv)
{
    int only_kill = argc > 2 && strcmp(argv[1], "kill") == 0;
    int rounds = only_kill ? atoi(argv[2]) : 5;
    setvbuf(stdout, NULL, _IOLBF, 0);
    job_open();
    Suite *suite = suite_create("resume");
    if (!only_kill)
        add_short(suite);
    TCase *kills = add_case(suite, "kill", run_lengthy);
    tcase_add_loop_test(kills, killed_at_random_a_run_ends_with_the_undisturbed_bits, 0, rounds);
    if (!only_kill) {
        tcase_add_test(kills, a_killed_launchers_run_is_taken_over_as_soon_as_rank_0_has_gone);
        tcase_add_test(kills, epochs_that_the_schedule_depends_on_are_refused);
        tcase_add_test(kills, of_two_jobs_that_start_together_one_runs);
    }
    int outcome = suite_run(suite);
    job_close();
    return outcome;
}

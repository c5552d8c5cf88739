/* Runs of long steps that live many short lives: killed and asked to stop at random moments, each life on
 * another number of ranks. None may lose more than the step at hand, and all end on the hash of the run that
 * nothing happened to.
 *
 *     test_lives KILLS STOPS [FIRST]    FIRST: the number of the first life, by which moments are drawn */
#include "base/clock.h"
#include "base/random.h"
#include "support/job.h"
#include "support/suite.h"

#include <dirent.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* A step is some 300 thousand million multiply-adds: three seconds of two cores. A checkpoint is 25 MB. */
static const char config[] = "[data]\ntrain = train.h5\n"
                             "[model]\nhidden = 256\nlayers = 2\ndropout = 0.1\n"
                             "[train]\nbatch = 128\nmicrobatch = 4\nepochs = 3\nlr = 0.001\n"
                             "[checkpoint]\nevery = 1 step\n";
enum { STEPS = 2, EPOCHS = 3, MOST_RANKS = 4 };

static const struct sample_shape shape = {.sequences = 256,
    .shortest = 380,
    .longest = 400,
    .features = 6,
    .kind = SAMPLE_PER_SEQUENCE,
    .classes = 5};

static int kills, stops, first; /* Check hands its tests no context */

/* How a life ends: the kills, then the stops. */
enum way { KILL_RANK, KILL_LAUNCHER, KILL_ALL, TERM_RANKS, TERM_LAUNCHER, INT_GROUP };
static const char *const way_names[] = {"KILL to a rank", "KILL to the launcher", "KILL to all",
    "TERM to the ranks", "TERM to the launcher", "Ctrl-C"};

struct life {
    int number, ranks;
    enum way way;
    double moment; /* seconds from its start */
};

/* ---- what a run has ---- */

static int64_t newest_checkpoint(const char *run)
{
    int64_t newest = 0;
    DIR *folder = opendir(job_path(run));
    for (struct dirent *entry; folder && (entry = readdir(folder));)
        if (strncmp(entry->d_name, "checkpoint-", 11) == 0 && atoll(entry->d_name + 11) > newest)
            newest = atoll(entry->d_name + 11);
    if (folder)
        closedir(folder);
    return newest;
}

/* The step of the last whole row of metrics.csv. */
static int64_t last_row(const char *run)
{
    char name[80];
    int64_t step = 0;
    snprintf(name, sizeof name, "%s/metrics.csv", run);
    if (!job_exists(name))
        return 0;
    char *text = job_read(name, NULL);
    for (char *line = text, *end; (end = strchr(line, '\n')); line = end + 1)
        if (atoll(line) > 0)
            step = atoll(line);
    free(text);
    return step;
}

/* The file `status` is written anew at each change: which one is it now? 0: there is none. */
static uint64_t identify_status(const char *run)
{
    char name[80];
    struct stat status;
    snprintf(name, sizeof name, "%s/status", run);
    if (stat(job_path(name), &status) != 0)
        return 0;
    return (uint64_t)status.st_ino ^ (uint64_t)status.st_mtim.tv_nsec << 20 ^ (uint64_t)status.st_mtim.tv_sec;
}

/* ---- a life ---- */

static void pause_for(double seconds)
{
    struct timespec time = {(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};
    nanosleep(&time, NULL);
}

static uint64_t draw(uint64_t n, int number, int which)
{
    return random_below(n, 5, RANDOM_TEST, (uint64_t)number, (uint64_t)which);
}

/* The moment lies anywhere from the start to the second step or so. */
static struct life draw_life(int nth, int ranks_before, double step_seconds)
{
    int number = first + nth;
    int all = kills + stops, is_kill = (nth + 1) * kills / all > nth * kills / all; /* evenly */
    struct life life = {.number = number};
    life.ranks = 1 + (int)draw(MOST_RANKS - 1, number, 0);
    life.ranks += life.ranks >= ranks_before; /* another number than before */
    life.way = (enum way)((is_kill ? KILL_RANK : TERM_RANKS) + draw(3, number, 1));
    life.moment = (double)draw(1000, number, 2) / 1000 * (1.5 + 1.6 * step_seconds);
    return life;
}

/* Waits until the moment, or the end of the job. */
static void await_moment(const struct command_process *process, double moment)
{
    for (double end = clock_now() + moment; clock_now() < end && command_processes(process, NULL, 0);)
        pause_for(0.01);
}

static void end_life(const struct command_process *process, const struct life *life)
{
    pid_t ranks[MOST_RANKS];
    for (int r = 0; r < life->ranks; r++)
        ranks[r] = command_find_rank(process, r);
    switch (life->way) {
    case KILL_RANK:
        command_signal_one(process, ranks[life->number % life->ranks], SIGKILL);
        return;
    case KILL_LAUNCHER:
        command_signal(process, SIGKILL);
        return;
    case KILL_ALL:
        command_kill(process);
        return;
    case TERM_RANKS:
        for (int r = 0; r < life->ranks; r++)
            command_signal_one(process, ranks[r], SIGTERM);
        return;
    case TERM_LAUNCHER:
        command_signal(process, SIGTERM);
        return;
    case INT_GROUP:
        kill(-process->pid, SIGINT);
    }
}

/* A run that had begun stops with a checkpoint of the step that its last row is of. */
static void check_stopped(const char *run, const struct life *life, const struct command_result *result)
{
    char value[256];
    job_status(run, "state", value);
    ck_assert_msg(strcmp(value, "stopped") == 0, "%s: %s\n%s%s", run, value, result->output, result->errors);
    job_status(run, "step", value);
    ck_assert_int_eq(newest_checkpoint(run), atoll(value));
    ck_assert_int_eq(newest_checkpoint(run), last_row(run));
    ck_assert_int_eq(job_count_lines(result->output, "stopped: step="), 1);
    if (life->way == TERM_RANKS)
        ck_assert_msg(result->status == 0, "%d: %s", result->status, result->errors);
}

/* Returns 1 where the run came to its end. */
static int live(const char *run, const struct life *life, char hash[64])
{
    struct command_process process;
    struct command_result result;
    int64_t before = newest_checkpoint(run);
    uint64_t status = identify_status(run);
    /* mpirun of Open MPI hands TERM on only after this time, and kills after as long again. */
    if (life->way == TERM_LAUNCHER || life->way == INT_GROUP)
        setenv("OMPI_MCA_odls_base_sigkill_timeout", "10", 1);
    job_start(&process, life->ranks, "run.ini", run, NULL);
    unsetenv("OMPI_MCA_odls_base_sigkill_timeout");
    await_moment(&process, life->moment);
    int begun = identify_status(run) != status;
    end_life(&process, life);
    command_wait(&process, &result);
    int64_t after = newest_checkpoint(run), row = last_row(run);
    int finished = strstr(result.output, "finished: ") != NULL;
    printf("%s life %d: %d ranks, %s after %.2f s: steps %" PRId64 " to %" PRId64 ", last row %" PRId64
           ", code %d%s%s\n",
        run, life->number, life->ranks, way_names[life->way], life->moment, before, after, row, result.status,
        begun ? "" : ", not begun", finished ? ", finished" : "");
    ck_assert_msg(!result.timed_out, "%s", result.errors);
    ck_assert_msg(!strstr(result.errors, "going back"), "a checkpoint was damaged:\n%s", result.errors);
    ck_assert_int_ge(after, before);
    ck_assert_int_ge(after, row - 1); /* a row is written just before its checkpoint */
    if (!finished && begun && life->way >= TERM_RANKS)
        check_stopped(run, life, &result);
    if (finished)
        job_field(result.output, "finished: ", "weights_hash", hash);
    command_result_finish(&result);
    return finished;
}

static void check_end(const char *run, const char *hash, const char *want)
{
    printf("%s: finished: %s\n", run, hash);
    ck_assert_str_eq(hash, want);
    job_check_metrics(run, EPOCHS, STEPS, 0);
}

START_TEST(no_life_loses_more_than_the_step_at_hand_and_all_end_on_one_hash)
{
    char want[17], hash[64], run[32] = "";
    int runs = 0, ranks = 0;
    job_write_sample("train.h5", &shape, 1);
    job_write_text("run.ini", config);
    double start = clock_now();
    job_finish(want, 2, "run.ini", "undisturbed", NULL);
    double step_seconds = (clock_now() - start) / (STEPS * EPOCHS);
    printf("undisturbed: %s, %.2f s a step\n", want, step_seconds);
    for (int number = 0, finished = 1; number < kills + stops; number++) {
        if (finished)
            snprintf(run, sizeof run, "run-%d", runs++);
        struct life life = draw_life(number, ranks, step_seconds);
        ranks = life.ranks;
        finished = live(run, &life, hash);
        if (finished)
            check_end(run, hash, want);
    }
    if (*run) {
        job_finish(hash, 1 + ranks % MOST_RANKS, "run.ini", run, NULL);
        check_end(run, hash, want);
    }
}
END_TEST

int main(int argc, char **argv)
{
    kills = argc > 2 ? atoi(argv[1]) : 2;
    stops = argc > 2 ? atoi(argv[2]) : 2;
    first = argc > 3 ? atoi(argv[3]) : 0;
    setvbuf(stdout, NULL, _IOLBF, 0);
    job_open();
    Suite *suite = suite_create("lives");
    TCase *lives = tcase_create("lives");
    tcase_set_timeout(lives, 7000);
    tcase_add_test(lives, no_life_loses_more_than_the_step_at_hand_and_all_end_on_one_hash);
    suite_add_tcase(suite, lives);
    int outcome = suite_run(suite);
    job_close();
    return outcome;
}

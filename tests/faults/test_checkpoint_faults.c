/* Every Nth fault and every Nth kill while a run is saved, N = 1, 2, ... until none is met: a process is
 * forked for each, which saves twice as the trainer does; then what it left is looked at.
 *
 *     test_checkpoint_faults          without kills behind a call, which are those before the next; of
 *                                     requests for memory some
 *     test_checkpoint_faults every    every one */
#define _GNU_SOURCE /* MAP_ANONYMOUS */

#include "base/memory.h"
#include "ckpt/rundir.h"
#include "ckpt/status.h"
#include "faults/inject.h"
#include "support/checkpoints.h"
#include "support/sample.h"
#include "support/suite.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
enum { HAS_MEMORY_FAULTS = 0 }; /* memory comes from the sanitizer */
#else
enum { HAS_MEMORY_FAULTS = 1 };
#endif

enum { ROWS = 3 /* of metrics between two checkpoints */, SAVES = 2 };

static char root[256], folder[300], lost[320];
static struct checkpoint saved[SAVES + 1]; /* [step] */
static int crashes;                        /* of processes where HDF5 had no memory */
static int every;

/* What the forked process tells. */
static struct told {
    struct inject_report report;
    int checkpoints, best; /* steps that are said to be saved */
    struct error error;
    int skipped;
} * told;

static const unsigned on_files = (1u << INJECT_ALLOCATE) - 1;

static char said[1024]; /* of metrics.csv */
static struct own own;  /* what the process at hand knows of its folder */

/* ---- the process that saves ---- */

static void begin_process(void)
{
    own_finish(&own);
    own = (struct own){.directory = folder, .run = CHECKPOINTS_RUN, .known = metrics_last_step(folder)};
}

static int write_status(const char *state, int64_t step, const char *reason, struct error *error)
{
    struct run_status status = {.step = step, .run = CHECKPOINTS_RUN};
    snprintf(status.state, sizeof status.state, "%s", state);
    snprintf(status.reason, sizeof status.reason, "%s", reason);
    return status_write(folder, &status, error);
}

/* The point of a run that makes so many steps at each save, each time an epoch. */
static struct progress at_rows(int64_t saves)
{
    return (struct progress){.epoch = saves + 1, .step = saves * ROWS, .metrics_rows = saves * ROWS};
}

static int add_rows(struct metrics *metrics, int64_t step, struct error *error)
{
    for (int i = 0; i < ROWS; i++) {
        struct metrics_row row = {
            .step = (step - 1) * ROWS + i + 1, .epoch = step, .split = "train", .sequences = 8, .loss = 0.5};
        if (metrics_add(metrics, &row, error) != 0)
            return -1;
    }
    return 0;
}

/* In the order of train.c and save.c. */
static int save(struct metrics *metrics, int64_t step, struct error *error)
{
    struct checkpoint view = saved[step];
    if (add_rows(metrics, step, error) != 0 ||
        metrics_sync(metrics, &view.progress, NULL, said, sizeof said, error) != 0)
        return -1;
    if (rundir_save_best(&own, &view, error) != 0)
        return -1;
    told->best = (int)step;
    if (rundir_save(&own, &view, 1, error) != 0)
        return -1;
    told->checkpoints = (int)step;
    return 0;
}

/* `first`: the step at whose save faults begin; 0: before anything is there. */
static int live(const struct inject_plan *plan, int first, struct error *error)
{
    struct inject_plan nothing = {0};
    begin_process();
    inject_arm(first ? &nothing : plan, &told->report);
    struct metrics *metrics = metrics_open(folder, &saved[0].progress, NULL, said, sizeof said, error);
    int outcome = metrics ? write_status("running", 0, "", error) : -1;
    for (int step = 1; outcome == 0 && step <= SAVES; step++) {
        if (step == first)
            inject_arm(plan, &told->report);
        outcome = save(metrics, step, error);
    }
    struct error late;
    write_status(outcome ? "failed" : "finished", SAVES, outcome ? error->text : "", outcome ? &late : error);
    metrics_close(metrics);
    inject_disarm();
    return outcome;
}

/* Exits as a program does: libraries clean up too. */
static void run_child(const struct inject_plan *plan, int first)
{
    struct error error = {0};
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    signal(SIGALRM, SIG_DFL); /* where Check has a handler */
    alarm(60);                /* one that hangs */
    live(plan, first, &error);
    told->error = error;
    exit(0);
}

/* ---- what it left ---- */

static void remove_all(const char *path)
{
    DIR *stream = opendir(path);
    for (struct dirent *entry; stream && (entry = readdir(stream));) {
        char name[1024];
        snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            unlink(name);
    }
    if (stream)
        closedir(stream);
    rmdir(path);
}

static char place[1024]; /* of the fault at hand, for messages */

#define claim(condition) ck_assert_msg(condition, "%s: %s; it said '%s'", place, #condition, told->error.text)

static void count_skipped(void *context, const char *text)
{
    ++*(int *)context;
}

static const char *in_folder(const char *name)
{
    static char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

/* Each step from 1 on has one row. */
static void check_rows(int64_t rows)
{
    char line[512];
    int64_t step = 0, n;
    FILE *file = fopen(in_folder("metrics.csv"), "r");
    claim(file != NULL);
    claim(fgets(line, sizeof line, file) && strncmp(line, "step,epoch,", 11) == 0);
    while (fgets(line, sizeof line, file)) {
        claim(sscanf(line, "%ld,", &n) == 1 && n == step + 1 && strchr(line, '\n'));
        step = n;
    }
    fclose(file);
    claim(step == rows);
}

static int64_t check_newest(int first)
{
    struct checkpoint newest;
    struct error error = {0};
    int skipped = 0;
    own.warn = count_skipped;
    own.context = &skipped;
    checkpoint_init(&newest);
    int found = rundir_load_newest(&own, &newest, &error);
    ck_assert_msg(found >= 0, "%s: %s", place, error.text);
    own.warn = NULL;
    claim(skipped == 0);
    int64_t step = newest.progress.step;
    claim(found == (step > 0) && step >= told->checkpoints && step >= first - 1);
    if (found)
        checkpoints_compare(&newest, &saved[step]);
    checkpoint_finish(&newest);
    return step;
}

static void check_best(int first)
{
    struct checkpoint best;
    struct error error = {0};
    checkpoint_init(&best);
    int there = access(in_folder("best.h5"), F_OK) == 0;
    claim(there || (told->best == 0 && first < 2));
    if (!there)
        return;
    ck_assert_msg(checkpoint_read(in_folder("best.h5"), CHECKPOINT_SEALED, &best, &error) == 0, "%s: %s",
        place, error.text);
    claim(best.progress.step >= told->best);
    checkpoints_compare(&best, &saved[best.progress.step]);
    checkpoint_finish(&best);
}

static void check_nothing_temporary(void)
{
    DIR *stream = opendir(folder);
    for (struct dirent *entry; (entry = readdir(stream));)
        ck_assert_msg(!strstr(entry->d_name, ".tmp-"), "%s: %s is left", place, entry->d_name);
    closedir(stream);
}

/* Resumes without faults. */
static void check_resume(int first)
{
    struct error error = {0};
    struct inject_plan nothing = {0};
    struct inject_report report = {0};
    inject_arm(&nothing, &report);
    begin_process();
    int64_t step = check_newest(first);
    check_best(first);
    struct progress rows = at_rows(step);
    struct metrics *metrics = metrics_open(folder, &rows, NULL, said, sizeof said, &error);
    ck_assert_msg(metrics != NULL, "%s: %s", place, error.text);
    check_rows(step * ROWS);
    while (++step <= SAVES)
        ck_assert_msg(save(metrics, step, &error) == 0, "%s: %s", place, error.text);
    claim(write_status("finished", SAVES, "", &error) == 0);
    metrics_close(metrics);
    check_rows(SAVES * ROWS);
    claim(!*said);
    claim(rundir_save(&own, &saved[SAVES], 1, &error) == 0); /* what a kill left goes with the next save */
    claim(check_newest(SAVES) == SAVES);
    check_nothing_temporary();
    inject_disarm();
}

/* A failure is of input or output, or of memory, and names the file. HDF5 does not always know what it was.
 */
static void check_error(const struct inject_plan *plan)
{
    int want = plan->calls == 1u << INJECT_ALLOCATE ? EXIT_CODE_INTERNAL : EXIT_CODE_IO;
    if (!told->error.code)
        return;
    claim(told->error.code == want || strcmp(plan->caller, "hdf5") == 0);
    claim(want == EXIT_CODE_INTERNAL || strstr(told->error.text, folder));
    if (plan->error == ENOSPC)
        claim(strstr(told->error.text, "make room"));
    /* where only this fails the new file is in place */
    int placed = told->report.call == INJECT_SYNC && strcmp(told->report.path, folder) == 0;
    if (placed && !plan->always)
        claim(strstr(told->error.text, "may be there again") && !strstr(told->error.text, "untouched"));
}

/* ---- one fault ---- */

/* 1: it was met. */
static int try(const struct inject_plan *plan, int first)
{
    remove_all(lost);
    remove_all(folder);
    ck_assert_int_eq(mkdir(folder, 0777), 0);
    memset(told, 0, sizeof *told);
    fflush(NULL);
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0)
        run_child(plan, first);
    int status, kills = plan->action >= INJECT_KILL_BEFORE;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    snprintf(place, sizeof place, "fault %d of calls %x, number %ld from save %d on (%s), loss %u, %s %s",
        (int)plan->action, plan->calls, plan->at, first, plan->always ? "always" : "once", plan->loss,
        inject_call_name(told->report.call), told->report.path);
    int fired = told->report.fired > 0;
    int hung = WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM;
    int crashed = status != 0 && !hung && strcmp(plan->caller, "hdf5") == 0;
    crashes += crashed;
    if (kills && fired)
        claim(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    else
        claim(crashed || status == 0);
    claim(crashed || fired || (!told->error.code && told->checkpoints == SAVES));
    check_error(plan);
    check_resume(first);
    return fired;
}

/* Numbers 1, 2, ... until none is met; from 30 on only every `stride`th. Returns how many there were. */
static long enumerate(struct inject_plan plan, int first, long stride)
{
    long n = 0;
    snprintf(plan.below, sizeof plan.below, "%s", folder);
    for (plan.at = 1; try(&plan, first); plan.at += plan.at < 30 ? 1 : stride)
        n++;
    printf("fault %d of calls %x from save %d on (%s), loss %u: %ld\n", (int)plan.action, plan.calls, first,
        plan.always ? "always" : "once", plan.loss, n);
    return n;
}

/* ---- the tests ---- */

static void set_up(void)
{
    told = mmap(NULL, sizeof *told, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ck_assert(told != MAP_FAILED);
    for (int step = 1; step <= SAVES; step++) {
        struct net *net = checkpoints_make(&saved[step], 1, 0, step);
        saved[step].progress.metrics_rows = step * ROWS;
        net_destroy(net);
    }
}

static void tear_down(void)
{
    for (int step = 1; step <= SAVES; step++)
        checkpoint_finish(&saved[step]);
}

START_TEST(a_failing_call_leaves_a_valid_checkpoint_and_says_which_file)
{
    static const struct {
        unsigned calls;
        enum inject_action action;
        int error;
    } faults[] = {
        {1u << INJECT_OPEN, INJECT_FAIL, EMFILE},
        {1u << INJECT_READ, INJECT_FAIL, EIO},
        {1u << INJECT_WRITE, INJECT_FAIL, EIO},
        {1u << INJECT_WRITE, INJECT_SHORT, 0},
        {1u << INJECT_WRITE | 1u << INJECT_TRUNCATE, INJECT_FULL, ENOSPC},
        {1u << INJECT_SYNC, INJECT_FAIL, EIO},
        {1u << INJECT_RENAME, INJECT_FAIL, EIO},
        {1u << INJECT_CLOSE, INJECT_FAIL, EIO},
        {1u << INJECT_UNLINK, INJECT_FAIL, EACCES},
        {1u << INJECT_TRUNCATE, INJECT_FAIL, EIO},
    };
    for (int first = 0; first <= 2; first += 2)
        for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
            for (int always = 0; always < 2; always++) {
                struct inject_plan plan = {.calls = faults[i].calls,
                    .action = faults[i].action,
                    .error = faults[i].error,
                    .always = always};
                enumerate(plan, first, 1);
            }
}
END_TEST

START_TEST(an_interrupted_call_is_made_again)
{
    struct inject_plan plan = {.calls = 1u << INJECT_WRITE | 1u << INJECT_SYNC, .action = INJECT_FAIL};
    plan.error = EINTR;
    snprintf(plan.below, sizeof plan.below, "%s", folder);
    for (plan.at = 1; try(&plan, 0); plan.at++)
        claim(told->checkpoints == SAVES && told->error.code == 0);
}
END_TEST

/* Loss 0: the process is killed. Others: the machine stops. */
static const unsigned losses[] = {0, INJECT_LOSE_DATA, INJECT_ZERO_DATA, INJECT_LOSE_NAMES,
    INJECT_LOSE_DATA | INJECT_LOSE_NAMES, INJECT_ZERO_DATA | INJECT_LOSE_NAMES};

enum { LOSSES = sizeof losses / sizeof *losses };

START_TEST(a_kill_at_any_call_leaves_a_valid_checkpoint)
{
    struct inject_plan plan = {.calls = on_files,
        .action = _i < LOSSES ? INJECT_KILL_BEFORE : INJECT_KILL_AFTER,
        .loss = losses[_i % LOSSES]};
    for (int first = 0; first <= 2; first += 2)
        ck_assert_int_gt(enumerate(plan, first, 1), 20);
}
END_TEST

START_TEST(no_memory_is_an_error_that_says_so)
{
    struct inject_plan plan = {.calls = 1u << INJECT_ALLOCATE, .action = INJECT_FAIL, .always = _i};
    strcpy(plan.caller, "test_checkpoint_faults");
    if (HAS_MEMORY_FAULTS)
        ck_assert_int_gt(enumerate(plan, 0, every ? 1 : 7), 10);
}
END_TEST

/* HDF5 itself does not always survive it, which is not ours to repair; the files do. */
START_TEST(no_memory_inside_hdf5_leaves_a_valid_checkpoint)
{
    struct inject_plan plan = {
        .calls = 1u << INJECT_ALLOCATE, .action = INJECT_FAIL, .always = _i, .caller = "hdf5"};
    long n = HAS_MEMORY_FAULTS ? enumerate(plan, 2, every ? 1 : 97) : 0;
    printf("of %ld processes whose HDF5 had no memory %d crashed\n", n, crashes);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("checkpoint faults");
    TCase *tests = tcase_create("faults");
    /* Hundreds of processes, each of which has a limit of its own; what they take together depends on the
     * disk, and meson bounds it. */
    tcase_set_timeout(tests, 0);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, a_failing_call_leaves_a_valid_checkpoint_and_says_which_file);
    tcase_add_test(tests, an_interrupted_call_is_made_again);
    tcase_add_loop_test(tests, a_kill_at_any_call_leaves_a_valid_checkpoint, 0, every ? 2 * LOSSES : LOSSES);
    tcase_add_loop_test(tests, no_memory_is_an_error_that_says_so, 0, 2);
    tcase_add_loop_test(tests, no_memory_inside_hdf5_leaves_a_valid_checkpoint, 0, 2);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(int argc, char **argv)
{
    if (access("/dev/shm", W_OK) == 0) /* thousands of small files */
        setenv("TMPDIR", "/dev/shm", 0);
    every = argc > 1 && strcmp(argv[1], "every") == 0;
    sample_make_folder(root, sizeof root);
    snprintf(folder, sizeof folder, "%s/run", root);
    snprintf(lost, sizeof lost, "%s.lost", folder);
    int outcome = suite_run(make_suite());
    remove_all(lost);
    remove_all(folder);
    sample_remove_folder(root);
    return outcome;
}

/* What --plan says of memory, beside what runs take: it differs by 5 percent at most from the largest memory
 * of its own that each rank had, and from what a node had: this of all ranks, the memory that they share, and
 * programs and libraries, each counted once (tests/cli/peaks.c). With the argument "large" the configurations
 * are those that take minutes. */
#include "support/job.h"
#include "support/suite.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct {
    const char *name;
    struct sample_shape shape;
    int large;
} sets[] = {
    {"few.h5",
        {.sequences = 40,
            .shortest = 5,
            .longest = 20,
            .features = 5,
            .kind = SAMPLE_PER_FRAME,
            .classes = 4},
        0},
    {"text.h5",
        {.sequences = 60, .shortest = 20, .longest = 60, .features = 8, .kind = SAMPLE_ANY, .classes = 9}, 0},
    {"many.h5",
        {.sequences = 200000,
            .shortest = 1,
            .longest = 4,
            .features = 3,
            .kind = SAMPLE_PER_FRAME,
            .classes = 4},
        0},
    {"wide.h5",
        {.sequences = 2000,
            .shortest = 50,
            .longest = 100,
            .features = 110,
            .kind = SAMPLE_PER_FRAME,
            .classes = 4},
        0},
    {"lengthy.h5",
        {.sequences = 6,
            .shortest = 2000,
            .longest = 3000,
            .features = 5,
            .kind = SAMPLE_PER_FRAME,
            .classes = 4},
        0},
    {"long.h5",
        {.sequences = 128,
            .shortest = 200,
            .longest = 300,
            .features = 40,
            .kind = SAMPLE_PER_FRAME,
            .classes = 10},
        1},
    {"much.h5",
        {.sequences = 20000,
            .shortest = 50,
            .longest = 100,
            .features = 50,
            .kind = SAMPLE_PER_FRAME,
            .classes = 4},
        1},
};

static const char config_text[] =
    "[data]\ntrain = few.h5\n[model]\noutput = frame\nlayers = 1\nbidirectional = yes\n"
    "[train]\noptimizer = adam\nbatch = 16\nmicrobatch = 4\nepochs = 1\n";

enum { MOST_KEYS = 7 };

static const struct {
    const char *key[MOST_KEYS];
    int large;
} runs[] = {
    {{"data.valid=few.h5", "model.hidden=8", "train.epochs=2"}, 0},
    {{"data.train=text.h5", "data.valid=text.h5", "model.output=ctc", "model.layers=2", "model.hidden=96",
         "train.optimizer=momentum"},
        0},
    {{"data.train=text.h5", "data.valid=text.h5", "model.output=decoder", "model.hidden=96"}, 0},
    {{"data.train=many.h5", "data.valid=many.h5", "model.hidden=4", "train.batch=100000",
         "train.microbatch=20000"},
        0},
    {{"data.train=wide.h5", "model.hidden=4", "train.batch=500", "train.microbatch=50"}, 0}, /* on 2 ranks */
    {{"data.train=wide.h5", "data.cache=96 MiB", "model.hidden=4", "train.batch=500", "train.microbatch=50"},
        0}, /* on 3 */
    {{"data.train=long.h5", "data.valid=long.h5", "model.layers=3", "model.hidden=512", "train.batch=64",
         "train.microbatch=8"},
        1},
    {{"data.train=much.h5", "model.hidden=8", "train.batch=1000", "train.microbatch=50",
         "data.cache=512 MiB"},
        1},
    {{"data.train=much.h5", "model.hidden=8", "train.batch=1000", "train.microbatch=50", "data.cache=0"}, 1},
    {{"data.train=lengthy.h5", "data.valid=lengthy.h5", "model.layers=3", "model.hidden=64", "train.batch=3",
         "train.microbatch=3", "train.activation_memory=50 MiB"},
        0}, /* on 1 rank: a third of what all takes */
    {{"data.train=few.h5", "data.valid=few.h5", "model.cell=lru", "model.hidden=64", "model.layers=4"},
        0}, /* on 2: many tensors, and more in a checkpoint than in a step */
    {{"data.train=text.h5", "data.valid=text.h5", "model.output=ctc", "model.hidden=16"},
        0}, /* on 3: a start that takes no more than a step */
    {{"data.train=text.h5", "model.output=ctc", "model.hidden=296", "train.batch=60", "train.microbatch=2",
         "train.weight_noise=0.01"},
        0}, /* on 1: a block of 32 MiB, of which not all is touched */
};
enum { RUNS = sizeof runs / sizeof *runs, MOST_RANKS = 3 };

static int large;

static void prepare(void)
{
    for (size_t s = 0; s < sizeof sets / sizeof *sets; s++)
        if (large || !sets[s].large)
            job_write_sample(sets[s].name, &sets[s].shape, s);
    job_write_text("some.ini", config_text);
}

/* By which ranks of the run before were found: their numbers may be other processes' by now. */
static void forget_processes(void)
{
    for (int r = 0; r < MOST_RANKS; r++) {
        char name[32];
        snprintf(name, sizeof name, "process.%d", r);
        unlink(job_path(name));
    }
}

/* Containers may forbid to trace, and kernels not count: then this is 0, after a line that says so. */
static int can_measure(void)
{
    char line[256] = "";
    long own = 0;
    FILE *peaks = popen("MEASURED_PROGRAM=/bin/true \"$PEAKS\" 2>&1", "r");
    while (peaks && fgets(line, sizeof line, peaks))
        sscanf(line, "peak rank=0 own=%ld", &own);
    int status = peaks ? pclose(peaks) : -1, code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    if (code == 126)
        puts("not run: no process may trace another here (docker run --cap-add SYS_PTRACE lets it)");
    else if (code != 0) {
        fprintf(stderr, "peaks ended with %d: %s", code, line);
        job_close();
        exit(EXIT_FAILURE);
    } else if (own == 0)
        puts("not run: this kernel does not count the pages of a process (smaps_rollup)");
    return own > 0;
}

/* Runs `mpirun -np RANKS rnn-train OPTION VALUE -s KEY... some.ini`. */
static void run(
    struct command_result *result, int i, const char *ranks, const char *option, const char *value)
{
    const char *mpirun = getenv("MPIRUN"), *words[3 + 3 + 2 * MOST_KEYS + 2];
    int n = 0;
    forget_processes();
    words[n++] = mpirun ? mpirun : "mpirun";
    words[n++] = "-np";
    words[n++] = ranks;
    words[n++] = getenv("PEAKS");
    words[n++] = option;
    if (value)
        words[n++] = value;
    for (int k = 0; k < MOST_KEYS && runs[i].key[k]; k++) {
        words[n++] = "-s";
        words[n++] = runs[i].key[k];
    }
    words[n++] = "some.ini";
    words[n] = NULL;
    command_run(
        &(struct command){.argv = words, .directory = job_path(""), .seconds = large ? 1200 : JOB_SECONDS},
        result);
    job_expect(result, 0);
}

/* Returns the MiB that a line of the plan tells; 0 where there is no such line. */
static double planned(const char *plan, const char *what)
{
    static const char *const units[] = {"bytes", "KiB", "MiB", "GiB"};
    char unit[8] = "";
    double amount = 0;
    const char *line = strstr(plan, what);
    if (!line || sscanf(line + strlen(what), "%lf %7s", &amount, unit) != 2)
        return 0;
    for (int u = 0; u < 4; u++)
        if (strcmp(unit, units[u]) == 0)
            return ldexp(amount, 10 * (u - 2));
    ck_abort_msg("%s: no unit in: %.60s", what, line);
}

static void expect_near(const char *who, double plan, double seen)
{
    printf("%s: planned %.1f MiB, seen %.1f MiB: %+.1f %%\n", who, plan, seen, 100 * (plan / seen - 1));
    ck_assert_msg(fabs(plan - seen) <= 0.05 * seen, "%s: planned %.1f MiB, seen %.1f MiB", who, plan, seen);
}

/* MiB: the most that rank 0 was seen to have, another rank, and all of them. */
struct peaks {
    double first, other, node;
};

static void find_peaks(const char *errors, struct peaks *peaks)
{
    double most_shared = 0;
    for (const char *line = errors; (line = strstr(line, "peak rank=")); line++) {
        double rank, own, files, shared;
        ck_assert_int_eq(
            sscanf(line, "peak rank=%lf own=%lf files=%lf shared=%lf", &rank, &own, &files, &shared), 4);
        double *peak = rank > 0 ? &peaks->other : &peaks->first;
        *peak = fmax(*peak, own / 1024);
        peaks->node += (own + (rank > 0 ? 0 : files)) / 1024;
        most_shared = fmax(most_shared, shared / 1024);
    }
    peaks->node += most_shared;
}

/* Rank 0, which saves, takes the most; of the others that which takes the most is looked at. */
static void compare(int i, const char *ranks)
{
    struct command_result plan, result;
    struct peaks peaks = {0};
    char directory[32], words[32];
    snprintf(directory, sizeof directory, "run-%d-%s", i, ranks);
    snprintf(words, sizeof words, "a node of %s rank%s ", ranks, strcmp(ranks, "1") ? "s" : "");
    run(&plan, i, ranks, "--plan", NULL);
    run(&result, i, ranks, "-o", directory);
    find_peaks(result.errors, &peaks);
    expect_near("rank 0", planned(plan.output, "rank 0 at most"), peaks.first);
    if (peaks.other > 0)
        expect_near("another rank", planned(plan.output, "another rank at most"), peaks.other);
    expect_near("the node", planned(plan.output, words), peaks.node);
    command_result_finish(&result);
    command_result_finish(&plan);
}

/* _i: run and number of ranks. What a small one takes is mostly the process itself. */
START_TEST(a_plan_tells_what_ranks_take)
{
    static const char *const ranks[MOST_RANKS] = {"1", "2", "3"};
    int i = _i / MOST_RANKS;
    if (runs[i].large == large && (large || i == 0 || _i % MOST_RANKS == i % MOST_RANKS))
        compare(i, ranks[_i % MOST_RANKS]);
}
END_TEST

int main(int argc, char **argv)
{
    large = argc > 1 && strcmp(argv[1], "large") == 0;
    job_open();
    if (SUITE_IS_SANITIZED)
        puts("not run: the address sanitizer takes memory of its own");
    else if (job_has_mpich())
        puts("not run: what a plan counts for messages is what Open MPI takes");
    if (SUITE_IS_SANITIZED || job_has_mpich() || !can_measure()) {
        job_close();
        return 77;
    }
    Suite *suite = suite_create("memory");
    TCase *jobs = tcase_create("jobs");
    tcase_set_timeout(jobs, large ? 3000 : 3 * JOB_SECONDS);
    tcase_add_unchecked_fixture(jobs, prepare, NULL);
    tcase_add_loop_test(jobs, a_plan_tells_what_ranks_take, 0, MOST_RANKS * RUNS);
    suite_add_tcase(suite, jobs);
    unsetenv("MALLOC_PERTURB_"); /* by which meson has all of every block written to */
    setenv("MEASURED_PROGRAM", getenv("RNN_TRAIN"), 1);
    int status = suite_run(suite);
    job_close();
    return status;
}

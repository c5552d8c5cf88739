/* What --plan says of memory, beside what runs take: it differs by 5 percent at most from the largest memory
 * of its own that each rank had, and from what a node had: this of all ranks, the memory that they share, and
 * programs and libraries, each counted once. Started by mpirun in place of rnn-train, this program runs it
 * and tells what it has taken. With the argument "large" the configurations are those that take minutes. */
#define _DEFAULT_SOURCE /* wait4 */

#include "support/job.h"
#include "support/suite.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* ---- in place of rnn-train ---- */

static long longer(long a, long b)
{
    return a > b ? a : b;
}

/* The number behind `what` in a file of a process, in KiB; 0 where there is none. */
static long read_number(pid_t process, const char *name, const char *what)
{
    char path[64], line[256];
    long number = 0;
    snprintf(path, sizeof path, "/proc/%ld/%s", (long)process, name);
    FILE *file = fopen(path, "r");
    while (file && fgets(line, sizeof line, file))
        if (strncmp(line, what, strlen(what)) == 0)
            number = strtol(line + strlen(what), NULL, 10);
    if (file)
        fclose(file);
    return number;
}

/* What is seen of a rank, KiB: the most of its own, of files, and of what it shares with others; and on rank
 * 0 the most that all ranks shared at a time, each page counted by as many as share it. */
struct seen {
    long own, files, others, shared;
};

/* Each measuring program tells the process of its rank by a file of this name. */
static void name_file(int rank, char name[static 32])
{
    snprintf(name, 32, "process.%d", rank);
}

static void tell(int rank, pid_t process)
{
    char name[32];
    name_file(rank, name);
    FILE *file = fopen(name, "w");
    if (file) {
        fprintf(file, "%ld\n", (long)process);
        fclose(file);
    }
}

/* Adds what a process has of shared memory: of what ranks reserve for weights and gradients, of which nothing
 * is anybody else's, all of it where `once` is 1; each other page by as many as share it. */
static long count_shared(pid_t process, int once)
{
    char path[64], line[512];
    long shared = read_number(process, "smaps_rollup", "Pss_Shmem:"), number;
    unsigned long from, to;
    int ours = 0;
    snprintf(path, sizeof path, "/proc/%ld/smaps", (long)process);
    FILE *file = fopen(path, "r");
    while (file && fgets(line, sizeof line, file)) {
        if (sscanf(line, "%lx-%lx ", &from, &to) == 2) /* a mapping begins, with a name or without */
            ours = strstr(line, "/dev/shm/rnn-train.") != NULL;
        else if (ours && once && sscanf(line, "Size: %ld", &number) == 1)
            shared += number;
        else if (ours && sscanf(line, "Pss: %ld", &number) == 1)
            shared -= number;
    }
    if (file)
        fclose(file);
    return shared;
}

static long sum_shared(int ranks)
{
    long sum = 0, process;
    for (int r = 0; r < ranks; r++) {
        char name[32];
        name_file(r, name);
        FILE *file = fopen(name, "r");
        if (file && fscanf(file, "%ld", &process) == 1)
            sum += count_shared((pid_t)process, r == 0);
        if (file)
            fclose(file);
    }
    return sum;
}

static void look(pid_t process, int rank, int ranks, struct seen *seen)
{
    long files = read_number(process, "status", "RssFile:");
    seen->own = longer(seen->own, read_number(process, "status", "RssAnon:"));
    seen->files = longer(seen->files, files);
    seen->others = longer(seen->others, files + read_number(process, "status", "RssShmem:"));
    if (rank == 0) { /* twice, as a page that is mapped meanwhile is counted by too few */
        long shared = sum_shared(ranks), again = sum_shared(ranks);
        seen->shared = longer(seen->shared, shared < again ? shared : again);
    }
}

static int number_of(const char *open_mpi, const char *mpich, int otherwise)
{
    const char *text = getenv(open_mpi) ? getenv(open_mpi) : getenv(mpich);
    return text ? atoi(text) : otherwise;
}

/* What a rank had of its own at its peak is what it was seen to have, and at least its largest resident
 * memory without the most that it ever had of others. */
static int run_measured(const char *program, char **words)
{
    int status = 0, rank = number_of("OMPI_COMM_WORLD_RANK", "PMI_RANK", 0),
        ranks = number_of("OMPI_COMM_WORLD_SIZE", "PMI_SIZE", 1);
    struct rusage usage;
    struct seen seen = {0};
    pid_t process = fork(), ended = 0;
    if (process == 0) {
        execv(program, words);
        _exit(127);
    }
    tell(rank, process);
    while (process > 0 && (ended = wait4(process, &status, WNOHANG, &usage)) == 0) {
        look(process, rank, ranks, &seen);
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    if (process < 0 || ended != process)
        return 127;
    fprintf(stderr, "peak rank=%d own=%ld files=%ld shared=%ld\n", rank,
        longer(seen.own, usage.ru_maxrss - seen.others), seen.files, seen.shared);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* ---- sets and configurations ---- */

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

/* What ranks of the run before told: their numbers may be other processes' by now. */
static void forget_processes(void)
{
    for (int r = 0; r < MOST_RANKS; r++) {
        char name[32];
        name_file(r, name);
        unlink(job_path(name));
    }
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
    words[n++] = getenv("RNN_TRAIN");
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

static void add_peaks(const char *errors, struct peaks *peaks)
{
    double sum = 0;
    for (const char *line = errors; (line = strstr(line, "peak rank=")); line++) {
        double rank, own, files, shared;
        ck_assert_int_eq(
            sscanf(line, "peak rank=%lf own=%lf files=%lf shared=%lf", &rank, &own, &files, &shared), 4);
        double *peak = rank > 0 ? &peaks->other : &peaks->first;
        *peak = fmax(*peak, own / 1024);
        sum += (own + (rank > 0 ? 0 : files + shared)) / 1024;
    }
    peaks->node = fmax(peaks->node, sum);
}

/* Rank 0, which saves, takes the most; of the others that which takes the most is looked at. On a busy
 * machine looks may come too late for what a short run has for a moment: of a few runs the most counts. */
static void compare(int i, const char *ranks)
{
    enum { RUNS_AT_MOST = 4 };
    struct command_result plan, result;
    struct peaks peaks = {0};
    char directory[32], words[32];
    snprintf(words, sizeof words, "a node of %s rank%s ", ranks, strcmp(ranks, "1") ? "s" : "");
    run(&plan, i, ranks, "--plan", NULL);
    double node = planned(plan.output, words);
    for (int n = 0; n == 0 || (n < RUNS_AT_MOST && node > 1.05 * peaks.node); n++) {
        snprintf(directory, sizeof directory, "run-%d-%s-%d", i, ranks, n);
        run(&result, i, ranks, "-o", directory);
        add_peaks(result.errors, &peaks);
        command_result_finish(&result);
    }
    expect_near("rank 0", planned(plan.output, "rank 0 at most"), peaks.first);
    if (peaks.other > 0)
        expect_near("another rank", planned(plan.output, "another rank at most"), peaks.other);
    expect_near("the node", node, peaks.node);
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
    const char *program = getenv("MEASURED_PROGRAM");
    char own[4096] = "";
    if (program)
        return run_measured(program, argv);
    large = argc > 1 && strcmp(argv[1], "large") == 0;
    job_open();
    if (SUITE_IS_SANITIZED || job_has_mpich()) {
        puts(SUITE_IS_SANITIZED ? "not run: the address sanitizer takes memory of its own"
                                : "not run: what a plan counts for messages is what Open MPI takes");
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
    if (readlink("/proc/self/exe", own, sizeof own - 1) < 0)
        return EXIT_FAILURE;
    setenv("MEASURED_PROGRAM", getenv("RNN_TRAIN"), 1);
    setenv("RNN_TRAIN", own, 1);
    int status = suite_run(suite);
    job_close();
    return status;
}

/* Files on which HDF5 itself crashes or does not end, or did in some version (tests/fuzz/found), through the
 * programs: exit code 65 and one line that names the file, on any number of ranks, and nothing written. */
#include "h5/h5.h"
#include "support/job.h"
#include "support/suite.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char base[] =
    "[data]\ntrain = train.h5\nvalid = train.h5\n[model]\nhidden = 4\n[train]\nbatch = 4\nmicrobatch = 2\n"
    "epochs = 1\n";
enum { MOST_RANKS = 2 };

static void set_up(void)
{
    char hash[17];
    struct sample_shape shape = {
        .sequences = 4, .shortest = 1, .longest = 5, .symbols = 7, .kind = SAMPLE_PER_SEQUENCE, .classes = 2};
    job_write_sample("train.h5", &shape, 1);
    job_write_text("base.ini", base);
    job_finish(hash, 0, "base.ini", "good", NULL);
}

static int crashes; /* of HDF5; whether it crashes may depend on what lies in memory */

/* One line that names the file, of each rank that came so far. */
static void expect_refusal(struct command_result *result, int ranks, const char *name)
{
    job_expect(result, 65);
    /* --verify prints what it finds */
    const char *said = strstr(result->errors, name) ? result->errors : result->output;
    int lines = 0;
    int crashed = strstr(said, ": HDF5 crashed while reading it (") ||
        strstr(said, ": HDF5 goes in circles while reading it: ");
    for (const char *at = said; (at = strstr(at, name)); at += strlen(name))
        lines++;
    ck_assert_msg(
        lines == 1 || (crashed && lines > 1 && lines <= ranks), "%s%s", result->errors, result->output);
    crashes += crashed;
    command_result_finish(result);
}

static void refuse_call(const char *name, const char *program, const char *one, const char *two)
{
    struct command_result result;
    command_call(&result, JOB_SECONDS, getenv(program), one, two, NULL);
    expect_refusal(&result, 0, name);
}

static void refuse_prediction(const char *name, int ranks, const char *checkpoint, const char *data)
{
    struct command_result result;
    if (ranks)
        command_call(&result, JOB_SECONDS, getenv("MPIRUN"), "-np", "2", getenv("RNN_PREDICT"),
            job_path(checkpoint), job_path(data), "-o", job_path("out.h5"), NULL);
    else
        command_call(&result, JOB_SECONDS, getenv("RNN_PREDICT"), job_path(checkpoint), job_path(data), "-o",
            job_path("out.h5"), NULL);
    expect_refusal(&result, ranks, name);
    ck_assert(!job_exists("out.h5"));
}

static void refuse_job(const char *name, int ranks, const char *word, const char *more)
{
    static int number;
    struct command_result result;
    char run[40]; /* a run that has begun is another matter to --init */
    snprintf(run, sizeof run, "run-%d-%d", (int)getpid(), ++number);
    job_run(&result, ranks, "base.ini", run, word, more, NULL);
    expect_refusal(&result, ranks, name);
    if (job_exists(run)) {
        ck_assert_int_eq(job_count(run, "checkpoint-"), 0);
        ck_assert_int_eq(job_count(run, "metrics"), 0);
    }
}

static void try_dataset(void)
{
    refuse_call("bad.h5", "RNN_DATA", "check", job_path("bad.h5"));
    refuse_call("bad.h5", "RNN_DATA", "info", job_path("bad.h5"));
    for (int ranks = 0; ranks <= MOST_RANKS; ranks += MOST_RANKS) {
        refuse_job("bad.h5", ranks, "-s", "data.train=bad.h5");
        refuse_prediction("bad.h5", ranks, "good/best.h5", "bad.h5");
    }
    struct command_result result;
    job_run(&result, 0, "base.ini", NULL, "--check", "-s", "data.train=bad.h5", NULL);
    expect_refusal(&result, 0, "bad.h5");
}

static void try_checkpoint(void)
{
    struct command_result result;
    job_run(&result, 0, NULL, NULL, "--verify", job_path("bad.h5"), NULL);
    expect_refusal(&result, 0, "bad.h5");
    for (int ranks = 0; ranks <= MOST_RANKS; ranks += MOST_RANKS) {
        refuse_job("bad.h5", ranks, "--init", job_path("bad.h5"));
        refuse_prediction("bad.h5", ranks, "bad.h5", "train.h5");
    }
}

/* Copies each file to bad.h5. */
static void try_each(const char *kind, void (*try)(void))
{
    char path[4096];
    int tried = 0;
    snprintf(path, sizeof path, "%s/%s", getenv("FOUND"), kind);
    DIR *folder = opendir(path);
    ck_assert_ptr_nonnull(folder);
    for (const struct dirent *entry; (entry = readdir(folder)); tried += 1) {
        if (strncmp(entry->d_name, "hdf5-", 5) != 0)
            continue;
        snprintf(path, sizeof path, "%s/%s/%.200s", getenv("FOUND"), kind, entry->d_name);
        printf("%s\n", path);
        size_t size;
        char *bytes = job_read(path, &size);
        job_write("bad.h5", bytes, size);
        free(bytes);
        try();
    }
    closedir(folder);
    ck_assert_int_gt(tried, 0);
}

START_TEST(a_dataset_that_crashes_hdf5_is_refused_by_name)
{
    char version[64];
    h5_version(version, sizeof version);
    try_each("dataset", try_dataset);
    ck_assert(crashes > 0 || strcmp(version, "HDF5 1.10.8") != 0); /* of that it is known */
}
END_TEST

START_TEST(a_checkpoint_that_crashes_hdf5_is_refused_by_name)
{
    try_each("checkpoint", try_checkpoint);
}
END_TEST

int main(void)
{
    job_open();
    setenv("OMPI_MCA_odls_base_sigkill_timeout", "0", 0); /* mpirun waits so long for ranks that are gone */
    Suite *suite = suite_create("damaged");
    TCase *tests = tcase_create("damaged");
    tcase_set_timeout(tests, 200);
    tcase_add_unchecked_fixture(tests, set_up, NULL);
    tcase_add_test(tests, a_dataset_that_crashes_hdf5_is_refused_by_name);
    tcase_add_test(tests, a_checkpoint_that_crashes_hdf5_is_refused_by_name);
    suite_add_tcase(suite, tests);
    int outcome = suite_run(suite);
    job_close();
    return outcome;
}

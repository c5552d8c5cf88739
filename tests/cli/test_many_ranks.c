/* As many ranks as a few nodes have, on one machine: they start, make steps, and end.
 *
 *     test_many_ranks RANKS */
#include "base/clock.h"
#include "support/job.h"
#include "support/suite.h"

#include <stdio.h>
#include <stdlib.h>

enum { SECONDS = 600 };

static const char *ranks; /* how many, as mpirun takes it */

static const char text[] = "[data]\ntrain = train.h5\n"
                           "[model]\nhidden = 4\nlayers = 1\n"
                           "[train]\nbatch = 4096\nmicrobatch = 8\nepochs = 2\n";

static void write_job(void)
{
    struct sample_shape shape = {.sequences = 4096,
        .shortest = 2,
        .longest = 9,
        .features = 3,
        .kind = SAMPLE_PER_SEQUENCE,
        .classes = 4};
    job_write_sample("train.h5", &shape, 1);
    job_write_text("run.ini", text);
}

/* The time of a start is what there is to see of it beside the bits. */
START_TEST(many_ranks_make_steps_and_end_within_ten_minutes)
{
    struct command_result result;
    char one[17], many[64], run[1000], config[1000];
    snprintf(run, sizeof run, "%s", job_path("many"));
    snprintf(config, sizeof config, "%s", job_path("run.ini"));
    job_finish(one, 0, "run.ini", "one", NULL);
    double start = clock_now();
    command_call(
        &result, SECONDS, getenv("MPIRUN"), "-np", ranks, getenv("RNN_TRAIN"), config, "-o", run, NULL);
    printf("%s ranks: %.1f seconds\n", ranks, clock_now() - start);
    job_expect(&result, 0);
    job_field(result.output, "finished: ", "weights_hash", many);
    ck_assert_str_eq(many, one);
    job_field(result.output, "finished: ", "step", many);
    ck_assert_str_eq(many, "2");
    command_result_finish(&result);
}
END_TEST

int main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    ranks = argv[1];
    setvbuf(stdout, NULL, _IOLBF, 0);
    job_open();
    Suite *suite = suite_create("many ranks");
    TCase *tests = tcase_create("many");
    tcase_add_unchecked_fixture(tests, write_job, NULL);
    tcase_set_timeout(tests, SECONDS + 100);
    tcase_add_test(tests, many_ranks_make_steps_and_end_within_ten_minutes);
    suite_add_tcase(suite, tests);
    int outcome = suite_run(suite);
    job_close();
    return outcome;
}

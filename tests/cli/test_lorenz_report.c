/* The report on the Lorenz system, of estimates whose errors are known. */
#include "base/memory.h"
#include "h5/h5.h"
#include "h5/table.h"
#include "support/job.h"
#include "support/suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SEQUENCES = 5, COORDINATES = 3 };

static int64_t offsets[SEQUENCES + 1];
static float *truth; /* [offsets[SEQUENCES]][COORDINATES] */

static void make_datasets(void)
{
    struct command_result result;
    struct error error = {0};
    command_call(&result, JOB_SECONDS, getenv("RNN_DATA"), "make", "lorenz", "--sequences", "25", "-o",
        job_path("."), NULL);
    job_expect(&result, 0);
    command_result_finish(&result);
    struct h5_file *file = h5_open(job_path("lorenz-test.h5"), 0, &error);
    ck_assert_msg(file && h5_read_integers(file, "input_offsets", 0, SEQUENCES + 1, offsets, &error) == 0,
        "%s", error.text);
    truth = memory_create((size_t)offsets[SEQUENCES] * COORDINATES, sizeof *truth, &error);
    ck_assert_msg(truth && h5_read_floats(file, "targets", 0, offsets[SEQUENCES], truth, &error) == 0, "%s",
        error.text);
    h5_close(file);
}

static void forget_truth(void)
{
    memory_destroy(truth);
}

/* Outputs as rnn-predict writes them: the truth, but for an error of the stored x, of the first sequences. */
static void write_estimate(const char *name, float wrong, int64_t sequences)
{
    struct error error = {0};
    struct h5_table *table = h5_table_create(&error);
    int64_t N = offsets[sequences], size[] = {N, COORDINATES}, rows = sequences + 1;
    size_t outputs = h5_table_add(table, "outputs", H5_FLOAT32, 2, size),
           places = h5_table_add(table, "output_offsets", H5_INT64, 1, &rows);
    float *values = memory_create((size_t)N * COORDINATES, sizeof *values, &error);
    ck_assert_ptr_nonnull(values);
    for (int64_t i = 0; i < N * COORDINATES; i++)
        values[i] = truth[i] + (i % COORDINATES == 0 ? wrong : 0);
    ck_assert_msg(h5_table_start(table, job_path(name), &error) == 0 &&
            h5_table_write(table, outputs, 0, N, values, &error) == 0 &&
            h5_table_write(table, places, 0, rows, offsets, &error) == 0 &&
            h5_table_finish(table, &error) == 0,
        "%s", error.text);
    memory_destroy(values);
}

static void report(struct command_result *result, int code, const char *estimate, const char *series)
{
    char estimates[600];
    snprintf(estimates, sizeof estimates, "network=%s", job_path(estimate));
    command_call(result, JOB_SECONDS, getenv("LORENZ_REPORT"), job_path("lorenz-test.h5"), estimates,
        series ? "--series" : NULL, series ? job_path(series) : NULL, NULL);
    job_expect(result, code);
}

/* An error of 0.1 in the stored x is one of 0.8 in the system's. */
START_TEST(errors_are_told_in_units_of_the_system)
{
    static const char row[] = "network                                   0.800    0.000    0.000";
    struct command_result result;
    write_estimate("near.h5", 0.1F, SEQUENCES);
    report(&result, 0, "near.h5", NULL);
    ck_assert_msg(job_count_lines(result.output, row) == 1, "%s", result.output);
    char *line = job_line(result.output, row, 1);
    ck_assert_msg(strstr(line, " 100.00% ") != NULL, "%s", line);
    free(line);
    ck_assert_int_eq(job_count_lines(result.output, "linear interpolation of observations"), 1);
    command_result_finish(&result);
}
END_TEST

START_TEST(the_first_sequence_becomes_columns)
{
    struct command_result result;
    double time, x, y, z, estimated;
    char observation[32];
    write_estimate("near.h5", 0.1F, SEQUENCES);
    report(&result, 0, "near.h5", "series.txt");
    char *text = job_read("series.txt", NULL);
    int64_t lines = 0;
    for (const char *end = text; (end = strchr(end, '\n')); end++)
        lines++;
    ck_assert_int_eq(lines, offsets[1] + 1);
    ck_assert_int_eq(job_count_lines(text, "# time observation x y z [network: x y z]"), 1);
    char *line = job_line(text, "0.02 ? ", 1); /* the second step is not observed */
    ck_assert_int_eq(sscanf(line, "%lf %31s %lf %lf %lf %lf", &time, observation, &x, &y, &z, &estimated), 6);
    ck_assert_double_eq_tol(estimated - x, 0.8, 1e-3);
    free(line);
    free(text);
    command_result_finish(&result);
}
END_TEST

START_TEST(what_does_not_fit_is_refused)
{
    struct command_result result;
    write_estimate("few.h5", 0, SEQUENCES - 1);
    report(&result, 65, "few.h5", NULL);
    ck_assert_msg(strstr(result.errors, "predictions for another dataset") != NULL, "%s", result.errors);
    command_result_finish(&result);
    report(&result, 65, "lorenz-train.h5", NULL);
    command_result_finish(&result);
    command_call(&result, JOB_SECONDS, getenv("LORENZ_REPORT"), job_path("lorenz-test.h5"), NULL);
    job_expect(&result, 2);
    command_result_finish(&result);
    command_call(
        &result, JOB_SECONDS, getenv("LORENZ_REPORT"), job_path("lorenz-test.h5"), job_path("few.h5"), NULL);
    job_expect(&result, 2);
    ck_assert_msg(strstr(result.errors, "NAME=PREDICTIONS.h5") != NULL, "%s", result.errors);
    command_result_finish(&result);
}
END_TEST

int main(void)
{
    job_open();
    Suite *suite = suite_create("lorenz-report");
    TCase *cases = tcase_create("report");
    tcase_set_timeout(cases, JOB_SECONDS);
    tcase_add_checked_fixture(cases, make_datasets, forget_truth);
    tcase_add_test(cases, errors_are_told_in_units_of_the_system);
    tcase_add_test(cases, the_first_sequence_becomes_columns);
    tcase_add_test(cases, what_does_not_fit_is_refused);
    suite_add_tcase(suite, cases);
    int outcome = suite_run(suite);
    job_close();
    return outcome;
}

/* rnn-predict -o - and --format from outside: the same bytes everywhere, pipes that end early, and what is
 * refused. What is in the bytes is held to the HDF5 file by predictions.py. */
#include "support/job.h"
#include "support/suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const formats[] = {"csv", "text", "hdf5"};
enum { FORMATS = 3 };

/* Networks: those that give rows, and one that finds labels. */
static const struct {
    const char *name, *model;
    struct sample_shape shape;
} kinds[] = {
    {"frames", "output = frame\n",
        {.sequences = 50,
            .shortest = 1,
            .longest = 30,
            .features = 3,
            .kind = SAMPLE_PER_FRAME,
            .classes = 4,
            .names = 1}},
    {"values", "output = sequence\nloss = mse\n",
        {.sequences = 50,
            .shortest = 1,
            .longest = 30,
            .symbols = 5,
            .kind = SAMPLE_PER_SEQUENCE,
            .values = 2}},
    {"labels", "output = ctc\n",
        {.sequences = 50, .shortest = 8, .longest = 30, .features = 3, .kind = SAMPLE_ANY, .classes = 4}},
};
enum { KINDS = 3 };

static void train(int kind)
{
    char data[64], config[64], text[512];
    struct command_result result;
    snprintf(data, sizeof data, "%s.h5", kinds[kind].name);
    snprintf(config, sizeof config, "%s.ini", kinds[kind].name);
    snprintf(text, sizeof text,
        "[data]\ntrain = %s\n[model]\nhidden = 9\nlayers = 1\n%s[train]\nmicrobatch = 4\nepochs = 20\nlr = "
        "0.05\n",
        data, kinds[kind].model);
    job_write_sample(data, &kinds[kind].shape, 1);
    job_write_text(config, text);
    job_run(&result, 0, config, kinds[kind].name, "--fresh", NULL);
    job_expect(&result, 0);
    command_result_finish(&result);
}

/* Runs a script of bash in the folder of the jobs, in which $P is the program, and $M mpirun for so many
 * ranks, or nothing. */
static void script(struct command_result *result, int ranks, const char *text)
{
    char whole[1024];
    const char *argv[] = {"bash", "-c", whole, NULL}, *mpirun = getenv("MPIRUN");
    char start[256] = "";
    if (ranks)
        snprintf(start, sizeof start, "%s -np %d", mpirun ? mpirun : "mpirun", ranks);
    snprintf(whole, sizeof whole, "P=$RNN_PREDICT M='%s'\n%s", start, text);
    command_run(&(struct command){.argv = argv, .directory = job_path(""), .seconds = JOB_SECONDS}, result);
}

static void run_script(int ranks, const char *text)
{
    struct command_result result;
    script(&result, ranks, text);
    job_expect(&result, 0);
    command_result_finish(&result);
}

START_TEST(bytes_depend_neither_on_ranks_nor_on_where_they_go)
{
    char text[512];
    train(_i);
    for (int f = 0; f < FORMATS; f++) {
        snprintf(text, sizeof text,
            "set -e; for way in '' '--batch 1' '--batch 1000'; do\n"
            "$M $P $way -o - --format %s %s %s.h5 </dev/null >piped 2>said\n"
            "[ -f first.%d%d ] || $P -o first.%d%d --format %s %s %s.h5 >said\n"
            "grep -q '^sequences=50 frames=.* loss=' said; cmp piped first.%d%d; done",
            formats[f], kinds[_i].name, kinds[_i].name, _i, f, _i, f, formats[f], kinds[_i].name,
            kinds[_i].name, _i, f);
        run_script(0, text);
        run_script(1, text);
        run_script(3, text);
    }
    ck_assert(!job_same_file("first.00", "first.01") || _i);
}
END_TEST

/* Without a format a file is HDF5, and standard output text. */
START_TEST(the_format_follows_from_where_the_outputs_go)
{
    train(0);
    run_script(0,
        "set -e; $P -o whole.h5 frames frames.h5; $P -o - --format hdf5 frames frames.h5 | cmp - whole.h5\n"
        "$P -o lines --format text frames frames.h5; $P -o - frames frames.h5 | cmp - lines\n"
        "[ $(grep -c $'^sequence [0-9]*\\t' lines) = 50 ]");
}
END_TEST

/* It fails with this code and one line of its own that holds the text. */
static void expect_failure(int ranks, const char *text, int code, const char *why)
{
    struct command_result result;
    script(&result, ranks, text);
    job_expect(&result, code);
    ck_assert_msg(job_count_lines(result.errors, "rnn-predict: ") == 1, "%s: %s", text, result.errors);
    ck_assert_msg(strstr(result.errors, why) != NULL, "wanted '%s' in: %s", why, result.errors);
    command_result_finish(&result);
}

/* Outputs that a pipe has no room for, which are written all the same where somebody reads. */
START_TEST(a_reader_that_leaves_ends_it)
{
    char text[256];
    struct sample_shape shape = kinds[0].shape;
    train(0);
    shape.sequences = 3000;
    job_write_sample("large.h5", &shape, 2);
    for (int f = 0; f < FORMATS; f++) {
        snprintf(text, sizeof text,
            "$P -o - --format %s frames large.h5 | head -c 9 >head; exit ${PIPESTATUS[0]}", formats[f]);
        expect_failure(0, text, 74, "standard output: whoever reads it is gone");
        snprintf(text, sizeof text, "$P -o - --format %s frames large.h5 >/dev/full", formats[f]);
        expect_failure(0, text, 74, "standard output: cannot be written: ");
    }
}
END_TEST

/* What mpirun makes of it is its own affair, but it ends, with all ranks. */
START_TEST(a_reader_that_leaves_ends_all_ranks)
{
    struct command_result result;
    struct sample_shape shape = kinds[0].shape;
    train(0);
    shape.sequences = 3000;
    job_write_sample("large.h5", &shape, 2);
    script(&result, 3, "$M $P -o - --format csv frames large.h5 </dev/null | head -n 1");
    ck_assert(!result.timed_out);
    ck_assert_int_eq(result.left_behind, 0);
    ck_assert_str_eq(result.output, "name,frame,label,p_0,p_1,p_2,p_3\n");
    command_result_finish(&result);
}
END_TEST

/* A reader that takes longer than ranks may be silent is waited for. */
START_TEST(a_reader_that_takes_his_time_is_waited_for)
{
    struct sample_shape shape = kinds[0].shape;
    train(0);
    shape.sequences = 3000;
    job_write_sample("large.h5", &shape, 2);
    run_script(2,
        "set -eo pipefail; $P -o all --format csv frames large.h5\n"
        "$M $P --watchdog '1 second' -o - --format csv frames large.h5 </dev/null | (sleep 6; cmp - all)");
}
END_TEST

START_TEST(a_stop_while_nobody_reads_ends_it)
{
    struct sample_shape shape = kinds[0].shape;
    train(0);
    shape.sequences = 3000;
    job_write_sample("large.h5", &shape, 2);
    expect_failure(0,
        "mkfifo pipe; exec 3<>pipe; $P -o - --format csv frames large.h5 >pipe & sleep 1\n"
        "kill -TERM $!; wait $!",
        74, "stopped by SIGTERM");
}
END_TEST

START_TEST(an_error_leaves_no_file)
{
    char text[256];
    struct sample_shape shape = kinds[0].shape;
    struct sample sample;
    train(0);
    shape.sequences = 500;
    sample_init(&sample, &shape, 3);
    sample.inputs[(sample.frames - 1) * 3] = __builtin_nanf("");
    sample_write(&sample, job_path("bad.h5"));
    sample_finish(&sample);
    for (int f = 0; f < FORMATS; f++) {
        snprintf(text, sizeof text, "$P -o out --format %s --cache 0 --batch 1 frames bad.h5", formats[f]);
        expect_failure(0, text, 65, "bad.h5: inputs: row");
        ck_assert(!job_exists("out") && job_count(".", ".out") == 0);
    }
    expect_failure(0, "$P -o - --format hdf5 --cache 0 --batch 1 frames bad.h5 >out", 65, "bad.h5: inputs: row");
    ck_assert(!job_read("out", NULL)[0]);
}
END_TEST

START_TEST(what_makes_no_sense_is_refused)
{
    train(0);
    expect_failure(0, "$P --format csv frames frames.h5", 2, "--format goes with -o FILE");
    expect_failure(0, "$P -o x --format json frames frames.h5", 2, "allowed is hdf5, csv or text");
    expect_failure(0, "$P -o x --format csv --gradient-flow frames frames.h5", 2, "with --gradient-flow");
    expect_failure(0, "$P -o x --format csv --generate 3 frames", 2, "with --generate");
    expect_failure(0, "$P -o - frames frames.h5 >>frames.h5", 2, "frames.h5: is the file that is read");
    expect_failure(0,
        "script -qec \"$P -o - --format hdf5 frames frames.h5 2>said\" /dev/null >/dev/null\n"
        "code=$?; cat said >&2; exit $code",
        2, "is a terminal");
}
END_TEST

/* Other things that -o takes. */
START_TEST(curves_and_generated_sets_go_into_a_pipe_too)
{
    run_script(0,
        "set -e; $RNN_DATA make reber -o . --sequences 20 >/dev/null\n"
        "printf '[data]\\ntrain = reber-train.h5\\n[model]\\noutput = frame\\nbidirectional = no\\nhidden = "
        "4\\n"
        "[train]\\nepochs = 1\\n' >reber.ini; $RNN_TRAIN -o reber reber.ini >/dev/null\n"
        "$P --gradient-flow -o flow.csv reber reber-test.h5 >lines\n"
        "$P --gradient-flow -o - reber reber-test.h5 2>said | cmp - flow.csv; cmp said lines\n"
        "$P --generate 5 -o set.h5 reber >lines; $P --generate 5 -o - reber 2>said | cmp - set.h5; cmp said "
        "lines");
}
END_TEST

int main(void)
{
    job_open();
    Suite *suite = suite_create("predictions");
    TCase *results = tcase_create("results"), *failures = tcase_create("failures");
    tcase_set_timeout(results, 200);
    tcase_set_timeout(failures, 200);
    tcase_add_loop_test(results, bytes_depend_neither_on_ranks_nor_on_where_they_go, 0, KINDS);
    tcase_add_test(results, the_format_follows_from_where_the_outputs_go);
    tcase_add_test(results, curves_and_generated_sets_go_into_a_pipe_too);
    tcase_add_test(results, a_reader_that_takes_his_time_is_waited_for);
    tcase_add_test(failures, a_reader_that_leaves_ends_it);
    tcase_add_test(failures, a_reader_that_leaves_ends_all_ranks);
    tcase_add_test(failures, a_stop_while_nobody_reads_ends_it);
    tcase_add_test(failures, an_error_leaves_no_file);
    tcase_add_test(failures, what_makes_no_sense_is_refused);
    suite_add_tcase(suite, results);
    suite_add_tcase(suite, failures);
    int status = suite_run(suite);
    job_close();
    return status;
}

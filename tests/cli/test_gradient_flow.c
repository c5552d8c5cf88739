/* Gradient flow as users meet it: the line of an epoch, gradient_flow.csv, what is said of it, and the same
 * of a checkpoint alone; on any number of ranks, after a stop anywhere, and after damage. */
#include "support/job.h"
#include "support/suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* 20 sequences are 5 steps an epoch; curves of two layers, 3 directions. */
enum { STEPS = 5, DISTANCES = 6, ROWS_OF_EPOCH = 3 * DISTANCES };

static const char config[] = "[data]\ntrain = train.h5\nvalid = valid.h5\n"
                             "[model]\nhidden = 8, 6\nlayers = 2\nbidirectional = yes, no\ndropout = 0.2\n"
                             "[train]\nbatch = 4\nmicrobatch = 2\nepochs = 2\nclip = 0.2\n"
                             "[checkpoint]\nevery = 1 step\nkeep = 100\n"
                             "[report]\ngradient_flow = 1\n";

static struct command_result whole; /* of the undisturbed run, `whole` */

static void write_data(void)
{
    struct sample_shape shape = {.sequences = 20,
        .shortest = 3,
        .longest = 64,
        .features = 3,
        .kind = SAMPLE_PER_SEQUENCE,
        .classes = 3};
    job_write_sample("train.h5", &shape, 1);
    shape.sequences = 6;
    job_write_sample("valid.h5", &shape, 2);
    job_write_text("flow.ini", config);
    shape = (struct sample_shape){.sequences = 8,
        .shortest = 200,
        .longest = 200,
        .features = 3,
        .kind = SAMPLE_PER_SEQUENCE,
        .classes = 3};
    job_write_sample("even.h5", &shape, 3);
    job_write_text("even.ini",
        "[data]\ntrain = even.h5\n[model]\nhidden = 8\nbidirectional = no\n"
        "[train]\nbatch = 4\nepochs = 3\nlr = 1e-9\n[report]\ngradient_flow = 1\n");
}

static void open_all(void)
{
    job_open();
    write_data();
    job_run(&whole, 0, "flow.ini", "whole", NULL);
    job_expect(&whole, 0);
}

static void close_all(void)
{
    command_result_finish(&whole);
    job_close();
}

/* The line of an epoch, less what is the machine's. The caller's. */
static char *epoch_line(const char *output, int epoch)
{
    char beginning[32];
    snprintf(beginning, sizeof beginning, "epoch=%d ", epoch);
    char *line = job_line(output, beginning, 1), *end = strstr(line, " slowest=");
    ck_assert_ptr_nonnull(end);
    *end = 0;
    return line;
}

static void expect_same_line(const char *output, int epoch)
{
    char *line = epoch_line(output, epoch), *want = epoch_line(whole.output, epoch);
    ck_assert_str_eq(line, want);
    free(line);
    free(want);
}

/* Lines of a file, its header among them. */
static int count_lines(const char *name)
{
    char *text = job_read(name, NULL);
    int n = 0;
    for (const char *c = text; *c; c++)
        n += *c == '\n';
    free(text);
    return n;
}

START_TEST(each_direction_and_distance_has_a_row_an_epoch)
{
    char *text = job_read("whole/gradient_flow.csv", NULL), *line = strtok(text, "\n");
    ck_assert_str_eq(line, "epoch,layer,direction,distance,norm");
    for (int row = 0; row < 2 * ROWS_OF_EPOCH; row++) {
        char want[64];
        int direction = row % ROWS_OF_EPOCH / DISTANCES;
        snprintf(want, sizeof want, "%d,%d,%s,%d,", 1 + row / ROWS_OF_EPOCH, direction / 2,
            direction == 1 ? "reverse" : "forward", 1 << row % DISTANCES);
        ck_assert_ptr_nonnull(line = strtok(NULL, "\n"));
        ck_assert_msg(strncmp(line, want, strlen(want)) == 0, "%s, not %s", line, want);
        ck_assert(atof(line + strlen(want)) > 0);
    }
    ck_assert_ptr_null(strtok(NULL, "\n"));
    free(text);
}
END_TEST

/* The median of five norms, and those above 0.2, are found here again. */
START_TEST(the_line_of_an_epoch_tells_of_its_gradients)
{
    char *text = job_read("whole/metrics.csv", NULL), value[64];
    double norm[STEPS], most = 0, median = 0;
    int n = 0, clipped = 0;
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
        const char *column = line;
        for (int i = 0; i < 8; i++)
            column = strchr(column, ',') + 1;
        if (strstr(line, ",2,train,"))
            norm[n++] = atof(column);
    }
    ck_assert_int_eq(n, STEPS);
    for (int i = 0; i < STEPS; i++) {
        int below = 0;
        for (int j = 0; j < STEPS; j++)
            below += norm[j] < norm[i];
        median = below == STEPS / 2 ? norm[i] : median;
        most = norm[i] > most ? norm[i] : most;
        clipped += norm[i] > 0.2;
    }
    ck_assert(clipped > 0 && most > median);
    job_field(whole.output, "epoch=2 ", "gradient_norm", value);
    ck_assert_double_eq_tol(atof(value), median, 1e-8 * median);
    job_field(whole.output, "epoch=2 ", "clipped", value);
    ck_assert_double_eq_tol(atof(value), (double)clipped / STEPS, 1e-8);
    job_field(whole.output, "epoch=2 ", "gradient_reach", value);
    ck_assert(value[0] == '>' || atof(value) > 0);
    free(text);
}
END_TEST

START_TEST(figures_do_not_depend_on_the_number_of_ranks)
{
    static const int ranks[] = {2, 3, 8};
    struct command_result result;
    job_run(&result, ranks[_i], "flow.ini", "ranks", "--fresh", NULL);
    job_expect(&result, 0);
    expect_same_line(result.output, 1);
    expect_same_line(result.output, 2);
    ck_assert(job_same_file("ranks/gradient_flow.csv", "whole/gradient_flow.csv"));
    command_result_finish(&result);
}
END_TEST

/* Without its later checkpoints the run goes on from step `_i`, where it may have measured more since. */
START_TEST(a_run_that_goes_on_tells_the_same)
{
    char run[64], name[128];
    struct command_result result;
    snprintf(run, sizeof run, "cut-%d", _i);
    job_copy("whole", run);
    for (int step = _i + 1; step <= 2 * STEPS; step++) {
        snprintf(name, sizeof name, "%s/checkpoint-%010d.h5", run, step);
        job_remove(name);
    }
    job_run(&result, 2, "flow.ini", run, NULL);
    job_expect(&result, 0);
    if (_i < STEPS)
        expect_same_line(result.output, 1);
    expect_same_line(result.output, 2);
    command_result_finish(&result);
    job_run(&result, 0, NULL, NULL, "--verify", job_path(run), NULL);
    job_expect(&result, 0);
    command_result_finish(&result);
    ck_assert(job_same_file(strcat(run, "/gradient_flow.csv"), "whole/gradient_flow.csv"));
}
END_TEST

static void cut_file(const char *name)
{
    size_t size;
    char *text = job_read(name, &size);
    job_write(name, text, size / 3);
    free(text);
}

/* What of an older measurement is lost is told; that of the newest is in the checkpoint. */
START_TEST(a_damaged_file_is_made_anew_of_what_there_is)
{
    const char *run = _i ? "damaged-1" : "damaged-0";
    char file[64];
    struct command_result result;
    snprintf(file, sizeof file, "%s/gradient_flow.csv", run);
    job_copy("whole", run);
    if (_i == 0)
        job_remove(file);
    else
        cut_file(file);
    job_run(&result, 0, "flow.ini", run, "-s", "train.epochs=3", NULL);
    job_expect(&result, 0);
    job_complains(&result, 1, "warning: ", file, "made anew", "cannot be had again", NULL);
    int lines = count_lines(file);
    ck_assert_int_ge(lines, 1 + 2 * ROWS_OF_EPOCH);
    ck_assert_int_lt(lines, 1 + 3 * ROWS_OF_EPOCH);
    command_result_finish(&result);
}
END_TEST

/* Off, nothing is measured and no bit differs; how often is no part of what makes a run another. */
START_TEST(it_changes_no_weight_and_may_be_turned_off_and_on)
{
    char hash[17], want[64];
    struct command_result result;
    job_finish(hash, 2, "flow.ini", "off", "-s", "report.gradient_flow=0", NULL);
    job_field(whole.output, "finished: ", "weights_hash", want);
    ck_assert_str_eq(hash, want);
    ck_assert(!job_exists("off/gradient_flow.csv"));
    job_run(&result, 0, "flow.ini", "off", "-s", "report.gradient_flow=3", "-s", "train.epochs=3", NULL);
    job_expect(&result, 0);
    ck_assert(job_has_field(result.output, "epoch=3 ", "gradient_reach"));
    ck_assert_int_eq(count_lines("off/gradient_flow.csv"), 1 + ROWS_OF_EPOCH);
    command_result_finish(&result);
}
END_TEST

/* Once, though each of three measurements finds it; a network that starts with a timescale has it not. */
START_TEST(a_short_reach_is_warned_of_once_with_the_keys_that_help)
{
    struct command_result result;
    job_run(&result, 0, "even.ini", "short", "-s", "model.forget_bias=-5", NULL);
    job_expect(&result, 0);
    job_complains(&result, 1, "warning: epoch 1: gradients of layer 0 (forward) reach ", " frames back",
        "200 or more", "model.timescale = 200", "model.forget_bias", "model.cell = indrnn or mingru or lru",
        NULL);
    command_result_finish(&result);
    job_run(&result, 0, "even.ini", "long", "-s", "model.timescale=200", NULL);
    job_expect(&result, 0);
    ck_assert_int_eq(job_count_lines(result.errors, "rnn-train: "), 0);
    command_result_finish(&result);
}
END_TEST

START_TEST(a_gradient_that_grows_is_warned_of)
{
    struct command_result result;
    job_run(&result, 0, "even.ini", "grows", "-s", "model.cell=indrnn", "-s", "model.recurrent_max=1.2", "-s",
        "model.hidden=64", NULL);
    job_expect(&result, 0);
    job_complains(
        &result, 1, "warning: epoch 1: gradients of layer ", "grow to ", "model.recurrent_max", NULL);
    command_result_finish(&result);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("gradient_flow");
    TCase *cases = tcase_create("flow");
    tcase_add_unchecked_fixture(cases, open_all, close_all);
    tcase_set_timeout(cases, 200);
    tcase_add_test(cases, each_direction_and_distance_has_a_row_an_epoch);
    tcase_add_test(cases, the_line_of_an_epoch_tells_of_its_gradients);
    tcase_add_loop_test(cases, figures_do_not_depend_on_the_number_of_ranks, 0, 3);
    tcase_add_loop_test(cases, a_run_that_goes_on_tells_the_same, 3, 2 * STEPS - 1);
    tcase_add_loop_test(cases, a_damaged_file_is_made_anew_of_what_there_is, 0, 2);
    tcase_add_test(cases, it_changes_no_weight_and_may_be_turned_off_and_on);
    tcase_add_test(cases, a_short_reach_is_warned_of_once_with_the_keys_that_help);
    tcase_add_test(cases, a_gradient_that_grows_is_warned_of);
    suite_add_tcase(suite, cases);
    return suite_run(suite);
}

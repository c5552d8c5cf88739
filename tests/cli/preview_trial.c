/* rnn-train --try: its figures are those of the run that it stands for, and nothing is written. */
#include "preview_trial.h"

#include "support/job.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is tried, and the loss of who guesses; NaN: it is not known beforehand. */
static const struct variant {
    struct sample_shape shape;
    const char *model, *train;
    double guess;
} variants[] = {
    {{.sequences = 10, .shortest = 2, .longest = 9, .features = 3, .kind = SAMPLE_PER_FRAME, .classes = 4},
        "output = frame\n", "batch = 4\n", 1.3862943611198906 /* ln 4 */},
    {{.sequences = 9, .shortest = 8, .longest = 12, .features = 3, .kind = SAMPLE_ANY, .classes = 4},
        "output = ctc\n", "batch = 4\n", NAN},
    {{.sequences = 9, .shortest = 4, .longest = 9, .symbols = 5, .kind = SAMPLE_ANY, .classes = 4},
        "output = decoder\n", "batch = 4\n", 1.6094379124341003 /* ln 5: the end symbol is one more */},
    {{.sequences = 7, .shortest = 9, .longest = 30, .features = 3, .kind = SAMPLE_PER_FRAME, .classes = 4},
        "output = frame\nbidirectional = no\n", "batch = 3\ntruncate = 7\n", 1.3862943611198906},
    {{.sequences = 12, .shortest = 2, .longest = 9, .features = 3, .kind = SAMPLE_PER_SEQUENCE, .values = 2},
        "output = sequence\nloss = mse\n", "batch = 6\n", NAN},
    /* An epoch is one step, so that the second is one of the next. */
    {{.sequences = 5, .shortest = 2, .longest = 9, .features = 3, .kind = SAMPLE_PER_FRAME, .values = 2},
        "output = frame\nloss = gaussian\nnormalize = yes\n", "batch = 5\nschedule = step\ndecay_every = 1\n",
        NAN},
};
enum { VARIANTS = sizeof variants / sizeof *variants };

static void write_variant(const struct variant *variant)
{
    char text[600];
    job_write_sample("tried.h5", &variant->shape, 7);
    snprintf(text, sizeof text,
        "[data]\ntrain = tried.h5\nvalid = tried.h5\n[model]\nlayers = 1\nhidden = 5\n%s"
        "[train]\nmicrobatch = 2\nepochs = 2\n%s",
        variant->model, variant->train);
    job_write_text("tried.ini", text);
}

/* Names, times and content of all files of the folder; free. */
static char *read_folder(void)
{
    struct command_result result;
    command_call(&result, JOB_SECONDS, "sh", "-c",
        "cd \"$0\" && find . -mindepth 1 -printf '%p %y %s %T@ %C@\\n' | sort && find . -type f -exec cksum "
        "{} + | sort",
        job_path(""), NULL);
    ck_assert_int_eq(result.status, 0);
    char *text = strdup(result.output);
    command_result_finish(&result);
    return text;
}

/* Runs rnn-train --try, to this exit code, and sees that the folder is as it was before. */
static void try_it(
    struct command_result *result, int code, int ranks, const char *config, const char *run, const char *set)
{
    char *before = read_folder();
    job_run(result, ranks, config, run, "--try", "-s", set ? set : "train.seed=1", NULL);
    job_expect(result, code);
    char *after = read_folder();
    ck_assert_str_eq(before, after);
    free(before);
    free(after);
}

/* The number in front of these words. */
static double number_before(const char *text, const char *words)
{
    const char *end = strstr(text, words);
    ck_assert_msg(end, "no '%s' in: %s", words, text);
    while (end > text && end[-1] != ' ')
        end--;
    return strtod(end, NULL);
}

/* The loss of a step as metrics.csv has it, as text. */
static void read_loss(const char *run, int step, char loss[static 64])
{
    char path[100], beginning[32];
    snprintf(path, sizeof path, "%s/metrics.csv", run);
    snprintf(beginning, sizeof beginning, "%d,", step);
    char *rows = job_read(path, NULL), *row = job_line(rows, beginning, 1);
    ck_assert_ptr_nonnull(row);
    ck_assert_int_eq(sscanf(row, "%*[^,],%*[^,],train,%*[^,],%*[^,],%63[^,]", loss), 1);
    free(row);
    free(rows);
}

/* The steps behind step `from` of the run have the losses that were tried. */
static void expect_losses(const char *output, const char *run, int from)
{
    char first[64], second[64], line[200];
    read_loss(run, from + 1, first);
    read_loss(run, from + 2, second);
    snprintf(line, sizeof line, "%s in the first step, %s in the second\n", first, second);
    ck_assert_msg(strstr(output, line), "no '%s' in: %s", line, output);
}

START_TEST(a_trial_has_the_losses_of_the_run_and_writes_nothing)
{
    const struct variant *variant = &variants[_i];
    struct command_result one, three;
    char hash[17];
    write_variant(variant);
    try_it(&one, 0, 0, "tried.ini", "tried", NULL);
    try_it(&three, 0, 3, "tried.ini", "tried", NULL);
    ck_assert(!job_exists("tried"));
    job_finish(hash, 0, "tried.ini", "tried", NULL);
    expect_losses(one.output, "tried", 0);
    expect_losses(three.output, "tried", 0);
    double guess = number_before(one.output, " by guessing");
    ck_assert_double_eq(guess, number_before(three.output, " by guessing"));
    if (!isnan(variant->guess))
        ck_assert_double_eq_tol(guess, variant->guess, 1e-6);
    ck_assert_msg(strstr(one.output, "1 of 1 rank had work") && strstr(three.output, "of 3 ranks had work") &&
            strstr(three.output, "everything fits: mpirun -np 3 rnn-train "),
        "%s", three.output);
    command_result_finish(&one);
    command_result_finish(&three);
    command_call(&one, JOB_SECONDS, "rm", "-r", job_path("tried"), NULL);
    command_result_finish(&one);
}
END_TEST

/* Targets 1 and 5, and 2 and 2: their variances are 4 and 0. */
START_TEST(guessing_real_values_has_their_variance)
{
    static const struct {
        const char *loss;
        double guess;
    } losses[] = {{"model.loss=mse", 2}, {"model.loss=mae", 1},
        {"model.loss=gaussian",
            -5.3922431 /* the mean of (ln 4 + 1 + ln 2 pi) / 2 and (ln 1e-12 + ln 2 pi) / 2 */}};
    struct sample_shape shape = {
        .sequences = 6, .shortest = 2, .longest = 2, .features = 3, .kind = SAMPLE_PER_SEQUENCE, .values = 2};
    struct sample sample;
    struct command_result result;
    sample_init(&sample, &shape, 3);
    for (int s = 0; s < 6; s++) {
        sample.values[2 * s] = s % 2 ? 1 : 5;
        sample.values[2 * s + 1] = 2;
    }
    sample_write(&sample, job_path("values.h5"));
    sample_finish(&sample);
    job_write_text("values.ini", "[data]\ntrain = values.h5\n[model]\noutput = sequence\nhidden = 4\n");
    try_it(&result, 0, _i, "values.ini", NULL, losses[_i].loss);
    ck_assert_double_eq_tol(number_before(result.output, " by guessing"), losses[_i].guess, 1e-5);
    command_result_finish(&result);
}
END_TEST

/* The run has made an epoch of three steps. Its best.h5 is missing, which a start would put back. */
START_TEST(a_run_that_is_there_is_tried_from_its_checkpoint_and_left_as_it_is)
{
    struct command_result result;
    char hash[17];
    write_variant(&variants[0]);
    job_finish(hash, 0, "tried.ini", "going", "-s", "train.epochs=1", NULL);
    try_it(&result, 0, 0, "tried.ini", "going", "train.epochs=1");
    ck_assert_msg(strstr(result.output, "the run is finished: no step is left to try"), "%s", result.output);
    command_result_finish(&result);
    job_remove("going/best.h5");
    try_it(&result, 0, _i ? 3 : 0, "tried.ini", "going", NULL);
    job_finish(hash, 0, "tried.ini", "going", NULL);
    ck_assert_msg(strstr(result.output, ": after step 3 of "), "%s", result.output);
    expect_losses(result.output, "going", 3);
    command_result_finish(&result);
    try_it(&result, 65, _i ? 3 : 0, "tried.ini", "going", "model.hidden=6");
    command_result_finish(&result);
    command_call(&result, JOB_SECONDS, "rm", "-r", job_path("going"), NULL);
    command_result_finish(&result);
}
END_TEST

START_TEST(a_trial_of_one_step_says_so)
{
    struct command_result result;
    write_variant(&variants[5]);
    try_it(&result, 0, _i, "tried.ini", NULL, "train.epochs=1");
    ck_assert_msg(strstr(result.output, " a step (the only one, "), "%s", result.output);
    command_result_finish(&result);
}
END_TEST

/* The run was begun with what --set says, which is not given again. Its newest checkpoint is that of step 3,
 * so that there are steps to try. Without one the run would begin anew, with what is given. */
START_TEST(a_trial_of_a_run_plans_with_its_values)
{
    static const char config[] = "[data]\ntrain = tried.h5\n[model]\noutput = frame\nhidden = 64, 80, 96\n"
                                 "[train]\nbatch = 4\nmicrobatch = 2\nepochs = 2\n";
    struct command_result open, said;
    char hash[17];
    job_write_sample("tried.h5", &variants[0].shape, 7);
    job_write_text("tried.ini", config);
    job_finish(hash, 0, "tried.ini", "tried", "-s", "model.layers=3", NULL);
    try_it(&open, 0, _i, "tried.ini", "tried", "train.epochs=4");
    job_run(&said, _i, "tried.ini", "tried", "--try", "-s", "train.epochs=4", "-s", "model.layers=3", NULL);
    job_expect(&said, 0);
    /* What the process stands on, MPI and HDF5, is measured, and differs by some pages. */
    double planned = number_before(said.output, " MiB planned of rank 0 at most");
    ck_assert_double_eq_tol(
        number_before(open.output, " MiB planned of rank 0 at most"), planned, planned / 50);
    command_result_finish(&open);
    command_result_finish(&said);
    command_call(&said, JOB_SECONDS, "sh", "-c", "rm \"$0\"/checkpoint-*.h5 \"$0\"/best.h5 \"$0\"/status",
        job_path("tried"), NULL);
    command_result_finish(&said);
    job_run(&said, _i, "tried.ini", "tried", "--try", NULL);
    job_expect(&said, 65);
    command_result_finish(&said);
    command_call(&said, JOB_SECONDS, "rm", "-r", job_path("tried"), NULL);
    command_result_finish(&said);
}
END_TEST

START_TEST(a_trial_that_diverges_says_so_with_its_exit_code)
{
    struct command_result result;
    write_variant(&variants[4]);
    try_it(&result, 76, _i ? 3 : 0, "tried.ini", NULL, "train.lr=1e30");
    ck_assert_msg(strstr(result.output, "warning: training diverged: ") &&
            strstr(result.output, "once that is mended: "),
        "%s", result.output);
    job_complains(&result, 1, "step 2 of epoch 1: ", NULL);
    command_result_finish(&result);
    try_it(&result, 0, 0, "tried.ini", NULL, "train.clip=0.0001");
    ck_assert_msg(strstr(result.output, "both are clipped (train.clip = 0.0001)") &&
            strstr(result.output, "is very large: clipping leaves next to nothing of it"),
        "%s", result.output);
    command_result_finish(&result);
}
END_TEST

START_TEST(a_trial_says_where_the_machine_has_too_little_memory)
{
    struct command_result result;
    write_variant(&variants[0]);
    setenv("SLURM_MEM_PER_NODE", "1", 1);
    try_it(&result, 0, 0, "tried.ini", NULL, NULL);
    unsetenv("SLURM_MEM_PER_NODE");
    job_complains(&result, 1, "warning: the ranks of this machine need ", NULL);
    ck_assert_msg(strstr(result.output, "1.0 MiB are there (the limit of SLURM (--mem))") &&
            strstr(result.output, "warning: there is no room for it: "),
        "%s", result.output);
    command_result_finish(&result);
}
END_TEST

START_TEST(what_contradicts_a_trial_is_refused)
{
    static const char *const words[][2] = {{"--plan", "--plan or --check: one at a time"},
        {"--check", "--plan or --check: one at a time"},
        {"--fresh", "--fresh together with --plan, --check or --try"},
        {"--verify=x", "--verify takes one file or run directory"}};
    struct command_result result;
    write_variant(&variants[0]);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        job_run(&result, 0, "tried.ini", "refused", "--try", words[i][0], NULL);
        job_expect(&result, 2);
        job_complains(&result, 1, words[i][1], NULL);
        command_result_finish(&result);
    }
    ck_assert(!job_exists("refused"));
}
END_TEST

TCase *trial_cases(void)
{
    TCase *cases = tcase_create("trial");
    tcase_set_timeout(cases, 2 * JOB_SECONDS);
    tcase_add_loop_test(cases, a_trial_has_the_losses_of_the_run_and_writes_nothing, 0, VARIANTS);
    tcase_add_loop_test(cases, guessing_real_values_has_their_variance, 0, 3);
    tcase_add_loop_test(cases, a_run_that_is_there_is_tried_from_its_checkpoint_and_left_as_it_is, 0, 2);
    tcase_add_loop_test(cases, a_trial_of_one_step_says_so, 0, 2);
    tcase_add_loop_test(cases, a_trial_of_a_run_plans_with_its_values, 0, 3);
    tcase_add_loop_test(cases, a_trial_that_diverges_says_so_with_its_exit_code, 0, 2);
    tcase_add_test(cases, a_trial_says_where_the_machine_has_too_little_memory);
    tcase_add_test(cases, what_contradicts_a_trial_is_refused);
    return cases;
}

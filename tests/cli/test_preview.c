/* rnn-train --plan and --check: what they tell, and that they start nothing. */
#include "data/repack.h"
#include "preview_trial.h"
#include "support/job.h"
#include "support/suite.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

static const struct sample_shape shape = {
    .sequences = 10, .shortest = 2, .longest = 6, .features = 3, .kind = SAMPLE_PER_FRAME, .classes = 4};

static const char config_text[] = "[data]\ntrain = train.h5\nvalid = valid.h5\n"
                                  "[model]\noutput = frame\nlayers = 1\nhidden = 5\n"
                                  "[train]\nbatch = 4\nmicrobatch = 2\nepochs = 2\n";

/* Of several segments, and small all the same. */
static const struct sample_shape lengthy_shape = {
    .sequences = 6, .shortest = 200, .longest = 400, .features = 3, .kind = SAMPLE_PER_FRAME, .classes = 4};

static const char lengthy_text[] = "[data]\ntrain = lengthy.h5\n"
                                   "[model]\noutput = frame\nlayers = 3\nhidden = 16\n"
                                   "[train]\nbatch = 4\nmicrobatch = 2\nepochs = 1\n";

static void prepare(void)
{
    job_write_sample("train.h5", &shape, 1);
    job_write_sample("valid.h5", &shape, 2);
    job_write_text("some.ini", config_text);
    job_write_sample("lengthy.h5", &lengthy_shape, 3);
    job_write_text("lengthy.ini", lengthy_text);
}

static int ranks_of(int i)
{
    return i % 2 ? 2 : 0;
}

START_TEST(check_reports_every_fault_of_every_set)
{
    struct command_result result;
    struct sample sample;
    sample_init(&sample, &shape, 1);
    sample.classes[3] = 9;
    sample.inputs[4] = INFINITY;
    sample_write(&sample, job_path("two.h5"));
    sample_finish(&sample);
    job_run(&result, ranks_of(_i), "some.ini", NULL, "--check", "-s", "data.train=two.h5", NULL);
    job_expect(&result, 65);
    job_complains(&result, 2, "two.h5: ", NULL);
    ck_assert_int_eq(job_count_lines(result.output, "ok: "), 1);
    command_result_finish(&result);
    job_run(&result, ranks_of(_i), "some.ini", NULL, "--check", NULL);
    job_expect(&result, 0);
    ck_assert_int_eq(job_count_lines(result.output, "ok: "), 2);
    command_result_finish(&result);
}
END_TEST

/* Keys of cells and losses that cannot be, each in its own line, and that do not go together. */
static const char impossible[] = "[data]\ntrain = train.h5\n[model]\nquantiles = 0.9 1.1\ntimescale = x\n"
                                 "forget_bias = inf\nrecurrent_max = -1\ncell = lrv\nloss = quantiles\n",
                  together[] = "[data]\ntrain = train.h5\n[model]\nloss = quantile\nquantiles = 0.9 0.1\n"
                               "cell = rnn\ntimescale = 50\nforget_bias = 1\nrecurrent_max = 0.5\n",
                  alone[] = "[data]\ntrain = train.h5\n[model]\ncell = lru\ntransition_layers = 1\n"
                            "peepholes = yes\nrecurrent_dropout = 0.1\ntimescale = 1\n";
static const struct {
    const char *text;
    const char *said[6];
} bad_keys[] = {{impossible,
                    {"keys.ini:4: model.quantiles = 0.9 1.1", "keys.ini:5: model.timescale = x",
                        "keys.ini:6: model.forget_bias = inf", "keys.ini:7: model.recurrent_max = -1",
                        "keys.ini:8: model.cell = lrv", "keys.ini:9: model.loss = quantiles"}},
    {together,
        {"keys.ini:5: model.quantiles = 0.9 0.1: each has to be larger", "keys.ini:7: model.timescale = 50",
            "keys.ini:8: model.forget_bias = 1", "keys.ini:9: model.recurrent_max = 0.5"}},
    {alone,
        {"keys.ini:5: model.transition_layers = 1: each unit of this cell meets its own state alone",
            "keys.ini:6: model.peepholes = yes", "keys.ini:7: model.recurrent_dropout = 0.1",
            "keys.ini:8: model.timescale = 1: 1 steps are no time scale"}}};
enum { BAD_KEYS = sizeof bad_keys / sizeof *bad_keys };

START_TEST(keys_are_refused_by_line_and_value_at_a_start_in_check_and_in_plan)
{
    static const char *const options[] = {"-v", "--check", "--plan"};
    struct command_result result;
    job_write_text("keys.ini", bad_keys[_i].text);
    for (int o = 0; o < 3; o++) {
        job_run(&result, 0, "keys.ini", "keys", options[o], NULL);
        job_expect(&result, 65);
        for (int i = 0; i < 6 && bad_keys[_i].said[i]; i++)
            ck_assert_msg(strstr(result.errors, bad_keys[_i].said[i]), "%s: no '%s' in: %s", options[o],
                bad_keys[_i].said[i], result.errors);
        ck_assert(!job_exists("keys"));
        command_result_finish(&result);
    }
}
END_TEST

/* Ranks that check beside ranks that train would wait for each other. */
START_TEST(check_beside_a_run_is_refused)
{
    struct command_result result;
    const char *mpirun = getenv("MPIRUN");
    command_call(&result, JOB_SECONDS, mpirun ? mpirun : "mpirun", "-np", "2", "sh", "-c",
        "if " JOB_IS_RANK_0
        "; then exec $RNN_TRAIN -o $0-run $0; else exec $RNN_TRAIN -o $0-run --check $0; fi",
        job_path("some.ini"), NULL);
    job_expect(&result, 2);
    ck_assert_str_eq(result.output, "");
    job_complains(
        &result, 1, "the options differ: rank 1 on ", " has --check yes, rank 0 has --check no", NULL);
    command_result_finish(&result);
    ck_assert(!job_exists("some.ini-run"));
}
END_TEST

START_TEST(check_reports_every_target_that_the_loss_does_not_take)
{
    struct command_result result;
    struct sample_shape real = shape;
    struct sample sample;
    real.classes = 0;
    real.values = 2;
    real.shares = 1;
    sample_init(&sample, &real, 1);
    sample.values[3] = 255;
    sample.values[8] = -1;
    sample_write(&sample, job_path("mask.h5"));
    sample_finish(&sample);
    job_run(&result, ranks_of(_i), "some.ini", NULL, "--check", "-s", "data.train=mask.h5", "-s",
        "data.valid=mask.h5", "-s", "model.loss=sigmoid", NULL);
    job_expect(&result, 65);
    job_complains(&result, 4, "mask.h5: targets: row 1 (sequence 0, its row 1): column 1 is 255",
        "sigmoid takes targets from 0 to 1", NULL);
    ck_assert_int_eq(job_count_lines(result.output, "ok: "), 0);
    command_result_finish(&result);
}
END_TEST

START_TEST(check_refuses_a_model_that_the_data_do_not_fit)
{
    struct command_result result;
    job_run(&result, ranks_of(_i), "some.ini", NULL, "--check", "-s", "model.output=sequence", NULL);
    job_expect(&result, 65);
    job_complains(&result, 2, "train.h5: /targets", "model.output = frame", NULL); /* both sets have it */
    char *second = job_line(result.errors, "rnn-train: ", 2);
    ck_assert_msg(second && strstr(second, "valid.h5: /targets"), "%s", result.errors);
    ck_assert_int_eq(job_count_lines(result.output, "ok: "), 0);
    free(second);
    command_result_finish(&result);
}
END_TEST

START_TEST(raw_inputs_are_warned_of_with_the_key_that_helps)
{
    struct command_result result;
    struct sample sample;
    sample_init(&sample, &shape, 1);
    for (int64_t r = 0; r < sample.frames; r++)
        sample.inputs[3 * r + 2] += 3000;
    sample_write(&sample, job_path("raw.h5"));
    sample_finish(&sample);
    static const char *const words[][2] = {
        {"--check", NULL}, {"--fresh", NULL}, {"-s", "data.standardize=yes"}};
    for (size_t i = 0; i < 3; i++) {
        job_run(&result, ranks_of(_i), "some.ini",
            i < 2    ? "raw"
                : _i ? "scaled-2"
                     : "scaled-1",
            "-s", "data.train=raw.h5", words[i][0], words[i][1], NULL);
        job_expect(&result, 0);
        if (i < 2)
            job_complains(&result, 1, "warning: ", "/raw.h5: inputs: 1 of 3 features is far",
                "feature 2 (mean 3", "data.standardize = yes", NULL);
        else
            ck_assert_msg(job_count_lines(result.errors, "rnn-train: ") == 0, "%s", result.errors);
        command_result_finish(&result);
    }
    /* It cannot be changed any more where the run goes on. */
    job_run(
        &result, ranks_of(_i), "some.ini", "raw", "-s", "data.train=raw.h5", "-s", "train.epochs=3", NULL);
    job_expect(&result, 0);
    ck_assert_int_eq(job_count_lines(result.errors, "rnn-train: "), 0);
    command_result_finish(&result);
}
END_TEST

/* ---- names ---- */

static const char *const features[] = {"x", "y", "z"}, *const classes[] = {"a", "b", "c", "d"},
                         *const turned[] = {"z", "y", "x"}, *const other[] = {"a", "b", "c", "e"};

/* Names of NULL are left out. */
static void write_named(
    const char *name, uint64_t seed, const char *const *feature_names, const char *const *class_names)
{
    struct sample sample;
    sample_init(&sample, &shape, seed);
    struct h5_image *image = sample_image(&sample, NULL);
    if (feature_names)
        h5_image_texts(image, "feature_names", 3, feature_names);
    if (class_names)
        h5_image_texts(image, "class_names", 4, class_names);
    sample_save(image, job_path(name));
    sample_finish(&sample);
}

static void write_all_named(void)
{
    write_named("x-y-z.h5", 1, features, classes);
    write_named("z-y-x.h5", 1, turned, classes);
    write_named("valid-x-y-z.h5", 2, features, classes);
    write_named("valid-z-y-x.h5", 2, turned, classes);
    write_named("valid-e.h5", 2, features, other);
    write_named("valid-nameless.h5", 2, NULL, NULL);
    write_named("nameless.h5", 1, NULL, NULL);
}

/* What --check and the run are given, and what both say: the exit code, and parts of the one line of standard
 * error; none: it is empty. */
struct said {
    const char *train, *valid, *words[2];
    int code;
    const char *parts[3];
};

static void expect_said(const char *run, const struct said *said, int ranks, int epochs, int checks)
{
    struct command_result result;
    const char *const *words = said->words, *const *parts = said->parts;
    char train[40], valid[40], until[40];
    snprintf(until, sizeof until, "train.epochs=%d", epochs);
    snprintf(train, sizeof train, "data.train=%s", said->train);
    snprintf(valid, sizeof valid, "data.valid=%s", said->valid);
    job_run(&result, ranks, "some.ini", run, "-s", train, "-s", valid, "-s", until, checks ? "--check" : "-q",
        words[0], words[1], NULL);
    job_expect(&result, said->code);
    if (parts[0])
        job_complains(&result, 1, parts[0], parts[1], parts[2], NULL);
    else
        ck_assert_msg(job_count_lines(result.errors, "rnn-train: ") == 0, "%s", result.errors);
    command_result_finish(&result);
}

START_TEST(check_says_of_names_in_validation_what_the_run_says)
{
    static const struct said said[] = {
        {"x-y-z.h5", "valid-x-y-z.h5", {NULL}, 0, {NULL}},
        {"x-y-z.h5", "valid-e.h5", {NULL}, 65,
            {"/valid-e.h5: class_names: row 3 is \"e\" where the network has \"d\"", "no \"e\" at all"}},
        {"z-y-x.h5", "valid-x-y-z.h5", {NULL}, 65, {"/valid-x-y-z.h5: feature_names: row 0 is \"x\""}},
        {"x-y-z.h5", "valid-nameless.h5", {NULL}, 0,
            {"warning: ", "/valid-nameless.h5: has no feature_names, class_names"}},
    };
    write_all_named();
    for (size_t i = 0; i < sizeof said / sizeof *said; i++) {
        char run[40];
        snprintf(run, sizeof run, "named-%zu", i);
        expect_said(run, &said[i], ranks_of((int)i), 2, 1);
        ck_assert(!job_exists(run));
        expect_said(run, &said[i], ranks_of((int)i), 2, 0);
    }
}
END_TEST

START_TEST(check_says_of_the_names_of_a_checkpoint_what_the_run_says)
{
    static const char begun_with[] = ": the names are not those this run was begun with";
    char hash[17], best[1000];
    snprintf(best, sizeof best, "%s", job_path("begun/best.h5"));
    const struct said said[] = {
        {"z-y-x.h5", "valid-z-y-x.h5", {NULL}, 65,
            {begun_with, "/z-y-x.h5: feature_names: row 0 is \"z\"", "--accept-changed-data"}},
        {"x-y-z.h5", "valid-x-y-z.h5", {"--init", best}, 65, {": holds a run, which --init would not"}},
        {"nameless.h5", "valid-x-y-z.h5", {NULL}, 0,
            {"warning: ", "/nameless.h5: has no feature_names, class_names"}},
        {"z-y-x.h5", "valid-z-y-x.h5", {"--accept-changed-data"}, 0,
            {"warning: ", begun_with, ": it goes on with these: "}},
    };
    write_all_named();
    job_finish(
        hash, 0, "some.ini", "begun", "-s", "data.train=x-y-z.h5", "-s", "data.valid=valid-x-y-z.h5", NULL);
    for (size_t i = 0; i < sizeof said / sizeof *said; i++)
        for (int checks = 1; checks >= 0; checks--)
            expect_said("begun", &said[i], ranks_of((int)i), 3 + (int)i, checks);
    const struct said others = {"z-y-x.h5", "valid-z-y-x.h5", {"--init", best}, 0,
        {"warning: ", "best.h5: was trained on other names: ", "/z-y-x.h5: feature_names: row 0"}};
    for (int checks = 1; checks >= 0; checks--)
        expect_said("another", &others, 2, 2, checks);
}
END_TEST

/* The run has 6 steps in 2 epochs. */
START_TEST(a_schedule_that_the_run_is_too_short_for_is_warned_of)
{
    static const char *const set[][3] = {
        {"train.warmup=60", "train.schedule=constant",
            "train.warmup = 60, but the run has 6 steps in 2 epochs: the "
            "rate comes to 0.1 times train.lr"},
        {"train.decay_every=2", "train.schedule=step",
            "train.decay_every = 2, but the run has 2 epochs: the rate is never"},
        {"train.plateau_epochs=3", "train.schedule=plateau",
            "train.plateau_epochs = 3, but the run has 2 epochs"},
        {"train.warmup=6", "train.schedule=cosine", NULL},
        {"train.decay_every=1", "train.schedule=step", NULL},
    };
    struct command_result result;
    for (size_t i = 0; i < sizeof set / sizeof *set; i++) {
        int runs = i == 0 && _i; /* and does it */
        job_run(&result, ranks_of(_i), "some.ini", runs ? "short-run" : "short", runs ? "--fresh" : "--check",
            "-s", set[i][0], "-s", set[i][1], NULL);
        job_expect(&result, 0);
        if (set[i][2])
            job_complains(&result, 1, "warning: ", set[i][2], NULL);
        else
            ck_assert_msg(job_count_lines(result.errors, "rnn-train: ") == 0, "%s", result.errors);
        command_result_finish(&result);
    }
    job_run(&result, ranks_of(_i), "some.ini", "short", "--plan", "-s", set[0][0], NULL);
    job_expect(&result, 0);
    ck_assert_msg(strstr(result.output, "warning: train.warmup = 60"), "%s", result.output);
    command_result_finish(&result);
}
END_TEST

START_TEST(plan_tells_parameters_balance_and_memory_and_starts_nothing)
{
    struct command_result result;
    job_run(&result, ranks_of(_i), "some.ini", "planned", "--plan=3", "--ranks-per-node=3", NULL);
    job_expect(&result, 0);
    /* 4 gates of 5 units, each with 3 inputs, 5 states and 2 biases; twice; 4 classes of 10 outputs and a
     * bias */
    ck_assert_msg(strstr(result.output, " 444 parameters"), "%s", result.output);
    ck_assert_msg(
        strstr(result.output, "3 of up to 4 sequences an epoch, 6 in 2 epochs"), "%s", result.output);
    ck_assert_msg(strstr(result.output, "teams of 1 to 3 ranks of a node compute one together") &&
            strstr(result.output, "a direction each, meeting once a layer"),
        "%s", result.output);
    ck_assert(strstr(result.output, "gradients") && strstr(result.output, "a checkpoint file"));
    ck_assert(strstr(result.output, "a node of 3 ranks") && strstr(result.output, "there is room for it"));
    ck_assert(!job_exists("planned"));
    command_result_finish(&result);
}
END_TEST

/* The least that a refusal names, as a value of the key. */
static void find_least(const struct command_result *result, char value[static 40])
{
    const char *key = "set train.activation_memory = ", *at = strstr(result->errors, key);
    ck_assert_msg(at && sscanf(at + strlen(key), "%39[0-9A-Za-z ]", value) == 1, "%s", result->errors);
    char *end = strstr(value, " or more");
    ck_assert_msg(end != NULL, "%s", value);
    *end = '\0';
}

/* By --check, by --plan and by the run. The named least is enough for all of them, and a KiB less is not. */
START_TEST(a_budget_too_small_is_refused_with_the_least)
{
    static const char *const options[] = {"--check", "--plan=1", "-q"};
    struct command_result result;
    char run[32], begun[64], least[40], enough[80], less[80];
    long KiB;
    snprintf(run, sizeof run, "budget-%d", _i);
    snprintf(begun, sizeof begun, "%s/metrics.csv", run);
    for (size_t i = 0; i < 3; i++) {
        job_run(&result, ranks_of(_i), "lengthy.ini", run, options[i], "-s", "train.activation_memory=3 KiB",
            NULL);
        job_expect(&result, 65);
        job_complains(&result, 1, "lengthy.h5: train.activation_memory = 3 KiB is too small",
            "the longest sequence alone takes ", NULL);
        find_least(&result, least);
        command_result_finish(&result);
        ck_assert(!job_exists(begun));
    }
    ck_assert_msg(sscanf(least, "%ld KiB", &KiB) == 1, "%s", least);
    snprintf(enough, sizeof enough, "train.activation_memory=%s", least);
    snprintf(less, sizeof less, "train.activation_memory=%ld KiB", KiB - 1);
    for (size_t i = 0; i < 3; i++) {
        job_run(&result, ranks_of(_i), "lengthy.ini", run, options[i], "-s", enough, NULL);
        job_expect(&result, 0);
        command_result_finish(&result);
    }
    job_run(&result, ranks_of(_i), "lengthy.ini", "no-run", "--check", "-s", less, NULL);
    job_expect(&result, 65);
    command_result_finish(&result);
}
END_TEST

/* The table names what all takes first and, last, what the refusal of less names. */
START_TEST(a_plan_tells_what_budgets_cost)
{
    struct command_result result;
    double first = 0, last = 0, time = 0;
    int lines = 0;
    job_run(&result, 0, "lengthy.ini", "no-run", "--plan=1", NULL);
    job_expect(&result, 0);
    const char *line = strstr(result.output, "train.activation_memory, for microbatches");
    ck_assert_msg(line != NULL, "%s", result.output);
    while ((line = strchr(line, '\n')) && sscanf(line, " %lf KiB %lf times", &last, &time) == 2) {
        first = lines++ == 0 ? last : first;
        ck_assert_msg(lines > 1 ? time > 1 && time < 1.4 : time == 1, "%s", line);
        line++;
    }
    ck_assert_msg(lines >= 3 && last < 0.7 * first, "%d lines\n%s", lines, result.output);
    command_result_finish(&result);
}
END_TEST

/* Keys that are not given are those of the run that would go on, and where there is none those of the table.
 */
START_TEST(a_plan_of_a_run_has_the_values_that_the_run_was_begun_with)
{
    struct command_result result;
    job_run(&result, 0, "some.ini", "of-gru", "-s", "model.cell=gru", "-s", "train.epochs=1", NULL);
    job_expect(&result, 0);
    command_result_finish(&result);
    job_run(&result, 0, "some.ini", "of-gru", "--plan=1", NULL);
    job_expect(&result, 0);
    ck_assert_msg(strstr(result.output, "gru") && !strstr(result.output, "lstm"), "%s", result.output);
    command_result_finish(&result);
    job_run(&result, 0, "some.ini", "no-run", "--plan=1", NULL);
    job_expect(&result, 0);
    ck_assert_msg(strstr(result.output, "lstm") && !strstr(result.output, "gru"), "%s", result.output);
    command_result_finish(&result);
}
END_TEST

/* Far beyond the cache, in chunks of a sequence or two. */
START_TEST(check_and_plan_say_how_often_chunks_are_decompressed_and_what_helps)
{
    static const char *const ways[] = {"--check", "--plan"};
    const struct sample_shape many = {.sequences = 2000,
        .shortest = 2,
        .longest = 20,
        .features = 3,
        .kind = SAMPLE_PER_FRAME,
        .classes = 4};
    const struct repack_options options = {1, 20};
    struct command_result result;
    struct error error = {0};
    char window[120], *end;
    job_write_sample("plain.h5", &many, 1);
    ck_assert_msg(
        dataset_repack(job_path("plain.h5"), job_path("packed.h5"), &options, &error) == 0, "%s", error.text);
    job_run(&result, 0, "some.ini", NULL, ways[_i], "-s", "data.train=packed.h5", "-s", "data.cache=64 KiB",
        NULL);
    job_expect(&result, 0);
    const char *told = _i ? result.output : result.errors;
    const char *advice = strstr(told, "data.shuffle = windows with data.window = ");
    ck_assert_msg(advice && strstr(told, "packed.h5: is compressed and larger than its part of data.cache") &&
            strstr(result.output, _i ? "decompresses a chunk of inputs" : "each chunk decompressed"),
        "%s%s", result.output, result.errors);
    snprintf(window, sizeof window, "%.100s", strstr(advice, "data.window"));
    ck_assert_ptr_nonnull(end = strstr(window, " makes"));
    *end = 0;
    command_result_finish(&result);
    job_run(&result, 0, "some.ini", NULL, ways[_i], "-s", "data.train=packed.h5", "-s", "data.cache=64 KiB",
        "-s", "data.shuffle=windows", "-s", window, NULL);
    job_expect(&result, 0);
    ck_assert_msg(!strstr(result.errors, "is compressed") && !strstr(result.output, "is compressed"), "%s%s",
        result.output, result.errors);
    command_result_finish(&result);
    job_run(
        &result, 0, "some.ini", NULL, ways[_i], "-s", "data.train=plain.h5", "-s", "data.cache=64 KiB", NULL);
    job_expect(&result, 0);
    ck_assert_ptr_null(strstr(result.output, "decompress"));
    command_result_finish(&result);
}
END_TEST

/* The largest step has two microbatches, and no more than two ranks have something to do for each: there are
 * 5 units, and the kernel computes 16 together. */
START_TEST(plan_tells_of_teams_and_of_ranks_without_work)
{
    static const char *const parts[] = {"3 of 3 steps have fewer microbatches (from 1) than the 64 ranks",
        "teams of 4 ranks of a node compute one together",
        "16 nodes of up to 4 ranks: up to 1 nodes of the tree", "warning: 60 of 64 ranks have nothing to do",
        "in /dev/shm", "/dev/shm of this machine has free"};
    struct command_result result;
    job_run(&result, ranks_of(_i), "some.ini", NULL, "--plan=64", "--ranks-per-node=4", NULL);
    job_expect(&result, 0);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        ck_assert_msg(strstr(result.output, parts[i]) != NULL, "%s: not in: %s", parts[i], result.output);
    command_result_finish(&result);
}
END_TEST

/* ---- predictions ---- */

/* Writes a machine of round numbers, with one number of another value. */
static void write_machine(const char *name, const char *changed)
{
    static const char *const numbers[] = {"ranks = 4", "nodes = 2", "peak_alone = 1e9", "peak_all = 1e9",
        "memory_alone = 1e12", "memory_all = 4e12", "meeting = 0", "meeting_all = 0", "latency_inside = 0",
        "bandwidth_inside = 1e12", "latency_between = 0", "bandwidth_between = 1e6"};
    static const char *const cells[] = {"rnn", "rnn-relu", "lstm", "gru", "indrnn", "mingru", "lru"},
                             *const widths[] = {"32", "64", "128", "256", "512"};
    char text[4096] = "[machine]\n";
    size_t used = strlen(text), key = strcspn(changed, " ");
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%s\n",
            strncmp(numbers[i], changed, key + 1) ? numbers[i] : changed);
    for (size_t i = 0; i < sizeof cells / sizeof *cells * 5; i++)
        used +=
            (size_t)snprintf(text + used, sizeof text - used, "%s_%s = 0.5\n", cells[i / 5], widths[i % 5]);
    job_write_text(name, text);
}

/* The milliseconds of a line of the prediction. */
static double predicted(const struct command_result *result, const char *what)
{
    double number = -1;
    const char *line = strstr(result->output, what);
    ck_assert_msg(
        line && sscanf(line + strlen(what), "%lf", &number) == 1, "%s: not in %s", what, result->output);
    return number;
}

/* One layer of 32 units: its fraction of the peak is that of the file, with nothing between. Multiply-adds
 * are 2 * (2 * 128 * 32) forward and as many twice for the gradients, for each frame but the first, and for
 * inputs and head 2 of 3 and 3 of 3. */
START_TEST(a_prediction_is_what_the_constants_give)
{
    struct command_result one, four, slow;
    write_machine("machine.txt", "");
    write_machine("slow.txt", "peak_all = 5e8");
    job_run(&one, 0, "some.ini", NULL, "--plan=1", "--machine=machine.txt", "-s", "model.hidden=32", NULL);
    job_expect(&one, 0);
    double frames = 39, sequences = 10, steps = 3;
    double adds = 3 * 2 * 128 * 32 * (frames - sequences) + 2 * 2 * 128 * 3 * frames + 3 * 4 * 64 * frames;
    double expected = 1e3 * 2 * adds / steps / 1e9 / 0.5, seen = predicted(&one, "  computing ");
    ck_assert_msg(fabs(seen - expected) < 0.001 * expected, "%g, not %g", seen, expected);
    ck_assert_msg(strstr(one.output, "predicted by the constants of ") && strstr(one.output, "not measured"),
        "%s", one.output);
    ck_assert(!strstr(one.output, "efficiency"));
    /* 4 ranks of 2 nodes have two leaves at most: four times as fast but for the balance, and half as slow.
     */
    job_run(&four, 0, "some.ini", NULL, "--plan=4", "--ranks-per-node=2", "--machine=machine.txt", "-s",
        "model.hidden=32", NULL);
    job_run(&slow, 0, "some.ini", NULL, "--plan=4", "--ranks-per-node=2", "--machine=slow.txt", "-s",
        "model.hidden=32", NULL);
    job_expect(&four, 0);
    job_expect(&slow, 0);
    double fast = predicted(&four, "  computing "), less = predicted(&slow, "  computing ");
    ck_assert_msg(fabs(less - 1.2 * fast) < 0.001 * less, "%g, %g", fast, less);
    ck_assert(fast > expected / 4 && fast < expected / 2 && strstr(four.output, "efficiency"));
    /* Of two nodes with a leaf each both send the gradient and the weights once. */
    double weights = 4 * 1024 * ceil((2 * 128 * (3 + 32 + 2) + 4 * 64 + 4) / 1024.0);
    double exchange = predicted(&four, "  exchange between nodes ");
    ck_assert_msg(
        fabs(exchange - 1e3 * weights / 1e6) < 0.001 * exchange, "%g, not %g", exchange, 1e3 * weights / 1e6);
    command_result_finish(&one);
    command_result_finish(&four);
    command_result_finish(&slow);
}
END_TEST

/* Two layers on two nodes, a leaf each: the sums of what stands above the first layer go while that computes
 * backward, twice of what it does forward, or as much of them as that is long enough for. */
START_TEST(what_goes_ahead_takes_no_time)
{
    static const double bandwidths[] = {1e6, 1e9};
    const double first = 2 * 128 * (3 + 32 + 2), upper = 2 * 128 * (64 + 32 + 2) + 4 * 64 + 4;
    const double weights = 4 * 1024 * ceil((first + upper) / 1024);
    const double frames = 39, states = 29, forward = 2 * 128 * (3 + 32) * frames;
    const double share = 2 * forward /
        (3 * 2 * 2 * 128 * 32 * states + 2 * 128 * (2 * 3 + 3 * 64) * frames + 3 * 4 * 64 * frames);
    for (size_t i = 0; i < sizeof bandwidths / sizeof *bandwidths; i++) {
        struct command_result result;
        char changed[64];
        snprintf(changed, sizeof changed, "bandwidth_between = %g", bandwidths[i]);
        write_machine("linked.txt", changed);
        job_run(&result, 0, "some.ini", NULL, "--plan=2", "--ranks-per-node=1", "--machine=linked.txt", "-s",
            "model.layers=2", "-s", "model.hidden=32", "-s", "train.batch=10", "-s", "train.microbatch=5",
            NULL);
        job_expect(&result, 0);
        double all = 1e3 * weights / bandwidths[i], ahead = all / 2 * upper / (first + upper);
        double computed = predicted(&result, "  computing ") * share;
        double expected = all - fmin(ahead, computed), seen = predicted(&result, "  exchange between nodes ");
        ck_assert(i == 0 ? computed < ahead : ahead < computed);
        ck_assert_msg(fabs(seen - expected) < 0.001 * expected, "%g, not %g", seen, expected);
        command_result_finish(&result);
    }
}
END_TEST

START_TEST(a_file_of_another_kind_is_no_machine)
{
    struct command_result result;
    job_run(&result, ranks_of(_i), "some.ini", NULL, "--plan=4", "--machine=some.ini", NULL);
    job_expect(&result, 65);
    job_complains(&result, 1, "some.ini:1: [data]: allowed is [machine]", NULL);
    command_result_finish(&result);
    write_machine("wrong.txt", "peak_all = fast");
    job_run(&result, ranks_of(_i), "some.ini", NULL, "--plan=4", "--machine=wrong.txt", NULL);
    job_expect(&result, 65);
    job_complains(&result, 1, "wrong.txt:5: peak_all = fast: allowed is a number above 0", NULL);
    command_result_finish(&result);
    job_write_text("short.txt", "[machine]\nranks = 2\n");
    job_run(&result, ranks_of(_i), "some.ini", NULL, "--plan=4", "--machine=short.txt", NULL);
    job_expect(&result, 65);
    job_complains(&result, 1, "short.txt: has no nodes: write it anew with rnn-bench --machine", NULL);
    command_result_finish(&result);
    job_run(&result, 0, "some.ini", NULL, "--machine=short.txt", NULL);
    job_expect(&result, 2);
    job_complains(&result, 1, "--machine goes with --plan alone", NULL);
    command_result_finish(&result);
}
END_TEST

/* SLURM gives the job 100 MiB, which is room for three or four ranks. */
START_TEST(plan_says_whether_a_node_has_the_memory)
{
    struct command_result result;
    setenv("SLURM_MEM_PER_NODE", "100", 1);
    job_run(&result, ranks_of(_i), "some.ini", NULL, "--plan=64", "--ranks-per-node=2", NULL);
    job_expect(&result, 0);
    ck_assert_msg(strstr(result.output, "a node of 2 ranks") && strstr(result.output, "there is room for it"),
        "%s", result.output);
    command_result_finish(&result);
    job_run(&result, ranks_of(_i), "some.ini", NULL, "--plan=64", "--ranks-per-node=16", NULL);
    job_expect(&result, 0);
    ck_assert_msg(strstr(result.output, " 100.0 MiB\n") &&
            strstr(result.output, "(the limit of SLURM (--mem)) warning: there is no room for it"),
        "%s", result.output);
    command_result_finish(&result);
}
END_TEST

/* Weights of 240 GiB, and as much again several times over, are planned and checked in 2 GiB of addresses and
 * 3 seconds of processor time; so is a plan for a billion ranks with all sequences in one step. */
START_TEST(a_plan_computes_and_does_not_allocate)
{
    static const struct rlimit addresses = {2u << 30, 2u << 30}, seconds = {3, 3};
    static const char *const words[][2] = {
        {"--plan", "GiB"}, {"--plan=1000000000", "GiB"}, {"--check", "ok: "}};
    struct command_result result;
    ck_assert(setrlimit(RLIMIT_AS, &addresses) == 0 && setrlimit(RLIMIT_CPU, &seconds) == 0);
    job_run(&result, 0, "some.ini", NULL, words[_i][0], "-s", "model.layers=8", "-s", "model.hidden=24576",
        "-s", "model.bidirectional=yes", "-s", "train.batch=1000000", "-s", "train.microbatch=1000000", NULL);
    job_expect(&result, 0);
    ck_assert_msg(strstr(result.output, words[_i][1]), "%s", result.output);
    command_result_finish(&result);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("preview");
    TCase *jobs = tcase_create("jobs");
    tcase_set_timeout(jobs, 2 * JOB_SECONDS);
    tcase_add_unchecked_fixture(jobs, prepare, NULL);
    tcase_add_loop_test(jobs, check_reports_every_fault_of_every_set, 0, 2);
    tcase_add_loop_test(
        jobs, keys_are_refused_by_line_and_value_at_a_start_in_check_and_in_plan, 0, BAD_KEYS);
    tcase_add_test(jobs, check_beside_a_run_is_refused);
    tcase_add_loop_test(jobs, check_reports_every_target_that_the_loss_does_not_take, 0, 2);
    tcase_add_loop_test(jobs, check_refuses_a_model_that_the_data_do_not_fit, 0, 2);
    tcase_add_loop_test(jobs, raw_inputs_are_warned_of_with_the_key_that_helps, 0, 2);
    tcase_add_loop_test(jobs, a_schedule_that_the_run_is_too_short_for_is_warned_of, 0, 2);
    tcase_add_loop_test(jobs, plan_tells_parameters_balance_and_memory_and_starts_nothing, 0, 2);
    tcase_add_loop_test(jobs, a_budget_too_small_is_refused_with_the_least, 0, 2);
    tcase_add_test(jobs, a_plan_tells_what_budgets_cost);
    tcase_add_test(jobs, a_plan_of_a_run_has_the_values_that_the_run_was_begun_with);
    tcase_add_loop_test(jobs, check_and_plan_say_how_often_chunks_are_decompressed_and_what_helps, 0, 2);
    tcase_add_loop_test(jobs, plan_tells_of_teams_and_of_ranks_without_work, 0, 2);
    tcase_add_loop_test(jobs, plan_says_whether_a_node_has_the_memory, 0, 2);
    if (SUITE_IS_SANITIZED)
        puts("not run: a_plan_computes_and_does_not_allocate: the sanitizer takes terabytes of addresses");
    else
        tcase_add_loop_test(jobs, a_plan_computes_and_does_not_allocate, 0, 3);
    suite_add_tcase(suite, jobs);
    TCase *predictions = tcase_create("predictions");
    tcase_set_timeout(predictions, 2 * JOB_SECONDS);
    tcase_add_unchecked_fixture(predictions, prepare, NULL);
    tcase_add_test(predictions, a_prediction_is_what_the_constants_give);
    tcase_add_test(predictions, what_goes_ahead_takes_no_time);
    tcase_add_loop_test(predictions, a_file_of_another_kind_is_no_machine, 0, 2);
    suite_add_tcase(suite, predictions);
    suite_add_tcase(suite, trial_cases());
    TCase *names = tcase_create("names");
    tcase_set_timeout(names, 2 * JOB_SECONDS);
    tcase_add_unchecked_fixture(names, prepare, NULL);
    tcase_add_test(names, check_says_of_names_in_validation_what_the_run_says);
    tcase_add_test(names, check_says_of_the_names_of_a_checkpoint_what_the_run_says);
    suite_add_tcase(suite, names);
    job_open();
    int status = suite_run(suite);
    job_close();
    return status;
}

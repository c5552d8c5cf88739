/* Losses from outside: those that make several numbers of each target value, how they train on ranks and what
 * rnn-predict writes of them; and targets some of which are missing, or weigh more than others. */
#include "base/memory.h"
#include "h5/h5.h"
#include "support/job.h"
#include "support/suite.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { VALUES = 2 };

static const struct sample_shape frames = {.sequences = 30,
    .shortest = 1,
    .longest = 12,
    .features = VALUES,
    .kind = SAMPLE_PER_FRAME,
    .values = VALUES};

static void write_config(const char *name, const char *data, const char *model)
{
    char text[600];
    snprintf(text, sizeof text,
        "[data]\ntrain = %s.h5\nvalid = %s.h5\n[model]\n%s\nbidirectional = no\nlayers = 1\nhidden = 9\n"
        "[train]\nbatch = 12\nmicrobatch = 2\nepochs = 3\n",
        data, data, model);
    job_write_text(name, text);
}

static struct h5_shape look_at(const char *name, const char *set)
{
    struct error error = {0};
    struct h5_shape shape;
    struct h5_file *file = h5_open(job_path(name), 0, &error);
    ck_assert_msg(file && h5_look(file, set, &shape, &error) == 0, "%s", error.text);
    h5_close(file);
    return shape;
}

static float *read_outputs(const char *name, int64_t rows, size_t width)
{
    struct error error = {0};
    float *values = calloc((size_t)rows * width, sizeof *values);
    struct h5_file *file = h5_open(job_path(name), 0, &error);
    ck_assert_ptr_nonnull(values);
    ck_assert_msg(file && !h5_read_floats(file, "outputs", 0, rows, values, &error), "%s", error.text);
    h5_close(file);
    return values;
}

static void predict(const char *run, const char *data, const char *output)
{
    struct command_result result;
    char path[500];
    snprintf(path, sizeof path, "%s", job_path(data));
    command_call(
        &result, JOB_SECONDS, getenv("RNN_PREDICT"), "-o", job_path(output), job_path(run), path, NULL);
    job_expect(&result, 0);
    command_result_finish(&result);
}

static const struct {
    const char *name, *model;
    int64_t numbers; /* of each value */
} several[] = {{"quantile", "output = frame\nloss = quantile\nquantiles = 0.1 0.4 0.5 0.9", 4},
    {"gaussian", "output = frame\nloss = gaussian", 2}};

START_TEST(a_value_with_several_numbers_has_a_third_dimension)
{
    char one[17], three[17], output[100];
    job_write_sample("frames.h5", &frames, 3);
    write_config("several.ini", "frames", several[_i].model);
    job_finish(one, 1, "several.ini", several[_i].name, NULL);
    job_finish(three, 3, "several.ini", "on-three", "--fresh", NULL);
    ck_assert_str_eq(one, three);
    snprintf(output, sizeof output, "%s-out.h5", several[_i].name);
    predict(several[_i].name, "frames.h5", output);
    struct h5_shape shape = look_at(output, "outputs"), targets = look_at("frames.h5", "targets");
    ck_assert_int_eq(shape.dimensions, 3);
    ck_assert(shape.size[0] == targets.size[0] && shape.size[1] == VALUES);
    ck_assert_int_eq(shape.size[2], several[_i].numbers);
    size_t n = (size_t)(VALUES * several[_i].numbers);
    float *values = read_outputs(output, shape.size[0], n);
    for (size_t i = 1; i < (size_t)shape.size[0] * n && several[_i].numbers == 2; i += 2)
        ck_assert_float_gt(values[i], 0); /* variances */
    free(values);
    job_remove(output);
}
END_TEST

START_TEST(what_feeds_values_back_refuses_several_numbers)
{
    struct command_result result;
    job_write_sample("frames.h5", &frames, 3);
    write_config("several.ini", "frames", several[_i].model);
    job_run(&result, 1, "several.ini", "fed", "--fresh", NULL);
    job_expect(&result, 0);
    command_result_finish(&result);
    command_call(&result, JOB_SECONDS, getenv("RNN_PREDICT"), "--generate", "3", "-o", job_path("made.h5"),
        job_path("fed"), NULL);
    job_expect(&result, 2);
    ck_assert_msg(
        strstr(result.errors, "--generate needs a network") && strstr(result.errors, several[_i].name), "%s",
        result.errors);
    command_result_finish(&result);
}
END_TEST

/* ---- targets that are missing ---- */

/* Writes the frames above with format_version `version`, and no values in rows of sequences that are a
 * multiple of `every` (0: nowhere) or, elsewhere, in a column of every third row. */
static void write_holes(const char *name, int version, int64_t every, int some)
{
    struct sample_shape shape = frames;
    struct sample sample;
    shape.version = version;
    shape.shares = 1;
    sample_init(&sample, &shape, 3);
    for (int64_t s = 0; s < shape.sequences; s++)
        for (int64_t r = sample.input_offsets[s]; r < sample.input_offsets[s + 1]; r++)
            for (int64_t o = 0; o < VALUES; o++)
                if ((every && s % every == 0) || (some && r % 3 == 0 && o == r / 3 % VALUES))
                    sample.values[r * VALUES + o] = NAN;
    sample_write(&sample, job_path(name));
    sample_finish(&sample);
}

static const char *const value_losses[] = {
    "mse", "sigmoid", "huber", "mae", "logcosh", "quantile", "gaussian"};

START_TEST(missing_values_have_the_same_bits_on_any_ranks)
{
    char one[17], three[17], whole[17], model[100];
    write_holes("holes.h5", 2, 7, 1);
    write_holes("whole.h5", 2, 0, 0);
    write_holes("former.h5", 1, 0, 0);
    snprintf(model, sizeof model, "output = frame\nloss = %s", value_losses[_i]);
    write_config("holes.ini", "holes", model);
    write_config("whole.ini", "whole", model);
    write_config("former.ini", "former", model);
    job_finish(one, 1, "holes.ini", "holes", "--fresh", NULL);
    job_finish(three, 3, "holes.ini", "on-three", "--fresh", "-s", "data.cache=0", NULL);
    ck_assert_str_eq(one, three);
    job_finish(whole, 1, "whole.ini", "whole", "--fresh", NULL);
    ck_assert_str_ne(one, whole);
    job_finish(one, 1, "former.ini", "former", "--fresh", NULL);
    ck_assert_str_eq(one, whole);
    predict("holes", "holes.h5", "holes-out.h5");
    job_remove("holes-out.h5");
}
END_TEST

/* Of the first step all is missing: its row of metrics.csv has no loss, and the weights stay. */
START_TEST(a_step_in_which_nothing_counts_updates_nothing)
{
    struct command_result result;
    struct sample_shape shape = {.sequences = 8,
        .shortest = 3,
        .longest = 3,
        .features = 2,
        .kind = SAMPLE_PER_SEQUENCE,
        .values = 2,
        .version = 2};
    struct sample sample;
    sample_init(&sample, &shape, 1);
    for (int i = 0; i < 8; i++)
        sample.values[i] = NAN;
    sample_write(&sample, job_path("late.h5"));
    for (int i = 0; i < 16; i++)
        sample.values[i] = NAN;
    sample_write(&sample, job_path("never.h5"));
    sample_finish(&sample);
    job_write_text("late.ini",
        "[data]\ntrain = late.h5\nshuffle = none\n[model]\nloss = mse\nlayers = 1\nhidden = 5\n"
        "[train]\nbatch = 4\nmicrobatch = 2\nepochs = 1\n[checkpoint]\nevery = 1 steps\nkeep = 9\n");
    job_run(&result, 2, "late.ini", "late", NULL);
    job_expect(&result, 0);
    command_result_finish(&result);
    char *metrics = job_read("late/metrics.csv", NULL), *row = job_line(metrics, "1,1,train,", 1);
    ck_assert_msg(row && strstr(row, "1,1,train,4,12,,"), "%s", metrics);
    free(row);
    free(metrics);
    job_run(&result, 2, "late.ini", "never", "-s", "data.train=never.h5", NULL);
    job_expect(&result, 65);
    job_complains(&result, 1, "never.h5: /targets: no value but NaN", "nothing to count", NULL);
    command_result_finish(&result);
}
END_TEST

START_TEST(missing_values_where_none_may_be_are_refused)
{
    struct command_result result;
    write_holes("former-holes.h5", 1, 0, 1);
    write_config("bad.ini", "former-holes", "output = frame\nloss = mse");
    job_run(&result, 2, "bad.ini", "bad", NULL);
    job_expect(&result, 65);
    job_complains(
        &result, 1, "former-holes.h5: targets: row 0 ", "column 0 is NaN", "with format_version = 2", NULL);
    command_result_finish(&result);
    command_call(&result, JOB_SECONDS, getenv("RNN_DATA"), "check", job_path("former-holes.h5"), NULL);
    job_expect(&result, 65);
    ck_assert_ptr_nonnull(strstr(result.errors, "with format_version = 2 a NaN here is no target"));
    command_result_finish(&result);
    write_holes("holes.h5", 2, 0, 1);
    command_call(&result, JOB_SECONDS, getenv("RNN_DATA"), "check", job_path("holes.h5"), NULL);
    job_expect(&result, 0);
    command_result_finish(&result);
    command_call(&result, JOB_SECONDS, getenv("RNN_DATA"), "info", job_path("holes.h5"), NULL);
    job_expect(&result, 0);
    ck_assert_ptr_nonnull(strstr(result.output, "no target (NaN)"));
    command_result_finish(&result);
    struct sample_shape shape = {.sequences = 6,
        .shortest = 2,
        .longest = 4,
        .features = 2,
        .kind = SAMPLE_THREE,
        .values = 2,
        .version = 2};
    struct sample sample;
    sample_init(&sample, &shape, 1);
    sample.values[5] = NAN;
    sample_write(&sample, job_path("fed.h5"));
    sample_finish(&sample);
    write_config("bad.ini", "fed", "output = decoder\nloss = mse");
    job_run(&result, 2, "bad.ini", "bad", NULL);
    job_expect(&result, 65);
    job_complains(
        &result, 1, "fed.h5: targets: row 2 (sequence 0", "column 1 is NaN", "no target, needs one", NULL);
    command_result_finish(&result);
}
END_TEST

/* A run and --check refuse alike. */
static void expect_refusal_of_both(const char *config, const char *says)
{
    static const char *const options[] = {"-v", "--check"};
    struct command_result result;
    for (int i = 0; i < 2; i++) {
        job_run(&result, 0, config, "both", options[i], NULL);
        job_expect(&result, 65);
        ck_assert_msg(strstr(result.errors, says), "%s: %s", options[i], result.errors);
        command_result_finish(&result);
    }
}

START_TEST(check_says_of_a_missing_target_of_a_sequence_what_the_run_says)
{
    struct sample_shape shape = {.sequences = 8,
        .shortest = 2,
        .longest = 4,
        .features = 2,
        .kind = SAMPLE_PER_SEQUENCE,
        .values = 2,
        .version = 2};
    struct sample sample;
    sample_init(&sample, &shape, 1);
    sample.values[7] = NAN;
    sample_write(&sample, job_path("one.h5"));
    sample.shape.version = 1;
    sample_write(&sample, job_path("one-former.h5"));
    sample_finish(&sample);
    write_config("one.ini", "one", "output = decoder\nloss = mse");
    expect_refusal_of_both("one.ini",
        "one.h5: targets: row 3 (sequence 3, its row 0): column 1 is NaN: only finite numbers of 32 bits are "
        "allowed (NaN, no target, needs one target per frame or per sequence)");
    write_config("one.ini", "one-former", "output = sequence\nloss = mse");
    expect_refusal_of_both("one.ini",
        "one-former.h5: targets: row 3 (sequence 3, its row 0): column 1 is NaN: only finite numbers of 32 "
        "bits are allowed (with format_version = 2 a NaN here is no target)");
    write_config("one.ini", "one", "output = sequence\nloss = mse");
    struct command_result result;
    job_run(&result, 0, "one.ini", "both", "--check", NULL);
    job_expect(&result, 0);
    command_result_finish(&result);
    job_run(&result, 0, "one.ini", "both", NULL);
    job_expect(&result, 0);
    command_result_finish(&result);
}
END_TEST

/* ---- targets with weights ---- */

enum { CLASSES = 4 };

/* Writes a dataset of classes per frame, whose weights go round among n of them (0: it has none). */
static void write_weights(const char *name, int version, size_t n, const float *weights)
{
    struct sample_shape shape = frames;
    struct sample sample;
    shape.values = 0;
    shape.classes = CLASSES;
    shape.version = version;
    sample_init(&sample, &shape, 5);
    if (n)
        sample.weights = memory_create((size_t)sample.targets, sizeof *sample.weights, NULL);
    for (int64_t r = 0; n && r < sample.targets; r++)
        sample.weights[r] = weights[(size_t)r % n];
    sample_write(&sample, job_path(name));
    sample_finish(&sample);
}

static const float some_weights[] = {0, 0.25F, 1, 2, 0.1F}, other_weights[] = {0, 0.25F, 1, 2, 0.2F},
                   one[] = {1};
static const char by_frame[] = "output = frame";

START_TEST(weights_have_the_same_bits_on_any_ranks)
{
    char alone[17], three[17], none[17], again[17];
    struct command_result result;
    write_weights("some.h5", 2, 5, some_weights);
    write_weights("ones.h5", 2, 1, one);
    write_weights("none.h5", 1, 0, NULL);
    write_config("some.ini", "some", by_frame);
    write_config("ones.ini", "ones", by_frame);
    write_config("none.ini", "none", by_frame);
    job_finish(alone, 1, "some.ini", "some", NULL);
    job_finish(three, 3, "some.ini", "some-three", "-s", "data.cache=0", NULL);
    ck_assert_str_eq(alone, three);
    job_finish(again, 1, "ones.ini", "ones", NULL);
    job_finish(none, 2, "none.ini", "none", NULL);
    ck_assert_str_eq(again, none);
    ck_assert_str_ne(alone, none);
    command_call(&result, JOB_SECONDS, getenv("RNN_DATA"), "repack", "--compress", job_path("some.h5"), "-o",
        job_path("packed.h5"), NULL);
    job_expect(&result, 0);
    command_result_finish(&result);
    job_finish(again, 2, "some.ini", "packed", "-s", "data.train=packed.h5", NULL);
    ck_assert_str_eq(again, alone);
    write_weights("some.h5", 2, 5, other_weights);
    job_run(&result, 2, "some.ini", "some", "-s", "train.epochs=4", NULL);
    job_expect(&result, 65);
    ck_assert_msg(strstr(result.errors, "some.h5"), "%s", result.errors);
    command_result_finish(&result);
}
END_TEST

/* What a run on 2 ranks, --check and rnn-data check say of a dataset. */
static void expect_refusal(const char *data, const char *model, int checked, const char *says)
{
    struct command_result result;
    char path[100];
    snprintf(path, sizeof path, "%s.h5", data);
    write_config("bad.ini", data, model);
    job_run(&result, 2, "bad.ini", "bad", NULL);
    job_expect(&result, 65);
    job_complains(&result, 1, path, says, NULL);
    command_result_finish(&result);
    job_run(&result, 0, "bad.ini", "bad", "--check", NULL);
    job_expect(&result, 65);
    ck_assert_msg(strstr(result.errors, path) && strstr(result.errors, says), "%s", result.errors);
    command_result_finish(&result);
    command_call(&result, JOB_SECONDS, getenv("RNN_DATA"), "check", job_path(path), NULL);
    job_expect(&result, checked ? 65 : 0);
    ck_assert_msg(!checked || strstr(result.errors, says), "%s", result.errors);
    command_result_finish(&result);
}

START_TEST(weights_that_cannot_be_are_refused)
{
    static const float negative[] = {1, 1, 1, -0.5F, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
        1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1},
                       nan_weight[] = {1, NAN}, zero[] = {0};
    write_weights("negative.h5", 2, 40, negative);
    expect_refusal("negative", by_frame, 1, "target_weights: row 3 (sequence");
    write_weights("nan.h5", 2, 2, nan_weight);
    expect_refusal("nan", by_frame, 1, "target_weights: row 1 (sequence");
    write_weights("zero.h5", 2, 1, zero);
    expect_refusal(
        "zero", by_frame, 0, "or with a weight of 0, which is no target: there is nothing to count");
    write_weights("former.h5", 1, 1, one);
    expect_refusal("former", by_frame, 1, "target_weights: format_version = 1 has no such set");
    struct sample_shape shape = {.sequences = 6,
        .shortest = 8,
        .longest = 9,
        .features = 2,
        .kind = SAMPLE_THREE,
        .classes = CLASSES,
        .version = 2};
    struct sample sample;
    sample_init(&sample, &shape, 1);
    sample.weights = memory_create((size_t)sample.targets, sizeof *sample.weights, NULL);
    sample.weights[0] = 1;
    sample_write(&sample, job_path("any.h5"));
    expect_refusal("any", "output = ctc", 0, "model.output = ctc has no targets that are weighed");
    expect_refusal("any", "output = decoder", 0, "model.output = decoder has no targets that are weighed");
    sample.targets--;
    sample_save(sample_image(&sample, "targets"), job_path("alone.h5"));
    expect_refusal("alone", "output = ctc", 1, "no set targets");
    sample_finish(&sample);
}
END_TEST

/* Writes the frames with weights of this many dimensions, of as many rows more than there are targets. */
static void write_shape(const char *name, int dimensions, int64_t more)
{
    static const float ones[2000] = {1};
    struct sample_shape shape = frames;
    struct sample sample;
    shape.values = 0;
    shape.classes = CLASSES;
    shape.version = 2;
    sample_init(&sample, &shape, 5);
    struct h5_image *image = sample_image(&sample, NULL);
    h5_image_floats(image, "target_weights", dimensions, (int64_t[]){sample.targets + more, 2}, ones);
    sample_save(image, job_path(name));
    sample_finish(&sample);
}

START_TEST(weights_of_another_shape_than_the_targets_are_refused)
{
    struct command_result result;
    write_shape("short.h5", 1, -1);
    expect_refusal("short", by_frame, 1, "a weight for each target: write it anew");
    write_shape("long.h5", 1, 1);
    expect_refusal("long", by_frame, 1, "a weight for each target: write it anew");
    write_shape("table.h5", 2, 0);
    expect_refusal("table", by_frame, 1, "a weight for each target: write it anew");
    job_run(&result, 0, "bad.ini", "bad", "--plan", NULL);
    job_expect(&result, 65);
    job_complains(&result, 1, "table.h5: target_weights: 2 dimensions", NULL);
    command_result_finish(&result);
}
END_TEST

START_TEST(a_weight_without_end_and_one_where_no_target_is_are_refused)
{
    static const float endless[] = {1, 1, INFINITY};
    write_weights("endless.h5", 2, 3, endless);
    expect_refusal("endless", by_frame, 1, "target_weights: row 2 (sequence");
    struct sample_shape shape = {.sequences = 8,
        .shortest = 2,
        .longest = 4,
        .features = 2,
        .kind = SAMPLE_PER_SEQUENCE,
        .values = 1,
        .version = 2};
    struct sample sample;
    sample_init(&sample, &shape, 1);
    sample.weights = memory_create((size_t)sample.targets, sizeof *sample.weights, NULL);
    for (int64_t r = 0; r < sample.targets; r++) {
        sample.weights[r] = (float)(r % 2);
        sample.values[r] = r % 2 ? NAN : 1;
    }
    sample_write(&sample, job_path("crossed.h5"));
    sample_finish(&sample);
    expect_refusal("crossed", "output = sequence\nloss = mse", 0,
        "/targets: no value but NaN, or with a weight of 0, which is no target: there is nothing to count");
}
END_TEST

START_TEST(files_of_one_set_agree_in_weights)
{
    struct command_result result;
    write_weights("some.h5", 2, 5, some_weights);
    write_weights("none.h5", 2, 0, NULL);
    write_weights("former.h5", 1, 0, NULL);
    write_config("some.ini", "some", by_frame);
    job_run(&result, 1, "some.ini", "two", "-s", "data.train=some.h5, none.h5", NULL);
    job_expect(&result, 65);
    job_complains(&result, 1, "none.h5: has no target_weights, but ", "some.h5 has them", NULL);
    command_result_finish(&result);
    job_run(&result, 1, "some.ini", "two", "-s", "data.train=none.h5, former.h5", NULL);
    job_expect(&result, 65);
    job_complains(&result, 1, "former.h5: it has format_version = 1, but ", "none.h5 has 2", NULL);
    command_result_finish(&result);
    job_run(&result, 2, "some.ini", "two", "-s", "data.train=some.h5, some.h5", NULL);
    job_expect(&result, 0);
    command_result_finish(&result);
    command_call(&result, JOB_SECONDS, getenv("RNN_DATA"), "info", job_path("some.h5"), NULL);
    job_expect(&result, 0);
    ck_assert_msg(strstr(result.output, "0 to 2, mean 0.6"), "%s", result.output);
    command_result_finish(&result);
}
END_TEST

int main(void)
{
    job_open();
    Suite *suite = suite_create("losses");
    TCase *cases = tcase_create("losses");
    tcase_set_timeout(cases, 2 * JOB_SECONDS);
    tcase_add_loop_test(cases, a_value_with_several_numbers_has_a_third_dimension, 0, 2);
    tcase_add_loop_test(cases, what_feeds_values_back_refuses_several_numbers, 0, 2);
    tcase_add_loop_test(cases, missing_values_have_the_same_bits_on_any_ranks, 0, 7);
    tcase_add_test(cases, a_step_in_which_nothing_counts_updates_nothing);
    tcase_add_test(cases, missing_values_where_none_may_be_are_refused);
    tcase_add_test(cases, weights_have_the_same_bits_on_any_ranks);
    tcase_add_test(cases, check_says_of_a_missing_target_of_a_sequence_what_the_run_says);
    tcase_add_test(cases, weights_that_cannot_be_are_refused);
    tcase_add_test(cases, weights_of_another_shape_than_the_targets_are_refused);
    tcase_add_test(cases, a_weight_without_end_and_one_where_no_target_is_are_refused);
    tcase_add_test(cases, files_of_one_set_agree_in_weights);
    suite_add_tcase(suite, cases);
    int outcome = suite_run(suite);
    job_close();
    return outcome;
}

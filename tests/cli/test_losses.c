/* Losses from outside that make several numbers of each target value: how they train on ranks, and what
 * rnn-predict writes of them. */
#include "h5/h5.h"
#include "support/job.h"
#include "support/suite.h"

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

int main(void)
{
    job_open();
    Suite *suite = suite_create("losses");
    TCase *cases = tcase_create("losses");
    tcase_set_timeout(cases, 2 * JOB_SECONDS);
    tcase_add_loop_test(cases, a_value_with_several_numbers_has_a_third_dimension, 0, 2);
    tcase_add_loop_test(cases, what_feeds_values_back_refuses_several_numbers, 0, 2);
    suite_add_tcase(suite, cases);
    int outcome = suite_run(suite);
    job_close();
    return outcome;
}

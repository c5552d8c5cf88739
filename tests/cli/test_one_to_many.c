/* One to many from outside: a sequence of one frame whose target is a whole sequence, of classes with an end
 * or of a fixed number of real values, learned and told. */
#include "base/memory.h"
#include "h5/h5.h"
#include "support/job.h"
#include "support/suite.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- numbers in words ---- */

static const char spell_text[] =
    "[data]\ntrain = spell-train.h5\nvalid = spell-valid.h5\n"
    "[model]\noutput = decoder\nbidirectional = no\nlayers = 1\nhidden = 64\nattention = dot\n"
    "decoder_embedding = 16\n[train]\nbatch = 32\nepochs = 8\nlr = 0.02\nschedule = cosine\nwarmup = 20\n";

static double field(const char *text, const char *beginning, const char *name)
{
    char value[64];
    job_field(text, beginning, name, value);
    return atof(value);
}

/* Nine classes of ten are wrong by chance; words have up to 72 letters, made from one frame. */
START_TEST(numbers_are_spelled_from_one_frame)
{
    struct command_result result;
    command_call(&result, JOB_SECONDS, getenv("RNN_DATA"), "make", "spell", "--sequences", "1500", "-o",
        job_path("."), NULL);
    job_expect(&result, 0);
    command_result_finish(&result);
    job_write_text("spell.ini", spell_text);
    job_run(&result, 2, "spell.ini", "spell", NULL);
    job_expect(&result, 0);
    double error = field(result.output, "finished: ", "error");
    ck_assert_msg(error < 0.2, "%s", result.output);
    command_result_finish(&result);
}
END_TEST

/* ---- lines of eight points ---- */

enum { SEQUENCES = 200, U = 8, O = 2 };

/* Where a point is and how it moves, and the eight places that it comes to. */
static void write_lines(const char *name, uint64_t seed)
{
    struct sample_shape shape = {.sequences = SEQUENCES,
        .shortest = 1,
        .longest = 1,
        .features = 2 * O,
        .kind = SAMPLE_THREE,
        .values = O};
    struct sample sample;
    sample_init(&sample, &shape, seed);
    memory_destroy(sample.values);
    sample.targets = SEQUENCES * U;
    sample.values = memory_create(SEQUENCES * U * O, sizeof *sample.values, NULL);
    ck_assert_ptr_nonnull(sample.values);
    for (int64_t s = 0; s <= SEQUENCES; s++)
        sample.target_offsets[s] = s * U;
    for (int64_t s = 0; s < SEQUENCES; s++)
        for (int u = 0; u < U; u++)
            for (int o = 0; o < O; o++) {
                const float *x = sample.inputs + s * 2 * O;
                sample.values[(s * U + u) * O + o] = x[o] + x[O + o] * (float)u / U;
            }
    sample_write(&sample, job_path(name));
    sample_finish(&sample);
}

static void read_rows(const char *name, const char *set, float *rows)
{
    struct error error = {0};
    struct h5_shape shape;
    struct h5_file *file = h5_open(job_path(name), 0, &error);
    ck_assert_msg(file && h5_look(file, set, &shape, &error) == 0, "%s", error.text);
    ck_assert(shape.dimensions == 2 && shape.size[0] == SEQUENCES * U && shape.size[1] == O);
    ck_assert_int_eq(h5_read_floats(file, set, 0, SEQUENCES * U, rows, &error), 0);
    h5_close(file);
}

/* Loss of the values in the file, which follow from each other and not from the targets. */
static double judge(int loss)
{
    static float found[SEQUENCES * U * O], right[SEQUENCES * U * O];
    int64_t offsets[SEQUENCES + 1];
    struct error error = {0};
    double sum = 0;
    read_rows("lines-out.h5", "outputs", found);
    read_rows("lines-valid.h5", "targets", right);
    for (size_t i = 0; i < SEQUENCES * U * O; i++) {
        double d = fabs((double)found[i] - (double)right[i]);
        sum += loss == 0 ? d * d : loss == 1 ? d : d <= 0.5 ? d * d / 2 : 0.5 * (d - 0.25);
    }
    struct h5_file *file = h5_open(job_path("lines-out.h5"), 0, &error);
    ck_assert_int_eq(h5_read_integers(file, "output_offsets", 0, SEQUENCES + 1, offsets, &error), 0);
    for (int64_t s = 0; s <= SEQUENCES; s++)
        ck_assert_int_eq(offsets[s], s * U);
    h5_close(file);
    return sum / (SEQUENCES * U * O);
}

/* _i: loss */
START_TEST(values_follow_from_one_frame)
{
    static const char *const losses[] = {"mse", "mae", "huber", "logcosh"};
    static const double bounds[] = {0.03, 0.14, 0.02, 0.02};
    struct command_result result;
    char text[500], best[64], told[64];
    write_lines("lines-train.h5", 1);
    write_lines("lines-valid.h5", 2);
    snprintf(text, sizeof text,
        "[data]\ntrain = lines-train.h5\nvalid = lines-valid.h5\n[model]\noutput = decoder\nloss = %s\n"
        "bidirectional = no\nlayers = 1\nhidden = 32\nattention = none\n"
        "[train]\nbatch = 20\nepochs = 30\nlr = 0.01\nschedule = cosine\nhuber_delta = 0.5\n",
        losses[_i]);
    job_write_text("lines.ini", text);
    job_run(&result, 2, "lines.ini", losses[_i], NULL);
    job_expect(&result, 0);
    job_field(result.output, "finished: ", "best", best);
    ck_assert_msg(atof(best) < bounds[_i], "%s", result.output);
    command_result_finish(&result);
    command_call(&result, JOB_SECONDS, getenv("RNN_PREDICT"), "-o", job_path("lines-out.h5"),
        job_path(losses[_i]), job_path("lines-valid.h5"), NULL);
    job_expect(&result, 0);
    job_field(result.output, "sequences=200 ", "loss", told);
    ck_assert_str_eq(told, best);
    ck_assert(!job_has_field(result.output, "sequences=200 ", "error"));
    double own = judge(_i);
    ck_assert_msg(own < 4 * bounds[_i], "%g of %s", own, losses[_i]);
    command_result_finish(&result);
}
END_TEST

int main(void)
{
    job_open();
    Suite *suite = suite_create("one to many");
    TCase *cases = tcase_create("one to many");
    tcase_set_timeout(cases, 2 * JOB_SECONDS);
    tcase_add_test(cases, numbers_are_spelled_from_one_frame);
    tcase_add_loop_test(cases, values_follow_from_one_frame, 0, 4);
    suite_add_tcase(suite, cases);
    int outcome = suite_run(suite);
    job_close();
    return outcome;
}

/* rnn-model from outside: what it says of checkpoints, what it makes of them, and what it refuses. */
#include "base/hash.h"
#include "ckpt/checkpoint.h"
#include "cli/model_job.h"
#include "support/job.h"
#include "support/suite.h"

#include <hdf5.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char base[] = "[data]\ntrain = train.h5\nvalid = valid.h5\nstandardize = yes\n"
                           "[model]\nhidden = 4\ninput_layers = 3\n"
                           "[train]\nbatch = 4\nmicrobatch = 2\nepochs = 2\nlr = 0.01\n"
                           "[checkpoint]\nevery = 3 steps\nkeep = 9\n";

static void set_up(void)
{
    job_train_small(base);
}

static void read_file(const char *name, enum checkpoint_trust trust, struct checkpoint *checkpoint)
{
    struct error error = {0};
    checkpoint_init(checkpoint);
    ck_assert_msg(checkpoint_read(job_path(name), trust, checkpoint, &error) == 0, "%s", error.text);
}

/* Another program writes the values of a set in place. */
static void edit(const char *name, const char *set, float value, size_t n)
{
    float values[64];
    ck_assert_uint_le(n, 64);
    for (size_t i = 0; i < n; i++)
        values[i] = value;
    hid_t file = H5Fopen(job_path(name), H5F_ACC_RDWR, H5P_DEFAULT);
    hid_t dataset = H5Dopen2(file, set, H5P_DEFAULT);
    ck_assert(H5Dwrite(dataset, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0);
    H5Dclose(dataset);
    ck_assert(H5Fclose(file) >= 0);
}

/* Another program removes a group. */
static void drop(const char *name, const char *group)
{
    hid_t file = H5Fopen(job_path(name), H5F_ACC_RDWR, H5P_DEFAULT);
    ck_assert(H5Ldelete(file, group, H5P_DEFAULT) >= 0);
    ck_assert(H5Fclose(file) >= 0);
}

static void copy_file(const char *from, const char *to)
{
    size_t size;
    char *bytes = job_read(from, &size);
    job_write(to, bytes, size);
    free(bytes);
}

static void average_run(const char *output)
{
    struct command_result result;
    char one[1024], other[1024], path[1024];
    call(&result, "RNN_MODEL", "average", lasting("run/checkpoint-0000000003.h5", one),
        lasting("run/checkpoint-0000000008.h5", other), "-o", lasting(output, path), NULL);
    expect(&result, "weights_hash=");
}

/* ---- info ---- */

START_TEST(info_says_what_a_checkpoint_is)
{
    static const char *const parts[] = {"  file       checkpoint of a run, format ", "output = sequence;",
        "input_layers = 3", "2 features per frame, standardized", "3 classes",
        " tensors, weights_hash=", "step=8 epoch=2, finished, by adam",
        " loss=", " train_error=", "  best       ",
        "  train set  shape=", "  rnn.weight_ih_l0                 [16, 3]\n",
        "  head.bias                        [3]\n"};
    struct command_result result;
    call(&result, "RNN_MODEL", "info", job_path("run/checkpoint-0000000008.h5"), NULL);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        ck_assert_msg(strstr(result.output, parts[i]), "wanted '%s' in: %s", parts[i], result.output);
    job_expect(&result, 0);
    command_result_finish(&result);
    call(&result, "RNN_MODEL", "info", job_path("run"), NULL);
    expect(&result, "/run/best.h5\n");
}
END_TEST

START_TEST(info_looks_at_every_file_and_tells_of_the_first_failure)
{
    struct command_result result;
    char one[1024], other[1024], third[1024];
    call(&result, "RNN_MODEL", "info", lasting("absent.h5", one), lasting("base.ini", other),
        lasting("run", third), NULL);
    ck_assert_int_eq(result.status, 74);
    ck_assert_msg(strstr(result.errors, "absent.h5: cannot be opened: No such file"), "%s", result.errors);
    ck_assert_msg(strstr(result.errors, "base.ini: is not a checkpoint: no HDF5 file"), "%s", result.errors);
    ck_assert_msg(strstr(result.output, "/run/best.h5\n"), "%s", result.output);
    command_result_finish(&result);
}
END_TEST

/* ---- seal ---- */

START_TEST(an_edited_checkpoint_is_refused_until_it_is_sealed)
{
    struct command_result result;
    struct checkpoint read;
    job_copy("run", "edited");
    edit("edited/checkpoint-0000000008.h5", "/model/head.bias", 0.5F, 3);
    call(&result, "RNN_MODEL", "info", job_path("edited/checkpoint-0000000008.h5"), NULL);
    expect_failure(&result, 65, "rnn-model seal");
    call(&result, "RNN_MODEL", "seal", job_path("edited/checkpoint-0000000008.h5"), NULL);
    expect(&result, "weights_hash=");
    read_file("edited/checkpoint-0000000008.h5", CHECKPOINT_SEALED, &read);
    ck_assert(read.weights[read.count - 1] == 0.5F && read.weights[read.count - 3] == 0.5F);
    ck_assert_uint_eq(read.weights_hash, hash_bytes(read.weights, read.count * sizeof(float)));
    ck_assert_int_eq(read.progress.step, 8);
    checkpoint_finish(&read);
    job_run(&result, 0, "base.ini", "edited", "--set", "train.epochs=3", NULL); /* the run goes on from it */
    expect(&result, "finished: step=12 epoch=3 ");
}
END_TEST

/* One bit in the line alone: the content is what it was, and so are the bytes that seal makes. */
START_TEST(sealing_what_was_not_changed_gives_the_same_bytes)
{
    struct command_result result;
    size_t size;
    free(job_read("run/best.h5", &size));
    copy_file("run/best.h5", "line.h5");
    job_flip("line.h5", size - 30);
    call(&result, "RNN_TRAIN", "--verify", job_path("line.h5"), NULL);
    job_expect(&result, 65);
    command_result_finish(&result);
    call(&result, "RNN_MODEL", "seal", job_path("line.h5"), NULL);
    expect(&result, "weights_hash=");
    ck_assert(job_same_file("line.h5", "run/best.h5"));
}
END_TEST

START_TEST(seal_refuses_what_no_hash_can_make_right)
{
    struct command_result result;
    char output[1024];
    copy_file("run/best.h5", "bad.h5");
    edit("bad.h5", "/model/head.bias", NAN, 3);
    call(&result, "RNN_MODEL", "seal", job_path("bad.h5"), "-o", lasting("sealed.h5", output), NULL);
    expect_failure(&result, 65, "number 0 of the weights of head.bias is not finite");
    ck_assert(!job_exists("sealed.h5"));
    copy_file("run/best.h5", "bad.h5");
    drop("bad.h5", "/model/rnn.bias_hh_l0");
    call(&result, "RNN_MODEL", "seal", job_path("bad.h5"), NULL);
    expect_failure(&result, 65, "is not where the one before ends");
    copy_file("run/best.h5", "bad.h5");
    drop("bad.h5", "/optimizer");
    call(&result, "RNN_MODEL", "seal", job_path("bad.h5"), NULL);
    expect_failure(&result, 65, "group /optimizer is not there");
}
END_TEST

START_TEST(a_checkpoint_without_optimizer_and_progress_is_sealed_as_weights_alone)
{
    struct command_result result;
    struct checkpoint read;
    copy_file("run/best.h5", "thin.h5");
    drop("thin.h5", "/optimizer");
    drop("thin.h5", "/progress");
    call(&result, "RNN_MODEL", "seal", job_path("thin.h5"), NULL);
    expect(&result, "weights_hash=");
    read_file("thin.h5", CHECKPOINT_ANY, &read);
    ck_assert(read.weights_alone);
    checkpoint_finish(&read);
}
END_TEST

/* ---- average ---- */

START_TEST(an_average_is_the_mean_of_the_weights)
{
    struct checkpoint one, other, mean;
    average_run("mean.h5");
    read_file("run/checkpoint-0000000003.h5", CHECKPOINT_ANY, &one);
    read_file("run/checkpoint-0000000008.h5", CHECKPOINT_ANY, &other);
    read_file("mean.h5", CHECKPOINT_ANY, &mean);
    ck_assert(mean.weights_alone && mean.count == one.count && mean.features == 2);
    ck_assert(mean.data[DATA_TRAIN].complete && mean.data[DATA_TRAIN].inputs == one.data[DATA_TRAIN].inputs);
    for (size_t i = 0; i < mean.count; i++)
        ck_assert(mean.weights[i] == (float)(((double)one.weights[i] + (double)other.weights[i]) / 2));
    checkpoint_finish(&one);
    checkpoint_finish(&other);
    checkpoint_finish(&mean);
}
END_TEST

START_TEST(the_average_of_a_checkpoint_with_itself_has_its_weights)
{
    struct command_result result;
    struct checkpoint one, mean;
    char path[1024], output[1024];
    lasting("run/best.h5", path);
    call(&result, "RNN_MODEL", "average", path, path, path, "-o", lasting("same.h5", output), NULL);
    expect(&result, "weights_hash=");
    read_file("run/best.h5", CHECKPOINT_ANY, &one);
    read_file("same.h5", CHECKPOINT_ANY, &mean);
    ck_assert_uint_eq(one.weights_hash, mean.weights_hash);
    checkpoint_finish(&one);
    checkpoint_finish(&mean);
}
END_TEST

START_TEST(weights_alone_serve_prediction_and_a_start_and_no_run_goes_on_from_them)
{
    struct command_result result;
    char path[1024];
    average_run("mean.h5");
    call(&result, "RNN_PREDICT", lasting("mean.h5", path), job_path("valid.h5"), NULL);
    expect(&result, "sequences=16 ");
    call(&result, "RNN_TRAIN", "--verify", path, NULL);
    expect(&result, "(weights alone)");
    call(&result, "RNN_MODEL", "info", path, NULL);
    expect(&result, "  file       weights alone, ");
    job_run(&result, 0, "base.ini", "begun", "--init", path, NULL);
    expect(&result, "finished: step=8 ");
    job_copy("run", "alone");
    job_remove("alone/checkpoint-0000000003.h5");
    job_remove("alone/checkpoint-0000000006.h5");
    copy_file("mean.h5", "alone/checkpoint-0000000008.h5");
    job_run(&result, 0, "base.ini", "alone", NULL);
    job_expect(&result, 65);
    ck_assert_msg(strstr(result.errors, "holds weights alone, no state of a run"), "%s", result.errors);
    command_result_finish(&result);
}
END_TEST

START_TEST(only_weights_of_one_network_are_averaged)
{
    static const struct {
        const char *set, *says;
    } other[] = {
        {"model.residual=yes", "has another model.residual (yes, not no) than "},
        {"model.hidden=5", "has another model.hidden (5, not 4) than "},
        {"data.standardize=no", "has another standardization of its inputs than "},
        {"model.dropout=0.5", NULL},
    };
    struct command_result result;
    char hash[17], one[1024], second[1024], output[1024];
    for (size_t i = 0; i < sizeof other / sizeof *other; i++) {
        job_finish(
            hash, 0, "base.ini", "other", "--fresh", "--set", "train.epochs=1", "--set", other[i].set, NULL);
        call(&result, "RNN_MODEL", "average", lasting("run", one), lasting("other", second), "-o",
            lasting("no.h5", output), NULL);
        if (other[i].says)
            expect_failure(&result, 65, other[i].says);
        else
            expect(&result, "weights_hash=");
        ck_assert_int_eq(job_exists("no.h5"), !other[i].says);
    }
}
END_TEST

/* ---- the command line ---- */

START_TEST(the_command_line_is_told_what_is_wrong_with_it)
{
    static const struct {
        const char *words[4];
        const char *says;
    } bad[] = {
        {{NULL}, "what to do? "},
        {{"show"}, "commands are "},
        {{"info"}, "which checkpoint?"},
        {{"average", "a.h5"}, "-o FILE is missing"},
        {{"average", "-o", "a.h5"}, "which checkpoints?"},
        {{"seal"}, "which checkpoint?"},
        {{"seal", "a.h5", "b.h5"}, "one checkpoint at a time, what is b.h5"},
        {{"info", "-o", "a.h5"}, "-o"},
    };
    struct command_result result;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const char *const *w = bad[i].words;
        call(&result, "RNN_MODEL", w[0], w[1], w[2], w[3], NULL);
        expect_failure(&result, 2, bad[i].says);
    }
    call(&result, "RNN_MODEL", "--help", NULL);
    expect(&result, "Usage: rnn-model info CHECKPOINT...\n");
    call(&result, "RNN_MODEL", "--version", NULL);
    expect(&result, "rnn-model ");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("rnn-model");
    TCase *tests = tcase_create("rnn-model");
    tcase_set_timeout(tests, 120);
    tcase_add_unchecked_fixture(tests, set_up, NULL);
    tcase_add_test(tests, info_says_what_a_checkpoint_is);
    tcase_add_test(tests, info_looks_at_every_file_and_tells_of_the_first_failure);
    tcase_add_test(tests, an_edited_checkpoint_is_refused_until_it_is_sealed);
    tcase_add_test(tests, sealing_what_was_not_changed_gives_the_same_bytes);
    tcase_add_test(tests, seal_refuses_what_no_hash_can_make_right);
    tcase_add_test(tests, a_checkpoint_without_optimizer_and_progress_is_sealed_as_weights_alone);
    tcase_add_test(tests, an_average_is_the_mean_of_the_weights);
    tcase_add_test(tests, the_average_of_a_checkpoint_with_itself_has_its_weights);
    tcase_add_test(tests, weights_alone_serve_prediction_and_a_start_and_no_run_goes_on_from_them);
    tcase_add_test(tests, only_weights_of_one_network_are_averaged);
    tcase_add_test(tests, the_command_line_is_told_what_is_wrong_with_it);
    suite_add_tcase(suite, tests);
    job_open();
    int outcome = suite_run(suite);
    job_close();
    return outcome;
}

/* Data that are not what a run was begun with, nor what a network was trained on, and data that are. */
#include "base/memory.h"
#include "base/random.h"
#include "support/job.h"
#include "support/suite.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char base[] = "[data]\ntrain = train.h5\nvalid = valid.h5\n"
                           "[model]\nhidden = 4\nlayers = 1\n"
                           "[train]\nbatch = 8\nmicrobatch = 2\nepochs = 2\nlr = 0.01\n";

static const struct sample_shape shape = {
    .sequences = 41, .shortest = 1, .longest = 30, .features = 3, .kind = SAMPLE_PER_SEQUENCE, .classes = 3};

static const char *const features[] = {"x", "y", "z"}, *const classes[] = {"a", "b", "c"},
                         *const other_features[] = {"z", "y", "x"}, *const other_classes[] = {"a", "b", "d"};

enum change { NO_CHANGE, OTHER_INPUT, OTHER_TARGET };

/* Writes the sample of a seed; names of NULL are left out. */
static void write_set(const char *name, uint64_t seed, enum change change, const char *const *feature_names,
    const char *const *class_names, int level)
{
    struct sample sample;
    sample_init(&sample, &shape, seed);
    if (change == OTHER_INPUT)
        sample.inputs[77 * 3] += 0.5f;
    if (change == OTHER_TARGET)
        sample.classes[40] = (sample.classes[40] + 1) % 3;
    struct h5_image *image = sample_image(&sample, NULL);
    if (feature_names)
        h5_image_texts(image, "feature_names", 3, feature_names);
    if (class_names)
        h5_image_texts(image, "class_names", 3, class_names);
    if (level)
        h5_image_attribute_int32(image, "/", "level", level);
    sample_save(image, job_path(name));
    sample_finish(&sample);
}

static void write_data(void)
{
    write_set("train.h5", 1, NO_CHANGE, features, classes, 0);
    write_set("valid.h5", 2, NO_CHANGE, features, classes, 0);
    job_write_text("base.ini", base);
}

/* The sets are kept in memory, or read as they are needed. */
static const char *const caches[] = {"data.cache=256 MiB", "data.cache=3 KiB"};
static const char *cache = "data.cache=256 MiB"; /* of the test at hand */

static void refuse(int ranks, const char *run, const char *set, const char *first, const char *second)
{
    struct command_result result;
    job_run(&result, ranks, "base.ini", run, "-s", set, "-s", "train.epochs=3", "-s", cache, NULL);
    job_expect(&result, 65);
    job_complains(&result, 1, first, second, "--accept-changed-data", "--fresh", NULL);
    ck_assert_str_eq(result.output, "");
    command_result_finish(&result);
}

/* ---- values ---- */

START_TEST(one_other_value_is_refused_whichever_set_it_is_in)
{
    char run[20], hash[17], wants[17];
    struct command_result result;
    cache = caches[_i];
    snprintf(run, sizeof run, "values-%d", _i);
    write_set("inputs.h5", 1, OTHER_INPUT, features, classes, 0);
    write_set("targets.h5", 1, OTHER_TARGET, features, classes, 0);
    write_set("valid-inputs.h5", 2, OTHER_INPUT, features, classes, 0);
    job_finish(hash, 2, "base.ini", run, "-s", cache, NULL);
    refuse(3, run, "data.train=inputs.h5", "inputs.h5", "(training set: inputs differ)");
    refuse(0, run, "data.train=targets.h5", "targets.h5", "(training set: targets differ)");
    refuse(0, run, "data.valid=valid-inputs.h5", "valid-inputs.h5", "(validation set: inputs differ)");
    refuse(0, run, "data.valid=train.h5", "train.h5", "(validation set: shapes or offsets differ)");
    refuse(0, run, "data.valid=", "data.valid", "(validation set: there was one, and now there is none)");
    job_run(&result, 2, "base.ini", run, "-s", "data.train=inputs.h5", "--accept-changed-data", "-s",
        "train.epochs=3", "-s", cache, NULL);
    job_expect(&result, 0);
    job_complains(&result, 1, "warning: ", "inputs.h5", "(training set: inputs differ): it goes on", NULL);
    command_result_finish(&result);
    job_finish(hash, 0, "base.ini", run, "-s", "data.train=inputs.h5", "-s", "train.epochs=4", NULL);
    job_finish(wants, 0, "base.ini", run, "-s", "data.train=inputs.h5", "-s", "train.epochs=4", NULL);
    ck_assert_str_eq(hash, wants);
}
END_TEST

/* The file is written anew, with another size, inode and time. */
START_TEST(the_same_values_in_another_file_are_the_same_data)
{
    char run[20], hash[17], wants[17];
    cache = caches[_i];
    snprintf(run, sizeof run, "moved-%d", _i);
    write_set("again.h5", 1, NO_CHANGE, features, classes, 1);
    job_finish(wants, 0, "base.ini", "three", "-s", "train.epochs=3", NULL);
    job_finish(hash, 2, "base.ini", run, "-s", cache, NULL);
    job_finish(
        hash, 3, "base.ini", run, "-s", "data.train=again.h5", "-s", "train.epochs=3", "-s", cache, NULL);
    ck_assert_str_eq(hash, wants);
}
END_TEST

/* ---- several files ---- */

/* The training set of the seed 1 in three files, of which one has a blank in its name and one a comma. */
static void write_parts(void)
{
    static const char *const names[] = {"part one.h5", "two.h5", "three, 3.h5"};
    const int64_t cut[] = {0, 1, 17, shape.sequences};
    struct sample sample;
    sample_init(&sample, &shape, 1);
    for (int i = 0; i < 3; i++)
        sample_write_part(&sample, cut[i], cut[i + 1], job_path(names[i]));
    sample_write(&sample, job_path("single.h5"));
    sample_finish(&sample);
    job_write_text("parts.ini", strstr(base, "[model]"));
}

static const char parts[] = "data.train=part one.h5, two.h5 ,three\\, 3.h5";

/* Kept or read, in windows or not: as the one file does, on any number of ranks. */
START_TEST(several_files_give_the_bits_of_one_with_their_sequences)
{
    static const char *const orders[] = {"data.shuffle=full", "data.shuffle=windows"};
    const char *window = _i / 2 ? "data.window=2 KiB" : "report.every=1 minute", *order = orders[_i / 2];
    char run[40], hash[17], wants[17];
    cache = caches[_i % 2];
    write_parts();
    snprintf(run, sizeof run, "one-%d", _i);
    job_finish(wants, 0, "parts.ini", run, "-s", "data.train=single.h5", "-s", cache, "-s", order, "-s",
        window, "-s", "data.standardize=yes", NULL);
    for (int ranks = 1; ranks <= 3; ranks++) {
        snprintf(run, sizeof run, "several-%d-%d", _i, ranks);
        job_finish(hash, ranks, "parts.ini", run, "-s", parts, "-s", cache, "-s", order, "-s", window, "-s",
            "data.standardize=yes", NULL);
        ck_assert_str_eq(hash, wants);
    }
}
END_TEST

/* Its fingerprint is that of the one file; the order of the files is part of it. */
START_TEST(a_run_goes_on_with_its_file_cut_into_several)
{
    char run[20], again[40], hash[17], wants[17];
    struct command_result result;
    cache = caches[_i];
    write_parts();
    snprintf(run, sizeof run, "cut-%d", _i);
    snprintf(again, sizeof again, "%s/config.ini", run);
    job_finish(wants, 0, "parts.ini", "uncut", "-s", "data.train=single.h5", "-s", "train.epochs=4", NULL);
    job_finish(hash, 2, "parts.ini", run, "-s", "data.train=single.h5", "-s", cache, NULL);
    job_run(&result, 2, "parts.ini", run, "-s", "data.train=two.h5, part one.h5", "-s", cache, NULL);
    job_expect(&result, 65);
    job_complains(&result, 1, "two.h5 and 1 more is not the data this run was begun with",
        "(training set: shapes or offsets differ)", NULL);
    command_result_finish(&result);
    job_finish(hash, 3, "parts.ini", run, "-s", parts, "-s", "train.epochs=3", "-s", cache, NULL);
    job_finish(hash, 2, again, run, "-s", "train.epochs=4", NULL); /* as its config.ini names them */
    ck_assert_str_eq(hash, wants);
    job_run(&result, 0, "parts.ini", "empty", "-s", "data.train=part one.h5,,two.h5", NULL);
    job_expect(&result, 65);
    job_complains(&result, 1, "data.train", "no path before or behind a comma", NULL);
    command_result_finish(&result);
}
END_TEST

static void expect_equal_checkpoints(const char *one, const char *other, int step)
{
    char paths[2][100];
    struct command_result result;
    snprintf(paths[0], sizeof paths[0], "%s/checkpoint-%010d.h5", one, step);
    snprintf(paths[1], sizeof paths[1], "%s/checkpoint-%010d.h5", other, step);
    command_call(&result, JOB_SECONDS, "h5diff", "--exclude-path", "/provenance", job_path(paths[0]),
        job_path(paths[1]), NULL);
    ck_assert_msg(result.status == 0, "%s", result.output);
    command_result_finish(&result);
}

static int64_t completeness(const char *run, int step)
{
    char path[100];
    int64_t complete = -1;
    struct error error = {0};
    snprintf(path, sizeof path, "%s/checkpoint-%010d.h5", run, step);
    struct h5_file *file = h5_open(job_path(path), 0, &error);
    ck_assert_msg(file != NULL, "%s", error.text);
    ck_assert_int_eq(h5_attribute_integer(file, "/data", "train_complete", &complete, &error), 1);
    h5_close(file);
    return complete;
}

/* The second run stops in its first epoch, of 6 steps, and reads at the end of it what it has not seen. */
START_TEST(a_fingerprint_that_an_epoch_fills_depends_on_neither_ranks_nor_a_stop)
{
    enum { STEPS = 6 };
    char hash[17], name[64];
    const char *every = "checkpoint.every=1 step", *keep = "checkpoint.keep=100", *small = caches[1];
    job_finish(hash, 1, "base.ini", "straight", "-s", every, "-s", keep, "-s", small, NULL);
    job_finish(hash, 3, "base.ini", "stopped", "-s", every, "-s", keep, "-s", small, NULL);
    for (int step = 1; step <= 2 * STEPS; step++) {
        ck_assert_int_eq(completeness("straight", step), step >= STEPS);
        expect_equal_checkpoints("straight", "stopped", step);
    }
    for (int step = 4; step <= 2 * STEPS; step++) {
        snprintf(name, sizeof name, "stopped/checkpoint-%010d.h5", step);
        job_remove(name);
    }
    job_finish(hash, 2, "base.ini", "stopped", "-s", every, "-s", keep, "-s", small, NULL);
    for (int step = 4; step <= 2 * STEPS; step++)
        expect_equal_checkpoints("straight", "stopped", step);
}
END_TEST

/* ---- names ---- */

START_TEST(other_names_in_validation_are_refused)
{
    static const struct {
        const char *const *features, *const *classes;
        const char *first, *second;
    } wrong[] = {
        {other_features, classes, "feature_names: row 0 is \"z\" where the network has \"x\"",
            "\"z\" in row 2"},
        {features, other_classes, "class_names: row 2 is \"d\" where the network has \"c\"",
            "no \"d\" at all"},
    };
    struct command_result result;
    write_set("other.h5", 2, NO_CHANGE, wrong[_i].features, wrong[_i].classes, 0);
    for (int ranks = 0; ranks <= 2; ranks += 2) {
        job_run(&result, ranks, "base.ini", "misnamed", "-s", "data.valid=other.h5", NULL);
        job_expect(&result, 65);
        job_complains(&result, 1, "other.h5", wrong[_i].first, wrong[_i].second, NULL);
        command_result_finish(&result);
    }
}
END_TEST

START_TEST(names_that_are_absent_are_warned_of_once_and_kept_by_the_run)
{
    struct command_result result;
    char hash[17];
    write_set("nameless.h5", 1, NO_CHANGE, NULL, NULL, 0);
    write_set("nameless-valid.h5", 2, NO_CHANGE, NULL, NULL, 0);
    job_run(&result, 3, "base.ini", "named", "-s", "data.valid=nameless-valid.h5", NULL);
    job_expect(&result, 0);
    job_complains(&result, 1, "warning: ", "nameless-valid.h5: has no feature_names, class_names", NULL);
    command_result_finish(&result);
    job_run(&result, 2, "base.ini", "named", "-s", "data.train=nameless.h5", "-s", "train.epochs=3", NULL);
    job_expect(&result, 0);
    job_complains(&result, 1, "warning: ", "nameless.h5: has no feature_names, class_names", NULL);
    command_result_finish(&result);
    job_finish(hash, 0, "base.ini", "named", "-s", "train.epochs=4", NULL);
    write_set("permuted.h5", 1, NO_CHANGE, other_features, classes, 0);
    refuse(0, "named", "data.train=permuted.h5", "permuted.h5: feature_names: row 0", "not those this run");
}
END_TEST

static void predict(struct command_result *result, int ranks, const char *set, const char *option)
{
    char count[8];
    snprintf(count, sizeof count, "%d", ranks);
    job_remove("out.h5");
    command_call(result, JOB_SECONDS, getenv("MPIRUN"), "-np", count, getenv("RNN_PREDICT"), "-o",
        job_path("out.h5"), job_path("whole"), job_path(set), option, NULL);
}

static void expect_names(const char *set, const char *const *names)
{
    char **texts = NULL;
    struct error error = {0};
    struct h5_file *file = h5_open(job_path("out.h5"), 0, &error);
    ck_assert_msg(file && h5_read_texts(file, set, 0, 3, &texts, &error) == 0, "%s", error.text);
    for (int i = 0; i < 3; i++)
        ck_assert_str_eq(texts[i], names[i]);
    memory_destroy(texts);
    h5_close(file);
}

START_TEST(predictions_carry_the_names_of_the_network_and_refuse_others)
{
    struct command_result result;
    char hash[17];
    job_write_text("out.h5", "");
    job_finish(hash, 0, "base.ini", "whole", NULL);
    write_set("nameless.h5", 3, NO_CHANGE, NULL, NULL, 0);
    predict(&result, 3, "nameless.h5", NULL);
    job_expect(&result, 0);
    ck_assert_int_eq(job_count_lines(result.errors, "rnn-predict: "), 1);
    ck_assert_ptr_nonnull(strstr(result.errors, "warning: "));
    ck_assert_ptr_nonnull(strstr(result.errors, "nameless.h5: has no feature_names, class_names"));
    command_result_finish(&result);
    expect_names("class_names", classes);
    write_set("permuted.h5", 3, NO_CHANGE, features, other_classes, 0);
    static const char *const options[] = {NULL, "--gradient-flow"};
    for (int i = 0; i < 2; i++) {
        job_write_text("out.h5", "");
        predict(&result, 2, "permuted.h5", options[i]);
        job_expect(&result, 65);
        ck_assert_int_eq(job_count_lines(result.errors, "rnn-predict: "), 1);
        ck_assert_ptr_nonnull(strstr(result.errors, "permuted.h5: class_names: row 2 is \"d\""));
        ck_assert(!job_exists("out.h5"));
        command_result_finish(&result);
    }
}
END_TEST

/* ---- files that change, and files that differ ---- */

enum meddling { CUT_OFF, WRITTEN_TO, RENAMED_OVER, MEDDLINGS };

static void meddle(enum meddling how, const char *name)
{
    char path[400];
    snprintf(path, sizeof path, "%s", job_path(name));
    FILE *file = how == RENAMED_OVER ? NULL : fopen(path, "r+");
    if (how == CUT_OFF)
        ck_assert_int_eq(truncate(path, 20000), 0);
    else if (how == WRITTEN_TO)
        ck_assert(fseek(file, -1, SEEK_END) == 0 && fputc(0, file) != EOF);
    else
        ck_assert_int_eq(rename(job_path("valid.h5"), path), 0);
    if (file)
        ck_assert_int_eq(fclose(file), 0);
}

/* Epochs without end on a set that is read as it is needed: only the meddling ends them, or a signal. */
START_TEST(a_file_that_changes_while_it_is_read_ends_the_run_with_its_last_checkpoint)
{
    struct command_process process;
    struct command_result result;
    char run[20], reason[256];
    snprintf(run, sizeof run, "meddled-%d", _i);
    write_set("meddled.h5", 1, NO_CHANGE, features, classes, 0);
    job_start(&process, 2, "base.ini", run, "-s", "data.train=meddled.h5", "-s", "data.cache=3 KiB", "-s",
        "train.epochs=1000000", NULL);
    ck_assert(command_await_output(&process, "epoch=2 ", 1, JOB_SECONDS));
    meddle((enum meddling)_i, "meddled.h5");
    if (_i == RENAMED_OVER) {
        ck_assert(command_await_output(&process, "epoch=9 ", 1, JOB_SECONDS));
        command_signal(&process, SIGUSR1);
    }
    command_wait(&process, &result);
    job_expect(&result, _i == RENAMED_OVER ? 0 : 65);
    if (_i != RENAMED_OVER) {
        job_complains(&result, 1, "meddled.h5: was changed while it is read",
            _i == CUT_OFF ? "its size went from" : "it was written to", NULL);
        job_status(run, "state", reason);
        ck_assert_str_eq(reason, "failed");
        ck_assert_int_ge(job_count(run, "checkpoint-"), 1);
    }
    command_result_finish(&result);
    write_data();
}
END_TEST

/* Targets of 8 MiB, one a frame, which ctc and decoder take where there are offsets. No two neighbours are
 * equal, so that a path through them has as many frames as there are. */
enum { LARGE_LENGTH = 64, LARGE_SEQUENCES = 32768, LARGE_TARGETS = 4 * LARGE_LENGTH * LARGE_SEQUENCES };

/* Values are changed by `spoil`; NULL: none are. */
static void write_long(
    const char *name, int64_t sequences, int32_t length, void (*spoil)(struct sample *sample))
{
    const struct sample_shape large = {.sequences = sequences,
        .shortest = length,
        .longest = length,
        .symbols = 2,
        .kind = SAMPLE_PER_FRAME_OFFSETS,
        .classes = 2};
    struct sample sample;
    sample_init(&sample, &large, 1);
    for (int64_t i = 0; i < sample.targets; i++)
        sample.classes[i] = (int32_t)(i % 2);
    if (spoil)
        spoil(&sample);
    sample_write(&sample, job_path(name));
    sample_finish(&sample);
}

static void write_large(const char *name, int64_t sequences, void (*spoil)(struct sample *sample))
{
    write_long(name, sequences, LARGE_LENGTH, spoil);
}

static void make_folders(void)
{
    struct command_result result;
    char folder[400], other[400];
    snprintf(folder, sizeof folder, "%s", job_path("here"));
    snprintf(other, sizeof other, "%s", job_path("there"));
    command_call(&result, JOB_SECONDS, "mkdir", folder, other, NULL);
    command_result_finish(&result);
    write_data();
}

/* What reads a set of 2 MiB, of which it keeps nothing, while another changes it (meddler.c): after a quarter
 * of the second reading of all of it, where there is one, else after half of the first. A rank of rnn-predict
 * looks at a sample first, which is all of a small set; gradient flow then takes 4 sequences, of 8 KiB here.
 */
enum reading {
    PREDICTING,
    PREDICTING_ALONE,
    MEASURING_FLOW,
    CHECKING,
    CHECKING_FOR_CTC,
    INFORMING,
    CHECKING_A_RUN,
    READINGS
};

static void read_meddled(struct command_result *result, enum reading reading, const char *how)
{
    char size[20], set[500], out[500], run[500], mpirun[500];
    snprintf(set, sizeof set, "%s", job_path("large.h5"));
    snprintf(out, sizeof out, "%s", job_path("out.h5"));
    snprintf(run, sizeof run, "%s", job_path("small"));
    snprintf(mpirun, sizeof mpirun, "%s", getenv("MPIRUN"));
    snprintf(size, sizeof size, "%d",
        reading == CHECKING || reading == INFORMING ? 1 << 20
            : reading == MEASURING_FLOW             ? (2 << 20) + (32 << 10)
                                                    : 5 << 19);
    setenv("MEDDLE_FILE", set, 1);
    setenv("MEDDLE_AFTER", size, 1);
    setenv("MEDDLE_HOW", how, 1);
    setenv("LD_PRELOAD", getenv("MEDDLER_LIBRARY"), 1);
    if (reading == PREDICTING)
        command_call(result, JOB_SECONDS, mpirun, "-np", "2", getenv("RNN_PREDICT"), "--cache", "64 KiB",
            "-o", out, run, set, NULL);
    else if (reading == PREDICTING_ALONE)
        command_call(
            result, JOB_SECONDS, getenv("RNN_PREDICT"), "--cache", "64 KiB", "-o", out, run, set, NULL);
    else if (reading == MEASURING_FLOW)
        command_call(result, JOB_SECONDS, getenv("RNN_PREDICT"), "--cache", "64 KiB", "--gradient-flow", "-o",
            out, run, set, NULL);
    else if (reading == CHECKING)
        command_call(result, JOB_SECONDS, getenv("RNN_DATA"), "check", set, NULL);
    else if (reading == CHECKING_FOR_CTC)
        command_call(result, JOB_SECONDS, getenv("RNN_DATA"), "check", "--ctc", set, NULL);
    else if (reading == INFORMING)
        command_call(result, JOB_SECONDS, getenv("RNN_DATA"), "info", set, NULL);
    else
        job_run(result, 0, "large.ini", "small", "--check", NULL);
    unsetenv("LD_PRELOAD");
}

static void expect_meddled(enum reading reading, const char *how, const char *said)
{
    struct command_result result;
    int32_t times = reading == MEASURING_FLOW ? 16 : 1;
    write_long("large.h5", LARGE_SEQUENCES / 8 / times, LARGE_LENGTH * times, NULL);
    write_long("large.h5.new", LARGE_SEQUENCES / 8 / times, LARGE_LENGTH * times, NULL);
    job_write_text("out.h5", "of before");
    read_meddled(&result, reading, how);
    ck_assert_msg(result.status == (said ? 65 : 0), "%s", result.errors);
    ck_assert_int_eq(job_exists("large.h5.new"), said != NULL);
    ck_assert_msg(!said || strstr(result.errors, said), "%s", result.errors);
    if (said)
        ck_assert_msg(!strstr(result.output, "ok") && !strstr(result.output, "loss="), "%s", result.output);
    if (said || reading > MEASURING_FLOW) {
        char *before = job_read("out.h5", NULL);
        ck_assert_str_eq(before, "of before");
        free(before);
    }
    ck_assert_int_eq(job_count(".", ".out.h5"), 0);
    command_result_finish(&result);
}

START_TEST(what_reads_a_file_that_changes_meanwhile_says_so_and_leaves_nothing)
{
    expect_meddled((enum reading)_i, "cut", "/large.h5: was changed while it is read: its size went from ");
    expect_meddled((enum reading)_i, "write", "/large.h5: was changed while it is read: it was written to");
    expect_meddled((enum reading)_i, "rename", NULL);
}
END_TEST

/* The start reads a sample, which is all of so small a set, the first block of targets, and offsets; then a
 * step reads the values of 16 sequences, and a few microbatches are read before their time. When the file
 * changes less than 44 steps have been read. */
START_TEST(no_checkpoint_is_written_of_what_was_read_from_a_file_that_has_changed)
{
    enum { BATCH = 16, STEP = BATCH * LARGE_LENGTH * 8, STEPS = 40, START = (3 << 20) + (2 * 8 * 4097) };
    struct command_result result;
    char after[20];
    write_large("large.h5", LARGE_SEQUENCES / 8, NULL);
    snprintf(after, sizeof after, "%d", START + STEPS * STEP);
    setenv("MEDDLE_FILE", job_path("large.h5"), 1);
    setenv("MEDDLE_AFTER", after, 1);
    setenv("MEDDLE_HOW", "write", 1);
    setenv("LD_PRELOAD", getenv("MEDDLER_LIBRARY"), 1);
    job_run(&result, 0, "large.ini", "cut-short", "-s", "train.batch=16", "-s", "checkpoint.every=1 step",
        "-s", "checkpoint.keep=1000", "-s", "model.output=frame", NULL);
    unsetenv("LD_PRELOAD");
    job_expect(&result, 65);
    job_complains(&result, 1, "/large.h5: was changed while it is read: it was written to", NULL);
    ck_assert_int_gt(job_count("cut-short", "checkpoint-"), STEPS / 2);
    ck_assert_int_lt(job_count("cut-short", "checkpoint-"), STEPS + 4);
    command_result_finish(&result);
}
END_TEST

static void train_small(void)
{
    char hash[17];
    write_data();
    write_large("small.h5", 64, NULL);
    job_write_text("large.ini",
        "[data]\ntrain = large.h5\ncache = 64 KiB\n[model]\noutput = ctc\nhidden = 1\nlayers = "
        "1\n[train]\nepochs = 1\n");
    job_finish(hash, 0, "large.ini", "small", "-s", "data.train=small.h5", NULL);
}

/* Ranks started in two folders, with files of one shape and name in them. */
static void start_apart(struct command_result *result, const char *config, const char *data_cache)
{
    char set[40];
    snprintf(set, sizeof set, "data.cache=%s", data_cache);

    command_call(result, JOB_SECONDS, getenv("MPIRUN"), "-np", "2", "sh", "-c",
        "cd $0/$(" JOB_IS_RANK_0 " && echo here || echo there) && "
        "exec $RNN_TRAIN -o $0/apart -s data.train=train.h5 -s data.valid= -s \"$2\" --max-time 00:00:01 "
        "$0/$1",
        job_path("."), config, set, NULL);
}

START_TEST(ranks_that_open_different_files_of_one_shape_are_refused)
{
    struct command_result result;
    write_set("here/train.h5", 1, NO_CHANGE, features, classes, 0);
    write_set("there/train.h5", 1, OTHER_TARGET, features, classes, 0);
    start_apart(&result, "base.ini", _i ? "3 KiB" : "256 MiB");
    ck_assert_int_eq(result.status, 65);
    ck_assert_ptr_nonnull(
        strstr(result.errors, "there/train.h5: what is in this file is not what rank 0 has"));
    ck_assert_ptr_nonnull(strstr(result.errors, "rank 1 on "));
    command_result_finish(&result);
}
END_TEST

/* The inputs are 512 places of which every second is looked at, the first or the second of the first two. */
static void change_beside_the_sample(struct sample *sample)
{
    enum { PLACE = 64 << 8 };
    sample->symbols[random_below(2, 1, RANDOM_SAMPLE, 0, 0) ? 77 : PLACE + 77] ^= 1;
}

START_TEST(one_value_of_a_copy_that_differs_is_found_where_the_set_is_kept)
{
    struct command_result result;
    write_large("here/train.h5", 4 * LARGE_SEQUENCES, NULL);
    write_large("there/train.h5", 4 * LARGE_SEQUENCES, change_beside_the_sample);
    job_write_text("large.ini", "[data]\ntrain = train.h5\n[model]\noutput = ctc\nhidden = 1\nlayers = 1\n");
    start_apart(&result, "large.ini", "256 MiB");
    ck_assert_int_eq(result.status, 65);
    ck_assert_ptr_nonnull(
        strstr(result.errors, "there/train.h5: inputs: rows 0 to 1048575 are not what rank 0 has"));
    command_result_finish(&result);
    job_remove("here/train.h5");
    job_remove("there/train.h5");
}
END_TEST

/* ---- what is read ---- */

/* A step of the run on two ranks; returns how many bytes rank 1 has read from files: a process has read what
 * its children have, once it has waited for them. */
static long long count_read(const char *output, const char *run, const char *data_cache)
{
    struct command_result result;
    char sets[2][40];
    snprintf(sets[0], sizeof sets[0], "model.output=%s", output);
    snprintf(sets[1], sizeof sets[1], "data.cache=%s", data_cache);
    command_call(&result, JOB_SECONDS, getenv("MPIRUN"), "-np", "2", "sh", "-c",
        "\"$@\"; code=$?; cat /proc/$$/io > $0.${OMPI_COMM_WORLD_RANK:-$PMI_RANK}; exit $code",
        job_path("io"), getenv("RNN_TRAIN"), "-o", job_path(run), "--max-time", "00:00:01", "-s", sets[0],
        "-s", sets[1], job_path("large.ini"), NULL);
    job_expect(&result, 0);
    command_result_finish(&result);
    char *io = job_read("io.1", NULL);
    long long bytes = -1;
    ck_assert_int_eq(sscanf(io, "rchar: %lld", &bytes), 1);
    free(io);
    return bytes;
}

START_TEST(values_are_read_once_by_all_ranks_together_and_not_again_on_resume)
{
    static const char *const outputs[] = {"ctc", "decoder"};
    const char *output = outputs[_i];
    char run[20];
    if (access("/proc/self/io", R_OK) != 0) {
        printf("skipped: %s: this system does not count what a process reads\n", __func__);
        return;
    }
    write_large("large.h5", LARGE_SEQUENCES, NULL);
    job_write_text("large.ini",
        "[data]\ntrain = large.h5\n[model]\nhidden = 1\nlayers = 1\n"
        "[train]\nbatch = 2\nmicrobatch = 1\nepochs = 1\n");
    snprintf(run, sizeof run, "kept-%s", output);
    long long whole = count_read(output, run, "64 MiB"), again = count_read(output, run, "1 MiB");
    snprintf(run, sizeof run, "shared-%s", output);
    long long shared = count_read(output, run, "1 MiB");
    printf("%s: rank 1 reads %lld bytes of a set that is kept, %lld of one that is not, %lld on resume\n",
        output, whole, shared, again);
    ck_assert_int_ge(whole, LARGE_TARGETS); /* half of them, and of the inputs, which are as many */
    ck_assert_int_le(whole, LARGE_TARGETS * 13LL / 10);
    ck_assert_int_ge(shared - again, LARGE_TARGETS * 4 / 10);
    ck_assert_int_le(shared - again, LARGE_TARGETS * 6 / 10);
    ck_assert_int_le(again, LARGE_TARGETS / 2);
}
END_TEST

/* The second and the third of three ranks find a fault. */
static void spoil(struct sample *sample)
{
    sample->classes[20000 * LARGE_LENGTH + 1] = 0;
    sample->classes[30000 * LARGE_LENGTH + 5] = -1;
}

START_TEST(the_first_faulty_sequence_is_named_alike_on_any_number_of_ranks)
{
    struct command_result result;
    char *line[4] = {NULL};
    write_large("large.h5", LARGE_SEQUENCES, spoil);
    job_write_text("large.ini", "[data]\ntrain = large.h5\n[model]\noutput = ctc\nhidden = 1\nlayers = 1\n");
    for (int ranks = 0; ranks < 4; ranks++) {
        job_run(&result, ranks, "large.ini", "spoilt", "-s",
            ranks % 2 ? "data.cache=64 MiB" : "data.cache=1 MiB", NULL);
        job_expect(&result, 65);
        job_complains(&result, 1, ": targets: sequence 20000: its 64 labels, 2 of them like", NULL);
        line[ranks] = job_line(result.errors, "rnn-train: ", 1);
        ck_assert_str_eq(line[ranks], line[0]);
        command_result_finish(&result);
    }
    for (int ranks = 0; ranks < 4; ranks++)
        free(line[ranks]);
}
END_TEST

int main(void)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    job_open();
    Suite *suite = suite_create("same-data");
    TCase *values = tcase_create("values");
    tcase_add_unchecked_fixture(values, write_data, NULL);
    tcase_set_timeout(values, 150);
    tcase_add_loop_test(values, one_other_value_is_refused_whichever_set_it_is_in, 0, 2);
    tcase_add_loop_test(values, the_same_values_in_another_file_are_the_same_data, 0, 2);
    tcase_add_test(values, a_fingerprint_that_an_epoch_fills_depends_on_neither_ranks_nor_a_stop);
    suite_add_tcase(suite, values);
    TCase *several = tcase_create("several");
    tcase_set_timeout(several, JOB_SECONDS * 3);
    tcase_add_loop_test(several, several_files_give_the_bits_of_one_with_their_sequences, 0, 4);
    tcase_add_loop_test(several, a_run_goes_on_with_its_file_cut_into_several, 0, 2);
    suite_add_tcase(suite, several);
    TCase *names = tcase_create("names");
    tcase_add_unchecked_fixture(names, write_data, NULL);
    tcase_set_timeout(names, 150);
    tcase_add_loop_test(names, other_names_in_validation_are_refused, 0, 2);
    tcase_add_test(names, names_that_are_absent_are_warned_of_once_and_kept_by_the_run);
    tcase_add_test(names, predictions_carry_the_names_of_the_network_and_refuse_others);
    suite_add_tcase(suite, names);
    TCase *meddled = tcase_create("meddled");
    tcase_set_timeout(meddled, 150);
    tcase_add_unchecked_fixture(meddled, train_small, NULL);
    tcase_add_loop_test(
        meddled, what_reads_a_file_that_changes_meanwhile_says_so_and_leaves_nothing, 0, READINGS);
    tcase_add_test(meddled, no_checkpoint_is_written_of_what_was_read_from_a_file_that_has_changed);
    tcase_add_loop_test(
        meddled, a_file_that_changes_while_it_is_read_ends_the_run_with_its_last_checkpoint, 0, MEDDLINGS);
    suite_add_tcase(suite, meddled);
    TCase *apart = tcase_create("apart");
    tcase_set_timeout(apart, 150);
    tcase_add_unchecked_fixture(apart, make_folders, NULL);
    tcase_add_loop_test(apart, ranks_that_open_different_files_of_one_shape_are_refused, 0, 2);
    tcase_add_test(apart, one_value_of_a_copy_that_differs_is_found_where_the_set_is_kept);
    suite_add_tcase(suite, apart);
    TCase *reading = tcase_create("reading");
    tcase_set_timeout(reading, 150);
    tcase_add_loop_test(reading, values_are_read_once_by_all_ranks_together_and_not_again_on_resume, 0, 2);
    tcase_add_test(reading, the_first_faulty_sequence_is_named_alike_on_any_number_of_ranks);
    suite_add_tcase(suite, reading);
    int outcome = suite_run(suite);
    job_close();
    return outcome;
}

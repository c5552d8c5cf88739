#define _GNU_SOURCE /* prlimit */

/* What rnn-train says to bad data, bad configurations and bad directories: one line that names the place and
 * what to do, once however many ranks there are, the right exit code, and nothing trained or left behind.
 *
 *     test_bad_input         all of it but
 *     test_bad_input disk    a disk that is full; exit code 77, "skipped", where none can be mounted */
#include "support/job.h"
#include "support/suite.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* Of 1 and of 2 ranks; the first without mpirun. */
static const int rank_counts[] = {0, 2};
enum { RANK_COUNTS = 2 };

static const char base[] = "[data]\ntrain = train.h5\nvalid = valid.h5\n[model]\nhidden = 5\n"
                           "[train]\nbatch = 4\nmicrobatch = 2\nepochs = 2\n";

#define NINE .sequences = 9, .shortest = 2, .longest = 6
static const struct sample_shape good = {
    NINE, .features = 3, .kind = SAMPLE_PER_SEQUENCE, .classes = 4, .names = 1};
static const struct sample_shape more_features = {
    NINE, .features = 4, .kind = SAMPLE_PER_SEQUENCE, .classes = 4, .names = 1};
static const struct sample_shape more_classes = {
    NINE, .features = 3, .kind = SAMPLE_PER_SEQUENCE, .classes = 5, .names = 1};
static const struct sample_shape real = {
    NINE, .features = 3, .kind = SAMPLE_PER_SEQUENCE, .values = 2, .names = 1};
static const struct sample_shape symbols = {
    NINE, .symbols = 10, .kind = SAMPLE_PER_SEQUENCE, .classes = 4, .names = 1};
static const struct sample_shape frames = {
    NINE, .features = 3, .kind = SAMPLE_PER_FRAME, .classes = 4, .names = 1};
static const struct sample_shape real_frames = {
    NINE, .features = 3, .kind = SAMPLE_PER_FRAME, .values = 2, .names = 1};
static const struct sample_shape shares = {
    NINE, .features = 3, .kind = SAMPLE_PER_SEQUENCE, .values = 2, .shares = 1, .names = 1};
static const struct sample_shape share_frames = {
    NINE, .features = 3, .kind = SAMPLE_PER_FRAME, .values = 2, .shares = 1, .names = 1};
static const struct sample_shape share_threes = {
    NINE, .features = 3, .kind = SAMPLE_THREE, .values = 2, .shares = 1, .names = 1};
static const struct sample_shape any_number = {
    NINE, .features = 3, .kind = SAMPLE_ANY, .classes = 4, .names = 1};
static const struct sample_shape any_number_long = {
    .sequences = 9, .shortest = 7, .longest = 9, .features = 3, .kind = SAMPLE_ANY, .classes = 4, .names = 1};
static const struct sample_shape no_targets = {NINE, .features = 3, .kind = SAMPLE_NO_TARGETS, .names = 1};
static const struct sample_shape no_sequences = {.features = 3, .kind = SAMPLE_PER_SEQUENCE, .classes = 4};

static void write_good(void)
{
    job_write_sample("train.h5", &good, 1);
    job_write_sample("valid.h5", &good, 2);
    job_write_text("base.ini", base);
}

/* What a job says that trains nothing. */
struct refusal {
    int code;
    const char *sets[4];  /* "SECTION.KEY=VALUE" on its command line */
    const char *parts[4]; /* of the one line that it says */
};

static void refuse_on(int ranks, const char *config, const struct refusal *refusal)
{
    const char *const *sets = refusal->sets, *const *parts = refusal->parts;
    struct command_result result;
    char run[32];
    snprintf(run, sizeof run, "bad-%d", ranks);
    job_run(&result, ranks, config, run, sets[0] ? "-s" : NULL, sets[0], sets[1] ? "-s" : NULL, sets[1],
        sets[2] ? "-s" : NULL, sets[2], sets[3] ? "-s" : NULL, sets[3], NULL);
    job_expect(&result, refusal->code);
    ck_assert_str_eq(result.output, "");
    job_complains(&result, 1, parts[0], parts[1], parts[2], parts[3], NULL);
    command_result_finish(&result);
    if (job_exists(run)) {
        ck_assert_int_eq(job_count(run, "checkpoint-"), 0);
        ck_assert_int_eq(job_count(run, "lock") + job_count(run, "."), 0);
    }
}

static void refuse(const char *config, const struct refusal *refusal)
{
    for (int i = 0; i < RANK_COUNTS; i++)
        refuse_on(rank_counts[i], config, refusal);
}

/* ---- datasets ---- */

/* What is wrong with a file: what stands in its place, or the one thing in which it differs from a dataset
 * that could be trained on. */
struct fault {
    enum { DATASET, NOTHING, FOLDER, FIFO, DEVICE, TEXT, FIRST_HALF } place;
    const char *text;                 /* TEXT: all that the file holds */
    const struct sample_shape *shape; /* NULL: `good` */
    const char *without;              /* the set or attribute that is left out, and */
    int64_t texts;                    /* how many texts stand there instead */
    struct {
        int row, from, plus;
    } offset; /* row `row` of input_offsets becomes that of row `from` and `plus` */
    struct {
        const char *set;
        int sequence, at; /* the element `at`, counted from the first input of the sequence */
        double value;
    } element;
};

static void change_element(struct sample *sample, const struct fault *fault)
{
    int64_t first = sample->input_offsets[fault->element.sequence];
    double value = fault->element.value;
    if (strcmp(fault->element.set, "inputs") != 0) {
        ck_assert_int_eq(fault->element.sequence, 0);
        if (sample->classes)
            sample->classes[fault->element.at] = (int32_t)value;
        else
            sample->values[fault->element.at] = (float)value;
    } else if (sample->symbols) {
        sample->symbols[first + fault->element.at] = (int32_t)value;
    } else {
        sample->inputs[first * (int64_t)sample->shape.features + fault->element.at] = (float)value;
    }
}

static void write_dataset(const char *path, const struct fault *fault)
{
    static const char *const words[] = {
        "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"};
    struct sample sample;
    sample_init(&sample, fault->shape ? fault->shape : &good, 1);
    int64_t *offsets = sample.input_offsets;
    offsets[fault->offset.row] = offsets[fault->offset.from] + fault->offset.plus;
    if (fault->element.set)
        change_element(&sample, fault);
    struct h5_image *image = sample_image(&sample, fault->without);
    if (fault->texts)
        h5_image_texts(image, fault->without, fault->texts, words);
    sample_save(image, path);
    sample_finish(&sample);
}

static void write_faulty(const char *path, const struct fault *fault)
{
    size_t size;
    switch (fault->place) {
    case NOTHING:
        return;
    case FOLDER:
        ck_assert_int_eq(mkdir(path, 0777), 0);
        return;
    case FIFO:
        ck_assert_int_eq(mkfifo(path, 0666), 0);
        return;
    case DEVICE:
        ck_assert_int_eq(symlink("/dev/zero", path), 0);
        return;
    case TEXT:
        job_write_text(path, fault->text);
        return;
    default:
        write_dataset(path, fault);
    }
    if (fault->place == FIRST_HALF) {
        char *bytes = job_read(path, &size);
        job_write(path, bytes, size / 2);
        free(bytes);
    }
}

static const struct bad_file {
    struct fault fault;
    struct refusal refusal; /* as training set; the sets are what the configuration needs besides */
} bad_files[] = {
    {{.place = NOTHING}, {74, {0}, {"cannot be opened", "No such file"}}},
    {{.place = FOLDER}, {74, {0}, {"is a folder"}}},
    {{.place = FIFO}, {74, {0}, {"is a FIFO (a pipe), not an HDF5 file: name an ordinary file"}}},
    {{.place = DEVICE}, {74, {0}, {"is a device, not an HDF5 file: name an ordinary file"}}},
    {{.place = TEXT, .text = ""}, {65, {0}, {"is empty, not an HDF5 file"}}},
    {{.place = TEXT, .text = "frame,value\n1,2.5\n2,3.5\n"}, {65, {0}, {"is not an HDF5 file"}}},
    {{.place = FIRST_HALF}, {65, {0}, {"truncated"}}},
    {{.without = "format"}, {65, {0}, {"has no attribute format", "rnn-train dataset"}}},
    {{.without = "format_version"}, {65, {0}, {"format_version"}}},
    {{.without = "inputs"}, {65, {0}, {"has no set inputs"}}},
    {{.without = "input_offsets"}, {65, {0}, {"has no set input_offsets"}}},
    {{.shape = &no_targets}, {65, {0}, {"targets is missing"}}},
    {{.without = "target_offsets"}, {65, {0}, {"targets: has 9 rows", "add target_offsets"}}},
    {{.offset = {3, 2, -1}}, {65, {0}, {"input_offsets: row 3 falls from", "sequence 2"}}},
    {{.offset = {9, 9, 5}}, {65, {0}, {"input_offsets: row 9", "past the end", "sequence 8"}}},
    {{.offset = {9, 9, -1}}, {65, {0}, {"input_offsets: row 9"}}},
    {{.offset = {0, 0, 1}}, {65, {0}, {"input_offsets: row 0 is 1", "begins at 0"}}},
    {{.offset = {4, 3, 0}}, {65, {0}, {"input_offsets: row 4", "sequence 3", "leave the sequence out"}}},
    {{.element = {"targets", 0, 6, 4}}, {65, {0}, {"targets: row 6 (sequence 6", "4", "-1 to 3"}}},
    {{.element = {"targets", 0, 6, -2}}, {65, {0}, {"targets: row 6 (sequence 6", "class -2", "-1 to 3"}}},
    {{.element = {"inputs", 5, 1, NAN}}, {65, {0}, {"inputs: row", "(sequence 5 \"sequence 5\"", "NaN"}}},
    {{.element = {"inputs", 5, 1, -INFINITY}},
        {65, {0}, {"inputs: row", "(sequence 5 \"sequence 5\"", "-infinite"}}},
    {{.shape = &real_frames, .element = {"targets", 0, 7, NAN}},
        {65, {"model.output=frame", "model.loss=mse"}, {"targets: row 3 (sequence", "NaN"}}},
    {{.shape = &share_frames, .element = {"targets", 0, 7, 255}},
        {65, {"model.output=frame", "model.loss=sigmoid"},
            {"targets: row 3 (sequence", "column 1 is 255: loss = sigmoid takes targets from 0 to 1 only"}}},
    {{.shape = &shares, .element = {"targets", 0, 7, -1}},
        {65, {"model.output=sequence", "model.loss=sigmoid"},
            {"targets: row 3 (sequence 3 ", "column 1 is -1: loss = sigmoid takes targets from 0 to 1"}}},
    {{.shape = &share_threes, .element = {"targets", 0, 7, 1.5}},
        {65, {"model.output=decoder", "model.loss=sigmoid"},
            {"targets: row 3 (sequence 1 ", "its row 0): column 1 is 1.5: loss = sigmoid takes targets"}}},
    {{.shape = &symbols, .element = {"inputs", 0, 3, 10}},
        {65, {"data.valid="}, {"inputs: row 3 (sequence", "10", "0 to 9"}}},
    {{.without = "inputs", .texts = 9}, {65, {0}, {"inputs: holds text", "write numbers"}}},
    {{.without = "targets", .texts = 9}, {65, {0}, {"targets: holds text", "write numbers"}}},
    {{.without = "input_offsets", .texts = 10}, {65, {0}, {"input_offsets: holds text", "write numbers"}}},
    {{.shape = &no_sequences}, {65, {0}, {"zero sequences"}}},
    {{.shape = &any_number}, {65, {0}, {"targets", "not one for each of the 9 sequences"}}},
    {{.shape = &any_number}, {65, {"model.output=frame"}, {"targets", "not one for each of the", "frames"}}},
    {{.shape = &frames}, {65, {0}, {"not one for each of the 9 sequences", "set model.output = frame"}}},
    {{.shape = &good},
        {65, {"model.output=frame"}, {"not one for each of the", "set model.output = sequence"}}},
    {{.shape = &good}, {65, {"model.loss=mse"}, {"targets: classes", "model.loss = mse", "softmax"}}},
    {{.shape = &real}, {65, {0}, {"targets: real values", "model.loss = softmax", "mse"}}},
    {{.shape = &good}, {65, {"model.embedding=4"}, {"inputs: real values", "model.embedding = 4"}}},
};
enum { BAD_FILES = sizeof bad_files / sizeof *bad_files };

/* The refusal of bad.h5 as the dataset of this key. */
/* With an output and a loss of its own there is no validation set, which would not go with them. */
static struct refusal name_bad_file(const struct refusal *refusal, const char *set)
{
    const char *output = refusal->sets[0], *loss = refusal->sets[1];
    return (struct refusal){refusal->code, {set, output, loss, loss ? "data.valid=" : NULL},
        {"/bad.h5: ", refusal->parts[0], refusal->parts[1], refusal->parts[2]}};
}

/* As training set, and some (of those that do not depend on the model) as validation set. */
START_TEST(a_bad_dataset_is_refused_by_name_and_place)
{
    const struct fault *fault = &bad_files[_i].fault;
    const struct refusal *said = &bad_files[_i].refusal;
    write_faulty(job_path("bad.h5"), fault);
    struct refusal refusal = name_bad_file(said, "data.train=bad.h5");
    refuse("base.ini", &refusal);
    refusal = name_bad_file(said, "data.valid=bad.h5");
    if (_i % 3 == 0 && !said->sets[0] && fault->shape != &symbols && fault->shape != &real)
        refuse_on(rank_counts[_i / 3 % 2], "base.ini", &refusal);
    if (fault->place == FOLDER)
        rmdir(job_path("bad.h5"));
    else if (fault->place != NOTHING)
        job_remove("bad.h5");
}
END_TEST

START_TEST(a_validation_set_of_another_kind_is_refused)
{
    static const struct refusal refusals[] = {
        {65, {"data.valid=wide.h5"}, {"/wide.h5: ", "inputs: 4 features", "made for 3 features"}},
        {65, {"data.valid=more.h5"}, {"/more.h5: ", "targets: 5 classes", "has 4 outputs"}},
        {65, {"data.valid=real.h5"}, {"/real.h5: ", "targets: real values"}},
    };
    job_write_sample("wide.h5", &more_features, 1);
    job_write_sample("more.h5", &more_classes, 1);
    job_write_sample("real.h5", &real, 1);
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++)
        refuse("base.ini", &refusals[i]);
}
END_TEST

START_TEST(a_window_that_no_sequence_fits_is_refused_by_key_and_value)
{
    static const struct refusal refusal = {65, {"data.shuffle=windows", "data.window=75 bytes"},
        {"/train.h5: data.window = 75 bytes is less than its largest sequence takes (sequence ",
            ": 76 bytes): give 1 KiB or more"}};
    struct command_result result;
    refuse_on(rank_counts[0], "base.ini", &refusal);
    refuse_on(rank_counts[1], "base.ini", &refusal);
    job_run(&result, 0, "base.ini", NULL, "--check", "-s", refusal.sets[0], "-s", refusal.sets[1], NULL);
    job_expect(&result, 65);
    job_complains(&result, 1, refusal.parts[0], refusal.parts[1], NULL);
    command_result_finish(&result);
    job_run(&result, 0, "base.ini", NULL, "--plan", "-s", refusal.sets[0], "-s", refusal.sets[1], NULL);
    job_expect(&result, 65);
    job_complains(&result, 1, refusal.parts[0], refusal.parts[1], NULL);
    command_result_finish(&result);
    job_run(&result, 0, "base.ini", "fits", "-s", refusal.sets[0], "-s", "data.window=76 bytes", NULL);
    job_expect(&result, 0);
    command_result_finish(&result);
}
END_TEST

/* Every class is -1, or no sequence has a label. */
static void write_empty(const char *path, const struct sample_shape *shape)
{
    struct sample sample;
    sample_init(&sample, shape, 1);
    for (int64_t i = 0; i < sample.targets; i++)
        sample.classes[i] = -1;
    if (shape->kind == SAMPLE_ANY) {
        sample.targets = 0;
        memset(sample.target_offsets, 0, (size_t)(shape->sequences + 1) * sizeof *sample.target_offsets);
    }
    sample_write(&sample, path);
    sample_finish(&sample);
}

START_TEST(a_set_in_which_nothing_counts_is_refused_at_the_start)
{
    static const struct refusal refusals[] = {
        {65, {"data.train=none.h5"}, {"/none.h5: /targets: no class but -1", "nothing to count"}},
        {65, {"data.valid=none.h5"}, {"/none.h5: /targets: no class but -1", "nothing to count"}},
        {65, {"data.valid=none.h5", "data.cache=0 bytes"}, {"/none.h5: /targets: no class but -1"}},
        {65, {"data.valid=mute.h5", "checkpoint.best=error"},
            {"/mute.h5: /targets: no sequence has a label", "checkpoint.best = error"}},
        {65, {"data.train=mute.h5", "data.valid=", "checkpoint.best=error"},
            {"/mute.h5: /targets: no sequence has a label", "checkpoint.best = loss"}},
    };
    struct command_result result;
    write_empty(job_path("none.h5"), &good);
    write_empty(job_path("mute.h5"), &any_number);
    job_write_sample("long.h5", &any_number_long, 1);
    job_write_text("ctc.ini",
        "[data]\ntrain = long.h5\nvalid = long.h5\n[model]\noutput = ctc\nhidden = 5\n"
        "[train]\nbatch = 4\nmicrobatch = 2\nepochs = 1\n");
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        const char *const *sets = refusals[i].sets, *config = i < 3 ? "base.ini" : "ctc.ini";
        refuse_on(rank_counts[i % 2], config, &refusals[i]);
        job_run(&result, 0, config, NULL, "--check", "-s", sets[0], sets[1] ? "-s" : NULL, sets[1],
            sets[2] ? "-s" : NULL, sets[2], NULL);
        job_expect(&result, 65);
        job_complains(&result, 1, refusals[i].parts[0], NULL);
        command_result_finish(&result);
    }
    job_run(&result, 0, "ctc.ini", "mute", "-s", "data.valid=mute.h5", NULL);
    job_expect(&result, 0);
    ck_assert(job_exists("mute/best.h5"));
    command_result_finish(&result);
}
END_TEST

/* ---- found while training ---- */

enum { STREAM_STEPS = 10 };

static const char streamed[] =
    "[data]\ntrain = stream.h5\nvalid = valid.h5\ncache = 1 KiB\n[model]\nhidden = 5\n"
    "[train]\nbatch = 4\nmicrobatch = 1\nepochs = 2\n"
    "[checkpoint]\nevery = 1 step\nkeep = 100\n";

/* 40 sequences, 10 steps an epoch; with a NaN or without. */
static void write_stream(const char *path, int faulty)
{
    struct sample sample;
    struct sample_shape many = good;
    many.sequences = 40;
    sample_init(&sample, &many, 3);
    if (faulty)
        sample.inputs[3 * sample.input_offsets[23] + 4] = NAN;
    sample_write(&sample, path);
    sample_finish(&sample);
}

START_TEST(a_nan_in_what_does_not_fit_the_cache_is_found_before_it_is_used)
{
    static const int ranks[] = {0, 2, 3};
    struct command_result result;
    char hash[17], want[17], run[32], one[64], other[64];
    job_write_text("stream.ini", streamed);
    write_stream(job_path("stream.h5"), 0);
    job_finish(want, 0, "stream.ini", "clean", NULL);
    for (size_t i = 0; i < 3; i++) {
        snprintf(run, sizeof run, "stream-%d", ranks[i]);
        write_stream(job_path("stream.h5"), 1);
        job_run(&result, ranks[i], "stream.ini", run, NULL);
        job_expect(&result, 65);
        job_complains(&result, 1, "/stream.h5: ", "inputs: row", "(sequence 23 \"sequence 23\", its row 1)",
            "NaN", NULL);
        ck_assert_int_eq(job_count_lines(result.output, "epoch="), 0);
        command_result_finish(&result);
        int64_t steps = job_metrics_rows(run);
        ck_assert_int_lt(steps, STREAM_STEPS);
        ck_assert_int_eq(job_count(run, "checkpoint-"), steps);
        if (steps) {
            snprintf(one, sizeof one, "%s/checkpoint-%010d.h5", run, (int)steps);
            snprintf(other, sizeof other, "clean/checkpoint-%010d.h5", (int)steps);
            /* The data were others, as their samples in /data tell. */
            command_call(&result, JOB_SECONDS, "h5diff", "--exclude-path", "/provenance", "--exclude-path",
                "/data", job_path(one), job_path(other), NULL);
            ck_assert_msg(result.status == 0 && !*result.output, "%s%s", result.output, result.errors);
            command_result_finish(&result);
        }
        write_stream(job_path("stream.h5"), 0);
        job_finish(hash, ranks[i], "stream.ini", run, "--accept-changed-data", NULL);
        ck_assert_str_eq(hash, want);
        job_check_metrics(run, 2, STREAM_STEPS, 1);
    }
}
END_TEST

START_TEST(a_nan_in_a_validation_set_that_does_not_fit_the_cache_ends_the_run)
{
    struct command_result result;
    write_stream(job_path("bad-valid.h5"), 1);
    for (int i = 0; i < RANK_COUNTS; i++) {
        const char *run = rank_counts[i] ? "valid-2" : "valid-1";
        job_run(&result, rank_counts[i], "base.ini", run, "-s", "data.valid=bad-valid.h5", "-s",
            "data.cache=1 KiB", NULL);
        job_expect(&result, 65);
        job_complains(&result, 1, "/bad-valid.h5: ", "inputs: row", "(sequence 23 ", "NaN", NULL);
        ck_assert_int_eq(job_count_lines(result.output, "epoch="), 0);
        command_result_finish(&result);
        ck_assert_int_eq(job_count(run, "checkpoint-"), 0);
    }
}
END_TEST

/* Beyond the cache only the sequence that is read is looked at, before it is used. */
START_TEST(a_validation_target_that_the_loss_does_not_take_is_refused)
{
    static const char *const caches[] = {"data.cache=256 MiB", "data.cache=1 KiB"};
    struct command_result result;
    write_dataset(job_path("shares.h5"), &(struct fault){.shape = &share_frames});
    write_dataset(
        job_path("mask.h5"), &(struct fault){.shape = &share_frames, .element = {"targets", 0, 7, 255}});
    for (int i = 0; i < RANK_COUNTS; i++) {
        job_run(&result, rank_counts[i], "base.ini", "shares", "-s", "data.train=shares.h5", "-s",
            "data.valid=mask.h5", "-s", "model.output=frame", "-s", "model.loss=sigmoid", "-s", caches[i],
            NULL);
        job_expect(&result, 65);
        job_complains(&result, 1, "/mask.h5: targets: row 3 (sequence", "column 1 is 255: loss = sigmoid",
            "from 0 to 1 only", NULL);
        ck_assert_int_eq(job_count_lines(result.output, "epoch="), 0);
        command_result_finish(&result);
        ck_assert_int_eq(job_count("shares", "checkpoint-"), 0);
    }
}
END_TEST

/* ---- configurations ---- */

static const struct {
    const char *text;     /* behind [data] and its train */
    const char *parts[4]; /* of what is said */
} bad_configs[] = {
    {"[train]\nlrr = 0.1\n", {"bad.ini:4: unknown key lrr (did you mean lr?)", "[train] has"}},
    {"[trian]\nlr = 0.1\n", {"bad.ini:3: unknown section [trian]", "train"}},
    {"[train]\nepochs = many\n", {"bad.ini:4: train.epochs = many", "not a whole number", "from 1"}},
    {"[train]\nepochs = 0\n", {"bad.ini:4: train.epochs = 0", "out of range", "from 1 to"}},
    {"[train]\nepochs = 2.5\n", {"bad.ini:4: train.epochs = 2.5", "not a whole number"}},
    {"[train]\nepochs = 99999999999999999999\n", {"bad.ini:4: train.epochs", "out of range"}},
    {"[train]\nlr = -1\n", {"bad.ini:4: train.lr = -1", "out of range", "above 0"}},
    {"[train]\nlr = fast\n", {"bad.ini:4: train.lr = fast", "not a number", "above 0"}},
    {"[train]\nlr = nan\n", {"bad.ini:4: train.lr = nan", "above 0"}},
    {"[train]\nlr =\n", {"bad.ini:4: train.lr", "not a number"}},
    {"[model]\ndropout = 1\n", {"bad.ini:4: model.dropout = 1", "out of range", "below 1"}},
    {"[model]\ncell = lstmm\n", {"bad.ini:4: model.cell = lstmm", "rnn, rnn-relu, lstm, gru"}},
    {"[model]\nbidirectional = maybe\n", {"bad.ini:4: model.bidirectional = maybe", "yes or no"}},
    {"[model]\nhidden = 3 4 5\n", {"bad.ini:4: model.hidden = 3 4 5", "3 items for 2 layers"}},
    {"[train]\nbatch = 4\nmicrobatch = 8\n",
        {"bad.ini:5: train.microbatch = 8", "larger than train.batch = 4"}},
    {"[train]\nlr = 0.1\nlr = 0.2\n", {"bad.ini:5: train.lr", "line 4"}},
    {"[checkpoint]\nevery = 3 parsecs\n",
        {"bad.ini:4: checkpoint.every = 3 parsecs", "epochs, steps or minutes"}},
    {"[data]\ncache = lots\n", {"bad.ini:4: data.cache = lots", "MiB"}},
    {"[train]\n  lr = 0.1\n", {"bad.ini:4", "first column"}},
    {"[train]\nlr\n", {"bad.ini:4"}},
    {"[train\nlr = 1\n", {"bad.ini:3"}},
};
enum { BAD_CONFIGS = sizeof bad_configs / sizeof *bad_configs };

START_TEST(a_bad_configuration_is_refused_by_line_key_and_what_is_allowed)
{
    char text[512];
    snprintf(text, sizeof text, "[data]\ntrain = train.h5\n%s", bad_configs[_i].text);
    job_write_text("bad.ini", text);
    struct refusal refusal = {.code = 65};
    memcpy(refusal.parts, bad_configs[_i].parts, sizeof refusal.parts);
    refuse("bad.ini", &refusal);
}
END_TEST

START_TEST(an_override_is_refused_like_a_line)
{
    static const struct refusal refusals[] = {
        {65, {"train.lrr=1"}, {"--set ", "lrr", "lr"}},
        {65, {"train.lr=0.1", "train.lr=x"}, {"--set train.lr=x", "not a number", "above 0"}},
        {65, {"data.train="}, {"data.train", "empty"}},
        {2, {"lr=1"}, {"--set lr=1", "SECTION.KEY=VALUE"}},
    };
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++)
        refuse("base.ini", &refusals[i]);
}
END_TEST

START_TEST(all_faults_of_a_configuration_are_told_at_once)
{
    struct command_result result;
    job_write_text("faults.ini",
        "[data]\ntrain = train.h5\n[model]\ncell = x\nhiden = 3\n[train]\nlr = 0\nepochs = a\n");
    for (int i = 0; i < RANK_COUNTS; i++) {
        job_run(&result, rank_counts[i], "faults.ini", "faults", NULL);
        job_expect(&result, 65);
        job_complains(&result, 4, "faults.ini:4: model.cell = x", NULL);
        ck_assert_ptr_nonnull(strstr(result.errors, "faults.ini:5: unknown key hiden"));
        ck_assert_ptr_nonnull(strstr(result.errors, "faults.ini:7: train.lr = 0"));
        ck_assert_ptr_nonnull(strstr(result.errors, "faults.ini:8: train.epochs = a"));
        ck_assert(!job_exists("faults"));
        command_result_finish(&result);
    }
}
END_TEST

START_TEST(a_configuration_that_cannot_be_read_is_refused)
{
    ck_assert_int_eq(mkdir(job_path("folder.ini"), 0777), 0);
    ck_assert_int_eq(mkfifo(job_path("pipe.ini"), 0666), 0);
    job_write("binary.ini", "[data]\ntrain = a\0b\n", 18);
    job_write_text("bare.ini", "[train]\nlr = 0.1\n");
    refuse("missing.ini", &(struct refusal){74, {0}, {"missing.ini", "No such file"}});
    refuse("folder.ini", &(struct refusal){74, {0}, {"folder.ini", "folder"}});
    refuse("pipe.ini", &(struct refusal){74, {0}, {"pipe.ini: is a FIFO (a pipe), not a configuration"}});
    refuse("/dev/zero", &(struct refusal){74, {0}, {"/dev/zero: is a device, not a configuration"}});
    refuse("binary.ini", &(struct refusal){65, {0}, {"binary.ini"}});
    refuse("bare.ini", &(struct refusal){65, {0}, {"bare.ini: data.train is missing"}});
}
END_TEST

/* ---- run directories ---- */

static void refuse_directory(const char *run, const char *named, const char *part)
{
    struct command_result result;
    for (int i = 0; i < RANK_COUNTS; i++) {
        job_run(&result, rank_counts[i], "base.ini", run, NULL);
        job_expect(&result, 74);
        ck_assert_str_eq(result.output, "");
        job_complains(&result, 1, named, part, "-o", NULL);
        command_result_finish(&result);
    }
}

START_TEST(a_run_directory_that_cannot_be_written_is_refused)
{
    job_write_text("file", "in the way\n");
    refuse_directory("file", "/file: ", "cannot be created");
    refuse_directory("file/below", "/file: ", "cannot be created");
    refuse_directory("/proc/rnn-train-run", "/proc/rnn-train-run: ", "cannot be created");
    if (geteuid() != 0) { /* root may write everywhere */
        ck_assert_int_eq(mkdir(job_path("closed"), 0555), 0);
        refuse_directory("closed", "/closed: ", "no file can be created in it");
        refuse_directory("closed/below", "/closed", "cannot be created");
    }
}
END_TEST

/* What somebody keeps under names that a run uses too. */
START_TEST(a_folder_that_is_not_a_run_is_refused_and_left_alone)
{
    static const char *const names[] = {"mine/config.ini", "mine/metrics.csv", "mine/status"};
    struct command_result result;
    ck_assert_int_eq(mkdir(job_path("mine"), 0777), 0);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        job_write_text(names[i], base);
    for (int i = 0; i < RANK_COUNTS + 2; i++) {
        const char *config = i == RANK_COUNTS ? "mine/config.ini" : "base.ini";
        job_run(&result, i < RANK_COUNTS ? rank_counts[i] : 0, config, "mine",
            i == RANK_COUNTS + 1 ? "--fresh" : "-v", NULL);
        job_expect(&result, 65);
        job_complains(&result, 1, "/mine: is neither empty nor a run directory", "-o", NULL);
        command_result_finish(&result);
    }
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char *text = job_read(names[i], NULL);
        ck_assert_str_eq(text, base);
        free(text);
    }
    ck_assert_int_eq(job_count("mine", ""), 3);
}
END_TEST

/* What the run writes anew is not to be somebody's file by another name. */
START_TEST(a_link_to_the_runs_own_configuration_is_refused)
{
    struct command_result result;
    char hash[17];
    job_finish(hash, 0, "base.ini", "linked", NULL);
    ck_assert_int_eq(symlink("linked/config.ini", job_path("link.ini")), 0);
    for (int i = 0; i < RANK_COUNTS; i++) {
        job_run(&result, rank_counts[i], "link.ini", "linked", NULL);
        job_expect(&result, 65);
        job_complains(&result, 1, "/link.ini: is ", "/linked/config.ini by another name", NULL);
        command_result_finish(&result);
    }
}
END_TEST

START_TEST(missing_parents_of_a_run_directory_are_made)
{
    char hash[17];
    job_finish(hash, 0, "base.ini", "a/b/c", NULL);
    job_check_metrics("a/b/c", 2, 3, 1);
}
END_TEST

/* ---- a full disk ---- */

/* Process of rank 0: the one that holds the lock. */
static pid_t find_rank_0(const char *run)
{
    char name[64];
    snprintf(name, sizeof name, "%s/lock", run);
    char *text = job_read(name, NULL), *line = job_line(text, "process=", 1);
    ck_assert_ptr_nonnull(line);
    pid_t pid = (pid_t)atol(line + strlen("process="));
    ck_assert_int_gt(pid, 1);
    free(line);
    free(text);
    return pid;
}

/* A limit on the size of files stands in for a disk that gets full while a run goes on: it is set on rank 0
 * from outside, so that MPI's own files are not touched by it. What was there stays good, and the same
 * command goes on from it. */
static void fill_disk(
    const char *run, int ranks, const char *every, const char *rate, rlim_t limit, const char *part)
{
    struct command_process process;
    struct command_result result;
    char value[256], epochs[64], want[17], hash[17];
    const char *fresh = "full-undisturbed";
    job_start(&process, ranks, "base.ini", run, "-s", "train.epochs=1000000", "-s", every, "-s", rate, NULL);
    ck_assert(command_await_output(&process, "epoch=3 ", 1, JOB_SECONDS));
    ck_assert_int_eq(prlimit(find_rank_0(run), RLIMIT_FSIZE, &(struct rlimit){limit, limit}, NULL), 0);
    command_wait(&process, &result);
    job_expect(&result, 74);
    job_complains(&result, 1, run, part, "File too large", "make room", NULL);
    command_result_finish(&result);
    job_status(run, "state", value);
    ck_assert_str_eq(value, "failed");
    job_status(run, "reason", value);
    ck_assert_ptr_nonnull(strstr(value, part));
    char lock[64];
    snprintf(lock, sizeof lock, "%s/lock", run);
    ck_assert(!job_exists(lock));
    ck_assert_int_eq(job_count(run, "."), 0);
    int64_t end = job_metrics_rows(run) / 4 + 2;
    snprintf(epochs, sizeof epochs, "train.epochs=%lld", (long long)end);
    job_run(&result, ranks, "base.ini", run, "-s", epochs, "-s", rate, NULL);
    job_expect(&result, 0);
    ck_assert_int_eq(job_count_lines(result.errors, "rnn-train:"), 0); /* no checkpoint was damaged */
    char field[64];
    job_field(result.output, "finished: ", "weights_hash", field);
    memcpy(hash, field, sizeof hash);
    command_result_finish(&result);
    job_check_metrics(run, end, 3, 1);
    job_finish(want, 0, "base.ini", fresh, "--fresh", "-s", epochs, "-s", rate, NULL);
    ck_assert_str_eq(hash, want);
}

/* Less and less is left for a network of 27 MB of weights: for packed weights, moments, gradients,
 * activations, and the image of a checkpoint within HDF5. Whatever is short, the line says what it was for,
 * and which keys make it smaller. How much MPI takes before differs, so that which of them each limit meets
 * does too. */
START_TEST(without_memory_a_run_says_for_what_and_which_keys_make_it_smaller)
{
#if !defined(__SANITIZE_ADDRESS__)
    static const char script[] = "ulimit -v \"$0\"; exec \"$@\"";
    int refused = 0;
    for (int mebibytes = 300; mebibytes <= 650; mebibytes += 50) {
        struct command_result result;
        char kibibytes[32];
        snprintf(kibibytes, sizeof kibibytes, "%d", mebibytes * 1024);
        command_call(&result, JOB_SECONDS, "sh", "-c", script, kibibytes, getenv("RNN_TRAIN"), "-s",
            "model.hidden=1500", "-s", "model.cell=rnn", "-s", "model.bidirectional=no", "-s",
            "model.layers=2", "-s", "train.epochs=1", "-s", "checkpoint.every=1 step", "-o",
            job_path("short"), "--fresh", "--max-time", "00:00:03", job_path("base.ini"), NULL);
        ck_assert_msg(result.status == 0 || result.status == 70, "%s KiB: %d: %s", kibibytes, result.status,
            result.errors);
        if (result.status == 70) {
            job_complains(&result, 1, "out of memory", NULL);
            ck_assert_msg(
                strstr(result.errors, " less; there are ") || strstr(result.errors, " leave more\n"), "%s",
                result.errors);
            ck_assert_msg(strstr(result.errors, "model.hidden"), "%s", result.errors);
            refused++;
        }
        command_result_finish(&result);
    }
    ck_assert_int_gt(refused, 2);
#endif
}
END_TEST

START_TEST(a_full_disk_during_a_checkpoint_leaves_the_old_one_good)
{
    fill_disk("full-1", 0, "checkpoint.every=1 step", "train.lr=0.001", 40000, ".h5: cannot be written");
    fill_disk("full-2", 2, "checkpoint.every=1 step", "train.lr=0.001", 40000, ".h5: cannot be written");
}
END_TEST

/* With a rate that rounds away no epoch is better than the first, so best.h5 is not written again. */
START_TEST(a_full_disk_during_a_row_of_metrics_leaves_whole_rows)
{
    fill_disk("rows-1", 0, "checkpoint.every=1000000 epochs", "train.lr=1e-30", 1000, "/metrics.csv");
    fill_disk("rows-2", 2, "checkpoint.every=1000000 epochs", "train.lr=1e-30", 1000, "/metrics.csv");
}
END_TEST

/* A file system of so little room that checkpoints, all kept, fill it; some are removed, and the same command
 * goes on. Runs in a name space of its own, so the mount goes when the shell ends. */
static const char disk_script[] =
    "set -u; disk=$1; rnn_train=$2; config=$3; shift 3\n"
    "mount -t tmpfs -o size=400k tmpfs \"$disk\" || exit 77\n"
    "train() { mpirun -np 2 \"$rnn_train\" -o \"$disk/run\" -s train.epochs=30 \"$@\" \"$config\"; }\n"
    "train -s checkpoint.keep=100; echo \"code=$?\"\n"
    "cat \"$disk/run/status\"; ls -A \"$disk/run\"\n"
    "ls \"$disk\"/run/checkpoint-* | head -n 2 | xargs rm\n"
    "train -s checkpoint.keep=1; echo \"code=$?\"\n";

static void run_disk_script(struct command_result *result)
{
    const char *disk = job_path("disk"), *config = job_path("base.ini"), *program = getenv("RNN_TRAIN");
    mkdir(disk, 0777);
    command_call(
        result, JOB_SECONDS, "unshare", "-m", "sh", "-c", disk_script, "sh", disk, program, config, NULL);
    if (result->status == 0)
        return;
    command_result_finish(result);
    command_call(
        result, JOB_SECONDS, "unshare", "-rm", "sh", "-c", disk_script, "sh", disk, program, config, NULL);
}

START_TEST(a_run_on_a_full_disk_ends_and_goes_on_when_there_is_room)
{
    struct command_result result;
    char hash[64], want[17];
    run_disk_script(&result);
    ck_assert_msg(result.status == 0, "%d:\n%.1500s%.1500s", result.status, result.output, result.errors);
    char *said = job_line(result.errors, "rnn-train: ", 1);
    ck_assert_ptr_nonnull(said);
    ck_assert_ptr_nonnull(strstr(said, "/disk/run/"));
    ck_assert_ptr_nonnull(strstr(said, ".h5: cannot be written"));
    ck_assert_ptr_nonnull(strstr(said, "No space left"));
    free(said);
    char *first = job_line(result.output, "code=", 1), *second = job_line(result.output, "code=", 2);
    ck_assert(first && second);
    ck_assert_str_eq(first, "code=74");
    ck_assert_str_eq(second, "code=0");
    ck_assert_ptr_nonnull(strstr(result.output, "checkpoint-"));
    ck_assert_int_eq(job_count_lines(result.output, "lock"), 0);
    ck_assert_int_eq(job_count_lines(result.output, "."), 0);
    job_field(result.output, "finished: ", "weights_hash", hash);
    job_finish(want, 0, "base.ini", "roomy", "-s", "train.epochs=30", NULL);
    ck_assert_str_eq(hash, want);
    free(first);
    free(second);
    command_result_finish(&result);
}
END_TEST

static TCase *add_case(Suite *suite, const char *name)
{
    TCase *tests = tcase_create(name);
    tcase_add_unchecked_fixture(tests, write_good, NULL);
    tcase_set_timeout(tests, 150);
    suite_add_tcase(suite, tests);
    return tests;
}

static int can_mount(void)
{
    return system("unshare -m sh -c 'mount -t tmpfs tmpfs /mnt' 2> /dev/null") == 0 ||
        system("unshare -rm sh -c 'mount -t tmpfs tmpfs /mnt' 2> /dev/null") == 0;
}

int main(int argc, char **argv)
{
    int disk = argc > 1 && strcmp(argv[1], "disk") == 0;
    if (disk && !can_mount()) {
        printf("skipped: no small file system can be mounted here\n");
        return 77;
    }
    job_open();
    /* mpirun waits so long before it is sure that ranks have gone which gave up together */
    setenv("OMPI_MCA_odls_base_sigkill_timeout", "0", 0);
    Suite *suite = suite_create("bad input");
    if (disk) {
        tcase_add_test(add_case(suite, "disk"), a_run_on_a_full_disk_ends_and_goes_on_when_there_is_room);
    } else {
        TCase *tests = add_case(suite, "data");
        tcase_add_loop_test(tests, a_bad_dataset_is_refused_by_name_and_place, 0, BAD_FILES);
        tcase_add_test(tests, a_validation_set_of_another_kind_is_refused);
        tcase_add_test(tests, a_set_in_which_nothing_counts_is_refused_at_the_start);
        tcase_add_test(tests, a_window_that_no_sequence_fits_is_refused_by_key_and_value);
        tcase_add_test(tests, a_nan_in_what_does_not_fit_the_cache_is_found_before_it_is_used);
        tcase_add_test(tests, a_nan_in_a_validation_set_that_does_not_fit_the_cache_ends_the_run);
        tcase_add_test(tests, a_validation_target_that_the_loss_does_not_take_is_refused);
        tests = add_case(suite, "configuration");
        tcase_add_loop_test(
            tests, a_bad_configuration_is_refused_by_line_key_and_what_is_allowed, 0, BAD_CONFIGS);
        tcase_add_test(tests, an_override_is_refused_like_a_line);
        tcase_add_test(tests, all_faults_of_a_configuration_are_told_at_once);
        tcase_add_test(tests, a_configuration_that_cannot_be_read_is_refused);
        tests = add_case(suite, "directory");
        tcase_add_test(tests, a_run_directory_that_cannot_be_written_is_refused);
        tcase_add_test(tests, missing_parents_of_a_run_directory_are_made);
        tcase_add_test(tests, a_folder_that_is_not_a_run_is_refused_and_left_alone);
        tcase_add_test(tests, a_link_to_the_runs_own_configuration_is_refused);
        tcase_add_test(tests, without_memory_a_run_says_for_what_and_which_keys_make_it_smaller);
        tcase_add_test(tests, a_full_disk_during_a_checkpoint_leaves_the_old_one_good);
        tcase_add_test(tests, a_full_disk_during_a_row_of_metrics_leaves_whole_rows);
    }
    int outcome = suite_run(suite);
    job_close();
    return outcome;
}

/* The program rnn-data as a user meets it: what it prints, what it leaves behind, and its exit codes. */
#include "config/config.h"
#include "support/command.h"
#include "support/folder.h"
#include "support/sample.h"
#include "support/suite.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const kinds[] = {
    "lorenz", "adding", "context", "numbers", "reber", "spell", "recall", "copy"};
static const char *const parts[] = {"train", "valid", "test"};
enum { KINDS = 8, PARTS = 3, SECONDS = 60 };

static const char *program;

/* rnn-data with up to seven words. */
#define RUN(result, ...) command_call(result, SECONDS, program, __VA_ARGS__, (char *)NULL)

static void assert_status(const struct command_result *result, int status)
{
    ck_assert_msg(!result->timed_out && result->status == status, "exit code %d, not %d: %s%s",
        result->status, status, result->output, result->errors);
}

static size_t count_lines(const char *text)
{
    size_t lines = 0;
    for (; *text; text++)
        lines += *text == '\n';
    return lines;
}

/* Every line on standard error says who speaks. */
static void assert_complaints(const struct command_result *result, size_t lines)
{
    ck_assert_msg(count_lines(result->errors) == lines, "not %zu lines: %s", lines, result->errors);
    for (const char *line = result->errors; *line; line = strchr(line, '\n') + 1)
        ck_assert_msg(!strncmp(line, "rnn-data: ", 10), "%s", line);
}

static void assert_says(const char *text, const char *what)
{
    ck_assert_msg(strstr(text, what) != NULL, "wanted '%s' in: %s", what, text);
}

/* A call of rnn-data, and what it is to say. */
struct call {
    const char *words[6];
    int status;
    size_t complaints;     /* lines on standard error */
    const char *errors[4]; /* parts of them */
    const char *output[9]; /* of standard output */
};

static void check_call(const struct call *call)
{
    const char *words[8] = {program};
    memcpy(words + 1, call->words, sizeof call->words);
    struct command command = {.argv = words, .seconds = SECONDS};
    struct command_result result;
    command_run(&command, &result);
    assert_status(&result, call->status);
    assert_complaints(&result, call->complaints);
    for (size_t i = 0; i < 4 && call->errors[i]; i++)
        assert_says(result.errors, call->errors[i]);
    for (size_t i = 0; i < 9 && call->output[i]; i++)
        assert_says(result.output, call->output[i]);
    command_result_finish(&result);
}
#define CHECK_CALL(...) check_call(&(struct call){__VA_ARGS__})

static void make(const char *kind, const char *where, const char *seed)
{
    struct command_result result;
    RUN(&result, "make", kind, "-o", where, "--seed", seed, "--sequences=12");
    assert_status(&result, 0);
    ck_assert_str_eq(result.errors, "");
    ck_assert_uint_eq(count_lines(result.output), PARTS);
    command_result_finish(&result);
}

static char *read_whole(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    ck_assert_msg(file != NULL, "%s is missing", path);
    ck_assert_int_eq(fseek(file, 0, SEEK_END), 0);
    *size = (size_t)ftell(file);
    rewind(file);
    char *bytes = malloc(*size + 1);
    ck_assert_ptr_nonnull(bytes);
    ck_assert_uint_eq(fread(bytes, 1, *size, file), *size);
    fclose(file);
    return bytes;
}

static int same_bytes(const char *one, const char *other)
{
    size_t one_size, other_size;
    char *left = read_whole(one, &one_size), *right = read_whole(other, &other_size);
    int same = one_size == other_size && !memcmp(left, right, one_size);
    free(left);
    free(right);
    return same;
}

static const char *part_path(const char *where, const char *kind, const char *part)
{
    char name[128];
    snprintf(name, sizeof name, "%s/%s-%s.h5", where, kind, part);
    return in_folder(name);
}

static int is_there(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0;
}

/* ---- make ---- */

START_TEST(same_seed_gives_the_same_files_and_another_seed_others)
{
    make(kinds[_i], in_folder("one"), "5");
    make(kinds[_i], in_folder("two"), "5");
    make(kinds[_i], in_folder("other"), "6");
    for (int p = 0; p < PARTS; p++) {
        const char *one = part_path("one", kinds[_i], parts[p]);
        ck_assert(same_bytes(one, part_path("two", kinds[_i], parts[p])));
        ck_assert(!same_bytes(one, part_path("other", kinds[_i], parts[p])));
    }
}
END_TEST

START_TEST(making_again_replaces_the_files)
{
    make("context", in_folder("again"), "1");
    make("context", in_folder("again"), "2");
    make("context", in_folder("fresh"), "2");
    for (int p = 0; p < PARTS; p++)
        ck_assert(
            same_bytes(part_path("again", "context", parts[p]), part_path("fresh", "context", parts[p])));
}
END_TEST

START_TEST(missing_folders_are_made)
{
    make("adding", in_folder("a/b//c/"), "1");
    ck_assert(is_there(in_folder("a/b/c/adding-test.h5")));
}
END_TEST

START_TEST(what_is_made_passes_the_check)
{
    struct command_result result;
    make(kinds[_i], in_folder("made"), "1");
    RUN(&result, "check", part_path("made", kinds[_i], "train"), part_path("made", kinds[_i], "valid"),
        part_path("made", kinds[_i], "test"));
    assert_status(&result, 0);
    ck_assert_str_eq(result.errors, "");
    ck_assert_uint_eq(count_lines(result.output), PARTS);
    for (const char *line = result.output; *line; line = strchr(line, '\n') + 1)
        ck_assert_int_eq(strncmp(strchr(line, '\n') - 4, ": ok", 4), 0);
    command_result_finish(&result);
}
END_TEST

START_TEST(a_full_disk_leaves_the_old_file_and_nothing_else)
{
    struct command_result result;
    const char *where = in_folder("full"), *train = in_folder("full/adding-train.h5");
    make("adding", where, "1");
    size_t size, after;
    char *bytes = read_whole(train, &size);
    /* A limit on the size of files (in blocks of 512 bytes) stands for the disk. */
    command_call(&result, SECONDS, "sh", "-c", "trap '' XFSZ; ulimit -f 8; exec \"$0\" make adding -o \"$1\"",
        program, where, (char *)NULL);
    assert_status(&result, 74);
    assert_complaints(&result, 1);
    assert_says(result.errors, train);
    command_result_finish(&result);
    char *bytes_after = read_whole(train, &after);
    ck_assert_uint_eq(after, size);
    ck_assert_mem_eq(bytes_after, bytes, size);
    free(bytes);
    free(bytes_after);
    command_call(&result, SECONDS, "ls", "-A", where, (char *)NULL);
    ck_assert_str_eq(result.output, "adding-test.h5\nadding-train.h5\nadding-valid.h5\n");
    command_result_finish(&result);
}
END_TEST

START_TEST(a_folder_that_cannot_be_made_is_an_output_error)
{
    CHECK_CALL(.words = {"make", "lorenz", "-o", "/dev/null/data"}, .status = 74, .complaints = 1,
        .errors = {"/dev/null/data: "});
    write_file(in_folder("plain"), "x", 1);
    CHECK_CALL(.words = {"make", "lorenz", "--sequences", "1", "-o", in_folder("plain")}, .status = 74,
        .complaints = 1, .errors = {in_folder("plain")});
}
END_TEST

/* ---- info ---- */

START_TEST(info_says_what_is_in_the_file)
{
    static const char *const says[KINDS][5] = {
        {"title      Lorenz system", "source     rnn-data make lorenz --seed 1 --sequences 12, train part",
            "sequences  12", "inputs     2 features per frame: observation, observed",
            "targets    3 values per frame, "},
        {"title      Adding problem", "source     rnn-data make adding --seed 1 --sequences 12, train part",
            "sequences  12", "inputs     2 features per frame: value, mark",
            "targets    1 value per sequence, 12 in all: sum"},
        {"title      Context", "source     rnn-data make context --seed 1 --sequences 12, train part",
            "sequences  12", "inputs     one of 8 symbols per frame",
            "targets    one of 4 classes per frame, "},
        {"title      Numbers", "source     rnn-data make numbers --seed 1 --sequences 12, train part",
            "sequences  12", "inputs     one of 40 symbols per frame",
            "targets    one of 40 classes each, any number per sequence, "},
        {"title      Embedded Reber", "source     rnn-data make reber --seed 1 --sequences 12, train part",
            "sequences  12", "inputs     one of 7 symbols per frame",
            "targets    one of 7 classes per frame, "},
        {"title      Numbers below", "source     rnn-data make spell --seed 1 --sequences 12, train part",
            "sequences  12", "inputs     60 features per frame",
            "targets    one of 28 classes each, any number per sequence, "},
    };
    struct call call = {.words = {"info", part_path("told", kinds[_i], "train")}, .output = {NULL}};
    memcpy(call.output, says[_i], sizeof says[_i]);
    make(kinds[_i], in_folder("told"), "1");
    check_call(&call);
}
END_TEST

static void save_with_title(const struct sample *sample, const char *path, const char *title)
{
    struct h5_image *image = sample_image(sample, NULL);
    h5_image_attribute_text(image, "/", "title", title);
    sample_save(image, path);
}

START_TEST(info_counts_lengths_and_classes)
{
    struct sample_shape shape = {.sequences = 4,
        .shortest = 2,
        .longest = 9,
        .features = 1,
        .kind = SAMPLE_PER_SEQUENCE,
        .classes = 3};
    struct sample sample;
    sample_init(&sample, &shape, 1);
    static const int64_t offsets[5] = {0, 2, 5, 6, 13}; /* lengths 2 3 1 7 */
    ck_assert_int_ge(sample.frames, 13);
    struct sample told = sample;
    told.frames = 13;
    static const float inputs[13] = {0, 1, 1, 1, 0, 0, 1, 1, 0, 0, 0, -1, -0.75F};
    memcpy(told.inputs, inputs, sizeof inputs);
    memcpy(told.input_offsets, offsets, sizeof offsets);
    static const int32_t classes[4] = {2, 0, 2, 2};
    memcpy(told.classes, classes, sizeof classes);
    save_with_title(&told, in_folder("counted.h5"), "bell \a and escape \033[2J");
    CHECK_CALL(.words = {"info", in_folder("counted.h5")},
        .output = {"frames     13\n", "lengths    1 to 7, median 2.5\n", "1 feature per frame\n",
            "1   25.0 %  class 0\n", "0    0.0 %  class 1\n", "3   75.0 %  class 2\n",
            "title      bell ? and escape ?[2J\n",
            "  feature         mean    deviation        least         most  unchanged\n",
            "        0         0.25     0.665062           -1            1     44.4 %\n"});
    sample_finish(&sample);
}
END_TEST

/* _i: three classes, all shown, or 300 */
START_TEST(info_counts_those_without_a_target)
{
    struct sample_shape shape = {.sequences = 8,
        .shortest = 1,
        .longest = 5,
        .features = 1,
        .kind = SAMPLE_PER_SEQUENCE,
        .classes = _i ? 300 : 3};
    struct sample sample;
    sample_init(&sample, &shape, 1);
    static const int32_t classes[8] = {2, -1, 2, 2, 0, -1, -1, 2};
    memcpy(sample.classes, classes, sizeof classes);
    sample_write(&sample, in_folder("partly.h5"));
    CHECK_CALL(.words = {"info", in_folder("partly.h5")},
        .output = {" per sequence, 8 in all\n", "1   12.5 %  class 0\n", "4   50.0 %  class 2\n",
            "3   37.5 %  no target (class -1)\n", _i ? "0    0.0 %  the other 290\n" : NULL});
    CHECK_CALL(.words = {"check", in_folder("partly.h5")});
    sample_finish(&sample);
    shape.kind = SAMPLE_ANY;
    sample_init(&sample, &shape, 1);
    sample.classes[0] = -1;
    sample_write(&sample, in_folder("partly.h5"));
    CHECK_CALL(.words = {"info", in_folder("partly.h5")}, .status = 65, .complaints = 1,
        .errors = {"targets: row 0: class -1"});
    sample_finish(&sample);
}
END_TEST

START_TEST(info_of_many_classes_stays_short)
{
    struct sample_shape shape = {
        .sequences = 50, .shortest = 10, .longest = 20, .symbols = 5, .kind = SAMPLE_ANY, .classes = 300};
    struct sample sample;
    sample_init(&sample, &shape, 1);
    for (int64_t i = 0; i < sample.targets; i++)
        sample.classes[i] = (int32_t)(i % 2 ? 299 : i % 300);
    sample_write(&sample, in_folder("many.h5"));
    struct command_result result;
    RUN(&result, "info", in_folder("many.h5"));
    assert_status(&result, 0);
    ck_assert_uint_le(count_lines(result.output), 20);
    assert_says(result.output, "one of 300 classes each, any number per sequence");
    const char *first = strchr(strstr(result.output, "targets"), '\n') + 1; /* the most frequent leads */
    ck_assert_ptr_nonnull(strstr(first, "class 299"));
    ck_assert_uint_eq((size_t)(strchr(first, '\n') - strstr(first, "class 299")), strlen("class 299"));
    assert_says(result.output, "the other 290\n");
    command_result_finish(&result);
    sample_finish(&sample);
}
END_TEST

START_TEST(info_without_targets_or_title)
{
    struct sample_shape shape = {
        .sequences = 3, .shortest = 1, .longest = 2, .features = 4, .kind = SAMPLE_NO_TARGETS};
    struct sample sample;
    sample_init(&sample, &shape, 1);
    sample_write(&sample, in_folder("bare.h5"));
    CHECK_CALL(.words = {"info", in_folder("bare.h5")}, .output = {"targets    none\n"});
    sample_finish(&sample);
}
END_TEST

START_TEST(a_full_standard_output_is_an_output_error)
{
    struct command_result result;
    make("context", in_folder("out"), "1");
    command_call(&result, SECONDS, "sh", "-c", "exec \"$0\" info \"$1\" > /dev/full", program,
        in_folder("out/context-test.h5"), (char *)NULL);
    assert_status(&result, 74);
    assert_complaints(&result, 1);
    assert_says(result.errors, "standard output");
    command_result_finish(&result);
}
END_TEST

START_TEST(real_datasets_are_read)
{
    static const char *const names[] = {"jsb", "harmony", "digits", "connected", "g2p"};
    const char *where = getenv("RNN_TEST_DATA");
    if (!where || !*where)
        return; /* main said that this is skipped */
    for (int i = 0; i < 5; i++) {
        char path[512];
        snprintf(path, sizeof path, "%s/%s-valid.h5", where, names[i]);
        CHECK_CALL(.words = {"info", path}, .output = {"\n  sequences ", "\n  targets "});
        CHECK_CALL(.words = {"check", path}, .output = {"-valid.h5: ok\n"});
    }
}
END_TEST

/* ---- bad files ---- */

START_TEST(a_missing_file_is_an_input_error)
{
    static const char *const commands[] = {"info", "check"};
    struct command_result result;
    RUN(&result, commands[_i], in_folder("nowhere.h5"));
    assert_status(&result, 74);
    assert_complaints(&result, 1);
    assert_says(result.errors, in_folder("nowhere.h5"));
    ck_assert_str_eq(result.output, "");
    command_result_finish(&result);
}
END_TEST

START_TEST(a_file_that_is_no_dataset_is_bad_data)
{
    static const char *const commands[] = {"info", "check"};
    make("lorenz", in_folder("whole"), "1");
    size_t size;
    char *bytes = read_whole(in_folder("whole/lorenz-valid.h5"), &size);
    write_file(in_folder("half.h5"), bytes, size / 2);
    write_file(in_folder("text.h5"), "not HDF5 at all\n", 16);
    write_file(in_folder("empty.h5"), "", 0);
    free(bytes);
    static const char *const names[] = {"half.h5", "text.h5", "empty.h5"};
    for (int i = 0; i < 3; i++)
        CHECK_CALL(.words = {commands[_i], in_folder(names[i])}, .status = 65, .complaints = 1,
            .errors = {in_folder(names[i])});
}
END_TEST

/* A dataset of 40 targets of which `wrong` are of a class that there is not. */
static void write_faulty(const char *path, int64_t wrong)
{
    struct sample_shape shape = {.sequences = 40,
        .shortest = 2,
        .longest = 2,
        .features = 1,
        .kind = SAMPLE_PER_SEQUENCE,
        .classes = 3};
    struct sample sample;
    sample_init(&sample, &shape, 1);
    for (int64_t i = 0; i < wrong; i++)
        sample.classes[i] = 3;
    sample_write(&sample, path);
    sample_finish(&sample);
}

START_TEST(check_lists_twenty_faults_and_counts_the_rest)
{
    struct command_result result;
    write_faulty(in_folder("faulty.h5"), 20);
    RUN(&result, "check", in_folder("faulty.h5"));
    assert_status(&result, 65);
    assert_complaints(&result, 20);
    ck_assert_str_eq(result.output, "");
    command_result_finish(&result);

    write_faulty(in_folder("faulty.h5"), 33);
    CHECK_CALL(.words = {"check", in_folder("faulty.h5")}, .status = 65, .complaints = 21,
        .errors = {": 13 more faults\n"});
}
END_TEST

START_TEST(check_for_a_loss_tells_of_targets_that_it_does_not_take)
{
    struct sample_shape shape = {.sequences = 4,
        .shortest = 2,
        .longest = 3,
        .features = 1,
        .kind = SAMPLE_PER_FRAME,
        .values = 2,
        .shares = 1};
    struct sample sample;
    sample_init(&sample, &shape, 1);
    sample_write(&sample, in_folder("shares.h5"));
    sample.values[2] = -1;
    sample.values[5] = 255;
    sample_write(&sample, in_folder("mask.h5"));
    sample_finish(&sample);
    CHECK_CALL(.words = {"check", "--loss", "mse", in_folder("mask.h5")});
    CHECK_CALL(.words = {"check", "--loss", "sigmoid", in_folder("mask.h5"), in_folder("shares.h5")},
        .status = 65, .complaints = 2,
        .errors = {"mask.h5: targets: row 1 (sequence 0, its row 1): column 0 is -1: loss = "},
        .output = {"shares.h5: ok\n"});
    CHECK_CALL(.words = {"check", "--loss", "softmax", in_folder("shares.h5")}, .status = 65, .complaints = 1,
        .errors = {"shares.h5: targets: real values, but loss = softmax takes classes"});
}
END_TEST

START_TEST(check_for_ctc_tells_of_sequences_too_short_for_their_labels)
{
    struct sample_shape shape = {.sequences = 20,
        .shortest = 1,
        .longest = 1,
        .features = 1,
        .kind = SAMPLE_ANY,
        .classes = 3,
        .names = 1};
    struct sample sample;
    struct command_result result;
    sample_init(&sample, &shape, 1);
    sample_write(&sample, in_folder("short.h5"));
    size_t wrong = 0;
    for (int64_t s = 0; s < 20; s++)
        wrong += sample.target_offsets[s + 1] - sample.target_offsets[s] > 1;
    ck_assert_uint_gt(wrong, 3);
    ck_assert_uint_lt(wrong, 20); /* all of them are listed */
    CHECK_CALL(.words = {"check", in_folder("short.h5")});
    RUN(&result, "check", "--ctc", in_folder("short.h5"));
    assert_status(&result, 65);
    assert_complaints(&result, wrong);
    assert_says(result.errors, "short.h5: targets: sequence ");
    assert_says(result.errors, "need 2 frames for ctc, but it has 1: ");
    assert_says(result.errors, " \"sequence ");
    ck_assert_str_eq(result.output, "");
    command_result_finish(&result);
    sample_finish(&sample);

    make("lorenz", in_folder("real"), "1");
    make("context", in_folder("real"), "1");
    /* A file that is not there is told once. */
    CHECK_CALL(.words = {"check", "--ctc", in_folder("real/lorenz-valid.h5"), in_folder("gone.h5")},
        .status = 65, .complaints = 2, .errors = {"real values, but ctc needs classes"});
    RUN(&result, "check", "--ctc", in_folder("real/context-valid.h5"));
    assert_status(&result, 65); /* as many labels as frames, and some of them alike */
    command_result_finish(&result);
}
END_TEST

START_TEST(info_does_not_count_a_class_that_there_is_not)
{
    write_faulty(in_folder("faulty.h5"), 1);
    CHECK_CALL(.words = {"info", in_folder("faulty.h5")}, .status = 65, .complaints = 1,
        .errors = {"targets: row 0"});
}
END_TEST

START_TEST(one_bad_file_does_not_hide_the_others)
{
    write_faulty(in_folder("bad.h5"), 1);
    write_faulty(in_folder("good.h5"), 0);
    CHECK_CALL(.words = {"check", in_folder("bad.h5"), in_folder("gone.h5"), in_folder("good.h5")},
        .status = 65, .complaints = 2, .output = {"good.h5: ok\n"});
    CHECK_CALL(.words = {"info", in_folder("gone.h5"), in_folder("good.h5")}, .status = 74, .complaints = 1,
        .output = {"good.h5\n"});
}
END_TEST

/* ---- suggest ---- */

static void keep_fault(void *context, const char *text)
{
    snprintf(context, sizeof((struct error *)0)->text, "%s", text);
}

/* Writes what rnn-data suggests for a file, and reads it back as rnn-train would. */
static void take_suggestion(const char *set, struct config *config)
{
    struct command_result result;
    struct faults faults;
    struct error complaint = {0};
    char path[4096];
    snprintf(path, sizeof path, "%s", in_folder("suggested.ini"));
    RUN(&result, "suggest", set);
    assert_status(&result, 0);
    ck_assert_str_eq(result.errors, "");
    FILE *file = fopen(path, "w");
    fputs(result.output, file);
    fclose(file);
    faults_init(&faults, 1, keep_fault, complaint.text);
    int failed = config_read(config, path, 0, NULL, &faults);
    ck_assert_msg(!failed, "%s: %s", complaint.text, result.output);
    ck_assert_str_eq(config->data.train[0], set);
    command_result_finish(&result);
}

START_TEST(a_suggestion_for_each_kind_can_be_read_and_fits)
{
    static const struct {
        enum output output;
        enum loss loss;
    } fitting[KINDS] = {{OUTPUT_FRAME, LOSS_MSE}, {OUTPUT_SEQUENCE, LOSS_MSE}, {OUTPUT_FRAME, LOSS_SOFTMAX},
        {OUTPUT_DECODER, LOSS_SOFTMAX}, {OUTPUT_FRAME, LOSS_SOFTMAX}, {OUTPUT_DECODER, LOSS_SOFTMAX},
        {OUTPUT_SEQUENCE, LOSS_SOFTMAX}, {OUTPUT_FRAME, LOSS_SOFTMAX}};
    struct config config;
    make(kinds[_i], in_folder("made, here"), "1");
    take_suggestion(part_path("made, here", kinds[_i], "train"), &config);
    ck_assert_str_eq(config.data.valid[0], part_path("made, here", kinds[_i], "valid"));
    ck_assert_int_eq(config.model.output, fitting[_i].output);
    ck_assert_int_eq(config.model.loss, fitting[_i].loss);
    ck_assert_int_eq(config.checkpoint.best == BEST_ERROR, fitting[_i].loss == LOSS_SOFTMAX);
    ck_assert_int_eq(config.data.standardize, 0);
    config_finish(&config);
}
END_TEST

START_TEST(features_far_from_one_are_suggested_to_be_standardized)
{
    struct sample_shape shape = {.sequences = 40,
        .shortest = 500,
        .longest = 600,
        .features = 2,
        .kind = SAMPLE_PER_SEQUENCE,
        .classes = 3};
    struct sample sample;
    struct config config;
    sample_init(&sample, &shape, 1);
    for (int64_t i = 0; i < sample.input_offsets[40]; i++)
        sample.inputs[2 * i + 1] += 1013;
    sample_write(&sample, in_folder("pressure.h5"));
    take_suggestion(in_folder("pressure.h5"), &config);
    ck_assert_int_eq(config.data.standardize, 1);
    ck_assert_ptr_null(config.data.valid);
    ck_assert_double_ge(config.model.timescale, 500);
    config_finish(&config);
    sample_finish(&sample);
}
END_TEST

START_TEST(nothing_is_suggested_where_nothing_can_be_learned)
{
    struct sample_shape shape = {
        .sequences = 4, .shortest = 2, .longest = 5, .features = 2, .kind = SAMPLE_NO_TARGETS};
    struct sample sample;
    sample_init(&sample, &shape, 1);
    sample_write(&sample, in_folder("none.h5"));
    sample_finish(&sample);
    CHECK_CALL(.words = {"suggest", in_folder("none.h5")}, .status = 65, .complaints = 1,
        .errors = {"none.h5: targets: there are none"});
    shape.kind = SAMPLE_PER_SEQUENCE;
    shape.classes = 3;
    sample_init(&sample, &shape, 1);
    for (int i = 0; i < 4; i++)
        sample.classes[i] = -1;
    sample_write(&sample, in_folder("uncounted.h5"));
    sample_finish(&sample);
    CHECK_CALL(.words = {"suggest", in_folder("uncounted.h5")}, .status = 65, .complaints = 1,
        .errors = {"uncounted.h5: targets: none of them counts"});
    CHECK_CALL(.words = {"suggest", in_folder("gone.h5")}, .status = 74, .complaints = 1);
}
END_TEST

/* ---- repack ---- */

START_TEST(a_repacked_file_has_the_same_content_and_its_faults_are_told)
{
    const char *train, *small;
    make("adding", in_folder("made"), "1");
    train = part_path("made", "adding", "train");
    small = in_folder("small.h5");
    CHECK_CALL(.words = {"repack", train, "-o", small, "--compress", "--chunk=100"},
        .output = {"small.h5: written\n"});
    CHECK_CALL(.words = {"check", small}, .output = {"small.h5: ok\n"});
    struct command_result result;
    command_call(&result, SECONDS, "h5diff", train, small, (char *)NULL);
    assert_status(&result, 0);
    ck_assert_str_eq(result.output, "");
    command_result_finish(&result);
    command_call(&result, SECONDS, "h5dump", "-pH", "-d", "inputs", small, (char *)NULL);
    assert_says(result.output, "COMPRESSION DEFLATE");
    assert_says(result.output, "CHUNKED ( 100, ");
    command_result_finish(&result);
    CHECK_CALL(.words = {"repack", in_folder("none.h5"), "-o", small}, .status = 74, .complaints = 1,
        .errors = {"/none.h5: "});
    CHECK_CALL(.words = {"repack", small, "-o", in_folder("none/out.h5")}, .status = 74, .complaints = 1,
        .errors = {"/none/out.h5: "});
}
END_TEST

/* ---- usage ---- */

static const struct {
    const char *words[7];
    const char *says;
} misuses[] = {
    {{NULL}, "make, info, check, repack, import or suggest"},
    {{"bake", NULL}, "not bake"},
    {{"--halp", NULL}, "--halp"},
    {{"make", NULL}, "which kind"},
    {{"make", "lorenz", NULL}, "-o DIR is missing"},
    {{"make", "lorentz", "-o", "x", NULL}, "not lorentz"},
    {{"make", "-o", "x", NULL}, "which kind"},
    {{"make", "lorenz", "adding", "-o", "x", NULL}, "one kind at a time, what is adding"},
    {{"make", "lorenz", "-o", NULL}, "--output needs a value"},
    {{"make", "lorenz", "-o", "", NULL}, "allowed is a name"},
    {{"make", "lorenz", "-o", "x", "--seed", NULL}, "--seed needs a value"},
    {{"make", "lorenz", "-o", "x", "--seed", "one", NULL}, "--seed one: allowed is a whole number from 0"},
    {{"make", "lorenz", "-o", "x", "--seed", "-1", NULL}, "--seed -1: allowed"},
    {{"make", "lorenz", "-o", "x", "--seed", "18446744073709551616", NULL},
        "--seed 18446744073709551616: allowed"},
    {{"make", "lorenz", "-o", "x", "--sequences", "0", NULL},
        "--sequences 0: allowed is a whole number from 1 to 10000000"},
    {{"make", "lorenz", "-o", "x", "--sequences", "1e3", NULL}, "--sequences 1e3: allowed"},
    {{"make", "lorenz", "-o", "x", "--sequences=10000001", NULL}, "--sequences 10000001: allowed"},
    {{"make", "lorenz", "-o", "x", "--sequence-count=5", NULL}, "--sequence-count=5: unknown option"},
    {{"make", "lorenz", "-o", "x", "--length", "5", NULL}, "the content of lorenz decides on its lengths"},
    {{"make", "copy", "-o", "x", "--length", "20", NULL}, "a sequence of copy has at least 21 frames"},
    {{"make", "adding", "-o", "x", "--length", "0", NULL}, "--length 0: allowed is a whole number from 1"},
    {{"make", "lorenz", "-q", "-o", "x", NULL}, "-q: unknown option"},
    {{"make", "lorenz", "--help=x", NULL}, "--help=x"},
    {{"info", NULL}, "info: which file?"},
    {{"check", NULL}, "check: which file?"},
    {{"check", "--seed", "1", "x", NULL}, "--seed: unknown option"},
    {{"info", "-o", "x", NULL}, "-o: unknown option"},
    {{"info", "--ctc", "x", NULL}, "--ctc: unknown option"},
    {{"check", "--ctc", NULL}, "check: which file?"},
    {{"check", "--loss", "sigmoids", "x", NULL},
        "softmax, sigmoid, mse, huber, mae, logcosh, quantile or gaussian"},
    {{"check", "--ctc=yes", "x", NULL}, "--ctc=yes"},
    {{"suggest", NULL}, "suggest: which file?"},
    {{"suggest", "x", "y", NULL}, "one file at a time, what is y"},
    {{"suggest", "x", "-o", "z", NULL}, "-o: unknown option"},
    {{"repack", NULL}, "repack: which file?"},
    {{"repack", "x", NULL}, "-o FILE is missing"},
    {{"repack", "x", "y", "-o", "z", NULL}, "one file at a time, what is y"},
    {{"repack", "x", "-o", "z", "--chunk", "0", NULL}, "--chunk 0: allowed is a whole number from 1"},
    {{"make", "lorenz", "-o", "x", "--compress", NULL}, "--compress: unknown option"},
};
enum { MISUSES = sizeof misuses / sizeof misuses[0] };

START_TEST(misuse_is_told_in_one_line_and_does_nothing)
{
    const char *words[8] = {program};
    memcpy(words + 1, misuses[_i].words, sizeof misuses[_i].words);
    struct command command = {.argv = words, .directory = folder_path(), .seconds = SECONDS};
    struct command_result result;
    command_run(&command, &result);
    assert_status(&result, 2);
    assert_complaints(&result, 1);
    assert_says(result.errors, misuses[_i].says);
    ck_assert_str_eq(result.output, "");
    ck_assert(!is_there(in_folder("x")));
    command_result_finish(&result);
}
END_TEST

START_TEST(help_and_version_answer_everywhere)
{
    static const char *const commands[] = {NULL, "make", "info", "check"};
    static const char *const options[] = {"--help", "-h", "--version"};
    for (int c = 0; c < 4; c++)
        for (int o = 0; o < 3; o++) {
            const char *option = options[o];
            int version = o == 2;
            struct command_result result;
            if (commands[c])
                RUN(&result, commands[c], option);
            else
                RUN(&result, option);
            assert_status(&result, 0);
            ck_assert_str_eq(result.errors, "");
            assert_says(result.output, version ? "HDF5 1." : "Usage: rnn-data make KIND");
            command_result_finish(&result);
        }
}
END_TEST

START_TEST(version_is_one_line_that_begins_with_the_program)
{
    struct command_result result;
    RUN(&result, "--version");
    ck_assert_uint_eq(count_lines(result.output), 1);
    ck_assert_int_eq(strncmp(result.output, "rnn-data ", 9), 0);
    ck_assert(isdigit((unsigned char)result.output[9]));
    command_result_finish(&result);
}
END_TEST

static Suite *suite_make(void)
{
    Suite *suite = suite_create("rnn-data");
    TCase *making = tcase_create("make");
    tcase_add_loop_test(making, same_seed_gives_the_same_files_and_another_seed_others, 0, KINDS);
    tcase_add_test(making, making_again_replaces_the_files);
    tcase_add_test(making, missing_folders_are_made);
    tcase_add_loop_test(making, what_is_made_passes_the_check, 0, KINDS);
    tcase_add_test(making, a_full_disk_leaves_the_old_file_and_nothing_else);
    tcase_add_test(making, a_folder_that_cannot_be_made_is_an_output_error);

    TCase *telling = tcase_create("info");
    tcase_add_loop_test(telling, info_says_what_is_in_the_file, 0, KINDS);
    tcase_add_test(telling, info_counts_lengths_and_classes);
    tcase_add_loop_test(telling, info_counts_those_without_a_target, 0, 2);
    tcase_add_test(telling, info_of_many_classes_stays_short);
    tcase_add_test(telling, info_without_targets_or_title);
    tcase_add_test(telling, a_full_standard_output_is_an_output_error);
    tcase_add_test(telling, real_datasets_are_read);

    TCase *bad = tcase_create("bad files");
    tcase_add_loop_test(bad, a_missing_file_is_an_input_error, 0, 2);
    tcase_add_loop_test(bad, a_file_that_is_no_dataset_is_bad_data, 0, 2);
    tcase_add_test(bad, check_lists_twenty_faults_and_counts_the_rest);
    tcase_add_test(bad, check_for_a_loss_tells_of_targets_that_it_does_not_take);
    tcase_add_test(bad, check_for_ctc_tells_of_sequences_too_short_for_their_labels);
    tcase_add_test(bad, info_does_not_count_a_class_that_there_is_not);
    tcase_add_test(bad, one_bad_file_does_not_hide_the_others);

    tcase_add_loop_test(telling, a_suggestion_for_each_kind_can_be_read_and_fits, 0, KINDS);
    tcase_add_test(telling, features_far_from_one_are_suggested_to_be_standardized);
    tcase_add_test(bad, nothing_is_suggested_where_nothing_can_be_learned);

    TCase *usage = tcase_create("usage");
    tcase_add_test(making, a_repacked_file_has_the_same_content_and_its_faults_are_told);
    tcase_add_loop_test(usage, misuse_is_told_in_one_line_and_does_nothing, 0, MISUSES);
    tcase_add_test(usage, help_and_version_answer_everywhere);
    tcase_add_test(usage, version_is_one_line_that_begins_with_the_program);

    TCase *const cases[] = {making, telling, bad, usage};
    for (int i = 0; i < 4; i++) {
        tcase_add_checked_fixture(cases[i], folder_make, folder_remove);
        tcase_set_timeout(cases[i], 120);
        suite_add_tcase(suite, cases[i]);
    }
    return suite;
}

int main(void)
{
    program = getenv("RNN_DATA");
    if (!program) {
        fprintf(stderr, "test_rnn_data: set RNN_DATA to the program to test\n");
        return EXIT_FAILURE;
    }
    if (!getenv("RNN_TEST_DATA"))
        printf("RNN_TEST_DATA is not set: real_datasets_are_read is skipped\n");
    return suite_run(suite_make());
}

/* Every fault a dataset file can have is told by opening and by checking, in the same words: a line that
 * names file, set, row and sequence and says what is allowed. */
#include "base/memory.h"
#include "data/dataset.h"
#include "data/fingerprint.h"
#include "data/summary.h"
#include "data/targets.h"
#include "net/losses/loss.h"
#include "support/sample.h"
#include "support/suite.h"

#include <check.h>
#include <hdf5.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[256], path[300];

enum { MOST_LINES = 64 };

struct lines {
    size_t count;
    char line[MOST_LINES][1024];
};

static void keep_line(void *context, const char *text)
{
    struct lines *lines = context;
    ck_assert_uint_lt(lines->count, MOST_LINES);
    snprintf(lines->line[lines->count++], sizeof lines->line[0], "%s", text);
}

/* All faults of the file at `path`. */
static struct faults check_file(struct lines *lines, size_t most)
{
    struct faults faults;
    lines->count = 0;
    faults_init(&faults, most, keep_line, lines);
    dataset_check(path, NULL, &faults);
    ck_assert_uint_eq(lines->count, faults.count);
    for (size_t i = 0; i < lines->count; i++) {
        ck_assert_msg(strncmp(lines->line[i], path, strlen(path)) == 0, "%s", lines->line[i]);
        ck_assert_ptr_null(strchr(lines->line[i], '\n'));
    }
    return faults;
}

/* The file at `path` has this one fault: told by open with exit code 65, and by check as the only one. */
static void assert_fault(const char *text)
{
    static struct lines lines;
    struct error error = {0};
    struct faults faults = check_file(&lines, MOST_LINES);
    ck_assert_msg(faults.count == 1, "%zu faults: %s ... %s: wanted %s", faults.count, lines.line[0],
        lines.line[faults.count ? faults.count - 1 : 0], text);
    ck_assert_msg(strstr(lines.line[0], text) != NULL, "%s: wanted %s", lines.line[0], text);
    ck_assert_int_eq(faults.code, EXIT_CODE_DATA);
    ck_assert_ptr_null(dataset_open(path, SIZE_MAX, &error));
    ck_assert_str_eq(error.text, lines.line[0]);
    ck_assert_int_eq(error.code, EXIT_CODE_DATA);
}

static const struct sample_shape plain = {.sequences = 10,
    .shortest = 2,
    .longest = 6,
    .features = 3,
    .kind = SAMPLE_PER_FRAME,
    .classes = 5,
    .names = 1};

static struct sample make(enum sample_targets kind)
{
    struct sample sample;
    struct sample_shape shape = plain;
    shape.kind = kind;
    sample_init(&sample, &shape, 1);
    return sample;
}

/* The plain sample without one set; the test puts another in its place. */
static struct h5_image *plain_without(const char *without)
{
    struct sample sample = make(SAMPLE_PER_SEQUENCE);
    struct h5_image *image = sample_image(&sample, without);
    sample_finish(&sample);
    return image;
}

static void save_and_assert(struct h5_image *image, const char *text)
{
    sample_save(image, path);
    assert_fault(text);
}

START_TEST(a_good_file_has_no_fault)
{
    static struct lines lines;
    for (int kind = SAMPLE_NO_TARGETS; kind <= SAMPLE_ANY; kind++) {
        struct sample sample = make((enum sample_targets)kind);
        sample_write(&sample, path);
        ck_assert_uint_eq(check_file(&lines, MOST_LINES).count, 0);
        sample_finish(&sample);
    }
}
END_TEST

/* ---- the file ---- */

static void assert_unopened(int code, const char *text)
{
    static struct lines lines;
    struct error error = {0};
    ck_assert_ptr_null(dataset_open(path, SIZE_MAX, &error));
    ck_assert_int_eq(error.code, code);
    ck_assert_msg(strstr(error.text, text) && strstr(error.text, path), "%s", error.text);
    struct faults faults = check_file(&lines, MOST_LINES);
    ck_assert_uint_eq(faults.count, 1);
    ck_assert_int_eq(faults.code, code);
    ck_assert_str_eq(lines.line[0], error.text);
}

START_TEST(files_that_are_no_hdf5_files_are_refused)
{
    unlink(path);
    assert_unopened(EXIT_CODE_IO, "No such file");
    FILE *file = fopen(path, "w");
    fputs("this is a text, and it goes on for a while so that its length says nothing\n", file);
    fclose(file);
    assert_unopened(EXIT_CODE_DATA, "not an HDF5 file");
    struct sample sample = make(SAMPLE_ANY);
    sample_write(&sample, path);
    ck_assert_int_eq(truncate(path, 1500), 0);
    assert_unopened(EXIT_CODE_DATA, "truncated");
    sample_finish(&sample);
}
END_TEST

START_TEST(other_formats_and_versions_are_refused)
{
    save_and_assert(plain_without("format"), "has no attribute format");
    struct h5_image *image = plain_without("format");
    h5_image_attribute_text(image, "/", "format", "rnn-train checkpoint");
    save_and_assert(image, "format is \"rnn-train checkpoint\"");
    image = plain_without("format");
    h5_image_attribute_int32(image, "/", "format", 3);
    save_and_assert(image, "format");
    save_and_assert(plain_without("format_version"), "has no attribute format_version");
    image = plain_without("format_version");
    h5_image_attribute_int32(image, "/", "format_version", 3);
    save_and_assert(image, "format_version is 3: this program reads versions 1 to 2");
}
END_TEST

/* ---- shapes ---- */

START_TEST(missing_sets_are_named)
{
    save_and_assert(plain_without("inputs"), "has no set inputs");
    save_and_assert(plain_without("input_offsets"), "has no set input_offsets");
    save_and_assert(plain_without("targets"), "has target_offsets but no set targets");
    save_and_assert(plain_without("target_offsets"), "without target_offsets there is one target per frame");
}
END_TEST

static void assert_text_is_refused(const char *set)
{
    static const char *const words[] = {"one", "two"};
    char want[80];
    struct h5_image *image = plain_without(set);
    h5_image_texts(image, set, 2, words);
    snprintf(want, sizeof want, ": %s: holds text", set);
    save_and_assert(image, want);
}

START_TEST(text_where_numbers_belong_is_refused)
{
    assert_text_is_refused("inputs");
    assert_text_is_refused("input_offsets");
    assert_text_is_refused("targets");
    assert_text_is_refused("target_offsets");
}
END_TEST

static void assert_shape_is_refused(const char *set, int dimensions, const int64_t *size, const char *text)
{
    struct h5_image *image = plain_without(set);
    float *values = memory_create(1000, sizeof *values, NULL);
    h5_image_floats(image, set, dimensions, size, values);
    memory_destroy(values);
    save_and_assert(image, text);
}

START_TEST(wrong_ranks_and_types_are_refused)
{
    struct sample sample = make(SAMPLE_PER_FRAME);
    int64_t frames = sample.frames, line[] = {frames}, cube[] = {frames, 2, 2}, flat[] = {frames, 0};
    sample_finish(&sample);
    int64_t ten[] = {10}, offsets[] = {11}, square[] = {11, 1};
    assert_shape_is_refused("inputs", 1, line, "inputs: holds floats of shape [frames]");
    assert_shape_is_refused("inputs", 3, cube, "inputs: has 3 dimensions");
    assert_shape_is_refused("inputs", 2, flat, "inputs: has no columns");
    assert_shape_is_refused("targets", 1, ten, "targets: holds floats of shape [targets]");
    assert_shape_is_refused("input_offsets", 1, offsets, "input_offsets: holds floats");
    assert_shape_is_refused("target_offsets", 1, offsets, "target_offsets: holds floats");
    int64_t zeros[11] = {0};
    struct h5_image *image = plain_without("input_offsets");
    h5_image_int64(image, "input_offsets", 2, square, zeros);
    save_and_assert(image, "input_offsets: has 2 dimensions");
}
END_TEST

static void assert_attribute_is_refused(
    const char *set, const char *attribute, int64_t value, const char *text)
{
    struct sample_shape shape = plain;
    struct sample sample;
    shape.features = 0;
    shape.symbols = 4;
    sample_init(&sample, &shape, 1);
    struct h5_image *image = sample_image(&sample, set);
    h5_image_int32(image, set, 1, &sample.frames, sample.symbols);
    if (value != INT64_MIN)
        h5_image_attribute_int64(image, set, attribute, value);
    save_and_assert(image, text);
    sample_finish(&sample);
}

START_TEST(numbers_of_symbols_and_classes_are_needed_and_positive)
{
    static const char *const sets[][2] = {{"inputs", "n_symbols"}, {"targets", "n_classes"}};
    for (int i = 0; i < 2; i++) {
        const char *set = sets[i][0], *attribute = sets[i][1];
        char want[80];
        snprintf(want, sizeof want, "has no attribute %s", attribute);
        assert_attribute_is_refused(set, attribute, INT64_MIN, want);
        snprintf(want, sizeof want, "attribute %s is 0: 1 to 2147483647", attribute);
        assert_attribute_is_refused(set, attribute, 0, want);
        snprintf(want, sizeof want, "attribute %s is -3", attribute);
        assert_attribute_is_refused(set, attribute, -3, want);
        snprintf(want, sizeof want, "attribute %s is 4294967300", attribute);
        assert_attribute_is_refused(set, attribute, 4294967300, want);
    }
    struct sample sample = make(SAMPLE_PER_FRAME);
    struct h5_image *image = sample_image(&sample, NULL);
    h5_image_attribute_int32(image, "inputs", "n_symbols", 3);
    save_and_assert(image, "inputs: has attribute n_symbols and two dimensions");
    sample_finish(&sample);
}
END_TEST

START_TEST(lists_of_names_have_one_for_each)
{
    static const char *const words[] = {"a", "b", "c", "d", "e", "f"};
    static const char *const sets[] = {"names", "feature_names", "class_names"};
    static const char *const wants[] = {"names: has 6 rows, but there are 10 sequences",
        "feature_names: has 6 rows, but there are 3 features",
        "class_names: has 6 rows, but there are 5 classes"};
    int64_t ten = 10;
    int32_t numbers[10] = {0};
    for (int i = 0; i < 3; i++) {
        struct h5_image *image = plain_without("names");
        h5_image_texts(image, sets[i], 6, words);
        save_and_assert(image, wants[i]);
        image = plain_without("names");
        h5_image_int32(image, sets[i], 1, &ten, numbers);
        save_and_assert(image, "should hold texts");
    }
}
END_TEST

/* Names of sequences are looked at when they are read: there may be millions. */
START_TEST(names_that_are_not_utf8_are_refused_by_row)
{
    static const char *const words[] = {"gr\xc3\xb6\xc3\x9f"
                                        "e",
        "b",
        "gr\xf6\xdf"
        "e"};
    const struct sample_shape small = {
        .sequences = 3, .shortest = 2, .longest = 5, .features = 3, .kind = SAMPLE_PER_FRAME, .classes = 3};
    static const char *const sets[] = {"feature_names", "class_names", "names"};
    static struct lines lines;
    struct error error = {0};
    for (int i = 0; i < 3; i++) {
        struct sample sample;
        char want[80], *name;
        sample_init(&sample, &small, 1);
        struct h5_image *image = sample_image(&sample, NULL);
        h5_image_texts(image, sets[i], 3, words);
        snprintf(want, sizeof want, "set /%s: row 2 is not UTF-8: write the set anew", sets[i]);
        if (i < 2) {
            save_and_assert(image, want);
        } else {
            sample_save(image, path);
            struct dataset *dataset = dataset_open(path, 0, &error);
            ck_assert_msg(dataset != NULL, "%s", error.text);
            name = dataset_name(dataset, 0, &error);
            ck_assert_str_eq(name, words[0]);
            ck_assert_ptr_null(dataset_name(dataset, 2, &error));
            ck_assert_msg(strstr(error.text, want) != NULL, "%s", error.text);
            memory_destroy(name);
            dataset_close(dataset);
            ck_assert_uint_eq(check_file(&lines, MOST_LINES).count, 1);
            ck_assert_msg(strstr(lines.line[0], want) != NULL, "%s", lines.line[0]);
        }
        sample_finish(&sample);
    }
}
END_TEST

/* Integers are told as they are in the file, not as what becomes of them in 32 or 64 bits. */
START_TEST(integers_beyond_their_width_are_told_as_they_are)
{
    const int64_t wide[] = {((int64_t)1 << 32) + 1, INT64_MIN, INT64_MAX, INT32_MAX, -((int64_t)1 << 40)};
    struct sample sample = make(SAMPLE_PER_FRAME);
    int64_t *classes = memory_create((size_t)sample.targets, sizeof *classes, NULL);
    for (size_t i = 0; i < sizeof wide / sizeof *wide; i++) {
        char want[80];
        struct summary summary;
        struct error error = {0};
        struct h5_image *image = sample_image(&sample, "targets");
        classes[2] = wide[i];
        h5_image_int64(image, "targets", 1, &sample.targets, classes);
        h5_image_attribute_int32(image, "targets", "n_classes", 5);
        snprintf(want, sizeof want, "class %" PRId64 " is out of range", wide[i]);
        save_and_assert(image, want);
        ck_assert_int_eq(summary_init(&summary, path, &error), -1);
        snprintf(want, sizeof want, "targets: row 2: class %" PRId64 ", but n_classes is 5", wide[i]);
        ck_assert_msg(strstr(error.text, want) != NULL, "%s", error.text);
    }
    memory_destroy(classes);
    sample_finish(&sample);
}
END_TEST

START_TEST(offsets_beyond_63_bits_are_told_as_they_are)
{
    static struct lines lines;
    struct sample sample = make(SAMPLE_PER_FRAME);
    uint64_t offsets[11] = {0};
    sample_write(&sample, path);
    for (int s = 0; s <= 10; s++)
        offsets[s] = (uint64_t)sample.input_offsets[s];
    offsets[4] = UINT64_MAX - 5;
    hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT), space = H5Screate_simple(1, (hsize_t[]){11}, NULL);
    H5Ldelete(file, "input_offsets", H5P_DEFAULT);
    hid_t set =
        H5Dcreate2(file, "input_offsets", H5T_STD_U64LE, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    ck_assert_int_ge(H5Dwrite(set, H5T_NATIVE_UINT64, H5S_ALL, H5S_ALL, H5P_DEFAULT, offsets), 0);
    H5Sclose(space);
    H5Dclose(set);
    ck_assert_int_ge(H5Fclose(file), 0);
    ck_assert_uint_eq(check_file(&lines, MOST_LINES).count, 3);
    ck_assert_msg(strstr(lines.line[0], "row 4 is 18446744073709551610, past the end"), "%s", lines.line[0]);
    ck_assert_msg(strstr(lines.line[1], "to 18446744073709551610: at most 2147"), "%s", lines.line[1]);
    ck_assert_msg(strstr(lines.line[2], "row 5 falls from 18446744073709551610"), "%s", lines.line[2]);
    sample_finish(&sample);
}
END_TEST

/* ---- offsets ---- */

START_TEST(zero_sequences_are_refused)
{
    int64_t zero = 0;
    for (int64_t rows = 0; rows < 2; rows++) {
        struct h5_image *image = plain_without("input_offsets");
        h5_image_int64(image, "input_offsets", 1, &rows, &zero);
        sample_save(image, path);
        struct error error = {0};
        ck_assert_ptr_null(dataset_open(path, 0, &error));
        ck_assert_int_eq(error.code, EXIT_CODE_DATA);
        ck_assert_msg(strstr(error.text, "zero sequences"), "%s", error.text);
    }
}
END_TEST

/* One offset of ten sequences that is another, alone or in two faults. */
static const struct {
    int row;
    enum { FROM_ZERO, FROM_ROW_BEFORE, FROM_FRAMES } from;
    int64_t value; /* on top of that */
    size_t faults;
    const char *says[2]; /* the first and the last of them */
} misfits[] = {
    {0, FROM_ZERO, 1, 1, {"input_offsets: row 0 is 1: the first sequence begins at 0", ""}},
    {4, FROM_ROW_BEFORE, -1, 1, {"input_offsets: row 4 falls from", ""}},
    {4, FROM_ROW_BEFORE, 0, 1, {"sequence 3 has no frames", ""}},
    {10, FROM_FRAMES, 5, 1, {"input_offsets: row 10 is ", "past the end: sequence 9 ends there"}},
    {10, FROM_FRAMES, -1, 1, {"input_offsets: row 10, the last, is ", ""}},
    {10, FROM_FRAMES, (int64_t)INT32_MAX + 100, 2, {"", "at most 2147483647"}},
    {10, FROM_ZERO, INT64_MIN, 2, {"the last, is ", "falls"}},
};
enum { MISFITS = sizeof misfits / sizeof *misfits };

START_TEST(offsets_that_do_not_fit_are_named_by_row_and_sequence)
{
    static struct lines lines;
    struct sample sample = make(SAMPLE_PER_SEQUENCE);
    const int64_t from[] = {[FROM_ZERO] = 0,
        [FROM_ROW_BEFORE] = misfits[_i].row ? sample.input_offsets[misfits[_i].row - 1] : 0,
        [FROM_FRAMES] = sample.frames};
    sample.input_offsets[misfits[_i].row] = from[misfits[_i].from] + misfits[_i].value;
    sample_write(&sample, path);
    if (misfits[_i].faults == 1)
        assert_fault(misfits[_i].says[0]);
    ck_assert_uint_eq(check_file(&lines, MOST_LINES).count, misfits[_i].faults);
    for (int i = 0; i < 2; i++) {
        const char *line = lines.line[i ? misfits[_i].faults - 1 : 0];
        ck_assert_msg(strstr(line, misfits[_i].says[i]) != NULL, "%s: wanted %s", line, misfits[_i].says[i]);
    }
    sample_finish(&sample);
}
END_TEST

START_TEST(more_sequences_than_frames_are_refused)
{
    struct sample sample = make(SAMPLE_PER_SEQUENCE);
    sample.frames = 9;
    sample_write(&sample, path);
    assert_fault("names 10 sequences, but inputs has 9 rows");
    sample_finish(&sample);
}
END_TEST

START_TEST(target_offsets_that_do_not_fit_are_refused)
{
    struct sample sample = make(SAMPLE_ANY);
    struct h5_image *image = sample_image(&sample, "target_offsets");
    int64_t rows = 12, more[12] = {0};
    memcpy(more, sample.target_offsets, 11 * sizeof *more);
    more[11] = more[10];
    h5_image_int64(image, "target_offsets", 1, &rows, more);
    save_and_assert(image, "target_offsets: has 12 rows: 11 are needed");
    sample.targets--;
    sample_write(&sample, path);
    assert_fault("target_offsets: row ");
    assert_fault("past the end");
    sample.targets++;
    sample.target_offsets[10]--;
    sample_write(&sample, path);
    assert_fault("target_offsets: row 10, the last, is ");
    sample.target_offsets[10]++;
    sample.target_offsets[0] = -1;
    sample_write(&sample, path);
    assert_fault("target_offsets: row 0 is -1");
    sample_finish(&sample);
}
END_TEST

START_TEST(a_target_count_that_fits_nothing_is_refused)
{
    struct sample sample = make(SAMPLE_PER_FRAME);
    sample.targets--;
    sample_write(&sample, path);
    assert_fault("without target_offsets there is one target per frame");
    sample_finish(&sample);
}
END_TEST

/* ---- values ---- */

/* The place of a row as faults tell it. */
static void tell(const int64_t *offsets, const char *set, int64_t row, char *text, size_t size)
{
    int64_t s = 0;
    while (offsets[s + 1] <= row)
        s++;
    snprintf(text, size, "%s: %s: row %d (sequence %d \"sequence %d\", its row %d): ", path, set, (int)row,
        (int)s, (int)s, (int)(row - offsets[s]));
}

START_TEST(classes_and_symbols_out_of_range_are_named)
{
    struct sample_shape shape = plain;
    struct sample sample;
    char want[600];
    shape.features = 0;
    shape.symbols = 4;
    shape.kind = SAMPLE_ANY;
    shape.sequences = 40;
    sample_init(&sample, &shape, 5);
    int32_t wrong[] = {-1, 4, INT32_MAX, INT32_MIN};
    for (int i = 0; i < 4; i++) {
        int64_t row = i * (sample.frames - 1) / 3;
        int32_t was = sample.symbols[row];
        sample.symbols[row] = wrong[i];
        sample_write(&sample, path);
        tell(sample.input_offsets, "inputs", row, want, sizeof want);
        assert_fault(want);
        assert_fault("out of range: with n_symbols = 4 only 0 to 3 are allowed");
        sample.symbols[row] = was;

        row = i * (sample.targets - 1) / 3;
        was = sample.classes[row];
        sample.classes[row] = wrong[i] == 4 ? 5 : wrong[i];
        sample_write(&sample, path);
        tell(sample.target_offsets, "targets", row, want, sizeof want);
        assert_fault(want);
        assert_fault("out of range: with n_classes = 5 only 0 to 4 are allowed");
        sample.classes[row] = was;
    }
    sample_finish(&sample);
}
END_TEST

START_TEST(no_target_is_a_class_where_every_place_has_one)
{
    static const enum sample_targets sorts[] = {
        SAMPLE_PER_FRAME, SAMPLE_PER_FRAME_OFFSETS, SAMPLE_PER_SEQUENCE, SAMPLE_ANY};
    static struct lines lines;
    for (int i = 0; i < 4; i++) {
        struct sample sample = make(sorts[i]);
        sample.classes[2] = -1;
        sample_write(&sample, path);
        if (sorts[i] == SAMPLE_ANY) {
            assert_fault("class -1 is out of range: with n_classes = 5 only 0 to 4 are allowed (-1, no");
        } else {
            ck_assert_uint_eq(check_file(&lines, MOST_LINES).count, 0);
            sample.classes[2] = -2;
            sample_write(&sample, path);
            assert_fault("class -2 is out of range: with n_classes = 5 only -1 to 4 are allowed (-1 is no");
        }
        sample_finish(&sample);
    }
}
END_TEST

START_TEST(numbers_that_are_not_finite_are_named)
{
    struct sample_shape shape = plain;
    struct sample sample;
    char want[600];
    shape.classes = 0;
    shape.values = 2;
    sample_init(&sample, &shape, 6);
    float wrong[] = {NAN, INFINITY, -INFINITY};
    const char *const words[] = {"column 1 is NaN", "column 1 is infinite", "column 1 is -infinite"};
    for (int i = 0; i < 3; i++) {
        int64_t row = i * (sample.frames - 1) / 2;
        float *input = &sample.inputs[row * 3 + 1], *value = &sample.values[row * 2 + 1], was = *input;
        *input = wrong[i];
        sample_write(&sample, path);
        tell(sample.input_offsets, "inputs", row, want, sizeof want);
        assert_fault(want);
        assert_fault(words[i]);
        *input = was, was = *value, *value = wrong[i];
        sample_write(&sample, path);
        tell(sample.input_offsets, "targets", row, want, sizeof want);
        assert_fault(want);
        assert_fault(words[i]);
        *value = was;
    }
    sample_finish(&sample);
}
END_TEST

START_TEST(a_number_beyond_32_bits_is_not_finite)
{
    struct sample sample = make(SAMPLE_NO_TARGETS);
    struct h5_image *image = sample_image(&sample, "inputs");
    int64_t size[] = {sample.frames, 3};
    double *inputs = memory_create((size_t)sample.frames * 3, sizeof *inputs, NULL);
    inputs[5] = 1e60;
    h5_image_doubles(image, "inputs", 2, size, inputs);
    save_and_assert(image, "column 2 is infinite");
    memory_destroy(inputs);
    sample_finish(&sample);
}
END_TEST

START_TEST(check_tells_all_faults_up_to_the_bound)
{
    static struct lines lines;
    struct sample sample = make(SAMPLE_PER_SEQUENCE);
    for (int64_t s = 0; s < 10; s++)
        sample.classes[s] = 7;
    for (int64_t i = 0; i < 15; i++)
        sample.inputs[i] = NAN;
    sample.input_offsets[10]--;
    struct h5_image *image = sample_image(&sample, "names");
    static const char *const words[] = {"a"};
    h5_image_texts(image, "class_names", 1, words);
    sample_save(image, path);
    ck_assert_uint_eq(check_file(&lines, MOST_LINES).count, 10 + 15 + 2);
    for (size_t most = 1; most < 27; most += 5)
        ck_assert_uint_eq(check_file(&lines, most).count, most);
    struct error error = {0};
    ck_assert_ptr_null(dataset_open(path, SIZE_MAX, &error));
    check_file(&lines, 1);
    ck_assert_str_eq(error.text, lines.line[0]);
    sample_finish(&sample);
}
END_TEST

START_TEST(values_are_checked_to_the_last_beyond_one_block)
{
    static struct lines lines;
    struct sample_shape shape = {.sequences = 300,
        .shortest = 10,
        .longest = 200,
        .features = 70,
        .kind = SAMPLE_PER_SEQUENCE,
        .classes = 2};
    struct sample sample;
    sample_init(&sample, &shape, 7);
    size_t items = (size_t)sample.frames * 70;
    ck_assert_uint_gt(items * 4, 6 << 20);
    sample.inputs[items - 1] = NAN;
    sample.inputs[items / 2] = NAN;
    sample.inputs[0] = NAN;
    sample_write(&sample, path);
    ck_assert_uint_eq(check_file(&lines, MOST_LINES).count, 3);
    sample_finish(&sample);
}
END_TEST

START_TEST(a_set_that_is_not_kept_is_checked_microbatch_by_microbatch)
{
    struct sample sample = make(SAMPLE_PER_FRAME);
    char want[600];
    int64_t row = sample.input_offsets[6] + 1;
    sample.inputs[row * 3] = NAN;
    sample.classes[sample.input_offsets[2]] = 5;
    sample_write(&sample, path);
    struct error error = {0};
    struct dataset *dataset = dataset_open(path, 0, &error);
    ck_assert_msg(dataset != NULL, "%s", error.text);
    struct microbatch microbatch;
    microbatch_init(&microbatch);
    for (int64_t s = 0; s < 10; s++) {
        int faulty = s == 6 || s == 2;
        ck_assert_int_eq(
            dataset_read_microbatch(dataset, 1, &s, NULL, NULL, &microbatch, &error), faulty ? -1 : 0);
        if (!faulty)
            continue;
        tell(sample.input_offsets, s == 6 ? "inputs" : "targets", s == 6 ? row : sample.input_offsets[2],
            want, sizeof want);
        ck_assert_msg(strncmp(error.text, want, strlen(want)) == 0, "%s: wanted %s", error.text, want);
        ck_assert_int_eq(error.code, EXIT_CODE_DATA);
    }
    double moments[3];
    uint64_t fingerprint;
    ck_assert_int_eq(dataset_moments(dataset, moments, moments, &error), -1);
    ck_assert_msg(strstr(error.text, "inputs: row"), "%s", error.text);
    ck_assert_int_eq(dataset_former_fingerprint(dataset, &fingerprint, &error), -1);
    ck_assert_msg(strstr(error.text, "targets: row"), "%s", error.text);
    microbatch_finish(&microbatch);
    dataset_close(dataset);
    sample_finish(&sample);
}
END_TEST

/* ---- what a loss asks of targets ---- */

typedef int require_function(struct dataset *dataset, size_t part, size_t parts, struct error *error);

/* What ranks find that share the targets: the error of the first share that has one. */
static int require_in_order(
    struct dataset *dataset, require_function *require, size_t parts, struct error *error)
{
    int failed = 0;
    for (size_t part = 0; part < parts && !failed; part++)
        failed = require(dataset, part, parts, error);
    return failed;
}

/* Whether the sample as a file has one fault, which `check` tells, and opening and reading its microbatches
 * by one who has said what the loss is. */
static void assert_loss_refuses(const struct sample *sample, enum loss loss, const char *want)
{
    static struct lines lines;
    struct faults faults;
    struct microbatch microbatch;
    sample_write(sample, path);
    lines.count = 0;
    faults_init(&faults, MOST_LINES, keep_line, &lines);
    dataset_check(path, loss_kinds[loss], &faults);
    ck_assert_msg(faults.count == (want != NULL), "%s: %s", loss_names[loss], lines.line[0]);
    ck_assert_msg(!want || strstr(lines.line[0], want), "%s: wanted %s", lines.line[0], want);
    microbatch_init(&microbatch);
    for (int kept = 0; kept < 2; kept++) {
        struct error error = {0};
        struct dataset *dataset = dataset_open(path, kept ? SIZE_MAX : 0, &error);
        dataset->loss = loss_kinds[loss];
        int failed = require_in_order(dataset, dataset_require_loss, 1 + (size_t)kept * 3, &error);
        for (int64_t s = 0; s < sample->shape.sequences && !kept && !failed; s++)
            failed = dataset_read_microbatch(dataset, 1, &s, NULL, NULL, &microbatch, &error);
        ck_assert_int_eq(failed, want ? -1 : 0);
        if (want)
            ck_assert_str_eq(error.text, lines.line[0]);
        dataset_close(dataset);
    }
    microbatch_finish(&microbatch);
}

START_TEST(a_loss_names_the_target_that_it_does_not_take)
{
    static const enum sample_targets kinds[] = {SAMPLE_PER_FRAME, SAMPLE_PER_SEQUENCE, SAMPLE_THREE};
    static const float outside[] = {-1, 255, 1.0000001f, -1e-30f};
    static const char *const words[] = {"-1", "255", "1.00000012", "-1e-30"};
    for (size_t k = 0; k < 3; k++)
        for (size_t i = 0; i < (k ? 1 : 4); i++) {
            struct sample_shape shape = plain;
            struct sample sample;
            char want[300];
            shape.kind = kinds[k];
            shape.classes = 0;
            shape.values = 2;
            shape.shares = 1;
            sample_init(&sample, &shape, 6);
            sample.values[0] = 0;
            sample.values[1] = 1;
            int64_t s = 4,
                    row = kinds[k] == SAMPLE_PER_FRAME ? sample.input_offsets[s] : sample.target_offsets[s];
            for (int loss = 0; loss_names[loss]; loss++)
                assert_loss_refuses(&sample, (enum loss)loss, NULL);
            sample.values[2 * row + 1] = outside[i];
            snprintf(want, sizeof want,
                "targets: row %lld (sequence 4 \"sequence 4\", its row 0): column 1 is %s: loss = sigmoid "
                "takes targets from 0 to 1 only: ",
                (long long)row, words[i]);
            for (int loss = 0; loss_names[loss]; loss++)
                assert_loss_refuses(&sample, (enum loss)loss, loss == LOSS_SIGMOID ? want : NULL);
            sample_finish(&sample);
        }
}
END_TEST

/* ---- what an output asks of targets ---- */

/* The faults that `check` tells of the file, the same whether its values are kept or not; `require` tells
 * the first of them, into however many shares the targets are divided. */
static size_t ask(void (*check)(struct dataset *dataset, struct faults *faults), require_function *require,
    struct lines *lines)
{
    static struct lines before;
    for (int kept = 0; kept < 2; kept++) {
        struct error error = {0};
        struct faults faults;
        struct dataset *dataset = dataset_open(path, kept ? SIZE_MAX : 0, &error);
        ck_assert_msg(dataset != NULL, "%s", error.text);
        lines->count = 0;
        faults_init(&faults, MOST_LINES, keep_line, lines);
        check(dataset, &faults);
        ck_assert_uint_eq(lines->count, faults.count);
        for (size_t parts = 1; parts <= 9; parts++) {
            ck_assert_int_eq(require_in_order(dataset, require, parts, &error), faults.count ? -1 : 0);
            ck_assert_int_eq(error.code, faults.count ? EXIT_CODE_DATA : 0);
            ck_assert_msg(!faults.count || strcmp(error.text, lines->line[0]) == 0, "%s", error.text);
        }
        for (size_t i = 0; i < lines->count && kept; i++)
            ck_assert_str_eq(lines->line[i], before.line[i]);
        ck_assert(!kept || before.count == lines->count);
        before = *lines;
        dataset_close(dataset);
    }
    return lines->count;
}

/* Six sequences of 1 to 4 labels among 4, 4, 6, 1, 3 and 2 frames. */
static struct sample make_labels(int names)
{
    static const int64_t frames[] = {0, 4, 8, 14, 15, 18, 20}, labels[] = {0, 4, 8, 12, 13, 13, 15};
    static const int32_t classes[] = {0, 1, 0, 1, /**/ 1, 1, 2, 0, /**/ 3, 3, 3, 0, /**/ 0, /**/ 1, 1};
    struct sample_shape shape = {.sequences = 6,
        .shortest = 4,
        .longest = 4,
        .features = 1,
        .kind = SAMPLE_ANY,
        .classes = 5,
        .names = names};
    struct sample sample;
    for (uint64_t seed = 1;; seed++) { /* one that has room for the labels */
        sample_init(&sample, &shape, seed);
        if (sample.targets >= 15)
            break;
        sample_finish(&sample);
    }
    memcpy(sample.input_offsets, frames, sizeof frames);
    memcpy(sample.target_offsets, labels, sizeof labels);
    memcpy(sample.classes, classes, sizeof classes);
    sample.frames = 20;
    sample.targets = 15;
    return sample;
}

START_TEST(sequences_without_a_ctc_path_are_named_with_the_frames_they_need)
{
    static struct lines lines;
    struct sample sample = make_labels(_i);
    sample_write(&sample, path);
    ck_assert_uint_eq(ask(dataset_check_ctc, dataset_require_ctc, &lines), 2);
    const char *names[] = {_i ? " \"sequence 1\"" : "", _i ? " \"sequence 5\"" : ""};
    char want[500];
    snprintf(want, sizeof want,
        "%s: targets: sequence 1%s: its 4 labels, 1 of them like the label before, need 5 frames for ctc, "
        "but "
        "it has 4: ",
        path, names[0]);
    ck_assert_msg(strncmp(lines.line[0], want, strlen(want)) == 0, "%s", lines.line[0]);
    snprintf(want, sizeof want, "%s: targets: sequence 5%s: its 2 labels", path, names[1]);
    ck_assert_msg(strncmp(lines.line[1], want, strlen(want)) == 0, "%s", lines.line[1]);
    ck_assert_ptr_nonnull(strstr(lines.line[1], "need 3 frames for ctc, but it has 2: "));
    sample.classes[5] = 0;  /* 1 0 2 0 in four frames */
    sample.classes[14] = 2; /* 1 2 in two frames; neighbours in other sequences do not count */
    sample_write(&sample, path);
    ck_assert_uint_eq(ask(dataset_check_ctc, dataset_require_ctc, &lines), 0);
    sample_finish(&sample);
}
END_TEST

START_TEST(labels_are_counted_beyond_one_block)
{
    static struct lines lines;
    enum { LABELS = 1500000 }; /* 4 bytes each: more than one block, in the middle of a sequence */
    struct sample_shape shape = {.sequences = 2,
        .shortest = LABELS,
        .longest = LABELS,
        .features = 1,
        .kind = SAMPLE_PER_FRAME,
        .classes = 5};
    struct sample sample;
    sample_init(&sample, &shape, 3);
    for (int64_t i = 0; i < sample.targets; i++)
        sample.classes[i] = (int32_t)(i % 5);
    sample_write(&sample, path);
    ck_assert_uint_eq(ask(dataset_check_ctc, dataset_require_ctc, &lines), 0);
    sample.classes[LABELS + (1 << 20)] = sample.classes[LABELS + (1 << 20) - 1];
    sample_write(&sample, path);
    ck_assert_uint_eq(ask(dataset_check_ctc, dataset_require_ctc, &lines), 1);
    ck_assert_ptr_nonnull(strstr(lines.line[0], "sequence 1: its 1500000 labels, 1 of them"));
    ck_assert_ptr_nonnull(strstr(lines.line[0], "need 1500001 frames for ctc, but it has 1500000: "));
    sample_finish(&sample);
}
END_TEST

START_TEST(no_target_has_no_place_among_any_number)
{
    static struct lines lines;
    struct sample sample = make(SAMPLE_PER_SEQUENCE);
    char want[600];
    sample_write(&sample, path);
    ck_assert_uint_eq(ask(dataset_check_any, dataset_require_any, &lines), 0);
    ck_assert_uint_eq(ask(dataset_check_ctc, dataset_require_ctc, &lines), 0);
    sample.classes[3] = sample.classes[7] = -1;
    sample_write(&sample, path);
    ck_assert_uint_eq(ask(dataset_check_any, dataset_require_any, &lines), 2);
    ck_assert_uint_eq(ask(dataset_check_ctc, dataset_require_ctc, &lines), 2);
    tell(sample.target_offsets, "targets", 7, want, sizeof want);
    ck_assert_msg(strncmp(lines.line[1], want, strlen(want)) == 0, "%s", lines.line[1]);
    ck_assert_ptr_nonnull(strstr(lines.line[1], "class -1 is out of range"));
    sample_finish(&sample);
}
END_TEST

START_TEST(ctc_needs_classes)
{
    static struct lines lines;
    struct sample sample = make(SAMPLE_NO_TARGETS);
    sample_write(&sample, path);
    ck_assert_uint_eq(ask(dataset_check_ctc, dataset_require_ctc, &lines), 1);
    ck_assert_ptr_nonnull(strstr(lines.line[0], "targets: there are none, but ctc needs classes"));
    ck_assert_uint_eq(ask(dataset_check_any, dataset_require_any, &lines), 0);
    sample_finish(&sample);
    struct sample_shape shape = plain;
    shape.classes = 0;
    shape.values = 2;
    sample_init(&sample, &shape, 1);
    sample_write(&sample, path);
    ck_assert_uint_eq(ask(dataset_check_ctc, dataset_require_ctc, &lines), 1);
    ck_assert_ptr_nonnull(strstr(lines.line[0], "targets: real values, but ctc needs classes"));
    ck_assert_uint_eq(ask(dataset_check_any, dataset_require_any, &lines), 0);
    sample_finish(&sample);
}
END_TEST

/* Of the file of this sample; -1 and *error where there is no common number. */
static int32_t common_targets(const struct sample *sample, struct error *error)
{
    int32_t targets = -1;
    sample_write(sample, path);
    struct dataset *dataset = dataset_open(path, 0, error);
    ck_assert_msg(dataset != NULL, "%s", error->text);
    int outcome = dataset_common_targets(dataset, &targets, error);
    ck_assert_int_eq(outcome, targets < 0 ? -1 : 0);
    dataset_close(dataset);
    return targets;
}

START_TEST(a_common_number_of_targets_is_found_or_the_first_that_differs_named)
{
    struct error error = {0};
    struct sample sample = make(SAMPLE_PER_SEQUENCE);
    ck_assert_int_eq(common_targets(&sample, &error), 1);
    for (int64_t s = 0; s <= 10; s++)
        sample.target_offsets[s] = s < 6 ? s : s + 1;
    sample.targets = 11;
    int32_t classes[11] = {0}, *held = sample.classes;
    sample.classes = classes;
    ck_assert_int_eq(common_targets(&sample, &error), -1);
    ck_assert_int_eq(error.code, EXIT_CODE_DATA);
    ck_assert_msg(
        strstr(error.text, "targets: sequence 5 has 2 targets, sequence 0 has 1: "), "%s", error.text);
    memset(sample.target_offsets, 0, 11 * sizeof *sample.target_offsets);
    sample.targets = 0;
    ck_assert_int_eq(common_targets(&sample, &error), -1);
    ck_assert_msg(strstr(error.text, "targets: no sequence has any"), "%s", error.text);
    sample.classes = held;
    sample_finish(&sample);

    struct sample_shape shape = plain;
    shape.shortest = shape.longest = 4;
    sample_init(&sample, &shape, 1);
    ck_assert_int_eq(common_targets(&sample, &error), 4);
    sample_finish(&sample);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("check");
    TCase *cases = tcase_create("check");
    sample_make_folder(folder, sizeof folder);
    snprintf(path, sizeof path, "%s/sample.h5", folder);
    tcase_set_timeout(cases, 60);
    tcase_add_test(cases, a_good_file_has_no_fault);
    tcase_add_test(cases, files_that_are_no_hdf5_files_are_refused);
    tcase_add_test(cases, other_formats_and_versions_are_refused);
    tcase_add_test(cases, missing_sets_are_named);
    tcase_add_test(cases, text_where_numbers_belong_is_refused);
    tcase_add_test(cases, wrong_ranks_and_types_are_refused);
    tcase_add_test(cases, numbers_of_symbols_and_classes_are_needed_and_positive);
    tcase_add_test(cases, lists_of_names_have_one_for_each);
    tcase_add_test(cases, names_that_are_not_utf8_are_refused_by_row);
    tcase_add_test(cases, integers_beyond_their_width_are_told_as_they_are);
    tcase_add_test(cases, offsets_beyond_63_bits_are_told_as_they_are);
    tcase_add_test(cases, zero_sequences_are_refused);
    tcase_add_loop_test(cases, offsets_that_do_not_fit_are_named_by_row_and_sequence, 0, MISFITS);
    tcase_add_test(cases, more_sequences_than_frames_are_refused);
    tcase_add_test(cases, target_offsets_that_do_not_fit_are_refused);
    tcase_add_test(cases, a_target_count_that_fits_nothing_is_refused);
    tcase_add_test(cases, classes_and_symbols_out_of_range_are_named);
    tcase_add_test(cases, no_target_is_a_class_where_every_place_has_one);
    tcase_add_loop_test(cases, sequences_without_a_ctc_path_are_named_with_the_frames_they_need, 0, 2);
    tcase_add_test(cases, labels_are_counted_beyond_one_block);
    tcase_add_test(cases, no_target_has_no_place_among_any_number);
    tcase_add_test(cases, ctc_needs_classes);
    tcase_add_test(cases, a_common_number_of_targets_is_found_or_the_first_that_differs_named);
    tcase_add_test(cases, a_loss_names_the_target_that_it_does_not_take);
    tcase_add_test(cases, numbers_that_are_not_finite_are_named);
    tcase_add_test(cases, a_number_beyond_32_bits_is_not_finite);
    tcase_add_test(cases, check_tells_all_faults_up_to_the_bound);
    tcase_add_test(cases, values_are_checked_to_the_last_beyond_one_block);
    tcase_add_test(cases, a_set_that_is_not_kept_is_checked_microbatch_by_microbatch);
    suite_add_tcase(suite, cases);
    int outcome = suite_run(suite);
    sample_remove_folder(folder);
    return outcome;
}

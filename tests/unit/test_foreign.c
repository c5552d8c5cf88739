/* Files of HTK, CURRENNT, RNNLIB, RETURNN and files of sound, from bytes written by hand to a dataset: what
 * is read, and what is refused in one line that names the file. */
#include "base/file.h"
#include "base/memory.h"
#include "data/import/import.h"
#include "data/import/speech.h"
#include "h5/h5.h"
#include "support/folder.h"
#include "support/suite.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- bytes ---- */

static unsigned char bytes[8192];
static size_t used;

static void add(const void *more, size_t n)
{
    ck_assert_uint_le(used + n, sizeof bytes);
    memcpy(bytes + used, more, n);
    used += n;
}

static void add_text(const char *text)
{
    add(text, strlen(text));
}

/* The highest byte first, or the lowest. */
static void add_big(uint64_t value, int n)
{
    while (n--)
        bytes[used++] = (unsigned char)(value >> 8 * n);
}

static void add_little(uint64_t value, int n)
{
    for (; n--; value >>= 8)
        bytes[used++] = (unsigned char)value;
}

static void add_float(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    add_big(bits, 4);
}

static const char *save(const char *name)
{
    const char *path = in_folder(name);
    write_file(path, bytes, used);
    used = 0;
    return path;
}

/* ---- imports ---- */

static struct error error;
static char output[512];
static int warnings;

static void count_warning(const char *text)
{
    warnings++;
}

/* Imports as the program does it: words up to NULL, options and sources. Returns 0 or -1. */
static int import_words(const char *name, const char *const *given)
{
    char *words[12] = {(char *)"rnn-data"};
    int n = 1;
    for (; given[n - 1]; n++)
        words[n] = (char *)given[n - 1];
    snprintf(output, sizeof output, "%s", in_folder("out.h5"));
    words[n++] = (char *)"-o";
    words[n++] = output;
    const struct import_kind *kind = import_kind_find(name);
    struct option_table table = {0};
    struct import_result result;
    error = (struct error){0};
    struct option_row *rows = import_list_options(kind, &table.rows, &error);
    void *options = import_create_options(kind, &error);
    ck_assert(rows && options);
    table.row = rows;
    int first = options_read(&table, 0, options, n, words, &error);
    int outcome = first < 0 ? -1 : import_run(kind, options, words + first, count_warning, &result, &error);
    if (first >= 0)
        import_result_finish(&result);
    options_finish(&table, options);
    memory_destroy(options);
    memory_destroy(rows);
    return outcome;
}
#define IMPORT(kind, ...) import_words(kind, (const char *const[]){__VA_ARGS__, NULL})

static struct h5_file *open_output(void)
{
    struct h5_file *file = h5_open(output, 0, &error);
    ck_assert_msg(file != NULL, "%s", error.text);
    return file;
}

static void assert_floats(struct h5_file *file, const char *set, const float *wanted, int64_t rows, size_t n)
{
    float found[64] = {0};
    ck_assert_msg(h5_read_floats(file, set, 0, rows, found, &error) == 0, "%s", error.text);
    for (size_t i = 0; i < n; i++)
        ck_assert_float_eq(found[i], wanted[i]);
}

static void assert_integers(struct h5_file *file, const char *set, const int64_t *wanted, int64_t n)
{
    int64_t found[64] = {0};
    ck_assert_msg(h5_read_integers(file, set, 0, n, found, &error) == 0, "%s", error.text);
    for (int64_t i = 0; i < n; i++)
        ck_assert_int_eq(found[i], wanted[i]);
}

static void assert_texts(struct h5_file *file, const char *set, const char *const *wanted, int64_t n)
{
    char **found = NULL;
    ck_assert_msg(h5_read_texts(file, set, 0, n, &found, &error) == 0, "%s", error.text);
    for (int64_t i = 0; i < n; i++)
        ck_assert_str_eq(found[i], wanted[i]);
    memory_destroy(found);
}

/* The last import was refused by the file's own doing, and has left nothing. */
static void assert_refused(const char *file, const char *what)
{
    ck_assert_msg(error.code == EXIT_CODE_DATA, "code %d: %s", error.code, error.text);
    ck_assert_msg(strstr(error.text, file) && strstr(error.text, what), "wanted '%s' of '%s' in: %s", what,
        file, error.text);
    FILE *left = fopen(output, "rb");
    ck_assert_ptr_null(left);
}

static const float three[] = {1, 2, 3, 4, 5, 6, 7, 8, 9};

/* ---- HTK ---- */

/* A file of so many frames of `size` bytes of the values of `three`. */
static void add_htk(uint32_t frames, unsigned size, unsigned kind, size_t values)
{
    add_big(frames, 4);
    add_big(100000, 4);
    add_big(size, 2);
    add_big(kind, 2);
    for (size_t i = 0; i < values; i++)
        add_float(three[i]);
}

START_TEST(htk_frames_and_labels_by_times_become_a_sequence)
{
    char source[512];
    add_htk(3, 12, 9 | 010000, 9);
    add("xx", 2);
    snprintf(source, sizeof source, "%s", save("u.mfc"));
    add_text("#!MLF!#\n\"*/u.lab\"\n0 100000 sil\n200000 900000 a -3.5\n.\n");
    ck_assert_msg(IMPORT("htk", source, "--mlf", save("x.mlf")) == 0, "%s", error.text);
    struct h5_file *file = open_output();
    assert_floats(file, "inputs", three, 3, 9);
    assert_integers(file, "targets", (const int64_t[]){1, -1, 0}, 3);
    assert_texts(file, "class_names", (const char *const[]){"a", "sil"}, 2);
    assert_texts(file, "names", (const char *const[]){"u"}, 1);
    h5_close(file);
}
END_TEST

static const struct {
    uint32_t frames;
    unsigned size, kind;
    size_t values;
    const char *what;
} bad_htk[] = {
    {3, 12, 9, 8, "cut off"},
    {0x7fffffff, 12, 9, 9, "make a file"},
    {0xffffffff, 12, 9, 9, "damaged"},
    {0, 12, 9, 0, "damaged"},
    {3, 0, 9, 0, "damaged"},
    {3, 6, 9, 9, "damaged"},
    {3, 12, 0, 9, "waveform"},
    {3, 12, 5, 9, "IREFC"},
    {3, 12, 10, 9, "DISCRETE"},
    {3, 12, 6 | 02000, 9, "_C"},
    {3, 12, 6 | 040000, 9, "_V"},
};

START_TEST(a_damaged_htk_file_is_refused)
{
    add_htk(bad_htk[_i].frames, bad_htk[_i].size, bad_htk[_i].kind, bad_htk[_i].values);
    ck_assert_int_eq(IMPORT("htk", save("bad.mfc")), -1);
    assert_refused("bad.mfc", bad_htk[_i].what);
}
END_TEST

static const char *const bad_mlf[][2] = {
    {"", "u: has no entry"},
    {"nothing\n", "line 1"},
    {"#!MLF!#\nu\n.\n", "line 2"},
    {"#!MLF!#\n\"*/*\"\n.\n", "pattern"},
    {"#!MLF!#\n\"*/u.lab\"\n0 100000 a\n", "cut off"},
    {"#!MLF!#\n\"*/u.lab\"\n0 a\n.\n", "START END LABEL"},
    {"#!MLF!#\n\"*/u.lab\"\n0 200000 a\n100000 300000 b\n.\n", "before the line before"},
    {"#!MLF!#\n\"*/u.lab\"\n0 200000 a\nb\n.\n", "has no times"},
    {"#!MLF!#\n\"*/u.lab\"\na\n0 200000 b\n.\n", "has times"},
    {"#!MLF!#\n\"*/u.lab\"\n5 2 a\n.\n", "ends before"},
    {"#!MLF!#\n\"*/u.lab\"\na\n///\nb\n.\n", "alternative"},
    {"#!MLF!#\n\"*/u.lab\"\na\n.\n\"x/u.rec\"\nb\n.\n", "key u comes twice"},
    {"#!MLF!#\n\"*/u.lab\"\n\xff\n.\n", "UTF-8"},
};

START_TEST(a_label_file_that_leaves_doubt_is_refused)
{
    char source[512];
    add_htk(3, 12, 9, 9);
    snprintf(source, sizeof source, "%s", save("u.mfc"));
    add_text(bad_mlf[_i][0]);
    ck_assert_int_eq(IMPORT("htk", source, "--mlf", save("bad.mlf")), -1);
    assert_refused(_i ? "bad.mlf" : "u.mfc", bad_mlf[_i][1]);
}
END_TEST

START_TEST(a_list_of_files_names_sequences_and_runs_nothing)
{
    char line[2048];
    add_htk(3, 12, 9, 9);
    snprintf(line, sizeof line, "first %s\n\n", save("a.mfc"));
    add_htk(1, 12, 9, 3);
    snprintf(line + strlen(line), sizeof line - strlen(line), "%s\n", save("b.mfc"));
    add_text(line);
    ck_assert_msg(IMPORT("htk", save("list.scp")) == 0, "%s", error.text);
    struct h5_file *file = open_output();
    assert_texts(file, "names", (const char *const[]){"first", "b"}, 2);
    assert_integers(file, "input_offsets", (const int64_t[]){0, 3, 4}, 3);
    h5_close(file);
    remove(output);
    add_text("u HList x |\n");
    ck_assert_int_eq(IMPORT("htk", save("evil.scp")), -1);
    assert_refused("evil.scp: line 1", "command");
    add_text("HList|\n");
    ck_assert_int_eq(IMPORT("htk", save("evil.scp")), -1);
    assert_refused("evil.scp: line 1", "command");
}
END_TEST

/* ---- NetCDF ---- */

static void add_name(const char *name)
{
    add_big(strlen(name), 4);
    add_text(name);
    while (used % 4)
        bytes[used++] = 0;
}

static void add_dimension(const char *name, uint32_t size)
{
    add_name(name);
    add_big(size, 4);
}

/* Without attributes; `type` 4 is int, 5 float. */
static void add_variable(
    const char *name, int dimensions, uint32_t first, uint32_t second, int type, uint32_t begin)
{
    add_name(name);
    add_big((uint64_t)dimensions, 4);
    add_big(first, 4);
    if (dimensions == 2)
        add_big(second, 4);
    add_big(0, 8);
    add_big((uint64_t)type, 4);
    add_big(0, 4);
    add_big(begin, 4);
}

/* Two sequences of 1 and 2 frames of 3 features and 2 classes; the values begin behind the header, at byte
 * 512. */
static void add_netcdf(const char *targets)
{
    enum { BEGIN = 512 };
    add("CDF\1\0\0\0\0\0\0\0\12\0\0\0\4", 16);
    add_dimension("numSeqs", 2);
    add_dimension("numTimesteps", 3);
    add_dimension("inputPattSize", 3);
    add_dimension("numLabels", 2);
    add("\0\0\0\0\0\0\0\0\0\0\0\13\0\0\0\3", 16);
    add_variable("seqLengths", 1, 0, 0, 4, BEGIN);
    add_variable("inputs", 2, 1, 2, 5, BEGIN + 8);
    add_variable(targets, 1, 1, 0, 4, BEGIN + 44);
    memset(bytes + used, 0, BEGIN - used);
    used = BEGIN;
    add_big(1, 4);
    add_big(2, 4);
    for (size_t i = 0; i < 9; i++)
        add_float(three[i]);
    add_big(1, 4);
    add_big(0, 4);
    add_big(1, 4);
}

START_TEST(a_classic_netcdf_file_becomes_sequences_with_classes)
{
    for (int k = 0; k < 2; k++) {
        add_netcdf("targetClasses");
        ck_assert_msg(IMPORT(k ? "rnnlib" : "currennt", save("x.nc")) == 0, "%s", error.text);
        struct h5_file *file = open_output();
        assert_floats(file, "inputs", three, 3, 9);
        assert_integers(file, "input_offsets", (const int64_t[]){0, 1, 3}, 3);
        assert_integers(file, "targets", (const int64_t[]){1, 0, 1}, 3);
        h5_close(file);
    }
}
END_TEST

START_TEST(a_netcdf_file_is_refused_wherever_it_is_cut)
{
    for (size_t size = 0; size < 568; size += size < 508 ? 13 : 1) {
        add_netcdf("targetClasses");
        ck_assert_uint_eq(used, 568);
        used = size;
        const char *path = save("cut.nc");
        ck_assert_msg(IMPORT("currennt", path) == -1, "a file cut to %zu bytes was taken", size);
        assert_refused("cut.nc", "");
    }
}
END_TEST

/* A number in the file, and what another one there leads to. */
static const struct {
    size_t at;
    uint32_t value;
    const char *what;
} bad_netcdf[] = {
    {4, 0xfffffffe, "negative"},       /* records */
    {8, 11, "no list"},                /* the tag of dimensions */
    {12, 0x7fffffff, "takes"},         /* how many there are */
    {16, 0x7fffffff, "more than 256"}, /* the length of a name */
    {28, 0, ""},                       /* numSeqs grows */
    {512, 0, "seqLengths"},            /* a sequence without frames */
    {512, 0xffffffff, "seqLengths"},   /* or with less than none */
    {512, 2, "seqLengths"},            /* together they have too many */
    {516, 1, "seqLengths"},            /* or too few */
    {556, 2, "out of range"},          /* a class that is none */
};

START_TEST(a_damaged_netcdf_file_is_refused)
{
    add_netcdf("targetClasses");
    size_t whole = used;
    used = bad_netcdf[_i].at;
    add_big(bad_netcdf[_i].value, 4);
    used = whole;
    ck_assert_int_eq(IMPORT("currennt", save("bad.nc")), -1);
    assert_refused("bad.nc", bad_netcdf[_i].what);
}
END_TEST

START_TEST(a_netcdf_file_without_targets_is_refused)
{
    add_netcdf("somethingElse");
    ck_assert_int_eq(IMPORT("currennt", save("x.nc")), -1);
    assert_refused("x.nc", "targetClasses");
    add_netcdf("somethingElse");
    ck_assert_int_eq(IMPORT("rnnlib", save("x.nc")), -1);
    assert_refused("x.nc", "no targets");
}
END_TEST

/* ---- RETURNN ---- */

/* What differs from a sound file. */
struct returnn_fault {
    int64_t frames, words; /* of the first sequence; 0: as it is */
    int64_t columns;
    const char *more, *what; /* another set of targets */
};

static const char *save_returnn(const struct returnn_fault *fault)
{
    void *image_bytes;
    size_t size;
    const char *path = in_folder("x.hdf");
    int32_t lengths[] = {1, 2, 9, 2, 1, 9};
    struct h5_image *image = h5_image_create(&error);
    if (fault->frames)
        lengths[0] = (int32_t)fault->frames;
    if (fault->words)
        lengths[1] = (int32_t)fault->words;
    if (fault->columns != 3) {
        lengths[2] = lengths[3];
        lengths[3] = lengths[4];
    }
    h5_image_floats(image, "inputs", 2, (const int64_t[]){3, 3}, three);
    h5_image_int32(
        image, "seqLengths", 2, (const int64_t[]){2, fault->columns ? fault->columns : 2}, lengths);
    h5_image_texts(image, "seqTags", 2, (const char *const[]){"one", "two"});
    h5_image_group(image, "targets");
    h5_image_group(image, "targets/data");
    h5_image_group(image, "targets/size");
    h5_image_group(image, "targets/labels");
    h5_image_int32(image, "targets/data/classes", 1, (const int64_t[]){3}, (const int32_t[]){0, 1, 1});
    h5_image_texts(image, "targets/labels/classes", 2, (const char *const[]){"a", "b"});
    h5_image_attribute_int32(image, "targets/size", "classes", 2);
    if (fault->more)
        h5_image_int32(image, fault->more, 1, (const int64_t[]){3}, lengths);
    ck_assert_msg(h5_image_finish(image, &image_bytes, &size, &error) == 0, "%s", error.text);
    write_file(path, image_bytes, size);
    memory_destroy(image_bytes);
    return path;
}

START_TEST(an_hdf_file_of_returnn_becomes_sequences_with_words)
{
    struct returnn_fault none = {0};
    ck_assert_msg(IMPORT("returnn", save_returnn(&none)) == 0, "%s", error.text);
    struct h5_file *file = open_output();
    assert_floats(file, "inputs", three, 3, 9);
    assert_integers(file, "input_offsets", (const int64_t[]){0, 1, 3}, 3);
    assert_integers(file, "target_offsets", (const int64_t[]){0, 2, 3}, 3);
    assert_integers(file, "targets", (const int64_t[]){0, 1, 1}, 3);
    assert_texts(file, "class_names", (const char *const[]){"a", "b"}, 2);
    assert_texts(file, "names", (const char *const[]){"one", "two"}, 2);
    h5_close(file);
}
END_TEST

static const struct returnn_fault bad_returnn[] = {
    {.frames = 2, .what = "seqLengths"},
    {.frames = -1, .what = "seqLengths"},
    {.frames = 2147483647, .what = "seqLengths"},
    {.words = 1, .what = "leaves 0 rows of inputs and 1 of targets"},
    {.words = -1, .what = "seqLengths"},
    {.columns = 3, .what = "3 columns"},
    {.columns = 3, .more = "targets/data/other", .what = "classes, other: name one"},
    {.columns = 3, .more = "targets/data/sizes", .what = "several dimensions"},
};

START_TEST(an_hdf_file_of_returnn_that_does_not_fit_itself_is_refused)
{
    ck_assert_int_eq(IMPORT("returnn", save_returnn(&bad_returnn[_i])), -1);
    assert_refused("x.hdf", bad_returnn[_i].what);
}
END_TEST

/* ---- sound ---- */

/* A WAV file of 16-bit samples 0, 1, 2, ...; its header speaks of `said` of them. */
static void add_wav(size_t samples, size_t said, int channels, uint32_t rate)
{
    add_text("RIFF");
    add_little(36 + 2 * said, 4);
    add_text("WAVEfmt ");
    add_little(16, 4);
    add_little(1, 2);
    add_little((uint64_t)channels, 2);
    add_little(rate, 4);
    add_little(2 * rate * (uint32_t)channels, 4);
    add_little((uint64_t)(2 * channels), 2);
    add_little(16, 2);
    add_text("data");
    add_little(2 * said, 4);
    for (size_t i = 0; i < samples; i++)
        add_little(i, 2);
}

static int has_sound(void)
{
    return !import_kind_find("audio")->missing_library;
}

START_TEST(samples_of_sound_are_read_as_they_are)
{
    char source[512];
    if (!has_sound())
        return;
    add_wav(6, 6, 2, 8000);
    snprintf(source, sizeof source, "%s", save("a.wav"));
    add_text("a yes\n");
    ck_assert_msg(
        IMPORT("audio", source, "--features", "raw", "--labels", save("labels")) == 0, "%s", error.text);
    float wanted[6];
    for (int i = 0; i < 6; i++)
        wanted[i] = (float)i / 32768;
    struct h5_file *file = open_output();
    assert_floats(file, "inputs", wanted, 3, 6);
    assert_integers(file, "targets", (const int64_t[]){0}, 1);
    h5_close(file);
}
END_TEST

START_TEST(what_is_no_sound_is_refused)
{
    if (!has_sound())
        return;
    add_text("RIFFxxxxWAVEnothing");
    ck_assert_int_eq(IMPORT("audio", save("bad.wav")), -1);
    assert_refused("bad.wav", "libsndfile");
    add_wav(0, 0, 1, 8000);
    ck_assert_int_eq(IMPORT("audio", save("empty.wav"), "--features", "raw"), -1);
    assert_refused("empty.wav", "");
    if (speech_missing())
        return;
    add_wav(100, 100, 2, 8000);
    ck_assert_int_eq(IMPORT("audio", save("two.wav")), -1);
    assert_refused("two.wav", "2 channels");
    add_wav(100, 100, 1, 2000000000);
    ck_assert_int_eq(IMPORT("audio", save("fast.wav")), -1);
    assert_refused("fast.wav", "");
}
END_TEST

/* The energy of a window is that of its samples (Parseval, over half of the bins: those at both ends count
 * once), and silence has the least there is. */
START_TEST(frames_of_speech_are_as_many_as_windows_reach_the_end)
{
    static const size_t samples[][2] = {{1, 1}, {200, 1}, {201, 2}, {280, 2}, {281, 3}, {1000, 11}};
    float zeroes[1000] = {0};
    if (speech_missing())
        return;
    struct speech *speech = speech_create(8000, 1, 2, &error);
    ck_assert_ptr_nonnull(speech);
    ck_assert_uint_eq(speech_features(speech), 39);
    ck_assert_str_eq(speech_names(speech)[14], "mfcc 1 delta");
    for (size_t k = 0; k < sizeof samples / sizeof *samples; k++) {
        speech_begin(speech);
        for (size_t i = 0; i < samples[k][0]; i += 7)
            ck_assert_int_eq(
                speech_add(speech, zeroes, samples[k][0] - i < 7 ? samples[k][0] - i : 7, &error), 0);
        ck_assert_int_eq(speech_end(speech, &error), 0);
        ck_assert_uint_eq(speech_frames(speech), samples[k][1]);
        ck_assert_float_eq_tol(speech_frame(speech, 0)[0], -36.04365f, 1e-4f);
        ck_assert_float_eq(speech_frame(speech, 0)[13], 0);
    }
    speech_destroy(speech);
}
END_TEST

#define LENGTH(array) ((int)(sizeof array / sizeof *array))

int main(void)
{
    Suite *suite = suite_create("foreign");
    TCase *tests = tcase_create("foreign");
    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, folder_make, folder_remove);
    tcase_add_test(tests, htk_frames_and_labels_by_times_become_a_sequence);
    tcase_add_loop_test(tests, a_damaged_htk_file_is_refused, 0, LENGTH(bad_htk));
    tcase_add_loop_test(tests, a_label_file_that_leaves_doubt_is_refused, 0, LENGTH(bad_mlf));
    tcase_add_test(tests, a_list_of_files_names_sequences_and_runs_nothing);
    tcase_add_test(tests, a_classic_netcdf_file_becomes_sequences_with_classes);
    tcase_add_test(tests, a_netcdf_file_is_refused_wherever_it_is_cut);
    tcase_add_loop_test(tests, a_damaged_netcdf_file_is_refused, 0, LENGTH(bad_netcdf));
    tcase_add_test(tests, a_netcdf_file_without_targets_is_refused);
    tcase_add_test(tests, an_hdf_file_of_returnn_becomes_sequences_with_words);
    tcase_add_loop_test(
        tests, an_hdf_file_of_returnn_that_does_not_fit_itself_is_refused, 0, LENGTH(bad_returnn));
    tcase_add_test(tests, samples_of_sound_are_read_as_they_are);
    tcase_add_test(tests, what_is_no_sound_is_refused);
    tcase_add_test(tests, frames_of_speech_are_as_many_as_windows_reach_the_end);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}

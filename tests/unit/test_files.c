/* Several files as one set: what is read, counted and hashed is that of one file with the same sequences in
 * the same order; files that do not agree are refused; and what is wrong is told as each file counts it. */
#include "base/memory.h"
#include "data/dataset.h"
#include "data/files.h"
#include "data/fingerprint.h"
#include "data/windows.h"
#include "support/folder.h"
#include "support/sample.h"
#include "support/suite.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static const struct sample_shape shapes[] = {
    {.sequences = 13, .shortest = 1, .longest = 40, .features = 3, .kind = SAMPLE_PER_FRAME, .classes = 5},
    {.sequences = 20,
        .shortest = 1,
        .longest = 9,
        .features = 17,
        .kind = SAMPLE_PER_FRAME_OFFSETS,
        .values = 2,
        .names = 1},
    {.sequences = 9, .shortest = 2, .longest = 30, .symbols = 11, .kind = SAMPLE_PER_SEQUENCE, .classes = 3},
    {.sequences = 30, .shortest = 1, .longest = 6, .symbols = 4, .kind = SAMPLE_ANY, .classes = 4},
    {.sequences = 12, .shortest = 1, .longest = 12, .features = 2, .kind = SAMPLE_ANY, .values = 3},
    {.sequences = 11, .shortest = 5, .longest = 9, .features = 2, .kind = SAMPLE_NO_TARGETS, .names = 1},
    /* blocks of a fingerprint that reach over files, and files that reach over blocks */
    {.sequences = 8,
        .shortest = 2,
        .longest = 7,
        .features = 400000,
        .kind = SAMPLE_PER_SEQUENCE,
        .values = 2},
};
enum { SHAPES = sizeof shapes / sizeof *shapes, FILES = 4 };

/* The files of a sample: of one sequence, of one, of a few, and of the rest. */
static char *const *write_files(const struct sample *sample)
{
    static char name[FILES][300];
    static char *paths[FILES + 1];
    const int64_t cut[FILES + 1] = {0, 1, 2, 6, sample->shape.sequences};
    for (int f = 0; f < FILES; f++) {
        snprintf(name[f], sizeof name[f], "%s/part, %d.h5", folder_path(), f);
        sample_write_part(sample, cut[f], cut[f + 1], name[f]);
        paths[f] = name[f];
    }
    return paths;
}

static struct dataset *open_well(char *const *paths, size_t cache)
{
    struct error error = {0};
    struct dataset *dataset = dataset_open_files(paths, cache, &error);
    ck_assert_msg(dataset != NULL, "%s", error.text);
    return dataset;
}

/* Writes what the sample would be in one file, and opens that. */
static struct dataset *open_whole(const struct sample *sample, size_t cache)
{
    static char path[300];
    static char *const paths[] = {path, NULL};
    snprintf(path, sizeof path, "%s", in_folder("whole.h5"));
    sample_write(sample, path);
    return open_well(paths, cache);
}

static void assert_same_microbatch(const struct microbatch *a, const struct microbatch *b)
{
    ck_assert_uint_eq(a->B, b->B);
    ck_assert_mem_eq(a->length, b->length, a->B * sizeof *a->length);
    for (size_t i = 0; i < (size_t)a->first[a->T]; i++)
        if (a->symbols)
            ck_assert_int_eq(a->symbols[i], b->symbols[i]);
        else
            ck_assert_mem_eq(a->inputs + i * a->inputs_stride, b->inputs + i * b->inputs_stride,
                a->inputs_stride * sizeof(float));
    ck_assert_uint_eq(a->target_rows, b->target_rows);
    for (size_t i = 0; i < a->target_rows; i++)
        if (a->classes)
            ck_assert_int_eq(a->classes[i], b->classes[i]);
        else if (a->values)
            ck_assert_mem_eq(a->values + i * a->values_stride, b->values + i * b->values_stride,
                a->values_stride * sizeof(float));
}

static void assert_same_values(struct dataset *several, struct dataset *one, int has_names)
{
    struct microbatch a, b;
    microbatch_init(&a);
    microbatch_init(&b);
    for (int64_t s = 0; s < one->sequences; s++) {
        struct error error = {0};
        ck_assert_int_eq(dataset_read_microbatch(one, 1, &s, NULL, NULL, &a, NULL), 0);
        ck_assert_msg(dataset_read_microbatch(several, 1, &s, NULL, NULL, &b, &error) == 0, "%s", error.text);
        assert_same_microbatch(&a, &b);
        char wants[40], *name = dataset_name(several, s, NULL);
        snprintf(wants, sizeof wants, "sequence %lld", (long long)dataset_find_place(several, s).sequence);
        ck_assert_int_eq(name != NULL, has_names);
        if (name)
            ck_assert_str_eq(name, wants);
        memory_destroy(name);
    }
    microbatch_finish(&a);
    microbatch_finish(&b);
}

static void look_on(const void *context)
{
    (void)context;
}

static struct fingerprint take_print(struct dataset *dataset)
{
    struct value_sums sums;
    struct fingerprint print = {0};
    ck_assert_int_eq(dataset_take_sample(dataset, 5, &print, NULL), 0);
    ck_assert_int_eq(value_sums_init(&sums, dataset, NULL), 0);
    ck_assert_int_eq(value_sums_read_missing(&sums, 0, 1, look_on, NULL, NULL), 0);
    value_sums_take(&sums, &print);
    value_sums_finish(&sums);
    return print;
}

static void assert_same_prints(struct dataset *several, struct dataset *one)
{
    struct fingerprint a = take_print(several), b = take_print(one);
    ck_assert(a.shape == b.shape && a.sample == b.sample && a.inputs == b.inputs && a.targets == b.targets);
    uint64_t former[2];
    ck_assert_int_eq(dataset_former_fingerprint(several, &former[0], NULL), 0);
    ck_assert_int_eq(dataset_former_fingerprint(one, &former[1], NULL), 0);
    ck_assert_uint_eq(former[0], former[1]);
}

static void assert_same_moments(struct dataset *several, struct dataset *one)
{
    size_t I = one->features;
    if (!I)
        return;
    double *moments = calloc(4 * I, sizeof *moments);
    ck_assert_ptr_nonnull(moments);
    ck_assert_int_eq(dataset_moments(several, moments, moments + I, NULL), 0);
    ck_assert_int_eq(dataset_moments(one, moments + 2 * I, moments + 3 * I, NULL), 0);
    ck_assert_mem_eq(moments, moments + 2 * I, 2 * I * sizeof *moments);
    free(moments);
}

static void assert_same(struct dataset *several, struct dataset *one)
{
    size_t bytes = ((size_t)one->sequences + 1) * sizeof *one->input_offsets;
    ck_assert(several->sequences == one->sequences && several->frames == one->frames &&
        several->targets == one->targets && several->longest == one->longest);
    ck_assert(several->features == one->features && several->symbols == one->symbols &&
        several->classes == one->classes && several->values == one->values);
    ck_assert_int_eq(several->target_kind, one->target_kind);
    ck_assert_int_eq(dataset_is_kept(several), dataset_is_kept(one));
    ck_assert_mem_eq(several->input_offsets, one->input_offsets, bytes);
    ck_assert_int_eq(several->target_offsets != NULL, one->target_offsets != NULL);
    if (one->target_offsets)
        ck_assert_mem_eq(several->target_offsets, one->target_offsets, bytes);
    struct window_rule a = dataset_describe_windows(several, 200), b = dataset_describe_windows(one, 200);
    ck_assert_int_eq(windows_cut(&a, several->sequences, NULL), windows_cut(&b, one->sequences, NULL));
}

START_TEST(several_files_are_what_one_file_with_their_sequences_is)
{
    struct sample sample;
    sample_init(&sample, &shapes[_i], 3);
    char *const *paths = write_files(&sample);
    const size_t caches[] = {SIZE_MAX, 0, 500};
    for (int c = 0; c < 3; c++) {
        struct dataset *several = open_well(paths, caches[c]), *one = open_whole(&sample, caches[c]);
        ck_assert_uint_eq(several->files, FILES);
        assert_same(several, one);
        assert_same_values(several, one, shapes[_i].names);
        assert_same_prints(several, one);
        assert_same_moments(several, one);
        dataset_close(several);
        dataset_close(one);
    }
    sample_finish(&sample);
}
END_TEST

START_TEST(a_file_may_be_there_more_than_once)
{
    struct sample sample;
    sample_init(&sample, &shapes[0], 3);
    char *const *parts = write_files(&sample);
    char *const paths[] = {parts[3], parts[2], parts[3], NULL};
    for (int kept = 0; kept < 2; kept++) {
        struct dataset *set = open_well(paths, kept ? SIZE_MAX : 0);
        int64_t n = sample.shape.sequences - 6;
        ck_assert_int_eq(set->sequences, 2 * n + 4);
        struct dataset_place place = dataset_find_place(set, n + 4);
        ck_assert(place.file == &set->file[2] && place.sequence == 0);
        place = dataset_find_place(set, n + 3);
        ck_assert(place.file == &set->file[1] && place.sequence == 3);
        assert_same_prints(set, set);
        dataset_close(set);
    }
    sample_finish(&sample);
}
END_TEST

/* ---- what is wrong ---- */

static void refuse(char *const *paths, size_t cache, const char *a, const char *b)
{
    struct error error = {0};
    ck_assert_ptr_null(dataset_open_files(paths, cache, &error));
    ck_assert_msg(error.code == EXIT_CODE_DATA, "code %d: %s", error.code, error.text);
    ck_assert_msg(strstr(error.text, a) && strstr(error.text, b), "%s", error.text);
}

START_TEST(a_faulty_value_is_told_by_the_row_and_sequence_of_its_file)
{
    struct sample sample;
    sample_init(&sample, &shapes[0], 3);
    int64_t row = sample.input_offsets[4]; /* sequence 2 of part 2, which begins with sequence 2 */
    sample.classes[row] = 7;
    char *const *paths = write_files(&sample);
    char want[100];
    snprintf(want, sizeof want, "part, 2.h5: targets: row %lld (sequence 2, its row 0): class 7",
        (long long)(row - sample.input_offsets[2]));
    refuse(paths, SIZE_MAX, want, "correct the value");
    struct dataset *set = open_well(paths, 0);
    struct microbatch microbatch;
    struct error error = {0};
    microbatch_init(&microbatch);
    int64_t s = 4;
    ck_assert_int_eq(dataset_read_microbatch(set, 1, &s, NULL, NULL, &microbatch, &error), -1);
    ck_assert_msg(strstr(error.text, want), "%s", error.text);
    microbatch_finish(&microbatch);
    dataset_close(set);
    sample_finish(&sample);
}
END_TEST

/* Writes a file of a shape with names of classes ("a", "b", ... from `first` on, or none). */
static char *write_one(const char *name, const struct sample_shape *shape, const char *const *classes)
{
    struct sample sample;
    sample_init(&sample, shape, 9);
    struct h5_image *image = sample_image(&sample, NULL);
    if (classes)
        h5_image_texts(image, "class_names", shape->classes, classes);
    char *path = strdup(in_folder(name));
    sample_save(image, path);
    sample_finish(&sample);
    return path;
}

static void refuse_pair(const struct sample_shape *first, const char *const *first_names,
    const struct sample_shape *second, const char *const *second_names, const char *says)
{
    char *paths[] = {write_one("a.h5", first, first_names), write_one("b.h5", second, second_names), NULL};
    refuse(paths, 0, says, "/a.h5 ");
    refuse(paths, 0, "/b.h5: ", "files that make one set have to agree");
    free(paths[0]);
    free(paths[1]);
}

START_TEST(files_that_do_not_agree_are_refused_with_both_names)
{
    static const char *const names[] = {"x", "y", "z"}, *const other[] = {"x", "z", "y"};
    const struct sample_shape usual = {.sequences = 5,
        .shortest = 2,
        .longest = 4,
        .features = 3,
        .kind = SAMPLE_PER_SEQUENCE,
        .classes = 3};
    struct sample_shape shape = usual;
    shape.features = 2;
    refuse_pair(&usual, NULL, &shape, NULL, "inputs: it has 2 features, but");
    shape.features = 0;
    shape.symbols = 9;
    refuse_pair(&usual, NULL, &shape, NULL, "inputs: it has n_symbols = 9, but");
    shape = usual;
    shape.classes = 4;
    refuse_pair(&usual, NULL, &shape, NULL, "targets: it has n_classes = 4, but");
    shape.classes = 0;
    shape.values = 2;
    refuse_pair(&usual, NULL, &shape, NULL, "targets: it has 2 outputs, but");
    shape = usual;
    shape.kind = SAMPLE_NO_TARGETS;
    refuse_pair(&usual, NULL, &shape, NULL, "targets: it has none, but");
    shape.kind = SAMPLE_PER_FRAME;
    refuse_pair(&usual, NULL, &shape, NULL, "targets: it has one target a frame, but");
    shape.kind = SAMPLE_THREE;
    refuse_pair(&shape, NULL,
        &(struct sample_shape){.sequences = 5,
            .shortest = 2,
            .longest = 4,
            .features = 3,
            .kind = SAMPLE_PER_FRAME,
            .classes = 3},
        NULL, "targets: it has one target a frame, but");
    refuse_pair(&usual, names, &usual, other, "class_names: row 1 is \"z\", but in ");
    refuse_pair(&usual, names, &usual, NULL, "has no class_names, but");
}
END_TEST

/* Transcripts of which some file has one label each by chance. */
START_TEST(files_with_any_number_of_targets_go_with_such_as_look_otherwise_by_chance)
{
    struct sample_shape shape = {
        .sequences = 5, .shortest = 2, .longest = 4, .features = 3, .kind = SAMPLE_THREE, .classes = 3};
    char *paths[] = {write_one("a.h5", &shape, NULL), NULL, NULL};
    shape.kind = SAMPLE_PER_SEQUENCE;
    paths[1] = write_one("b.h5", &shape, NULL);
    struct dataset *set = open_well(paths, 0);
    ck_assert_int_eq(set->target_kind, TARGET_ANY);
    dataset_close(set);
    free(paths[0]);
    free(paths[1]);
}
END_TEST

START_TEST(each_file_is_watched)
{
    struct sample sample;
    struct error error = {0};
    sample_init(&sample, &shapes[0], 3);
    char *const *paths = write_files(&sample);
    struct dataset *set = open_well(paths, 0);
    ck_assert_int_eq(dataset_require_unchanged(set, "so", &error), 0);
    ck_assert_int_eq(truncate(paths[2], 1000), 0);
    ck_assert_int_eq(dataset_require_unchanged(set, "so", &error), -1);
    ck_assert_msg(strstr(error.text, "part, 2.h5: was changed while it is read"), "%s", error.text);
    dataset_close(set);
    sample_finish(&sample);
}
END_TEST

START_TEST(the_text_of_the_files_is_of_them_all_and_of_their_order)
{
    struct sample sample;
    sample_init(&sample, &shapes[0], 3);
    char *const *parts = write_files(&sample);
    char *const other[] = {parts[0], parts[2], parts[1], parts[3], NULL},
                *const fewer[] = {parts[0], parts[1], parts[2], NULL};
    struct dataset *set = open_well(parts, 0), *moved = open_well(other, 0), *less = open_well(fewer, 0);
    char *text = dataset_write_files(set, NULL), *short_text = dataset_write_files(less, NULL);
    ck_assert_int_eq(dataset_is_in_files(set, text), 1);
    ck_assert_int_eq(dataset_is_in_files(moved, text), 0);
    ck_assert_int_eq(dataset_is_in_files(less, text), 0);
    ck_assert_int_eq(dataset_is_in_files(set, short_text), 0);
    ck_assert_int_eq(dataset_is_in_files(set, ""), 0);
    memory_destroy(text);
    memory_destroy(short_text);
    dataset_close(set);
    dataset_close(moved);
    dataset_close(less);
    sample_finish(&sample);
}
END_TEST

/* With room for some, a hundred files are opened and closed again; two thousand are refused beforehand. */
START_TEST(many_files_need_descriptors)
{
    enum { MANY = 2000, SOME = 100 };
    static char *paths[MANY + 1];
    struct error error = {0};
    struct rlimit limit = {.rlim_cur = 120, .rlim_max = 1024};
    const struct sample_shape shape = {
        .sequences = 2, .shortest = 2, .longest = 4, .features = 3, .kind = SAMPLE_PER_FRAME, .classes = 3};
    char *path = write_one("a.h5", &shape, NULL);
    for (int i = 0; i < MANY; i++)
        paths[i] = path;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0); /* of this test's process */
    ck_assert_ptr_null(dataset_open_files(paths, 0, &error));
    ck_assert_int_eq(error.code, EXIT_CODE_IO);
    ck_assert_msg(strstr(error.text, "2000 files") && strstr(error.text, "may open 1024") &&
            strstr(error.text, "ulimit -n"),
        "%s", error.text);
    paths[SOME] = NULL;
    struct dataset *set = open_well(paths, 0);
    ck_assert_int_eq(set->sequences, 2 * SOME);
    dataset_close(set);
    free(path);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("files");
    TCase *tests = tcase_create("files");
    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, folder_make, folder_remove);
    tcase_add_loop_test(tests, several_files_are_what_one_file_with_their_sequences_is, 0, SHAPES);
    tcase_add_test(tests, a_file_may_be_there_more_than_once);
    tcase_add_test(tests, a_faulty_value_is_told_by_the_row_and_sequence_of_its_file);
    tcase_add_test(tests, files_that_do_not_agree_are_refused_with_both_names);
    tcase_add_test(tests, files_with_any_number_of_targets_go_with_such_as_look_otherwise_by_chance);
    tcase_add_test(tests, each_file_is_watched);
    tcase_add_test(tests, the_text_of_the_files_is_of_them_all_and_of_their_order);
    tcase_add_test(tests, many_files_need_descriptors);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}

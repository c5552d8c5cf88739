/* A dataset that is written anew has the same content in another layout. */
#include "data/dataset.h"
#include "data/fingerprint.h"
#include "data/repack.h"
#include "support/command.h"
#include "support/folder.h"
#include "support/sample.h"
#include "support/suite.h"

#include <check.h>
#include <hdf5.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const struct sample_shape shapes[] = {
    {.sequences = 300,
        .shortest = 1,
        .longest = 40,
        .features = 5,
        .kind = SAMPLE_PER_FRAME,
        .classes = 4,
        .names = 1},
    {.sequences = 50, .shortest = 2, .longest = 9, .symbols = 7, .kind = SAMPLE_ANY, .classes = 4},
    {.sequences = 20, .shortest = 2, .longest = 9, .features = 1, .kind = SAMPLE_PER_SEQUENCE, .values = 3},
    {.sequences = 20, .shortest = 2, .longest = 9, .features = 3, .kind = SAMPLE_NO_TARGETS, .names = 1},
};
enum { SHAPES = sizeof shapes / sizeof *shapes };

static const struct repack_options layouts[] = {{0, 0}, {1, 0}, {0, 64}, {1, 7}, {0, 1 << 30}};
enum { LAYOUTS = sizeof layouts / sizeof *layouts };

static void write_text(hid_t object, const char *name, const char *text, int variable)
{
    hid_t type = H5Tcopy(H5T_C_S1), scalar = H5Screate(H5S_SCALAR);
    H5Tset_size(type, variable ? H5T_VARIABLE : strlen(text));
    hid_t attribute = H5Acreate2(object, name, type, scalar, H5P_DEFAULT, H5P_DEFAULT);
    ck_assert_int_ge(H5Awrite(attribute, type, variable ? (const void *)&text : text), 0);
    H5Aclose(attribute);
    H5Tclose(type);
    H5Sclose(scalar);
}

/* What others may have put beside a dataset: attributes of any kind, a group, a set in it. */
static void add_others(const char *path)
{
    hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    hid_t inputs = H5Dopen2(file, "inputs", H5P_DEFAULT), scalar = H5Screate(H5S_SCALAR);
    write_text(file, "made by", "somebody", 1);
    write_text(inputs, "unit", "volts", 0);
    hid_t empty = H5Screate(H5S_NULL);
    H5Aclose(H5Acreate2(inputs, "nothing", H5T_STD_I16BE, empty, H5P_DEFAULT, H5P_DEFAULT));
    hid_t group = H5Gcreate2(file, "extra", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    write_text(group, "why", "because", 1);
    double pi = 3.25;
    hid_t set = H5Dcreate2(group, "pi", H5T_IEEE_F64BE, scalar, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    ck_assert_int_ge(H5Dwrite(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, &pi), 0);
    H5Dclose(set);
    H5Gclose(group);
    H5Sclose(empty);
    H5Sclose(scalar);
    H5Dclose(inputs);
    ck_assert_int_ge(H5Fclose(file), 0);
}

static void write_sample(const char *path, const struct sample_shape *shape)
{
    struct sample sample;
    sample_init(&sample, shape, 1);
    sample_write(&sample, path);
    sample_finish(&sample);
}

static void look_on(const void *context)
{
}

static struct fingerprint take(const char *path)
{
    struct error error = {0};
    struct fingerprint print = {0};
    struct value_sums sums;
    struct dataset *dataset = dataset_open(path, 0, &error);
    ck_assert_msg(dataset && dataset_take_sample(dataset, 1, &print, &error) == 0 &&
            value_sums_init(&sums, dataset, &error) == 0 &&
            value_sums_read_missing(&sums, 0, 1, look_on, NULL, &error) == 0,
        "%s", error.text);
    value_sums_take(&sums, &print);
    value_sums_finish(&sums);
    dataset_close(dataset);
    return print;
}

/* h5diff compares all objects, types, values and attributes, whatever their layout. */
static void expect_same(const char *one, const char *other)
{
    struct command_result result;
    const struct fingerprint first = take(one), second = take(other);
    ck_assert(first.shape == second.shape && first.sample == second.sample && first.complete &&
        first.inputs == second.inputs && first.targets == second.targets);
    command_call(&result, 60, "h5diff", "--verbose", one, other, (char *)NULL);
    ck_assert_msg(
        result.status == 0 && !strstr(result.output, "ot comparable"), "%s%s", result.output, result.errors);
    command_result_finish(&result);
}

static int count_files(void)
{
    return sample_count_files(folder_path());
}

static void expect_layout(const char *path, const char *name, const struct repack_options *options)
{
    hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT), set = H5Dopen2(file, name, H5P_DEFAULT);
    hid_t creation = H5Dget_create_plist(set), space = H5Dget_space(set);
    hsize_t chunk[2] = {0}, size[2] = {0};
    H5Sget_simple_extent_dims(space, size, NULL);
    int chunked = options->compress || options->chunk;
    ck_assert_int_eq(H5Pget_layout(creation), chunked ? H5D_CHUNKED : H5D_CONTIGUOUS);
    ck_assert_int_eq(H5Pget_nfilters(creation), options->compress ? 2 : 0);
    if (options->chunk) {
        H5Pget_chunk(creation, 2, chunk);
        ck_assert_uint_eq(chunk[0], (hsize_t)options->chunk < size[0] ? (hsize_t)options->chunk : size[0]);
    }
    H5Sclose(space);
    H5Pclose(creation);
    H5Dclose(set);
    H5Fclose(file);
}

/* _i: shape and layout */
START_TEST(whatever_the_layout_the_content_is_the_same)
{
    const struct sample_shape *shape = &shapes[_i % SHAPES];
    const struct repack_options *options = &layouts[_i / SHAPES];
    struct error error = {0};
    write_sample(in_folder("in.h5"), shape);
    add_others(in_folder("in.h5"));
    ck_assert_msg(
        dataset_repack(in_folder("in.h5"), in_folder("out.h5"), options, &error) == 0, "%s", error.text);
    expect_same(in_folder("in.h5"), in_folder("out.h5"));
    expect_layout(in_folder("out.h5"), "inputs", options);
    if (shape->kind != SAMPLE_NO_TARGETS)
        expect_layout(in_folder("out.h5"), "targets", options);
    /* back again, from chunks, in place of itself */
    ck_assert_msg(
        dataset_repack(in_folder("out.h5"), in_folder("out.h5"), &layouts[0], &error) == 0, "%s", error.text);
    expect_same(in_folder("in.h5"), in_folder("out.h5"));
    expect_layout(in_folder("out.h5"), "inputs", &layouts[0]);
    ck_assert_int_eq(count_files(), 2);
}
END_TEST

START_TEST(what_would_lead_nowhere_is_refused_and_nothing_is_written)
{
    struct error error = {0};
    for (int i = 0; i < 4; i++) {
        write_sample(in_folder("in.h5"), &shapes[0]);
        hid_t file = H5Fopen(in_folder("in.h5"), H5F_ACC_RDWR, H5P_DEFAULT);
        hid_t scalar = H5Screate(H5S_SCALAR);
        hobj_ref_t reference;
        H5Rcreate(&reference, file, "targets", H5R_OBJECT, -1);
        hid_t inputs = H5Dopen2(file, "inputs", H5P_DEFAULT);
        if (i == 0)
            H5Lcreate_soft("/inputs", file, "soft", H5P_DEFAULT, H5P_DEFAULT);
        else if (i == 1)
            H5Lcreate_external("other.h5", "/inputs", file, "far", H5P_DEFAULT, H5P_DEFAULT);
        else {
            hid_t attribute = H5Acreate2(
                i == 2 ? inputs : file, "scale", H5T_STD_REF_OBJ, scalar, H5P_DEFAULT, H5P_DEFAULT);
            H5Awrite(attribute, H5T_STD_REF_OBJ, &reference);
            H5Aclose(attribute);
        }
        H5Sclose(scalar);
        H5Dclose(inputs);
        ck_assert_int_ge(H5Fclose(file), 0);
        static const char *const says[] = {"/soft is a link", "/far is a link",
            "attribute scale of /inputs refers to another object", "attribute scale of / refers"};
        ck_assert_int_eq(dataset_repack(in_folder("in.h5"), in_folder("out.h5"), &layouts[1], &error), -1);
        ck_assert_int_eq(error.code, EXIT_CODE_DATA);
        ck_assert_msg(strstr(error.text, says[i]) && strstr(error.text, "/in.h5: "), "%s", error.text);
        ck_assert_int_eq(count_files(), 1);
    }
}
END_TEST

START_TEST(a_file_that_is_no_dataset_and_a_chunk_too_large_are_refused)
{
    const struct repack_options huge = {0, INT32_MAX};
    struct error error = {0};
    hid_t file = H5Fcreate(in_folder("in.h5"), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    H5Fclose(file);
    ck_assert_int_eq(dataset_repack(in_folder("in.h5"), in_folder("out.h5"), &layouts[0], &error), -1);
    ck_assert_int_eq(error.code, EXIT_CODE_DATA);
    ck_assert_ptr_nonnull(strstr(error.text, "has no attribute format"));
    ck_assert_int_eq(dataset_repack(in_folder("none.h5"), in_folder("out.h5"), &huge, &error), -1);
    ck_assert_int_eq(error.code, EXIT_CODE_IO);
    ck_assert_int_eq(count_files(), 1);
}
END_TEST

/* _i: bytes that fit the disk. HDF5 hears nothing of it, and ends as ever. */
START_TEST(a_full_disk_leaves_the_old_file_and_nothing_else)
{
    static const rlim_t room[] = {0, 600, 5000, 30000};
    struct error error = {0};
    write_sample(in_folder("in.h5"), &shapes[0]);
    write_sample(in_folder("out.h5"), &shapes[1]);
    write_sample(in_folder("before.h5"), &shapes[1]);
    signal(SIGXFSZ, SIG_IGN);
    sample_limit_files(room[_i % 4]);
    int status = dataset_repack(in_folder("in.h5"), in_folder("out.h5"), &layouts[_i / 4], &error);
    sample_limit_files(RLIM_INFINITY);
    ck_assert_int_eq(status, -1);
    ck_assert_msg(error.code == EXIT_CODE_IO && strstr(error.text, "/out.h5"), "%s", error.text);
    expect_same(in_folder("before.h5"), in_folder("out.h5"));
    ck_assert_int_eq(count_files(), 3);
}
END_TEST

static long get_resident_peak(void)
{
    struct rusage usage;
    ck_assert_int_eq(getrusage(RUSAGE_SELF, &usage), 0);
    return usage.ru_maxrss * 1024L;
}

/* _i: layout. A file of 48 MiB, in chunks of a few rows or large ones. */
START_TEST(memory_is_bounded_however_large_the_file_is)
{
    enum { ROWS = 3 << 20, MIB = 1 << 20 };
    static const struct repack_options options[] = {{0, 0}, {1, 0}, {0, 1 << 12}, {1, 1 << 18}};
    struct error error = {0};
    hsize_t size[] = {ROWS, 4}, chunk[] = {1 << 14, 4};
    write_sample(in_folder("in.h5"),
        &(struct sample_shape){.sequences = 1,
            .shortest = 1,
            .longest = 1,
            .features = 4,
            .kind = SAMPLE_PER_SEQUENCE,
            .classes = 2});
    hid_t file = H5Fopen(in_folder("in.h5"), H5F_ACC_RDWR, H5P_DEFAULT);
    H5Ldelete(file, "inputs", H5P_DEFAULT);
    float fill = 0.5f;
    int64_t offsets[] = {0, ROWS};
    hid_t space = H5Screate_simple(2, size, NULL), creation = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_chunk(creation, 2, chunk);
    H5Pset_fill_value(creation, H5T_NATIVE_FLOAT, &fill);
    H5Pset_alloc_time(creation, H5D_ALLOC_TIME_EARLY);
    H5Dclose(H5Dcreate2(file, "inputs", H5T_NATIVE_FLOAT, space, H5P_DEFAULT, creation, H5P_DEFAULT));
    hid_t set = H5Dopen2(file, "input_offsets", H5P_DEFAULT);
    H5Dwrite(set, H5T_NATIVE_INT64, H5S_ALL, H5S_ALL, H5P_DEFAULT, offsets);
    H5Dclose(set);
    H5Pclose(creation);
    H5Sclose(space);
    ck_assert_int_ge(H5Fclose(file), 0);
    long before = get_resident_peak();
    ck_assert_msg(
        dataset_repack(in_folder("in.h5"), in_folder("out.h5"), &options[_i], &error) == 0, "%s", error.text);
    if (!SUITE_IS_SANITIZED)
        ck_assert_int_lt(get_resident_peak() - before, 32L * MIB);
    const struct fingerprint first = take(in_folder("in.h5")), second = take(in_folder("out.h5"));
    ck_assert(first.inputs == second.inputs && first.shape == second.shape);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("repack");
    TCase *cases = tcase_create("repack");
    tcase_set_timeout(cases, 120);
    tcase_add_checked_fixture(cases, folder_make, folder_remove);
    tcase_add_loop_test(cases, whatever_the_layout_the_content_is_the_same, 0, SHAPES * LAYOUTS);
    tcase_add_test(cases, what_would_lead_nowhere_is_refused_and_nothing_is_written);
    tcase_add_test(cases, a_file_that_is_no_dataset_and_a_chunk_too_large_are_refused);
    tcase_add_loop_test(cases, a_full_disk_leaves_the_old_file_and_nothing_else, 0, 8);
    tcase_add_loop_test(cases, memory_is_bounded_however_large_the_file_is, 0, 4);
    suite_add_tcase(suite, cases);
    return suite_run(suite);
}

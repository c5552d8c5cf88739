/* What is read, as what, and what is refused by name: kinds of elements, and values that are not there. The
 * files are made by HDF5 itself. */
#include "base/memory.h"
#include "h5/h5.h"
#include "support/folder.h"
#include "support/suite.h"

#include <check.h>
#include <hdf5.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define ck_assert_says(text, part) ck_assert_msg(strstr(text, part) != NULL, "'%s' lacks '%s'", text, part)

static const char *path; /* of the file of a test */

static void make_path(void)
{
    folder_make();
    path = in_folder("set.h5");
}

static struct h5_file *open_well(void)
{
    struct error error = {0};
    struct h5_file *file = h5_open(path, 1 << 20, &error);
    ck_assert_msg(file != NULL, "%s", error.text);
    return file;
}

/* ---- kinds of elements ---- */

static hid_t make_enumeration(hid_t base, const char *zero, const char *one)
{
    hid_t type = H5Tenum_create(base);
    int64_t value = 0; /* little-endian: its first bytes are those of any width */
    H5Tenum_insert(type, zero, &value);
    value = 1;
    H5Tenum_insert(type, one, &value);
    return type;
}

/* Makes a file with a set of three zeroes of this type, and an attribute of it on the root. */
static void make_zeroes(hid_t type)
{
    char zeroes[256] = {0};
    hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    hid_t space = H5Screate_simple(1, (hsize_t[]){3}, NULL), one = H5Screate(H5S_SCALAR);
    hid_t set = H5Dcreate2(file, "set", type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    hid_t attribute = H5Acreate2(file, "attribute", type, one, H5P_DEFAULT, H5P_DEFAULT);
    ck_assert_int_ge(H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, zeroes), 0);
    ck_assert_int_ge(H5Awrite(attribute, type, zeroes), 0);
    H5Aclose(attribute);
    H5Dclose(set);
    H5Sclose(space);
    H5Sclose(one);
    ck_assert_int_ge(H5Fclose(file), 0);
}

START_TEST(booleans_of_h5py_are_zero_and_one)
{
    const hid_t bases[] = {H5T_STD_I8LE, H5T_STD_U8LE, H5T_STD_I32LE, H5T_STD_I64LE};
    for (size_t i = 0; i < sizeof bases / sizeof *bases; i++) {
        hid_t boolean = make_enumeration(bases[i], "FALSE", "TRUE");
        struct h5_shape shape;
        int64_t integers[3] = {7, 7, 7}, value = 7;
        int32_t narrow[3] = {7, 7, 7};
        float floats[3] = {7, 7, 7};
        make_zeroes(boolean);
        hid_t id = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT), set = H5Dopen2(id, "set", H5P_DEFAULT);
        hid_t in_memory = make_enumeration(H5T_NATIVE_INT8, "FALSE", "TRUE");
        ck_assert_int_ge(H5Dwrite(set, in_memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, "\1\0\1"), 0);
        H5Tclose(in_memory);
        H5Tclose(boolean);
        H5Dclose(set);
        H5Fclose(id);
        struct h5_file *file = open_well();
        ck_assert_int_eq(h5_look(file, "set", &shape, NULL), 0);
        ck_assert(shape.kind == H5_INTEGER && strcmp(shape.what, "integers") == 0);
        ck_assert_int_eq(h5_read_integers(file, "set", 0, 3, integers, NULL), 0);
        ck_assert_int_eq(h5_read_int32(file, "set", 0, 3, narrow, NULL), 0);
        ck_assert_int_eq(h5_read_floats(file, "set", 0, 3, floats, NULL), 0);
        for (int k = 0; k < 3; k++)
            ck_assert(integers[k] == (k != 1) && narrow[k] == (k != 1) && floats[k] == (float)(k != 1));
        ck_assert_int_eq(h5_attribute_integer(file, "/", "attribute", &value, NULL), 1);
        ck_assert_int_eq(value, 0);
        h5_close(file);
    }
}
END_TEST

static void assert_refused_as(hid_t type, const char *what)
{
    struct error error = {0};
    int32_t out[3];
    int64_t value;
    char text[200];
    make_zeroes(type);
    H5Tclose(type);
    struct h5_file *file = open_well();
    ck_assert_int_eq(h5_read_int32(file, "set", 0, 3, out, &error), -1);
    ck_assert_int_eq(error.code, EXIT_CODE_DATA);
    snprintf(text, sizeof text, "set.h5: set /set holds %s where integers belong", what);
    ck_assert_says(error.text, text);
    ck_assert_int_eq(h5_attribute_integer(file, "/", "attribute", &value, &error), -1);
    snprintf(
        text, sizeof text, "set.h5: attribute attribute of / should be an integer, but holds %s: ", what);
    ck_assert_says(error.text, text);
    h5_close(file);
}

START_TEST(other_kinds_are_refused_by_their_name)
{
    const char *enumeration = "an enumeration other than FALSE = 0 and TRUE = 1";
    assert_refused_as(make_enumeration(H5T_STD_I8LE, "LOW", "HIGH"), enumeration);
    assert_refused_as(make_enumeration(H5T_STD_I8LE, "TRUE", "FALSE"), enumeration);
    assert_refused_as(H5Tcopy(H5T_STD_B8LE), "bit fields");
    assert_refused_as(H5Tcreate(H5T_OPAQUE, 5), "opaque bytes");
    assert_refused_as(H5Tcopy(H5T_IEEE_F32LE), "real numbers");
    assert_refused_as(H5Tcopy(H5T_C_S1), "text");
    assert_refused_as(H5Tcopy(H5T_STD_REF_OBJ), "references");
    assert_refused_as(H5Tarray_create2(H5T_STD_I32LE, 1, (hsize_t[]){2}), "arrays");
    assert_refused_as(H5Tvlen_create(H5T_STD_I32LE), "lists of variable length");
    hid_t complex_number = H5Tcreate(H5T_COMPOUND, 8);
    H5Tinsert(complex_number, "r", 0, H5T_IEEE_F32LE);
    H5Tinsert(complex_number, "i", 4, H5T_IEEE_F32LE);
    assert_refused_as(complex_number, "compounds of several members");
}
END_TEST

START_TEST(text_is_utf8_unless_any_will_do)
{
    struct error error = {0};
    char **texts;
    hid_t text = H5Tcopy(H5T_C_S1), space = H5Screate_simple(1, (hsize_t[]){2}, NULL);
    hid_t file_id = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    H5Tset_size(text, 3);
    hid_t set = H5Dcreate2(file_id, "set", text, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    ck_assert_int_ge(H5Dwrite(set, text, H5S_ALL, H5S_ALL, H5P_DEFAULT, "abc\xf6\0"), 0);
    H5Tclose(text);
    H5Sclose(space);
    H5Dclose(set);
    H5Fclose(file_id);
    struct h5_file *file = open_well();
    ck_assert_int_eq(h5_read_texts(file, "/set", 0, 1, &texts, &error), 0);
    memory_destroy(texts);
    ck_assert_int_eq(h5_read_texts(file, "/set", 0, 2, &texts, &error), -1);
    ck_assert_int_eq(error.code, EXIT_CODE_DATA);
    ck_assert_says(error.text, "set.h5: set /set: row 1 is not UTF-8: write the set anew in UTF-8");
    ck_assert_int_eq(h5_read_any_texts(file, "/set", 0, 2, &texts, &error), 0);
    ck_assert_str_eq(texts[1], "\xf6");
    memory_destroy(texts);
    h5_close(file);
}
END_TEST

/* ---- values that are not there ---- */

/* Makes a set of 5 chunks of 16 rows of which the first 3 are written. */
static void make_part(int has_fill, int fill_in, int deflate)
{
    int32_t written[48], fill = 7;
    for (int i = 0; i < 48; i++)
        written[i] = i;
    hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    hid_t space = H5Screate_simple(1, (hsize_t[]){80}, NULL),
          part = H5Screate_simple(1, (hsize_t[]){48}, NULL);
    hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_chunk(creation, 1, (hsize_t[]){16});
    if (deflate)
        H5Pset_deflate(creation, 1);
    if (has_fill)
        H5Pset_fill_value(creation, H5T_NATIVE_INT32, &fill);
    H5Pset_fill_time(creation, fill_in ? H5D_FILL_TIME_IFSET : H5D_FILL_TIME_NEVER);
    hid_t set = H5Dcreate2(file, "set", H5T_STD_I32LE, space, H5P_DEFAULT, creation, H5P_DEFAULT);
    H5Sselect_hyperslab(space, H5S_SELECT_SET, (hsize_t[]){0}, NULL, (hsize_t[]){48}, NULL);
    ck_assert_int_ge(H5Dwrite(set, H5T_NATIVE_INT32, part, space, H5P_DEFAULT, written), 0);
    H5Pclose(creation);
    H5Dclose(set);
    H5Sclose(space);
    H5Sclose(part);
    ck_assert_int_ge(H5Fclose(file), 0);
}

START_TEST(what_was_never_written_is_read_only_where_the_set_says_as_what)
{
    for (int i = 0; i < 8; i++) {
        int has_fill = i & 1, fill_in = i & 2, deflate = i & 4;
        int32_t out[80];
        struct error error = {0};
        make_part(has_fill, fill_in, deflate);
        struct h5_file *file = open_well();
        if (has_fill && fill_in) {
            ck_assert_int_eq(h5_read_int32(file, "set", 0, 80, out, &error), 0);
            ck_assert(out[47] == 47 && out[48] == 7 && out[79] == 7);
        } else {
            ck_assert_int_eq(h5_read_int32(file, "set", 0, 80, out, &error), -1);
            ck_assert_int_eq(error.code, EXIT_CODE_DATA);
            ck_assert_msg(
                strstr(error.text,
                    "set.h5: set /set: 2 of its 5 chunks were never written, the first of them from "
                    "row 48 on: write them"),
                "%s", error.text);
        }
        h5_close(file);
    }
}
END_TEST

/* Makes a set of two chunks that went through a filter with this number, or skipped it. */
static void make_filtered(H5Z_filter_t filter, const unsigned skipped[2])
{
    int32_t values[16] = {0};
    hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    hid_t space = H5Screate_simple(1, (hsize_t[]){32}, NULL), creation = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_chunk(creation, 1, (hsize_t[]){16});
    H5Pset_filter(creation, filter, H5Z_FLAG_OPTIONAL, 0, NULL);
    hid_t set = H5Dcreate2(file, "set", H5T_STD_I32LE, space, H5P_DEFAULT, creation, H5P_DEFAULT);
    for (hsize_t c = 0; c < 2; c++)
        ck_assert_int_ge(
            H5Dwrite_chunk(set, H5P_DEFAULT, skipped[c], (hsize_t[]){16 * c}, sizeof values, values), 0);
    H5Pclose(creation);
    H5Dclose(set);
    H5Sclose(space);
    ck_assert_int_ge(H5Fclose(file), 0);
}

START_TEST(a_missing_filter_is_named_with_what_to_do)
{
    static const struct {
        H5Z_filter_t number;
        const char *said;
    } filters[] = {{32015,
                       "set.h5: set /set needs the filter zstd (32015), which HDF5 does not have here: set "
                       "HDF5_PLUGIN_PATH to the folder with its plugin, or run 'h5repack -f GZIP=4 OLD NEW'"},
        {32000, "needs the filter lzf (32000), which HDF5 does not have here: write the set anew in h5py"},
        {400, "needs the filter 400, which"}};
    static const unsigned used[2] = {0, 0}, later[2] = {1, 0}, never[2] = {1, 1};
    struct h5_shape shape;
    int32_t out[32];
    setenv("HDF5_PLUGIN_PATH", folder_path(), 1);
    for (size_t i = 0; i < sizeof filters / sizeof *filters; i++) {
        struct error error = {0};
        make_filtered(filters[i].number, used); /* said at opening */
        struct h5_file *file = open_well();
        ck_assert_int_eq(h5_look(file, "set", &shape, &error), -1);
        ck_assert_int_eq(error.code, EXIT_CODE_DATA);
        ck_assert_says(error.text, filters[i].said);
        h5_close(file);
        make_filtered(filters[i].number, later); /* said where it is met */
        file = open_well();
        ck_assert_int_eq(h5_read_int32(file, "set", 0, 16, out, &error), 0);
        ck_assert_int_eq(h5_read_int32(file, "set", 0, 32, out, &error), -1);
        ck_assert_says(error.text, filters[i].said);
        h5_close(file);
        make_filtered(filters[i].number, never);
        file = open_well();
        ck_assert_int_eq(h5_read_int32(file, "set", 0, 32, out, &error), 0);
        h5_close(file);
    }
}
END_TEST

/* ---- no memory ---- */

#if !defined(__SANITIZE_ADDRESS__)
/* Makes a set of one chunk of 64 MiB, which deflate makes a thousand times smaller. */
static void make_large_chunk(void)
{
    hsize_t rows = 16 << 20;
    hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    hid_t space = H5Screate_simple(1, &rows, NULL), creation = H5Pcreate(H5P_DATASET_CREATE);
    float *zeroes = calloc(rows, sizeof *zeroes);
    H5Pset_chunk(creation, 1, &rows);
    H5Pset_deflate(creation, 1);
    hid_t set = H5Dcreate2(file, "set", H5T_IEEE_F32LE, space, H5P_DEFAULT, creation, H5P_DEFAULT);
    ck_assert_int_ge(H5Dwrite(set, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, zeroes), 0);
    free(zeroes);
    H5Dclose(set);
    H5Sclose(space);
    H5Pclose(creation);
    ck_assert_int_ge(H5Fclose(file), 0);
}

/* Leaves this process so little memory that none is left for a sound file either. */
static void take_memory_away(void)
{
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    ck_assert(file && fscanf(file, "%ld", &pages) == 1);
    fclose(file);
    rlim_t limit = (rlim_t)pages * (rlim_t)sysconf(_SC_PAGESIZE) + (4 << 20);
    ck_assert_int_eq(setrlimit(RLIMIT_AS, &(struct rlimit){limit, limit}), 0);
}
#endif

/* Each test has a process of its own. */
START_TEST(without_memory_the_file_is_not_to_blame)
{
#if !defined(__SANITIZE_ADDRESS__)
    float value = 1;
    struct error error = {0};
    make_large_chunk();
    struct h5_file *file = open_well();
    ck_assert_int_eq(h5_read_floats(file, "set", 7, 1, &value, &error), 0);
    ck_assert(value == 0);
    h5_close(file);
    file = open_well();
    take_memory_away();
    ck_assert_int_eq(h5_read_floats(file, "set", 7, 1, &value, &error), -1);
    ck_assert_msg(error.code == EXIT_CODE_INTERNAL, "%s", error.text);
    ck_assert_says(error.text, "out of memory: a smaller data.cache");
#endif
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("storage");
    TCase *tcase = tcase_create("storage");
    tcase_add_checked_fixture(tcase, make_path, folder_remove);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, booleans_of_h5py_are_zero_and_one);
    tcase_add_test(tcase, other_kinds_are_refused_by_their_name);
    tcase_add_test(tcase, text_is_utf8_unless_any_will_do);
    tcase_add_test(tcase, without_memory_the_file_is_not_to_blame);
    tcase_add_test(tcase, what_was_never_written_is_read_only_where_the_set_says_as_what);
    tcase_add_test(tcase, a_missing_filter_is_named_with_what_to_do);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}

/* What h5 reads is made by HDF5 itself here (hdf5.h, and the tools), what it builds is read back by it. */
#include "base/memory.h"
#include "h5/h5.h"
#include "support/folder.h"
#include "support/suite.h"

#include <check.h>
#include <hdf5.h>
#include <malloc.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void put(hid_t file, const char *name, hid_t in_file, hid_t in_memory, int dimensions,
    const hsize_t *size, const void *values)
{
    hid_t space = H5Screate_simple(dimensions, size, NULL);
    hid_t set = H5Dcreate2(file, name, in_file, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    ck_assert_int_ge(H5Dwrite(set, in_memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, values), 0);
    H5Dclose(set);
    H5Sclose(space);
}

static hid_t create(const char *path)
{
    hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    ck_assert_int_ge(file, 0);
    return file;
}

static struct h5_file *open_well(const char *path)
{
    struct error error = {0};
    struct h5_file *file = h5_open(path, 1 << 20, &error);
    ck_assert_msg(file != NULL, "%s", error.text);
    return file;
}

/* The error of an h5_open that must fail. */
static struct error open_badly(const char *path)
{
    struct error error = {0};
    ck_assert_ptr_null(h5_open(path, 1 << 20, &error));
    ck_assert_msg(strncmp(error.text, path, strlen(path)) == 0, "%s", error.text);
    return error;
}

#define ck_assert_says(text, part) ck_assert_msg(strstr(text, part) != NULL, "'%s' lacks '%s'", text, part)

START_TEST(every_integer_and_float_width_is_read)
{
    const char *path = in_folder("widths.h5");
    hid_t types[] = {H5T_STD_I8LE, H5T_STD_U8BE, H5T_STD_I16BE, H5T_STD_U16LE, H5T_STD_I32BE, H5T_STD_U32LE,
        H5T_STD_I64BE, H5T_STD_U64LE};
    enum { TYPES = sizeof types / sizeof *types };
    int64_t want[6] = {0, 1, 2, 100, 101, 127};
    hid_t id = create(path);
    for (int t = 0; t < TYPES; t++)
        put(id, (char[]){'i', (char)('0' + t), 0}, types[t], H5T_NATIVE_INT64, 2, (hsize_t[]){3, 2}, want);
    hid_t half = H5Tcopy(H5T_IEEE_F32LE);
    H5Tset_fields(half, 15, 10, 5, 0, 10);
    H5Tset_size(half, 2);
    H5Tset_ebias(half, 15);
    double reals[4] = {-1.5, 0, 0.25, 65504};
    put(id, "f0", half, H5T_NATIVE_DOUBLE, 1, (hsize_t[]){4}, reals);
    put(id, "f1", H5T_IEEE_F32BE, H5T_NATIVE_DOUBLE, 1, (hsize_t[]){4}, reals);
    put(id, "f2", H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, 1, (hsize_t[]){4}, reals);
    H5Tclose(half);
    H5Fclose(id);

    struct h5_file *file = open_well(path);
    struct error error = {0};
    for (int t = 0; t < TYPES; t++) {
        char name[] = {'/', 'i', (char)('0' + t), 0};
        int64_t integers[4];
        int32_t narrow[6];
        float floats[6];
        double doubles[2];
        ck_assert_int_eq(h5_read_integers(file, name, 1, 2, integers, &error), 0);
        ck_assert_int_eq(h5_read_int32(file, name, 0, 3, narrow, &error), 0);
        ck_assert_int_eq(h5_read_floats(file, name, 0, 3, floats, &error), 0);
        ck_assert_int_eq(h5_read_doubles(file, name + 1, 2, 1, doubles, &error), 0);
        for (int i = 0; i < 6; i++)
            ck_assert(narrow[i] == want[i] && floats[i] == (float)want[i]);
        for (int i = 0; i < 4; i++)
            ck_assert_int_eq(integers[i], want[i + 2]);
        ck_assert(doubles[0] == 101 && doubles[1] == 127);
    }
    for (int t = 0; t < 3; t++) {
        float floats[4];
        ck_assert_int_eq(h5_read_floats(file, (char[]){'f', (char)('0' + t), 0}, 0, 4, floats, &error), 0);
        for (int i = 0; i < 4; i++)
            ck_assert(floats[i] == (float)reals[i]);
    }
    h5_close(file);
}
END_TEST

START_TEST(values_beyond_the_width_become_the_nearest)
{
    const char *path = in_folder("beyond.h5");
    hid_t id = create(path);
    int64_t wide[3] = {INT64_MAX, INT64_MIN, 5};
    uint64_t whole[1] = {UINT64_MAX};
    put(id, "wide", H5T_STD_I64LE, H5T_NATIVE_INT64, 1, (hsize_t[]){3}, wide);
    put(id, "whole", H5T_STD_U64LE, H5T_NATIVE_UINT64, 1, (hsize_t[]){1}, whole);
    H5Fclose(id);
    struct h5_file *file = open_well(path);
    int32_t narrow[3];
    int64_t most;
    ck_assert_int_eq(h5_read_int32(file, "wide", 0, 3, narrow, NULL), 0);
    ck_assert(narrow[0] == INT32_MAX && narrow[1] == INT32_MIN && narrow[2] == 5);
    ck_assert_int_eq(h5_read_integers(file, "whole", 0, 1, &most, NULL), 0);
    ck_assert(most == INT64_MAX);
    h5_close(file);
}
END_TEST

START_TEST(the_wrong_kind_is_refused_by_name)
{
    const char *path = in_folder("kinds.h5");
    hid_t id = create(path), text = H5Tcopy(H5T_C_S1), flag = H5Tenum_create(H5T_NATIVE_INT8);
    H5Tset_size(text, 3);
    H5Tenum_insert(flag, "FALSE", (int8_t[]){0});
    put(id, "reals", H5T_IEEE_F32LE, H5T_NATIVE_DOUBLE, 1, (hsize_t[]){2}, (double[]){1, 2});
    put(id, "texts", text, text, 1, (hsize_t[]){2}, "abcdef");
    put(id, "flags", flag, flag, 1, (hsize_t[]){2}, "\0\0");
    H5Gclose(H5Gcreate2(id, "group", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
    H5Tclose(text);
    H5Tclose(flag);
    H5Fclose(id);
    struct h5_file *file = open_well(path);
    struct error error = {0};
    int64_t integers[2];
    float floats[2];
    char **texts;
    struct h5_shape shape;
    ck_assert_int_eq(h5_read_integers(file, "reals", 0, 2, integers, &error), -1);
    ck_assert_int_eq(error.code, EXIT_CODE_DATA);
    ck_assert_says(error.text, "kinds.h5: set /reals holds real numbers where integers belong");
    ck_assert_int_eq(h5_read_floats(file, "texts", 0, 2, floats, &error), -1);
    ck_assert_says(error.text, "/texts holds text where numbers belong");
    ck_assert_int_eq(h5_read_floats(file, "flags", 0, 2, floats, &error), -1);
    ck_assert_says(error.text, "/flags holds an enumeration");
    ck_assert_int_eq(h5_read_texts(file, "reals", 0, 2, &texts, &error), -1);
    ck_assert_says(error.text, "/reals should hold one text per row");
    ck_assert_int_eq(h5_look(file, "group", &shape, &error), -1);
    ck_assert_says(error.text, "/group");
    ck_assert_int_eq(h5_look(file, "none", &shape, &error), -1);
    ck_assert_says(error.text, "has no set /none");
    ck_assert_int_eq(h5_look(file, "none/deeper", &shape, &error), -1);
    ck_assert_says(error.text, "has no set /none/deeper");
    ck_assert_int_eq(h5_look(file, "/", &shape, &error), -1);
    ck_assert_int_eq(h5_look(file, "texts", &shape, &error), 0);
    ck_assert(shape.kind == H5_TEXT && shape.bytes == 3 && shape.dimensions == 1 && shape.size[0] == 2);
    ck_assert(h5_has(file, "group") && h5_has(file, "/") && h5_has(file, "/reals") && !h5_has(file, "none"));
    ck_assert(!h5_has(file, "none/deeper") && !h5_has(file, "reals/deeper"));
    h5_close(file);
}
END_TEST

START_TEST(rows_outside_the_set_are_refused)
{
    const char *path = in_folder("rows.h5");
    hid_t id = create(path);
    put(id, "set", H5T_STD_I32LE, H5T_NATIVE_INT64, 1, (hsize_t[]){3}, (int64_t[]){1, 2, 3});
    put(id, "empty", H5T_STD_I32LE, H5T_NATIVE_INT64, 2, (hsize_t[]){0, 7}, (int64_t[]){0});
    hid_t scalar = H5Screate(H5S_SCALAR);
    hid_t set = H5Dcreate2(id, "scalar", H5T_STD_I8LE, scalar, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    H5Dwrite(set, H5T_NATIVE_INT, H5S_ALL, H5S_ALL, H5P_DEFAULT, (int[]){42});
    H5Dclose(set);
    H5Sclose(scalar);
    H5Fclose(id);
    struct h5_file *file = open_well(path);
    struct error error = {0};
    int64_t out[4];
    const int64_t bad[][2] = {{0, 4}, {3, 1}, {-1, 2}, {1, -1}, {4, 0}, {INT64_MAX, 1}, {1, INT64_MAX}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ck_assert_int_eq(h5_read_integers(file, "set", bad[i][0], bad[i][1], out, &error), -1);
        ck_assert_says(error.text, "set /set has 3 rows");
    }
    ck_assert_int_eq(h5_read_integers(file, "set", 3, 0, out, &error), 0);
    ck_assert_int_eq(h5_read_integers(file, "empty", 0, 0, out, &error), 0);
    ck_assert_int_eq(h5_read_integers(file, "empty", 0, 1, out, &error), -1);
    ck_assert_int_eq(h5_read_integers(file, "scalar", 0, 1, out, &error), 0);
    ck_assert_int_eq(out[0], 42);
    ck_assert_int_eq(h5_read_integers(file, "scalar", 0, 2, out, &error), -1);
    h5_close(file);
}
END_TEST

START_TEST(fixed_and_variable_strings_read_alike)
{
    const char *path = in_folder("strings.h5");
    const char *const want[3] = {"one", "", "dr\xc3\xb6lf"};
    hid_t id = create(path);
    H5T_str_t paddings[] = {H5T_STR_NULLTERM, H5T_STR_NULLPAD, H5T_STR_SPACEPAD};
    H5T_cset_t sets[] = {H5T_CSET_ASCII, H5T_CSET_UTF8};
    for (int p = 0; p < 3; p++)
        for (int c = 0; c < 2; c++) {
            hid_t type = H5Tcopy(H5T_C_S1);
            H5Tset_size(type, 8);
            H5Tset_strpad(type, paddings[p]);
            H5Tset_cset(type, sets[c]);
            char block[24];
            memset(block, paddings[p] == H5T_STR_SPACEPAD ? ' ' : 0, sizeof block);
            for (int r = 0; r < 3; r++)
                memcpy(block + 8 * r, want[r], strlen(want[r]));
            put(id, (char[]){'f', (char)('0' + p), (char)('0' + c), 0}, type, type, 1, (hsize_t[]){3}, block);
            H5Tset_size(type, H5T_VARIABLE);
            put(id, (char[]){'v', (char)('0' + p), (char)('0' + c), 0}, type, type, 1, (hsize_t[]){3}, want);
            H5Tclose(type);
        }
    H5Fclose(id);
    struct h5_file *file = open_well(path);
    for (int i = 0; i < 12; i++) {
        char name[] = {i < 6 ? 'f' : 'v', (char)('0' + i / 2 % 3), (char)('0' + i % 2), 0}, **texts = NULL;
        ck_assert_int_eq(h5_read_texts(file, name, 0, 3, &texts, NULL), 0);
        for (int r = 0; r < 3; r++)
            ck_assert_str_eq(texts[r], want[r]);
        memory_destroy(texts);
        ck_assert_int_eq(h5_read_texts(file, name, 2, 1, &texts, NULL), 0);
        ck_assert_str_eq(texts[0], want[2]);
        memory_destroy(texts);
        ck_assert_int_eq(h5_read_texts(file, name, 3, 0, &texts, NULL), 0);
        memory_destroy(texts);
    }
    h5_close(file);
}
END_TEST

/* As NetCDF-4 has texts and dimensions. */
START_TEST(characters_lengths_and_several_integers_are_read)
{
    const char *path = in_folder("netcdf.h5");
    hid_t id = create(path), space = H5Screate_simple(1, (hsize_t[]){7}, NULL);
    hid_t one = H5Tcopy(H5T_C_S1), group = H5Gcreate2(id, "g", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    put(id, "letters", one, one, 2, (hsize_t[]){2, 3}, "abcde\0");
    put(id, "numbers", H5T_STD_I32LE, H5T_NATIVE_INT, 2, (hsize_t[]){2, 1}, (int[]){1, 2});
    H5Dclose(H5Dcreate2(id, "length", H5T_IEEE_F32BE, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
    hid_t attribute = H5Acreate2(group, "seven", H5T_STD_I64LE, space, H5P_DEFAULT, H5P_DEFAULT);
    H5Awrite(attribute, H5T_NATIVE_INT, (int[]){1, 2, 3, 4, 5, 6, -7});
    H5Aclose(attribute);
    H5Gclose(group);
    H5Tclose(one);
    H5Sclose(space);
    H5Fclose(id);

    char letters[6];
    int64_t length = 0, values[7] = {0};
    struct error error = {0};
    struct h5_file *file = open_well(path);
    ck_assert_int_eq(h5_read_characters(file, "letters", 0, 2, letters, &error), 0);
    ck_assert_mem_eq(letters, "abcde\0", 6);
    ck_assert_int_eq(h5_read_characters(file, "letters", 1, 1, letters, &error), 0);
    ck_assert_mem_eq(letters, "de\0", 3);
    ck_assert_int_eq(h5_read_characters(file, "letters", 1, 2, letters, &error), -1);
    ck_assert_int_eq(h5_read_characters(file, "numbers", 0, 1, letters, &error), -1);
    ck_assert_says(error.text, "single characters");
    ck_assert_int_eq(h5_look_at_length(file, "length", &length, &error), 0);
    ck_assert_int_eq(length, 7);
    ck_assert_int_eq(h5_look_at_length(file, "letters", &length, &error), -1);
    ck_assert_says(error.text, "one dimension");
    ck_assert_int_eq(h5_look_at_length(file, "g", &length, &error), -1);
    ck_assert_int_eq(h5_attribute_integers(file, "g", "seven", values, 7, &error), 7);
    ck_assert_int_eq(values[6], -7);
    ck_assert_int_eq(h5_attribute_integers(file, "g", "seven", values, 6, &error), -1);
    ck_assert_says(error.text, "7 values");
    ck_assert_int_eq(h5_attribute_integers(file, "g", "eight", values, 7, &error), 0);
    h5_close(file);
}
END_TEST

START_TEST(files_that_cannot_be_read_say_why)
{
    struct error error = open_badly(in_folder("missing.h5"));
    ck_assert_int_eq(error.code, EXIT_CODE_IO);
    ck_assert_says(error.text, "No such file");
    error = open_badly(folder_path());
    ck_assert_int_eq(error.code, EXIT_CODE_IO);
    ck_assert_says(error.text, "folder");
    write_file(in_folder("empty.h5"), "", 0);
    error = open_badly(in_folder("empty.h5"));
    ck_assert_int_eq(error.code, EXIT_CODE_DATA);
    ck_assert_says(error.text, "empty");
    write_file(in_folder("text.h5"), "a,b\n1,2\n", 8);
    error = open_badly(in_folder("text.h5"));
    ck_assert_int_eq(error.code, EXIT_CODE_DATA);
    ck_assert_says(error.text, "is not an HDF5 file");
    if (geteuid() != 0) {
        chmod(in_folder("text.h5"), 0);
        error = open_badly(in_folder("text.h5"));
        ck_assert_int_eq(error.code, EXIT_CODE_IO);
        ck_assert_says(error.text, "Permission denied");
    }
}
END_TEST

/* A built image with a group, numbers, texts and attributes. */
static void build(void **bytes, size_t *size, int deflate)
{
    struct error error = {0};
    struct h5_image *image = h5_image_create(&error);
    ck_assert_ptr_nonnull(image);
    enum { ROWS = 1000, COLUMNS = 33 };
    float *values = memory_create(ROWS * COLUMNS, sizeof *values, NULL);
    for (int i = 0; i < ROWS * COLUMNS; i++)
        values[i] = (float)(i % 97) / 8;
    h5_image_deflate(image, deflate);
    h5_image_group(image, "/group");
    h5_image_group(image, "/group/inner");
    h5_image_floats(image, "/group/inner/table", 2, (int64_t[]){ROWS, COLUMNS}, values);
    h5_image_doubles(image, "/doubles", 1, (int64_t[]){3}, (double[]){1, -0.0, NAN});
    h5_image_int32(image, "/int32", 1, (int64_t[]){2}, (int32_t[]){INT32_MIN, 7});
    h5_image_int64(image, "/int64", 0, NULL, (int64_t[]){INT64_MIN});
    h5_image_floats(image, "/nothing", 2, (int64_t[]){0, 4}, NULL);
    h5_image_texts(image, "/texts", 3, (const char *[]){"a", "", "dr\xc3\xb6lf"});
    h5_image_texts(image, "/blank", 1, (const char *[]){""});
    h5_image_attribute_int32(image, "/", "version", 4);
    h5_image_attribute_int64(image, "/int32", "wide", INT64_MAX);
    h5_image_attribute_double(image, "/group", "ratio", 0.1);
    h5_image_attribute_text(image, "/", "title", "dr\xc3\xb6lf");
    h5_image_attribute_text(image, "/", "blank", "");
    memory_destroy(values);
    ck_assert_msg(h5_image_finish(image, bytes, size, &error) == 0, "%s", error.text);
}

static void check_built(struct h5_file *file)
{
    struct h5_shape shape;
    struct error error = {0};
    ck_assert_int_eq(h5_look(file, "group/inner/table", &shape, &error), 0);
    ck_assert(shape.kind == H5_FLOAT && shape.bytes == 4 && shape.dimensions == 2);
    ck_assert(shape.size[0] == 1000 && shape.size[1] == 33);
    float row[2 * 33];
    ck_assert_int_eq(h5_read_floats(file, "/group/inner/table", 998, 2, row, &error), 0);
    for (int i = 0; i < 66; i++)
        ck_assert(row[i] == (float)((998 * 33 + i) % 97) / 8);
    double doubles[3];
    ck_assert_int_eq(h5_read_doubles(file, "doubles", 0, 3, doubles, &error), 0);
    ck_assert(doubles[0] == 1 && doubles[1] == 0 && signbit(doubles[1]) && isnan(doubles[2]));
    int32_t narrow[2];
    ck_assert_int_eq(h5_read_int32(file, "int32", 0, 2, narrow, &error), 0);
    ck_assert(narrow[0] == INT32_MIN && narrow[1] == 7);
    int64_t wide, version;
    ck_assert_int_eq(h5_read_integers(file, "int64", 0, 1, &wide, &error), 0);
    ck_assert(wide == INT64_MIN);
    char **texts, *text;
    ck_assert_int_eq(h5_read_texts(file, "texts", 0, 3, &texts, &error), 0);
    ck_assert_str_eq(texts[0], "a");
    ck_assert_str_eq(texts[1], "");
    ck_assert_str_eq(texts[2], "dr\xc3\xb6lf");
    memory_destroy(texts);
    ck_assert_int_eq(h5_look(file, "nothing", &shape, &error), 0);
    ck_assert(shape.size[0] == 0 && shape.size[1] == 4);
    double ratio;
    ck_assert_int_eq(h5_attribute_integer(file, "/", "version", &version, &error), 1);
    ck_assert_int_eq(version, 4);
    ck_assert_int_eq(h5_attribute_integer(file, "int32", "wide", &wide, &error), 1);
    ck_assert(wide == INT64_MAX);
    ck_assert_int_eq(h5_attribute_double(file, "/group", "ratio", &ratio, &error), 1);
    ck_assert(ratio == 0.1);
    ck_assert_int_eq(h5_attribute_text(file, "/", "title", &text, &error), 1);
    ck_assert_str_eq(text, "dr\xc3\xb6lf");
    memory_destroy(text);
    ck_assert_int_eq(h5_attribute_text(file, "/", "blank", &text, &error), 1);
    ck_assert_str_eq(text, "");
    memory_destroy(text);
    ck_assert_int_eq(h5_attribute_text(file, "/", "absent", &text, &error), 0);
    ck_assert_int_eq(h5_attribute_text(file, "/absent", "title", &text, &error), 0);
    ck_assert_int_eq(h5_attribute_integer(file, "/", "title", &wide, &error), -1);
    ck_assert_says(error.text, "attribute title of / should be an integer");
    ck_assert_int_eq(h5_attribute_text(file, "/", "version", &text, &error), -1);
    ck_assert_int_eq(h5_attribute_integer(file, "group", "ratio", &wide, &error), -1);
}

START_TEST(an_image_reads_back_from_memory_and_from_disk)
{
    for (int deflate = 0; deflate <= 9; deflate += 9) {
        void *bytes;
        size_t size;
        struct error error = {0};
        build(&bytes, &size, deflate);
        ck_assert(deflate ? size < 100000 : size > 4 * 33000);
        struct h5_file *file = h5_open_image(bytes, size, "memory", &error), *twin;
        ck_assert_msg(file != NULL, "%s", error.text);
        write_file(in_folder("image.h5"), bytes, size);
        check_built(file);
        h5_close(file);
        memory_destroy(bytes);
        file = open_well(in_folder("image.h5"));
        twin = open_well(in_folder("image.h5"));
        check_built(file);
        h5_close(file);
        check_built(twin);
        h5_close(twin);
    }
}
END_TEST

START_TEST(two_images_of_one_name_are_two_files)
{
    void *bytes[2];
    size_t size[2];
    struct h5_file *file[2];
    for (int i = 0; i < 2; i++) {
        struct h5_image *image = h5_image_create(NULL);
        h5_image_attribute_int32(image, "/", "which", i);
        ck_assert_int_eq(h5_image_finish(image, &bytes[i], &size[i], NULL), 0);
        file[i] = h5_open_image(bytes[i], size[i], "same", NULL);
    }
    for (int i = 0; i < 2; i++) {
        int64_t which;
        ck_assert_int_eq(h5_attribute_integer(file[i], "/", "which", &which, NULL), 1);
        ck_assert_int_eq(which, i);
    }
    for (int i = 0; i < 2; i++) {
        h5_close(file[i]);
        memory_destroy(bytes[i]);
    }
}
END_TEST

START_TEST(equal_calls_give_equal_bytes_whatever_lay_in_memory)
{
    void *bytes[2];
    size_t size[2];
    for (int i = 0; i < 2; i++) {
        mallopt(M_PERTURB, i ? 0x55 : 0xaa);
        build(&bytes[i], &size[i], 0);
        if (i == 0)
            sleep(1); /* a time kept in the file would be another */
    }
    mallopt(M_PERTURB, 0);
    ck_assert_uint_eq(size[0], size[1]);
    ck_assert_mem_eq(bytes[0], bytes[1], size[0]);
    memory_destroy(bytes[0]);
    memory_destroy(bytes[1]);
}
END_TEST

START_TEST(room_behind_an_image_is_zero)
{
    void *bytes;
    size_t size;
    char none[H5_IMAGE_ROOM] = {0};
    build(&bytes, &size, 0);
    ck_assert_mem_eq((char *)bytes + size, none, sizeof none);
    memory_destroy(bytes);
}
END_TEST

START_TEST(the_first_failure_of_an_image_is_returned_at_the_end)
{
    struct error error = {0};
    struct h5_image *image = h5_image_create(&error);
    h5_image_group(image, "/no/parent");
    h5_image_floats(image, "/x", 1, (int64_t[]){1}, (float[]){1});
    h5_image_attribute_int32(image, "/nowhere", "y", 1);
    void *bytes = NULL;
    size_t size = 0;
    ck_assert_int_eq(h5_image_finish(image, &bytes, &size, &error), -1);
    ck_assert_ptr_null(bytes);
    ck_assert_says(error.text, "/no/parent");
    h5_image_destroy(h5_image_create(&error));
    h5_image_destroy(NULL);
}
END_TEST

START_TEST(a_file_cut_anywhere_is_refused)
{
    void *bytes;
    size_t size;
    build(&bytes, &size, 9);
    for (size_t cut = 1; cut < size; cut += cut < 200 ? 1 : 997) {
        write_file(in_folder("cut.h5"), bytes, cut);
        struct error error = open_badly(in_folder("cut.h5"));
        ck_assert_int_eq(error.code, EXIT_CODE_DATA);
        ck_assert_says(error.text, cut < 8 ? "is not an HDF5 file" : "truncated");
        ck_assert_ptr_null(h5_open_image(bytes, cut, "cut", &error));
    }
    memory_destroy(bytes);
}
END_TEST

START_TEST(nothing_is_read_from_other_files)
{
    const char *path = in_folder("links.h5"), *other = in_folder("other.h5");
    hid_t id = create(other);
    put(id, "set", H5T_STD_I32LE, H5T_NATIVE_INT64, 1, (hsize_t[]){2}, (int64_t[]){1, 2});
    hid_t group = H5Gcreate2(id, "group", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    put(group, "set", H5T_STD_I32LE, H5T_NATIVE_INT64, 1, (hsize_t[]){2}, (int64_t[]){1, 2});
    H5Gclose(group);
    H5Fclose(id);
    id = create(path);
    put(id, "own", H5T_STD_I32LE, H5T_NATIVE_INT64, 1, (hsize_t[]){2}, (int64_t[]){3, 4});
    H5Lcreate_soft("/own", id, "soft", H5P_DEFAULT, H5P_DEFAULT);
    H5Lcreate_soft("/absent", id, "dangling", H5P_DEFAULT, H5P_DEFAULT);
    H5Lcreate_external("other.h5", "/set", id, "external", H5P_DEFAULT, H5P_DEFAULT);
    H5Lcreate_external("other.h5", "/group", id, "folder", H5P_DEFAULT, H5P_DEFAULT);
    H5Lcreate_soft("/folder/set", id, "sly", H5P_DEFAULT, H5P_DEFAULT);
    hid_t space = H5Screate_simple(1, (hsize_t[]){2}, NULL), creation = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_external(creation, other, 0, 8);
    H5Dclose(H5Dcreate2(id, "stored", H5T_STD_I32LE, space, H5P_DEFAULT, creation, H5P_DEFAULT));
    H5Pclose(creation);
    creation = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_virtual(creation, space, other, "/set", space);
    H5Dclose(H5Dcreate2(id, "virtual", H5T_STD_I32LE, space, H5P_DEFAULT, creation, H5P_DEFAULT));
    H5Pclose(creation);
    H5Dclose(H5Dcreate2(id, "unwritten", H5T_STD_I32LE, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
    H5Sclose(space);
    H5Fclose(id);

    ck_assert_int_eq(chdir(folder_path()), 0);
    struct h5_file *file = open_well(path);
    const char *const bad[] = {"external", "folder/set", "sly", "stored", "virtual"};
    struct error error = {0};
    struct h5_shape shape;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        int64_t out[2] = {7, 7}, number;
        ck_assert_int_eq(h5_read_integers(file, bad[i], 0, 2, out, &error), -1);
        ck_assert_int_eq(error.code, EXIT_CODE_DATA);
        ck_assert_says(error.text, "only what lies in the file itself is read");
        ck_assert(out[0] == 7 && h5_has(file, bad[i]));
        if (i < 3)
            ck_assert_int_eq(h5_attribute_integer(file, bad[i], "x", &number, &error), -1);
    }
    int64_t own[2];
    ck_assert_int_eq(h5_read_integers(file, "soft", 0, 2, own, &error), 0);
    ck_assert(own[0] == 3 && own[1] == 4);
    ck_assert_int_eq(h5_look(file, "dangling", &shape, &error), -1);
    ck_assert_int_eq(h5_look(file, "unwritten", &shape, &error), -1);
    ck_assert_says(error.text, "never written");
    ck_assert_int_eq(h5_list(file, "folder", NULL, NULL, &error), -1);
    ck_assert_says(error.text, "leads into another file");
    h5_close(file);
    ck_assert_int_eq(chdir("/"), 0);
}
END_TEST

struct listed {
    char names[64];
    struct h5_file *file;
    int stop;
};

static int take(void *context, const char *name)
{
    struct listed *listed = context;
    strcat(strcat(listed->names, name), " ");
    return h5_has(listed->file, name) && listed->stop ? 17 : 0;
}

START_TEST(sets_are_listed_in_order_of_name)
{
    void *bytes;
    size_t size;
    struct error error = {0};
    build(&bytes, &size, 0);
    struct listed listed = {.file = h5_open_image(bytes, size, "memory", &error)};
    ck_assert_int_eq(h5_list(listed.file, "/", take, &listed, &error), 0);
    ck_assert_str_eq(listed.names, "blank doubles int32 int64 nothing texts ");
    listed.names[0] = 0;
    ck_assert_int_eq(h5_list(listed.file, "group/inner", take, &listed, &error), 0);
    ck_assert_str_eq(listed.names, "table ");
    listed.stop = 1;
    ck_assert_int_eq(h5_list(listed.file, "", take, &listed, &error), 17);
    ck_assert_int_eq(h5_list(listed.file, "/absent", take, &listed, &error), -1);
    ck_assert_says(error.text, "has no group /absent");
    ck_assert_int_eq(h5_list(listed.file, "/texts", take, &listed, &error), -1);
    h5_close(listed.file);
    memory_destroy(bytes);
}
END_TEST

enum { CHUNKED_ROWS = 20000, CHUNKED_COLUMNS = 16 };

static void make_chunked(const char *path, hsize_t chunk_rows)
{
    int32_t *values = memory_create(CHUNKED_ROWS * CHUNKED_COLUMNS, sizeof *values, NULL);
    for (int i = 0; i < CHUNKED_ROWS * CHUNKED_COLUMNS; i++)
        values[i] = i;
    hid_t id = create(path), space = H5Screate_simple(2, (hsize_t[]){CHUNKED_ROWS, CHUNKED_COLUMNS}, NULL);
    hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_chunk(creation, 2, (hsize_t[]){chunk_rows, CHUNKED_COLUMNS / 2});
    H5Pset_deflate(creation, 1);
    hid_t set = H5Dcreate2(id, "set", H5T_STD_I32LE, space, H5P_DEFAULT, creation, H5P_DEFAULT);
    H5Dwrite(set, H5T_NATIVE_INT32, H5S_ALL, H5S_ALL, H5P_DEFAULT, values);
    H5Dclose(set);
    H5Pclose(creation);
    H5Sclose(space);
    H5Fclose(id);
    memory_destroy(values);
}

START_TEST(chunked_sets_read_right_with_any_cache)
{
    const size_t caches[] = {0, 1, 5000, 1 << 20, (size_t)1 << 33};
    const hsize_t chunks[] = {1000, CHUNKED_ROWS};
    for (size_t i = 0; i < sizeof caches / sizeof *caches * 2; i++) {
        make_chunked(in_folder("chunked.h5"), chunks[i % 2]);
        struct h5_file *file = h5_open(in_folder("chunked.h5"), caches[i / 2], NULL);
        ck_assert_ptr_nonnull(file);
        int32_t out[3 * CHUNKED_COLUMNS];
        for (int r = 0; r < CHUNKED_ROWS - 3; r += 1499) {
            ck_assert_int_eq(h5_read_int32(file, "set", r, 3, out, NULL), 0);
            for (int k = 0; k < 3 * CHUNKED_COLUMNS; k++)
                ck_assert_int_eq(out[k], r * CHUNKED_COLUMNS + k);
        }
        h5_close(file);
    }
}
END_TEST

START_TEST(a_damaged_chunk_is_an_error_that_names_rows)
{
    make_chunked(in_folder("bad.h5"), 1000);
    FILE *raw = fopen(in_folder("bad.h5"), "r+b");
    fseek(raw, 0, SEEK_END);
    long end = ftell(raw);
    for (long at = 20000; at < end - 20000; at += 50) {
        fseek(raw, at, SEEK_SET);
        fputc(0x5a, raw);
    }
    fclose(raw);
    struct h5_file *file = open_well(in_folder("bad.h5"));
    int failures = 0;
    struct error error = {0};
    int32_t out[CHUNKED_COLUMNS];
    for (int r = 0; r < CHUNKED_ROWS; r += 500)
        if (h5_read_int32(file, "set", r, 1, out, &error) != 0) {
            failures++;
            ck_assert_says(error.text, "bad.h5: set /set");
            ck_assert_says(error.text, "cannot be read (HDF5: ");
        }
    ck_assert_int_gt(failures, 0);
    h5_close(file);
}
END_TEST

static void *read_on_and_on(void *context)
{
    struct h5_file *file = context;
    int32_t out[CHUNKED_COLUMNS];
    int64_t wrong = 0;
    for (int i = 0; i < 2000; i++) {
        int row = i * 7 % CHUNKED_ROWS;
        struct error error;
        struct h5_shape shape;
        wrong += h5_read_int32(file, "set", row, 1, out, NULL) != 0 || out[3] != row * CHUNKED_COLUMNS + 3;
        wrong += h5_look(file, "absent", &shape, &error) == 0;
    }
    return (void *)(intptr_t)wrong;
}

START_TEST(two_threads_read_from_one_file)
{
    make_chunked(in_folder("threads.h5"), 1000);
    struct h5_file *file = open_well(in_folder("threads.h5"));
    pthread_t thread;
    void *wrong;
    ck_assert_int_eq(pthread_create(&thread, NULL, read_on_and_on, file), 0);
    ck_assert_ptr_null(read_on_and_on(file));
    pthread_join(thread, &wrong);
    ck_assert_ptr_null(wrong);
    h5_close(file);
}
END_TEST

START_TEST(impossible_shapes_are_refused_before_memory_is_asked_for)
{
    const char *path = in_folder("huge.h5");
    hid_t id = create(path);
    hid_t space = H5Screate_simple(2, (hsize_t[]){(hsize_t)1 << 31, (hsize_t)1 << 31}, NULL);
    hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_chunk(creation, 2, (hsize_t[]){1, 1});
    H5Dclose(H5Dcreate2(id, "huge", H5T_STD_I8LE, space, H5P_DEFAULT, creation, H5P_DEFAULT));
    H5Sclose(space);
    H5Pclose(creation);
    put(id, "deep", H5T_STD_I8LE, H5T_NATIVE_INT, 5, (hsize_t[]){1, 1, 1, 1, 1}, (int[]){1});
    H5Fclose(id);
    struct h5_file *file = open_well(path);
    struct error error = {0};
    struct h5_shape shape;
    ck_assert_int_eq(h5_look(file, "huge", &shape, &error), -1);
    ck_assert_says(error.text, "impossible");
    ck_assert_int_eq(h5_look(file, "deep", &shape, &error), -1);
    ck_assert_says(error.text, "5 dimensions");
    h5_close(file);
}
END_TEST

START_TEST(a_file_is_read_while_another_program_holds_its_lock)
{
    const char *path = in_folder("locked.h5");
    hid_t id = create(path);
    put(id, "set", H5T_STD_I32LE, H5T_NATIVE_INT64, 1, (hsize_t[]){1}, (int64_t[]){9});
    H5Fclose(id);
    char command[1200];
    snprintf(command, sizeof command,
        "command -v flock > /dev/null || exit 77; flock -x '%s' sleep 3 & sleep 0.5", path);
    int status = system(command);
    if (status != 0)
        return;
    struct h5_file *file = open_well(path);
    int64_t value;
    ck_assert_int_eq(h5_read_integers(file, "set", 0, 1, &value, NULL), 0);
    ck_assert_int_eq(value, 9);
    h5_close(file);
}
END_TEST

START_TEST(the_version_is_the_librarys)
{
    char text[64], want[64];
    unsigned major, minor, release;
    H5get_libversion(&major, &minor, &release);
    snprintf(want, sizeof want, "HDF5 %u.%u.%u", major, minor, release);
    h5_version(text, sizeof text);
    ck_assert_str_eq(text, want);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("h5");
    TCase *cases = tcase_create("h5");
    tcase_set_timeout(cases, 60);
    tcase_add_checked_fixture(cases, folder_make, folder_remove);
    tcase_add_test(cases, every_integer_and_float_width_is_read);
    tcase_add_test(cases, values_beyond_the_width_become_the_nearest);
    tcase_add_test(cases, the_wrong_kind_is_refused_by_name);
    tcase_add_test(cases, rows_outside_the_set_are_refused);
    tcase_add_test(cases, fixed_and_variable_strings_read_alike);
    tcase_add_test(cases, characters_lengths_and_several_integers_are_read);
    tcase_add_test(cases, files_that_cannot_be_read_say_why);
    tcase_add_test(cases, an_image_reads_back_from_memory_and_from_disk);
    tcase_add_test(cases, two_images_of_one_name_are_two_files);
    tcase_add_test(cases, equal_calls_give_equal_bytes_whatever_lay_in_memory);
    tcase_add_test(cases, room_behind_an_image_is_zero);
    tcase_add_test(cases, the_first_failure_of_an_image_is_returned_at_the_end);
    tcase_add_test(cases, a_file_cut_anywhere_is_refused);
    tcase_add_test(cases, nothing_is_read_from_other_files);
    tcase_add_test(cases, sets_are_listed_in_order_of_name);
    tcase_add_test(cases, chunked_sets_read_right_with_any_cache);
    tcase_add_test(cases, a_damaged_chunk_is_an_error_that_names_rows);
    tcase_add_test(cases, two_threads_read_from_one_file);
    tcase_add_test(cases, impossible_shapes_are_refused_before_memory_is_asked_for);
    tcase_add_test(cases, a_file_is_read_while_another_program_holds_its_lock);
    tcase_add_test(cases, the_version_is_the_librarys);
    suite_add_tcase(suite, cases);
    return suite_run(suite);
}

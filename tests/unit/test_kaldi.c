/* Kaldi's archives and scripts, from bytes written by hand. */
#include "base/memory.h"
#include "data/import/kaldi_object.h"
#include "data/import/kaldi_table.h"
#include "data/import/marks.h"
#include "data/import/symbols.h"
#include "support/folder.h"
#include "support/suite.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Bytes of a file on its way. */
static char bytes[4096];
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

/* Tests run where the lowest byte comes first, as in the format. */
static void add_int(int32_t value)
{
    add(&value, sizeof value);
}

static void add_count(int32_t value)
{
    add("\4", 1);
    add_int(value);
}

static void add_float(float value)
{
    add(&value, sizeof value);
}

static const char *save(const char *name)
{
    const char *path = in_folder(name);
    write_file(path, bytes, used);
    used = 0;
    return path;
}

/* Opens an archive and moves to its first object. */
static void open_first(struct kaldi_table *table, const char *path)
{
    struct error error = {0};
    ck_assert_msg(kaldi_table_open(table, path, &error) == 0, "%s", error.text);
    ck_assert_msg(kaldi_table_next(table, &error) == 1, "%s", error.text);
}

static void assert_refused(const struct error *error, const char *path, const char *what)
{
    ck_assert_msg(strncmp(error->text, path, strlen(path)) == 0, "names another file: %s", error->text);
    ck_assert_msg(strstr(error->text, what) != NULL, "wanted '%s' in: %s", what, error->text);
}

/* 2 rows of 3 in each form; what is compressed stands for 0 to 5 with range 5 from 0. */
static void add_matrices(void)
{
    add_text("plain ");
    add("\0BFM ", 5);
    add_count(2);
    add_count(3);
    for (int i = 0; i < 6; i++)
        add_float((float)i + 0.25f);
    add_text("double ");
    add("\0BDM ", 5);
    add_count(2);
    add_count(3);
    for (int i = 0; i < 6; i++)
        add(&(double){i + 0.5}, 8);
    add_text("even2 ");
    add("\0BCM2 ", 6);
    add_float(0);
    add_float(5);
    add_int(2);
    add_int(3);
    for (int i = 0; i < 6; i++)
        add(&(uint16_t){(uint16_t)(13107 * i)}, 2);
    add_text("even1 ");
    add("\0BCM3 ", 6);
    add_float(0);
    add_float(5);
    add_int(2);
    add_int(3);
    for (int i = 0; i < 6; i++)
        add(&(uint8_t){(uint8_t)(51 * i)}, 1);
    add_text("text  [\n  0 1e0 2 \n 3 4.0 5 ]\n");
}

START_TEST(matrices_of_all_plain_forms_read_as_written)
{
    static const struct {
        const char *key;
        float shift;
    } expected[] = {{"plain", 0.25f}, {"double", 0.5f}, {"even2", 0}, {"even1", 0}, {"text", 0}};
    struct error error = {0};
    struct kaldi_object object = {0};
    add_matrices();
    struct kaldi_table table;
    open_first(&table, save("feats.ark"));
    for (size_t k = 0; k < 5; k++) {
        ck_assert_str_eq(table.key, expected[k].key);
        ck_assert_msg(kaldi_read_matrix(table.object, table.key, &object, &error) == 0, "%s", error.text);
        ck_assert_uint_eq(object.rows, 2);
        ck_assert_uint_eq(object.columns, 3);
        for (int i = 0; i < 6; i++)
            ck_assert_float_eq_tol(object.values[i], (float)i + expected[k].shift, 1e-6f);
        ck_assert_int_eq(kaldi_table_next(&table, &error), k < 4);
    }
    kaldi_object_finish(&object);
    kaldi_table_close(&table);
}
END_TEST

/* One column with percentiles 0, 1, 2 and 3 (range 65535 * step), and a byte in each part and at its ends. */
START_TEST(a_matrix_by_columns_is_interpolated_between_percentiles)
{
    static const uint8_t byte[] = {0, 64, 128, 192, 255};
    static const float value[] = {0, 1, 1.5f, 2, 3};
    struct error error = {0};
    struct kaldi_object object = {0};
    add_text("u ");
    add("\0BCM ", 5);
    add_float(0);
    add_float(65535);
    add_int(5);
    add_int(2);
    for (int c = 0; c < 2; c++)
        for (int k = 0; k < 4; k++)
            add(&(uint16_t){(uint16_t)(k * (c ? 10 : 1))}, 2);
    for (int c = 0; c < 2; c++)
        add(byte, sizeof byte);
    struct kaldi_table table;
    open_first(&table, save("cm.ark"));
    ck_assert_msg(kaldi_read_matrix(table.object, table.key, &object, &error) == 0, "%s", error.text);
    for (size_t r = 0; r < 5; r++) {
        ck_assert_float_eq_tol(object.values[2 * r], value[r], 1e-6f);
        ck_assert_float_eq_tol(object.values[2 * r + 1], 10 * value[r], 1e-5f);
    }
    kaldi_object_finish(&object);
    kaldi_table_close(&table);
}
END_TEST

START_TEST(integers_read_in_binary_and_in_text)
{
    struct error error = {0};
    struct kaldi_object object = {0};
    add_text("a ");
    add("\0B", 2);
    add_count(3);
    for (int i = 0; i < 3; i++)
        add_count(7 - i);
    add_text("b 7 6 5\nc \n");
    struct kaldi_table table;
    open_first(&table, save("ali.ark"));
    for (int k = 0; k < 2; k++) {
        ck_assert_msg(kaldi_read_integers(table.object, table.key, &object, &error) == 0, "%s", error.text);
        ck_assert_uint_eq(object.rows, 3);
        for (int i = 0; i < 3; i++)
            ck_assert_int_eq(object.integers[i], 7 - i);
        ck_assert_int_eq(kaldi_table_next(&table, &error), 1);
    }
    ck_assert_int_eq(kaldi_read_integers(table.object, table.key, &object, &error), 0);
    ck_assert_uint_eq(object.rows, 0);
    ck_assert_int_eq(kaldi_table_next(&table, &error), 0);
    kaldi_object_finish(&object);
    kaldi_table_close(&table);
}
END_TEST

START_TEST(a_script_finds_objects_by_offset_and_says_the_range)
{
    char line[2048], path[512];
    struct error error = {0};
    struct kaldi_object object = {0};
    add_text("u ");
    size_t offset = used;
    add_text("[ 1 2\n 3 4 ]\n");
    snprintf(path, sizeof path, "%s", save("t.ark"));
    snprintf(line, sizeof line, "one %s:%zu\ntwo  %s:%zu[1:1,0:0] \n", path, offset, path, offset);
    add_text(line);
    struct kaldi_table table;
    open_first(&table, save("t.scp"));
    ck_assert_str_eq(table.key, "one");
    ck_assert_int_eq(table.range.first_row, -1);
    ck_assert_msg(kaldi_read_matrix(table.object, table.key, &object, &error) == 0, "%s", error.text);
    ck_assert_float_eq(object.values[3], 4);
    struct kaldi_mark second = kaldi_table_mark(&table);
    for (int again = 0; again < 2; again++) {
        ck_assert_msg(kaldi_table_next(&table, &error) == 1, "%s", error.text);
        ck_assert_str_eq(table.key, "two");
        ck_assert_int_eq(table.range.first_row, 1);
        ck_assert_int_eq(table.range.last_row, 1);
        ck_assert_int_eq(table.range.last_column, 0);
        ck_assert_msg(kaldi_read_matrix(table.object, table.key, &object, &error) == 0, "%s", error.text);
        ck_assert_int_eq(kaldi_table_go(&table, second, &error), 0);
    }
    kaldi_object_finish(&object);
    kaldi_table_close(&table);
}
END_TEST

/* An object that is damaged, cut off, or another than is asked for, and what is said of it. */
struct bad_object {
    const char *bytes;
    size_t size;
    const char *what;
};

static const struct bad_object bad_matrices[] = {
#define BAD(text, what)                                                                                      \
    {                                                                                                        \
        text, sizeof text - 1, what                                                                          \
    }
    BAD("u \0BFM \4\377\377\377\177\4\377\377\377\177xxxx", "takes"),
    BAD("u \0BFM \4\2\0\0\0\4\2\0\0\0xxxx", "takes 4 times 4 bytes"),
    BAD("u \0BFM \4\377\377\377\377\4\2\0\0\0xxxx", "negative count"),
    BAD("u \0BFM \4\0\0\0\0\4\0\0\0\0", "empty matrix"),
    BAD("u \0BFM \10\2\0\0\0\4\2\0\0\0xxxx", "not of 4 bytes"),
    BAD("u \0BFM \4\2\0", "a count at byte 7"),
    BAD("u \0BCM \0\0\0\0\0\0\0\0\377\377\377\177\1\0\0\0", "takes"),
    BAD("u \0BCM \0\0\0\0\0\0\0\0\1\0\0\0\1\0\0\0x", "takes"),
    BAD("u \0BCM2 \0\0\0\0\0\0\0\0\2\0\0\0\2\0\0\0x", "takes"),
    BAD("u \0BSM xxxx", "is \"SM\""),
    BAD("u \0BFV \4\1\0\0\0xxxx", "is \"FV\""),
    BAD("u \0Bxxxxxxxxxxxxxxxxxxxxx", "no token"),
    BAD("u \0X", "no B"),
    BAD("u \0B\4\1\0\0\0\4\1\0\0\0", "vector of integers"),
    BAD("u [ 1 2\n 3 4\n", "closing bracket"),
    BAD("u [ 1 2\n 3 ]\n", "unequal"),
    BAD("u [ ]\n", "empty matrix"),
    BAD("u [ 1 nan ]\n", "\"nan\""),
    BAD("u [ 1 1e999 ]\n", "1e999"),
    BAD("u 1 2 3\n", "bracket"),
    BAD("u [ 1 ] 2\n", "end of the line"),
    BAD("u ", "bracket"),
    BAD("u [ 1\1 ]\n", "control character"),
};

static void assert_object_refused(
    int (*read)(struct bounded_file *, const char *, struct kaldi_object *, struct error *),
    const struct bad_object *bad)
{
    char path[512];
    struct error error = {0};
    struct kaldi_object object = {0};
    add(bad->bytes, bad->size);
    snprintf(path, sizeof path, "%s", save("bad.ark"));
    struct kaldi_table table;
    open_first(&table, path);
    ck_assert_int_eq(read(table.object, table.key, &object, &error), -1);
    ck_assert_int_eq(error.code, EXIT_CODE_DATA);
    assert_refused(&error, path, bad->what);
    ck_assert_uint_le(object.value_room + object.integer_room, 64);
    kaldi_object_finish(&object);
    kaldi_table_close(&table);
}

START_TEST(a_damaged_matrix_is_refused_by_its_place)
{
    assert_object_refused(kaldi_read_matrix, &bad_matrices[_i]);
}
END_TEST

static const struct bad_object bad_integers[] = {
    BAD("u \0B\4\377\377\377\177\4\1\0\0\0", "takes 2147483647 times 5 bytes"),
    BAD("u \0B\4\1\0\0\0\3\1\0\0\0", "not of 4 bytes"),
    BAD("u \0BFM \4\1\0\0\0", "no vector of integers"),
    BAD("u 1 x\n", "\"x\""),
    BAD("u 1 4294967296\n", "4294967296"),
};

START_TEST(damaged_integers_are_refused_by_their_place)
{
    assert_object_refused(kaldi_read_integers, &bad_integers[_i]);
}
END_TEST

static const char *const bad_lines[][2] = {
    {"u touch /nowhere |", "command"},
    {"u | cat", "command"},
    {"u gunzip -c x.gz |  ", "command"},
    {"u -", "standard input"},
    {"u -[0:1]", "standard input"},
    {"u", "no place"},
    {"", "empty"},
    {"u x[2:1]", "no range"},
    {"u x[1]", "no range"},
    {"u x[a:b]", "no range"},
    {"u x[0:99999999999999999999]", "no range"},
    {"u x]", "does not begin"},
    {"u x:99999999999999999999", "beyond"},
    {"u x\xff", "UTF-8"},
};

START_TEST(a_line_that_is_no_place_is_refused_and_nothing_is_run)
{
    char path[512];
    struct error error = {0};
    struct kaldi_table table;
    add_text(bad_lines[_i][0]);
    add_text("\n");
    snprintf(path, sizeof path, "%s", save("bad.scp"));
    ck_assert_int_eq(kaldi_table_open(&table, path, &error), 0);
    ck_assert_int_eq(kaldi_table_next(&table, &error), -1);
    ck_assert_int_eq(error.code, EXIT_CODE_DATA);
    assert_refused(&error, path, bad_lines[_i][1]);
    assert_refused(&error, path, "line 1");
    kaldi_table_close(&table);
}
END_TEST

START_TEST(what_is_no_archive_and_places_behind_the_end_are_refused)
{
    char path[512], line[2048];
    struct error error = {0};
    struct kaldi_table table;
    add_text("no-blank-behind-the-key");
    snprintf(path, sizeof path, "%s", save("x.ark"));
    ck_assert_int_eq(kaldi_table_open(&table, path, &error), 0);
    ck_assert_int_eq(kaldi_table_next(&table, &error), -1);
    assert_refused(&error, path, "no key at byte 0");
    kaldi_table_close(&table);
    snprintf(line, sizeof line, "u %s:1000\nv /dev/zero\n", path);
    add_text(line);
    ck_assert_int_eq(kaldi_table_open(&table, save("x.scp"), &error), 0);
    ck_assert_int_eq(kaldi_table_next(&table, &error), -1);
    ck_assert_ptr_nonnull(strstr(error.text, "no byte 1000"));
    ck_assert_int_eq(kaldi_table_next(&table, &error), -1);
    ck_assert_ptr_nonnull(strstr(error.text, "/dev/zero"));
    kaldi_table_close(&table);
}
END_TEST

START_TEST(symbols_are_classes_in_the_order_of_their_numbers)
{
    struct error error = {0};
    struct symbols symbols;
    add_text("<eps> 0\nb 7\na 2\n\n");
    ck_assert_msg(symbols_read(&symbols, save("s.txt"), &error) == 0, "%s", error.text);
    ck_assert_uint_eq(symbols.count, 2);
    ck_assert_str_eq(symbols.name[0], "a");
    ck_assert_str_eq(symbols.name[1], "b");
    ck_assert_int_eq(symbols_find(&symbols, 7), 1);
    ck_assert_int_eq(symbols_find(&symbols, 0), -1);
    ck_assert_int_eq(symbols_find(&symbols, 3), -2);
    symbols_finish(&symbols);
}
END_TEST

static const char *const bad_symbols[] = {"a\n", "a x\n", "a 1 2\n", "a -1\n", "a 1\nb 1\n", "a 1\na 2\n",
    "<eps> 1\na 1\n", "<eps> 0\n", "", "a\xff 1\n"};

START_TEST(a_table_that_leaves_doubt_is_refused)
{
    char path[512];
    struct error error = {0};
    struct symbols symbols = {0};
    add_text(bad_symbols[_i]);
    snprintf(path, sizeof path, "%s", save("s.txt"));
    ck_assert_int_eq(symbols_read(&symbols, path, &error), -1);
    ck_assert_int_eq(error.code, EXIT_CODE_DATA);
    assert_refused(&error, path, "");
}
END_TEST

START_TEST(marks_are_found_once_ordered_and_keys_that_come_twice)
{
    char key[16];
    struct error error = {0};
    struct marks marks = {0};
    for (int i = 0; i < 1000; i++) {
        snprintf(key, sizeof key, "key-%d", i);
        ck_assert_int_eq(marks_add(&marks, key, i * 10, i, &error), 0);
    }
    ck_assert_int_eq(marks_order(&marks), -1);
    ck_assert_int_eq(marks_find(&marks, "key-77")->at, 770);
    ck_assert_ptr_null(marks_find(&marks, "key-1000"));
    marks_restore(&marks);
    ck_assert_int_eq(marks.mark[77].used, 1);
    ck_assert_int_eq(marks.mark[78].used, 0);
    ck_assert_int_eq(marks_add(&marks, "key-5", 99999, 0, &error), 0);
    int64_t twice = marks_order(&marks);
    ck_assert_int_ge(twice, 0);
    ck_assert_int_eq(marks.mark[twice].at, 99999);
    marks_finish(&marks);
}
END_TEST

#define LENGTH(array) ((int)(sizeof array / sizeof *array))

int main(void)
{
    Suite *suite = suite_create("kaldi");
    TCase *tests = tcase_create("kaldi");
    tcase_add_unchecked_fixture(tests, folder_make, folder_remove);
    tcase_add_test(tests, matrices_of_all_plain_forms_read_as_written);
    tcase_add_test(tests, a_matrix_by_columns_is_interpolated_between_percentiles);
    tcase_add_test(tests, integers_read_in_binary_and_in_text);
    tcase_add_test(tests, a_script_finds_objects_by_offset_and_says_the_range);
    tcase_add_loop_test(tests, a_damaged_matrix_is_refused_by_its_place, 0, LENGTH(bad_matrices));
    tcase_add_loop_test(tests, damaged_integers_are_refused_by_their_place, 0, LENGTH(bad_integers));
    tcase_add_loop_test(tests, a_line_that_is_no_place_is_refused_and_nothing_is_run, 0, LENGTH(bad_lines));
    tcase_add_test(tests, what_is_no_archive_and_places_behind_the_end_are_refused);
    tcase_add_test(tests, symbols_are_classes_in_the_order_of_their_numbers);
    tcase_add_loop_test(tests, a_table_that_leaves_doubt_is_refused, 0, LENGTH(bad_symbols));
    tcase_add_test(tests, marks_are_found_once_ordered_and_keys_that_come_twice);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}

/* Tables that are larger than memory, in files that appear whole or not at all. */
#include "base/memory.h"
#include "h5/table.h"
#include "support/sample.h"
#include "support/suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[256];

static const char *in_folder(const char *name)
{
    static char path[4][512];
    static unsigned next;
    char *out = path[next++ % 4];
    snprintf(out, sizeof path[0], "%s/%s", folder, name);
    return out;
}

static char *read_whole(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    ck_assert_msg(file != NULL, "%s is missing", path);
    ck_assert_int_eq(fseek(file, 0, SEEK_END), 0);
    *size = (size_t)ftell(file);
    rewind(file);
    char *bytes = malloc(*size + 1);
    ck_assert_uint_eq(fread(bytes, 1, *size, file), *size);
    fclose(file);
    return bytes;
}

enum { WIDE = 3 };

static float value(int64_t row, int column)
{
    return (float)(row * 10 + column) / 7;
}

/* outputs [rows][WIDE], labels [rows], scores [rows] as double, written in blocks from the last to the first.
 */
static int write_rows(struct h5_table *table, const size_t column[3], int64_t rows, struct error *error)
{
    enum { MOST = 4099 };
    static float values[MOST][WIDE];
    static int32_t classes[MOST];
    static double doubles[MOST];
    int failed = 0;
    int64_t block = rows < 10000 ? 7 : MOST;
    for (int64_t first = (rows - 1) / block * block; first >= 0; first -= block) {
        int64_t n = rows - first < block ? rows - first : block;
        for (int64_t r = 0; r < n; r++) {
            classes[r] = (int32_t)(first + r);
            doubles[r] = (double)(first + r) / 3;
            for (int c = 0; c < WIDE; c++)
                values[r][c] = value(first + r, c);
        }
        failed |= h5_table_write(table, column[1], first, n, classes, error);
        failed |= h5_table_write(table, column[0], first, n, values, error);
        failed |= h5_table_write(table, column[2], first, n, doubles, error);
    }
    return failed;
}

static void save_table(const char *path, int64_t rows)
{
    struct error error = {0};
    struct h5_table *table = h5_table_create(&error);
    const char *const names[] = {"first", "a second one"};
    size_t column[3];
    ck_assert_ptr_nonnull(table);
    h5_image_attribute_text(h5_table_image(table), "/", "format", "table");
    column[0] = h5_table_add(table, "outputs", H5_FLOAT32, 2, (int64_t[]){rows, WIDE});
    h5_image_texts(h5_table_image(table), "names", 2, names);
    column[1] = h5_table_add(table, "labels", H5_INT32, 1, &rows);
    column[2] = h5_table_add(table, "scores", H5_FLOAT64, 1, &rows);
    ck_assert_msg(h5_table_start(table, path, &error) == 0, "%s", error.text);
    ck_assert_msg(write_rows(table, column, rows, &error) == 0, "%s", error.text);
    ck_assert_msg(h5_table_finish(table, &error) == 0, "%s", error.text);
}

static void check_table(const char *path, int64_t rows)
{
    struct error error = {0};
    struct h5_file *file = h5_open(path, 0, &error);
    char **names, *format;
    ck_assert_msg(file != NULL, "%s", error.text);
    float *values = malloc((size_t)rows * WIDE * sizeof *values);
    int32_t *classes = malloc((size_t)rows * sizeof *classes);
    double *doubles = malloc((size_t)rows * sizeof *doubles);
    ck_assert_int_eq(h5_read_floats(file, "outputs", 0, rows, values, &error), 0);
    ck_assert_int_eq(h5_read_int32(file, "labels", 0, rows, classes, &error), 0);
    ck_assert_int_eq(h5_read_doubles(file, "scores", 0, rows, doubles, &error), 0);
    int64_t wrong = 0;
    for (int64_t r = 0; r < rows; r++) {
        wrong += classes[r] != r || doubles[r] != (double)r / 3;
        for (int c = 0; c < WIDE; c++)
            wrong += values[r * WIDE + c] != value(r, c);
    }
    ck_assert_int_eq(wrong, 0);
    ck_assert_int_eq(h5_read_texts(file, "names", 0, 2, &names, &error), 0);
    ck_assert_str_eq(names[1], "a second one");
    ck_assert_int_eq(h5_attribute_text(file, "/", "format", &format, &error), 1);
    ck_assert_str_eq(format, "table");
    h5_close(file);
    memory_destroy(names);
    memory_destroy(format);
    free(values);
    free(classes);
    free(doubles);
}

START_TEST(a_table_reads_as_it_was_written)
{
    /* around the sizes from which HDF5 places sets by themselves */
    static const int64_t rows[] = {1, 6, 7, 170, 171, 255, 256, 511, 513, 5000, 400000};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        save_table(in_folder("table.h5"), rows[i]);
        check_table(in_folder("table.h5"), rows[i]);
    }
    ck_assert_int_eq(sample_count_files(folder), 1);
    unlink(in_folder("table.h5"));
}
END_TEST

/* `rows` of a column before the start, `late` of another when its rows are written; perhaps none. */
static void check_late(int64_t rows, int64_t late)
{
    struct error error = {0};
    struct h5_table *table = h5_table_create(&error);
    size_t columns = rows ? h5_table_add(table, "early", H5_INT32, 1, &rows) : 0;
    int32_t *values = calloc((size_t)(rows + late + 1), sizeof *values);
    for (int64_t r = 0; r < rows + late; r++)
        values[r] = (int32_t)(r + 1);
    ck_assert_msg(h5_table_start(table, in_folder("late.h5"), &error) == 0, "%s", error.text);
    ck_assert_int_eq(rows ? h5_table_write(table, columns, 0, rows, values, &error) : 0, 0);
    columns = h5_table_add(table, "late", H5_INT32, 1, &late);
    ck_assert_int_eq(h5_table_write(table, columns, 0, late, values + rows, &error), 0);
    ck_assert_msg(h5_table_finish(table, &error) == 0, "%s", error.text);
    struct h5_file *file = h5_open(in_folder("late.h5"), 0, &error);
    ck_assert_msg(file != NULL, "%s", error.text);
    int32_t *read = calloc((size_t)(rows + late + 1), sizeof *read);
    struct h5_shape shape;
    ck_assert_int_eq(h5_look(file, "late", &shape, &error), 0);
    ck_assert_int_eq(shape.size[0], late);
    ck_assert_int_eq(rows ? h5_read_int32(file, "early", 0, rows, read, &error) : 0, 0);
    ck_assert_int_eq(late ? h5_read_int32(file, "late", 0, late, read + rows, &error) : 0, 0);
    ck_assert_int_eq(memcmp(values, read, (size_t)(rows + late) * sizeof *values), 0);
    h5_close(file);
    free(values);
    free(read);
}

START_TEST(a_column_may_come_after_the_start)
{
    static const int64_t rows[] = {0, 1, 300, 3000000}, late[] = {0, 1, 500, 70000};
    for (size_t i = 0; i < 4; i++)
        for (size_t k = 0; k < 4; k++)
            check_late(rows[i], late[k]);
    unlink(in_folder("late.h5"));
}
END_TEST

START_TEST(equal_tables_are_equal_files)
{
    size_t size, other;
    save_table(in_folder("table.h5"), 300);
    save_table(in_folder("again.h5"), 300);
    char *a = read_whole(in_folder("table.h5"), &size), *b = read_whole(in_folder("again.h5"), &other);
    ck_assert_uint_eq(size, other);
    ck_assert_int_eq(memcmp(a, b, size), 0);
    ck_assert_uint_lt(size, 100000); /* no room for what is not there */
    free(a);
    free(b);
    unlink(in_folder("table.h5"));
    unlink(in_folder("again.h5"));
}
END_TEST

/* The table of 2 TB and 2 more finds no room, or has holes; either way it took no memory to begin. */
START_TEST(a_table_larger_than_memory_is_begun_in_little)
{
    struct error error = {0};
    struct rusage before, after;
    const int64_t rows = (int64_t)1 << 32, size[] = {rows, 128};
    float row[128];
    getrusage(RUSAGE_SELF, &before);
    struct h5_table *table = h5_table_create(&error);
    size_t outputs = h5_table_add(table, "outputs", H5_FLOAT32, 2, size);
    size_t more = h5_table_add(table, "more", H5_FLOAT32, 2, size);
    h5_image_texts(h5_table_image(table), "names", 1, (const char *const[]){"small, behind the large ones"});
    if (h5_table_start(table, in_folder("table.h5"), &error) == 0) {
        ck_assert_int_eq(h5_table_write(table, outputs, rows - 1, 1, row, &error), 0);
        ck_assert_int_eq(h5_table_write(table, more, rows - 1, 1, row, &error), 0);
    } else {
        ck_assert_int_eq(error.code, EXIT_CODE_IO);
    }
    h5_table_destroy(table);
    getrusage(RUSAGE_SELF, &after);
    ck_assert_int_lt(after.ru_maxrss - before.ru_maxrss, 20000); /* KiB */
    ck_assert_int_eq(sample_count_files(folder), 0);
}
END_TEST

START_TEST(a_table_without_room_leaves_no_file_and_no_crash)
{
    struct error error = {0};
    sample_limit_files(1000000);
    for (int64_t rows = 100000; rows < 100000000; rows *= 10) {
        struct h5_table *table = h5_table_create(&error);
        h5_table_add(table, "outputs", H5_FLOAT32, 2, (int64_t[]){rows, WIDE});
        ck_assert_int_eq(h5_table_start(table, in_folder("table.h5"), &error), -1);
        ck_assert_int_eq(error.code, EXIT_CODE_IO);
        ck_assert_msg(strstr(error.text, "table.h5"), "%s", error.text);
        h5_table_destroy(table);
        ck_assert_int_eq(sample_count_files(folder), 0);
    }
    sample_limit_files(RLIM_INFINITY);
}
END_TEST

START_TEST(what_the_image_refused_is_said_at_the_start)
{
    struct error error = {0};
    struct h5_table *table = h5_table_create(&error);
    const int64_t rows = 5;
    h5_table_add(table, "labels", H5_INT32, 1, &rows);
    h5_table_add(table, "labels", H5_INT32, 1, &rows);
    ck_assert_int_eq(h5_table_start(table, in_folder("table.h5"), &error), -1);
    ck_assert_int_eq(error.code, EXIT_CODE_INTERNAL);
    ck_assert_msg(strstr(error.text, "labels"), "%s", error.text);
    h5_table_destroy(table);
    h5_table_destroy(NULL);
    ck_assert_int_eq(sample_count_files(folder), 0);
}
END_TEST

int main(void)
{
    sample_make_folder(folder, sizeof folder);
    Suite *suite = suite_create("table");
    TCase *tables = tcase_create("table");
    tcase_add_test(tables, a_table_reads_as_it_was_written);
    tcase_add_test(tables, a_column_may_come_after_the_start);
    tcase_add_test(tables, equal_tables_are_equal_files);
    tcase_add_test(tables, a_table_larger_than_memory_is_begun_in_little);
    tcase_add_test(tables, a_table_without_room_leaves_no_file_and_no_crash);
    tcase_add_test(tables, what_the_image_refused_is_said_at_the_start);
    suite_add_tcase(suite, tables);
    int status = suite_run(suite);
    sample_remove_folder(folder);
    return status;
}

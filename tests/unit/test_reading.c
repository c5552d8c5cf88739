/* What reading costs: memory and bytes of the file, for sets chunked in every way, read as training reads
 * them. The files are made by HDF5 itself, in a process of their own, whose memory does not count. */
#include "h5/h5.h"
#include "support/folder.h"
#include "support/suite.h"

#include <check.h>
#include <hdf5.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* A set of integers [rows, columns] (columns 0: [rows]) of which element i is i. */
struct made {
    hsize_t rows, columns, chunk_rows, chunk_columns; /* chunk_rows 0: in one piece */
    int deflate;
};

static void make_set(const char *path, const struct made *made)
{
    int dimensions = made->columns ? 2 : 1;
    hsize_t width = made->columns ? made->columns : 1, chunk[] = {made->chunk_rows, made->chunk_columns};
    hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    hid_t space = H5Screate_simple(dimensions, (hsize_t[]){made->rows, width}, NULL);
    hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
    if (made->chunk_rows)
        H5Pset_chunk(creation, dimensions, chunk);
    if (made->deflate)
        H5Pset_deflate(creation, 1);
    hid_t set = H5Dcreate2(file, "set", H5T_STD_I32LE, space, H5P_DEFAULT, creation, H5P_DEFAULT);
    int32_t *values = malloc(made->rows * width * sizeof *values);
    for (hsize_t i = 0; i < made->rows * width; i++)
        values[i] = (int32_t)i;
    for (hsize_t first = 0, rows; first < made->rows; first += rows) {
        rows = made->rows - first < 512 ? made->rows - first : 512;
        hid_t memory = H5Screate_simple(dimensions, (hsize_t[]){rows, width}, NULL);
        H5Sselect_hyperslab(
            space, H5S_SELECT_SET, (hsize_t[]){first, 0}, NULL, (hsize_t[]){rows, width}, NULL);
        if (H5Dwrite(set, H5T_NATIVE_INT32, memory, space, H5P_DEFAULT, values + first * width) < 0)
            _exit(1);
        H5Sclose(memory);
    }
    if (H5Dclose(set) < 0 || H5Fclose(file) < 0)
        _exit(1);
}

/* Makes the file in a child, and opens it. */
static struct h5_file *open_made(const struct made *made, size_t cache)
{
    const char *path = in_folder("made.h5");
    pid_t child = fork();
    if (child == 0) {
        make_set(path, made);
        _exit(0);
    }
    int status = 1;
    struct error error = {0};
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    struct h5_file *file = h5_open(path, cache, &error);
    ck_assert_msg(file != NULL, "%s", error.text);
    return file;
}

/* Reads rows and compares them with what was written. */
static void read_well(struct h5_file *file, const struct made *made, int64_t first, int64_t rows)
{
    int64_t width = made->columns ? (int64_t)made->columns : 1;
    int32_t *out = malloc((size_t)(rows * width) * sizeof *out);
    struct error error = {0};
    ck_assert_msg(h5_read_int32(file, "set", first, rows, out, &error) == 0, "%s", error.text);
    int64_t wrong = 0;
    for (int64_t i = 0; i < rows * width; i++)
        wrong += out[i] != (int32_t)(first * width + i);
    free(out);
    ck_assert_int_eq(wrong, 0);
}

/* Sequences of 50 rows, far apart from one to the next: no chunk is read to its end soon. */
static void read_shuffled(struct h5_file *file, const struct made *made, int64_t sequences)
{
    int64_t all = (int64_t)made->rows / 50;
    for (int64_t s = 0; s < sequences; s++)
        read_well(file, made, s * 7919 % all * 50, 50);
}

static long resident_kibibytes(void)
{
    long pages = 0, whole = 0;
    FILE *statm = fopen("/proc/self/statm", "r");
    ck_assert_ptr_nonnull(statm);
    ck_assert_int_eq(fscanf(statm, "%ld %ld", &whole, &pages), 2);
    fclose(statm);
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

#if defined(__SANITIZE_ADDRESS__)
enum { MEMORY_IS_OURS = 0 }; /* the sanitizer keeps what was freed */
#else
enum { MEMORY_IS_OURS = 1 };
#endif

START_TEST(shuffled_reading_takes_no_more_memory_than_the_cache)
{
    const struct made made = {.rows = 1 << 18,
        .columns = 64,
        .chunk_rows = 512,
        .chunk_columns = 64,
        .deflate = 1}; /* 32 MiB in chunks of 128 KiB */
    struct h5_file *file = open_made(&made, 8 << 20);
    read_well(file, &made, 0, 50);
    long before = resident_kibibytes();
    read_shuffled(file, &made, 700);
    if (MEMORY_IS_OURS)
        ck_assert_int_lt(resident_kibibytes() - before, 12 << 10);
    h5_close(file);
}
END_TEST

START_TEST(chunks_of_one_row_take_no_memory_for_each)
{
    const struct made all[] = {{.rows = 40000, .chunk_rows = 1},
        {.rows = 40000, .chunk_rows = 1, .deflate = 1},
        {.rows = 3, .columns = 30000, .chunk_rows = 1, .chunk_columns = 1}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        struct h5_file *file = open_made(&all[i], 1 << 20);
        read_well(file, &all[i], 0, 1);
        long before = resident_kibibytes();
        read_well(file, &all[i], 0, (int64_t)all[i].rows);
        if (MEMORY_IS_OURS)
            ck_assert_int_lt(resident_kibibytes() - before, 16 << 10);
        h5_close(file);
    }
}
END_TEST

/* Bytes that this process has read, and -1 where the system does not count them. */
static long bytes_read(void)
{
    long bytes = -1;
    FILE *io = fopen("/proc/self/io", "r");
    if (!io || fscanf(io, "rchar: %ld", &bytes) != 1)
        bytes = -1;
    if (io)
        fclose(io);
    return bytes;
}

START_TEST(a_sequence_costs_its_own_bytes)
{
    const struct made all[] = {{.rows = 500000, .columns = 1},
        {.rows = 500000, .columns = 1, .chunk_rows = 65536, .chunk_columns = 1}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        struct h5_file *file = open_made(&all[i], 1 << 20);
        read_well(file, &all[i], 0, 1);
        long before = bytes_read();
        read_shuffled(file, &all[i], 1000);
        if (before >= 0)
            ck_assert_int_lt(bytes_read() - before, 1000 * 50 * 4 + (16 << 10));
        h5_close(file);
    }
}
END_TEST

START_TEST(sets_read_alike_however_they_are_cut_into_chunks)
{
    enum { ROWS = 300, COLUMNS = 37 };
    const hsize_t cuts[][2] = {{1, 1}, {1, COLUMNS}, {7, 5}, {ROWS, 1}, {ROWS, COLUMNS}, {64, 36}, {299, 2}};
    for (size_t i = 0; i < 2 * sizeof cuts / sizeof *cuts; i++) {
        const struct made made = {ROWS, COLUMNS, cuts[i / 2][0], cuts[i / 2][1], i % 2};
        struct h5_file *file = open_made(&made, i * 1000);
        for (int64_t first = 0; first < ROWS; first += 59)
            for (int64_t rows = 1; rows <= ROWS - first; rows += 80)
                read_well(file, &made, first, rows);
        read_well(file, &made, 0, ROWS);
        h5_close(file);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("reading");
    TCase *tcase = tcase_create("reading");
    tcase_add_checked_fixture(tcase, folder_make, folder_remove);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, shuffled_reading_takes_no_more_memory_than_the_cache);
    tcase_add_test(tcase, chunks_of_one_row_take_no_memory_for_each);
    tcase_add_test(tcase, a_sequence_costs_its_own_bytes);
    tcase_add_test(tcase, sets_read_alike_however_they_are_cut_into_chunks);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}

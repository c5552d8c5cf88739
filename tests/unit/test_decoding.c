/* How often the chunks of a compressed file are decompressed in an epoch, counted by a filter beside deflate,
 * and what --check and --plan say of it. Ranks are played one after the other, each with a file and a cache
 * of its own.
 *
 *     test_decoding          a file of 16 MiB, a cache of 1 MiB
 *     test_decoding large    a file of 1 GiB, a cache of 64 MiB */
#include "base/memory.h"
#include "base/random.h"
#include "data/plan.h"
#include "plan/decoding.h"
#include "run/sets.h"
#include "support/sample.h"
#include "support/suite.h"

#include <check.h>
#include <hdf5.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FEATURES = 4, CLASSES = 3, FILTER = 300 /* a number for tests */, MOST_CHUNKS = 4096 };

static char folder[256], path[300];

/* Of the case at hand. */
static struct {
    size_t bytes, cache; /* of the inputs in the file, decoded; data.cache */
    hsize_t rows;        /* of a chunk of either set */
    int deflate;         /* level; 0: the filter alone, which is quicker */
} scale = {16 << 20, 1 << 20, 1 << 10, 0};

/* ---- a filter that counts ---- */

static unsigned serial;                  /* of the chunk that is written next */
static unsigned decoded[2][MOST_CHUNKS]; /* times; of inputs, of targets */
static int is_counting;

/* Before deflate it writes a chunk's number behind it, and finds it there afterwards. */
static size_t count_chunk(
    unsigned flags, size_t values, const unsigned value[], size_t bytes, size_t *room, void **chunk)
{
    unsigned number;
    if (flags & H5Z_FLAG_REVERSE) {
        memcpy(&number, (char *)*chunk + bytes - sizeof number, sizeof number);
        decoded[value[0]][number] += (unsigned)is_counting;
        return bytes - sizeof number;
    }
    char *longer = H5resize_memory(*chunk, bytes + sizeof number);
    ck_assert_ptr_nonnull(longer);
    memcpy(longer + bytes, &serial, sizeof serial);
    serial++;
    *chunk = longer;
    *room = bytes + sizeof number;
    return bytes + sizeof number;
}

static const H5Z_class2_t counter = {H5Z_CLASS_T_VERS, FILTER, 1, 1, "counter", NULL, NULL, count_chunk};

/* ---- the file ---- */

static hid_t create_set(hid_t file, const char *name, hid_t type, int64_t rows, hsize_t width, unsigned which)
{
    hsize_t size[] = {(hsize_t)rows, width}, chunk[] = {scale.rows, width};
    int dimensions = width > 1 ? 2 : 1;
    hid_t space = H5Screate_simple(dimensions, size, NULL), creation = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_chunk(creation, dimensions, chunk);
    H5Pset_filter(creation, FILTER, 0, 1, &which);
    if (scale.deflate)
        H5Pset_deflate(creation, (unsigned)scale.deflate);
    hid_t set = H5Dcreate2(file, name, type, space, H5P_DEFAULT, creation, H5P_DEFAULT);
    ck_assert_int_ge(set, 0);
    H5Pclose(creation);
    H5Sclose(space);
    return set;
}

/* Writes rows chunk by chunk, in order: chunk n of a set gets number n. */
static void write_set(hid_t file, const char *name, int64_t rows, hsize_t width, unsigned which)
{
    int floats = which == 0;
    hid_t type = floats ? H5T_NATIVE_FLOAT : H5T_NATIVE_INT32;
    hid_t set = create_set(file, name, type, rows, width, which), space = H5Dget_space(set);
    float *values = calloc(scale.rows * width, sizeof *values);
    ck_assert_ptr_nonnull(values);
    serial = 0;
    for (hsize_t first = 0; first < (hsize_t)rows; first += scale.rows) {
        hsize_t left = (hsize_t)rows - first, start[] = {first, 0};
        hsize_t count[] = {left < scale.rows ? left : scale.rows, width};
        for (hsize_t i = 0; floats && i < count[0] * width; i++)
            values[i] = (float)((first + i) * 2654435761u % 1000) / 256;
        hid_t memory = H5Screate_simple(width > 1 ? 2 : 1, count, NULL);
        H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, count, NULL);
        ck_assert_int_ge(H5Dwrite(set, type, memory, space, H5P_DEFAULT, values), 0);
        H5Sclose(memory);
    }
    if (!floats) {
        int32_t classes = CLASSES;
        hid_t scalar = H5Screate(H5S_SCALAR);
        hid_t attribute = H5Acreate2(set, "n_classes", H5T_STD_I32LE, scalar, H5P_DEFAULT, H5P_DEFAULT);
        H5Awrite(attribute, H5T_NATIVE_INT32, &classes);
        H5Aclose(attribute);
        H5Sclose(scalar);
    }
    free(values);
    H5Sclose(space);
    ck_assert_int_ge(H5Dclose(set), 0);
    ck_assert_uint_le(serial, MOST_CHUNKS);
}

static void write_text(hid_t file, const char *name, const char *text)
{
    hid_t type = H5Tcopy(H5T_C_S1), scalar = H5Screate(H5S_SCALAR);
    H5Tset_size(type, strlen(text));
    hid_t attribute = H5Acreate2(file, name, type, scalar, H5P_DEFAULT, H5P_DEFAULT);
    ck_assert_int_ge(H5Awrite(attribute, type, text), 0);
    H5Aclose(attribute);
    H5Tclose(type);
    H5Sclose(scalar);
}

/* Sequences of 5 to 15 frames: some 100 in a chunk of 1024 rows, 6,500 in one of 65,536. */
static void write_file(void)
{
    int64_t frames = (int64_t)(scale.bytes / FEATURES / sizeof(float)), sequences = 0, n = 0;
    int64_t *offsets = malloc(((size_t)frames / 5 + 2) * sizeof *offsets);
    int32_t version = 1;
    ck_assert_int_ge(H5Zregister(&counter), 0);
    ck_assert_ptr_nonnull(offsets);
    offsets[0] = 0;
    while (n < frames) {
        n += 5 + (int64_t)random_below(11, 3, RANDOM_TEST, 0, (uint64_t)sequences);
        offsets[++sequences] = n < frames ? n : frames;
    }
    hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT), scalar = H5Screate(H5S_SCALAR);
    write_text(file, "format", "rnn-train dataset");
    hid_t attribute = H5Acreate2(file, "format_version", H5T_STD_I32LE, scalar, H5P_DEFAULT, H5P_DEFAULT);
    H5Awrite(attribute, H5T_NATIVE_INT32, &version);
    H5Aclose(attribute);
    write_set(file, "inputs", frames, FEATURES, 0);
    write_set(file, "targets", frames, 1, 1);
    hsize_t size = (hsize_t)sequences + 1;
    hid_t space = H5Screate_simple(1, &size, NULL);
    hid_t set =
        H5Dcreate2(file, "input_offsets", H5T_STD_I64LE, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    ck_assert_int_ge(H5Dwrite(set, H5T_NATIVE_INT64, H5S_ALL, H5S_ALL, H5P_DEFAULT, offsets), 0);
    H5Dclose(set);
    H5Sclose(space);
    H5Sclose(scalar);
    ck_assert_int_ge(H5Fclose(file), 0);
    free(offsets);
}

/* ---- reading an epoch ---- */

enum { MOST_RANKS = 3 };

static struct dataset *open_set(void)
{
    struct error error = {0};
    struct dataset *dataset = dataset_open(path, scale.cache, &error);
    ck_assert_msg(dataset != NULL, "%s", error.text);
    ck_assert(!dataset_is_kept(dataset));
    return dataset;
}

static void read_leaves(struct dataset *dataset, const struct plan_step *step, const size_t *ranges,
    struct microbatch *microbatch)
{
    struct error error = {0};
    for (size_t leaf = ranges[0]; leaf < ranges[1]; leaf++)
        ck_assert_msg(dataset_read_microbatch(dataset, step->start[leaf + 1] - step->start[leaf],
                          step->sequence + step->start[leaf], NULL, NULL, microbatch, &error) == 0,
            "%s", error.text);
}

/* Goes through an epoch as `rank` of `ranks`, and returns the times that a chunk of each set was
 * decompressed, and *most of any. */
static struct decoding read_epoch(const struct config *config, size_t rank, size_t ranks, unsigned *most)
{
    struct dataset *dataset = open_set();
    struct error error = {0};
    struct plan plan;
    struct plan_step step = {0};
    struct microbatch microbatch;
    size_t ranges[MOST_RANKS + 1];
    int32_t *length = malloc((size_t)dataset->sequences * sizeof *length);
    const struct plan_order order = sets_describe_order(config, dataset);
    dataset_write_lengths(dataset, length);
    microbatch_init(&microbatch);
    ck_assert_int_eq(plan_init(&plan, dataset->sequences, length, config->train.batch,
                         config->train.microbatch, config->train.seed, &error),
        0);
    ck_assert_int_eq(plan_set_order(&plan, &order, &error), 0);
    plan_set_epoch(&plan, 1);
    memset(decoded, 0, sizeof decoded);
    is_counting = 1;
    for (int64_t k = 0; k < plan.steps; k++) {
        ck_assert_int_eq(plan_make_step(&plan, k, &step, &error), 0);
        plan_cut(&step, ranks, ranges);
        read_leaves(dataset, &step, ranges + rank, &microbatch);
    }
    is_counting = 0;
    double sum[2] = {0}, chunks = (double)((dataset->frames - 1) / (int64_t)scale.rows + 1);
    *most = 0;
    for (int set = 0; set < 2; set++)
        for (size_t c = 0; c < MOST_CHUNKS; c++) {
            sum[set] += decoded[set][c];
            *most = decoded[set][c] > *most ? decoded[set][c] : *most;
        }
    plan_step_finish(&step);
    plan_finish(&plan);
    microbatch_finish(&microbatch);
    dataset_close(dataset);
    free(length);
    return (struct decoding){sum[0] / chunks, sum[1] / chunks};
}

static void make_config(struct config *config, enum shuffle shuffle)
{
    config_init(config);
    config->data.cache = scale.cache;
    config->data.shuffle = shuffle;
    config->data.window = scale.cache / 4;
    config->train.batch = 64;
    config->train.microbatch = 8;
}

static void ck_assert_near(double is, double want)
{
    ck_assert_msg(is > 0.97 * want && is < 1.03 * want, "%g, not %g", is, want);
}

/* What is predicted of the first rank is what was counted there. */
static void check_survey(const struct config *config, size_t ranks, const struct decoding *counted)
{
    struct error error = {0};
    struct decoding decoding;
    struct dataset *dataset = open_set();
    ck_assert_msg(decoding_survey(config, dataset, ranks, &decoding, &error) == 0, "%s", error.text);
    ck_assert_near(decoding.inputs, counted->inputs);
    ck_assert_near(decoding.targets, counted->targets);
    dataset_close(dataset);
}

static long get_resident_peak(void)
{
    struct rusage usage;
    ck_assert_int_eq(getrusage(RUSAGE_SELF, &usage), 0);
    return usage.ru_maxrss * 1024L;
}

/* Memory of one rank: what it keeps of the file, and 20 bytes a sequence of 160 for offsets, lengths and the
 * order. Blocks that HDF5 decompresses into are larger than the chunks, by up to twice. */
static void expect_bounded(void)
{
    long most = (long)(2 * scale.cache + scale.bytes / 8) + (24L << 20);
    if (!SUITE_IS_SANITIZED)
        ck_assert_int_le(get_resident_peak(), most);
}

/* Each rank of a host has a cache of its own, and decompresses a chunk little more than once. */
START_TEST(windows_decompress_a_chunk_at_most_1_2_times_an_epoch_on_each_rank)
{
    struct config config;
    make_config(&config, SHUFFLE_WINDOWS);
    for (size_t ranks = 1; ranks <= MOST_RANKS; ranks += 2)
        for (size_t rank = 0; rank < ranks; rank++) {
            unsigned most;
            struct decoding counted = read_epoch(&config, rank, ranks, &most);
            printf("windows, rank %zu of %zu: inputs %.3f, targets %.3f, any chunk at most %u; %ld MiB\n",
                rank, ranks, counted.inputs, counted.targets, most, get_resident_peak() >> 20);
            if (ranks == 1)
                expect_bounded();
            ck_assert_double_ge(counted.inputs, 1);
            ck_assert_double_le(counted.inputs, 1.2);
            ck_assert_double_le(counted.targets, 1.2);
            ck_assert_uint_le(most, 3);
            if (rank == 0)
                check_survey(&config, ranks, &counted);
        }
    config_finish(&config);
}
END_TEST

START_TEST(the_order_of_the_file_decompresses_each_chunk_once)
{
    struct config config;
    unsigned most;
    make_config(&config, SHUFFLE_NONE);
    struct decoding counted = read_epoch(&config, 0, 1, &most);
    ck_assert_double_le(counted.inputs, 1.01);
    ck_assert_uint_le(most, 2);
    check_survey(&config, 1, &counted);
    config_finish(&config);
}
END_TEST

START_TEST(a_full_shuffle_is_told_from_windows_and_these_are_advised)
{
    struct config config;
    struct error error = {0};
    char text[900], *window;
    unsigned most;
    make_config(&config, SHUFFLE_FULL);
    struct decoding counted = read_epoch(&config, 0, 1, &most), decoding;
    printf("full: inputs %.1f, targets %.1f\n", counted.inputs, counted.targets);
    ck_assert_double_gt(counted.inputs, 50);
    check_survey(&config, 1, &counted);
    struct dataset *dataset = open_set();
    ck_assert_int_eq(decoding_advise(&config, dataset, 1, &counted, text, sizeof text, &error), 1);
    ck_assert_msg(strstr(text, path) && strstr(text, "data.shuffle = windows with data.window = ") &&
            strstr(text, "data.cache = 21 MiB keeps all") && strstr(text, "rnn-data repack"),
        "%s", text);
    window = strstr(text, "data.window = ") + strlen("data.window = ");
    config.data.shuffle = SHUFFLE_WINDOWS;
    *strstr(window, " makes") = 0;
    ck_assert_int_eq(number_read_bytes(window, &config.data.window), NUMBER_OK);
    printf("advised: %s\n", window);
    counted = read_epoch(&config, 0, 1, &most);
    ck_assert_double_le(counted.inputs, 1.2);
    ck_assert_double_le(counted.targets, 1.2);
    ck_assert_int_eq(decoding_survey(&config, dataset, 1, &decoding, &error), 0);
    ck_assert_int_eq(decoding_advise(&config, dataset, 1, &decoding, text, sizeof text, &error), 0);
    dataset_close(dataset);
    config_finish(&config);
}
END_TEST

int main(int argc, char **argv)
{
    Suite *suite = suite_create("decoding");
    TCase *cases = tcase_create("decoding");
    int large = argc > 1 && strcmp(argv[1], "large") == 0;
    if (large) {
        scale.bytes = (size_t)1 << 30;
        scale.cache = 64 << 20;
        scale.rows = 1 << 16;
        scale.deflate = 1;
    }
    sample_make_folder(folder, sizeof folder);
    snprintf(path, sizeof path, "%s/set.h5", folder);
    tcase_add_unchecked_fixture(cases, write_file, NULL);
    tcase_set_timeout(cases, large ? 3000 : 100);
    tcase_add_test(cases, windows_decompress_a_chunk_at_most_1_2_times_an_epoch_on_each_rank);
    if (!large) {
        tcase_add_test(cases, the_order_of_the_file_decompresses_each_chunk_once);
        tcase_add_test(cases, a_full_shuffle_is_told_from_windows_and_these_are_advised);
    }
    suite_add_tcase(suite, cases);
    int status = suite_run(suite);
    sample_remove_folder(folder);
    return status;
}

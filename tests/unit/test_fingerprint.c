/* Fingerprints: the same values have the same, whoever reads them, when and from what file; others have
 * others. */
#include "base/memory.h"
#include "data/dataset.h"
#include "data/fingerprint.h"
#include "support/folder.h"
#include "support/sample.h"
#include "support/suite.h"

#include <hdf5.h>
#include <stdio.h>
#include <string.h>

enum { BLOCK = 1 << 20 }; /* values of 4 bytes in a block of 4 MiB */

static struct dataset *open_well(const char *path, size_t cache)
{
    struct error error = {0};
    struct dataset *dataset = dataset_open(path, cache, &error);
    ck_assert_msg(dataset != NULL, "%s", error.text);
    ck_assert_int_eq(dataset_is_kept(dataset), cache > 0);
    return dataset;
}

static void look_on(const void *context)
{
    (void)context;
}

/* What a rank has noted of an epoch: every `step`th sequence from `first` on. */
static void note_sequences(struct value_sums *sums, int64_t first, int64_t step)
{
    struct microbatch microbatch;
    struct error error = {0};
    struct dataset *dataset = sums->dataset;
    microbatch_init(&microbatch);
    dataset->sums = sums;
    for (int64_t s = first; s < dataset->sequences; s += step)
        ck_assert_msg(
            dataset_read_microbatch(dataset, 1, &s, NULL, NULL, &microbatch, &error) == 0, "%s", error.text);
    dataset->sums = NULL;
    microbatch_finish(&microbatch);
}

static void add_up(const struct value_sums *sums, size_t ranks, uint64_t *total)
{
    memset(total, 0, value_sums_count(sums) * sizeof *total);
    for (size_t r = 0; r < ranks; r++)
        for (size_t i = 0; i < value_sums_count(sums); i++)
            total[i] += sums[r].sum[i];
}

static void hand_out(struct value_sums *sums, size_t ranks, const uint64_t *total)
{
    for (size_t r = 0; r < ranks; r++)
        memcpy(sums[r].sum, total, value_sums_count(sums) * sizeof *total);
}

/* The fingerprint as so many ranks make it together, each from a dataset of its own: after an epoch in which
 * every rank has read some sequences (note > 0: every note-th sequence is read by some rank), or none. */
static struct fingerprint take_shared(const char *path, size_t cache, size_t ranks, int64_t note)
{
    struct value_sums sums[8] = {0};
    struct error error = {0};
    struct fingerprint print = {0};
    for (size_t r = 0; r < ranks; r++) {
        ck_assert_int_eq(value_sums_init(&sums[r], open_well(path, cache), &error), 0);
        if (note)
            note_sequences(&sums[r], (int64_t)r * note, (int64_t)ranks * note);
    }
    uint64_t *total = memory_create(value_sums_count(sums), sizeof *total, &error);
    add_up(sums, ranks, total);
    hand_out(sums, ranks, total);
    for (size_t r = 0; r < ranks; r++)
        ck_assert_int_eq(value_sums_read_missing(&sums[r], r, ranks, look_on, NULL, &error), 0);
    add_up(sums, ranks, total);
    hand_out(sums, 1, total);
    ck_assert_int_eq(dataset_take_sample(sums[0].dataset, 1, &print, &error), 0);
    ck_assert_int_eq(print.complete, 0);
    value_sums_take(&sums[0], &print);
    ck_assert_int_eq(print.complete, 1);
    for (size_t r = 0; r < ranks; r++) {
        struct dataset *dataset = sums[r].dataset;
        value_sums_finish(&sums[r]);
        dataset_close(dataset);
    }
    memory_destroy(total);
    return print;
}

static struct fingerprint take(const char *path)
{
    return take_shared(path, 0, 1, 0);
}

static void expect_equal(const struct fingerprint *a, const struct fingerprint *b)
{
    ck_assert_uint_eq(a->shape, b->shape);
    ck_assert_uint_eq(a->sample, b->sample);
    ck_assert_uint_eq(a->inputs, b->inputs);
    ck_assert_uint_eq(a->targets, b->targets);
}

/* ---- who reads ---- */

static const struct sample_shape shapes[] = {
    /* inputs of three blocks and a half, whose ends lie in the midst of sequences, and targets of less than
       one */
    {.sequences = 700,
        .shortest = 700,
        .longest = 1400,
        .features = 5,
        .kind = SAMPLE_PER_FRAME,
        .classes = 7},
    {.sequences = 40, .shortest = 1, .longest = 9, .symbols = 4, .kind = SAMPLE_ANY, .values = 3},
    {.sequences = 3,
        .shortest = 1,
        .longest = 3,
        .features = BLOCK / 2,
        .kind = SAMPLE_PER_SEQUENCE,
        .classes = 2},
    {.sequences = 2,
        .shortest = 2,
        .longest = 2,
        .symbols = 3,
        .kind = SAMPLE_PER_FRAME,
        .values = BLOCK + 1},
    {.sequences = 1, .shortest = 1, .longest = 1, .features = 1, .kind = SAMPLE_NO_TARGETS}};

START_TEST(a_fingerprint_does_not_depend_on_how_many_share_the_blocks_or_keep_the_set)
{
    struct sample sample;
    sample_init(&sample, &shapes[_i], 3);
    sample_write(&sample, in_folder("set.h5"));
    sample_finish(&sample);
    const struct fingerprint alone = take(in_folder("set.h5"));
    for (size_t ranks = 2; ranks <= 8; ranks += 3) {
        const struct fingerprint together =
            take_shared(in_folder("set.h5"), ranks == 5 ? SIZE_MAX : 0, ranks, 0);
        expect_equal(&alone, &together);
    }
}
END_TEST

START_TEST(a_fingerprint_that_an_epoch_begins_is_completed_to_that_of_one_reading)
{
    static const struct {
        size_t ranks;
        int64_t note; /* every note-th sequence was read; the rest is missing */
    } epochs[] = {{1, 1}, {3, 1}, {1, 2}, {2, 300}, {4, 7}};
    struct sample sample;
    sample_init(&sample, &shapes[_i], 3);
    sample_write(&sample, in_folder("set.h5"));
    sample_finish(&sample);
    const struct fingerprint alone = take(in_folder("set.h5"));
    for (size_t i = 0; i < sizeof epochs / sizeof *epochs; i++) {
        const struct fingerprint noted = take_shared(in_folder("set.h5"), 0, epochs[i].ranks, epochs[i].note);
        expect_equal(&alone, &noted);
    }
}
END_TEST

/* As where a run stops in its first epoch: what was noted is no part of the checkpoint. */
START_TEST(what_was_noted_before_a_stop_is_forgotten_and_read_again)
{
    struct sample sample;
    struct value_sums sums;
    struct fingerprint print = {0};
    struct error error = {0};
    sample_init(&sample, &shapes[0], 3);
    sample_write(&sample, in_folder("set.h5"));
    sample_finish(&sample);
    const struct fingerprint alone = take(in_folder("set.h5"));
    ck_assert_int_eq(value_sums_init(&sums, open_well(in_folder("set.h5"), 0), &error), 0);
    note_sequences(&sums, 0, 2);
    value_sums_clear(&sums);
    note_sequences(&sums, 1, 2);
    ck_assert_int_eq(value_sums_read_missing(&sums, 0, 1, look_on, NULL, &error), 0);
    value_sums_take(&sums, &print);
    ck_assert(print.inputs == alone.inputs && print.targets == alone.targets);
    struct dataset *dataset = sums.dataset;
    value_sums_finish(&sums);
    dataset_close(dataset);
}
END_TEST

/* ---- from what file ---- */

/* How a file stores inputs [rows] of symbols. */
struct layout {
    hsize_t chunk; /* 0: in one piece */
    int deflate, shuffle;
    hid_t type;
};

static void write_symbols(const char *path, hsize_t rows, const struct layout *layout)
{
    struct error error = {0};
    int32_t *symbols = memory_create(rows, sizeof *symbols, &error);
    for (hsize_t r = 0; r < rows; r++)
        symbols[r] = (int32_t)(r * r % 101);
    const struct sample_shape shape = {.sequences = 3,
        .shortest = 1,
        .longest = 1,
        .symbols = 101,
        .kind = SAMPLE_PER_SEQUENCE,
        .classes = 3};
    struct sample sample;
    sample_init(&sample, &shape, 1);
    const int64_t offsets[] = {0, 1, (int64_t)rows - 1, (int64_t)rows};
    memcpy(sample.input_offsets, offsets, sizeof offsets);
    struct h5_image *image = sample_image(&sample, "inputs");
    sample_save(image, path);
    sample_finish(&sample);
    hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT), creation = H5Pcreate(H5P_DATASET_CREATE);
    if (layout->chunk)
        H5Pset_chunk(creation, 1, &layout->chunk);
    if (layout->shuffle)
        H5Pset_shuffle(creation);
    if (layout->deflate)
        H5Pset_deflate(creation, 1);
    hid_t space = H5Screate_simple(1, &rows, NULL), scalar = H5Screate(H5S_SCALAR);
    hid_t set = H5Dcreate2(file, "inputs", layout->type, space, H5P_DEFAULT, creation, H5P_DEFAULT);
    ck_assert(H5Dwrite(set, H5T_NATIVE_INT32, H5S_ALL, H5S_ALL, H5P_DEFAULT, symbols) >= 0);
    hid_t limit = H5Acreate2(set, "n_symbols", H5T_STD_I32LE, scalar, H5P_DEFAULT, H5P_DEFAULT);
    ck_assert(H5Awrite(limit, H5T_NATIVE_INT32, &shape.symbols) >= 0 && H5Aclose(limit) >= 0);
    ck_assert(H5Dclose(set) >= 0 && H5Sclose(space) >= 0 && H5Sclose(scalar) >= 0);
    ck_assert(H5Pclose(creation) >= 0 && H5Fclose(file) >= 0);
    memory_destroy(symbols);
}

START_TEST(a_fingerprint_does_not_depend_on_chunks_compression_or_type)
{
    const struct layout layouts[] = {{0, 0, 0, H5T_STD_I32LE}, {1000, 0, 0, H5T_STD_I32LE},
        {77777, 1, 0, H5T_STD_I32LE}, {BLOCK, 1, 1, H5T_STD_I64LE}, {BLOCK + 1, 0, 0, H5T_STD_U8LE},
        {0, 0, 0, H5T_STD_I16BE}};
    write_symbols(in_folder("first.h5"), BLOCK + 5, &layouts[0]);
    write_symbols(in_folder("other.h5"), BLOCK + 5, &layouts[_i]);
    const struct fingerprint first = take(in_folder("first.h5"));
    const struct fingerprint other = take(in_folder("other.h5")),
                             shared = take_shared(in_folder("other.h5"), 0, 2, 2);
    expect_equal(&first, &other);
    expect_equal(&first, &shared);
}
END_TEST

/* ---- which values ---- */

/* Two sequences, of one frame and of the rest, and targets that are real values or none. */
static void make_rows(struct sample *sample, int64_t rows, size_t features, int targets)
{
    const struct sample_shape shape = {.sequences = 2,
        .shortest = (int32_t)(rows / 2),
        .longest = (int32_t)(rows / 2),
        .features = features,
        .kind = targets ? SAMPLE_PER_SEQUENCE : SAMPLE_NO_TARGETS,
        .values = (size_t)targets};
    sample_init(sample, &shape, 1);
    if (rows % 2 == 0)
        return;
    /* one frame more than two equal sequences have */
    struct error error = {0};
    float *inputs = memory_create((size_t)rows * features, sizeof *inputs, &error);
    memcpy(inputs, sample->inputs, (size_t)(rows - 1) * features * sizeof *inputs);
    memory_destroy(sample->inputs);
    sample->inputs = inputs;
    sample->frames = sample->input_offsets[2] = rows;
}

/* Whether the fingerprint of inputs is another once bit `bit` of value i is another. */
static void expect_sensitive(struct sample *sample, size_t i, uint32_t bit, const struct fingerprint *before)
{
    uint32_t bits;
    float kept = sample->inputs[i];
    memcpy(&bits, &kept, sizeof bits);
    bits ^= bit;
    memcpy(&sample->inputs[i], &bits, sizeof bits);
    sample_write(sample, in_folder("set.h5"));
    const struct fingerprint after = take(in_folder("set.h5"));
    ck_assert_msg(after.inputs != before->inputs, "value %zu", i);
    ck_assert(after.targets == before->targets && after.shape == before->shape);
    sample->inputs[i] = kept;
}

START_TEST(a_value_counts_before_at_and_after_the_end_of_a_block)
{
    static const int64_t rows[] = {BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK, 2 * BLOCK + 1};
    struct sample sample;
    struct value_sums sums;
    struct error error = {0};
    make_rows(&sample, rows[_i], 1, 1);
    sample_write(&sample, in_folder("set.h5"));
    const struct fingerprint before = take(in_folder("set.h5"));
    ck_assert_int_eq(value_sums_init(&sums, open_well(in_folder("set.h5"), 0), &error), 0);
    ck_assert_uint_eq(sums.inputs, (size_t)((rows[_i] + BLOCK - 1) / BLOCK));
    ck_assert_uint_eq(sums.targets, 1);
    ck_assert_uint_eq(value_sums_count(&sums), 2 * (sums.inputs + 1));
    struct dataset *dataset = sums.dataset;
    value_sums_finish(&sums);
    dataset_close(dataset);
    const size_t places[] = {0, BLOCK - 2, BLOCK - 1, BLOCK, (size_t)rows[_i] - 1};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        if (places[i] < (size_t)rows[_i])
            expect_sensitive(&sample, places[i], 1, &before);
    sample_finish(&sample);
}
END_TEST

/* Equal is what has the same 32 bits: 0 and -0 differ, and so do two NaNs of other payloads. */
START_TEST(values_are_equal_where_their_bits_are)
{
    struct sample sample;
    uint32_t nan = 0x7fc00001;
    make_rows(&sample, 4, 3, 0);
    sample.inputs[5] = 0;
    memcpy(&sample.inputs[7], &nan, sizeof nan);
    sample_write(&sample, in_folder("set.h5"));
    const struct fingerprint before = take(in_folder("set.h5")), again = take(in_folder("set.h5"));
    expect_equal(&before, &again); /* a NaN is equal to itself */
    expect_sensitive(&sample, 5, UINT32_C(1) << 31, &before);
    expect_sensitive(&sample, 7, 2, &before);
    expect_sensitive(&sample, 7, UINT32_C(1) << 31, &before);
    sample_finish(&sample);
}
END_TEST

/* The sum over pieces does not depend on their order, but each has its place in it. */
START_TEST(rows_that_change_places_are_other_data)
{
    struct sample sample;
    make_rows(&sample, 6, 1, 0);
    sample_write(&sample, in_folder("set.h5"));
    const struct fingerprint before = take(in_folder("set.h5"));
    for (int i = 0; i < 3; i++) { /* the two sequences change places */
        float kept = sample.inputs[i];
        sample.inputs[i] = sample.inputs[i + 3];
        sample.inputs[i + 3] = kept;
    }
    sample_write(&sample, in_folder("set.h5"));
    const struct fingerprint after = take(in_folder("set.h5"));
    ck_assert_uint_eq(after.shape, before.shape);
    ck_assert_uint_ne(after.inputs, before.inputs);
    ck_assert_uint_ne(after.sample, before.sample);
    sample_finish(&sample);
}
END_TEST

START_TEST(the_same_values_in_other_sequences_are_of_another_shape)
{
    struct sample sample;
    make_rows(&sample, 6, 2, 1);
    sample_write(&sample, in_folder("set.h5"));
    const struct fingerprint before = take(in_folder("set.h5"));
    sample.input_offsets[1]++;
    sample_write(&sample, in_folder("set.h5"));
    const struct fingerprint after = take(in_folder("set.h5"));
    ck_assert_uint_ne(after.shape, before.shape);
    sample_finish(&sample);
}
END_TEST

/* The sample is all of a set as small as this. */
START_TEST(targets_and_their_offsets_count_as_inputs_do)
{
    struct sample sample;
    sample_init(&sample, &shapes[1], 3);
    sample_write(&sample, in_folder("set.h5"));
    const struct fingerprint before = take(in_folder("set.h5"));
    sample.values[4] += 1;
    sample_write(&sample, in_folder("set.h5"));
    const struct fingerprint value = take(in_folder("set.h5"));
    ck_assert(value.shape == before.shape && value.inputs == before.inputs);
    ck_assert(value.targets != before.targets && value.sample != before.sample);
    sample.values[4] -= 1;
    int64_t s = 1;
    while (sample.target_offsets[s] == sample.target_offsets[s + 1])
        s++;
    sample.target_offsets[s]++; /* a target goes from one sequence to the one before */
    sample_write(&sample, in_folder("set.h5"));
    const struct fingerprint offset = take(in_folder("set.h5"));
    ck_assert(offset.shape != before.shape && offset.inputs == before.inputs);
    sample_finish(&sample);
}
END_TEST

START_TEST(a_set_without_targets_or_with_none_in_any_sequence_has_a_fingerprint)
{
    struct sample sample;
    const struct sample_shape shape = {
        .sequences = 4, .shortest = 2, .longest = 2, .features = 1, .kind = SAMPLE_ANY, .classes = 3};
    sample_init(&sample, &shape, 1);
    memset(sample.target_offsets, 0, 5 * sizeof *sample.target_offsets);
    sample.targets = 0;
    sample_write(&sample, in_folder("empty.h5"));
    struct h5_image *image = sample_image(&sample, "targets");
    h5_image_destroy(image);
    sample_finish(&sample);
    const struct fingerprint empty = take_shared(in_folder("empty.h5"), 0, 3, 1);
    ck_assert(empty.complete && empty.shape && empty.sample && empty.inputs && !empty.targets);
    make_rows(&sample, 8, 1, 0);
    sample_write(&sample, in_folder("none.h5"));
    sample_finish(&sample);
    const struct fingerprint none = take_shared(in_folder("none.h5"), 0, 3, 1);
    ck_assert(none.complete && none.shape && none.sample && none.inputs && !none.targets);
    ck_assert_uint_ne(none.shape, empty.shape);
}
END_TEST

/* ---- copies ---- */

START_TEST(another_copy_is_told_by_the_rows_of_the_first_block_that_differs)
{
    struct sample sample;
    struct value_sums own, first;
    struct error error = {0};
    make_rows(&sample, 2 * BLOCK + 9, 1, 1);
    sample_write(&sample, in_folder("first.h5"));
    sample.inputs[BLOCK + 3] += 1;
    sample.values[1] += 1;
    sample_write(&sample, in_folder("own.h5"));
    sample_finish(&sample);
    ck_assert_int_eq(value_sums_init(&own, open_well(in_folder("own.h5"), SIZE_MAX), &error), 0);
    ck_assert_int_eq(value_sums_init(&first, open_well(in_folder("first.h5"), SIZE_MAX), &error), 0);
    ck_assert_int_eq(value_sums_read_missing(&first, 0, 1, look_on, NULL, &error), 0);
    ck_assert_int_eq(value_sums_compare(&own, &first, &error), 0); /* nothing was hashed yet */
    ck_assert_int_eq(value_sums_read_missing(&own, 0, 1, look_on, NULL, &error), 0);
    ck_assert_int_eq(value_sums_compare(&own, &own, &error), 0);
    ck_assert_int_eq(value_sums_compare(&own, &first, &error), -1);
    ck_assert_ptr_nonnull(strstr(error.text, "own.h5: inputs: rows 1048576 to 2097151 are not what rank 0"));
    own.sum[1] = first.sum[1];
    ck_assert_int_eq(value_sums_compare(&own, &first, &error), -1);
    ck_assert_ptr_nonnull(strstr(error.text, "own.h5: targets: rows 0 to 1 are not what rank 0"));
    struct dataset *both[] = {own.dataset, first.dataset};
    value_sums_finish(&own);
    value_sums_finish(&first);
    dataset_close(both[0]);
    dataset_close(both[1]);
}
END_TEST

/* ---- the sample ---- */

enum { SAMPLES = 256, PLACE = 16384 /* values of 4 bytes in 64 KiB */ };

static uint64_t take_sample(struct dataset *dataset, uint64_t seed)
{
    struct fingerprint print = {0};
    struct error error = {0};
    ck_assert_int_eq(dataset_take_sample(dataset, seed, &print, &error), 0);
    ck_assert(!print.complete && !print.inputs && !print.targets);
    return print.sample;
}

/* Whether another value in this place is seen by the sample. */
static int is_sampled(struct dataset *dataset, uint64_t seed, size_t place, size_t within)
{
    uint64_t before = take_sample(dataset, seed);
    dataset->kept_inputs[place * PLACE + within] += 1;
    uint64_t after = take_sample(dataset, seed);
    dataset->kept_inputs[place * PLACE + within] -= 1;
    return before != after;
}

static struct dataset *open_rows(int64_t rows)
{
    struct sample sample;
    make_rows(&sample, rows, 1, 0);
    for (int64_t i = 0; i < rows; i++)
        sample.inputs[i] = (float)(i % 1000);
    sample_write(&sample, in_folder("set.h5"));
    sample_finish(&sample);
    return open_well(in_folder("set.h5"), SIZE_MAX);
}

START_TEST(a_sample_is_of_all_places_where_they_are_no_more_than_256)
{
    struct dataset *dataset = open_rows((int64_t)SAMPLES * PLACE - 7);
    for (size_t place = 0; place < SAMPLES; place += 51)
        ck_assert(is_sampled(dataset, 1, place, place % PLACE));
    ck_assert(is_sampled(dataset, 2, SAMPLES - 1, PLACE - 8)); /* the last value */
    dataset_close(dataset);
}
END_TEST

/* 512 places, of which the sample takes one of each two, at the seed's choice; a change in the other of the
 * two is not seen, which is what a complete fingerprint is for. */
START_TEST(a_sample_is_of_one_place_of_each_of_256_parts_at_the_choice_of_the_seed)
{
    struct dataset *dataset = open_rows((int64_t)2 * SAMPLES * PLACE);
    int differ = 0;
    for (size_t part = 0; part < SAMPLES; part += 17) {
        int first = is_sampled(dataset, 1, 2 * part, 3),
            second = is_sampled(dataset, 1, 2 * part + 1, PLACE - 1);
        ck_assert_int_eq(first + second, 1);
        differ += first != is_sampled(dataset, 2, 2 * part, 3);
    }
    ck_assert_int_gt(differ, 0);
    dataset_close(dataset);
}
END_TEST

START_TEST(a_sample_is_the_same_whether_the_set_is_kept_or_read)
{
    struct dataset *kept = open_rows((int64_t)2 * SAMPLES * PLACE + 5),
                   *read = open_well(in_folder("set.h5"), 0);
    for (uint64_t seed = 1; seed <= 3; seed++)
        ck_assert_uint_eq(take_sample(kept, seed), take_sample(read, seed));
    dataset_close(kept);
    dataset_close(read);
}
END_TEST

int main(void)
{
    enum { SHAPES = sizeof shapes / sizeof *shapes };
    Suite *suite = suite_create("fingerprint");
    TCase *tests = tcase_create("fingerprint");
    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, folder_make, folder_remove);
    tcase_add_loop_test(
        tests, a_fingerprint_does_not_depend_on_how_many_share_the_blocks_or_keep_the_set, 0, SHAPES);
    tcase_add_loop_test(
        tests, a_fingerprint_that_an_epoch_begins_is_completed_to_that_of_one_reading, 0, SHAPES);
    tcase_add_test(tests, what_was_noted_before_a_stop_is_forgotten_and_read_again);
    tcase_add_loop_test(tests, a_fingerprint_does_not_depend_on_chunks_compression_or_type, 1, 6);
    tcase_add_loop_test(tests, a_value_counts_before_at_and_after_the_end_of_a_block, 0, 5);
    tcase_add_test(tests, values_are_equal_where_their_bits_are);
    tcase_add_test(tests, rows_that_change_places_are_other_data);
    tcase_add_test(tests, the_same_values_in_other_sequences_are_of_another_shape);
    tcase_add_test(tests, targets_and_their_offsets_count_as_inputs_do);
    tcase_add_test(tests, a_set_without_targets_or_with_none_in_any_sequence_has_a_fingerprint);
    tcase_add_test(tests, another_copy_is_told_by_the_rows_of_the_first_block_that_differs);
    tcase_add_test(tests, a_sample_is_of_all_places_where_they_are_no_more_than_256);
    tcase_add_test(tests, a_sample_is_of_one_place_of_each_of_256_parts_at_the_choice_of_the_seed);
    tcase_add_test(tests, a_sample_is_the_same_whether_the_set_is_kept_or_read);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}

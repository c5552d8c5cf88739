/* What is read from a good file, kept or not, is what was written. */
#include "base/memory.h"
#include "base/random.h"
#include "data/dataset.h"
#include "data/fingerprint.h"
#include "data/statistics.h"
#include "support/sample.h"
#include "support/suite.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char folder[256], path[300];

static const struct sample_shape shapes[] = {
    {.sequences = 13, .shortest = 1, .longest = 40, .features = 3, .kind = SAMPLE_PER_FRAME, .classes = 5},
    {.sequences = 20,
        .shortest = 1,
        .longest = 9,
        .features = 17,
        .kind = SAMPLE_PER_FRAME_OFFSETS,
        .values = 2},
    {.sequences = 7, .shortest = 2, .longest = 30, .symbols = 11, .kind = SAMPLE_PER_SEQUENCE, .classes = 3},
    {.sequences = 9, .shortest = 1, .longest = 5, .features = 1, .kind = SAMPLE_PER_SEQUENCE, .values = 33},
    {.sequences = 30,
        .shortest = 1,
        .longest = 6,
        .symbols = 1,
        .kind = SAMPLE_ANY,
        .classes = 4,
        .names = 1},
    {.sequences = 25, .shortest = 1, .longest = 12, .features = 2, .kind = SAMPLE_ANY, .values = 3},
    {.sequences = 4, .shortest = 1, .longest = 1, .features = 16, .kind = SAMPLE_PER_FRAME, .classes = 2},
    {.sequences = 1, .shortest = 5, .longest = 5, .features = 2, .kind = SAMPLE_NO_TARGETS, .names = 1},
    /* rows so wide that a block holds two of them */
    {.sequences = 3,
        .shortest = 2,
        .longest = 7,
        .features = 500000,
        .kind = SAMPLE_PER_SEQUENCE,
        .classes = 2},
    /* one row is wider than a block */
    {.sequences = 2, .shortest = 3, .longest = 3, .symbols = 2, .kind = SAMPLE_PER_FRAME, .values = 1200000},
    {.sequences = 2, .shortest = 3, .longest = 3, .symbols = 2, .kind = SAMPLE_ANY, .values = 700000},
};
enum { SHAPES = sizeof shapes / sizeof *shapes, WIDE = 3 };
enum { PER_FRAME = 0, PER_SEQUENCE = 2, ANY_CLASSES = 4, ANY_VALUES = 5 };

static size_t decoded_bytes(const struct sample *sample)
{
    size_t inputs = (size_t)sample->frames * (sample->inputs ? sample->shape.features : 1);
    size_t targets = (size_t)sample->targets * (sample->values ? sample->shape.values : 1);
    return 4 * (inputs + targets);
}

static struct dataset *open_well(const char *name, size_t cache)
{
    struct error error = {0};
    struct dataset *dataset = dataset_open(name, cache, &error);
    ck_assert_msg(dataset != NULL, "%s", error.text);
    return dataset;
}

static int is_kept(const struct dataset *dataset)
{
    return dataset->kept_inputs || dataset->kept_symbols;
}

/* B sequences of the dataset in falling length: picks [B]. */
static void pick(const struct dataset *dataset, uint64_t seed, size_t B, int64_t *picks)
{
    for (size_t b = 0; b < B; b++)
        picks[b] = (int64_t)random_below((uint64_t)dataset->sequences, seed, RANDOM_TEST, 9, b);
    for (size_t b = 1; b < B; b++)
        for (size_t i = b; i > 0; i--)
            if (dataset_length(dataset, picks[i - 1]) < dataset_length(dataset, picks[i])) {
                int64_t held = picks[i];
                picks[i] = picks[i - 1];
                picks[i - 1] = held;
            }
}

static void assert_inputs(const struct sample *sample, const struct microbatch *microbatch)
{
    size_t I = sample->shape.features;
    for (size_t b = 0; b < microbatch->B; b++)
        for (size_t t = 0; t < (size_t)microbatch->length[b]; t++) {
            size_t row = (size_t)sample->input_offsets[microbatch->sequence[b]] + t;
            size_t frame = microbatch_frame(microbatch, b, t);
            if (sample->symbols) {
                ck_assert_int_eq(microbatch->symbols[frame], sample->symbols[row]);
                continue;
            }
            const float *x = microbatch->inputs + frame * microbatch->inputs_stride;
            ck_assert_mem_eq(x, sample->inputs + row * I, I * sizeof *x);
            for (size_t i = I; i < microbatch->inputs_stride; i++)
                ck_assert(x[i] == 0);
        }
}

static void assert_target(
    const struct sample *sample, const struct microbatch *microbatch, size_t n, size_t row)
{
    size_t O = sample->shape.values;
    ck_assert_uint_lt(n, microbatch->target_rows);
    if (sample->classes)
        ck_assert_int_eq(microbatch->classes[n], sample->classes[row]);
    else
        ck_assert_mem_eq(
            microbatch->values + n * microbatch->values_stride, sample->values + row * O, O * sizeof(float));
}

/* The targets of sequence 0, then those of 1, ... */
static void assert_any_targets(const struct sample *sample, const struct microbatch *microbatch)
{
    const int64_t *offset = sample->target_offsets ? sample->target_offsets : sample->input_offsets;
    ck_assert_uint_eq(microbatch->target_start[0], 0);
    for (size_t b = 0; b < microbatch->B; b++) {
        size_t first = (size_t)offset[microbatch->sequence[b]],
               end = (size_t)offset[microbatch->sequence[b] + 1];
        ck_assert_uint_eq(microbatch->target_start[b + 1] - microbatch->target_start[b], end - first);
        for (size_t row = first; row < end; row++)
            assert_target(sample, microbatch, microbatch->target_start[b] + row - first, row);
    }
    ck_assert_uint_eq(microbatch->target_start[microbatch->B], microbatch->target_rows);
    for (size_t n = 0; n < microbatch->target_rows && microbatch->values; n++)
        for (size_t i = sample->shape.values; i < microbatch->values_stride; i++)
            ck_assert(microbatch->values[n * microbatch->values_stride + i] == 0);
}

static void assert_targets(const struct sample *sample, const struct microbatch *microbatch, int any)
{
    ck_assert_int_eq(microbatch->classes != NULL, sample->classes != NULL);
    ck_assert_int_eq(microbatch->values != NULL, sample->values != NULL);
    if (sample->shape.kind == SAMPLE_NO_TARGETS)
        return;
    if (any) {
        assert_any_targets(sample, microbatch);
        return;
    }
    for (size_t b = 0; b < microbatch->B; b++) {
        if (sample->shape.kind == SAMPLE_PER_SEQUENCE)
            assert_target(sample, microbatch, b, (size_t)microbatch->sequence[b]);
        else
            for (size_t t = 0; t < (size_t)microbatch->length[b]; t++)
                assert_target(sample, microbatch, microbatch_frame(microbatch, b, t),
                    (size_t)sample->input_offsets[microbatch->sequence[b]] + t);
    }
}

static void assert_microbatches(const struct sample *sample, struct dataset *dataset)
{
    struct microbatch microbatch;
    microbatch_init(&microbatch);
    for (uint64_t seed = 0; seed < 6; seed++) {
        int64_t picks[8];
        struct error error = {0};
        size_t B = 1 + (size_t)random_below(8, seed, RANDOM_TEST, 8, 0);
        pick(dataset, seed, B, picks);
        int outcome = dataset_read_microbatch(dataset, B, picks, NULL, NULL, &microbatch, &error);
        ck_assert_msg(outcome == 0, "%s", error.text);
        ck_assert_uint_eq(microbatch.B, B);
        ck_assert_mem_eq(microbatch.sequence, picks, B * sizeof *picks);
        for (size_t b = 0; b < B; b++)
            ck_assert_int_eq(microbatch.length[b], dataset_length(dataset, picks[b]));
        assert_inputs(sample, &microbatch);
        assert_targets(sample, &microbatch, sample->shape.kind == SAMPLE_ANY || dataset->any_targets);
    }
    microbatch_finish(&microbatch);
}

START_TEST(microbatches_hold_what_was_written_kept_or_not)
{
    struct sample sample;
    sample_init(&sample, &shapes[_i], 1);
    sample_write(&sample, path);
    size_t caches[] = {SIZE_MAX, 0, 100000};
    for (int c = 0; c < 3; c++) {
        struct dataset *dataset = open_well(path, caches[c]);
        ck_assert_int_eq(is_kept(dataset), caches[c] >= decoded_bytes(&sample));
        assert_microbatches(&sample, dataset);
        dataset->any_targets = 1;
        assert_microbatches(&sample, dataset);
        dataset_close(dataset);
    }
    sample_finish(&sample);
}
END_TEST

START_TEST(a_microbatch_may_have_no_targets_at_all)
{
    struct sample sample;
    sample_init(&sample, &shapes[ANY_CLASSES + _i], 11);
    sample_write(&sample, path);
    for (int kept = 0; kept < 2; kept++) {
        struct dataset *dataset = open_well(path, kept ? SIZE_MAX : 0);
        struct microbatch microbatch;
        microbatch_init(&microbatch);
        int64_t none = 0;
        while (none < dataset->sequences && dataset_targets(dataset, none) > 0)
            none++;
        ck_assert_int_lt(none, dataset->sequences);
        ck_assert_int_eq(dataset_read_microbatch(dataset, 1, &none, NULL, NULL, &microbatch, NULL), 0);
        ck_assert_uint_eq(microbatch.target_rows, 0);
        assert_targets(&sample, &microbatch, 1);
        microbatch_finish(&microbatch);
        dataset_close(dataset);
    }
    sample_finish(&sample);
}
END_TEST

START_TEST(no_target_is_kept_among_the_targets_but_not_among_any_number)
{
    struct sample sample;
    char want[80];
    sample_init(&sample, &shapes[_i ? PER_SEQUENCE : PER_FRAME], 12);
    sample.classes[3] = sample.classes[0] = -1;
    sample_write(&sample, path);
    for (int kept = 0; kept < 2; kept++) {
        struct dataset *dataset = open_well(path, kept ? SIZE_MAX : 0);
        struct error error = {0};
        struct microbatch microbatch;
        microbatch_init(&microbatch);
        assert_microbatches(&sample, dataset);
        int64_t s = 0;
        dataset->any_targets = 1;
        ck_assert_int_eq(dataset_read_microbatch(dataset, 1, &s, NULL, NULL, &microbatch, &error), -1);
        snprintf(
            want, sizeof want, "only 0 to %d are allowed (-1, no target, needs", sample.shape.classes - 1);
        ck_assert_msg(strstr(error.text, want) && strstr(error.text, ": targets: row 0 (sequence 0, its row"),
            "%s", error.text);
        ck_assert_int_eq(error.code, EXIT_CODE_DATA);
        microbatch_finish(&microbatch);
        dataset_close(dataset);
    }
    sample_finish(&sample);
}
END_TEST

START_TEST(the_file_is_described_as_it_is)
{
    static const enum target_kind kinds[] = {[SAMPLE_NO_TARGETS] = TARGET_FRAME,
        [SAMPLE_PER_FRAME] = TARGET_FRAME,
        [SAMPLE_PER_FRAME_OFFSETS] = TARGET_FRAME,
        [SAMPLE_PER_SEQUENCE] = TARGET_SEQUENCE,
        [SAMPLE_ANY] = TARGET_ANY};
    struct sample sample;
    sample_init(&sample, &shapes[_i], 2);
    sample_write(&sample, path);
    struct dataset *dataset = open_well(path, SIZE_MAX);
    ck_assert_str_eq(dataset->name, path);
    ck_assert_int_eq(dataset->sequences, sample.shape.sequences);
    ck_assert_int_eq(dataset->frames, sample.frames);
    ck_assert_uint_eq(dataset->features, sample.shape.features);
    ck_assert_int_eq(dataset->symbols, sample.shape.symbols);
    ck_assert_int_eq(dataset->has_targets, sample.shape.kind != SAMPLE_NO_TARGETS);
    ck_assert_int_eq(dataset->targets, sample.targets);
    ck_assert_int_eq(dataset->classes, sample.shape.classes);
    ck_assert_uint_eq(dataset->values, sample.shape.values);
    ck_assert_int_eq(dataset->target_kind, kinds[sample.shape.kind]);
    int32_t longest = 0;
    for (int64_t s = 0; s < sample.shape.sequences; s++) {
        int64_t length = sample.input_offsets[s + 1] - sample.input_offsets[s];
        ck_assert_int_eq(dataset_length(dataset, s), length);
        longest = length > longest ? (int32_t)length : longest;
    }
    ck_assert_int_eq(dataset->longest, longest);
    struct microbatch_format format = dataset_format(dataset);
    int any = dataset->target_kind == TARGET_ANY;
    ck_assert_uint_eq(format.inputs, sample.shape.features);
    ck_assert_int_eq(format.has_classes, sample.shape.classes > 0);
    ck_assert_uint_eq(format.values, sample.shape.values);
    ck_assert_int_eq(format.target_per_frame, dataset->has_targets && dataset->target_kind == TARGET_FRAME);
    ck_assert_int_eq(format.target_any, any);
    dataset->any_targets = 1;
    format = dataset_format(dataset);
    ck_assert_int_eq(format.target_per_frame, 0);
    ck_assert_int_eq(format.target_any, dataset->has_targets);
    dataset_close(dataset);
    sample_finish(&sample);
}
END_TEST

START_TEST(one_frame_sequences_have_one_target_a_frame_and_a_sequence)
{
    struct sample_shape shape = {.sequences = 6,
        .shortest = 1,
        .longest = 1,
        .features = 2,
        .kind = SAMPLE_PER_SEQUENCE,
        .classes = 9};
    struct sample sample;
    sample_init(&sample, &shape, 3);
    sample_write(&sample, path);
    struct dataset *dataset = open_well(path, 0);
    ck_assert_int_eq(dataset->target_kind, TARGET_FRAME);
    ck_assert_int_eq(dataset->longest, 1);
    struct microbatch microbatch;
    microbatch_init(&microbatch);
    int64_t picks[] = {4, 0, 2};
    ck_assert_int_eq(dataset_read_microbatch(dataset, 3, picks, NULL, NULL, &microbatch, NULL), 0);
    ck_assert_uint_eq(microbatch.target_rows, microbatch.B);
    for (int b = 0; b < 3; b++)
        ck_assert_int_eq(microbatch.classes[b], sample.classes[picks[b]]);
    microbatch_finish(&microbatch);
    dataset_close(dataset);
    sample_finish(&sample);
}
END_TEST

START_TEST(a_set_is_kept_where_the_cache_holds_all_its_values)
{
    for (int i = 0; i < SHAPES; i++) {
        struct sample sample;
        sample_init(&sample, &shapes[i], 4);
        sample_write(&sample, path);
        size_t bytes = decoded_bytes(&sample);
        struct dataset *kept = open_well(path, bytes), *read = open_well(path, bytes - 1);
        ck_assert(is_kept(kept) && !kept->block);
        ck_assert(!is_kept(read) && !read->kept_classes && !read->kept_values && read->block);
        ck_assert_int_eq(kept->has_targets, kept->kept_classes || kept->kept_values);
        dataset_close(kept);
        dataset_close(read);
        sample_finish(&sample);
    }
}
END_TEST

START_TEST(standardized_inputs_are_the_difference_over_the_deviation)
{
    struct sample sample;
    sample_init(&sample, &shapes[0], 5);
    sample_write(&sample, path);
    float mean[] = {0.5f, -2, 1e-3f}, deviation[] = {1, 3, 0.7f};
    for (int kept = 0; kept < 2; kept++) {
        struct dataset *dataset = open_well(path, kept ? SIZE_MAX : 0);
        struct microbatch microbatch;
        microbatch_init(&microbatch);
        int64_t picks[5];
        pick(dataset, 1, 5, picks);
        ck_assert_int_eq(dataset_read_microbatch(dataset, 5, picks, mean, deviation, &microbatch, NULL), 0);
        for (size_t b = 0; b < 5; b++)
            for (size_t t = 0; t < (size_t)microbatch.length[b]; t++)
                for (size_t i = 0; i < 16; i++) {
                    float x = microbatch.inputs[microbatch_frame(&microbatch, b, t) * 16 + i], want = 0;
                    size_t row = (size_t)sample.input_offsets[picks[b]] + t;
                    if (i < 3)
                        want = (sample.inputs[row * 3 + i] - mean[i]) / deviation[i];
                    ck_assert(x == want);
                }
        microbatch_finish(&microbatch);
        dataset_close(dataset);
    }
    sample_finish(&sample);
}
END_TEST

static void assert_moments(const struct sample *sample, size_t i, double mean, double deviation)
{
    size_t I = sample->shape.features, n = (size_t)sample->frames;
    long double sum = 0, squares = 0;
    for (size_t r = 0; r < n; r++)
        sum += sample->inputs[r * I + i];
    sum /= n;
    for (size_t r = 0; r < n; r++)
        squares += (sample->inputs[r * I + i] - sum) * (sample->inputs[r * I + i] - sum);
    ck_assert_double_lt(fabs(mean - (double)sum), 1e-12 * (1 + fabs(mean)));
    ck_assert_double_lt(fabs(deviation - sqrt((double)squares / (double)n)), 1e-12 * (1 + fabs(mean)));
}

/* What a column is by its definition, over rows [rows][width]. */
static struct column_statistics describe_column(
    const float *x, size_t width, size_t i, const int64_t *offsets, int64_t sequences)
{
    struct column_statistics column = {.least = INFINITY, .most = -INFINITY};
    int64_t rows = offsets[sequences], pairs = 0;
    for (int64_t s = 0; s < sequences; s++)
        for (int64_t r = offsets[s]; r < offsets[s + 1]; r++) {
            double value = x[(size_t)r * width + i];
            column.mean += value / (double)rows;
            column.least = fmin(column.least, value);
            column.most = fmax(column.most, value);
            if (r > offsets[s]) {
                column.unchanged += x[(size_t)r * width + i] == x[(size_t)(r - 1) * width + i];
                pairs++;
            }
        }
    for (int64_t r = 0; r < rows; r++)
        column.deviation += pow(x[(size_t)r * width + i] - column.mean, 2) / (double)rows;
    column.deviation = sqrt(column.deviation);
    column.unchanged /= pairs ? (double)pairs : 1;
    return column;
}

static void assert_columns(const struct column_statistics *columns, const float *x, size_t width,
    const int64_t *offsets, int64_t sequences, int pairs)
{
    for (size_t i = 0; i < width; i++) {
        struct column_statistics want = describe_column(x, width, i, offsets, sequences);
        ck_assert_double_eq_tol(columns[i].mean, want.mean, 1e-9);
        ck_assert_double_eq_tol(columns[i].deviation, want.deviation, 1e-9);
        ck_assert(columns[i].least == want.least && columns[i].most == want.most);
        ck_assert_double_eq_tol(columns[i].unchanged, pairs ? want.unchanged : 0, 1e-12);
    }
}

/* One column keeps its value over the end of each sequence, which is no pair of frames. */
START_TEST(statistics_are_those_of_each_column)
{
    struct sample_shape shape = {
        .sequences = 40, .shortest = 1, .longest = 9, .features = 3, .kind = SAMPLE_ANY, .values = 2};
    struct sample sample;
    struct column_statistics columns[3], targets[2];
    sample_init(&sample, &shape, 6);
    for (int64_t r = 0; r < sample.frames; r++) {
        sample.inputs[r * 3 + 1] = 1013 + (float)(r / 4);
        sample.inputs[r * 3 + 2] = -7;
    }
    for (int64_t r = 0; r < sample.targets; r++)
        sample.values[r * 2] = (float)(r % 2);
    sample_write(&sample, path);
    for (int kept = 0; kept < 2; kept++) {
        struct dataset *dataset = open_well(path, kept ? SIZE_MAX : 0);
        ck_assert_int_eq(statistics_of_inputs(dataset, columns, NULL), 0);
        assert_columns(columns, sample.inputs, 3, sample.input_offsets, shape.sequences, 1);
        ck_assert(columns[2].unchanged == 1 && columns[2].deviation == 0);
        ck_assert_int_eq(statistics_of_targets(dataset, targets, NULL), 0);
        assert_columns(targets, sample.values, 2, sample.target_offsets, shape.sequences, 1);
        ck_assert_int_eq(statistics_sample(dataset, columns, NULL), 0);
        assert_columns(columns, sample.inputs, 3, sample.input_offsets, shape.sequences, 0);
        dataset_close(dataset);
    }
    sample_finish(&sample);
}
END_TEST

/* The sample is taken from all over a file that is larger. */
START_TEST(statistics_of_a_sample_are_close)
{
    struct sample_shape shape = {
        .sequences = 30, .shortest = 900, .longest = 1000, .features = 80, .kind = SAMPLE_NO_TARGETS};
    struct sample sample;
    struct column_statistics all[80], some[80];
    sample_init(&sample, &shape, 6);
    for (int64_t r = 0; r < sample.frames; r++)
        sample.inputs[r * 80] = (float)r;
    sample_write(&sample, path);
    struct dataset *dataset = open_well(path, 0);
    ck_assert_int_eq(statistics_of_inputs(dataset, all, NULL), 0);
    ck_assert_int_eq(statistics_sample(dataset, some, NULL), 0);
    ck_assert_double_lt(some[0].most, all[0].most + 1);
    ck_assert_double_gt(some[0].most, 0.97 * all[0].most);
    for (size_t i = 0; i < 80; i++) {
        ck_assert_double_lt(fabs(some[i].mean - all[i].mean), 0.03 * all[i].deviation);
        ck_assert_double_eq_tol(some[i].deviation, all[i].deviation, 0.03 * all[i].deviation);
    }
    dataset_close(dataset);
    sample_finish(&sample);
}
END_TEST

START_TEST(moments_are_mean_and_deviation_and_one_for_a_constant)
{
    struct sample_shape shape = {
        .sequences = 50, .shortest = 1, .longest = 90, .features = 4, .kind = SAMPLE_NO_TARGETS};
    struct sample sample;
    sample_init(&sample, &shape, 6);
    for (size_t r = 0; r < (size_t)sample.frames; r++) {
        sample.inputs[r * 4 + 1] = 0.1f;                            /* constant, not exact in binary */
        sample.inputs[r * 4 + 2] = 1e6f + sample.inputs[r * 4 + 2]; /* far from zero */
        sample.inputs[r * 4 + 3] = r == 7 ? 1e-45f : 0;             /* below what a float can divide by */
    }
    sample_write(&sample, path);
    double mean[2][4], deviation[2][4];
    for (int kept = 0; kept < 2; kept++) {
        struct dataset *dataset = open_well(path, kept ? SIZE_MAX : 0);
        ck_assert_int_eq(dataset_moments(dataset, mean[kept], deviation[kept], NULL), 0);
        dataset_close(dataset);
    }
    ck_assert_mem_eq(mean[0], mean[1], sizeof mean[0]);
    ck_assert_mem_eq(deviation[0], deviation[1], sizeof deviation[0]);
    assert_moments(&sample, 0, mean[0][0], deviation[0][0]);
    assert_moments(&sample, 2, mean[0][2], deviation[0][2]);
    ck_assert(mean[0][1] == (double)0.1f && deviation[0][1] == 1);
    ck_assert(deviation[0][3] == 1);
    sample_finish(&sample);
}
END_TEST

static uint64_t fingerprint(const struct sample *sample, size_t cache)
{
    uint64_t out = 0;
    sample_write(sample, path);
    struct dataset *dataset = open_well(path, cache);
    ck_assert_int_eq(dataset_former_fingerprint(dataset, &out, NULL), 0);
    dataset_close(dataset);
    return out;
}

START_TEST(fingerprint_sees_shapes_offsets_and_targets_but_not_the_cache)
{
    for (int i = 0; i < SHAPES - WIDE; i++) { /* the wide ones take long */
        struct sample sample;
        sample_init(&sample, &shapes[i], 7);
        uint64_t first = fingerprint(&sample, SIZE_MAX);
        ck_assert(fingerprint(&sample, 0) == first);
        if (sample.classes) {
            int32_t *last = &sample.classes[sample.targets - 1], was = *last;
            *last = (was + 1) % sample.shape.classes;
            ck_assert(fingerprint(&sample, 0) != first);
            *last = was;
        }
        if (sample.values) {
            sample.values[sample.targets * (int64_t)sample.shape.values - 1] += 1;
            ck_assert(fingerprint(&sample, 0) != first);
            sample.values[sample.targets * (int64_t)sample.shape.values - 1] -= 1;
        }
        if (sample.shape.sequences > 1 && sample.input_offsets[2] - sample.input_offsets[1] > 1 &&
            sample.shape.kind != SAMPLE_PER_FRAME_OFFSETS) {
            sample.input_offsets[1]++;
            ck_assert(fingerprint(&sample, 0) != first);
        }
        sample_finish(&sample);
    }
}
END_TEST

START_TEST(fingerprint_is_that_of_the_same_data_with_offsets_spelt_out)
{
    struct sample_shape shape = shapes[0];
    struct sample sample, spelt;
    sample_init(&sample, &shape, 8);
    shape.kind = SAMPLE_PER_FRAME_OFFSETS;
    sample_init(&spelt, &shape, 8);
    ck_assert_ptr_nonnull(spelt.target_offsets);
    ck_assert(fingerprint(&sample, 0) == fingerprint(&spelt, 0));
    sample_finish(&sample);
    sample_finish(&spelt);
}
END_TEST

START_TEST(names_are_those_of_the_sequences)
{
    struct sample sample;
    sample_init(&sample, &shapes[4], 9);
    sample_write(&sample, path);
    struct error error = {0};
    struct dataset *dataset = open_well(path, 0);
    for (int64_t s = 0; s < sample.shape.sequences; s += 29) {
        char want[40], *name = dataset_name(dataset, s, &error);
        snprintf(want, sizeof want, "sequence %d", (int)s);
        ck_assert_str_eq(name, want);
        memory_destroy(name);
    }
    dataset_close(dataset);
    sample.shape.names = 0;
    sample_write(&sample, path);
    dataset = open_well(path, 0);
    ck_assert_ptr_null(dataset_name(dataset, 0, &error));
    ck_assert_int_eq(error.code, 0);
    dataset_close(dataset);
    sample_finish(&sample);
}
END_TEST

START_TEST(any_width_of_numbers_is_read)
{
    /* doubles and 64-bit classes; integers of two dimensions are real values */
    struct sample sample;
    sample_init(&sample, &shapes[0], 10);
    int64_t rows = sample.frames, size[] = {rows, 3};
    double *inputs = memory_create((size_t)rows * 3, sizeof *inputs, NULL);
    int64_t *classes = memory_create((size_t)rows, sizeof *classes, NULL);
    int32_t *values = memory_create((size_t)rows * 3, sizeof *values, NULL);
    for (int64_t i = 0; i < 3 * rows; i++) {
        inputs[i] = sample.inputs[i];
        values[i] = (int32_t)i - 7;
    }
    for (int64_t r = 0; r < rows; r++)
        classes[r] = sample.classes[r];
    struct sample bare = sample;
    bare.shape.kind = SAMPLE_NO_TARGETS;
    struct h5_image *image = sample_image(&bare, "inputs");
    h5_image_doubles(image, "inputs", 2, size, inputs);
    h5_image_int64(image, "targets", 1, size, classes);
    h5_image_attribute_int64(image, "targets", "n_classes", 5);
    sample_save(image, path);
    for (int kept = 0; kept < 2; kept++) {
        struct dataset *dataset = open_well(path, kept ? SIZE_MAX : 0);
        assert_microbatches(&sample, dataset);
        dataset_close(dataset);
    }
    image = sample_image(&bare, "inputs");
    h5_image_int32(image, "inputs", 2, size, values);
    sample_save(image, path);
    struct dataset *dataset = open_well(path, SIZE_MAX);
    ck_assert_uint_eq(dataset->features, 3);
    for (int64_t i = 0; i < 3 * rows; i++)
        ck_assert(dataset->kept_inputs[i] == (float)(i - 7));
    dataset_close(dataset);
    memory_destroy(inputs);
    memory_destroy(classes);
    memory_destroy(values);
    sample_finish(&sample);
}
END_TEST

static void fail_with(void *context, const char *text)
{
    ck_abort_msg("%s", text);
}

/* Real files, where RNN_TEST_DATA names a folder with them. */
START_TEST(real_files_are_good_and_read_alike_kept_or_not)
{
    static const char *const names[] = {"jsb", "harmony", "digits", "g2p"};
    static const enum target_kind kinds[] = {TARGET_FRAME, TARGET_FRAME, TARGET_SEQUENCE, TARGET_ANY};
    char file[512];
    snprintf(file, sizeof file, "%s/%s-valid.h5", getenv("RNN_TEST_DATA"), names[_i]);
    struct faults faults;
    faults_init(&faults, 1, fail_with, NULL);
    dataset_check(file, NULL, &faults);
    ck_assert_uint_eq(faults.count, 0);
    struct dataset *kept = open_well(file, 1u << 30), *read = open_well(file, 100000);
    ck_assert(is_kept(kept) && !is_kept(read));
    ck_assert_int_eq(kept->target_kind, kinds[_i]);
    struct microbatch one, two;
    microbatch_init(&one);
    microbatch_init(&two);
    for (uint64_t seed = 0; seed < 5; seed++) {
        int64_t picks[8];
        pick(kept, seed, 8, picks);
        ck_assert_int_eq(dataset_read_microbatch(kept, 8, picks, NULL, NULL, &one, NULL), 0);
        ck_assert_int_eq(dataset_read_microbatch(read, 8, picks, NULL, NULL, &two, NULL), 0);
        if (one.inputs)
            ck_assert_mem_eq(one.inputs, two.inputs, one.N * one.inputs_stride * sizeof(float));
        else
            ck_assert_mem_eq(one.symbols, two.symbols, one.N * sizeof(int32_t));
        if (one.classes)
            ck_assert_mem_eq(one.classes, two.classes, one.target_rows * sizeof(int32_t));
        if (one.values)
            ck_assert_mem_eq(one.values, two.values, one.target_rows * one.values_stride * sizeof(float));
    }
    microbatch_finish(&one);
    microbatch_finish(&two);
    dataset_close(kept);
    dataset_close(read);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("dataset");
    TCase *cases = tcase_create("dataset");
    sample_make_folder(folder, sizeof folder);
    snprintf(path, sizeof path, "%s/sample.h5", folder);
    tcase_set_timeout(cases, 60);
    tcase_add_loop_test(cases, microbatches_hold_what_was_written_kept_or_not, 0, SHAPES);
    tcase_add_loop_test(cases, a_microbatch_may_have_no_targets_at_all, 0, ANY_VALUES - ANY_CLASSES + 1);
    tcase_add_loop_test(cases, no_target_is_kept_among_the_targets_but_not_among_any_number, 0, 2);
    tcase_add_loop_test(cases, the_file_is_described_as_it_is, 0, SHAPES);
    tcase_add_test(cases, one_frame_sequences_have_one_target_a_frame_and_a_sequence);
    tcase_add_test(cases, a_set_is_kept_where_the_cache_holds_all_its_values);
    tcase_add_test(cases, standardized_inputs_are_the_difference_over_the_deviation);
    tcase_add_test(cases, moments_are_mean_and_deviation_and_one_for_a_constant);
    tcase_add_test(cases, statistics_are_those_of_each_column);
    tcase_add_test(cases, statistics_of_a_sample_are_close);
    tcase_add_test(cases, fingerprint_sees_shapes_offsets_and_targets_but_not_the_cache);
    tcase_add_test(cases, fingerprint_is_that_of_the_same_data_with_offsets_spelt_out);
    tcase_add_test(cases, names_are_those_of_the_sequences);
    tcase_add_test(cases, any_width_of_numbers_is_read);
    if (getenv("RNN_TEST_DATA"))
        tcase_add_loop_test(cases, real_files_are_good_and_read_alike_kept_or_not, 0, 4);
    suite_add_tcase(suite, cases);
    int outcome = suite_run(suite);
    sample_remove_folder(folder);
    return outcome;
}

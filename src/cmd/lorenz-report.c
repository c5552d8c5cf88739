/* This program shows what a network recovered of the Lorenz system, in the system's own units.
 *
 * lorenz-report TEST.h5 NAME=PREDICTIONS.h5... [--series FILE]
 *
 * Reads a dataset made by `rnn-data make lorenz` and outputs of rnn-predict on it, and prints the root mean
 * square error of x, y and z over all frames, and the share of their variance that is explained, 1 - (sum of
 * squared errors) / (sum of squared distances from the mean). Beside them stands what needs no network: x by
 * linear interpolation of the observations (the last one held to the end of its sequence).
 *
 * --series writes the first sequence as columns for gnuplot: time, observation ("?" where there is none),
 * truth x y z, and x y z of every NAME. */
#include "base/error.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/streams.h"
#include "h5/h5.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { COORDINATES = 3, INPUTS = 2, MOST_ESTIMATES = 8 };

static const double STEP = 0.02; /* time between frames */

/* N frames, S sequences. Everything in physical units. */
struct test_part {
    int64_t S, N;
    int64_t *offsets; /* [S + 1] */
    float *inputs;    /* [N][INPUTS]: observation, whether there is one */
    float *truth;     /* [N][COORDINATES] */
    double scale[COORDINATES], shift[COORDINATES];
};

struct estimate {
    const char *name;
    float *values; /* [N][COORDINATES] */
};

static int read_offsets(
    struct h5_file *file, const char *set, int64_t *S, int64_t **offsets, struct error *error)
{
    struct h5_shape shape;
    if (h5_look(file, set, &shape, error))
        return -1;
    if (shape.dimensions != 1 || shape.size[0] < 2)
        return error_set(
            error, EXIT_CODE_DATA, "%s: %s: offsets of at least one sequence are needed", h5_name(file), set);
    *offsets = memory_create((size_t)shape.size[0], sizeof **offsets, error);
    if (!*offsets || h5_read_integers(file, set, 0, shape.size[0], *offsets, error))
        return -1;
    *S = shape.size[0] - 1;
    return 0;
}

/* Reads a set of N rows by `columns`, which is the caller's. */
static float *read_table(
    struct h5_file *file, const char *set, int64_t N, int64_t columns, struct error *error)
{
    struct h5_shape shape;
    if (h5_look(file, set, &shape, error))
        return NULL;
    if (shape.dimensions != 2 || shape.size[0] != N || shape.size[1] != columns) {
        error_set(error, EXIT_CODE_DATA,
            "%s: %s: should be [%" PRId64 ", %" PRId64 "]: no file of the lorenz dataset?", h5_name(file),
            set, N, columns);
        return NULL;
    }
    float *table = memory_create((size_t)(N * columns), sizeof *table, error);
    if (table && h5_read_floats(file, set, 0, N, table, error)) {
        memory_destroy(table);
        return NULL;
    }
    return table;
}

static void into_units(const struct test_part *part, float *values)
{
    for (int64_t n = 0; n < part->N; n++)
        for (int c = 0; c < COORDINATES; c++) {
            float *value = &values[n * COORDINATES + c];
            *value = (float)(*value * part->scale[c] + part->shift[c]);
        }
}

static int read_scales(struct h5_file *file, struct test_part *part, double input_scale[INPUTS],
    double input_shift[INPUTS], struct error *error)
{
    if (h5_read_doubles(file, "target_scale", 0, COORDINATES, part->scale, error) ||
        h5_read_doubles(file, "target_shift", 0, COORDINATES, part->shift, error) ||
        h5_read_doubles(file, "input_scale", 0, INPUTS, input_scale, error) ||
        h5_read_doubles(file, "input_shift", 0, INPUTS, input_shift, error))
        return -1;
    return 0;
}

static int read_part_of(struct h5_file *file, struct test_part *part, struct error *error)
{
    double input_scale[INPUTS], input_shift[INPUTS];
    if (read_offsets(file, "input_offsets", &part->S, &part->offsets, error) ||
        read_scales(file, part, input_scale, input_shift, error))
        return -1;
    part->N = part->offsets[part->S];
    if (!(part->inputs = read_table(file, "inputs", part->N, INPUTS, error)) ||
        !(part->truth = read_table(file, "targets", part->N, COORDINATES, error)))
        return -1;
    into_units(part, part->truth);
    for (int64_t n = 0; n < part->N; n++)
        part->inputs[n * INPUTS] = (float)(part->inputs[n * INPUTS] * input_scale[0] + input_shift[0]);
    return 0;
}

static int read_part(const char *path, struct test_part *part, struct error *error)
{
    struct h5_file *file = h5_open(path, 0, error);
    int status = file ? read_part_of(file, part, error) : -1;
    h5_close(file);
    return status;
}

static int read_estimate_of(
    struct h5_file *file, const struct test_part *part, struct estimate *estimate, struct error *error)
{
    int64_t S = 0, *offsets = NULL;
    int status = read_offsets(file, "output_offsets", &S, &offsets, error);
    assert(status || (offsets && part->offsets));
    if (!status && (S != part->S || memcmp(offsets, part->offsets, (size_t)(S + 1) * sizeof *offsets) != 0))
        status =
            error_set(error, EXIT_CODE_DATA, "%s: these are predictions for another dataset", h5_name(file));
    memory_destroy(offsets);
    if (status || !(estimate->values = read_table(file, "outputs", part->N, COORDINATES, error)))
        return -1;
    into_units(part, estimate->values);
    return 0;
}

/* Reads the estimate of an argument "NAME=PATH". */
static int read_estimate(
    char *argument, const struct test_part *part, struct estimate *estimate, struct error *error)
{
    char *equals = strchr(argument, '=');
    if (!equals)
        return error_set(error, EXIT_CODE_USAGE, "%s: should be NAME=PREDICTIONS.h5", argument);
    *equals = 0;
    estimate->name = argument;
    struct h5_file *file = h5_open(equals + 1, 0, error);
    int status = file ? read_estimate_of(file, part, estimate, error) : -1;
    h5_close(file);
    return status;
}

/* Interpolates x of the frames of one sequence, first to last - 1, into out [last - first]. Its first frame
 * is observed. */
static void interpolate(const struct test_part *part, int64_t first, int64_t last, double *out)
{
    int64_t from = first;
    for (int64_t n = first; n < last; n++)
        if (part->inputs[n * INPUTS + 1] != 0) {
            double a = part->inputs[from * INPUTS], b = part->inputs[n * INPUTS];
            for (int64_t m = from; m < n; m++)
                out[m - first] = a + (b - a) * (double)(m - from) / (double)(n - from);
            from = n;
        }
    for (int64_t m = from; m < last; m++)
        out[m - first] = part->inputs[from * INPUTS];
}

static int interpolation_error(const struct test_part *part, double *square, struct error *error)
{
    double *x = memory_create((size_t)part->N, sizeof *x, error);
    if (!x)
        return -1;
    double sum = 0;
    for (int64_t s = 0; s < part->S; s++)
        interpolate(part, part->offsets[s], part->offsets[s + 1], x + part->offsets[s]);
    for (int64_t n = 0; n < part->N; n++)
        sum += pow(x[n] - part->truth[n * COORDINATES], 2);
    *square = sum / (double)part->N;
    memory_destroy(x);
    return 0;
}

/* Returns the mean squared distance of `values` from the truth, or where they are NULL of the truth from its
 * mean. */
static double mean_square(const struct test_part *part, const float *values, int c)
{
    double mean = 0, sum = 0;
    for (int64_t n = 0; n < part->N; n++)
        mean += part->truth[n * COORDINATES + c] / (double)part->N;
    for (int64_t n = 0; n < part->N; n++)
        sum += pow(part->truth[n * COORDINATES + c] - (values ? values[n * COORDINATES + c] : mean), 2);
    return sum / (double)part->N;
}

static int print_table(
    const struct test_part *part, const struct estimate *estimate, int estimates, struct error *error)
{
    double interpolated;
    if (interpolation_error(part, &interpolated, error))
        return -1;
    char size[64];
    snprintf(size, sizeof size, "%" PRId64 " sequences, %" PRId64 " frames", part->S, part->N);
    printf("%-38s %26s   %26s\n", size, "root mean square error", "variance explained");
    printf("%-38s %8s %8s %8s   %8s %8s %8s\n", "", "x", "y", "z", "x", "y", "z");
    for (int e = 0; e < estimates; e++) {
        double square[COORDINATES];
        printf("%-38s", estimate[e].name);
        for (int c = 0; c < COORDINATES; c++)
            printf(" %8.3f", sqrt(square[c] = mean_square(part, estimate[e].values, c)));
        printf("  ");
        for (int c = 0; c < COORDINATES; c++)
            printf(" %7.2f%%", 100 * (1 - square[c] / mean_square(part, NULL, c)));
        printf("\n");
    }
    printf("%-38s %8.3f %8s %8s   %7.2f%% %8s %8s\n", "linear interpolation of observations",
        sqrt(interpolated), "-", "-", 100 * (1 - interpolated / mean_square(part, NULL, 0)), "-", "-");
    return 0;
}

static int write_series(const char *path, const struct test_part *part, const struct estimate *estimate,
    int estimates, struct error *error)
{
    FILE *file = fopen(path, "w");
    if (!file)
        return error_set(error, EXIT_CODE_IO, "%s: cannot be written", path);
    fprintf(file, "# time observation x y z");
    for (int e = 0; e < estimates; e++) {
        assert(estimate[e].values);
        fprintf(file, " [%s: x y z]", estimate[e].name);
    }
    fprintf(file, "\n");
    for (int64_t n = 0; n < part->offsets[1]; n++) {
        fprintf(file, "%.2f ", (double)n * STEP);
        if (part->inputs[n * INPUTS + 1] != 0)
            fprintf(file, "%.4f", part->inputs[n * INPUTS]);
        else
            fprintf(file, "?");
        for (int c = 0; c < COORDINATES; c++)
            fprintf(file, " %.4f", part->truth[n * COORDINATES + c]);
        for (int e = 0; e < estimates; e++)
            for (int c = 0; c < COORDINATES; c++)
                fprintf(file, " %.4f", estimate[e].values[n * COORDINATES + c]);
        fprintf(file, "\n");
    }
    int failed = ferror(file);
    if (fclose(file) || failed)
        return error_set(error, EXIT_CODE_IO, "%s: cannot be written", path);
    return 0;
}

static int report(int words, char **word, const char *series, struct error *error)
{
    struct test_part part = {0};
    struct estimate estimate[MOST_ESTIMATES] = {0};
    int status = read_part(word[0], &part, error);
    for (int e = 0; e + 1 < words && !status; e++)
        status = read_estimate(word[e + 1], &part, &estimate[e], error);
    if (!status)
        status = print_table(&part, estimate, words - 1, error);
    if (!status && series)
        status = write_series(series, &part, estimate, words - 1, error);
    for (int e = 0; e < MOST_ESTIMATES; e++)
        memory_destroy(estimate[e].values);
    memory_destroy(part.truth);
    memory_destroy(part.inputs);
    memory_destroy(part.offsets);
    return status;
}

static int run(int argc, char **argv)
{
    const char *series = NULL;
    int words = argc - 1;
    if (words > 2 && strcmp(argv[argc - 2], "--series") == 0) {
        series = argv[argc - 1];
        words -= 2;
    }
    if (words < 2 || words - 1 > MOST_ESTIMATES) {
        log_line(LOG_ERROR, "usage: lorenz-report TEST.h5 NAME=PREDICTIONS.h5... [--series FILE]");
        return EXIT_CODE_USAGE;
    }
    struct error error = {0};
    if (report(words, argv + 1, series, &error))
        log_line(LOG_ERROR, "%s", error.text);
    return error.code;
}

int main(int argc, char **argv)
{
    streams_begin();
    log_set_speaker("lorenz-report", -1, NULL);
    return streams_end(run(argc, argv));
}

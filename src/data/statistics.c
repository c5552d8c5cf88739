/* Welford 1962, "Note on a method for calculating corrected sums of squares and products": one pass, and a
 * constant column has a sum of squares of exactly zero. */
#include "data/statistics.h"

#include "base/memory.h"
#include "data/check.h"

#include <assert.h>
#include <math.h>

/* Values of a sample, and the places that they come from. */
enum { SAMPLE_VALUES = 1 << 20, SAMPLE_PLACES = 64 };

/* The columns while rows come, which are added in order of the file. */
struct gathering {
    struct dataset *dataset;
    const struct values *values;
    /* [width] deviation holds the sum of squares, unchanged the count of equal pairs */
    struct column_statistics *column;
    float *before;       /* [width] the row before, or NULL: pairs are not looked at */
    int64_t rows, pairs; /* so far */
    int64_t s;           /* a sequence that does not begin behind the row at hand */
};

/* `weight`: 1 over how many there are with it. */
static void add_value(struct column_statistics *column, float x, double weight)
{
    double difference = x - column->mean;
    column->mean += difference * weight;
    column->deviation += difference * (x - column->mean);
    column->least = x < column->least ? x : column->least;
    column->most = x > column->most ? x : column->most;
}

static void add_row(struct gathering *gathering, const float *x, int follows)
{
    double weight = 1.0 / (double)++gathering->rows;
    gathering->pairs += follows;
    for (size_t i = 0; i < gathering->values->width; i++) {
        struct column_statistics *column = &gathering->column[i];
        if (isnan(x[i])) {
            column->missing++;
        } else {
            double own = column->missing ? 1.0 / (double)(gathering->rows - column->missing) : weight;
            add_value(column, x[i], own);
        }
        column->unchanged += follows && x[i] == gathering->before[i];
        if (gathering->before)
            gathering->before[i] = x[i];
    }
}

/* Is the row of the same sequence as the one before it, which was added? */
static int row_follows(struct gathering *gathering, int64_t row)
{
    const int64_t *offsets = gathering->values->offsets;
    if (!gathering->before)
        return 0;
    while (offsets[gathering->s + 1] <= row)
        gathering->s++;
    return row > offsets[gathering->s];
}

static int add_rows(struct gathering *gathering, int64_t first, int64_t rows, struct error *error)
{
    const struct values *values = gathering->values;
    int64_t block = values_block_rows(values), end = first + rows, n;
    for (int64_t row = first; row < end; row += n) {
        n = end - row < block ? end - row : block;
        const float *items = check_get_values(gathering->dataset, values, row, n, error);
        if (!items)
            return -1;
        for (int64_t r = 0; r < n; r++)
            add_row(gathering, items + (size_t)r * values->width, row_follows(gathering, row + r));
    }
    return 0;
}

static void begin(struct gathering *gathering)
{
    for (size_t i = 0; i < gathering->values->width; i++)
        gathering->column[i] = (struct column_statistics){.least = INFINITY, .most = -INFINITY};
}

static void finish(const struct gathering *gathering)
{
    for (size_t i = 0; i < gathering->values->width; i++) {
        struct column_statistics *column = &gathering->column[i];
        int64_t there = gathering->rows - column->missing;
        column->deviation = there ? sqrt(column->deviation / (double)there) : 0;
        column->unchanged /= gathering->pairs ? (double)gathering->pairs : 1;
    }
}

static int gather_all(struct dataset *dataset, const struct values *values, struct column_statistics *columns,
    struct error *error)
{
    struct gathering gathering = {.dataset = dataset, .values = values, .column = columns};
    gathering.before = memory_create(values->width, sizeof *gathering.before, error);
    if (!gathering.before)
        return -1;
    begin(&gathering);
    int failed = add_rows(&gathering, 0, values->rows, error);
    memory_destroy(gathering.before);
    if (!failed)
        finish(&gathering);
    return failed;
}

int statistics_of_inputs(struct dataset *dataset, struct column_statistics *columns, struct error *error)
{
    assert(dataset->features);
    struct values inputs = values_of_inputs(dataset);
    return gather_all(dataset, &inputs, columns, error);
}

int statistics_of_targets(struct dataset *dataset, struct column_statistics *columns, struct error *error)
{
    assert(dataset->has_targets && dataset->values);
    struct values targets = values_of_targets(dataset);
    return gather_all(dataset, &targets, columns, error);
}

int statistics_of_weights(struct dataset *dataset, struct column_statistics *column, struct error *error)
{
    assert(dataset->has_weights);
    struct values weights = values_of_weights(dataset);
    return gather_all(dataset, &weights, column, error);
}

static int gather_sample(struct dataset *dataset, const struct values *values,
    struct column_statistics *columns, struct error *error)
{
    struct gathering gathering = {.dataset = dataset, .values = values, .column = columns};
    int64_t rows = SAMPLE_VALUES / SAMPLE_PLACES / (int64_t)values->width + 1, places = SAMPLE_PLACES;
    if (rows * places >= values->rows) {
        rows = values->rows;
        places = 1;
    }
    begin(&gathering);
    for (int64_t place = 0; place < places; place++) {
        int64_t first = places > 1 ? (values->rows - rows) / (places - 1) * place : 0;
        if (add_rows(&gathering, first, rows, error))
            return -1;
    }
    finish(&gathering);
    return 0;
}

int statistics_sample(struct dataset *dataset, struct column_statistics *columns, struct error *error)
{
    assert(dataset->features);
    struct values inputs = values_of_inputs(dataset);
    return gather_sample(dataset, &inputs, columns, error);
}

int statistics_sample_targets(struct dataset *dataset, struct column_statistics *columns, struct error *error)
{
    assert(dataset->has_targets && dataset->values);
    struct values targets = values_of_targets(dataset);
    return gather_sample(dataset, &targets, columns, error);
}

int dataset_moments(struct dataset *dataset, double *mean, double *deviation, struct error *error)
{
    size_t I = dataset->features;
    struct column_statistics *columns = memory_create(I, sizeof *columns, error);
    if (!columns)
        return -1;
    int failed = statistics_of_inputs(dataset, columns, error);
    for (size_t i = 0; i < I && !failed; i++) {
        mean[i] = columns[i].mean;
        deviation[i] = (float)columns[i].deviation > 0 ? columns[i].deviation : 1; /* a float divides by it */
    }
    memory_destroy(columns);
    return failed;
}

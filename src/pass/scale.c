/* A feature is large where its root mean square is above LARGE: the units that see it begin saturated, and
 * its gradient drowns those of the others. It is small where all of its values lie within SMALL of each
 * other: what it tells is then next to nothing beside any other. A rare one among zeroes is neither, and a
 * constant one of usual size tells nothing in any scale. */
#include "pass/scale.h"

#include "base/memory.h"
#include "data/statistics.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const double LARGE = 10, SMALL = 0.03;

enum { MOST_NAMED = 3 };

/* Returns how many times a feature is too large or too small; 0 where it is neither. */
static double measure(const struct column_statistics *column)
{
    double size = sqrt(column->mean * column->mean + column->deviation * column->deviation);
    double range = column->most - column->least;
    double large = size > LARGE ? size / LARGE : 0, small = range > 0 && range < SMALL ? SMALL / range : 0;
    return large > small ? large : small;
}

/* Appends a feature, as in `feature 1 "pressure" (mean 1013, deviation 5.2)`. */
static void add_feature(
    struct dataset *dataset, const struct column_statistics *columns, size_t i, char *text, size_t size)
{
    char name[DATASET_NAME];
    size_t used = strlen(text);
    dataset_write_feature(dataset, (int64_t)i, name, sizeof name);
    snprintf(text + used, size - used, "feature %zu%s (mean %.4g, deviation %.4g)", i, name, columns[i].mean,
        columns[i].deviation);
}

/* Takes the worst of those that are left, each of which it marks as taken. */
static size_t take_worst(double *badness, size_t features)
{
    size_t worst = 0;
    for (size_t i = 1; i < features; i++)
        worst = badness[i] > badness[worst] ? i : worst;
    badness[worst] = 0;
    return worst;
}

static void describe(struct dataset *dataset, const struct column_statistics *columns, double *badness,
    size_t bad, char *text, size_t size)
{
    size_t named = bad < MOST_NAMED ? bad : MOST_NAMED;
    snprintf(text, size,
        "%.300s: inputs: %zu of %zu features %s far from a size of 1, for which weights are "
        "made at the start: ",
        dataset->name, bad, dataset->features, bad == 1 ? "is" : "are");
    for (size_t n = 0; n < named; n++) {
        size_t used = strlen(text);
        snprintf(text + used, size - used, "%s", n == 0 ? "" : n + 1 < named || bad > named ? ", " : " and ");
        add_feature(dataset, columns, take_worst(badness, dataset->features), text, size);
    }
    size_t used = strlen(text);
    snprintf(text + used, size - used,
        "%s: set data.standardize = yes, or scale them (rnn-data info shows each feature)",
        bad > named ? " and others" : "");
}

int scale_describe(struct dataset *dataset, size_t *features, char *text, size_t size, struct error *error)
{
    size_t I = dataset->features;
    *features = 0;
    if (I == 0)
        return 0;
    struct column_statistics *columns = memory_create(I, sizeof *columns, error);
    double *badness = columns ? memory_create(I, sizeof *badness, error) : NULL;
    int failed = !badness || statistics_sample(dataset, columns, error);
    for (size_t i = 0; i < I && !failed; i++) {
        badness[i] = measure(&columns[i]);
        *features += badness[i] > 0;
    }
    if (*features)
        describe(dataset, columns, badness, *features, text, size);
    memory_destroy(columns);
    memory_destroy(badness);
    return failed ? -1 : 0;
}

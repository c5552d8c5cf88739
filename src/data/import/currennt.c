/* The training data of CURRENNT (its README, section 5): one target a frame, a class where the file has the
 * dimension numLabels, else real values. */
#include "data/import/netcdf_sequences.h"

struct currennt_options {
    struct import_options common;
};

static int find_targets(
    struct netcdf_sequences *sequences, struct import *import, struct netcdf_variable *targets)
{
    struct netcdf_variable means;
    const char *name = sequences->classes ? "targetClasses" : "targetPatterns";
    int found = netcdf_sequences_find(sequences, import, name, sequences->frames, targets);
    if (found < 0)
        return -1;
    if (!found)
        return import_refuse(import,
            "has %s dimension numLabels, but no variable %s: it is no file of this kind",
            sequences->classes ? "the" : "no", name);
    found =
        sequences->classes ? 0 : netcdf_find(&sequences->file, "outputMeans", &means, import_error(import));
    if (found > 0)
        import_warn(import,
            "its targets were standardized: they stay so; outputMeans and outputStdevs, which would "
            "undo it, are left out");
    return found < 0 ? -1 : 0;
}

static int add_sequences(
    struct netcdf_sequences *sequences, struct import *import, const struct netcdf_variable *targets)
{
    int64_t first = 0;
    for (int64_t s = 0; s < sequences->count; first += sequences->length[s], s++)
        if (netcdf_sequences_begin(sequences, import, s, first) != 0 ||
            (sequences->classes ? netcdf_sequences_add_classes : netcdf_sequences_add_values)(
                sequences, import, targets, first, sequences->length[s]) != 0 ||
            import_end(import) != 0)
            return -1;
    return 0;
}

static int declare(
    const struct netcdf_sequences *sequences, struct import *import, const struct netcdf_variable *targets)
{
    struct import_shape shape = {.features = (size_t)sequences->inputs.width, .targets = IMPORT_PER_FRAME};
    if (sequences->classes)
        netcdf_sequences_describe_classes(sequences, &shape);
    else
        shape.values = (size_t)targets->width;
    return import_declare(import, &shape);
}

static int read_source(struct import *import, const void *options)
{
    struct netcdf_sequences sequences;
    struct netcdf_variable targets;
    if (netcdf_sequences_open(&sequences, import) != 0)
        return -1;
    int failed = find_targets(&sequences, import, &targets) != 0 ||
        declare(&sequences, import, &targets) != 0 || add_sequences(&sequences, import, &targets) != 0;
    netcdf_sequences_close(&sequences);
    return failed ? -1 : 0;
}

static const struct currennt_options defaults = {.common = {.output = NULL}};

const struct import_kind import_currennt = {
    .name = "currennt",
    .summary = "training data of CURRENNT (NetCDF)",
    .defaults = &defaults,
    .size = sizeof defaults,
    .read = read_source,
};

/* The data files of RNNLIB (its NetcdfDataset.hpp). What a sequence is to be answered with stands in RNNLIB's
 * own configuration: here --task says it, or it follows from what the file has. */
#include "data/import/netcdf_sequences.h"

#include "base/memory.h"

#include <inttypes.h>
#include <string.h>

enum rnnlib_task {
    TASK_AUTO,
    TASK_CLASSIFICATION,
    TASK_REGRESSION,
    TASK_SEQUENCE_CLASSIFICATION,
    TASK_SEQUENCE_REGRESSION,
    TASK_TRANSCRIPTION
};

static const char *const task_names[] = {"auto", "classification", "regression", "sequence_classification",
    "sequence_regression", "transcription", NULL};

struct rnnlib_options {
    struct import_options common;
    enum rnnlib_task task;
};

/* A source on its way. */
struct rnnlib_source {
    struct netcdf_sequences sequences;
    enum rnnlib_task task;
    struct netcdf_variable targets;
    int64_t *target_length; /* [sequences]; NULL: as the task has it */
    char **feature_name;    /* [features]; NULL */
};

/* ---- what there is ---- */

static const char *variable_of(enum rnnlib_task task)
{
    if (task == TASK_SEQUENCE_CLASSIFICATION || task == TASK_TRANSCRIPTION)
        return "targetStrings";
    return task == TASK_CLASSIFICATION ? "targetClasses" : "targetPatterns";
}

/* Counts the labels of a row of targetStrings. */
static int64_t count_words(char *text)
{
    int64_t n = 0;
    while (bounded_next_word(&text))
        n++;
    return n;
}

/* Has each row of targetStrings one label? 1, 0 or -1. */
static int has_single_labels(struct rnnlib_source *source, struct import *import)
{
    for (int64_t s = 0; s < source->sequences.count; s++) {
        char *text = netcdf_read_text(&source->sequences.file, &source->targets, s, import_error(import));
        int64_t n = text ? count_words(text) : -1;
        memory_destroy(text);
        if (n != 1)
            return n < 0 ? -1 : 0;
    }
    return 1;
}

static int find_targets(struct rnnlib_source *source, struct import *import, enum rnnlib_task task)
{
    source->task = task;
    return netcdf_find(&source->sequences.file, variable_of(task), &source->targets, import_error(import));
}

/* The first of these of which the file has the targets. */
static int derive_task(struct rnnlib_source *source, struct import *import)
{
    static const enum rnnlib_task tried[] = {TASK_TRANSCRIPTION, TASK_CLASSIFICATION, TASK_REGRESSION};
    for (size_t i = 0; i < sizeof tried / sizeof *tried; i++) {
        int found = find_targets(source, import, tried[i]);
        if (found < 0)
            return -1;
        if (!found)
            continue;
        if (tried[i] == TASK_TRANSCRIPTION && source->targets.rows == source->sequences.count) {
            int single = has_single_labels(source, import);
            if (single < 0)
                return -1;
            source->task = single ? TASK_SEQUENCE_CLASSIFICATION : TASK_TRANSCRIPTION;
        } else if (tried[i] == TASK_REGRESSION && source->targets.rows == source->sequences.count &&
            source->sequences.count != source->sequences.frames) {
            source->task = TASK_SEQUENCE_REGRESSION;
        }
        return 0;
    }
    return import_refuse(
        import, "has no targets: neither targetStrings nor targetClasses nor targetPatterns");
}

/* Sequences may have as many targets of their own as targetSeqDims says, unless these are the frames
 * everywhere. */
static int read_target_lengths(struct rnnlib_source *source, struct import *import)
{
    struct netcdf_variable lengths;
    struct netcdf_sequences *sequences = &source->sequences;
    int alike = 1;
    if (source->task != TASK_CLASSIFICATION && source->task != TASK_REGRESSION)
        return 0;
    int found = netcdf_sequences_find(sequences, import, "targetSeqDims", sequences->count, &lengths);
    if (found <= 0)
        return found;
    if (lengths.width != 1)
        return import_refuse(
            import, "targetSeqDims has %" PRId64 " dimensions, but here targets have one", lengths.width);
    lengths.dimensions = 1;
    int64_t *length = memory_create((size_t)sequences->count, sizeof *length, import_error(import));
    source->target_length = length;
    if (!length ||
        netcdf_read_integers(&sequences->file, &lengths, 0, sequences->count, length, import_error(import)) !=
            0)
        return -1;
    for (int64_t s = 0, left = source->targets.rows; s < sequences->count; left -= length[s++]) {
        if (length[s] < 0 || length[s] > left)
            return import_refuse(import,
                "targetSeqDims: sequence %" PRId64 " has %" PRId64 " targets, of which %" PRId64 " are left",
                s, length[s], left);
        alike = alike && length[s] == sequences->length[s];
    }
    if (alike) {
        memory_destroy(length);
        source->target_length = NULL;
    }
    return 0;
}

static int64_t count_targets(const struct rnnlib_source *source, int64_t s)
{
    if (source->target_length)
        return source->target_length[s];
    return source->task == TASK_SEQUENCE_REGRESSION ? 1 : source->sequences.length[s];
}

static int check_rows(const struct rnnlib_source *source, struct import *import)
{
    int64_t rows = 0;
    int of_texts = source->task == TASK_SEQUENCE_CLASSIFICATION || source->task == TASK_TRANSCRIPTION;
    for (int64_t s = 0; s < source->sequences.count; s++)
        rows += of_texts ? 1 : count_targets(source, s);
    if (rows == source->targets.rows)
        return 0;
    return import_refuse(import,
        "%s has %" PRId64 " rows, but the task %s has %" PRId64 " targets: name the task "
        "with --task",
        source->targets.name, source->targets.rows, task_names[source->task], rows);
}

static int read_feature_names(struct rnnlib_source *source, struct import *import)
{
    struct netcdf_variable names;
    int found = netcdf_sequences_find(
        &source->sequences, import, "inputLabels", source->sequences.inputs.width, &names);
    if (found <= 0)
        return found;
    source->feature_name = netcdf_sequences_read_texts(&source->sequences, import, &names);
    return source->feature_name ? 0 : -1;
}

static int look(struct rnnlib_source *source, struct import *import, enum rnnlib_task asked)
{
    if (asked == TASK_AUTO && derive_task(source, import) != 0)
        return -1;
    if (asked != TASK_AUTO) {
        int found = find_targets(source, import, asked);
        if (found <= 0)
            return found < 0 ? -1
                             : import_refuse(import, "has no variable %s, which --task %s needs",
                                   variable_of(asked), task_names[asked]);
    }
    return read_target_lengths(source, import) != 0 || check_rows(source, import) != 0
        ? -1
        : read_feature_names(source, import);
}

/* ---- what is handed over ---- */

static int declare(const struct rnnlib_source *source, struct import *import)
{
    static const enum import_targets targets[] = {[TASK_CLASSIFICATION] = IMPORT_PER_FRAME,
        [TASK_REGRESSION] = IMPORT_PER_FRAME,
        [TASK_SEQUENCE_CLASSIFICATION] = IMPORT_PER_SEQUENCE,
        [TASK_SEQUENCE_REGRESSION] = IMPORT_PER_SEQUENCE,
        [TASK_TRANSCRIPTION] = IMPORT_ANY_TARGETS};
    struct import_shape shape = {.features = (size_t)source->sequences.inputs.width,
        .feature_names = (const char *const *)source->feature_name,
        .targets = source->target_length ? IMPORT_ANY_TARGETS : targets[source->task]};
    if (strcmp(source->targets.name, "targetPatterns") == 0)
        shape.values = (size_t)source->targets.width;
    else if (source->task == TASK_CLASSIFICATION || source->sequences.class_name)
        netcdf_sequences_describe_classes(&source->sequences, &shape);
    return import_declare(import, &shape);
}

static int add_labels(struct rnnlib_source *source, struct import *import, int64_t s)
{
    char *text = netcdf_read_text(&source->sequences.file, &source->targets, s, import_error(import));
    int outcome = text ? 0 : -1;
    char *rest = text;
    for (const char *word; outcome == 0 && (word = bounded_next_word(&rest));)
        outcome = import_add_class(import, word);
    memory_destroy(text);
    return outcome;
}

static int add_targets(struct rnnlib_source *source, struct import *import, int64_t s, int64_t first)
{
    int64_t n = count_targets(source, s);
    if (source->task == TASK_SEQUENCE_CLASSIFICATION || source->task == TASK_TRANSCRIPTION)
        return add_labels(source, import, s);
    if (source->task == TASK_CLASSIFICATION)
        return netcdf_sequences_add_classes(&source->sequences, import, &source->targets, first, n);
    return netcdf_sequences_add_values(&source->sequences, import, &source->targets, first, n);
}

static int add_sequences(struct rnnlib_source *source, struct import *import)
{
    int64_t frame = 0, target = 0;
    for (int64_t s = 0; s < source->sequences.count; s++) {
        if (netcdf_sequences_begin(&source->sequences, import, s, frame) != 0 ||
            add_targets(source, import, s, target) != 0 || import_end(import) != 0)
            return -1;
        frame += source->sequences.length[s];
        target += count_targets(source, s);
    }
    return 0;
}

static int read_source(struct import *import, const void *options)
{
    struct rnnlib_source source = {.task = TASK_AUTO};
    if (netcdf_sequences_open(&source.sequences, import) != 0)
        return -1;
    int failed = look(&source, import, ((const struct rnnlib_options *)options)->task) != 0 ||
        declare(&source, import) != 0 || add_sequences(&source, import) != 0;
    netcdf_sequences_free_texts(source.feature_name, source.sequences.inputs.width);
    memory_destroy(source.target_length);
    netcdf_sequences_close(&source.sequences);
    return failed ? -1 : 0;
}

static const struct option_row rows[] = {
    {"task", 0, OPTION_CHOICE, offsetof(struct rnnlib_options, task), .names = task_names, .argument = "NAME",
        .help = "what targets are: classification, regression, sequence_classification,\n"
                "sequence_regression or transcription (default auto: as the file looks)"}};

static const struct rnnlib_options defaults = {.task = TASK_AUTO};

const struct import_kind import_rnnlib = {
    .name = "rnnlib",
    .summary = "data files of RNNLIB (NetCDF)",
    .rows = rows,
    .row_count = sizeof rows / sizeof *rows,
    .defaults = &defaults,
    .size = sizeof defaults,
    .read = read_source,
};

/* Features of Kaldi: a source is an archive or a script (data/import/kaldi_table.h), each object of it a
 * sequence. Targets are found by the key (data/import/keyed.h). */
#include "data/import/keyed.h"

#include "base/text.h"

#include <inttypes.h>
#include <string.h>

struct kaldi_options {
    struct import_options common;
    struct keyed_options keyed;
};

struct kaldi_state {
    struct keyed_targets keyed;
    struct kaldi_object matrix;
    size_t features; /* of the first sequence of the source; 0: none has come */
};

static int check(const void *options, struct error *error)
{
    return keyed_check(&((const struct kaldi_options *)options)->keyed, error);
}

/* Holds a range against the matrix, and says what of it is meant. */
static int resolve(const struct kaldi_table *table, const struct kaldi_object *matrix,
    struct kaldi_range *range, struct error *error)
{
    char shown[TEXT_SHOWN];
    *range = table->range;
    if (range->first_row < 0)
        *range = (struct kaldi_range){0, (int64_t)matrix->rows - 1, range->first_column, range->last_column};
    if (range->first_column < 0) {
        range->first_column = 0;
        range->last_column = (int64_t)matrix->columns - 1;
    }
    if (range->last_row < (int64_t)matrix->rows && range->last_column < (int64_t)matrix->columns)
        return 0;
    return error_set(error, EXIT_CODE_DATA,
        "%s: line %" PRId64 ": key %s: the range [%" PRId64 ":%" PRId64 ",%" PRId64 ":%" PRId64
        "] reaches beyond a matrix of %zu rows and %zu columns",
        table->file.path, table->file.lines, text_show(table->key, shown), range->first_row, range->last_row,
        range->first_column, range->last_column, matrix->rows, matrix->columns);
}

/* Refuses a sequence that has not as many features as the first. */
static int take_features(struct import *import, struct kaldi_state *state, const char *key, size_t features)
{
    char shown[TEXT_SHOWN];
    struct import_shape shape = {.features = features};
    if (state->features && state->features != features)
        return import_refuse(import, "key %s has %zu features, but the first has %zu: all must have the same",
            text_show(key, shown), features, state->features);
    if (state->features)
        return 0;
    state->features = features;
    keyed_describe(&state->keyed, &shape);
    return import_declare(import, &shape);
}

static int add_rows(struct import *import, const struct kaldi_object *matrix, const struct kaldi_range *range)
{
    for (int64_t r = range->first_row; r <= range->last_row; r++)
        if (import_add_rows(
                import, matrix->values + (size_t)r * matrix->columns + (size_t)range->first_column, 1) != 0)
            return -1;
    return 0;
}

static int add_sequence(
    struct import *import, struct kaldi_state *state, struct kaldi_table *table, const struct mark *mark)
{
    struct kaldi_range range;
    if (resolve(table, &state->matrix, &range, import_error(import)) != 0 ||
        take_features(import, state, table->key, (size_t)(range.last_column - range.first_column + 1)) != 0)
        return -1;
    struct keyed_sequence sequence = {table->key, range.last_row - range.first_row + 1, 0};
    return import_begin(import, table->key, NULL) != 0 || add_rows(import, &state->matrix, &range) != 0 ||
            keyed_add(&state->keyed, import, mark, &sequence) != 0 || import_end(import) != 0
        ? -1
        : 0;
}

/* Reads the matrices of a table; those of an archive also where they are left out, to get behind them. */
static int read_table(struct import *import, struct kaldi_state *state, struct kaldi_table *table)
{
    struct mark *mark;
    struct error *error = import_error(import);
    for (int got; (got = kaldi_table_next(table, error)) != 0;) {
        int wanted = got > 0 ? keyed_find(&state->keyed, import, table->key, &mark) : -1;
        if (wanted < 0 || kaldi_read_matrix(table->object, table->key, &state->matrix, error) != 0)
            return -1;
        if (wanted && add_sequence(import, state, table, mark) != 0)
            return -1;
    }
    return 0;
}

static int read_source(struct import *import, const void *options)
{
    struct kaldi_state *state = import_state(import);
    struct kaldi_table table = {0};
    if (!state->keyed.is_open &&
        keyed_open(&state->keyed, &((const struct kaldi_options *)options)->keyed, import_error(import)) != 0)
        return -1;
    state->features = 0;
    if (kaldi_table_open(&table, import_source(import), import_error(import)) != 0)
        return -1;
    int outcome = read_table(import, state, &table);
    kaldi_table_close(&table);
    return outcome;
}

static int end(struct import *import, const void *options)
{
    struct kaldi_state *state = import_state(import);
    return keyed_end(&state->keyed, import);
}

static void finish(void *bytes)
{
    struct kaldi_state *state = bytes;
    keyed_finish(&state->keyed);
    kaldi_object_finish(&state->matrix);
}

static const struct option_row rows[] = {
    KEYED_ROW_ALIGNMENT(struct kaldi_options), KEYED_ROWS_TEXT(struct kaldi_options)};

static const struct kaldi_options defaults = {.keyed = KEYED_DEFAULTS};

const struct import_kind import_kaldi = {
    .name = "kaldi",
    .summary = "Kaldi features (scp, ark), with alignments, texts or labels",
    .rows = rows,
    .row_count = sizeof rows / sizeof *rows,
    .defaults = &defaults,
    .size = sizeof defaults,
    .state = sizeof(struct kaldi_state),
    .check = check,
    .read = read_source,
    .end = end,
    .finish = finish,
};

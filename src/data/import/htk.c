/* Parameter files of HTK, a sequence each: a source is one file, or a list of them, which ends with .scp and
 * has a line "FILE" or "NAME FILE" for each. The name of a sequence is that of the list, or of the file
 * without its folders and ending. */
#include "data/import/htk_file.h"

#include "base/memory.h"
#include "data/import/files.h"
#include "data/import/keyed.h"

#include <string.h>

struct htk_options {
    struct import_options common;
    struct keyed_options keyed;
};

struct htk_state {
    struct keyed_targets keyed;
    size_t features; /* of the first sequence of the source; 0: none has come */
};

static int check(const void *options, struct error *error)
{
    return keyed_check(&((const struct htk_options *)options)->keyed, error);
}

static int take_features(struct import *import, struct htk_state *state, const struct htk_file *htk)
{
    struct import_shape shape = {.features = htk->features};
    if (state->features && state->features != htk->features)
        return error_set(import_error(import), EXIT_CODE_DATA,
            "%s: has %zu features, but the first file has %zu: all must have the same", htk->file.path,
            htk->features, state->features);
    if (state->features)
        return 0;
    state->features = htk->features;
    keyed_describe(&state->keyed, &shape);
    return import_declare(import, &shape);
}

static int add_frames(struct import *import, struct htk_file *htk)
{
    float *frame = memory_create(htk->features, sizeof *frame, import_error(import));
    int outcome = frame ? 0 : -1;
    for (int32_t t = 0; outcome == 0 && t < htk->frames; t++)
        outcome =
            htk_read_frame(htk, frame, import_error(import)) != 0 || import_add_rows(import, frame, 1) != 0
            ? -1
            : 0;
    memory_destroy(frame);
    return outcome;
}

static int add_sequence(
    struct import *import, struct htk_state *state, const char *name, struct htk_file *htk)
{
    struct mark *mark;
    struct keyed_sequence sequence = {name, htk->frames, htk->period};
    int wanted = keyed_find(&state->keyed, import, name, &mark);
    if (wanted <= 0)
        return wanted;
    return take_features(import, state, htk) != 0 || import_begin(import, name, NULL) != 0 ||
            add_frames(import, htk) != 0 || keyed_add(&state->keyed, import, mark, &sequence) != 0 ||
            import_end(import) != 0
        ? -1
        : 0;
}

static int read_file(struct import *import, void *context, const char *name, const char *path)
{
    struct htk_file htk;
    if (htk_open(&htk, path, import_error(import)) != 0)
        return -1;
    import_set_file(import, path);
    int outcome = add_sequence(import, context, name, &htk);
    import_set_file(import, NULL);
    htk_close(&htk);
    return outcome;
}

static int read_source(struct import *import, const void *options)
{
    struct htk_state *state = import_state(import);
    if (!state->keyed.is_open &&
        keyed_open(&state->keyed, &((const struct htk_options *)options)->keyed, import_error(import)) != 0)
        return -1;
    state->features = 0;
    return import_each_file(import, read_file, state);
}

static int end(struct import *import, const void *options)
{
    struct htk_state *state = import_state(import);
    return keyed_end(&state->keyed, import);
}

static void finish(void *bytes)
{
    struct htk_state *state = bytes;
    keyed_finish(&state->keyed);
}

static const struct option_row rows[] = {
    KEYED_ROW_MLF(struct htk_options), KEYED_ROWS_TEXT(struct htk_options)};

static const struct htk_options defaults = {.keyed = KEYED_DEFAULTS};

const struct import_kind import_htk = {
    .name = "htk",
    .summary = "HTK parameter files, with a master label file, texts or labels",
    .rows = rows,
    .row_count = sizeof rows / sizeof *rows,
    .defaults = &defaults,
    .size = sizeof defaults,
    .state = sizeof(struct htk_state),
    .check = check,
    .read = read_source,
    .end = end,
    .finish = finish,
};

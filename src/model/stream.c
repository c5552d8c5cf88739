/* Sequences that come in pieces. What is pushed into a network of forward directions is run at once, a
 * bounded number of frames at a time. One with reverse directions has frames held back until a window of them
 * is there (rnn_stream_open); what is left at the end is a window by itself, which ends where the sequence
 * does. Buffers grow to the largest that was needed and stay, so that a step allocates nothing. */
#include "base/array.h"
#include "base/memory.h"
#include "model/handle.h"
#include "net/outputs/output.h"
#include "net/results.h"

#include <stdlib.h>
#include <string.h>

enum { AT_ONCE = 1024, MOST_WINDOW = 1 << 24 /* frames */ };

struct rnn_stream {
    struct rnn_model *model;
    struct net_state *state;
    struct microbatch microbatch;
    size_t chunk, window; /* frames of both, look_ahead included; 0: nothing is held back */

    /* Frames that wait, of one kind. */
    size_t held, x_room, symbols_room;
    float *x;
    int32_t *symbols;

    /* What the call at hand gives. */
    size_t rows, values_room, labels, labels_room;
    float *values;
    int32_t *label;
    size_t before; /* ctc: the most probable of the last row */
};

/* ---- opening ---- */

static int refuse(const struct rnn_model *model, size_t chunk, size_t look_ahead, struct error *error)
{
    int both = rnn_directions(model) > 1;
    if (both && output_of(model->config)->rows == PER_SEQUENCE)
        return error_set(error, EXIT_CODE_USAGE,
            "%s: tells one thing of a sequence, which it also reads from its end: it has no streams",
            model->path);
    if (both && (chunk == 0 || chunk > MOST_WINDOW || look_ahead > MOST_WINDOW))
        return error_set(error, EXIT_CODE_USAGE,
            "%s: reads sequences from their end too: chunks of 1 to %d frames are allowed, and as many to "
            "look ahead at",
            model->path, MOST_WINDOW);
    return 0;
}

static void restart(struct rnn_stream *stream)
{
    net_state_restart(stream->state);
    stream->held = 0;
    stream->before = stream->model->config->outputs; /* a blank */
}

enum rnn_code rnn_stream_open(struct rnn_model *model, size_t chunk, size_t look_ahead,
    struct rnn_stream **stream, struct rnn_error *error)
{
    struct error inside = {0};
    *stream = NULL;
    if (refuse(model, chunk, look_ahead, &inside))
        return handle_fail(&inside, error);
    struct rnn_stream *opened = memory_create(1, sizeof *opened, &inside);
    if (opened)
        opened->state = net_state_create_windows(model->net, 1, &inside);
    if (!opened || !opened->state) {
        rnn_stream_close(opened);
        return handle_fail(&inside, error);
    }
    opened->model = model;
    if (rnn_directions(model) > 1) {
        opened->chunk = chunk;
        opened->window = chunk + look_ahead;
    }
    restart(opened);
    *stream = opened;
    return RNN_OK;
}

void rnn_stream_close(struct rnn_stream *stream)
{
    if (!stream)
        return;
    net_state_destroy(stream->state);
    microbatch_finish(&stream->microbatch);
    free(stream->x);
    free(stream->symbols);
    free(stream->values);
    free(stream->label);
    memory_destroy(stream);
}

/* ---- what comes out ---- */

static int no_room(struct error *error)
{
    return error_set(error, EXIT_CODE_INTERNAL, "out of memory: no room for what the stream gives");
}

/* A row has a label, or of ctc one where another than the last begins. */
static void add_label(struct rnn_stream *stream, const float *row, size_t width)
{
    const struct rnn_model *model = stream->model;
    size_t most = results_most_probable(row, width);
    int searched = output_makes_labels(model->config), blank = most == model->config->outputs;
    if (!searched || (most != stream->before && !blank))
        stream->label[stream->labels++] = (int32_t)most;
    stream->before = most;
}

/* Keeps the rows of the first `kept` frames. Of a sequence there is but the last. */
static int keep(
    struct rnn_stream *stream, const struct net_outputs *outputs, size_t kept, struct error *error)
{
    const struct rnn_model *model = stream->model;
    size_t n = results_count_rows(model->config, kept), width = rnn_width(model);
    if (output_of(model->config)->rows == PER_SEQUENCE)
        stream->rows = stream->labels = 0;
    float *values =
        array_reserve(stream->values, &stream->values_room, (stream->rows + n) * width, sizeof *values);
    if (!values)
        return no_room(error);
    stream->values = values;
    int32_t *label = array_reserve(stream->label, &stream->labels_room, stream->labels + n, sizeof *label);
    if (!label)
        return no_room(error);
    stream->label = label;
    for (size_t i = 0; i < n; i++, stream->rows++) {
        float *row = values + stream->rows * width;
        results_present(model->config, outputs->values + i * outputs->stride, row);
        if (rnn_classes(model))
            add_label(stream, row, width);
    }
    return 0;
}

/* Runs n frames, of which the first `kept` are done with. */
static int run_window(
    struct rnn_stream *stream, const struct handle_frames *frames, size_t n, size_t kept, struct error *error)
{
    struct rnn_model *model = stream->model;
    int32_t length = (int32_t)n;
    struct net_outputs outputs;
    if (handle_resize(model, &stream->microbatch, 1, &length, &(int64_t){0}, error))
        return -1;
    for (size_t t = 0; t < n; t++)
        handle_pack_frame(model, frames, t, &stream->microbatch, t);
    if (net_continue_window(model->net, stream->state, &stream->microbatch, kept, &outputs, error))
        return -1;
    if (results_find_infinite(model->config, &stream->microbatch, &outputs) == 0)
        return error_set(error, EXIT_CODE_DATA,
            "what the network makes of these frames is not finite: give inputs of the size that it was "
            "trained on");
    return keep(stream, &outputs, kept, error);
}

/* ---- what goes in ---- */

/* The frames from the n-th on. */
static struct handle_frames frames_from(
    const struct rnn_model *model, const struct handle_frames *frames, size_t n)
{
    return (struct handle_frames){.x = frames->x ? frames->x + n * model->config->inputs : NULL,
        .symbols = frames->symbols ? frames->symbols + n : NULL};
}

static struct handle_frames held_frames(const struct rnn_stream *stream)
{
    int symbols = stream->model->config->symbols;
    return (struct handle_frames){
        .x = symbols ? NULL : stream->x, .symbols = symbols ? stream->symbols : NULL};
}

/* Puts n frames behind those that are held. */
static int hold(struct rnn_stream *stream, const struct handle_frames *frames, size_t n, struct error *error)
{
    size_t I = stream->model->config->inputs, held = stream->held;
    if (frames->symbols) {
        int32_t *symbols = array_reserve(stream->symbols, &stream->symbols_room, held + n, sizeof *symbols);
        if (!symbols)
            return no_room(error);
        memcpy(symbols + held, frames->symbols, n * sizeof *symbols);
        stream->symbols = symbols;
    } else {
        float *x = array_reserve(stream->x, &stream->x_room, (held + n) * I, sizeof *x);
        if (!x)
            return no_room(error);
        memcpy(x + held * I, frames->x, n * I * sizeof *x);
        stream->x = x;
    }
    stream->held = held + n;
    return 0;
}

/* Forgets the first n frames that are held. */
static void let_go(struct rnn_stream *stream, size_t n)
{
    size_t I = stream->model->config->inputs, rest = stream->held - n;
    if (stream->model->config->symbols)
        memmove(stream->symbols, stream->symbols + n, rest * sizeof *stream->symbols);
    else
        memmove(stream->x, stream->x + n * I, rest * I * sizeof *stream->x);
    stream->held = rest;
}

static int push_through_windows(
    struct rnn_stream *stream, const struct handle_frames *frames, size_t n, struct error *error)
{
    for (size_t at = 0, some; at < n; at += some) {
        size_t missing = stream->window - stream->held;
        struct handle_frames more = frames_from(stream->model, frames, at);
        some = n - at < missing ? n - at : missing;
        if (hold(stream, &more, some, error))
            return -1;
        if (stream->held < stream->window)
            continue;
        struct handle_frames held = held_frames(stream);
        if (run_window(stream, &held, stream->window, stream->chunk, error))
            return -1;
        let_go(stream, stream->chunk);
    }
    return 0;
}

static int push_at_once(
    struct rnn_stream *stream, const struct handle_frames *frames, size_t n, struct error *error)
{
    for (size_t at = 0, some; at < n; at += some) {
        struct handle_frames more = frames_from(stream->model, frames, at);
        some = n - at < AT_ONCE ? n - at : AT_ONCE;
        if (run_window(stream, &more, some, some, error))
            return -1;
    }
    return 0;
}

/* ---- the calls ---- */

static void begin(struct rnn_stream *stream, struct rnn_rows *rows)
{
    stream->rows = stream->labels = 0;
    *rows = (struct rnn_rows){.width = rnn_width(stream->model)};
}

/* Shows what was made; after a failure there is nothing, and the stream begins anew. */
static enum rnn_code show(struct rnn_stream *stream, int failed, const struct error *inside,
    struct rnn_rows *rows, struct rnn_error *error)
{
    if (failed) {
        restart(stream);
        return handle_fail(inside, error);
    }
    rows->rows = stream->rows;
    rows->values = stream->values;
    rows->labels = stream->labels;
    rows->label = rnn_classes(stream->model) ? stream->label : NULL;
    return RNN_OK;
}

static enum rnn_code push(struct rnn_stream *stream, const struct handle_frames *frames, size_t n,
    struct rnn_rows *rows, struct rnn_error *error)
{
    struct error inside = {0};
    begin(stream, rows);
    if (n == 0)
        return show(stream, 0, &inside, rows, error);
    if (handle_check_frames(stream->model, frames, n, &inside))
        return handle_fail(&inside, error);
    int failed = stream->window ? push_through_windows(stream, frames, n, &inside)
                                : push_at_once(stream, frames, n, &inside);
    return show(stream, failed, &inside, rows, error);
}

enum rnn_code rnn_stream_features(
    struct rnn_stream *stream, size_t frames, const float *x, struct rnn_rows *rows, struct rnn_error *error)
{
    return push(stream, &(struct handle_frames){.x = x}, frames, rows, error);
}

enum rnn_code rnn_stream_symbols(struct rnn_stream *stream, size_t frames, const int32_t *symbols,
    struct rnn_rows *rows, struct rnn_error *error)
{
    return push(stream, &(struct handle_frames){.symbols = symbols}, frames, rows, error);
}

enum rnn_code rnn_stream_end(struct rnn_stream *stream, struct rnn_rows *rows, struct rnn_error *error)
{
    struct error inside = {0};
    begin(stream, rows);
    struct handle_frames held = held_frames(stream);
    int failed = stream->held && run_window(stream, &held, stream->held, stream->held, &inside);
    enum rnn_code code = show(stream, failed, &inside, rows, error);
    restart(stream);
    return code;
}

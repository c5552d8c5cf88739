/* librnn from outside: what it makes of sequences, whole and in pieces, is what rnn-predict writes, bit by
 * bit; what it cannot do, and files that are none of ours, it refuses by value. */
#include "h5/h5.h"
#include "model/rnn.h"
#include "support/job.h"
#include "support/suite.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *program; /* rnn-predict */

/* ---- networks ---- */

struct kind {
    const char *name;
    struct sample_shape shape;
    const char *model; /* lines of [model] */
    int standardize;
    const char *beam;   /* NULL: none */
    const char *output; /* what rnn_output_name says */
};

#define SHAPE .sequences = 21, .shortest = 1, .longest = 40

/* Every cell and output, features and symbols, one direction and both. */
static const struct kind kinds[] = {
    {"frames", {SHAPE, .features = 5, .kind = SAMPLE_PER_FRAME, .classes = 4, .names = 1},
        "output = frame\nloss = softmax\nlayers = 2\n", 1, NULL, "frame"},
    {"forward", {SHAPE, .features = 5, .kind = SAMPLE_PER_FRAME, .classes = 4},
        "output = frame\nloss = softmax\nbidirectional = no\nlayers = 2\npeepholes = yes\nresidual = yes\n"
        "initial_state = learned\nnormalize = yes\n",
        1, NULL, "frame"},
    {"gru", {SHAPE, .symbols = 7, .kind = SAMPLE_PER_SEQUENCE, .classes = 3},
        "output = sequence\nloss = softmax\ncell = gru\nembedding = 6\nbidirectional = no\n", 0, NULL,
        "sequence"},
    {"rnn", {SHAPE, .symbols = 7, .kind = SAMPLE_PER_FRAME, .classes = 7},
        "output = frame\nloss = softmax\ncell = rnn\nbidirectional = no\ntransition_layers = 1\n", 0, NULL,
        "frame"},
    {"relu", {SHAPE, .features = 3, .kind = SAMPLE_PER_SEQUENCE, .classes = 3},
        "output = sequence\nloss = softmax\ncell = rnn-relu\ninput_layers = 9\noutput_layers = 8\n", 0, NULL,
        "sequence"},
    {"indrnn", {SHAPE, .features = 3, .kind = SAMPLE_PER_FRAME, .values = 2},
        "output = frame\nloss = mse\ncell = indrnn\nbidirectional = no\nlayers = 2\n", 1, NULL, "frame"},
    {"mingru", {SHAPE, .features = 3, .kind = SAMPLE_PER_FRAME, .values = 2},
        "output = frame\nloss = gaussian\ncell = mingru\nbidirectional = no yes\nlayers = 2\n", 1, NULL,
        "frame"},
    {"lru", {SHAPE, .features = 3, .kind = SAMPLE_PER_FRAME, .values = 2},
        "output = frame\nloss = quantile\nquantiles = 0.1 0.5 0.9\ncell = lru\nbidirectional = no\n"
        "layers = 2\n",
        0, NULL, "frame"},
    {"shares", {SHAPE, .symbols = 7, .kind = SAMPLE_PER_SEQUENCE, .values = 3, .shares = 1},
        "output = sequence\nloss = sigmoid\nbidirectional = no\n", 0, NULL, "sequence"},
    {"ctc", {SHAPE, .features = 4, .kind = SAMPLE_ANY, .classes = 3, .names = 1}, "output = ctc\n", 1, NULL,
        "ctc"},
    {"ctc-beam", {SHAPE, .features = 4, .kind = SAMPLE_ANY, .classes = 3},
        "output = ctc\nbidirectional = no\n", 0, "5", "ctc"},
    {"decoder", {SHAPE, .symbols = 6, .kind = SAMPLE_ANY, .classes = 3}, "output = decoder\nloss = softmax\n",
        0, NULL, "decoder"},
    {"decoder-beam", {SHAPE, .features = 4, .kind = SAMPLE_ANY, .classes = 3},
        "output = decoder\nloss = softmax\nattention = dot\n", 1, "4", "decoder"},
    {"single", {SHAPE, .features = 3, .kind = SAMPLE_PER_FRAME, .classes = 3},
        "output = frame\nloss = softmax\nlayers = 1\n", 1, NULL, "frame"},
    {"many", {SHAPE, .features = 2, .kind = SAMPLE_THREE, .values = 2}, "output = decoder\nloss = mse\n", 1,
        NULL, "decoder"},
};
enum { KINDS = sizeof kinds / sizeof *kinds };

static const char *path_of(const struct kind *kind, const char *rest)
{
    char name[128];
    snprintf(name, sizeof name, "%s%s", kind->name, rest);
    return job_path(name);
}

/* The longest sequence of a ctc has frames for three labels of one class, with blanks between. */
static struct sample_shape shape_of(const struct kind *kind)
{
    struct sample_shape shape = kind->shape;
    if (strncmp(kind->name, "ctc", 3) == 0)
        shape.shortest = 6;
    return shape;
}

/* One epoch into the run directory NAME on NAME.h5; what rnn-predict makes of that is in NAME-out.h5. */
static void prepare(const struct kind *kind)
{
    char config[64], data[64], text[1024];
    struct command_result result;
    struct sample_shape shape = shape_of(kind);
    snprintf(data, sizeof data, "%s.h5", kind->name);
    snprintf(config, sizeof config, "%s.ini", kind->name);
    snprintf(text, sizeof text,
        "[data]\ntrain = %s\nvalid = %s\nstandardize = %s\n[model]\nhidden = 19\n%s[train]\nbatch = 10\n"
        "microbatch = 4\nepochs = 1\nlr = 0.02\n",
        data, data, kind->standardize ? "yes" : "no", kind->model);
    job_write_sample(data, &shape, 7);
    job_write_text(config, text);
    job_run(&result, 0, config, kind->name, NULL);
    job_expect(&result, 0);
    command_result_finish(&result);
    char beam[32] = "--batch=3";
    if (kind->beam)
        snprintf(beam, sizeof beam, "--beam=%s", kind->beam);
    command_call(&result, JOB_SECONDS, program, "-o", path_of(kind, "-out.h5"), beam, path_of(kind, ""),
        path_of(kind, ".h5"), NULL);
    job_expect(&result, 0);
    command_result_finish(&result);
}

static struct rnn_model *open_kind(const struct kind *kind)
{
    struct rnn_model *model = NULL;
    struct rnn_error error = {0};
    enum rnn_code code = rnn_open(path_of(kind, ""), &model, &error);
    ck_assert_msg(code == RNN_OK && model != NULL, "%s: %s", kind->name, error.text);
    return model;
}

/* ---- what there is to compare with ---- */

struct wanted {
    struct sample sample; /* inputs */
    int64_t rows, width, labels;
    float *values;  /* NULL: none are written */
    int32_t *label; /* NULL, as above */
    int64_t *label_offsets;
};

/* Reads a whole set of the file; NULL where it is not there. Its rows and its size are told. */
static void *read_set(
    struct h5_file *file, const char *name, enum h5_number number, int64_t *rows, int64_t *width)
{
    struct error error = {0};
    struct h5_shape shape;
    if (!h5_has(file, name))
        return NULL;
    ck_assert_msg(h5_look(file, name, &shape, &error) == 0, "%s", error.text);
    *rows = shape.size[0];
    *width = 1;
    for (int d = 1; d < shape.dimensions; d++)
        *width *= shape.size[d];
    void *values = calloc((size_t)(*rows * *width) + 1, 8);
    int failed = number == H5_FLOAT32 ? h5_read_floats(file, name, 0, *rows, values, &error)
        : number == H5_INT32          ? h5_read_int32(file, name, 0, *rows, values, &error)
                                      : h5_read_integers(file, name, 0, *rows, values, &error);
    ck_assert_msg(!failed, "%s", error.text);
    return values;
}

static void want(struct wanted *wanted, const struct kind *kind)
{
    struct error error = {0};
    struct sample_shape shape = shape_of(kind);
    int64_t one, n;
    *wanted = (struct wanted){0};
    sample_init(&wanted->sample, &shape, 7);
    struct h5_file *file = h5_open(path_of(kind, "-out.h5"), 0, &error);
    ck_assert_msg(file != NULL, "%s", error.text);
    wanted->values = read_set(file, "outputs", H5_FLOAT32, &wanted->rows, &wanted->width);
    wanted->label = read_set(file, "labels", H5_INT32, &wanted->labels, &one);
    wanted->label_offsets = read_set(file, "label_offsets", H5_INT64, &n, &one);
    h5_close(file);
}

static void want_finish(struct wanted *wanted)
{
    sample_finish(&wanted->sample);
    free(wanted->values);
    free(wanted->label);
    free(wanted->label_offsets);
}

static void expect_ok(enum rnn_code code, const struct rnn_error *error)
{
    ck_assert_msg(code == RNN_OK, "%s", error->text);
}

/* Runs sequences first .. end - 1 of the sample. */
static const struct rnn_result *run_part(
    struct rnn_model *model, const struct sample *sample, int64_t first, int64_t end, size_t beam)
{
    struct rnn_error error;
    const struct rnn_result *result = NULL;
    int64_t offsets[64], start = sample->input_offsets[first];
    ck_assert_int_lt(end - first, 64);
    for (int64_t s = first; s <= end; s++)
        offsets[s - first] = sample->input_offsets[s] - start;
    size_t n = (size_t)(end - first);
    enum rnn_code code = sample->symbols
        ? rnn_run_symbols(model, n, offsets, sample->symbols + start, beam, &result, &error)
        : rnn_run_features(model, n, offsets, sample->inputs + start * (int64_t)sample->shape.features, beam,
              &result, &error);
    expect_ok(code, &error);
    return result;
}

static size_t beam_of(const struct kind *kind)
{
    return kind->beam ? (size_t)atoi(kind->beam) : 0;
}

/* ---- whole sequences ---- */

static void expect_whole(const struct wanted *wanted, const struct rnn_result *result)
{
    ck_assert_int_eq((int64_t)result->rows, wanted->rows);
    ck_assert_int_eq((int64_t)result->width, wanted->width);
    if (wanted->rows)
        ck_assert_mem_eq(
            result->values, wanted->values, (size_t)(wanted->rows * wanted->width) * sizeof(float));
    ck_assert_int_eq((int64_t)result->labels, wanted->labels);
    ck_assert((result->label != NULL) == (wanted->label != NULL));
    if (wanted->labels)
        ck_assert_mem_eq(result->label, wanted->label, (size_t)wanted->labels * sizeof(int32_t));
    if (wanted->label_offsets)
        ck_assert_mem_eq(
            result->label_offsets, wanted->label_offsets, (result->sequences + 1) * sizeof(int64_t));
}

START_TEST(whole_sequences_have_the_bits_of_rnn_predict)
{
    const struct kind *kind = &kinds[_i];
    struct rnn_model *model = open_kind(kind);
    struct wanted wanted;
    want(&wanted, kind);
    const struct rnn_result *result = run_part(model, &wanted.sample, 0, 21, beam_of(kind));
    expect_whole(&wanted, result);
    rnn_result_free(result);
    rnn_close(model);
    want_finish(&wanted);
}
END_TEST

START_TEST(what_runs_together_changes_no_bit)
{
    const struct kind *kind = &kinds[_i];
    struct rnn_model *model = open_kind(kind);
    struct wanted wanted;
    want(&wanted, kind);
    const struct rnn_result *whole = run_part(model, &wanted.sample, 0, 21, beam_of(kind));
    for (int64_t first = 0, some = 1; first < 21; first += some, some = some % 5 + 1) {
        int64_t end = first + some < 21 ? first + some : 21;
        const struct rnn_result *part = run_part(model, &wanted.sample, first, end, beam_of(kind));
        size_t rows = (size_t)(whole->row_offsets[end] - whole->row_offsets[first]);
        ck_assert_uint_eq(part->rows, rows);
        if (rows)
            ck_assert_mem_eq(part->values, whole->values + (size_t)whole->row_offsets[first] * whole->width,
                rows * whole->width * sizeof(float));
        if (whole->label)
            ck_assert_uint_eq(
                part->labels, (size_t)(whole->label_offsets[end] - whole->label_offsets[first]));
        if (part->labels)
            ck_assert_mem_eq(
                part->label, whole->label + whole->label_offsets[first], part->labels * sizeof(int32_t));
        rnn_result_free(part);
    }
    rnn_result_free(whole);
    rnn_close(model);
    want_finish(&wanted);
}
END_TEST

START_TEST(a_model_tells_what_it_takes_and_gives)
{
    const struct kind *kind = &kinds[_i];
    struct rnn_model *model = open_kind(kind);
    const struct sample_shape *shape = &kind->shape;
    int labels = rnn_output(model) == RNN_CTC || rnn_output(model) == RNN_DECODER;
    ck_assert_int_eq(rnn_input(model), shape->symbols ? RNN_SYMBOLS : RNN_FEATURES);
    ck_assert_uint_eq(rnn_inputs(model), shape->symbols ? (size_t)shape->symbols : shape->features);
    ck_assert_uint_eq(rnn_classes(model), (size_t)shape->classes);
    ck_assert_str_eq(rnn_output_name(model), kind->output);
    ck_assert_uint_eq(rnn_directions(model), strstr(kind->model, "bidirectional = no\n") ? 1 : 2);
    if (!labels)
        ck_assert_uint_eq(rnn_width(model),
            shape->classes ? (size_t)shape->classes : shape->values * rnn_numbers_per_target(model));
    ck_assert(rnn_name(model, RNN_NAMES_OF_CLASSES, 1000000) == NULL);
    ck_assert_uint_gt(rnn_parameters(model), 0);
    ck_assert_uint_ne(rnn_weights_hash(model), 0);
    rnn_close(model);
}
END_TEST

/* ---- in pieces ---- */

/* What a stream has given so far. */
struct given {
    size_t rows, labels;
    float values[4096];
    int32_t label[512];
};

static void take(struct given *given, const struct rnn_rows *rows)
{
    ck_assert_uint_lt((given->rows + rows->rows) * rows->width, 4096);
    if (rows->rows)
        memcpy(given->values + given->rows * rows->width, rows->values,
            rows->rows * rows->width * sizeof(float));
    if (rows->labels)
        memcpy(given->label + given->labels, rows->label, rows->labels * sizeof(int32_t));
    given->rows += rows->rows;
    given->labels += rows->labels;
}

static enum rnn_code push(struct rnn_stream *stream, const struct sample *sample, int64_t from, size_t n,
    struct rnn_rows *rows, struct rnn_error *error)
{
    return sample->symbols ? rnn_stream_symbols(stream, n, sample->symbols + from, rows, error)
                           : rnn_stream_features(stream, n,
                                 sample->inputs + from * (int64_t)sample->shape.features, rows, error);
}

/* Pushes sequence s in pieces of `piece` frames and ends it. Of a row a sequence only the last stays. */
static void stream_sequence(struct rnn_stream *stream, const struct sample *sample, int64_t s, size_t piece,
    int last_row, struct given *given)
{
    struct rnn_error error;
    struct rnn_rows rows;
    *given = (struct given){0};
    for (int64_t at = sample->input_offsets[s]; at < sample->input_offsets[s + 1]; at += (int64_t)piece) {
        size_t rest = (size_t)(sample->input_offsets[s + 1] - at);
        expect_ok(push(stream, sample, at, rest < piece ? rest : piece, &rows, &error), &error);
        if (last_row)
            given->rows = given->labels = 0;
        take(given, &rows);
    }
    expect_ok(rnn_stream_end(stream, &rows, &error), &error);
    take(given, &rows);
}

static void expect_sequence(const struct rnn_result *whole, size_t s, const struct given *given)
{
    size_t rows = (size_t)(whole->row_offsets[s + 1] - whole->row_offsets[s]);
    ck_assert_uint_eq(given->rows, rows);
    ck_assert_mem_eq(given->values, whole->values + (size_t)whole->row_offsets[s] * whole->width,
        rows * whole->width * sizeof(float));
    if (!whole->label)
        return;
    size_t labels = (size_t)(whole->label_offsets[s + 1] - whole->label_offsets[s]);
    ck_assert_uint_eq(given->labels, labels);
    if (labels)
        ck_assert_mem_eq(given->label, whole->label + whole->label_offsets[s], labels * sizeof(int32_t));
}

/* In both directions the window holds the whole of each sequence: chunks of 40, or of 8 and 40 behind them.
 */
START_TEST(streams_have_the_bits_of_the_whole)
{
    const struct kind *kind = &kinds[_i];
    static const size_t pieces[] = {1, 3, 40}, chunks[] = {40, 8, 1};
    struct rnn_model *model = open_kind(kind);
    struct rnn_stream *stream;
    struct rnn_error error;
    struct wanted wanted;
    struct given *given = calloc(1, sizeof *given);
    want(&wanted, kind);
    const struct rnn_result *whole = run_part(model, &wanted.sample, 0, 21, 0);
    for (size_t i = 0; i < 3; i++) {
        enum rnn_code code = rnn_stream_open(model, chunks[i], 40, &stream, &error);
        int one_row = rnn_output(model) == RNN_SEQUENCE;
        if (rnn_output(model) == RNN_DECODER || (one_row && rnn_directions(model) == 2)) {
            ck_assert_int_eq(code, RNN_MISUSE);
            ck_assert_ptr_null(stream);
            continue;
        }
        expect_ok(code, &error);
        for (int64_t s = 0; s < 21; s++) {
            stream_sequence(stream, &wanted.sample, s, pieces[i], one_row, given);
            expect_sequence(whole, (size_t)s, given);
        }
        rnn_stream_close(stream);
    }
    rnn_result_free(whole);
    rnn_close(model);
    want_finish(&wanted);
    free(given);
}
END_TEST

/* With one layer the state that a window goes on from is that of the whole sequence, and the reverse
 * direction of the last window begins where the sequence ends: what comes at the end has the bits of the
 * whole. */
START_TEST(the_last_window_of_a_layer_has_the_bits_of_the_whole)
{
    const struct kind *kind = &kinds[KINDS - 2];
    struct rnn_model *model = open_kind(kind);
    struct rnn_stream *stream;
    struct rnn_error error;
    struct rnn_rows rows;
    struct wanted wanted;
    int64_t windows = 0;
    want(&wanted, kind);
    expect_ok(rnn_stream_open(model, 4, 3, &stream, &error), &error);
    for (int64_t s = 0; s < 21; s++) {
        int64_t first = wanted.sample.input_offsets[s], end = wanted.sample.input_offsets[s + 1];
        size_t given = 0;
        for (int64_t t = first; t < end; t++) {
            expect_ok(push(stream, &wanted.sample, t, 1, &rows, &error), &error);
            given += rows.rows;
            windows += rows.rows > 0;
        }
        expect_ok(rnn_stream_end(stream, &rows, &error), &error);
        ck_assert_uint_eq(given + rows.rows, (size_t)(end - first));
        ck_assert_uint_gt(rows.rows, 0);
        ck_assert_mem_eq(rows.values, wanted.values + ((size_t)first + given) * rows.width,
            rows.rows * rows.width * sizeof(float));
    }
    ck_assert_int_gt(windows, 21);
    rnn_stream_close(stream);
    rnn_close(model);
    want_finish(&wanted);
}
END_TEST

/* Rows come when look_ahead frames behind their chunk are there; they depend on nothing behind those, and the
 * last window, which ends with the sequence, is exact as far as forward states are. */
START_TEST(look_ahead_bounds_what_a_chunk_waits_for)
{
    const struct kind *kind = &kinds[0];
    struct rnn_model *model = open_kind(kind);
    struct rnn_stream *stream;
    struct rnn_error error;
    struct rnn_rows rows;
    float x[20 * 5], first[4 * 4];
    for (size_t i = 0; i < 100; i++)
        x[i] = (float)((i * 37) % 11) / 5 - 1;
    expect_ok(rnn_stream_open(model, 4, 2, &stream, &error), &error);
    for (int changed = 0; changed < 2; changed++) {
        for (size_t t = 0, given = 0; t < 20; t++) {
            expect_ok(rnn_stream_features(stream, 1, x + t * 5, &rows, &error), &error);
            ck_assert_uint_eq(rows.rows, t >= 5 && (t - 5) % 4 == 0 ? 4 : 0);
            if (rows.rows && given == 0 && !changed)
                memcpy(first, rows.values, sizeof first);
            else if (rows.rows && given == 0)
                ck_assert_mem_eq(first, rows.values, sizeof first);
            given += rows.rows;
        }
        expect_ok(rnn_stream_end(stream, &rows, &error), &error);
        ck_assert_uint_eq(rows.rows, 4);
        for (size_t i = 6 * 5; i < 100; i++)
            x[i] = -x[i];
    }
    rnn_stream_close(stream);
    rnn_close(model);
}
END_TEST

/* ---- what is refused ---- */

static void expect_code(
    enum rnn_code code, enum rnn_code wanted, const struct rnn_error *error, const char *text)
{
    ck_assert_msg(code == wanted && error->code == (int)wanted, "%d, not %d: %s", code, wanted, error->text);
    ck_assert_msg(strstr(error->text, text) != NULL, "wanted '%s' in: %s", text, error->text);
}

START_TEST(inputs_that_are_none_are_refused_by_value)
{
    struct rnn_model *model = open_kind(&kinds[1]);
    struct rnn_error error = {0};
    const struct rnn_result *result;
    struct rnn_rows rows;
    struct rnn_stream *stream;
    float x[10] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
    static const int64_t offsets[] = {0, 1, 2}, late[] = {1, 2}, empty[] = {0, 1, 1}, back[] = {0, 2, 1},
                         far[] = {0, INT64_MIN};
    int32_t symbols[2] = {0, 1};
    expect_code(
        rnn_run_features(model, 1, late, x, 0, &result, &error), RNN_MISUSE, &error, "first is not 0");
    expect_code(rnn_run_features(model, 2, empty, x, 0, &result, &error), RNN_MISUSE, &error, "sequence 1");
    expect_code(rnn_run_features(model, 2, back, x, 0, &result, &error), RNN_MISUSE, &error, "sequence 1");
    expect_code(rnn_run_features(model, 1, far, x, 0, &result, &error), RNN_MISUSE, &error, "sequence 0");
    expect_code(rnn_run_symbols(model, 2, offsets, symbols, 0, &result, &error), RNN_MISUSE, &error,
        "takes features");
    expect_code(rnn_run_features(model, 2, offsets, x, 3, &result, &error), RNN_MISUSE, &error, "beam");
    x[6] = NAN;
    expect_code(
        rnn_run_features(model, 2, offsets, x, 0, &result, &error), RNN_DATA, &error, "feature 1 of frame 1");
    expect_ok(rnn_stream_open(model, 0, 0, &stream, &error), &error);
    expect_code(rnn_stream_features(stream, 2, x, &rows, &error), RNN_DATA, &error, "feature 1 of frame 1");
    x[6] = 3e38f;
    for (int i = 0; i < 2; i++) /* what becomes of them need not be finite */
        rnn_stream_features(stream, 2, x, &rows, &error);
    rnn_stream_close(stream);
    rnn_close(model);
    model = open_kind(&kinds[3]);
    symbols[1] = 7;
    expect_code(rnn_run_symbols(model, 2, offsets, symbols, 0, &result, &error), RNN_DATA, &error,
        "symbol 7 of frame 1");
    ck_assert_ptr_null(result);
    rnn_close(model);
}
END_TEST

/* A stream whose frames were refused goes on as if they had not come. */
START_TEST(refused_frames_leave_a_stream_as_it_was)
{
    struct rnn_model *model = open_kind(&kinds[1]);
    struct rnn_stream *stream;
    struct rnn_error error;
    struct rnn_rows rows;
    const float right[5] = {1, 2, 3, 4, 5}, wrong[5] = {NAN};
    float once[2][4];
    for (int i = 0; i < 2; i++) {
        expect_ok(rnn_stream_open(model, 0, 0, &stream, &error), &error);
        expect_ok(rnn_stream_features(stream, 1, right, &rows, &error), &error);
        if (i)
            ck_assert_int_eq(rnn_stream_features(stream, 1, wrong, &rows, &error), RNN_DATA);
        expect_ok(rnn_stream_features(stream, 1, right, &rows, &error), &error);
        memcpy(once[i], rows.values, sizeof once[i]);
        rnn_stream_close(stream);
    }
    ck_assert_mem_eq(once[0], once[1], sizeof once[0]);
    rnn_close(model);
}
END_TEST

static void prepare_all(void)
{
    for (int i = 0; i < KINDS; i++)
        if (!job_exists("many-out.h5"))
            prepare(&kinds[i]);
}

static Suite *make_suite(void)
{
    Suite *suite = suite_create("library");
    TCase *whole = tcase_create("whole"), *pieces = tcase_create("pieces"),
          *refused = tcase_create("refused");
    tcase_set_timeout(whole, 120);
    tcase_set_timeout(pieces, 120);
    tcase_set_timeout(refused, 120);
    tcase_add_loop_test(whole, whole_sequences_have_the_bits_of_rnn_predict, 0, KINDS);
    tcase_add_loop_test(whole, what_runs_together_changes_no_bit, 0, KINDS);
    tcase_add_loop_test(whole, a_model_tells_what_it_takes_and_gives, 0, KINDS);
    tcase_add_loop_test(pieces, streams_have_the_bits_of_the_whole, 0, KINDS);
    tcase_add_test(pieces, the_last_window_of_a_layer_has_the_bits_of_the_whole);
    tcase_add_test(pieces, look_ahead_bounds_what_a_chunk_waits_for);
    tcase_add_test(pieces, refused_frames_leave_a_stream_as_it_was);
    tcase_add_test(refused, inputs_that_are_none_are_refused_by_value);
    TCase *cases[] = {whole, pieces, refused};
    for (int i = 0; i < 3; i++)
        tcase_add_unchecked_fixture(cases[i], prepare_all, NULL);
    suite_add_tcase(suite, whole);
    suite_add_tcase(suite, pieces);
    suite_add_tcase(suite, refused);
    return suite;
}

int main(void)
{
    program = getenv("RNN_PREDICT");
    if (!program)
        return 1;
    job_open();
    int outcome = suite_run(make_suite());
    job_close();
    return outcome;
}

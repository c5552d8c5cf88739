/* rnn-predict --generate: a net that foretells the next frame is fed what it was made to say, drawn from its
 * own distribution; a decoder draws its symbols. Rank 0 computes, sequence by sequence, and the others wait:
 * what is drawn is a function of the weights, the seed and the sequence's number alone.
 *
 * A next-frame set has targets(t) = inputs(t + 1); the one written has too. F features, N frames asked for.
 */
#include "predict/generate.h"
#include "base/file.h"
#include "base/mathematics.h"
#include "base/memory.h"
#include "base/random.h"
#include "pass/model.h"
#include "pass/stop.h"
#include "predict/output.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* A dataset on its way to the file. */
struct generated {
    const struct predict *predict;
    const struct net_config *model;
    struct dataset *prime; /* NULL: none */
    int64_t sequences;
    int64_t *input_offsets, *target_offsets; /* [sequences + 1]; target_offsets: decoders */
    float *inputs;                           /* [frames][F] as they stand in a file, or */
    int32_t *symbols;                        /* [frames] */
    int32_t *classes;                        /* [frames], or of decoders [classes_room] */
    size_t classes_room;
    float *values; /* [frames][F] */
    struct net_state *state;
    struct microbatch microbatch;
    struct file_writer file;
    int begun; /* the file is */
};

/* ---- drawing ---- */

/* Number `index` of sequence s. */
static double draw(const struct generated *g, int64_t s, uint64_t index)
{
    return random_uniform(g->predict->options->seed, RANDOM_GENERATE, (uint64_t)s, index);
}

/* Probability p at temperature T, in proportion to p^(1/T); the largest is 1, so that at any temperature one
 * is left. */
static double heated(double p, double largest, double temperature)
{
    return p > 0 ? math_exp((math_log(p) - math_log(largest)) / temperature) : 0;
}

static int32_t draw_class(const float *p, size_t C, double temperature, double uniform)
{
    double sum = 0, below = 0;
    size_t most = 0;
    for (size_t c = 1; c < C; c++)
        most = p[c] > p[most] ? c : most;
    for (size_t c = 0; c < C; c++)
        sum += heated((double)p[c], (double)p[most], temperature);
    for (size_t c = 0; c < C; c++) {
        below += heated((double)p[c], (double)p[most], temperature);
        if (uniform * sum < below)
            return (int32_t)c;
    }
    return (int32_t)most; /* rounding, at the very end */
}

static int draw_bit(double p, double temperature, double uniform)
{
    double largest = fmax(p, 1 - p);
    double on = heated(p, largest, temperature), off = heated(1 - p, largest, temperature);
    return uniform * (on + off) < on;
}

/* What the net says after frame `at` of sequence s becomes its target. */
static void draw_target(struct generated *g, int64_t s, int64_t at, const float *y)
{
    size_t O = g->model->outputs;
    double temperature = g->predict->options->temperature;
    uint64_t step = (uint64_t)(at - g->input_offsets[s]);
    if (g->classes) {
        g->classes[at] = draw_class(y, O, temperature, draw(g, s, step));
        return;
    }
    for (size_t o = 0; o < O; o++)
        g->values[(size_t)at * O + o] = (float)draw_bit((double)y[o], temperature, draw(g, s, step * O + o));
}

/* Between two frames or sequences: the other ranks wait. */
static int check_stop(const struct generated *g, struct error *error)
{
    int signal = stop_signal();
    comm_show_life(g->predict->comm);
    return signal
        ? error_set(error, EXIT_CODE_IO, "stopped by %s: nothing is written", stop_signal_name(signal))
        : 0;
}

/* ---- next-frame nets ---- */

/* Frames `first` .. of the set being made, n of them, as a microbatch of one sequence for the net. */
static int lay_microbatch(struct generated *g, int64_t s, int64_t first, int32_t n, struct error *error)
{
    const struct predict *predict = g->predict;
    struct microbatch_format format = {.inputs = g->inputs ? g->model->inputs : 0};
    if (microbatch_resize(&g->microbatch, &format, 1, &n, &s, NULL, error))
        return -1;
    for (size_t t = 0; t < (size_t)n; t++) {
        size_t frame = (size_t)first + t, F = format.inputs;
        if (g->symbols)
            g->microbatch.symbols[t] = g->symbols[frame];
        for (size_t i = 0; i < F; i++) {
            float x = g->inputs[frame * F + i];
            g->microbatch.inputs[t * g->microbatch.inputs_stride + i] =
                predict->shift ? (x - predict->shift[i]) / predict->scale[i] : x;
        }
    }
    return 0;
}

static void copy_target_to_next(struct generated *g, int64_t at)
{
    size_t F = g->model->inputs;
    if (g->symbols)
        g->symbols[at + 1] = g->classes[at];
    else
        memcpy(g->inputs + (size_t)(at + 1) * F, g->values + (size_t)at * F, F * sizeof *g->inputs);
}

static void copy_input_before(struct generated *g, int64_t at)
{
    size_t F = g->model->inputs;
    if (g->symbols)
        g->classes[at - 1] = g->symbols[at];
    else
        memcpy(g->values + (size_t)(at - 1) * F, g->inputs + (size_t)at * F, F * sizeof *g->inputs);
}

/* The inputs of sequence s of the prime set, as the file has them, from `first` on. */
static int copy_prime(struct generated *g, int64_t s, int64_t first, struct error *error)
{
    size_t F = g->model->inputs;
    if (dataset_read_microbatch(g->prime, 1, &s, NULL, NULL, &g->microbatch, error))
        return -1;
    for (size_t t = 0; t < g->microbatch.N; t++)
        if (g->symbols)
            g->symbols[(size_t)first + t] = g->microbatch.symbols[t];
        else
            memcpy(g->inputs + ((size_t)first + t) * F,
                g->microbatch.inputs + t * g->microbatch.inputs_stride, F * sizeof *g->inputs);
    return 0;
}

/* Goes on from the primer, a start of zeroes or symbol 0 where there is none, for N targets. */
static int continue_sequence(struct generated *g, int64_t s, struct error *error)
{
    int64_t first = g->input_offsets[s], end = g->input_offsets[s + 1];
    int64_t primed = g->prime ? dataset_length(g->prime, s) : 1;
    if (g->prime && copy_prime(g, s, first, error))
        return -1;
    net_state_destroy(g->state);
    g->state = net_state_create(g->predict->net, 1, error);
    if (!g->state)
        return -1;
    for (int64_t at = first + 1; at < first + primed; at++)
        copy_input_before(g, at);
    for (int64_t at = first, n = primed; at < end; at += n, n = 1) {
        struct net_outputs outputs;
        if (at > first)
            copy_target_to_next(g, at - 1);
        if (check_stop(g, error) || lay_microbatch(g, s, at, (int32_t)n, error) ||
            net_continue(g->predict->net, g->state, &g->microbatch, &outputs, error))
            return -1;
        draw_target(g, s, at + n - 1, outputs.values + (outputs.rows - 1) * outputs.stride);
    }
    return 0;
}

/* ---- decoders ---- */

static int make_room(struct generated *g, size_t classes, struct error *error)
{
    if (classes <= g->classes_room)
        return 0;
    size_t room = 2 * classes;
    int32_t *wider = memory_create(room, sizeof *wider, error);
    if (!wider)
        return -1;
    if (g->classes_room)
        memcpy(wider, g->classes, g->classes_room * sizeof *wider);
    memory_destroy(g->classes);
    g->classes = wider;
    g->classes_room = room;
    return 0;
}

static int decode_sequence(struct generated *g, int64_t s, struct error *error)
{
    const struct predict_options *options = g->predict->options;
    struct net_pass pass = {
        .seed = options->seed, .temperature = options->temperature, .most_labels = (size_t)options->generate};
    struct net_outputs outputs;
    if (check_stop(g, error) || copy_prime(g, s, g->input_offsets[s], error) ||
        lay_microbatch(g, s, g->input_offsets[s], dataset_length(g->prime, s), error) ||
        net_forward(g->predict->net, &pass, &g->microbatch, &outputs, NULL, error))
        return -1;
    size_t before = (size_t)g->target_offsets[s], n = outputs.label_start[1];
    if (make_room(g, before + n, error))
        return error_prefix(error, "room for what is generated: ");
    if (n)
        memcpy(g->classes + before, outputs.labels, n * sizeof *g->classes);
    g->target_offsets[s + 1] = (int64_t)(before + n);
    return 0;
}

/* ---- the set ---- */

static int check_model(const struct predict *predict, struct error *error)
{
    const struct net_config *m = predict->model;
    const char *checkpoint = predict->checkpoint;
    const struct output_kind *output = output_of(m);
    const struct loss_kind *loss = loss_of(m);
    int drawn = m->symbols || output->has_decoder ? loss->takes_classes
                                                  : loss->gives_probabilities && !loss->takes_classes;
    if ((output->targets != PER_FRAME && !output->has_decoder) || !drawn)
        return error_set(error, EXIT_CODE_USAGE,
            "%s: --generate needs a network with model.output = frame, and model.loss = softmax on symbols "
            "or sigmoid on values, or a decoder of classes; this one has output = %s, loss = %s on %s",
            checkpoint, output->name, loss->name, m->symbols ? "symbols" : "values");
    if (output->has_decoder && !predict->options->prime)
        return error_set(error, EXIT_CODE_USAGE,
            "%s: a decoder says something about inputs: give --prime DATASET", checkpoint);
    if (output->targets == PER_FRAME && m->inputs != m->outputs)
        return error_set(error, EXIT_CODE_USAGE,
            "%s: --generate feeds outputs back as inputs, but there are %zu outputs and %zu inputs: train on "
            "a set whose targets are the next inputs",
            checkpoint, m->outputs, m->inputs);
    for (size_t l = 0; l < m->layers && output->targets == PER_FRAME; l++)
        if (m->bidirectional[l])
            return error_set(error, EXIT_CODE_USAGE,
                "%s: --generate cannot look ahead: train with model.bidirectional = no", checkpoint);
    return 0;
}

/* Where sequences begin, and room for all of them. */
static int lay_out(struct generated *g, struct error *error)
{
    const struct net_config *m = g->model;
    int decoder = output_of(m)->has_decoder;
    int64_t asked = g->predict->options->generate;
    g->sequences = g->prime ? g->prime->sequences : 1;
    g->input_offsets = memory_create((size_t)g->sequences + 1, sizeof *g->input_offsets, error);
    if (!g->input_offsets)
        return -1;
    for (int64_t s = 0; s < g->sequences; s++) {
        int64_t length = (g->prime ? dataset_length(g->prime, s) : 1) + (decoder ? 0 : asked - 1);
        if (length > INT32_MAX)
            return error_set(error, EXIT_CODE_USAGE,
                "--generate %" PRId64 ": sequence %" PRId64 " would have %" PRId64 " frames, and %d is most",
                asked, s, length, INT32_MAX);
        g->input_offsets[s + 1] = g->input_offsets[s] + length;
    }
    size_t frames = (size_t)g->input_offsets[g->sequences], F = m->inputs;
    g->classes_room = decoder ? 1 : frames;
    if (m->symbols)
        g->symbols = memory_create(frames, sizeof *g->symbols, error);
    else
        g->inputs = memory_create(frames, F * sizeof *g->inputs, error);
    if (loss_of(m)->takes_classes)
        g->classes = memory_create(g->classes_room, sizeof *g->classes, error);
    else
        g->values = memory_create(frames, F * sizeof *g->values, error);
    if (decoder)
        g->target_offsets = memory_create((size_t)g->sequences + 1, sizeof *g->target_offsets, error);
    int complete = (g->symbols || g->inputs) && (g->classes || g->values) && (!decoder || g->target_offsets);
    return complete ? 0 : error_prefix(error, "room for what is generated: ");
}

static int copy_texts(
    const struct generated *g, struct h5_image *image, const char *set, int64_t rows, struct error *error)
{
    char **texts = NULL;
    if (rows < 1 || !h5_has(g->prime->file, set))
        return 0;
    if (h5_read_texts(g->prime->file, set, 0, rows, &texts, error))
        return -1;
    h5_image_texts(image, set, rows, (const char *const *)texts);
    memory_destroy(texts);
    return 0;
}

/* Names of classes or targets where the primer's are as many as the net's. */
static int copy_all_texts(const struct generated *g, struct h5_image *image, struct error *error)
{
    const struct dataset *prime = g->prime;
    size_t O = g->model->outputs;
    if (!prime)
        return 0;
    if (copy_texts(g, image, "names", g->sequences, error) ||
        copy_texts(g, image, "feature_names", (int64_t)prime->features, error))
        return -1;
    if (g->classes)
        return (size_t)prime->classes == O ? copy_texts(g, image, "class_names", (int64_t)O, error) : 0;
    return prime->values == O ? copy_texts(g, image, "target_names", (int64_t)O, error) : 0;
}

static void add_sets(const struct generated *g, struct h5_image *image)
{
    const struct net_config *m = g->model;
    int64_t offsets = g->sequences + 1, frames = g->input_offsets[g->sequences];
    int64_t size[2] = {frames, (int64_t)m->inputs};
    if (g->symbols) {
        h5_image_int32(image, "inputs", 1, size, g->symbols);
        h5_image_attribute_int32(image, "inputs", "n_symbols", (int32_t)m->inputs);
    } else {
        h5_image_floats(image, "inputs", 2, size, g->inputs);
    }
    h5_image_int64(image, "input_offsets", 1, &offsets, g->input_offsets);
    size[0] = g->target_offsets ? g->target_offsets[g->sequences] : frames;
    if (g->classes) {
        h5_image_int32(image, "targets", 1, size, g->classes);
        h5_image_attribute_int32(image, "targets", "n_classes", (int32_t)m->outputs);
    } else {
        h5_image_floats(image, "targets", 2, size, g->values);
    }
    if (g->target_offsets)
        h5_image_int64(image, "target_offsets", 1, &offsets, g->target_offsets);
}

static int build_image(const struct generated *g, void **bytes, size_t *size, struct error *error)
{
    const struct predict_options *options = g->predict->options;
    char source[160];
    struct h5_image *image = h5_image_create(error);
    if (!image)
        return -1;
    snprintf(source, sizeof source, "rnn-predict --generate %" PRId64 " --temperature %g --seed %" PRIu64,
        options->generate, options->temperature, options->seed);
    h5_image_attribute_text(image, "/", "format", "rnn-train dataset");
    h5_image_attribute_int32(image, "/", "format_version", 1);
    h5_image_attribute_text(image, "/", "title", "generated by a recurrent network");
    h5_image_attribute_text(image, "/", "source", source);
    add_sets(g, image);
    if (copy_all_texts(g, image, error)) {
        h5_image_destroy(image);
        return -1;
    }
    return h5_image_finish(image, bytes, size, error);
}

/* A file that cannot be written is known before anything is drawn. */
static int begin_file(struct generated *g, struct error *error)
{
    const struct predict *predict = g->predict;
    const char *output = predict->options->output, *prime = predict->options->prime;
    if (predict_refuse_same_file(output, predict->checkpoint, error) ||
        (prime && predict_refuse_same_file(output, prime, error)) || file_begin(&g->file, output, error))
        return -1;
    g->begun = 1;
    return 0;
}

static int write_file(struct generated *g, struct error *error)
{
    void *bytes = NULL;
    size_t size = 0;
    if (build_image(g, &bytes, &size, error))
        return -1;
    int failed = file_write(&g->file, bytes, size, 0, error);
    memory_destroy(bytes);
    if (failed)
        return -1;
    g->begun = 0;
    return file_commit(&g->file, error);
}

static int generate(struct generated *g, struct error *error)
{
    const struct predict_options *options = g->predict->options;
    if (check_model(g->predict, error))
        return -1;
    if (options->prime) {
        g->prime = dataset_open(options->prime, options->cache, error);
        if (!g->prime || model_accepts_inputs(g->model, g->prime, error))
            return -1;
    }
    if (lay_out(g, error) || begin_file(g, error))
        return -1;
    for (int64_t s = 0; s < g->sequences; s++)
        if (g->target_offsets ? decode_sequence(g, s, error) : continue_sequence(g, s, error))
            return -1;
    return write_file(g, error);
}

int predict_generate(struct predict *predict, struct error *error)
{
    struct generated g = {.predict = predict, .model = predict->model};
    microbatch_init(&g.microbatch);
    report_init(&predict->report, PROGRESS_LOG, predict->comm->rank != 0 || predict->options->verbosity < 0,
        0, g.sequences, 0);
    if (predict->comm->rank == 0 && generate(&g, error) == 0)
        report_line(&predict->report, "sequences=%" PRId64 " frames=%" PRId64, g.sequences,
            g.input_offsets[g.sequences]);
    if (g.begun)
        file_abandon(&g.file);
    microbatch_finish(&g.microbatch);
    net_state_destroy(g.state);
    dataset_close(g.prime);
    memory_destroy(g.input_offsets);
    memory_destroy(g.target_offsets);
    memory_destroy(g.inputs);
    memory_destroy(g.symbols);
    memory_destroy(g.classes);
    memory_destroy(g.values);
    return comm_agree(predict->comm, error);
}

/* A network that foretells the next frame is fed what it was made to say, drawn from its own distribution; a
 * decoder draws its symbols. Rank 0 computes, sequence by sequence, and the others wait: what is drawn is a
 * function of the weights, the seed and the sequence's number alone.
 *
 * A set of next frames has targets(t) = inputs(t + 1), and the one written has too. F features, O outputs. */
#include "predict/generate.h"

#include "base/file.h"
#include "base/memory.h"
#include "net/outputs/output.h"
#include "net/standardize.h"
#include "pass/file_watch.h"
#include "pass/model.h"
#include "pass/names.h"
#include "pass/report.h"
#include "pass/stop.h"
#include "predict/draw.h"
#include "predict/generated.h"
#include "predict/output.h"

#include <inttypes.h>
#include <stdio.h>

/* What rank 0 generates with. */
struct generation {
    const struct predict_options *options;
    const struct comm *comm;
    const struct predict_model *model;
    struct dataset *prime;   /* NULL: none was given */
    struct file_watch watch; /* over its file */
    struct generated set;
    struct microbatch microbatch; /* what the net is given, a piece of one sequence */
    struct file_writer file;
    int begun; /* the file is */
};

/* Other ranks wait, so rank 0 shows life and looks for a stop, and at its file, between two frames or
 * sequences. */
static int check_stop(struct generation *g, struct error *error)
{
    int signal = stop_signal();
    comm_show_life(g->comm);
    if (signal)
        return error_set(error, EXIT_CODE_IO, "stopped by %s: nothing is written", stop_signal_name(signal));
    return file_watch_look(&g->watch, error);
}

/* Makes n frames of the set, from `first` on, a microbatch of one sequence for the net. */
static int fill_microbatch(struct generation *g, int64_t s, int64_t first, int32_t n, struct error *error)
{
    const struct predict_model *model = g->model;
    const struct generated *set = &g->set;
    size_t F = set->inputs ? model->config->inputs : 0;
    struct microbatch_format format = {.inputs = F};
    if (microbatch_resize(&g->microbatch, &format, 1, &n, &s, NULL, error))
        return -1;
    for (size_t t = 0; t < (size_t)n; t++) {
        size_t frame = (size_t)first + t;
        if (set->symbols)
            g->microbatch.symbols[t] = set->symbols[frame];
        if (F)
            standardize_frame(set->inputs + frame * F, model->mean, model->deviation, F,
                g->microbatch.inputs + t * g->microbatch.inputs_stride);
    }
    return 0;
}

/* Takes the inputs of sequence s over from the prime set, as its file has them. */
static int copy_prime(struct generation *g, int64_t s, struct error *error)
{
    if (dataset_read_microbatch(g->prime, 1, &s, NULL, NULL, &g->microbatch, error))
        return -1;
    generated_copy_inputs(&g->set, s, &g->microbatch);
    return 0;
}

/* ---- networks that foretell the next frame ---- */

/* Draws the target of a frame of sequence s from what the net says after it, y [O]. */
static void draw_target(struct generation *g, int64_t s, int64_t frame, const float *y)
{
    struct generated *set = &g->set;
    size_t O = g->model->config->outputs;
    uint64_t step = (uint64_t)(frame - set->input_offsets[s]);
    struct draw draw = {
        .seed = g->options->seed, .temperature = g->options->temperature, .sequence = s, .index = step};
    if (set->classes) {
        set->classes[frame] = draw_class(&draw, y, O);
        return;
    }
    for (size_t o = 0; o < O; o++) {
        draw.index = step * O + o;
        set->values[(size_t)frame * O + o] = (float)draw_bit(&draw, (double)y[o]);
    }
}

/* Runs the net over the frames of sequence s: first those that it is primed with, then one by one those that
 * are drawn. */
static int draw_frames(
    struct generation *g, int64_t s, int64_t primed, struct net_state *state, struct error *error)
{
    int64_t first = g->set.input_offsets[s], end = g->set.input_offsets[s + 1];
    for (int64_t at = first, n = primed; at < end; at += n, n = 1) {
        struct net_outputs outputs;
        if (at > first)
            generated_copy_target_to_next(&g->set, at - 1);
        if (check_stop(g, error) || fill_microbatch(g, s, at, (int32_t)n, error) ||
            net_continue(g->model->net, state, &g->microbatch, &outputs, error))
            return -1;
        draw_target(g, s, at + n - 1, outputs.values + (outputs.rows - 1) * outputs.stride);
    }
    return 0;
}

/* Goes on from the sequence of the prime set, or from a frame of zeroes or symbol 0 where there is none. */
static int continue_sequence(struct generation *g, int64_t s, struct error *error)
{
    int64_t first = g->set.input_offsets[s], primed = g->prime ? dataset_length(g->prime, s) : 1;
    if (g->prime && copy_prime(g, s, error))
        return -1;
    for (int64_t at = first + 1; at < first + primed; at++)
        generated_copy_input_to_target_before(&g->set, at);
    struct net_state *state = net_state_create(g->model->net, 1, error);
    int failed = state ? draw_frames(g, s, primed, state, error) : -1;
    net_state_destroy(state);
    return failed;
}

/* ---- decoders ---- */

static int decode_sequence(struct generation *g, int64_t s, struct error *error)
{
    const struct predict_options *options = g->options;
    struct net_pass pass = {.seed = options->seed,
        .temperature = options->temperature,
        .most_labels = (size_t)options->generate,
        .unwanted = stop_flag()};
    struct net_outputs outputs;
    if (check_stop(g, error) || copy_prime(g, s, error) ||
        fill_microbatch(g, s, g->set.input_offsets[s], dataset_length(g->prime, s), error) ||
        net_forward(g->model->net, &pass, &g->microbatch, &outputs, NULL, error) || check_stop(g, error))
        return -1;
    return generated_add_labels(&g->set, s, outputs.labels, outputs.label_start[1], error);
}

/* ---- the set ---- */

static int check_model(
    const struct predict_options *options, const struct predict_model *model, struct error *error)
{
    const struct net_config *m = model->config;
    const struct output_kind *output = output_of(m);
    const struct loss_kind *loss = loss_of(m);
    int drawn = m->symbols || output->has_decoder ? loss->takes_classes
                                                  : loss->gives_probabilities && !loss->takes_classes;
    if ((output->targets != PER_FRAME && !output->has_decoder) || !drawn)
        return error_set(error, EXIT_CODE_USAGE,
            "%s: --generate needs a network with model.output = frame, and model.loss = softmax on symbols "
            "or sigmoid on values, or a decoder of classes; this one has output = %s, loss = %s on %s",
            model->path, output->name, loss->name, m->symbols ? "symbols" : "values");
    if (output->has_decoder && !options->prime)
        return error_set(error, EXIT_CODE_USAGE,
            "%s: a decoder says something about inputs: give --prime DATASET", model->path);
    if (output->targets == PER_FRAME && m->inputs != m->outputs)
        return error_set(error, EXIT_CODE_USAGE,
            "%s: --generate feeds outputs back as inputs, but there are %zu outputs and %zu inputs: train on "
            "a set whose targets are the next inputs",
            model->path, m->outputs, m->inputs);
    for (size_t l = 0; l < m->layers && output->targets == PER_FRAME; l++)
        if (m->bidirectional[l])
            return error_set(error, EXIT_CODE_USAGE,
                "%s: --generate cannot look ahead: train with model.bidirectional = no", model->path);
    return 0;
}

/* Begins the file, so that one that cannot be written is known before anything is drawn. */
static int begin_file(struct generation *g, struct error *error)
{
    const char *output = g->options->output, *prime = g->options->prime;
    if (predict_refuse_same_file(output, g->model->path, error) ||
        (prime && predict_refuse_same_file(output, prime, error)) ||
        predict_refuse_terminal(output, "a dataset", error))
        return -1;
    if (predict_is_standard_output(output))
        return 0;
    if (file_begin(&g->file, output, error))
        return -1;
    g->begun = 1;
    return 0;
}

/* It has no bytes before it is whole, and so standard output has none. */
static int write_file(struct generation *g, struct error *error)
{
    const struct predict_options *options = g->options;
    char source[160];
    void *bytes = NULL;
    size_t size = 0;
    snprintf(source, sizeof source, "rnn-predict --generate %" PRId64 " --temperature %g --seed %" PRIu64,
        options->generate, options->temperature, options->seed);
    if (generated_build(&g->set, source, &bytes, &size, error))
        return -1;
    int failed = g->begun ? file_write(&g->file, bytes, size, 0, error)
                          : predict_write_standard_output(g->comm, bytes, size, error);
    memory_destroy(bytes);
    if (failed || !g->begun)
        return failed;
    g->begun = 0;
    return file_commit(&g->file, error);
}

static int generate(struct generation *g, struct error *error)
{
    const struct predict_options *options = g->options;
    const struct net_config *config = g->model->config;
    if (check_model(options, g->model, error))
        return -1;
    if (options->prime) {
        g->prime = dataset_open(options->prime, options->cache, error);
        if (!g->prime || model_accepts_inputs(config, g->prime, error) ||
            names_check_inputs(&g->model->names, g->prime, error) ||
            file_watch_begin_alone(&g->watch, g->prime, error))
            return -1;
    }
    if (generated_init(&g->set, config, &g->model->names, g->prime, options->generate, error) ||
        begin_file(g, error))
        return -1;
    for (int64_t s = 0; s < g->set.sequences; s++)
        if (output_of(config)->has_decoder ? decode_sequence(g, s, error) : continue_sequence(g, s, error))
            return -1;
    return file_watch_look_now(&g->watch, error) ? -1 : write_file(g, error);
}

/* What has become of the file comes before an error that may stem from it. */
static int generate_or_explain(struct generation *g, struct error *error)
{
    return generate(g, error) ? file_watch_explain(&g->watch, error) : 0;
}

int predict_generate(const struct predict_options *options, const struct comm *comm,
    const struct predict_model *model, struct error *error)
{
    struct generation g = {.options = options, .comm = comm, .model = model};
    struct report report;
    microbatch_init(&g.microbatch);
    report_init(&report, predict_report_stream(options), PROGRESS_LOG,
        comm->rank != 0 || options->verbosity < 0, 0, 0, 0);
    if (comm->rank == 0 && generate_or_explain(&g, error) == 0 && !predict_is_mixed(options->output))
        report_line(&report, "sequences=%" PRId64 " frames=%" PRId64, g.set.sequences,
            g.set.input_offsets[g.set.sequences]);
    if (g.begun)
        file_abandon(&g.file);
    microbatch_finish(&g.microbatch);
    generated_finish(&g.set);
    dataset_close(g.prime);
    return comm_agree(comm, error);
}

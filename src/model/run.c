/* Whole sequences: they are sorted by length and run some at a time, and what they come to is put back into
 * the order of the caller. What a sequence comes to does not depend on which others run with it. */
#include "base/array.h"
#include "base/memory.h"
#include "model/handle.h"
#include "net/outputs/output.h"
#include "net/results.h"

#include <stdlib.h>
#include <string.h>

enum { TOGETHER = 16 /* sequences */, MOST_BEAM = 65536 };

/* A result with what it is made of; the first member is what the caller holds. */
struct result_block {
    struct rnn_result result;
    float *values;
    int64_t *row_offsets, *label_offsets;
    int32_t *labels;
};

/* A sequence of the call. */
struct called {
    size_t s; /* its number */
    int32_t length;
    size_t first_label, labels; /* where its labels are in the pool, and how many */
};

struct whole_run {
    struct rnn_model *model;
    const int64_t *offsets;
    struct handle_frames frames;
    size_t sequences, beam;
    struct called *called; /* [sequences] longest first */
    struct result_block *made;
    int32_t *pool; /* labels of the sequences in the order in which they run; of ctc and decoders */
    size_t pooled, room;
};

/* ---- what is asked for ---- */

/* Finds the length of the longest sequence. */
static int check_offsets(const int64_t *offsets, size_t sequences, int64_t *longest, struct error *error)
{
    *longest = 0;
    if (offsets[0] != 0)
        return error_set(error, EXIT_CODE_USAGE, "offsets: the first is not 0");
    for (size_t s = 0; s < sequences; s++) {
        int64_t length = offsets[s + 1] > offsets[s] ? offsets[s + 1] - offsets[s] : 0;
        if (offsets[s + 1] < 0 || length == 0 || length > INT32_MAX)
            return error_set(error, EXIT_CODE_USAGE,
                "offsets: sequence %zu goes from frame %lld to %lld: 1 to %d frames are allowed", s,
                (long long)offsets[s], (long long)offsets[s + 1], INT32_MAX);
        *longest = length > *longest ? length : *longest;
    }
    return 0;
}

static int check(const struct whole_run *run, struct error *error)
{
    const struct rnn_model *model = run->model;
    int64_t longest, most;
    if (check_offsets(run->offsets, run->sequences, &longest, error))
        return -1;
    most = INT32_MAX / (longest + 2); /* a search numbers what it has at all frames by 32 bits */
    if (run->beam > 1 && (run->beam > MOST_BEAM || (int64_t)run->beam > most))
        return error_set(error, EXIT_CODE_USAGE,
            "a beam of %zu: at most %d are allowed, and of sequences as long as these %lld", run->beam,
            MOST_BEAM, (long long)most);
    if (run->beam > 1 && !output_makes_labels(model->config))
        return error_set(error, EXIT_CODE_USAGE,
            "a beam of %zu: only ctc and a decoder of classes search for labels, and %s has output = %s",
            run->beam, model->path, output_of(model->config)->name);
    return handle_check_frames(model, &run->frames, (size_t)run->offsets[run->sequences], error);
}

/* ---- room ---- */

static int compare_lengths(const void *a, const void *b)
{
    const struct called *x = a, *y = b;
    int order = (x->length < y->length) - (x->length > y->length);
    return order ? order : (x->s > y->s) - (x->s < y->s);
}

static int sort_sequences(struct whole_run *run, struct error *error)
{
    run->called = memory_create(run->sequences, sizeof *run->called, error);
    if (!run->called)
        return -1;
    for (size_t s = 0; s < run->sequences; s++)
        run->called[s] = (struct called){s, (int32_t)(run->offsets[s + 1] - run->offsets[s]), 0, 0};
    qsort(run->called, run->sequences, sizeof *run->called, compare_lengths);
    return 0;
}

static int make_room(struct whole_run *run, struct error *error)
{
    const struct rnn_model *model = run->model;
    size_t S = run->sequences;
    struct result_block *made = run->made = memory_create(1, sizeof *made, error);
    if (!made)
        return -1;
    made->result.sequences = S;
    made->result.width = rnn_width(model);
    made->row_offsets = memory_create(S + 1, sizeof *made->row_offsets, error);
    made->label_offsets = rnn_classes(model) ? memory_create(S + 1, sizeof(int64_t), error) : NULL;
    if (!made->row_offsets || (rnn_classes(model) && !made->label_offsets))
        return -1;
    for (size_t s = 0; s < S; s++)
        made->row_offsets[s + 1] = made->row_offsets[s] +
            (int64_t)results_count_rows(model->config, (size_t)(run->offsets[s + 1] - run->offsets[s]));
    made->result.rows = (size_t)made->row_offsets[S];
    if (made->result.rows > SIZE_MAX / sizeof(float) / (made->result.width + 1))
        return error_set(error, EXIT_CODE_INTERNAL, "out of memory");
    made->values = memory_create(made->result.rows * made->result.width, sizeof(float), error);
    return made->values ? 0 : -1;
}

/* ---- computing ---- */

/* Packs sequences called[first] .. of the run as a microbatch, and returns how many in *B. */
static int pack(struct whole_run *run, size_t first, size_t *B, struct error *error)
{
    struct rnn_model *model = run->model;
    int32_t length[TOGETHER];
    int64_t sequence[TOGETHER];
    *B = run->sequences - first < TOGETHER ? run->sequences - first : TOGETHER;
    for (size_t b = 0; b < *B; b++) {
        length[b] = run->called[first + b].length;
        sequence[b] = (int64_t)run->called[first + b].s;
    }
    if (handle_resize(model, &model->microbatch, *B, length, sequence, error))
        return -1;
    for (size_t b = 0; b < *B; b++)
        for (size_t t = 0; t < (size_t)length[b]; t++)
            handle_pack_frame(model, &run->frames, (size_t)run->offsets[sequence[b]] + t, &model->microbatch,
                microbatch_frame(&model->microbatch, b, t));
    return 0;
}

/* Puts the labels that a search has made of row b of the microbatch into the pool. */
static int keep_labels(struct whole_run *run, struct called *called, const struct net_outputs *outputs,
    size_t b, struct error *error)
{
    size_t n = outputs->label_start[b + 1] - outputs->label_start[b];
    int32_t *wider = array_reserve(run->pool, &run->room, run->pooled + n, sizeof *wider);
    if (!wider && run->pooled + n)
        return error_set(error, EXIT_CODE_INTERNAL, "out of memory: no room for labels");
    run->pool = wider;
    if (n)
        memcpy(wider + run->pooled, outputs->labels + outputs->label_start[b], n * sizeof *wider);
    called->first_label = run->pooled;
    called->labels = n;
    run->pooled += n;
    return 0;
}

static void keep_rows(struct whole_run *run, size_t s, const struct net_outputs *outputs, size_t b)
{
    const struct rnn_model *model = run->model;
    const struct result_block *made = run->made;
    size_t n = (size_t)(made->row_offsets[s + 1] - made->row_offsets[s]);
    float *to = made->values + (size_t)made->row_offsets[s] * made->result.width;
    for (size_t i = 0; i < n; i++, to += made->result.width)
        results_present(model->config,
            outputs->values + results_find_row(model->config, &model->microbatch, b, i) * outputs->stride,
            to);
}

static int compute(struct whole_run *run, size_t first, size_t *B, struct error *error)
{
    struct rnn_model *model = run->model;
    const struct net_pass pass = {.beam = run->beam};
    struct net_outputs outputs;
    if (pack(run, first, B, error) ||
        net_forward(model->net, &pass, &model->microbatch, &outputs, NULL, error))
        return -1;
    size_t bad = results_find_infinite(model->config, &model->microbatch, &outputs);
    if (bad < *B)
        return error_set(error, EXIT_CODE_DATA,
            "sequence %zu: what the network makes of it is not finite: give inputs of the size that it was "
            "trained on",
            run->called[first + bad].s);
    for (size_t b = 0; b < *B; b++) {
        struct called *called = &run->called[first + b];
        keep_rows(run, called->s, &outputs, b);
        if (output_makes_labels(model->config) && keep_labels(run, called, &outputs, b, error))
            return -1;
    }
    return 0;
}

/* ---- labels ---- */

/* The most probable class of each row. */
static int label_rows(struct result_block *made, struct error *error)
{
    size_t rows = made->result.rows, O = made->result.width;
    made->labels = memory_create(rows, sizeof *made->labels, error);
    if (!made->labels)
        return -1;
    for (size_t r = 0; r < rows; r++)
        made->labels[r] = (int32_t)results_most_probable(made->values + r * O, O);
    memcpy(made->label_offsets, made->row_offsets, (made->result.sequences + 1) * sizeof(int64_t));
    return 0;
}

/* The labels of the pool in the order of the caller. */
static int order_labels(struct whole_run *run, struct error *error)
{
    struct result_block *made = run->made;
    made->labels = memory_create(run->pooled, sizeof *made->labels, error);
    if (!made->labels)
        return -1;
    for (size_t i = 0; i < run->sequences; i++)
        made->label_offsets[run->called[i].s + 1] = (int64_t)run->called[i].labels;
    for (size_t s = 0; s < run->sequences; s++)
        made->label_offsets[s + 1] += made->label_offsets[s];
    for (size_t i = 0; i < run->sequences; i++) {
        const struct called *called = &run->called[i];
        if (called->labels)
            memcpy(made->labels + made->label_offsets[called->s], run->pool + called->first_label,
                called->labels * sizeof *made->labels);
    }
    return 0;
}

static int make_labels(struct whole_run *run, struct error *error)
{
    const struct net_config *config = run->model->config;
    if (!run->made->label_offsets)
        return 0;
    return output_makes_labels(config) ? order_labels(run, error) : label_rows(run->made, error);
}

static int run_all(struct whole_run *run, struct error *error)
{
    if (check(run, error) || sort_sequences(run, error) || make_room(run, error))
        return -1;
    for (size_t first = 0, B; first < run->sequences; first += B)
        if (compute(run, first, &B, error))
            return -1;
    return make_labels(run, error);
}

/* Shows the caller what was made. */
static const struct rnn_result *hand_over(struct result_block *made)
{
    struct rnn_result *result = &made->result;
    result->values = made->values;
    result->row_offsets = made->row_offsets;
    result->label = made->labels;
    result->label_offsets = made->label_offsets;
    result->labels = made->label_offsets ? (size_t)made->label_offsets[result->sequences] : 0;
    return result;
}

static enum rnn_code run_frames(
    struct whole_run *run, const struct rnn_result **result, struct rnn_error *error)
{
    struct error inside = {0};
    int failed = run_all(run, &inside);
    memory_destroy(run->called);
    free(run->pool);
    *result = NULL;
    if (failed) {
        rnn_result_free(run->made ? &run->made->result : NULL);
        return handle_fail(&inside, error);
    }
    *result = hand_over(run->made);
    return RNN_OK;
}

enum rnn_code rnn_run_features(struct rnn_model *model, size_t sequences, const int64_t *offsets,
    const float *x, size_t beam, const struct rnn_result **result, struct rnn_error *error)
{
    struct whole_run run = {
        .model = model, .offsets = offsets, .frames = {.x = x}, .sequences = sequences, .beam = beam};
    return run_frames(&run, result, error);
}

enum rnn_code rnn_run_symbols(struct rnn_model *model, size_t sequences, const int64_t *offsets,
    const int32_t *symbols, size_t beam, const struct rnn_result **result, struct rnn_error *error)
{
    struct whole_run run = {.model = model,
        .offsets = offsets,
        .frames = {.symbols = symbols},
        .sequences = sequences,
        .beam = beam};
    return run_frames(&run, result, error);
}

/* The result is the first member of what was made. */
void rnn_result_free(const struct rnn_result *result)
{
    struct result_block *made = (struct result_block *)(uintptr_t)result;
    if (!made)
        return;
    memory_destroy(made->values);
    memory_destroy(made->row_offsets);
    memory_destroy(made->label_offsets);
    memory_destroy(made->labels);
    memory_destroy(made);
}

/* What rnn-predict -o writes, in one of several formats. */
#ifndef PREDICT_OUTPUT_H
#define PREDICT_OUTPUT_H

#include "predict/confusion.h"
#include "predict/labels.h"
#include "predict/model.h"
#include "predict/options.h"
#include "predict/rows.h"
#include "predict/stream.h"
#include "predict/wording.h"

struct predict_output {
    const struct predict_format *format;
    const char *path; /* "-": standard output */
    const struct node *node;
    const struct net_config *config;
    const struct net_names *names; /* the network's, on rank 0 */
    const struct dataset *dataset;
    int has_rows; /* 0: only labels are written */
    struct predict_rows rows;
    int has_labels;
    struct predict_labels labels;
    struct predict_confusion confusion; /* of the formats that have it */
    /* What the format makes use of, on rank 0. */
    struct h5_table *table;
    size_t outputs, classes;   /* columns of the table */
    struct scratch class_rows; /* the most probable class of each row */
    struct predict_stream stream;
    struct wording wording;
};

/* A format is a struct in a file of its own, and a line of predict/list.h. Rank 0 alone calls what is in it;
 * each function returns -1 after an error. What is written as it comes goes into the stream, which is
 * flushed for the format after the labels of a step, and at the end. */
struct predict_format {
    const char *name;
    int has_all; /* 1: rows of networks that make labels too, and the confusion; 0: what a reader asks for */
    int is_binary; /* 1: not for a terminal */
    int (*start)(struct predict_output *output, struct error *error);
    /* Takes the rows of sequences first .. end - 1, which follow those before. */
    int (*take_rows)(
        struct predict_output *output, int64_t first, int64_t end, const float *values, struct error *error);
    /* Takes the labels of a sequence that has nothing else, which follows the one before; NULL: they are kept
     * until the end. */
    int (*take_labels)(struct predict_output *output, int64_t sequence, const int32_t *labels, size_t n,
        struct error *error);
    int (*commit)(struct predict_output *output, struct error *error); /* NULL: the stream is all there is */
};

/* Each rank calls this for itself. Refuses an output that is the same file as an input; of standard output
 * too. */
int predict_refuse_same_file(const char *output, const char *input, struct error *error);

/* Rank 0 calls. Refuses a terminal as standard output, which is `path` ("-"), for what is no text. */
int predict_refuse_terminal(const char *path, const char *what, struct error *error);

/* Each rank calls this for itself. Makes room for the outputs of the model on the dataset, and begins them on
 * rank 0 as the options say. All that is handed over is kept by reference. Ended by predict_output_finish,
 * also after a failure; there is no file then. */
int predict_output_init(struct predict_output *output, const struct predict_model *model,
    const struct dataset *dataset, const struct predict_options *options, struct error *error);
void predict_output_finish(struct predict_output *output); /* takes zeroes */

/* Each rank calls this for itself. Begins a step: makes room for what this rank holds of it. */
int predict_output_start_step(
    struct predict_output *output, const struct feed_step *step, struct error *error);

/* Each rank calls this for itself. Keeps the outputs of a microbatch, which is its next leaf. */
int predict_output_keep(struct predict_output *output, const struct microbatch *microbatch,
    const struct net_outputs *outputs, struct error *error);

/* All ranks call. Writes the step; the caller agrees on its outcome with the next. */
int predict_output_write_step(
    struct predict_output *output, const struct feed_step *step, struct error *error);

/* All ranks call, after the last step. Completes the output on rank 0, which alone can fail: a file gets its
 * name. */
int predict_output_commit(struct predict_output *output, struct error *error);

#endif

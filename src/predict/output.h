/* The file that rnn-predict -o writes: attributes, names, rows, labels, confusion. */
#ifndef PREDICT_OUTPUT_H
#define PREDICT_OUTPUT_H

#include "predict/confusion.h"
#include "predict/labels.h"
#include "predict/model.h"
#include "predict/rows.h"

struct predict_output {
    const struct node *node;
    const struct net_config *config;
    const struct net_names *names; /* the network's, on rank 0 */
    const struct dataset *dataset;
    struct h5_table *table; /* on rank 0; NULL elsewhere */
    int has_rows;           /* 0: only labels are made, as by a decoder of classes */
    struct predict_rows rows;
    int has_labels;
    struct predict_labels labels;
    struct predict_confusion confusion;
};

/* Each rank calls this for itself. Refuses an output that is the same file as an input. */
int predict_refuse_same_file(const char *output, const char *input, struct error *error);

/* Each rank calls this for itself. Makes room for the outputs of the model on the dataset, and begins the
 * file `path` on rank 0. All that is handed over is kept by reference. Ended by predict_output_finish, also
 * after a failure; there is no file then. */
int predict_output_init(struct predict_output *output, const struct predict_model *model,
    const struct dataset *dataset, const char *path, struct error *error);
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

/* All ranks call, after the last step. Completes the file and gives it its name on rank 0, which alone can
 * fail. */
int predict_output_commit(struct predict_output *output, struct error *error);

#endif

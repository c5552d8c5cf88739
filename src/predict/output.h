/* The file that rnn-predict -o writes. */
#ifndef PREDICT_OUTPUT_H
#define PREDICT_OUTPUT_H

#include "predict/context.h"

/* Refuses an output that is the same file as an input. This is not collective. */
int predict_refuse_same_file(const char *output, const char *input, struct error *error);

/* Makes room for the outputs and begins the file on rank 0, where options ask for one. This is not
 * collective. */
int predict_begin_output(struct predict *predict, struct error *error);

/* Makes room for what this rank holds of the step at hand. This is not collective. */
int predict_make_room(struct predict *predict, struct error *error);

/* Keeps the outputs of a microbatch, which is the next leaf of this rank. *kept counts the rows of the step
 * that are kept already, and grows by those of the microbatch. */
void predict_keep(struct predict *predict, const struct microbatch *microbatch,
    const struct net_outputs *outputs, size_t *kept);

/* Writes the step at hand. All ranks must call it; the caller agrees on its outcome with the next step. */
int predict_write_step(struct predict *predict, struct error *error);

/* Adds up the confusion matrices of all ranks after the last step. All ranks must call it. */
void predict_sum_confusion(struct predict *predict);

/* Completes the file on rank 0. This is not collective. */
int predict_finish_output(struct predict *predict, struct error *error);

void predict_destroy_output(struct predict *predict);

#endif

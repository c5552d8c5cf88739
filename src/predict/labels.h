/* The labels that ctc and decoder make of sequences, on their way to the file. */
#ifndef PREDICT_LABELS_H
#define PREDICT_LABELS_H

#include "predict/context.h"

/* Makes room for the labels of the dataset. This is not collective. */
int predict_begin_labels(struct predict *predict, struct error *error);

/* Keeps the labels of a microbatch, which is the next leaf of this rank. This is not collective. */
int predict_keep_labels(struct predict *predict, const struct microbatch *microbatch,
    const struct net_outputs *outputs, struct error *error);

/* Brings the labels of the step at hand to rank 0, in the order of the file. All ranks must call it. Without
 * room for what is collected it fails on every rank; a failure to sort is that of rank 0 alone. */
int predict_collect_labels(struct predict *predict, struct error *error);

/* Adds the labels to the table of rank 0, after the last step. This is not collective. */
int predict_write_labels(struct predict *predict, struct error *error);

void predict_destroy_labels(struct predict *predict);

#endif

/* The labels that ctc and decoder make of sequences, on their way to whoever writes them. */
#ifndef PREDICT_LABELS_H
#define PREDICT_LABELS_H

#include "comm/comm.h"
#include "h5/table.h"
#include "net/microbatch.h"
#include "net/types.h"
#include "pass/feed.h"

/* Numbers in a row, as many as come. */
struct label_list {
    int32_t *values;
    size_t count, room;
};

struct predict_labels {
    const struct node *node;
    struct label_list step; /* of this rank's part of a step: for each sequence, in the order of its leaves,
                             * how many labels, and then these */
    double *counts;         /* [ranks] numbers that each rank brings */
    size_t *bytes;          /* [ranks] the same in bytes */
    /* These are on rank 0 only. */
    struct label_list gathered; /* what all ranks brought of a step */
    struct label_list ordered;  /* the labels of the steps so far, in the order of the set, without those that
                                 * were forgotten */
    int64_t forgotten;
    int64_t end; /* of the sequences of the steps so far */
    int64_t sequences;
    int64_t *offsets; /* [sequences + 1] of all labels of the set */
};

/* Each rank calls this for itself. Ended by predict_labels_finish, also after a failure. */
int predict_labels_init(
    struct predict_labels *labels, const struct node *node, int64_t sequences, struct error *error);
void predict_labels_finish(struct predict_labels *labels);

/* Each rank calls this for itself. Keeps the labels of a microbatch, which is its next leaf. */
int predict_labels_keep(struct predict_labels *labels, const struct microbatch *microbatch,
    const struct net_outputs *outputs, struct error *error);

/* All ranks call. Brings the labels of the step at hand to rank 0, in the order of the set. Without room for
 * what is gathered it fails on every rank; a failure to sort is that of rank 0 alone. */
int predict_labels_gather(struct predict_labels *labels, const struct feed_step *step, struct error *error);

/* Rank 0 calls. Returns the *n labels of a sequence of a step that was gathered and is not forgotten; NULL
 * where there are none. */
const int32_t *predict_labels_of(const struct predict_labels *labels, int64_t sequence, size_t *n);

/* Rank 0 calls. Frees the place of all labels so far, for who has taken them. */
void predict_labels_forget(struct predict_labels *labels);

/* Rank 0 calls, after the last step, where nothing was forgotten. Adds the labels to the table. */
int predict_labels_write(const struct predict_labels *labels, struct h5_table *table, struct error *error);

#endif

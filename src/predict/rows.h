/* The rows of outputs that a network makes of sequences, as its loss presents them, on their way to whoever
 * writes them. O outputs a row. */
#ifndef PREDICT_ROWS_H
#define PREDICT_ROWS_H

#include "data/dataset.h"
#include "net/types.h"
#include "pass/feed.h"

/* A block that is made larger where it must be; what was in it is lost then. */
struct scratch {
    void *block;
    size_t bytes;
};

int scratch_grow(struct scratch *scratch, size_t bytes, struct error *error);

struct predict_rows {
    const struct node *node;
    const struct net_config *config;
    size_t width;          /* O */
    int64_t *offsets;      /* [sequences + 1] rows of the set */
    size_t *counts;        /* [ranks] bytes that each rank brings */
    size_t kept;           /* rows of the step at hand that this rank has */
    struct scratch share;  /* [rows of this rank][O] sequence by sequence, in the order of its leaves */
    struct scratch packed; /* [rows of them in a section][O] */
    /* These are on rank 0 only. */
    struct scratch gathered; /* [rows of a section][O] what all ranks have packed, one after the other */
    struct scratch ordered;  /* [rows of a section][O] in the order of the set */
};

/* Takes the rows of sequences first .. end - 1, which lie in the order of the set. */
struct predict_rows_taker {
    int (*take)(void *context, int64_t first, int64_t end, const float *values, struct error *error);
    void *context;
};

/* Each rank calls this for itself. Node, configuration and dataset are kept by reference. Ended by
 * predict_rows_finish, also after a failure. */
int predict_rows_init(struct predict_rows *rows, const struct node *node, const struct net_config *config,
    const struct dataset *dataset, struct error *error);
void predict_rows_finish(struct predict_rows *rows);

/* Each rank calls this for itself. Begins a step: makes room for what this rank holds of it. */
int predict_rows_start_step(struct predict_rows *rows, const struct feed_step *step, struct error *error);

/* Each rank calls this for itself. Keeps the outputs of a microbatch, which is its next leaf. */
void predict_rows_keep(
    struct predict_rows *rows, const struct microbatch *microbatch, const struct net_outputs *outputs);

/* All ranks call. Brings the rows of the step to rank 0, which hands them over, section by section in the
 * order of the set, and alone can fail. `taker` is NULL elsewhere, and where nobody is to have them because
 * something failed before. */
int predict_rows_write_step(struct predict_rows *rows, const struct feed_step *step,
    const struct predict_rows_taker *taker, struct error *error);

#endif

/* The rows of outputs that a network makes of sequences, as its loss presents them, and the most probable
 * class of each, on their way to the file. O outputs a row. */
#ifndef PREDICT_ROWS_H
#define PREDICT_ROWS_H

#include "data/dataset.h"
#include "h5/table.h"
#include "net/types.h"
#include "pass/feed.h"

/* A block that is made larger where it must be; what was in it is lost then. */
struct scratch {
    void *block;
    size_t bytes;
};

struct predict_rows {
    const struct node *node;
    const struct net_config *config;
    size_t width;         /* O */
    int64_t *offsets;     /* [sequences + 1] rows of the file; the dataset's where rows are frames */
    size_t *counts;       /* [ranks] bytes that each rank brings */
    size_t kept;          /* rows of the step at hand that this rank has */
    struct scratch share; /* [rows of this rank][O] sequence by sequence, in the order of its leaves */
    /* These are on rank 0 only. */
    size_t outputs, classes;   /* columns of the table */
    struct scratch gathered;   /* [rows of some ranks][O] their shares, one after the other */
    struct scratch items;      /* [sequences of them] */
    struct scratch ordered;    /* [rows of them][O] in the order of the file */
    struct scratch class_rows; /* [rows of them] the most probable class of each */
};

/* Each rank calls this for itself. Node, configuration and dataset are kept by reference. Ended by
 * predict_rows_finish, also after a failure. */
int predict_rows_init(struct predict_rows *rows, const struct node *node, const struct net_config *config,
    const struct dataset *dataset, struct error *error);
void predict_rows_finish(struct predict_rows *rows);

/* Rank 0 calls. Declares the sets "outputs" and, where rows have classes, "labels". */
void predict_rows_declare(struct predict_rows *rows, struct h5_table *table, int64_t sequences);

/* Each rank calls this for itself. Begins a step: makes room for what this rank holds of it. */
int predict_rows_start_step(struct predict_rows *rows, const struct feed_step *step, struct error *error);

/* Each rank calls this for itself. Keeps the outputs of a microbatch, which is its next leaf. */
void predict_rows_keep(
    struct predict_rows *rows, const struct microbatch *microbatch, const struct net_outputs *outputs);

/* All ranks call. Brings the rows of the step to rank 0, which writes them and alone can fail. `table` is
 * NULL elsewhere, and where they are not to be written because something failed before. */
int predict_rows_write_step(
    struct predict_rows *rows, const struct feed_step *step, struct h5_table *table, struct error *error);

#endif

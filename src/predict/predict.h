/* One evaluation on one rank: everything it holds, and its parts. "All": every rank calls, with the same
 * outcome. Private to predict*.c. */
#ifndef PREDICT_PREDICT_H
#define PREDICT_PREDICT_H

#include "comm/comm.h"
#include "h5/table.h"
#include "net/outputs/output.h"
#include "pass/feed.h"
#include "pass/report.h"
#include "pass/tally.h"
#include "predict/options.h"

#include <limits.h>

/* A block that is made larger where it must; what was in it is lost then. */
struct room {
    void *block;
    size_t bytes;
};

/* Numbers in a row, as many as come. */
struct list {
    int32_t *values;
    size_t n, room;
};

/* What ctc and decoder make of sequences, which has no length before it is made. */
struct predict_labels {
    struct list step; /* of this rank in a step: for each sequence in the order of its leaves, how many, and
                         which */
    double *counts;   /* [ranks] numbers that each rank brings */
    /* Rank 0. */
    struct list all;       /* the steps of all ranks */
    struct list collected; /* in the order of the file */
    int64_t *offsets;      /* [sequences + 1] of the file */
};

/* Outputs on their way to the file. O outputs a row. */
struct predict_output {
    struct h5_table *table; /* rank 0, with -o */
    size_t outputs, labels; /* its columns */
    size_t width;           /* O; 0: only labels are made */
    int64_t *offsets;       /* [sequences + 1] rows of the file; the dataset's where rows are frames */
    size_t confusion_column;
    double *confusion; /* [classes][classes] rows of a true class, by what they were taken for; or NULL */
    size_t *counts;    /* [ranks] bytes each rank brings */
    struct room share; /* [rows of this rank][O] sequence by sequence, in the order of its leaves */
    /* Rank 0. */
    struct room all;     /* the shares of some ranks */
    struct room items;   /* [sequences of them] */
    struct room ordered; /* [rows of them][O] in the order of the file */
    struct room classes; /* [rows of them] */
};

struct predict {
    const struct predict_options *options;
    const struct comm *comm;
    char checkpoint[PATH_MAX]; /* the file itself */
    struct net *net;
    const struct net_config *model; /* the net's */
    int64_t microbatch;             /* sequences computed at a time */
    size_t features;                /* 0: not standardized */
    float *shift, *scale;           /* [features]; NULL: not standardized */
    struct dataset *dataset;
    struct feed feed;
    struct tally tally;
    struct net_score *scores; /* [microbatch]; NULL where there are no targets */
    struct report report;
    struct predict_output output;
    struct predict_labels labels;
};

/* All. The network of the checkpoint, which rank 0 alone reads. (model.c) */
int predict_load_model(struct predict *predict, struct error *error);

/* Not collective: an output may not be what is read. (predict_output.c, as what follows) */
int predict_refuse_same_file(const char *output, const char *input, struct error *error);

/* Not collective: begins the file of -o on rank 0. */
int predict_begin_output(struct predict *predict, struct error *error);

/* Not collective: room for what this rank holds of the step at hand. */
int predict_make_room(struct predict *predict, struct error *error);

/* Keeps the outputs of a microbatch, the next leaf of this rank; *kept: rows of the step kept before it. */
void predict_keep(struct predict *predict, const struct microbatch *microbatch,
    const struct net_outputs *outputs, size_t *kept);

/* All. Writes the step at hand; a failure is rank 0's alone. */
int predict_write_step(struct predict *predict, struct error *error);

/* All. What is known when all steps are computed. */
void predict_sum_confusion(struct predict *predict);

/* Sequences of labels: those of a microbatch, the next leaf of this rank; then, all, those of the step at
 * hand; a failure is this rank's alone. At last, not collective, into the file on rank 0. (predict_labels.c)
 */
int predict_keep_labels(struct predict *predict, const struct microbatch *microbatch,
    const struct net_outputs *outputs, struct error *error);
int predict_collect_labels(struct predict *predict, struct error *error);
int predict_begin_labels(struct predict *predict, struct error *error);
int predict_write_labels(struct predict *predict, struct error *error);
void predict_destroy_labels(struct predict *predict);

/* Not collective. */
int predict_finish_output(struct predict *predict, struct error *error);
void predict_destroy_output(struct predict *predict);

/* All. What --generate asks for, and the line about it. (generate.c) */
int predict_generate(struct predict *predict, struct error *error);

/* rnn-predict: evaluates a set, and writes the outputs where options say so. Starts and ends MPI. */
int program_predict(const struct predict_options *options);

#endif

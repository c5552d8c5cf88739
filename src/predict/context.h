/* What one rank holds while it predicts or generates: the model, the dataset, and the outputs on their way to
 * the file. The functions that work on each part stand in the header of their own subject, so that this one
 * needs none of them. */
#ifndef PREDICT_CONTEXT_H
#define PREDICT_CONTEXT_H

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

#endif

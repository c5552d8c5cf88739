/* What classes were taken for, where every target is a class of a frame or of a sequence. */
#ifndef PREDICT_CONFUSION_H
#define PREDICT_CONFUSION_H

#include "comm/comm.h"
#include "h5/table.h"
#include "net/microbatch.h"
#include "net/types.h"

struct predict_confusion {
    size_t classes; /* C; 0: nothing is counted */
    double *counts; /* [C][C] targets of a true class (row), by the class they were taken for (column) */
    size_t column;  /* of the table, on rank 0 */
};

/* Each rank calls this for itself. There is no square of more classes than this: it counts nothing then. */
enum { MOST_CONFUSED = 1024 };
int predict_confusion_init(struct predict_confusion *confusion, size_t classes, struct error *error);
void predict_confusion_finish(struct predict_confusion *confusion);

/* Rank 0 calls. Declares the set "confusion". */
void predict_confusion_declare(struct predict_confusion *confusion, struct h5_table *table);

/* Each rank calls this for itself. Counts the rows of a microbatch that have a target. */
void predict_confusion_count(struct predict_confusion *confusion, const struct microbatch *microbatch,
    const struct net_outputs *outputs);

/* All ranks call, after the last step. Adds up the counts of all ranks, and writes them on rank 0, which
 * alone can fail. `table` is NULL elsewhere. */
int predict_confusion_write(struct predict_confusion *confusion, const struct comm *comm,
    struct h5_table *table, struct error *error);

#endif

/* A production net set up for a problem: its weights in the net's own order, and what one pass over one
 * microbatch gives. Failing ends the program. */
#ifndef TESTS_REFERENCE_SUBJECT_H
#define TESTS_REFERENCE_SUBJECT_H

#include "net/net.h"
#include "problem.h"

struct subject {
    const struct problem *problem; /* the caller's */
    struct net *net;
    size_t tensors, P;
    const struct parameter *list; /* the net's */
    float *weights;               /* [P] */
};

void subject_init(struct subject *subject, const struct problem *problem);
void subject_finish(struct subject *subject);

/* Outputs, scores and gradient of one microbatch. Starts zeroed. */
struct result {
    size_t rows, O, B, P;
    float *outputs;          /* [rows][O], without stride */
    struct net_score *score; /* [B] */
    float *gradient;         /* [P] of the net; NULL where backward was not asked for */
};

/* Forward, and backward where pass->training says so; *result is made anew. */
void subject_run(struct subject *subject, const struct net_pass *pass, const struct microbatch *microbatch,
    struct result *result);

/* The same over sequences chosen[0 .. B-1] of the problem. */
void subject_run_chosen(struct subject *subject, const struct net_pass *pass, size_t B, const int64_t *chosen,
    struct result *result);
void result_finish(struct result *result);

/* Returns what has other bits: outputs, the loss, or the first tensor of the gradient; NULL: nothing. */
const char *result_find_difference(
    const struct subject *subject, const struct result *got, const struct result *want);

/* Row of result->outputs where the target of step t of row b of a microbatch of these B lengths lies. */
size_t subject_row(const struct net_config *config, size_t B, const int32_t *length, size_t b, size_t t);

#endif

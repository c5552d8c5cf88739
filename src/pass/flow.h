/* How far back in time gradients reach, measured on the longest sequences of a set (docs/network.md). Ranks
 * share the work by sequence, then by direction of a layer. Bits do not depend on the number of ranks, and
 * nothing of the net or the data changes. */
#ifndef PASS_FLOW_H
#define PASS_FLOW_H

#include "comm/comm.h"
#include "data/dataset.h"
#include "net/flow.h"
#include "net/net.h"

#include <signal.h>

enum { FLOW_SEQUENCES = 4 };

/* What is measured, the caller's, kept by reference. */
struct flow_task {
    const struct comm *comm;
    struct net *net; /* packed */
    struct dataset *dataset;
    const float *mean, *deviation; /* [features] that standardize its inputs; NULL: they are not */
    /* Sequences are computed together while they have no more frames than a microbatch of so many has on
     * average. */
    int64_t microbatch;
    const volatile sig_atomic_t *stop; /* once not 0 the rank leaves its share undone; NULL: never */
};

struct flow {
    struct flow_task task;
    size_t n;                         /* sequences: fewer where the set has fewer */
    int64_t sequence[FLOW_SEQUENCES]; /* the longest, falling; of the same length the first in the set */
    int32_t length[FLOW_SEQUENCES];
    size_t directions, distances;
    double *norm; /* [directions][distances][FLOW_SEQUENCES] of this rank's share, else zeroes */
};

/* Each rank calls this for itself. Chooses the sequences. Ended by flow_finish, also after a failure, which
 * is lack of memory. */
int flow_init(struct flow *flow, const struct flow_task *task, struct error *error);
void flow_finish(struct flow *flow); /* takes zeroes */

/* Each rank calls this for itself. Computes its share, with signs of life. *left is 1 where it was asked to
 * stop before the end, and 0 otherwise. */
int flow_compute(struct flow *flow, int *left, struct error *error);

/* Every rank calls, once all shares are computed. Makes the curves, which are the caller's, as large as
 * `flow` has directions and distances. */
void flow_gather(struct flow *flow, struct flow_curves *curves);

/* Returns the bytes that a rank of so many takes at most to measure the task, whose net may be described only
 * and of whose set no value is read. (0 where there is no memory to find it out.) */
size_t flow_count_bytes(const struct flow_task *task, int ranks);

/* Appends " gradient_reach=DISTANCE" to a line, or nothing where there is no curve. */
void flow_report_reach(char *line, size_t size, struct flow_reach reach);

/* Is the reach of gradients far below a median length of sequences? Writes a sentence on that, and what to
 * change, to `text` [size]; and the same of gradients that grow. Returns 0 where there is nothing to say.
 * (flow_advice.c) */
int flow_describe_short(const struct net_config *config, const struct flow_curves *curves, int32_t median,
    char *text, size_t size);
int flow_describe_growth(
    const struct net_config *config, const struct flow_curves *curves, char *text, size_t size);

#endif

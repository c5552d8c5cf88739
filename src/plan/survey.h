/* A survey goes through the plan of an epoch before a run does, and finds how evenly its cost falls on ranks,
 * and what the largest microbatch and the largest range of leaves need. */
#ifndef PLAN_SURVEY_H
#define PLAN_SURVEY_H

#include "config/config.h"
#include "data/dataset.h"

/* A microbatch with fewer frames spends more time adding its gradient than computing it. */
enum { SURVEY_SMALL_MICROBATCH = 256 };

struct survey {
    int64_t steps, microbatches, small_microbatches;
    size_t most_vectors, most_nodes; /* gradients of a rank; node sums of all ranks */
    size_t packed;                   /* bytes of one packed microbatch that has held all there are */
    size_t activations;              /* bytes of the workspace of the net that all have gone through */
    double balance;                  /* mean over steps of: cost of the average rank / of the busiest */
};

/* Surveys the first epoch of training, or with training = 0 a pass over a validation set. The model is bound
 * to the dataset, whose values are not read. Fails where there is no memory. One rank may call this alone. */
int survey_make(const struct config *config, struct net *net, const struct dataset *dataset, int training,
    size_t ranks, struct survey *survey, struct error *error);

#endif

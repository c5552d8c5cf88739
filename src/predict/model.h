/* The network of a checkpoint, as all ranks get it from rank 0. */
#ifndef PREDICT_MODEL_H
#define PREDICT_MODEL_H

#include "comm/comm.h"
#include "net/names.h"
#include "pass/teamwork.h"

#include <limits.h>

struct predict_model {
    char path[PATH_MAX]; /* of the checkpoint; best.h5 where a run directory was named */
    struct node node;    /* has the net's panels, once for all of its ranks */
    struct net *net;
    struct teamwork teamwork;        /* of the ranks of the node */
    const struct net_config *config; /* the net's */
    int64_t microbatch;              /* sequences computed at a time */
    size_t features;                 /* of mean and deviation; 0: inputs are not standardized */
    float *mean, *deviation;         /* [features] one block; NULL: inputs are not standardized */
    struct net_names names;          /* on rank 0 */
    int64_t epoch;                   /* on rank 0: that the last step before the checkpoint was made in */
};

/* All ranks call, and all get the same outcome. Reads the checkpoint (or best.h5 of a run directory) on rank
 * 0 and gives every rank its network, with weights, and the numbers that standardize its inputs. `batch`
 * sequences are to be computed at a time; 0: as many as in training. Ended by predict_model_finish, also
 * after a failure; starts from zeroes. */
int predict_model_load(struct predict_model *model, const struct comm *comm, const char *path, int64_t batch,
    struct error *error);
void predict_model_finish(struct predict_model *model); /* every rank calls */

#endif

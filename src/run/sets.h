/* The data of a run: the training set and the validation set, opened by every rank for itself, found to be
 * the same on all, and standardized alike. */
#ifndef RUN_SETS_H
#define RUN_SETS_H

#include "ckpt/checkpoint.h"
#include "comm/comm.h"
#include "comm/node.h"
#include "config/config.h"
#include "data/dataset.h"
#include "data/fingerprint.h"
#include "net/names.h"
#include "pass/feed.h"
#include "pass/file_watch.h"

/* Where the values of a set lie that is kept (kept_sets.c). */
struct set_memory {
    void *values;  /* NULL: the set is not kept */
    size_t bytes;  /* of them */
    int is_shared; /* 1: by the ranks of the node */
};

/* What is known of the content of a set. */
struct set_record {
    struct fingerprint print; /* shape 0: there is no such set */
    struct value_sums sums;   /* of this rank, as long as print is not complete */
    struct file_watch watch;
    char *files; /* which files these are (dataset_write_files); NULL: there is no such set */
};

struct sets {
    const struct comm *comm;
    struct dataset *train, *valid;       /* valid: NULL where there is none */
    size_t features;                     /* of mean and deviation; 0: inputs are not standardized */
    double *mean, *deviation;            /* [features] one block; NULL: inputs are not standardized */
    float *mean_float, *deviation_float; /* [features] the same for microbatches, one block */
    struct set_record record[DATA_SETS];
    struct node *node; /* whose memory it is, of sets_keep */
    struct set_memory memory[DATA_SETS];
    struct net_names names; /* on rank 0: of the training set, and then of the network (run/same_data.h) */
};

/* All ranks call. Opens the sets, of which no value is read yet, and completes `model` by the training set
 * (pass/model.h). An error also where ranks have been given different configurations or offsets. Ended by
 * sets_close, also after a failure; starts from zeroes. */
int sets_open(struct sets *sets, const struct config *config, const struct comm *comm,
    struct net_config *model, struct error *error);

/* All ranks call, after sets_open. Decodes the sets that fit data.cache, once for the ranks of a node that
 * share memory, each of which reads a part; where there is too little shared memory, each rank has a copy,
 * and a warning says so. The others are read as microbatches need them. An error also where ranks have
 * different values, and where a set has nothing to count. `node` is kept by reference, until sets_close.
 * (kept_sets.c) */
int sets_keep(struct sets *sets, const struct config *config, struct node *node, struct error *error);

/* All ranks call. Takes mean and deviation of the training inputs, where data.standardize asks for them: as
 * rank 0's `checkpoint` has them (NULL: there is none), or else as rank 0 computes them. */
int sets_standardize(struct sets *sets, const struct config *config, const struct comm *comm,
    const struct checkpoint *checkpoint, struct error *error);

void sets_close(struct sets *sets);

/* Shares data.cache: a training set whose `values` bytes fit it leaves the rest to the validation set, and
 * one that does not leaves half. */
struct cache_share {
    size_t train, valid; /* bytes */
};
struct cache_share sets_share_cache(const struct config *config, size_t values);

/* Describes the order and the pieces of training epochs as the configuration has them, and says where the
 * windows of that are too small for the set. */
struct plan_order sets_describe_order(const struct config *config, const struct dataset *dataset);
int sets_require_window(const struct config *config, struct dataset *dataset, struct error *error);

/* Each rank calls this for itself. Looks whether the files are still what was opened (pass/file_watch.h):
 * where a second has passed since the last look; or, as `failed`, at once and on every rank, and replaces an
 * error of reading by what has become of the file. Returns -1 where there is an error, before or now. */
int sets_look(struct sets *sets, int failed, struct error *error);

/* All ranks call. Looks at once: what was read before this was read from the files as they were opened. */
int sets_agree_unchanged(struct sets *sets, struct error *error);

/* Describes a feed of one pass over one of the sets, in the order of its file (epoch 0), or as the
 * configuration orders training epochs. What it reads is noted as long as the fingerprint of the set is not
 * complete. */
struct feed_config sets_describe_feed(
    struct sets *sets, const struct config *config, struct dataset *dataset);

/* Gives back the memory of sets that were kept, which are closed. For sets_close. (kept_sets.c) */
void sets_release_values(struct sets *sets);

#endif

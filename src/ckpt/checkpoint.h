/* What a checkpoint holds, and how it gets into a file and back. One rank calls these functions alone, which
 * is rank 0 in a run.
 *
 * The file is HDF5, built in memory, followed by one text line with a hash of the image.
 * docs/checkpoint-format.md describes the format as users see it. */
#ifndef CKPT_CHECKPOINT_H
#define CKPT_CHECKPOINT_H

#include "base/error.h"
#include "base/identity.h"
#include "net/flow.h"
#include "net/names.h"
#include "net/net.h"
#include "optim/optim.h"

#include <stddef.h>
#include <stdint.h>

/* The sets that a run learns from and is judged by. */
enum data_set { DATA_TRAIN, DATA_VALID, DATA_SETS };

/* The last step of each epoch that has ended, where epochs may differ in how many they have. */
struct epoch_ends {
    size_t n;     /* 0: all have as many */
    double *step; /* [n] whole numbers */
};

struct checkpoint {
    int64_t version;       /* format of the file that it was read from */
    char *config;          /* resolved configuration without paths, as text */
    uint64_t weights_hash; /* hash_bytes of the P floats; encoding refuses weights that do not have it */

    /* The model: P parameters by name and shape. */
    struct net_config model;     /* as the net was made: the data's inputs and outputs included */
    size_t parameters;           /* how many tensors */
    struct parameter *parameter; /* [parameters] */
    size_t count;                /* P */
    float *weights;              /* [P] */

    int weights_alone; /* 1: the file has neither the optimizer nor progress, and no run goes on from it */

    /* The optimizer. */
    enum optimizer optimizer;
    struct optim_state optim;
    float *moments[OPTIM_MOST_MOMENTS]; /* [P] each, as many as the optimizer has, else NULL */

    /* Progress. */
    struct progress {
        int64_t epoch;    /* the epoch at hand, from 1 */
        int64_t step;     /* updates made in the run */
        int64_t position; /* steps made in the epoch at hand */
        /* Running sums over the epoch's training steps. */
        double epoch_loss, epoch_errors, epoch_counted, epoch_labels;
        double best; /* lowest loss or error so far, +infinity before the first */
        int64_t best_step, best_epoch;
        int64_t waited;     /* epochs since the best: patience */
        double loss, error; /* of the last validation (training where there is none); NaN before */
        double train_loss, train_error; /* of the last whole epoch; NaN before */
        int finished;                   /* 1: the run is over */
        int64_t metrics_rows;           /* of metrics.csv at this point */
        int64_t skipped;                /* steps in a row that diverged and were skipped */
        int64_t backs;                  /* times the run went back after a divergence */
        int64_t anchor; /* step of the checkpoint it would go back to: the last that was due by itself */
        int64_t plan_version; /* how the run's steps are cut into microbatches (data/plan.h) */
    } progress;

    /* Of a run whose sequences come in pieces (train.truncate). */
    size_t going, numbers; /* sequences of the batch at hand, and numbers of each; 0: none goes on */
    float *states; /* [going][numbers] that they go on from, in order of the epoch (struct net_carry) */
    struct epoch_ends ends;

    /* The data. */
    struct fingerprint data[DATA_SETS]; /* shape 0: there is no such set, or the format is older than 5 */
    uint64_t fingerprint;               /* of the training set, as formats before 5 have it; 0: unknown */
    size_t features;                    /* of mean and deviation; 0: not standardized */
    double *mean, *deviation;           /* [features] */
    int32_t classes;                    /* of the targets; 0 with real values */
    struct net_names names; /* those of the training set; lists that it did not have are missing */

    /* The newest gradient flow. */
    struct flow_record {
        int64_t epoch; /* after which it was measured; 0: there is none */
        int64_t rows;  /* of gradient_flow.csv at this point */
        struct flow_curves curves;
    } flow;

    /* Where it came from; the only part that differs between equal runs. */
    struct provenance {
        char *version, *command, *hosts, *libraries, *job, *time;
        char *run; /* identifier of the run (ckpt/own.h); NULL where the file is older than identifiers */
        char *files[DATA_SETS]; /* which files the fingerprints are of (dataset_write_files), or "" */
        int64_t ranks;
    } provenance;
};

/* The epoch that the last step was made in, as the lines of a run count: 0 before the first step. */
int64_t checkpoint_epoch(const struct progress *progress);

void checkpoint_init(struct checkpoint *checkpoint);   /* all zeroes */
void checkpoint_finish(struct checkpoint *checkpoint); /* frees what it owns: every pointer above */

/* Finds the parameter of that name, among those of checkpoint->parameter; NULL: it has none. */
const struct parameter *checkpoint_find_parameter(const struct checkpoint *checkpoint, const char *name);

/* Makes the file's bytes, image and hash line, which are the caller's (memory_destroy). Equal checkpoints but
 * for provenance give equal bytes outside of /provenance and the hashes over it. */
int checkpoint_encode(const struct checkpoint *checkpoint, void **bytes, size_t *size, struct error *error);

/* Returns the size in bytes of what checkpoint_encode would give, within a few KiB: for --plan. */
size_t checkpoint_estimate(const struct net *net, enum optimizer optimizer);

/* Estimates what making that file takes of memory, besides what is saved. */
size_t checkpoint_estimate_memory(const struct net *net, enum optimizer optimizer);

/* How far a file is trusted. CHECKPOINT_SEALED: the hash line must be there and right (resuming).
 * CHECKPOINT_ANY: a file without the line will do if every group's own hash is right (predicting, --init,
 * after h5repack). CHECKPOINT_EDITED: no hash is asked, since somebody has changed the file on purpose; the
 * rest is checked as ever, and weights_hash is that of the weights as they are. CHECKPOINT_UNCHANGED: the
 * hash line must be there and right, and weights alone will do (librnn, which has no trap around HDF5). */
enum checkpoint_trust { CHECKPOINT_SEALED, CHECKPOINT_ANY, CHECKPOINT_EDITED, CHECKPOINT_UNCHANGED };

/* Reads and checks a checkpoint file; *checkpoint must be initialized and is filled only on success. Errors
 * name the file and what to do; EXIT_CODE_IO: cannot be read; EXIT_CODE_DATA: damaged, truncated, foreign.
 * Returns 0, -1, or CHECKPOINT_NEWER where a newer program wrote it, whose formats this one does not know. */
enum { CHECKPOINT_NEWER = -2 };
int checkpoint_read(
    const char *path, enum checkpoint_trust trust, struct checkpoint *checkpoint, struct error *error);

/* Refuses a checkpoint whose parameters are not those of `net`, naming the first that differs, or whose
 * network computes something else with them: another cell of the same shapes, symbols for features. */
int checkpoint_fits(
    const struct checkpoint *checkpoint, const char *path, const struct net *net, struct error *error);

/* Makes of a checkpoint weights alone for `net`, whose body (net_find_head) it has: what `head` marks becomes
 * zero, and all else is as it was, by name. Refuses one that is of another cell, takes symbols where the net
 * does not, or has another body, naming the first parameter that differs; it then stays as it was. The path
 * is for messages. (body.c) */
int checkpoint_take_body(struct checkpoint *checkpoint, const char *path, const struct net *net,
    const unsigned char *head, struct error *error);

#endif

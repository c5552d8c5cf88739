/* One training run on one rank: everything it holds, and the parts of its life. Functions are collective
 * ("all") unless they say otherwise, and their outcome is the same on every rank. */
#ifndef RUN_RUN_H
#define RUN_RUN_H

#include "ckpt/rundir.h"
#include "comm/comm.h"
#include "comm/reduce.h"
#include "config/config.h"
#include "pass/feed.h"
#include "pass/options.h"
#include "pass/report.h"
#include "pass/tally.h"

#include <limits.h>

enum { HOST_WIDTH = 64 };

/* Who the ranks of an epoch wait for. */
struct pace {
    double *busy;           /* [ranks] seconds of computing, on rank 0 */
    double waited, seconds; /* of waits, summed over ranks; of steps */
};

/* The end of the run's time, and how long its parts took at the longest, in seconds. */
struct deadline {
    double at;         /* clock_now(); +infinity: none */
    double step, save; /* a step, 0 before the first; a checkpoint */
    double batch;      /* of a validation */
};

struct run {
    const struct train_options *options;
    const struct config *config;
    const struct comm *comm;
    const char *command; /* the command line as one text */
    char *hosts;         /* rank 0: [ranks][HOST_WIDTH] */
    char directory[PATH_MAX];
    double start; /* clock_now() at the start of the program */

    struct dataset *train, *valid; /* valid: NULL where there is none */
    double *mean, *deviation;      /* [features]; NULL: not standardized */
    float *shift, *scale;          /* the same as float, for microbatches */
    uint64_t fingerprint;          /* rank 0 */

    struct net *net;
    size_t P;
    float *weights; /* [reduce_room(P)] */
    float *noisy;   /* [reduce_room(P)] the weights that a step computes with; NULL without weight_noise */
    struct reduce *reduce;
    struct tree_sums sums;
    size_t slice_first, slice_count;
    float *slice; /* [slice_count] gradient; NULL on one rank, which takes the tree's own vector */
    float *moments[OPTIM_MOST_MOMENTS]; /* [slice_count] each */
    struct optim_config optim;
    struct optim_state state;
    struct progress progress;
    uint64_t weights_hash;

    struct feed feed;
    struct tally tally;       /* of a training step */
    struct net_score *scores; /* [sequences of the largest microbatch] of a microbatch */
    double waited;            /* seconds of this rank's waits for others since it last told of them */
    struct pace pace;         /* rank 0: of the epoch at hand */
    struct deadline deadline; /* rank 0 */
    double last_save;         /* rank 0: clock_now() */

    /* Rank 0. */
    struct lock *lock;
    struct metrics *metrics;
    struct report report;
};

/* What a step or an epoch came to. */
struct outcome {
    double loss, error; /* loss by what was counted, errors by labels (net/net.h); NaN where there is none */
    int64_t sequences, frames;
    double gradient_norm, learning_rate;
    double seconds, data_wait, comm_wait; /* waits are part of seconds */
    double update;                        /* seconds of the optimizer, packing and hashing */
};

/* Why a run ends early. */
enum stop_reason { STOP_NOT, STOP_SIGNAL, STOP_TIME };

/* Opens everything and starts the run or continues it from its newest checkpoint. On failure *error is set
 * and run_close is still due. *finished: the run was over already. (setup.c) */
int run_open(struct run *run, int *finished, struct error *error);
void run_close(struct run *run);

/* The network and the vectors of a run whose config, comm and train are set, for a bound model; run_unmake
 * frees them. (make.c) */
int run_make(struct run *run, const struct net_config *model, struct error *error);
void run_unmake(struct run *run);

/* One training step; one that diverges is left out where the configuration says so. A microbatch that cannot
 * be read or computed on one rank ends it on all. *stop and *save: asked for on any rank. EXIT_CODE_DIVERGED:
 * loss or gradient is not finite, nothing was updated, or weights are not after it; EXIT_CODE_REPLICAS:
 * weights differ between ranks. (step.c) */
int run_step(
    struct run *run, struct outcome *outcome, enum stop_reason *stop, int *save, struct error *error);

/* EXIT_CODE_DIVERGED where `what` of step `step` is not finite: that step must not be saved. Not collective.
 * (step.c) */
int run_check_finite(
    const struct run *run, int64_t step, const char *what, double value, struct error *error);

/* Loss and error over the validation set. EXIT_CODE_DIVERGED: the loss is not finite. *stop, STOP_NOT before:
 * why any rank has broken it off, without an outcome then. (validate.c) */
int run_validate(struct run *run, struct outcome *outcome, enum stop_reason *stop, struct error *error);

/* EXIT_CODE_DATA where a whole epoch over a set counted nothing. Not collective. (validate.c) */
int run_check_counted(const struct dataset *dataset, double counted, struct error *error);

/* Writes the newest state as a checkpoint, as best.h5, or both. `due`: it is one that the configuration asks
 * for at this step, and so one to go back to. (save.c) */
int run_save(struct run *run, int newest, int best, int due, struct error *error);

/* After a divergence (*why): weights, moments and progress of the last checkpoint that was due, a lower rate
 * from there on, and the feed and metrics.csv in their place. Fails with *why where it is not to be, and
 * where the run has gone back too often or there is no such checkpoint, which *why then says too. (back.c) */
enum { RUN_MOST_BACKS = 5, RUN_MOST_SKIPPED = 10 };
int run_go_back(struct run *run, struct error *why);

/* The feed from where `progress` is. Not collective. (setup.c) */
int run_start_feed(struct run *run, struct error *error);

/* The pace of an epoch. What a rank has to tell of a step, in its place of `busy` [ranks] before that is
 * summed; on rank 0 the sums; and the text about them, after which it begins anew. Not collective. (pace.c)
 */
void run_note_pace(struct run *run, const double *busy, double waited);
void run_tell_pace(struct run *run, char *text, size_t size);

/* Rank 0. When the run's time is over: by --max-time, else by the end of the SLURM job it is in; and whether
 * there is none left for another step, or another batch of validation. (deadline.c) */
void run_find_deadline(struct run *run);
int run_is_late(const struct run *run);

/* Rank 0's checkpoint (NULL elsewhere) into the run of every rank: weights, moments, progress. (save.c) */
int run_restore(struct run *run, const struct checkpoint *checkpoint, struct error *error);

/* Weights anew: packed, hashed. Not collective. (step.c) */
void run_take_weights(struct run *run);

/* All. Packs the weights with noise, a function of seed, step and weight, for the step at hand; the weights
 * themselves stay as they are, and run_take_weights packs them again. Returns the seconds spent with other
 * ranks. (noise.c) */
double run_add_noise(struct run *run);

/* The hash of this rank's weights into its place of `hashes`, and, once these are summed over ranks, whether
 * no weights have changed by themselves and all are equal: EXIT_CODE_REPLICAS names the rank. Not collective.
 * (replicas.c) */
size_t run_count_hashes(const struct comm *comm); /* doubles */
void run_put_hash(const struct run *run, double *hashes);
int run_check_hashes(const struct run *run, const double *hashes, struct error *error);

/* Both. All. (replicas.c) */
int run_agree_weights(const struct run *run, struct error *error);

/* Sums over ranks that ride along with the scores of a step. Not collective. (step.c) */
size_t run_count_rides(const struct comm *comm);

/* Renews the lock's heartbeat, on rank 0, which has it; ends all ranks where another job has taken the run
 * over, whose files must not be touched. (train.c) */
void run_keep_lock(struct run *run);

/* Has the run made its last epoch, or waited long enough for a better one? Not collective. (train.c) */
int run_is_over(const struct run *run);

/* The whole life of a run; returns the exit code. (train.c) */
int run_train(struct run *run);

#endif

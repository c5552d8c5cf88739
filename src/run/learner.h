/* The learner is what learns: a network, its weights, and what it takes to make one training step on given
 * microbatches together with the other ranks. It knows no file, console, signal or directory.
 *
 * A step has two parts, so that a rank can say in between, on the ballot, what it wants of the others:
 *
 *     learner_compute(learner, feed, progress, &outcome, &error);
 *     learner->ballot.signal = ...;
 *     failed = learner_update(learner, feed, progress, &outcome, &error);
 *
 * P: parameters of the network. */
#ifndef RUN_LEARNER_H
#define RUN_LEARNER_H

#include "ckpt/checkpoint.h"
#include "comm/node.h"
#include "comm/reduce.h"
#include "config/config.h"
#include "pass/feed.h"
#include "pass/tally.h"
#include "pass/teamwork.h"
#include "run/ballot.h"
#include "run/carried.h"

#include <signal.h>

enum { LEARNER_MOST_SKIPPED = 10 }; /* diverged steps in a row that train.on_divergence = skip allows */
enum { LEARNER_WARNING = 300 };     /* bytes */

struct learner {
    const struct config *config;
    const struct comm *comm;

    struct net *net;
    size_t P;
    double *factor; /* [tensors] what the rate of each is multiplied by; 0: it is frozen (pass/tuning.h) */
    struct node node;
    void *small_pages; /* of the node, what the net has packed; NULL once huge ones were asked for */
    char node_warning[LEARNER_WARNING]; /* why ranks of this host share nothing; empty where they do */
    float *weights;                     /* [reduce_room(P)] those of the node */
    float *noisy;        /* [reduce_room(P)] weights that a step computes with, of the node; NULL without
                            weight_noise */
    uint64_t share_hash; /* of this rank's share of the weights, as the last update made them (replicas.c) */
    uint64_t node_hash;  /* of all shares of the node */

    struct teamwork teamwork;
    struct reduce *reduce;
    struct tree_sums *sums;                       /* of this rank's gradients in the step at hand */
    struct reduce_slice slice[REDUCE_MOST_PARTS]; /* those that this rank updates */
    size_t slices;
    float *moments[OPTIM_MOST_MOMENTS]; /* of its slices, one after the other */
    struct optim_config optim;
    struct optim_state state;

    struct carried carried; /* with train.truncate */

    struct net_score *scores; /* [sequences of a step] */
    struct tally tally;       /* of a step; the ballot goes with it */
    struct ballot ballot;
    struct replica replica; /* what this rank told on the ballot at hand */
    double busy;            /* seconds that this rank computed in the epoch */
    /* Where it is not 0, as it then stays, this rank leaves the step or pass at hand undone. NULL: never. The
     * caller's, who sets it after learner_init. */
    const volatile sig_atomic_t *stop;
    double started; /* clock_now() at the beginning of the step at hand */
    double waited;  /* seconds of this rank's waits for others since it last told of them on a ballot */
};

/* What a step, or a pass over a validation set, came to. */
struct outcome {
    double loss, error; /* loss by what was counted, errors by labels (net/net.h); NaN where there is none */
    int64_t sequences, frames;
    double gradient_norm, learning_rate;
    double seconds, data_wait, comm_wait; /* waits are part of seconds */
    double update;                        /* seconds of the optimizer, packing and hashing */
    int left; /* 1: the step was left undone, as a rank was asked to stop, and all is as it was before it */
    struct error skipped; /* why the step diverged, where it was skipped for that; code 0: not */
};

/* What a learner takes of the memory that the ranks of a node share, over so many ranks in all: for steps of
 * at most `leaves` leaves and `batch` sequences. (learner.c) */
struct node_size learner_count_shared(
    const struct net *net, const struct config *config, size_t leaves, size_t batch, int ranks);

/* All ranks call. Makes a learner for a bound model (pass/model.h) and a training set of so many sequences;
 * no set that it is given steps of holds more than `most` sequences. Its weights are zero until learner_start
 * or learner_restore. `config` and `comm` are kept by reference. Ended by learner_finish, also after a
 * failure. (learner.c, as what follows) */
int learner_init(struct learner *learner, const struct config *config, const struct comm *comm,
    const struct net_config *model, int64_t sequences, int64_t most, struct error *error);
void learner_finish(struct learner *learner);

/* Gives back what steps are made with, once the last is made: network, moments and gradients. Weights and
 * their hash stay. */
void learner_give_back(struct learner *learner);

/* All ranks call. Begins with rank 0's `weights` [P], or with those that train.seed gives where they are NULL
 * there. Tensors that `fresh` [tensors] marks, the same on all ranks, begin as train.seed has them in any
 * case; NULL: none. */
int learner_start(
    struct learner *learner, const float *weights, const unsigned char *fresh, struct error *error);

/* All ranks call. Takes weights [P], moments [P] and the state of the optimizer as rank 0's checkpoint has
 * them, which is not looked at elsewhere. */
int learner_restore(struct learner *learner, const struct checkpoint *checkpoint, struct error *error);

/* Every rank of a node calls. Packs weights of the node for what computes with them, each rank a share. */
void learner_pack(struct learner *learner, const float *weights);

/* All ranks call. Packs and hashes the weights after they were changed. Returns 0, or -1 on all ranks where a
 * weight is not finite, which is packed all the same. */
int learner_take_weights(struct learner *learner);

/* Each rank calls this for itself. Returns the hash of this rank's share of its node's weights; shares of a
 * node add up (modulo 2^64) to the same hash however many ranks it has. *unfit is how many blocks hold a
 * weight that is not finite. (replicas.c) */
uint64_t learner_hash_share(const struct learner *learner, uint64_t *unfit);

/* Each rank calls this for itself. Returns the hash of the weights that lines and checkpoints tell. */
uint64_t learner_hash_weights(const struct learner *learner);

/* All ranks call. Collects the whole moments [reduce_room(P)] on rank 0, each ended by memory_destroy, also
 * after a failure; they are NULL elsewhere and beyond those that the optimizer has. */
int learner_collect_moments(struct learner *learner, float *moments[OPTIM_MOST_MOMENTS], struct error *error);

/* Each rank calls this for itself. Makes the next step of `feed` the one at hand, computes this rank's
 * microbatches of it, and begins a ballot that tells how that went: also where they were left undone, as
 * learner->stop asked for. A failure is this rank's alone; learner_update sees to it, with the same *error.
 * (step.c, as what follows) */
void learner_compute(struct learner *learner, struct feed *feed, const struct progress *progress,
    struct outcome *outcome, struct error *error);

/* All ranks call. Sums up scores, ballot and gradient, updates the weights, and counts the step; the ballot
 * is counted afterwards, also where this fails. A step that diverges (its loss or gradient is not finite, or
 * its loss explodes) updates nothing: it is skipped where the configuration says so and not too many before
 * it were, or else EXIT_CODE_DIVERGED. That is also the error where weights are infinite after an update, and
 * then they must not be saved. EXIT_CODE_REPLICAS: weights differ between ranks. A failure of learner_compute
 * on any rank becomes one of all. Where any rank left its part undone nothing is updated or counted, and
 * outcome->left is 1. */
int learner_update(struct learner *learner, const struct feed *feed, struct progress *progress,
    struct outcome *outcome, struct error *error);

/* Each rank calls this for itself. Adds the scores of this rank's microbatches of the feed's step at hand to
 * `tally`, without learning, and the seconds of waiting for them to the ballot, which also tells what
 * learner->stop cuts short. */
int learner_score(struct learner *learner, const struct feed *feed, struct tally *tally, struct error *error);

/* All ranks call. Checks that the weights after step `step` are fit to be saved, as ballot_check_replicas
 * does. */
int learner_agree_weights(struct learner *learner, int64_t step, struct error *error);

/* All ranks call. Makes the weights that train.seed gives, each rank a share of them, with signs of life: of
 * all tensors, or of those that `fresh` [tensors] marks, where it is not NULL. (starting.c) */
int learner_make_weights(struct learner *learner, const unsigned char *fresh, struct error *error);

/* What a slice of this rank has of some tensors beside each other that have one factor: weights from .. to -
 * 1 of the flat vector, which may be none. The function takes the next of them, all zeroes at first, and
 * returns 0 where no tensor of any slice is left. (update.c, as what follows) */
struct learner_stretch {
    size_t slice, tensor; /* the next one is of this slice, and begins with this tensor */
    size_t from, to;
    double factor;
    float *gradient; /* [to - from] once it is complete */
    size_t at;       /* of weight `from` in the moments */
};
int learner_take_stretch(const struct learner *learner, struct learner_stretch *stretch);

/* Each rank calls this for itself. Divides its slices of the sum of gradients by what was counted; of what is
 * frozen it is 0. */
void learner_divide_gradient(struct learner *learner, float count);

/* All ranks call. Counts the step for the optimizer, and updates this rank's slices of the weights, which the
 * others do not see yet, with the gradient times `factor`. */
void learner_update_slices(struct learner *learner, double rate, double factor);

/* All ranks call. Packs the weights with noise, a function of seed, step and weight, for step `step`; the
 * weights themselves stay as they are. Returns the seconds spent with other ranks. (noise.c) */
double learner_add_noise(struct learner *learner, int64_t step);

#endif

/* The plan of an epoch: which sequences each step takes, and how they are cut into microbatches. Pure
 * arithmetic on lengths: the plan for 64 ranks is made in one process without files or MPI.
 *
 * An epoch is a permutation of the sequences (random numbers keyed by seed and epoch), of all of them or
 * within windows, cut into steps of `batch`. Within a step the n sequences are sorted by length and cut into
 * ceil(n / microbatch) microbatches of equal cost (data/microbatches.h); these are dealt to the leaves of the
 * step's tree so that any contiguous range of leaves has about its share of the cost: dearest with cheapest,
 * recursively, full subtrees to the left. A rank takes a contiguous range of leaves, cut so that the dearest
 * share is as cheap as can be.
 *
 * Where sequences are worked off in pieces (data/pieces.c), a batch makes as many steps as its longest
 * sequence has pieces. Its microbatches are cut and ordered once, as those of the whole sequences; piece k
 * has frames k most .. of those that still run, in the microbatches that still have some. */
#ifndef DATA_PLAN_H
#define DATA_PLAN_H

#include "base/error.h"
#include "data/windows.h"
#include "net/microbatch.h"

#include <stddef.h>
#include <stdint.h>

/* Steps are cut in the same way wherever this number is the same: another way adds the same gradients in
 * another order, so that a run cannot change it in its midst. 1: so many sequences a microbatch, up to 0.2.0.
 * 2: microbatches of equal cost. */
enum { PLAN_VERSION = 2 };

struct plan {
    int64_t sequences;
    int64_t batch, microbatch; /* sequences per step over all ranks, per microbatch on average */
    uint64_t seed;
    const int32_t *length; /* [sequences], the caller's */
    int64_t steps;         /* of the epoch at hand */
    int64_t most;          /* frames of a piece; 0: sequences are whole */
    int64_t *first_step;   /* [batches + 1] of each batch of the epoch at hand, with pieces; else NULL */
    int64_t epoch;         /* the permutation at hand; 0: the order of the file */
    int64_t *order;        /* [sequences] */
    int keeps_order;       /* each epoch has the order of the file */
    int64_t windows;       /* that are permuted; 0: none, but all sequences */
    int64_t *window;       /* [windows + 1] the first sequence of each, and behind it */
    int64_t *turn;         /* [windows] scratch: the order of the windows */
    int64_t *next;      /* [sequences] of the epoch that is made ahead; NULL: none is (plan_reserve_next) */
    int64_t next_epoch; /* whose order is in `next`; 0: none */
};

/* How the sequences of an epoch are put in order; of zeroes: as a permutation of all of them. */
struct plan_order {
    int keeps_order;            /* of the file */
    int64_t most;               /* frames of a piece (struct plan) */
    struct window_rule windows; /* of bytes: those of a window; 0: none are made */
};

struct plan_step {
    size_t sequences;       /* of this step */
    struct excerpt excerpt; /* which frames of them */
    size_t going;           /* of the batch, where the step after it has more frames of some; else 0 */
    size_t leaves;          /* microbatches */
    size_t room;            /* sequences that `block` has room for */
    size_t *start;          /* [leaves + 1]: leaf l has sequence[start[l]] .. sequence[start[l + 1] - 1] */
    int64_t *sequence;      /* [sequences] in order of leaves; within a leaf longest first */
    int64_t *place;         /* [sequences] of each in its batch, in order of the epoch */
    int64_t *frames;        /* [leaves] */
    int64_t *cost;          /* [leaves] (data/microbatches.h) */
    struct cut *cuts;       /* scratch of plan_deal (data/cut.h) */
    void *block;            /* holds the arrays above, and scratch for making a step */
};

/* Returns how many batches an epoch has, each a step where sequences are whole: none is left out that has a
 * sequence. */
int64_t plan_count_batches(int64_t sequences, int64_t batch);

/* Returns how many microbatches a step of so many sequences is cut into. */
size_t plan_count_leaves(int64_t sequences, int64_t microbatch);

/* All lengths, batch and microbatch are at least 1, and there is at least one sequence. It starts at epoch 0.
 * The only error of this file is no memory. */
int plan_init(struct plan *plan, int64_t sequences, const int32_t *length, int64_t batch, int64_t microbatch,
    uint64_t seed, struct error *error);
void plan_finish(struct plan *plan);

/* Says how epochs from 1 on are ordered, before the first is taken. With windows these are permuted and
 * joined by twos, an odd one out comes last, and the sequences of each pair are permuted: each sequence still
 * comes once an epoch. */
int plan_set_order(struct plan *plan, const struct plan_order *order, struct error *error);
size_t plan_count_order_bytes(
    const struct plan_order *order, int64_t sequences, int64_t batch); /* of what a plan keeps */

/* Returns how many sequences the batch of this step of the epoch at hand has, where the step goes on with
 * what one before it began, and else 0. Step plan->steps begins with nothing. (pieces.c, as the next) */
int64_t plan_count_going(const struct plan *plan, int64_t step);

/* Returns how many steps all of `epochs` epochs have, of `parts` shares of them the one of this number, which
 * may take the orders of all these epochs to be made: epoch 0 is at hand afterwards. */
int64_t plan_count_all_steps(struct plan *plan, int64_t epochs, int64_t part, int64_t parts);

/* Takes the order of epoch `epoch` (from 1); 0: the order of the file, for validation and prediction. */
void plan_set_epoch(struct plan *plan, int64_t epoch);

/* Makes room for the order of another epoch than the one at hand, so that it can be made ahead. */
int plan_reserve_next(struct plan *plan, struct error *error);

/* What is called now and then while the order of an epoch is made: it may make steps of the epoch at hand,
 * and gives up what is being made by returning anything but 0. */
struct plan_pause {
    int (*look)(void *context);
    void *context;
};

/* Makes the order of an epoch ahead, for which there is room: plan_set_epoch then only has to take it.
 * Returns -1 where it was given up. */
int plan_prepare_epoch(struct plan *plan, int64_t epoch, const struct plan_pause *pause);

/* Makes the microbatches of step `step` (from 0) of the epoch at hand. `out` starts zeroed and keeps its room
 * between calls, so that only the first call of the largest step allocates. Two full subtrees of equal size
 * (comm/tree.h) differ by no more cost than the dearest and the cheapest microbatch of the step do. */
int plan_make_step(const struct plan *plan, int64_t step, struct plan_step *out, struct error *error);
void plan_step_finish(struct plan_step *step);
size_t plan_count_step_bytes(size_t sequences); /* of the room for a step of so many sequences */

/* Cuts a step: rank r has leaves ranges[r] .. ranges[r + 1] - 1, ranges [ranks + 1]. The dearest share is as
 * cheap as contiguous ranges allow; where that leaves a choice, cuts lie between large subtrees.
 * Where there are as many leaves as ranks, every rank has one at least; ranks beyond the leaves have none. */
void plan_cut(const struct plan_step *step, size_t ranks, size_t *ranges);

/* Deals a step to places 0 .. first_place[nodes] - 1 on nodes, of which node h has places first_place[h] ..
 * first_place[h + 1] - 1. ranges [places + 1] is as of plan_cut. Where there are as many leaves as places,
 * the dearest share costs at most a twentieth more than it has to, and within that the cuts between nodes lie
 * where they split the fewest nodes of the tree. Where there are fewer, nodes get leaves in proportion to
 * their places, and neighbouring places of a node form a team for each of its leaves: ranges then gives the
 * leaf to the first of them, which leads. leader [places] is the place that leads each place's team: the
 * place itself where it has leaves of its own or nothing to do. */
void plan_deal(
    const struct plan_step *step, size_t nodes, const int *first_place, size_t *ranges, int *leader);

/* Returns how many nodes of the step's tree have leaves on several of these nodes: each costs one vector on
 * the network. */
size_t plan_count_split(
    const struct plan_step *step, size_t nodes, const int *first_place, const size_t *ranges);

/* ---- within this folder (pieces.c) ---- */

/* Counts the steps of the order at hand. */
void plan_count_pieces(struct plan *plan);

/* Returns the batch of a step, and how many sequences it has. */
int64_t plan_find_batch(const struct plan *plan, int64_t step);
int64_t plan_count_in_batch(const struct plan *plan, int64_t batch);

/* Leaves of a batch, as plan_make_step has made it of whole sequences, what the step has of it. */
void plan_take_piece(const struct plan *plan, int64_t step, struct plan_step *out);

#endif

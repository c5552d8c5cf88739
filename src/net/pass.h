/* What there is one of in a pass over a microbatch, for everything that takes part in it. Private to this
 * folder. */
#ifndef NET_PASS_H
#define NET_PASS_H

#include "kernel/kernel.h"
#include "net/microbatch.h"
#include "net/parameters.h"
#include "net/types.h"

struct pass {
    const struct kernel *kernel;
    const struct microbatch *microbatch;
    struct net_pass options; /* what the caller asked for: training or not, key of the random masks, search */
    float *gradient; /* [P] the caller's, to which backward of every layer adds its share; NULL in forward */
    double *times;   /* see net/times.h */
    const struct parameters *parameters; /* the net's, of which some may be frozen; NULL: all are trained */
};

/* Is any of these tensors trained? Where none is, nobody asks for their gradients, and the gradient by what a
 * layer sees is asked for only where something below it is trained. */
static inline int pass_trains(const struct pass *pass, struct tensors tensors)
{
    return !pass->parameters || parameters_train(pass->parameters, tensors);
}

/* The same of all tensors that were declared before this one. */
static inline int pass_trains_before(const struct pass *pass, size_t tensor)
{
    return pass_trains(pass, (struct tensors){0, tensor});
}

/* Returns the high word of the counter of all random numbers that are drawn for sequence b of the microbatch:
 * epochs below 2^24, sequences below 2^40. */
static inline uint64_t pass_counter(const struct pass *pass, size_t b)
{
    return pass->options.epoch << 40 | (uint64_t)pass->microbatch->sequence[b];
}

/* Is the pass to end now, with whatever it has? Loops over steps ask, and the functions below. */
static inline int pass_is_unwanted(const struct pass *pass)
{
    const struct net_team *team = pass->options.team;
    return (pass->options.unwanted && *pass->options.unwanted) || (team && team->left);
}

/* Are dropout and noise on? */
static inline int pass_is_random(const struct pass *pass)
{
    return pass->options.training && !pass->options.still;
}

/* Lets who wants the gradient of upper layers ahead have a look, where pass_is_unwanted is asked. */
static inline void pass_look(const struct pass *pass)
{
    const struct net_ahead *ahead = pass->options.ahead;
    if (ahead)
        ahead->look(ahead->context);
}

static inline size_t pass_members(const struct pass *pass)
{
    return pass->options.team ? pass->options.team->members : 1;
}

static inline size_t pass_index(const struct pass *pass)
{
    return pass->options.team ? pass->options.team->index : 0;
}

/* Does this member do what is not divided? */
static inline int pass_leads(const struct pass *pass)
{
    return pass_index(pass) == 0;
}

/* What any member of the group wrote before, all of it may read after. */
static inline void pass_meet_group(const struct pass *pass, enum net_group group)
{
    struct net_team *team = pass->options.team;
    if (team && !team->left && team->meet(team->context, group))
        team->left = 1;
}

static inline void pass_meet(const struct pass *pass)
{
    pass_meet_group(pass, NET_TEAM);
}

/* The same pass for what the leader computes alone, which may run recurrent layers of its own. */
static inline struct pass pass_alone(const struct pass *pass)
{
    struct pass alone = *pass;
    alone.options.team = NULL;
    return alone;
}

/* Of n things that are dealt `together` at a time, [*first, *end) are this member's. */
static inline void pass_deal(const struct pass *pass, size_t n, size_t together, size_t *first, size_t *end)
{
    size_t pieces = (n + together - 1) / together, index = pass_index(pass), of = pass_members(pass);
    *first = index * pieces / of * together;
    *end = (index + 1) * pieces / of * together;
    *end = *end < n ? *end : n;
}

/* Rows [*first, *end) of n are this member's: the kernel takes eight at a time. */
static inline void pass_deal_rows(const struct pass *pass, size_t n, size_t *first, size_t *end)
{
    pass_deal(pass, n, 8, first, end);
}

/* kernel->product and kernel->outer for as many rows or frames as a microbatch has: in pieces, between which
 * the pass may end. A row's bits do not depend on how many go with it, and sums over frames go in their
 * order, so the pieces change nothing. */
void pass_product(const struct pass *pass, const struct panels *B, size_t M, struct rows A, struct rows start,
    struct rows C);
struct outer_sums {
    const struct outer_product *products;
    size_t n;    /* products, at most 2 */
    float *sums; /* see kernel->outer */
    float *scratch;
};
void pass_outer(const struct pass *pass, size_t N, size_t M, struct rows A, const struct outer_sums *sums);

/* The same pass over another microbatch: a decoder is a recurrent network of its own inside the outer one. */
static inline struct pass pass_over(const struct pass *pass, const struct microbatch *microbatch)
{
    struct pass over = *pass;
    over.microbatch = microbatch;
    return over;
}

#endif

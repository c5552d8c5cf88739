/* A batch has far fewer states than a network has weights, so that giving all of them to all nodes costs
 * little beside the gradient, and each step can be dealt to ranks by what it has to compute. */
#include "run/carried.h"

#include "base/memory.h"
#include "comm/comm.h"

#include <assert.h>
#include <math.h>
#include <string.h>

size_t carried_count_bytes(size_t sequences, size_t numbers)
{
    return 2 * (sequences * numbers * sizeof(float) + MEMORY_ALIGNMENT);
}

void carried_init(struct carried *carried, struct node *node, size_t sequences, size_t numbers)
{
    size_t bytes = sequences * numbers * sizeof *carried->now;
    *carried = (struct carried){.node = node, .numbers = numbers, .room = sequences};
    if (!sequences)
        return;
    carried->now = node_take(node, bytes);
    carried->next = node_take(node, bytes);
}

/* The share of this rank of the states of so many sequences. */
static float *find_share(const struct carried *carried, float *states, size_t going, size_t *n)
{
    size_t all = going * carried->numbers, rank = (size_t)carried->node->rank,
           ranks = (size_t)carried->node->ranks, first = all * rank / ranks;
    *n = all * (rank + 1) / ranks - first;
    return states + first;
}

void carried_begin(struct carried *carried, const struct plan_step *step)
{
    size_t n;
    if (!step->going)
        return;
    assert(step->going <= carried->room);
    float *share = find_share(carried, carried->next, step->going, &n);
    memset(share, 0, n * sizeof *share);
    node_meet(carried->node);
}

struct net_carry carried_of_leaf(
    const struct carried *carried, const struct plan_step *step, const int32_t *length, size_t leaf)
{
    size_t first = step->start[leaf], B = step->start[leaf + 1] - first;
    struct net_carry carry = {.before = step->excerpt.first ? carried->now : NULL,
        .after = carried->next,
        .place = step->place + first};
    while (carry.going < B && excerpt_goes_on(step->excerpt, length[step->sequence[first + carry.going]]))
        carry.going++;
    return carry;
}

static int is_finite(const float *numbers, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!isfinite(numbers[i]))
            return 0;
    return 1;
}

void carried_judge(const struct carried *carried, const struct net_carry *carry, struct net_score *scores)
{
    size_t n = carried->numbers;
    for (size_t b = 0; b < carry->going; b++)
        if (!is_finite(carry->after + (size_t)carry->place[b] * n, n))
            scores[b].loss = NAN;
}

/* A state is whole or none: half of one (the memory of an LSTM without its output, the real part of a complex
 * number) is what no sequence comes to. */
static void forget_broken(struct carried *carried, float *states, size_t going)
{
    const size_t rank = (size_t)carried->node->rank, ranks = (size_t)carried->node->ranks,
                 n = carried->numbers;
    for (size_t s = going * rank / ranks; s < going * (rank + 1) / ranks; s++)
        if (!is_finite(states + s * n, n))
            memset(states + s * n, 0, n * sizeof *states);
    node_meet(carried->node);
}

void carried_end(struct carried *carried, const struct plan_step *step, int skipped)
{
    float *left = carried->next;
    carried->going = step->going;
    if (!step->going)
        return;
    node_unite(carried->node, left, step->going * carried->numbers);
    if (skipped)
        forget_broken(carried, left, step->going);
    carried->next = carried->now;
    carried->now = left;
}

void carried_restore(struct carried *carried, const float *states, size_t going)
{
    const struct node *node = carried->node;
    comm_broadcast(node->comm, &going, sizeof going, 0);
    carried->going = going;
    if (!going)
        return;
    size_t bytes = going * carried->numbers * sizeof *states;
    node_meet(carried->node);
    if (node->comm->rank == 0)
        memcpy(carried->now, states, bytes);
    node_broadcast(carried->node, carried->now, bytes, 0);
}

/* Permuting all sequences is best for learning and worst for reading: the sequences of a step then lie all
 * over the file, and of a compressed one each costs the chunk in which it lies. Windows bound how much of the
 * file a stretch of an epoch is taken from. Two are joined, another two each epoch, so that what is mixed
 * does not end at the same borders each time. */
#include "data/plan.h"

#include "base/memory.h"
#include "base/random.h"

#include <assert.h>

int plan_set_order(struct plan *plan, const struct plan_order *order, struct error *error)
{
    assert(plan->epoch == 0 && plan->windows == 0);
    plan->keeps_order = order->keeps_order;
    if (!order->windows.bytes || order->keeps_order)
        return 0;
    int64_t windows = windows_cut(&order->windows, plan->sequences, NULL);
    plan->window = memory_create((size_t)windows + 1, sizeof *plan->window, error);
    plan->turn = memory_create((size_t)windows, sizeof *plan->turn, error);
    if (!plan->window || !plan->turn)
        return -1;
    plan->windows = windows_cut(&order->windows, plan->sequences, plan->window);
    return 0;
}

size_t plan_count_order_bytes(const struct plan_order *order, int64_t sequences)
{
    size_t item = sizeof(int64_t), bytes = (size_t)sequences * item;
    if (order->windows.bytes)
        bytes += (2 * (size_t)windows_cut(&order->windows, sequences, NULL) + 1) * item;
    return bytes;
}

/* Writes the sequences of two windows, or of one where both are the same, in an order of their own; returns
 * how many there are. */
static size_t order_pair(const struct plan *plan, uint64_t key, int64_t a, int64_t b, int64_t *order)
{
    int64_t first = plan->window[a], many = plan->window[a + 1] - first;
    int64_t second = plan->window[b], more = a == b ? 0 : plan->window[b + 1] - second;
    size_t n = (size_t)(many + more);
    random_permutation(plan->seed, RANDOM_WINDOWS, key, n, order);
    for (size_t i = 0; i < n; i++)
        order[i] += order[i] < many ? first : second - many;
    return n;
}

/* Numbers are keyed by epoch and pair; no two permutations of a run share them. */
static void order_windows(struct plan *plan, int64_t epoch)
{
    int64_t pairs = plan->windows / 2 + plan->windows % 2, *order = plan->order, *turn = plan->turn;
    uint64_t key = (uint64_t)epoch * (uint64_t)(pairs + 1);
    random_permutation(plan->seed, RANDOM_WINDOWS, key, (size_t)plan->windows, turn);
    for (int64_t w = 0; w < plan->windows; w += 2)
        order += order_pair(plan, ++key, turn[w], turn[w + 1 < plan->windows ? w + 1 : w], order);
}

void plan_set_epoch(struct plan *plan, int64_t epoch)
{
    assert(epoch >= 0);
    plan->epoch = epoch;
    if (epoch > 0 && plan->windows)
        order_windows(plan, epoch);
    else if (epoch > 0 && !plan->keeps_order)
        random_permutation(plan->seed, RANDOM_ORDER, (uint64_t)epoch, (size_t)plan->sequences, plan->order);
    else
        for (int64_t s = 0; s < plan->sequences; s++)
            plan->order[s] = s;
}

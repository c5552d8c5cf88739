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
    plan->most = order->most;
    if (plan->most) {
        size_t batches = (size_t)plan_count_batches(plan->sequences, plan->batch);
        plan->first_step = memory_create(batches + 1, sizeof *plan->first_step, error);
        if (!plan->first_step)
            return -1;
        plan_count_pieces(plan);
    }
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

size_t plan_count_order_bytes(const struct plan_order *order, int64_t sequences, int64_t batch)
{
    size_t item = sizeof(int64_t), bytes = (size_t)sequences * item;
    if (order->most)
        bytes += (size_t)(plan_count_batches(sequences, batch) + 1) * item;
    if (order->windows.bytes)
        bytes += (2 * (size_t)windows_cut(&order->windows, sequences, NULL) + 1) * item;
    return bytes;
}

int plan_reserve_next(struct plan *plan, struct error *error)
{
    plan->next = memory_create((size_t)plan->sequences, sizeof *plan->next, error);
    return plan->next ? 0 : -1;
}

/* An order being made, a piece at a time. */
struct ordering {
    const struct plan *plan;
    const struct plan_pause *pause; /* NULL: nothing is looked at between pieces */
};

enum { PIECE = 4096 }; /* sequences: a third of a millisecond */

/* A permutation of 0 .. n - 1. Returns -1 where it was given up. */
static int permute(
    const struct ordering *ordering, enum random_stream stream, uint64_t high, size_t n, int64_t *order)
{
    const struct random_key key = {ordering->plan->seed, stream, high};
    const struct plan_pause *pause = ordering->pause;
    for (size_t i = 0; i < n; i++)
        order[i] = (int64_t)i;
    for (size_t first = 0; first < n; first += PIECE) {
        random_permute_part(&key, n, first, first + PIECE, order);
        if (pause && pause->look(pause->context))
            return -1;
    }
    return 0;
}

/* Writes the sequences of two windows, or of one where both are the same, in an order of their own; returns
 * how many there are, or 0 where that was given up. */
static size_t order_pair(const struct ordering *ordering, uint64_t key, int64_t a, int64_t b, int64_t *order)
{
    const int64_t *window = ordering->plan->window;
    int64_t first = window[a], many = window[a + 1] - first;
    int64_t second = window[b], more = a == b ? 0 : window[b + 1] - second;
    size_t n = (size_t)(many + more);
    if (permute(ordering, RANDOM_WINDOWS, key, n, order))
        return 0;
    for (size_t i = 0; i < n; i++)
        order[i] += order[i] < many ? first : second - many;
    return n;
}

/* Numbers are keyed by epoch and pair; no two permutations of a run share them. */
static int order_windows(const struct ordering *ordering, int64_t epoch, int64_t *order)
{
    const struct plan *plan = ordering->plan;
    int64_t pairs = plan->windows / 2 + plan->windows % 2, *turn = plan->turn;
    uint64_t key = (uint64_t)epoch * (uint64_t)(pairs + 1);
    if (permute(ordering, RANDOM_WINDOWS, key, (size_t)plan->windows, turn))
        return -1;
    for (int64_t w = 0; w < plan->windows; w += 2) {
        size_t n = order_pair(ordering, ++key, turn[w], turn[w + 1 < plan->windows ? w + 1 : w], order);
        if (n == 0)
            return -1;
        order += n;
    }
    return 0;
}

/* Returns -1 where that was given up, and never without a pause. */
static int write_order(const struct plan *plan, int64_t epoch, const struct plan_pause *pause, int64_t *order)
{
    const struct ordering ordering = {plan, pause};
    if (epoch > 0 && plan->windows)
        return order_windows(&ordering, epoch, order);
    if (epoch > 0 && !plan->keeps_order)
        return permute(&ordering, RANDOM_ORDER, (uint64_t)epoch, (size_t)plan->sequences, order);
    for (int64_t s = 0; s < plan->sequences; s++)
        order[s] = s;
    return 0;
}

int plan_prepare_epoch(struct plan *plan, int64_t epoch, const struct plan_pause *pause)
{
    assert(plan->next && epoch > 0);
    if (plan->next_epoch == epoch)
        return 0;
    plan->next_epoch = 0;
    if (write_order(plan, epoch, pause, plan->next))
        return -1;
    plan->next_epoch = epoch;
    return 0;
}

void plan_set_epoch(struct plan *plan, int64_t epoch)
{
    assert(epoch >= 0);
    plan->epoch = epoch;
    if (epoch == 0 || plan->next_epoch != epoch) {
        write_order(plan, epoch, NULL, plan->order);
    } else {
        int64_t *order = plan->order;
        plan->order = plan->next;
        plan->next = order;
        plan->next_epoch = 0;
    }
    if (plan->first_step)
        plan_count_pieces(plan);
}

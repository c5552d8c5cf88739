/* Sorting a step by length before cutting it makes microbatches of nearly equal lengths, so that few rows die
 * early and products stay wide. What their costs still differ in, dealing them evens out.
 *
 * Dealing builds the tree of comm/tree.h from its leaves up. Subtrees of level j have 2^j leaves, and at most
 * one is partial: it has fewer leaves, and its place is the right end. Sorted by cost, the dearest full
 * subtree goes with the cheapest, the second dearest with the second cheapest, and so on; of an odd
 * number the median is left over and goes to the left of the partial one, or becomes it. The pairs are the
 * subtrees of level j + 1. If those of a level differ by D at most, so do those of the next: a pair's
 * sum differs from another's by the difference of two numbers between 0 and D. So two full subtrees of equal
 * size never differ by more than the dearest and the cheapest microbatch do. */
#include "data/plan.h"

#include "base/memory.h"
#include "data/cut.h"
#include "data/microbatches.h"

#include <assert.h>
#include <stdlib.h>

int64_t plan_count_batches(int64_t sequences, int64_t batch)
{
    return sequences / batch + (sequences % batch != 0);
}

size_t plan_count_leaves(int64_t sequences, int64_t microbatch)
{
    return (size_t)((sequences - 1) / microbatch + 1);
}

int plan_init(struct plan *plan, int64_t sequences, const int32_t *length, int64_t batch, int64_t microbatch,
    uint64_t seed, struct error *error)
{
    assert(sequences > 0 && batch > 0 && microbatch > 0);
    int64_t *order = memory_create((size_t)sequences, sizeof *order, error);
    if (!order)
        return -1;
    *plan = (struct plan){
        .sequences = sequences,
        .batch = batch,
        .microbatch = microbatch,
        .seed = seed,
        .length = length,
        .steps = plan_count_batches(sequences, batch),
        .order = order,
    };
    plan_set_epoch(plan, 0);
    return 0;
}

void plan_finish(struct plan *plan)
{
    memory_destroy(plan->order);
    memory_destroy(plan->next);
    memory_destroy(plan->window);
    memory_destroy(plan->turn);
    memory_destroy(plan->first_step);
    *plan = (struct plan){0};
}

/* ---- one step ---- */

/* A sequence of the step, for sorting. */
struct step_sequence {
    int64_t sequence, position; /* position in the permutation breaks ties */
    int32_t length;
};

/* A subtree while dealing: a chain of microbatches from `head` to `tail`, in order of leaves. */
struct subtree {
    int64_t cost;
    size_t head, tail;
};

/* Microbatches as they are cut, before they are dealt. */
struct deal {
    struct step_sequence *sequences; /* [sequences] */
    int64_t *length;                 /* [sequences] */
    size_t *start;                   /* [leaves + 1] first sequence of each microbatch */
    struct subtree *subtrees;        /* [leaves] */
    size_t *next;                    /* [leaves] the microbatch that follows in its chain */
};

static int step_sequence_compare(const void *left, const void *right)
{
    const struct step_sequence *a = left, *b = right;
    if (a->length != b->length)
        return a->length > b->length ? -1 : 1;
    return (a->position > b->position) - (a->position < b->position);
}

static int subtree_compare(const void *left, const void *right)
{
    const struct subtree *a = left, *b = right;
    if (a->cost != b->cost)
        return a->cost > b->cost ? -1 : 1;
    return (a->head > b->head) - (a->head < b->head);
}

static struct subtree subtree_join(struct subtree left, struct subtree right, size_t *next)
{
    next[left.tail] = right.head;
    return (struct subtree){left.cost + right.cost, left.head, right.tail};
}

/* Joins n full subtrees of one level (n > 1, or 1 with a partial one) into those of the next; returns how
 * many there are. */
static size_t deal_level(
    struct subtree *subtrees, size_t n, struct subtree *partial, int *has_partial, size_t *next)
{
    qsort(subtrees, n, sizeof *subtrees, subtree_compare);
    if (n % 2) {
        struct subtree median = subtrees[n / 2];
        *partial = *has_partial ? subtree_join(median, *partial, next) : median;
        *has_partial = 1;
    }
    for (size_t i = 0; i < n / 2; i++)
        subtrees[i] = subtree_join(subtrees[i], subtrees[n - 1 - i], next);
    return n / 2;
}

static int64_t count_frames(const struct deal *deal, size_t microbatch)
{
    int64_t frames = 0;
    for (size_t i = deal->start[microbatch]; i < deal->start[microbatch + 1]; i++)
        frames += deal->length[i];
    return frames;
}

static int64_t count_cost(const struct deal *deal, size_t microbatch)
{
    return microbatch_cost(count_frames(deal, microbatch), deal->length[deal->start[microbatch]]);
}

/* Returns the first microbatch in order of leaves; deal->next gives the others. */
static size_t deal_leaves(struct deal *deal, size_t leaves)
{
    for (size_t l = 0; l < leaves; l++)
        deal->subtrees[l] = (struct subtree){count_cost(deal, l), l, l};
    struct subtree partial = {0};
    int has_partial = 0;
    size_t n = leaves;
    while (n + (size_t)has_partial > 1)
        n = deal_level(deal->subtrees, n, &partial, &has_partial, deal->next);
    return has_partial ? partial.head : deal->subtrees[0].head;
}

static void step_take_arrays(struct arena *arena, size_t room, struct plan_step *step, struct deal *deal)
{
    step->start = arena_take(arena, room + 1, sizeof *step->start);
    step->sequence = arena_take(arena, room, sizeof *step->sequence);
    step->place = arena_take(arena, room, sizeof *step->place);
    step->frames = arena_take(arena, room, sizeof *step->frames);
    step->cost = arena_take(arena, room, sizeof *step->cost);
    step->cuts = arena_take(arena, cut_count_candidates(room), sizeof *step->cuts);
    deal->sequences = arena_take(arena, room, sizeof *deal->sequences);
    deal->subtrees = arena_take(arena, room, sizeof *deal->subtrees);
    deal->next = arena_take(arena, room, sizeof *deal->next);
    deal->length = arena_take(arena, room, sizeof *deal->length);
    deal->start = arena_take(arena, room + 1, sizeof *deal->start);
}

size_t plan_count_step_bytes(size_t sequences)
{
    struct arena arena = {0};
    struct plan_step step;
    struct deal deal;
    step_take_arrays(&arena, sequences, &step, &deal);
    return arena.peak;
}

/* Room for `sequences` sequences, each a leaf of its own at worst, and for dealing them. */
static int step_make_room(struct plan_step *step, size_t sequences, struct deal *deal, struct error *error)
{
    struct arena arena = {0};
    struct plan_step measured = {0};
    size_t room = sequences > step->room ? sequences : step->room;
    step_take_arrays(&arena, room, &measured, deal);
    if (room > step->room) {
        void *block = memory_create(arena.peak, 1, error);
        if (!block)
            return -1;
        memory_destroy(step->block);
        step->block = block;
        step->room = room;
    }
    arena = (struct arena){.base = step->block, .size = arena.peak};
    step_take_arrays(&arena, room, step, deal);
    return 0;
}

static void step_sort(const struct plan *plan, int64_t first, size_t n, struct deal *deal)
{
    for (size_t i = 0; i < n; i++) {
        int64_t position = first + (int64_t)i, sequence = plan->order[position];
        deal->sequences[i] = (struct step_sequence){sequence, position, plan->length[sequence]};
    }
    qsort(deal->sequences, n, sizeof *deal->sequences, step_sequence_compare);
    for (size_t i = 0; i < n; i++)
        deal->length[i] = deal->sequences[i].length;
}

int plan_make_step(const struct plan *plan, int64_t step, struct plan_step *out, struct error *error)
{
    assert(step >= 0 && step < plan->steps);
    int64_t batch = plan_find_batch(plan, step), first = batch * plan->batch;
    size_t n = (size_t)plan_count_in_batch(plan, batch);
    struct deal deal;
    if (step_make_room(out, n, &deal, error))
        return -1;
    out->sequences = n;
    out->leaves = plan_count_leaves((int64_t)n, plan->microbatch);
    step_sort(plan, first, n, &deal);
    microbatches_cut(deal.length, n, out->leaves, deal.start);

    size_t g = deal_leaves(&deal, out->leaves), used = 0;
    for (size_t l = 0; l < out->leaves; l++, g = deal.next[g]) {
        out->start[l] = used;
        out->frames[l] = count_frames(&deal, g);
        out->cost[l] = count_cost(&deal, g);
        for (size_t i = deal.start[g]; i < deal.start[g + 1]; i++) {
            out->sequence[used] = deal.sequences[i].sequence;
            out->place[used++] = deal.sequences[i].position - first;
        }
    }
    out->start[out->leaves] = used;
    plan_take_piece(plan, step, out);
    return 0;
}

void plan_step_finish(struct plan_step *step)
{
    memory_destroy(step->block);
    *step = (struct plan_step){0};
}

/* ---- ranges of ranks ---- */

void plan_cut(const struct plan_step *step, size_t ranks, size_t *ranges)
{
    cut_evenly(step->cost, step->leaves, ranks, ranges);
}

size_t plan_count_split(
    const struct plan_step *step, size_t nodes, const int *first_place, const size_t *ranges)
{
    return cut_count_split(step->leaves, nodes, first_place, ranges);
}

/* ---- teams ---- */

/* Gives each of n leaves, fewer than there are places, to the node that then has the most places for each of
 * its leaves, the first of several. The leaves of node h are counted in count[first_place[h]]. */
static void count_leaves_of_nodes(size_t n, size_t nodes, const int *first_place, int *count)
{
    for (size_t h = 0; h < nodes; h++)
        count[first_place[h]] = 0;
    for (size_t leaf = 0; leaf < n; leaf++) {
        size_t best = 0;
        int64_t best_places = 0, best_leaves = 1;
        for (size_t h = 0; h < nodes; h++) {
            int64_t places = first_place[h + 1] - first_place[h], leaves = count[first_place[h]] + 1;
            if (places * best_leaves > best_places * leaves) {
                best = h;
                best_places = places;
                best_leaves = leaves;
            }
        }
        count[first_place[best]]++;
    }
}

/* Deals `leaves` leaves from `leaf` on to teams of a node of `count` places from `first` on: team j has
 * places j count / leaves .. (j + 1) count / leaves - 1. */
static void deal_teams(size_t first, size_t count, size_t leaf, size_t leaves, size_t *ranges, int *leader)
{
    size_t place = 0;
    for (size_t j = 0; j < leaves; j++)
        for (size_t from = place; place < (j + 1) * count / leaves; place++) {
            leader[first + place] = (int)(first + from);
            ranges[first + place + 1] = leaf + j + 1;
        }
    for (; place < count; place++) { /* there are no leaves */
        leader[first + place] = (int)(first + place);
        ranges[first + place + 1] = leaf;
    }
}

void plan_deal(
    const struct plan_step *step, size_t nodes, const int *first_place, size_t *ranges, int *leader)
{
    size_t places = (size_t)first_place[nodes], leaf = 0;
    if (step->leaves >= places) {
        cut_for_nodes(step->cost, step->leaves, nodes, first_place, step->cuts, ranges);
        for (size_t place = 0; place < places; place++)
            leader[place] = (int)place;
        return;
    }
    count_leaves_of_nodes(step->leaves, nodes, first_place, leader);
    ranges[0] = 0;
    for (size_t h = 0; h < nodes; h++) {
        size_t first = (size_t)first_place[h], leaves = (size_t)leader[first];
        deal_teams(first, (size_t)first_place[h + 1] - first, leaf, leaves, ranges, leader);
        leaf += leaves;
    }
}

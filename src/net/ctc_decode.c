/* The best path, and a prefix beam search, which keeps for each prefix the probability of all paths so far
 * that reduce to it, those that end with a blank apart from those that end with its last label; a frame turns
 * them into (Hannun et al. 2014, algorithm 1)
 *
 *     blank(x)     = p(blank) (blank + label)(x)
 *     label(x)     = p(last of x) label(x) + what grows into it
 *     label(x + c) = p(c) (blank + label)(x),  where c is the last of x: p(c) blank(x)
 *
 * Prefixes are nodes of a tree that only grows: one that leaves the beam and comes back is the same node, so
 * that no two in the beam ever stand for the same labels. The best of a frame's candidates are held in a heap
 * with the worst of them on top. */
#include "net/ctc.h"

#include "base/memory.h"
#include "net/wide.h"

#include <assert.h>

struct prefix_node {
    int32_t parent, label;  /* of the root: -1 */
    int32_t child, sibling; /* first one, next one; -1: none */
    int32_t place;          /* in the beam, or -1 */
};

/* A prefix that may be in the beam after the frame. */
struct prefix {
    struct wide blank, label, total; /* total = blank + label */
    size_t order;                    /* among equals the smaller is better */
    int32_t node;                    /* the prefix, or the one that it grows from ... */
    int32_t more;                    /* ... by this class; -1: it does not grow */
};

struct search {
    size_t C, most;                 /* most: prefixes kept */
    size_t nodes, kept, candidates; /* now */
    struct prefix_node *node;       /* [T most + 1] */
    struct wide *p;                 /* [C + 1] of the frame */
    int32_t *grown;                 /* [C] 1: the extension by this class is in the beam */
    struct prefix *beam, *heap;     /* [most] */
};

size_t ctc_decode_best_path(size_t C, const struct ctc_frames *frames, int32_t *labels)
{
    size_t n = 0, before = C;
    for (size_t t = 0; t < frames->T; t++) {
        const float *p = ctc_row(frames, t);
        size_t best = 0;
        for (size_t c = 1; c <= C; c++)
            best = p[c] > p[best] ? c : best;
        if (best != before && best != C)
            labels[n++] = (int32_t)best;
        before = best;
    }
    return n;
}

static void take_workspace(struct search *search, struct arena *arena, size_t C, size_t T, size_t beam)
{
    search->C = C;
    search->most = beam;
    search->node = arena_take(arena, T * beam + 1, sizeof *search->node);
    search->p = arena_take(arena, C + 1, sizeof *search->p);
    search->grown = arena_take(arena, C, sizeof *search->grown);
    search->beam = arena_take(arena, beam, sizeof *search->beam);
    search->heap = arena_take(arena, beam, sizeof *search->heap);
}

size_t ctc_decode_beam_bytes(size_t C, size_t T, size_t beam)
{
    struct search search;
    struct arena arena = {0};
    take_workspace(&search, &arena, C, T, beam);
    return arena.peak;
}

static int worse(const struct prefix *a, const struct prefix *b)
{
    if (wide_less(a->total, b->total) || wide_less(b->total, a->total))
        return wide_less(a->total, b->total);
    return a->order > b->order;
}

static void sink(struct prefix *heap, size_t n, size_t at)
{
    for (size_t child; (child = 2 * at + 1) < n; at = child) {
        if (child + 1 < n && worse(&heap[child + 1], &heap[child]))
            child++;
        if (!worse(&heap[child], &heap[at]))
            return;
        struct prefix swap = heap[at];
        heap[at] = heap[child];
        heap[child] = swap;
    }
}

static void offer(struct search *search, struct prefix candidate)
{
    struct prefix *heap = search->heap;
    candidate.total = wide_add(candidate.blank, candidate.label);
    if (candidate.total.mantissa == 0)
        return;
    if (search->candidates == search->most) {
        if (worse(&heap[0], &candidate)) {
            heap[0] = candidate;
            sink(heap, search->most, 0);
        }
        return;
    }
    size_t at = search->candidates++;
    for (; at > 0 && worse(&candidate, &heap[(at - 1) / 2]); at = (at - 1) / 2)
        heap[at] = heap[(at - 1) / 2];
    heap[at] = candidate;
}

static void read_frame(struct search *search, const float *p)
{
    for (size_t c = 0; c <= search->C; c++) {
        int exponent = -149;
        double mantissa = p[c] > 0 ? 2 * frexp((double)p[c], &exponent) : 1;
        search->p[c] = (struct wide){mantissa, exponent - 1};
    }
}

/* The probability that the frame gives the prefix grown by this class: where the class repeats, only paths
 * that end with a blank lead to it. */
static struct wide grow(const struct search *search, const struct prefix *from, int32_t class)
{
    int repeats = search->node[from->node].label == class;
    return wide_multiply(repeats ? from->blank : from->total, search->p[class]);
}

/* Offers the prefixes of the beam, as they are after the frame. */
static void offer_prefixes(struct search *search)
{
    for (size_t i = 0; i < search->kept; i++) {
        const struct prefix *old = &search->beam[i];
        const struct prefix_node *node = &search->node[old->node];
        struct prefix new = {.blank = wide_multiply(old->total, search->p[search->C]),
            .label = WIDE_ZERO,
            .order = i * (search->C + 1),
            .node = old->node,
            .more = -1};
        if (node->parent >= 0) {
            new.label = wide_multiply(old->label, search->p[node->label]);
            int32_t place = search->node[node->parent].place;
            if (place >= 0)
                new.label = wide_add(new.label, grow(search, &search->beam[place], node->label));
        }
        offer(search, new);
    }
}

/* Offers their extensions that are not in the beam. An extension is never likelier than what it grows from,
 * and those fall, so the first that cannot enter ends it. */
static void offer_extensions(struct search *search)
{
    for (size_t i = 0; i < search->kept; i++) {
        const struct prefix *old = &search->beam[i];
        if (search->candidates == search->most && wide_less(old->total, search->heap[0].total))
            return;
        for (size_t c = 0; c < search->C; c++)
            search->grown[c] = 0;
        for (int32_t n = search->node[old->node].child; n >= 0; n = search->node[n].sibling)
            search->grown[search->node[n].label] = search->node[n].place >= 0;
        for (size_t c = 0; c < search->C; c++)
            if (!search->grown[c])
                offer(search,
                    (struct prefix){.blank = WIDE_ZERO,
                        .label = grow(search, old, (int32_t)c),
                        .order = i * (search->C + 1) + 1 + c,
                        .node = old->node,
                        .more = (int32_t)c});
    }
}

static int32_t find_child(struct search *search, int32_t parent, int32_t label)
{
    for (int32_t n = search->node[parent].child; n >= 0; n = search->node[n].sibling)
        if (search->node[n].label == label)
            return n;
    int32_t n = (int32_t)search->nodes++;
    search->node[n] = (struct prefix_node){
        .parent = parent, .label = label, .child = -1, .sibling = search->node[parent].child, .place = -1};
    search->node[parent].child = n;
    return n;
}

/* The heap's candidates become the beam, best first. */
static void choose_beam(struct search *search)
{
    for (size_t i = 0; i < search->kept; i++)
        search->node[search->beam[i].node].place = -1;
    search->kept = search->candidates;
    for (size_t i = search->kept; i-- > 0;) {
        struct prefix *chosen = &search->beam[i];
        *chosen = search->heap[0];
        search->heap[0] = search->heap[i];
        sink(search->heap, i, 0);
        if (chosen->more >= 0)
            chosen->node = find_child(search, chosen->node, chosen->more);
        search->node[chosen->node].place = (int32_t)i;
    }
    search->candidates = 0;
}

size_t ctc_decode_beam(size_t C, const struct ctc_frames *frames, size_t beam, int32_t *labels, void *scratch)
{
    assert(beam > 0 && beam < INT32_MAX / (frames->T + 1));
    struct search search = {0};
    struct arena arena = {.base = scratch, .size = ctc_decode_beam_bytes(C, frames->T, beam)};
    take_workspace(&search, &arena, C, frames->T, beam);
    search.node[0] = (struct prefix_node){.parent = -1, .label = -1, .child = -1, .sibling = -1};
    search.nodes = search.kept = 1;
    search.beam[0] = (struct prefix){.blank = WIDE_ONE, .label = WIDE_ZERO, .total = WIDE_ONE, .more = -1};
    for (size_t t = 0; t < frames->T; t++) {
        read_frame(&search, ctc_row(frames, t));
        offer_prefixes(&search);
        offer_extensions(&search);
        choose_beam(&search);
    }
    size_t n = 0;
    for (int32_t node = search.beam[0].node; node > 0; node = search.node[node].parent)
        n++;
    size_t at = n;
    for (int32_t node = search.beam[0].node; node > 0; node = search.node[node].parent)
        labels[--at] = search.node[node].label;
    return n;
}

/* A cut for ranks is the classic one of contiguous ranges (data/ranges.h), and within the freedom that the
 * dearest share leaves cuts are moved to where few subtrees are split.
 *
 * Between nodes that freedom is widened, since each node of the tree that is split there travels. Every cut
 * between nodes has its candidates: the leaves at which the ranks on both sides still suffice, with shares of
 * at most a twentieth more than the dearest has to cost. Of all ways to choose a candidate for each cut the
 * one that splits the fewest nodes is found cut by cut: what a cut splits that those before it have not split
 * depends on the one just before it alone, as a node that two cuts split is split by all between them. */
#include "data/cut.h"

#include "data/ranges.h"

#include <assert.h>

/* Candidates of a cut, at most; with more leaves than that to choose from the roundest are. */
enum { MOST_CANDIDATES = 64, SPARE_CANDIDATES = 1024, SLACK = 20 };

/* ---- ranges of ranks ---- */

/* How many trailing zeros `leaf` has: the level of the subtrees that meet at a cut before leaf `leaf` > 0. */
static int find_level(size_t leaf)
{
    int level = 0;
    for (; leaf % 2 == 0; leaf /= 2)
        level++;
    return level;
}

/* ranges [ranks + 1] is as of plan_cut. */
static void cut_stretch(const struct stretch *stretch, size_t ranks, size_t *ranges)
{
    size_t leaves = stretch->end - stretch->first, busy = ranks < leaves ? ranks : leaves;
    int64_t most = ranges_find_share(stretch, busy);
    ranges_find_earliest(stretch, busy, most, ranges); /* ranges[r] holds earliest[r] until rank r's turn */
    ranges[0] = stretch->first;
    for (size_t r = 1; r < busy; r++) {
        size_t latest = ranges_fill(stretch, ranges[r - 1], busy - r, most);
        size_t low = ranges[r] > ranges[r - 1] ? ranges[r] : ranges[r - 1] + 1, best = latest;
        for (size_t end = latest; end >= low; end--)
            if (find_level(end) > find_level(best))
                best = end;
        ranges[r] = best;
    }
    for (size_t r = busy; r <= ranks; r++)
        ranges[r] = stretch->end;
}

void cut_evenly(const int64_t *cost, size_t leaves, size_t ranks, size_t *ranges)
{
    assert(ranks > 0 && leaves > 0);
    cut_stretch(&(struct stretch){.cost = cost, .end = leaves}, ranks, ranges);
}

/* ---- nodes of the tree that are split ---- */

/* How many nodes of a tree over n leaves a cut splits that the cut before it (0: there is none) does not. */
static size_t count_split(size_t n, size_t before, size_t cut)
{
    size_t count = 0, last_first = cut, last_end = cut;
    for (size_t size = 2; last_first > 0 || last_end < n; size *= 2) {
        size_t first = cut - cut % size, end = size < n - first ? first + size : n;
        if (first == cut)
            continue; /* it lies between two of these */
        if (first < before)
            break;                                       /* as do all that are larger */
        count += first != last_first || end != last_end; /* else its right sibling is empty */
        last_first = first;
        last_end = end;
    }
    return count;
}

size_t cut_count_split(size_t leaves, size_t nodes, const int *first_place, const size_t *ranges)
{
    size_t count = 0, before = 0;
    for (size_t h = 1; h < nodes; h++) {
        size_t cut = ranges[first_place[h]];
        if (cut == before || cut == leaves)
            continue;
        count += count_split(leaves, before, cut);
        before = cut;
    }
    return count;
}

/* ---- cuts between nodes ---- */

/* How nodes are to be cut apart: candidates of cut h are cuts[h * room] and those behind it. */
struct cut_search {
    struct stretch all;
    const int *first_place;
    size_t nodes, room;
    int64_t most; /* cost of a rank's share, at most */
    struct cut *cuts;
    size_t leaf; /* where sum_before is */
    int64_t sum;
};

size_t cut_count_candidates(size_t leaves)
{
    return leaves / 4 + SPARE_CANDIDATES;
}

static size_t count_places(const struct cut_search *search, size_t node)
{
    return (size_t)(search->first_place[node + 1] - search->first_place[node]);
}

/* How a cut at `leaf` is best come to from those before it. */
static void find_way(const struct cut_search *search, size_t h, size_t before_count, struct cut *cut)
{
    const struct cut *before = search->cuts + (h - 1) * search->room;
    size_t places = count_places(search, h - 1);
    cut->split = CUT_IMPOSSIBLE;
    for (size_t i = 0; i < before_count; i++) {
        if (before[i].split == CUT_IMPOSSIBLE || cut->leaf < before[i].leaf + places ||
            cut->leaf > before[i].farthest)
            continue;
        size_t split = before[i].split;
        if (cut->leaf < search->all.end)
            split += count_split(search->all.end, before[i].leaf, cut->leaf);
        int64_t share = (cut->before - before[i].before) / (int64_t)places;
        int64_t dearest = share > before[i].dearest ? share : before[i].dearest;
        if (split > cut->split || (split == cut->split && dearest >= cut->dearest))
            continue;
        cut->split = split;
        cut->dearest = dearest;
        cut->from = i;
    }
}

/* Lists candidates of cut h in [low, high], `known` among them, with room for all; returns how many. */
static size_t list_candidates(
    const struct cut_search *search, size_t h, size_t low, size_t high, size_t known)
{
    struct cut *cuts = search->cuts + h * search->room;
    size_t stride = 1, count = 0, leaf = 0;
    while ((high - low) / stride + 2 > search->room)
        stride *= 2;
    cuts[count++].leaf = known;
    for (leaf = (low + stride - 1) / stride * stride; leaf <= high && count < search->room; leaf += stride)
        if (leaf != known)
            cuts[count++].leaf = leaf;
    return count;
}

/* Returns the cost of the leaves before `leaf`, which lies near the one that was asked for last. */
static int64_t sum_before(struct cut_search *search, size_t leaf)
{
    for (; search->leaf < leaf; search->leaf++)
        search->sum += search->all.cost[search->leaf];
    for (; search->leaf > leaf; search->leaf--)
        search->sum -= search->all.cost[search->leaf - 1];
    return search->sum;
}

/* Takes in what there is to know of the candidates of cut h; returns how many they are. */
static size_t look_at_cut(struct cut_search *search, size_t h, size_t low, size_t high, size_t before_count)
{
    struct cut *cuts = search->cuts + h * search->room;
    size_t count = list_candidates(search, h, low, high, cuts->leaf);
    for (size_t i = 0; i < count; i++) {
        cuts[i].before = sum_before(search, cuts[i].leaf);
        find_way(search, h, before_count, &cuts[i]);
        cuts[i].farthest = h == search->nodes
            ? cuts[i].leaf
            : ranges_fill_many(&search->all, cuts[i].leaf, count_places(search, h), search->most);
    }
    return count;
}

/* Each cut's first candidate is that of plan_cut. earliest [places]: as of ranges_find_earliest. Puts the
 * best candidate of each cut first. */
static void find_cuts(struct cut_search *search, const size_t *earliest)
{
    size_t count = 1, latest = 0, nodes = search->nodes, places = (size_t)search->first_place[nodes];
    search->cuts[0] =
        (struct cut){.farthest = ranges_fill_many(&search->all, 0, count_places(search, 0), search->most)};
    for (size_t h = 1; h <= nodes; h++) {
        for (size_t place = (size_t)search->first_place[h - 1]; place < (size_t)search->first_place[h];
             place++)
            latest = ranges_fill(&search->all, latest, places - place - 1, search->most);
        size_t low = h < nodes ? earliest[search->first_place[h]] : search->all.end;
        count = look_at_cut(search, h, low, latest, count);
    }
    for (size_t h = nodes, best = 0; h > 0; h--) {
        struct cut *cuts = search->cuts + h * search->room;
        cuts[0] = cuts[best];
        best = cuts[0].from;
    }
}

static int64_t find_dearest(const int64_t *cost, size_t places, const size_t *ranges)
{
    int64_t dearest = 0;
    for (size_t place = 0; place < places; place++) {
        int64_t sum = 0;
        for (size_t l = ranges[place]; l < ranges[place + 1]; l++)
            sum += cost[l];
        dearest = sum > dearest ? sum : dearest;
    }
    return dearest;
}

void cut_for_nodes(const int64_t *cost, size_t leaves, size_t nodes, const int *first_place, struct cut *cuts,
    size_t *ranges)
{
    size_t places = (size_t)first_place[nodes], room = cut_count_candidates(leaves) / (nodes + 1);
    struct cut_search search = {.all = {.cost = cost, .end = leaves},
        .first_place = first_place,
        .nodes = nodes,
        .room = room < MOST_CANDIDATES ? room : MOST_CANDIDATES,
        .cuts = cuts};
    assert(leaves >= places);
    cut_evenly(cost, leaves, places, ranges);
    if (nodes == 1 || room < 2)
        return;
    int64_t dearest = find_dearest(cost, places, ranges);
    search.most = dearest + dearest / SLACK;
    for (size_t h = 0; h <= nodes; h++)
        search.cuts[h * search.room].leaf = ranges[first_place[h]];
    ranges_find_earliest(&search.all, places, search.most, ranges);
    find_cuts(&search, ranges);
    for (size_t h = 0; h < nodes; h++) {
        struct stretch own = {.cost = cost,
            .first = search.cuts[h * search.room].leaf,
            .end = search.cuts[(h + 1) * search.room].leaf};
        cut_stretch(&own, count_places(&search, h), ranges + first_place[h]);
    }
}

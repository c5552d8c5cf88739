/* Nodes are kept on a stack, left to right. A node that arrives is pushed; as long as the two on top are
 * siblings they are replaced by their parent: carrying in a binary counter. A stack that starts at leaf f
 * never holds more than two nodes of a level (one on the way up to the largest aligned node, one on the way
 * down from it), and one that starts at leaf 0 never more than one.
 *
 * At the right edge a node whose right sibling is empty is its own parent; since a node is named by its
 * leaves, nothing needs to be done for it. The same routine (struct tree_fold) adds leaves within a rank
 * and nodes across ranks, so the two cannot disagree about the order. */
#include "comm/tree.h"

#include "base/memory.h"

#include <assert.h>
#include <string.h>

/* Where a node of `size` leaves that starts at `first` ends. */
static size_t node_end(size_t n, size_t first, size_t size)
{
    return size < n - first ? first + size : n;
}

/* A left sibling never touches the right edge, so its size is the power of two of its level. */
static int are_siblings(size_t n, struct tree_node left, struct tree_node right)
{
    size_t size = left.end - left.first;
    return left.first % (2 * size) == 0 && right.end == node_end(n, right.first, size);
}

static void add_vector(float *restrict sum, const float *restrict addend, size_t length)
{
    for (size_t i = 0; i < length; i++)
        sum[i] += addend[i];
}

size_t tree_list_nodes(size_t n, size_t first, size_t end, struct tree_node nodes[TREE_MOST_NODES])
{
    assert(end <= n);
    size_t count = 0;
    while (first < end) {
        size_t size = 1;
        while (
            node_end(n, first, size) < end && first % (2 * size) == 0 && node_end(n, first, 2 * size) <= end)
            size *= 2;
        nodes[count++] = (struct tree_node){first, node_end(n, first, size)};
        first = nodes[count - 1].end;
    }
    return count;
}

size_t tree_count_vectors(size_t n, size_t first, size_t end)
{
    struct tree_node held[TREE_MOST_NODES];
    size_t count = 0, most = 0;
    for (size_t leaf = first; leaf < end; leaf++) {
        held[count++] = (struct tree_node){leaf, leaf + 1};
        most = count > most ? count : most;
        for (; count > 1 && are_siblings(n, held[count - 2], held[count - 1]); count--)
            held[count - 2].end = held[count - 1].end;
    }
    return most;
}

void tree_fold_start(struct tree_fold *fold, size_t n, size_t length)
{
    fold->n = n;
    fold->length = length;
    fold->held = 0;
}

void tree_fold_add(struct tree_fold *fold, struct tree_node node, float *vector)
{
    struct tree_node *nodes = fold->nodes;
    assert(fold->held < TREE_MOST_NODES);
    assert(fold->held == 0 || nodes[fold->held - 1].end == node.first);
    nodes[fold->held] = node;
    fold->vectors[fold->held++] = vector;
    for (; fold->held > 1; fold->held--) {
        size_t top = fold->held - 1;
        if (!are_siblings(fold->n, nodes[top - 1], nodes[top]))
            return;
        add_vector(fold->vectors[top - 1], fold->vectors[top], fold->length);
        nodes[top - 1].end = nodes[top].end;
    }
}

void tree_sums_init(struct tree_sums *sums, size_t length)
{
    *sums = (struct tree_sums){.length = length, .to = length};
}

void tree_sums_finish(struct tree_sums *sums)
{
    for (size_t i = 0; i < sums->room; i++)
        memory_destroy(sums->vectors[i]);
    memory_destroy(sums->vectors);
    *sums = (struct tree_sums){0};
}

void tree_sums_start(struct tree_sums *sums, size_t n, size_t first, size_t end)
{
    assert(first <= end && end <= n);
    sums->first = first;
    sums->end = end;
    sums->next = first;
    sums->ahead = 0;
    tree_fold_start(&sums->fold, n, sums->to - sums->from);
}

void tree_sums_lend(struct tree_sums *sums, float *vectors, size_t count)
{
    sums->lent = vectors;
    sums->lent_room = count;
}

void tree_sums_divide(struct tree_sums *sums, size_t from, size_t to)
{
    assert(from <= to && to <= sums->length);
    sums->from = from;
    sums->to = to;
}

static float *get_vector(const struct tree_sums *sums, size_t i)
{
    return i < sums->lent_room ? sums->lent + i * sums->length : sums->vectors[i - sums->lent_room];
}

/* Makes room for one vector more than were allocated. */
static int allocate_vector(struct tree_sums *sums, struct error *error)
{
    if (!sums->vectors)
        sums->vectors = memory_create(TREE_MOST_NODES, sizeof *sums->vectors, error);
    float *vector = sums->vectors ? memory_create(sums->length, sizeof *vector, error) : NULL;
    if (!vector)
        return -1;
    sums->vectors[sums->room++] = vector;
    return 0;
}

float *tree_sums_leaf(struct tree_sums *sums, struct error *error)
{
    size_t held = sums->fold.held;
    assert(sums->next < sums->end && held < TREE_MOST_NODES && !sums->ahead);
    if (held == sums->lent_room + sums->room && allocate_vector(sums, error))
        return NULL;
    float *vector = get_vector(sums, held);
    memset(vector + sums->from, 0, (sums->to - sums->from) * sizeof *vector);
    return vector;
}

void tree_sums_add(struct tree_sums *sums)
{
    struct tree_node leaf = {sums->next, sums->next + 1};
    assert(sums->next < sums->end && sums->fold.held < sums->lent_room + sums->room);
    sums->next++;
    sums->fold.length -= sums->ahead;
    tree_fold_add(&sums->fold, leaf, get_vector(sums, sums->fold.held) + sums->from);
    sums->fold.length += sums->ahead;
    sums->ahead = 0;
}

void tree_sums_add_ahead(struct tree_sums *sums, size_t from)
{
    struct tree_fold fold = sums->fold; /* of these elements alone */
    assert(sums->next < sums->end && from >= sums->from && from <= sums->to && !sums->ahead);
    sums->ahead = fold.length = sums->to - from;
    for (size_t i = 0; i < fold.held; i++)
        fold.vectors[i] += from - sums->from;
    tree_fold_add(&fold, (struct tree_node){sums->next, sums->next + 1}, get_vector(sums, fold.held) + from);
}

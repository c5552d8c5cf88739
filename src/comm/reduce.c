/* A step's leaves are added up in three stages, always in the order of the tree (tree.c), so the bits do not
 * depend on who held which leaves; an MPI_Allreduce would add in an order of its own.
 *
 * 1. Each rank adds its own leaves. What is left are the largest nodes of the tree in its range.
 * 2. The ranks of a node add those of all of them, as far as they are siblings: each rank its share of the
 *    elements, in place. What is left are the largest nodes of the tree in the range of all of them.
 * 3. Each of these goes to the other nodes, slice by slice, to the owners of the slices, who add them.
 *
 * With one node the second stage completes the sum, and the third has nothing to do. With several, what a
 * rank has added inside its node it sends to the owners of slices in it: of H nodes that have one tree node
 * each all send (H - 1) vectors together, and as many again when the updated slices go to the other nodes,
 * where one rank receives each of them into the memory of all.
 *
 * Between nodes the vector may have two parts. The second one takes the second stage and begins with the
 * third as soon as all ranks of a node have told that they are done with it, while they still compute the
 * first one. Nobody waits for that: who looks and finds that all have told goes on. Since a node cannot know
 * whether others have begun, a part that goes ahead is exchanged in any case, of a step that is abandoned
 * too.
 *
 * What a rank sends another goes in pieces. MPI libraries send a long message only when the receiver has
 * answered that it wants it, and on a slow link the answer waits behind all that the receiver itself has to
 * send; pieces that are short enough go at once. There are few of them, since one that comes before its
 * receive is posted is kept by MPI.
 *
 * Counts and displacements are in blocks of REDUCE_BLOCK floats, one datatype for all sides and ranks: an int
 * holds 2^31 blocks, and Open MPI's algorithms rely on ranks describing the same bytes alike. All calls are
 * nonblocking and waited for in comm_wait. */
#include "comm/reduce.h"

#include "base/clock.h"
#include "base/exact.h"
#include "base/memory.h"
#include "comm/squares.h"
#include "comm/wait.h"

#include <assert.h>
#include <limits.h>
#include <stdatomic.h>
#include <string.h>

/* A piece has so many blocks, or more where a message would have too many pieces. Open MPI sends up to 64 KiB
 * at once, what it writes in front of them included. */
enum { PIECE_BLOCKS = 8, MOST_PIECES = 64 };

/* Seconds between two turns of MPI while a rank computes, which take microseconds each. */
static const double turn = 0.0005;

/* A part of the vector, in blocks of it. */
struct reduce_part {
    int first, blocks;
    int *starts, *counts;  /* by rank: its slice */
    size_t at;             /* of this rank's slice among its own, in blocks */
    MPI_Request *requests; /* of one exchange (grow_buffer) */
    int pending;           /* so many of them */
    struct tree_fold fold; /* this rank's share, added up over the ranks of its node */
};

struct reduce {
    struct node *node;
    size_t length; /* floats */
    MPI_Datatype block;
    int *integers; /* one allocation for the tables of ints, [ranks] each */
    struct reduce_part part[REDUCE_MOST_PARTS];
    int parts;
    atomic_size_t
        *told; /* shared: how often ranks of the node have told that they are done with the second part */
    size_t awaited; /* so often, when all have in the step at hand */
    int ahead;      /* 1: there is a step at hand, and the second part goes ahead in it */
    int has_told, has_begun;
    double looked; /* clock_now() when MPI last had a turn */

    float *vectors; /* shared: [ranks of the node][vectors_of_rank][reduce_room] */
    size_t vectors_of_rank;
    size_t extra_bytes; /* of `vectors`, where they are more than was reserved; else 0 */
    struct tree_sums sums;
    const size_t *ranges; /* of the step at hand */
    size_t n;

    size_t room;   /* sums of other nodes that the buffer holds; the same on all ranks */
    float *buffer; /* for each part [room][its slice in whole blocks] */
};

size_t reduce_room(size_t length)
{
    return (length + REDUCE_BLOCK - 1) / REDUCE_BLOCK * REDUCE_BLOCK;
}

static size_t count_blocks(const struct reduce *reduce)
{
    return reduce_room(reduce->length) / REDUCE_BLOCK;
}

/* Deals blocks evenly; the first of those they are dealt to have one more. */
static void deal_blocks(size_t blocks, int to, int which, int *start, int *count)
{
    int each = (int)blocks / to, rest = (int)blocks % to;
    *start = each * which + (which < rest ? which : rest);
    *count = each + (which < rest);
}

static int own_count(const struct reduce *reduce, const struct reduce_part *part)
{
    return part->counts[reduce->node->comm->rank];
}

/* How many floats this rank's slices have, in whole blocks. */
static size_t own_room(const struct reduce *reduce)
{
    const struct reduce_part *last = &reduce->part[reduce->parts - 1];
    return (last->at + (size_t)own_count(reduce, last)) * REDUCE_BLOCK;
}

size_t reduce_get_slices(const struct reduce *reduce, struct reduce_slice slices[REDUCE_MOST_PARTS])
{
    for (int p = 0; p < reduce->parts; p++) {
        const struct reduce_part *part = &reduce->part[p];
        size_t start = (size_t)part->starts[reduce->node->comm->rank] * REDUCE_BLOCK,
               count = (size_t)own_count(reduce, part) * REDUCE_BLOCK;
        if (count && start + count > reduce->length)
            count = reduce->length - start;
        slices[p] = (struct reduce_slice){
            .first = count ? start : reduce->length, .count = count, .at = part->at * REDUCE_BLOCK};
    }
    return (size_t)reduce->parts;
}

size_t reduce_bytes(const struct reduce *reduce)
{
    return reduce->room * own_room(reduce) * sizeof(float);
}

/* ---- memory ---- */

/* The most vectors that a range of so many leaves holds (tree_count_vectors), wherever it begins: on the way
 * up to the largest node in it one of each size waits at its left end, and on the way down at its right. */
static size_t most_vectors(size_t leaves)
{
    size_t most = 0;
    for (size_t size = 1; 2 * size - 1 <= leaves; size *= 2)
        most += 1 + (size_t)(3 * size - 1 <= leaves);
    return most;
}

static size_t expected_vectors(size_t leaves, int ranks)
{
    return most_vectors((leaves - 1) / (size_t)ranks + 1);
}

struct node_size reduce_size(size_t length, size_t leaves, int ranks)
{
    return (struct node_size){.once = MEMORY_ALIGNMENT,
        .of_rank = expected_vectors(leaves, ranks) * reduce_room(length) * sizeof(float)};
}

static size_t vectors_bytes(const struct reduce *reduce, size_t of_rank)
{
    return (size_t)reduce->node->ranks * of_rank * reduce_room(reduce->length) * sizeof(float);
}

/* Every rank calls. Makes room for `of_rank` vectors of each rank, which are more than there were. */
static int grow_vectors(struct reduce *reduce, size_t of_rank, struct error *error)
{
    size_t bytes = vectors_bytes(reduce, of_rank);
    if (reduce->extra_bytes)
        node_unshare(reduce->node, reduce->vectors, reduce->extra_bytes);
    reduce->extra_bytes = 0;
    reduce->vectors = node_share(reduce->node, bytes, error);
    error_explain_memory(error, "sums of gradients",
        "a larger train.microbatch, more nodes, or a smaller model.hidden or model.layers take");
    if (comm_agree(reduce->node->comm, error))
        return -1;
    reduce->vectors_of_rank = of_rank;
    reduce->extra_bytes = bytes;
    return 0;
}

/* How many blocks a piece of a message of `count` blocks has; the last one may have fewer. */
static int find_piece(int count)
{
    int piece = (count + MOST_PIECES - 1) / MOST_PIECES;
    return piece > PIECE_BLOCKS ? piece : PIECE_BLOCKS;
}

/* Into how many pieces a message of any part of a slice goes at most. */
static size_t most_pieces(const struct reduce *reduce, const struct reduce_part *part)
{
    int most = (part->blocks - 1) / reduce->node->comm->ranks + 1;
    return most < PIECE_BLOCKS * MOST_PIECES ? (size_t)((most - 1) / PIECE_BLOCKS + 1) : MOST_PIECES;
}

/* Every rank calls, with the same room. Makes room for `room` sums of other nodes, and for the messages of an
 * exchange of them. */
static int grow_buffer(struct reduce *reduce, size_t room, struct error *error)
{
    struct error own = {0};
    size_t requests[REDUCE_MOST_PARTS], all = 0;
    for (int p = 0; p < reduce->parts; p++) {
        requests[p] =
            2 * (size_t)reduce->node->comm->ranks * (room + 1) * most_pieces(reduce, &reduce->part[p]);
        all += requests[p];
    }
    float *buffer = memory_create(room, own_room(reduce) * sizeof *buffer, &own);
    MPI_Request *list = memory_create(all, sizeof(MPI_Request), &own);
    error_explain_memory(&own, "what ranks exchange of the gradients",
        "more ranks on more nodes, or a smaller model.hidden or model.layers, take");
    if (comm_agree(reduce->node->comm, &own)) {
        memory_destroy(buffer);
        memory_destroy(list);
        return error_set(error, own.code, "%s", own.text);
    }
    memory_destroy(reduce->buffer);
    memory_destroy(reduce->part[0].requests);
    reduce->buffer = buffer;
    reduce->room = room;
    for (int p = 0; p < reduce->parts; list += requests[p++])
        reduce->part[p].requests = list;
    return 0;
}

/* Deals the blocks of a part to ranks by place, from the last one down where `down`: of the first part the
 * first ranks have a block more, of the second one the last, and so no rank has more than of a vector of one
 * part. */
static void deal_part(const struct reduce *reduce, struct reduce_part *part, int down)
{
    const struct node *node = reduce->node;
    int ranks = node->comm->ranks;
    for (int place = 0; place < ranks; place++) {
        int rank = node->ranks_at[place], start, count;
        deal_blocks((size_t)part->blocks, ranks, down ? ranks - 1 - place : place, &start, &count);
        part->starts[rank] = part->first + (down ? part->blocks - start - count : start);
        part->counts[rank] = count;
    }
}

static int create_parts(struct reduce *reduce, size_t cut, struct error *error)
{
    size_t blocks = count_blocks(reduce), ranks = (size_t)reduce->node->comm->ranks;
    if (blocks > INT_MAX)
        return error_set(error, EXIT_CODE_INTERNAL, "%zu weights are more than MPI counts", reduce->length);
    size_t first = reduce->node->nodes > 1 ? reduce_room(cut) / REDUCE_BLOCK : 0;
    reduce->parts = 0 < first && first < blocks ? 2 : 1;
    reduce->integers = memory_create(2 * (size_t)reduce->parts * ranks, sizeof *reduce->integers, error);
    if (!reduce->integers)
        return -1;
    reduce->part[0].blocks = (int)(reduce->parts == 2 ? first : blocks);
    reduce->part[1].first = (int)first;
    reduce->part[1].blocks = (int)(blocks - first);
    for (int p = 0; p < reduce->parts; p++) {
        struct reduce_part *part = &reduce->part[p];
        part->starts = reduce->integers + 2 * (size_t)p * ranks;
        part->counts = part->starts + ranks;
        deal_part(reduce, part, p > 0);
    }
    reduce->part[1].at = (size_t)own_count(reduce, &reduce->part[0]);
    return 0;
}

struct reduce *reduce_create(struct node *node, size_t length, size_t cut, size_t leaves, struct error *error)
{
    assert(length > 0 && leaves > 0);
    struct error own = {0};
    struct reduce *reduce = memory_create(1, sizeof *reduce, &own);
    if (reduce) {
        *reduce = (struct reduce){.node = node, .length = length, .block = MPI_DATATYPE_NULL};
        create_parts(reduce, cut, &own);
    }
    if (comm_agree(node->comm, &own)) {
        error_set(error, own.code, "%s", own.text);
        reduce_destroy(reduce);
        return NULL;
    }
    assert(reduce); /* else this rank would have had an error to agree on */
    MPI_Type_contiguous(REDUCE_BLOCK, MPI_FLOAT, &reduce->block);
    MPI_Type_commit(&reduce->block);
    reduce->told = node_take(node, sizeof *reduce->told);
    reduce->vectors_of_rank = expected_vectors(leaves, node->comm->ranks);
    reduce->vectors = node_take(node, vectors_bytes(reduce, reduce->vectors_of_rank));
    tree_sums_init(&reduce->sums, reduce_room(length));
    /* One sum: what reduce_collect and reduce_spread need. A world of one rank exchanges nothing. */
    if (node->comm->ranks > 1 && grow_buffer(reduce, 1, error)) {
        reduce_destroy(reduce);
        return NULL;
    }
    return reduce;
}

void reduce_destroy(struct reduce *reduce)
{
    if (!reduce)
        return;
    if (reduce->block != MPI_DATATYPE_NULL)
        MPI_Type_free(&reduce->block);
    if (reduce->extra_bytes)
        node_unshare(reduce->node, reduce->vectors, reduce->extra_bytes);
    tree_sums_finish(&reduce->sums);
    memory_destroy(reduce->integers);
    memory_destroy(reduce->part[0].requests);
    memory_destroy(reduce->buffer);
    memory_destroy(reduce);
}

/* ---- a step ---- */

static float *get_vector(const struct reduce *reduce, int rank_of_node, size_t i)
{
    return reduce->vectors +
        ((size_t)rank_of_node * reduce->vectors_of_rank + i) * reduce_room(reduce->length);
}

/* Adds the sums of the ranks of this node, floats [first, first + count) of each. */
static void add_inside(const struct reduce *reduce, size_t first, size_t count, struct tree_fold *fold)
{
    const struct node *node = reduce->node;
    struct tree_node nodes[TREE_MOST_NODES];
    tree_fold_start(fold, reduce->n, count);
    for (int r = 0; r < node->ranks; r++) {
        const size_t *range = reduce->ranges + node->first_place[node->index] + r;
        size_t held = tree_list_nodes(reduce->n, range[0], range[1], nodes);
        for (size_t j = 0; j < held; j++)
            tree_fold_add(fold, nodes[j], get_vector(reduce, r, j) + first);
    }
}

/* Lists the nodes of the tree in the range of node `index`. */
static size_t list_of_node(const struct reduce *reduce, int index, struct tree_node nodes[TREE_MOST_NODES])
{
    const int *first = reduce->node->first_place + index;
    return tree_list_nodes(reduce->n, reduce->ranges[first[0]], reduce->ranges[first[1]], nodes);
}

static size_t count_parts(const struct reduce *reduce)
{
    struct tree_node nodes[TREE_MOST_NODES];
    size_t parts = 0;
    for (int index = 0; index < reduce->node->nodes; index++)
        parts += list_of_node(reduce, index, nodes);
    return parts;
}

/* Which blocks of a part rank `rank_of_node` of node `index` adds up for its node. */
static void find_share(const struct reduce *reduce, const struct reduce_part *part, int index,
    int rank_of_node, int *start, int *count)
{
    const int *first = reduce->node->first_place + index;
    deal_blocks((size_t)part->blocks, first[1] - first[0], rank_of_node, start, count);
    *start += part->first;
}

/* Both count what they begin in part->pending. */
static void send_blocks(struct reduce *reduce, struct reduce_part *part, const float *from, int count, int to)
{
    for (int first = 0, piece = find_piece(count); first < count; first += piece)
        MPI_Isend(from + (size_t)first * REDUCE_BLOCK, count - first < piece ? count - first : piece,
            reduce->block, to, 0, MPI_COMM_WORLD, &part->requests[part->pending++]);
}

static void receive_blocks(struct reduce *reduce, struct reduce_part *part, float *to, int count, int from)
{
    for (int first = 0, piece = find_piece(count); first < count; first += piece)
        MPI_Irecv(to + (size_t)first * REDUCE_BLOCK, count - first < piece ? count - first : piece,
            reduce->block, from, 0, MPI_COMM_WORLD, &part->requests[part->pending++]);
}

static int larger(int a, int b)
{
    return a > b ? a : b;
}

static int smaller(int a, int b)
{
    return a < b ? a : b;
}

/* Sends what this rank has added up of the slices of other nodes' ranks. */
static void send_sums(struct reduce *reduce, struct reduce_part *part)
{
    const struct node *node = reduce->node;
    int start, count;
    find_share(reduce, part, node->index, node->rank, &start, &count);
    for (int away = 1; away < node->nodes; away++) {
        int to = (node->index + away) % node->nodes;
        for (int place = node->first_place[to]; place < node->first_place[to + 1]; place++) {
            int rank = node->ranks_at[place], from = larger(start, part->starts[rank]);
            int end = smaller(start + count, part->starts[rank] + part->counts[rank]);
            for (size_t k = 0; k < part->fold.held && from < end; k++)
                send_blocks(reduce, part, part->fold.vectors[k] + (size_t)(from - start) * REDUCE_BLOCK,
                    end - from, rank);
        }
    }
}

/* Where this rank's slice of the k-th sum of other nodes lies. */
static float *get_received(const struct reduce *reduce, const struct reduce_part *part, size_t k)
{
    return reduce->buffer + (reduce->room * part->at + k * (size_t)own_count(reduce, part)) * REDUCE_BLOCK;
}

/* Receives this rank's slice of the sums of other nodes, which follow each other node by node. */
static void receive_sums(struct reduce *reduce, struct reduce_part *part)
{
    const struct node *node = reduce->node;
    struct tree_node nodes[TREE_MOST_NODES];
    int own = part->starts[node->comm->rank], own_end = own + own_count(reduce, part);
    size_t k = 0;
    for (int index = 0; index < node->nodes; index++) {
        size_t end = k + (index == node->index ? 0 : list_of_node(reduce, index, nodes));
        for (; k < end; k++)
            for (int place = node->first_place[index]; place < node->first_place[index + 1]; place++) {
                int start, count;
                find_share(reduce, part, index, place - node->first_place[index], &start, &count);
                int from = larger(start, own), to = smaller(start + count, own_end);
                float *received = get_received(reduce, part, k);
                if (from < to)
                    receive_blocks(reduce, part, received + (size_t)(from - own) * REDUCE_BLOCK, to - from,
                        node->ranks_at[place]);
            }
    }
}

static void wait_for_all(struct reduce *reduce, struct reduce_part *part)
{
    while (part->pending > 0)
        comm_wait(reduce->node->comm, &part->requests[--part->pending]);
}

/* All ranks of the node are done with a part: adds this rank's share of it, and sends it to other nodes. */
static void begin_part(struct reduce *reduce, struct reduce_part *part)
{
    const struct node *node = reduce->node;
    int start, count;
    find_share(reduce, part, node->index, node->rank, &start, &count);
    add_inside(reduce, (size_t)start * REDUCE_BLOCK, (size_t)count * REDUCE_BLOCK, &part->fold);
    if (node->nodes > 1)
        send_sums(reduce, part);
}

/* Adds this rank's slice of the sums of all nodes: those of its own node lie in shared memory. */
static float *add_nodes(
    struct reduce *reduce, const struct reduce_part *part, const struct reduce_slice *slice)
{
    const struct node *node = reduce->node;
    struct tree_node nodes[TREE_MOST_NODES];
    struct tree_fold fold;
    int start, count;
    size_t k = 0;
    if (!slice->count)
        return reduce->buffer;
    find_share(reduce, part, node->index, node->rank, &start, &count);
    tree_fold_start(&fold, reduce->n, slice->count);
    for (int index = 0; index < node->nodes; index++) {
        size_t held = list_of_node(reduce, index, nodes);
        for (size_t j = 0; j < held; j++)
            tree_fold_add(&fold, nodes[j],
                index == node->index ? part->fold.vectors[j] + slice->first - (size_t)start * REDUCE_BLOCK
                                     : get_received(reduce, part, k++));
    }
    assert(fold.held == 1);
    return fold.vectors[0];
}

/* ---- ahead of the others ---- */

static void look_meanwhile(void *context)
{
    reduce_look(context);
}

static void begin_ahead(struct reduce *reduce, int busy)
{
    reduce->ahead = reduce->parts > 1 && busy;
    reduce->has_told = reduce->has_begun = 0;
    if (!reduce->ahead)
        return;
    reduce->awaited += (size_t)reduce->node->ranks;
    comm_set_meanwhile(look_meanwhile, reduce);
    receive_sums(reduce, &reduce->part[1]);
}

size_t reduce_ahead(const struct reduce *reduce)
{
    return reduce->ahead ? (size_t)reduce->part[1].first * REDUCE_BLOCK : 0;
}

void reduce_tell(struct reduce *reduce)
{
    if (!reduce->ahead || reduce->has_told)
        return;
    reduce->has_told = 1;
    atomic_fetch_add_explicit(reduce->told, 1, memory_order_acq_rel);
    reduce_look(reduce);
}

void reduce_look(struct reduce *reduce)
{
    struct reduce_part *part = &reduce->part[1];
    if (!reduce->ahead)
        return;
    if (reduce->has_told && !reduce->has_begun &&
        atomic_load_explicit(reduce->told, memory_order_acquire) >= reduce->awaited) {
        begin_part(reduce, part);
        reduce->has_begun = 1;
    }
    if (part->pending == 0)
        return;
    double now = clock_now();
    if (now - reduce->looked < turn)
        return;
    reduce->looked = now;
    for (int done = 1; done && part->pending > 0; part->pending -= done)
        MPI_Test(&part->requests[part->pending - 1], &done, MPI_STATUS_IGNORE);
}

/* Every rank of the node calls. */
static void begin_second(struct reduce *reduce)
{
    reduce_tell(reduce);
    node_meet(reduce->node);
    reduce_look(reduce);
    comm_set_meanwhile(NULL, NULL);
}

void reduce_abandon(struct reduce *reduce)
{
    if (!reduce->ahead)
        return;
    begin_second(reduce);
    wait_for_all(reduce, &reduce->part[1]);
    node_meet(reduce->node); /* nobody reads this rank's sums any more */
    reduce->ahead = 0;
}

/* ---- a step ---- */

struct tree_sums *reduce_start(
    struct reduce *reduce, const size_t *ranges, size_t n, struct team team, struct error *error)
{
    const struct node *node = reduce->node;
    size_t most = 1;
    int busy = 1;
    assert(n > 0 && ranges[0] == 0 && ranges[node->comm->ranks] == n && !reduce->ahead);
    for (int place = 0; place < node->comm->ranks; place++) {
        size_t vectors = tree_count_vectors(n, ranges[place], ranges[place + 1]);
        most = vectors > most ? vectors : most;
        busy &= vectors > 0;
    }
    if (most > reduce->vectors_of_rank && grow_vectors(reduce, most, error))
        return NULL;
    reduce->ranges = ranges;
    reduce->n = n;
    size_t parts = node->nodes > 1 ? count_parts(reduce) : 0;
    if (parts > reduce->room && grow_buffer(reduce, parts, error))
        return NULL;
    int start, count, leader = team.first - node->first_place[node->index];
    deal_blocks(count_blocks(reduce), team.members, node->place - team.first, &start, &count);
    tree_sums_lend(&reduce->sums, get_vector(reduce, leader, 0), reduce->vectors_of_rank);
    tree_sums_divide(&reduce->sums, (size_t)start * REDUCE_BLOCK, (size_t)(start + count) * REDUCE_BLOCK);
    tree_sums_start(&reduce->sums, n, ranges[team.first], ranges[team.first + 1]);
    begin_ahead(reduce, busy);
    return &reduce->sums;
}

void reduce_complete(struct reduce *reduce, struct reduce_slice slices[REDUCE_MOST_PARTS])
{
    const struct node *node = reduce->node;
    assert(reduce->sums.next == reduce->sums.end);
    begin_second(reduce);
    for (int p = reduce->parts - 1 - reduce->ahead; p >= 0; p--) {
        if (node->nodes > 1)
            receive_sums(reduce, &reduce->part[p]);
        begin_part(reduce, &reduce->part[p]);
    }
    reduce->ahead = 0;
    reduce_get_slices(reduce, slices);
    if (node->nodes == 1) {
        assert(reduce->part[0].fold.held == 1);
        slices->sum = reduce->part[0].fold.vectors[0];
        return;
    }
    node_meet(reduce->node); /* all shares are added */
    for (int p = reduce->parts - 1; p >= 0; p--)
        wait_for_all(reduce, &reduce->part[p]);
    for (int p = 0; p < reduce->parts; p++)
        slices[p].sum = add_nodes(reduce, &reduce->part[p], &slices[p]);
}

double reduce_squares(struct reduce *reduce, const struct reduce_slice *slices)
{
    uint64_t sum[EXACT_WORDS] = {0};
    for (int p = 0; p < reduce->parts; p++)
        for (size_t i = 0; i < slices[p].count; i += REDUCE_BLOCK) {
            size_t rest = slices[p].count - i;
            exact_add(sum, squares_sum_block(slices[p].sum + i, rest < REDUCE_BLOCK ? rest : REDUCE_BLOCK));
        }
    exact_carry(sum);
    node_sum(reduce->node, sum, EXACT_WORDS);
    return exact_round(sum);
}

/* The rank of node `index` that receives the slices of the rank at place `rank_of_node` of a node: of every
 * pair of nodes each rank of the one deals with some of the other. */
static int find_partner(const struct node *node, int index, int rank_of_node)
{
    int first = node->first_place[index], ranks = node->first_place[index + 1] - first;
    return node->ranks_at[first + rank_of_node % ranks];
}

static void gather_part(struct reduce *reduce, struct reduce_part *part, float *vector)
{
    struct node *node = reduce->node;
    for (int away = 1; away < node->nodes; away++) {
        int from = (node->index + node->nodes - away) % node->nodes, first = node->first_place[from];
        for (int place = first + node->rank; place < node->first_place[from + 1]; place += node->ranks) {
            int rank = node->ranks_at[place];
            receive_blocks(
                reduce, part, vector + (size_t)part->starts[rank] * REDUCE_BLOCK, part->counts[rank], rank);
        }
    }
    for (int away = 1; away < node->nodes; away++)
        send_blocks(reduce, part, vector + (size_t)part->starts[node->comm->rank] * REDUCE_BLOCK,
            own_count(reduce, part), find_partner(node, (node->index + away) % node->nodes, node->rank));
}

void reduce_gather(struct reduce *reduce, float *vector)
{
    for (int p = 0; p < reduce->parts; p++)
        gather_part(reduce, &reduce->part[p], vector);
    for (int p = 0; p < reduce->parts; p++)
        wait_for_all(reduce, &reduce->part[p]);
    node_meet(reduce->node);
}

/* Both go through the exchange buffer, which has whole blocks where the caller's last slice may not. */
void reduce_collect(struct reduce *reduce, const float *own, float *vector)
{
    struct reduce_slice slices[REDUCE_MOST_PARTS];
    size_t parts = reduce_get_slices(reduce, slices), room = own_room(reduce);
    const struct reduce_slice *last = &slices[parts - 1];
    size_t count = last->at + last->count;
    if (reduce->node->comm->ranks == 1) {
        memcpy(vector, own, count * sizeof *own);
        memset(vector + count, 0, (room - count) * sizeof *own);
        return;
    }
    if (count)
        memcpy(reduce->buffer, own, count * sizeof *own);
    memset(reduce->buffer + count, 0, (room - count) * sizeof *own);
    for (size_t p = 0; p < parts; p++) {
        const struct reduce_part *part = &reduce->part[p];
        MPI_Request request;
        MPI_Igatherv(reduce->buffer + slices[p].at, own_count(reduce, part), reduce->block, vector,
            part->counts, part->starts, reduce->block, 0, MPI_COMM_WORLD, &request);
        comm_wait(reduce->node->comm, &request);
    }
}

void reduce_spread(struct reduce *reduce, const float *vector, float *own)
{
    struct reduce_slice slices[REDUCE_MOST_PARTS];
    size_t parts = reduce_get_slices(reduce, slices);
    const struct reduce_slice *last = &slices[parts - 1];
    size_t count = last->at + last->count;
    if (reduce->node->comm->ranks == 1) {
        memcpy(own, vector, count * sizeof *own);
        return;
    }
    for (size_t p = 0; p < parts; p++) {
        const struct reduce_part *part = &reduce->part[p];
        MPI_Request request;
        MPI_Iscatterv(vector, part->counts, part->starts, reduce->block, reduce->buffer + slices[p].at,
            own_count(reduce, part), reduce->block, 0, MPI_COMM_WORLD, &request);
        comm_wait(reduce->node->comm, &request);
    }
    if (count)
        memcpy(own, reduce->buffer, count * sizeof *own);
}

/* A step's leaves are added up in three stages, always in the order of the tree (tree.c), so the bits do not
 * depend on who held which leaves; an MPI_Allreduce would add in an order of its own.
 *
 * 1. Each rank adds its own leaves. What is left are the largest nodes of the tree in its range.
 * 2. The ranks of a node add those of all of them, as far as they are siblings: each rank its share of the
 *    elements, in place. What is left are the largest nodes of the tree in the range of all of them.
 * 3. Each of these goes to the other nodes, slice by slice, to the owners of the slices, who add them.
 *
 * With one node the second stage completes the sum, and the third has nothing to do. With several, each slice
 * of a node's sum is sent by one of its ranks and received by the slice's owner: of H nodes that have one
 * tree node each all send (H - 1) vectors together, and as many again when the updated slices go to the other
 * nodes, where one rank receives each of them into the memory of all.
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

#include "base/exact.h"
#include "base/memory.h"
#include "comm/squares.h"
#include "comm/wait.h"

#include <assert.h>
#include <limits.h>
#include <string.h>

/* A piece has so many blocks, or more where a message would have too many pieces. Open MPI sends up to 64 KiB
 * at once, what it writes in front of them included. */
enum { PIECE_BLOCKS = 8, MOST_PIECES = 64 };

struct reduce {
    struct node *node;
    size_t length; /* floats */
    MPI_Datatype block;
    int *integers;         /* one allocation for the tables of ints, [ranks] each */
    int *starts, *counts;  /* by rank: its slice in blocks */
    MPI_Request *requests; /* of one exchange (grow_buffer) */

    float *vectors; /* shared: [ranks of the node][vectors_of_rank][reduce_room] */
    size_t vectors_of_rank;
    size_t extra_bytes; /* of `vectors`, where they are more than was reserved; else 0 */
    struct tree_sums sums;
    const size_t *ranges; /* of the step at hand */
    size_t n;

    size_t room;   /* sums of other nodes that the buffer holds; the same on all ranks */
    float *buffer; /* [room][slice in whole blocks] */
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

/* How many floats this rank's slice has, in whole blocks. */
static size_t slice_room(const struct reduce *reduce)
{
    return (size_t)reduce->counts[reduce->node->comm->rank] * REDUCE_BLOCK;
}

static size_t slice_start(const struct reduce *reduce, int rank)
{
    return (size_t)reduce->starts[rank] * REDUCE_BLOCK;
}

void reduce_get_slice(const struct reduce *reduce, size_t *first, size_t *count)
{
    size_t start = slice_start(reduce, reduce->node->comm->rank), end = start + slice_room(reduce);
    end = end < reduce->length ? end : reduce->length;
    *count = slice_room(reduce) ? end - start : 0;
    *first = *count ? start : reduce->length;
}

size_t reduce_bytes(const struct reduce *reduce)
{
    return reduce->room * slice_room(reduce) * sizeof(float);
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
    return (struct node_size){
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

/* The first rank by place has the largest slice. */
static size_t most_pieces(const struct reduce *reduce)
{
    int count = reduce->counts[reduce->node->ranks_at[0]], piece = find_piece(count);
    return (size_t)((count + piece - 1) / piece);
}

/* Every rank calls, with the same room. Makes room for `room` sums of other nodes, and for the messages of an
 * exchange of them. */
static int grow_buffer(struct reduce *reduce, size_t room, struct error *error)
{
    struct error own = {0};
    size_t requests = 2 * (size_t)reduce->node->comm->ranks * (room + 1) * most_pieces(reduce);
    float *buffer = memory_create(room, slice_room(reduce) * sizeof *buffer, &own);
    MPI_Request *list = memory_create(requests, sizeof(MPI_Request), &own);
    error_explain_memory(&own, "what ranks exchange of the gradients",
        "more ranks on more nodes, or a smaller model.hidden or model.layers, take");
    if (comm_agree(reduce->node->comm, &own)) {
        memory_destroy(buffer);
        memory_destroy(list);
        return error_set(error, own.code, "%s", own.text);
    }
    memory_destroy(reduce->buffer);
    memory_destroy(reduce->requests);
    reduce->buffer = buffer;
    reduce->requests = list;
    reduce->room = room;
    return 0;
}

static int create_tables(struct reduce *reduce, struct error *error)
{
    const struct node *node = reduce->node;
    int ranks = node->comm->ranks;
    if (count_blocks(reduce) > INT_MAX)
        return error_set(error, EXIT_CODE_INTERNAL, "%zu weights are more than MPI counts", reduce->length);
    reduce->integers = memory_create(2 * (size_t)ranks, sizeof *reduce->integers, error);
    if (!reduce->integers)
        return -1;
    reduce->starts = reduce->integers;
    reduce->counts = reduce->integers + ranks;
    for (int place = 0; place < ranks; place++) {
        int rank = node->ranks_at[place];
        deal_blocks(count_blocks(reduce), ranks, place, &reduce->starts[rank], &reduce->counts[rank]);
    }
    return 0;
}

struct reduce *reduce_create(struct node *node, size_t length, size_t leaves, struct error *error)
{
    assert(length > 0 && leaves > 0);
    struct error own = {0};
    struct reduce *reduce = memory_create(1, sizeof *reduce, &own);
    if (reduce) {
        *reduce = (struct reduce){.node = node, .length = length, .block = MPI_DATATYPE_NULL};
        create_tables(reduce, &own);
    }
    if (comm_agree(node->comm, &own)) {
        error_set(error, own.code, "%s", own.text);
        reduce_destroy(reduce);
        return NULL;
    }
    assert(reduce); /* else this rank would have had an error to agree on */
    MPI_Type_contiguous(REDUCE_BLOCK, MPI_FLOAT, &reduce->block);
    MPI_Type_commit(&reduce->block);
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
    memory_destroy(reduce->requests);
    memory_destroy(reduce->buffer);
    memory_destroy(reduce);
}

/* ---- a step ---- */

static float *get_vector(const struct reduce *reduce, int rank_of_node, size_t i)
{
    return reduce->vectors +
        ((size_t)rank_of_node * reduce->vectors_of_rank + i) * reduce_room(reduce->length);
}

struct tree_sums *reduce_start(
    struct reduce *reduce, const size_t *ranges, size_t n, struct team team, struct error *error)
{
    const struct node *node = reduce->node;
    size_t most = 1;
    assert(n > 0 && ranges[0] == 0 && ranges[node->comm->ranks] == n);
    for (int place = 0; place < node->comm->ranks; place++) {
        size_t vectors = tree_count_vectors(n, ranges[place], ranges[place + 1]);
        most = vectors > most ? vectors : most;
    }
    if (most > reduce->vectors_of_rank && grow_vectors(reduce, most, error))
        return NULL;
    reduce->ranges = ranges;
    reduce->n = n;
    int start, count, leader = team.first - node->first_place[node->index];
    deal_blocks(count_blocks(reduce), team.members, node->place - team.first, &start, &count);
    tree_sums_lend(&reduce->sums, get_vector(reduce, leader, 0), reduce->vectors_of_rank);
    tree_sums_divide(&reduce->sums, (size_t)start * REDUCE_BLOCK, (size_t)(start + count) * REDUCE_BLOCK);
    tree_sums_start(&reduce->sums, n, ranges[team.first], ranges[team.first + 1]);
    return &reduce->sums;
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

/* The rank of node `index` that has to do with what this node tells the rank at place `place` of a node: of
 * every pair of nodes each rank of the one deals with some of the other. */
static int find_partner(const struct node *node, int index, int rank_of_node)
{
    int first = node->first_place[index], ranks = node->first_place[index + 1] - first;
    return node->ranks_at[first + rank_of_node % ranks];
}

/* Both return how many requests are pending then, of `pending` before. */
static int send_pieces(struct reduce *reduce, const float *from, int count, int to, int pending)
{
    for (int first = 0, piece = find_piece(count); first < count; first += piece)
        MPI_Isend(from + (size_t)first * REDUCE_BLOCK, count - first < piece ? count - first : piece,
            reduce->block, to, 0, MPI_COMM_WORLD, &reduce->requests[pending++]);
    return pending;
}

static int receive_pieces(struct reduce *reduce, float *to, int count, int from, int pending)
{
    for (int first = 0, piece = find_piece(count); first < count; first += piece)
        MPI_Irecv(to + (size_t)first * REDUCE_BLOCK, count - first < piece ? count - first : piece,
            reduce->block, from, 0, MPI_COMM_WORLD, &reduce->requests[pending++]);
    return pending;
}

/* Sends what this node's sums have of the slices of other nodes' ranks, as far as this rank deals with them.
 */
static int send_sums(struct reduce *reduce, const struct tree_fold *fold, size_t share_first, int pending)
{
    const struct node *node = reduce->node;
    for (int away = 1; away < node->nodes; away++) {
        int to = (node->index + away) % node->nodes, first = node->first_place[to];
        for (int place = first + node->rank; place < node->first_place[to + 1]; place += node->ranks) {
            int rank = node->ranks_at[place];
            for (size_t k = 0; k < fold->held; k++)
                pending = send_pieces(reduce, fold->vectors[k] - share_first + slice_start(reduce, rank),
                    reduce->counts[rank], rank, pending);
        }
    }
    return pending;
}

/* Receives this rank's slice of the sums of other nodes: their k-th sums follow each other in the buffer,
 * node by node. */
static int receive_sums(struct reduce *reduce, int pending)
{
    const struct node *node = reduce->node;
    struct tree_node nodes[TREE_MOST_NODES];
    int own = reduce->counts[node->comm->rank];
    float *to = reduce->buffer;
    for (int index = 0; index < node->nodes && own; index++) {
        size_t held = index == node->index ? 0 : list_of_node(reduce, index, nodes);
        for (size_t k = 0; k < held; k++, to += slice_room(reduce))
            pending = receive_pieces(reduce, to, own, find_partner(node, index, node->rank), pending);
    }
    return pending;
}

static void wait_for_all(struct reduce *reduce, int pending)
{
    while (pending > 0)
        comm_wait(reduce->node->comm, &reduce->requests[--pending]);
}

/* Adds this rank's slice of the sums of all nodes: those of its own lie in shared memory. */
static float *add_nodes(struct reduce *reduce, const struct tree_fold *inside, size_t share_first)
{
    const struct node *node = reduce->node;
    struct tree_node nodes[TREE_MOST_NODES];
    struct tree_fold fold;
    float *from = reduce->buffer;
    size_t first, count;
    reduce_get_slice(reduce, &first, &count);
    if (!count)
        return reduce->buffer;
    tree_fold_start(&fold, reduce->n, count);
    for (int index = 0; index < node->nodes; index++) {
        size_t held = list_of_node(reduce, index, nodes);
        for (size_t k = 0; k < held; k++) {
            float *own = inside->vectors[k] - share_first + first;
            tree_fold_add(&fold, nodes[k], index == node->index ? own : from);
            from += index == node->index ? 0 : slice_room(reduce);
        }
    }
    assert(fold.held == 1);
    return fold.vectors[0];
}

static size_t count_parts(const struct reduce *reduce)
{
    struct tree_node nodes[TREE_MOST_NODES];
    size_t parts = 0;
    for (int index = 0; index < reduce->node->nodes; index++)
        parts += list_of_node(reduce, index, nodes);
    return parts;
}

float *reduce_slices(struct reduce *reduce, struct error *error)
{
    struct node *node = reduce->node;
    struct tree_fold fold;
    int start, count;
    assert(reduce->sums.next == reduce->sums.end);
    size_t parts = node->nodes > 1 ? count_parts(reduce) : 0;
    if (parts > reduce->room && grow_buffer(reduce, parts, error))
        return NULL;
    node_meet(node);
    deal_blocks(count_blocks(reduce), node->ranks, node->rank, &start, &count);
    size_t first = (size_t)start * REDUCE_BLOCK;
    add_inside(reduce, first, (size_t)count * REDUCE_BLOCK, &fold);
    if (node->nodes == 1) {
        assert(fold.held == 1);
        return fold.vectors[0];
    }
    node_meet(node);
    int pending = receive_sums(reduce, 0);
    wait_for_all(reduce, send_sums(reduce, &fold, first, pending));
    return add_nodes(reduce, &fold, first);
}

double reduce_squares(struct reduce *reduce, const float *slice)
{
    uint64_t sum[EXACT_WORDS] = {0};
    size_t first, count;
    reduce_get_slice(reduce, &first, &count);
    for (size_t i = 0; i < count; i += REDUCE_BLOCK)
        exact_add(sum, squares_sum_block(slice + i, count - i < REDUCE_BLOCK ? count - i : REDUCE_BLOCK));
    exact_carry(sum);
    node_sum(reduce->node, sum, EXACT_WORDS);
    return exact_round(sum);
}

void reduce_gather(struct reduce *reduce, float *vector)
{
    struct node *node = reduce->node;
    int pending = 0, own = reduce->counts[node->comm->rank];
    for (int away = 1; away < node->nodes; away++) {
        int from = (node->index + node->nodes - away) % node->nodes, first = node->first_place[from];
        for (int place = first + node->rank; place < node->first_place[from + 1]; place += node->ranks) {
            int rank = node->ranks_at[place];
            pending = receive_pieces(
                reduce, vector + slice_start(reduce, rank), reduce->counts[rank], rank, pending);
        }
    }
    for (int away = 1; away < node->nodes; away++)
        pending = send_pieces(reduce, vector + slice_start(reduce, node->comm->rank), own,
            find_partner(node, (node->index + away) % node->nodes, node->rank), pending);
    wait_for_all(reduce, pending);
    node_meet(node);
}

/* Both go through the exchange buffer, which has whole blocks where the caller's last slice may not. */
void reduce_collect(struct reduce *reduce, const float *slice, float *vector)
{
    size_t first, count;
    reduce_get_slice(reduce, &first, &count);
    if (reduce->node->comm->ranks == 1) {
        memcpy(vector, slice, count * sizeof *slice);
        memset(vector + count, 0, (reduce_room(count) - count) * sizeof *vector);
        return;
    }
    if (count) {
        memcpy(reduce->buffer, slice, count * sizeof *slice);
        memset(reduce->buffer + count, 0, (slice_room(reduce) - count) * sizeof *slice);
    }
    MPI_Request request;
    MPI_Igatherv(reduce->buffer, reduce->counts[reduce->node->comm->rank], reduce->block, vector,
        reduce->counts, reduce->starts, reduce->block, 0, MPI_COMM_WORLD, &request);
    comm_wait(reduce->node->comm, &request);
}

void reduce_spread(struct reduce *reduce, const float *vector, float *slice)
{
    size_t first, count;
    reduce_get_slice(reduce, &first, &count);
    if (reduce->node->comm->ranks == 1) {
        memcpy(slice, vector, count * sizeof *slice);
        return;
    }
    MPI_Request request;
    MPI_Iscatterv(vector, reduce->counts, reduce->starts, reduce->block, reduce->buffer,
        reduce->counts[reduce->node->comm->rank], reduce->block, 0, MPI_COMM_WORLD, &request);
    comm_wait(reduce->node->comm, &request);
    if (count)
        memcpy(slice, reduce->buffer, count * sizeof *slice);
}

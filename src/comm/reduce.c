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
 * Counts and displacements are in blocks of REDUCE_BLOCK floats, one datatype for all sides and ranks: an int
 * holds 2^31 blocks, and Open MPI's algorithms rely on ranks describing the same bytes alike. All calls are
 * nonblocking and waited for in comm_wait. */
#include "comm/reduce.h"

#include "base/clock.h"
#include "base/exact.h"
#include "base/memory.h"
#include "comm/blocks.h"
#include "comm/pieces.h"
#include "comm/squares.h"
#include "comm/wait.h"

#include <assert.h>
#include <limits.h>
#include <stdatomic.h>
#include <string.h>

/* Seconds between two turns of MPI while a rank computes. */
static const double turn = 0.0005;

/* A part of the vector, in blocks of it. */
struct reduce_part {
    struct blocks blocks;
    int *starts, *counts;  /* by rank: its slice */
    int at;                /* of this rank's slice among its own */
    struct pieces pieces;  /* of one exchange */
    struct tree_fold fold; /* this rank's share, added up over the ranks of its node */
};

/* How far the second part has got ahead of the first one in the step at hand. */
enum stage {
    NOT_AHEAD, /* it does not go ahead, or there is no step */
    OPEN,      /* what other nodes send is received */
    TOLD,      /* this rank has told that it is done with it */
    BEGUN      /* all ranks of the node have, and this rank's share is on its way */
};

struct reduce {
    struct node *node;
    size_t length; /* floats */
    MPI_Datatype block;
    int *integers; /* one allocation for the tables of ints, [ranks] each */
    struct reduce_part part[REDUCE_MOST_PARTS];
    int parts;
    enum stage stage;
    atomic_size_t *told; /* shared: how often ranks of the node have told */
    size_t awaited;      /* so often, when all have in the step at hand */
    double looked;       /* clock_now() when MPI last had a turn */

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

static struct blocks all_blocks(const struct reduce *reduce)
{
    return (struct blocks){0, (int)(reduce_room(reduce->length) / REDUCE_BLOCK)};
}

static size_t to_floats(int blocks)
{
    return (size_t)blocks * REDUCE_BLOCK;
}

static struct blocks slice_of(const struct reduce_part *part, int rank)
{
    return (struct blocks){part->starts[rank], part->counts[rank]};
}

static struct blocks own_slice(const struct reduce *reduce, const struct reduce_part *part)
{
    return slice_of(part, reduce->node->comm->rank);
}

/* How many floats this rank's slices have, in whole blocks. */
static size_t own_room(const struct reduce *reduce)
{
    const struct reduce_part *last = &reduce->part[reduce->parts - 1];
    return to_floats(last->at + own_slice(reduce, last).count);
}

size_t reduce_get_slices(const struct reduce *reduce, struct reduce_slice slices[REDUCE_MOST_PARTS])
{
    for (int p = 0; p < reduce->parts; p++) {
        struct blocks own = own_slice(reduce, &reduce->part[p]);
        size_t start = to_floats(own.first), count = to_floats(own.count);
        if (count && start + count > reduce->length)
            count = reduce->length - start;
        slices[p] = (struct reduce_slice){
            .first = count ? start : reduce->length, .count = count, .at = to_floats(reduce->part[p].at)};
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

/* Every rank calls, with the same room. Makes room for `room` sums of other nodes, and for the messages of an
 * exchange of them. */
static int grow_buffer(struct reduce *reduce, size_t room, struct error *error)
{
    struct error own = {0};
    size_t requests[REDUCE_MOST_PARTS], all = 0, ranks = (size_t)reduce->node->comm->ranks;
    for (int p = 0; p < reduce->parts; p++) {
        int slice = blocks_deal(reduce->part[p].blocks, (int)ranks, 0).count; /* none is larger */
        requests[p] = 2 * ranks * (room + 1) * pieces_count(slice);
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
    memory_destroy(reduce->part[0].pieces.requests);
    reduce->buffer = buffer;
    reduce->room = room;
    for (int p = 0; p < reduce->parts; list += requests[p++])
        reduce->part[p].pieces.requests = list;
    return 0;
}

/* Deals a part to ranks by place: of the first part the first ranks have a block more, of the second one the
 * last, and so no rank has more than of a vector of one part. */
static void deal_part(const struct reduce *reduce, struct reduce_part *part)
{
    const struct node *node = reduce->node;
    int ranks = node->comm->ranks, is_second = part > reduce->part;
    for (int place = 0; place < ranks; place++) {
        struct blocks slice = is_second ? blocks_deal_back(part->blocks, ranks, place)
                                        : blocks_deal(part->blocks, ranks, place);
        part->starts[node->ranks_at[place]] = slice.first;
        part->counts[node->ranks_at[place]] = slice.count;
    }
}

static int create_parts(struct reduce *reduce, size_t cut, struct error *error)
{
    size_t blocks = reduce_room(reduce->length) / REDUCE_BLOCK, ranks = (size_t)reduce->node->comm->ranks;
    if (blocks > INT_MAX)
        return error_set(error, EXIT_CODE_INTERNAL, "%zu weights are more than MPI counts", reduce->length);
    size_t first = reduce->node->nodes > 1 ? reduce_room(cut) / REDUCE_BLOCK : 0;
    if (first == 0 || first >= blocks)
        first = blocks;
    reduce->parts = first < blocks ? 2 : 1;
    reduce->integers = memory_create(2 * (size_t)reduce->parts * ranks, sizeof *reduce->integers, error);
    if (!reduce->integers)
        return -1;
    reduce->part[0].blocks = (struct blocks){0, (int)first};
    reduce->part[1].blocks = (struct blocks){(int)first, (int)(blocks - first)};
    for (int p = 0; p < reduce->parts; p++) {
        struct reduce_part *part = &reduce->part[p];
        part->starts = reduce->integers + 2 * (size_t)p * ranks;
        part->counts = part->starts + ranks;
        deal_part(reduce, part);
    }
    reduce->part[1].at = own_slice(reduce, &reduce->part[0]).count;
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
    for (int p = 0; p < reduce->parts; p++)
        reduce->part[p].pieces = (struct pieces){.block = reduce->block, .size = REDUCE_BLOCK};
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
    memory_destroy(reduce->part[0].pieces.requests);
    memory_destroy(reduce->buffer);
    memory_destroy(reduce);
}

/* ---- a step ---- */

static float *get_vector(const struct reduce *reduce, int rank_of_node, size_t i)
{
    return reduce->vectors +
        ((size_t)rank_of_node * reduce->vectors_of_rank + i) * reduce_room(reduce->length);
}

/* Adds these blocks of the sums of the ranks of this node. */
static void add_inside(const struct reduce *reduce, struct blocks share, struct tree_fold *fold)
{
    const struct node *node = reduce->node;
    struct tree_node nodes[TREE_MOST_NODES];
    tree_fold_start(fold, reduce->n, to_floats(share.count));
    for (int r = 0; r < node->ranks; r++) {
        const size_t *range = reduce->ranges + node->first_place[node->index] + r;
        size_t held = tree_list_nodes(reduce->n, range[0], range[1], nodes);
        for (size_t j = 0; j < held; j++)
            tree_fold_add(fold, nodes[j], get_vector(reduce, r, j) + to_floats(share.first));
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
static struct blocks find_share(
    const struct reduce *reduce, const struct reduce_part *part, int index, int rank_of_node)
{
    const int *first = reduce->node->first_place + index;
    return blocks_deal(part->blocks, first[1] - first[0], rank_of_node);
}

static struct blocks own_share(const struct reduce *reduce, const struct reduce_part *part)
{
    return find_share(reduce, part, reduce->node->index, reduce->node->rank);
}

/* Sends what this rank has added up of the slices of other nodes' ranks. */
static void send_sums(struct reduce *reduce, struct reduce_part *part)
{
    const struct node *node = reduce->node;
    struct blocks share = own_share(reduce, part);
    for (int away = 1; away < node->nodes; away++) {
        int to = (node->index + away) % node->nodes;
        for (int place = node->first_place[to]; place < node->first_place[to + 1]; place++) {
            int rank = node->ranks_at[place];
            struct blocks both = blocks_overlap(share, slice_of(part, rank));
            for (size_t k = 0; k < part->fold.held && both.count; k++)
                pieces_send(&part->pieces, part->fold.vectors[k] + to_floats(both.first - share.first),
                    both.count, rank);
        }
    }
}

/* Where this rank's slice of the k-th sum of other nodes lies. */
static float *get_received(const struct reduce *reduce, const struct reduce_part *part, size_t k)
{
    return reduce->buffer + reduce->room * to_floats(part->at) + k * to_floats(own_slice(reduce, part).count);
}

/* Receives this rank's slice of sum k of other nodes, which is one of node `index`. */
static void receive_sum(struct reduce *reduce, struct reduce_part *part, int index, size_t k)
{
    const struct node *node = reduce->node;
    struct blocks own = own_slice(reduce, part);
    for (int place = node->first_place[index]; place < node->first_place[index + 1]; place++) {
        struct blocks both =
            blocks_overlap(own, find_share(reduce, part, index, place - node->first_place[index]));
        if (both.count)
            pieces_receive(&part->pieces, get_received(reduce, part, k) + to_floats(both.first - own.first),
                both.count, node->ranks_at[place]);
    }
}

/* The sums of other nodes follow each other node by node. */
static void receive_sums(struct reduce *reduce, struct reduce_part *part)
{
    struct tree_node nodes[TREE_MOST_NODES];
    size_t k = 0;
    for (int index = 0; index < reduce->node->nodes; index++) {
        size_t end = k + (index == reduce->node->index ? 0 : list_of_node(reduce, index, nodes));
        while (k < end)
            receive_sum(reduce, part, index, k++);
    }
}

/* All ranks of the node are done with a part: adds this rank's share of it, and sends it to other nodes. */
static void begin_part(struct reduce *reduce, struct reduce_part *part)
{
    add_inside(reduce, own_share(reduce, part), &part->fold);
    send_sums(reduce, part);
}

/* Adds this rank's slice of the sums of all nodes: those of its own node lie in shared memory. */
static float *add_nodes(
    struct reduce *reduce, const struct reduce_part *part, const struct reduce_slice *slice)
{
    const struct node *node = reduce->node;
    struct tree_node nodes[TREE_MOST_NODES];
    struct tree_fold fold;
    size_t share = to_floats(own_share(reduce, part).first), k = 0;
    if (!slice->count)
        return reduce->buffer;
    tree_fold_start(&fold, reduce->n, slice->count);
    for (int index = 0; index < node->nodes; index++) {
        size_t held = list_of_node(reduce, index, nodes);
        for (size_t j = 0; j < held; j++)
            tree_fold_add(&fold, nodes[j],
                index == node->index ? part->fold.vectors[j] + slice->first - share
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

static void begin_ahead(struct reduce *reduce)
{
    reduce->stage = OPEN;
    reduce->awaited += (size_t)reduce->node->ranks;
    comm_set_meanwhile(look_meanwhile, reduce);
    receive_sums(reduce, &reduce->part[1]);
}

size_t reduce_ahead(const struct reduce *reduce)
{
    return reduce->stage != NOT_AHEAD ? to_floats(reduce->part[1].blocks.first) : 0;
}

void reduce_tell(struct reduce *reduce)
{
    if (reduce->stage != OPEN)
        return;
    reduce->stage = TOLD;
    atomic_fetch_add_explicit(reduce->told, 1, memory_order_acq_rel);
    reduce_look(reduce);
}

void reduce_look(struct reduce *reduce)
{
    struct reduce_part *part = &reduce->part[1];
    if (reduce->stage == TOLD &&
        atomic_load_explicit(reduce->told, memory_order_acquire) >= reduce->awaited) {
        begin_part(reduce, part);
        reduce->stage = BEGUN;
    }
    if (reduce->stage == NOT_AHEAD || part->pieces.pending == 0)
        return;
    double now = clock_now();
    if (now - reduce->looked < turn)
        return;
    reduce->looked = now;
    pieces_look(&part->pieces);
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
    if (reduce->stage == NOT_AHEAD)
        return;
    begin_second(reduce);
    pieces_wait(&reduce->part[1].pieces, reduce->node->comm);
    node_meet(reduce->node); /* nobody reads this rank's sums any more */
    reduce->stage = NOT_AHEAD;
}

/* ---- a step ---- */

struct tree_sums *reduce_start(
    struct reduce *reduce, const size_t *ranges, size_t n, struct team team, struct error *error)
{
    const struct node *node = reduce->node;
    size_t most = 1;
    int busy = 1;
    assert(n > 0 && ranges[0] == 0 && ranges[node->comm->ranks] == n && reduce->stage == NOT_AHEAD);
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
    int leader = team.first - node->first_place[node->index];
    struct blocks share = blocks_deal(all_blocks(reduce), team.members, node->place - team.first);
    tree_sums_lend(&reduce->sums, get_vector(reduce, leader, 0), reduce->vectors_of_rank);
    tree_sums_divide(&reduce->sums, to_floats(share.first), to_floats(share.first + share.count));
    tree_sums_start(&reduce->sums, n, ranges[team.first], ranges[team.first + 1]);
    if (reduce->parts > 1 && busy)
        begin_ahead(reduce);
    return &reduce->sums;
}

void reduce_complete(struct reduce *reduce, struct reduce_slice slices[REDUCE_MOST_PARTS])
{
    const struct node *node = reduce->node;
    assert(reduce->sums.next == reduce->sums.end);
    begin_second(reduce);
    for (int p = reduce->parts - 1 - (reduce->stage == BEGUN); p >= 0; p--) {
        receive_sums(reduce, &reduce->part[p]);
        begin_part(reduce, &reduce->part[p]);
    }
    reduce->stage = NOT_AHEAD;
    reduce_get_slices(reduce, slices);
    if (node->nodes == 1) {
        assert(reduce->part[0].fold.held == 1);
        slices->sum = reduce->part[0].fold.vectors[0];
        return;
    }
    node_meet(reduce->node); /* all shares are added */
    for (int p = reduce->parts - 1; p >= 0; p--)
        pieces_wait(&reduce->part[p].pieces, node->comm);
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
            pieces_receive(&part->pieces, vector + to_floats(part->starts[rank]), part->counts[rank], rank);
        }
    }
    struct blocks own = own_slice(reduce, part);
    for (int away = 1; away < node->nodes; away++)
        pieces_send(&part->pieces, vector + to_floats(own.first), own.count,
            find_partner(node, (node->index + away) % node->nodes, node->rank));
}

void reduce_gather(struct reduce *reduce, float *vector)
{
    for (int p = 0; p < reduce->parts; p++)
        gather_part(reduce, &reduce->part[p], vector);
    for (int p = 0; p < reduce->parts; p++)
        pieces_wait(&reduce->part[p].pieces, reduce->node->comm);
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
        MPI_Igatherv(reduce->buffer + slices[p].at, own_slice(reduce, part).count, reduce->block, vector,
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
            own_slice(reduce, part).count, reduce->block, 0, MPI_COMM_WORLD, &request);
        comm_wait(reduce->node->comm, &request);
    }
    if (count)
        memcpy(own, reduce->buffer, count * sizeof *own);
}

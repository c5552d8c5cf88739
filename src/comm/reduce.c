/* Every rank owns a slice of the flat vector, and gets that slice of every node sum of every rank. It adds
 * them in the order of the tree (tree.c), so the bits do not depend on who held which leaves; an
 * MPI_Allreduce would add in an order of its own. The traffic is the same: a vector out and a vector in per
 * rank and node.
 *
 * The exchange goes in rounds. In round j each rank that has a j-th node sends it to all, one slice to each,
 * straight out of the vector of its node sum. The plan cuts leaves into few nodes a rank, mostly one.
 *
 * Counts and displacements are in blocks of REDUCE_BLOCK floats, one datatype for all sides and ranks: an int
 * holds 2^31 blocks, and Open MPI's algorithms rely on ranks describing the same bytes alike. MPI_IN_PLACE
 * comes with a valid type, which older Open MPI looks at although the standard has it ignored.
 *
 * All calls are nonblocking and waited for in comm_wait. The rounds are messages of our own: an
 * MPI_Ialltoallv in which some ranks send nothing was seen not to end (Open MPI 4.1.4). Its nonblocking
 * all-gather sends every slice to every rank from its owner, so between two hosts a vector would pass once
 * for each pair of ranks: large vectors go round a ring instead, in rank order, and pass between two hosts
 * once. */
#include "comm/reduce.h"

#include "base/exact.h"
#include "base/memory.h"
#include "comm/squares.h"
#include "comm/wait.h"

#include <assert.h>
#include <limits.h>
#include <string.h>

enum { RING_BLOCKS = 16 }; /* vectors of more blocks go round the ring */

struct reduce {
    const struct comm *comm;
    size_t length; /* floats */
    MPI_Datatype block;
    int *integers;         /* one allocation for both tables of ints, [ranks] each */
    int *starts, *counts;  /* slice of each rank in blocks */
    MPI_Request *requests; /* [2 ranks] of a round */

    size_t room;             /* nodes that the exchange buffer holds; the same on all ranks */
    float *buffer;           /* [room][slice in whole blocks] */
    float **vectors;         /* [room] into buffer */
    struct tree_node *nodes; /* [room] of all ranks, left to right */
    size_t *first_node;      /* [ranks + 1] index of each rank's first node */
};

size_t reduce_room(size_t length)
{
    return (length + REDUCE_BLOCK - 1) / REDUCE_BLOCK * REDUCE_BLOCK;
}

static size_t count_blocks(const struct reduce *reduce)
{
    return reduce_room(reduce->length) / REDUCE_BLOCK;
}

/* How many floats this rank's slice has, in whole blocks. */
static size_t slice_room(const struct reduce *reduce)
{
    return (size_t)reduce->counts[reduce->comm->rank] * REDUCE_BLOCK;
}

void reduce_get_slice(const struct reduce *reduce, size_t *first, size_t *count)
{
    size_t start = (size_t)reduce->starts[reduce->comm->rank] * REDUCE_BLOCK;
    size_t end = start + slice_room(reduce);
    end = end < reduce->length ? end : reduce->length;
    *count = slice_room(reduce) ? end - start : 0;
    *first = *count ? start : reduce->length;
}

size_t reduce_bytes(const struct reduce *reduce)
{
    return reduce->room * slice_room(reduce) * sizeof(float);
}

/* Makes room for `room` nodes. Every rank calls, with the same room, since one without memory must stop all.
 */
static int grow(struct reduce *reduce, size_t room, struct error *error)
{
    struct error own = {0};
    size_t slice = slice_room(reduce);
    float *buffer = NULL, **vectors = NULL;
    struct tree_node *nodes = NULL;
    if (room > (size_t)INT_MAX / (count_blocks(reduce) / (size_t)reduce->comm->ranks + 1))
        error_set(&own, EXIT_CODE_INTERNAL,
            "%zu node sums of %zu weights on %d ranks are more than MPI counts", room, reduce->length,
            reduce->comm->ranks);
    else if (!(buffer = memory_create(room, slice * sizeof *buffer, &own)) ||
        !(vectors = memory_create(room, sizeof *vectors, &own)))
        error_explain_memory(&own, "what ranks exchange of the gradients",
            "more ranks on more nodes, or a smaller model.hidden or model.layers, take");
    else
        nodes = memory_create(room, sizeof *nodes, &own);
    if (comm_agree(reduce->comm, &own)) {
        memory_destroy(buffer);
        memory_destroy(vectors);
        memory_destroy(nodes);
        return error_set(error, own.code, "%s", own.text);
    }
    assert(buffer && vectors && nodes); /* else this rank would have had an error to agree on */
    memory_destroy(reduce->buffer);
    memory_destroy(reduce->vectors);
    memory_destroy(reduce->nodes);
    reduce->room = room;
    reduce->buffer = buffer;
    reduce->vectors = vectors;
    reduce->nodes = nodes;
    for (size_t i = 0; i < room; i++)
        vectors[i] = buffer + i * slice;
    return 0;
}

/* Divides the blocks evenly; the first ranks have one more. */
static void cut_slices(struct reduce *reduce)
{
    int ranks = reduce->comm->ranks, blocks = (int)count_blocks(reduce);
    for (int r = 0, start = 0; r < ranks; r++) {
        reduce->starts[r] = start;
        reduce->counts[r] = blocks / ranks + (r < blocks % ranks);
        start += reduce->counts[r];
    }
}

static int allocate_tables(struct reduce *reduce, struct error *error)
{
    size_t ranks = (size_t)reduce->comm->ranks;
    reduce->integers = memory_create(2 * ranks, sizeof *reduce->integers, error);
    reduce->requests = memory_create(2 * ranks, sizeof(MPI_Request), error);
    reduce->first_node = memory_create(ranks + 1, sizeof *reduce->first_node, error);
    if (!reduce->integers || !reduce->requests || !reduce->first_node)
        return -1;
    reduce->starts = reduce->integers;
    reduce->counts = reduce->integers + ranks;
    cut_slices(reduce);
    return 0;
}

struct reduce *reduce_create(const struct comm *comm, size_t length, struct error *error)
{
    assert(length > 0);
    struct error own = {0};
    struct reduce *reduce = memory_create(1, sizeof *reduce, &own);
    if (reduce) {
        *reduce = (struct reduce){.comm = comm, .length = length, .block = MPI_DATATYPE_NULL};
        if (count_blocks(reduce) > INT_MAX)
            error_set(&own, EXIT_CODE_INTERNAL, "%zu weights are more than MPI counts", length);
        else
            allocate_tables(reduce, &own);
    }
    if (comm_agree(comm, &own)) {
        error_set(error, own.code, "%s", own.text);
        reduce_destroy(reduce);
        return NULL;
    }
    MPI_Type_contiguous(REDUCE_BLOCK, MPI_FLOAT, &reduce->block);
    MPI_Type_commit(&reduce->block);
    /* One node: what reduce_collect and reduce_spread need. A world of one rank exchanges nothing. */
    if (comm->ranks > 1 && grow(reduce, 1, error)) {
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
    memory_destroy(reduce->integers);
    memory_destroy(reduce->requests);
    memory_destroy(reduce->first_node);
    memory_destroy(reduce->buffer);
    memory_destroy(reduce->vectors);
    memory_destroy(reduce->nodes);
    memory_destroy(reduce);
}

/* Lists the nodes of all ranks from left to right, with room for all of them; *rounds is the largest number
 * that one rank has. Returns -1 without memory. */
static int list_all_nodes(
    struct reduce *reduce, const size_t *ranges, size_t n, size_t *rounds, struct error *error)
{
    struct tree_node nodes[TREE_MOST_NODES];
    size_t most = 0, total = 0;
    for (int r = 0; r < reduce->comm->ranks; r++) {
        size_t count = tree_list_nodes(n, ranges[r], ranges[r + 1], nodes);
        most = count > most ? count : most;
        reduce->first_node[r] = total;
        total += count;
    }
    reduce->first_node[reduce->comm->ranks] = total;
    if (total > reduce->room && grow(reduce, total, error))
        return -1;
    for (int r = 0; r < reduce->comm->ranks; r++) {
        size_t count = tree_list_nodes(n, ranges[r], ranges[r + 1], nodes);
        memcpy(reduce->nodes + reduce->first_node[r], nodes, count * sizeof *nodes);
    }
    *rounds = most;
    return 0;
}

/* Round j sends the j-th node of each rank that has one to all. Each rank begins with its right neighbour, so
 * that not all talk to the same rank at a time. */
static void exchange_round(struct reduce *reduce, size_t j, const struct tree_sums *sums)
{
    const struct comm *comm = reduce->comm;
    int rank = comm->rank, ranks = comm->ranks, own = reduce->counts[rank], pending = 0;
    for (int away = 1; away < ranks && own; away++) {
        int from = (rank + ranks - away) % ranks;
        size_t node = reduce->first_node[from] + j;
        if (node < reduce->first_node[from + 1])
            MPI_Irecv(reduce->vectors[node], own, reduce->block, from, 0, MPI_COMM_WORLD,
                &reduce->requests[pending++]);
    }
    for (int away = 1; away < ranks && j < sums->held; away++) {
        int to = (rank + away) % ranks;
        if (reduce->counts[to])
            MPI_Isend(sums->vectors[j] + (size_t)reduce->starts[to] * REDUCE_BLOCK, reduce->counts[to],
                reduce->block, to, 0, MPI_COMM_WORLD, &reduce->requests[pending++]);
    }
    if (j < sums->held && own)
        memcpy(reduce->vectors[reduce->first_node[rank] + j],
            sums->vectors[j] + (size_t)reduce->starts[rank] * REDUCE_BLOCK,
            slice_room(reduce) * sizeof(float));
    while (pending > 0)
        comm_wait(comm, &reduce->requests[--pending]);
}

static void check_sums(
    const struct reduce *reduce, const size_t *ranges, size_t n, const struct tree_sums *sums)
{
    int rank = reduce->comm->rank;
    assert(n > 0 && ranges[0] == 0 && ranges[reduce->comm->ranks] == n);
    assert(sums->length == reduce_room(reduce->length) && sums->n == n);
    assert(sums->first == ranges[rank] && sums->end == ranges[rank + 1] && sums->next == sums->end);
}

int reduce_slices(struct reduce *reduce, const size_t *ranges, size_t n, const struct tree_sums *sums,
    float *slice, struct error *error)
{
    check_sums(reduce, ranges, n, sums);
    if (reduce->comm->ranks == 1) { /* the root's sum is complete */
        if (slice != sums->vectors[0])
            memcpy(slice, sums->vectors[0], reduce->length * sizeof *slice);
        return 0;
    }
    size_t rounds, first, count;
    if (list_all_nodes(reduce, ranges, n, &rounds, error))
        return -1;
    for (size_t j = 0; j < rounds; j++)
        exchange_round(reduce, j, sums);
    reduce_get_slice(reduce, &first, &count);
    tree_complete(n, reduce->first_node[reduce->comm->ranks], reduce->nodes, reduce->vectors, count);
    if (count)
        memcpy(slice, reduce->vectors[0], count * sizeof *slice);
    return 0;
}

double reduce_squares(struct reduce *reduce, const float *slice)
{
    uint64_t sum[EXACT_WORDS] = {0};
    size_t first, count;
    reduce_get_slice(reduce, &first, &count);
    for (size_t i = 0; i < count; i += REDUCE_BLOCK)
        exact_add(sum, squares_sum_block(slice + i, count - i < REDUCE_BLOCK ? count - i : REDUCE_BLOCK));
    exact_carry(sum);
    if (reduce->comm->ranks > 1)
        comm_sum_uint64(reduce->comm, sum, EXACT_WORDS);
    return exact_round(sum);
}

/* Round a ring: each hands on to its right what it got from its left in the round before, its own slice
 * first. */
static void gather_ring(struct reduce *reduce, float *vector)
{
    const struct comm *comm = reduce->comm;
    int ranks = comm->ranks, right = (comm->rank + 1) % ranks, left = (comm->rank + ranks - 1) % ranks;
    for (int round = 0; round + 1 < ranks; round++) {
        int out = (comm->rank + ranks - round) % ranks, in = (left + ranks - round) % ranks;
        MPI_Request receive = MPI_REQUEST_NULL, send = MPI_REQUEST_NULL;
        if (reduce->counts[in])
            MPI_Irecv(vector + (size_t)reduce->starts[in] * REDUCE_BLOCK, reduce->counts[in], reduce->block,
                left, 0, MPI_COMM_WORLD, &receive);
        if (reduce->counts[out])
            MPI_Isend(vector + (size_t)reduce->starts[out] * REDUCE_BLOCK, reduce->counts[out], reduce->block,
                right, 0, MPI_COMM_WORLD, &send);
        comm_wait(comm, &receive);
        comm_wait(comm, &send);
    }
}

void reduce_gather(struct reduce *reduce, float *vector)
{
    MPI_Request request;
    if (reduce->comm->ranks > 1 && count_blocks(reduce) > RING_BLOCKS) {
        gather_ring(reduce, vector);
    } else if (reduce->comm->ranks > 1) {
        MPI_Iallgatherv(MPI_IN_PLACE, 0, reduce->block, vector, reduce->counts, reduce->starts, reduce->block,
            MPI_COMM_WORLD, &request);
        comm_wait(reduce->comm, &request);
    }
}

/* Both go through the exchange buffer, which has whole blocks where the caller's last slice may not. */
void reduce_collect(struct reduce *reduce, const float *slice, float *vector)
{
    size_t first, count;
    reduce_get_slice(reduce, &first, &count);
    if (reduce->comm->ranks == 1) {
        memcpy(vector, slice, count * sizeof *slice);
        memset(vector + count, 0, (reduce_room(count) - count) * sizeof *vector);
        return;
    }
    if (count) {
        memcpy(reduce->buffer, slice, count * sizeof *slice);
        memset(reduce->buffer + count, 0, (slice_room(reduce) - count) * sizeof *slice);
    }
    MPI_Request request;
    MPI_Igatherv(reduce->buffer, reduce->counts[reduce->comm->rank], reduce->block, vector, reduce->counts,
        reduce->starts, reduce->block, 0, MPI_COMM_WORLD, &request);
    comm_wait(reduce->comm, &request);
}

void reduce_spread(struct reduce *reduce, const float *vector, float *slice)
{
    size_t first, count;
    reduce_get_slice(reduce, &first, &count);
    if (reduce->comm->ranks == 1) {
        memcpy(slice, vector, count * sizeof *slice);
        return;
    }
    MPI_Request request;
    MPI_Iscatterv(vector, reduce->counts, reduce->starts, reduce->block, reduce->buffer,
        reduce->counts[reduce->comm->rank], reduce->block, 0, MPI_COMM_WORLD, &request);
    comm_wait(reduce->comm, &request);
    if (count)
        memcpy(slice, reduce->buffer, count * sizeof *slice);
}

/* Memory with a name (shm_open) has all pages taken at once by posix_fallocate, since a tmpfs that is full
 * would otherwise end a process at the first touch of a page. The first rank of a node makes it under a name
 * that nobody has, the others open it by this name, and pages are taken when it has no name any more: who is
 * killed in between leaves an empty file at most.
 *
 * Ranks of a host are found twice: first by what MPI says (MPI_COMM_TYPE_SHARED), and then by what they can
 * map: processes of one kernel may live in containers that see different folders. */
#define _GNU_SOURCE /* madvise, MAP_ANONYMOUS */
#include "comm/node.h"

#include "base/file.h"
#include "base/machine.h"
#include "base/memory.h"
#include "comm/comm.h"
#include "comm/wait.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

enum { NAME = 40 };

/* ---- who is on which host ---- */

static int ranks_of_node_at_most(void)
{
    const char *text = getenv("RNN_RANKS_PER_NODE");
    int most = text ? atoi(text) : 0;
    return most > 0 && most < NODE_MOST_RANKS ? most : NODE_MOST_RANKS;
}

/* The ranks of a host call. Are they more than the processors that they may run on? */
static int is_crowded(MPI_Comm host)
{
    uint64_t set[MACHINE_SET_WORDS];
    int ranks, processors = 0;
    machine_find_processors(set);
    MPI_Allreduce(MPI_IN_PLACE, set, MACHINE_SET_WORDS, MPI_UINT64_T, MPI_BOR, host);
    for (int i = 0; i < MACHINE_SET_WORDS; i++)
        processors += __builtin_popcountll(set[i]);
    MPI_Comm_size(host, &ranks);
    return ranks > processors;
}

/* All ranks call. The ranks of a host, or of a part of it that is to be a node, in order of their numbers;
 * the caller frees the communicator. */
static MPI_Comm find_host(int *crowded)
{
    MPI_Comm host, part;
    int rank, most = ranks_of_node_at_most();
    MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &host);
    *crowded = is_crowded(host);
    MPI_Comm_rank(host, &rank);
    MPI_Comm_split(host, rank / most, rank, &part);
    MPI_Comm_free(&host);
    return part;
}

/* ---- memory ---- */

static int make_name(char name[static NAME])
{
    uint64_t number;
    if (getrandom(&number, sizeof number, 0) != (ssize_t)sizeof number)
        return -1;
    snprintf(name, NAME, "/rnn-train.%016llx", (unsigned long long)number);
    return 0;
}

/* Returns a descriptor of new memory under a new name, which takes no pages yet, or -1 and errno. */
static int make_memory(char name[static NAME])
{
    if (make_name(name))
        return -1;
    int file = shm_open(name, O_RDWR | O_CREAT | O_EXCL, 0600);
    if (file < 0)
        name[0] = 0;
    return file;
}

static void share_integer(const struct comm *comm, MPI_Comm host, int *value, MPI_Op op)
{
    MPI_Request request;
    MPI_Iallreduce(MPI_IN_PLACE, value, 1, MPI_INT, op, host, &request);
    comm_wait(comm, &request);
}

/* The ranks of a host call. Returns a descriptor of the same memory on each, which has no name any more; or
 * -1, and then *reason is that of one on all of them. */
static int open_memory(const struct comm *comm, MPI_Comm host, int rank, int *reason)
{
    char name[NAME] = "";
    MPI_Request request;
    int file = rank == 0 ? make_memory(name) : -1;
    *reason = rank == 0 && file < 0 ? errno : 0;
    MPI_Ibcast(name, NAME, MPI_CHAR, 0, host, &request);
    comm_wait(comm, &request);
    if (rank > 0 && name[0])
        file = shm_open(name, O_RDWR, 0600);
    if (file < 0 && !*reason && name[0])
        *reason = errno;
    share_integer(comm, host, reason, MPI_MAX);
    if (rank == 0 && name[0])
        shm_unlink(name);
    return file;
}

/* Bytes. What reads many small pages in turn waits for the processor to find them. */
enum { HUGE_PAGE = 2 << 20 };
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25 /* of Linux 6.1 */
#endif

/* Maps the memory where a huge page may begin. Returns MAP_FAILED and errno where that fails. */
static void *map_memory(int file, size_t size)
{
    char *room = mmap(NULL, size + HUGE_PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (room == MAP_FAILED)
        return room;
    size_t before = (HUGE_PAGE - (uintptr_t)room % HUGE_PAGE) % HUGE_PAGE,
           page = (size_t)sysconf(_SC_PAGESIZE);
    size_t mapped = (size + page - 1) / page * page;
    void *memory = mmap(room + before, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, file, 0);
    int reason = errno;
    if (before)
        munmap(room, before);
    munmap(room + before + mapped, size + HUGE_PAGE - before - mapped);
    if (memory == MAP_FAILED)
        munmap(room + before, mapped);
    errno = reason;
    return memory;
}

/* The ranks of a host call. Returns the memory, or NULL on all of them, and then *reason is that of one. */
static void *share_memory(const struct comm *comm, MPI_Comm host, int rank, size_t size, int *reason)
{
    void *memory = MAP_FAILED;
    int file = open_memory(comm, host, rank, reason);
    if (rank == 0 && !*reason)
        *reason = file_has_room(file, (int64_t)size) ? posix_fallocate(file, 0, (off_t)size) : errno;
    share_integer(comm, host, reason, MPI_MAX);
    if (!*reason) {
        memory = map_memory(file, size);
        *reason = memory == MAP_FAILED ? errno : 0;
    }
    if (file >= 0)
        close(file);
    share_integer(comm, host, reason, MPI_MAX);
    if (*reason && memory != MAP_FAILED)
        munmap(memory, size);
    return *reason ? NULL : memory;
}

/* ---- places ---- */

/* Fills in places from the lowest rank of each rank's node. lowest [ranks]. */
static void find_places(struct node *node, const int *lowest)
{
    int ranks = node->comm->ranks, place = 0;
    for (int first = 0; first < ranks; first++) {
        if (lowest[first] != first)
            continue;
        node->first_place[node->nodes] = place;
        if (lowest[node->comm->rank] == first)
            node->index = node->nodes;
        node->nodes++;
        for (int r = first; r < ranks; r++)
            if (lowest[r] == first) {
                node->place_of[r] = place;
                node->ranks_at[place++] = r;
            }
    }
    node->first_place[node->nodes] = place;
    node->place = node->place_of[node->comm->rank];
    node->rank = node->place - node->first_place[node->index];
    node->ranks = node->first_place[node->index + 1] - node->first_place[node->index];
}

/* All ranks call. Tells every rank the lowest rank of every rank's node, and finds the places by it. */
static int share_places(struct node *node, int first, struct error *error)
{
    const struct comm *comm = node->comm;
    int *lowest = memory_create((size_t)comm->ranks, sizeof *lowest, error);
    node->ranks_at = memory_create((size_t)comm->ranks, sizeof *node->ranks_at, error);
    node->place_of = memory_create((size_t)comm->ranks, sizeof *node->place_of, error);
    node->first_place = memory_create((size_t)comm->ranks + 1, sizeof *node->first_place, error);
    if (comm_agree(comm, error)) {
        memory_destroy(lowest);
        return -1;
    }
    MPI_Request request;
    MPI_Iallgather(&first, 1, MPI_INT, lowest, 1, MPI_INT, MPI_COMM_WORLD, &request);
    comm_wait(comm, &request);
    find_places(node, lowest);
    memory_destroy(lowest);
    return 0;
}

/* ---- all of it ---- */

/* What a node keeps beside what it hands out. The scratch of node_sum is there twice: a rank that is ahead
 * fills one while others still read the other. */
struct node_shared {
    MPI_Comm host, leaders; /* the ranks of this node; the first ranks of all nodes, or MPI_COMM_NULL */
    char *memory;           /* [size]: meeting, scratch, then what is handed out */
    size_t size, used;
    struct meeting *meeting;
    uint64_t *scratch[2]; /* [ranks + 1][NODE_WORDS] each */
    int turn;
};

static size_t round_up(size_t bytes)
{
    return (bytes + MEMORY_ALIGNMENT - 1) / MEMORY_ALIGNMENT * MEMORY_ALIGNMENT;
}

size_t node_count_bytes(size_t ranks)
{
    return round_up(sizeof(struct meeting)) + 2 * (ranks + 1) * NODE_WORDS * sizeof(uint64_t);
}

size_t node_count_all(struct node_size size, size_t ranks)
{
    return node_count_bytes(ranks) + round_up(size.once) + ranks * round_up(size.of_rank);
}

static void explain(const struct comm *comm, int ranks, size_t bytes, int reason, char *text, size_t size)
{
    snprintf(text, size,
        "%s: its %d ranks cannot share %.4g MiB (%s): each keeps all of that for itself, and works "
        "by itself: 'df /dev/shm' shows what there is",
        comm->host, ranks, (double)bytes / (1 << 20), strerror(reason));
}

/* The ranks of a host call. Returns memory for them, or NULL on all of them where they have none together. */
static char *share_host(
    const struct comm *comm, MPI_Comm host, struct node_size size, char *warning, size_t size_of_warning)
{
    int rank, ranks, reason = 0;
    MPI_Comm_rank(host, &rank);
    MPI_Comm_size(host, &ranks);
    if (ranks == 1)
        return NULL;
    char *memory = share_memory(comm, host, rank, node_count_all(size, (size_t)ranks), &reason);
    if (!memory && rank == 0)
        explain(comm, ranks, node_count_all(size, (size_t)ranks), reason, warning, size_of_warning);
    return memory;
}

/* Every rank calls. Finds who shares memory, and returns the lowest of them. */
static int find_node(struct node *node, struct node_size size, char *warning, size_t size_of_warning)
{
    struct node_shared *shared = node->shared;
    const struct comm *comm = node->comm;
    int first = comm->rank;
    comm_barrier(comm); /* what follows is quick, but cannot be watched */
    MPI_Comm host = find_host(&node->is_crowded);
    shared->memory = share_host(comm, host, size, warning, size_of_warning);
    node->is_private = !shared->memory;
    if (shared->memory)
        share_integer(comm, host, &first, MPI_MIN);
    MPI_Comm_free(&host);
    MPI_Comm_split(MPI_COMM_WORLD, first, comm->rank, &shared->host);
    return first;
}

static void take_own(struct node *node)
{
    struct node_shared *shared = node->shared;
    shared->meeting = node_take(node, sizeof *shared->meeting);
    meeting_init(shared->meeting, node->is_crowded);
    for (int turn = 0; turn < 2; turn++)
        shared->scratch[turn] = node_take(node, (size_t)(node->ranks + 1) * NODE_WORDS * sizeof(uint64_t));
}

int node_init(struct node *node, const struct comm *comm, struct node_size size, char *warning,
    size_t size_of_warning, struct error *error)
{
    *node = (struct node){.comm = comm};
    warning[0] = 0;
    node->shared = memory_create(1, sizeof *node->shared, error);
    if (comm_agree(comm, error))
        return -1;
    struct node_shared *shared = node->shared;
    shared->host = shared->leaders = MPI_COMM_NULL;
    if (share_places(node, find_node(node, size, warning, size_of_warning), error))
        return -1;
    shared->size = node_count_all(size, (size_t)node->ranks);
    if (node->is_private)
        shared->memory = memory_create(shared->size, 1, error);
    if (comm_agree(comm, error))
        return -1;
    MPI_Comm_split(MPI_COMM_WORLD, node->rank ? MPI_UNDEFINED : 0, node->index, &shared->leaders);
    take_own(node);
    return 0;
}

void node_finish(struct node *node)
{
    struct node_shared *shared = node->shared;
    if (!shared)
        return;
    if (shared->leaders != MPI_COMM_NULL)
        MPI_Comm_free(&shared->leaders);
    if (shared->host != MPI_COMM_NULL)
        MPI_Comm_free(&shared->host);
    node_unshare(node, shared->memory, shared->size);
    memory_destroy(shared);
    memory_destroy(node->ranks_at);
    memory_destroy(node->place_of);
    memory_destroy(node->first_place);
    *node = (struct node){0};
}

void *node_take(struct node *node, size_t bytes)
{
    struct node_shared *shared = node->shared;
    char *piece = shared->memory + shared->used;
    shared->used += round_up(bytes);
    assert(shared->used <= shared->size);
    return piece;
}

/* The whole pages of a piece are dealt to the ranks. Where the system does not know how, or has no memory in
 * one piece, all stays as it is. */
void node_use_huge_pages(const struct node *node, void *memory, size_t bytes)
{
    size_t before = (HUGE_PAGE - (uintptr_t)memory % HUGE_PAGE) % HUGE_PAGE;
    size_t pages = bytes > before ? (bytes - before) / HUGE_PAGE : 0, ranks = (size_t)node->ranks;
    size_t first = pages * (size_t)node->rank / ranks, end = pages * ((size_t)node->rank + 1) / ranks;
    if (first < end && !node->is_private)
        madvise((char *)memory + before + first * HUGE_PAGE, (end - first) * HUGE_PAGE, MADV_COLLAPSE);
}

void *node_share(struct node *node, size_t bytes, struct error *error)
{
    int reason = 0;
    if (node->is_private)
        return memory_create(bytes, 1, error);
    void *memory = share_memory(node->comm, node->shared->host, node->rank, bytes, &reason);
    if (!memory)
        error_set(error, EXIT_CODE_INTERNAL,
            "%s: its %d ranks cannot share %.4g MiB (%s): 'df /dev/shm' shows what there is",
            node->comm->host, node->ranks, (double)bytes / (1 << 20), strerror(reason));
    return memory;
}

void node_unshare(struct node *node, void *memory, size_t bytes)
{
    if (node->is_private)
        memory_destroy(memory);
    else if (memory)
        munmap(memory, bytes);
}

void node_meet(struct node *node)
{
    meeting_come(node->comm, node->shared->meeting, (unsigned)node->ranks, NULL);
}

/* Each rank adds a share of the words over the ranks of the node, into the last row of the scratch. */
static void sum_share(const struct node *node, uint64_t *scratch, uint64_t *sums, size_t n)
{
    size_t rank = (size_t)node->rank, ranks = (size_t)node->ranks;
    for (size_t w = rank * n / ranks; w < (rank + 1) * n / ranks; w++) {
        sums[w] = scratch[w];
        for (size_t r = 1; r < ranks; r++)
            sums[w] += scratch[r * NODE_WORDS + w];
    }
}

/* Returns where the sums over this node lie until the second next call. */
static uint64_t *add_inside(struct node *node, const uint64_t *words, size_t n)
{
    struct node_shared *shared = node->shared;
    assert(n <= NODE_WORDS);
    uint64_t *scratch = shared->scratch[shared->turn ^= 1], *sums = scratch + node->ranks * NODE_WORDS;
    memcpy(scratch + node->rank * NODE_WORDS, words, n * sizeof *words);
    node_meet(node);
    sum_share(node, scratch, sums, n);
    node_meet(node);
    return sums;
}

void node_sum_inside(struct node *node, uint64_t *words, size_t n)
{
    if (node->ranks > 1)
        memcpy(words, add_inside(node, words, n), n * sizeof *words);
}

void node_gather_inside(struct node *node, uint64_t word, uint64_t *words)
{
    struct node_shared *shared = node->shared;
    uint64_t *scratch = shared->scratch[shared->turn ^= 1];
    scratch[node->rank * NODE_WORDS] = word;
    node_meet(node);
    for (int r = 0; r < node->ranks; r++)
        words[r] = scratch[r * NODE_WORDS];
}

void node_sum(struct node *node, uint64_t *words, size_t n)
{
    if (node->nodes == 1) {
        node_sum_inside(node, words, n);
        return;
    }
    uint64_t *sums = add_inside(node, words, n);
    MPI_Request request = MPI_REQUEST_NULL;
    if (node->rank == 0)
        MPI_Iallreduce(MPI_IN_PLACE, sums, (int)n, MPI_UINT64_T, MPI_SUM, node->shared->leaders, &request);
    comm_wait(node->comm, &request);
    node_meet(node);
    memcpy(words, sums, n * sizeof *words);
}

static int find_node_of(const struct node *node, int rank)
{
    int index = 0;
    while (node->first_place[index + 1] <= node->place_of[rank])
        index++;
    return index;
}

void node_broadcast(struct node *node, void *bytes, size_t n, int root)
{
    enum { PIECE = 1 << 29 };
    node_meet(node);
    if (node->nodes == 1)
        return;
    int from = find_node_of(node, root);
    for (size_t done = 0, piece; done < n && node->rank == 0; done += piece) {
        MPI_Request request;
        piece = n - done < PIECE ? n - done : PIECE;
        MPI_Ibcast((char *)bytes + done, (int)piece, MPI_BYTE, from, node->shared->leaders, &request);
        comm_wait(node->comm, &request);
    }
    node_meet(node);
}

void node_unite(struct node *node, void *words, size_t n)
{
    enum { PIECE = 1 << 27 };
    node_meet(node);
    if (node->nodes == 1)
        return;
    for (size_t done = 0, piece; done < n && node->rank == 0; done += piece) {
        MPI_Request request;
        piece = n - done < PIECE ? n - done : PIECE;
        MPI_Iallreduce(MPI_IN_PLACE, (uint32_t *)words + done, (int)piece, MPI_UINT32_T, MPI_BOR,
            node->shared->leaders, &request);
        comm_wait(node->comm, &request);
    }
    node_meet(node);
}

/* Every node has all weights, and all nodes must have the same. Before each update and before each checkpoint
 * every rank hashes its share of its node's copy again. A hash that is not what it was after the last update
 * tells of a flipped bit, and nodes with different hashes of an exchange that went wrong. That something is
 * wrong all ranks see on the ballot; only then do they look for the rank. */
#include "base/hash.h"
#include "run/learner.h"

#include <math.h>

static int is_finite(const float *values, size_t n)
{
    int bad = 0;
    for (size_t i = 0; i < n; i++)
        bad |= !isfinite(values[i]);
    return !bad;
}

uint64_t learner_hash_share(const struct learner *learner, uint64_t *unfit)
{
    size_t blocks = reduce_room(learner->P) / REDUCE_BLOCK, ranks = (size_t)learner->node.ranks;
    size_t rank = (size_t)learner->node.rank;
    uint64_t hash = 0;
    *unfit = 0;
    for (size_t i = rank * blocks / ranks; i < (rank + 1) * blocks / ranks; i++) {
        const float *block = learner->weights + i * REDUCE_BLOCK;
        hash += hash_combine(i, hash_bytes(block, REDUCE_BLOCK * sizeof *block));
        *unfit += !is_finite(block, REDUCE_BLOCK);
    }
    return hash;
}

/* All ranks call. The lowest rank that is at fault, on all of them. */
static int find_first(const struct comm *comm, int at_fault)
{
    int64_t distance = at_fault ? comm->ranks - comm->rank : 0;
    comm_max_int64(comm, &distance, 1);
    return comm->ranks - (int)distance;
}

int ballot_check_replicas(const struct ballot *ballot, const struct comm *comm, const struct replica *own,
    int64_t step, struct error *error)
{
    if (!ballot->changed && !ballot->differ)
        return 0;
    int bad = find_first(comm, ballot->changed ? own->changed : own->hash != ballot->hash);
    const char *what =
        ballot->changed ? "have changed in memory since the last update" : "differ from those of most ranks";
    if (bad == comm->rank)
        error_set(error, EXIT_CODE_REPLICAS,
            "after step %lld: the weights of rank %d on %s %s: run the same command again to continue from "
            "the "
            "last checkpoint, without that host if it happens again",
            (long long)step, bad, comm->host, what);
    comm_broadcast(comm, error, sizeof *error, bad);
    return -1;
}

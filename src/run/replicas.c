/* Every rank has all weights, and all ranks must have the same. Before each update and before each checkpoint
 * every rank hashes its copy again: a hash that is not what it was after the last update tells of a flipped
 * bit on that rank, two ranks with different hashes of a gather that went wrong. A hash travels as two
 * halves, each exact as a double, in the rank's own place of a sum; a third number says that it has changed.
 */
#include "base/hash.h"
#include "base/memory.h"
#include "run/run.h"

#include <string.h>

enum { HASH_WIDTH = 3, HASH_HALVES = 2 };

size_t run_count_hashes(const struct comm *comm)
{
    return HASH_WIDTH * (size_t)comm->ranks;
}

void run_put_hash(const struct run *run, double *hashes)
{
    uint64_t hash = hash_bytes(run->weights, run->P * sizeof *run->weights);
    double *own = hashes + HASH_WIDTH * run->comm->rank;
    own[0] = (double)(hash >> 32);
    own[1] = (double)(hash & 0xffffffffu);
    own[HASH_HALVES] = hash != run->weights_hash;
}

static int same_hash(const double *hashes, int r, int other)
{
    return memcmp(hashes + HASH_WIDTH * r, hashes + HASH_WIDTH * other, HASH_HALVES * sizeof *hashes) == 0;
}

/* The first rank whose hash is not that of most ranks; -1: all are equal. */
static int find_minority(const double *hashes, int ranks)
{
    int best = 0, best_count = 0;
    for (int r = 0; r < ranks; r++) {
        int count = 0;
        for (int other = 0; other < ranks; other++)
            count += same_hash(hashes, r, other);
        if (count == ranks)
            return -1; /* the usual case ends here */
        if (count > best_count) {
            best = r;
            best_count = count;
        }
    }
    for (int r = 0; r < ranks; r++)
        if (!same_hash(hashes, r, best))
            return r;
    return -1;
}

int run_check_hashes(const struct run *run, const double *hashes, struct error *error)
{
    int ranks = run->comm->ranks, bad = -1;
    for (int r = ranks; r-- > 0;)
        if (hashes[HASH_WIDTH * r + HASH_HALVES] > 0)
            bad = r;
    const char *what =
        bad < 0 ? "differ from those of most ranks" : "have changed in memory since the last update";
    if (bad < 0)
        bad = find_minority(hashes, ranks);
    if (bad < 0)
        return 0;
    return error_set(error, EXIT_CODE_REPLICAS,
        "after step %lld: the weights of rank %d on %s %s: run the same command again to continue from the "
        "last "
        "checkpoint, without that host if it happens again",
        (long long)run->progress.step, bad, run->hosts ? run->hosts + HOST_WIDTH * bad : "its host", what);
}

int run_agree_weights(const struct run *run, struct error *error)
{
    double *hashes = memory_create(run_count_hashes(run->comm), sizeof *hashes, error);
    if (comm_agree(run->comm, error)) {
        memory_destroy(hashes);
        return -1;
    }
    run_put_hash(run, hashes);
    comm_sum(run->comm, hashes, run_count_hashes(run->comm));
    int differ = run_check_hashes(run, hashes, error);
    memory_destroy(hashes);
    return differ;
}

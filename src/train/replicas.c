/* Every rank has all weights, and all ranks must have the same: their hashes are compared before each update
 * and before each checkpoint. A hash travels as two halves, each exact as a double, in the rank's own place
 * of a sum. */
#include "base/hash.h"
#include "base/memory.h"
#include "train/run.h"

#include <string.h>

void run_put_hash(const struct run *run, double *hashes)
{
    uint64_t hash = hash_bytes(run->weights, run->P * sizeof *run->weights);
    hashes[2 * run->comm->rank] = (double)(hash >> 32);
    hashes[2 * run->comm->rank + 1] = (double)(hash & 0xffffffffu);
}

/* Replicas are compared with what most ranks have. */
int run_check_hashes(const struct run *run, const double *hashes, struct error *error)
{
    int ranks = run->comm->ranks, best = 0, best_count = 0;
    for (int r = 0; r < ranks; r++) {
        int count = 0;
        for (int other = 0; other < ranks; other++)
            count += memcmp(hashes + 2 * r, hashes + 2 * other, 2 * sizeof *hashes) == 0;
        if (count > best_count) {
            best = r;
            best_count = count;
        }
        if (count == ranks)
            return 0; /* the usual case ends here */
    }
    for (int r = 0; r < ranks; r++)
        if (memcmp(hashes + 2 * r, hashes + 2 * best, 2 * sizeof *hashes) != 0)
            return error_set(error, EXIT_CODE_REPLICAS,
                "after step %lld: the weights of rank %d on %s differ from those of %d other ranks (memory "
                "at "
                "fault?): run the same command again to continue from the last checkpoint, without that host "
                "if it "
                "happens again",
                (long long)run->progress.step, r, run->hosts ? run->hosts + 64 * r : "its host", best_count);
    return 0;
}

int run_agree_weights(const struct run *run, struct error *error)
{
    size_t n = 2 * (size_t)run->comm->ranks;
    double *hashes = memory_create(n, sizeof *hashes, error);
    if (comm_agree(run->comm, error)) {
        memory_destroy(hashes);
        return -1;
    }
    run_put_hash(run, hashes);
    comm_sum(run->comm, hashes, n);
    int differ = run_check_hashes(run, hashes, error);
    memory_destroy(hashes);
    return differ;
}

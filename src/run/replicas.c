/* Every rank has all weights, and all ranks must have the same. Before each update and before each checkpoint
 * every rank hashes its copy again. A hash that is not what it was after the last update tells of a flipped
 * bit on that rank, two ranks with different hashes of an exchange that went wrong. */
#include "run/ballot.h"

static int find_changed(const struct ballot *ballot)
{
    for (int r = 0; r < ballot->comm->ranks; r++)
        if (ballot->replica[r].changed)
            return r;
    return -1;
}

static int count_equal(const struct ballot *ballot, uint64_t hash)
{
    int count = 0;
    for (int r = 0; r < ballot->comm->ranks; r++)
        count += ballot->replica[r].hash == hash;
    return count;
}

/* Returns the first rank whose hash is not that of most ranks, or -1 where all are equal. */
static int find_minority(const struct ballot *ballot)
{
    const struct replica *replica = ballot->replica;
    int ranks = ballot->comm->ranks, best = 0, best_count = 0;
    for (int r = 0; r < ranks; r++) {
        int count = count_equal(ballot, replica[r].hash);
        if (count == ranks)
            return -1; /* the usual case ends here */
        if (count > best_count) {
            best = r;
            best_count = count;
        }
    }
    for (int r = 0; r < ranks; r++)
        if (replica[r].hash != replica[best].hash)
            return r;
    return -1;
}

int ballot_check_replicas(const struct ballot *ballot, int64_t step, struct error *error)
{
    int bad = find_changed(ballot);
    const char *what =
        bad < 0 ? "differ from those of most ranks" : "have changed in memory since the last update";
    if (bad < 0)
        bad = find_minority(ballot);
    if (bad < 0)
        return 0;
    return error_set(error, EXIT_CODE_REPLICAS,
        "after step %lld: the weights of rank %d on %s %s: run the same command again to continue from the "
        "last checkpoint, without that host if it happens again",
        (long long)step, bad, ballot->hosts ? ballot->hosts + BALLOT_HOST * bad : "its host", what);
}

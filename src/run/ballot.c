/* A ballot is packed as a few numbers that all ranks share, followed by a few of each rank's own, which are
 * zero in the ballots of the others. Seconds travel as whole nanoseconds. */
#include "run/ballot.h"

#include "base/memory.h"

#include <string.h>

enum { FAILED, LEFT, SIGNAL, LATE, SAVE, DATA_WAIT, WAITED, SHARED };
enum { HASH, CHANGED, BUSY, OWN };

static const double NANOSECONDS = 1e9;

size_t ballot_size(const struct comm *comm)
{
    return SHARED + OWN * (size_t)comm->ranks;
}

int ballot_init(struct ballot *ballot, const struct comm *comm, struct error *error)
{
    *ballot = (struct ballot){.comm = comm};
    ballot->replica = memory_create((size_t)comm->ranks, sizeof *ballot->replica, error);
    ballot->packed = memory_create(ballot_size(comm), sizeof *ballot->packed, error);
    if (comm->rank == 0)
        ballot->hosts = memory_create((size_t)comm->ranks, BALLOT_HOST, error);
    if (comm_agree(comm, error))
        return -1;
    comm_gather_texts(comm, comm->host, BALLOT_HOST, ballot->hosts);
    return 0;
}

void ballot_finish(struct ballot *ballot)
{
    memory_destroy(ballot->replica);
    memory_destroy(ballot->packed);
    memory_destroy(ballot->hosts);
    *ballot = (struct ballot){0};
}

void ballot_clear(struct ballot *ballot)
{
    ballot->failed = ballot->left = ballot->signal = ballot->late = ballot->save = 0;
    ballot->data_wait = ballot->waited = 0;
    memset(ballot->replica, 0, (size_t)ballot->comm->ranks * sizeof *ballot->replica);
}

struct replica *ballot_own(struct ballot *ballot)
{
    return &ballot->replica[ballot->comm->rank];
}

static uint64_t pack_seconds(double seconds)
{
    return seconds > 0 ? (uint64_t)(seconds * NANOSECONDS) : 0;
}

static double unpack_seconds(uint64_t value)
{
    return (double)value / NANOSECONDS;
}

void ballot_pack(const struct ballot *ballot, uint64_t *values)
{
    const struct comm *comm = ballot->comm;
    const struct replica *replica = &ballot->replica[comm->rank];
    memset(values, 0, ballot_size(comm) * sizeof *values);
    values[FAILED] = ballot->failed != 0;
    values[LEFT] = ballot->left != 0;
    values[SIGNAL] = ballot->signal != 0;
    values[LATE] = ballot->late != 0;
    values[SAVE] = ballot->save != 0;
    values[DATA_WAIT] = pack_seconds(ballot->data_wait);
    values[WAITED] = pack_seconds(ballot->waited);
    uint64_t *own = values + SHARED + OWN * comm->rank;
    own[HASH] = replica->hash;
    own[CHANGED] = replica->changed != 0;
    own[BUSY] = pack_seconds(replica->busy);
}

void ballot_unpack(struct ballot *ballot, const uint64_t *values)
{
    ballot->failed = values[FAILED] > 0;
    ballot->left = values[LEFT] > 0;
    ballot->signal = values[SIGNAL] > 0;
    ballot->late = values[LATE] > 0;
    ballot->save = values[SAVE] > 0;
    ballot->data_wait = unpack_seconds(values[DATA_WAIT]) / ballot->comm->ranks;
    ballot->waited = unpack_seconds(values[WAITED]);
    for (int r = 0; r < ballot->comm->ranks; r++) {
        const uint64_t *one = values + SHARED + OWN * r;
        ballot->replica[r] = (struct replica){
            .hash = one[HASH],
            .changed = one[CHANGED] > 0,
            .busy = unpack_seconds(one[BUSY]),
        };
    }
}

void ballot_count(struct ballot *ballot)
{
    ballot_pack(ballot, ballot->packed);
    comm_sum_uint64(ballot->comm, ballot->packed, ballot_size(ballot->comm));
    ballot_unpack(ballot, ballot->packed);
}

#include "pass/tally.h"

#include "base/memory.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int tally_init(struct tally *tally, size_t room, size_t extra, struct error *error)
{
    *tally = (struct tally){.room = room, .extra = extra};
    tally->sequence = memory_create(room, sizeof *tally->sequence, error);
    tally->values = memory_create(TALLY_WIDTH * room + extra, sizeof *tally->values, error);
    return tally->sequence && tally->values ? 0 : -1;
}

size_t tally_count_bytes(size_t room, size_t extra)
{
    const struct tally *tally = NULL;
    return room * sizeof *tally->sequence + (TALLY_WIDTH * room + extra) * sizeof *tally->values;
}

void tally_finish(struct tally *tally)
{
    memory_destroy(tally->sequence);
    memory_destroy(tally->values);
    *tally = (struct tally){0};
}

static int compare_indices(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

void tally_start(struct tally *tally, size_t n, const int64_t *sequence)
{
    assert(n <= tally->room);
    tally->n = n;
    for (size_t i = 0; i < n; i++)
        tally->sequence[i] = sequence ? sequence[i] : (int64_t)i;
    if (sequence)
        qsort(tally->sequence, n, sizeof *tally->sequence, compare_indices);
    memset(tally->values, 0, (TALLY_WIDTH * n + tally->extra) * sizeof *tally->values);
}

void tally_add(struct tally *tally, const struct microbatch *microbatch, const struct net_score *scores)
{
    for (size_t b = 0; b < microbatch->B; b++) {
        int64_t *place = bsearch(
            &microbatch->sequence[b], tally->sequence, tally->n, sizeof *tally->sequence, compare_indices);
        assert(place);
        double *values = tally->values + TALLY_WIDTH * (place - tally->sequence);
        values[0] = scores[b].loss;
        values[1] = scores[b].errors;
        values[2] = scores[b].counted;
        values[3] = scores[b].labels;
    }
}

double *tally_extra(struct tally *tally)
{
    return tally->values + TALLY_WIDTH * tally->n;
}

struct net_score tally_sum(struct tally *tally, const struct comm *comm)
{
    comm_sum(comm, tally->values, TALLY_WIDTH * tally->n + tally->extra);
    struct net_score sum = {0};
    for (size_t i = 0; i < tally->n; i++) {
        const double *values = tally->values + TALLY_WIDTH * i;
        sum.loss += values[0];
        sum.errors += values[1];
        sum.counted += values[2];
        sum.labels += values[3];
    }
    return sum;
}

double tally_count_wrong(const struct tally *tally)
{
    double wrong = 0;
    for (size_t i = 0; i < tally->n; i++) {
        double errors = tally->values[TALLY_WIDTH * i + 1];
        wrong += isnan(errors) ? NAN : errors > 0;
    }
    return wrong;
}

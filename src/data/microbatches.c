/* The bounds within which runs may end are those of data/ranges.h, where the dearest run is as cheap as can
 * be. Within them runs are made alike. */
#include "data/microbatches.h"

#include "data/ranges.h"

#include <assert.h>

/* What is left to be cut into so many runs. */
struct rest {
    struct stretch sequences; /* their costs are their lengths */
    size_t runs;
    int64_t frames;
};

static int64_t sum_lengths(const int64_t *length, size_t first, size_t n)
{
    int64_t sum = 0;
    for (size_t i = first; i < n; i++)
        sum += length[i];
    return sum;
}

/* The cost of a run if all that are left cost the same and begin with sequences of the mean length. */
static int64_t find_share(const struct rest *rest)
{
    int64_t runs = (int64_t)rest->runs, sequences = (int64_t)(rest->sequences.end - rest->sequences.first);
    assert(runs > 0 && sequences > 0);
    return microbatch_cost(rest->frames / runs, rest->frames / sequences);
}

/* The end in [low, high] of the run whose cost is nearest to `share`. */
static size_t end_near(const struct stretch *sequences, size_t low, size_t high, int64_t share)
{
    const int64_t *length = sequences->cost, first = length[sequences->first];
    int64_t frames = sum_lengths(length, sequences->first, low);
    size_t end = low;
    for (; end < high; end++) {
        int64_t cost = microbatch_cost(frames, first), more = length[end];
        if (cost >= share || share - cost <= cost + more - share)
            break;
        frames += more;
    }
    return end;
}

/* start[0] is the first sequence of the rest. */
static void cut_rest(struct rest rest, size_t *start)
{
    struct stretch *left = &rest.sequences;
    int64_t most = ranges_find_share(left, rest.runs);
    ranges_find_earliest(left, rest.runs, most, start);
    for (size_t r = 1; rest.runs > 1; r++) {
        size_t high = ranges_fill(left, left->first, rest.runs - 1, most);
        size_t low = start[r] > left->first ? start[r] : left->first + 1;
        start[r] = end_near(left, low, high, find_share(&rest));
        rest.frames -= sum_lengths(left->cost, left->first, start[r]);
        left->first = start[r];
        rest.runs--;
    }
}

void microbatches_cut(const int64_t *length, size_t n, size_t count, size_t *start)
{
    assert(count >= 1 && count <= n);
    struct rest rest = {.sequences = {.cost = length, .of_first = MICROBATCH_STEP_ROWS, .end = n},
        .runs = count,
        .frames = sum_lengths(length, 0, n)};
    struct stretch *left = &rest.sequences;
    while (rest.runs > 1 && n - left->first > rest.runs &&
        length[left->first] > rest.frames / (int64_t)rest.runs) {
        *start++ = left->first;
        rest.frames -= length[left->first++];
        rest.runs--;
    }
    cut_rest(rest, start);
    start[rest.runs] = n;
}

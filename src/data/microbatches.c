/* The least cost of the dearest run is found by bisection: a bound is possible if filling runs greedily needs
 * no more of them than there are. A run that is divided costs no more than before in either part, so what is
 * possible with fewer runs is possible with all, as long as there are sequences for them. */
#include "data/microbatches.h"

#include <assert.h>

/* What is left to be cut: sequences first .. n - 1 into `runs` runs. */
struct rest {
    const int32_t *length; /* [n] */
    size_t first, n, runs;
    int64_t frames;
};

static int64_t sum_lengths(const int32_t *length, size_t first, size_t n)
{
    int64_t sum = 0;
    for (size_t i = first; i < n; i++)
        sum += length[i];
    return sum;
}

/* The end of the longest run from `first` that costs at most `most` and leaves `spare` sequences. */
static size_t fill_run(const int32_t *length, size_t first, size_t n, size_t spare, int64_t most)
{
    size_t end = first;
    for (int64_t frames = 0; end + spare < n; end++) {
        frames += length[end];
        if (microbatch_cost(frames, length[first]) > most)
            break;
    }
    return end;
}

static int is_possible(const struct rest *rest, int64_t most)
{
    size_t end = rest->first;
    for (size_t r = 0; r < rest->runs && end < rest->n; r++)
        end = fill_run(rest->length, end, rest->n, 0, most);
    return end == rest->n;
}

static int64_t find_dearest(const struct rest *rest)
{
    int64_t longest = rest->length[rest->first];
    int64_t low = microbatch_cost(longest, longest), high = microbatch_cost(rest->frames, longest);
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (is_possible(rest, middle))
            high = middle;
        else
            low = middle + 1;
    }
    return high;
}

/* Writes into start[1] .. start[runs - 1] the earliest places from which on the runs that are left suffice,
 * each with a sequence. */
static void find_earliest(const struct rest *rest, int64_t most, size_t *start)
{
    size_t first = rest->n;
    for (size_t r = rest->runs; r-- > 1;) {
        int64_t frames = 0;
        for (; first > rest->first + r; first--) {
            frames += rest->length[first - 1];
            if (microbatch_cost(frames, rest->length[first - 1]) > most)
                break;
        }
        start[r] = first;
    }
}

/* The cost of a run if all that are left cost the same and begin with sequences of the mean length. */
static int64_t find_share(const struct rest *rest)
{
    int64_t runs = (int64_t)rest->runs, sequences = (int64_t)(rest->n - rest->first);
    return microbatch_cost(rest->frames / runs, rest->frames / sequences);
}

/* The end in [low, high] of the run whose cost is nearest to `share`. */
static size_t end_near(const struct rest *rest, size_t low, size_t high, int64_t share)
{
    int64_t frames = sum_lengths(rest->length, rest->first, low);
    size_t end = low;
    for (; end < high; end++) {
        int64_t cost = microbatch_cost(frames, rest->length[rest->first]), more = rest->length[end];
        if (cost >= share || share - cost <= cost + more - share)
            break;
        frames += more;
    }
    return end;
}

/* start[0] is the first sequence of the rest. */
static void cut_rest(struct rest rest, size_t *start)
{
    int64_t most = find_dearest(&rest);
    find_earliest(&rest, most, start);
    for (size_t r = 1; rest.runs > 1; r++) {
        size_t high = fill_run(rest.length, rest.first, rest.n, rest.runs - 1, most);
        size_t low = start[r] > rest.first ? start[r] : rest.first + 1;
        start[r] = end_near(&rest, low, high, find_share(&rest));
        rest.frames -= sum_lengths(rest.length, rest.first, start[r]);
        rest.first = start[r];
        rest.runs--;
    }
}

void microbatches_cut(const int32_t *length, size_t n, size_t count, size_t *start)
{
    assert(count >= 1 && count <= n);
    struct rest rest = {.length = length, .n = n, .runs = count, .frames = sum_lengths(length, 0, n)};
    while (rest.runs > 1 && rest.n - rest.first > rest.runs &&
        length[rest.first] > rest.frames / (int64_t)rest.runs) {
        *start++ = rest.first;
        rest.frames -= length[rest.first++];
        rest.runs--;
    }
    *start = rest.first;
    cut_rest(rest, start);
    start[rest.runs] = n;
}

/* The share is found by bisection: a bound is possible if filling ranges greedily needs no more of them than
 * there are. A range that is divided costs no more than before in either part, so what is possible with fewer
 * ranges is possible with all, as long as there are items for them. */
#include "data/ranges.h"

size_t ranges_fill(const struct stretch *stretch, size_t first, size_t spare, int64_t most)
{
    size_t end = first;
    int64_t sum = first < stretch->end ? stretch->of_first * stretch->cost[first] : 0;
    for (; end + spare < stretch->end; end++) {
        sum += stretch->cost[end];
        if (sum > most)
            break;
    }
    return end;
}

size_t ranges_fill_many(const struct stretch *stretch, size_t first, size_t ranges, int64_t most)
{
    for (size_t r = 0; r < ranges && first < stretch->end; r++)
        first = ranges_fill(stretch, first, 0, most);
    return first;
}

int64_t ranges_find_share(const struct stretch *stretch, size_t ranges)
{
    int64_t low = 1, high = stretch->of_first * stretch->cost[stretch->first]; /* it lies in [low, high] */
    for (size_t i = stretch->first; i < stretch->end; i++) {
        int64_t alone = (1 + stretch->of_first) * stretch->cost[i];
        high += stretch->cost[i];
        low = alone > low ? alone : low;
    }
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (ranges_fill_many(stretch, stretch->first, ranges, middle) == stretch->end)
            high = middle;
        else
            low = middle + 1;
    }
    return high;
}

void ranges_find_earliest(const struct stretch *stretch, size_t ranges, int64_t most, size_t *earliest)
{
    size_t first = stretch->end;
    for (size_t r = ranges; r-- > 0;) {
        for (int64_t sum = 0; first > stretch->first + r; first--) {
            int64_t cost = stretch->cost[first - 1];
            sum += cost;
            if (sum + stretch->of_first * cost > most)
                break;
        }
        earliest[r] = first;
    }
}

/* Contiguous ranges of items in a row, of which the dearest is to be as cheap as can be: of leaves for ranks,
 * of sequences for microbatches. Private to this folder. */
#ifndef DATA_RANGES_H
#define DATA_RANGES_H

#include <stddef.h>
#include <stdint.h>

/* Items first .. end - 1, to be cut. A range costs what its items do, and of_first times its first besides.
 */
struct stretch {
    const int64_t *cost;
    int64_t of_first;
    size_t first, end;
};

/* Returns the cost of the dearest of so many ranges, no more than there are items, where it is as cheap as
 * can be. */
int64_t ranges_find_share(const struct stretch *stretch, size_t ranges);

/* The end of the longest range from item `first` of cost `most` at most that leaves `spare` items. */
size_t ranges_fill(const struct stretch *stretch, size_t first, size_t spare, int64_t most);

/* The end of so many ranges from item `first` on, each of cost `most` at most. */
size_t ranges_fill_many(const struct stretch *stretch, size_t first, size_t ranges, int64_t most);

/* earliest[r]: the first item from which on ranges r .. ranges - 1 suffice, each of cost `most` at most and
 * with an item. */
void ranges_find_earliest(const struct stretch *stretch, size_t ranges, int64_t most, size_t *earliest);

#endif

/* Of a key its hash of 64 bits is kept: two of a million keys have the same with a chance of one to 37
 * million, and then are taken for a key that comes twice. */
#include "data/import/marks.h"

#include "base/array.h"
#include "base/hash.h"

#include <stdlib.h>
#include <string.h>

int marks_add(struct marks *marks, const char *key, int64_t at, int64_t lines, struct error *error)
{
    struct mark *wider = array_grow(marks->mark, &marks->room, marks->count, sizeof *wider);
    if (!wider)
        return error_set(error, EXIT_CODE_INTERNAL, "out of memory for the places of %zu keys", marks->count);
    marks->mark = wider;
    marks->mark[marks->count++] =
        (struct mark){.hash = hash_bytes(key, strlen(key)), .at = at, .lines = lines};
    return 0;
}

static int compare_places(const void *left, const void *right)
{
    const struct mark *a = left, *b = right;
    return (a->at > b->at) - (a->at < b->at);
}

static int compare(const void *left, const void *right)
{
    const struct mark *a = left, *b = right;
    if (a->hash != b->hash)
        return a->hash < b->hash ? -1 : 1;
    return compare_places(a, b);
}

int64_t marks_order(struct marks *marks)
{
    if (marks->count)
        qsort(marks->mark, marks->count, sizeof *marks->mark, compare);
    for (size_t i = 1; i < marks->count; i++)
        if (marks->mark[i].hash == marks->mark[i - 1].hash)
            return (int64_t)i;
    return -1;
}

struct mark *marks_find(struct marks *marks, const char *key)
{
    uint64_t hash = hash_bytes(key, strlen(key));
    size_t low = 0, high = marks->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (marks->mark[middle].hash < hash)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == marks->count || marks->mark[low].hash != hash)
        return NULL;
    marks->mark[low].used = 1;
    return &marks->mark[low];
}

void marks_restore(struct marks *marks)
{
    if (marks->count)
        qsort(marks->mark, marks->count, sizeof *marks->mark, compare_places);
}

void marks_finish(struct marks *marks)
{
    free(marks->mark);
    *marks = (struct marks){0};
}

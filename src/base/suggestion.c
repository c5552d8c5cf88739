/* The name that is meant has the smallest edit distance, and one that is small beside its length. */
#include "base/suggestion.h"

#include "base/edit_distance.h"

#include <stdint.h>

enum { LONGEST_NAME = 40 };

/* The bytes of a name as symbols. Returns their number, or LONGEST_NAME + 1 where there are more. */
static size_t spell(const char *name, int32_t symbol[LONGEST_NAME])
{
    size_t n = 0;
    for (; n < LONGEST_NAME && name[n]; n++)
        symbol[n] = (unsigned char)name[n];
    return name[n] ? LONGEST_NAME + 1 : n;
}

int suggestion_offer(struct suggestion *suggestion, const char *name)
{
    int32_t a[LONGEST_NAME], b[LONGEST_NAME];
    size_t scratch[LONGEST_NAME + 1], A = spell(suggestion->written, a), B = spell(name, b);
    if (A > LONGEST_NAME || B > LONGEST_NAME)
        return 0;
    size_t distance = edit_distance(a, A, b, B, scratch);
    if (distance > 1 + B / 4 || (suggestion->meant && distance >= suggestion->distance))
        return 0;
    suggestion->meant = name;
    suggestion->distance = distance;
    return 1;
}

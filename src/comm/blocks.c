#include "comm/blocks.h"

struct blocks blocks_deal(struct blocks all, int to, int which)
{
    int each = all.count / to, rest = all.count % to;
    return (struct blocks){all.first + each * which + (which < rest ? which : rest), each + (which < rest)};
}

struct blocks blocks_deal_back(struct blocks all, int to, int which)
{
    struct blocks mirrored = blocks_deal((struct blocks){0, all.count}, to, to - 1 - which);
    return (struct blocks){all.first + all.count - mirrored.first - mirrored.count, mirrored.count};
}

struct blocks blocks_overlap(struct blocks a, struct blocks b)
{
    int first = a.first > b.first ? a.first : b.first, a_end = a.first + a.count, b_end = b.first + b.count,
        end = a_end < b_end ? a_end : b_end;
    return (struct blocks){first, end > first ? end - first : 0};
}
